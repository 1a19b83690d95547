"""One dose in full: its times, all that was learnt of it, and the texts about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from db.queries import chart as queries
from reminders.domain.dose_state import DoseState, EventKind
from reminders.messaging.failure_codes import words_of
from reminders.services.records.charts import Cell, cell_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

SHOWN = 60
"""So many facts of a dose are shown: few have ten."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was learnt of a dose, or decided about it. `why` holds the reason code or the rule, with the numbers it used.

    `by`: who said or decided it; `state`: what a correction set it to; `taken_at`: when it was taken, or at latest, as told then.
    """

    at: datetime
    kind: EventKind
    by: str | None
    why: str | None
    state: DoseState | None
    taken_at: datetime | None
    recalled: bool
    verified: bool


@dataclass(frozen=True, slots=True)
class TextAbout:
    """A text about a dose: what it was for, its words, when it left or was to leave, and what became of it."""

    at: datetime
    item: str
    body: str
    standing: str
    why_not: str


@dataclass(frozen=True, slots=True)
class DoseChart:
    """A dose in full, with the times its decisions rest on (UTC; `take_until` None where no rule gives one)."""

    cell: Cell
    unit: str
    version: int
    announce_until: datetime
    take_until: datetime | None
    silent_at: datetime
    answer_until: datetime
    announced_at: datetime | None
    unverified: bool
    facts: tuple[Fact, ...]
    texts: tuple[TextAbout, ...]

    @property
    def before_correction(self) -> DoseState | None:
        """What the last correction set right, if the one before it says so; None: nobody has corrected it, or it is not known."""
        set_to = [fact.state for fact in self.facts if fact.kind is EventKind.CORRECTED]
        return set_to[-2] if len(set_to) > 1 else None


def dose_chart_of(c: Connection, clinic_id: str, plan_id: str, *, on: date, number: int) -> DoseChart | None:
    """Read a dose by its slot; None if the plan has none there on record."""
    row = queries.dose(c, clinic_id, plan_id, on=on, number=number)
    if row is None:
        return None
    facts = tuple(_fact(event) for event in queries.dose_events(c, clinic_id, row["id"], limit=SHOWN))
    return DoseChart(
        cell=cell_of(row, corrected=any(fact.kind is EventKind.CORRECTED for fact in facts)),
        unit=row["unit"],
        version=row["version_no"],
        announce_until=row["announce_until"],
        take_until=row["take_until"],
        silent_at=row["silent_at"],
        answer_until=row["answer_until"],
        announced_at=row["announced_at"],
        unverified=row["unverified"],
        facts=facts,
        texts=tuple(_text(text) for text in queries.texts_of_dose(c, clinic_id, row["id"], limit=SHOWN)),
    )


def _fact(row: Row) -> Fact:
    return Fact(
        at=row["at"],
        kind=EventKind(row["kind"]),
        by=row["by"],
        why=row["why"],
        state=DoseState(row["state"]) if row["state"] else None,
        taken_at=row["taken_at"] or row["taken_by"],
        recalled=row["recalled"],
        verified=row["verified"],
    )


def _text(row: Row) -> TextAbout:
    code = row["error_code"]
    return TextAbout(
        row["sent_at"] or row["send_at"], row["item"], row["body"], row["status"] or row["state"], words_of(code) if code else ""
    )
