"""Conversations that a person at the clinic has taken over: one row each, kept for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import BindParameter, bindparam, select, update

from db.types import UtcDateTime
from reminders.domain.taking_over import HOLDS_FOR, Takeover, in_whose_hands
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.ledger import TAKEOVER, asked, by, insert_all, new_id

if TYPE_CHECKING:
    from sqlalchemy import Connection

_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_SINCE = select(TAKEOVER).where(TAKEOVER.c.patient_id.in_(_IDS), TAKEOVER.c.until > bindparam("since", type_=UtcDateTime))
_LATEST = _SINCE.order_by(TAKEOVER.c.began_at.desc(), TAKEOVER.c.id)


def holding(c: Connection, patient_ids: Sequence[str], *, written_at: datetime, now: datetime) -> dict[str, str]:
    """Who has the conversations of some patients in hand, by patient, for a text written at one instant and read at another."""
    if not patient_ids:
        return {}
    found = by("patient_id", asked(c, _LATEST, ids=list(patient_ids), since=min(written_at, now)))
    held = {
        patient_id: in_whose_hands(
            tuple(Takeover(row["by"], row["began_at"], row["until"], row["ended_at"]) for row in mine), written_at=written_at, now=now
        )
        for patient_id, mine in found.items()
    }
    return {patient_id: holder for patient_id, holder in held.items() if holder is not None}


def standing(c: Connection, patient_id: str, *, now: datetime) -> Takeover | None:
    """Who has a patient's conversation in hand now."""
    found = asked(c, _LATEST, ids=[patient_id], since=now)
    every = (Takeover(row["by"], row["began_at"], row["until"], row["ended_at"]) for row in found)
    return next((takeover for takeover in every if takeover.holds(now)), None)


def begin(c: Connection, clinic_id: str, patient_id: str, *, who: str, now: datetime) -> Takeover:
    """Put a patient's conversation into somebody's hands, from whoever had it."""
    _end(c, patient_id, who=who, now=now)
    taken = Takeover(who, now, now + HOLDS_FOR)
    row = {"clinic_id": clinic_id, "id": new_id(), "patient_id": patient_id, "by": who, "began_at": now, "until": taken.until}
    insert_all(c, TAKEOVER, [row])
    write_audit(c, clinic_id, Entry(now, who, "conversation taken over", patient_id, f"until {taken.until:%Y-%m-%dT%H:%M}Z"))
    return taken


def end(c: Connection, clinic_id: str, patient_id: str, *, who: str, now: datetime) -> bool:
    """Hand a patient's conversation back to the machine; False if nobody had it."""
    ended = _end(c, patient_id, who=who, now=now)
    if ended:
        write_audit(c, clinic_id, Entry(now, who, "conversation handed back", patient_id))
    return ended


def _end(c: Connection, patient_id: str, *, who: str, now: datetime) -> bool:
    open_ones = (TAKEOVER.c.patient_id == patient_id, TAKEOVER.c.until > now, TAKEOVER.c.ended_at.is_(None))
    return c.execute(update(TAKEOVER).where(*open_ones).values(ended_at=now, ended_by=who)).rowcount > 0
