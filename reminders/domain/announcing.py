"""What happens to every slot that falls due: announced, left out, or recorded with no text, and why.

One decision per slot, and of several overdue ones at most one text, about the current slot. Pure: the service gathers a
plan's standing under the patient's lock, asks here, and writes what it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never

from reminders.domain.contact import Contact, QuietHours, Refused
from reminders.domain.dose_state import DoseState
from reminders.domain.missed import (
    ON_TIME,
    Announce,
    Ask,
    DoseRecord,
    FourTimes,
    Limits,
    MissedDoseRule,
    NotBefore,
    Situation,
    SkipThis,
    may_announce,
    settled_why,
    times_of,
)
from reminders.domain.plan import DAY, Course
from reminders.domain.plan_state import DOSES_FALL_DUE, PlanState
from reminders.domain.schedule import Slot, next_slot, previous_slot, slots_between
from reminders.domain.seam import too_close

OUTAGE, MUTED, MOVED = "outage", "muted", "moved"
"""Reasons a dose has with no text; the reasons of `contact.WhyNot` stand beside them."""


@dataclass(frozen=True, slots=True)
class PlanStanding:
    """One plan as the pass finds it.

    decided_until   UTC: every slot due up to and including this instant has been decided.
    records         this ingredient's doses of the last three days, over all of the patient's plans.
    upcoming_other  the slots yet to come of the patient's other plans of this ingredient, for two days.
    """

    plan_id: str
    course: Course
    state: PlanState
    decided_until: datetime
    rule: MissedDoseRule
    limits: Limits
    quiet: QuietHours
    contact: Contact
    records: tuple[DoseRecord, ...] = ()
    upcoming_other: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Announced:
    """Its reminder is written; `late` in the late wording. `guard_after` and `not_before` (UTC) go into the text."""

    guard_after: datetime | None = None
    not_before: datetime | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The "leave this one out" text goes in place of its reminder; it is skipped, as advised. `next_at` None: no next dose."""

    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class NoText:
    """No text; the dose is recorded in this state, for this reason."""

    state: DoseState
    why: str


@dataclass(frozen=True, slots=True)
class Waits:
    """The patient is told to call before they take it, and the reminder waits for a person, until `announce_until` at most."""

    why: str


Verdict: TypeAlias = Announced | LeftOut | NoText | Waits


@dataclass(frozen=True, slots=True)
class Fallen:
    """One slot that fell due, its four times, and what is done about it."""

    slot: Slot
    times: FourTimes
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Falling:
    """Every slot decided by one pass, in order of due instant, and where the plan's cursor stands now.

    `next_due_at` (UTC) is None where nothing falls due any more: completed, stopped, suspended, or not yet active.
    """

    fallen: tuple[Fallen, ...]
    decided_until: datetime
    next_due_at: datetime | None


def fall_due(standing: PlanStanding, now: datetime) -> Falling:
    """Decide every slot with `decided_until < due <= now` (aware UTC), once; a clock that went back decides nothing."""
    if standing.state not in DOSES_FALL_DUE:
        return Falling((), max(now, standing.decided_until), None)
    slots = slots_between(standing.course, *_just_after(standing.decided_until, now))
    moved = moved_slots(standing.course, slots, standing.limits.min_gap)
    following = next_slot(standing.course, max(now, standing.decided_until))
    return Falling(
        fallen=tuple(_decided(standing, slot, now, moved=slot in moved) for slot in slots),
        decided_until=max(now, standing.decided_until),
        next_due_at=None if following is None else following.due_at,
    )


