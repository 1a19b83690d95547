"""Check-ins: on which days a patient is asked how it goes, and what the answers call for. Never a dose.

The days, and the numbers that call for a person's look, are our defaults. The scales are not: stiffness 0 to 10 over the
last 24 hours (Farrar et al. 2008), the side effects of "Right Baclofen Dose for Managing Pain" by letter, graded 0 to 3,
the Penn spasm frequency 0 to 4 with its severity 1 to 3 (NINDS common data elements).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from reminders.domain.gate import SEVERE_GRADE, STIFFNESS_LIMIT
from reminders.domain.plan import CheckInItem
from reminders.domain.schedule import PhaseSpan, phase_spans

if TYPE_CHECKING:
    from reminders.domain.plan import Plan
    from reminders.domain.profile import Monitoring

SECOND = timedelta(days=1)
"""The second day of a phase: what a new amount does has begun to show. [default]"""
CLOSELY = 3
"""For so many days from each change whoever needs it is asked daily. [default]"""
WEEK = timedelta(days=7)
"""How often in a phase without an end; and how long a symptom lasts before it counts as persistent. [default]"""
RUNNING = 3
"""A symptom at so many check-ins running is persistent. [default]"""
TROUBLESOME = 2
"""Drowsiness or weakness from this grade on says that the dose may be too high. [default]"""
STIFF = 4
"""Stiffness from 4 of 10 is moderate (Ther Adv Neurol Disord 2023); at two check-ins running the dose may be too low. [default]"""
TOGETHER = timedelta(days=1)
"""What was told within so long before belongs to the same day: weakness in one text, that it is in the way in another. [default]"""
DROWSY, WEAK = "A", "C"
IN_THE_WAY, HARD_TO_CONCENTRATE, HELPS, HARD_TO_BREATHE, LOSING_FLUIDS = "W", "F", "H", "R", "L"
TICKS = frozenset({IN_THE_WAY, HARD_TO_CONCENTRATE, HELPS, HARD_TO_BREATHE, LOSING_FLUIDS})
"""The letters of what is answered by yes or no."""

SYMPTOMS: Mapping[str, str] = {"A": "drowsiness", "B": "dizziness", "C": "weakness", "D": "headache", "E": "nausea"}


@dataclass(frozen=True, slots=True)
class Watch:
    """What is asked because of another medicine that has been on the patient's list since a local date."""

    monitoring: Monitoring
    since: date


def raised(watches: Iterable[Watch]) -> frozenset[str]:
    """The letters of the symptoms that count one grade higher."""
    return frozenset(letter for watch in watches for letter in watch.monitoring.raises)


def counted(grades: Mapping[str, int], raised: Collection[str]) -> dict[str, int]:
    """Grades as they count: one higher, up to 3, for a symptom that another medicine makes graver. None stays none."""
    return {letter: min(grade + 1, SEVERE_GRADE) if grade and letter in raised else grade for letter, grade in grades.items()}


def asked_on(plan: Plan, day: date, watches: Sequence[Watch] = ()) -> tuple[CheckInItem, ...]:
    """Say what a plan, its stays laid in, asks on a local date, each once; empty: nothing."""
    span = _span_on(plan, day)
    if span is None:
        return ()
    watched = (item for watch in watches if _watches(plan, span, watch, day) for item in watch.monitoring.asks)
    return tuple(dict.fromkeys((*_planned(plan, span, day), *watched)))


def _planned(plan: Plan, span: PhaseSpan, day: date) -> Iterator[CheckInItem]:
    if plan.check_ins is not None:
        checks = _checks_on(span, day, closely=plan.check_ins.closely)
        own = {CheckInItem.BLOOD_PRESSURE: _second_or_weekly(span, day), CheckInItem.SPASMS: _once_a_week(plan, day)}
        yield from (item for item in plan.check_ins.items if own.get(item, checks))


