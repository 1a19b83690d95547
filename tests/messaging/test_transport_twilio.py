from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from aiohttp import ClientConnectorDNSError, ClientConnectorError

from reminders.clock import HandClock, SystemClock
from reminders.messaging.failure_codes import CODES, class_of
from reminders.messaging.transport import Accepted, Ambiguous, FailureClass, NotSent, Outcome, Outgoing, Refused
from reminders.messaging.twilio import TwilioTransport, outcome_of
from tests.fake_twilio.faults import (
    ACCEPTED_THEN_RESET,
    CUT_BODY,
    CUT_JSON,
    RESET,
    RESET_IN_BODY,
    RESET_UNREAD,
    Answers,
    Fault,
    accepted_late,
    accepted_then,
    hangs,
    refused,
    refused_with,
    slow,
    too_many,
)
from tests.fake_twilio.server import ACCOUNT, SERVICE, TOKEN, FakeTwilio
from tests.messaging.wire import ANA, BODY, NOON, TEXT, account, closed_port, sent, through
from tests.scheduling.wall import until


@pytest.fixture
def clock() -> HandClock:
    """The clock of the stand-in, at noon."""
    return HandClock(NOON)


@pytest.fixture
def twilio(clock: HandClock) -> Iterator[FakeTwilio]:
    """A stand-in for Twilio on loopback."""
    with FakeTwilio(clock) as fake:
        yield fake


def test_an_accepted_text_has_an_id_and_its_first_state(twilio: FakeTwilio) -> None:
    """The first state comes with the answer: no receipt is ever sent for it."""
    assert sent(account(twilio.url)) == Accepted("SM" + "0" * 31 + "1", "queued")


def test_the_bytes_on_the_wire(twilio: FakeTwilio) -> None:
    """One POST of exactly these bytes: nothing of the patient but the phone and the words, and the tag in the callback address."""
    sent(account(twilio.url))

    [asked] = twilio.asked
    expected = (
        b"To=%2B12025550111&StatusCallback=https%3A%2F%2Fdoseline.example%2Fbase%2Fsms%2Fstatus%3Ftag%3Dtag-1&ValidityPeriod=3600"
        b"&From=%2B12025550100&Body=Wed+12%3A00+pm%3A+time+for+1+tablet.+Reply+1+taken%2C+2+not."
    )

    assert (asked.method, asked.path, asked.body) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", expected)


def test_the_request_says_what_it_is(twilio: FakeTwilio) -> None:
    """The body is a form, and the account proves itself."""
    sent(account(twilio.url))
    headers = twilio.asked[0].headers

    assert (headers["Content-Type"], headers["Authorization"][:6]) == ("application/x-www-form-urlencoded", "Basic ")


def test_letters_of_other_languages_arrive_whole(twilio: FakeTwilio) -> None:
    """What is not ASCII goes as UTF-8."""
    sent(account(twilio.url), Outgoing(ANA, "mié 8:00 – ¿la tomó? 1 sí", "t", 60))

    assert twilio.messages[0].body == "mié 8:00 – ¿la tomó? 1 sí"


