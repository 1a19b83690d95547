from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from reminders.clock import HandClock, SystemClock
from reminders.messaging.transport import ListUnavailable, Outgoing, ReceivedText
from reminders.messaging.twilio import LIST_LAG, TRIAL_PREFIX, TwilioTransport
from reminders.settings import TwilioSettings
from tests.fake_twilio.faults import Answer, Answers, CutsBody, CutsJson, Hangs, Resets
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, SERVICE, TOKEN, FakeTwilio
from tests.messaging.wire import ANA, BEN, BODY, NOON, account, closed_port, sent, through

OTHER_NUMBER, OTHER_SERVICE = "+12025550109", "MG" + "f" * 32


@pytest.fixture
def clock() -> HandClock:
    """The clock of the stand-in, at noon."""
    return HandClock(NOON)


@pytest.fixture
def twilio(clock: HandClock) -> Iterator[FakeTwilio]:
    """A stand-in for Twilio on loopback."""
    with FakeTwilio(clock) as fake:
        yield fake


def everything(settings: TwilioSettings, since: datetime = NOON) -> list[str]:
    """Return the bodies of all that our sender sent."""
    return [text.body for text in through(settings, lambda transport: transport.sent(since=since))]


def heard(settings: TwilioSettings, since: datetime = NOON) -> list[str]:
    """Return the bodies of all that reached us."""
    return [text.body for text in through(settings, lambda transport: transport.received(since=since))]


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


LISTS: list[Callable[[TwilioTransport], Coroutine[Any, Any, object]]] = [
    lambda transport: transport.sent_to(ANA, since=NOON),
    lambda transport: transport.sent(since=NOON),
    lambda transport: transport.received(since=NOON),
]
each_list = pytest.mark.parametrize("read", LISTS, ids=["sent to", "sent", "received"])


@each_list
@pytest.mark.parametrize("token", ["wrong", TOKEN])
def test_a_list_that_cannot_be_read_is_no_proof(
    twilio: FakeTwilio, token: str, read: Callable[[TwilioTransport], Coroutine[Any, Any, object]]
) -> None:
    """Refused or unreachable, an unread list raises, and its words name neither a phone nor the account."""
    base = twilio.url if token == "wrong" else f"http://127.0.0.1:{closed_port()}"

    with pytest.raises(ListUnavailable) as caught:
        through(account(base, token=token), read)

    assert [secret for secret in (ANA[1:], OUR_NUMBER[1:], ACCOUNT) if secret in str(caught.value)] == []


@each_list
@pytest.mark.parametrize(
    "answer",
    [
        Answers(500, 20500),
        Answers(429, 20429),
        Answers(200, payload="[]"),
        Answers(200, payload='{"messages": ['),
        Answers(200, payload={"messages": [{"sid": "SM1", "to": ANA, "body": BODY, "status": "queued", "date_created": None}]}),
        Answers(200, payload={"messages": [{"sid": "SM1", "to": ANA, "body": BODY, "status": "queued", "date_created": "soon"}]}),
        CutsJson(),
        CutsBody(),
        CutsBody(resets=True),
        Resets(),
        Hangs(),
    ],
    ids=[
        "500",
        "429",
        "a list",
        "half a list",
        "no date",
        "a date that is none",
        "cut off",
        "body cut off",
        "reset in it",
        "reset",
        "hangs",
    ],
)
def test_a_list_that_is_no_list_is_no_proof(
    twilio: FakeTwilio, answer: Answer, read: Callable[[TwilioTransport], Coroutine[Any, Any, object]]
) -> None:
    """An answer that cannot be read as a whole list, or does not come in time, says nothing about any text."""
    twilio.list_answer = answer
    clock = SystemClock()
    started = clock.monotonic()

    with pytest.raises(ListUnavailable):
        through(account(twilio.url), read, seconds=0.3)

    assert clock.monotonic() - started < 3


def test_a_list_whose_later_page_fails_is_no_proof(clock: HandClock) -> None:
    """What the first pages show is not the list."""
    with FakeTwilio(clock, page_size=1) as twilio:
        settings = account(twilio.url)
        texts_to(ANA, ANA, settings=settings, clock=clock)
        twilio.later_pages_answer = Answers(500, 20500)

        with pytest.raises(ListUnavailable):
            everything(settings)


