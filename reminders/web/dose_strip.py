"""A plan's picture: a bar for each dose, as high as its amount, drawn by its state. Geometry only; the template draws it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Final

from reminders.domain.dose_state import DoseState
from reminders.domain.plan import plain
from reminders.services.records.overview import Mark

BAR, GAP, DAY_GAP = 8, 3, 6
HIGHEST, FOOT = 40, 52

# How a state is drawn and said; the sign below a bar tells states apart without their colour.
LOOKS: Final[dict[DoseState | None, tuple[str, str]]] = {
    DoseState.TAKEN: ("taken", "taken"),
    DoseState.OPEN: ("open", "waiting for an answer"),
    DoseState.PENDING: ("open", "waiting for an answer"),
    DoseState.SKIPPED: ("skipped", "left out"),
    DoseState.MISSED: ("missed", "reported missed"),
    DoseState.UNCONFIRMED: ("unconfirmed", "no answer"),
    DoseState.NOT_REMINDED: ("not-reminded", "not reminded"),
    DoseState.NOT_DUE: ("not-due", "not due"),
    None: ("planned", "planned"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One dose: its left edge and height in drawing units, how it is drawn, and a title for whoever points at it."""

    x: int
    height: int
    look: str
    title: str


@dataclass(frozen=True, slots=True)
class Strip:
    """A picture of `width` by `height` units, in words too; nothing to draw without bars.

    dates    the first and the last, or the only one.
    today_x  where the bars yet to come begin; None if there are none, or no others.
    """

    width: int
    height: int
    bars: tuple[Bar, ...]
    dates: tuple[str, ...]
    today_x: int | None
    words: str


def dose_strip(marks: Sequence[Mark], unit: str) -> Strip:
    """Lay out a plan's doses, in their order, with a wider gap between days."""
    most = max((mark.amount for mark in marks), default=Decimal(1))
    bars: list[Bar] = []
    x = 0
    for _, day in groupby(marks, key=lambda mark: mark.local_date):
        for mark in day:
            bars.append(Bar(x, max(4, int(HIGHEST * mark.amount / most)), LOOKS[mark.state][0], _title(mark, unit)))
            x += BAR + GAP
        x += DAY_GAP
    width = max(x - GAP - DAY_GAP, 0)
    ahead = next((index for index, mark in enumerate(marks) if mark.state is None), 0)
    today_x = bars[ahead].x - GAP // 2 - 1 if ahead else None
    return Strip(width, FOOT, tuple(bars), _dates(marks), today_x, _words(marks))


def looks() -> tuple[tuple[str, str], ...]:
    """Every way a dose is drawn, and what it means, each once."""
    return tuple(dict.fromkeys(LOOKS.values()))


def day_words(day: date) -> str:
    """Write a date as "25 Nov"."""
    return f"{day.day} {day:%b}"


def _title(mark: Mark, unit: str) -> str:
    return f"{mark.local_date:%a} {day_words(mark.local_date)}, dose {mark.number}: {plain(mark.amount)} {unit}, {LOOKS[mark.state][1]}"


def _dates(marks: Sequence[Mark]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(day_words(mark.local_date) for mark in (*marks[:1], *marks[-1:])))


def _words(marks: Sequence[Mark]) -> str:
    """Say what the picture shows."""
    if not marks:
        return "No doses in these days."
    counted = Counter(LOOKS[mark.state][1] for mark in marks)
    said = ", ".join(f"{number} {words}" for words, number in counted.items())
    return f"{day_words(marks[0].local_date)} to {day_words(marks[-1].local_date)}: {said}."
