"""The people of a clinic who decide: their names, what they are, and whether they still are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from db.engine import narrowed
from reminders.domain.roles import Right, StaffRole, refusal
from reminders.errors import MayNot
from reminders.services.records import api_keys
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.ledger import CLINIC, STAFF, STAFF_ROLE, insert_all, new_id, rows
from reminders.services.records.ledger import by as grouped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection, Engine

LENT = "lent_roles"
"""Under this name an engine carries the roles that were lent to whoever asks with it."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person on a clinic's list; `ended_at` (UTC): None while they are on it."""

    id: str
    name: str
    roles: frozenset[StaffRole]
    added_at: datetime
    ended_at: datetime | None


def clinics(c: Connection) -> tuple[str, ...]:
    """The ids of the clinics that there are, in order."""
    return tuple(c.scalars(select(CLINIC.c.id).order_by(CLINIC.c.id)))


def listed(c: Connection, clinic_id: str, names: Iterable[str] | None = None) -> dict[str, Member]:
    """The people of a clinic (of these names, if given), by name, in its order; those who left among them."""
    wanted = select(STAFF).where(STAFF.c.clinic_id == clinic_id).order_by(STAFF.c.name)
    found = rows(c, wanted if names is None else wanted.where(STAFF.c.name.in_(list(names))))
    ids = [row["id"] for row in found]
    roles = grouped("staff_id", rows(c, select(STAFF_ROLE).where(STAFF_ROLE.c.clinic_id == clinic_id, STAFF_ROLE.c.staff_id.in_(ids))))
    return {
        row["name"]: Member(
            row["id"],
            row["name"],
            frozenset(StaffRole(role["role"]) for role in roles.get(row["id"], [])),
            row["created_at"],
            row["ended_at"],
        )
        for row in found
    }


def refused(c: Connection, clinic_id: str, name: str, right: Right) -> str:
    """Why somebody may not do at a clinic what needs a right, in words; empty if they may."""
    member = listed(c, clinic_id, [name]).get(name)
    if member is None:
        return f"nobody at the clinic is called {name!r}: `doseline staff add` puts a person on its list"
    if member.ended_at is not None:
        return f"{name} left the clinic's list on {member.ended_at:%d %b %Y}"
    lent = c.get_execution_options().get(LENT)
    return refusal(name, member.roles, right) if lent is None else refusal(f"this key of {name}", member.roles & lent, right)


def lending(engine: Engine, roles: Collection[StaffRole]) -> Engine:
    """The same engine for who acts in a person's name, with no more than these of the person's roles: every service asks `refused`."""
    return narrowed(engine, **{LENT: frozenset(roles)})


def require(c: Connection, clinic_id: str, name: str, right: Right) -> None:
    """Let nobody go on who does not have a right at a clinic. Raises MayNot, which says why."""
    if why := refused(c, clinic_id, name, right):
        raise MayNot(why)


def add(c: Connection, clinic_id: str, name: str, roles: Collection[StaffRole], *, by: str, at: datetime) -> None:
    """Put a person on a clinic's list, or give one who is on it, or was, these roles and no others."""
    known = listed(c, clinic_id, [name]).get(name)
    member_id = known.id if known else new_id()
    whose = {"clinic_id": clinic_id, "staff_id": member_id}
    if known is None:
        insert_all(c, STAFF, [{"clinic_id": clinic_id, "id": member_id, "name": name, "created_at": at}])
    else:
        c.execute(update(STAFF).where(STAFF.c.clinic_id == clinic_id, STAFF.c.id == member_id).values(ended_at=None))
        c.execute(STAFF_ROLE.delete().where(STAFF_ROLE.c.clinic_id == clinic_id, STAFF_ROLE.c.staff_id == member_id))
    insert_all(c, STAFF_ROLE, [{**whose, "role": role.value} for role in sorted(roles)])
    write_audit(c, clinic_id, Entry(at, by, "staff listed", member_id, ", ".join(sorted(role.value for role in roles))))


def end(c: Connection, clinic_id: str, member: Member, *, by: str, at: datetime) -> None:
    """Let a person decide nothing more, and end their keys; what they did keeps their name."""
    c.execute(update(STAFF).where(STAFF.c.clinic_id == clinic_id, STAFF.c.id == member.id).values(ended_at=at))
    api_keys.end_of(c, clinic_id, member.id, by=by, at=at)
    write_audit(c, clinic_id, Entry(at, by, "staff ended", member.id))
