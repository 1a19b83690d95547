"""What became of one dose: a pure fold over append-only events of three facts.

*Expected*: yes, or `not_due` and why. *Outcome*: what people told us. *Reach*: what the carrier proved.
Nothing a person said is overwritten by the carrier or by a clock, and silence is never called a missed dose.

Three kinds of events, three manners. Receipts count by rank, whenever they come. What people say counts in the order
in which they said it. What we decide (`not_due`, `muted`) acts on what was known when it was decided.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


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


SETTABLE = (
    DoseState.TAKEN,
    DoseState.SKIPPED,
    DoseState.MISSED,
    DoseState.UNCONFIRMED,
    DoseState.NOT_REMINDED,
    DoseState.NOT_DUE,
    DoseState.OPEN,
)
"""What a person may set a dose to, so that a slip is taken back. Pending is the machine's own word: no text of it has left yet."""


class EventKind(StrEnum):
    """What can happen to a dose.

    text_failed   the carrier says undelivered, failed or expired; text_ended  we say so: proven not sent, past its use,
                  cancelled, or never written (`why` says which).
    opted_out     no further text will leave; with `why` IN_FLIGHT it is left to settle.
    advised_*     what the missed-dose rule answered while the dose was pending or open; after the close it changes nothing.
    not_due       with `by`, a provider's word about this very dose, which ends an open one too.
    """

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


IN_FLIGHT = "in_flight"
ADVISED, BY_PATIENT = "advised", "patient"
UNPROVEN, FAILED, NOT_SENT, OPTED_OUT, MUTED = "unproven", "failed", "not_sent", "opted_out", "muted"


