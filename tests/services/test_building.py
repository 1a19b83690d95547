from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from decimal import Decimal

import pytest

from reminders.domain.day_layout import Layout
from reminders.domain.plan import AdvancePolicy, InvalidPlan, Kind, plain
from reminders.domain.taper import Basis, Direction, PercentOf
from reminders.drugs import UnknownDrug
from reminders.errors import BadFile
from reminders.services.building import (
    Cuts,
    OrderedSlot,
    Percents,
    Reading,
    Ready,
    Recipe,
    Steps,
    TwoReadings,
    build_plan,
    check_from_before,
    read_recipe,
    two_bases,
    two_percents,
)

D = Decimal
UP = Steps(D(5), D(20), step=D(5), every_days=3)
RISE = Recipe(
    drug="baclofen",
    kind=Kind.TITRATION,
    how=UP,
    times=(time(8), time(14), time(20)),
    start=date(2026, 3, 2),
    zone="America/New_York",
    advance=AdvancePolicy.AS_PRESCRIBED,
)
SIXTY = (D(20), D(20), D(20))
FALL = replace(RISE, kind=Kind.TAPER, how=Cuts(SIXTY, cut=D(10), every_days=7))
TENTH = Percents(SIXTY, percent=D(10), every_days=7, rounding=D(5), direction=Direction.DOWN, floor=D(5))

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


def side_by_side(readings: TwoReadings) -> list[list[str]]:
    """Write the two readings row by row."""
    return [[f"{run.days[0]}-{run.days[1]}", written(run.left), written(run.right)] for run in readings.runs]


def amounts(recipe: Recipe) -> list[str]:
    """The amounts of each phase of what is built."""
    return ["/".join(plain(dose.amount.value) for dose in phase.doses) for phase in build_plan(recipe).phases]


def refused(recipe: Recipe) -> str:
    """Why a recipe makes no plan."""
    with pytest.raises(InvalidPlan) as fault:
        build_plan(recipe)
    return str(fault.value)


# Read in two ways


def test_the_two_readings_of_a_rise_stand_side_by_side() -> None:
    """Per dose reaches 60 mg a day on day 10, per day on day 28; on days 10 to 12 they differ two-fold."""
    expected = [[" ".join(cell.split()) for cell in row.split("|")] for row in SIDE_BY_SIDE.strip().splitlines()]

    assert side_by_side(two_bases(RISE)) == expected


def test_a_reading_of_a_taper_that_has_ended_is_empty() -> None:
    """A taper per dose ends after three steps, while per day goes on lowering one dose at a time."""
    rows = side_by_side(two_bases(replace(RISE, kind=Kind.TAPER, how=replace(UP, from_=D(20), to=D(0)))))

    assert rows[2:4] == [["7-9", "5/5/5 15 270", "15/15/15 45 450"], ["10-12", "-", "10/15/15 40 570"]]
    assert rows[-1] == ["31-33", "-", "0/0/5 5 990"]


def test_a_reading_with_a_fourth_dose_shows_it() -> None:
    """Where the other doses move for the fourth, the day is written with the doses it has."""
    slot = OrderedSlot(time(22), (time(6), time(12), time(18)))
    rows = side_by_side(two_bases(replace(RISE, how=replace(UP, extra=slot))))

    assert (rows[4][1], rows[10]) == ("20/20/20/20 80 690", ["31-33", "20/20/20/20 80 2130", "20/20/20/5 65 1320"])


def test_a_weekly_rise_counts_its_doses() -> None:
    """With a dose on every seventh day, four weeks of 0.25 mg are 1 mg."""
    weekly = replace(RISE, times=(time(9),), nth_day=7, how=Steps(D("0.25"), D("0.5"), step=D("0.25"), every_days=28))

    assert side_by_side(two_bases(weekly)) == [["1-28", "0.25 0.25 1", "0.25 0.25 1"], ["29-56", "0.5 0.5 3", "0.5 0.5 3"]]


def test_steps_that_do_not_come_out_have_no_readings() -> None:
    """Steps that do not end at the last amount are no plan in either reading."""
    with pytest.raises(InvalidPlan):
        two_bases(replace(RISE, how=replace(UP, to=D(22))))


