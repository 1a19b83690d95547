from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.domain.missed import AskProviderRule, Beyond, Boundary, Fraction, HoursBeforeNext, MaxLate, MissedDoseRule
from reminders.domain.plan import AdvancePolicy, Amount, CheckInItem, CheckIns, Kind, Phase, Plan, PlannedDose, Unit
from reminders.errors import BadFile
from reminders.formats.plan_file import read_plan, write_plan
from tests.files import a_dose, a_phase, a_plan_file, changed, without

HOURS = timedelta(hours=1)


def paths_of(data: object) -> list[str]:
    """Read a bad plan file; return the paths of its faults."""
    with pytest.raises(BadFile) as caught:
        read_plan(data)
    return [fault.path for fault in caught.value.faults]


def test_a_plan_file_is_a_plan() -> None:
    """Every key of a plan file arrives in the plan."""
    rule = {"hours_before_next": "2"}
    asks = {"items": ["symptoms", "stiffness"], "closely": True}
    phases = [a_phase(3, "2.5", ("08:00",)), a_phase(None, "5", ("08:00",))]
    data = a_plan_file(label="A, blue cap", phases=phases, missed_dose_rule=rule, check_ins=asks)

    expected = Plan(
        drug="baclofen-tablet",
        kind=Kind.TITRATION,
        zone="America/New_York",
        start=date(2026, 3, 2),
        advance=AdvancePolicy.STAY_UNLESS_MET,
        phases=(
            Phase((PlannedDose(time(8), Amount(Decimal("2.5"))),), 3),
            Phase((PlannedDose(time(8), Amount(Decimal(5))),), None),
        ),
        label="A, blue cap",
        missed_dose_rule=HoursBeforeNext(2 * HOURS),
        check_ins=CheckIns((CheckInItem.SYMPTOMS, CheckInItem.STIFFNESS), closely=True),
    )
    assert read_plan(data) == expected
    assert read_plan(write_plan(expected)) == expected


@pytest.mark.parametrize(
    ("asks", "path"),
    [
        ("daily", "check_ins"),
        ({}, "check_ins.items"),
        ({"items": []}, "check_ins.items"),
        ({"items": ["pulse"]}, "check_ins.items[0]"),
        ({"items": ["symptoms", "symptoms"]}, "check_ins.items"),
        ({"items": ["symptoms"], "closely": "yes"}, "check_ins.closely"),
        ({"items": ["symptoms"], "hourly": True}, "check_ins.hourly"),
    ],
)
def test_bad_check_ins_are_named_by_their_path(asks: object, path: str) -> None:
    """What cannot be asked is refused where it stands."""
    assert paths_of(a_plan_file(check_ins=asks)) == [path]


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ({"hours_before_next": "2"}, HoursBeforeNext(2 * HOURS)),
        ({"hours_before_next": 2}, HoursBeforeNext(2 * HOURS)),
        ({"hours_before_next": Decimal("1.5")}, HoursBeforeNext(1.5 * HOURS)),
        ({"hours_before_next": "90 min"}, HoursBeforeNext(1.5 * HOURS)),
        ({"hours_before_next": "6", "at_limit": "skip"}, HoursBeforeNext(6 * HOURS, Boundary.SKIP)),
        ({"max_late": "5 d", "min_gap": "48 h"}, MaxLate(120 * HOURS, 48 * HOURS)),
        ({"max_late": "2 h", "beyond": "ask"}, MaxLate(2 * HOURS, beyond=Beyond.ASK)),
        ({"max_late": "30min"}, MaxLate(0.5 * HOURS)),
        ({"fraction": "0.5"}, Fraction(Decimal("0.5"))),
        ({"fraction": Decimal("0.25"), "at_limit": "skip"}, Fraction(Decimal("0.25"), Boundary.SKIP)),
        ({"ask_provider": True}, AskProviderRule()),
    ],
)
def test_a_missed_dose_rule_says_what_it_says(written: object, rule: MissedDoseRule) -> None:
    """Each form of the missed-dose rule becomes the rule of that name."""
    assert read_plan(a_plan_file(missed_dose_rule=written)).missed_dose_rule == rule


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("drug", ""),
        ("drug", 5),
        ("drug", "baclofen\ntablet"),
        ("kind", "tapering"),
        ("zone", "America/Springfield"),
        ("zone", "localtime"),
        ("start", "2026-02-30"),
        ("start", "02/03/2026"),
        ("start", "20260302"),
        ("start", "1969-12-31"),
        ("advance", "always"),
        ("advance", None),
        ("label", ""),
        ("label", " A"),
        ("label", "A\x07"),
        ("phases", []),
        ("phases", "none"),
        ("phases[1]", None),
        ("phases[0].days", 0),
        ("phases[0].days", "3"),
        ("phases[0].days", Decimal("3.0")),
        ("phases[0].days", True),
        ("phases[0].days", None),
        ("phases[1].every_n_days", 0),
        ("phases[2].doses", []),
        ("phases[2].doses[1].at", "8:00"),
        ("phases[2].doses[1].at", "24:00"),
        ("phases[2].doses[1].at", "08:00:30"),
        ("phases[2].doses[0].amount", 5),
        ("phases[2].doses[0].amount", Decimal("2.5")),
        ("phases[2].doses[0].amount", "five"),
        ("phases[2].doses[0].amount", "5,5"),
        ("phases[2].doses[0].amount", "5 mg"),
        ("phases[2].doses[0].amount", "1e1"),
        ("phases[2].doses[0].amount", "\u0665"),
        ("phases[2].doses[0].amount", "-5"),
        ("phases[2].doses[0].amount", "0"),
        ("phases[2].doses[0].amount", "NaN"),
        ("phases[2].doses[0].amount", "05"),
        ("phases[2].doses[0].amount", "5\n"),
        ("phases[2].doses[2].unit", "milligram"),
        ("missed_dose_rule", "NHS"),
        ("missed_dose_rule", {}),
        ("missed_dose_rule", {"max_late": "5 d", "fraction": "0.5"}),
        ("missed_dose_rule.hours_before_next", "soon"),
        ("missed_dose_rule.hours_before_next", "0"),
        ("missed_dose_rule.hours_before_next", True),
        ("missed_dose_rule.at_limit", "ask"),
    ],
)
def test_a_bad_value_is_named_by_its_path(path: str, value: object) -> None:
    """A value that cannot be used is the one fault, at its own path."""
    data = changed(a_plan_file(missed_dose_rule={"hours_before_next": "2"}), path, value)

    assert paths_of(data) == [path]


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"max_late": "5"}, "missed_dose_rule.max_late"),
        ({"max_late": "0 h"}, "missed_dose_rule.max_late"),
        ({"max_late": "367 d"}, "missed_dose_rule.max_late"),
        ({"max_late": "0.1 s"}, "missed_dose_rule.max_late"),
        ({"max_late": "5 d", "beyond": "take"}, "missed_dose_rule.beyond"),
        ({"max_late": "5 d", "min_gap": "two days"}, "missed_dose_rule.min_gap"),
        ({"hours_before_next": "2", "beyond": "ask"}, "missed_dose_rule.beyond"),
        ({"fraction": "1.1"}, "missed_dose_rule.fraction"),
        ({"fraction": "0"}, "missed_dose_rule.fraction"),
        ({"ask_provider": False}, "missed_dose_rule.ask_provider"),
    ],
)
def test_a_bad_rule_is_named_by_its_path(rule: object, path: str) -> None:
    """A rule's own faults are named inside it, whichever form it has."""
    assert paths_of(a_plan_file(missed_dose_rule=rule)) == [path]


