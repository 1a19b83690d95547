"""Accounts and what belongs to them, as rows: recovery codes, one-time links, sessions, and the tries to sign in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, select, update

from reminders.domain.roles import StaffRole
from reminders.domain.signing_in import IDLE, LONGEST, WINDOW, is_alive, within_window
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.ledger import (
    ACCOUNT,
    CLINIC,
    INVITATION,
    RECOVERY_CODE,
    SIGN_IN_GUARD,
    STAFF,
    STAFF_ROLE,
    WEB_SESSION,
    insert_all,
    insert_once,
    locked,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

SEEN_EVERY = timedelta(minutes=1)
"""So often at most a session's last use is written: each look at a page would be a write otherwise."""

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, and what they are at their clinic."""

    clinic_id: str
    staff_id: str
    name: str
    clinic: str
    roles: frozenset[StaffRole]


def any_account(c: Connection) -> bool:
    """Whether anybody can sign in at all."""
    return c.execute(select(ACCOUNT.c.staff_id).limit(1)).first() is not None


def of_login(c: Connection, login: str) -> Row | None:
    """The account of a name, if the person behind it is still on the list."""
    here = STAFF.c.clinic_id == ACCOUNT.c.clinic_id, STAFF.c.id == ACCOUNT.c.staff_id, STAFF.c.ended_at.is_(None)
    found = rows(c, select(ACCOUNT).join(STAFF, and_(*here)).where(ACCOUNT.c.login == login))
    return found[0] if found else None


def of_person(c: Connection, clinic_id: str, staff_id: str, *, lock: bool = False) -> Row | None:
    """A person's account, locked if it is to be changed."""
    wanted = select(ACCOUNT).where(ACCOUNT.c.clinic_id == clinic_id, ACCOUNT.c.staff_id == staff_id)
    found = rows(c, locked(c, wanted) if lock else wanted)
    return found[0] if found else None


def is_taken(c: Connection, login: str, *, but: str | None = None) -> bool:
    """Whether somebody (but one) signs in by this name, on the list or not."""
    others = select(ACCOUNT.c.staff_id).where(ACCOUNT.c.login == login)
    return c.execute(others if but is None else others.where(ACCOUNT.c.staff_id != but)).first() is not None


def put(c: Connection, account: Row, recovery: Iterable[str], *, at: datetime) -> None:
    """Store an account, or what is new about it, with new recovery codes; whoever was signed in by it is no more."""
    whose = {"clinic_id": account["clinic_id"], "staff_id": account["staff_id"]}
    if of_person(c, **whose, lock=True) is None:
        insert_all(c, ACCOUNT, [{**account, "created_at": at}])
    else:
        mine = ACCOUNT.c.clinic_id == whose["clinic_id"], ACCOUNT.c.staff_id == whose["staff_id"]
        c.execute(update(ACCOUNT).where(*mine).values({key: account[key] for key in account.keys() - whose.keys()}))
    replace_recovery_codes(c, whose["clinic_id"], whose["staff_id"], recovery)
    end_sessions(c, whose["clinic_id"], whose["staff_id"])
    write_audit(c, whose["clinic_id"], Entry(at, _name(c, **whose), "account set up", whose["staff_id"]))


def _name(c: Connection, clinic_id: str, staff_id: str) -> str:
    return str(c.scalar(select(STAFF.c.name).where(STAFF.c.clinic_id == clinic_id, STAFF.c.id == staff_id)))


def replace_recovery_codes(c: Connection, clinic_id: str, staff_id: str, kept: Iterable[str]) -> None:
    """Let these recovery codes be good, and no others."""
    c.execute(delete(RECOVERY_CODE).where(RECOVERY_CODE.c.clinic_id == clinic_id, RECOVERY_CODE.c.staff_id == staff_id))
    insert_all(c, RECOVERY_CODE, [{"clinic_id": clinic_id, "staff_id": staff_id, "code_hash": code} for code in kept])


def use_recovery_code(c: Connection, clinic_id: str, staff_id: str, kept: str) -> bool:
    """Use a recovery code up; False if it is none, or was used, here or by another replica."""
    mine = RECOVERY_CODE.c.clinic_id == clinic_id, RECOVERY_CODE.c.staff_id == staff_id, RECOVERY_CODE.c.code_hash == kept
    return c.execute(delete(RECOVERY_CODE).where(*mine)).rowcount == 1


def recovery_codes_left(c: Connection, clinic_id: str, staff_id: str) -> int:
    """How many recovery codes are still good."""
    mine = RECOVERY_CODE.c.clinic_id == clinic_id, RECOVERY_CODE.c.staff_id == staff_id
    return int(c.scalar(select(func.count()).select_from(RECOVERY_CODE).where(*mine)) or 0)


def use_step(c: Connection, clinic_id: str, staff_id: str, step: int) -> bool:
    """Use a code's step up; False if it, or a later one, was used meanwhile, here or by another replica."""
    newer = ACCOUNT.c.totp_step.is_(None) | (ACCOUNT.c.totp_step < step)
    mine = ACCOUNT.c.clinic_id == clinic_id, ACCOUNT.c.staff_id == staff_id, newer
    return c.execute(update(ACCOUNT).where(*mine).values(totp_step=step)).rowcount == 1


# One-time links


def invite(c: Connection, invitation: Row) -> None:
    """Store a one-time link; an older one for the same person is good no more."""
    staff_id = invitation["staff_id"]
    same = INVITATION.c.staff_id.is_(None) if staff_id is None else INVITATION.c.staff_id == staff_id
    c.execute(delete(INVITATION).where(same, INVITATION.c.clinic_id == invitation["clinic_id"] if staff_id is not None else same))
    insert_all(c, INVITATION, [invitation])


