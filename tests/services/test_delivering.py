"""A text's way to its phone: sent once or not at all, whatever the carrier says, and never once it is wrong."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, update

from db.engine import make_engine, writing
from db.tables import metadata
from reminders import drugs
from reminders.clock import HandClock
from reminders.domain.acting import StaffAct, StaffAction
from reminders.messaging.pacing import Pace
from reminders.messaging.sandbox import CarrierFault
from reminders.messaging.transport import (
    Accepted,
    Ambiguous,
    FailureClass,
    ListUnavailable,
    NotSent,
    Outcome,
    Outgoing,
    ReceivedText,
    Refused,
    SentText,
)
from reminders.services import delivering, following_up, prescribing, reminding, replying
from reminders.services.delivering import PATIENCE, Patience, Watch, recovering, resting, sending
from reminders.services.records import last_look, outbox, quarantines
from reminders.services.records.ledger import Row
from tests.files import File, a_consent
from tests.scheduling.enrolled import shelve_another_medicine
from tests.stage import ANA, Stage, at, empty_ledger, patient, phase, plan

FIRST = "03-02/1"
MINUTE = timedelta(minutes=1)
BUSY = NotSent(20429)
NO_ACCOUNT = Refused(20003, FailureClass.ACCOUNT)


class Carrier:
    """A carrier that answers as it is told, and keeps what it was asked to send."""

    name: Final = "by hand"
    list_lag: Final = timedelta()

    def __init__(
        self, clock: HandClock, *answers: Outcome | Exception, before: Callable[[Outgoing], Awaitable[None]] | None = None
    ) -> None:
        self.clock, self.answers, self.before = clock, list(answers), before
        self.asked: list[Outgoing] = []
        self.listed: list[SentText] = []
        self.deaf = False

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Give the next answer; with none left, accept."""
        self.asked.append(outgoing)
        if self.before is not None:
            await self.before(outgoing)
        answer = self.answers.pop(0) if self.answers else Accepted(f"SM{len(self.asked)}")
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sent_to(self, phone: str, *, since: datetime) -> tuple[SentText, ...]:
        """List what the test put there."""
        if self.deaf:
            raise ListUnavailable
        return tuple(text for text in self.listed if text.to == phone and text.created_at >= since)

    async def sent(self, *, since: datetime) -> tuple[SentText, ...]:
        """List what the test put there, for all phones."""
        if self.deaf:
            raise ListUnavailable
        return tuple(text for text in self.listed if text.created_at >= since)

    async def received(self, *, since: datetime) -> tuple[ReceivedText, ...]:
        """Nobody writes by this carrier."""
        return ()

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def has(self, sid: str, body: str, status: str = "sent", code: int | None = None) -> None:
        """Put a text on the list."""
        self.listed.append(SentText(sid, ANA, body, status, self.clock.now(), code))


_opened: list[Stage] = []
_watches: dict[int, Watch] = {}


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    """Close every stage that a test opened."""
    yield
    while _opened:
        _opened.pop().__exit__(None, None, None)
    _watches.clear()


def due(*patients: File, engine: Engine | None = None) -> Stage:
    """Ana, or others, at eight on the first morning, the reminder written and not yet sent."""
    s = Stage(engine or empty_ledger(), *patients)
    _opened.append(s)
    s.clock.advance_to(at("03-02 08:00"))
    reminding.remind_due(s.engine, now=s.now)
    return s


def send(s: Stage, carrier: Carrier) -> int:
    """One pass of the sender."""
    return asyncio.run(delivering.deliver(s.engine, carrier, clock=s.clock))


def claim(c: Connection, now: datetime) -> list[Row]:
    """What the sender would claim."""
    found = outbox.waiting(c, now=now, limit=10, urgent=True) + outbox.waiting(c, now=now, limit=10, urgent=False)
    return outbox.claim(c, found, now=now, lease=timedelta(seconds=30))


def recover(s: Stage, carrier: Carrier, after: timedelta) -> int:
    """One pass of the recovery, some time later; it was at work meanwhile, and saw the lease end."""
    look(s, carrier)
    until_lease_ends = min(after, timedelta(seconds=31))
    s.clock.advance(until_lease_ends)
    look(s, carrier)
    s.clock.advance(after - until_lease_ends)
    return look(s, carrier)


def look(s: Stage, carrier: Carrier, **more: Any) -> int:  # noqa: ANN401 - the options of a recovery
    """One pass of the recovery, now."""
    watch = _watches.setdefault(id(s), Watch())
    return asyncio.run(delivering.recover(s.engine, carrier, clock=s.clock, watch=watch, **more))


def receipt(s: Stage, carrier: Carrier, status: str, code: int | None = None, *, sid: str = "SM1") -> None:
    """A receipt of the carrier's last text."""
    delivering.receive_status(s.engine, sid=sid, status=status, tag=carrier.asked[-1].tag, error_code=code, now=s.now)


def says(s: Stage, text: str, phone: str = ANA) -> None:
    """A text from somebody, with nothing else running."""
    sid = f"IN{len(s.rows('text_in'))}"
    replying.receive(s.engine, sid=sid, from_phone=phone, to_phone="", body=text, received_at=s.now, now=s.now)


def text(s: Stage, kind: str = "reminder") -> dict[str, Any]:
    """The text of a kind."""
    return next(row for row in s.rows("text_out") if row["kind"] == kind)


def dose(s: Stage, number: int = 1) -> str:
    """Where a dose stands."""
    row = next(row for row in s.rows("dose") if row["slot_no"] == number)
    return f"{row['state']} ({row['reason']})" if row["reason"] else str(row["state"])


# --- once ---------------------------------------------------------------------------------------------------------


def test_claimed_and_committed_before_the_request() -> None:
    """While the request is on its way, the ledger says so already: attempt, tag and lease."""
    s = due()
    seen: list[tuple[object, ...]] = []

    async def look(outgoing: Outgoing) -> None:
        row = text(s)
        seen.append((row["state"], row["attempt"], row["tag"] == outgoing.tag, outgoing.validity))

    send(s, Carrier(s.clock, before=look))

    assert seen == [("sending", 1, True, 3600)]


def test_accepted() -> None:
    """The carrier's id is kept, and the dose has been announced."""
    s = due()
    send(s, Carrier(s.clock))

    assert (text(s)["state"], text(s)["sid"], dose(s)) == ("accepted", "SM1", "open")


def test_nothing_to_send() -> None:
    """What was sent is not sent again."""
    s = due()
    carrier = Carrier(s.clock)

    assert (send(s, carrier), send(s, carrier), len(carrier.asked)) == (1, 0, 1)


def test_the_last_attempt_alone_is_written() -> None:
    """An answer that comes when another attempt has begun changes nothing, and is kept as evidence."""
    s = due()
    second = Carrier(s.clock, Accepted("SM-second"))

    async def sleep_too_long(_: Outgoing) -> None:
        watch = Watch()
        for wait in (timedelta(seconds=31), timedelta(seconds=75), timedelta(seconds=31)):
            s.clock.advance(wait)
            await delivering.recover(s.engine, second, clock=s.clock, watch=watch)
        await delivering.deliver(s.engine, second, clock=s.clock)

    send(s, Carrier(s.clock, Accepted("SM-first"), before=sleep_too_long))

    assert (text(s)["sid"], text(s)["attempt"]) == ("SM-second", 2)
    assert [row["sid"] for row in sorted(s.rows("text_attempt"), key=lambda row: row["attempt"])] == ["SM-first", "SM-second"]
    assert [(row["name"], row["words"]) for row in s.rows("trouble")] == [("doubled", "The carrier took 1 of our texts a second time.")]


@pytest.mark.parametrize("tried_again", [False, True])
def test_an_answer_that_comes_when_the_text_waits_to_be_tried_again(*, tried_again: bool) -> None:
    """That the carrier took it is proof, however late it is told: the text does not leave once more."""
    s = due()
    second = Carrier(s.clock, BUSY)

    async def sleep_too_long(_: Outgoing) -> None:
        watch = Watch()
        for wait in (timedelta(seconds=31), timedelta(seconds=75), timedelta(seconds=31)):
            s.clock.advance(wait)
            await delivering.recover(s.engine, second, clock=s.clock, watch=watch)
        if tried_again:
            await delivering.deliver(s.engine, second, clock=s.clock)

    carrier = Carrier(s.clock, Accepted("SM-first"), before=sleep_too_long)
    send(s, carrier)
    s.clock.advance(MINUTE)
    send(s, carrier)

    assert (len(carrier.asked), text(s)["state"], text(s)["sid"], dose(s), s.rows("trouble")) == (1, "accepted", "SM-first", "open", [])


