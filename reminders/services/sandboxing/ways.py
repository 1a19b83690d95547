"""Ways ahead: how far the sandbox's clock is to be moved, and what on the way would end the move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from db.engine import reading
from reminders.domain.dose_state import DoseState
from reminders.domain.schedule import instant_of, phase_spans
from reminders.errors import NotAllowed, UnknownPatient
from reminders.services.records import doses, plans
from reminders.services.records import sandbox_phones as rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Engine

    from reminders.services.records.plans import StoredPlan

SOON = timedelta(days=8)
"""By then a weekly plan has had its dose, and nobody's answer is waited for any more [our default]."""
BEFORE = timedelta(hours=1)
"""So long before a clock change the move ends, that it can be watched [our default]."""
YEAR = 400  # days in which each clock change comes once, however late

Line = Mapping[str, Any]


class Way(StrEnum):
    """Where the clock bar's buttons lead."""

    QUARTER = "quarter"
    EVENT = "event"
    NO_REPLY = "no_reply"
    DAY = "day"
    STEP = "step"
    SPRING = "spring"
    AUTUMN = "autumn"


@dataclass(frozen=True, slots=True)
class Ahead:
    """An instant (UTC) to move to, and what would end the move before; None: nothing does."""

    to: datetime
    until: Callable[[Line], bool] | None = None


def way_ahead(engine: Engine, clinic_id: str, patient_id: str, way: Way, *, now: datetime) -> Ahead:
    """Say how far a button leads for a patient of a clinic. Raises UnknownPatient, and NotAllowed where it leads nowhere."""
    with reading(engine) as c:
        patient = rows_of.patient(c, clinic_id, patient_id)
        if patient is None:
            raise UnknownPatient
        around = frozenset(row["phone"] for row in rows_of.behind(c, clinic_id, patient_id))
        stored = plans.of_patients(c, [patient_id]).get(patient_id, [])
    tz, refs = ZoneInfo(patient["zone"]), frozenset(plan.ref for plan in stored)
    match way:
        case Way.QUARTER:
            return Ahead(now + timedelta(minutes=15))
        case Way.EVENT:
            return Ahead(now + SOON, lambda line: line.get("to") in around or line.get("plan") in refs)
        case Way.NO_REPLY:
            return Ahead(now + SOON, lambda line: line.get("plan") in refs and _is_closed(line))
        case Way.DAY:
            return Ahead(instant_of(now.astimezone(tz).date() + timedelta(days=1), time(), tz))
        case Way.STEP:
            return Ahead(_next_step(stored, now))
        case Way.SPRING | Way.AUTUMN:
            return Ahead(clock_change(tz, after=now + BEFORE, forward=way is Way.SPRING) - BEFORE)


def clock_change(tz: ZoneInfo, *, after: datetime, forward: bool) -> datetime:
    """The instant (UTC) of a zone's next clock change after an instant, forward or back. Raises NotAllowed where there is none."""
    day = after.astimezone(UTC).replace(microsecond=0)
    for _ in range(YEAR):
        following = day + timedelta(days=1)
        before, then = _offset(tz, day), _offset(tz, following)
        if before != then and (then > before) is forward:
            return _change_within(tz, day, following)
        day = following
    raise NotAllowed(f"the clocks of {tz.key} do not change")


def _change_within(tz: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second of the new offset, between two instants that have different ones."""
    old = _offset(tz, before)
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (middle, after) if _offset(tz, middle) == old else (before, middle)
    return after


def _offset(tz: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(tz).utcoffset() or timedelta()


def _is_closed(line: Line) -> bool:
    return line["kind"] == "dose" and line["state"] not in {state.value for state in doses.WAITING} | {DoseState.NOT_DUE.value}


def _next_step(stored: Iterable[StoredPlan], now: datetime) -> datetime:
    """Midnight of the day on which the first of some plans is to take its next step."""
    steps = [at for plan in stored if (at := _step_of(plan, now)) is not None]
    if not steps:
        raise NotAllowed("no plan of this patient has a step to come")
    return min(steps)


def _step_of(plan: StoredPlan, now: datetime) -> datetime | None:
    spans, phase_no = phase_spans(plan.plan), plans.current_phase(plan, now)
    if plan.state not in plans.ON_CLOCK or phase_no == len(spans):
        return None
    at = instant_of(spans[phase_no].starts, time(), plan.plan.tz)
    return at if at > now else None
