"""What a check finds, and the facts about a patient that it may look at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from reminders.domain.profile import Confidence, Severity, Sourced

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from reminders.domain.plan import Amount

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: where (`path` inside the plan), what was found, the limit, and the source the limit rests on.

    An error blocks. A warning needs a typed reason; `second_confirmation`: and another person's yes.
    """

    level: Severity
    code: str
    path: str
    message: str
    found: str
    limit: str
    source: str
    confidence: Confidence
    second_confirmation: bool = False

    def __str__(self) -> str:
        """In one sentence, with the number found, the limit and its source."""
        return f"{self.message}: found {self.found}, limit {self.limit} ({self.source}; {self.confidence})"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A daily maximum that a clinic set for itself, and who approved it."""

    per_day: Amount
    approved_by: str


class Alcohol(StrEnum):
    """What is known of a patient's alcohol, since they were asked at the enrolment. Some of it stands on the list like a medicine."""

    UNKNOWN = "unknown"
    NONE = "none"
    SOME = "some"


ALCOHOL = "alcohol"
"""The name under which it stands on the list."""


def is_alcohol(medicine: str) -> bool:
    """Whether what stands on a list is alcohol, however its amount is put: "alcohol, two beers a day"."""
    return f" {ALCOHOL}" in f" {medicine.casefold()}"


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """What the clinic entered about the patient; None or empty: not known.

    `kidney` is an eGFR or creatinine clearance in mL/min; `kidney_flag` says weak kidneys without a number.
    """

    age: int | None = None
    kidney: Decimal | None = None
    kidney_flag: bool = False
    indication: str | None = None
    medicines: tuple[str, ...] = ()
    review_on: date | None = None
    alcohol: Alcohol = Alcohol.UNKNOWN


def age_on(born: date, day: date) -> int:
    """A person's age in whole years on a day. Who was born on 29 February is a year older on 1 March of the other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def breach(rule: Sourced[T], code: str, path: str, message: str, *, found: str, limit: str) -> Finding:
    """Make the finding for a broken rule: its severity, unless the number is not sourced, which warns at most."""
    level = rule.on_breach if rule.confidence is Confidence.SOURCED else Severity.WARNING
    return Finding(level, code, path, _with_doubts(message, rule), found, limit, rule.source, rule.confidence)


def _with_doubts(message: str, rule: Sourced[T]) -> str:
    """Say where sources disagree, and never give a second-hand figure as fact."""
    if rule.confidence is Confidence.SECOND_HAND:
        message += " (second-hand: confirm in the primary source)"
    if rule.disagrees:
        message += "; sources disagree: " + ", ".join(f"{said} ({source})" for said, source in rule.disagrees)
    return message


def ours(code: str, path: str, message: str, *, found: str, limit: str, level: Severity = Severity.ERROR) -> Finding:
    """Make a finding that rests on how Doseline works, not on a clinical number."""
    return Finding(level, code, path, message, found, limit, "Doseline", Confidence.DEFAULT)
