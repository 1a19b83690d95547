"""The portal as somebody at Harbor Clinic sees it, who looks after Ana."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from typing import Any

from httpx2 import Response
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.services import reminding, replying
from tests.web.serving import ANA, NOW
from tests.web.signed_in import signed_in, two_clinics

LATER = NOW + timedelta(hours=6)
"""Five past two in New York: the second dose of her first day is due, the first was before her plan was here."""
DOSE = {"date": "2026-03-02", "slot": "2"}


@dataclass
class Portal:
    """A browser on the page of a patient with one plan, a dose of which is due."""

    client: TestClient
    engine: Engine
    patient: str
    plan: str

    def act(self, action: str, **fields: str) -> Response:
        """Send the form of an act as it stands on its page; what is done is first looked at, where its page has no button to do it."""
        page = self.client.get(f"{self.at}/act?action={action}").text
        if fields.get("step") == "do" and 'value="do"' not in page:
            page = self.client.post(f"{self.at}/act", data={"action": action, **fields, "step": "look"}).text
        seen = re.search(r'name="seen" value="([^"]*)"', page)
        return self.client.post(f"{self.at}/act", data={"action": action, "seen": seen[1] if seen else "", **fields})

    @property
    def at(self) -> str:
        """The address of the plan."""
        return f"/patients/{self.patient}/plans/{self.plan}"

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        with reading(self.engine) as c:
            return [dict(row) for row in c.execute(select(metadata.tables[table])).mappings()]

    @property
    def state(self) -> str:
        """How Ana's plan stands."""
        return next(str(row["state"]) for row in self.rows("plan") if row["id"] == self.plan)


def an_afternoon(engine: Engine) -> Engine:
    """Two clinics; Ana's first dose is due, and she has named a danger sign."""
    two_clinics(engine)
    reminding.remind_due(engine, now=LATER)
    replying.receive(engine, sid="SM1", from_phone=ANA, to_phone="", body="seizure", received_at=LATER, now=LATER)
    return engine


def portal_of(engine: Engine, who: str, *, clinic: str = "harbor-clinic", at: datetime = LATER) -> Portal:
    """A browser in which somebody is signed in, and Ana's page."""
    with reading(engine) as c:
        patient = c.execute(select(metadata.tables["patient"].c.id).where(metadata.tables["patient"].c.ref == "ana")).scalar_one()
        plan = c.execute(select(metadata.tables["plan"].c.id).where(metadata.tables["plan"].c.patient_id == patient)).scalars().first()
    return Portal(signed_in(engine, HandClock(at), who, clinic=clinic), engine, patient, str(plan))


def said(answer: Response) -> str:
    """The words of a page, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def addresses(html: str) -> Iterator[str]:
    """Every address that a page leads to, but for phones."""
    yield from (unescape(found) for found in re.findall(r'(?:href|action|src|hx-\w+)="([^"]*)"', html) if not found.startswith("tel:"))
