from __future__ import annotations

import base64
import json
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from http.client import HTTPConnection, HTTPException
from itertools import pairwise
from threading import Event
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

import tests.fake_twilio.webhooks
from reminders.clock import HandClock, SystemClock
from tests.fake_twilio.callbacks import DELIVERED, SENT, SILENT, Fate, Sky, Weather, failed, undelivered
from tests.fake_twilio.courier import Courier
from tests.fake_twilio.faults import CUT_JSON, Fault, Mix, accepted_late, accepted_then, hangs, refused
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN, FakeTwilio
from tests.messaging.ear import Ear, an_ear
from tests.messaging.wire import ANA, BEN, NOON, closed_port
from tests.scheduling.wall import until

MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
LOGIN = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()


@pytest.fixture
def clock() -> HandClock:
    """The clock of the stand-in, at noon."""
    return HandClock(NOON)


@pytest.fixture
def twilio(clock: HandClock) -> Iterator[FakeTwilio]:
    """A stand-in for Twilio on loopback."""
    with FakeTwilio(clock) as fake:
        yield fake


@pytest.fixture
def ear() -> Iterator[Ear]:
    """Somebody who hears its callbacks."""
    with an_ear() as heard:
        yield heard


def asked(twilio: FakeTwilio, method: str, target: str, form: dict[str, str] | None = None, *, seconds: float = 5) -> tuple[int, Any]:
    """Ask the stand-in without any SDK; return the HTTP status and what the JSON says."""
    connection = HTTPConnection("127.0.0.1", urlsplit(twilio.url).port or 0, timeout=seconds)
    try:
        connection.request(method, target, urlencode(form or {}), {"Authorization": LOGIN})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def created(twilio: FakeTwilio, *, to: str = ANA, body: str = "a text", callback: str = "", **more: str) -> tuple[int, Any]:
    """Create a message."""
    form = {"To": to, "From": OUR_NUMBER, "Body": body} | more
    return asked(twilio, "POST", MESSAGES, form | ({"StatusCallback": callback} if callback else {}))


def listed(twilio: FakeTwilio, **query: str) -> list[str]:
    """Return the bodies on the first page of a list."""
    return [message["body"] for message in asked(twilio, "GET", f"{MESSAGES}?{urlencode(query)}")[1]["messages"]]


def test_what_is_accepted_at_once_by_many_is_counted_once_each(twilio: FakeTwilio) -> None:
    """The log is the truth: no message and no id is lost or doubled between threads."""
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: created(twilio, body=f"text {number % 200}")[1]["sid"], range(400)))

    assert (len(set(answers)), set(answers) == {message.sid for message in twilio.messages}) == (400, True)
    assert twilio.account.doubled() == {(ANA, f"text {number}"): 2 for number in range(200)}


def test_half_a_request_is_none(twilio: FakeTwilio) -> None:
    """A process killed while it wrote has asked for nothing."""
    with socket.create_connection(("127.0.0.1", urlsplit(twilio.url).port or 0)) as killed:
        killed.sendall(
            f"POST {MESSAGES} HTTP/1.1\r\nAuthorization: {LOGIN}\r\nContent-Length: 100\r\n\r\nTo=%2B1202&Body=1&From=1".encode()
        )
    created(twilio, body="whole")

    assert [message.body for message in twilio.messages] == ["whole"]


