"""System admins, who run the installation and belong to no clinic: one row each, with how they sign in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from reminders.domain.signing_in import is_alive
from reminders.services.records.accounts import SEEN_EVERY
from reminders.services.records.audit import Entry, write_everywhere
from reminders.services.records.ledger import SYSTEM_ADMIN, insert_all, new_id, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row


@dataclass(frozen=True, slots=True)
class Operator:
    """A system admin who is signed in. They have no clinic, so nothing that asks for one can be asked by them."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A system admin on the list: whether they have set up how they sign in, and since when they are on it, or until when they were."""

    id: str
    name: str
    signs_in: bool
    added_at: datetime
    ended_at: datetime | None


def listed(c: Connection) -> tuple[Listed, ...]:
    """Everybody on the list, by name, those who left among them."""
    return tuple(
        Listed(row["id"], row["name"], row["login"] is not None, row["created_at"], row["ended_at"])
        for row in rows(c, select(SYSTEM_ADMIN).order_by(SYSTEM_ADMIN.c.name))
    )


def any_login(c: Connection) -> bool:
    """Whether any of them can sign in."""
    wanted = select(SYSTEM_ADMIN.c.id).where(SYSTEM_ADMIN.c.login.is_not(None), SYSTEM_ADMIN.c.ended_at.is_(None)).limit(1)
    return c.execute(wanted).first() is not None


def of_name(c: Connection, name: str) -> Row | None:
    """A system admin by name, one who left too."""
    return _only(c, SYSTEM_ADMIN.c.name == name)


def of_login(c: Connection, login: str) -> Row | None:
    """Who signs in by a name, if they are still on the list."""
    return _only(c, (SYSTEM_ADMIN.c.login == login) & SYSTEM_ADMIN.c.ended_at.is_(None))


def is_taken(c: Connection, login: str, *, but: str | None = None) -> bool:
    """Whether one of them (but one) signs in by this name."""
    found = _only(c, SYSTEM_ADMIN.c.login == login)
    return found is not None and found["id"] != but


def add(c: Connection, name: str, *, by: str, at: datetime) -> str:
    """Put somebody on the list, or back on it; return their id. Who comes back sets up anew how they sign in."""
    known = of_name(c, name)
    operator_id = known["id"] if known else new_id()
    if known is None:
        insert_all(c, SYSTEM_ADMIN, [{"id": operator_id, "name": name, "created_at": at}])
    else:
        _change(c, operator_id, ended_at=None)
    write_everywhere(c, Entry(at, by, "system admin listed", operator_id))
    return str(operator_id)


def end(c: Connection, operator_id: str, *, by: str, at: datetime) -> None:
    """Let somebody be signed in no more, and have no link that is good."""
    gone = dict.fromkeys(("login", "password_hash", "totp_secret", "totp_step", "link_hash", "link_secret", "link_until", "session_hash"))
    _change(c, operator_id, ended_at=at, recovery="", **gone)
    write_everywhere(c, Entry(at, by, "system admin ended", operator_id))


def invite(c: Connection, operator_id: str, *, link_hash: str, secret: str, until: datetime, by: str, at: datetime) -> None:
    """Store a one-time link of somebody; an older one is good no more."""
    _change(c, operator_id, link_hash=link_hash, link_secret=secret, link_until=until)
    write_everywhere(c, Entry(at, by, "system link made", operator_id))


def invited(c: Connection, link_hash: str, now: datetime) -> Row | None:
    """Whose one-time link it is, if it is still good."""
    return _only(c, (SYSTEM_ADMIN.c.link_hash == link_hash) & (SYSTEM_ADMIN.c.link_until > now) & SYSTEM_ADMIN.c.ended_at.is_(None))


def put(c: Connection, row: Row, *, login: str, password_hash: str, step: int, recovery: Iterable[str], at: datetime) -> bool:
    """Store how somebody signs in, by their link, which is used up; False if it was used meanwhile. Whoever was signed in is no more."""
    values = {
        "login": login,
        "password_hash": password_hash,
        "totp_secret": row["link_secret"],
        "totp_step": step,
        "recovery": " ".join(recovery),
        **dict.fromkeys(("link_hash", "link_secret", "link_until", "session_hash")),
    }
    if not _change(c, row["id"], SYSTEM_ADMIN.c.link_hash == row["link_hash"], **values):
        return False
    write_everywhere(c, Entry(at, row["name"], "system account set up", row["id"]))
    return True


def use_step(c: Connection, operator_id: str, step: int) -> bool:
    """Use a code's step up; False if it, or a later one, was used meanwhile."""
    return _change(c, operator_id, SYSTEM_ADMIN.c.totp_step.is_(None) | (SYSTEM_ADMIN.c.totp_step < step), totp_step=step)


def use_recovery_code(c: Connection, row: Row, kept: str) -> bool:
    """Use a recovery code up; False if it is none, or was used meanwhile."""
    codes = row["recovery"].split()
    rest = " ".join(code for code in codes if code != kept)
    return kept in codes and _change(c, row["id"], SYSTEM_ADMIN.c.recovery == row["recovery"], recovery=rest)


def begin_session(c: Connection, row: Row, session_hash: str, *, at: datetime) -> None:
    """Store that somebody signed in; where they were signed in before, they are no more."""
    _change(c, row["id"], session_hash=session_hash, session_began_at=at, session_seen_at=at)
    write_everywhere(c, Entry(at, row["name"], "system admin signed in", row["id"]))


def session(c: Connection, session_hash: str, now: datetime) -> tuple[Operator, bool] | None:
    """Whose session it is, if it holds; and whether its use should be noted."""
    row = _only(c, (SYSTEM_ADMIN.c.session_hash == session_hash) & SYSTEM_ADMIN.c.ended_at.is_(None))
    if row is None or not is_alive(row["session_began_at"], row["session_seen_at"], now):
        return None
    return Operator(row["id"], row["name"]), now - row["session_seen_at"] >= SEEN_EVERY


def note_use(c: Connection, session_hash: str, now: datetime) -> None:
    """Note that a session is in use."""
    c.execute(update(SYSTEM_ADMIN).where(SYSTEM_ADMIN.c.session_hash == session_hash).values(session_seen_at=now))


def end_session(c: Connection, session_hash: str) -> None:
    """End a session; it is no error if there is none."""
    c.execute(update(SYSTEM_ADMIN).where(SYSTEM_ADMIN.c.session_hash == session_hash).values(session_hash=None))


def _only(c: Connection, wanted: object) -> Row | None:
    found = rows(c, select(SYSTEM_ADMIN).where(wanted))  # type: ignore[arg-type]  # a condition on its columns
    return found[0] if found else None


def _change(c: Connection, operator_id: str, *only_if: object, **values: object) -> bool:
    changed = update(SYSTEM_ADMIN).where(SYSTEM_ADMIN.c.id == operator_id, *only_if)  # type: ignore[arg-type]  # conditions on its columns
    return c.execute(changed.values(values)).rowcount == 1