def test_a_percent_is_read_of_the_current_and_of_the_original() -> None:
    """Half of 60 mg a day is the same at first; of the original the second cut leaves nothing but the floor."""
    rows = side_by_side(two_percents(replace(FALL, how=replace(TENTH, percent=D(50), basis=Basis.PER_DAY))))

    assert rows == [
        ["1-7", "10/10/10 30 210", "10/10/10 30 210"],
        ["8-14", "5/5/5 15 315", "0/0/5 5 245"],
        ["15-21", "0/0/5 5 350", "-"],
    ]


def test_a_percent_whose_basis_is_open_too_is_shown_of_the_day() -> None:
    """To show what the percent is of, the day's total is taken until somebody says otherwise."""
    assert two_percents(replace(FALL, how=TENTH)) == two_percents(replace(FALL, how=replace(TENTH, basis=Basis.PER_DAY)))


def test_a_reading_that_makes_no_plan_says_why() -> None:
    """A percent of the original that rounding swallows in each dose still comes out for the day's total."""
    readings = two_bases(replace(FALL, how=replace(TENTH, of=PercentOf.ORIGINAL)))

    assert {run.left for run in readings.runs} == {None}
    assert str(readings.faults[0]).startswith("rounding: 15 would not fall")
    assert readings.faults[1] is None


def test_what_can_be_read_in_one_way_only_is_read_so() -> None:
    """Neither a basis nor a percent changes a taper by amount or a ready layout."""
    assert [recipe.read_as(basis=Basis.PER_DAY, of=PercentOf.CURRENT) is recipe for recipe in (FALL, replace(FALL, how=Ready("A")))] == [
        True,
        True,
    ]


# Built


def test_a_plan_of_an_unknown_drug_is_not_built() -> None:
    """The drug's profile gives the unit and the limits: without it nothing is built."""
    with pytest.raises(UnknownDrug):
        build_plan(replace(RISE, drug="aspirin", how=replace(UP, basis=Basis.PER_DOSE)))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (UP, "basis: say what a step changes"),
        (TENTH, "of: say what the percent is of"),
        (replace(TENTH, of=PercentOf.CURRENT), "basis: say what the percent lowers"),
    ],
)
def test_what_can_be_read_in_two_ways_is_not_built(how: Steps | Percents, said: str) -> None:
    """No reading is a default."""
    assert refused(replace(FALL if isinstance(how, Percents) else RISE, how=how)).startswith(said)


def test_a_percent_of_one_dose_a_day_has_one_reading() -> None:
    """With one dose a day the dose is the day's total."""
    one = replace(FALL, times=(time(20),), how=replace(TENTH, from_=(D(20),), percent=D(50), of=PercentOf.CURRENT))

    assert amounts(one) == ["10", "5"]


def test_a_percent_taper_is_built() -> None:
    """A tenth of the day's current total, rounded down to tablets of 5 mg, until 5 mg are left."""
    fallen = amounts(replace(FALL, how=replace(TENTH, percent=D(30), of=PercentOf.CURRENT, basis=Basis.PER_DAY)))

    assert fallen == ["10/15/15", "5/10/10", "5/5/5", "5/5", "5"]


PIECES = [
    (None, SIXTY, "10", "5"),
    (None, (D("7.5"), D("7.5")), "5", "5"),
    (("10",), SIXTY, "10", "10"),
    (("10",), (D(15), D(15)), "15", "5"),
    (("20",), (D("7.5"),), "2.5", "2.5"),
]


@pytest.mark.parametrize(("strengths", "from_", "cut", "piece"), PIECES)
def test_a_cut_falls_in_the_smallest_tablets_that_come_out(
    strengths: tuple[str, ...] | None, from_: tuple[Decimal, ...], cut: str, piece: str
) -> None:
    """Whole tablets before halves of scored ones, and else the whole cut at once; a piece that is given goes before all."""
    own = None if strengths is None else tuple(map(D, strengths))
    times = RISE.times[: len(from_)]
    recipe = replace(FALL, strengths=own, times=times, how=Cuts(from_, cut=D(cut), every_days=7))

    assert build_or_fault(recipe) == build_or_fault(replace(recipe, how=Cuts(from_, cut=D(cut), every_days=7, piece=D(piece))))


def build_or_fault(recipe: Recipe) -> object:
    """What is built, or why not."""
    try:
        return build_plan(recipe)
    except InvalidPlan as fault:
        return str(fault)


