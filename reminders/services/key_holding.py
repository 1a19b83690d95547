"""Holding keys: what a program proves itself with, in whose name it acts and for how long; and that none of its requests is done twice.

A key is 256 random bits. Nobody can try them all, so a fast hash keeps them as well as a slow one would (it is for what people choose
that hashing must be slow), and each request costs one look into an index.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.domain.roles import Right, StaffRole
from reminders.domain.signing_in import KEY_HOLDS, KEY_HOLDS_LONGEST
from reminders.errors import NotAllowed, NotFound
from reminders.services.records import api_keys, staff
from reminders.services.records.accounts import Person
from reminders.services.records.api_keys import Key
from reminders.services.records.ledger import new_id

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Engine

    from reminders.services.records.ledger import Row

__all__ = [
    "KEY_HOLDS",
    "KEY_HOLDS_LONGEST",
    "OPERATOR",
    "Answered",
    "Asker",
    "Asking",
    "Key",
    "begin",
    "drop",
    "end",
    "keep",
    "listed",
    "make",
    "who",
]

PREFIX = "doseline_key_"
"""With this a key begins, so that what looks for secrets in files finds one that was left in them."""

OPERATOR = "command line"

_SHAPE = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks with a key. `engine` is the ledger with no more rights than the key has: everything is asked through it."""

    key_id: str
    person: Person
    engine: Engine


def make(
    engine: Engine,
    clinic_id: str,
    holder: str,
    name: str,
    roles: Collection[StaffRole],
    *,
    by: str,
    now: datetime,
    holds: timedelta = KEY_HOLDS,
) -> tuple[Key, str]:
    """Make a key that acts in the name of a person on the list; return it, and what opens: shown this once and kept nowhere.

    Raises NotFound for nobody of that name, NotAllowed for a role that they do not have, for no role, for a span that is too long, and
    where `by` does not say who works here.
    """
    if not roles:
        raise NotAllowed("a key has a role of its person's: provider, staff or admin")
    if not timedelta() < holds <= KEY_HOLDS_LONGEST:
        raise NotAllowed(f"a key is good for 1 to {KEY_HOLDS_LONGEST.days} days")
    token = PREFIX + secrets.token_urlsafe(32)
    with writing(engine) as c:
        _may(c, clinic_id, by)
        member = staff.listed(c, clinic_id, [holder]).get(holder)
        if member is None or member.ended_at is not None:
            raise NotFound(f"nobody on the list of {clinic_id} is called {holder!r}")
        if beyond := sorted(role.value for role in set(roles) - member.roles):
            raise NotAllowed(f"{holder} is not {' or '.join(beyond)}: a key has at most the roles of its person")
        key = {
            "clinic_id": clinic_id,
            "id": new_id(),
            "staff_id": member.id,
            "name": name,
            "key_hash": kept(token),
            "made_by": by,
            "created_at": now,
            "expires_at": now + holds,
        }
        api_keys.add(c, key, roles)
        return next(one for one in api_keys.listed(c, clinic_id) if one.id == key["id"]), token


def listed(engine: Engine, clinic_id: str) -> tuple[Key, ...]:
    """The keys of a clinic, the newest first; those that are over among them."""
    with reading(engine) as c:
        return api_keys.listed(c, clinic_id)


def end(engine: Engine, clinic_id: str, key_id: str, *, by: str, now: datetime) -> None:
    """Let a key open nothing more. Raises NotFound where there is none of that id that is good, NotAllowed as `make` does."""
    with writing(engine) as c:
        _may(c, clinic_id, by)
        if not api_keys.end(c, clinic_id, key_id, by=by, at=now):
            raise NotFound(f"there is no key {key_id!r} to end")


def who(engine: Engine, token: str, *, now: datetime) -> Asker | None:
    """Who asks with a key; None where it opens nothing: unknown, ended, too old, or its person has left. Writes once a minute at most."""
    if not _SHAPE.fullmatch(token):
        return None
    with reading(engine) as c:
        found = api_keys.caller(c, kept(token), now)
    if found is None:
        return None
    if found.is_old:
        with writing(engine) as c:
            api_keys.note_use(c, found.key_id, found.person.clinic_id, now)
    return Asker(found.key_id, found.person, staff.lending(engine, found.person.roles))


def kept(token: str) -> str:
    """What is kept of a key, and of a caller's mark."""
    return hashlib.sha256(token.encode()).hexdigest()


def _may(c: Connection, clinic_id: str, by: str) -> None:
    if by != OPERATOR:  # who runs commands on the machine holds its keys, and is on no list
        staff.require(c, clinic_id, by, Right.ADMINISTER)


# Nothing twice


@dataclass(frozen=True, slots=True)
class Asking:
    """A request that its caller has marked, so that it is carried out once however often it is sent. `asked`: all that it says."""

    asker: Asker
    mark: str
    asked: bytes

    @property
    def row(self) -> Row:
        """Its key in the ledger."""
        whose = {"clinic_id": self.asker.person.clinic_id, "key_id": self.asker.key_id}
        return {**whose, "mark_hash": kept(self.mark), "request_hash": hashlib.sha256(self.asked).hexdigest()}


@dataclass(frozen=True, slots=True)
class Answered:
    """What a marked request was answered with before.

    `is_same`: whether the same was asked. `status` None: it is being carried out, or broke off, and nobody can say whether it was done.
    """

    is_same: bool
    status: int | None
    body: str


def begin(engine: Engine, asking: Asking, *, now: datetime) -> Answered | None:
    """Begin a marked request: None where it is new; else how it was answered, and then it must not be carried out."""
    with writing(engine) as c:
        before = api_keys.begin_answer(c, {**asking.row, "begun_at": now})
    if before is None:
        return None
    return Answered(before["request_hash"] == asking.row["request_hash"], before["status"], before["body"])


def keep(engine: Engine, asking: Asking, *, status: int, body: str) -> None:
    """Keep what a marked request was answered with."""
    with writing(engine) as c:
        api_keys.keep_answer(c, asking.row, status=status, body=body)


def drop(engine: Engine, asking: Asking) -> None:
    """Forget a marked request that was refused: it changed nothing, and may be sent again."""
    with writing(engine) as c:
        api_keys.drop_answer(c, asking.row)
