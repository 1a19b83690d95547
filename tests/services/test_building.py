from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from decimal import Decimal

import pytest

from reminders.domain.plan import AdvancePolicy, Amount, InvalidPlan, Kind, Phase, PlannedDose, plain
from reminders.domain.taper import Basis
from reminders.drugs import UnknownDrug
from reminders.services.building import Reading, Recipe, build_plan, table_of, two_readings

RISE = Recipe(
    drug="baclofen",
    kind=Kind.TITRATION,
    from_=Decimal(5),
    to=Decimal(20),
    step=Decimal(5),
    every_days=3,
    times=(time(8), time(14), time(20)),
    start=date(2026, 3, 2),
    zone="America/New_York",
    advance=AdvancePolicy.AS_PRESCRIBED,
)
FALL = replace(RISE, kind=Kind.TAPER, from_=Decimal(20), to=Decimal(0))

# The two readings of "+5 mg every three days", as US labels and the slower plan a provider may write lay them out.
SIDE_BY_SIDE = """
1-3   | 5/5/5    15 45   | 5/5/5    15 45
4-6   | 10/10/10 30 135  | 5/5/10   20 105
7-9   | 15/15/15 45 270  | 5/10/10  25 180
10-12 | 20/20/20 60 450  | 10/10/10 30 270
13-15 | 20/20/20 60 630  | 10/10/15 35 375
16-18 | 20/20/20 60 810  | 10/15/15 40 495
19-21 | 20/20/20 60 990  | 15/15/15 45 630
22-24 | 20/20/20 60 1170 | 15/15/20 50 780
25-27 | 20/20/20 60 1350 | 15/20/20 55 945
28-30 | 20/20/20 60 1530 | 20/20/20 60 1125
"""


def written(reading: Reading | None) -> str:
    """Write one reading as it stands in the table."""
    if reading is None:
        return "-"
    return f"{'/'.join(map(plain, reading.amounts))} {plain(reading.per_day)} {plain(reading.so_far)}"


def side_by_side(recipe: Recipe) -> list[list[str]]:
    """Write the two readings row by row."""
    return [[f"{row.days[0]}-{row.days[1]}", written(row.per_dose), written(row.per_day)] for row in two_readings(recipe)]


def test_the_two_readings_of_a_rise_stand_side_by_side() -> None:
    """Per dose reaches 60 mg a day on day 10, per day on day 28; on days 10 to 12 they differ two-fold."""
    expected = [[" ".join(cell.split()) for cell in row.split("|")] for row in SIDE_BY_SIDE.strip().splitlines()]

    assert side_by_side(RISE) == expected


def test_a_reading_of_a_taper_that_has_ended_is_empty() -> None:
    """A taper per dose ends after three steps, while per day goes on lowering one dose at a time."""
    rows = side_by_side(FALL)

    assert rows[2:4] == [["7-9", "5/5/5 15 270", "15/15/15 45 450"], ["10-12", "-", "10/15/15 40 570"]]
    assert rows[-1] == ["31-33", "-", "0/0/5 5 990"]


def test_steps_that_do_not_come_out_have_no_readings() -> None:
    """Steps that do not end at the last amount are no plan in either reading."""
    with pytest.raises(InvalidPlan):
        two_readings(replace(RISE, to=Decimal(22)))


def test_a_plan_of_an_unknown_drug_is_not_built() -> None:
    """The drug's profile gives the unit and the limits: without it nothing is built."""
    with pytest.raises(UnknownDrug):
        build_plan(replace(RISE, drug="aspirin"), Basis.PER_DOSE)


def test_a_dated_table_counts_what_is_taken() -> None:
    """A phase of seven days with a dose every third day has three dosing days; an open-ended one has no sum."""
    doses = (PlannedDose(time(8), Amount(Decimal(5))),)
    plan = replace(build_plan(RISE, Basis.PER_DOSE), phases=(Phase(doses, 7, 3), Phase(doses, None)))

    rows = [(row.first, row.last, row.days, row.so_far) for row in table_of(plan)]
    assert rows == [(date(2026, 3, 2), date(2026, 3, 8), 7, Decimal(15)), (date(2026, 3, 9), None, None, None)]