@pytest.mark.parametrize(
    "path", ["drug", "kind", "zone", "start", "advance", "phases", "phases[3].days", "phases[0].doses", "phases[1].doses[2].unit"]
)
def test_what_is_missing_is_named_by_its_path(path: str) -> None:
    """Nothing that decides a dose has a default."""
    assert paths_of(without(a_plan_file(), path)) == [path]


@pytest.mark.parametrize("path", ["notes", "phases[0].note", "phases[1].doses[0].with_food"])
def test_an_unknown_key_is_refused(path: str) -> None:
    """A key that nobody reads is a misunderstanding, and refused."""
    assert paths_of(changed(a_plan_file(), path, "x")) == [path]


@pytest.mark.parametrize("data", [None, [], "plan", 5])
def test_a_file_that_is_no_object_is_refused(data: object) -> None:
    """What is no JSON object is one fault, of the whole file."""
    assert paths_of(data) == [""]


def test_a_missing_advance_policy_says_that_the_prescriber_chooses() -> None:
    """The advance policy has no default, and the fault says so."""
    with pytest.raises(BadFile, match="advance: is missing: the advance policy has no default"):
        read_plan(without(a_plan_file(), "advance"))


def test_every_fault_is_named_at_once() -> None:
    """One reading names all faults, in the order in which they stand in lists."""
    data = a_plan_file(phases=[*[a_phase()] * 10, a_phase(3, "x", ("08:00",)), a_phase(None, "5", ("25:00",))], zone="Mars")
    data["phases"][2] = a_phase(0)

    assert paths_of(data) == ["phases[2].days", "phases[10].doses[0].amount", "phases[11].doses[0].at", "zone"]


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (a_plan_file(phases=[a_phase(times=("14:00", "08:00"))]), "phases[0].doses"),
        (a_plan_file(phases=[a_phase(times=("08:00", "08:00"))]), "phases[0].doses"),
        (a_plan_file(phases=[{"days": 3, "doses": [a_dose("08:00"), a_dose("20:00", unit="mL")]}]), "phases"),
        (a_plan_file(kind="taper", phases=[a_phase(7)]), "advance"),
        (a_plan_file(kind="taper", advance="as_prescribed", phases=[a_phase(7), a_phase(None)]), "phases[1].days"),
        (a_plan_file(phases=[a_phase(10**30)]), "start"),
    ],
)
def test_a_plan_that_cannot_exist_is_refused_by_its_path(data: object, path: str) -> None:
    """What the domain refuses is told with the path inside the file."""
    assert paths_of(data) == [path]