def _watches(plan: Plan, span: PhaseSpan, watch: Watch, day: date) -> bool:
    """Whether another medicine has something asked on a day: its addition counts as a change of its own."""
    changed, began = max(span.starts, watch.since), max(plan.start, watch.since)
    return (day - changed).days + 1 in watch.monitoring.days or (watch.monitoring.weekly and _every_week(began, day))


def _span_on(plan: Plan, day: date) -> PhaseSpan | None:
    return next((span for span in phase_spans(plan) if span.starts <= day and (span.ends is None or day < span.ends)), None)


def next_check_in(plan: Plan, after: date, watches: Sequence[Watch] = ()) -> date | None:
    """Say the first local date after another on which a plan, its stays laid in, asks anything; None: there is none."""
    if plan.check_ins is None and not watches:
        return None
    return next((day for day in _days_to_come(plan, after, watches) if asked_on(plan, day, watches)), None)


def _days_to_come(plan: Plan, after: date, watches: Sequence[Watch]) -> Iterator[date]:
    """The dates on which anything could be asked: all of a plan's, and of a phase without an end the next weeks'."""
    spans = phase_spans(plan)
    day = max(after + timedelta(days=1), plan.start)
    ends = spans[-1].ends or max(day, spans[-1].starts, *(watch.since for watch in watches)) + 2 * WEEK
    while day < ends:
        yield day
        day += timedelta(days=1)


def _checks_on(span: PhaseSpan, day: date, *, closely: bool) -> bool:
    last = span.ends is not None and day == span.ends - timedelta(days=1)
    return last or (closely and (day - span.starts).days < CLOSELY) or _second(span, day) or (span.ends is None and _weekly(span, day))


def _second(span: PhaseSpan, day: date) -> bool:
    return day == span.starts + SECOND


def _weekly(span: PhaseSpan, day: date) -> bool:
    return _every_week(span.starts, day)


def _every_week(start: date, day: date) -> bool:
    since = day - start
    return since > timedelta() and since % WEEK == timedelta()


def _second_or_weekly(span: PhaseSpan, day: date) -> bool:
    return _second(span, day) or _weekly(span, day)


def _once_a_week(plan: Plan, day: date) -> bool:
    """The first second day, or week's day, of a phase in each week of the plan: asked weekly, and on no day of its own."""
    earlier = ((day - plan.start) % WEEK).days
    *before, today = ((span := _span_on(plan, each)) is not None and _second_or_weekly(span, each) for each in _days_until(day, earlier))
    return today and not any(before)


def _days_until(day: date, before: int) -> list[date]:
    return [day - timedelta(days=days) for days in range(before, -1, -1)]


@dataclass(frozen=True, slots=True)
class Report:
    """What was answered at one time. `grades`: by letter, 0 to 3, the others none; None: symptoms were not spoken of.

    `ticks`: by letter, what was answered by yes or no.
    """

    at: datetime
    grades: Mapping[str, int] | None = None
    stiffness: int | None = None
    ticks: Mapping[str, bool] = field(default_factory=dict)


class SignalKind(StrEnum):
    """What a person should look at."""

    SEVERE = "severe"
    PERSISTENT = "persistent"
    TOO_HIGH = "too_high"
    TOO_LOW = "too_low"
    STIFF_ON_TAPER = "stiff_on_taper"
    FLUIDS = "fluids_lost"


@dataclass(frozen=True, slots=True)
class Signal:
    """Something the answers call for a look at, with its numbers in words."""

    kind: SignalKind
    words: str


def signals(reports: Sequence[Report], *, began: datetime, tapering: bool, raised: Collection[str] = ()) -> tuple[Signal, ...]:
    """Say what the newest of a patient's reports, oldest first, calls for; `began`: when the plan did. Never a dose.

    `raised`: the letters that count one grade higher. "Too low" waits a week, for the full effect takes days to weeks, and
    is not said beside "too high".
    """
    if not reports:
        return ()
    reports = [report if report.grades is None else replace(report, grades=counted(report.grades, raised)) for report in reports]
    found = [*_of_symptoms(reports, raised), *_too_high(reports), *(_of_taper(reports[-1]) if tapering else ()), *_of_fluids(reports[-1])]
    if reports[-1].stiffness is not None and not any(signal.kind is SignalKind.TOO_HIGH for signal in found):
        found += _of_stiffness(reports, began)
    return tuple(found)