def test_who_is_killed_after_the_whole_request_has_asked(twilio: FakeTwilio) -> None:
    """A request that was written whole is accepted, whoever reads the answer."""
    form = urlencode({"To": ANA, "From": OUR_NUMBER, "Body": "whole"})
    with socket.create_connection(("127.0.0.1", urlsplit(twilio.url).port or 0)) as killed:
        killed.sendall(f"POST {MESSAGES} HTTP/1.1\r\nAuthorization: {LOGIN}\r\nContent-Length: {len(form)}\r\n\r\n{form}".encode())

    until(lambda: [message.body for message in twilio.messages] == ["whole"])


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [(accepted_then(500), 1), (CUT_JSON, 1), (hangs(accepts=True), 1), (accepted_late(0.1), 1), (hangs(), 0), (refused(400, 21211), 0)],
    ids=["500", "cut off", "hangs", "late", "hangs for nothing", "refused"],
)
def test_a_fault_accepts_or_not_as_it_says(twilio: FakeTwilio, fault: Fault, accepted: int) -> None:
    """What is answered and what is accepted are two things."""
    twilio.fail_next(fault)
    with suppress(OSError, HTTPException, ValueError):
        asked(twilio, "POST", MESSAGES, {"To": ANA, "From": OUR_NUMBER, "Body": "a text"}, seconds=0.3)

    until(lambda: len(twilio.messages) == accepted)


def test_what_was_to_be_accepted_late_is_not_after_the_end() -> None:
    """A closed stand-in accepts nothing more."""
    with FakeTwilio() as twilio, ThreadPoolExecutor(1) as pool:
        twilio.fail_next(accepted_late(60))
        waiting = pool.submit(created, twilio)
        until(lambda: twilio.asked)
        twilio.released.set()
        until(waiting.done)

    assert (twilio.messages, waiting.exception() is not None) == ((), True)


def test_a_mix_keeps_its_shares_and_its_seed() -> None:
    """The same seed draws the same faults, each about as often as its share says."""
    shares = {accepted_then(500): 0.05, hangs(accepts=True): 0.02}
    drawn = [[mix.draw() for _ in range(10_000)] for mix in (Mix(7, shares), Mix(7, shares), Mix(8, shares))]
    counts = Counter(drawn[0])

    assert (drawn[0] == drawn[1], drawn[0] == drawn[2]) == (True, False)
    assert (400 < counts[accepted_then(500)] < 600, 140 < counts[hangs(accepts=True)] < 260) == (True, True)


def test_a_mix_has_no_more_than_all() -> None:
    """Shares of more than all requests are a mistake."""
    with pytest.raises(ValueError, match="more than all"):
        Mix(1, {accepted_then(500): 0.9, CUT_JSON: 0.2})


def test_a_mix_meets_every_request_until_it_is_taken_away(twilio: FakeTwilio) -> None:
    """Inside the block requests meet the mix, and afterwards none."""
    with twilio.failing(Mix(1, {accepted_then(500): 1.0})):
        inside = [created(twilio)[0] for _ in range(3)]

    assert ([*inside, created(twilio)[0]], len(twilio.messages)) == ([500, 500, 500, 201], 4)


def test_latency_comes_before_each_answer(twilio: FakeTwilio) -> None:
    """A stand-in for a far-away service takes its time."""
    twilio.latency = 0.1
    clock = SystemClock()
    began = clock.monotonic()
    created(twilio)

    assert clock.monotonic() - began >= 0.1


def test_a_list_is_filtered_by_number(twilio: FakeTwilio) -> None:
    """To and From, and both directions in one list, newest first."""
    created(twilio, body="to Ana")
    created(twilio, body="to Ben", to=BEN)
    twilio.say(None, from_phone=ANA, body="from Ana")

    assert (listed(twilio), listed(twilio, To=ANA), listed(twilio, From=ANA), listed(twilio, From=OUR_NUMBER)) == (
        ["from Ana", "to Ben", "to Ana"],
        ["to Ana"],
        ["from Ana"],
        ["to Ben", "to Ana"],
    )


