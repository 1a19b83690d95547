from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, MutableMapping
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from db.engine import make_engine, reading
from reminders.services.delivering import receive_status
from reminders.web.app import create_app
from reminders.web.bodies import LONGEST_BODY
from reminders.web.webhooks import NO_WORDS
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, SERVICE, TOKEN
from tests.fake_twilio.webhooks import FORM, Pairs, json_signature_of, status_form
from tests.web.serving import ANA, NOW, OLD_TOKEN, PUBLIC, Heard, a_carrier, a_text, asking, post, some_parts

RECEIPT = status_form(account_sid=ACCOUNT, sid="SM1", from_phone=OUR_NUMBER, to_phone=ANA, status="undelivered", error_code=30003)
EITHER = [*dict([*RECEIPT, *a_text("a canary")]).items()]  # what both paths take, each name once


@pytest.fixture
def heard() -> Heard:
    """What the services were handed."""
    return Heard()


@pytest.fixture
def client(heard: Heard) -> TestClient:
    """A client of an app with a carrier."""
    return asking(some_parts(heard, carrier=a_carrier()))


def test_a_signed_text_is_taken_in(client: TestClient, heard: Heard) -> None:
    """A text is handed on as it came, judged at the time it was received."""
    post(client, "/sms/inbound", a_text("Took it, ¿sí? 1"))
    expected = {"sid": "SM1", "from_phone": ANA, "to_phone": OUR_NUMBER, "body": "Took it, ¿sí? 1", "received_at": NOW, "now": NOW}

    assert heard.texts == [{**expected, "token": None, "carriers_word": ""}]


@pytest.mark.parametrize(
    ("given", "kept"), [("STOP", "STOP"), ("START", "START"), ("HELP", "HELP"), ("stop", "STOP"), ("JOIN", ""), (None, "")]
)
def test_what_the_carrier_took_a_text_for_is_handed_on(client: TestClient, heard: Heard, given: str | None, kept: str) -> None:
    """A keyword set up there ends texts, or takes them up, whatever we would read; a word we do not know says nothing."""
    post(client, "/sms/inbound", a_text("ADIOS", opt_out_type=given))

    assert [said["carriers_word"] for said in heard.texts] == [kept]


def test_the_answer_to_a_text_has_no_words(client: TestClient) -> None:
    """What we say back is a text of its own, so the answer is empty TwiML."""
    answer = post(client, "/sms/inbound", a_text())

    assert (answer.status_code, answer.headers["Content-Type"], answer.text) == (200, "text/xml; charset=utf-8", NO_WORDS)


def test_a_repeated_text_gets_the_same_answer(client: TestClient) -> None:
    """Twilio may bring a text five times; each time it hears the same."""
    answers = {(answer.status_code, answer.content) for answer in (post(client, "/sms/inbound", a_text()) for _ in range(5))}

    assert answers == {(200, NO_WORDS.encode())}


def test_a_signed_receipt_is_taken_in(client: TestClient, heard: Heard) -> None:
    """A receipt is handed on with the tag of its attempt and its code."""
    answer = post(client, "/sms/status?tag=abc-1", RECEIPT)
    expected = {"sid": "SM1", "status": "undelivered", "tag": "abc-1", "error_code": 30003, "now": NOW, "token": None}

    assert (answer.status_code, answer.content, heard.receipts) == (204, b"", [expected])


@pytest.mark.parametrize(
    ("given", "kept"), [("it-1", "it-1"), ("", None), ("x" * 81, None), ("a b", None)], ids=["one", "none", "long", "odd"]
)
def test_the_carriers_token_is_handed_on(client: TestClient, heard: Heard, given: str, kept: str | None) -> None:
    """The mark of a request and its repeats is evidence, if it looks like one."""
    for target, form in (("/sms/inbound", a_text()), ("/sms/status", RECEIPT)):
        post(client, target, form, I_Twilio_Idempotency_Token=given)

    assert [heard.texts[0]["token"], heard.receipts[0]["token"]] == [kept, kept]


