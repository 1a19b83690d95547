"""Programs that ask the API: two clinics a morning into their plans, and keys of their people."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta

from httpx2 import Response
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.roles import StaffRole
from reminders.services import importing, key_holding, staffing
from reminders.services.replying import receive
from tests.files import a_clinic, a_consent, a_patient, an_entry, an_import_file
from tests.web.clinic import BEGUN, MORNING, a_morning
from tests.web.serving import asking, some_parts

CLINIC, HILL = "harbor-clinic", "hill-clinic"
HADDAD, LEE, PARK, MOSS = "Dr. Noor Haddad", "Nurse Lee", "Kim Park", "Dr. Ada Moss"
EVERY = frozenset(StaffRole)
OFTEN = 10**9


def two_clinics(engine: Engine) -> None:
    """Harbor Clinic, with Ana and Berta, a morning into their titrations; Hill Clinic, with Rui and his plan; two of them have answered."""
    evening = an_entry(ref="berta-baclofen", label="A, blue cap", zone="Europe/London")
    berta = a_patient(ref="berta", name="Berta Lund", phone="+12025550107", zone="Europe/London", consent=a_consent("Berta Lund"))
    harbor = an_import_file(a_patient(), {**berta, "caregivers": [], "plans": [evening]})
    importing.import_file(engine, harbor, now=BEGUN)
    staffing.add(engine, CLINIC, PARK, {StaffRole.ADMIN}, now=BEGUN)
    staffing.add(engine, CLINIC, HADDAD, EVERY, now=BEGUN)
    hill = a_clinic(name="Hill Clinic", phone="+12025550110", staff=[{"name": MOSS, "roles": ["admin", "provider", "staff"]}])
    entry = an_entry(ref="rui-baclofen", approved_by=MOSS)
    rui = a_patient(ref="rui", name="Rui Souza", phone="+12025550131", consent=a_consent("Rui Souza"), caregivers=[], plans=[entry])
    importing.import_file(engine, an_import_file(rui, clinic=hill), now=BEGUN)
    a_morning(engine)
    for number, (phone, words) in enumerate((("+12025550101", "1"), ("+12025550101", "blorp"), ("+12025550131", "blorp"))):
        receive(
            engine,
            sid=f"SM{number}",
            from_phone=phone,
            to_phone="+12025550100",
            body=words,
            received_at=MORNING,
            now=MORNING,
        )


def a_key(engine: Engine, *, holder: str = HADDAD, clinic: str = CLINIC, roles: frozenset[StaffRole] = EVERY) -> str:
    """A key that is good for a year."""
    by = key_holding.OPERATOR
    return key_holding.make(engine, clinic, holder, "tests", roles, by=by, now=BEGUN, holds=timedelta(days=366))[1]


def ids(engine: Engine, table: str, *, clinic: str = CLINIC) -> list[str]:
    """The ids of a clinic's rows, in an order that stays: of its people the nurse's first, since nobody ends themselves."""
    rows = metadata.tables[table]
    order = rows.c.ref if "ref" in rows.c else rows.c.name.desc() if table == "staff" else rows.c.id
    with reading(engine) as c:
        return list(c.scalars(select(rows.c.id).where(rows.c.clinic_id == clinic).order_by(order)))


@dataclass
class Program:
    """A program with a key."""

    client: TestClient
    key: str | None

    def get(self, path: str) -> Response:
        """Ask for something."""
        return self.ask("GET", path)

    def post(self, path: str, body: object, **headers: str) -> Response:
        """Send JSON; of headers, a dash is a _."""
        return self.ask("POST", path, body, **headers)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Response:
        """Ask anything; bytes are sent as they are, as JSON."""
        known = {} if self.key is None else {"Authorization": f"Bearer {self.key}"}
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        typed = {} if sent is None else {"Content-Type": "application/json"}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, f"/api/v1{path}", content=sent, headers=known | typed | given)


def a_program(engine: Engine, key: str | None, *, clock: HandClock | None = None, calls: int = OFTEN) -> Program:
    """A program that asks at the end of the morning, as often as it likes."""
    parts = some_parts(engine=engine, clock=clock or HandClock(MORNING))
    return Program(asking(replace(parts, calls_a_minute=calls)), key)
