"""Staffing: who at a clinic may decide what, as a person with the machine's own keys says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.domain.roles import StaffRole
from reminders.errors import NotAllowed, NotFound
from reminders.services.records import staff
from reminders.services.records.staff import Member

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection, Engine

__all__ = ["OPERATOR", "Member", "StaffRole", "add", "clinics", "end", "listed"]

OPERATOR = "command line"
"""Who lists people, in the audit: whoever can run commands on the machine."""


def clinics(engine: Engine) -> tuple[str, ...]:
    """The clinics that there are, by id."""
    with reading(engine) as c:
        return staff.clinics(c)


def listed(engine: Engine, clinic_id: str) -> tuple[Member, ...]:
    """The people of a clinic, by name. Raises NotFound."""
    with reading(engine) as c:
        _is_there(c, clinic_id)
        return tuple(staff.listed(c, clinic_id).values())


def add(engine: Engine, clinic_id: str, name: str, roles: Collection[StaffRole], *, now: datetime, by: str = OPERATOR) -> Member:
    """Put a person on a clinic's list; one who is on it, or was, has these roles from now on.

    Raises NotFound, or NotAllowed for nobody's role and for who would lock themselves out.
    """
    if not roles:
        raise NotAllowed("a person on the list has a role: provider, staff or admin")
    if name == by and StaffRole.ADMIN not in roles:
        raise NotAllowed("you would no longer be an admin: let another admin do this")
    with writing(engine) as c:
        _is_there(c, clinic_id)
        staff.add(c, clinic_id, name, roles, by=by, at=now)
        return staff.listed(c, clinic_id, [name])[name]


def end(engine: Engine, clinic_id: str, name: str, *, now: datetime, by: str = OPERATOR) -> Member:
    """Let a person decide nothing more from now on, and be signed in no more.

    Raises NotFound where nobody on the list has this name, NotAllowed for who would take themselves off.
    """
    if name == by:
        raise NotAllowed("nobody takes themselves off the list: let another admin do this")
    with writing(engine) as c:
        _is_there(c, clinic_id)
        member = staff.listed(c, clinic_id, [name]).get(name)
        if member is None or member.ended_at is not None:
            raise NotFound(f"nobody on the list of {clinic_id} is called {name!r}")
        staff.end(c, clinic_id, member, by=by, at=now)
        return staff.listed(c, clinic_id, [name])[name]


def _is_there(c: Connection, clinic_id: str) -> None:
    known = staff.clinics(c)
    if clinic_id not in known:
        raise NotFound(f"there is no clinic {clinic_id!r}; there is {', '.join(known) or 'none'}")
