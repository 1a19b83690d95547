"""What no webhook brought is fetched, and nothing is called silence before it was."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from db.engine import reading, writing
from reminders.messaging.sandbox import CarrierFault, SandboxTransport
from reminders.messaging.transport import ReceivedText, SentText
from reminders.services import delivering, escalating, following_up, polling, rehearsing, reminding, replying
from reminders.services.records import troubles, watermarks
from reminders.services.records.watermarks import INBOUND, OUTBOUND, Mark
from tests.stage import ANA, Stage, at, patient

MINUTE = timedelta(minutes=1)
LAG = timedelta(seconds=60)


class Lagging(SandboxTransport):
    """The sandbox with lists that may lag a minute behind, as a carrier's may. It keeps what it was asked."""

    list_lag = LAG  # type: ignore[misc]  # a test's carrier is slower than the sandbox

    asked: list[tuple[str, datetime]]

    async def received(self, *, since: datetime) -> tuple[ReceivedText, ...]:
        """Note that the list was read, and read it."""
        self.asked = [*getattr(self, "asked", []), ("received", since)]
        return await super().received(since=since)

    async def sent(self, *, since: datetime) -> tuple[SentText, ...]:
        """Note that the list was read, and read it."""
        self.asked = [*getattr(self, "asked", []), ("sent", since)]
        return await super().sent(since=since)


class Clinic:
    """Ana and her brother, whose webhook does not work: what she writes stays in the carrier's list."""

    def __init__(self, engine: Engine) -> None:
        self.stage = Stage(engine, patient(told=True), start="03-02 07:00")
        self.engine, self.clock = engine, self.stage.clock
        self.carrier = Lagging(self.clock)

    def until(self, when: str, *, polls: bool = True) -> None:
        """Let time pass, with everything that runs whenever something is due, and a poll before it."""
        self.minute(polls=polls)
        while self.clock.now() < at(when):
            due = min(rehearsing.next_moments(self.engine).values(), default=at(when))
            self.clock.advance_to(min(max(due, self.clock.now() + MINUTE / 4), at(when)))
            self.minute(polls=polls)

    def minute(self, *, polls: bool = True) -> None:
        """Do what is done in a minute, on what the ledger knows."""
        now = self.clock.now()
        if polls:
            self.poll()
        reminding.remind_due(self.engine, now=now)
        following_up.follow_up(self.engine, now=now)
        escalating.escalate(self.engine, now=now)
        asyncio.run(delivering.deliver(self.engine, self.carrier, clock=self.clock))

    def poll(self, receive: polling.Receive = replying.receive, **more: Any) -> int:  # noqa: ANN401 - the options of a poll
        """Read the carrier's lists."""
        return asyncio.run(
            polling.poll(self.engine, self.carrier, receive=receive, receive_status=delivering.receive_status, now=self.clock.now(), **more)
        )

    def leave(self, text: str, sid: str = "SM1", *, ago: timedelta = timedelta(), phone: str = ANA) -> None:
        """Let somebody write what no webhook brings."""
        self.carrier.leave(ReceivedText(sid, phone, "", text, self.clock.now() - ago))

    def webhook(self, text: str, sid: str = "SM1", *, ago: timedelta = timedelta()) -> None:
        """Bring a text of Ana's by our webhook."""
        now = self.clock.now()
        replying.receive(self.engine, sid=sid, from_phone=ANA, to_phone="", body=text, received_at=now - ago, now=now)

    def dose(self, number: int = 1) -> tuple[str, bool]:
        """How one of the first day's doses stands, and whether it is unverified."""
        (found,) = [row for row in self.stage.rows("dose") if (row["slot_no"], f"{row['local_date']}") == (number, "2026-03-02")]
        return found["state"], found["unverified"]

    def troubles(self) -> list[str]:
        """The troubles that stand."""
        with reading(self.engine) as c:
            return [row["name"] for row in troubles.standing(c)]

    def mark(self, name: str = INBOUND) -> Mark:
        """How far a list has been read."""
        with reading(self.engine) as c:
            return watermarks.read(c, name, now=self.clock.now())

    def told(self) -> list[str]:
        """What Rui was sent."""
        return [row["template"] for row in self.stage.rows("text_out") if row["kind"] == "caregiver"]

    def asked_why(self) -> list[str]:
        """What Ana was asked of her silence."""
        return [row["template"] for row in self.stage.rows("text_out") if row["template"] in {"silence", "why_not_taken"}]


