from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from reminders import drugs
from reminders.domain.checking import Ceiling, Finding, PatientFacts, check_plan
from reminders.domain.finding import Alcohol
from reminders.domain.plan import Amount, Kind, Plan, Unit
from reminders.domain.profile import Confidence, DrugProfile, Severity, Sourced
from reminders.domain.taper import Basis
from tests.builders import FOUR, a_phase, a_plan, a_taper, a_titration

BACLOFEN = drugs.load("baclofen")
LABEL = "US baclofen tablets label"


def mg(value: str) -> Amount:
    """So many mg."""
    return Amount(Decimal(value))


def codes(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """Where which finding is."""
    return [(finding.code, finding.path) for finding in found]


def only(found: tuple[Finding, ...], code: str) -> Finding:
    """The one finding of a code."""
    (finding,) = (finding for finding in found if finding.code == code)
    return finding


@pytest.mark.parametrize("plan", [a_titration(), a_titration(Basis.PER_DAY), *map(a_taper, "ABCD")])
def test_the_label_and_the_templates_pass(plan: Plan) -> None:
    """The label's titration, its slower reading and the four tapers have no finding at all."""
    assert check_plan(plan, BACLOFEN) == ()


def test_a_dose_above_the_largest_is_an_error_with_its_source() -> None:
    """25 mg at once is refused, with the number found, the limit and the label."""
    found = check_plan(a_plan(a_phase("25/5/5")), BACLOFEN)

    assert only(found, "dose_too_large") == Finding(
        Severity.ERROR,
        "dose_too_large",
        "phases[0].doses[0].amount",
        "above the largest single dose",
        "25 mg",
        "20 mg",
        LABEL,
        Confidence.SOURCED,
    )


def test_a_day_above_the_maximum_says_that_sources_disagree() -> None:
    """85 mg a day is refused at the label's 80 mg, and the 100 mg of others are shown."""
    finding = only(check_plan(a_plan(a_phase("20/20/20/20/5", at="06:00 10:00 14:00 18:00 22:00")), BACLOFEN), "day_too_large")

    assert (finding.level, finding.found, finding.limit) == (Severity.ERROR, "85 mg a day", "80 mg")
    assert "100 mg (NHS Highland)" in finding.message


NINETY = a_plan(a_phase("20/20/20/20/10", at="06:00 10:00 14:00 18:00 22:00"))
HUNDRED = a_plan(a_phase("20/20/20/20/20", at="06:00 10:00 14:00 18:00 22:00"))
MORE = a_plan(a_phase("20/20/20/20/20/5", at="02:00 06:00 10:00 14:00 18:00 22:00"))


@pytest.mark.parametrize(
    ("plan", "ceiling", "expected"),
    [
        (NINETY, "100", ("day_over_label", Severity.WARNING, "80 mg", True)),
        (NINETY, "90", ("day_over_label", Severity.WARNING, "80 mg", True)),
        (NINETY, "85", ("day_too_large", Severity.ERROR, "85 mg", False)),
        (HUNDRED, "100", ("day_over_label", Severity.WARNING, "80 mg", True)),
        (MORE, "100", ("day_too_large", Severity.ERROR, "100 mg", False)),
        (MORE, "200", ("day_too_large", Severity.ERROR, "100 mg", False)),
    ],
)
def test_a_clinic_may_raise_the_maximum_up_to_what_any_source_allows(
    plan: Plan, ceiling: str, expected: tuple[str, Severity, str, bool]
) -> None:
    """With a clinic's own approved ceiling, up to 100 mg a day is a warning to be confirmed twice; above, always an error."""
    found = check_plan(plan, BACLOFEN, ceiling=Ceiling(mg(ceiling), "Dr. Ada Moss"))
    (finding,) = (finding for finding in found if finding.code.startswith("day_"))

    assert (finding.code, finding.level, finding.limit, finding.second_confirmation) == expected


def test_a_ceiling_needs_a_source_too() -> None:
    """Where no source allows more than the maximum, a clinic cannot either."""
    found = check_plan(NINETY, replace(BACLOFEN, ceiling_per_day=None), ceiling=Ceiling(mg("100"), "Dr. Ada Moss"))

    assert only(found, "day_too_large").limit == "80 mg"


def test_the_maximum_is_held_against_all_plans_of_the_drug() -> None:
    """50 mg beside 40 mg of the same ingredient under its brand name are 90 mg on the days they share."""
    plan = a_plan(a_phase("20/20/10", 7), a_phase("10/10/10", None), label="A")
    beside = a_plan(a_phase("20/20", 3, at="11:00 17:00"), start="2026-03-05", drug="Lioresal", label="B")
    finding = only(check_plan(plan, BACLOFEN, others=(beside,)), "day_too_large")

    assert (finding.path, finding.found) == ("phases[0]", "90 mg a day")


@pytest.mark.parametrize(
    ("own", "given", "found"), [("5", None, ""), ("10", None, "10 mg"), ("10", "5", ""), ("", None, "5 mg, 10 mg, 20 mg")]
)
def test_the_tablets_of_a_plan_go_before_the_profiles(own: str, given: str | None, found: str) -> None:
    """What was given to the check goes first, then what the plan says the patient has, then what the drug comes in."""
    plan = replace(a_plan(a_phase("5/5/7" if not own else "5/5/5")), strengths=(mg(own),) if own else ())
    whole = replace(BACLOFEN, scored=None)
    limits = {
        finding.limit for finding in check_plan(plan, whole, strengths=(mg(given),) if given else None) if finding.code == "not_makeable"
    }

    assert limits == ({found} if found else set())


def _limit(value: str) -> Sourced[Amount]:
    return Sourced(mg(value), "a label", Confidence.SOURCED, Severity.ERROR)


def test_what_24_hours_and_a_week_hold_is_counted_over_all_plans() -> None:
    """Hours are counted back from each dose, whichever plan it is of, and across the change of a phase."""
    drug = replace(BACLOFEN, max_in_24h=_limit("15"), max_per_week=_limit("45"))
    plan = a_plan(a_phase("5", 7, at="08:00"), a_phase("10", at="08:00"), label="A")
    beside = a_plan(a_phase("10", 3, at="20:00"), start="2026-03-08", label="B")
    found = [(finding.code, finding.path, finding.found) for finding in check_plan(plan, drug, others=(beside,))]

    assert found == [
        ("too_much_in_24h", "phases[1]", "20 mg in 24 hours"),
        ("week_too_large", "phases[1]", "100 mg in 7 days"),
    ]


def test_plans_of_the_drug_that_do_not_meet_share_no_day() -> None:
    """The same two plans one after the other are within the maximum, each on its days."""
    plan = a_plan(a_phase("20/20/10", 7), label="A")
    after = a_plan(a_phase("20/20", at="11:00 17:00"), start="2026-03-09", drug="Lioresal", label="B")

    assert "day_too_large" not in dict(codes(check_plan(plan, BACLOFEN, others=(after,))))


def test_plans_on_alternate_days_share_no_day() -> None:
    """Two plans every other day, a day apart, never add up."""
    odd = a_plan(a_phase("20/20/10", every=2), label="A")
    even = a_plan(a_phase("20/20/10", every=2), start="2026-03-03", label="B")

    assert codes(check_plan(odd, BACLOFEN, others=(even,))) == [("start_too_high", "phases[0]")]


def test_plans_of_different_rhythms_meet_some_day() -> None:
    """A weekly plan and one every third day, begun a day apart, meet on the eighth day for the first time: found."""
    weekly = a_plan(a_phase("20/20/10", every=7), label="A")
    third = a_plan(a_phase("20/20", at="11:00 17:00", every=3), start="2026-03-03", label="B")

    assert "day_too_large" in dict(codes(check_plan(weekly, BACLOFEN, others=(third,))))


def test_another_drug_has_its_own_limits() -> None:
    """A plan of another drug counts for the label, not for the limits."""
    other = a_plan(a_phase("300/300/300"), drug="gabapentin-capsule", label="B")

    assert codes(check_plan(a_plan(label="A"), BACLOFEN, others=(other,))) == []


def test_a_second_plan_needs_a_label() -> None:
    """From the second plan on, "1 tablet of 10 mg" alone could be either medicine."""
    other = a_plan(a_phase("300/300/300"), drug="gabapentin-capsule", label="A, blue cap")

    assert codes(check_plan(a_plan(), BACLOFEN, others=(other,))) == [("label_missing", "label")]


def test_two_labels_begin_with_different_letters() -> None:
    """The letter is what the patient answers with, so two plans cannot share it."""
    other = a_plan(a_phase("300/300/300"), drug="gabapentin-capsule", label="A, blue cap")

    assert codes(check_plan(a_plan(label="a, white"), BACLOFEN, others=(other,))) == [("label_repeated", "label")]


def test_amounts_of_another_unit_are_not_held_against_mg() -> None:
    """Tablets cannot be compared with a limit in mg: refused, and nothing else is said of the amounts."""
    found = check_plan(a_plan(a_phase("1/1/1", unit=Unit.TABLET)), BACLOFEN)

    assert [(finding.code, finding.found, finding.limit) for finding in found] == [("unit", "tablet", "mg")]


def test_another_plan_of_the_drug_in_another_unit_is_seen() -> None:
    """A plan of the same drug in another unit cannot be added up with this one."""
    other = a_plan(a_phase("5/5/5", unit=Unit.ML), label="B")

    assert codes(check_plan(a_plan(label="A"), BACLOFEN, others=(other,))) == [("unit", "phases")]


MAKEABLE: list[tuple[str, Mapping[str, tuple[Amount, ...]], list[str]]] = [
    ("7.5/5/2.5", {}, ["7.5 mg", "2.5 mg"]),
    ("7.5/5/2.5", {"scored": (mg("5"), mg("10"))}, []),
    ("5/10/5", {"strengths": (mg("10"),)}, []),
    ("5/10/5", {"strengths": (mg("20"),), "scored": ()}, ["5 mg", "10 mg", "5 mg"]),
]


@pytest.mark.parametrize(("amounts", "tablets", "missing"), MAKEABLE)
def test_amounts_must_be_makeable(amounts: str, tablets: Mapping[str, tuple[Amount, ...]], missing: list[str]) -> None:
    """An amount that the patient's tablets do not make, halved only where scored, is an error."""
    found = check_plan(a_plan(a_phase(amounts)), BACLOFEN, strengths=tablets.get("strengths"), scored=tablets.get("scored"))

    assert [finding.found for finding in found if finding.code == "not_makeable"] == missing


CLOSE = [
    ("08:00 09:00 20:00", ["phases[0].doses[1].at"]),
    ("08:00 10:00 20:00", []),
    ("00:30 12:00 23:00", ["phases[0].doses[0].at"]),
    ("08:00 09:59 11:58", ["phases[0].doses[1].at", "phases[0].doses[2].at"]),
]


@pytest.mark.parametrize(("at", "paths"), CLOSE)
def test_slots_of_a_day_keep_their_distance(at: str, paths: list[str]) -> None:
    """Slots closer than the minimum gap, over midnight too, are an error: the later reminder would always say to skip."""
    found = check_plan(a_plan(a_phase("5/5/5", at=at)), BACLOFEN)

    assert [(finding.level, finding.path) for finding in found] == [(Severity.ERROR, path) for path in paths]


def test_slots_keep_their_distance_across_phases() -> None:
    """The first dose of a phase can be too close to the last one of the phase before."""
    found = check_plan(a_plan(a_phase("5/5", 3, at="08:00 23:30"), a_phase("5/5", at="00:30 12:00")), BACLOFEN)
    finding = only(found, "too_close")

    assert (finding.path, finding.found, finding.limit) == ("phases[1].doses[0].at", "1 h", "2 h")


def test_every_other_day_midnight_is_no_neighbour() -> None:
    """Dosed every other day, the last slot of a day and the first of the next dosing day are far apart."""
    assert check_plan(a_plan(a_phase("5/5", at="00:30 23:00", every=2)), BACLOFEN) == ()


@pytest.mark.parametrize(("start", "times"), [("11:30", ("08:00", "12:00")), ("12:30", ("08:00", "12:00"))])
def test_plans_of_one_drug_keep_their_distance(start: str, times: tuple[str, ...]) -> None:
    """Two plans of one drug count as one: whichever slot is this plan's is named, before or after the other's."""
    plan, other = a_plan(a_phase("5", at=start), label="A"), a_plan(a_phase("5/5", at=times), label="B")
    finding = only(check_plan(plan, BACLOFEN, others=(other,)), "too_close")

    assert (finding.path, finding.found) == ("phases[0].doses[0].at", "0 h 30 min")
    assert "another plan" in finding.message


def test_two_other_plans_too_close_are_not_this_plans_fault() -> None:
    """What is wrong between other plans is found when they are checked."""
    others = (a_plan(a_phase("5", at="16:00"), label="B"), a_plan(a_phase("5", at="16:30"), label="C"))

    assert check_plan(a_plan(a_phase("5", at="08:00"), label="A"), BACLOFEN, others=others) == ()


STEPS = [
    (("20/20/20 3", "20/20/20/20"), "slot_added", "4 doses a day, 60 mg to 80 mg", "20 mg four times a day, if ordered"),
    (("5/5/5 3", "10/15/10"), "step_too_large", "10 mg a dose", "5 mg"),
    (("5/5/5 3", "10/10/10/10"), "step_too_large", "25 mg a day", "15 mg"),
    (("5/5/5 2", "10/10/10"), "step_too_soon", "2 days", "3 days"),
]


def _plan_of(phases: tuple[str, ...], kind: Kind = Kind.TITRATION) -> Plan:
    parts = [phase.partition(" ") for phase in phases]
    built = [a_phase(amounts, int(days) if days else None, at=FOUR[: amounts.count("/") + 1]) for amounts, _, days in parts]
    return a_plan(*built, kind=kind)


@pytest.mark.parametrize(("phases", "code", "found", "limit"), STEPS)
def test_an_unusual_step_is_a_warning(phases: tuple[str, ...], code: str, found: str, limit: str) -> None:
    """A step larger or sooner than the label's warns with both numbers; a slot more at the same dose quotes the label."""
    warnings = [(finding.level, finding.code, finding.found, finding.limit) for finding in check_plan(_plan_of(phases), BACLOFEN)]

    assert (Severity.WARNING, code, found, limit) in warnings


def test_a_small_slot_more_is_a_small_step() -> None:
    """A fourth slot that is a step larger than the others is a step like any other, and here a usual one."""
    assert check_plan(_plan_of(("5/5/5 3", "5/5/5/10")), BACLOFEN) == ()


@pytest.mark.parametrize(
    ("after", "expected"), [("5/5/10/10", [("slot_added", "phases[1]")]), ("5/5/5/10/20", [("step_too_large", "phases[1]")] * 2)]
)
def test_an_added_slot_is_held_against_the_largest_dose(after: str, expected: list[tuple[str, str]]) -> None:
    """Beside 5/5/10 a slot of 10 mg more adds no larger dose; slots of 5 and 20 do, and are a step."""
    at = ["06:00", "10:00", "14:00", "18:00", "22:00"][: after.count("/") + 1]
    plan = a_plan(a_phase("5/5/10", 3, at=FOUR[:3]), a_phase(after, at=tuple(at)))

    assert codes(check_plan(plan, replace(BACLOFEN, start_max_per_day=None))) == expected


def test_with_another_slot_the_largest_dose_is_held_against_the_largest() -> None:
    """5/10 to 5/10/15 raises the largest dose by 5 mg, and the next largest by as much: a usual step."""
    plan = a_plan(a_phase("5/10", 3, at=FOUR[:2]), a_phase("5/10/15", at=FOUR[:3]))

    assert codes(check_plan(plan, BACLOFEN)) == []


def test_a_phase_that_only_moves_amounts_is_no_way_up() -> None:
    """The same day total in another order may follow after a day."""
    assert codes(check_plan(_plan_of(("10/5/5 1", "5/5/10")), BACLOFEN)) == [("start_too_high", "phases[0]")]


def test_a_finding_names_the_phase_it_is_about() -> None:
    """A short phase is named itself, the step after it by the phase it leads to, a sudden end by the last phase."""
    found = codes(check_plan(_plan_of(("5/5/5 3", "10/10/10 2", "20/20/20 9")), BACLOFEN))

    assert found == [
        ("step_too_soon", "phases[1].days"),
        ("step_too_large", "phases[2]"),
        ("step_too_large", "phases[2]"),
        ("stop_without_taper", "phases[2]"),
    ]


def test_a_slot_added_above_the_current_dose_is_a_step() -> None:
    """A fourth slot larger than the doses there are is not the label's step: by the day it is held against the limit."""
    found = check_plan(_plan_of(("5/5/5 3", "5/5/5/20")), BACLOFEN)

    assert codes(found) == [("step_too_large", "phases[1]"), ("step_too_large", "phases[1]")]


def test_lowering_is_no_step_up() -> None:
    """A phase on the way down may be short and may drop a slot."""
    plan = a_plan(a_phase("10/10/10", 1), a_phase("5/5", 1, at="08:00 20:00"), a_phase("5", None, at="20:00"))

    assert codes(check_plan(plan, BACLOFEN)) == [("start_too_high", "phases[0]")]


STARTS = [
    (Kind.TITRATION, "20/20/20", ["start_too_high"]),
    (Kind.MAINTENANCE, "20/20/20", ["start_too_high"]),
    (Kind.MAINTENANCE, "5/5/5", ["outside_usual"]),
    (Kind.MAINTENANCE, "20/20/20/20", ["start_too_high"]),
    (Kind.MAINTENANCE, "20/10/10", ["start_too_high"]),
    (Kind.TITRATION, "5/5/5", []),
]


@pytest.mark.parametrize(("kind", "amounts", "expected"), STARTS)
def test_the_start_and_the_usual_range(kind: Kind, amounts: str, expected: list[str]) -> None:
    """A start above the label's warns; a maintenance plan outside the usual range warns too; a taper starts where it must."""
    assert [finding.code for finding in check_plan(_plan_of((amounts,), kind), BACLOFEN)] == expected


def test_the_usual_range_is_for_the_highest_phase() -> None:
    """A maintenance plan may begin below the usual range if it comes to it."""
    assert check_plan(_plan_of(("5/5/5 3", "10/10/10 3", "15/15/15"), Kind.MAINTENANCE), BACLOFEN) == ()


ENDS = [
    (Kind.TITRATION, ("5/5/5 9",), ["stop_without_taper"]),
    (Kind.MAINTENANCE, ("20/20/20 30",), ["start_too_high", "stop_without_taper"]),
    (Kind.TAPER, ("20/20/20 30",), ["stop_without_taper"]),
    (Kind.TAPER, ("15/15/15 7", "10/10/10 7"), ["stop_without_taper"]),
    (Kind.TAPER, ("15/15/15 2", "10/10/10 2", "5/5/5 2"), ["taper_too_short"]),
    (Kind.TAPER, ("15/15/15 3", "10/10/10 2", "5/5/5 2"), []),
    (Kind.TAPER, ("5/5/5 7", "10/10/10 7", "5/5/5 7"), ["taper_rises"]),
]


@pytest.mark.parametrize(("kind", "phases", "expected"), ENDS)
def test_how_a_plan_ends(kind: Kind, phases: tuple[str, ...], expected: list[str]) -> None:
    """A stop without a taper, or from a height, a taper under a week, and one that rises: each is found."""
    assert [finding.code for finding in check_plan(_plan_of(phases, kind), BACLOFEN)] == expected


GROWING = [
    ("15/15/15 at 08:00 14:00 20:00", "10/10/20 at 08:00 14:00 20:00", ["15 mg to 20 mg at 20:00"]),
    ("10/10/10 at 08:00 14:00 20:00", "15/15 at 08:00 20:00", ["10 mg to 15 mg at 08:00", "10 mg to 15 mg at 20:00"]),
    ("10/5/5 at 08:00 14:00 20:00", "5/5/10 at 08:00 14:00 20:00", ["5 mg to 10 mg at 20:00"]),
    ("10/5/5 at 08:00 14:00 20:00", "5/5/10 at 09:00 15:00 21:00", ["5 mg to 10 mg at 21:00"]),
    ("10/10/10 at 08:00 14:00 20:00", "15/10 at 09:00 21:00", ["10 mg to 15 mg at 09:00"]),
    ("15/15/15 at 08:00 14:00 20:00", "15/15 at 09:00 21:00", []),
    ("10/15/15 at 08:00 14:00 20:00", "10/10/15 at 09:00 15:00 21:00", []),
    ("20/5/5 at 08:00 14:00 20:00", "20/10 at 08:00 20:00", ["5 mg to 10 mg at 20:00"]),
    ("20/20 at 08:00 20:00", "10/10/10 at 08:00 14:00 20:00", []),
]


@pytest.mark.parametrize(("before", "after", "grown"), GROWING)
def test_a_dose_of_a_taper_that_grows_is_a_warning(before: str, after: str, grown: list[str]) -> None:
    """Each is held against the dose at its own time, else in its own place of the day, else against the day's largest."""
    phases = (a_phase(amounts, 7, at=at) for amounts, at in (words.split(" at ") for words in (before, after)))
    found = [finding for finding in check_plan(a_plan(*phases, kind=Kind.TAPER), BACLOFEN) if finding.code == "taper_dose_rises"]

    assert [finding.found for finding in found] == grown
    assert {finding.level for finding in found} <= {Severity.WARNING}


def test_a_dose_of_a_titration_may_grow_while_the_day_falls() -> None:
    """Only a taper never goes back up; and a taper whose day rises is said to rise, once."""
    phases = (("15/15/15 7", "5/10/20 7", "5/5/5 7"), ("5/5/5 7", "10/10/10 7", "5/5/5 7"))
    found = [codes(check_plan(_plan_of(days, kind), BACLOFEN)) for days, kind in zip(phases, (Kind.TITRATION, Kind.TAPER), strict=True)]

    assert ["taper_dose_rises" in dict(each) for each in found] == [False, False]


HARMLESS = replace(BACLOFEN, withdrawal_risk=replace(BACLOFEN.withdrawal_risk, value=False))
UNKNOWN = replace(
    BACLOFEN,
    max_per_dose=None,
    max_per_day=None,
    start_max_per_day=None,
    step_max_per_dose=None,
    step_max_per_day=None,
    step_min_days=None,
    taper_min_days=None,
    usual_per_day=None,
    slot_added=None,
    older_from=None,
    kidney_caution=None,
    kidney=(),
    indications=(),
    review_within=None,
    interactions=(),
)


def test_a_drug_without_withdrawal_may_be_stopped() -> None:
    """Where stopping does no harm a plan may simply end."""
    assert check_plan(a_plan(a_phase("5/5/5", 9)), HARMLESS) == ()


@pytest.mark.parametrize(
    "plan",
    [
        _plan_of(("50/50/50 1", "70/70/70 1", "70/70/70/70")),
        _plan_of(("15/15/15 2", "10/10/10 2", "5/5/5 2"), Kind.TAPER),
        _plan_of(("5/5/5",), Kind.MAINTENANCE),
    ],
)
def test_what_no_source_limits_is_not_limited(plan: Plan) -> None:
    """An empty field means "no source": nobody guesses a limit, for the plan or for the patient."""
    facts = PatientFacts(age=90, kidney=Decimal(10), kidney_flag=True, medicines=("diazepam",))

    assert check_plan(plan, UNKNOWN, facts=facts) == ()


def test_a_number_that_is_not_sourced_warns_at_most() -> None:
    """A limit quoted second-hand cannot block, and is never given as fact."""
    assert BACLOFEN.max_per_dose is not None
    profile = replace(BACLOFEN, max_per_dose=replace(BACLOFEN.max_per_dose, confidence=Confidence.SECOND_HAND))
    finding = only(check_plan(a_plan(a_phase("25/5/5")), profile), "dose_too_large")

    assert (finding.level, "confirm in the primary source" in finding.message) == (Severity.WARNING, True)


def test_errors_come_before_warnings() -> None:
    """What blocks is read first."""
    levels = [finding.level for finding in check_plan(_plan_of(("20/20/20 2", "25/25/25")), BACLOFEN)]

    assert levels == sorted(levels)
    assert set(levels) == set(Severity)


WELL = PatientFacts(alcohol=Alcohol.NONE, age=40, indication="multiple sclerosis", review_on=date(2026, 3, 30))


def patient(facts: PatientFacts, plan: Plan | None = None, profile: DrugProfile = BACLOFEN) -> list[tuple[str, str, str]]:
    """What is found about a patient with the label's titration."""
    found = check_plan(plan or a_titration(), profile, facts=facts)
    return [(finding.code, finding.found, finding.source) for finding in found]


def test_facts_about_the_patient_take_nothing_from_what_is_found_in_the_plan() -> None:
    """A dose that is too large stays so, whatever else is known."""
    found = codes(check_plan(a_plan(a_phase("25/5/5")), BACLOFEN, facts=replace(WELL, age=65)))

    assert {"dose_too_large", "older"} <= dict(found).keys()


def test_a_patient_without_special_facts_has_no_finding() -> None:
    """Forty, with multiple sclerosis and a review in time: nothing to say."""
    assert patient(WELL) == []


@pytest.mark.parametrize(("age", "expected"), [(64, []), (65, [("older", "65 years", "Doseline")]), (None, [])])
def test_age_from_sixty_five_is_flagged(age: int | None, expected: list[tuple[str, str, str]]) -> None:
    """From 65 on a slower plan is suggested; the age is ours, and said to be."""
    assert patient(replace(WELL, age=age)) == expected


KIDNEYS = [
    ("90", []),
    ("89", ["AJKD case algorithm"]),
    ("80", ["AJKD case algorithm"]),
    ("79", ["Vlavonou et al. 2014", "AJKD case algorithm"]),
    ("50", ["Vlavonou et al. 2014", "AJKD case algorithm"]),
    ("30", ["Vlavonou et al. 2014", "AJKD case algorithm"]),
    ("29.9", ["Vlavonou et al. 2014", "AJKD case algorithm"]),
]


@pytest.mark.parametrize(("value", "sources"), KIDNEYS)
def test_kidney_function_shows_each_source(value: str, sources: list[str]) -> None:
    """Each source with a band for the number is shown, also where they disagree; nothing is computed."""
    assert patient(replace(WELL, kidney=Decimal(value))) == [("kidney", f"{value} mL/min", source) for source in sources]


def test_weak_kidneys_without_a_number_are_flagged() -> None:
    """A flag alone brings the label's caution."""
    assert patient(replace(WELL, kidney_flag=True)) == [("kidney", "weak kidneys", "US baclofen tablets label; MIMS")]


@pytest.mark.parametrize(
    ("medicine", "level"),
    [
        ("Diazepam 5 mg at night", "high"),
        ("tizanidine", "medium"),
        ("Lithium carbonate", "low"),
        ("benzodiazepines", "high"),
        ("vitamin D", ""),
    ],
)
def test_interacting_medicines_are_named(medicine: str, level: str) -> None:
    """A medicine of a group that matters is found by its name within the entry; others are not."""
    found = check_plan(a_titration(), BACLOFEN, facts=replace(WELL, medicines=("paracetamol", medicine)))

    assert [(finding.path, finding.found, finding.limit) for finding in found] == ([("medicines[1]", medicine, level)] if level else [])


@pytest.mark.parametrize(
    ("indication", "code"),
    [
        (None, "indication_missing"),
        ("", "indication_missing"),
        ("Spasticity after stroke", "indication_doubtful"),
        ("cerebral palsy", "indication_doubtful"),
        ("rheumatic muscle spasm", "indication_doubtful"),
        ("spinal cord injury", ""),
        ("something else", ""),
    ],
)
def test_the_indication_is_asked_for_and_doubts_are_shown(indication: str | None, code: str) -> None:
    """No indication is flagged, and one on which the sources differ is flagged with their words."""
    assert [finding[0] for finding in patient(replace(WELL, indication=indication))] == ([code] if code else [])


@pytest.mark.parametrize(("days", "found"), [(51, None), (52, "2026-04-23"), (None, "none")])
def test_a_review_is_due_within_six_weeks_of_the_top_dose(days: int | None, found: str | None) -> None:
    """The label's top phase begins on day 10; six weeks from there is the last day for a review."""
    start = date(2026, 3, 2)
    review = None if days is None else start + timedelta(days=days)

    assert patient(replace(WELL, review_on=review)) == (
        [] if found is None else [("review_missing", found, "NHS Highland; NHS East Region")]
    )


def test_the_top_dose_is_reached_when_it_first_is() -> None:
    """Two phases of the same total: the review counts from the first of them."""
    rising = a_plan(a_phase("5/5/5", 3), a_phase("10/10/10", 10), a_phase("5/5/5", 3), a_phase("10/10/10"))
    due = date(2026, 3, 5) + timedelta(days=42)

    assert patient(replace(WELL, review_on=due), rising) == []
    assert [code for code, *_ in patient(replace(WELL, review_on=due + timedelta(days=1)), rising)] == ["review_missing"]


def test_a_plan_is_counted_together_with_one_that_began_before() -> None:
    """Where a limit is on doses in any 24 hours, the other plan's earlier days have no phase of this plan to be found in."""
    tizanidine = drugs.load("tizanidine")
    before, plan = (a_plan(a_phase("2/2/2", 10), drug="tizanidine", start=start) for start in ("2026-03-02", "2026-03-20"))

    assert "too_many_doses" not in [finding.code for finding in check_plan(plan, tizanidine, others=(before,))]


def test_a_taper_needs_no_review_of_its_top() -> None:
    """On the way down the top dose is past."""
    assert patient(replace(WELL, review_on=None), a_taper("B")) == []
