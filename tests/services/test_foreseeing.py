"""What an act would do is shown by doing it and taking it back; and what is offered is what would be done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, select

from db.engine import reading
from db.tables import metadata
from reminders.domain.acting import StaffAct, StaffAction
from reminders.domain.offering import WITH_REASON
from reminders.domain.plan import plain
from reminders.domain.roles import NEEDED, StaffRole, has_right
from reminders.errors import NotAllowed, UnknownPatient, UnknownPlan
from reminders.services import charting, prescribing, staffing
from tests.stage import Stage, patient, phase, plan

HADDAD, LEE = "Dr. Noor Haddad", "Nurse Lee"
STEPS = (phase("5/5/5", 3), phase("10/10/10", 3), phase("15/15/15"))


def ledger(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Everything there is."""
    with reading(engine) as c:
        return {name: [tuple(row) for row in c.execute(select(table))] for name, table in metadata.tables.items()}


def an_act(stage: Stage, action: StaffAction, *, by: str = HADDAD, reason: str = "as agreed") -> StaffAct:
    """An act with all that it needs."""
    return StaffAct(
        stage.now,
        action,
        "ana-baclofen",
        by,
        reason,
        phase=2,
        zone="Europe/London",
        days=2,
        medicine="vitamin D" if action is not StaffAction.REMOVE_MEDICINE else "aspirin",
    )


def would(stage: Stage, action: StaffAction, *, by: str = HADDAD) -> bool:
    """Whether an act would be done."""
    try:
        prescribing.foresee(stage.engine, an_act(stage, action, by=by), now=stage.now)
    except NotAllowed:
        return False
    return True


def started(*, advance: str = "as_prescribed") -> Stage:
    """Ana, two days into three steps, with aspirin on her list."""
    stage = Stage.on_paper(patient(plan(*STEPS, advance=advance), medicines=["aspirin"]))
    stage.run_until("03-03 12:00")
    return stage


def at_once(_: Stage) -> None:
    """Change nothing."""


def second_step(stage: Stage) -> None:
    """Let the second step begin."""
    stage.run_until("03-05 12:00")


def last_step(stage: Stage) -> None:
    """Let the last step begin."""
    stage.run_until("03-08 12:00")


def acts(*actions: str) -> Callable[[Stage], None]:
    """Let Dr. Haddad act."""

    def act(stage: Stage) -> None:
        for action in actions:
            stage.acts(action, phase=1)

    return act


