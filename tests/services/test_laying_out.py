from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest

from reminders import drugs
from reminders.domain.plan import Amount, plain
from reminders.domain.taper import Basis
from reminders.services.laying_out import TableRow, table_of, tablets_to_dispense
from tests.builders import a_phase, a_plan, a_taper, a_titration

BACLOFEN = drugs.load("baclofen-tablet")


def rows_of(rows: tuple[TableRow, ...]) -> list[tuple[int, int | None, str | None]]:
    """Each row's days, and the sum at its end."""
    return [(row.from_day, row.until_day, None if row.so_far is None else plain(row.so_far)) for row in rows]


def mg(size: str) -> Amount:
    """So many mg."""
    return Amount(Decimal(size))


def test_a_row_gives_dates_days_and_amounts() -> None:
    """Both dates of a row are included, and its days counted."""
    row = table_of(a_titration(Basis.PER_DAY))[1]

    assert (row.first, row.last, row.days) == (date(2026, 3, 5), date(2026, 3, 7), 3)
    assert (row.amounts, row.per_day) == ({time(8): Decimal(5), time(14): Decimal(5), time(20): Decimal(10)}, Decimal(20))


def test_a_phase_of_every_nth_day_counts_its_dosing_days() -> None:
    """A phase of seven days with a dose every third day has three dosing days."""
    plan = a_plan(a_phase("5", 7, at="08:00", every=3), a_phase("5", at="08:00"))

    assert rows_of(table_of(plan, until_day=7)) == [(1, 7, "15"), (8, None, None)]


def test_an_open_ended_phase_is_laid_out_as_far_as_asked() -> None:
    """The last phase goes on in runs as long as the one before, the last of them as long as is left; then it has no end."""
    plan = a_plan(a_phase("5/5/5", 3), a_phase("10/10/10"))

    assert rows_of(table_of(plan, until_day=10)) == [(1, 3, "45"), (4, 6, "135"), (7, 9, "225"), (10, 10, "255"), (11, None, None)]


@pytest.mark.parametrize("before", [(), (1,)])
def test_an_open_ended_phase_after_none_or_a_short_one_goes_by_weeks(before: tuple[int, ...]) -> None:
    """Where the phase before says nothing of how to read it, an open-ended phase is laid out by weeks."""
    plan = a_plan(*(a_phase("5/5/5", days) for days in before), a_phase("5/5/5"))
    weeks = table_of(plan, until_day=14 + len(before))[len(before) :]

    assert [row.days for row in weeks] == [7, 7, None]


def test_an_open_ended_phase_keeps_whole_stretches_of_its_rhythm() -> None:
    """A dose every fifth day is laid out ten days at a time after a phase of eight, and no stretch is cut."""
    plan = a_plan(a_phase("5", 8, at="08:00"), a_phase("5", at="08:00", every=5))

    assert rows_of(table_of(plan, until_day=30)) == [(1, 8, "40"), (9, 18, "50"), (19, 28, "60"), (29, None, None)]


def test_a_plan_that_ends_is_laid_out_whole() -> None:
    """A taper has its own end, whatever is asked."""
    assert rows_of(table_of(a_taper("A"), until_day=1))[-1] == (14, 14, "375")


def test_tablets_are_counted_by_phase_and_in_all() -> None:
    """Taper A takes 24 tablets of 10 mg and 27 of 5 mg, none of them of 20."""
    dispensed = tablets_to_dispense(a_taper("A"), BACLOFEN)

    assert dispensed is not None
    assert dispensed.phases == ({mg("10"): 12, mg("5"): 12}, {mg("10"): 12}, {mg("5"): 12}, {mg("5"): 2}, {mg("5"): 1})
    assert (dispensed.in_all, dispensed.until_day) == ({mg("10"): 24, mg("5"): 27}, None)


def test_tablets_are_those_the_patient_has() -> None:
    """With 5 mg tablets only, taper A takes 75."""
    dispensed = tablets_to_dispense(a_taper("A"), BACLOFEN, (mg("5"),))

    assert dispensed is not None
    assert dispensed.in_all == {mg("5"): 75}


def test_two_halves_are_one_tablet_in_all() -> None:
    """A half left over in each of two phases is counted once in all."""
    dispensed = tablets_to_dispense(a_plan(a_phase("5", 1, at="08:00"), a_phase("5", 1, at="08:00")), BACLOFEN, (mg("10"),))

    assert dispensed is not None
    assert (dispensed.phases, dispensed.in_all) == (({mg("10"): 1}, {mg("10"): 1}), {mg("10"): 1})


@pytest.mark.parametrize(("until_day", "tablets"), [(2, {}), (3, {}), (4, {Amount(Decimal(10)): 3}), (5, {Amount(Decimal(10)): 6})])
def test_an_open_ended_phase_is_counted_as_far_as_asked(until_day: int, tablets: dict[Amount, int]) -> None:
    """From the day it begins to the day asked for, and not at all if it begins later."""
    dispensed = tablets_to_dispense(a_plan(a_phase("5/5/5", 3), a_phase("10/10/10")), BACLOFEN, until_day=until_day)

    assert dispensed is not None
    assert (dispensed.phases[1], dispensed.until_day) == (tablets, until_day)


def test_what_is_not_made_of_tablets_is_not_counted() -> None:
    """An injection, or a drug whose strengths no source gives, has nothing to count."""
    assert tablets_to_dispense(a_plan(a_phase("0.25", at="09:00", every=7)), drugs.load("ozempic")) is None
