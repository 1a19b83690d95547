"""The address that refuses the carrier's calls on purpose, and counts them."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from db.engine import reading, writing
from reminders.services.records import probes
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER
from tests.fake_twilio.webhooks import status_form
from tests.web.serving import NOW, a_carrier, asking, post, some_parts

SENT = status_form(account_sid=ACCOUNT, sid="SM1", from_phone=OUR_NUMBER, to_phone="+12025550107", status="sent")


@pytest.fixture
def client(sqlite_engine: Engine) -> TestClient:
    """Who asks an app on a ledger that knows one probe, `mine`."""
    with writing(sqlite_engine) as c:
        probes.begin(c, "mine", now=NOW)
    return asking(some_parts(carrier=a_carrier(), engine=sqlite_engine))


def kept(engine: Engine) -> list[tuple[str, str | None]]:
    """The calls kept about the probe."""
    with reading(engine) as c:
        return [(call["status"], call["token"]) for call in probes.calls(c, "mine")]


def test_every_signed_call_is_kept_and_refused(client: TestClient, sqlite_engine: Engine) -> None:
    """A refusal that asks to come again, each time; the mark that tells a repeat from another call is kept."""
    answers = [post(client, "/sms/probe?tag=mine", SENT, **{"I-Twilio-Idempotency-Token": token}).status_code for token in ("a", "a", "b")]

    assert (answers, kept(sqlite_engine)) == ([503, 503, 503], [("sent", "a"), ("sent", "a"), ("sent", "b")])


def test_a_call_that_nobody_signed_is_not_kept(client: TestClient, sqlite_engine: Engine) -> None:
    """Nothing is believed that is not signed."""
    answer = post(client, "/sms/probe?tag=mine", SENT, token="f" * 32)

    assert (answer.status_code, kept(sqlite_engine)) == (403, [])


def test_a_call_about_nothing_is_not_asked_for_again(client: TestClient) -> None:
    """A tag that nobody sent, or none, is no reason for the carrier to come back."""
    assert [post(client, target, SENT).status_code for target in ("/sms/probe?tag=other", "/sms/probe")] == [204, 204]


def test_the_sandbox_has_no_probe() -> None:
    """Without a carrier there is nothing to count."""
    assert post(asking(some_parts()), "/sms/probe?tag=mine", SENT).status_code == 404