@pytest.fixture
def clinic(engine: Engine) -> Iterator[Clinic]:
    """The clinic, on each database in turn."""
    made = Clinic(engine)
    with made.stage:
        yield made


# --- fetching ---------------------------------------------------------------------------------------------------------


def test_an_answer_is_judged_at_the_time_it_was_given(clinic: Clinic) -> None:
    """A reply that no webhook brought counts as of when it reached the carrier, not of when we found it."""
    clinic.until("03-02 08:05")
    clinic.leave("1")
    clinic.until("03-02 13:30", polls=False)
    clinic.minute()

    (dose,) = clinic.stage.rows("dose")
    assert (dose["state"], dose["taken_at"], clinic.stage.rows("text_in")[0]["polled"]) == ("taken", at("03-02 08:05"), True)


def test_a_text_the_webhook_brought_is_not_taken_in_again(clinic: Clinic) -> None:
    """What we have is known by its id, however often the list shows it."""
    clinic.until("03-02 08:05")
    clinic.webhook("1")
    clinic.leave("1")

    assert (clinic.poll(), clinic.poll(), len(clinic.stage.rows("text_in"))) == (0, 0, 1)


def test_the_oldest_is_taken_in_first(clinic: Clinic) -> None:
    """Two answers count in the order in which they were given, whatever the order of the list."""
    clinic.until("03-02 08:10")
    clinic.leave("1", "SM2")
    clinic.leave("2", "SM1", ago=5 * MINUTE)
    clinic.poll()

    (dose,) = clinic.stage.rows("dose")
    assert (dose["state"], dose["taken_at"]) == ("taken", at("03-02 08:10"))


def test_each_poll_looks_hours_back(clinic: Clinic) -> None:
    """A new installation reads the last hours; the next poll from as long before the last."""
    clinic.poll()
    clinic.clock.advance(MINUTE)
    clinic.poll()

    assert clinic.carrier.asked == [("received", at("03-02 01:00")), ("received", at("03-02 00:59"))]


def test_a_clock_that_is_ahead_loses_no_answer(clinic: Clinic) -> None:
    """Our clock half an hour ahead of the carrier's, and the webhook down: what she answers lies far behind the mark, and is fetched."""
    ahead = timedelta(minutes=30)
    clinic.until("03-02 08:05")
    clinic.leave("1", ago=ahead)
    clinic.poll()

    assert [row["polled"] for row in clinic.stage.rows("text_in")] == [True]


def test_a_text_that_the_list_showed_late(clinic: Clinic) -> None:
    """A text that lay before the mark and was not yet listed is found by the next poll, which looks again from before."""
    clinic.until("03-02 08:10")
    clinic.leave("1", ago=4 * MINUTE)
    clinic.minute()

    assert clinic.dose() == ("taken", False)


def test_nothing_is_missed_while_polls_fail_from_the_start(clinic: Clinic) -> None:
    """Where the first good poll comes late, it looks back to an hour before the first that failed."""
    clinic.carrier.break_lists()
    clinic.until("03-02 08:05")
    clinic.leave("1")
    clinic.until("03-02 13:30")
    clinic.carrier.break_lists(broken=False)
    clinic.minute()

    assert clinic.dose() == ("taken", False)


def test_one_of_several_processes_polls(clinic: Clinic) -> None:
    """Whoever comes just after another's good poll reads nothing."""
    clinic.poll()
    clinic.clock.advance(timedelta(seconds=20))
    clinic.poll(spacing=timedelta(seconds=30))
    clinic.clock.advance(timedelta(seconds=20))
    clinic.poll(spacing=timedelta(seconds=30))

    assert [name for name, _ in clinic.carrier.asked] == ["received", "received"]


def test_a_process_that_stops(clinic: Clinic) -> None:
    """Asked to stop, it takes in no more, and claims to have heard nobody: the next one fetches them."""
    clinic.poll()
    clinic.until("03-02 08:05")
    heard = clinic.mark().at
    clinic.leave("1")
    clinic.clock.advance(MINUTE)
    clinic.poll(stopping=lambda: True)

    assert (clinic.dose(), clinic.mark().at) == (("open", False), heard)