def invitation(c: Connection, token_hash: str, now: datetime) -> Row | None:
    """A one-time link that is still good, with the name of the person and the clinic it is for."""
    whose = and_(STAFF.c.clinic_id == INVITATION.c.clinic_id, STAFF.c.id == INVITATION.c.staff_id)
    wanted = (
        select(INVITATION, STAFF.c.name, STAFF.c.ended_at, CLINIC.c.name.label("clinic"))
        .outerjoin(STAFF, whose)
        .outerjoin(CLINIC, CLINIC.c.id == INVITATION.c.clinic_id)
        .where(INVITATION.c.token_hash == token_hash, INVITATION.c.expires_at > now)
    )
    found = rows(c, wanted)
    return found[0] if found and found[0]["ended_at"] is None else None


def use_invitation(c: Connection, token_hash: str) -> bool:
    """Use a one-time link up; False if it was used meanwhile."""
    return c.execute(delete(INVITATION).where(INVITATION.c.token_hash == token_hash)).rowcount == 1


# Sessions


def begin_session(c: Connection, token_hash: str, clinic_id: str, staff_id: str, *, at: datetime) -> None:
    """Store that somebody signed in."""
    insert_all(c, WEB_SESSION, [{"token_hash": token_hash, "clinic_id": clinic_id, "staff_id": staff_id, "created_at": at, "seen_at": at}])
    write_audit(c, clinic_id, Entry(at, _name(c, clinic_id, staff_id), "signed in", staff_id))


def session(c: Connection, token_hash: str, now: datetime) -> tuple[Person, bool] | None:
    """Whose session it is, if it holds and the person is on the list; and whether its use should be noted."""
    whose = and_(STAFF.c.clinic_id == WEB_SESSION.c.clinic_id, STAFF.c.id == WEB_SESSION.c.staff_id)
    wanted = (
        select(WEB_SESSION, STAFF.c.name, CLINIC.c.name.label("clinic"))
        .join(STAFF, whose)
        .join(CLINIC, CLINIC.c.id == WEB_SESSION.c.clinic_id)
        .where(WEB_SESSION.c.token_hash == token_hash, STAFF.c.ended_at.is_(None))
    )
    found = rows(c, wanted)
    if not found or not is_alive(found[0]["created_at"], found[0]["seen_at"], now):
        return None
    row = found[0]
    mine = STAFF_ROLE.c.clinic_id == row["clinic_id"], STAFF_ROLE.c.staff_id == row["staff_id"]
    roles = frozenset(StaffRole(role) for role in c.scalars(select(STAFF_ROLE.c.role).where(*mine)))
    person = Person(row["clinic_id"], row["staff_id"], row["name"], row["clinic"], roles)
    return person, now - row["seen_at"] >= SEEN_EVERY


def note_use(c: Connection, token_hash: str, now: datetime) -> None:
    """Note that a session is in use."""
    c.execute(update(WEB_SESSION).where(WEB_SESSION.c.token_hash == token_hash, WEB_SESSION.c.seen_at < now).values(seen_at=now))


def end_session(c: Connection, token_hash: str) -> None:
    """End one session; it is no error if there is none."""
    c.execute(delete(WEB_SESSION).where(WEB_SESSION.c.token_hash == token_hash))


def end_sessions(c: Connection, clinic_id: str, staff_id: str, *, but: str | None = None) -> int:
    """End all of a person's sessions (but one); return how many."""
    mine = delete(WEB_SESSION).where(WEB_SESSION.c.clinic_id == clinic_id, WEB_SESSION.c.staff_id == staff_id)
    return c.execute(mine if but is None else mine.where(WEB_SESSION.c.token_hash != but)).rowcount


# Guessing


def count_try(c: Connection, key: str, now: datetime, *, most: int) -> bool:
    """Count a try to sign in under a key; False if there were `most` within the window already, and then it counts for nothing."""
    insert_once(c, SIGN_IN_GUARD, {"key": key, "tries": "", "last_at": now})
    (row,) = rows(c, locked(c, select(SIGN_IN_GUARD).where(SIGN_IN_GUARD.c.key == key)))
    before = within_window([EPOCH + timedelta(seconds=int(at)) for at in row["tries"].split()], now)
    if len(before) >= most:
        return False
    tries = " ".join(str(int((at - EPOCH).total_seconds())) for at in (*before, now))
    c.execute(update(SIGN_IN_GUARD).where(SIGN_IN_GUARD.c.key == key).values(tries=tries, last_at=now))
    return True


def may_try(c: Connection, key: str, now: datetime, *, most: int) -> bool:
    """Whether a try under a key would still count, without counting one."""
    tries = c.scalar(select(SIGN_IN_GUARD.c.tries).where(SIGN_IN_GUARD.c.key == key)) or ""
    return len(within_window([EPOCH + timedelta(seconds=int(at)) for at in tries.split()], now)) < most


def forget_tries(c: Connection, key: str) -> None:
    """Begin the count under a key again: whoever it was, it was the right one."""
    c.execute(delete(SIGN_IN_GUARD).where(SIGN_IN_GUARD.c.key == key))


def forget_ended(c: Connection, *, now: datetime) -> int:
    """Delete sessions, links and tries that are over; return how many."""
    over = (
        delete(WEB_SESSION).where(WEB_SESSION.c.seen_at <= now - IDLE),
        delete(WEB_SESSION).where(WEB_SESSION.c.created_at <= now - LONGEST),
        delete(INVITATION).where(INVITATION.c.expires_at <= now),
        delete(SIGN_IN_GUARD).where(SIGN_IN_GUARD.c.last_at <= now - WINDOW),
    )
    return sum(c.execute(statement).rowcount for statement in over)