def test_a_plan_file_may_name_its_format() -> None:
    """A file may say which version of the format it follows."""
    assert read_plan({"$schema": "doseline:plan:1", **a_plan_file()}) == read_plan(a_plan_file())


def test_a_plan_file_of_another_version_is_refused() -> None:
    """A file of a version we do not know is not guessed at."""
    assert paths_of({"$schema": "doseline:plan:2", **a_plan_file()}) == ["$schema"]


amounts = st.decimals(min_value="0.001", max_value=10_000, places=3).filter(bool)
durations = st.integers(1, 366 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
rules: st.SearchStrategy[MissedDoseRule] = st.one_of(
    st.builds(HoursBeforeNext, durations, st.sampled_from(Boundary)),
    st.builds(MaxLate, durations, st.none() | durations, st.sampled_from(Boundary), st.sampled_from(Beyond)),
    st.builds(Fraction, st.decimals(min_value="0.01", max_value=1, places=2), st.sampled_from(Boundary)),
    st.just(AskProviderRule()),
)


@st.composite
def phases(draw: st.DrawFn, *, unit: Unit, last: bool) -> Phase:
    """A phase of one to four doses; only the last may be open-ended."""
    minutes = sorted(draw(st.sets(st.integers(0, 1439), min_size=1, max_size=4)))
    doses = tuple(PlannedDose(time(minute // 60, minute % 60), Amount(draw(amounts), unit)) for minute in minutes)
    days = draw(st.integers(1, 400) | st.none()) if last else draw(st.integers(1, 400))
    return Phase(doses, days, draw(st.integers(1, 28)))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan that a file can hold."""
    unit = draw(st.sampled_from(Unit))
    count = draw(st.integers(1, 4))
    return Plan(
        drug=draw(st.sampled_from(["baclofen-tablet", "Lioresal"])),
        kind=draw(st.sampled_from([Kind.TITRATION, Kind.MAINTENANCE])),
        zone=draw(st.sampled_from(["America/New_York", "Asia/Kolkata", "Pacific/Apia", "UTC"])),
        start=draw(st.dates(date(1970, 1, 1), date(2900, 1, 1))),
        advance=draw(st.sampled_from(AdvancePolicy)),
        phases=tuple(draw(phases(unit=unit, last=number == count)) for number in range(1, count + 1)),
        label=draw(st.none() | st.sampled_from(["A", "A, blue cap", "Ärzte-Mittel", "ب"])),
        missed_dose_rule=draw(st.none() | rules),
    )


@given(plan=plans())
def test_a_plan_comes_back_from_its_file(plan: Plan) -> None:
    """Writing a plan and reading it gives the same plan."""
    assert read_plan(write_plan(plan)) == plan


def test_a_plan_is_written_as_plainly_as_it_was_read() -> None:
    """A plan file with every key spelt out is written back as it was."""
    data = a_plan_file(label="A", missed_dose_rule={"max_late": "5 d", "min_gap": "48 h", "at_limit": "skip", "beyond": "ask"})
    for phase in data["phases"]:
        phase["every_n_days"] = 1

    assert write_plan(read_plan(data)) == changed(data, "missed_dose_rule.min_gap", "2 d")


def test_the_tablets_of_a_patient_stand_in_the_plans_unit() -> None:
    """They are read as amounts, and written back as they were; without them the profile's hold."""
    plan = read_plan(a_plan_file(strengths=["5", "10"]))

    assert (plan.strengths, write_plan(plan)["strengths"]) == ((Amount(Decimal(5)), Amount(Decimal(10))), ["5", "10"])
    assert (read_plan(a_plan_file()).strengths, "strengths" in write_plan(read_plan(a_plan_file()))) == ((), False)


@pytest.mark.parametrize(
    ("strengths", "path"),
    [([], "strengths"), ("5", "strengths"), (["0"], "strengths[0]"), ([5], "strengths[0]"), (["5", "5"], "strengths")],
)
def test_odd_tablets_are_refused(strengths: object, path: str) -> None:
    """None, one that is no list, of nothing, as a number, twice."""
    with pytest.raises(BadFile) as refused:
        read_plan(a_plan_file(strengths=strengths))

    assert [fault.path for fault in refused.value.faults] == [path]
