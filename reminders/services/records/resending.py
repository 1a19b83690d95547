"""One more try for a reminder that was lost on its way: a text of its own, with the same words, while it is still useful."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reminders.domain.dose_state import DoseState
from reminders.services.records import doses
from reminders.services.records.ledger import TEXT_ITEM, TEXT_OUT, insert_once, new_id

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

LATER = timedelta(minutes=15)
WANTED = frozenset({DoseState.PENDING, DoseState.OPEN, DoseState.NOT_REMINDED})


def resend(c: Connection, text: Row, *, now: datetime, later: timedelta = LATER) -> str | None:
    """Queue a reminder once more, a quarter of an hour `later`, if it is still useful then and its doses still unanswered."""
    if text["kind"] != "reminder" or now + later >= text["expires_at"]:
        return None
    about = doses.read(c, doses.of_text(c, [text["id"]]).get(text["id"], []))
    wanted = [dose.id for dose in about.values() if dose.state in WANTED and not dose.standing.answered]
    if len(wanted) < len(about) or not wanted:
        return None
    kept = (
        "clinic_id",
        "contact_point_id",
        "patient_id",
        "plan_id",
        "version_no",
        "purpose",
        "urgent",
        "template",
        "language",
        "fields",
        "body",
        "expires_at",
    )
    again = {name: text[name] for name in kept}
    fresh = {"id": new_id(), "kind": "resend", "cause": text["cause"], "state": "queued", "send_at": now + later, "created_at": now}
    row = {**again, **fresh, "attempt": 0, "looked": 0, "rank": -1}
    if not insert_once(c, TEXT_OUT, row):
        return None
    for dose_id in wanted:
        insert_once(c, TEXT_ITEM, {"clinic_id": row["clinic_id"], "text_id": row["id"], "dose_id": dose_id, "kind": "resend"})
    return str(row["id"])
