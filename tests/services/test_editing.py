"""A plan's new document: shown with its seam, checked, stored by a person, told to the patient. And a plan that goes slower."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from reminders.errors import BadFile, NotAllowed, UnknownPlan
from reminders.formats.plan_file import read_plan
from reminders.services import editing
from reminders.services.editing import Edited, Running
from tests.files import File
from tests.stage import Stage, at, patient, phase, plan

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


# --- what was seen ---------------------------------------------------------------------------------------------------------------


def whose(clinic: Stage) -> tuple[tuple[str, str], str]:
    """Ana by the ids of her clinic and row, and her plan by its id."""
    (row,) = clinic.rows("plan")
    return (row["clinic_id"], row["patient_id"]), row["id"]


def running(clinic: Stage) -> Running:
    """Ana's plan as it stands now."""
    of, plan_id = whose(clinic)
    return editing.running(clinic.engine, of, plan_id, now=clinic.now)


def sealed(clinic: Stage, new: Any, seal: str) -> Edited:  # noqa: ANN401 - a plan
    """Dr. Haddad approves what bears a seal."""
    return editing.approve(clinic.engine, "ana-baclofen", new, by="Dr. Noor Haddad", reason="too sleepy", now=clinic.now, seen=seal)


def test_what_was_seen_is_what_is_stored(engine: Engine) -> None:
    """A minute later nothing has come between: the seam that was shown is the seam that is stored."""
    with Stage(engine, patient(plan(*RISE))) as clinic:
        clinic.answers("03-02 08:05")
        clinic.run_until("03-02 08:30")
        seen = previewed(clinic, document(*LATER))
        clinic.run_until("03-02 08:31")
        assert sealed(clinic, document(*LATER), seen.seal).first == seen.first


def test_a_dose_that_comes_between_makes_it_another(engine: Engine) -> None:
    """At 14:00 a dose is announced: what was shown at 13:59 is shown anew, and nothing is stored."""
    with Stage(engine, patient(plan(*RISE))) as clinic:
        clinic.run_until("03-02 13:59")
        seen = previewed(clinic, document(*LATER))
        clinic.run_until("03-02 14:01")
        with pytest.raises(BadFile, match="Look at it once more"):
            sealed(clinic, document(*LATER), seen.seal)
        assert len(clinic.rows("plan_version")) == 1


def test_another_document_has_another_seal() -> None:
    """What is approved is what was shown."""
    with Stage.on_paper(patient(plan(*RISE))) as clinic:
        seen = previewed(clinic, document(*LATER))
        with pytest.raises(BadFile, match="not what was shown"):
            sealed(clinic, document(*RISE), seen.seal)


def test_another_version_that_came_between_makes_it_another() -> None:
    """A lower dose was approved meanwhile, beside which the same first dose was found as before: it is not overwritten unseen."""
    higher = document(phase("5/5/5", 3), phase("15/15/15"))
    with Stage.on_paper(patient(plan(*RISE))) as clinic:
        clinic.run_until("03-02 08:30")
        seen = previewed(clinic, higher)
        approved(clinic, document(phase("5/5/5")))
        assert previewed(clinic, higher).first == seen.first
        with pytest.raises(BadFile, match="Look at it once more"):
            sealed(clinic, higher, seen.seal)
        assert len(clinic.rows("plan_version")) == 2


def test_a_step_kept_back_meanwhile_makes_it_another() -> None:
    """An edit ends a stay: one that was begun after the preview is not undone unseen, and one that was seen is."""
    with Stage.on_paper(patient(plan(*RISE))) as clinic:
        clinic.run_until("03-02 08:30")
        seen = previewed(clinic, document(*RISE))
        clinic.acts("stay", "03-02 08:31")
        with pytest.raises(BadFile, match="Look at it once more"):
            sealed(clinic, document(*RISE), seen.seal)
        assert clinic.plans()[-1][1] == "staying"
        sealed(clinic, document(*RISE), previewed(clinic, document(*RISE)).seal)
        assert [row["state"] for row in clinic.rows("plan")] == ["active"]


def test_a_preview_has_caught_up_and_stores_nothing() -> None:
    """A dose due five minutes ago, that no pass has seen yet, counts as announced: no second one is laid beside it."""
    with Stage.on_paper(patient(plan(*RISE))) as clinic:
        clinic.clock.advance_to(at("03-02 08:05"))
        seen = previewed(clinic, document(*LATER))
        assert seen.first is not None
        assert (f"{seen.first.local_time:%H:%M}", clinic.rows("dose"), clinic.rows("text_out")) == ("15:00", [], [])


def test_a_running_plan_and_what_is_coming_of_it() -> None:
    """On its fifth day: the document as signed, and today's doses."""
    with Stage.on_paper(patient(plan(*RISE, advance="as_prescribed"))) as clinic:
        clinic.run_until("03-06 10:00")
        now = running(clinic)
        assert (now.document, [str(dose.amount) for dose in now.doses]) == (now.plan.course.current.plan, ["10 mg"] * 3)


def test_a_stay_is_behind_in_what_is_changed() -> None:
    """Two days stayed: the phase is that much longer, and the next begins tomorrow at the earliest."""
    with Stage.on_paper(patient(plan(*RISE, advance="as_prescribed"))) as clinic:
        clinic.acts("stay", "03-03 12:00")
        clinic.run_until("03-06 12:00")
        now = running(clinic)
        assert [phase.days for phase in now.document.phases] == [6, 3, None]


@pytest.mark.parametrize("state", ["stopped", "another's"])
def test_a_plan_that_is_nobodys_or_over_is_not_there(state: str) -> None:
    """Neither one that was stopped, nor by somebody else's patient."""
    with Stage.on_paper() as clinic:
        (clinic_id, patient_id), plan_id = whose(clinic)
        if state == "stopped":
            clinic.acts("stop", "03-02 10:00", reason="allergic")
        else:
            patient_id = "nobody"
        with pytest.raises(UnknownPlan):
            editing.running(clinic.engine, (clinic_id, patient_id), plan_id, now=clinic.now)


def test_a_taper_in_the_midst_of_a_plan_is_held_against_itself() -> None:
    """Three days down from 60 mg, after a month on it: a short taper all the same."""
    with Stage.on_paper(patient(plan(phase("20/20/20")))) as clinic:
        clinic.run_until("03-20 12:00")
        short = document(phase("20/20/20", 19), phase("10/10/10", 3), phase("5/5/5", 3), kind="taper", advance="as_prescribed")
        assert "taper_too_short" in {finding.code for finding in previewed(clinic, short).findings}


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