@dataclass(frozen=True, slots=True)
class DoseEvent:
    """One thing that happened to a dose, never changed and never deleted.

    at        UTC: when it was said, decided or learned; a reply fetched later keeps the time it was sent.
    text      which text a receipt is about.
    taken_at  when it was taken, if that is known; taken_by  at latest when, if it is not.
    why       a reason code; by  the named person who spoke or decided; state  what a correction corrects to.
    recalled  taken, told in one answer for many doses; verified  False: closed while we may not have heard the patient.

    Raises ValueError for a correction that does not say who made it, why, and to which state.
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

    def __post_init__(self) -> None:
        if self.kind is EventKind.CORRECTED and not (self.state and self.by and self.why):
            raise ValueError("a correction names its state, who made it, and why")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a dose stands after all its events.

    reason        why it is skipped ("patient", "advised"), not_reminded or not_due; what was odd; why it was corrected.
    taken_at      as told, on any state: after a contradiction, or on a dose that was not due, the minimum gap must
                  hold all the same.
    taken_by      told taken, time unknown: at latest then.
    contradicted  "taken" and later "not taken": both are kept, and staff see it.
    odd           "took two", "half" or "threw up", not yet looked at by a person.
    muted         outside all counts.
    unverified    closed on silence that may be our deafness: unconfirmed, or skipped by who was told to take it after all.
    told_late     taken, told after the dose had closed, or although no text of it was ever sent.
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


def fold(events: Iterable[DoseEvent]) -> Standing:
    """Say where a dose stands after its events, given in any order.

    Receipts may come late, repeated and out of order: the standing is the same. At one instant a person goes before
    our decisions, and those before the clock.
    """
    facts = _Facts()
    for event in sorted(events, key=lambda event: (event.at, _TURN.get(event.kind, 0))):
        facts.learn(event)
    return facts.standing()


_TURN = {
    EventKind.ADVISED_TAKE: 1,
    EventKind.ADVISED_SKIP: 1,
    EventKind.NOT_DUE: 2,
    EventKind.MUTED: 2,
    EventKind.TEXT_ENDED: 3,  # the decision first, then the text that was cancelled for it
    EventKind.OPTED_OUT: 3,
    EventKind.CLOSED: 4,
}


class _Proof(IntEnum):
    """What is known of one text; the higher proof stands. A receipt beats our own belief that nothing was sent."""

    ENDED = 1
    ACCEPTED = 2
    FAILED = 3
    DELIVERED = 4


_REACHED = (_Proof.ACCEPTED, _Proof.DELIVERED)
_UNDECIDED = (DoseState.PENDING, DoseState.OPEN)


@dataclass(slots=True)
class _Facts:
    """What has been learned so far.

    outcome      what people told us, or what a decision made of it; None: nothing yet, so reach and clock speak.
    awaits_rule  "not taken", said while the rule may still answer; ruled  it has.
    asked        it answered "take it now": the dose stays open.
    """

    proofs: dict[str | None, tuple[_Proof, str]] = field(default_factory=dict)
    outcome: DoseState | None = None
    reason: str | None = None
    closed: bool = False
    unverified: bool = False
    awaits_rule: bool = False
    ruled: bool = False
    asked: bool = False
    taken_at: datetime | None = None
    taken_by: datetime | None = None
    recalled: bool = False
    contradicted: bool = False
    odd: bool = False
    muted: bool = False
    closed_when_told: bool | None = None
    advised: bool = False
    answered: bool = False

    def learn(self, event: DoseEvent) -> None:
        _LEARN[event.kind](self, event)

    @property
    def state(self) -> DoseState:
        if self.outcome is not None:
            return DoseState.MISSED if self._missed_unsent() else self.outcome
        if self._reached():
            return DoseState.UNCONFIRMED if self.closed else DoseState.OPEN
        return DoseState.NOT_REMINDED if self.proofs or self.muted or self.closed else DoseState.PENDING

    def standing(self) -> Standing:
        state = self.state
        return Standing(
            state,
            reason=self._reason(),
            taken_at=self.taken_at,
            taken_by=self.taken_by,
            recalled=self.recalled and state is DoseState.TAKEN,
            contradicted=self.contradicted,
            odd=self.odd,
            muted=self.muted,
            unverified=self.unverified and self._closed_on_silence(state),
            told_late=state is DoseState.TAKEN and self._told_late(),
            advised=self.advised,
            answered=self.answered,
        )

    def fell_due(self, _: DoseEvent) -> None:
        """Fall due: a text may be on its way, nothing is proved."""

    def accepted(self, event: DoseEvent) -> None:
        self._prove(event.text, _Proof.ACCEPTED, "")

    def delivered(self, event: DoseEvent) -> None:
        self._prove(event.text, _Proof.DELIVERED, "")

    def failed(self, event: DoseEvent) -> None:
        self._prove(event.text, _Proof.FAILED, event.why or FAILED)

    def ended(self, event: DoseEvent) -> None:
        if self.outcome is None:  # a text that was cancelled because it was answered proves nothing about its reach
            self._prove(event.text, _Proof.ENDED, event.why or NOT_SENT)

    def opted_out(self, event: DoseEvent) -> None:
        if event.why != IN_FLIGHT and self.outcome is None:
            self._prove(None, _Proof.ENDED, OPTED_OUT)

    def _prove(self, text: str | None, proof: _Proof, why: str) -> None:
        self.proofs[text] = max(self.proofs.get(text, (proof, why)), (proof, why))

    def not_due(self, event: DoseEvent) -> None:
        if self.state is DoseState.PENDING or (self.state is DoseState.OPEN and event.by):
            self.outcome, self.reason = DoseState.NOT_DUE, event.why

    def mute(self, _: DoseEvent) -> None:
        self.muted = self.muted or self.state in _UNDECIDED

    def _reason(self) -> str | None:
        if self.outcome is not None:
            return None if self._missed_unsent() else self.reason
        if self.state is not DoseState.NOT_REMINDED:
            return None
        if self.muted:
            return MUTED
        return max(self.proofs.values())[1] if self.proofs else UNPROVEN

    def _closed_on_silence(self, state: DoseState) -> bool:
        return state is DoseState.UNCONFIRMED or (state is DoseState.SKIPPED and self.reason == BY_PATIENT)

    def _told_late(self) -> bool:
        return self.closed_when_told is True or (self.closed_when_told is False and self._never_sent())

    def _missed_unsent(self) -> bool:
        # The rule answers for a dose that somebody was told of; of any other, "not taken" is a report.
        return self.ruled and self._never_sent()

    def _never_sent(self) -> bool:
        return {proof for proof, _ in self.proofs.values()} == {_Proof.ENDED}

    def _reached(self) -> bool:
        return any(proof in _REACHED for proof, _ in self.proofs.values())

    def said_taken(self, event: DoseEvent) -> None:
        self.answered = True
        again = self.outcome is DoseState.TAKEN  # told again: what was known stays, what was not is filled in
        by = event.taken_by or (None if event.taken_at or event.recalled else event.at)
        self.taken_at = (self.taken_at if again else None) or event.taken_at
        self.taken_by = (self.taken_by if again else None) or by
        self.recalled = event.recalled and (self.recalled or not again)
        if not again and self.outcome is not DoseState.NOT_DUE:  # one outside the plan is asked about, and keeps its gap
            self.outcome, self.reason, self.awaits_rule, self.ruled = DoseState.TAKEN, None, False, False
            self.closed_when_told = self.closed

    def said_odd(self, event: DoseEvent) -> None:
        # However much of it stayed down, something was taken: "taken" is the state that never invites a second dose.
        self.said_taken(event)
        self.odd = True
        if self.outcome is DoseState.TAKEN:
            self.reason = event.why

    def said_not_taken(self, _: DoseEvent) -> None:
        self.answered, self.unverified = True, False
        if self.outcome is DoseState.TAKEN:
            self.outcome, self.reason, self.contradicted = DoseState.MISSED, None, True
        elif not self.asked and self.outcome not in (DoseState.SKIPPED, DoseState.MISSED, DoseState.NOT_DUE):
            self.outcome, self.reason, self.awaits_rule = DoseState.MISSED, None, not self.closed

    def advised_take(self, _: DoseEvent) -> None:
        self.advised = True
        if self.awaits_rule and not self.closed:
            self.outcome, self.asked, self.ruled, self.awaits_rule = DoseState.OPEN, True, True, False

    def advised_skip(self, _: DoseEvent) -> None:
        self.advised = True
        if not self.closed and (self.awaits_rule or self.outcome in (None, *_UNDECIDED)):
            self.outcome, self.reason = DoseState.SKIPPED, ADVISED
            self.ruled, self.awaits_rule = self.ruled or self.awaits_rule, False

    def close(self, event: DoseEvent) -> None:
        self.unverified = not event.verified and (self.unverified or not self.closed)
        self.closed = True
        if self.outcome is DoseState.OPEN and self.asked:
            self.outcome, self.reason = DoseState.SKIPPED, BY_PATIENT
        elif self.outcome is DoseState.OPEN:
            self.outcome, self.reason = DoseState.UNCONFIRMED, None
        elif self.outcome is DoseState.PENDING:
            self.outcome, self.reason = DoseState.NOT_REMINDED, UNPROVEN

    def correct(self, event: DoseEvent) -> None:
        taken_again = event.state is DoseState.TAKEN and self.outcome is DoseState.TAKEN
        self.taken_at = event.taken_at or (self.taken_at if taken_again else None)
        self.taken_by = event.taken_by or (self.taken_by if taken_again else None)
        self.recalled = self.recalled and taken_again
        self.outcome, self.reason = event.state, event.why
        self.closed = event.state not in _UNDECIDED
        self.odd = self.contradicted = self.unverified = self.asked = self.awaits_rule = self.ruled = False
        self.closed_when_told = None


_LEARN: Mapping[EventKind, Callable[[_Facts, DoseEvent], None]] = {
    EventKind.FELL_DUE: _Facts.fell_due,
    EventKind.TEXT_ACCEPTED: _Facts.accepted,
    EventKind.TEXT_DELIVERED: _Facts.delivered,
    EventKind.TEXT_FAILED: _Facts.failed,
    EventKind.TEXT_ENDED: _Facts.ended,
    EventKind.OPTED_OUT: _Facts.opted_out,
    EventKind.SAID_TAKEN: _Facts.said_taken,
    EventKind.SAID_NOT_TAKEN: _Facts.said_not_taken,
    EventKind.SAID_ODD: _Facts.said_odd,
    EventKind.ADVISED_TAKE: _Facts.advised_take,
    EventKind.ADVISED_SKIP: _Facts.advised_skip,
    EventKind.CLOSED: _Facts.close,
    EventKind.NOT_DUE: _Facts.not_due,
    EventKind.MUTED: _Facts.mute,
    EventKind.CORRECTED: _Facts.correct,
}
