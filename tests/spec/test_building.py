from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from reminders import drugs
from reminders.domain.checking import check_plan
from reminders.domain.plan import Amount, Phase, Plan, plain
from reminders.domain.schedule import slots_between, slots_of_dates, totals_by_date
from reminders.domain.supply import tablets_needed
from reminders.domain.taper import Basis
from tests.builders import FOUR, a_course, a_phase, a_plan, a_taper, a_titration, utc


def drawn(table: str) -> tuple[tuple[str, ...], ...]:
    """Read a drawn table: rows of cells between bars, the first row its heading."""
    return tuple(tuple(cell.strip() for cell in line.split("|")) for line in table.strip().splitlines())


TWO_READINGS = drawn("""
    days  | per dose | mg a day | mg so far | per day        | mg a day | mg so far
    1-3   | 5/5/5    | 15       | 45        | 5/5/5          | 15       | 45
    4-6   | 10/10/10 | 30       | 135       | 5/5/10         | 20       | 105
    7-9   | 15/15/15 | 45       | 270       | 5/10/10        | 25       | 180
    10-12 | 20/20/20 | 60       | 450       | 10/10/10       | 30       | 270
    13-15 | 20/20/20 | 60       | 630       | 10/10/15       | 35       | 375
    16-18 | 20/20/20 | 60       | 810       | 10/15/15       | 40       | 495
    19-21 | 20/20/20 | 60       | 990       | 15/15/15       | 45       | 630
    22-24 | 20/20/20 | 60       | 1170      | 15/15/20       | 50       | 780
    25-27 | 20/20/20 | 60       | 1350      | 15/20/20       | 55       | 945
    28-30 | 20/20/20 | 60       | 1530      | 20/20/20       | 60       | 1125
    31-33 | 20/20/20 | 60       | 1710      | 20/20/20/5 ‡   | 65       | 1320
    34-36 | 20/20/20 | 60       | 1890      | 20/20/20/10 ‡  | 70       | 1530
    37-39 | 20/20/20 | 60       | 2070      | 20/20/20/15 ‡  | 75       | 1755
    40-42 | 20/20/20 | 60       | 2250      | 20/20/20/20 ‡  | 80       | 1995
""")
"""“+5 mg every three days”, from 5 mg three times a day, read in two ways.

The article does not say whether it means each dose or the day. US labels and Medscape mean each dose; a slower plan per
day is a provider's to write. The two differ two-fold on days 10 to 12, so the builder is told which. Per day, the last
dose of the day is raised first, then the middle one, then the first.

‡ only if the provider orders a fourth dose and its time; the builder stops at 20/20/20.
"""

READINGS = {"per dose": (Basis.PER_DOSE, 1), "per day": (Basis.PER_DAY, 4)}


def _ordered_fourth(plan: Plan) -> Plan:
    """The same plan with the fourth slot of the day as a provider would order it after day 30."""
    fourth = [a_phase(f"20/20/20/{amount}", 3, at="06:00 12:00 18:00 22:00") for amount in (5, 10, 15)]
    last = Phase(plan.phases[-1].doses, 3)
    return a_plan(*plan.phases[:-1], last, *fourth, a_phase("20/20/20/20", at=FOUR))


def _rows(plan: Plan, until: int) -> list[tuple[str, str, str]]:
    """Each three days of a plan: the amounts of a day, its total, and the total so far, all from its slots."""
    slots = slots_between(a_course(plan), utc("2026-01-01 00:00"), utc("2026-12-01 00:00"))
    totals, rows, so_far = totals_by_date(slots), [], Decimal(0)
    for first in range(0, until, 3):
        dates = [plan.start + timedelta(days=first + offset) for offset in range(3)]
        day = "/".join(plain(slot.amount.value) for slot in slots if slot.local_date == dates[0])
        so_far += sum((totals[day] for day in dates), Decimal(0))
        rows.append((day, plain(totals[dates[0]]), plain(so_far)))
    return rows


