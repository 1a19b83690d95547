"""A serving process and a quarantine: what it does by itself, what waits for the gap to be relived, and what for a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from reminders import bootstrap
from reminders.chores import Sender
from reminders.clock import SystemClock
from reminders.domain.acting import StaffAct, StaffAction
from reminders.errors import LedgerHeld
from reminders.messaging.sandbox import SandboxTransport
from reminders.messaging.transport import Outgoing, ReceivedText, Transport
from reminders.services import prescribing, quarantining, reminding
from reminders.services.quarantining import Quarantine
from reminders.settings import Settings
from tests import backups
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN
from tests.scheduling.wall import until
from tests.stage import ANA, Stage, patient, phase, plan
from tests.web.serving import a_text, post

CLOCK = SystemClock()
PUBLIC = "https://doseline.example.org"
PLAN = "ana-baclofen"
TWILIO = {"DOSELINE_TRANSPORT": "twilio", "TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_FROM": OUR_NUMBER}


@pytest.fixture
def ledger(sqlite_engine: Engine) -> Engine:
    """A clinic whose one plan was for a day, long ago; somebody worked on it ten minutes ago, and Ana's dose of that day is open."""
    with Stage(sqlite_engine, patient(plan(phase("5/5/5", 1)))) as clinic:
        clinic.run_until("03-02 08:30")
    reminding.record_pass(sqlite_engine, "build", now=CLOCK.now() - timedelta(minutes=10))
    return sqlite_engine


@contextmanager
def served(engine: Engine, transport: Transport) -> Iterator[TestClient]:
    """Serve a ledger, by a carrier of this test's own."""
    sender = Sender()
    running = bootstrap.assemble(Settings.from_environ({"PUBLIC_URL": PUBLIC, **TWILIO}), engine, CLOCK, transport, sender)
    try:
        with TestClient(running.app, base_url="http://127.0.0.1:8000") as client:
            yield client
    finally:
        sender.stop()


def standing(engine: Engine) -> Quarantine | None:
    """The quarantine that stands."""
    return quarantining.standing(engine, now=CLOCK.now())


def says(client: TestClient, body: str = "1") -> int:
    """Let a webhook bring a text of Ana's; return its answer's status."""
    return post(client, "/sms/inbound", a_text(body), signed_as=f"{PUBLIC}/sms/inbound").status_code


def test_a_served_ledger_relives_its_gap_by_itself_and_is_ended_by_a_person(ledger: Engine) -> None:
    """What patients wrote in the gap is taken in, by the carrier's list; nothing is sent until somebody says so."""
    carrier = SandboxTransport(CLOCK)
    carrier.leave(ReceivedText("SMlost", ANA, OUR_NUMBER, "qwerty", CLOCK.now() - timedelta(minutes=5)))
    quarantining.begin(ledger, "A backup was restored.", now=CLOCK.now())
    with served(ledger, carrier):
        until(lambda: not quarantining.is_held(ledger))
        relived = standing(ledger)
        waiting = [row["template"] for row in backups.rows(ledger, "text_out") if row["state"] == "queued"]
        quarantining.end(ledger, by="Noor Haddad", now=CLOCK.now())
        until(lambda: len(carrier.kept()) == 1)

    assert relived is not None
    assert (relived.heard, relived.unexplained, sorted(waiting)) == (1, 0, ["not_understood", "outage"])
    assert "not understood" in carrier.kept()[0].body


def test_until_its_gap_is_relived_a_ledger_decides_nothing(ledger: Engine) -> None:
    """No dose falls due, no text is taken in (the carrier is told to come again), and nobody's plan is changed."""
    carrier = SandboxTransport(CLOCK)
    carrier.break_lists()
    quarantining.begin(ledger, "A backup was restored.", now=CLOCK.now())
    before = backups.dose_states(ledger)
    with served(ledger, carrier) as client:
        refused = says(client)
        act = StaffAct(CLOCK.now(), StaffAction.SUSPEND, PLAN, reason="by phone", by="Dr. Noor Haddad")
        with pytest.raises(LedgerHeld):
            prescribing.act(ledger, act, now=CLOCK.now())
        unchanged = backups.dose_states(ledger)
        carrier.break_lists(broken=False)
        until(lambda: not quarantining.is_held(ledger), within=30)
        taken = says(client)

    assert (refused, unchanged, taken) == (503, before, 200)
    assert len(backups.dose_states(ledger)) > len(before)


async def _sent(carrier: SandboxTransport) -> None:
    await carrier.send(Outgoing(ANA, "Harbor Clinic: something else.", "another ledger's", 60))


def test_a_ledger_put_back_without_a_word_quarantines_itself(ledger: Engine) -> None:
    """The carrier sent what no row explains: the look at the start finds it, before a dose is decided."""
    carrier = SandboxTransport(CLOCK)
    sender = Sender()
    sender.run(_sent(carrier))
    sender.stop()
    with served(ledger, carrier):
        until(lambda: standing(ledger) is not None)
        until(lambda: not quarantining.is_held(ledger))

    found = standing(ledger)
    assert found is not None
    assert (found.why, found.unexplained) == ("The carrier's list has texts that this ledger does not know.", 1)


def test_a_ledger_that_is_in_order_is_served_at_once(ledger: Engine) -> None:
    """Nothing stands in its way: what is due leaves."""
    carrier = SandboxTransport(CLOCK)
    with served(ledger, carrier) as client:
        taken = says(client, "qwerty")
        until(lambda: len(carrier.kept()) == 1)

    assert (taken, standing(ledger)) == (200, None)