@pytest.mark.parametrize(
    ("strengths", "unit", "said"),
    [
        (None, "7", "round_to: must be a strength (5, 10, 20 mg) or half a scored one (5, 10 mg), not 7 mg (US baclofen tablets label;"),
        (("20",), "5", "round_to: must be a strength (20 mg) or half a scored one (10 mg), not 5 mg (the tablets given)"),
        (("5",), "2.5", "round_to: must be a strength (5 mg), not 2.5 mg (the tablets given)"),
    ],
)
def test_an_amount_is_rounded_to_tablets_that_exist(strengths: tuple[str, ...] | None, unit: str, said: str) -> None:
    """A rounding unit that is neither a strength nor half a scored one is refused, with what there is and its source."""
    own = None if strengths is None else tuple(map(D, strengths))
    how = replace(TENTH, of=PercentOf.CURRENT, basis=Basis.PER_DAY, rounding=D(unit), floor=D(unit))

    assert refused(replace(FALL, strengths=own, how=how)).startswith(said)


def test_a_rounding_unit_of_a_drug_without_known_strengths_is_refused() -> None:
    """Where no source gives the strengths, nothing can be rounded to them until the patient's own are given."""
    how = replace(TENTH, of=PercentOf.CURRENT, basis=Basis.PER_DAY, rounding=D(1), floor=D(1))

    assert refused(replace(FALL, drug="prednisolone-polymyalgia", how=how)) == (
        "round_to: must be a strength, of which none is known, not 1 mg (the tablets given)"
    )


def test_a_titration_goes_on_to_a_fourth_dose_in_either_layout() -> None:
    """The fourth dose is ordered with its time; evened out only by name."""
    slot = OrderedSlot(time(22), RISE.times)
    kept, evened = (amounts(replace(RISE, how=replace(UP, basis=Basis.PER_DAY, extra=replace(slot, layout=layout)))) for layout in Layout)

    assert (kept[10], evened[10]) == ("20/20/20/5", "15/15/15/20")


def test_a_taper_has_no_slot_added() -> None:
    """One dose more a day is no taper."""
    slot = OrderedSlot(time(22), RISE.times)
    how = replace(UP, from_=D(20), to=D(0), basis=Basis.PER_DOSE, extra=slot)

    assert refused(replace(RISE, kind=Kind.TAPER, how=how)) == "add_slot: only a titration goes on to one dose more a day"


# The first cut


BENZODIAZEPINE = replace(FALL, drug="benzodiazepine-taper", times=(time(21),), strengths=(D("2.5"), D(5)))


def cut_codes(recipe: Recipe) -> list[tuple[str, str, str]]:
    """What a check from the day before finds: code, path and number."""
    return [(finding.code, finding.path, finding.found) for finding in check_from_before(recipe, build_plan(recipe))]


def test_the_first_cut_is_held_against_the_day_before() -> None:
    """From 20 to 15 mg is 25 %, where 10 % is the most that a first cut should be; the plan alone does not show it."""
    found = cut_codes(replace(BENZODIAZEPINE, how=Cuts((D(20),), cut=D(5), every_days=14)))

    assert found[0] == ("first_cut_too_large", "phases[0]", "25 %")
    assert ("falls_too_fast", "phases[1]", "33.3 % in 14 days") in found


def test_a_taper_in_steps_is_held_against_its_start() -> None:
    """A taper FROM:TO starts from its first amount in each dose."""
    how = Steps(D(20), D(0), step=D(5), every_days=14, basis=Basis.PER_DOSE)

    assert cut_codes(replace(BENZODIAZEPINE, how=how))[0] == ("first_cut_too_large", "phases[0]", "25 %")


@pytest.mark.parametrize("recipe", [replace(RISE, how=Ready("label")), replace(RISE, how=replace(UP, basis=Basis.PER_DOSE))])
def test_a_titration_has_no_first_cut(recipe: Recipe) -> None:
    """Nothing is lowered on the way up."""
    assert cut_codes(recipe) == []


# Ready layouts


def test_a_ready_layout_is_found_in_any_case() -> None:
    """Layout A is the one of two weeks."""
    assert amounts(replace(FALL, how=Ready("a", SIXTY))) == ["15/15/15", "10/10/10", "5/5/5", "5/5", "5"]


