from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeAlias

import pytest
from typer.testing import CliRunner

from reminders import drugs
from reminders.cli import app
from reminders.domain.checking import check_plan
from reminders.domain.plan import Amount, Kind, Phase, Plan, plain
from reminders.domain.schedule import slots_between, slots_of_dates, totals_by_date
from reminders.domain.supply import tablets_needed
from reminders.domain.taper import Basis
from reminders.formats.plan_file import read_plan
from tests.builders import FOUR, a_course, a_phase, a_plan, a_taper, a_titration, utc
from tests.doses import drawn

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

Source: per dose, the US labels and Medscape (sourced); per day, no authority states it, and its layout is Doseline's default.
"""

AFTER_DAY_30 = drawn("""
    days  | not ordered | mg a day | mg so far | ordered     | evened      | mg a day | mg so far
    31-33 | 20/20/20    | 60       | 1305      | 20/20/20/5  | 15/15/15/20 | 65       | 1320
    34-36 | 20/20/20    | 60       | 1485      | 20/20/20/10 | 15/15/20/20 | 70       | 1530
    37-39 | 20/20/20    | 60       | 1665      | 20/20/20/15 | 15/20/20/20 | 75       | 1755
    40-42 | 20/20/20    | 60       | 1845      | 20/20/20/20 | 20/20/20/20 | 80       | 1995
""")
"""The reading per day from day 31 on, with no fourth dose, with one ordered, and with one ordered and evened out.

Nobody ordering it, 20/20/20 stays. Ordered, three doses stay and only the new one rises. The evened layout has the same
totals, but some doses fall while the day rises: it is never built unless it is chosen by name.

Source: Doseline's default.
"""

FORMULA = (
    "--drug baclofen --titrate 5:20 --step 5 --every 3 --times 08:00,14:00,20:00"
    " --start 2026-03-02 --zone America/New_York --advance as_prescribed"
)
FOURTH = "--add-slot 22:00 --other-times 06:00,12:00,18:00"

Rows: TypeAlias = list[tuple[str, ...]]

# How each table is asked for, and its rows: days, the amounts of a day, mg a day, mg so far.
ASKED: dict[str, tuple[str, Rows]] = {
    "per dose": ("--basis per-dose", [(row[0], *row[1:4]) for row in TWO_READINGS[1:]]),
    "per day": (f"--basis per-day {FOURTH}", [(row[0], row[4].removesuffix(" ‡"), *row[5:]) for row in TWO_READINGS[1:]]),
    "per day, no fourth ordered": (
        "--basis per-day",
        [(row[0], *row[4:]) for row in TWO_READINGS[1:11]] + [(row[0], *row[1:4]) for row in AFTER_DAY_30[1:]],
    ),
    "per day, evened": (
        f"--basis per-day {FOURTH} --layout evened",
        [(row[0], *row[4:]) for row in TWO_READINGS[1:11]] + [(row[0], *row[5:]) for row in AFTER_DAY_30[1:]],
    ),
}


def _run(*words: str, typed: str | None = None) -> str:
    """What a `doseline plan` command prints."""
    return CliRunner().invoke(app, ["plan", *words], input=typed).stdout


@pytest.mark.parametrize("asked", ASKED)
def test_the_plan_that_is_built_adds_up(asked: str) -> None:
    """Built by the command, laid out slot by slot and added up to day 42, each reading is its table, exactly."""
    words, expected = ASKED[asked]
    plan = read_plan(json.loads(_run("build", *FORMULA.split(), *words.split(), "--json")))

    assert _rows(plan, 42) == expected


@pytest.mark.parametrize("asked", ASKED)
def test_the_table_for_programs_is_the_same(asked: str) -> None:
    """The table of the plan file, as JSON, has the same fourteen rows, and then goes on without end."""
    words, expected = ASKED[asked]
    file = _run("build", *FORMULA.split(), *words.split(), "--json")
    *rows, last = json.loads(_run("table", "-", "--json", typed=file))["rows"]

    assert [_json_row(row) for row in rows] == expected
    assert (last["from_day"], last["to_day"], last["so_far"]) == (43, None, None)


def _json_row(row: dict[str, Any]) -> tuple[str, ...]:
    return f"{row['from_day']}-{row['to_day']}", "/".join(dose["amount"] for dose in row["doses"]), row["per_day"], row["so_far"]


@pytest.mark.parametrize("asked", ["per dose", "per day, no fourth ordered"])
def test_the_table_for_people_is_the_same(asked: str) -> None:
    """What the provider is shown has the same fourteen rows, each amount under its time."""
    words, expected = ASKED[asked]
    lines = [line.split() for line in _run("build", *FORMULA.split(), *words.split()).splitlines()]
    rows = [line for line in lines if len(line) > 5 and line[-1].isdigit() and line[0].isdigit()]

    assert [(row[-6].replace("–", "-"), "/".join(row[-5:-2]), *row[-2:]) for row in rows] == expected


def _rows(plan: Plan, until: int) -> Rows:
    """Each three days of a plan: the amounts of a day, its total, and the total so far, all from its slots."""
    slots = slots_between(a_course(plan), utc("2026-01-01 00:00"), utc("2026-12-01 00:00"))
    totals, so_far = totals_by_date(slots), Decimal(0)
    rows: Rows = []
    for first in range(0, until, 3):
        dates = [plan.start + timedelta(days=first + offset) for offset in range(3)]
        day = "/".join(plain(slot.amount.value) for slot in slots if slot.local_date == dates[0])
        so_far += sum((totals[day] for day in dates), Decimal(0))
        rows.append((f"{first + 1}-{first + 3}", day, plain(totals[dates[0]]), plain(so_far)))
    return rows


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
"""The titration that the builder makes, 5 to 20 mg three times a day. The fourth phase goes on; the first twelve days are 450 mg.

