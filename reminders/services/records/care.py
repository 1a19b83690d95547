"""What caregivers and proxies may see, as the patient agreed, and the links to their pages: each known by its hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from reminders.domain.caring import LINK_HOLDS, Grant, Sees, granted
from reminders.domain.contact import Contactable, Role
from reminders.messaging.transport import SECRET
from reminders.services.records import people
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.ledger import ALERT, CARE_GRANT, CARE_LINK, insert_all, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Line, Patient

KIND = "care_link"
"""Of the text that carries a link, and of its wording."""


TOLD = "caregivers_told"
"""The alert that a caregiver was told; its cause ends with the id of their role."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the patient agreed that somebody may see: who said so and when, and who at the clinic noted it."""

    grant: Grant
    agreed_by: str
    agreed_at: datetime
    noted_by: str
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a link: a person around a patient, by their phone; what they may see and say; until when (UTC).

    seen_at  when the link was looked at (UTC), by the clock that links go by: doses may go by another.
    """

    token_hash: str
    patient: Patient
    line: Line
    grant: Grant
    expires_at: datetime
    seen_at: datetime


def of_roles(c: Connection, role_ids: Iterable[str]) -> dict[str, Agreed]:
    """What holds for people around patients, by the id of their role; of whom nothing is on record, none."""
    wanted = select(CARE_GRANT).where(CARE_GRANT.c.contact_role_id.in_(list(role_ids))).order_by(CARE_GRANT.c.no)
    return {row["contact_role_id"]: _agreed(row) for row in rows(c, wanted)}


def _agreed(row: Row) -> Agreed:
    grant = Grant(Sees(row["sees"]), answers=row["answers"])
    return Agreed(grant, row["agreed_by"], row["agreed_at"], row["noted_by"], row["noted_at"])


def agree(c: Connection, patient: Patient, line: Line, agreed: Agreed) -> None:
    """Note what holds for somebody from now on. What held before stays on record."""
    mine = select(CARE_GRANT.c.no).where(CARE_GRANT.c.contact_role_id == line.role_id).order_by(CARE_GRANT.c.no.desc()).limit(1)
    row = {
        "clinic_id": patient.clinic.id,
        "contact_role_id": line.role_id,
        "no": (c.scalar(mine) or 0) + 1,
        "sees": agreed.grant.sees.value,
        "answers": agreed.grant.answers,
        "agreed_by": agreed.agreed_by,
        "agreed_at": agreed.agreed_at,
        "noted_by": agreed.noted_by,
        "noted_at": agreed.noted_at,
    }
    insert_all(c, CARE_GRANT, [row])


def around(patient: Patient) -> tuple[Line, ...]:
    """The people around a patient who can have a page: proxies and caregivers."""
    return tuple(line for line in patient.lines if line.role is not Role.PATIENT)


def grant_of(c: Connection, line: Line) -> Grant:
    """What somebody may see, and say."""
    agreed = of_roles(c, [line.role_id]).get(line.role_id)
    return granted(line.role, agreed.grant if agreed else None)


def told_of(c: Connection, holder: Holder, *, since: datetime) -> list[Row]:
    """The alerts that somebody was told of since an instant, and those still open; newest first."""
    wanted = (
        ALERT.c.patient_id == holder.patient.id,
        ALERT.c.kind == TOLD,
        ALERT.c.cause.endswith(f" {holder.line.role_id}", autoescape=True),
        ALERT.c.closed_at.is_(None) | (ALERT.c.raised_at >= since),
    )
    return rows(c, select(ALERT).where(*wanted).order_by(ALERT.c.raised_at.desc(), ALERT.c.id))


def reader_at(patient: Patient, contact_point_id: str) -> Line | None:
    """Who of those around a patient reads what is sent to a number: the proxy, if it is one."""
    mine = [line for line in around(patient) if line.contact_point_id == contact_point_id]
    return min(mine, key=lambda line: line.role is not Role.PROXY, default=None)


def with_secret(c: Connection, patient: Patient, text: Row, *, now: datetime) -> str:
    """Make the link that a text carries, at the moment it is sent: its words with the secret, which nothing of ours keeps."""
    line = reader_at(patient, text["contact_point_id"])
    assert line is not None  # noqa: S101 - the last look has just seen to it
    token = new_token()
    keep_link(c, patient, line, kept(token), by=line.role.value, at=now)
    write_audit(c, patient.clinic.id, Entry(now, line.role.value, "caregiver's link made", line.role_id, "asked for by text"))
    return str(text["body"]).replace(SECRET, token)


def keep_link(c: Connection, patient: Patient, line: Line, token_hash: str, *, by: str, at: datetime) -> None:
    """Store a link; an older one of the same person is good no more."""
    revoke(c, line.role_id)
    row = {
        "token_hash": token_hash,
        "clinic_id": patient.clinic.id,
        "contact_role_id": line.role_id,
        "contact_point_id": line.contact_point_id,
        "patient_id": patient.id,
        "made_by": by,
        "created_at": at,
        "expires_at": at + LINK_HOLDS,
    }
    insert_all(c, CARE_LINK, [row])


def holder(c: Connection, token_hash: str, *, now: datetime) -> Holder | None:
    """Who holds a link that is good.

    It is good for a week, and only while the person it was made for is still around the patient, at the number they had then, and
    that number may be texted: who ended the texts, or never asked for them, has no page either.
    """
    found = rows(c, select(CARE_LINK).where(CARE_LINK.c.token_hash == token_hash, CARE_LINK.c.expires_at > now))
    if not found:
        return None
    link = found[0]
    patient = people.patients(c, [link["patient_id"]])[link["patient_id"]]
    mine = (
        line for line in around(patient) if (line.role_id, line.contact_point_id) == (link["contact_role_id"], link["contact_point_id"])
    )
    line = next(mine, None)
    if line is None or not isinstance(line.may_text, Contactable):
        return None
    return Holder(token_hash, patient, line, grant_of(c, line), link["expires_at"], now)


def opened(c: Connection, token_hash: str, *, at: datetime) -> bool:
    """Note when a link was first opened; say whether this was the first time."""
    first = CARE_LINK.c.token_hash == token_hash, CARE_LINK.c.opened_at.is_(None)
    return c.execute(update(CARE_LINK).where(*first).values(opened_at=at)).rowcount == 1


def links_of(c: Connection, role_ids: Iterable[str], *, now: datetime) -> dict[str, datetime]:
    """Until when the links of some people are good, by the id of their role."""
    wanted = select(CARE_LINK).where(CARE_LINK.c.contact_role_id.in_(list(role_ids)), CARE_LINK.c.expires_at > now)
    return {row["contact_role_id"]: row["expires_at"] for row in rows(c, wanted)}


def revoke(c: Connection, role_id: str) -> None:
    """End the links of a person around a patient."""
    c.execute(delete(CARE_LINK).where(CARE_LINK.c.contact_role_id == role_id))


def forget_ended(c: Connection, *, now: datetime) -> int:
    """Delete links whose time is over; return how many."""
    return c.execute(delete(CARE_LINK).where(CARE_LINK.c.expires_at <= now)).rowcount


def new_token() -> str:
    """Make what stands in a link: 256 random bits, 43 characters."""
    return secrets.token_urlsafe(32)


def kept(token: str) -> str:
    """What is kept of it."""
    return hashlib.sha256(token.encode()).hexdigest()