def test_a_stranger_is_answered_in_the_same_breath(client: TestClient, heard: Heard) -> None:
    """Words for a number nobody knows are TwiML, in which no sign is markup."""
    heard.answer = "1 < 2 & so on"
    answer = post(client, "/sms/inbound", a_text())
    [message] = ET.fromstring(answer.text)  # noqa: S314 - our own answer

    assert (answer.status_code, answer.headers["Content-Type"], message.tag, message.text) == (
        200,
        "text/xml; charset=utf-8",
        "Message",
        "1 < 2 & so on",
    )


@pytest.mark.parametrize("query", ["", "?tag=", "?tag=a%20b", "?tag=" + "x" * 41], ids=["none", "empty", "space", "long"])
def test_a_tag_that_is_none_of_ours_is_none(client: TestClient, heard: Heard, query: str) -> None:
    """What stands in a tag's place and is no tag is left out; the receipt still counts by its sid."""
    post(client, "/sms/status" + query, RECEIPT)

    assert [receipt["tag"] for receipt in heard.receipts] == [None]


@pytest.mark.parametrize("code", ["", "abc", "9" * 12, "-1"])
def test_a_code_that_is_no_number_is_none(client: TestClient, heard: Heard, code: str) -> None:
    """An error code that cannot be read is left out."""
    post(client, "/sms/status", [*RECEIPT[:-1], ("ErrorCode", code)])

    assert [receipt["error_code"] for receipt in heard.receipts] == [None]


@pytest.mark.parametrize("target", ["/sms/inbound", "/sms/status"])
def test_the_sender_is_told_after_the_commit(client: TestClient, heard: Heard, target: str) -> None:
    """Once something was taken in, whoever sends is told to look."""
    post(client, target, EITHER)

    assert heard.told == 1


def test_receipts_are_kept_once_for_ever(engine: Engine) -> None:
    """Through to the ledger: five copies of a receipt are one row."""
    parts = some_parts(carrier=a_carrier(), engine=engine)
    client = TestClient(create_app(replace(parts, receive_status=receive_status)), base_url="http://127.0.0.1")
    statuses = [post(client, "/sms/status?tag=abc", RECEIPT).status_code for _ in range(5)]

    with reading(engine) as c:
        kept = c.execute(text("SELECT sid, status, tag, error_code FROM delivery_event")).all()

    assert (statuses, [tuple(row) for row in kept]) == ([204] * 5, [("SM1", "undelivered", "abc", 30003)])


@pytest.mark.parametrize(
    "form",
    [
        pytest.param([*a_text(), ("Added", "without notice")], id="a parameter nobody knows"),
        pytest.param([*a_text(), ("Again", "a"), ("Again", "b")], id="a parameter given twice"),
        pytest.param([*a_text(""), ("Blank", "")], id="blanks"),
        pytest.param(a_text("💊" * 400), id="a long body"),
    ],
)
def test_everything_received_is_validated(client: TestClient, form: Pairs) -> None:
    """Repeats, blanks and what Twilio adds without notice are part of what is signed."""
    assert post(client, "/sms/inbound", form).status_code == 200


