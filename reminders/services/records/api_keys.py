"""The keys of programs as rows, and the answers that are kept so that no request is carried out twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, select, update

from reminders.domain.roles import StaffRole
from reminders.services.records.accounts import Person
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.ledger import (
    API_ANSWER,
    API_KEY,
    API_KEY_ROLE,
    CLINIC,
    STAFF,
    STAFF_ROLE,
    insert_all,
    insert_once,
    rows,
)
from reminders.services.records.ledger import by as grouped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection

    from reminders.services.records.ledger import Row

SEEN_EVERY = timedelta(minutes=1)
"""So often at most a key's last use is written: each request would be a write otherwise."""

_HOLDER = and_(STAFF.c.clinic_id == API_KEY.c.clinic_id, STAFF.c.id == API_KEY.c.staff_id)


@dataclass(frozen=True, slots=True)
class Key:
    """A key as a list shows it: never what opens anything. `holder`: in whose name it acts; instants in UTC."""

    id: str
    name: str
    holder: str
    roles: frozenset[StaffRole]
    made_by: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks with a key: in whose name, with which of their roles, and whether the use should be noted."""

    key_id: str
    person: Person
    is_old: bool


def add(c: Connection, key: Row, roles: Iterable[StaffRole]) -> None:
    """Store a key with its roles."""
    insert_all(c, API_KEY, [key])
    insert_all(c, API_KEY_ROLE, [{"clinic_id": key["clinic_id"], "key_id": key["id"], "role": role.value} for role in sorted(roles)])
    told = f"{key['staff_id']}: {', '.join(sorted(roles))}"
    write_audit(c, key["clinic_id"], Entry(key["created_at"], key["made_by"], "key made", key["id"], told))


def listed(c: Connection, clinic_id: str) -> tuple[Key, ...]:
    """The keys of a clinic, the newest first; those that are over among them."""
    wanted = select(API_KEY, STAFF.c.name.label("holder")).join(STAFF, _HOLDER).where(API_KEY.c.clinic_id == clinic_id)
    found = rows(c, wanted.order_by(API_KEY.c.created_at.desc(), API_KEY.c.id))
    roles = grouped("key_id", rows(c, select(API_KEY_ROLE).where(API_KEY_ROLE.c.clinic_id == clinic_id)))
    return tuple(_key(row, roles.get(row["id"], ())) for row in found)


def _key(row: Row, roles: Iterable[Row]) -> Key:
    return Key(
        id=row["id"],
        name=row["name"],
        holder=row["holder"],
        roles=frozenset(StaffRole(role["role"]) for role in roles),
        made_by=row["made_by"],
        made_at=row["created_at"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
    )


def caller(c: Connection, key_hash: str, now: datetime) -> Caller | None:
    """Who asks with a key, if it is good and its person is on the list: with what both the key and the person may be."""
    wanted = (
        select(API_KEY, STAFF.c.name.label("holder"), CLINIC.c.name.label("clinic"))
        .join(STAFF, _HOLDER)
        .join(CLINIC, CLINIC.c.id == API_KEY.c.clinic_id)
        .where(API_KEY.c.key_hash == key_hash, API_KEY.c.ended_at.is_(None), API_KEY.c.expires_at > now, STAFF.c.ended_at.is_(None))
    )
    found = rows(c, wanted)
    if not found:
        return None
    row = found[0]
    both = and_(STAFF_ROLE.c.clinic_id == API_KEY_ROLE.c.clinic_id, STAFF_ROLE.c.role == API_KEY_ROLE.c.role)
    mine = API_KEY_ROLE.c.clinic_id == row["clinic_id"], API_KEY_ROLE.c.key_id == row["id"], STAFF_ROLE.c.staff_id == row["staff_id"]
    roles = frozenset(StaffRole(role) for role in c.scalars(select(API_KEY_ROLE.c.role).join(STAFF_ROLE, both).where(*mine)))
    person = Person(row["clinic_id"], row["staff_id"], row["holder"], row["clinic"], roles)
    return Caller(row["id"], person, row["used_at"] is None or now - row["used_at"] >= SEEN_EVERY)


def note_use(c: Connection, key_id: str, clinic_id: str, now: datetime) -> None:
    """Note that a key is in use; of two processes that notice, the later instant stands."""
    older = API_KEY.c.used_at.is_(None) | (API_KEY.c.used_at < now)
    c.execute(update(API_KEY).where(API_KEY.c.clinic_id == clinic_id, API_KEY.c.id == key_id, older).values(used_at=now))


def end(c: Connection, clinic_id: str, key_id: str, *, by: str, at: datetime) -> bool:
    """Let a key open nothing more; False if it was over already, or there is none."""
    mine = API_KEY.c.clinic_id == clinic_id, API_KEY.c.id == key_id, API_KEY.c.ended_at.is_(None)
    ended = c.execute(update(API_KEY).where(*mine).values(ended_at=at, ended_by=by)).rowcount == 1
    if ended:
        write_audit(c, clinic_id, Entry(at, by, "key ended", key_id))
    return ended


def end_of(c: Connection, clinic_id: str, staff_id: str, *, by: str, at: datetime) -> None:
    """End every key in a person's name: should they come back, their keys do not."""
    mine = API_KEY.c.clinic_id == clinic_id, API_KEY.c.staff_id == staff_id, API_KEY.c.ended_at.is_(None)
    for key_id in c.scalars(select(API_KEY.c.id).where(*mine)).all():
        end(c, clinic_id, key_id, by=by, at=at)


# Answers that are kept


def begin_answer(c: Connection, answer: Row) -> Row | None:
    """Keep that a request is being carried out; the row that is there already, if its mark was given before."""
    if insert_once(c, API_ANSWER, {**answer, "status": None, "body": ""}):
        return None
    return rows(c, select(API_ANSWER).where(*_of(answer)))[0]


def keep_answer(c: Connection, answer: Row, *, status: int, body: str) -> None:
    """Keep what a request was answered with."""
    c.execute(update(API_ANSWER).where(*_of(answer)).values(status=status, body=body))


def drop_answer(c: Connection, answer: Row) -> None:
    """Forget a request that changed nothing: it may be asked again."""
    c.execute(delete(API_ANSWER).where(*_of(answer)))


def forget_answers(c: Connection, *, before: datetime) -> int:
    """Delete the answers to what was asked before an instant; return how many."""
    return c.execute(delete(API_ANSWER).where(API_ANSWER.c.begun_at < before)).rowcount


def _of(answer: Row) -> tuple[ColumnElement[bool], ...]:
    names = "clinic_id", "key_id", "mark_hash"
    return tuple(API_ANSWER.c[name] == answer[name] for name in names)