def test_two_processes_poll_at_once(clinic: Clinic) -> None:
    """Both find the same texts, and both read them in; each is taken in once, and answered once."""
    clinic.until("03-02 08:05")
    for n in range(8):
        clinic.leave("help", f"SM{n}", ago=timedelta(seconds=n))
    together = Barrier(2)

    def receive(engine: Engine, **text: Any) -> object:  # noqa: ANN401 - handed on
        if text["sid"] == "SM7":
            together.wait(timeout=60)
        return replying.receive(engine, **text)

    with ThreadPoolExecutor(2) as pool:
        found = [future.result() for future in [pool.submit(clinic.poll, receive) for _ in range(2)]]

    answers = [row["cause"] for row in clinic.stage.rows("text_out") if row["kind"] == "help"]
    assert (found, len(clinic.stage.rows("text_in")), len(answers), len(set(answers))) == ([8, 8], 8, 8, 8)
    assert clinic.mark().at == clinic.clock.now() - LAG


# --- the watermark ----------------------------------------------------------------------------------------------------


def test_the_mark_is_the_start_less_the_lag(clinic: Clinic) -> None:
    """The list may lag: a good poll proves what was sent until so long before it began."""
    clinic.poll()

    assert clinic.mark() == Mark(clinic.clock.now() - LAG, None)


def test_the_mark_never_falls(clinic: Clinic) -> None:
    """Of two polls that overlap, the one that began first may end last."""
    now = clinic.clock.now()
    with writing(clinic.engine) as c:
        watermarks.advance(c, INBOUND, to=now - MINUTE, now=now)
        watermarks.advance(c, INBOUND, to=now - 2 * MINUTE, now=now)

    assert clinic.mark().at == now - MINUTE


def test_a_mark_from_a_wrong_clock(clinic: Clinic) -> None:
    """Where the clock was set back, what was heard is not known until the next poll, which sets the mark right."""
    now = clinic.clock.now()
    with writing(clinic.engine) as c:
        watermarks.advance(c, INBOUND, to=now + 2 * 60 * MINUTE, now=now + 2 * 60 * MINUTE)
    before = clinic.mark()
    clinic.poll()

    assert (before.at, clinic.mark().at) == (None, now - LAG)


def test_a_failed_poll_notes_since_when(clinic: Clinic) -> None:
    """Since when the list cannot be read stays as first noted, and the mark with it, until a poll goes well."""
    clinic.poll()
    clinic.carrier.break_lists()
    heard, began = clinic.mark().at, clinic.clock.now() + MINUTE
    for _ in range(3):
        clinic.clock.advance(MINUTE)
        clinic.poll()
    deaf = clinic.mark()
    clinic.carrier.break_lists(broken=False)
    clinic.poll()

    assert (deaf, clinic.mark()) == (Mark(heard, began), Mark(clinic.clock.now() - LAG, None))


def test_a_text_that_cannot_be_taken_in(clinic: Clinic) -> None:
    """Tried three times a poll, it holds the mark for five minutes; then it is kept for a person to read, and all are heard again."""
    tries: list[datetime] = []

    def receive(engine: Engine, *, sid: str, **text: Any) -> object:  # noqa: ANN401 - handed on
        if sid == "SM-poison":
            tries.append(clinic.clock.now())
            raise ValueError("no reading this")
        return replying.receive(engine, sid=sid, **text)

    clinic.until("03-02 08:05")
    heard = clinic.mark().at
    clinic.leave("?", "SM-poison")
    clinic.leave("1", "SM2")
    clinic.poll(receive)
    held = (clinic.mark().at, clinic.dose()[0], clinic.stage.open_alerts())
    clinic.clock.advance(5 * MINUTE)
    clinic.poll(receive)

    assert (held, clinic.mark().at, clinic.stage.open_alerts()) == ((heard, "taken", set()), clinic.clock.now() - LAG, {"unreadable"})
    assert tries == [clinic.clock.now() - 5 * MINUTE] * 3 + [clinic.clock.now()] * 3


def test_the_ledger_goes_away_in_a_poll(clinic: Clinic) -> None:
    """Where nothing can be written, no text is blamed for it and no mark is moved."""

    def receive(*_: object, **__: object) -> object:
        raise OperationalError("the ledger is away", None, ConnectionError())

    clinic.poll()
    before = clinic.mark()
    clinic.leave("1")
    clinic.clock.advance(MINUTE)

    with pytest.raises(OperationalError):
        clinic.poll(receive)

    assert clinic.mark() == before


