from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from httpx2 import Response
from sqlalchemy import Engine
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.testclient import TestClient

from db.engine import WriterBusy
from reminders.errors import LedgerDown
from reminders.web.bodies import LONGEST_BODY
from reminders.web.counting import Counts, Outcome
from reminders.web.webhooks import LONGEST_TEXT
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN
from tests.fake_twilio.webhooks import FORM, Pairs, json_signature_of, signature_of, status_form
from tests.web.serving import ANA, PUBLIC, Heard, a_carrier, a_text, asking, post, some_parts

INBOUND, STATUS = "/sms/inbound", "/sms/status"
RECEIPT = status_form(account_sid=ACCOUNT, sid="SM1", from_phone=OUR_NUMBER, to_phone=ANA, status="sent")


@pytest.fixture
def heard() -> Heard:
    """What the services were handed."""
    return Heard()


@pytest.fixture
def client(heard: Heard) -> TestClient:
    """A client of an app with a carrier."""
    return asking(some_parts(heard, carrier=a_carrier()))


def counts_of(client: TestClient) -> Counts:
    """Return what an app has counted."""
    counts: Counts = client.app.state.counts  # type: ignore[attr-defined]  # a FastAPI
    return counts


def changed(pairs: Pairs, **values: str) -> Pairs:
    """Return a form with other values."""
    return [(name, values.get(name, value)) for name, value in pairs]


def raw(client: TestClient, target: str, body: bytes, signed: Pairs | None = None, kind: str = FORM) -> Response:
    """Post bytes as they are, with the signature of a form."""
    headers = {"Content-Type": kind, "X-Twilio-Signature": signature_of(TOKEN, PUBLIC + target, signed or [])}
    return client.post(target, content=body, headers=headers)


def in_chunks(*chunks: bytes) -> Iterator[bytes]:
    """A body whose length nobody declares."""
    yield from chunks


Ask = Callable[[TestClient], Response]


def case(name: str, ask: Ask, status: int, outcome: Outcome, path: str = "inbound") -> Any:  # noqa: ANN401 - pytest's own
    """A request that is not in order, and what must become of it."""
    return pytest.param(ask, status, (path, outcome), id=name)


BIG = b"Body=" + b"x" * LONGEST_BODY
LONG = a_text("x" * (LONGEST_TEXT + 1))
MALFORMED, UNSIGNED, TOO_LARGE = Outcome.MALFORMED, Outcome.UNSIGNED, Outcome.TOO_LARGE
BAD_NUMBERS = [
    "",
    "+",
    "+1202",
    "+0202555010",
    "12025550101",
    "+1202555010a",
    "+1 202 555 0101",
    "+" + "1" * 16,
    "\u0663\u0664\u0665",
    "+1202555010\uff11",
]
ONCE = ["AccountSid", "Body", "From", "MessageSid", "To"]


