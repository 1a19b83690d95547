"""Operating: what a system admin sees of the installation, and does to it. Never a patient: there is no way from here to one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from db.engine import reading, writing
from db.queries import watching as queries
from reminders.domain.roles import StaffRole
from reminders.domain.signing_in import INVITATION_HOLDS
from reminders.errors import BadFile, Fault, NotAllowed, NotFound
from reminders.formats.import_file import ClinicShape
from reminders.services.records import enrolment, operators, quarantines, staff
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.operators import Listed, Operator
from reminders.services.records.overview import TroubleLine, trouble_lines
from reminders.services.signing_in import SetUp, faults_of_clinic, kept, link_for, second_factor

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["ClinicCount", "Installation", "Listed", "Operator", "Pass", "add", "end", "installation", "invite", "listed", "make_clinic"]


@dataclass(frozen=True, slots=True)
class ClinicCount:
    """A clinic by numbers: people on its list, patients, plans that go on, open alerts. No name of anybody."""

    id: str
    name: str
    zone: str
    simulated: bool
    staff: int
    patients: int
    plans: int
    alerts: int


@dataclass(frozen=True, slots=True)
class Pass:
    """A part of the loop, and when any process last finished a pass of it (UTC)."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Installation:
    """How the installation stands at an instant (UTC). `quarantine`: why nothing is sent; empty if texts leave."""

    at: datetime
    troubles: tuple[TroubleLine, ...]
    quarantine: str
    passes: tuple[Pass, ...]
    clinics: tuple[ClinicCount, ...]
    admins: tuple[Listed, ...]


def installation(engine: Engine, *, now: datetime) -> Installation:
    """Look at the installation, at one moment of the ledger."""
    with reading(engine) as c:
        quarantine = quarantines.standing(c)
        return Installation(
            now,
            trouble_lines(c),
            quarantine["why"] if quarantine else "",
            tuple(Pass(row["name"], row["at"]) for row in queries.passes(c)),
            tuple(ClinicCount(**row) for row in queries.clinic_counts(c)),
            operators.listed(c),
        )


def listed(engine: Engine) -> tuple[Listed, ...]:
    """Every system admin, by name, those who left among them."""
    with reading(engine) as c:
        return operators.listed(c)


def add(engine: Engine, name: str, *, by: str, now: datetime) -> str:
    """Put somebody on the list; return the one-time link with which they set up how they sign in. Raises NotAllowed if they are on it."""
    with writing(engine) as c:
        known = operators.of_name(c, name)
        if known is not None and known["ended_at"] is None:
            raise NotAllowed(f"{name} is a system admin already: `doseline system invite` makes a new link")
        return _invite(c, operators.add(c, name, by=by, at=now), by=by, now=now)


def invite(engine: Engine, name: str, *, by: str, now: datetime) -> str:
    """Make a one-time link with which a system admin sets up anew how they sign in, phone and all. Raises NotFound."""
    with writing(engine) as c:
        return _invite(c, _on_the_list(c, name), by=by, now=now)


def end(engine: Engine, name: str, *, by: str, now: datetime) -> None:
    """Take somebody off the list; they are signed out at once. Raises NotFound, or NotAllowed for who would take themselves off."""
    if name == by:
        raise NotAllowed("nobody takes themselves off the list: let another system admin do this")
    with writing(engine) as c:
        operators.end(c, _on_the_list(c, name), by=by, at=now)


def make_clinic(engine: Engine, *, clinic: str, phone: str, zone: str, admin: str, by: str, now: datetime) -> str:
    """Make a clinic and its first admin; return the one-time link with which that person sets up how they sign in.

    Raises BadFile with what is wrong, each with its field (`clinic`, `phone`, `zone`, `name`).
    """
    faults = list(faults_of_clinic(SetUp(login="", password="", code="", name=admin, clinic=clinic, phone=phone, zone=zone)))
    clinic_id = enrolment.short_name(clinic)
    with writing(engine) as c:
        if clinic_id in staff.clinics(c):
            faults.append(Fault("clinic", "is one that is there already"))
        if faults:
            raise BadFile(faults)
        enrolment.claim_clinic(c, clinic_id, ClinicShape(name=clinic, phone=phone, zone=zone), simulated=False, at=now)
        write_audit(c, clinic_id, Entry(now, by, "clinic made", clinic_id))
        staff.add(c, clinic_id, admin, {StaffRole.ADMIN}, by=by, at=now)
        member = staff.listed(c, clinic_id, [admin])[admin]
        write_audit(c, clinic_id, Entry(now, by, "link made", member.id, "new device"))
        return link_for(c, clinic_id, member.id, new_device=True, holds=INVITATION_HOLDS, now=now)


def _on_the_list(c: Connection, name: str) -> str:
    known = operators.of_name(c, name)
    if known is None or known["ended_at"] is not None:
        raise NotFound(f"no system admin is called {name!r}")
    return str(known["id"])


def _invite(c: Connection, operator_id: str, *, by: str, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    secret = second_factor.new_secret()
    operators.invite(c, operator_id, link_hash=kept(token), secret=secret, until=now + INVITATION_HOLDS, by=by, at=now)
    return token
