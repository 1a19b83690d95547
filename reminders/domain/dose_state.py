"""What became of one dose: a pure fold over append-only events of three facts.

*Expected*: yes, or `not_due` and why. *Outcome*: what people told us. *Reach*: what the carrier proved.
Nothing a person said is overwritten by the carrier or by a clock, and silence is never called a missed dose.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class DoseState(StrEnum):
    """Where a dose stands."""

    PENDING = "pending"
    OPEN = "open"
    TAKEN = "taken"
    SKIPPED = "skipped"
    MISSED = "missed"
    UNCONFIRMED = "unconfirmed"
    NOT_REMINDED = "not_reminded"
    NOT_DUE = "not_due"


class EventKind(StrEnum):
    """What can happen to a dose."""

    FELL_DUE = "fell_due"
    TEXT_ACCEPTED = "text_accepted"
    TEXT_DELIVERED = "text_delivered"
    TEXT_FAILED = "text_failed"
    TEXT_ENDED = "text_ended"
    SAID_TAKEN = "said_taken"
    SAID_NOT_TAKEN = "said_not_taken"
    SAID_ODD = "said_odd"
    ADVISED_TAKE = "advised_take"
    ADVISED_SKIP = "advised_skip"
    CLOSED = "closed"
    OPTED_OUT = "opted_out"
    NOT_DUE = "not_due"
    MUTED = "muted"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class DoseEvent:
    """One thing that happened to a dose, never changed and never deleted.

    at        UTC: when it was said, decided or learned; a reply fetched later keeps the time it was sent.
    text      which text a receipt is about.
    taken_at  when it was taken, if that is known; taken_by  at latest when, if it is not.
    why       a reason code; by  the named person who spoke or decided; state  what a correction corrects to.
    recalled  taken, told in one answer for many doses; verified  False: closed while we may not have heard the patient.
    """

    kind: EventKind
    at: datetime
    _: KW_ONLY
    text: str | None = None
    taken_at: datetime | None = None
    taken_by: datetime | None = None
    why: str | None = None
    by: str | None = None
    state: DoseState | None = None
    recalled: bool = False
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a dose stands after all its events.

    reason        why it is skipped ("patient", "advised"), not_reminded, or not_due.
    contradicted  "taken" and later "not taken": both are kept, and staff see it.
    odd           "took two", "half" or "threw up", not yet looked at by a person.
    muted         outside all counts; unverified  silence that may be our deafness.
    told_late     taken, told after the dose had closed or though no text had reached anyone.
    advised       the missed-dose rule was asked about it; answered  a person said something about it.
    """

    state: DoseState
    _: KW_ONLY
    reason: str | None = None
    taken_at: datetime | None = None
    taken_by: datetime | None = None
    recalled: bool = False
    contradicted: bool = False
    odd: bool = False
    muted: bool = False
    unverified: bool = False
    told_late: bool = False
    advised: bool = False
    answered: bool = False