@pytest.mark.parametrize("reading", READINGS)
def test_the_two_readings_of_five_more_every_three_days(reading: str) -> None:
    """Built, laid out and added up to day 42, each reading is its half of the table, exactly."""
    basis, column = READINGS[reading]
    titration = a_titration(basis)
    plan = _ordered_fourth(titration) if basis is Basis.PER_DAY else titration
    expected = [tuple(cell.removesuffix(" ‡") for cell in row[column : column + 3]) for row in TWO_READINGS[1:]]

    assert _rows(plan, 42) == expected


@pytest.mark.parametrize("basis", Basis)
def test_the_builder_stops_at_the_largest_dose_it_was_given(basis: Basis) -> None:
    """In either reading the last phase is 20/20/20 without end: a fourth slot is never invented."""
    last = a_titration(basis).phases[-1]

    assert ([plain(dose.amount.value) for dose in last.doses], last.days) == (["20", "20", "20"], None)


def test_the_readings_differ_two_fold_on_day_ten() -> None:
    """Read per dose the patient takes 60 mg on day 10, read per day 30 mg."""
    day = date(2026, 3, 11)
    totals = [
        totals_by_date(slots_of_dates(a_titration(basis), day, day + timedelta(days=1)))[day] for basis in (Basis.PER_DOSE, Basis.PER_DAY)
    ]

    assert totals == [Decimal(60), Decimal(30)]


LABEL = drawn("""
    phase | days | per dose | doses a day | mg a day | doses | mg  | tablets per dose
    1     | 3    | 5        | 3           | 15       | 9     | 45  | 1 × 5
    2     | 3    | 10       | 3           | 30       | 9     | 90  | 1 × 10
    3     | 3    | 15       | 3           | 45       | 9     | 135 | 1 × 10 and 1 × 5
    4     | 3    | 20       | 3           | 60       | 9     | 180 | 1 × 20
""")
"""The schedule of the US labels and Medscape; the fourth phase goes on. 36 doses and 450 mg in the first twelve days."""


def test_the_label_schedule() -> None:
    """The built titration is the label's: days, doses, mg and tablets of each of its phases."""
    profile, plan = drugs.load("baclofen"), a_titration()
    slots = slots_of_dates(plan, plan.start, plan.start + timedelta(days=12))
    rows = []
    for number, phase in enumerate(plan.phases, 1):
        mine = [slot for slot in slots if slot.phase_no == number]
        tablets = tablets_needed(mine[:1], profile)
        made = " and ".join(f"{count} × {plain(strength.value)}" for strength, count in tablets.items())
        days = len({slot.local_date for slot in mine})
        total = sum(slot.amount.value for slot in mine)
        each = plain(phase.doses[0].amount.value)
        numbers = (number, days, each, len(phase.doses), plain(phase.per_day), len(mine), total, made)
        rows.append(tuple(str(cell) for cell in numbers))

    assert rows == list(LABEL[1:])


TAPERS = drawn("""
    template | mg a day                                   | days each     | last dose | mg   | doses | 5 mg tablets
    A        | 45, 30, 15, 10, 5                          | 4, 4, 4, 1, 1 | 14        | 375  | 39    | 75
    B        | 45, 30, 15                                 | 7             | 21        | 630  | 63    | 126
    C        | 50, 40, 30, 20, 10                         | 7             | 35        | 1050 | 98    | 210
    D        | 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5  | 7             | 77        | 2310 | 210   | 462
""")
"""Four tapers from 60 mg a day to nothing: layouts to pick from. The provider picks.

US labels say slowly, without a number; UK and Canadian texts and the NHS 1 to 2 weeks or more; Australian guidelines
over 2 weeks. The 60 mg phase ends the day before day 1; a dose of nothing does not exist that day.
"""


