"""A plan's new document as JSON for programs."""

from __future__ import annotations

from reminders.as_json.parts import instant_text
from reminders.domain.finding import Finding
from reminders.domain.schedule import Slot
from reminders.services.editing import Edited


def edited_json(edited: Edited, *, stored: bool) -> dict[str, object]:
    """What a new document does to a plan: its seam, what speaks against it, the slots around the join before and after."""
    return {
        "plan": edited.plan,
        "version": edited.version,
        "stored": stored,
        "seal": edited.seal,
        "first_due_at": None if edited.first is None else instant_text(edited.first.due_at),
        "gap_seconds": None if edited.gap is None else round(edited.gap.total_seconds()),
        "problems": edited.problems,
        "not_due": [instant_text(slot.due_at) for slot in edited.jumped],
        "findings": [finding_json(finding) for finding in edited.findings],
        "as_it_was": [slot_json(slot) for slot in edited.before],
        "as_it_would_be": [slot_json(slot) for slot in edited.after],
    }


def finding_json(finding: Finding) -> dict[str, object]:
    """A finding in short: its sentence holds the number found, the limit and the source."""
    return {"level": finding.level.value, "path": finding.path, "message": str(finding)}


def slot_json(slot: Slot) -> dict[str, object]:
    """A dose beside a join."""
    return {"due_at": instant_text(slot.due_at), "amount": str(slot.amount), "phase": slot.phase_no}