Asks = Callable[[TestClient], Any]


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        pytest.param(lambda c: c.post("/sms/inbound", data=dict(a_text())), 403, id="not signed"),
        pytest.param(lambda c: post(c, "/sms/inbound", a_text(), token="f" * 32), 403, id="another token"),
        pytest.param(lambda c: post(c, "/sms/inbound", a_text(), token=OLD_TOKEN), 403, id="a token of before"),
        pytest.param(lambda c: post(c, "/sms/inbound?a=b", a_text(), signed_as=PUBLIC + "/sms/inbound"), 403, id="another query"),
        pytest.param(lambda c: post(c, "/sms/inbound", a_text(account_sid="AC" + "f" * 32)), 403, id="another account"),
        pytest.param(lambda c: post(c, "/sms/status", [("MessageSid", "SM1"), ("MessageStatus", "sent")]), 403, id="no account"),
        pytest.param(lambda c: post(c, "/sms/inbound", a_text(to_phone="+12025550199")), 403, id="to another number"),
        pytest.param(lambda c: post(c, "/sms/inbound", a_text(service_sid=SERVICE, to_phone="x")), 403, id="to a service not ours"),
        pytest.param(lambda c: c.post("/sms/inbound", json={"Body": "1"}, headers=_json("/sms/inbound")), 403, id="JSON without its hash"),
        pytest.param(lambda c: c.post("/sms/inbound", content=b"\xff\xfe", headers={"Content-Type": FORM}), 403, id="not UTF-8"),
        pytest.param(lambda c: c.post("/sms/inbound", content=b"a=1&" * 600, headers={"Content-Type": FORM}), 403, id="too many fields"),
        pytest.param(
            lambda c: c.post("/sms/inbound", content=b"x" * (LONGEST_BODY + 1), headers={"Content-Type": FORM}), 413, id="too big"
        ),
        pytest.param(lambda c: post(c, "/sms/inbound", a_text(sid="")), 400, id="no sid"),
        pytest.param(lambda c: post(c, "/sms/inbound", a_text(sid="SM1'--")), 400, id="a sid that is none"),
        pytest.param(lambda c: post(c, "/sms/inbound", a_text(from_phone="x" * 41)), 400, id="a sender that is none"),
        pytest.param(lambda c: post(c, "/sms/status", [("AccountSid", ACCOUNT), ("MessageSid", "SM1")]), 400, id="no status"),
        pytest.param(lambda c: c.get("/sms/inbound"), 405, id="GET"),
        pytest.param(lambda c: c.put("/sms/status"), 405, id="PUT"),
        pytest.param(lambda c: post(c, "/sms/inbound/", a_text()), 404, id="a slash too many"),
    ],
)
def test_what_is_not_in_order_is_refused_without_a_word(client: TestClient, heard: Heard, ask: Asks, status: int) -> None:
    """A refusal says its status and nothing of why, and nothing is taken in."""
    answer = ask(client)

    assert (answer.status_code, set(answer.json()), heard.texts, heard.receipts) == (status, {"type", "title", "status"}, [], [])


def _json(target: str) -> dict[str, str]:
    return {"X-Twilio-Signature": json_signature_of(TOKEN, PUBLIC + target)}


