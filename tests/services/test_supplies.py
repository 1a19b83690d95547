"""Tablets at home: counted, used, fetched, running out, and what the gate and a stay make of them."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from sqlalchemy import Engine

from reminders.services import supplying
from reminders.services.records import plans
from tests.files import File
from tests.stage import ANA, Stage, local, patient, phase, plan

TIMES = ("08:05", "14:05", "20:05")
TAPER_A = (phase("15/15/15", 4), phase("10/10/10", 4), phase("5/5/5", 4), phase("-/5/5", 1), phase("-/-/5", 1))


def supplied(*phases: File, tablets: int, **changes: Any) -> File:  # noqa: ANN401 - what a plan can have
    """A plan of 5 mg tablets, so many of which are there."""
    given = {"strengths": ["5"], "supply": [{"strength": "5", "tablets": tablets}]}
    return plan(*(phases or (phase("5/5/5"),)), **{**given, **changes})


def taper(tablets: int, **changes: Any) -> File:  # noqa: ANN401 - what a plan can have
    """Taper A, and so many tablets of 5 mg."""
    return supplied(*TAPER_A, tablets=tablets, kind="taper", **{"advance": "as_prescribed", **changes})


def taken(clinic: Stage, *days: str) -> None:
    """Let every dose of some days be taken."""
    clinic.answers(*(f"03-{day} {time}" for day in days for time in TIMES))


def left(clinic: Stage) -> dict[str, int] | None:
    """What is on hand, by strength."""
    seen = supplying.standing(clinic.engine, "ana-baclofen", now=clinic.now).outlook
    return None if seen is None else {str(strength): count for strength, count in seen.left.items()}


OURS = ("supply_short", "supply_low", "refill", "tablets_left", "out_of_medicine", "low_on_medicine")


def raised(clinic: Stage) -> list[tuple[str, str, str]]:
    """The alerts about supply, in order: (local time, kind, severity)."""
    found = [row for row in clinic.rows("alert") if row["kind"] in OURS]
    in_order = sorted(found, key=lambda row: (row["raised_at"], row["kind"]))
    return [(local(row["raised_at"].astimezone(UTC).isoformat()), row["kind"], row["severity"]) for row in in_order]


# --- what is there --------------------------------------------------------------------------------------------------------------


def test_each_dose_takes_its_tablets(engine: Engine) -> None:
    """What was taken, and what was not answered for, is gone; what was told as not taken is still there."""
    with Stage(engine, patient(supplied(tablets=90))) as clinic:
        clinic.says("1", "03-02 08:05")
        clinic.says("2", "03-02 14:05")
        clinic.run_until("03-02 23:00")
        assert left(clinic) == {"5 mg": 88}


def test_nobody_keeps_count_where_nobody_began() -> None:
    """Without a count nothing is reckoned, nobody reminded, and no gate waits for tablets."""
    with Stage.on_paper(patient(plan(strengths=["5"]))) as clinic:
        clinic.run_until("03-04 23:00")
        assert (left(clinic), clinic.texts("refill"), raised(clinic)) == (None, [], [])


def test_a_hospital_gives_its_own() -> None:
    """While a plan is muted nothing is taken from the box at home."""
    with Stage.on_paper(patient(supplied(tablets=90))) as clinic:
        taken(clinic, "02")
        clinic.acts("mute", "03-02 22:00")
        clinic.run_until("03-04 22:00")
        assert left(clinic) == {"5 mg": 87}


# --- running out ----------------------------------------------------------------------------------------------------------------


def test_the_patient_is_reminded_and_then_the_clinic(engine: Engine) -> None:
    """30 tablets at three a day are ten days: the patient hears on the fourth, the clinic on the eighth. Each once."""
    with Stage(engine, patient(supplied(tablets=30))) as clinic:
        taken(clinic, *(f"{day:02}" for day in range(2, 12)))
        ((when, body),) = clinic.texts("refill")
        assert (when, body.partition(". ")[0]) == ("03-05 10:00", "your tablets last until about Thu 12 Mar")
        assert raised(clinic) == [("03-09 10:00", "supply_low", "urgent")]


def test_enough_after_a_text_about_tablets_ends_no_texts() -> None:
    """It may say that there are enough: a person asks."""
    with Stage.on_paper(patient(supplied(tablets=30))) as clinic:
        taken(clinic, "02", "03", "04")
        clinic.says("enough", "03-05 10:10")
        assert clinic.open_alerts() & {"wants_to_stop", "texts_stopped"} == {"wants_to_stop"}


def test_a_refill_ends_it() -> None:
    """What the patient fetched is counted from the text, the alert is closed, and the next box has its own reminder."""
    with Stage.on_paper(patient(supplied(tablets=12))) as clinic:
        taken(clinic, "02")
        clinic.run_until("03-03 11:00")
        assert raised(clinic) == [("03-03 10:00", "supply_low", "urgent")]
        clinic.says("refill 60")
        assert (left(clinic), clinic.open_alerts() & set(OURS)) == ({"5 mg": 12 - 4 + 60}, {"refill"})
        clinic.run_until("03-19 11:00")
        reminders = [when for when, body in clinic.texts("refill") if "last until" in body]
        assert reminders == ["03-02 08:00", "03-19 10:00"]


@pytest.mark.parametrize(
    ("tablets", "alerts"), [(75, []), (74, [("03-02 00:00", "supply_short", "urgent")])], ids=["all of them", "one too few"]
)
def test_a_taper_that_cannot_reach_its_end_is_a_safety_alert(tablets: int, alerts: list[tuple[str, str, str]]) -> None:
    """At once, however far the end is: running out means stopping suddenly."""
    with Stage.on_paper(patient(taper(tablets))) as clinic:
        clinic.run_until("03-02 07:00")
        assert raised(clinic) == alerts


def test_what_is_missing_is_said() -> None:
    """The alert says when the tablets run out, when the taper ends, and how many are missing; a refill closes it."""
    with Stage.on_paper(patient(taper(60))) as clinic:
        clinic.run_until("03-02 07:00")
        (alert,) = (row for row in clinic.rows("alert") if row["kind"] == "supply_short")
        assert alert["words"].split(". ")[:2] == [
            "The tablets run out on 2026-03-10, before the taper ends on 2026-03-15",
            "Missing: 15 of 5 mg",
        ]
        clinic.says("got 15 tablets", "03-02 09:00")
        assert "supply_short" not in clinic.open_alerts()


def test_out_of_medicine_sets_the_count_to_none() -> None:
    """Whatever was counted, the box is empty when the patient says so; new tablets begin from there."""
    with Stage.on_paper(patient(taper(75))) as clinic:
        taken(clinic, "02", "03", "04")
        clinic.says("I ran out of pills", "03-05 07:00")
        assert (left(clinic), {"supply_short", "supply_low"} <= clinic.open_alerts()) == ({"5 mg": 0}, True)
        clinic.says("got 48 tablets", "03-05 07:30")
        assert (left(clinic), clinic.open_alerts() & set(OURS)) == ({"5 mg": 48}, {"refill"})


def test_who_is_out_of_it_is_not_told_how_long_it_lasts() -> None:
    """Being out of pills is answered by the warning alone, not beside it by "your tablets last until about today"."""
    with Stage.on_paper(patient(taper(75))) as clinic:
        taken(clinic, "02", "03", "04")
        clinic.says("I ran out of pills", "03-05 09:00")
        clinic.run_until("03-05 10:30")
        assert clinic.texts("refill") == []


# --- what is said by text -------------------------------------------------------------------------------------------------------


def test_a_count_goes_by_what_is_left() -> None:
    """How many are left is a count, not an addition."""
    with Stage.on_paper(patient(supplied(tablets=90))) as clinic:
        clinic.says("I have 12 tablets left", "03-02 07:00")
        assert (left(clinic), [body for _, body in clinic.texts("answer")]) == (
            {"5 mg": 12},
            ["thank you, noted. Questions: 202 555 0100. Emergency: 911."],
        )


def test_a_count_begins_where_nobody_kept_one() -> None:
    """A patient whose plan has one strength can begin the count."""
    with Stage.on_paper(patient(plan(strengths=["5"]))) as clinic:
        clinic.says("refill 60", "03-02 07:00")
        assert (left(clinic), [kind for _, kind, _ in raised(clinic)]) == ({"5 mg": 60}, ["refill"])


def test_of_which_strength_is_not_guessed() -> None:
    """With tablets of two strengths a bare number is entered by a person."""
    two = [{"strength": "5", "tablets": 40}, {"strength": "10", "tablets": 40}]
    with Stage.on_paper(patient(plan(strengths=["5", "10"], supply=two))) as clinic:
        clinic.says("refill 60", "03-02 07:00")
        (alert,) = (row for row in clinic.rows("alert") if row["kind"] == "refill")
        assert (left(clinic), alert["severity"], alert["words"]) == (
            {"10 mg": 40, "5 mg": 40},
            "warning",
            "New supply told by text (60 pieces). Of which it is does not show: enter it.",
        )


# --- the gate and the stay ------------------------------------------------------------------------------------------------------


RISE = (phase("5/5/5", 3), phase("10/10/10", 3), phase("15/15/15"))


@pytest.mark.parametrize(
    ("tablets", "state"), [(9 + 18, ("active", 2)), (9 + 17, ("staying", 1))], ids=["enough for the next phase", "one too few"]
)
def test_no_step_without_its_tablets(tablets: int, state: tuple[str, int]) -> None:
    """A step for which the tablets are not there is not taken; the reason is named."""
    with Stage.on_paper(patient(supplied(*RISE, tablets=tablets))) as clinic:
        taken(clinic, "02", "03", "04")
        clinic.run_until("03-05 09:00")
        assert clinic.plans()[-1][1:] == state
        reasons = [row["reason"] for row in clinic.rows("plan_event") if row["kind"] == "stays"]
        assert reasons == ([] if state[0] == "active" else ["not enough tablets for the next phase"])


def test_a_stay_says_what_it_takes() -> None:
    """The extra tablets of some days more stand in the alert."""
    with Stage.on_paper(patient(supplied(*RISE, tablets=9 + 17))) as clinic:
        taken(clinic, "02", "03", "04")
        (alert,) = (row for row in clinic.rows("alert") if row["kind"] == "plan_stays")
        assert alert["words"].endswith("3 days more take 9 of 5 mg on top of what follows.")
        assert alert["severity"] == "warning"


def test_a_stay_that_the_tablets_do_not_cover_is_urgent() -> None:
    """Eight tablets for a stay of three days, which takes nine: a person must look at once."""
    with Stage.on_paper(patient(supplied(*RISE, tablets=9 + 8))) as clinic:
        taken(clinic, "02", "03", "04")
        (alert,) = (row for row in clinic.rows("alert") if row["kind"] == "plan_stays")
        assert (alert["severity"], alert["words"].endswith("3 days more take 9 of 5 mg on top of what follows; missing: 1 of 5 mg.")) == (
            "urgent",
            True,
        )


def test_a_stay_in_a_taper_must_not_eat_its_end() -> None:
    """A taper with just its tablets that waits for a yes: the wait itself takes what the end needs, and is urgent at once."""
    with Stage.on_paper(patient(taper(75, advance="ask_provider"))) as clinic:
        taken(clinic, "02", "03", "04", "05")
        assert raised(clinic) == []
        clinic.run_until("03-06 12:00")
        assert ("supply_short", "urgent") in [(kind, severity) for _, kind, severity in raised(clinic)]


# --- bad input ------------------------------------------------------------------------------------------------------------------


def test_the_end_of_a_plan_ends_the_looking() -> None:
    """A plan that is over is looked at no more."""
    with Stage.on_paper(patient(taper(75))) as clinic:
        clinic.acts("stop", "03-03 12:00", reason="moved away")
        clinic.run_until("03-10 12:00")
        assert [row[plans.Moment.SUPPLY_CHECK.value] for row in clinic.rows("plan")] == [None]


def test_whose_tablets() -> None:
    """The reminder goes to the patient's phone, with the label where the plan has one."""
    with Stage.on_paper(patient(supplied(tablets=9, label="A, blue cap"))) as clinic:
        clinic.run_until("03-02 09:00")
        (_, body), *_ = clinic.texts("refill", to=ANA)
        assert body.startswith("A, blue cap: tablets last until about Thu 5 Mar.")