@pytest.mark.parametrize(
    ("ask", "status", "counted"),
    [
        *[case(f"from {n!r}", lambda c, n=n: post(c, INBOUND, changed(a_text(), From=n)), 400, MALFORMED) for n in BAD_NUMBERS],  # type: ignore[misc]
        *[case(f"{n} again", lambda c, n=n: post(c, INBOUND, [*a_text(), (n, "other")]), 400, MALFORMED) for n in ONCE],  # type: ignore[misc]
        *[case(f"{n} the same again", lambda c, n=n: post(c, INBOUND, [*a_text(), (n, dict(a_text())[n])]), 400, MALFORMED) for n in ONCE],  # type: ignore[misc]
        case("a status given twice", lambda c: post(c, STATUS, [*RECEIPT, ("MessageStatus", "failed")]), 400, MALFORMED, "status"),
        case("a code given twice", lambda c: post(c, STATUS, [*RECEIPT, ("ErrorCode", "1"), ("ErrorCode", "2")]), 400, MALFORMED, "status"),
        case("a tag given twice", lambda c: post(c, STATUS + "?tag=a&tag=b", RECEIPT), 400, MALFORMED, "status"),
        case("a sid too long", lambda c: post(c, INBOUND, a_text(sid="S" * 35)), 400, MALFORMED),
        case("a status too long", lambda c: post(c, STATUS, changed(RECEIPT, MessageStatus="s" * 21)), 400, MALFORMED, "status"),
        case("words too long", lambda c: post(c, INBOUND, LONG), 400, MALFORMED),
        case("a body declared too large", lambda c: raw(c, INBOUND, BIG), 413, TOO_LARGE),
        case("a body streamed too large", lambda c: c.post(INBOUND, content=in_chunks(*[b"x" * 999] * 66)), 413, TOO_LARGE),
        case("a receipt too large", lambda c: raw(c, STATUS, BIG), 413, TOO_LARGE, "status"),
        case("bytes that are no UTF-8", lambda c: raw(c, INBOUND, b"Body=\xff\xfe"), 403, MALFORMED),
        case("percent signs that are no UTF-8", lambda c: raw(c, INBOUND, b"Body=%ff", [("Body", "\ufffd")]), 403, MALFORMED),
        case("a lone surrogate", lambda c: raw(c, INBOUND, b"Body=%ED%A0%80", [("Body", "\ufffd" * 3)]), 403, MALFORMED),
        case("a NUL in a number", lambda c: post(c, INBOUND, changed(a_text(), From=ANA + "\x00")), 400, MALFORMED),
        case("a NUL in a sid", lambda c: post(c, INBOUND, a_text(sid="SM\x001")), 400, MALFORMED),
        case("too many fields", lambda c: raw(c, INBOUND, b"a=1&" * 600), 403, MALFORMED),
        case("nothing", lambda c: raw(c, INBOUND, b""), 403, UNSIGNED),
        case("not signed", lambda c: c.post(INBOUND, data=dict(a_text())), 403, UNSIGNED),
        case("a signature of nothing", lambda c: post(c, INBOUND, a_text(), X_Twilio_Signature="."), 403, UNSIGNED),
        case("JSON without its hash", lambda c: c.post(INBOUND, json={}, headers=_signed_json(INBOUND)), 403, UNSIGNED),
        case("another kind of body", lambda c: raw(c, INBOUND, urlencode(a_text()).encode(), a_text(), "text/plain"), 403, UNSIGNED),
        case("no kind of body", lambda c: raw(c, INBOUND, urlencode(a_text()).encode(), a_text(), ""), 403, UNSIGNED),
        case("GET", lambda c: c.get(INBOUND), 405, Outcome.WRONG_METHOD),
        case("GET with a text in it", lambda c: c.get(f"{STATUS}?{urlencode(RECEIPT)}"), 405, Outcome.WRONG_METHOD, "status"),
        case("a method nobody knows", lambda c: c.request("BREW", INBOUND), 405, Outcome.WRONG_METHOD),
    ],
)
def test_bad_input_is_refused_and_counted(client: TestClient, heard: Heard, ask: Ask, status: int, counted: tuple[str, Outcome]) -> None:
    """It is a 4xx that says nothing of why, one more in its counter, and nothing is taken in."""
    answer = ask(client)

    assert (answer.status_code, set(answer.json()), heard.texts, heard.receipts) == (status, {"type", "title", "status"}, [], [])
    assert counts_of(client).webhooks() == {counted: 1}


def _signed_json(target: str) -> dict[str, str]:
    return {"X-Twilio-Signature": json_signature_of(TOKEN, PUBLIC + target)}


@pytest.mark.parametrize("phone", ["+12025550101", "+4915550101", "24273", "911911", "AMZN", "My Bank 24"])
def test_every_kind_of_sender_is_taken_in(client: TestClient, heard: Heard, phone: str) -> None:
    """Numbers, short codes and names are senders."""
    post(client, INBOUND, changed(a_text(), From=phone))

    assert [text["from_phone"] for text in heard.texts] == [phone]


