from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest
from aiohttp import ClientConnectorDNSError, ClientConnectorError

from reminders.clock import HandClock
from reminders.messaging.transport import Accepted, Ambiguous, FailureClass, ListUnavailable, NotSent, Outcome, Outgoing, Refused
from reminders.messaging.twilio import TRIAL_PREFIX, TwilioTransport, outcome_of
from reminders.settings import Secret, TwilioSettings
from tests.fake_twilio.faults import CUT_BODY, CUT_JSON, RESET, Answers, Fault, accepted_then, hangs, refused, too_many
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, SERVICE, TOKEN, FakeTwilio

R = TypeVar("R")

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ANA, BEN = "+12025550111", "+12025550112"
BODY = "Wed 12:00 pm: time for 1 tablet. Reply 1 taken, 2 not."
TEXT = Outgoing(ANA, BODY, "tag-1", 3600, "text-1")


@pytest.fixture
def clock() -> HandClock:
    """The clock of the stand-in, at noon."""
    return HandClock(NOON)


@pytest.fixture
def twilio(clock: HandClock) -> Iterator[FakeTwilio]:
    """A stand-in for Twilio on loopback."""
    with FakeTwilio(clock) as fake:
        yield fake


def account(base_url: str, *, token: str = TOKEN, sender: str | None = OUR_NUMBER, service: str | None = None) -> TwilioSettings:
    """Return the settings of the stand-in's account."""
    return TwilioSettings(
        account_sid=ACCOUNT,
        auth_token=Secret(token),
        auth_token_previous=None,
        sender=sender,
        messaging_service_sid=service,
        api_base_url=base_url,
    )


def through(settings: TwilioSettings, use: Callable[[TwilioTransport], Coroutine[Any, Any, R]], *, seconds: float = 5, pool: int = 10) -> R:
    """Use a transport in an event loop of its own, and close it there."""

    async def used() -> R:
        transport = TwilioTransport(settings, public_url="https://doseline.example/base/", seconds=seconds, pool=pool)
        try:
            return await use(transport)
        finally:
            await transport.aclose()

    return asyncio.run(used())


def sent(settings: TwilioSettings, outgoing: Outgoing = TEXT, *, seconds: float = 5) -> Outcome:
    """Send one text."""
    return through(settings, lambda transport: transport.send(outgoing), seconds=seconds)


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


@pytest.mark.parametrize("fault", [accepted_then(500), CUT_JSON, CUT_BODY, RESET, too_many()], ids=["500", "json", "body", "reset", "429"])
def test_nothing_is_ever_sent_twice(twilio: FakeTwilio, fault: Fault) -> None:
    """One call is one request, whatever comes back: a blind retry would be a second text."""
    twilio.fail_next(fault)
    sent(account(twilio.url))

    assert len(twilio.asked) == 1


@pytest.mark.parametrize("accepts", [True, False])
def test_an_answer_that_does_not_come_is_ambiguous(twilio: FakeTwilio, *, accepts: bool) -> None:
    """Time is up for each call by itself, which the SDK's own timeout would not see to, and proves nothing."""
    twilio.fail_next(hangs(accepts=accepts))
    started = perf_counter()

    outcome = sent(account(twilio.url), seconds=0.2)

    assert (outcome, len(twilio.messages), perf_counter() - started < 2) == (Ambiguous("TimeoutError"), int(accepts), True)


def closed_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return int(closed.getsockname()[1])


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
    """The SDK reads an edge and a region from the environment on its own; ours gives it none to read."""
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


def texts_to(*phones: str, settings: TwilioSettings, clock: HandClock) -> None:
    """Send a text to each phone, a minute apart."""

    async def sending(transport: TwilioTransport) -> None:
        for number, phone in enumerate(phones):
            await transport.send(Outgoing(phone, f"text {number}", f"tag-{number}", 60))
            clock.advance(timedelta(minutes=1))

    through(settings, sending)


def test_the_list_is_of_one_phone_since_an_instant(twilio: FakeTwilio, clock: HandClock) -> None:
    """The list is asked by number, compared by instant, and given oldest first."""
    settings = account(twilio.url)
    texts_to(ANA, BEN, ANA, ANA, settings=settings, clock=clock)

    found = through(settings, lambda transport: transport.sent_to(ANA, since=NOON + timedelta(minutes=2)))

    assert [(text.body, text.to, text.status, text.created_at) for text in found] == [
        ("text 2", ANA, "queued", NOON + timedelta(minutes=2)),
        ("text 3", ANA, "queued", NOON + timedelta(minutes=3)),
    ]