def test_a_messaging_service_can_be_the_sender(twilio: FakeTwilio) -> None:
    """With a Messaging Service and no number, the service's SID goes in the number's place."""
    outcome = sent(account(twilio.url, sender=None, service=SERVICE))
    names = [name for name, _ in twilio.asked[0].form]

    assert (outcome, "From" in names, dict(twilio.asked[0].form)["MessagingServiceSid"]) == (
        Accepted("SM" + "0" * 31 + "1", "accepted"),
        False,
        SERVICE,
    )


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        pytest.param(refused(400, 21211), Refused(21211, FailureClass.RECIPIENT_PERMANENT), id="not a number"),
        pytest.param(refused(400, 21610), Refused(21610, FailureClass.OPTED_OUT), id="opted out"),
        pytest.param(refused(400, 21617), Refused(21617, FailureClass.CONTENT), id="too long"),
        pytest.param(refused(400, 99999), Refused(99999, FailureClass.UNKNOWN), id="a code nobody knows"),
        pytest.param(refused(400, 30022), NotSent(30022), id="a rate code"),
        pytest.param(refused(401, 20003), Refused(20003, FailureClass.ACCOUNT), id="token revoked"),
        pytest.param(refused(403, 99999), Refused(99999, FailureClass.ACCOUNT), id="forbidden for a reason nobody knows"),
        pytest.param(too_many(), NotSent(20429), id="too many"),
        pytest.param(too_many("7"), NotSent(20429, 7.0), id="too many, with a time"),
        pytest.param(too_many("3600", 63038), Refused(63038, FailureClass.ACCOUNT, 3600.0), id="the day's limit"),
        pytest.param(too_many("soon"), NotSent(20429), id="too many, with a time that is none"),
        pytest.param(accepted_then(500), Ambiguous("HTTP 500"), id="accepted, then 500"),
        pytest.param(accepted_then(503), Ambiguous("HTTP 503"), id="accepted, then 503"),
        pytest.param(refused(500, 21610), Ambiguous("HTTP 500"), id="500 with a code that would be sure"),
        pytest.param(refused(302), Ambiguous("HTTP 302"), id="a redirection"),
        pytest.param(CUT_JSON, Ambiguous("JSONDecodeError"), id="JSON cut off"),
        pytest.param(CUT_BODY, Ambiguous("ClientPayloadError"), id="body cut off"),
        pytest.param(RESET, Ambiguous("ClientOSError"), id="reset"),
        pytest.param(Fault(Answers(201, payload="{}"), accepts=True), Ambiguous("an answer without an id"), id="no id"),
        pytest.param(Fault(Answers(201, payload=""), accepts=True), Ambiguous("an answer without an id"), id="no body"),
        pytest.param(Fault(Answers(201, payload="[]"), accepts=True), Ambiguous("AttributeError"), id="a list"),
        pytest.param(Fault(Answers(404, payload="<html>no such page</html>")), Refused(404, FailureClass.UNKNOWN), id="not JSON"),
        pytest.param(
            Fault(Answers(400, payload={"code": "21610", "message": ""})), Refused(None, FailureClass.UNKNOWN), id="code in words"
        ),
        pytest.param(
            Fault(Answers(429, payload={"type": "about:blank", "title": "slow down", "status": 400, "code": 20429})),
            NotSent(20429),
            id="the newer shape of an error, whose own status is not the answer's",
        ),
    ],
)
def test_each_answer_has_one_meaning(twilio: FakeTwilio, fault: Fault, outcome: Outcome) -> None:
    """The HTTP status decides first, then the code; whatever is not certain is ambiguous."""
    twilio.fail_next(fault)

    assert sent(account(twilio.url)) == outcome


@pytest.mark.parametrize("code", [code for codes in CODES.values() for code in codes])
def test_each_code_of_the_table_has_its_meaning_on_the_wire(twilio: FakeTwilio, code: int) -> None:
    """A refusal with any code of the table, and the HTTP status that comes with it, is of the code's class."""
    twilio.fail_next(refused_with(code))
    kind = class_of(code)

    assert sent(account(twilio.url)) == (NotSent(code) if kind is FailureClass.NOT_SENT else Refused(code, kind))


@pytest.mark.parametrize(
    "fault", [RESET, RESET_UNREAD, ACCEPTED_THEN_RESET, RESET_IN_BODY], ids=["read", "unread", "accepted", "in the body"]
)
def test_a_reset_proves_nothing(twilio: FakeTwilio, fault: Fault) -> None:
    """Wherever a connection is reset, the same is known of the text: nothing."""
    twilio.fail_next(fault)
    outcome = sent(account(twilio.url))

    assert (type(outcome), len(twilio.messages)) == (Ambiguous, int(fault.accepts))


ELSEWHERE = Fault(Answers(307, headers=(("Location", "/2010-04-01/Accounts/other/Messages.json"),)))


@pytest.mark.parametrize(
    ("fault", "read"),
    [
        (accepted_then(500), 1),
        (accepted_then(503), 1),
        (CUT_JSON, 1),
        (CUT_BODY, 1),
        (RESET, 1),
        (RESET_UNREAD, 0),
        (RESET_IN_BODY, 1),
        (too_many(), 1),
        (ELSEWHERE, 1),
    ],
    ids=["500", "503", "json", "body", "reset", "unread", "reset in body", "429", "redirected"],
)
def test_nothing_is_ever_sent_twice(twilio: FakeTwilio, fault: Fault, read: int) -> None:
    """One call is one request, whatever comes back: a blind retry would be a second text."""
    twilio.fail_next(fault)
    sent(account(twilio.url))

    assert len(twilio.asked) == read


