"""A plan as it stands in a list of many: its phase, its last two weeks by their letters, how far they were confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import BindParameter, bindparam, select

from db.types import UtcDateTime
from reminders.domain.adherence import ScoredDose, mark_of
from reminders.domain.dose_state import DoseState, Standing
from reminders.domain.fortnight import DAYS, Fortnight, fortnight
from reminders.domain.plan_state import PlanState
from reminders.services.records import plans
from reminders.services.records.ledger import DOSE, asked

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

    from reminders.domain.plan import PlannedDose
    from reminders.services.records.ledger import Row
    from reminders.services.records.plans import StoredPlan

TWO_WINDOWS = timedelta(days=2 * DAYS + 2)
"""So far back no dose of either window can be due, in whatever zone."""

_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_READ = (DOSE.c.plan_id, DOSE.c.local_date, DOSE.c.due_at, DOSE.c.amount, DOSE.c.state, DOSE.c.reason)
_DOSES = (
    select(*_READ, DOSE.c.taken_at, DOSE.c.taken_by, DOSE.c.take_until, DOSE.c.muted)
    .where(DOSE.c.plan_id.in_(_IDS), DOSE.c.due_at >= bindparam("since", type_=UtcDateTime))
    .order_by(DOSE.c.plan_id, DOSE.c.due_at, DOSE.c.slot_no)
)


@dataclass(frozen=True, slots=True)
class Panel:
    """How one plan stands. `phase_no` counts from 1; `doses` are those of its phase's day; `today` is the patient's date."""

    plan_id: str
    ref: str
    drug: str
    label: str | None
    state: PlanState
    reason: str | None
    phase_no: int
    phases: int
    doses: tuple[PlannedDose, ...]
    today: date
    weeks: Fortnight


def panels_of(c: Connection, stored: Mapping[str, StoredPlan], *, now: datetime) -> dict[str, Panel]:
    """How some plans stand, by id."""
    scored: dict[str, list[ScoredDose]] = {plan_id: [] for plan_id in stored}
    if stored:
        for row in asked(c, _DOSES, ids=list(stored), since=now - TWO_WINDOWS):
            scored[row["plan_id"]].append(_scored(row))
    return {plan_id: _panel(plan, scored[plan_id], now) for plan_id, plan in stored.items()}


def _panel(plan: StoredPlan, scored: Iterable[ScoredDose], now: datetime) -> Panel:
    phase_no, today = plans.current_phase(plan, now), now.astimezone(plan.plan.tz).date()
    return Panel(
        plan_id=plan.id,
        ref=plan.ref,
        drug=plan.profile.name,
        label=plan.label,
        state=plan.state,
        reason=plan.reason,
        phase_no=phase_no,
        phases=len(plan.course.current.plan.phases),
        doses=plan.plan.phases[phase_no - 1].doses,
        today=today,
        weeks=fortnight(scored, today=today),
    )


def _scored(row: Row) -> ScoredDose:
    standing = Standing(
        DoseState(row["state"]), reason=row["reason"], taken_at=row["taken_at"], taken_by=row["taken_by"], muted=row["muted"]
    )
    return ScoredDose(row["local_date"], mark_of(standing, row["due_at"], row["take_until"]), row["amount"])
