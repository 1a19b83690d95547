"""What a named person at the clinic does to a plan."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import Engine

from reminders.domain.acting import StaffAct, StaffAction
from reminders.domain.dose_state import DoseState
from reminders.errors import NotAllowed, UnknownPlan
from reminders.services import prescribing, reminding
from tests.stage import Stage, at, patient, phase, plan

LONDON = "Europe/London"
RISING = plan(phase("5/5/5", 2), phase("10/10/10", 2), phase("15/15/15", 2), phase("20/20/20"), advance="as_prescribed")
JUNE = plan(start="06-01")


def test_every_act_is_kept() -> None:
    """An act leaves an event with who, when and why."""
    with Stage.on_paper() as clinic:
        clinic.acts("mute", "03-02 09:00", reason="in hospital")
        event = clinic.rows("plan_event")[-1]
        assert (event["kind"], event["by"], event["reason"], event["at"]) == ("muted", "Dr. Noor Haddad", "in hospital", at("03-02 09:00"))


def test_mute_and_unmute() -> None:
    """While muted no text goes out and nothing counts; afterwards the reminders go on."""
    with Stage.on_paper() as clinic:
        clinic.says("1", "03-02 08:05")
        clinic.acts("mute", "03-02 10:00")
        clinic.acts("unmute", "03-03 07:00")
        clinic.run_until("03-03 08:00")
        assert (clinic.purposes(), clinic.doses()) == (
            [("03-02 08:00", "reminder"), ("03-03 08:00", "reminder")],
            {"03-02/1": "taken", "03-02/2": "not_reminded (muted)", "03-02/3": "not_reminded (muted)", "03-03/1": "open"},
        )


def test_suspended_by_the_provider() -> None:
    """Suspending tells the patient at once, corrects a reminder that is out, and nothing more falls due."""
    with Stage.on_paper() as clinic:
        clinic.acts("suspend", "03-02 08:30", reason="surgery")
        clinic.run_until("03-03 09:00")
        told = [body[:60] for _, body in clinic.texts("suspend_notice")]
        assert (sorted(told), clinic.doses()) == (
            [
                "correction: please do not take the Mon 8:00 am dose. Call 20",
                "your care team asks you to take no dose for now. Call 202 55",
            ],
            {"03-02/1": "unconfirmed"},
        )


def test_a_restart_names_its_phase() -> None:
    """A restart begins the phase that the provider chose, today, from the next dose on; phases keep their numbers."""
    with Stage.on_paper(patient(RISING)) as clinic:
        clinic.acts("suspend", "03-05 10:00")
        clinic.acts("restart", "03-08 10:00", phase=2)
        clinic.answers("03-08 14:05", "03-08 20:05", "03-09 08:05", "03-09 14:05", "03-09 20:05")
        clinic.run_until("03-10 08:00")
        amounts = clinic.amounts()
        assert (clinic.plans()[-2:], amounts["03-08"], amounts["03-09"], amounts["03-10"]) == (
            [("03-08 10:00", "active", 2), ("03-10 08:00", "active", 3)],
            "10/10",
            "10/10/10",
            "15",
        )


def test_no_restart_without_a_phase() -> None:
    """A restart that names no phase of the plan is refused, and changes nothing."""
    with Stage.on_paper(patient(RISING)) as clinic:
        clinic.acts("suspend", "03-02 10:00")
        with pytest.raises(NotAllowed, match="phases 1 to 4"):
            clinic.acts("restart", phase=5)
        assert clinic.plans()[-1][1] == "suspended"


def test_stepping_back() -> None:
    """Stepped back, the plan runs the phase before for its own days, and then this one again."""
    with Stage.on_paper(patient(RISING)) as clinic:
        clinic.answers(*(f"03-0{day} {time}" for day in (2, 3) for time in ("08:05", "14:05", "20:05")), "03-04 08:05")
        clinic.acts("step_back", "03-04 10:00", reason="dizzy")
        clinic.answers("03-04 14:05", "03-04 20:05", "03-05 08:05", "03-05 14:05", "03-05 20:05")
        clinic.run_until("03-06 08:00")
        amounts = clinic.amounts()
        assert (amounts["03-04"], amounts["03-05"], amounts["03-06"], clinic.plans()[-2:]) == (
            "10/5/5",
            "5/5/5",
            "10",
            [("03-04 10:00", "active", 1), ("03-06 08:00", "active", 2)],
        )


def test_nothing_before_the_first() -> None:
    """A plan on its first phase cannot be stepped back."""
    with Stage.on_paper(patient(RISING)) as clinic, pytest.raises(NotAllowed, match="first phase"):
        clinic.acts("step_back", "03-02 10:00")


def test_an_overtaken_notice() -> None:
    """A notice that waits for the morning is not sent if the provider has let the plan go on before it."""
    with Stage.on_paper(patient(plan(phase("5/5/5", 3), phase("10/10/10")))) as clinic:
        clinic.run_until("03-03 07:00")
        waiting = clinic.plans()[-1]
        clinic.acts("resume", "03-03 07:30")
        clinic.run_until("03-03 09:00")
        assert (waiting, clinic.texts("stay_notice")) == (("03-03 06:00", "staying", 1), [])


def test_a_yes_closes_its_alert() -> None:
    """The alert that a plan stays is closed, with the provider's reason, when the provider lets it step."""
    with Stage.on_paper(patient(RISING)) as clinic:
        clinic.run_until("03-02 10:00")
        clinic.acts("stay")
        clinic.acts("advance", reason="well again")
        assert clinic.open_alerts() == set()


