"""A plan's picture: the day's totals as steps over its dates. Geometry only; the template draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from reminders.domain.plan import plain
from reminders.services.laying_out import TableRow
from reminders.web.dose_strip import day_words

WIDTH, HEIGHT = 640, 190
LEFT, TOP, FOOT = 12, 26, 30
OPEN_DAYS = 7
"""So wide, at least, is drawn what has no end."""
NARROWEST = 64
"""A step narrower than this has no room for its words."""


@dataclass(frozen=True, slots=True)
class Step:
    """A run of days on the same total, as a block from the foot up; `amount` and `date` are empty where they have no room."""

    x: int
    y: int
    width: int
    height: int
    amount: str
    date: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing of `width` by `height` units over a foot line at `foot`, in words too."""

    width: int
    height: int
    foot: int
    steps: tuple[Step, ...]
    words: str


def step_picture(rows: Sequence[TableRow], unit: str) -> Picture:
    """Lay out the rows of a plan's table, in order; runs on one total side by side are one step."""
    runs = _runs(rows)
    most = max((row.per_day for row, _ in runs), default=Decimal(1))
    all_days = sum(days for _, days in runs) or 1
    room, foot = WIDTH - 2 * LEFT, HEIGHT - FOOT
    steps: list[Step] = []
    so_far, free_from = 0, 0
    for row, days in runs:
        x, end = (LEFT + room * count // all_days for count in (so_far, so_far + days))
        height = max(2, int((foot - TOP) * row.per_day / most))
        fits = end - x >= NARROWEST or x >= free_from
        free_from = x + NARROWEST if fits else free_from
        amount, date = (plain(row.per_day), day_words(row.first)) if fits else ("", "")
        steps.append(Step(x, foot - height, max(1, end - x), height, amount, date, row.last is None))
        so_far += days
    return Picture(WIDTH, HEIGHT, foot, tuple(steps), _words(runs, unit))


def _runs(rows: Sequence[TableRow]) -> list[tuple[TableRow, int]]:
    """Each total with the days it is drawn for, the last without end for a week or a tenth of the rest."""
    runs: list[tuple[TableRow, int]] = []
    before = sum(row.days or 0 for row in rows)
    for row in rows:
        days = row.days or max(OPEN_DAYS, before // 10)
        if runs and runs[-1][0].per_day == row.per_day and row.last is not None:
            runs[-1] = (runs[-1][0], runs[-1][1] + days)
        else:
            runs.append((row, days))
    return runs


def _words(runs: Sequence[tuple[TableRow, int]], unit: str) -> str:
    """Say what the picture shows."""
    return "; ".join(f"from {day_words(row.first)} {plain(row.per_day)} {unit} a day" for row, _ in runs)
