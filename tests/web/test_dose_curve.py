"""The geometry of the dose curve and of the grid below it, without a page."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from reminders.domain.adherence import Mark
from reminders.domain.dose_state import DoseState
from reminders.services.charting import Cell
from reminders.web.dose_curve import BASE, DAY_WIDTH, GUTTER, PLOT, day_totals, dose_curve, step_of
from reminders.web.dose_grid import LOOKS, dose_grid, legend, words_of

FIRST = date(2026, 3, 2)
"""A Monday."""
DAYS = tuple(FIRST + timedelta(days=n) for n in range(14))
NEW_YORK = "America/New_York"
STATES = {
    Mark.T: DoseState.TAKEN,
    Mark.M: DoseState.MISSED,
    Mark.U: DoseState.UNCONFIRMED,
    Mark.N: DoseState.NOT_REMINDED,
    Mark.Z: DoseState.NOT_DUE,
    Mark.o: DoseState.OPEN,
}


def a_cell(day: int = 0, number: int = 1, amount: str = "5", mark: Mark | None = Mark.T, *, hour: int = 8, **more: object) -> Cell:
    """A dose of a day, counted from the first."""
    on = FIRST + timedelta(days=day)
    due_at = datetime(2026, 3, 2, hour + 5, tzinfo=UTC) + timedelta(days=day)
    state = None if mark is None else STATES[mark]
    return Cell(on, number, time(hour), due_at, Decimal(amount), 1, mark, state, **more)  # type: ignore[arg-type]


def test_a_day_is_added_up() -> None:
    """Planned is all but what was not due; taken is what was; what nobody told us is not known, and what was missed is neither."""
    cells = [a_cell(0, n, str(n), mark) for n, mark in enumerate([Mark.T, Mark.M, Mark.U, Mark.N, Mark.o, Mark.Z], 1)]
    first, second = day_totals(cells, DAYS[:2])

    assert (first.planned, first.due, first.taken, first.unknown, first.behind) == (Decimal(15), Decimal(15), Decimal(1), Decimal(12), True)
    assert (second.planned, second.behind) == (None, False)


def test_a_column_stands_on_its_day() -> None:
    """Taken stands on the base line in its day's column, as high as its share of the scale; what is not known stands on it."""
    curve = dose_curve([a_cell(3, 1, "10"), a_cell(3, 2, "5", Mark.U), a_cell(3, 3, "5", None)], DAYS, DAYS[3], "mg")
    taken, unknown = curve.bars

    assert [tick.words for tick in curve.scale] == ["0", "5", "10", "15", "20"]
    assert (taken.x, taken.y, taken.height, taken.look) == (GUTTER + 3 * DAY_WIDTH + 4, BASE - PLOT // 2, PLOT // 2, "taken")
    assert (unknown.x, unknown.y, unknown.height, unknown.look) == (taken.x, BASE - PLOT * 3 // 4, PLOT // 4, "unknown")
    assert curve.today_x == GUTTER + 3 * DAY_WIDTH
    assert curve.width == GUTTER + 14 * DAY_WIDTH


def test_a_little_of_much_is_seen() -> None:
    """A tenth of a milligram beside a hundred still has a column."""
    curve = dose_curve([a_cell(0, 1, "0.1"), a_cell(1, 1, "100")], DAYS, FIRST, "mg")

    assert [bar.height for bar in curve.bars] == [1, PLOT]


def test_the_planned_line() -> None:
    """It is level through each day, goes straight to the next, and begins anew after days without doses."""
    cells = [a_cell(0, amount="5"), a_cell(1, amount="10", mark=None), a_cell(4, amount="10", mark=None)]
    curve = dose_curve(cells, DAYS, FIRST, "mg")
    half = BASE - PLOT // 2

    assert curve.planned == f"M64 {half} H88 V{BASE - PLOT} H112 M160 {BASE - PLOT} H184"
    assert [(x, words) for x, _, words in curve.steps] == [(66, "5"), (90, "10")]


def test_in_words() -> None:
    """The drawing says what it shows: the planned amounts as they change, and what became of what was due."""
    cells = [a_cell(0, amount="5"), a_cell(1, amount="10", mark=Mark.U), a_cell(2, amount="10", mark=None)]

    assert dose_curve(cells, DAYS, FIRST, "mg").words == (
        "Planned a day, in mg: 5 from 2 Mar, then 10 from 3 Mar."
        " Of 15 mg due so far in these days 5 mg were taken; of 10 mg it is not known."
    )
    assert dose_curve([a_cell(mark=None)], DAYS, FIRST, "mg").words == "Planned a day, in mg: 5 from 2 Mar."


def test_what_is_still_to_come_today_is_not_due() -> None:
    """Of three doses of a day one is taken, one was not due, and one has its hour yet to come."""
    cells = [a_cell(0, 1), a_cell(0, 2, mark=Mark.Z, hour=11), a_cell(0, 3, mark=None, hour=14)]

    assert dose_curve(cells, DAYS, FIRST, "mg").words == (
        "Planned a day, in mg: 10 from 2 Mar. Of 5 mg due so far in these days 5 mg were taken; of 0 mg it is not known."
    )


def test_nothing_to_draw() -> None:
    """Days without doses have a scale and dates, and say so; today can lie outside."""
    curve = dose_curve([], DAYS, FIRST - timedelta(days=1), "mg")

    assert (curve.bars, curve.planned, curve.steps, curve.today_x) == ((), "", (), None)
    assert [tick.words for tick in curve.dates] == ["2 Mar", "9 Mar"]
    assert curve.words == "No doses in these days."


@pytest.mark.parametrize(
    ("most", "step"),
    [
        ("0", "1"),
        ("0.25", "0.1"),
        ("3", "1"),
        ("4", "1"),
        ("5", "2"),
        ("15", "5"),
        ("20", "5"),
        ("60", "20"),
        ("80", "20"),
        ("81", "50"),
        ("1800", "500"),
    ],
)
def test_the_scale(most: str, step: str) -> None:
    """It goes in steps that people count in, four at most."""
    assert step_of(Decimal(most)) == Decimal(step)


# The grid


def test_a_row_for_each_time() -> None:
    """Rows are times of day in order, cells stand in their date's column, and the others are empty."""
    rows = dose_grid([a_cell(0, 2, hour=14, mark=None), a_cell(0), a_cell(1, mark=Mark.M)], DAYS[:3], "mg", NEW_YORK)

    assert [(row.time, [cell and cell.letter for cell in row.cells]) for row in rows] == [
        ("08:00", ["T", "M", None]),
        ("14:00", ["·", None, None]),
    ]
    assert [cell.opens for row in rows for cell in row.cells if cell] == [True, True, False]


def test_a_time_twice_in_a_date() -> None:
    """After a move a date can have a time twice: each dose has its place."""
    rows = dose_grid([a_cell(0, 1, mark=Mark.Z), a_cell(0, 4)], DAYS[:1], "mg", NEW_YORK)

    assert [(row.time, [cell and (cell.number, cell.letter) for cell in row.cells]) for row in rows] == [
        ("08:00", [(1, "Z")]),
        ("08:00", [(4, "T")]),
    ]


def test_a_dose_in_words() -> None:
    """A cell says its day, time, amount, what it came to and when, and what a person should know of it."""
    later = datetime(2026, 3, 3, 13, 30, tzinfo=UTC)
    told = a_cell(taken_at=later, corrected=True, odd=True, contradicted=True)

    assert (
        words_of(a_cell(taken_at=datetime(2026, 3, 2, 13, 5, tzinfo=UTC)), "mg", NEW_YORK) == "Mon 2 Mar 08:00, 5 mg: taken on time (08:05)"
    )
    assert words_of(told, "mg", NEW_YORK) == (
        "Mon 2 Mar 08:00, 5 mg: taken on time (Tue 3 Mar 08:30), set right by staff, "
        "told as two, half or vomited: look at it, told both ways"
    )
    assert words_of(a_cell(mark=None), "mg", NEW_YORK) == "Mon 2 Mar 08:00, 5 mg: still to come"
    (row,) = dose_grid([told, a_cell(1)], DAYS[:2], "mg", NEW_YORK)
    assert [cell.flagged for cell in row.cells if cell] == [True, False]


def test_every_letter_has_its_look() -> None:
    """All letters of the dosing rules are drawn and explained, no two alike in letter and words."""
    assert {mark for mark in LOOKS if mark} == set(Mark)
    assert len({letter for letter, _, _ in legend()}) == len({said for _, _, said in legend()}) == len(Mark) + 1
    assert all(letter == mark for mark, (letter, _, _) in LOOKS.items() if mark)