@pytest.mark.parametrize(
    ("query", "bodies"),
    [
        ({}, ["queued", "26", "25"]),
        ({"DateSent": "2026-11-25"}, ["25"]),
        ({"DateSent>": "2026-11-26"}, ["26"]),
        ({"DateSent>": "2026-11-25T23:59:59Z"}, ["26", "25"]),
        ({"DateSent<": "2026-11-25"}, ["25"]),
        ({"DateSent>": "2026-11-25", "DateSent<": "2026-11-26"}, ["26", "25"]),
        ({"DateSent>": "2026-11-27"}, []),
    ],
)
def test_a_list_is_filtered_by_day_of_sending_alone(twilio: FakeTwilio, clock: HandClock, query: dict[str, str], bodies: list[str]) -> None:
    """Both ends are inside, a time of day means nothing, and what was not sent yet has no day."""
    for body in ("25", "26"):
        sid = created(twilio, body=body)[1]["sid"]
        twilio.account.move(sid, "sent")
        clock.advance(timedelta(hours=12))
    created(twilio, body="queued")

    assert listed(twilio, **query) == bodies


@pytest.mark.parametrize(("query", "size"), [({}, 50), ({"PageSize": "1000"}, 1000), ({"PageSize": "5000"}, 1000)])
def test_a_page_has_a_size(twilio: FakeTwilio, query: dict[str, str], size: int) -> None:
    """Fifty unless asked, a thousand at most."""
    for number in range(1_001):
        twilio.account.accept({"To": ANA, "From": OUR_NUMBER, "Body": str(number)})

    assert len(listed(twilio, **query)) == size


def test_pages_stand_still_while_messages_come(twilio: FakeTwilio) -> None:
    """What comes between two pages moves nothing from one to the other, and filters hold on every page."""
    for number in range(5):
        created(twilio, body=str(number))
        created(twilio, body="to Ben", to=BEN)
    read: list[str] = []
    following = f"{MESSAGES}?{urlencode({'To': ANA, 'PageSize': 2})}"
    while following:
        page = asked(twilio, "GET", following)[1]
        read += [message["body"] for message in page["messages"]]
        following = page["next_page_uri"]
        created(twilio, body="new")

    assert read == ["4", "3", "2", "1", "0"]


def test_a_list_lags_by_the_clock(twilio: FakeTwilio, clock: HandClock) -> None:
    """A new message, of either direction, is missing for so long, and can be asked for by its id meanwhile."""
    twilio.account.visible_after = timedelta(seconds=60)
    sid = created(twilio)[1]["sid"]
    twilio.say(None, from_phone=ANA, body="1")
    clock.advance(timedelta(seconds=59))
    before = listed(twilio)
    clock.advance(timedelta(seconds=1))

    assert (before, listed(twilio), asked(twilio, "GET", MESSAGES.replace(".json", f"/{sid}.json"))[1]["body"]) == (
        [],
        ["1", "a text"],
        "a text",
    )


def test_a_message_that_is_not_there_is_not_found(twilio: FakeTwilio) -> None:
    """Asking for an id that no message has is Twilio's 20404."""
    status, answer = asked(twilio, "GET", MESSAGES.replace(".json", "/SM1.json"))

    assert (status, answer["code"]) == (404, 20404)


def test_redaction_keeps_bodies_from_the_list(twilio: FakeTwilio) -> None:
    """The list shows a message without its words; the truth has them."""
    twilio.account.redacted = True
    created(twilio)

    assert (listed(twilio), twilio.messages[0].body) == ([""], "a text")


@pytest.mark.parametrize(
    ("fate", "told"),
    [
        (DELIVERED, [("sent", None), ("delivered", None)]),
        (undelivered(30003), [("sent", None), ("undelivered", "30003")]),
        (failed(30006), [("failed", "30006")]),
        (SENT, [("sent", None)]),
        (SILENT, []),
    ],
)
def test_a_phone_has_a_fate(twilio: FakeTwilio, ear: Ear, fate: Fate, told: list[tuple[str, str | None]]) -> None:
    """What a carrier does with a phone's messages is told in signed callbacks, in turn, and shown by the list."""
    twilio.call_back()
    twilio.fates[ANA] = fate
    created(twilio, callback=f"{ear.url}/sms/status?tag=t1")
    twilio.rest()
    [shown] = twilio.messages

    assert (ear.statuses(), {(heard.target, heard.is_signed) for heard in ear.heard} <= {("/sms/status?tag=t1", True)}) == (told, True)
    assert (shown.status, shown.error_code) == (fate.statuses[-1] if fate.statuses else "queued", fate.error_code)


