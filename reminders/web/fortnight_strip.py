"""A plan's last two weeks as a small picture: a column a day, a cell a dose, each with colour and letter; and its level in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from reminders.domain.fortnight import Trend
from reminders.web.dose_grid import LOOKS
from reminders.web.dose_strip import day_words

if TYPE_CHECKING:
    from reminders.domain.adherence import Adherence, Mark
    from reminders.domain.fortnight import Fortnight

STEP = 15
"""How far apart two cells begin, in drawing units; a cell is 14 wide with its edge."""


_CELL = Markup(
    '<g class="{look}"><title>{title}</title><rect x="{x}.5" y="{y}.5" width="13" height="13" rx="2"/>'
    '<text x="{middle}" y="{foot}" text-anchor="middle">{letter}</text></g>'
)


@dataclass(frozen=True, slots=True)
class Picture:
    """The cells, as SVG, in a picture of `width` by `height` units, in words too; `dates`: the first and the last day."""

    width: int
    height: int
    cells: Markup
    dates: tuple[str, str]
    words: str


def fortnight_strip(weeks: Fortnight) -> Picture:
    """Draw two weeks, the first dose of a day at the top."""
    cells = [_cell(column, row, mark, day.on) for column, day in enumerate(weeks.days) for row, mark in enumerate(day.marks)]
    rows = max((len(day.marks) for day in weeks.days), default=0)
    counted = Counter(LOOKS[mark][2] for day in weeks.days for mark in day.marks)
    said = ", ".join(f"{number} {words}" for words, number in counted.items()) or "no doses"
    dates = day_words(weeks.days[0].on), day_words(weeks.days[-1].on)
    return Picture(len(weeks.days) * STEP, max(rows, 1) * STEP, Markup().join(cells), dates, f"{dates[0]} to {dates[1]}: {said}.")


@lru_cache(maxsize=4096)
def _cell(column: int, row: int, mark: Mark, on: date) -> Markup:
    """Draw a dose, with what it says to whoever points at it. A page has a thousand of them, and hardly any is unlike all others."""
    letter, look, words = LOOKS[mark]
    x, y, title = column * STEP, row * STEP, f"{on:%a} {day_words(on)}: {words}"
    return _CELL.format(x=x, y=y, middle=x + 7, foot=y + 11, letter=letter, look=look, title=title)


def level_words(score: Adherence) -> str:
    """Say how many doses were confirmed of those that count, and what share that is, without and with the unanswered ones."""
    if score.lower is None or score.upper is None:
        return "no dose that counts"
    share = whole(score.lower) if score.lower == score.upper else f"{whole(score.lower)} to {whole(score.upper)}"
    silent = f", {score.unconfirmed} unanswered" if score.unconfirmed else ""
    return f"{score.taken} of {score.counted} confirmed ({share} %){silent}"


def trend_words(weeks: Fortnight) -> str:
    """Say how that compares with the 14 days before; empty where too few doses count."""
    if weeks.trend is None or weeks.before.lower is None:
        return ""
    word = {Trend.UP: "▲ more than", Trend.DOWN: "▼ fewer than", Trend.STEADY: "steady with"}[weeks.trend]
    return f"{word} the 14 days before ({whole(weeks.before.lower)} %)"


def whole(share: Fraction) -> int:
    """A share in whole percent, rounded half up, but 100 only where nothing is missing."""
    return 100 if share == 1 else min(int(share * 100 + Fraction(1, 2)), 99)
