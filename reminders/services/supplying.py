"""Supplying: what the clinic says of a plan's tablets, and how long they last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.domain.plan import Amount, plain
from reminders.domain.roles import Right
from reminders.domain.supply import HORIZON, Outlook, PhaseNeed, Tally, TallyKind, needs_by_phase, not_a_strength
from reminders.errors import BadFile, Fault, UnknownPlan
from reminders.services.records import people, plans, quarantines, staff, supplies

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.plans import StoredPlan

__all__ = ["HORIZON", "PhaseNeed", "Supply", "TallyKind", "say", "standing"]


@dataclass(frozen=True, slots=True)
class Supply:
    """What is known of a plan's tablets. `outlook` is None where nobody keeps count; `needs`: what each phase to come takes.

    `told_at`: when somebody last spoke of them (UTC).
    """

    plan: str
    drug: str
    told_at: datetime | None
    outlook: Outlook | None
    needs: tuple[PhaseNeed, ...]


def say(
    engine: Engine,
    ref: str,
    tablets: Mapping[Decimal, int],
    kind: TallyKind,
    *,
    by: str,
    now: datetime,
    clinic_id: str | None = None,
) -> Supply:
    """Keep that so many tablets of each strength (in the plan's unit) were counted, or added; return what is known then.

    Raises UnknownPlan, NotAllowed for a person who may not, or BadFile with the strengths that this plan does not have; then
    nothing is stored.
    """
    with writing(engine) as c:
        quarantines.refuse_while_held(c)
        plan = _find(c, ref, clinic_id)
        staff.require(c, plan.clinic_id, by, Right.CARE)
        people.lock(c, [plan.patient_id])
        said = {Amount(strength, plan.plan.unit): count for strength, count in tablets.items()}
        faults = [Fault(plain(strength.value), why) for strength in said if (why := not_a_strength(strength, plan.plan, plan.profile))]
        if faults:
            raise BadFile(faults)
        supplies.add(c, plan, [Tally(now, kind, strength, count) for strength, count in said.items()], by=by, now=now)
        return _standing(c, plan, now=now)


def standing(engine: Engine, ref: str, *, now: datetime, clinic_id: str | None = None) -> Supply:
    """What is known of a plan's tablets. Raises UnknownPlan."""
    with reading(engine) as c:
        return _standing(c, _find(c, ref, clinic_id), now=now)


def _standing(c: Connection, plan: StoredPlan, *, now: datetime) -> Supply:
    told = supplies.tallies_of(c, plan.id)
    needs = needs_by_phase(plan.course, plan.profile, supplies.left_of(c, plan) or {}, since=plan.decided_until, until=now + HORIZON)
    seen = supplies.outlook_of(c, plan, now=now)
    return Supply(plan.ref, plan.profile.name, told[-1].at if told else None, seen, needs if plan.profile.is_counted else ())


def _find(c: Connection, ref: str, clinic_id: str | None) -> StoredPlan:
    plan = plans.find(c, ref, clinic_id)
    if plan is None:
        raise UnknownPlan(f"there is no plan {ref!r}")
    return plan
