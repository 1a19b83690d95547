"""Which dose is meant: by its name, by the question last asked, or by there being only one. Never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Protocol

from reminders.domain.announcing import situation_of
from reminders.domain.dose_state import DoseEvent, DoseState, EventKind
from reminders.domain.missed import times_of
from reminders.domain.schedule import Slot, slots_between
from reminders.messaging.intents import DayWord, PartOfDay
from reminders.services.records import doses, plans

if TYPE_CHECKING:
    from reminders.services.records.doses import StoredDose
    from reminders.services.records.due import Due
    from reminders.services.records.plans import StoredPlan
    from reminders.services.replying.talk import Talk

MEANT = timedelta(hours=36)
"""How far back a dose named by its time is looked for [our default]: today's and yesterday's."""

EARLY = timedelta(minutes=60)
"""How long before its reminder a dose can be told as taken [our default]."""

PARTS = {
    PartOfDay.MORNING: (time(4), time(12)),
    PartOfDay.AFTERNOON: (time(12), time(17)),
    PartOfDay.EVENING: (time(17), time(21)),
    PartOfDay.NIGHT: (time(20), time(4)),
}
WEEKDAYS = (DayWord.MONDAY, DayWord.TUESDAY, DayWord.WEDNESDAY, DayWord.THURSDAY, DayWord.FRIDAY, DayWord.SATURDAY, DayWord.SUNDAY)


class Naming(Protocol):
    """How a text names a dose; all None: it does not."""

    @property
    def due(self) -> time | None:
        """The time of the dose."""
        ...

    @property
    def or_due(self) -> time | None:
        """The other reading of that time."""
        ...

    @property
    def part(self) -> PartOfDay | None:
        """The part of the day."""
        ...

    @property
    def day(self) -> DayWord | None:
        """The day."""
        ...

    @property
    def label(self) -> str | None:
        """The letter of the plan's label."""
        ...


@dataclass(frozen=True)
class Candidate:
    """A dose that may be meant, with its plan and patient."""

    one: Due
    plan: StoredPlan
    dose: StoredDose

    @property
    def waiting(self) -> bool:
        """Whether an answer is still waited for."""
        return self.dose.state in doses.WAITING


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
    found = []
    for one in talk.answers:
        by_id = {plan.id: plan for plan in one.plans}
        for dose in doses.of_patients(talk.c, [one.patient.id], since=talk.at - MEANT - timedelta(days=7)).get(one.patient.id, []):
            if dose.plan_id in by_id and dose.slot.due_at <= talk.at:
                found.append(Candidate(one, by_id[dose.plan_id], dose))
    return sorted(found, key=lambda candidate: (candidate.dose.slot.due_at, candidate.plan.ref))


def of_ids(talk: Talk, dose_ids: Iterable[str]) -> list[Candidate]:
    """The doses a question asked about, in order of due instant."""
    wanted = doses.read(talk.c, dose_ids)
    plan_of = {plan.id: (one, plan) for one in talk.answers for plan in one.plans}
    found = [Candidate(*plan_of[dose.plan_id], dose) for dose in wanted.values() if dose.plan_id in plan_of]
    return sorted(found, key=lambda candidate: (candidate.dose.slot.due_at, candidate.plan.ref))


def is_named(naming: Naming) -> bool:
    """Whether a text names its dose at all."""
    return any((naming.due, naming.part, naming.day, naming.label))


def named(talk: Talk, naming: Naming) -> Meant:
    """The newest dose that fits the name; several if different plans fit at once."""
    fitting = [candidate for candidate in recent(talk) if _fits(talk, candidate, naming)]
    fitting = [candidate for candidate in fitting if naming.day or candidate.dose.slot.due_at > talk.at - MEANT]
    return _newest(fitting)