def test_advancing() -> None:
    """Advanced, the plan keeps today's amounts and has the next phase's from tomorrow; the patient is told at once."""
    with Stage.on_paper(patient(RISING)) as clinic:
        clinic.says("1", "03-02 08:05")
        clinic.acts("advance", "03-02 10:00")
        clinic.answers("03-02 14:05", "03-02 20:05")
        clinic.run_until("03-03 08:00")
        assert (clinic.amounts(), clinic.texts("step_notice")[0][0], clinic.plans()[-1]) == (
            {"03-02": "5/5/5", "03-03": "10"},
            "03-02 10:00",
            ("03-03 08:00", "active", 2),
        )


def test_advancing_out_of_a_stay() -> None:
    """A yes to the next step ends a stay that began in the middle of a phase: the step is tomorrow."""
    with Stage.on_paper(patient(RISING)) as clinic:
        clinic.acts("stay", "03-02 10:00")
        clinic.answers("03-02 14:05", "03-02 20:05", "03-03 08:05")
        clinic.acts("advance", "03-03 10:00")
        clinic.run_until("03-04 08:00")
        assert (clinic.amounts()["03-04"], clinic.plans()[-1]) == ("10", ("03-04 08:00", "active", 2))


def test_nothing_after_the_last() -> None:
    """A plan on its last phase cannot be advanced."""
    with Stage.on_paper() as clinic, pytest.raises(NotAllowed, match="no further phase"):
        clinic.acts("advance", "03-02 10:00")


def test_a_stay_in_mid_phase() -> None:
    """A stay of one day in the middle of a phase makes it one day longer; its days and the rest move as a block."""
    with Stage.on_paper(patient(RISING)) as clinic:
        clinic.acts("stay", "03-02 10:00")
        clinic.acts("resume", "03-03 10:00")
        clinic.run_until("03-05 08:00")
        assert clinic.amounts() == {"03-02": "5/5/5", "03-03": "5/5/5", "03-04": "5/5/5", "03-05": "10"}


@pytest.mark.parametrize(("action", "state"), [("resume", "active"), ("unmute", "active"), ("restart", "active")])
def test_acts_out_of_place(action: str, state: str) -> None:
    """What does not fit the plan's state is refused, with the state's name."""
    with Stage.on_paper() as clinic, pytest.raises(NotAllowed, match=f"is {state}"):
        clinic.acts(action, "03-02 10:00", phase=1)


