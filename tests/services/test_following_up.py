"""The nudge, the silence that counts, and the closing of a dose."""

from __future__ import annotations

import pytest

from db.engine import writing
from reminders.domain.dose_state import DoseEvent, EventKind
from reminders.services.records import doses
from tests.stage import Stage, at, patient, phase, plan


def test_nudged_once_after_an_hour() -> None:
    """A dose nobody answers for is asked about once, an hour after it was due."""
    with Stage.on_paper() as clinic:
        clinic.run_until("03-02 13:00")
        assert clinic.texts("follow_up") == [
            (
                "03-02 09:00",
                "no answer yet about your Mon 8:00 am dose. Reply 1 taken, 2 not taken, 3 problem. Never take extra to catch up.",
            )
        ]


def test_no_nudge_once_answered() -> None:
    """A dose that was answered is not asked about."""
    with Stage.on_paper() as clinic:
        clinic.says("1", "03-02 08:05")
        clinic.run_until("03-02 13:00")
        assert clinic.texts("follow_up") == []


@pytest.mark.parametrize("time", ["20:00", "22:00", "06:30"])
def test_nobody_is_woken(time: str) -> None:
    """A slot the patient chose in the quiet hours is announced, and nothing more comes in them."""
    with Stage.on_paper(patient(plan(phase("5/5", times=sorted((time, "14:00")))))) as clinic:
        clinic.run_until("03-05 00:00")
        at_night = {purpose for at, purpose in clinic.purposes() if not "08:00" <= at[6:] < "21:00"}
        assert at_night <= {"reminder"}


def test_no_nudge_about_an_unsent_reminder() -> None:
    """A text that did not arrive is not followed by "no answer yet"."""
    with Stage.on_paper() as clinic:
        clinic.carrier("undelivered", 30003)
        clinic.run_until("03-02 13:00")
        assert clinic.texts("follow_up") == []


def test_closed_when_the_next_is_due() -> None:
    """A dose nobody answered for is unconfirmed, never missed, once the next is due."""
    with Stage.on_paper() as clinic:
        clinic.run_until("03-02 14:00")
        assert clinic.doses() == {"03-02/1": "unconfirmed", "03-02/2": "open"}


def test_a_receipt_puts_off_no_look() -> None:
    """A receipt that comes in just when a dose is to be looked at does not put off that its silence is counted."""
    with Stage.on_paper() as clinic:
        clinic.run_until("03-02 11:59")
        (dose,) = clinic.rows("dose")
        with writing(clinic.engine) as c:
            doses.learn(c, {dose["id"]: [DoseEvent(EventKind.TEXT_DELIVERED, at("03-02 12:01"))]}, now=at("03-02 12:01"))

        assert clinic.rows("dose")[0]["check_at"] == at("03-02 12:00")


def test_the_answer_to_a_nudge() -> None:
    """An answer to the nudge is an answer about the dose."""
    with Stage.on_paper() as clinic:
        clinic.says("1", "03-02 09:30")
        assert clinic.doses() == {"03-02/1": "taken"}


def test_said_no_and_told_to_take_it() -> None:
    """A "2" in time keeps the dose open, for it may still be taken; if nothing more is said it was skipped by the patient."""
    with Stage.on_paper() as clinic:
        clinic.says("2", "03-02 08:10")
        advised = (clinic.doses(), clinic.texts("advice")[0][1][:59])
        clinic.run_until("03-02 14:00")
        assert (advised, clinic.doses()["03-02/1"]) == (
            ({"03-02/1": "open"}, "you can take the Mon 8:00 am dose until Mon 12:00 pm; after"),
            "skipped (patient)",
        )


def test_undelivered_is_not_missed() -> None:
    """An undelivered reminder is sent once more a quarter of an hour later; then the dose is not reminded."""
    with Stage.on_paper() as clinic:
        clinic.carrier("undelivered", 30003)
        clinic.run_until("03-02 13:00")
        assert (clinic.purposes(), clinic.doses()) == (
            [("03-02 08:00", "reminder"), ("03-02 08:15", "reminder")],
            {"03-02/1": "not_reminded (carrier 30003)"},
        )


def test_delivered_at_the_second_try() -> None:
    """A reminder that arrives at the second try has reached the patient."""
    with Stage.on_paper() as clinic:
        clinic.carrier("undelivered", 30003)
        clinic.run_until("03-02 08:10")
        clinic.carrier("delivered")
        clinic.says("1", "03-02 08:20")
        assert clinic.doses() == {"03-02/1": "taken"}


def test_the_last_dose_completes_a_plan() -> None:
    """A plan is completed when its last dose has been answered for, and nothing is due any more."""
    with Stage.on_paper(patient(plan(phase("5/5/5", 1), phase("-/-/5", 1), kind="taper", advance="as_prescribed"))) as clinic:
        clinic.answers("03-02 08:05", "03-02 14:05", "03-02 20:05", "03-03 20:10")
        clinic.run_until("03-06 00:00")
        assert (clinic.plans()[-1], len(clinic.doses())) == (("03-03 20:10", "completed", 2), 4)


def test_a_silent_last_dose_completes_it_too() -> None:
    """A plan whose last dose stays unanswered is completed when that dose is closed."""
    with Stage.on_paper(patient(plan(phase("5/5/5", 1), kind="taper", advance="as_prescribed"))) as clinic:
        clinic.run_until("03-04 00:00")
        assert (clinic.plans()[-1][1:], clinic.doses()["03-02/3"]) == (("completed", 1), "unconfirmed")