def unnamed(talk: Talk) -> Meant:
    """The dose meant by a text that names none: the one that waits for an answer, else the last one nobody answered for."""
    near = [candidate for candidate in recent(talk) if candidate.dose.slot.due_at > talk.at - MEANT]
    waiting = [candidate for candidate in near if candidate.waiting and not candidate.dose.standing.answered]
    if not waiting:
        waiting = [candidate for candidate in near if candidate.waiting]
    if waiting:
        return _newest(waiting)
    unknown = [candidate for candidate in near if candidate.dose.state in doses.UNKNOWN]
    last = _newest(unknown)
    newest = _newest(near)
    if isinstance(last, Candidate) and isinstance(newest, Candidate) and last.dose.id == newest.dose.id:
        return last
    return last if isinstance(last, Several) else NoDose()


def current(talk: Talk, label: str | None) -> Meant:
    """The dose whose turn it is, for a question about a late one that names no time."""
    fitting = [candidate for candidate in recent(talk) if label is None or _letter(candidate.plan) == label]
    return _newest([candidate for candidate in fitting if candidate.dose.state is not DoseState.NOT_DUE])


def early(talk: Talk) -> Candidate | None:
    """The one slot within the early margin, taken before its reminder; its dose is recorded now. None if not exactly one."""
    coming: list[tuple[Due, StoredPlan, Slot]] = []
    for one in talk.answers:
        for plan in one.plans:
            if plan.state in plans.ON_CLOCK:
                slots = slots_between(plan.course, talk.at, talk.at + EARLY)
                coming += [(one, plan, slot) for slot in slots if not one.has(plan, slot)]
    if len(coming) != 1:
        return None
    one, plan, slot = coming[0]
    situation = situation_of(one.standing(plan, talk.now), slot)
    times = times_of(slot, situation.next_slot, plan.rule, one.patient.quiet, plan.plan.tz, not_after=situation.room_until)
    row = doses.dose_row(plan, slot, times, now=talk.now)
    doses.add(talk.c, [(row, [DoseEvent(EventKind.FELL_DUE, talk.at)])])
    return Candidate(one, plan, doses.read(talk.c, [row["id"]])[row["id"]])


def _newest(fitting: Sequence[Candidate]) -> Meant:
    if not fitting:
        return NoDose()
    last = fitting[-1].dose.slot.due_at
    newest_of_plan: dict[str, Candidate] = {
        candidate.plan.id: candidate for candidate in fitting if candidate.dose.slot.due_at > last - EARLY
    }
    found = tuple(newest_of_plan.values())
    return found[0] if len(found) == 1 else Several(found)


def _fits(talk: Talk, candidate: Candidate, naming: Naming) -> bool:
    slot, tz = candidate.dose.slot, candidate.plan.plan.tz
    if naming.label is not None and naming.label != _letter(candidate.plan):
        return False
    if naming.due is not None and slot.local_time not in (naming.due, naming.or_due) and not _same_hour(slot.local_time, naming):
        return False
    if naming.part is not None and not _within(slot.local_time, *PARTS[naming.part]):
        return False
    return naming.day is None or _is_day(slot, naming.day, talk.at.astimezone(tz))


def _same_hour(at: time, naming: Naming) -> bool:
    """Whether people would call a dose by this time: "my 8" is the one at 08:15, if they named the full hour."""
    named_times = [named for named in (naming.due, naming.or_due) if named is not None]
    return any(named.minute == 0 and named.hour == at.hour for named in named_times)


def _within(at: time, starts: time, ends: time) -> bool:
    return starts <= at < ends if starts < ends else at >= starts or at < ends


def _is_day(slot: Slot, day: DayWord, local: datetime) -> bool:
    if day is DayWord.TODAY:
        return slot.local_date == local.date()
    if day is DayWord.YESTERDAY:
        return slot.local_date == local.date() - timedelta(days=1)
    return WEEKDAYS[slot.local_date.weekday()] is day and slot.local_date > local.date() - timedelta(days=7)


def _letter(plan: StoredPlan) -> str | None:
    return plan.label[0].upper() if plan.label else None