def _of_fluids(newest: Report) -> Iterator[Signal]:
    if newest.ticks.get(LOSING_FLUIDS):
        yield Signal(SignalKind.FLUIDS, "drank too little, vomited or had diarrhoea")


def _of_symptoms(reports: Sequence[Report], raised: Collection[str]) -> Iterator[Signal]:
    grades = reports[-1].grades
    if grades is None:
        return
    told = [report for report in reports if report.grades is not None]
    for letter, name in SYMPTOMS.items():
        grade = grades.get(letter, 0)
        if grade >= SEVERE_GRADE:
            higher = ", counted one grade higher for another medicine" if letter in raised else ""
            yield Signal(SignalKind.SEVERE, f"{name} at grade {grade} of 3{higher}")
        if grade and (lasting := _lasting(told, letter)):
            yield Signal(SignalKind.PERSISTENT, f"{name} {lasting}")


def _too_high(reports: Sequence[Report]) -> Iterator[Signal]:
    newest = reports[-1]
    grades = newest.grades or {}
    high = [f"{SYMPTOMS[letter]} at grade {grades[letter]}" for letter in (DROWSY, WEAK) if grades.get(letter, 0) >= TROUBLESOME]
    if grades.get(WEAK, 0) < TROUBLESOME and (grades.get(WEAK) or newest.ticks.get(IN_THE_WAY)) and _weak_and_in_the_way(reports):
        high.append(f"{SYMPTOMS[WEAK]} that gets in the way of the day")
    if newest.ticks.get(HARD_TO_CONCENTRATE):
        high.append("hard to concentrate")
    if high:
        yield Signal(SignalKind.TOO_HIGH, " and ".join(high))


def _weak_and_in_the_way(reports: Sequence[Report]) -> bool:
    """Whether weakness and that it is in the way are the newest words of one day on each, in one text or in two."""
    today = [report for report in reports if reports[-1].at - report.at <= TOGETHER]
    weak = [report.grades.get(WEAK, 0) for report in today if report.grades is not None][-1:]
    in_the_way = [report.ticks[IN_THE_WAY] for report in today if IN_THE_WAY in report.ticks][-1:]
    return any(weak) and any(in_the_way)


def _lasting(told: Sequence[Report], letter: str) -> str:
    """In words, how long a symptom has lasted without a check-in that lacked it; empty: not long."""
    run: list[Report] = []
    for report in reversed(told):
        if not (report.grades or {}).get(letter):
            break
        run.append(report)
    if len(run) >= RUNNING:
        return f"at {len(run)} check-ins running"
    days = (run[0].at - run[-1].at).days
    return f"for more than {WEEK.days} days" if days > WEEK.days else ""


def _of_taper(newest: Report) -> Iterator[Signal]:
    if newest.stiffness is not None and newest.stiffness >= STIFFNESS_LIMIT:
        yield Signal(SignalKind.STIFF_ON_TAPER, f"stiffness {newest.stiffness} of 10 on a taper")


def _of_stiffness(reports: Sequence[Report], began: datetime) -> list[Signal]:
    rated = [report for report in reports if report.stiffness is not None and report.at - began >= WEEK][-2:]
    ratings = [report.stiffness for report in rated]
    if len(ratings) < 2 or any(rating < STIFF for rating in ratings if rating is not None):  # noqa: PLR2004 - two running
        return []
    return [Signal(SignalKind.TOO_LOW, f"stiffness {ratings[0]} and then {ratings[1]} of 10, at two check-ins running")]