def test_a_callback_may_come_before_the_answer(twilio: FakeTwilio, ear: Ear) -> None:
    """In such weather the first callback has been heard when the create is answered."""
    twilio.call_back(Weather(early=1))
    twilio.fates[ANA] = SENT
    ear.on_hearing = lambda: seen.append(len(twilio.messages))
    seen: list[int] = []
    created(twilio, callback=ear.url)

    assert (ear.statuses(), seen) == ([("sent", None)], [1])


def test_what_was_accepted_is_told_of_though_the_answer_was_lost(twilio: FakeTwilio, ear: Ear) -> None:
    """A callback proves what a lost answer does not."""
    twilio.call_back()
    twilio.fail_next(accepted_then(500))
    created(twilio, callback=ear.url)
    twilio.rest()

    assert ear.statuses() == [("sent", None), ("delivered", None)]


def test_callbacks_wait_for_the_clock(twilio: FakeTwilio, ear: Ear, clock: HandClock) -> None:
    """A fate's seconds are those of the stand-in's clock."""
    twilio.call_back()
    twilio.fate = Fate(("sent", "delivered"), after=60)
    created(twilio, callback=ear.url)
    heard: list[int] = []
    for _ in range(3):
        twilio.rest()
        heard.append(len(ear.heard))
        clock.advance(timedelta(seconds=60))

    assert heard == [0, 1, 2]


@pytest.mark.parametrize(
    ("weather", "told"),
    [
        (Weather(repeated=1, delay=0), {"sent": 2, "delivered": 2}),
        (Weather(dropped=1), {}),
        (Weather(dropped=1, repeated=1, delay=0), {}),
        (Weather(reordered=1, delayed=1, delay=0), {"sent": 1, "delivered": 1}),
    ],
)
def test_weather_befalls_callbacks(twilio: FakeTwilio, ear: Ear, weather: Weather, told: dict[str, int]) -> None:
    """Repeated, dropped, reordered: the truth is the same in any weather."""
    twilio.call_back(weather)
    created(twilio, callback=ear.url)
    twilio.rest()

    assert (Counter(status for status, _ in ear.statuses()), twilio.messages[0].status) == (Counter(told), "delivered")


def test_the_weather_follows_from_its_seed() -> None:
    """The same seed tells the same messages in the same way; half of the reordered come out of order, and some come late."""
    weather = Weather(seed=3, reordered=1, repeated=0.2, dropped=0.05, delayed=0.5, early=0.1)
    told = [[sky.told(DELIVERED, waits=5) for _ in range(1_000)] for sky in (Sky(weather), Sky(weather))]
    firsts = Counter(one.chains[0][0].status for one in told[0])

    assert told[0] == told[1]
    assert (400 < firsts["delivered"] < 600, min(one.chains[0][0].after for one in told[0])) == (True, 5)


def test_a_later_word_is_never_taken_back(twilio: FakeTwilio) -> None:
    """The list's status is the furthest one, whichever was told last."""
    sid = created(twilio)[1]["sid"]
    for status in ("delivered", "sent", "undelivered"):
        twilio.account.move(sid, status, 30003 if status == "undelivered" else None)

    assert (twilio.messages[0].status, twilio.messages[0].error_code) == ("delivered", None)


@pytest.mark.parametrize(("settings", "tries"), [("", 2), ("#rc=4", 5), ("#rc=0", 1)])
def test_a_server_that_cannot_be_reached_is_tried_again(twilio: FakeTwilio, settings: str, tries: int) -> None:
    """Once by default, or as often as the address itself asks, under one idempotency token."""
    twilio.call_back()
    twilio.fates[ANA] = SENT
    created(twilio, callback=f"http://127.0.0.1:{closed_port()}/sms/status{settings}")
    twilio.rest()

    assert ([posted.answer for posted in twilio.poster.posted], len({posted.token for posted in twilio.poster.posted})) == ([0] * tries, 1)


