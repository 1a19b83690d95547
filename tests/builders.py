"""Plans, tapers and titrations in one line each."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

from reminders.domain.plan import AdvancePolicy, Amount, Course, Kind, Phase, Plan, PlannedDose, Unit
from reminders.domain.profile import Template, TemplateKind, TemplatePhase
from reminders.domain.taper import Basis, taper_by, titrate

THREE = ("08:00", "14:00", "20:00")
FOUR = ("06:00", "12:00", "18:00", "22:00")
NEW_YORK = "America/New_York"


def times(text: str | tuple[str, ...]) -> tuple[time, ...]:
    """Read local times: "08:00 14:00" or a tuple of them."""
    return tuple(time.fromisoformat(part) for part in (text.split() if isinstance(text, str) else text))


def utc(text: str) -> datetime:
    """Read an instant written in UTC: "2026-03-08 07:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_phase(amounts: str, days: int | None = None, *, at: str | tuple[str, ...] = THREE, every: int = 1, unit: Unit = Unit.MG) -> Phase:
    """Build a phase from "5/5/10"; a dash is a slot without a dose that day ("–/5/5")."""
    slots = zip(times(at), amounts.split("/"), strict=True)
    return Phase(tuple(PlannedDose(t, Amount(Decimal(a), unit)) for t, a in slots if a not in "–-"), days, every)


def a_plan(
    *phases: Phase,
    kind: Kind = Kind.TITRATION,
    zone: str = NEW_YORK,
    start: str = "2026-03-02",
    label: str | None = None,
    drug: str = "baclofen-tablet",
    advance: AdvancePolicy = AdvancePolicy.AS_PRESCRIBED,
) -> Plan:
    """Build a plan of these phases; of 5 mg three times a day without end if none is given."""
    return Plan(drug, kind, zone, date.fromisoformat(start), advance, phases or (a_phase("5/5/5"),), label)


def a_titration(
    basis: Basis = Basis.PER_DOSE, *, zone: str = NEW_YORK, start: str = "2026-03-02", at: str | tuple[str, ...] = THREE
) -> Plan:
    """Build the label's titration: 5 to 20 mg in steps of 5 every three days."""
    phases = titrate(Decimal(5), Decimal(20), step=Decimal(5), every_days=3, basis=basis, times=times(at))
    return a_plan(*phases, zone=zone, start=start)


def a_taper(template: str = "B", *, zone: str = NEW_YORK, start: str = "2026-03-02", at: str | tuple[str, ...] = THREE) -> Plan:
    """Build one of the four taper templates from 60 mg a day: A (two weeks), B (−15 a week), C (−10), D (−5)."""
    return a_plan(*_TAPERS[template](times(at)), kind=Kind.TAPER, zone=zone, start=start)


def a_layout(template: Template, drug: str, *, at: str | tuple[str, ...] | None = None) -> Plan:
    """Lay out a profile's ready layout as it stands, at its own times, else at the first of these that there are slots for."""
    slots = len(template.phases[0].amounts)
    of_day = template.times or times(at or FOUR[:slots])
    kind = Kind.TAPER if template.kind is TemplateKind.TAPER else Kind.TITRATION
    return a_plan(*(_laid_out(phase, of_day) for phase in template.phases), kind=kind, drug=drug)


def _laid_out(phase: TemplatePhase, of_day: tuple[time, ...]) -> Phase:
    slots = zip(of_day, phase.amounts, strict=True)
    return Phase(tuple(PlannedDose(at, amount) for at, amount in slots if amount is not None), phase.days, phase.every_n_days)


def a_course(plan: Plan) -> Course:
    """Let a plan govern from before its first day on."""
    return Course.of(plan, datetime.combine(plan.start, time.min, tzinfo=plan.tz).astimezone(UTC))


def _down(basis: Basis, from_: int, to: int, *, step: int, every: int, at: tuple[time, ...]) -> tuple[Phase, ...]:
    return taper_by(Decimal(from_), Decimal(to), step=Decimal(step), every_days=every, basis=basis, times=at, piece=Decimal(5))


_TAPERS = {
    "A": lambda at: (*_down(Basis.PER_DOSE, 20, 5, step=5, every=4, at=at), *_down(Basis.PER_DAY, 5, 0, step=5, every=1, at=at)),
    "B": lambda at: _down(Basis.PER_DOSE, 20, 0, step=5, every=7, at=at),
    "C": lambda at: _down(Basis.PER_DAY, 20, 0, step=10, every=7, at=at),
    "D": lambda at: _down(Basis.PER_DAY, 20, 0, step=5, every=7, at=at),
}
