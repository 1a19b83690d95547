"""One text of the operator's own: what the carrier's list shows of it, and how often the carrier calls where it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.engine import reading, writing
from reminders.clock import SystemClock
from reminders.messaging.segments import segments
from reminders.messaging.transport import Ambiguous, FailureClass, NotSent, Refused, SentText
from reminders.messaging.twilio import TwilioTransport
from reminders.services import probing
from reminders.services.probing import Found, Measured, Waiting, Waits, measure, note_call, words_of
from reminders.services.records import evidence, probes
from tests.fake_twilio.faults import Answers, Fault, accepted_then, refused, too_many
from tests.fake_twilio.server import FakeTwilio
from tests.messaging.wire import account

MINE = "+12025550107"
NOW = SystemClock().now()
BRIEF = Waits(listed=1, called=1, quiet=0.2, every=0.02)
PATIENT = replace(BRIEF, listed=60)
"""For what comes: a busy machine may take its time with each look."""


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    """A stand-in for Twilio on loopback."""
    with FakeTwilio() as fake:
        yield fake


def measured(engine: Engine, twilio: FakeTwilio, tell: Callable[[str, float], object] = lambda *_: None, *, waits: Waits = BRIEF) -> Found:
    """Measure with the stand-in, which calls nobody."""
    waiting = Waiting(clock=SystemClock(), pause=asyncio.sleep, tell=tell, waits=waits)

    async def measuring() -> Found:
        transport = TwilioTransport(account(twilio.url), public_url="http://127.0.0.1:1", receipts="/sms/probe")
        try:
            return await measure(engine, transport, MINE, waiting)
        finally:
            await transport.aclose()

    return asyncio.run(measuring())


def test_the_text_says_what_it_is(sqlite_engine: Engine, twilio: FakeTwilio) -> None:
    """One segment to the operator's own phone, about nobody, whose receipts go to the address that refuses them."""
    measured(sqlite_engine, twilio)
    [message] = twilio.messages
    tag = (message.status_callback or "").partition("?tag=")[2]

    assert (message.to, message.body, message.status_callback) == (MINE, words_of(tag), f"http://127.0.0.1:1/sms/probe?tag={tag}")
    assert segments(message.body).parts == 1


def test_a_list_that_shows_all_at_once(engine: Engine, twilio: FakeTwilio) -> None:
    """The text is seen at the first look, in its words, at about our own time; nobody called."""
    found = measured(engine, twilio, waits=PATIENT)
    looks = [asked for asked in twilio.asked if asked.method == "GET"]

    assert isinstance(found, Measured)
    assert found.listed_after is not None
    assert found.apart is not None
    assert (len(looks), found.words_listed, abs(found.apart) < timedelta(seconds=2), found.calls) == (1, True, True, ())


def test_a_list_that_lags_is_measured(sqlite_engine: Engine, twilio: FakeTwilio) -> None:
    """How long it takes until the text is seen is said in seconds."""
    twilio.account.visible_after = timedelta(seconds=0.5)
    clock = SystemClock()
    began = clock.monotonic()
    found = measured(sqlite_engine, twilio, waits=PATIENT)
    took = clock.monotonic() - began

    assert isinstance(found, Measured)
    assert found.listed_after is not None
    assert 0.4 < found.listed_after < took


def test_a_list_that_never_shows_it(sqlite_engine: Engine, twilio: FakeTwilio) -> None:
    """It is given up after a time."""
    twilio.account.visible_after = timedelta(hours=1)

    assert measured(sqlite_engine, twilio) == Measured(None, None, None, ())


def test_a_list_that_cannot_be_read_is_asked_again(sqlite_engine: Engine, twilio: FakeTwilio) -> None:
    """A list that fails is not the end: what is counted is when it shows the text."""
    twilio.list_answer = Answers(500, None)

    assert measured(sqlite_engine, twilio) == Measured(None, None, None, ())


def test_a_list_without_words(sqlite_engine: Engine, twilio: FakeTwilio) -> None:
    """Under redaction the text is there, and its words are not."""
    twilio.account.redacted = True
    found = measured(sqlite_engine, twilio, waits=PATIENT)

    assert isinstance(found, Measured)
    assert found.words_listed is False


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (refused(400, 21211), Refused(21211, FailureClass.RECIPIENT_PERMANENT)),
        (refused(401, 20003), Refused(20003, FailureClass.ACCOUNT)),
        (too_many("7"), NotSent(20429, 7.0)),
        (accepted_then(500), Ambiguous("HTTP 500")),
    ],
)
def test_a_text_that_was_not_taken_measures_nothing(sqlite_engine: Engine, twilio: FakeTwilio, fault: Fault, expected: Found) -> None:
    """What the carrier said is handed back as it is."""
    twilio.fail_next(fault)

    assert measured(sqlite_engine, twilio) == expected


def test_what_it_waits_for_is_told(sqlite_engine: Engine, twilio: FakeTwilio) -> None:
    """Whoever asked sees for what, and for how long."""
    told: list[str] = []
    measured(sqlite_engine, twilio, lambda what, _: told.append(what))

    assert (told[0], told[-1]) == ("for the list", "for the carrier's calls")


def test_a_probe_is_no_text_that_the_ledger_lost(engine: Engine, twilio: FakeTwilio) -> None:
    """Its id is kept, so that a look at the carrier's list explains it; a text of whose id nothing is known is not explained."""
    measured(engine, twilio)
    mine = SentText(twilio.messages[0].sid, MINE, "", "delivered", NOW)
    other = replace(mine, sid="SMother")
    with reading(engine) as c:
        found = evidence.unexplained(c, [mine, other])

    assert found == [other]


def test_calls_are_counted_with_their_repeats(engine: Engine, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls with one token are one call and its repeats; a call about another turn of the text's way is another."""
    tags = iter(["mine"])
    monkeypatch.setattr(probing, "token_hex", lambda _: next(tags))
    calls = iter([("sent", "t1"), ("sent", "t1"), ("delivered", "t2")])

    def call(what: str, _: float) -> None:
        if what == "for the carrier's calls" and (one := next(calls, None)):
            note_call(engine, tag="mine", status=one[0], token=one[1], now=NOW)

    found = measured(engine, twilio, call)

    assert isinstance(found, Measured)
    assert found.calls == (2, 1)


def test_a_call_about_no_probe_is_not_kept(engine: Engine) -> None:
    """Nobody fills the ledger with calls about nothing."""
    assert note_call(engine, tag="nobody's", status="sent", token=None, now=NOW) is False


def test_no_more_than_a_hundred_calls_are_kept(engine: Engine) -> None:
    """A carrier that never tires is still refused, and no longer written down."""
    with writing(engine) as c:
        probes.begin(c, "mine", now=NOW)
    known = {note_call(engine, tag="mine", status="sent", token=None, now=NOW) for _ in range(probes.MOST + 5)}
    with reading(engine) as c:
        kept = len(probes.calls(c, "mine"))

    assert (known, kept) == ({True}, probes.MOST)
