"""A move to another zone: shown with each plan's seam, and stored only as it was looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from reminders.errors import BadFile, NotAllowed, UnknownPatient
from reminders.services import moving
from reminders.services.moving import Moved, SeamChanged
from tests.files import a_patient
from tests.stage import Stage, patient, phase, plan

CLINIC, NURSE, LONDON = "harbor-clinic", "Nurse Lee", "Europe/London"


@pytest.fixture
def clinic(engine: Engine) -> Iterator[Stage]:
    """Ana, with three doses a day, who took that of the morning and that of two."""
    with Stage(engine, patient(plan(phase("5/5/5")))) as stage:
        stage.answers("03-02 08:05", "03-02 14:05")
        yield stage


def seen(stage: Stage, zone: str = LONDON) -> Moved:
    """What a move would do now."""
    return moving.preview(stage.engine, CLINIC, id_of(stage), zone, now=stage.now)


def id_of(stage: Stage) -> str:
    """Ana's id."""
    return str(stage.rows("patient")[0]["id"])


def move(stage: Stage, mark: str, *, zone: str = LONDON, reason: str = "visits her sister", by: str = NURSE) -> Moved:
    """Let the nurse move her."""
    moved = moving.move(stage.engine, CLINIC, id_of(stage), zone, seen=mark, by=by, reason=reason, now=stage.now)
    stage.driver.settle()
    return moved


def test_the_seam_is_shown_and_nothing_stored(clinic: Stage) -> None:
    """Eight in the evening of London comes an hour after two in New York, and is jumped: the next morning's is the first, and far off."""
    (shown,) = seen(clinic).plans

    assert shown.first is not None
    assert f"{shown.first.due_at:%m-%d %H:%M}" == "03-03 08:00"
    assert [f"{slot.due_at:%m-%d %H:%M}" for slot in shown.jumped] == ["03-02 20:00"]
    assert (str(shown.gap), shown.problems) == ("12:55:00", "too long, too short")
    assert [f"{slot.due_at:%m-%d %H:%M}" for slot in shown.before][:3] == ["03-02 13:00", "03-02 19:00", "03-03 01:00"]
    assert shown.after[0] == shown.first
    assert (len(clinic.rows("plan_version")), clinic.rows("patient")[0]["zone"]) == (1, "America/New_York")


def test_what_was_looked_at_is_stored(clinic: Stage) -> None:
    """The doses, the texts and the audit follow; a provider is told of a seam that cannot be joined well."""
    move(clinic, seen(clinic).mark)
    clinic.run_until("03-03 03:05")

    assert clinic.texts("reminder")[-1][0] == "03-03 03:00"
    assert "Tue 8:00 am" in clinic.texts("reminder")[-1][1]
    assert [row["zone"] for row in clinic.rows("patient")] == [LONDON]
    assert [row["actor"] for row in clinic.rows("audit") if row["action"] == "patient moved"] == [NURSE]
    assert "seam" in clinic.open_alerts()


def test_a_dose_that_fell_due_since_is_looked_at_first(clinic: Stage) -> None:
    """The yes was to another seam: it is shown anew, and nothing has changed."""
    mark = seen(clinic).mark
    clinic.run_until("03-02 20:01")
    with pytest.raises(SeamChanged, match="look again"):
        move(clinic, mark)

    assert [row["zone"] for row in clinic.rows("patient")] == ["America/New_York"]
    move(clinic, seen(clinic).mark)


@pytest.mark.parametrize(
    ("zone", "reason", "words"),
    [("Mars/Olympus", "x", "no such time zone"), ("America/New_York", "x", "lives by now"), (LONDON, " ", "say why")],
)
def test_a_move_that_cannot_be(clinic: Stage, zone: str, reason: str, words: str) -> None:
    """To nowhere, to where they are, and without a reason."""
    with pytest.raises(BadFile, match=words):
        move(clinic, "", zone=zone, reason=reason)

    assert len(clinic.rows("plan_version")) == 1


def test_who_may(clinic: Stage) -> None:
    """Nobody who is not on the list, and nobody of another clinic."""
    mark = seen(clinic).mark
    with pytest.raises(NotAllowed):
        move(clinic, mark, by="Kim Park")
    with pytest.raises(UnknownPatient):
        moving.preview(clinic.engine, "hill", id_of(clinic), LONDON, now=clinic.now)
    with pytest.raises(UnknownPatient):
        moving.move(clinic.engine, "hill", id_of(clinic), LONDON, seen=mark, by=NURSE, reason="x", now=clinic.now)


def test_who_has_no_plan_moves_too() -> None:
    """Only the clock of their phone changes."""
    with Stage.on_paper(a_patient(plans=[])) as clinic:
        found = seen(clinic)
        move(clinic, found.mark)

        assert (found.plans, clinic.rows("patient")[0]["zone"]) == ((), LONDON)