def test_the_list_asks_by_number_alone(twilio: FakeTwilio) -> None:
    """No date goes into the question: the list filters by day of sending, which a queued text may not have."""
    through(account(twilio.url), lambda transport: transport.sent_to(ANA, since=NOON))

    assert [urlencode(asked.query) for asked in twilio.asked] == ["To=%2B12025550111&PageSize=200"]


def test_the_list_is_read_over_its_pages(clock: HandClock) -> None:
    """A list of several pages is read to its end."""
    with FakeTwilio(clock, page_size=2) as twilio:
        settings = account(twilio.url)
        texts_to(ANA, ANA, ANA, ANA, ANA, settings=settings, clock=clock)

        found = through(settings, lambda transport: transport.sent_to(ANA, since=NOON))

    assert [text.body for text in found] == ["text 0", "text 1", "text 2", "text 3", "text 4"]


def test_the_list_is_not_read_past_what_is_old(clock: HandClock) -> None:
    """A page that is all older, by a day, ends the reading: a plan of two years has thousands of texts."""
    with FakeTwilio(clock, page_size=2) as twilio:
        settings = account(twilio.url)
        texts_to(ANA, ANA, ANA, ANA, ANA, ANA, settings=settings, clock=clock)
        twilio_pages = len(twilio.asked)
        through(settings, lambda transport: transport.sent_to(ANA, since=NOON + timedelta(days=2)))

        assert len(twilio.asked) - twilio_pages == 1


def test_a_list_without_end_is_given_up(clock: HandClock) -> None:
    """More pages than any patient has prove nothing about a text."""
    with FakeTwilio(clock, page_size=1) as twilio:
        settings = account(twilio.url)
        texts_to(*[ANA] * 22, settings=settings, clock=clock)

        with pytest.raises(ListUnavailable, match="ValueError"):
            through(settings, lambda transport: transport.sent_to(ANA, since=NOON))


def test_a_trial_accounts_prefix_does_not_hide_a_text(twilio: FakeTwilio) -> None:
    """What a trial account puts before a body is taken off again before bodies are compared."""
    settings = account(twilio.url)
    sent(settings, Outgoing(ANA, TRIAL_PREFIX + BODY, "t", 60))
    found = through(settings, lambda transport: transport.sent_to(ANA, since=NOON))

    assert [text.body for text in found] == [BODY]


@pytest.mark.parametrize("token", ["wrong", TOKEN])
def test_a_list_that_cannot_be_read_is_no_proof(twilio: FakeTwilio, token: str) -> None:
    """Refused or unreachable, an unread list raises, and its words name neither the phone nor the account."""
    base = twilio.url if token == "wrong" else f"http://127.0.0.1:{closed_port()}"

    with pytest.raises(ListUnavailable) as caught:
        through(account(base, token=token), lambda transport: transport.sent_to(ANA, since=NOON))

    assert [secret for secret in (ANA[1:], ACCOUNT) if secret in str(caught.value)] == []


@pytest.mark.parametrize(
    "answer",
    [
        Answers(500, 20500),
        Answers(200, payload="[]"),
        Answers(200, payload='{"messages": ['),
        Answers(200, payload={"messages": [{"sid": "SM1", "to": ANA, "body": BODY, "status": "queued", "date_created": None}]}),
    ],
    ids=["500", "a list", "cut off", "no date"],
)
def test_a_list_that_is_no_list_is_no_proof(twilio: FakeTwilio, answer: Answers) -> None:
    """An answer that cannot be read as a whole list says nothing about any text."""
    twilio.list_answer = answer

    with pytest.raises(ListUnavailable):
        through(account(twilio.url), lambda transport: transport.sent_to(ANA, since=NOON))


@pytest.mark.parametrize(("status", "outcome"), [(408, Ambiguous("HTTP 408")), (499, Refused(None, FailureClass.UNKNOWN))])
def test_a_status_without_a_code_is_judged_by_itself(status: int, outcome: Outcome) -> None:
    """A request that timed out at the server may have been read; another refusal is a refusal."""
    assert outcome_of(status, None) == outcome