def test_a_refusal_of_an_earlier_attempt_ends_nothing() -> None:
    """A refusal, a doubt or a "not sent" of an earlier attempt changes nothing either."""
    for late in (Refused(21211, FailureClass.RECIPIENT_PERMANENT), Ambiguous("timeout"), NotSent(20429)):
        s = due()
        second = Carrier(s.clock, Accepted("SM-second"))

        async def sleep_too_long(_: Outgoing, s: Stage = s, second: Carrier = second) -> None:
            watch = Watch()
            for wait in (timedelta(seconds=31), timedelta(seconds=75), timedelta(seconds=31)):
                s.clock.advance(wait)
                await delivering.recover(s.engine, second, clock=s.clock, watch=watch)
            await delivering.deliver(s.engine, second, clock=s.clock)

        send(s, Carrier(s.clock, late, before=sleep_too_long))

        assert (text(s)["state"], text(s)["sid"], dose(s)) == ("accepted", "SM-second", "open")


@pytest.mark.parametrize("late", [Refused(21211, FailureClass.RECIPIENT_PERMANENT), NotSent(20429), Ambiguous("timeout")])
def test_an_answer_that_comes_while_another_try_is_on_its_way(late: Outcome) -> None:
    """What an earlier attempt learns late says nothing of the attempt that is on its way now."""
    s = due()
    with writing(s.engine) as c:
        (first,) = claim(c, s.now)
    for wait in (timedelta(seconds=106), timedelta(seconds=31)):
        recover(s, Carrier(s.clock), wait)
    with writing(s.engine) as c:
        claim(c, s.now)
        sending.record(c, "by hand", [(first, late)], s.now)

    assert (text(s)["state"], text(s)["attempt"], dose(s)) == ("sending", 2, "pending")


def test_two_who_settle_one_doubt() -> None:
    """Who looked into an earlier attempt, and writes late, does not send the next one again: two copies would reach the phone."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("timeout"), Ambiguous("timeout"))
    send(s, carrier)
    recover(s, carrier, timedelta(seconds=106))
    s.clock.advance(timedelta(seconds=31))
    with writing(s.engine) as c:
        (stale,) = outbox.in_doubt(c, now=s.now, settle=PATIENCE.settle, limit=1)
    recover(s, carrier, timedelta())
    send(s, carrier)
    before = text(s)
    with writing(s.engine) as c:
        recovering.settle(c, stale, (), now=s.now, patience=PATIENCE)

    assert (before["state"], before["attempt"], text(s)) == ("unknown", 2, before)


def test_two_who_settle_one_doubt_and_find_it() -> None:
    """Who looks into an earlier attempt and finds the next one's text keeps nothing: else nobody could prove it was sent."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("timeout"), Ambiguous("timeout"))
    send(s, carrier)
    recover(s, carrier, timedelta(seconds=106))
    s.clock.advance(timedelta(seconds=31))
    with writing(s.engine) as c:
        (stale,) = outbox.in_doubt(c, now=s.now, settle=PATIENCE.settle, limit=1)
    recover(s, carrier, timedelta())
    send(s, carrier)
    carrier.has("SM-second", text(s)["body"])
    with writing(s.engine) as c:
        recovering.settle(c, stale, tuple(carrier.listed), now=s.now, patience=PATIENCE)
    recover(s, carrier, timedelta(seconds=106))

    assert (len(carrier.asked), text(s)["state"], text(s)["sid"]) == (2, "accepted", "SM-second")
    assert [row["sid"] for row in sorted(s.rows("text_attempt"), key=lambda row: row["attempt"])] == [None, "SM-second"]


def test_a_sleeper_sends_nothing() -> None:
    """Who wakes after another has claimed the text finds it is no longer theirs, and ends nothing."""
    s = due()
    with writing(s.engine) as c:
        stale = claim(c, s.now)
    carrier = Carrier(s.clock)
    recover(s, carrier, timedelta(seconds=106))
    recover(s, carrier, timedelta(seconds=31))
    with writing(s.engine) as c:
        claim(c, s.now)
    with writing(s.engine) as c:
        ready = last_look.still_right(c, stale, now=s.now + timedelta(hours=2))

    assert (ready, text(s)["state"], text(s)["attempt"]) == ([], "sending", 2)


class Slow(HandClock):
    """A clock on which every look takes twenty seconds."""

    def monotonic(self) -> float:
        """Return the seconds, twenty more than at the last look."""
        self.advance(timedelta(seconds=20))
        return super().monotonic()


def test_too_slow_gives_back() -> None:
    """With half the lease gone before the first request, nothing is sent: it goes back."""
    s = due()
    carrier = Carrier(s.clock)
    asyncio.run(delivering.deliver(s.engine, carrier, clock=Slow(s.now)))

    assert (carrier.asked, text(s)["state"]) == ([], "queued")


def test_asked_to_stop_gives_back() -> None:
    """Asked to stop in the midst of a batch, the sender begins no further request: what is on its way ends, the rest goes back."""
    s = due(patient(), patient(plan(ref="ben"), ref="ben", phone="+12025550103", consent=a_consent("Ben")))
    carrier = Carrier(s.clock)
    asyncio.run(delivering.deliver(s.engine, carrier, clock=s.clock, stopping=lambda: bool(carrier.asked)))

    assert (len(carrier.asked), sorted(row["state"] for row in s.rows("text_out"))) == (1, ["accepted", "queued"])


def test_asked_to_stop_looks_into_nothing_more() -> None:
    """Asked to stop, the recovery asks for no further list: the text stays in doubt for whoever looks next."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("500"))
    send(s, carrier)
    carrier.has("SM-found", carrier.asked[0].body)
    look(s, carrier)
    s.clock.advance(timedelta(seconds=106))
    look(s, carrier, stopping=lambda: True)
    stopped = text(s)["state"]
    recover(s, carrier, timedelta())

    assert (stopped, text(s)["state"]) == ("unknown", "accepted")


def test_a_slow_carrier_is_no_way_around_the_last_look() -> None:
    """What waited for another text to leave is looked at again before it leaves: STOP may have come meanwhile."""
    s = due(*crowd(4))

    async def slow(_: Outgoing) -> None:
        if len(carrier.asked) == 1:
            s.clock.advance(timedelta(seconds=5))
            for phone in range(10, 14):
                says(s, "please stop texting me", f"+120255501{phone:02}")

    carrier = Carrier(s.clock, before=slow)
    for _ in range(3):
        send(s, carrier)

    assert [asked.body.split(": ", 1)[1][:16] for asked in carrier.asked[1:]] == [carrier.asked[1].body.split(": ", 1)[1][:16]] * 4
    assert [row["state"] for row in s.rows("text_out") if row["kind"] == "reminder"].count("cancelled") == 3


def test_a_machine_that_sleeps_in_the_midst_of_a_batch() -> None:
    """The machine sleeps for two hours between two requests, and one of its clocks with it: what waited is late, and does not leave."""
    s = due(*crowd(2))

    async def sleep(_: Outgoing) -> None:
        s.clock.jump(s.now + timedelta(hours=2))

    carrier = Carrier(s.clock, before=sleep)
    send(s, carrier)
    send(s, carrier)

    assert (len(carrier.asked), sorted(row["state"] for row in s.rows("text_out"))) == (1, ["accepted", "expired"])


def test_a_batch_does_not_outlive_its_texts() -> None:
    """A text whose time ends while another leaves does not leave after it."""
    s = due(*crowd(2))
    s.clock.advance_to(at("03-02 08:59") + timedelta(seconds=59))

    async def a_second(_: Outgoing) -> None:
        s.clock.advance(timedelta(seconds=1))

    carrier = Carrier(s.clock, before=a_second)
    send(s, carrier)

    assert (len(carrier.asked), sorted(row["state"] for row in s.rows("text_out"))) == (1, ["accepted", "queued"])


# --- doubt ----------------------------------------------------------------------------------------------------------


def test_doubt_is_not_looked_into_too_soon() -> None:
    """A request may still be on its way: within the settle time nothing is looked up, and nothing sent again."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("timeout"))
    send(s, carrier)

    assert (text(s)["state"], recover(s, carrier, timedelta(seconds=100)), send(s, carrier)) == ("unknown", 0, 0)