def _just_after(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The half-open window of everything after `start`, up to and including `end`."""
    return start + timedelta.resolution, end + timedelta.resolution


def moved_slots(course: Course, slots: Sequence[Slot], min_gap: timedelta) -> frozenset[Slot]:
    """Those of a course's slots that a change of the clock pushed too close to the one before: one dose, and these are not due.

    Slots of one layout only: between two versions the seam has already kept the distance. The slots shortly before the
    first one given are looked at too.
    """
    if not slots:
        return frozenset()
    before = slots_between(course, slots[0].due_at - 2 * min_gap, slots[0].due_at)
    moved: set[Slot] = set()
    kept: Slot | None = None
    for slot in sorted({*before, *slots}):
        if kept is not None and _pushed_onto(course, kept, slot, min_gap):
            moved.add(slot)
        else:
            kept = slot
    return frozenset(moved.intersection(slots))


def _pushed_onto(course: Course, kept: Slot, later: Slot, min_gap: timedelta) -> bool:
    one_layout = not any(kept.due_at < version.effective_at <= later.due_at for version in course.versions)
    return one_layout and too_close(kept, later, min_gap)


def next_to_take(course: Course, slot: Slot, min_gap: timedelta) -> Slot | None:
    """The plan's next slot after this one that is due, past any that moved too close; None: this is the last before a stop."""
    following = next_slot(course, slot.due_at)
    while following is not None and _pushed_onto(course, slot, following, min_gap):
        following = next_slot(course, following.due_at)
    return following


def current_slot(course: Course, min_gap: timedelta, now: datetime) -> Slot | None:
    """The slot whose turn it is at `now`: the last one due, past any that moved too close; None before the first."""
    last = previous_slot(course, now + timedelta.resolution)
    if last is None:
        return None
    recent = slots_between(course, last.due_at - min_gap, last.due_at + timedelta.resolution)
    moved = moved_slots(course, recent, min_gap)
    return max(slot for slot in recent if slot not in moved)


def situation_of(standing: PlanStanding, slot: Slot) -> Situation:
    """Gather what the missed-dose rule looks at for one of a plan's slots, whether to announce it or to advise on it."""
    following = next_to_take(standing.course, slot, standing.limits.min_gap)
    return Situation(
        slot=slot,
        next_slot=following,
        rule=standing.rule,
        limits=standing.limits,
        records=standing.records,
        upcoming=(*standing.upcoming_other, *_own_upcoming(standing, following)),
        plan=standing.plan_id,
    )


def _own_upcoming(standing: PlanStanding, following: Slot | None) -> tuple[Slot, ...]:
    """The plan's own slots after this one that are not doses yet, a day past the next, for a maximum in 24 hours."""
    if standing.limits.max_in_24h is None or following is None:
        return ()
    slots = slots_between(standing.course, following.due_at, following.due_at + DAY)
    moved = moved_slots(standing.course, slots, standing.limits.min_gap)
    known = {(record.slot_date, record.number) for record in standing.records if record.plan == standing.plan_id}
    return tuple(slot for slot in slots if slot not in moved and slot.key not in known)


def _decided(standing: PlanStanding, slot: Slot, now: datetime, *, moved: bool) -> Fallen:
    situation, tz = situation_of(standing, slot), standing.course.current.plan.tz
    times = times_of(slot, situation.next_slot, standing.rule, standing.quiet, tz, not_after=situation.room_until)
    no_text = _no_text(standing, situation, moved=moved)
    if no_text is not None:
        return Fallen(slot, times, no_text)
    # Its time ends in the first quarter of the gap to the next slot: of several overdue slots only the current can still be in it.
    if now >= times.announce_until:
        return Fallen(slot, times, NoText(DoseState.NOT_REMINDED, OUTAGE))
    return Fallen(slot, times, _verdict(situation, now))


def _no_text(standing: PlanStanding, situation: Situation, *, moved: bool) -> NoText | None:
    """Why this slot has no text whatever the hour; None: it may have one. What the patient has told us stands before all else."""
    own, settled = situation.own, settled_why(situation.own)
    if own is not None and settled is not None:
        return NoText(own.state, settled)
    if moved:
        return NoText(DoseState.NOT_DUE, MOVED)
    if standing.state is PlanState.MUTED:
        return NoText(DoseState.NOT_REMINDED, MUTED)
    if isinstance(standing.contact, Refused):
        return NoText(DoseState.NOT_REMINDED, standing.contact.why)
    return None


def _verdict(situation: Situation, now: datetime) -> Verdict:
    """Turn what may be announced into what is done."""
    late = now - situation.slot.due_at > ON_TIME
    announcement = may_announce(situation, now)
    match announcement:
        case Announce():
            return Announced(guard_after=announcement.guard_after, late=late)
        case NotBefore():
            return Announced(not_before=announcement.until, late=late)
        case SkipThis():  # too soon or too much: what was answered, and what is too late, never comes this far
            return LeftOut(None if situation.next_slot is None else situation.next_slot.due_at)
        case Ask():
            return Waits(announcement.why)
        case _ as unreachable:
            assert_never(unreachable)