Source: US baclofen tablets, Ozobax and Lyvispah labels, Medscape (sourced).
"""


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

Source: the four layouts are Doseline's default; that a taper takes 1 to 2 weeks or more is sourced.
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
"""Lowering mirrors raising: the first dose of the day goes first and the last one last, so the night dose is kept longest.

Source: Doseline's default.
"""


@pytest.mark.parametrize("row", SLOTS[1:], ids=lambda row: row[0])
def test_which_dose_of_the_day_is_lowered(row: tuple[str, ...]) -> None:
    """A taper lowers the morning dose first and stops with the night dose."""
    plan = a_taper(row[0])
    expected = tuple(a_phase(amounts, phase.days) for amounts, phase in zip(row[1].split(", "), plan.phases, strict=True))

    assert plan.phases == expected


TAPER = "--drug baclofen --from 20/20/20 --times 08:00,14:00,20:00 --start 2026-03-02 --zone America/New_York --advance as_prescribed"

WAYS = drawn("""
    template | asked for by name | asked for by amount
    A        | --template A      | –
    B        | --template B      | --by-amount 15 --every 7
    C        | --template c      | --by-amount 10 --every 7
    D        | --template d      | --by-amount 5 --every 7
""")
"""`doseline plan taper` builds each of them by its name; those of even cuts also by so many mg a day less each week.

Source: Doseline's default.
"""


@pytest.mark.parametrize("row", WAYS[1:], ids=lambda row: row[0])
def test_the_command_builds_the_tapers(row: tuple[str, ...]) -> None:
    """However a taper is asked for, the plan file has the phases of its template."""
    for words in (words for words in row[1:] if words != "–"):
        built = read_plan(json.loads(_run("taper", *TAPER.split(), *words.split(), "--json")))

        assert built.phases == a_taper(row[0]).phases


@pytest.mark.parametrize("template", "ABCD")
def test_no_template_goes_back_up(template: str) -> None:
    """No slot of a taper is ever larger than the same slot was before."""
    plan = a_taper(template)
    by_time = [{dose.at: dose.amount.value for dose in phase.doses} for phase in plan.phases]

    assert not any(later[at] > earlier[at] for earlier, later in pairwise(by_time) for at in later)


FIVE = ("06:00", "10:00", "14:00", "18:00", "22:00")

FINDINGS = drawn("""
    plan                                         | found
    the label's titration                        |
    the titration per day                        |
    taper A                                      |
    taper D                                      |
    20/20/20 ×3, 20/20/20/20                     | slot added (warning), start too high (warning)
    5/5/5 ×3, 10/10/10 ×3, 20/20/20              | step too large (warning)
    5/5/5 ×2, 10/10/10                           | step too soon (warning)
    5/5/5 ×3, 10/10/25                           | dose too large (error), step too large (warning)
    20/20/20 ×3, 25/25/25                        | dose too large (error), start too high (warning)
    20/20/20/20/5                                | day too large (error), start too high (warning)
    5/5/7                                        | not makeable (error), start too high (warning)
    5/5/5 ×9                                     | stop without taper (warning)
    20/20/20/20 ×3, 20/20/20/20                  | start too high (warning)
    tapering 15/15/15 ×7, 10/10/10 ×7            | stop without taper (warning)
    tapering 10/10/10 ×3, 5/5/5 ×2               | taper too short (warning)
    tapering 5/5/5 ×7, 10/10/10 ×7               | taper rises (error), stop without taper (warning)
    tapering 15/15/15 ×7, 5/10/20 ×7, 5/5/5 ×7   | taper dose rises (warning)
    tapering 10/10/10 ×7, 10/15 ×7, 5/5 ×7, 5 ×7 | taper dose rises (warning)
    tapering 10/10/10 ×7, 5/15/5 ×7, 5/5 ×7      | taper dose rises (warning)
    tapering 15/15/15 ×7, 10/10 ×7, 5 ×7         |
""")
"""What `doseline plan check` finds in plans of baclofen: the amounts of a day in mg, and × days; the last phase goes on.

An error blocks the plan. A warning needs a typed reason. Each finding quotes the number found, the limit and its source.
In a taper a dose that grows is found even where the day falls, also when another dose is left out for it.

Source: US labels, NHS and the article (sourced); which amounts can be halved is Doseline's default.
"""


def _plan_of(words: str) -> Plan:
    named = {
        "the label's titration": a_titration(),
        "the titration per day": a_titration(Basis.PER_DAY),
        "taper A": a_taper("A"),
        "taper D": a_taper("D"),
    }
    if words in named:
        return named[words]
    kind = Kind.TAPER if words.startswith("tapering ") else Kind.TITRATION
    return a_plan(*(_phase_of(phase) for phase in words.removeprefix("tapering ").split(", ")), kind=kind)


def _phase_of(words: str) -> Phase:
    amounts, _, days = words.partition(" ×")
    return a_phase(amounts, int(days) if days else None, at=FIVE if amounts.count("/") == 4 else FOUR[: amounts.count("/") + 1])


@pytest.mark.parametrize("row", FINDINGS[1:], ids=lambda row: row[0])
def test_what_the_check_finds(row: tuple[str, ...]) -> None:
    """A plan has the findings of its row, each an error or a warning, and no others."""
    found = {f"{finding.code.replace('_', ' ')} ({finding.level})" for finding in check_plan(_plan_of(row[0]), drugs.load("baclofen"))}

    assert found == set(filter(None, row[1].split(", ")))