@pytest.mark.parametrize(
    ("change", "status", "after"),
    [
        (str, "sent", "open"),
        (lambda body: f"Sent from your Twilio trial account - {body}", "queued", "open"),
        (lambda body: f"  {body.replace(' ', '  ')}", "delivered", "open"),
        (str, "undelivered", "not_reminded (carrier 30003)"),
    ],
)
def test_found_on_the_list(change: Callable[[str], str], status: str, after: str) -> None:
    """Found on the carrier's list, it was sent; what the list says of its fate is believed too."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("500"))
    send(s, carrier)
    carrier.has("SM-found", change(carrier.asked[0].body), status, 30003 if status == "undelivered" else None)
    recover(s, carrier, timedelta(seconds=106))

    assert (text(s)["state"], text(s)["sid"], dose(s), len(carrier.asked)) == ("accepted", "SM-found", after, 1)


def test_not_found_twice_is_sent_again() -> None:
    """Not on the list, and not half a minute later: it was not sent, and is still of use."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("500"))
    send(s, carrier)
    recover(s, carrier, timedelta(seconds=106))
    assert (text(s)["state"], send(s, carrier)) == ("unknown", 0)
    recover(s, carrier, timedelta(seconds=31))
    send(s, carrier)

    assert (text(s)["state"], text(s)["attempt"], len(carrier.asked)) == ("accepted", 2, 2)


@pytest.mark.parametrize("ahead", [timedelta(minutes=30), timedelta(hours=20)])
def test_found_though_our_clock_is_ahead(ahead: timedelta) -> None:
    """Our clock is ahead of the carrier's, which lists the text as of long before we wrote it: it was sent, once."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("500"))
    send(s, carrier)
    carrier.listed.append(SentText("SM-found", ANA, carrier.asked[0].body, "sent", s.now - ahead))
    recover(s, carrier, timedelta(seconds=106))
    recover(s, carrier, timedelta(seconds=31))
    send(s, carrier)

    assert (len(carrier.asked), text(s)["sid"]) == (1, "SM-found")


def test_a_clock_set_forward_while_in_doubt() -> None:
    """Our clock is set forward while a text is in doubt: by the other clock it is no older, and nothing is taken for lost."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("500"))
    send(s, carrier)
    look(s, carrier)
    looked = []
    for _ in range(4):
        s.clock.jump(s.now + timedelta(minutes=5))
        s.clock.advance(timedelta(seconds=15))
        looked.append(look(s, carrier))

    assert (looked, send(s, carrier), len(carrier.asked)) == ([0, 0, 0, 0], 0, 1)


def test_a_clock_set_forward_between_two_looks() -> None:
    """The second look comes half a minute after the first, however often the clock is set."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("500"))
    send(s, carrier)
    recover(s, carrier, timedelta(seconds=106))
    s.clock.jump(s.now + timedelta(minutes=5))
    too_soon = look(s, carrier)
    carrier.has("SM-found", carrier.asked[0].body)
    s.clock.advance(timedelta(seconds=31))

    assert (too_soon, look(s, carrier), text(s)["sid"]) == (0, 1, "SM-found")


def test_not_found_and_too_late() -> None:
    """Not found when its time is over: it was not sent, and nobody was reminded."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("500"))
    send(s, carrier)
    recover(s, carrier, timedelta(minutes=61))
    recover(s, carrier, MINUTE)

    assert (text(s)["state"], dose(s)) == ("not_sent", "not_reminded (not sent)")


def test_a_receipt_after_all() -> None:
    """Given up, and then a receipt comes with its tag: it was sent, and the dose announced."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("500"))
    send(s, carrier)
    recover(s, carrier, timedelta(minutes=61))
    recover(s, carrier, MINUTE)
    receipt(s, carrier, "delivered")

    assert (text(s)["state"], text(s)["sid"], dose(s)) == ("accepted", "SM1", "open")


def test_no_list_proves_nothing() -> None:
    """A list that cannot be read is no proof that anything was not sent."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("500"))
    send(s, carrier)
    carrier.deaf = True
    for _ in range(3):
        recover(s, carrier, timedelta(seconds=106))

    assert (text(s)["state"], text(s)["looked"]) == ("unknown", 0)


def test_another_texts_id_is_no_proof() -> None:
    """A text on the list that another row owns is not this one, though the words are the same."""
    s = due()
    carrier = Carrier(s.clock, Accepted("SM1"), Ambiguous("500"))
    send(s, carrier)
    carrier.has("SM1", carrier.asked[0].body)
    receipt(s, carrier, "undelivered", 30003)
    s.clock.advance(timedelta(minutes=15))
    send(s, carrier)
    recover(s, carrier, timedelta(seconds=106))

    assert (text(s, "resend")["state"], text(s, "resend")["looked"]) == ("unknown", 1)


def test_death_in_mid_request() -> None:
    """A process that dies in mid-request leaves its text to be settled by another."""
    s = due()
    with writing(s.engine) as c:
        claim(c, s.now)
    carrier = Carrier(s.clock)
    recover(s, carrier, timedelta(seconds=106))
    recover(s, carrier, timedelta(seconds=31))

    assert (send(s, carrier), text(s)["attempt"], dose(s)) == (1, 2, "open")


def test_a_transport_that_raises_stops_no_other() -> None:
    """One request that blows up is in doubt; the others are recorded."""
    s = due(patient(), patient(plan(ref="ben"), ref="ben", phone="+12025550103", consent=a_consent("Ben")))
    send(s, Carrier(s.clock, ConnectionResetError("gone")))

    assert sorted(row["state"] for row in s.rows("text_out")) == ["accepted", "unknown"]


# --- receipts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [Accepted("SM1"), Ambiguous("cut off")])
def test_a_receipt_before_the_answer(answer: Outcome) -> None:
    """A receipt can be quicker than the answer to the request; it proves the text sent, whatever that answer says."""
    s = due()

    async def call_back(outgoing: Outgoing) -> None:
        delivering.receive_status(s.engine, sid="SM1", status="delivered", tag=outgoing.tag, error_code=None, now=s.now)

    send(s, Carrier(s.clock, answer, before=call_back))

    assert (text(s)["state"], text(s)["status"], text(s)["sid"], dose(s)) == ("accepted", "delivered", "SM1", "open")
    assert [row["sid"] for row in s.rows("text_attempt")] == ["SM1"]


def tried_again(s: Stage, carrier: Carrier) -> None:
    """A first try whose answer never came, and that no list has shown, so that another follows."""
    send(s, carrier)
    recover(s, carrier, timedelta(seconds=106))
    recover(s, carrier, timedelta(seconds=31))
    send(s, carrier)


def first_receipt(s: Stage, carrier: Carrier, status: str = "sent") -> None:
    """A receipt of the first try, however late."""
    code = 30003 if status in outbox.LOST else None
    delivering.receive_status(s.engine, sid="SM-first", status=status, tag=carrier.asked[0].tag, error_code=code, now=s.now)


@pytest.mark.parametrize("second", [BUSY, NO_ACCOUNT, Ambiguous("cut off")])
def test_a_receipt_of_an_earlier_try(second: Outcome) -> None:
    """The first try was sent after all, as its receipt says when the second has come to nothing: there is no third."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("timeout"), second)
    tried_again(s, carrier)
    first_receipt(s, carrier)
    for wait in (timedelta(minutes=2), MINUTE):
        recover(s, carrier, wait)
        send(s, carrier)

    assert (len(carrier.asked), text(s)["state"], text(s)["sid"], dose(s)) == (2, "accepted", "SM-first", "open")
    assert [row["sid"] for row in sorted(s.rows("text_attempt"), key=lambda row: row["attempt"])] == ["SM-first", None]


@pytest.mark.parametrize("second", [BUSY, NO_ACCOUNT, Ambiguous("cut off"), Refused(30007, FailureClass.CONTENT), Accepted("SM-second")])
def test_a_receipt_of_an_earlier_try_while_another_is_on_its_way(second: Outcome) -> None:
    """Whatever comes of the second try, the text was sent: nothing follows it, and each try keeps its own id."""
    s = due()

    async def call_back(_: Outgoing) -> None:
        if len(carrier.asked) > 1:
            first_receipt(s, carrier)

    carrier = Carrier(s.clock, Ambiguous("timeout"), second, before=call_back)
    tried_again(s, carrier)
    for wait in (timedelta(minutes=2), MINUTE):
        recover(s, carrier, wait)
        send(s, carrier)

    assert (len(carrier.asked), text(s)["state"], dose(s)) == (2, "accepted", "open")
    sids = [row["sid"] for row in sorted(s.rows("text_attempt"), key=lambda row: row["attempt"])]
    assert sids == ["SM-first", "SM-second" if isinstance(second, Accepted) else None]


def test_the_loss_of_an_earlier_try_while_another_is_on_its_way() -> None:
    """That the first try was lost says nothing of the second: what the carrier takes is the text's own."""
    s = due()

    async def call_back(_: Outgoing) -> None:
        if len(carrier.asked) > 1:
            first_receipt(s, carrier, "undelivered")

    carrier = Carrier(s.clock, Ambiguous("timeout"), Accepted("SM-second"), before=call_back)
    tried_again(s, carrier)
    receipt(s, carrier, "delivered", sid="SM-second")

    assert (text(s)["state"], text(s)["sid"], dose(s)) == ("accepted", "SM-second", "open")


