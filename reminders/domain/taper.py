"""Build phases from a formula: up (a titration), down (a taper), or down by percent.

A formula only helps to build: the plan stores the phases, and a provider approves the dated table. A formula that
does not come out even is refused, never bent: to round a step would be to compute a dose.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from reminders.domain.plan import Amount, InvalidPlan, Phase, PlannedDose, Unit, plain

WHOLE = Decimal(100)


class Basis(StrEnum):
    """What "+5 mg" means; the readings differ two-fold on day 10, so there is no default."""

    PER_DOSE = "per_dose"
    PER_DAY = "per_day"


class PercentOf(StrEnum):
    """What a percent taper takes its percent of."""

    CURRENT = "current"
    ORIGINAL = "original"


class Direction(StrEnum):
    """Which way a percent taper rounds."""

    UP = "up"
    DOWN = "down"


def titrate(
    start: Decimal,
    to: Decimal,
    *,
    step: Decimal,
    every_days: int,
    basis: Basis,
    times: tuple[time, ...],
    unit: Unit = Unit.MG,
    piece: Decimal | None = None,
) -> tuple[Phase, ...]:
    """Raise every dose of the day from `start` to `to`, both per dose in either basis; the last phase is open-ended.

    Per dose: all doses rise by `step` together. Per day: the day's total rises by `step`, one dose at a time by `piece`
    (the whole step if left out): the last of the day first, then the one before it, then round again (5/5/10).
    Raises InvalidPlan where the steps do not end at `to` exactly.
    """
    _refuse_not_numbers(start=start, to=to, step=step, piece=piece)
    if not 0 < start < to:
        raise InvalidPlan("to", f"a titration rises from above nothing: {plain(start)} to {plain(to)} does not")
    days = list(_ladder(start, to, step=step, basis=basis, slots=len(times), piece=piece))
    return (
        *(_phase(amounts, times, unit, every_days) for amounts in days[:-1]),
        _phase(days[-1], times, unit, None),
    )


def taper_by(
    from_: Decimal,
    to: Decimal,
    *,
    step: Decimal,
    every_days: int,
    basis: Basis,
    times: tuple[time, ...],
    unit: Unit = Unit.MG,
    piece: Decimal | None = None,
) -> tuple[Phase, ...]:
    """Lower every dose of the day from `from_` to `to`, both per dose in either basis; `to` may be 0, to nothing.

    The mirror of `titrate`: the first dose of the day is lowered first, the last one last. The first phase is the first
    cut, not `from_`, which ended the day before. A dose of nothing does not exist. Every phase lasts `every_days`.
    Raises InvalidPlan where the steps do not end at `to` exactly.
    """
    _refuse_not_numbers(from_=from_, to=to, step=step, piece=piece)
    if not 0 <= to < from_:
        raise InvalidPlan("to", f"a taper falls: {plain(from_)} to {plain(to)} does not")
    up = list(_ladder(to, from_, step=step, basis=basis, slots=len(times), piece=piece))
    return tuple(_phase(amounts, times, unit, every_days) for amounts in reversed(up[:-1]) if any(amounts))


def taper_percent(
    from_: Decimal,
    *,
    percent: Decimal,
    of: PercentOf,
    rounding: Decimal,
    direction: Direction,
    floor: Decimal,
    every_days: int,
    times: tuple[time, ...],
    unit: Unit = Unit.MG,
) -> tuple[Phase, ...]:
    """Lower every dose by a percent of the current or the original one, down to `floor` and then to nothing.

    All amounts are per dose. Each is rounded to a whole number of `rounding` (a real strength, or half a scored tablet)
    in the given direction, and the rounded one is the next step's current. What would fall to the floor or below it is
    the floor, for one last phase. Raises InvalidPlan where rounding leaves a step without a cut.
    """
    _refuse_not_numbers(from_=from_, percent=percent, rounding=rounding, floor=floor)
    _refuse_odd_percent(from_, percent, rounding, floor)
    amounts: list[Decimal] = []
    current = from_
    while current > floor:
        cut = (current if of is PercentOf.CURRENT else from_) * percent / WHOLE
        lower = max(floor, _rounded(current - cut, rounding, direction))
        if lower >= current:
            raise InvalidPlan("direction", f"{plain(percent)} % of {plain(current)} is rounded back up: {plain(current)} would never fall")
        amounts.append(current := lower)
    return tuple(_phase([amount] * len(times), times, unit, every_days) for amount in amounts)


def _ladder(low: Decimal, high: Decimal, *, step: Decimal, basis: Basis, slots: int, piece: Decimal | None) -> Iterator[list[Decimal]]:
    """The amounts of each day from all-`low` to all-`high`, rising; the last slot of the day is raised first."""
    if not slots:
        raise InvalidPlan("times", "a day has at least one dose")
    piece = step if piece is None or basis is Basis.PER_DOSE else piece
    rungs = _whole(high - low, piece, "step") * slots
    at_once = slots if basis is Basis.PER_DOSE else _whole(step, piece, "piece")
    if rungs % at_once:
        raise InvalidPlan("step", f"steps of {plain(step)} from {plain(low)} do not end at {plain(high)} in every dose of the day")
    for raised in range(0, rungs + 1, at_once):
        rounds, more = divmod(raised, slots)
        yield [low + (rounds + (slot >= slots - more)) * piece for slot in range(slots)]


def _whole(span: Decimal, part: Decimal, path: str) -> int:
    if part <= 0 or span % part:
        raise InvalidPlan(path, f"{plain(span)} is not a whole number of {plain(part)}")
    return int(span / part)


def _rounded(amount: Decimal, to: Decimal, direction: Direction) -> Decimal:
    up = direction is Direction.UP
    return (amount / to).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR) * to


def _refuse_not_numbers(**numbers: Decimal | None) -> None:
    for name, number in numbers.items():
        if number is not None and not number.is_finite():
            raise InvalidPlan(name.rstrip("_"), f"must be a number, not {number}")


def _refuse_odd_percent(from_: Decimal, percent: Decimal, rounding: Decimal, floor: Decimal) -> None:
    if not 0 < percent < WHOLE:
        raise InvalidPlan("percent", f"must lie between 0 and 100, not {plain(percent)}")
    if rounding <= 0 or floor <= 0 or floor % rounding:
        raise InvalidPlan("floor", f"must be above zero and a whole number of {plain(rounding)}, not {plain(floor)}")
    if floor >= from_:
        raise InvalidPlan("floor", f"must be below {plain(from_)}, not {plain(floor)}")


def _phase(amounts: list[Decimal], times: tuple[time, ...], unit: Unit, days: int | None) -> Phase:
    """One phase; a dose of nothing does not exist that day."""
    return Phase(tuple(PlannedDose(at, Amount(amount, unit)) for at, amount in zip(times, amounts, strict=True) if amount), days)
