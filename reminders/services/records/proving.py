"""The codes by which numbers are proved: asked for by somebody at the clinic, sent as texts, kept as hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, update

from reminders.domain.contact import Refused, Role, WhyNot
from reminders.domain.proving import DIGITS, HOLDS, MOST_TRIES, Proof, judge, next_code_at
from reminders.services.records import alerts, people, texts
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.ledger import NUMBER_CHECK, TEXT_OUT, asked, by, insert_all, new_id
from reminders.services.records.texts import Draft

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Line, Patient

KIND = "verification"
ABOUT_NUMBERS = ("wrong_number", "number_unusable")
"""The alerts that a number is not the patient's, or takes no text: a code that comes back answers them."""

_OF_PATIENT = (
    select(NUMBER_CHECK, TEXT_OUT.c.state.label("text_state"), TEXT_OUT.c.status, TEXT_OUT.c.error_code)
    .join(TEXT_OUT, (TEXT_OUT.c.id == NUMBER_CHECK.c.text_id) & (TEXT_OUT.c.clinic_id == NUMBER_CHECK.c.clinic_id))
    .where(NUMBER_CHECK.c.contact_point_id.in_(bindparam("points", expanding=True)), NUMBER_CHECK.c.patient_id == bindparam("patient"))
    .order_by(NUMBER_CHECK.c.asked_at, NUMBER_CHECK.c.id)
)
_WAITING = (
    select(NUMBER_CHECK)
    .where(NUMBER_CHECK.c.contact_point_id == bindparam("point"), NUMBER_CHECK.c.proved_at.is_(None))
    .order_by(NUMBER_CHECK.c.asked_at, NUMBER_CHECK.c.id)
)


@dataclass(frozen=True, slots=True)
class Code:
    """The newest code to a number for a patient. `tries_left`: how often it may still be said; `next_at`: when another may be sent (UTC).

    `status`: what the carrier, or else our outbox, last said of its text; `error_code`: the carrier's, if it failed.
    """

    id: str
    asked_at: datetime
    tries: int
    proved: bool
    next_at: datetime
    status: str
    error_code: int | None

    @property
    def until(self) -> datetime:
        """Until when it is good (UTC)."""
        return self.asked_at + HOLDS

    @property
    def tries_left(self) -> int:
        """How many more wrong ones may be said."""
        return max(0, MOST_TRIES - self.tries)

    def is_open(self, now: datetime) -> bool:
        """Whether it can still come back."""
        return not self.proved and now < self.until and self.tries_left > 0


def codes(c: Connection, patient: Patient, *, now: datetime) -> dict[str, Code]:
    """The newest code to each of the patient's numbers, by contact point."""
    found = by("contact_point_id", _read(c, patient, (line.contact_point_id for line in patient.lines)))
    return {point: _code(checks, now) for point, checks in found.items()}


def send(c: Connection, patient: Patient, line: Line, *, by: str, now: datetime) -> bool:
    """Text a new code to a line that is not proved; say whether one was sent. An older one is good no more.

    None is sent where STOP stands on the number, without consent, or so soon after others that it would be a nuisance.
    """
    before = [row["asked_at"] for row in _read(c, patient, [line.contact_point_id])]
    if line.may_text != Refused(WhyNot.UNVERIFIED) or next_code_at(before, now) > now:
        return False
    check_id, code = new_id(), f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    texts.cancel_queued(c, contact_point_id=line.contact_point_id, patient_id=patient.id, kinds=[KIND])
    draft = Draft("number_check", KIND, f"code:{check_id}", fields={"code": code}, expires_at=now + HOLDS)
    row = {
        "clinic_id": patient.clinic.id,
        "id": check_id,
        "contact_point_id": line.contact_point_id,
        "patient_id": patient.id,
        "code_hash": _kept(check_id, code),
        "text_id": texts.queue(c, patient, line, draft, now=now),
        "asked_by": by,
        "asked_at": now,
        "tries": 0,
    }
    insert_all(c, NUMBER_CHECK, [row])
    write_audit(c, patient.clinic.id, Entry(now, by, "code sent", line.contact_point_id))
    return True


def said(c: Connection, patient: Patient, line: Line, code: str, *, at: datetime, by: str, now: datetime) -> Proof | None:
    """Take a code that somebody said at an instant; where it is the one that was sent, the number is proved. None: no code waits.

    The patient must be locked: five tries are five.
    """
    known = _read(c, patient, [line.contact_point_id])
    if not known or known[-1]["proved_at"] is not None:
        return None
    newest = known[-1]
    is_it = _is_it(newest, code)
    proof = judge(asked_at=newest["asked_at"], tries=newest["tries"], is_it=is_it, now=at)
    if proof is Proof.PROVED:
        _write(c, newest, proved_at=now, proved_by=by)
        _proved(c, patient, line, by=by, now=now)
    elif proof is Proof.WRONG:
        _write(c, newest, tries=newest["tries"] + 1)
        write_audit(c, patient.clinic.id, Entry(now, by, "wrong code", line.contact_point_id))
    return proof


def waits_at(c: Connection, contact_point_id: str, code: str) -> list[str]:
    """The patients for whom a code to a number has not come back; those of whom it is the newest only, if there are any."""
    waiting = asked(c, _WAITING, point=contact_point_id)
    newest = {row["patient_id"]: row for row in waiting}
    return [patient_id for patient_id, row in newest.items() if _is_it(row, code)] or list(newest)


def _is_it(check: Row, code: str) -> bool:
    return hmac.compare_digest(check["code_hash"], _kept(check["id"], code))


def _proved(c: Connection, patient: Patient, line: Line, *, by: str, now: datetime) -> None:
    """Let the number be texted from now on, say so to it once, and close what was open about it."""
    people.prove(c, patient, line, at=now)
    write_audit(c, patient.clinic.id, Entry(now, by, "number verified", line.contact_point_id))
    fresh = people.patients(c, [patient.id])[patient.id]
    for alert in alerts.open_alerts(c, patient_ids=[patient.id], kinds=ABOUT_NUMBERS):
        alerts.close(c, alert, reason="a code came back from the number", by=by, at=now)
    if line.role is not Role.CAREGIVER:  # the words are for who takes the medicine, or gives it
        mine = next(one for one in fresh.lines if one.role_id == line.role_id)
        texts.queue(c, fresh, mine, Draft("consent_done", "opt-in", f"proved:{line.role_id}:{now:%Y%m%dT%H%M%S}"), now=now)


def _read(c: Connection, patient: Patient, points: Iterable[str]) -> list[Row]:
    return asked(c, _OF_PATIENT, points=sorted(set(points)), patient=patient.id)


def _code(checks: list[Row], now: datetime) -> Code:
    newest = checks[-1]
    return Code(
        id=newest["id"],
        asked_at=newest["asked_at"],
        tries=newest["tries"],
        proved=newest["proved_at"] is not None,
        next_at=next_code_at([row["asked_at"] for row in checks], now),
        status=newest["status"] or newest["text_state"],
        error_code=newest["error_code"],
    )


def _write(c: Connection, check: Row, **values: object) -> None:
    mine = NUMBER_CHECK.c.clinic_id == check["clinic_id"], NUMBER_CHECK.c.id == check["id"]
    c.execute(update(NUMBER_CHECK).where(*mine).values(**values))


def _kept(check_id: str, code: str) -> str:
    """What is kept of a code. A million are soon tried: it is hidden from a glance, not from who has the ledger, for its ten minutes."""
    return hashlib.sha256(f"{check_id} {code}".encode()).hexdigest()