@pytest.mark.parametrize(
    ("settings", "answers", "tries"),
    [("", [503], 1), ("#rp=5xx", [503], 2), ("#rp=4xx", [503], 1), ("#rp=all&rc=5", [503, 404, 0], 4), ("#rp=rt", [0], 2), ("", [0], 1)],
)
def test_an_answer_is_tried_again_where_the_policy_says_so(
    twilio: FakeTwilio, ear: Ear, settings: str, answers: list[int], tries: int
) -> None:
    """The default repeats failed connections only; every try of one request has one token, and every request its own."""
    ear.answers = answers
    sid = created(twilio, callback=f"{ear.url}/{settings}")[1]["sid"]
    twilio.report(sid, "sent")
    twilio.report(sid, "delivered")

    assert [heard.form["MessageStatus"] for heard in ear.heard] == ["sent"] * tries + ["delivered"]
    assert (len({heard.token for heard in ear.heard}), all(heard.is_signed for heard in ear.heard)) == (2, True)


def test_a_public_address_is_served_by_several() -> None:
    """Signed for the public address, posted to the servers behind it in turn; one that is down is passed over by the retry."""
    with FakeTwilio() as twilio, an_ear("https://doseline.example/base") as one, an_ear("https://doseline.example/base") as two:
        twilio.poster.serve("https://doseline.example/base", one.url, f"http://127.0.0.1:{closed_port()}", two.url)
        for _ in range(4):
            twilio.say("https://doseline.example/base/sms/inbound", from_phone=ANA, body="1")

    assert [[(heard.target, heard.is_signed) for heard in ear.heard] for ear in (one, two)] == [[("/sms/inbound", True)] * 2] * 2


def test_nothing_is_posted_beyond_this_machine(twilio: FakeTwilio) -> None:
    """A test's callback address may be anybody's: only loopback is ever asked."""
    with pytest.raises(ValueError, match="not on this machine"):
        twilio.say("https://doseline.example/sms/inbound", from_phone=ANA, body="1")


def test_a_server_that_started_anew_is_heard_on_a_new_connection(twilio: FakeTwilio, ear: Ear) -> None:
    """A connection that the other side closed is not a failure of the webhook."""
    ear.answers = [204, 0]
    for body in ("1", "2", "3"):
        twilio.say(ear.url, from_phone=ANA, body=body)

    assert [heard.form["Body"] for heard in ear.heard] == ["1", "2", "2", "3"]


def test_what_a_person_said_is_listed_though_nobody_heard_it(twilio: FakeTwilio) -> None:
    """The carrier has the text whether or not our webhook could be reached."""
    answers = [twilio.say(webhook, from_phone=ANA, body="1") for webhook in (f"http://127.0.0.1:{closed_port()}/sms/inbound", None)]

    assert (answers, listed(twilio, To=OUR_NUMBER)) == ([(0, b"")] * 2, ["1", "1"])


@pytest.mark.parametrize(("words", "status"), [(["STOP"], 400), (["stop "], 400), (["Stop please"], 201), (["STOP", "START"], 201)])
def test_the_carriers_own_words_opt_a_number_out(twilio: FakeTwilio, words: list[str], status: int) -> None:
    """Only the exact word, and only for the number that said it."""
    for word in words:
        twilio.say(None, from_phone=ANA, body=word)

    answer = created(twilio)

    assert (answer[0], answer[1]["code"] if status == 400 else 21610, created(twilio, to=BEN)[0]) == (status, 21610, 201)