def test_signed_json_is_no_text(client: TestClient, heard: Heard) -> None:
    """JSON with its hash signed is believed, but texts and receipts are forms."""
    body = b'{"MessageSid": "SM1"}'
    target = f"/sms/inbound?bodySHA256={hashlib.sha256(body).hexdigest()}"
    answer = client.post(target, content=body, headers={**_json(target), "Content-Type": "application/json"})

    assert (answer.status_code, heard.texts) == (415, [])


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "attacker.example"},
        {"X-Forwarded-Host": "attacker.example", "X-Forwarded-Proto": "http"},
        {"Forwarded": "host=attacker.example;proto=http"},
        {"X-Original-URL": "/sms/status"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_only_the_configured_address_is_verified(client: TestClient, headers: dict[str, str]) -> None:
    """Who asks chooses neither what is verified, nor that the truth fails."""
    forged = post(client, "/sms/inbound", a_text(), signed_as="http://attacker.example/sms/inbound", **headers)
    true = post(client, "/sms/inbound", a_text(), **headers)

    assert (forged.status_code, true.status_code) == (403, 200)


def test_two_tokens_hold_while_they_are_rotated(heard: Heard) -> None:
    """With the token of before configured, both are good."""
    client = asking(some_parts(heard, carrier=a_carrier(old_token=True)))
    statuses = [post(client, "/sms/inbound", a_text(), token=token).status_code for token in (TOKEN, OLD_TOKEN)]

    assert statuses == [200, 200]


def test_a_text_to_our_messaging_service_is_ours(heard: Heard) -> None:
    """With a service and no number, the service's SID says that a text is to us."""
    client = asking(some_parts(heard, carrier=a_carrier(sender=None, service=SERVICE)))
    ours, other = a_text(service_sid=SERVICE, to_phone="+12025550142"), a_text(service_sid="MG" + "f" * 32)

    assert [post(client, "/sms/inbound", form).status_code for form in (ours, other)] == [200, 403]


@pytest.mark.parametrize("target", ["/sms/inbound", "/sms/status"])
def test_the_sandbox_has_no_webhooks(heard: Heard, target: str) -> None:
    """Without a token nothing is accepted, however it is signed."""
    answer = post(asking(some_parts(heard)), target, EITHER)

    assert (answer.status_code, heard.texts, heard.receipts) == (404, [], [])


@pytest.mark.parametrize("target", ["/sms/inbound", "/sms/status"])
def test_without_the_database_the_carrier_is_asked_to_come_again(target: str, caplog: pytest.LogCaptureFixture) -> None:
    """A ledger that is away is a 503, which Twilio tries again, and no log line holds the text."""
    caplog.set_level(logging.DEBUG, logger="reminders")
    away = make_engine("postgresql://nobody@127.0.0.1:1/nothing")

    def ask(engine: Engine, **_: object) -> None:
        with reading(engine) as c:
            c.execute(text("SELECT 1"))

    parts = replace(some_parts(carrier=a_carrier(), engine=away), receive=ask, receive_status=ask)
    answer = post(asking(parts), target, EITHER)

    assert (answer.status_code, answer.headers["Retry-After"], "canary" in caplog.text) == (503, "5", False)


def test_an_error_nobody_expected_tells_nobody_its_words(heard: Heard, caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours is a 500 that says nothing, and a log line with its kind and place but not its words."""
    heard.fails = RuntimeError(f"a canary about {ANA}")
    answer = post(asking(some_parts(heard, carrier=a_carrier())), "/sms/inbound", a_text())
    said = ["RuntimeError at _keep (serving.py:" in caplog.text, "canary" in caplog.text + answer.text, "0101" in caplog.text + answer.text]

    assert (answer.status_code, said) == (500, [True, False, False])


def test_a_nul_does_not_stop_a_text(client: TestClient, heard: Heard) -> None:
    """A NUL, which PostgreSQL cannot hold, is taken out of the body."""
    post(client, "/sms/inbound", a_text("1\x00 ok"))

    assert [one["body"] for one in heard.texts] == ["1 ok"]


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """A client that begins a request and stops is let go."""
    sent: list[MutableMapping[str, Any]] = []

    async def never() -> dict[str, Any]:
        raise TimeoutError

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/sms/inbound", "raw_path": b"/sms/inbound", "query_string": b"", "headers": []}
    asyncio.run(create_app(some_parts(carrier=a_carrier()))(scope, never, send))

    assert sent[0]["status"] == 408


HEARD = Heard()
ASKED = asking(some_parts(HEARD, carrier=a_carrier()))  # one app for all examples: each would take 40 ms to put together
TARGETS = ["/sms/inbound", "/sms/status", "/sms/status?tag=%00", "/sms/inbound?bodySHA256=x", "/sms/status?tag=a&tag=b&%"]
NAMES = ["Body", "MessageSid", "MessageStatus", "From", "To", "AccountSid", "ErrorCode", "", "é"]
LATIN = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60)


@given(
    body=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)),
    kind=st.sampled_from([FORM, "application/json", "text/plain", "multipart/form-data; boundary=x", ""]),
    target=st.sampled_from(TARGETS),
    signature=LATIN,
)
def test_no_unsigned_request_is_an_error_of_ours(body: bytes, kind: str, target: str, signature: str) -> None:
    """Whatever comes without a true signature is refused, and nothing is taken in."""
    HEARD.texts.clear()
    headers = {b"Content-Type": kind.encode(), b"X-Twilio-Signature": signature.encode("latin-1")}
    answer = ASKED.post(target, content=body, headers=headers)

    assert (answer.status_code, HEARD.texts) == (403, [])


@given(
    pairs=st.lists(st.tuples(st.sampled_from(NAMES), st.text(st.characters(exclude_categories=["Cs"]), max_size=50)), max_size=12),
    target=st.sampled_from(TARGETS),
)
def test_no_signed_form_is_an_error_of_ours(pairs: Pairs, target: str) -> None:
    """Whatever a form holds, even a signed one, the answer is a 2xx or a 4xx."""
    answer = post(ASKED, target, [("AccountSid", ACCOUNT), *pairs])

    assert 200 <= answer.status_code < 500