def test_nothing_is_sent_twice_over_a_connection_that_was_kept(twilio: FakeTwilio) -> None:
    """The HTTP client repeats what it takes for harmless when a kept connection turns out to be closed; a text is not."""

    async def three_calls(transport: TwilioTransport) -> list[type[Outcome]]:
        outcomes = [await transport.send(TEXT)]
        twilio.fail_next(RESET_UNREAD)
        return [type(outcome) for outcome in (*outcomes, await transport.send(TEXT), await transport.send(TEXT))]

    assert (through(account(twilio.url), three_calls, pool=1), len(twilio.asked)) == ([Accepted, Ambiguous, Accepted], 2)


@pytest.mark.parametrize("accepts", [True, False])
def test_an_answer_that_does_not_come_is_ambiguous(twilio: FakeTwilio, *, accepts: bool) -> None:
    """Time is up for each call by itself, which the SDK's own timeout would not see to, and proves nothing."""
    twilio.fail_next(hangs(accepts=accepts))
    clock = SystemClock()
    started = clock.monotonic()

    outcome = sent(account(twilio.url), seconds=0.2)

    assert (outcome, len(twilio.messages), clock.monotonic() - started < 2) == (Ambiguous("TimeoutError"), int(accepts), True)


def test_a_text_may_be_accepted_after_we_gave_up(twilio: FakeTwilio) -> None:
    """Giving up recalls no request: what is not there when time is up may come yet, which is why settling takes longer."""
    twilio.fail_next(accepted_late(0.5))

    outcome = sent(account(twilio.url), seconds=0.2)

    assert (outcome, twilio.messages) == (Ambiguous("TimeoutError"), ())
    until(lambda: len(twilio.messages) == 1)


def test_a_slow_answer_is_waited_for(twilio: FakeTwilio) -> None:
    """Until its time is up, a late answer is as good as a quick one."""
    twilio.fail_next(slow(0.2))

    assert isinstance(sent(account(twilio.url)), Accepted)


def test_calls_that_hang_hold_up_no_other(twilio: FakeTwilio) -> None:
    """With as many connections as calls, each has its own time: those that hang end together, and the others do not wait."""
    twilio.fail_next(*[hangs(accepts=True)] * 20)

    async def calls(transport: TwilioTransport) -> list[Outcome]:
        hung = [asyncio.create_task(transport.send(TEXT)) for _ in range(20)]
        await asyncio.to_thread(until, lambda: len(twilio.messages) == 20)
        quick = await asyncio.gather(*(transport.send(TEXT) for _ in range(20)))
        assert not any(task.done() for task in hung)
        return [*await asyncio.gather(*hung), *quick]

    outcomes = through(account(twilio.url), calls, seconds=3, pool=40)

    assert ([type(outcome) for outcome in outcomes], len(twilio.messages)) == ([Ambiguous] * 20 + [Accepted] * 20, 40)


def test_the_pool_is_as_large_as_it_was_asked_to_be(twilio: FakeTwilio) -> None:
    """More calls than the SDK's own hundred connections are on the wire at once."""
    twilio.fail_next(*[hangs(accepts=True)] * 120)

    async def calls(transport: TwilioTransport) -> None:
        tasks = [asyncio.create_task(transport.send(TEXT)) for _ in range(120)]
        await asyncio.to_thread(until, lambda: len(twilio.messages) == 120)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    through(account(twilio.url), calls, seconds=30, pool=120)


def test_a_refused_connection_sent_nothing() -> None:
    """Where nobody listens nothing was written, and trying again is safe."""
    assert sent(account(f"http://127.0.0.1:{closed_port()}")) == NotSent()


def test_a_connection_that_cannot_be_made_safe_sent_nothing(twilio: FakeTwilio) -> None:
    """Where TLS fails nothing was written."""
    assert sent(account(twilio.url.replace("http", "https"))) == NotSent()


def test_a_name_that_does_not_resolve_counts_as_no_connection() -> None:
    """The client's error for a name without an address is one of those that prove that nothing was written."""
    assert issubclass(ClientConnectorDNSError, ClientConnectorError)


