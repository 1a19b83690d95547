"""Taking back what waits to be sent to a number, when it may not be texted any more, or not about a patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reminders.domain.dose_state import DoseEvent, EventKind
from reminders.services.records import doses, texts

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def take_back(c: Connection, contact_point_id: str, *, why: str, at: datetime, now: datetime, patient_id: str | None = None) -> None:
    """Cancel what waits to be sent to a number, of one patient if given; its doses learn that nobody was reminded, and why.

    Its open questions are answered no more. What is in flight is left to settle. The patients concerned must be locked.
    """
    facts = {}
    cancelled = texts.cancel_queued(c, contact_point_id=contact_point_id, patient_id=patient_id)
    for text_id, dose_ids in doses.of_text(c, cancelled).items():
        facts.update({dose_id: [DoseEvent(EventKind.OPTED_OUT, at, text=text_id, why=why)] for dose_id in dose_ids})
    doses.learn(c, facts, now=now)
    texts.withdraw_questions(c, [contact_point_id], at=at, patient_id=patient_id)