def test_all_that_our_sender_sent_is_listed_whoever_asked(twilio: FakeTwilio, clock: HandClock) -> None:
    """Texts to every phone, oldest first, also one that no process of ours remembers; nobody's answer is among them."""
    settings = account(twilio.url)
    texts_to(ANA, BEN, settings=settings, clock=clock)
    twilio.say(None, from_phone=ANA, body="1")
    sent(settings, Outgoing(BEN, "by another process", "t", 60))

    assert everything(settings) == ["text 0", "text 1", "by another process"]


def test_what_a_webhooks_answer_said_is_not_what_we_sent(twilio: FakeTwilio) -> None:
    """The answer to a stranger, and the carrier's own to STOP and HELP, were no request of ours: no row of the ledger explains them."""
    twilio.account.reply(ANA, "This number sends automatic texts.", from_phone=OUR_NUMBER)
    sent(account(twilio.url), Outgoing(ANA, "ours", "t", 60))

    assert everything(account(twilio.url)) == ["ours"]


def test_another_senders_texts_are_not_ours(twilio: FakeTwilio) -> None:
    """One account may have several senders; the list of ours is asked by our number."""
    sent(account(twilio.url, sender=OTHER_NUMBER))
    sent(account(twilio.url), Outgoing(ANA, "ours", "t", 60))

    assert everything(account(twilio.url)) == ["ours"]


def test_a_services_texts_are_found_among_all(twilio: FakeTwilio) -> None:
    """With a Messaging Service and no number the whole list is read, and what another service sent is left out."""
    sent(account(twilio.url, sender=None, service=OTHER_SERVICE))
    sent(account(twilio.url, sender=OTHER_NUMBER))
    sent(account(twilio.url, sender=None, service=SERVICE), Outgoing(ANA, "ours", "t", 60))

    assert everything(account(twilio.url, sender=None, service=SERVICE)) == ["ours"]


def test_a_text_that_reached_us_is_listed_as_it_came(twilio: FakeTwilio) -> None:
    """Who sent it, where, what, and when it reached the carrier: what a webhook that never came would have told."""
    twilio.say(None, from_phone=ANA, body="1 gracias", sid="SM9")

    found = through(account(twilio.url), lambda transport: transport.received(since=NOON))

    assert found == (ReceivedText("SM9", ANA, OUR_NUMBER, "1 gracias", NOON),)


def test_texts_that_reached_us_are_listed_oldest_first_since_an_instant(twilio: FakeTwilio, clock: HandClock) -> None:
    """The order is that of their coming; what came before the instant is not asked for."""
    for minute, body in enumerate(["0", "1", "2", "3"]):
        clock.advance_to(NOON + timedelta(minutes=minute))
        twilio.say(None, from_phone=ANA, body=body)

    assert heard(account(twilio.url), NOON + timedelta(minutes=1)) == ["1", "2", "3"]


def test_what_we_sent_did_not_reach_us(twilio: FakeTwilio) -> None:
    """A text of ours to our own number is not something that somebody said."""
    sent(account(twilio.url, sender=OTHER_NUMBER), Outgoing(OUR_NUMBER, "to ourselves", "t", 60))

    assert heard(account(twilio.url)) == []


def test_texts_to_another_number_are_not_ours(twilio: FakeTwilio) -> None:
    """Another number of the account hears for somebody else."""
    twilio.say(None, from_phone=ANA, body="to another", to_phone=OTHER_NUMBER)
    twilio.say(None, from_phone=ANA, body="to us")

    assert heard(account(twilio.url)) == ["to us"]


@pytest.mark.parametrize("sender", [None, OUR_NUMBER])
def test_a_service_hears_by_each_of_its_numbers(twilio: FakeTwilio, sender: str | None) -> None:
    """As the webhook does: what came to our service, or for want of a word on it, is ours; another service's is not."""
    for body, service in [("ours", SERVICE), ("another's", OTHER_SERVICE), ("nobody's", None)]:
        twilio.say(None, from_phone=ANA, body=body, to_phone=OTHER_NUMBER, service_sid=service)

    assert heard(account(twilio.url, sender=sender, service=SERVICE)) == ["ours", "nobody's"]