MOMENTS: dict[str, Callable[[Stage], None]] = {
    "on its first step": at_once,
    "on its second step": second_step,
    "on its last step": last_step,
    "staying": acts("stay"),
    "muted": acts("mute"),
    "muted while staying": acts("stay", "mute"),
    "suspended": acts("suspend"),
    "restarted": acts("suspend", "restart"),
    "stopped": acts("stop"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_is_offered_is_what_would_be_done(moment: str) -> None:
    """In each state of a plan a provider is offered exactly what the service would do, a nurse what of it is hers."""
    with started() as stage:
        MOMENTS[moment](stage)
        staffing.add(stage.engine, "harbor-clinic", LEE, {StaffRole.STAFF}, now=stage.now)
        ids = {row["id"]: row["patient_id"] for row in stage.rows("plan")}
        ((plan_id, patient_id),) = ids.items()
        seen = {
            role: charting.to_act_on(stage.engine, "harbor-clinic", patient_id, plan_id, by=by, roles={role}, now=stage.now)
            for role, by in ((StaffRole.PROVIDER, HADDAD), (StaffRole.STAFF, LEE))
        }
        done = {action for action in StaffAction if would(stage, action)} - {StaffAction.ACKNOWLEDGE}
        hers = {action for action in done if has_right([StaffRole.STAFF], NEEDED[action])}

        assert set(seen[StaffRole.PROVIDER].offered) - {StaffAction.ACKNOWLEDGE} == done
        assert set(seen[StaffRole.STAFF].offered) - {StaffAction.ACKNOWLEDGE} == hers
        assert set(seen[StaffRole.STAFF].withheld) == done - hers
        assert {action for action in done if would(stage, action, by=LEE)} == hers


def test_nothing_is_left_of_what_was_foreseen() -> None:
    """Whatever is looked at beforehand, the ledger is as it was."""
    with started() as stage:
        before = ledger(stage.engine)
        for action in StaffAction:
            would(stage, action)

        assert ledger(stage.engine) == before


def test_a_step_back_foreseen_is_the_step_back_done() -> None:
    """The slots, the texts and the state that were shown are those that come."""
    with started() as stage:
        second_step(stage)
        act = an_act(stage, StaffAction.STEP_BACK)
        seen = prescribing.foresee(stage.engine, act, now=stage.now)
        prescribing.act(stage.engine, act, now=stage.now)
        again = prescribing.foresee(stage.engine, an_act(stage, StaffAction.ACKNOWLEDGE), now=stage.now)

        assert {plain(slot.amount.value) for slot in seen.before if slot.local_date <= stage.now.date() + timedelta(days=1)} == {"10"}
        assert {plain(slot.amount.value) for slot in seen.coming if slot.local_date <= stage.now.date() + timedelta(days=1)} == {"5"}
        assert seen.coming == again.before
        assert (seen.after.state.value, seen.after.phase) == ("active", 1)


def test_who_would_be_texted() -> None:
    """Suspending tells the patient at once, in these words; an alert that it ends is named."""
    with started() as stage:
        seen = prescribing.foresee(stage.engine, an_act(stage, StaffAction.SUSPEND), now=stage.now)
        stage.acts("suspend", reason="as agreed")

        assert [(name, text.removeprefix("Harbor Clinic: ")) for name, text in seen.texts] == [
            ("Ana Silva", stage.texts("suspend_notice")[-1][1])
        ]
        assert seen.coming == ()


def test_alerts_that_would_come_and_go() -> None:
    """Going on after a stay that was alerted closes what told of it; a medicine that interacts raises one."""
    with Stage.on_paper(patient(plan(*STEPS))) as stage:
        stage.run_until("03-05 12:00")
        assert "misses" in stage.open_alerts()
        seen = prescribing.foresee(stage.engine, an_act(stage, StaffAction.RESUME), now=stage.now)
        beside = StaffAct(stage.now, StaffAction.ADD_MEDICINE, "ana-baclofen", HADDAD, "sleep", medicine="diazepam 5 mg")
        added = prescribing.foresee(stage.engine, beside, now=stage.now)

        assert seen.closed
        assert not seen.raised
        assert [words[:35] for words in added.raised] == ["diazepam 5 mg was added beside bacl"]


@pytest.mark.parametrize(("moment", "action"), [(at_once, StaffAction.SLOW_DOWN), (last_step, StaffAction.STEP_BACK)])
def test_what_was_seen_is_done_once(moment: Callable[[Stage], None], action: StaffAction) -> None:
    """Two that act on what they saw at the same time: the second finds another plan, and does not cut or lengthen it once more."""
    with started() as stage:
        moment(stage)
        act = an_act(stage, action)
        seen = prescribing.foresee(stage.engine, act, now=stage.now)
        done = prescribing.act(stage.engine, act, now=stage.now, seen=seen.mark)
        with pytest.raises(NotAllowed, match="has changed since you looked"):
            prescribing.act(stage.engine, act, now=stage.now, seen=seen.mark)

        assert done == seen.after
        assert prescribing.foresee(stage.engine, act, now=stage.now).mark != seen.mark


def test_a_stay_that_came_and_went_is_seen() -> None:
    """The plan is active again, in the same phase of the same version, but its steps come later."""
    with started() as stage:
        act = an_act(stage, StaffAction.SUSPEND)
        seen = prescribing.foresee(stage.engine, act, now=stage.now)
        stage.acts("stay")
        stage.acts("resume", "03-05 12:00")
        with pytest.raises(NotAllowed, match="has changed since you looked"):
            prescribing.act(stage.engine, act, now=stage.now, seen=seen.mark)


def test_what_falls_due_meanwhile_does_not_stand_in_the_way() -> None:
    """What was looked at is the plan with all decided that has fallen due, also where no pass has been yet: so it is still that one."""
    with started() as stage:
        stage.outage("03-07 18:30")
        act = an_act(stage, StaffAction.SUSPEND)
        seen = prescribing.foresee(stage.engine, act, now=stage.now)

        assert prescribing.act(stage.engine, act, now=stage.now, seen=seen.mark) == seen.after


def test_of_no_plan() -> None:
    """A plan that is not there is not foreseen."""
    with started() as stage, pytest.raises(UnknownPlan):
        prescribing.foresee(stage.engine, an_act(stage, StaffAction.STAY), now=stage.now, clinic_id="hill-clinic")


def test_whose_page_it_is() -> None:
    """Another clinic's patient is not there, nor is a plan of somebody else; who cares for nobody may not look."""
    with started() as stage:
        staffing.add(stage.engine, "harbor-clinic", "Kim Park", {StaffRole.ADMIN}, now=stage.now)
        (row,) = stage.rows("plan")
        look = partial(charting.to_act_on, stage.engine, "harbor-clinic", by=HADDAD, roles={StaffRole.PROVIDER}, now=stage.now)
        with pytest.raises(UnknownPatient):
            charting.page(stage.engine, "harbor-clinic", "nobody", by=HADDAD, now=stage.now)
        with pytest.raises(UnknownPlan):
            look("nobody", row["id"])
        with pytest.raises(UnknownPlan):
            look(row["patient_id"], "none")
        with pytest.raises(NotAllowed, match="Kim Park"):
            charting.page(stage.engine, "harbor-clinic", row["patient_id"], by="Kim Park", now=stage.now)
        with pytest.raises(NotAllowed, match="nobody at the clinic"):
            charting.page(stage.engine, "hill-clinic", row["patient_id"], by=HADDAD, now=stage.now)


def test_what_needs_a_reason() -> None:
    """All that a provider alone does, but going on after a stay, asks for a reason on a page; so does taking a medicine off."""
    prescribed = {action for action, right in NEEDED.items() if not has_right([StaffRole.STAFF], right)}

    assert prescribed - {StaffAction.RESUME} | {StaffAction.REMOVE_MEDICINE} == WITH_REASON