# --- closing ----------------------------------------------------------------------------------------------------------


def test_a_dose_closes_when_the_poll_has_passed_its_time(clinic: Clinic) -> None:
    """Nobody answered by 14:00: known at 14:01, when the list has been read past it, and not before."""
    clinic.until("03-02 14:00")
    at_two = clinic.dose()
    clinic.until("03-02 14:01")

    assert (at_two, clinic.dose()) == (("open", False), ("unconfirmed", False))


def test_an_answer_fetched_before_the_close(clinic: Clinic) -> None:
    """An answer of 13:59 that no webhook brought is found before its dose closes."""
    clinic.until("03-02 13:59")
    clinic.leave("1")
    clinic.until("03-02 15:00")

    states = [row["state"] for row in clinic.stage.rows("dose_event")]
    assert (clinic.dose(), states.count("closed")) == (("taken", False), 0)


def test_a_dose_closes_at_the_bound_unverified(clinic: Clinic) -> None:
    """While the list cannot be read, a dose closes half an hour after its time, marked, and whoever runs this is told."""
    clinic.until("03-02 13:00")
    clinic.carrier.break_lists()
    clinic.until("03-02 14:29")
    before = clinic.dose()
    clinic.until("03-02 14:30")

    assert (before, clinic.dose(), clinic.troubles()) == (("open", False), ("unconfirmed", True), ["cannot_hear"])


def test_the_mark_goes_when_the_poll_comes_through(clinic: Clinic) -> None:
    """Once the list is read past its time, a dose closed unverified is known to be unconfirmed."""
    clinic.until("03-02 13:00")
    clinic.carrier.break_lists()
    clinic.until("03-02 15:00")
    clinic.carrier.break_lists(broken=False)
    clinic.minute()

    assert (clinic.dose(), clinic.troubles()) == (("unconfirmed", False), [])


def test_a_fetched_answer_amends(clinic: Clinic) -> None:
    """An answer that could not be fetched in time makes a taken dose of an unconfirmed one, as of when it was given."""
    clinic.until("03-02 13:00")
    clinic.carrier.break_lists()
    clinic.leave("1")
    clinic.until("03-02 15:00")
    clinic.carrier.break_lists(broken=False)
    clinic.minute()

    (dose, *_) = sorted(clinic.stage.rows("dose"), key=lambda row: row["due_at"])
    assert (dose["state"], dose["taken_by"], dose["unverified"]) == ("taken", at("03-02 13:00"), False)


def test_a_ledger_that_was_never_polled(clinic: Clinic) -> None:
    """Where nobody polls, nothing is known: silence waits for its bound, and two minutes more for somebody to begin."""
    clinic.until("03-02 12:31", polls=False)
    before = clinic.troubles()
    clinic.until("03-02 12:33", polls=False)
    deaf = clinic.troubles()
    clinic.until("03-02 14:29", polls=False)
    waiting = clinic.dose()
    clinic.until("03-02 14:30", polls=False)

    assert (before, deaf, waiting, clinic.dose()) == ([], ["cannot_hear"], ("open", False), ("unconfirmed", True))


def test_the_poll_has_the_first_turn_after_an_outage_of_ours(clinic: Clinic) -> None:
    """Down from noon to six, we come back and find doses long past their bound: nothing is given up before the list was read."""
    clinic.until("03-02 12:00")
    clinic.leave("1")
    clinic.clock.advance_to(at("03-02 18:00"))
    clinic.minute(polls=False)
    before = (clinic.dose(), clinic.troubles())
    clinic.clock.advance(timedelta(seconds=5))
    clinic.minute()

    assert (before, clinic.dose(), clinic.troubles()) == ((("open", False), []), ("taken", False), [])