def test_a_receipt_of_an_earlier_try_before_the_last_look() -> None:
    """A text that another try has claimed, and whose first is proved meanwhile, does not leave again."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("timeout"))
    send(s, carrier)
    recover(s, carrier, timedelta(seconds=106))
    recover(s, carrier, timedelta(seconds=31))

    assert (look_after(s, lambda: first_receipt(s, carrier)), text(s)["state"], text(s)["attempt"]) == ([], "accepted", 2)


@pytest.mark.parametrize("ending", ["expired", "cancelled"])
def test_a_receipt_of_an_earlier_try_of_a_text_that_has_ended(ending: str) -> None:
    """A text that was given up after another try is proved by a receipt of any."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("timeout"), BUSY)
    tried_again(s, carrier)
    if ending == "cancelled":
        waiting = text(s)
        with writing(s.engine) as c:
            outbox.end(c, [waiting], ending, why="by hand", now=s.now)
    else:
        s.clock.advance_to(at("03-02 09:00"))
        send(s, carrier)
    ended = text(s)["state"]
    first_receipt(s, carrier)

    assert (ended, text(s)["state"], dose(s)) == (ending, "accepted", "open")


def test_a_receipt_of_nothing() -> None:
    """A receipt for a text nobody knows is kept, and changes nothing."""
    s = due()
    delivering.receive_status(s.engine, sid="SM-other", status="delivered", tag="nobody's", error_code=None, now=s.now)

    assert ([row["text_id"] for row in s.rows("delivery_event")], dose(s)) == ([None], "pending")


def test_a_receipt_again_and_again() -> None:
    """A receipt handed over five times is one."""
    s = due()
    carrier = Carrier(s.clock)
    send(s, carrier)
    for _ in range(5):
        receipt(s, carrier, "delivered")

    assert (len(s.rows("delivery_event")), text(s)["rank"]) == (1, 4)


def copied(engine: Engine) -> Engine:
    """A ledger in memory as another is."""
    copy = make_engine("sqlite://")
    source, target = engine.raw_connection(), copy.raw_connection()
    source.driver_connection.backup(target.driver_connection)  # type: ignore[union-attr]
    source.close()
    target.close()
    return copy


def test_receipts_in_any_order() -> None:
    """Five receipts in each of their 120 orders end in one state."""
    s = due()
    carrier = Carrier(s.clock)
    send(s, carrier)
    template, ends = s.engine, set()
    for order in permutations(("queued", "sent", "undelivered", "failed", "delivered")):
        s.engine = copied(template)
        for status in order:
            receipt(s, carrier, status, 30008 if status in {"undelivered", "failed"} else None)
        resent = {row["state"] for row in s.rows("text_out") if row["kind"] == "resend"}
        ends.add((text(s)["rank"], text(s)["status"], dose(s), resent <= {"cancelled"}))
        s.engine.dispose()

    assert ends == {(4, "delivered", "open", True)}


# --- failures -------------------------------------------------------------------------------------------------------


def test_too_many_requests() -> None:
    """The carrier takes no more: the text waits as long as it asks, and is sent then."""
    s = due()
    carrier = Carrier(s.clock, NotSent(20429, retry_after=7))
    send(s, carrier)
    s.clock.advance(timedelta(seconds=6))
    early = send(s, carrier)
    s.clock.advance(timedelta(seconds=1))

    assert (early, send(s, carrier), text(s)["attempt"], dose(s)) == (0, 1, 2, "open")


def crowd(count: int) -> list[File]:
    """Many patients with a dose at eight."""
    return [
        patient(plan(ref=f"p{n}-plan"), ref=f"p{n}", name=f"P{n} Doe", phone=f"+120255501{n:02}", consent=a_consent("P"))
        for n in range(10, 10 + count)
    ]


def test_the_sender_rests() -> None:
    """What the carrier did not take of one text is not tried with the next: one alone is tried after the rest, then all."""
    s = due(*crowd(8))
    carrier = Carrier(s.clock, BUSY, BUSY)
    send(s, carrier)
    s.clock.advance(timedelta(seconds=1))
    alone = send(s, carrier)
    s.clock.advance(timedelta(seconds=2))

    assert (alone, send(s, carrier), send(s, carrier), len(carrier.asked)) == (1, 1, 7, 10)


def test_one_alone_is_tried_by_all_processes_together() -> None:
    """While one process tries whether the carrier takes texts again, no other does; if it dies of that, another half a minute later."""
    s = due(*crowd(8))
    other = Carrier(s.clock)

    async def another_process(_: Outgoing) -> None:
        if len(carrier.asked) == 2:
            await delivering.deliver(s.engine, other, clock=s.clock)

    carrier = Carrier(s.clock, BUSY, BUSY, before=another_process)
    send(s, carrier)
    s.clock.advance(timedelta(seconds=1))
    send(s, carrier)
    s.clock.advance(timedelta(seconds=2))
    with writing(s.engine) as c:
        resting.in_line(c, carrier.name, pace=None, now=s.now, limit=50)
    s.clock.advance(timedelta(seconds=29))
    early = send(s, carrier)
    s.clock.advance(timedelta(seconds=1))

    assert (other.asked, early, send(s, carrier), send(s, carrier), len(carrier.asked)) == ([], 0, 1, 7, 10)


def test_the_one_that_was_to_be_tried_alone_is_not_wanted_any_more() -> None:
    """A try that ends before its request, for its dose was answered meanwhile, keeps nobody waiting."""
    s = due(*crowd(2))
    carrier = Carrier(s.clock, BUSY)
    send(s, carrier)
    s.clock.advance(timedelta(seconds=1))
    for number in (10, 11):
        says(s, "1", f"+120255501{number}")
    counts = [send(s, carrier), send(s, carrier)]

    assert (counts, len(carrier.asked)) == ([1, 1], 1)


def rests(s: Stage) -> timedelta:
    """How long the sender rests from now on."""
    (sender,) = s.rows("sender")
    return timedelta() if sender["rests_until"] is None else timedelta(seconds=(sender["rests_until"] - s.now).total_seconds())