def test_a_queue_lets_texts_through_at_its_rate(twilio: FakeTwilio, ear: Ear, clock: HandClock) -> None:
    """Each waits for the segments before it; whose validity ends first is never sent, and takes no one's place."""
    twilio.call_back()
    twilio.fate = SENT
    twilio.account.segments_per_second = 0.1
    bodies = {"a" * 160: "60", "b" * 161: "60", "c": "29", "d": "30"}  # waits: 0, 10, 30, 30
    for body, validity in bodies.items():
        created(twilio, body=body, callback=ear.url, ValidityPeriod=validity)
    told: list[list[tuple[str, str | None]]] = []
    for seconds in (10, 19, 1, 0):
        twilio.rest()
        told.append(ear.statuses())
        clock.advance(timedelta(seconds=seconds))

    assert told == [
        [("sent", None)],
        [("sent", None)] * 2,
        [("sent", None)] * 2 + [("failed", "30036")],
        [("sent", None)] * 2 + [("failed", "30036")] + [("sent", None)],
    ]


def test_without_a_rate_no_validity_ends(twilio: FakeTwilio, ear: Ear) -> None:
    """Nothing waits, so nothing is too late."""
    twilio.call_back()
    for _ in range(3):
        created(twilio, callback=ear.url, ValidityPeriod="1")
    twilio.rest()

    assert {message.status for message in twilio.messages} == {"delivered"}


def test_the_busiest_second_is_counted_in_segments(twilio: FakeTwilio, clock: HandClock) -> None:
    """The most segments in any second, wherever the second begins; a second's end is not in it."""
    for milliseconds, body in [(0, "a"), (900, "b" * 161), (999, "c"), (1_000, "d"), (1_900, "e")]:
        clock.advance_to(NOON + timedelta(milliseconds=milliseconds))
        created(twilio, body=body)

    assert (twilio.account.most_segments_in(), twilio.account.most_segments_in(timedelta(seconds=2))) == (4, 6)


def test_a_couriers_chain_keeps_its_order() -> None:
    """Errands of one chain never overtake each other, on however many threads."""
    courier, done = Courier(SystemClock()), list[tuple[int, int]]()
    for chain in range(20):
        courier.send([(0, lambda chain=chain, step=step: done.append((chain, step))) for step in range(20)])  # type: ignore[misc]  # defaults
    courier.rest()
    courier.close()

    assert all(one[1] < other[1] for chain in range(20) for one, other in pairwise([step for step in done if step[0] == chain]))
    assert (len(done), courier.pending) == (400, 0)


def test_a_courier_who_is_held_up_says_so() -> None:
    """Waiting for the end of errands has an end."""
    courier, held = Courier(SystemClock()), Event()
    courier.send([(0, partial(held.wait, 10))])

    with pytest.raises(TimeoutError, match="still under way"):
        courier.rest(within=0.1)

    held.set()
    courier.rest()
    courier.close()


def test_silence_on_a_kept_connection_is_no_answer_either(twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answered one webhook, and then says nothing to the next for as long as Twilio waits, gave no answer."""
    monkeypatch.setattr(tests.fake_twilio.webhooks, "WAIT", 0.2)
    let_go = Event()
    with an_ear() as ear:
        first = twilio.say(ear.url, from_phone=ANA, body="1")[0]
        ear.on_hearing = lambda: let_go.wait(5)
        second = twilio.say(ear.url, from_phone=ANA, body="1")[0]
        let_go.set()

    assert (first, second) == (204, -1)


def test_who_is_killed_in_the_middle_of_an_answer_gave_none(twilio: FakeTwilio) -> None:
    """On a kept connection half an answer is as good as silence, and whoever called goes on."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:

        def answer_once_and_a_half() -> None:
            caller = listening.accept()[0]
            with caller:
                for words in (b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 49\r\n\r\n"):
                    caller.recv(65_536)
                    caller.sendall(words)

        served = pool.submit(answer_once_and_a_half)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        answers = [twilio.say(url, from_phone=ANA, body="1")[0] for _ in range(2)]
        served.result()

    assert answers == [204, -1]
