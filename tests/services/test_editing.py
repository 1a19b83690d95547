"""A plan's new document: shown with its seam, checked, stored by a person, told to the patient. And a plan that goes slower."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from reminders.errors import BadFile, NotAllowed, UnknownPlan
from reminders.formats.plan_file import read_plan
from reminders.services import editing
from reminders.services.editing import Edited
from tests.files import File
from tests.stage import Stage, patient, phase, plan

RISE = (phase("5/5/5", 3), phase("10/10/10", 3), phase("15/15/15"))


def document(*phases: File, **changes: Any) -> Any:  # noqa: ANN401 - a plan
    """A plan file's plan, as the domain has it."""
    entry = plan(*phases, **changes)
    return read_plan({key: value for key, value in entry.items() if key not in {"ref", "approved_by", "supply"}})


def previewed(clinic: Stage, new: Any) -> Edited:  # noqa: ANN401 - a plan
    """What a new document would do now."""
    return editing.preview(clinic.engine, "ana-baclofen", new, now=clinic.now)


def approved(clinic: Stage, new: Any) -> Edited:  # noqa: ANN401 - a plan
    """Dr. Haddad approves a new document."""
    edited = editing.approve(clinic.engine, "ana-baclofen", new, by="Dr. Noor Haddad", reason="too sleepy at noon", now=clinic.now)
    clinic.driver.settle()
    return edited


LATER = (phase("5/5/5", 3, times=("09:00", "15:00", "21:00")), phase("10/10/10", times=("09:00", "15:00", "21:00")))


def test_a_preview_shows_the_seam_and_stores_nothing(engine: Engine) -> None:
    """The first dose by the new times, how long after the last one, and which are not due."""
    with Stage(engine, patient(plan(*RISE))) as clinic:
        clinic.answers("03-02 08:05")
        clinic.run_until("03-02 08:30")
        seen = previewed(clinic, document(*LATER))

        assert seen.first is not None
        assert (f"{seen.first.local_time:%H:%M}", [f"{slot.local_time:%H:%M}" for slot in seen.jumped], seen.problems) == (
            "15:00",
            ["09:00"],
            "",
        )
        assert len(clinic.rows("plan_version")) == 1
        assert "09:00" not in [f"{slot.local_time:%H:%M}" for slot in seen.after[:2]]


def test_what_was_approved_is_what_comes(engine: Engine) -> None:
    """The new times hold from the seam on; a dose jumped over is not due; the patient is told of what changed."""
    with Stage(engine, patient(plan(*RISE))) as clinic:
        clinic.answers("03-02 08:05")
        clinic.run_until("03-02 08:30")
        approved(clinic, document(*LATER))
        clinic.run_until("03-02 23:00")
        reminders = [when for when, _ in clinic.texts("reminder")]
        assert reminders == ["03-02 08:00", "03-02 15:00", "03-02 21:00"]
        assert "not_due (changed)" in clinic.doses().values()
        assert [row["kind"] for row in clinic.rows("plan_event")] == ["approved", "edited"]
        assert clinic.texts("step_notice")[0][0] == "03-02 08:30"


def test_an_interacting_medicine_is_acknowledged_before_an_edit(engine: Engine) -> None:
    """No version is approved beside a medicine that was added and that nobody has taken on with a reason; then it is shown, no more."""
    with Stage(engine, patient(plan(*RISE))) as clinic:
        clinic.acts("add_medicine", "03-02 08:05", medicine="diazepam")
        with pytest.raises(BadFile, match="diazepam was added beside baclofen") as refused:
            approved(clinic, document(*LATER))
        clinic.acts("acknowledge", alert="interaction", reason="two nights only")
        edited = approved(clinic, document(*LATER))

        assert [fault.path for fault in refused.value.faults] == ["medicines"]
        assert [finding.found for finding in edited.findings if finding.code == "interaction"] == ["diazepam"]
        assert len(clinic.rows("plan_version")) == 2


@pytest.mark.parametrize(("asked", "found"), [(False, ["alcohol_unknown"]), (True, [])])
def test_an_edit_says_that_nobody_asked_about_alcohol(*, asked: bool, found: list[str]) -> None:
    """With what it does beside the drug, until somebody has."""
    with Stage.on_paper(patient(plan(*RISE))) as clinic:
        if asked:
            clinic.acts("remove_medicine", medicine="alcohol", reason="drinks none")
        edited = previewed(clinic, document(*LATER))

        assert [finding.code for finding in edited.findings if "alcohol" in finding.code] == found


def test_a_smaller_amount_is_announced() -> None:
    """From the next dose on, in tablets."""
    with Stage.on_paper(patient(plan(phase("10/10/10")))) as clinic:
        clinic.answers("03-02 08:05")
        approved(clinic, document(phase("5/5/5")))
        assert clinic.texts("step_notice") == [
            ("03-02 08:05", "from Mon 2 Mar each dose is 1 tablet of 5 mg, not before. If unsure, call 202 555 0100 before you take it.")
        ]


