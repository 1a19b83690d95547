from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, time
from decimal import Decimal

import pytest

from reminders.domain.plan import (
    AdvancePolicy,
    Amount,
    CheckInItem,
    CheckIns,
    InvalidPlan,
    Kind,
    Phase,
    PlannedDose,
    Stay,
    Unit,
    Version,
    as_followed,
    plain,
)
from tests.builders import a_course, a_phase, a_plan, a_taper, a_titration, utc

DOSE = PlannedDose(time(8), Amount(Decimal(5)))

INVALID: dict[str, tuple[Callable[[], object], str]] = {
    "tablets in another unit": (
        lambda: replace(a_plan(), strengths=(Amount(Decimal(5), Unit.MCG),)),
        "strengths: must be in mg, as the doses are",
    ),
    "a strength twice": (
        lambda: replace(a_plan(), strengths=(Amount(Decimal(5)), Amount(Decimal("5.0")))),
        "strengths: must each stand once",
    ),
    "an amount of nothing": (lambda: Amount(Decimal(0)), "amount: must be a finite number above zero, not 0"),
    "an amount below nothing": (lambda: Amount(Decimal(-5)), "amount: must be a finite number above zero, not -5"),
    "an amount without end": (lambda: Amount(Decimal("Infinity")), "amount: must be a finite number above zero, not Infinity"),
    "no number": (lambda: Amount(Decimal("NaN")), "amount: must be a finite number above zero, not NaN"),
    "a time with seconds": (lambda: PlannedDose(time(8, 0, 1), DOSE.amount), "at: must be a local time of whole minutes, like 08:00"),
    "a time with microseconds": (
        lambda: PlannedDose(time(8, 0, 0, 1), DOSE.amount),
        "at: must be a local time of whole minutes, like 08:00",
    ),
    "a time with a zone": (lambda: PlannedDose(time(8, tzinfo=UTC), DOSE.amount), "at: must be a local time of whole minutes, like 08:00"),
    "a phase of no days": (lambda: Phase((DOSE,), days=0), "days: a phase lasts at least one day, not 0"),
    "a phase every no days": (lambda: Phase((DOSE,), every_n_days=0), "every_n_days: must be 1 or more, not 0"),
    "a phase without a dose": (lambda: Phase(()), "doses: a phase has at least one dose"),
    "times that fall": (lambda: a_phase("5/5", at="14:00 08:00"), "doses: times must rise through the day, each once"),
    "one time twice": (lambda: a_phase("5/5", at="08:00 08:00"), "doses: times must rise through the day, each once"),
    "a plan without a phase": (lambda: replace(a_plan(), phases=()), "phases: a plan has at least one phase"),
    "an open phase in the middle": (
        lambda: a_plan(a_phase("5/5/5"), a_phase("10/10/10")),
        "phases[0].days: only the last phase may be open-ended",
    ),
    "two units": (lambda: a_plan(a_phase("5/5/5", 3), a_phase("1/1/1", unit=Unit.TABLET)), "phases: one plan, one unit; found mg, tablet"),
    "a taper that stays by itself": (
        lambda: replace(a_taper("B"), advance=AdvancePolicy.STAY_UNLESS_MET),
        "advance: a taper is as_prescribed or ask_provider, never stay_unless_met",
    ),
    "a taper without an end": (lambda: a_plan(kind=Kind.TAPER), "phases[0].days: a taper ends: give its last phase its days"),
    "a start too early": (
        lambda: a_plan(start="1969-12-31"),
        "start: a plan starts in 1970 or later and its phases end before the year 3000",
    ),
    "an end too late": (
        lambda: a_plan(a_phase("5/5/5", 400_000)),
        "start: a plan starts in 1970 or later and its phases end before the year 3000",
    ),
    "an unknown zone": (
        lambda: a_plan(zone="Mars/Olympus"),
        "zone: no such time zone: 'Mars/Olympus'; use an IANA name like America/New_York",
    ),
    "a zone that is a path": (
        lambda: a_plan(zone="../etc/passwd"),
        "zone: no such time zone: '../etc/passwd'; use an IANA name like America/New_York",
    ),
    "a zone that is a folder": (
        lambda: a_plan(zone="America"),
        "zone: no such time zone: 'America'; use an IANA name like America/New_York",
    ),
    "check-ins of nothing": (
        lambda: CheckIns(()),
        "items: name what is asked, each once; a plan without check-ins has no check_ins",
    ),
    "check-ins that ask twice": (
        lambda: CheckIns((CheckInItem.SYMPTOMS,) * 2),
        "items: name what is asked, each once; a plan without check-ins has no check_ins",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_plan_cannot_exist(name: str) -> None:
    """What cannot be laid out is refused when it is made, with the path of the fault."""
    make, words = INVALID[name]

    with pytest.raises(InvalidPlan) as refused:
        make()

    assert str(refused.value) == f"{refused.value.path}: {refused.value.message}" == words


def test_the_first_and_the_last_day_of_the_calendar() -> None:
    """From the first day of 1970 a plan may last to the last of 2999, and not a day longer."""
    days = (date(3000, 1, 1) - date(1970, 1, 1)).days
    assert a_plan(a_phase("5/5/5", days - 1), start="1970-01-01").phases[0].days == days - 1

    with pytest.raises(InvalidPlan, match="before the year 3000"):
        a_plan(a_phase("5/5/5", days), start="1970-01-01")


def test_a_phase_without_an_end_takes_no_day_of_the_calendar() -> None:
    """A plan of one day and an open phase may begin on the last day but one."""
    assert a_plan(a_phase("5/5/5", 1), a_phase("10/10/10"), start="2999-12-30").phases[1].days is None


def test_a_fault_of_the_whole_has_no_path() -> None:
    """A fault that belongs to no part is said without a colon."""
    assert str(InvalidPlan("", "is not a plan")) == "is not a plan"


@pytest.mark.parametrize(
    ("value", "text"), [("5", "5"), ("5.0", "5"), ("2.50", "2.5"), ("1E+2", "100"), ("100", "100"), ("0.125", "0.125")]
)
def test_decimals_are_written_plainly(value: str, text: str) -> None:
    """No exponent, and no zeros that say nothing."""
    assert plain(Decimal(value)) == text


def test_an_amount_says_its_unit() -> None:
    """An amount is written as number and unit."""
    assert str(Amount(Decimal("2.5"), Unit.MCG)) == "2.5 mcg"


def test_a_phase_adds_up_its_day() -> None:
    """A phase knows the total of one dosing day."""
    assert a_phase("5/5/10").per_day == Decimal(20)


def test_a_plan_has_one_unit() -> None:
    """A plan's unit is that of all its amounts."""
    assert a_plan(a_phase("1/1/1", unit=Unit.TABLET)).unit is Unit.TABLET


def test_a_plan_without_stays_is_followed_as_it_is() -> None:
    """Where nothing stayed there is nothing to lay in."""
    plan = a_titration()

    assert as_followed(plan, ()) is plan


def test_finished_stays_lengthen_their_phases() -> None:
    """Two stays in a phase add up; an open phase stays open."""
    plan = a_titration()
    stays = (Stay(1, date(2026, 3, 4), 2), Stay(1, date(2026, 3, 6), 1), Stay(4, date(2026, 3, 30), 5))

    assert [phase.days for phase in as_followed(plan, stays).phases] == [6, 3, 3, None]


def test_an_open_stay_ends_the_list_of_phases() -> None:
    """While a stay is open no later phase can be dated."""
    followed = as_followed(a_titration(), (Stay(2, date(2026, 3, 7)),))

    assert [phase.days for phase in followed.phases] == [3, None]


def test_a_waiting_taper_has_no_end_until_it_goes_on() -> None:
    """A taper with an open stay is laid out without end; with finished ones it is a taper again."""
    waiting = Version(a_taper("B"), utc("2026-03-01 00:00"), stays=(Stay(1, date(2026, 3, 8)),))
    finished = replace(waiting, stays=(Stay(1, date(2026, 3, 8), 3),))

    assert [phase.days for phase in waiting.followed.phases] == [None]
    assert ([phase.days for phase in finished.followed.phases], finished.followed.kind) == ([10, 7, 7], Kind.TAPER)


def test_the_current_version_is_the_last() -> None:
    """Of all versions the newest governs from now on."""
    course = a_course(a_plan())
    newer = Version(a_plan(), utc("2026-03-05 00:00"), no=2)

    assert replace(course, versions=(*course.versions, newer)).current is newer
