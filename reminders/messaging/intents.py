"""What a reply can mean, each meaning a value. Which question it answers, and what follows from it, is decided elsewhere.

A time written without am or pm means two moments: `at` as it is written and `or_at` twelve hours from it, else None.
`at` says when a dose was taken; `due` says which dose is meant, by its time. Times are local wall times of whole minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum


class RedFlagKind(StrEnum):
    """A danger sign of withdrawal or of too much; one list for both, as a text cannot tell them apart."""

    SEIZURE = "seizure"
    HALLUCINATION = "hallucination"
    FEVER = "fever"
    RIGID = "rigid"
    CONFUSED = "confused"
    UNCONSCIOUS = "unconscious"
    BREATHING = "breathing"
    COLLAPSE = "collapse"
    OVERDOSE = "overdose"
    EMERGENCY = "emergency"


class PartOfDay(StrEnum):
    """A part of the day by which a dose is named."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    NIGHT = "night"


class DayWord(StrEnum):
    """A day by which a dose is named; a weekday is the last one of that name."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"
    TODAY = "today"
    YESTERDAY = "yesterday"


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A danger sign was named; `negated` ("no seizure") lowers the urgency and never silences it."""

    kind: RedFlagKind
    negated: bool = False


@dataclass(frozen=True, slots=True)
class SelfHarm:
    """Words of wanting to die or to hurt oneself."""

    negated: bool = False


@dataclass(frozen=True, slots=True)
class OptOut:
    """Stop the texts, in any wording. It says nothing of the medicine."""


@dataclass(frozen=True, slots=True)
class OptIn:
    """Start the texts again."""


@dataclass(frozen=True, slots=True)
class HelpWanted:
    """Who is this, and how does it work?"""


@dataclass(frozen=True, slots=True)
class LinkWanted:
    """Wants the link to a caregiver's page."""


@dataclass(frozen=True, slots=True)
class StoppedTaking:
    """The medicine was stopped, or is about to be. It is never an opt-out."""


@dataclass(frozen=True, slots=True)
class WantsToStop:
    """Something shall stop, but whether texts or medicine is not said: a person reads it."""


@dataclass(frozen=True, slots=True)
class EndOrAnswer:
    """A bare word that ends texts, written where it could as well answer what was asked ("no more"): a person asks which."""


@dataclass(frozen=True, slots=True)
class Digit:
    """A bare digit; what it means is the question's."""

    n: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A dose was taken: which (`due`, `part`, `day`, `label`; none: not said), and when (`at`, `now`, `ago`; none: not said)."""

    at: time | None = None
    now: bool = False
    label: str | None = None
    all: bool = False
    or_at: time | None = None
    ago: timedelta | None = None
    due: time | None = None
    or_due: time | None = None
    part: PartOfDay | None = None
    day: DayWord | None = None


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A dose was not taken, or not yet: which, as in `Taken`."""

    label: str | None = None
    all: bool = False
    due: time | None = None
    or_due: time | None = None
    part: PartOfDay | None = None
    day: DayWord | None = None


@dataclass(frozen=True, slots=True)
class LateQuestion:
    """What to do about a dose that is late: `at` is the time of the dose. `asked`: put as a question ("can I still take it")."""

    at: time | None = None
    label: str | None = None
    or_at: time | None = None
    part: PartOfDay | None = None
    day: DayWord | None = None
    asked: bool = False

    @property
    def due(self) -> time | None:
        """The time of the dose, under the name it has in the other meanings."""
        return self.at

    @property
    def or_due(self) -> time | None:
        """The other reading of that time."""
        return self.or_at


@dataclass(frozen=True, slots=True)
class Named:
    """Only a time or a day, and nothing said about it: it can answer "which dose?" or "when?"."""

    at: time | None = None
    or_at: time | None = None
    part: PartOfDay | None = None
    day: DayWord | None = None

    @property
    def due(self) -> time | None:
        """The time, read as a dose's."""
        return self.at

    @property
    def or_due(self) -> time | None:
        """The other reading of that time."""
        return self.or_at

    @property
    def label(self) -> str | None:
        """None: a bare label is a `Label`."""
        return None