def test_an_edit_that_changes_no_amount_tells_nothing() -> None:
    """A later phase alone is told when its evening comes."""
    with Stage.on_paper(patient(plan(*RISE))) as clinic:
        clinic.answers("03-02 08:05")
        approved(clinic, document(RISE[0], phase("10/10/10")))
        assert clinic.texts("step_notice") == []


@pytest.mark.parametrize(
    ("new", "error", "words"),
    [
        (lambda: document(phase("30/30/30")), BadFile, "20 mg"),
        (lambda: document(drug="gabapentin-ir", strengths=["5"]), NotAllowed, "another drug is another plan"),
        (lambda: document(zone="Europe/London"), NotAllowed, "a move is a change of its own"),
    ],
)
def test_what_cannot_be_is_refused(new: Any, error: type[Exception], words: str) -> None:  # noqa: ANN401
    """Too much, another drug, another zone: refused with what is wrong, and nothing is stored."""
    with Stage.on_paper() as clinic:
        clinic.run_until("03-02 09:00")
        with pytest.raises(error, match=words):
            approved(clinic, new())
        assert len(clinic.rows("plan_version")) == 1


def test_a_change_needs_its_reason() -> None:
    """No reason, no change."""
    with Stage.on_paper() as clinic, pytest.raises(NotAllowed, match="needs its reason"):
        editing.approve(clinic.engine, "ana-baclofen", document(), by="Dr. Noor Haddad", reason=" ", now=clinic.now)


def test_a_plan_nobody_has() -> None:
    """An unknown plan is said to be unknown."""
    with Stage.on_paper() as clinic, pytest.raises(UnknownPlan):
        editing.preview(clinic.engine, "nobody", document(), now=clinic.now)


def test_a_plan_that_is_over_is_not_edited() -> None:
    """Stopped is stopped."""
    with Stage.on_paper() as clinic:
        clinic.acts("stop", "03-02 10:00")
        with pytest.raises(NotAllowed, match="is stopped"):
            previewed(clinic, document())


# --- slower ---------------------------------------------------------------------------------------------------------------------


def test_slower_makes_every_step_later() -> None:
    """Two days more in this phase and in each to come: the second begins on day 6, the third on day 11."""
    with Stage.on_paper(patient(plan(*RISE, advance="as_prescribed"))) as clinic:
        clinic.acts("slow_down", "03-03 12:00", days=2)
        clinic.run_until("03-12 23:00")
        assert list(clinic.amounts().values()) == ["5/5/5"] * 5 + ["10/10/10"] * 5 + ["15/15/15"]


def test_a_step_already_announced_is_taken_back() -> None:
    """The evening before a step somebody slows it down: the patient is told to stay."""
    with Stage.on_paper(patient(plan(*RISE, advance="as_prescribed"))) as clinic:
        clinic.run_until("03-04 22:00")
        announced = [when for when, _ in clinic.texts("step_notice")]
        clinic.acts("slow_down", "03-05 07:00", days=1)
        clinic.run_until("03-05 23:00")
        assert (len(announced), clinic.amounts()["03-05"]) == (1, "5/5/5")
        assert [when for when, _ in clinic.texts("stay_notice")] == ["03-05 08:00"]


def test_a_stay_goes_on_while_it_is_slower() -> None:
    """A plan that stays still stays."""
    with Stage.on_paper(patient(plan(*RISE, advance="as_prescribed"))) as clinic:
        clinic.acts("stay", "03-03 12:00")
        clinic.acts("slow_down", "03-03 12:05", days=2)
        clinic.run_until("03-09 12:00")
        assert clinic.plans()[-1][1:] == ("staying", 1)


def test_nothing_to_slow_down() -> None:
    """In a phase without an end there is no step to come."""
    with Stage.on_paper() as clinic, pytest.raises(NotAllowed, match="no step to come"):
        clinic.acts("slow_down", "03-03 12:00", days=2)


def test_a_straight_stop_warns() -> None:
    """A straight stop of a drug that must not be stopped suddenly: the patient is told the danger signs at once."""
    with Stage.on_paper() as clinic:
        clinic.acts("stop", "03-02 10:00", reason="allergic")
        (_, body), *_ = [text for text in clinic.texts("suspend_notice") if "ended" in text[1]]
        assert body.startswith("your care team has ended this plan: take no more of these doses. Fit, fever, confusion")


def test_age_and_kidneys_are_flagged_at_an_edit(engine: Engine) -> None:
    """What was entered at the enrolment is held against a new document too."""
    with Stage(engine, patient(plan(*RISE), born="1950-01-01", kidney="45")) as clinic:
        clinic.run_until("03-02 09:00")
        found = {finding.code for finding in previewed(clinic, document(*LATER)).findings}

        assert {"older", "kidney"} <= found