def test_a_poll_that_takes_long_is_no_poll_that_fails(clinic: Clinic) -> None:
    """After an outage hours of replies are taken in one by one: meanwhile nothing is given up, and the last of them is in time."""

    def receive(engine: Engine, **text: Any) -> object:  # noqa: ANN401 - handed on
        clinic.clock.advance(timedelta(seconds=2))
        if int(clinic.clock.now().timestamp()) % 30 < 2:
            following_up.follow_up(engine, now=clinic.clock.now())
        return replying.receive(engine, **text)

    clinic.until("03-02 13:00")
    for n in range(250):
        clinic.leave("hello", f"SM-{n:03}", phone="+12025550199")
    clinic.leave("1", "SM-last")
    clinic.clock.advance_to(at("03-02 18:00"))
    following_up.follow_up(clinic.engine, now=clinic.clock.now())
    clinic.poll(receive)

    kinds = {row["kind"] for row in clinic.stage.rows("dose_event")}
    assert (clinic.dose()[0], "closed" in kinds, clinic.troubles()) == ("taken", False, [])


def test_waiting_doses_are_looked_at_twice(clinic: Clinic) -> None:
    """A dose that waits to be heard is not looked at again and again: it waits for the poll, or for its bound."""
    clinic.until("03-02 13:00")
    clinic.carrier.break_lists()
    clinic.until("03-02 14:00")
    looks = 0
    for _ in range(29):
        clinic.clock.advance(MINUTE)
        clinic.poll()
        looks += following_up.follow_up(clinic.engine, now=clinic.clock.now())

    assert looks == 0


def test_what_is_said_in_the_wait_is_said_after_the_close(clinic: Clinic) -> None:
    """Not taken, said of a dose whose time is over but which still waits to be heard: missed, as if it had closed."""
    clinic.until("03-02 14:00")
    clinic.clock.advance(MINUTE / 2)
    clinic.webhook("did not take my 8am")

    assert clinic.dose() == ("missed", False)


def test_the_same_answer_twice_says_nothing_of_the_dose_before(clinic: Clinic) -> None:
    """Said twice of the dose just announced, "taken" is not said of the one before it, which still waits to be heard."""
    clinic.until("03-02 14:00")
    clinic.clock.advance(MINUTE / 2)
    clinic.webhook("taken", "SM1")
    clinic.webhook("taken", "SM2")

    assert (clinic.dose(1), clinic.dose(2)) == (("open", False), ("taken", False))


# --- counting ---------------------------------------------------------------------------------------------------------


def test_silence_counts_once_heard(clinic: Clinic) -> None:
    """Two silent doses: the second is silent from 18:00, is known to be at 18:01, and Rui is told then, not before."""
    clinic.until("03-02 18:00")
    before = clinic.told()
    clinic.until("03-02 18:01")

    assert (before, clinic.told()) == ([], ["caregiver_alert"])


def test_silence_counts_unverified_at_the_bound(clinic: Clinic) -> None:
    """Deaf since five, the dose silent from six counts at half past, for the provider; Rui is not told."""
    clinic.until("03-02 17:00")
    clinic.carrier.break_lists()
    clinic.until("03-03 13:00")
    words = [row["words"] for row in clinic.stage.rows("alert") if row["kind"] == "misses"]

    assert (words, clinic.told()) == (["3 doses running not taken, 3 of them unconfirmed Not verified: replies may be lost."], [])


def test_an_alert_that_is_verified_says_so_no_more(clinic: Clinic) -> None:
    """When the list is read again and nothing was said, the provider's alert stands, without the words of doubt."""
    clinic.until("03-02 17:00")
    clinic.carrier.break_lists()
    clinic.until("03-03 13:00")
    clinic.carrier.break_lists(broken=False)
    clinic.minute()
    (alert,) = [row for row in clinic.stage.rows("alert") if row["kind"] == "misses"]

    assert (alert["words"], alert["closed_at"]) == ("4 doses running not taken, 4 of them unconfirmed", None)


def test_the_patient_is_not_asked_while_nobody_could_hear_the_answer(clinic: Clinic) -> None:
    """Two silent doses bring a question to the patient; while their silence is unverified, it waits until it is known."""
    clinic.until("03-02 17:00")
    clinic.carrier.break_lists()
    clinic.until("03-02 19:00")
    deaf = clinic.asked_why()
    clinic.carrier.break_lists(broken=False)
    clinic.minute()

    assert (deaf, clinic.asked_why()) == ([], ["silence"])