def test_a_connection_that_is_not_made_in_time_sent_nothing(twilio: FakeTwilio) -> None:
    """A call that waits half its time for a free connection has written nothing."""
    twilio.fail_next(hangs())

    async def two_calls(transport: TwilioTransport) -> list[Outcome]:
        return await asyncio.gather(*(transport.send(TEXT) for _ in range(2)))

    assert through(account(twilio.url), two_calls, seconds=0.4, pool=1) == [Ambiguous("TimeoutError"), NotSent()]


def test_each_call_has_its_own_retry_after(twilio: FakeTwilio) -> None:
    """Calls that run side by side do not hear one another's time to rest."""
    twilio.fail_next(too_many("5"), too_many(), too_many("9"))

    async def three_calls(transport: TwilioTransport) -> list[Outcome]:
        return await asyncio.gather(*(transport.send(TEXT) for _ in range(3)))

    outcomes = through(account(twilio.url), three_calls)

    assert sorted(outcome.retry_after or 0 for outcome in outcomes if isinstance(outcome, NotSent)) == [0, 5, 9]


def test_a_date_to_retry_after_is_held_against_the_answers_own(twilio: FakeTwilio) -> None:
    """Retry-After may be a date; no clock of ours is needed to read it."""
    far = "Wed, 25 Nov 2099 12:00:00 GMT"
    twilio.fail_next(too_many(far))
    outcome = sent(account(twilio.url))

    assert isinstance(outcome, NotSent)
    assert (outcome.retry_after or 0) > timedelta(days=365).total_seconds()


def test_a_cancelled_call_is_cancelled(twilio: FakeTwilio) -> None:
    """Stopping the program is no outcome: the row keeps its lease, and is looked for afterwards."""
    twilio.fail_next(hangs(accepts=True))

    async def cancelled(transport: TwilioTransport) -> bool:
        task = asyncio.create_task(transport.send(TEXT))
        await asyncio.to_thread(twilio.hanging.wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert through(account(twilio.url), cancelled)


def test_a_transport_belongs_to_its_loop(twilio: FakeTwilio) -> None:
    """Used in a second event loop without being closed, it says so and sends nothing."""
    transport = TwilioTransport(account(twilio.url), public_url="https://doseline.example")
    first = asyncio.new_event_loop()
    first.run_until_complete(transport.send(TEXT))

    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(transport.send(TEXT))

    first.run_until_complete(transport.aclose())
    first.close()


def test_a_closed_transport_opens_again(twilio: FakeTwilio) -> None:
    """After closing, the next use opens new connections in its own event loop; closing twice is closing once."""
    transport = TwilioTransport(account(twilio.url), public_url="https://doseline.example")

    async def once() -> Outcome:
        outcome = await transport.send(TEXT)
        await transport.aclose()
        await transport.aclose()
        return outcome

    assert [type(asyncio.run(once())) for _ in range(2)] == [Accepted, Accepted]


def test_the_environment_turns_no_text_elsewhere(twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK reads an edge and a region from the environment on its own, and others a proxy; ours gives them none to read."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("TWILIO_EDGE", "nowhere")
    monkeypatch.setenv("TWILIO_REGION", "nowhere")

    assert isinstance(sent(account(twilio.url)), Accepted)


def test_nothing_of_a_text_is_logged(twilio: FakeTwilio, caplog: pytest.LogCaptureFixture) -> None:
    """With everything at DEBUG, no log line holds the phone, the words, the account or its token."""
    caplog.set_level(logging.DEBUG)
    twilio.fail_next(refused(400, 21211))
    sent(account(twilio.url))
    through(account(twilio.url), lambda transport: transport.sent_to(ANA, since=NOON))
    found = [secret for secret in (ANA[1:], "5550111", BODY, ACCOUNT, TOKEN) if secret in caplog.text]

    assert found == []


@pytest.mark.parametrize(("status", "outcome"), [(408, Ambiguous("HTTP 408")), (499, Refused(None, FailureClass.UNKNOWN))])
def test_a_status_without_a_code_is_judged_by_itself(status: int, outcome: Outcome) -> None:
    """A request that timed out at the server may have been read; another refusal is a refusal."""
    assert outcome_of(status, None) == outcome
