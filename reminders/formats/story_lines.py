"""What a story prints: one JSON object a line, in order of time, the summary last. The lines of `doseline simulate --json`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, RootModel, Tag

from reminders.domain.dose_state import DoseState
from reminders.formats.parts import AmountText, DateText, InstantText
from reminders.formats.shape import Shape, by_value, read

Purpose: TypeAlias = Literal[
    "reminder",
    "late_reminder",
    "follow_up",
    "advice",
    "answer",
    "question",
    "step_notice",
    "stay_notice",
    "suspend_notice",
    "check_in",
    "caregiver_alert",
    "staff_alert",
    "staff_text",
    "emergency",
    "opt_out",
    "opt_in",
    "help",
    "menu",
    "refill",
    "verification",
]
Count = Annotated[int, Field(ge=0)]
Number = Annotated[int, Field(ge=1)]
Percent = Annotated[float, Field(ge=0, le=100, strict=False)]


class DoseKey(Shape):
    """Which dose: the plan's ref, the local date, and the number of the slot on that date, from 1."""

    plan: str
    local_date: DateText
    slot_no: Number


class TextOutLine(Shape):
    """A text that left, and the doses that it speaks of."""

    at: InstantText
    kind: Literal["text_out"]
    to: str
    purpose: Purpose
    body: str
    doses: Annotated[tuple[DoseKey, ...], Field(strict=False)]


class DoseLine(Shape):
    """A dose has changed its state. `taken_at` is null where it was not taken, or nobody knows when.

    `unverified` stands where a dose was closed in silence while we may not have heard the patient.
    """

    at: InstantText
    kind: Literal["dose"]
    plan: str
    local_date: DateText
    slot_no: Number
    amount: AmountText
    state: Annotated[DoseState, Field(strict=False)]
    taken_at: InstantText | None
    reason: str | None
    unverified: Literal[True] | None = None


class AlertLine(Shape):
    """Somebody must look at something; `to` says who."""

    at: InstantText
    kind: Literal["alert"]
    plan: str | None
    alert: str
    severity: Literal["info", "warning", "urgent", "emergency"]
    to: str


class PlanLine(Shape):
    """A plan has changed its state, or its phase (from 1)."""

    at: InstantText
    kind: Literal["plan"]
    plan: str
    state: Literal["active", "staying", "muted", "suspended", "completed", "stopped"]
    phase: Number
    reason: str | None


class TroubleLine(Shape):
    """What whoever runs this must know, and no patient is the cause of, has begun or is over."""

    at: InstantText
    kind: Literal["trouble"]
    trouble: Literal["cannot_hear"]
    state: Literal["began", "over"]


class AdherenceShape(Shape):
    """Percent, to two places: confirmed; confirmed or unanswered; confirmed of those answered. Null: nothing to divide by."""

    lower: Percent | None
    upper: Percent | None
    responded: Percent | None


class PlanSummary(Shape):
    """How many of a plan's doses fell due, what they came to, and its adherence. Doses still open are in `due` alone."""

    due: Count
    taken: Count
    skipped: Count
    missed: Count
    unconfirmed: Count
    not_reminded: Count
    not_due: Count
    adherence: AdherenceShape


class SummaryLine(Shape):
    """The last line: every plan by its ref, and how often the story called for a person."""

    kind: Literal["summary"]
    plans: dict[str, PlanSummary]
    alerts_per_100_patient_days: Annotated[float, Field(ge=0, strict=False)]


LineShape: TypeAlias = Annotated[
    Annotated[TextOutLine, Tag("<text_out>")]
    | Annotated[DoseLine, Tag("<dose>")]
    | Annotated[AlertLine, Tag("<alert>")]
    | Annotated[PlanLine, Tag("<plan>")]
    | Annotated[TroubleLine, Tag("<trouble>")]
    | Annotated[SummaryLine, Tag("<summary>")],
    by_value("kind", ("text_out", "dose", "alert", "plan", "trouble", "summary")),
]


class StoryLine(RootModel[LineShape]):
    """A line of a story's output, version 1."""


def read_line(data: object) -> LineShape:
    """Check one line of a story's output. Raises BadFile."""
    return read(StoryLine, data).root