def test_a_body_of_the_longest_is_taken_in(client: TestClient, heard: Heard) -> None:
    """What fits is read, to the last letter."""
    post(client, INBOUND, a_text("é" * LONGEST_TEXT))

    assert [len(text["body"]) for text in heard.texts] == [LONGEST_TEXT]


@pytest.mark.parametrize("declared", ["65537", "99999999999999999999"])
def test_a_body_declared_too_large_is_not_read(declared: str) -> None:
    """A length that is said beforehand is believed where it is too much."""
    client = asking(some_parts(carrier=a_carrier()))
    answer = client.post(INBOUND, content=in_chunks(b"a"), headers={"Content-Length": declared})

    assert (answer.status_code, counts_of(client).webhooks()) == (413, {("inbound", TOO_LARGE): 1})


# --- what is in order, and counted too ------------------------------------------------------------------------------


def test_texts_are_counted_by_what_became_of_them(client: TestClient, heard: Heard) -> None:
    """New ones, repeats, and strangers who were answered."""
    post(client, INBOUND, a_text())
    heard.answer = "hello"
    post(client, INBOUND, a_text())
    heard.again = True
    post(client, INBOUND, a_text())
    counts = counts_of(client)

    assert (counts.webhooks(), counts.answered()) == ({("inbound", Outcome.ACCEPTED): 2, ("inbound", Outcome.REPEATED): 1}, 1)


@pytest.mark.parametrize(
    ("became", "outcome"),
    [(None, Outcome.ACCEPTED), ("accepted", Outcome.ACCEPTED), ("repeated", Outcome.REPEATED), ("unknown", Outcome.UNKNOWN)],
)
def test_receipts_are_counted_by_what_became_of_them(client: TestClient, heard: Heard, became: str | None, outcome: Outcome) -> None:
    """A receipt of a text nobody knows is taken in, and counted."""
    heard.became = became

    assert (post(client, STATUS, RECEIPT).status_code, counts_of(client).webhooks()) == (204, {("status", outcome): 1})


@pytest.mark.parametrize(
    ("fails", "outcome"),
    [
        (LedgerDown(), Outcome.UNAVAILABLE),
        (NoConnection(), Outcome.UNAVAILABLE),
        (RuntimeError(), Outcome.FAILED),
        (WriterBusy(), Outcome.UNAVAILABLE),
    ],
)
def test_failures_are_counted(client: TestClient, heard: Heard, fails: Exception, outcome: Outcome) -> None:
    """A fault of ours is one thing, a ledger that is away another."""
    heard.fails = fails
    post(client, INBOUND, a_text())

    assert counts_of(client).webhooks() == {("inbound", outcome): 1}


def test_the_sandbox_counts_who_knocks() -> None:
    """Where no carrier is believed, a webhook is counted as one without a carrier."""
    client = asking(some_parts())
    post(client, INBOUND, a_text())

    assert counts_of(client).webhooks() == {("inbound", Outcome.NO_CARRIER): 1}


def test_nothing_else_is_counted(client: TestClient) -> None:
    """Health, the page and paths that are none have no outcome."""
    for path in ("/healthz", "/sms", "/sms/other", "/sms/inbound/", "/nothing"):
        client.get(path)

    assert counts_of(client).webhooks() == {}


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/sms/inbound", "/nothing"])
@pytest.mark.parametrize("host", ["[", "]", "[::1", "a:b:c", "127.0.0.1:99999999", "%00", "\xff", ""])
def test_no_host_is_an_error_of_ours(sqlite_engine: Engine, path: str, host: str) -> None:
    """Whatever name we are asked by, the answer is not a fault of ours."""
    client = asking(some_parts(engine=sqlite_engine, carrier=a_carrier()))
    answer = client.get(path, headers={b"Host": host.encode("latin-1")})

    assert answer.status_code in {200, 303, 400, 403, 404, 405} or (path, answer.status_code) == ("/readyz", 503)