def test_a_ready_titration_is_built() -> None:
    """The label's schedule, from nothing."""
    assert amounts(replace(RISE, how=Ready("label"))) == ["5/5/5", "10/10/10", "15/15/15", "20/20/20"]


def test_a_ready_layout_keeps_its_rhythm() -> None:
    """A weekly drug's layout has its doses on every seventh day."""
    plan = build_plan(replace(RISE, drug="ozempic", times=(time(9),), how=Ready("label")))

    assert {phase.every_n_days for phase in plan.phases} == {7}


@pytest.mark.parametrize(
    ("change", "how", "said"),
    [
        ({}, Ready("Z", SIXTY), "template: baclofen-tablet has no ready layout 'Z'; it has label (titration, 5, 10, 15,"),
        ({}, Ready("label", SIXTY), "template: label is a titration, not a taper"),
        ({"kind": Kind.TITRATION}, Ready("A"), "template: A is a taper, not a titration"),
        ({"times": (time(8), time(20))}, Ready("A", (D(30), D(30))), "times: template A has 3 doses a day, not 2"),
        ({}, Ready("A", (D(15), D(15), D(15))), "from: template A starts from 60 mg a day, not from 45 mg a day (Doseline; default)"),
        ({}, Ready("A"), "from: template A starts from 60 mg a day, not from nothing said (Doseline; default)"),
        (
            {},
            Ready("A", (D(10), D(25), D(25))),
            "phases[0].doses[0].amount: a taper never goes back up: found 15 mg at 08:00, limit 10 mg, what was taken before (Doseline)",
        ),
    ],
)
def test_a_ready_layout_that_does_not_fit_is_refused(change: dict[str, object], how: Ready, said: str) -> None:
    """A layout of another name, kind, day or start is refused with the numbers and its source; and it never raises a dose."""
    assert refused(replace(FALL, how=how, **change)).startswith(said)  # type: ignore[arg-type]  # fields by name


def kept(**changes: object) -> dict[str, object]:
    """A recipe's JSON values: 5 mg three times a day until somebody says otherwise."""
    head = {"drug": "baclofen", "kind": "maintenance", "zone": "America/New_York", "start": "2026-03-02", "advance": "as_prescribed"}
    return {**head, "times": ["08:00", "14:00", "20:00"], "how": {"by": "keep", "amounts": ["5", "5", "5"]}, **changes}


def test_the_same_doses_each_day() -> None:
    """One phase, without end or for so many days; doses on every n-th day where that is said."""
    endless, week = (
        build_plan(read_recipe(kept(**more)))
        for more in ({}, {"how": {"by": "keep", "amounts": ["5", "5", "5"], "days": 14}, "nth_day": 7})
    )

    assert [(phase.days, phase.every_n_days, str(phase.per_day)) for plan in (endless, week) for phase in plan.phases] == [
        (None, 1, "15"),
        (14, 7, "15"),
    ]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"kind": "taper"}, "kind"),
        ({"how": {"by": "keep", "amounts": ["5"]}}, "amounts"),
    ],
)
def test_the_same_doses_that_make_no_plan(changes: dict[str, object], path: str) -> None:
    """Kept doses taper nothing, and each time has its own."""
    with pytest.raises(InvalidPlan) as refused:
        build_plan(read_recipe(kept(**changes)))
    assert refused.value.path == path


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"how": {"by": "magic"}}, "how"),
        ({"how": {"by": "steps", "from": "5"}}, "how.every_days"),
        ({"how": {"by": "steps", "from": "0", "to": "-1", "step": "5", "every_days": 3}}, "how.from"),
        ({"how": {"by": "keep", "amounts": []}}, "how.amounts"),
        ({"times": ["14:00", "08:00"]}, "times"),
        ({"times": []}, "times"),
        ({"nth_day": 0}, "nth_day"),
        ({"strengths": ["5 mg"]}, "strengths[0]"),
        ({"dose": "5"}, "dose"),
    ],
)
def test_a_recipe_that_cannot_be_read(changes: dict[str, object], path: str) -> None:
    """Each fault has its path."""
    with pytest.raises(BadFile) as refused:
        read_recipe(kept(**changes))
    assert path in {fault.path for fault in refused.value.faults}