@dataclass(frozen=True, slots=True)
class Unsure:
    """Not sure whether it was taken. It must never lead to "take it now"."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem, a symptom or a side effect, in words."""


@dataclass(frozen=True, slots=True)
class TookDouble:
    """More was taken than planned."""


@dataclass(frozen=True, slots=True)
class TookHalf:
    """Less was taken than planned."""


@dataclass(frozen=True, slots=True)
class Vomited:
    """A dose came up again."""


@dataclass(frozen=True, slots=True)
class TookBoth:
    """Both: all doses of a reminder for two medicines, and too much of one. The question tells."""


@dataclass(frozen=True, slots=True)
class SomeTaken:
    """Some doses were taken and some were not."""


@dataclass(frozen=True, slots=True)
class NoneOfThem:
    """None: no dose, no symptom, or neither of two. The question tells."""


@dataclass(frozen=True, slots=True)
class OnTime:
    """It was taken on time."""


@dataclass(frozen=True, slots=True)
class FeltBetter:
    """The patient feels better: a reason for not taking it."""


@dataclass(frozen=True, slots=True)
class OtherReason:
    """Another reason than those offered."""


@dataclass(frozen=True, slots=True)
class OutOfMedicine:
    """No medicine is left, or (`soon`) little is."""

    soon: bool = False


@dataclass(frozen=True, slots=True)
class Refill:
    """New medicine was fetched: how many pieces, if that was said."""

    count: int | None = None


@dataclass(frozen=True, slots=True)
class TabletsLeft:
    """So many pieces of the medicine are left."""

    count: int


@dataclass(frozen=True, slots=True)
class CallMe:
    """A person is wanted."""


@dataclass(frozen=True, slots=True)
class Yes:
    """A bare yes."""


@dataclass(frozen=True, slots=True)
class No:
    """A bare no."""


@dataclass(frozen=True, slots=True)
class Label:
    """A bare label: one letter, upper case."""

    letter: str


@dataclass(frozen=True, slots=True)
class Symptoms:
    """Symptoms and grades of a check-in, (letter A-E, grade 0-3), in letter order; empty: no symptom."""

    grades: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Stiffness:
    """The stiffness rating of a check-in, 0 to 10."""

    n: int


@dataclass(frozen=True, slots=True)
class Spasms:
    """The Penn spasm frequency of a check-in, 0 to 4, and how severe they are, 1 to 3; None: not said, or there are none."""

    frequency: int
    severity: int | None = None


@dataclass(frozen=True, slots=True)
class Ticks:
    """Yes or no to the lettered questions of a check-in, (letter, yes), in letter order."""

    ticks: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class BloodPressure:
    """A blood pressure, systolic over diastolic, in mmHg."""

    systolic: int
    diastolic: int


@dataclass(frozen=True, slots=True)
class WrongNumber:
    """The phone belongs to somebody else."""


@dataclass(frozen=True, slots=True)
class Slower:
    """The patient asks to go slower."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Not understood: one short menu, shown to staff, no state changes."""


Intent = (
    SelfHarm
    | RedFlag
    | OptOut
    | StoppedTaking
    | WantsToStop
    | EndOrAnswer
    | OptIn
    | WrongNumber
    | Stiffness
    | Symptoms
    | Spasms
    | Ticks
    | BloodPressure
    | Digit
    | Taken
    | NotTaken
    | LateQuestion
    | TookDouble
    | TookHalf
    | Vomited
    | TookBoth
    | SomeTaken
    | NoneOfThem
    | OnTime
    | Named
    | Label
    | Yes
    | No
    | Unsure
    | OutOfMedicine
    | Refill
    | TabletsLeft
    | Problem
    | FeltBetter
    | OtherReason
    | Slower
    | CallMe
    | HelpWanted
    | LinkWanted
    | Unclear
)
"""Every meaning, in reading order: what must not wait comes first."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text means: one or more meanings in reading order, each once; `unread` is what staff must still read, as plain words."""

    intents: tuple[Intent, ...]
    unread: str = ""
