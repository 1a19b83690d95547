"""Which dose is meant: by its name, by the question last asked, or by there being only one. Never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reminders.domain.announcing import situation_of
from reminders.domain.dose_state import DoseEvent, DoseState, EventKind
from reminders.domain.intake import EARLY
from reminders.domain.missed import times_of
from reminders.domain.schedule import Slot, slots_between
from reminders.messaging.dose_statements import UNNAMED, naming_of
from reminders.messaging.intents import LateQuestion, NotTaken, Taken
from reminders.messaging.questions import names_dose
from reminders.messaging.texts import when
from reminders.services.records import doses, naming, plans

if TYPE_CHECKING:
    from reminders.services.records.doses import StoredDose
    from reminders.services.records.due import Due
    from reminders.services.records.plans import StoredPlan
    from reminders.services.replying.talk import Talk

MEANT = timedelta(hours=36)
"""How far back a dose named by its time alone is looked for [our default]: today's and yesterday's."""

NAMED_DAYS = timedelta(days=8)
"""How far back one named by its weekday is."""

Statement = Taken | NotTaken | LateQuestion


@dataclass(frozen=True)
class Candidate:
    """A dose that may be meant, with its plan and patient, by a text written at an instant."""

    one: Due
    plan: StoredPlan
    dose: StoredDose
    at: datetime

    @property
    def when(self) -> str:
        """When it was due, in the patient's words."""
        return when(self.dose.slot.due_at, self.one.patient.tz, self.one.patient.language)

    @property
    def which(self) -> str:
        """Whose it is, or of which plan, as a text's field says it."""
        return self.one.which(self.plan)

    @property
    def waiting(self) -> bool:
        """Whether an answer was waited for when the text was written: fetched late, its dose may have been closed since.

        And past its time a dose may be unclosed yet, while replies are being fetched.
        """
        closed_since = self.dose.state is DoseState.UNCONFIRMED or self.dose.standing.unverified
        return (self.dose.state in doses.WAITING or closed_since) and self.at < self.dose.times.answer_until

    @property
    def unclosed(self) -> bool:
        """Whether its time was over when the text was written, nobody has answered for it, and it is not closed yet."""
        silent = self.dose.state in doses.WAITING and not self.dose.standing.answered
        return silent and self.dose.times.answer_until <= self.at

    @property
    def just_over(self) -> bool:
        """Whether it was announced, nobody has answered for it, and its time was over shortly before the text was written."""
        silent = self.dose.state in {DoseState.OPEN, DoseState.UNCONFIRMED} and not self.dose.standing.answered
        return silent and self.dose.times.answer_until <= self.at < self.dose.times.answer_until + EARLY


