"""Build phases from a formula: up (a titration), down by amount (a taper), or down by percent.

A formula only helps to build: the plan stores the phases, and a provider approves the dated table. A formula that
does not come out even is refused, never bent: to round a step would be to compute a dose. (A percent is rounded, to the
unit and in the direction that the provider names.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import time
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from itertools import zip_longest

from reminders.domain.day_layout import Layout, evened, lowered, raised
from reminders.domain.plan import Amount, InvalidPlan, Phase, PlannedDose, Unit, plain

WHOLE = Decimal(100)

MOST_STEPS = 366
"""More phases, or pieces of one step, are a slip of the pen; it also bounds the work."""


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
    refuse_not_numbers(start=start, to=to, step=step, piece=piece)
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
    refuse_not_numbers(from_=from_, to=to, step=step, piece=piece)
    if not 0 <= to < from_:
        raise InvalidPlan("to", f"a taper falls: {plain(from_)} to {plain(to)} does not")
    up = list(_ladder(to, from_, step=step, basis=basis, slots=len(times), piece=piece))
    return tuple(_phase(amounts, times, unit, every_days) for amounts in reversed(up[:-1]) if any(amounts))


def taper_cuts(
    from_: tuple[Decimal, ...],
    *,
    cut: Decimal,
    piece: Decimal,
    every_days: int,
    times: tuple[time, ...],
    floor: Decimal = Decimal(0),
    unit: Unit = Unit.MG,
) -> tuple[Phase, ...]:
    """Lower the day's total by `cut` a time, from the day's doses `from_` to `floor` mg a day and then to nothing.

    A cut falls in whole pieces on the largest doses, of those on the first one of the day first. The first phase is the
    first cut; a dose of nothing does not exist. Raises InvalidPlan where the cuts do not end at the floor exactly.
    """
    refuse_not_numbers(cut=cut, piece=piece, floor=floor, **_named(from_))
    _refuse_odd_day(from_, times)
    total = sum(from_, Decimal(0))
    if not 0 <= floor < total:
        raise InvalidPlan("floor", f"a taper falls: {plain(total)} to {plain(floor)} a day does not")
    cuts, pieces = _whole(total - floor, cut, "cut"), _whole(cut, piece, "piece")
    for amount in from_:
        _whole(amount, piece, "piece")
    _refuse_too_many(max(cuts, pieces))
    days, day = [], list(from_)
    for _ in range(cuts):
        for _ in range(pieces):
            day = lowered(day, piece)
        days.append(day)
    return tuple(_phase(day, times, unit, every_days) for day in days if any(day))


def taper_percent(
    from_: tuple[Decimal, ...],
    *,
    percent: Decimal,
    of: PercentOf,
    basis: Basis,
    rounding: Decimal,
    direction: Direction,
    floor: Decimal,
    every_days: int,
    times: tuple[time, ...],
    unit: Unit = Unit.MG,
) -> tuple[Phase, ...]:
    """Lower the day's doses `from_` by a percent of the current or the original, down to `floor` and then to nothing.

    Per dose, each dose falls by the percent, and waits at its floor for the others; per day, the day's total does, laid out
    as by `taper_cuts`. What is lowered is rounded to a whole number of `rounding` in the given direction. The current one is
    what is then taken, rounded; of the original, cut follows cut unrounded, so that rounding never makes a taper faster.
    What would fall to the floor or below it is the floor, for one last phase. Raises InvalidPlan where rounding leaves no cut.
    """
    refuse_not_numbers(percent=percent, rounding=rounding, floor=floor, **_named(from_))
    _refuse_odd_day(from_, times)
    per_dose = basis is Basis.PER_DOSE
    lowered_one_by_one = from_ if per_dose else (sum(from_, Decimal(0)),)
    for amount in lowered_one_by_one:
        _refuse_odd_percent(amount, percent, rounding, floor)
    falls = [list(_falls(amount, percent, of, rounding=rounding, direction=direction, floor=floor)) for amount in lowered_one_by_one]
    days = zip_longest(*falls, fillvalue=floor) if per_dose else _laid_out(from_, falls[0], rounding)
    return tuple(_phase(day, times, unit, every_days) for day in days)


def _falls(
    start: Decimal, percent: Decimal, of: PercentOf, *, rounding: Decimal, direction: Direction, floor: Decimal
) -> Iterator[Decimal]:
    """The amounts that a percent lowers one amount to, the last of them the floor."""
    share, now, exact, number = percent / WHOLE, start, start, 0
    while now > floor:
        exact = now - now * share if of is PercentOf.CURRENT else exact - start * share
        before, now = now, max(floor, _rounded(exact, rounding, direction))
        if now >= before:
            less = f"{plain(percent)} % of the {of} less, {plain(exact)}, is {plain(now)} when rounded {direction} to {plain(rounding)}"
            raise InvalidPlan("rounding", f"{plain(before)} would not fall: {less}")
        _refuse_too_many(number := number + 1)
        yield now


def _laid_out(from_: tuple[Decimal, ...], totals: list[Decimal], piece: Decimal) -> Iterator[list[Decimal]]:
    """The days of falling totals, each laid out from the one before."""
    for amount in from_:
        _whole(amount, piece, "round_to")
    day = list(from_)
    for total in totals:
        _refuse_too_many(int((sum(day) - total) / piece))
        while sum(day) > total:
            day = lowered(day, piece)
        yield day


def add_slot(
    phases: tuple[Phase, ...],
    at: time,
    *,
    step: Decimal,
    every_days: int,
    basis: Basis,
    times: tuple[time, ...],
    layout: Layout = Layout.KEPT,
) -> tuple[Phase, ...]:
    """Go on from a titration to one dose more a day, as the provider orders it: at `at`, the other doses at `times` from then on.

    The titration's last phase ends after `every_days`. Per dose, the new dose is at once as large as the others; per day,
    it grows by `step` a time from nothing, beside the others or evened out with them.
    """
    *before, last = phases
    top, unit = last.doses[-1].amount.value, last.doses[-1].amount.unit
    if len(times) != len(last.doses) or at in times:
        raise InvalidPlan("add_slot", f"give {len(last.doses)} times for the other doses, none of them {at:%H:%M}")
    day_times = tuple(sorted((*times, at)))
    place = day_times.index(at)
    rungs = 1 if basis is Basis.PER_DOSE else _whole(top, step, "step")
    _refuse_too_many(len(phases) + rungs)
    others = [dose.amount.value for dose in last.doses]
    days = []
    for rung in range(1, rungs + 1):
        grown = top * rung / rungs
        kept = [*others[:place], grown, *others[place:]]
        days.append(kept if layout is Layout.KEPT else evened(sum(kept, Decimal(0)), top / rungs, len(kept)))
    return (
        *before,
        replace(last, days=every_days),
        *(_phase(day, day_times, unit, every_days) for day in days[:-1]),
        _phase(days[-1], day_times, unit, None),
    )


def on_every_nth_day(phases: tuple[Phase, ...], nth: int) -> tuple[Phase, ...]:
    """Have doses on every n-th day only. Raises InvalidPlan where a phase would end within a stretch of n days."""
    for index, phase in enumerate(phases):
        if nth < 1 or (phase.days is not None and phase.days % nth):
            raise InvalidPlan(f"phases[{index}].days", f"{phase.days} days are not a whole number of {nth}: a step would change the rhythm")
    return tuple(replace(phase, every_n_days=nth) for phase in phases)


def dosing_days(days: int, nth: int) -> int:
    """How many of so many days have doses, the first and every n-th from there."""
    return -(-days // nth)


def refuse_not_numbers(**numbers: Decimal | None) -> None:
    """Raise InvalidPlan, by its name, for the first number that is none, or has no end."""
    for name, number in numbers.items():
        if number is not None and not number.is_finite():
            raise InvalidPlan(name.rstrip("_"), f"must be a number, not {number}")


def refuse_rise(from_: tuple[Decimal, ...], phases: tuple[Phase, ...], times: tuple[time, ...]) -> None:
    """Raise InvalidPlan where a dose of a taper is larger than the same one was before.

    `from_` are the day's doses before the first phase; empty, nothing was taken before it, and the first phase is in order.
    """
    if from_:
        _refuse_odd_day(from_, times)
    before = dict(zip(times, from_, strict=True)) if from_ else {dose.at: dose.amount.value for dose in phases[0].doses}
    for index, phase in enumerate(phases):
        for number, dose in enumerate(phase.doses):
            limit = before.get(dose.at, Decimal(0))
            if dose.amount.value > limit:
                found = f"found {dose.amount} at {dose.at:%H:%M}, limit {plain(limit)} {dose.amount.unit}, what was taken before (Doseline)"
                raise InvalidPlan(f"phases[{index}].doses[{number}].amount", f"a taper never goes back up: {found}")
        before = {dose.at: dose.amount.value for dose in phase.doses}


def _ladder(low: Decimal, high: Decimal, *, step: Decimal, basis: Basis, slots: int, piece: Decimal | None) -> Iterator[list[Decimal]]:
    """The amounts of each day from all-`low` to all-`high`, rising; the last slot of the day is raised first."""
    if not slots:
        raise InvalidPlan("times", "a day has at least one dose")
    piece = step if piece is None or basis is Basis.PER_DOSE else piece
    rungs = _whole(high - low, piece, "step") * slots
    at_once = slots if basis is Basis.PER_DOSE else _whole(step, piece, "piece")
    if rungs % at_once:
        raise InvalidPlan("step", f"steps of {plain(step)} from {plain(low)} do not end at {plain(high)} in every dose of the day")
    _refuse_too_many(max(rungs // at_once, at_once))
    day = [low] * slots
    yield day
    for _ in range(rungs // at_once):
        for _ in range(at_once):
            day = raised(day, piece)
        yield day


def _whole(span: Decimal, part: Decimal, path: str) -> int:
    if part <= 0 or span % part:
        raise InvalidPlan(path, f"{plain(span)} is not a whole number of {plain(part)}")
    return int(span / part)


def _rounded(amount: Decimal, to: Decimal, direction: Direction) -> Decimal:
    up = direction is Direction.UP
    return (amount / to).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR) * to


def _named(from_: tuple[Decimal, ...]) -> dict[str, Decimal]:
    return {f"from[{slot}]": amount for slot, amount in enumerate(from_)}


def _refuse_odd_day(from_: tuple[Decimal, ...], times: tuple[time, ...]) -> None:
    if not times or len(from_) != len(times):
        raise InvalidPlan("from", f"give an amount for each of the {len(times)} times of day, not {len(from_)}")
    for slot, amount in enumerate(from_):
        if amount <= 0:
            raise InvalidPlan(f"from[{slot}]", f"must be above zero, not {plain(amount)}")


def _refuse_odd_percent(from_: Decimal, percent: Decimal, rounding: Decimal, floor: Decimal) -> None:
    if not 0 < percent < WHOLE:
        raise InvalidPlan("percent", f"must lie between 0 and 100, not {plain(percent)}")
    if rounding <= 0 or floor <= 0 or floor % rounding:
        raise InvalidPlan("floor", f"must be above zero and a whole number of {plain(rounding)}, not {plain(floor)}")
    if floor >= from_:
        raise InvalidPlan("floor", f"a taper falls: {plain(from_)} to a floor of {plain(floor)} does not")


def _refuse_too_many(steps: int) -> None:
    if steps > MOST_STEPS:
        raise InvalidPlan("step", f"this takes {steps} steps or more: the most that a formula may take is {MOST_STEPS}")


def _phase(amounts: Sequence[Decimal], times: tuple[time, ...], unit: Unit, days: int | None) -> Phase:
    """One phase; a dose of nothing does not exist that day."""
    return Phase(tuple(PlannedDose(at, Amount(amount, unit)) for at, amount in zip(times, amounts, strict=True) if amount), days)