@pytest.mark.parametrize("action", ["advance", "step_back", "stay"])
@pytest.mark.parametrize("before", ["mute", "suspend"])
def test_only_a_going_plan_steps(before: str, action: str) -> None:
    """A muted or suspended plan neither steps nor stays."""
    with Stage.on_paper(patient(RISING)) as clinic:
        clinic.acts(before, "03-02 10:00")
        with pytest.raises(NotAllowed):
            clinic.acts(action)


def test_a_stop_needs_a_reason() -> None:
    """A straight stop of a drug with a withdrawal risk is refused without a reason."""
    with Stage.on_paper() as clinic:
        with pytest.raises(NotAllowed, match="taper it"):
            clinic.acts("stop", "03-02 08:10", reason=" ")
        assert clinic.plans()[-1][1] == "active"


def test_stopped_with_a_reason() -> None:
    """Stopped for a reason, nothing more is due, a reminder that is out is corrected, and the patient is told the danger signs."""
    with Stage.on_paper() as clinic:
        clinic.acts("stop", "03-02 08:10", reason="rash")
        clinic.run_until("03-04 00:00")
        assert (clinic.plans()[-1], list(clinic.doses()), [body[:40] for _, body in clinic.texts("suspend_notice")]) == (
            ("03-02 08:10", "stopped", 1),
            ["03-02/1"],
            ["correction: please do not take the Mon 8", "your care team has ended this plan: take"],
        )


def test_over_is_over() -> None:
    """A plan that was stopped cannot be changed any more."""
    with Stage.on_paper() as clinic:
        clinic.acts("stop", "03-02 08:10", reason="rash")
        with pytest.raises(NotAllowed, match="any more"):
            clinic.acts("mute")


def test_no_such_plan() -> None:
    """An act on a plan nobody knows is refused."""
    with Stage.on_paper() as clinic, pytest.raises(UnknownPlan):
        clinic.acts("mute", of="nobody")


def test_new_york_to_london() -> None:
    """Moved after the 2 pm dose, the 8 pm one (an hour later) is not due; the next is 13 hours away, and the provider is told."""
    with Stage.on_paper(patient(JUNE), start="06-01 00:00") as clinic:
        clinic.answers("06-01 08:05", "06-01 14:05")
        clinic.acts("move_zone", "06-01 14:10", zone=LONDON)
        clinic.run_until("06-02 04:00")
        assert (clinic.doses(), clinic.alerts(), clinic.texts("reminder", zone=LONDON)[-1][0]) == (
            {"06-01/1": "taken", "06-01/2": "taken", "06-01/3": "not_due (moved)", "06-02/1": "open"},
            [("06-01 14:10", "seam", "provider")],
            "06-02 08:00",
        )


def test_london_to_new_york() -> None:
    """Moved west after the morning dose, the next is at the same hour five hours on: numbers go on, nothing is jumped."""
    with Stage.on_paper(patient(plan(start="06-01", zone=LONDON), zone=LONDON), start=at("06-01 00:00", LONDON)) as clinic:
        clinic.says("1", at("06-01 08:05", LONDON))
        clinic.acts("move_zone", at("06-01 08:10", LONDON), zone="America/New_York")
        clinic.run_until("06-01 08:00")
        assert (clinic.doses(), clinic.alerts()) == ({"06-01/1": "taken", "06-01/2": "open"}, [])


def test_moved_in_the_very_minute() -> None:
    """A dose due at the very instant of a move falls due in the old zone, once."""
    with Stage.on_paper(patient(JUNE), start="06-01 00:00") as clinic:
        clinic.says("1", "06-01 08:05")
        clinic.acts("move_zone", "06-01 14:00", zone=LONDON)
        clinic.run_until("06-01 16:00")
        assert clinic.doses() == {"06-01/1": "taken", "06-01/2": "open", "06-01/3": "not_due (moved)"}