@pytest.mark.parametrize("row", TAPERS[1:], ids=lambda row: row[0])
def test_the_four_tapers(row: tuple[str, ...]) -> None:
    """Built and laid out, each taper has the table's days, last dose, mg, doses and tablets."""
    plan = a_taper(row[0])
    slots = slots_of_dates(plan, plan.start, plan.start + timedelta(days=365))
    five = (Amount(Decimal(5)),)
    per_day = ", ".join(plain(phase.per_day) for phase in plan.phases)
    days = [str(phase.days) for phase in plan.phases]
    last = (max(slot.local_date for slot in slots) - plan.start).days + 1
    total = sum(slot.amount.value for slot in slots)
    tablets = tablets_needed(slots, drugs.load("baclofen"), five)[five[0]]

    assert (row[0], per_day, ", ".join(days if len(set(days)) > 1 else days[:1]), *map(str, (last, total, len(slots), tablets))) == row


SLOTS = drawn("""
    template | the amounts of each phase's day
    A        | 15/15/15, 10/10/10, 5/5/5, –/5/5, –/–/5
    B        | 15/15/15, 10/10/10, 5/5/5
    C        | 15/15/20, 10/15/15, 10/10/10, 5/5/10, –/5/5
    D        | 15/20/20, 15/15/20, 15/15/15, 10/15/15, 10/10/15, 10/10/10, 5/10/10, 5/5/10, 5/5/5, –/5/5, –/–/5
""")
"""Lowering mirrors raising: the first dose of the day goes first and the last one last, so the night dose is kept longest."""


@pytest.mark.parametrize("row", SLOTS[1:], ids=lambda row: row[0])
def test_which_dose_of_the_day_is_lowered(row: tuple[str, ...]) -> None:
    """A taper lowers the morning dose first and stops with the night dose."""
    plan = a_taper(row[0])
    expected = tuple(a_phase(amounts, phase.days) for amounts, phase in zip(row[1].split(", "), plan.phases, strict=True))

    assert plan.phases == expected


@pytest.mark.parametrize("template", "ABCD")
def test_no_template_goes_back_up(template: str) -> None:
    """No slot of a taper is ever larger than the same slot was before."""
    plan = a_taper(template)
    by_time = [{dose.at: dose.amount.value for dose in phase.doses} for phase in plan.phases]

    assert not any(later[at] > earlier[at] for earlier, later in pairwise(by_time) for at in later)


FINDINGS = drawn("""
    plan                                  | found
    the label's titration                 |
    the titration per day                 |
    taper A                               |
    taper D                               |
    20/20/20 x3, 20/20/20/20              | start_too_high, slot_added
    5/5/5 x3, 10/10/10 x3, 20/20/20       | step_too_large
    5/5/5 x2, 10/10/10                    | step_too_soon
    5/5/5 x3, 10/10/25                    | dose_too_large, step_too_large
    20/20/20 x3, 25/25/25                 | dose_too_large, start_too_high
    5/5/7                                 | not_makeable, start_too_high
    5/5/5 x9                              | stop_without_taper
    20/20/20/20 x3, 20/20/20/20           | start_too_high
""")
"""What the check of a plan finds, from the US labels and the article: warnings, unless the dose or the day is too large."""


def _plan_of(words: str) -> Plan:
    named = {
        "the label's titration": a_titration(),
        "the titration per day": a_titration(Basis.PER_DAY),
        "taper A": a_taper("A"),
        "taper D": a_taper("D"),
    }
    return named[words] if words in named else a_plan(*(_phase_of(phase) for phase in words.split(", ")))


def _phase_of(words: str) -> Phase:
    amounts, _, days = words.partition(" x")
    return a_phase(amounts, int(days) if days else None, at=FOUR[: amounts.count("/") + 1])


@pytest.mark.parametrize("row", FINDINGS[1:], ids=lambda row: row[0])
def test_what_the_check_finds(row: tuple[str, ...]) -> None:
    """A plan has the findings of its row, and no others."""
    found = {finding.code for finding in check_plan(_plan_of(row[0]), drugs.load("baclofen"))}

    assert found == set(filter(None, row[1].split(", ")))