def test_a_part_of_a_second_hides_no_text(twilio: FakeTwilio, clock: HandClock) -> None:
    """The list gives whole seconds: a text of the same second as the instant is listed."""
    clock.advance(timedelta(milliseconds=900))
    twilio.say(None, from_phone=ANA, body="1")

    assert heard(account(twilio.url), NOON + timedelta(milliseconds=500)) == ["1"]


def test_what_no_ledger_can_hold_is_taken_out(twilio: FakeTwilio) -> None:
    """A text with a NUL or half a character must not stop every later poll."""
    twilio.say(None, from_phone=ANA, body="1\x00 \ud83d")

    assert heard(account(twilio.url)) == ["1 ?"]


def test_every_page_of_all_texts_is_read(clock: HandClock) -> None:
    """Both lists are read over their pages, and a text on two pages is one text."""
    with FakeTwilio(clock, page_size=2) as twilio:
        settings = account(twilio.url)
        texts_to(*[ANA, BEN] * 3, settings=settings, clock=clock)
        for number in range(5):
            twilio.say(None, from_phone=ANA, body=f"answer {number}")

        assert (everything(settings), heard(settings)) == ([f"text {n}" for n in range(6)], [f"answer {n}" for n in range(5)])


def test_the_largest_page_is_asked_for(twilio: FakeTwilio) -> None:
    """A day of a whole clinic is thousands of texts: a thousand at a time, asked by our number alone."""
    everything(account(twilio.url))
    heard(account(twilio.url))

    assert [urlencode(asked.query) for asked in twilio.asked] == [
        "From=%2B12025550100&PageSize=1000",
        "To=%2B12025550100&PageSize=1000",
    ]


def test_the_list_of_all_texts_is_read_a_day_past_the_instant(clock: HandClock) -> None:
    """The list's order is that of sending: a text made since may stand a day further back, and beyond that nothing is read."""
    with FakeTwilio(clock, page_size=1) as twilio:
        settings = account(twilio.url)
        for hours in (0, 10, 20, 40):
            clock.advance_to(NOON + timedelta(hours=hours))
            sent(settings, Outgoing(ANA, f"after {hours}", "t", 60))
        before = len(twilio.asked)

        found = everything(settings, NOON + timedelta(hours=40))

        assert (found, len(twilio.asked) - before) == (["after 40"], 3)  # the third is older by more than a day


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("made", [datetime(2026, 11, 25, 23, 59, 59, tzinfo=UTC), datetime(2026, 11, 26, 0, 0, tzinfo=UTC)])
def test_midnight_divides_nothing(made: datetime) -> None:
    """The list's own filter is a day; an instant on either side of midnight is compared as any other."""
    clock = HandClock(made)
    with FakeTwilio(clock) as twilio:
        sent(account(twilio.url))
        twilio.say(None, from_phone=ANA, body="1")
        found = [(len(everything(account(twilio.url), made + by)), len(heard(account(twilio.url), made + by))) for by in (-SECOND, SECOND)]

    assert found == [(1, 1), (0, 0)]


def test_a_new_text_may_not_be_listed_yet(twilio: FakeTwilio, clock: HandClock) -> None:
    """The list lags: within the lag we allow for, a text that is not there may be there all the same."""
    twilio.account.visible_after = LIST_LAG
    settings = account(twilio.url)
    sent(settings)
    twilio.say(None, from_phone=ANA, body="1")
    at_once = everything(settings), heard(settings)
    clock.advance(LIST_LAG)

    assert (at_once, everything(settings), heard(settings)) == (([], []), [BODY], ["1"])


def test_redacted_texts_are_listed_without_words(twilio: FakeTwilio) -> None:
    """With redaction on there is a text, and no body to compare."""
    twilio.account.redacted = True
    sent(account(twilio.url))
    twilio.say(None, from_phone=ANA, body="1")

    assert (everything(account(twilio.url)), heard(account(twilio.url))) == ([""], [""])
