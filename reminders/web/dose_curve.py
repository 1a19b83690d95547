"""A plan's dose curve: what a day was to bring against what was taken, over some weeks. Geometry only; the template draws it.

The days stand on the same axis as the cells of `dose_grid`: the gutter and the width of a day are the style sheet's too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from itertools import groupby

from reminders.domain.dose_state import DoseState
from reminders.domain.plan import plain
from reminders.services.charting import Cell
from reminders.web.dose_strip import day_words

GUTTER, DAY_WIDTH = 64, 24
TOP, PLOT, FOOT = 18, 120, 20
BASE = TOP + PLOT
MONDAY = 0
MOST_TICKS = 4
NOT_KNOWN = frozenset({DoseState.OPEN, DoseState.PENDING, DoseState.UNCONFIRMED, DoseState.NOT_REMINDED})
"""What nobody has told us, for whatever reason: it may have been taken, and is drawn so."""


@dataclass(frozen=True, slots=True)
class DayTotal:
    """A day's amounts in the plan's unit: planned (None: nothing to take), taken, and not known; `behind`: it has doses on record.

    due  what is planned of doses on record: of today's, those still to come are not in it.
    """

    on: date
    planned: Decimal | None
    due: Decimal
    taken: Decimal
    unknown: Decimal
    behind: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a day's column, in drawing units, and how it is drawn: taken or unknown."""

    x: int
    y: int
    height: int
    look: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the scale, or a date below it, with its words."""

    at: int
    words: str


@dataclass(frozen=True, slots=True)
class Curve:
    """A drawing of `width` by `height` units, in words too.

    planned  the line of what was planned, as an SVG path; steps  its amounts where they change.
    today_x  the left edge of today; None if today is not shown.
    """

    width: int
    height: int
    bars: tuple[Bar, ...]
    planned: str
    steps: tuple[tuple[int, int, str], ...]
    scale: tuple[Tick, ...]
    dates: tuple[Tick, ...]
    today_x: int | None
    days: tuple[DayTotal, ...]
    words: str


def dose_curve(cells: Sequence[Cell], days: Sequence[date], today: date, unit: str) -> Curve:
    """Draw a plan's days: columns of what was taken, and may have been, under the line of what was planned."""
    totals = day_totals(cells, days)
    most = max((max(day.planned or Decimal(0), day.taken + day.unknown) for day in totals), default=Decimal(0))
    step = step_of(most)
    ticks = max(1, int((most / step).to_integral_value(ROUND_CEILING)))
    top = step * ticks
    bars = tuple(bar for n, day in enumerate(totals) for bar in _bars(n, day, top))
    return Curve(
        width=GUTTER + DAY_WIDTH * len(days),
        height=BASE + FOOT,
        bars=bars,
        planned=" ".join(_line(totals, top)),
        steps=tuple(_steps(totals, top)),
        scale=tuple(Tick(_y(step * n, top), plain(step * n)) for n in range(ticks + 1)),
        dates=tuple(Tick(_x(n), day_words(day)) for n, day in enumerate(days) if day.weekday() == MONDAY),
        today_x=_x((today - days[0]).days) if days and days[0] <= today <= days[-1] else None,
        days=totals,
        words=_words(totals, unit),
    )


def day_totals(cells: Iterable[Cell], days: Sequence[date]) -> tuple[DayTotal, ...]:
    """Add up each day's doses."""
    by_day: dict[date, list[Cell]] = {}
    for cell in cells:
        by_day.setdefault(cell.local_date, []).append(cell)
    return tuple(_total(day, by_day.get(day, [])) for day in days)


def _total(day: date, cells: Sequence[Cell]) -> DayTotal:
    planned = [cell for cell in cells if cell.state is not DoseState.NOT_DUE]
    return DayTotal(
        day,
        planned=sum((cell.amount for cell in planned), Decimal(0)) if planned else None,
        due=sum((cell.amount for cell in planned if cell.state is not None), Decimal(0)),
        taken=sum((cell.amount for cell in cells if cell.state is DoseState.TAKEN), Decimal(0)),
        unknown=sum((cell.amount for cell in cells if cell.state in NOT_KNOWN), Decimal(0)),
        behind=any(cell.state is not None for cell in cells),
    )


def step_of(most: Decimal) -> Decimal:
    """Choose the step of a scale that reaches an amount in four at most: 1, 2 or 5 times a power of ten."""
    if most <= 0:
        return Decimal(1)
    power = Decimal(10) ** (most.adjusted() - 1)
    return next(power * n for n in (1, 2, 5, 10, 20, 50) if power * n * MOST_TICKS >= most)


def _x(n: int) -> int:
    return GUTTER + DAY_WIDTH * n


def _y(amount: Decimal, top: Decimal) -> int:
    return BASE - round(PLOT * amount / top)


def _bars(n: int, day: DayTotal, top: Decimal) -> Iterator[Bar]:
    foot = _y(Decimal(0), top)
    for amount, look in ((day.taken, "taken"), (day.unknown, "unknown")):
        if amount:
            height = max(1, round(PLOT * amount / top))
            foot -= height
            yield Bar(_x(n) + 4, foot, height, look)


def _line(totals: Sequence[DayTotal], top: Decimal) -> Iterator[str]:
    """The planned line: level through a day, and straight up or down to the next if that has doses too."""
    before: DayTotal | None = None
    for n, day in enumerate(totals):
        if day.planned is not None:
            joined = before is not None and before.planned is not None
            yield f"{f'V{_y(day.planned, top)}' if joined else f'M{_x(n)} {_y(day.planned, top)}'} H{_x(n + 1)}"
        before = day


def _steps(totals: Sequence[DayTotal], top: Decimal) -> Iterator[tuple[int, int, str]]:
    """The planned amount where a run of days on it begins."""
    known = [(n, day.planned) for n, day in enumerate(totals) if day.planned is not None]
    for planned, run in groupby(known, key=lambda found: found[1]):
        n, _ = next(run)
        yield _x(n) + 2, _y(planned, top) - 5, plain(planned)


def _words(totals: Sequence[DayTotal], unit: str) -> str:
    """Say what the drawing shows."""
    known = [day for day in totals if day.planned is not None]
    if not known:
        return "No doses in these days."
    runs = [(planned, list(run)) for planned, run in groupby(known, key=lambda day: day.planned)]
    told = ", then ".join(f"{plain(planned or Decimal(0))} from {day_words(run[0].on)}" for planned, run in runs)
    sums = [sum(amounts, Decimal(0)) for amounts in zip(*((day.due, day.taken, day.unknown) for day in known), strict=True)]
    so_far = ""
    if any(day.behind for day in known):
        due, taken, unknown = map(plain, sums)
        so_far = f" Of {due} {unit} due so far in these days {taken} {unit} were taken; of {unknown} {unit} it is not known."
    return f"Planned a day, in {unit}: {told}.{so_far}"