def test_stepped_back_in_the_very_minute() -> None:
    """A dose due at the very instant of a change keeps its amount, and is not due a second time."""
    with Stage.on_paper(patient(RISING)) as clinic:
        clinic.acts("step_back", "03-04 14:00")
        clinic.run_until("03-04 20:00")
        assert (clinic.amounts()["03-04"], len([key for key in clinic.doses() if key.startswith("03-04")])) == ("10/10/5", 3)


def test_moved_before_it_begins() -> None:
    """A plan moved east before its first day begins with its first morning there."""
    with Stage.on_paper(patient(plan(start="06-02")), start="06-01 12:00") as clinic:
        clinic.acts("move_zone", zone="Asia/Tokyo")
        clinic.run_until(at("06-02 08:00", "Asia/Tokyo"))
        assert clinic.texts("reminder", zone="Asia/Tokyo")[0][0] == "06-02 08:00"


def test_moved_while_staying() -> None:
    """A stay goes on through a move, and ends as a block afterwards."""
    with Stage.on_paper(patient(RISING)) as clinic:
        clinic.acts("stay", "03-02 10:00")
        clinic.acts("move_zone", "03-03 10:00", zone="America/Chicago")
        clinic.acts("resume", "03-04 10:00")
        clinic.run_until("03-06 12:00")
        assert (clinic.plans()[-2:], clinic.amounts()["03-05"], clinic.amounts()["03-06"]) == (
            [("03-04 10:00", "active", 1), ("03-06 09:00", "active", 2)],
            "5/5/5",
            "10",
        )


def test_corrected_by_a_named_person() -> None:
    """A correction is one more fact, with who made it and why; the counts follow."""
    with Stage.on_paper() as clinic:
        clinic.run_until("03-02 15:00")
        prescribing.correct(
            clinic.engine,
            plan_ref="ana-baclofen",
            local_date=date(2026, 3, 2),
            slot_no=1,
            state=DoseState.TAKEN,
            by="Nurse Lee",
            reason="told by phone",
            now=clinic.now,
        )
        clinic.driver.settle()
        event = next(event for event in clinic.rows("dose_event") if event["kind"] == "corrected")
        assert (clinic.doses()["03-02/1"], event["by"]) == ("taken (told by phone)", "Nurse Lee")


@pytest.mark.parametrize("state", DoseState)
def test_what_a_dose_can_be_set_to(state: DoseState) -> None:
    """Whatever it may have been before, so that a slip is taken back; but not back to before its text had left."""
    with Stage.on_paper() as clinic:
        clinic.run_until("03-02 15:00")
        try:
            prescribing.correct(
                clinic.engine,
                plan_ref="ana-baclofen",
                local_date=date(2026, 3, 2),
                slot_no=1,
                state=state,
                by="Nurse Lee",
                reason="a slip",
                now=clinic.now,
            )
        except NotAllowed:
            found = None
        else:
            found = next(row["state"] for row in clinic.rows("dose") if row["slot_no"] == 1)

        assert found == (None if state is DoseState.PENDING else state)


def test_an_act_and_a_pass_at_once(engine: Engine) -> None:
    """A suspension and a reminder in the same minute take turns: no dose is announced after it, and none twice."""
    with Stage(engine) as clinic:
        suspend = StaffAct(at("03-02 08:00"), StaffAction.SUSPEND, "ana-baclofen", reason="surgery", by="Dr. Noor Haddad")
        both = [
            threading.Thread(target=reminding.remind_due, args=(engine,), kwargs={"now": at("03-02 08:00")}),
            threading.Thread(target=prescribing.act, args=(engine, suspend), kwargs={"now": at("03-02 08:00")}),
        ]
        for one in both:
            one.start()
        for one in both:
            one.join()
        clinic.run_until("03-02 09:00")
        assert (clinic.purposes(), clinic.doses()) == ([("03-02 08:00", "suspend_notice")], {"03-02/1": "not_due (suspended)"})