def test_rests_grow_and_differ() -> None:
    """Refused again and again the sender rests up to 1 s, 2 s, 4 s … 60 s, each time some part of it: two never come back together."""
    seen: dict[int, list[float]] = {n: [] for n in range(1, 10)}
    for _ in range(12):
        s = due()
        carrier = Carrier(s.clock, *[BUSY] * 9)
        for each in seen.values():
            send(s, carrier)
            each.append(rests(s).total_seconds())
            s.clock.advance(rests(s))

    longest = [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert all(max(rests) <= most for rests, most in zip(seen.values(), longest, strict=True))
    assert min(max(rests) / most for rests, most in zip(seen.values(), longest, strict=True)) > 1 / 3  # one in 3¹² · 9 by chance
    assert all(len(set(rests)) == 12 for rests in seen.values())


@pytest.mark.parametrize(("asked", "rest"), [(7.0, timedelta(seconds=7)), (86_400.0, timedelta(hours=1))])
def test_the_carrier_says_how_long(asked: float, rest: timedelta) -> None:
    """The rest the carrier asks for is kept to the second, but for one so long that somebody must look."""
    s = due()
    send(s, Carrier(s.clock, NotSent(20429, retry_after=asked)))

    assert rests(s) == rest


def test_asked_for_no_rest() -> None:
    """A carrier that takes nothing and asks for no rest is given one all the same: else it would be asked each second."""
    s = due()
    carrier = Carrier(s.clock, *[NotSent(20429, retry_after=0)] * 100)
    for _ in range(60):
        send(s, carrier)
        s.clock.advance(timedelta(seconds=1))

    assert len(carrier.asked) < 30  # one in 2 s would be so many; with rests that grow to a minute it is about eight


def test_a_minute_of_too_many() -> None:
    """While the carrier takes nothing for a minute, it is asked a tenth as often and less; then the nearest expiry goes first."""
    s = due(*crowd(8))
    carrier = Carrier(s.clock, *[BUSY] * 1_000)
    for _ in range(60):
        send(s, carrier)
        s.clock.advance(timedelta(seconds=1))
    in_trouble, carrier.answers = len(carrier.asked), []
    for _ in range(70):
        send(s, carrier)
        s.clock.advance(timedelta(seconds=1))

    assert (in_trouble <= 60 * 8 / 10, {row["state"] for row in s.rows("text_out")}) == (True, {"accepted"})


def test_a_clock_set_back_ends_the_rest() -> None:
    """A rest that would last for hours comes of a clock that was set back: nobody waits for it."""
    s = due()
    carrier = Carrier(s.clock, NO_ACCOUNT)
    s.clock.advance(timedelta(minutes=50))
    send(s, carrier)
    s.clock.jump(s.now - timedelta(hours=2))
    with writing(s.engine) as c:
        c.execute(update(metadata.tables["text_out"]).values(send_at=s.now))

    assert (send(s, carrier), text(s)["state"]) == (1, "accepted")


@pytest.mark.parametrize("code", [20003, 30002, 63038])
def test_account_trouble_opens_the_breaker(code: int) -> None:
    """While the account is refused, one text a minute is tried, the others wait, and whoever runs this is told once."""
    s = due(*crowd(60))
    carrier = Carrier(s.clock, *[Refused(code, FailureClass.ACCOUNT)] * 100)
    send(s, carrier)
    for _ in range(10 * 60):
        s.clock.advance(timedelta(seconds=1))
        send(s, carrier)

    assert len(carrier.asked) == 11
    assert [(row["name"], row["ended_at"], s.now - row["began_at"]) for row in s.rows("trouble")] == [
        ("account", None, timedelta(minutes=10))
    ]
    assert {row["state"] for row in s.rows("text_out")} == {"queued"}


def test_the_account_in_order_again() -> None:
    """The trouble is over when the carrier has taken texts for five minutes, and not at the first of them."""
    s = due(*crowd(2))
    carrier = Carrier(s.clock, NO_ACCOUNT)
    send(s, carrier)
    ends = []
    for minutes in (1, 3, 5):
        s.clock.advance(timedelta(minutes=minutes))
        for number, _ in enumerate(range(2)):
            says(s, "help", f"+120255501{10 + number}")
        send(s, carrier)
        ends.append(s.rows("trouble")[0]["ended_at"])

    assert ends == [None, None, s.now]


def test_the_account_is_in_trouble_later() -> None:
    """A text that was taken and then refused for the account's sake is the account's trouble too."""
    s = due()
    carrier = Carrier(s.clock)
    send(s, carrier)
    receipt(s, carrier, "undelivered", 30034)

    assert ([row["name"] for row in s.rows("trouble")], dose(s)) == (["account"], "not_reminded (carrier 30034)")


def each_second(s: Stage, carrier: Carrier, span: timedelta, *, status: str, code: int | None = None) -> None:
    """Send for a while, and let each text have its receipt before the next second."""
    for _ in range(int(span.total_seconds())):
        before = len(carrier.asked)
        send(s, carrier)
        for number, asked in enumerate(carrier.asked[before:], before + 1):
            delivering.receive_status(s.engine, sid=f"SM{number}", status=status, tag=asked.tag, error_code=code, now=s.now)
        s.clock.advance(timedelta(seconds=1))


@pytest.mark.parametrize("code", [30001, 30002, 30023, 30034])
def test_what_is_lost_later_for_the_accounts_sake_opens_the_breaker(code: int) -> None:
    """While texts are taken and then lost for the account's sake, one a minute is tried and the others wait; one that arrives ends it."""
    s = due(*crowd(15))
    carrier, texts, first = Carrier(s.clock), metadata.tables["text_out"], text(s)
    with writing(s.engine) as c:
        c.execute(update(texts).where(texts.c.id != first["id"]).values(send_at=s.now + MINUTE))
    each_second(s, carrier, 5 * MINUTE + timedelta(seconds=1), status="undelivered", code=code)
    in_trouble = len(carrier.asked)
    each_second(s, carrier, 3 * MINUTE, status="delivered")

    assert (in_trouble, len(carrier.asked)) == (6, 15)
    assert Counter(row["state"] for row in s.rows("dose")) == {"not_reminded": 6, "open": 9}


def test_a_loss_that_is_told_while_others_are_on_their_way() -> None:
    """That the carrier takes what was on its way ends no rest that began meanwhile."""
    s = due(*crowd(3))

    async def lose_the_first(_: Outgoing) -> None:
        if len(carrier.asked) == 3:
            delivering.receive_status(s.engine, sid="SM1", status="failed", tag=carrier.asked[0].tag, error_code=30034, now=s.now)

    carrier = Carrier(s.clock, before=lose_the_first)
    send(s, carrier)

    assert (len(carrier.asked), rests(s)) == (3, MINUTE)


def test_lost_later_and_then_nothing_more_is_told() -> None:
    """Where no receipt says how the texts since have fared, all leave again once five minutes have brought no loss."""
    s = due(*crowd(3))
    carrier = Carrier(s.clock)
    send(s, carrier)
    receipt(s, carrier, "undelivered", 30034, sid="SM3")
    asked = []
    for minutes in (1, 1, 1, 2):
        s.clock.advance(timedelta(minutes=minutes))
        for number in range(2):
            says(s, "help", f"+120255501{10 + number}")
        send(s, carrier)
        asked.append(len(carrier.asked))
    send(s, carrier)

    assert (asked, len(carrier.asked), s.rows("trouble")[0]["ended_at"]) == ([4, 5, 6, 7], 3 + 8, s.now)


def test_more_than_the_carrier_lets_through() -> None:
    """A reminder lost because too many left at once is tried once more a minute later; the sender rests meanwhile, and nobody is called."""
    s = due(*crowd(2))
    carrier = Carrier(s.clock)
    send(s, carrier)
    receipt(s, carrier, "undelivered", 30022, sid="SM2")
    (sender,) = s.rows("sender")
    lost = Counter(row["state"] for row in s.rows("dose"))
    s.clock.advance(timedelta(seconds=59))
    early = send(s, carrier)
    s.clock.advance(timedelta(seconds=1))
    send(s, carrier)

    assert (sender["refusals"], s.now - sender["rests_until"] >= timedelta(seconds=59), lost) == (1, True, {"open": 1, "not_reminded": 1})
    assert (early, carrier.asked[2].body, Counter(row["state"] for row in s.rows("dose"))) == (0, carrier.asked[1].body, {"open": 2})
    assert (s.rows("trouble"), s.rows("alert")) == ([], [])


def test_more_than_the_carrier_lets_through_near_the_end() -> None:
    """A reminder that would come too late is not tried again."""
    s = due()
    carrier = Carrier(s.clock)
    send(s, carrier)
    s.clock.advance_to(at("03-02 08:59"))
    receipt(s, carrier, "undelivered", 30022)

    assert [row["kind"] for row in s.rows("text_out")] == ["reminder"]


def test_blocked_again_and_again() -> None:
    """One blocked text is told at the clinic; three in a quarter of an hour are an alarm, until as long after the last one texts arrive."""
    s = due(*crowd(5))
    carrier = Carrier(s.clock)
    send(s, carrier)
    alarms = []

    def told(number: int, status: str, code: int | None = None) -> None:
        tag = carrier.asked[number - 1].tag
        delivering.receive_status(s.engine, sid=f"SM{number}", status=status, tag=tag, error_code=code, now=s.now)
        alarms.append([row["name"] for row in s.rows("trouble") if row["ended_at"] is None])

    for number in (1, 2, 3):
        told(number, "undelivered", 30007)
    for number, minutes in ((4, 14), (5, 2)):
        s.clock.advance(timedelta(minutes=minutes))
        told(number, "delivered")

    assert alarms == [[], [], ["content"], ["content"], []]
    assert [(row["kind"], row["owner"]) for row in s.rows("alert")] == [("sender_refused", "operator")]


@pytest.mark.parametrize("code", [21617, 21618])
def test_refused_for_their_words_again_and_again(code: int) -> None:
    """Texts that the carrier refuses at once for their words are as many as those that are blocked later."""
    s = due(*crowd(4))
    carrier = Carrier(s.clock, *[Refused(code, FailureClass.CONTENT)] * 3)
    send(s, carrier)

    assert [(row["name"], row["words"][:29]) for row in s.rows("trouble")] == [("content", "3 texts were blocked or filte")]


def test_an_alarm_ends_where_nothing_is_ever_told_to_have_arrived() -> None:
    """Of some phones the carrier tells only that a text has left it: that ends the alarm as well, a quarter of an hour after it."""
    s = due(*crowd(5))
    carrier = Carrier(s.clock)
    send(s, carrier)

    def told(number: int, status: str, code: int | None = None) -> None:
        tag = carrier.asked[number - 1].tag
        delivering.receive_status(s.engine, sid=f"SM{number}", status=status, tag=tag, error_code=code, now=s.now)

    for number in (1, 2, 3):
        told(number, "undelivered", 30007)
    stands = []
    for number, minutes in ((4, 14), (5, 1)):
        s.clock.advance(timedelta(minutes=minutes))
        told(number, "sent")
        stands.append(s.rows("trouble")[0]["ended_at"] is None)

    assert stands == [True, False]


def test_what_waited_too_long_is_never_sent() -> None:
    """A reminder past its use is not sent, and nobody was reminded."""
    s = due()
    s.clock.advance_to(at("03-02 09:00"))
    carrier = Carrier(s.clock)
    send(s, carrier)

    assert (carrier.asked, text(s)["state"], dose(s)) == ([], "expired", "not_reminded (expired)")


def test_no_such_number() -> None:
    """A number that cannot be texted is used no more, and the clinic asked for another."""
    s = due()
    send(s, Carrier(s.clock, Refused(21211, FailureClass.RECIPIENT_PERMANENT)))
    s.run_until("03-02 14:00")

    assert (dose(s), dose(s, 2), s.texts()) == ("not_reminded (carrier 21211)", "not_reminded (unverified)", [])
    assert "number_unusable" in s.open_alerts()


def test_a_handset_unknown_once() -> None:
    """One "unknown handset" can be a mistake of the carrier's; two running are not."""
    s = due()
    carrier = Carrier(s.clock)
    send(s, carrier)
    receipt(s, carrier, "undelivered", 30005)
    once = s.open_alerts()
    s.clock.advance_to(at("03-02 14:00"))
    reminding.remind_due(s.engine, now=s.now)
    send(s, carrier)
    receipt(s, carrier, "undelivered", 30005, sid="SM2")

    assert ("number_unusable" in once, "number_unusable" in s.open_alerts()) == (False, True)


def test_the_carrier_says_opted_out() -> None:
    """An opt-out that only the carrier heard ends the texts, and the clinic is told."""
    s = due()
    send(s, Carrier(s.clock, Refused(21610, FailureClass.OPTED_OUT)))

    assert (dose(s), s.open_alerts()) == ("not_reminded (carrier 21610)", {"texts_stopped"})
    assert {row["given_by"] for row in s.rows("consent") if row["kind"] == "revoked"} == {"carrier"}


def test_our_last_word_refused() -> None:
    """When the carrier has confirmed STOP itself, it refuses our confirmation: nothing is told twice."""
    s = due()
    carrier = Carrier(s.clock, Accepted("SM1"), Refused(21610, FailureClass.OPTED_OUT))
    send(s, carrier)
    says(s, "STOP")
    send(s, carrier)

    assert [row["kind"] for row in s.rows("alert")] == ["texts_stopped"]
    assert [row["kind"] for row in s.rows("consent") if row["kind"] == "revoked"] == ["revoked"]


def test_one_resend() -> None:
    """A phone that was off is tried once more, a quarter of an hour later, with the same words, and not a third time."""
    s = due()
    carrier = Carrier(s.clock)
    send(s, carrier)
    receipt(s, carrier, "undelivered", 30003)
    s.clock.advance(timedelta(minutes=14, seconds=59))
    early = send(s, carrier)
    s.clock.advance(timedelta(seconds=1))
    send(s, carrier)
    receipt(s, carrier, "undelivered", 30003, sid="SM2")
    s.clock.advance(timedelta(minutes=20))

    assert (early, send(s, carrier), len(carrier.asked)) == (0, 0, 2)
    assert carrier.asked[0].body == carrier.asked[1].body
    assert dose(s) == "not_reminded (carrier 30003)"


def test_no_resend_past_its_use() -> None:
    """A reminder that failed with less than a quarter of an hour left is not tried again."""
    s = due()
    carrier = Carrier(s.clock)
    send(s, carrier)
    s.clock.advance(timedelta(minutes=45))
    receipt(s, carrier, "undelivered", 30003)

    assert [row["kind"] for row in s.rows("text_out")] == ["reminder"]


def test_no_resend_of_what_was_answered() -> None:
    """A dose answered for in the meantime is not reminded of again."""
    s = due()
    carrier = Carrier(s.clock)
    send(s, carrier)
    receipt(s, carrier, "undelivered", 30003)
    says(s, "1")
    s.clock.advance(timedelta(minutes=15))
    send(s, carrier)

    assert (text(s, "resend")["state"], dose(s)) == ("cancelled", "taken")


@pytest.mark.parametrize(
    ("fault", "state", "after"),
    [
        (CarrierFault(), "accepted", "open"),
        (CarrierFault("sent"), "accepted", "open"),
        (CarrierFault("queued"), "accepted", "open"),
        (CarrierFault("undelivered", 30003), "accepted", "not_reminded (carrier 30003)"),
        (CarrierFault("failed", 30007), "accepted", "not_reminded (carrier 30007)"),
        (CarrierFault("undelivered", 30036), "accepted", "not_reminded (carrier 30036)"),
        (CarrierFault("refused", 21610), "failed", "not_reminded (carrier 21610)"),
        (CarrierFault("refused", 30004), "failed", "not_reminded (carrier 30004)"),
        (CarrierFault("refused", 20429), "queued", "pending"),
        (CarrierFault("refused", 20003), "queued", "pending"),
        (CarrierFault("unknown"), "unknown", "pending"),
        (CarrierFault("lost"), "unknown", "pending"),
    ],
)
def test_each_fault_of_the_sandbox(fault: CarrierFault, state: str, after: str) -> None:
    """Each thing a carrier can do to a text has its own end."""
    s = due()
    s.transport.set_fault(ANA, fault)
    asyncio.run(delivering.deliver(s.engine, s.transport, clock=s.clock))
    for each in s.transport.take_receipts():
        delivering.receive_status(s.engine, sid=each.sid, status=each.status, tag=each.tag, error_code=each.error_code, now=s.now)

    assert (text(s)["state"], dose(s)) == (state, after)


# --- pace -------------------------------------------------------------------------------------------------------------


def at_pace(s: Stage, carrier: Carrier, seconds: int, *, segments: float = 1) -> list[int]:
    """How many texts leave in each of so many seconds under a contract."""
    left = []
    for _ in range(seconds):
        before = len(carrier.asked)
        asyncio.run(delivering.deliver(s.engine, carrier, clock=s.clock, pace=Pace(segments)))
        left.append(len(carrier.asked) - before)
        s.clock.advance(timedelta(seconds=1))
    return left


def test_a_herd_leaves_at_its_pace() -> None:
    """At ten segments a second, eight leave each second, and not one is lost on the way."""
    s = due(*crowd(60))
    left = at_pace(s, Carrier(s.clock), 8, segments=10)

    assert (left[0] <= 9, sum(left), max(left[1:]) <= 9) == (True, 60, True)


def test_alerts_pass_the_herd() -> None:
    """However many reminders wait, an emergency's answer leaves at once: a part of the pace is kept for it."""
    s = due(*crowd(60))
    carrier = Carrier(s.clock)
    at_pace(s, carrier, 3, segments=2)
    says(s, "I had a seizure", "+12025550169")
    before = len(carrier.asked)
    at_pace(s, carrier, 1, segments=2)

    assert "call 911 now" in carrier.asked[before].body


def test_two_senders_share_one_pace(engine: Engine) -> None:
    """The contract is the account's: two processes together send no faster than one."""
    s = due(*crowd(40), engine=engine)
    carriers = [Carrier(s.clock, *[Accepted(f"SM{number}-{n}") for n in range(40)]) for number in range(2)]
    work = [lambda carrier=carrier: asyncio.run(delivering.deliver(engine, carrier, clock=s.clock, pace=Pace(10))) for carrier in carriers]
    at_once(*work)

    assert sum(len(carrier.asked) for carrier in carriers) == 9


def test_the_nearest_expiry_goes_first() -> None:
    """Of texts in line, the one whose time ends first leaves first."""
    s = due(
        patient(plan(phase("5/5", times=("08:00", "10:00")), ref="slow-plan"), ref="slow", name="S", phone="+12025550120"),
        patient(plan(phase("5/5", times=("08:00", "20:00")), ref="long-plan"), ref="long", name="L", phone="+12025550121"),
    )
    carrier = Carrier(s.clock)
    at_pace(s, carrier, 1, segments=0.1)

    assert [asked.to for asked in carrier.asked] == ["+12025550120"]


def test_in_quarantine_nothing_leaves() -> None:
    """While nobody knows what was sent, nothing is; afterwards what is still of use is."""
    s = due()
    carrier = Carrier(s.clock)
    with writing(s.engine) as c:
        quarantine = quarantines.begin(c, why="A backup was restored.", since=s.now, now=s.now)
    held = send(s, carrier)
    with writing(s.engine) as c:
        quarantines.end(c, quarantine, by="Dr. Noor Haddad", now=s.now)

    assert (held, send(s, carrier), dose(s)) == (0, 1, "open")


# --- never again and again ----------------------------------------------------------------------------------------------


def test_a_list_that_never_shows_anything() -> None:
    """Three tries of one text may end in doubt and no more, whatever the carrier's list (does not) say."""
    s = due()
    carrier = Carrier(s.clock, *[Ambiguous("timeout")] * 20)
    for _ in range(12):
        send(s, carrier)
        recover(s, carrier, timedelta(seconds=106))
        recover(s, carrier, timedelta(seconds=31))

    assert (len(carrier.asked), text(s)["state"], dose(s)) == (3, "not_sent", "not_reminded (not sent)")


def test_a_sender_that_dies_again_and_again() -> None:
    """Deaths are no answers: a text whose sender died four times is still sent, for it is still of use."""
    s = due()
    carrier = Carrier(s.clock)
    for _ in range(4):
        with writing(s.engine) as c:
            claim(c, s.now)
        recover(s, carrier, timedelta(seconds=106))
        recover(s, carrier, timedelta(seconds=31))

    assert (send(s, carrier), text(s)["attempt"], dose(s)) == (1, 5, "open")


def test_two_machines_that_answer_each_other() -> None:
    """A phone that answers each text by itself is answered five times with the same words, and then no more; the clinic is told once."""
    s = due()
    carrier = Carrier(s.clock)
    send(s, carrier)
    for _ in range(30):
        s.clock.advance(timedelta(minutes=1))
        says(s, "I am driving right now, talk to you later")
        send(s, carrier)

    words = Counter(asked.body for asked in carrier.asked)
    assert (max(words.values()), sum(words.values()) <= 20, [row["kind"] for row in s.rows("alert")].count("texts_held")) == (5, True, 1)


def test_an_emergency_is_answered_again() -> None:
    """Who writes of an emergency ten times is answered ten times."""
    s = due()
    carrier = Carrier(s.clock)
    for _ in range(10):
        s.clock.advance(timedelta(minutes=1))
        says(s, "I had a seizure")
        send(s, carrier)

    assert sum("call 911 now" in asked.body for asked in carrier.asked) == 10


def test_a_correction_announces_nothing() -> None:
    """A dose whose reminder never left is not open because its correction did: nobody was reminded."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("500"))
    send(s, carrier)
    acts(s, "suspend")
    send(s, carrier)
    after_correction = dose(s)
    recover(s, carrier, timedelta(minutes=61))
    recover(s, carrier, MINUTE)

    assert (text(s, "correction")["state"], text(s)["state"], after_correction) == ("accepted", "not_sent", "pending")
    assert dose(s).startswith("not_reminded")


def test_redacted_lists_prove_nothing() -> None:
    """Where the carrier's list shows no words, what no receipt proves within ten minutes is not sent again."""
    s = due()
    carrier = Carrier(s.clock, Ambiguous("timeout"))
    send(s, carrier)
    carrier.has("SM-other", "")
    blind = Patience(bodies_listed=False)
    looked = []
    look(s, carrier, patience=blind)
    for minutes in (5, 6):
        s.clock.advance(timedelta(minutes=minutes))
        looked.append(look(s, carrier, patience=blind))

    assert (looked, len(carrier.asked), text(s)["state"], dose(s)) == ([0, 1], 1, "not_sent", "not_reminded (unproven)")


# --- the last look --------------------------------------------------------------------------------------------------


def look_after(s: Stage, act: Callable[[], object]) -> list[str]:
    """Claim what is due, let something happen, look once more: the bodies that would be sent."""
    with writing(s.engine) as c:
        claimed = claim(c, s.now)
    act()
    with writing(s.engine) as c:
        return [row["body"] for row in last_look.still_right(c, claimed, now=s.now)]


def acts(s: Stage, action: str) -> None:
    """Dr. Haddad acts, with nothing else running."""
    act = StaffAct(s.now, StaffAction(action), "ana-baclofen", reason="kidney", by="Dr. Noor Haddad", phase=None, zone=None, alert=None)
    prescribing.act(s.engine, act, now=s.now)


@pytest.mark.parametrize(
    ("act", "after"),
    [
        (lambda s: says(s, "STOP"), "not_reminded (opted_out)"),
        (lambda s: says(s, "1"), "taken"),
        (lambda s: says(s, "2 skipped it"), "open"),
        (lambda s: acts(s, "mute"), "not_reminded (muted)"),
        (lambda s: acts(s, "suspend"), None),
        (lambda s: acts(s, "stop"), None),
    ],
    ids=["stop texts", "taken", "not taken", "mute", "suspend", "stop"],
)
def test_what_happens_between_claim_and_request(act: Callable[[Stage], None], after: str | None) -> None:
    """STOP, an answer, a mute, a suspension or a stop after the claim: the reminder is not sent."""
    s = due()

    assert look_after(s, lambda: act(s)) == []
    assert (text(s)["state"], after is None or dose(s) == after) == ("cancelled", True)


def test_a_reminder_decided_again() -> None:
    """Told of a dose taken just now, a reminder already written says "not before"."""
    s = due()
    send(s, Carrier(s.clock))
    s.clock.advance_to(at("03-02 14:00"))
    reminding.remind_due(s.engine, now=s.now)
    s.clock.advance(MINUTE / 2)

    (body,) = look_after(s, lambda: says(s, "took my 8am just now"))

    assert "not before Mon 4:01 pm" in body


def test_a_reminder_that_must_wait_for_a_person() -> None:
    """Told of two taken, a reminder already written asks to call first."""
    s = due()
    send(s, Carrier(s.clock))
    s.clock.advance_to(at("03-02 14:00"))
    reminding.remind_due(s.engine, now=s.now)

    (body,) = look_after(s, lambda: says(s, "I took two this morning"))

    assert body.startswith("Harbor Clinic: before you take your Mon 2:00 pm dose, please call 202 555 0100.")


def test_advice_decided_again() -> None:
    """Advice to take it by noon, written at ten to and not sent before half past, becomes "leave it out"."""
    s = due()
    carrier = Carrier(s.clock, Accepted("SM1"), BUSY)
    send(s, carrier)
    s.clock.advance_to(at("03-02 11:50"))
    says(s, "2")
    assert text(s, "advice")["template"] == "take_now"
    s.clock.advance_to(at("03-02 12:30"))
    send(s, carrier)
    s.clock.advance_to(at("03-02 12:31"))
    send(s, carrier)

    assert (carrier.asked[-1].body.split(": ", 1)[1][:33], dose(s)) == ("leave out the Mon 8:00 am dose: t", "skipped (advised)")


def test_advice_of_a_plan_suspended_since() -> None:
    """No "take it" leaves for a plan that was suspended after it was written."""
    s = due()
    carrier = Carrier(s.clock)
    send(s, carrier)
    says(s, "2")
    acts(s, "suspend")
    send(s, carrier)

    assert not any("you can take" in asked.body for asked in carrier.asked)


def two_medicines(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Ana with two medicines at eight, in one text not yet sent."""
    other = shelve_another_medicine(monkeypatch)
    blue = plan(phase("5", times=["08:00"]), label="A, blue cap", ref="blue")
    return due(patient(blue, plan(phase("5", times=["08:00"]), label="B, red cap", ref="red", drug=other)))


def test_a_dose_leaves_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two doses in one text, one answered for leaves it, and its question."""
    s = two_medicines(monkeypatch)
    (body,) = look_after(s, lambda: says(s, "took A"))

    assert body.startswith("Harbor Clinic: Mon 8:00 am, B, red cap: 1 tablet of 5 mg.")
    assert [len(row["doses"].split(",")) for row in s.rows("question") if row["kind"] == "dose"] == [1]


@pytest.mark.parametrize("action", ["suspend", "mute", "stop"])
@pytest.mark.parametrize("apart", ["08:00", "08:07"])
def test_what_ends_for_one_medicine_leaves_the_other_its_text(monkeypatch: pytest.MonkeyPatch, apart: str, action: str) -> None:
    """Of two doses in a text still in line, the one whose plan is suspended, muted or stopped leaves it; the other is reminded of."""
    other = shelve_another_medicine(monkeypatch)
    blue = plan(phase("5", times=["08:00"]), label="A, blue cap")
    s = due(patient(blue, plan(phase("5", times=[apart]), label="B, red cap", ref="red", drug=other)))
    s.clock.advance_to(at("03-02 08:07"))
    reminding.remind_due(s.engine, now=s.now)
    s.clock.advance_to(at("03-02 08:10"))
    acts(s, action)
    carrier = Carrier(s.clock)
    send(s, carrier)
    send(s, carrier)

    said = [asked.body for asked in carrier.asked if "tablet" in asked.body]
    assert [(f"Mon {apart[1:]} am" in body, " A " in body) for body in said] == [(True, False)]
    (red,) = [row["id"] for row in s.rows("plan") if row["ref"] == "red"]
    assert [row["state"] for row in s.rows("dose") if row["plan_id"] == red] == ["open"]


def test_a_third_medicine_joins_after_the_first_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dose whose plan was stopped while its text waited holds up nothing: the text gathers the others, and leaves without it."""
    baclofen = drugs.load("baclofen-tablet")
    others = [replace(baclofen, key=f"{name}-tablet", name=name, aliases=(), ingredient=name) for name in ("second", "third")]
    monkeypatch.setattr(drugs, "_shelf", lambda: (baclofen, *others))
    blue = plan(phase("5", times=["08:00"]), label="A, blue cap")
    red = plan(phase("5", times=["08:05"]), label="B, red cap", ref="red", drug="second-tablet")
    green = plan(phase("5", times=["08:09"]), label="C, green cap", ref="green", drug="third-tablet")
    s = due(patient(blue, red, green))
    for minute in ("08:05", "08:06", "08:09"):
        s.clock.advance_to(at(f"03-02 {minute}"))
        acts(s, "stop") if minute == "08:06" else reminding.remind_due(s.engine, now=s.now)
    carrier = Carrier(s.clock)
    send(s, carrier)
    send(s, carrier)

    said = [asked.body.removeprefix("Harbor Clinic: ").partition(". Reply")[0] for asked in carrier.asked if "tablet" in asked.body]
    assert said == ["Mon 8:09 am: B 1 tablet of 5 mg; C 1 tablet of 5 mg"]


def test_a_dose_that_must_wait_travels_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two doses in one text, one that must not be taken yet gets a text of its own."""
    other = shelve_another_medicine(monkeypatch)
    blue = plan(phase("5/5", times=["08:00", "14:00"]), label="A, blue cap", ref="blue")
    s = due(patient(blue, plan(phase("5", times=["14:00"]), label="B, red cap", ref="red", drug=other)))
    carrier = Carrier(s.clock)
    send(s, carrier)
    s.clock.advance_to(at("03-02 14:00"))
    reminding.remind_due(s.engine, now=s.now)
    says(s, "took my 8am just now")
    send(s, carrier)
    send(s, carrier)

    bodies = sorted(asked.body.split(": ", 1)[1] for asked in carrier.asked[1:])
    assert [body[:26] for body in bodies] == ["Mon 2:00 pm dose, last was", "Mon 2:00 pm, B, red cap: 1"]


def test_no_nudge_about_what_was_answered() -> None:
    """An answer that comes as the nudge is about to leave stops it."""
    s = due()
    send(s, Carrier(s.clock))
    s.clock.advance_to(at("03-02 09:00"))
    following_up.follow_up(s.engine, now=s.now)

    assert (look_after(s, lambda: says(s, "2")), text(s, "nudge")["state"]) == ([], "cancelled")


def test_the_notice_of_a_step_that_a_newer_version_replaced() -> None:
    """A step announced by one version of a plan is not told once another version governs it."""
    s = Stage.on_paper(patient(plan(phase("5/5/5", 2), phase("10/10/10"), advance="as_prescribed")))
    _opened.append(s)
    s.answers("03-02 08:05", "03-02 14:05", "03-02 20:05", "03-03 08:05", "03-03 14:05")
    s.run_until("03-03 17:50")
    s.clock.advance_to(at("03-03 18:00"))
    following_up.follow_up(s.engine, now=s.now)
    moved = StaffAct(s.now, StaffAction.MOVE_ZONE, "ana-baclofen", reason="moved", by="Dr. Noor Haddad", zone="Europe/London")
    left = look_after(s, lambda: prescribing.act(s.engine, moved, now=s.now))
    notices = [(row["version_no"], row["state"]) for row in s.rows("text_out") if row["kind"] == "step"]

    assert ([body for body in left if "each dose is" in body], notices[0]) == ([], (1, "cancelled"))


def test_an_emergency_goes_first() -> None:
    """A hundred reminders do not stand before an emergency's answer."""
    s = due(*crowd(6))
    says(s, "I had a seizure", "+12025550110")
    carrier = Carrier(s.clock)
    asyncio.run(delivering.deliver(s.engine, carrier, clock=s.clock, limit=1))

    assert "call 911 now" in carrier.asked[0].body


# --- several senders ------------------------------------------------------------------------------------------------


def at_once(*works: Callable[[], object]) -> None:
    """Do several things at the same time."""
    gate = threading.Barrier(len(works))

    def go(work: Callable[[], object]) -> None:
        gate.wait()
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(go, work) for work in works]:
            done.result()


def test_several_senders_send_each_once(engine: Engine) -> None:
    """Three senders over one ledger: each text is sent by one of them."""
    s = due(*crowd(12), engine=engine)
    carriers = [Carrier(s.clock, *[Accepted(f"SM{number}-{n}") for n in range(12)]) for number in range(3)]
    work = [
        lambda carrier=carrier: [asyncio.run(delivering.deliver(engine, carrier, clock=s.clock, limit=3)) for _ in range(5)]
        for carrier in carriers
    ]
    at_once(*work)

    assert sorted(asked.to for carrier in carriers for asked in carrier.asked) == [f"+120255501{n:02}" for n in range(10, 22)]
    assert {row["state"] for row in s.rows("text_out")} == {"accepted"}


def test_a_reply_and_a_receipt_at_once(engine: Engine) -> None:
    """What a patient says and what the carrier proves, at the same moment, are both kept."""
    s = due(*crowd(6), engine=engine)
    carrier = Carrier(s.clock)
    send(s, carrier)

    def deliver_receipts() -> None:
        for number, asked in enumerate(carrier.asked, 1):
            delivering.receive_status(engine, sid=f"SM{number}", status="delivered", tag=asked.tag, error_code=None, now=s.now)

    def reply() -> None:
        for number, asked in enumerate(carrier.asked):
            replying.receive(engine, sid=f"IN{number}", from_phone=asked.to, to_phone="", body="1", received_at=s.now, now=s.now)

    at_once(deliver_receipts, reply)

    assert {row["state"] for row in s.rows("dose")} == {"taken"}
    assert sorted(row["kind"] for row in s.rows("dose_event")) == sorted(["fell_due", "text_accepted", "text_delivered", "said_taken"] * 6)


def test_stop_against_a_sender(engine: Engine) -> None:
    """STOP at the moment of a claim: a text is either sent before it or not at all, and never left between."""
    s = due(*crowd(6), engine=engine)
    carrier = Carrier(s.clock)

    def stop() -> None:
        for n in range(10, 16):
            phone = f"+120255501{n:02}"
            replying.receive(engine, sid=f"IN{n}", from_phone=phone, to_phone="", body="STOP", received_at=s.now, now=s.now)

    at_once(stop, lambda: [asyncio.run(delivering.deliver(engine, carrier, clock=s.clock, limit=2)) for _ in range(3)])
    for _ in range(4):
        send(s, carrier)

    states = {row["purpose"]: row["state"] for row in s.rows("text_out") if row["purpose"] == "opt_out"}
    sent = {row["state"] for row in s.rows("text_out") if row["purpose"] == "reminder"}
    assert (states, sent <= {"accepted", "cancelled"}) == ({"opt_out": "accepted"}, True)
    reached = {row["patient_id"] for row in s.rows("text_out") if row["purpose"] == "reminder" and row["state"] == "accepted"}
    assert {row["patient_id"] for row in s.rows("dose") if row["state"] == "open"} == reached