@dataclass(frozen=True)
class Several:
    """More than one dose could be meant: ask once."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class NoDose:
    """No dose could be meant."""


Meant = Candidate | Several | NoDose


def recent(talk: Talk) -> list[Candidate]:
    """The doses that this phone can speak of, in order of due instant."""
    ids = [one.patient.id for one in talk.answers]
    found = [dose for group in doses.of_patients(talk.c, ids, since=talk.at - NAMED_DAYS).values() for dose in group]
    return _in_order(talk, (dose for dose in found if dose.slot.due_at <= talk.at))


def of_ids(talk: Talk, dose_ids: Iterable[str]) -> list[Candidate]:
    """The doses a question asked about, in order of due instant."""
    return _in_order(talk, doses.read(talk.c, dose_ids).values())


def _in_order(talk: Talk, found: Iterable[StoredDose]) -> list[Candidate]:
    candidates = [Candidate(*each, talk.at) for each in talk.plans(found)]
    return sorted(candidates, key=lambda candidate: (candidate.dose.slot.due_at, candidate.plan.ref))


def is_named(said: Statement) -> bool:
    """Whether a text names its dose at all."""
    return naming_of(said) != UNNAMED


def named(talk: Talk, said: Statement) -> Meant:
    """The newest dose that fits the name; several if different plans fit at once."""
    fitting = [candidate for candidate in recent(talk) if _fits(talk, said, candidate.one, candidate.plan, candidate.dose.slot)]
    return _newest([candidate for candidate in fitting if said.day or candidate.dose.slot.due_at > talk.at - MEANT])


def unnamed(talk: Talk) -> Meant:
    """The dose meant by a text that names none: the one that waits for an answer, else the last one nobody answered for.

    While the next one's reminder has not left, that is the one before, closed already or not.
    """
    near = [candidate for candidate in recent(talk) if candidate.dose.slot.due_at > talk.at - MEANT]
    waiting = [candidate for candidate in near if candidate.waiting]
    unanswered = [candidate for candidate in waiting if not candidate.dose.standing.answered] or waiting
    if waiting:
        reminded = [candidate for candidate in unanswered if candidate.dose.state is DoseState.OPEN]
        return _newest(reminded or [candidate for candidate in near if candidate.just_over] or unanswered)
    newest = _newest(near)
    last = newest.candidates if isinstance(newest, Several) else (newest,) if isinstance(newest, Candidate) else ()
    return _one_or_several([candidate for candidate in last if candidate.dose.state in doses.UNKNOWN or candidate.unclosed])


def current(talk: Talk) -> Meant:
    """The dose whose turn it is: the last one that fell due, until the next one does; of several plans, one that waits for an answer."""
    turn = [candidate for candidate in recent(talk) if talk.at < candidate.dose.times.answer_until]
    due = [candidate for candidate in turn if candidate.dose.state is not DoseState.NOT_DUE]
    return _newest([candidate for candidate in due if candidate.waiting] or due or turn)


def on_turn(talk: Talk, plan: StoredPlan) -> Candidate | None:
    """The dose of one plan whose turn it is."""
    mine = [candidate for candidate in recent(talk) if candidate.plan.id == plan.id and candidate.dose.state is not DoseState.NOT_DUE]
    return mine[-1] if mine else None


def early(talk: Talk, said: Statement | None = None) -> Candidate | None:
    """The one slot within the early margin, taken before its reminder; its dose is recorded now. None if not exactly one."""
    coming: list[tuple[Due, StoredPlan, Slot]] = []
    for one in talk.answers:
        for plan in one.plans:
            if plan.state in plans.ON_CLOCK:
                slots = slots_between(plan.course, talk.at, talk.at + EARLY + timedelta.resolution)
                coming += [(one, plan, slot) for slot in slots if not one.has(plan, slot)]
    if said is not None:
        coming = [each for each in coming if _fits(talk, said, *each)]
    return _told_early(talk, *coming[0]) if len(coming) == 1 else None


def _told_early(talk: Talk, one: Due, plan: StoredPlan, slot: Slot) -> Candidate:
    situation = situation_of(one.standing(plan, talk.now), slot)
    times = times_of(slot, situation.next_slot, plan.rule, one.patient.quiet, plan.plan.tz, not_after=situation.room_until)
    row = doses.dose_row(plan, slot, times, now=talk.now)
    doses.add(talk.c, [(row, [DoseEvent(EventKind.FELL_DUE, talk.at)])])
    return Candidate(one, plan, doses.read(talk.c, [row["id"]])[row["id"]], talk.at)


def _newest(fitting: Sequence[Candidate]) -> Meant:
    """The last of each plan that fell due within an hour of the very last."""
    if not fitting:
        return NoDose()
    last = fitting[-1].dose.slot.due_at
    newest_of_plan = {candidate.plan.id: candidate for candidate in fitting if candidate.dose.slot.due_at > last - EARLY}
    return _one_or_several(list(newest_of_plan.values()))


def _one_or_several(found: Sequence[Candidate]) -> Meant:
    if len(found) > 1:
        return Several(tuple(found))
    return found[0] if found else NoDose()


def local_due(one: Due, slot: Slot) -> datetime:
    """When a slot is due, on the clock that the patient reads in our texts."""
    return slot.due_at.astimezone(one.patient.tz)


def _fits(talk: Talk, said: Statement, one: Due, plan: StoredPlan, slot: Slot) -> bool:
    return names_dose(said, local_due(one, slot), talk.at, naming.letter(plan) or None)