def test_the_caregiver_is_told_once_the_run_is_known(clinic: Clinic) -> None:
    """When the list is read again and nothing was said, the run stands: now Rui is told."""
    clinic.until("03-02 17:00")
    clinic.carrier.break_lists()
    clinic.until("03-02 19:00")
    deaf = clinic.told()
    clinic.carrier.break_lists(broken=False)
    clinic.minute()

    assert (deaf, clinic.told()) == ([], ["caregiver_alert"])


def test_the_caregiver_is_not_told_of_a_run_that_was_answered(clinic: Clinic) -> None:
    """When the list is read again and an answer was in it, there is no run, and Rui hears nothing of it."""
    clinic.until("03-02 17:00")
    clinic.carrier.break_lists()
    clinic.leave("1")
    clinic.until("03-02 19:00")
    clinic.carrier.break_lists(broken=False)
    clinic.minute()

    assert (clinic.told(), clinic.dose(2)) == ([], ("taken", False))


# --- we cannot hear patients ------------------------------------------------------------------------------------------


def test_half_an_hour_without_a_good_poll(clinic: Clinic) -> None:
    """It is a trouble of the installation from half an hour after the last good poll on, and over with the next."""
    clinic.poll()
    clinic.carrier.break_lists()
    clinic.until("03-02 07:29")
    before = clinic.troubles()
    clinic.until("03-02 07:30")
    deaf = clinic.troubles()
    clinic.carrier.break_lists(broken=False)
    clinic.minute()

    assert (before, deaf, clinic.troubles()) == ([], ["cannot_hear"], [])


# --- receipts ---------------------------------------------------------------------------------------------------------


def test_the_end_of_a_text_is_fetched(clinic: Clinic) -> None:
    """A text that left five minutes ago and of which no receipt has told the end is asked after, once in five minutes."""
    clinic.until("03-02 08:02")
    clinic.carrier.take_receipts()  # no webhook brings them
    clinic.until("03-02 08:12")
    (text,) = [row for row in clinic.stage.rows("text_out") if row["kind"] == "reminder"]

    assert (text["status"], [since for name, since in clinic.carrier.asked if name == "sent"]) == ("delivered", [at("03-02 07:58")])


def test_which_question_an_answer_is_to(clinic: Clinic) -> None:
    """Where an answer was lost, so was the receipt of what it answers: that is fetched first, and the answer not asked about."""
    clinic.until("03-02 09:00")  # reminded, and nudged: the nudge's question is the last
    clinic.clock.advance(MINUTE)
    clinic.leave("1")
    clinic.poll()
    clinic.minute()

    assert (clinic.dose(), {row["rank"] for row in clinic.stage.rows("text_out")}) == (("taken", False), {4})


def test_without_such_texts_nothing_is_asked(clinic: Clinic) -> None:
    """Where every text has its end, the carrier's list of what we sent is not read."""
    clinic.until("03-02 07:30")

    assert {name for name, _ in clinic.carrier.asked} == {"received"}


def test_a_text_that_did_not_arrive(clinic: Clinic) -> None:
    """What the list says of a text counts as its receipt would have: it is sent once more, and the dose is not reminded."""
    clinic.carrier.set_fault(ANA, CarrierFault("undelivered", 30003))
    clinic.until("03-02 08:10")
    (dose,) = clinic.stage.rows("dose")

    assert (dose["state"], [row["kind"] for row in clinic.stage.rows("text_out")]) == ("not_reminded", ["reminder", "resend"])


def test_a_text_without_end_is_asked_after_for_four_hours(clinic: Clinic) -> None:
    """A carrier that never tells the end is asked every five minutes, and no more after four hours."""
    clinic.carrier.set_fault(ANA, CarrierFault("sent"))
    clinic.until("03-02 08:00")
    clinic.until("03-02 13:00")
    asked = [since for name, since in clinic.carrier.asked if name == "sent"]

    assert (len(asked) <= 60, clinic.mark(OUTBOUND).at is not None) == (True, True)


def test_the_lists_of_what_we_sent_fail(clinic: Clinic) -> None:
    """Nothing rests on it: it is asked again at the next poll."""
    clinic.until("03-02 08:02")
    clinic.carrier.break_lists()
    clinic.until("03-02 08:10")
    clinic.carrier.break_lists(broken=False)
    clinic.minute()
    (text,) = [row for row in clinic.stage.rows("text_out") if row["kind"] == "reminder"]

    assert text["status"] == "delivered"
