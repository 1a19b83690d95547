"""Harbor Clinic in a ledger, a morning into Ana's titration: what the page and its service have to show."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from sqlalchemy import Engine

from reminders.clock import HandClock
from reminders.messaging.sandbox import CarrierFault, SandboxTransport
from reminders.services.delivering import deliver, receive_status
from reminders.services.importing import import_file
from reminders.services.reminding import remind_due
from tests.files import a_consent, a_patient, an_entry, an_import_file

BEGUN = datetime(2026, 3, 1, 12, tzinfo=UTC)
MORNING = datetime(2026, 3, 2, 13, 5, tzinfo=UTC)  # 08:05 in New York: Ana's first dose was due five minutes ago
HER_NAMES = ("Ana", "Silva", "Rui", "Berta", "Lund")
HER_NUMBERS = ("5550101", "5550102", "5550107", "555 0101")


def two_patients() -> object:
    """Ana, who titrates and has a brother, and Berta, whose one plan of the evening has a label."""
    plan = an_entry(ref="berta-baclofen", label="A, blue cap", zone="Europe/London")
    plan["phases"] = [
        {"days": None, "doses": [{"at": "08:00", "amount": "5", "unit": "mg"}, {"at": "20:00", "amount": "10", "unit": "mg"}]}
    ]
    berta = a_patient(ref="berta", name="Berta Lund", phone="+12025550107", zone="Europe/London", consent=a_consent("Berta Lund"))
    return an_import_file(a_patient(), {**berta, "caregivers": [], "plans": [plan]})


def opened(engine: Engine) -> None:
    """Bring the clinic into a ledger."""
    import_file(engine, two_patients(), now=BEGUN)


def a_morning(engine: Engine, *, fault: CarrierFault | None = None) -> None:
    """Let the first doses fall due at their minutes, and their texts go out, Ana's with a carrier's fault if one is given."""
    clock = HandClock(BEGUN)
    sandbox = SandboxTransport(clock)
    sandbox.set_fault("+12025550101", fault or CarrierFault())
    for instant in (datetime(2026, 3, 2, 8, 0, tzinfo=UTC), datetime(2026, 3, 2, 13, 0, tzinfo=UTC)):
        clock.advance_to(instant)
        remind_due(engine, now=instant)
        asyncio.run(deliver(engine, sandbox, clock=clock))
        for receipt in sandbox.take_receipts():
            receive_status(engine, sid=receipt.sid, status=receipt.status, tag=receipt.tag, error_code=receipt.error_code, now=instant)
