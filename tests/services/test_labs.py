"""What a laboratory is to check beside another medicine: a person is told on the day that a provider gave, and nobody else ever is."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from reminders.errors import NotAllowed
from tests.files import File
from tests.stage import Stage, patient, phase, plan


def ana(*phases: File, labs_due: str = "2026-03-04", medicines: tuple[str, ...] = ("furosemide",)) -> File:
    """Ana, whose provider knows of what else she takes, and said by when it is checked."""
    known = [{"of": name, "by": "Dr. Noor Haddad", "reason": "needed", "labs_due": labs_due} for name in medicines]
    return patient(plan(*phases, acknowledged=known), medicines=list(medicines))


def told(clinic: Stage) -> list[tuple[str, str]]:
    """When a person at the clinic was told that the day has come, and who is told next."""
    return [(when, to) for when, kind, to in clinic.alerts() if kind == "labs_due"]


def due(clinic: Stage) -> list[object]:
    """When each plan's next laboratory check is due."""
    return [row["labs_due_at"] for row in clinic.rows("plan")]


def test_a_person_is_told_on_the_day_and_the_patient_is_not(engine: Engine) -> None:
    """As the clinic opens; what is to be checked and because of what, in words for staff only; and after four hours the backup."""
    with Stage(engine, ana()) as clinic:
        clinic.run_until("03-04 23:00")
        (alert,) = [row for row in clinic.rows("alert") if row["kind"] == "labs_due"]

        assert told(clinic) == [("03-04 08:00", "provider"), ("03-04 12:00", "backup")]
        assert (alert["severity"], alert["clinical"], "electrolytes beside furosemide" in alert["words"]) == ("warning", False, True)
        assert not [row["body"] for row in clinic.rows("text_out") if "lectrolyt" in (row["body"] or "")]


def test_of_two_days_the_earlier_one_stands() -> None:
    """One check answers for two medicines."""
    with Stage.on_paper(ana(medicines=("furosemide", "indapamide"))) as clinic:
        clinic.acts("add_medicine", medicine="bumetanide")
        clinic.acts("acknowledge", alert="interaction", reason="needed", labs_due="03-09")
        clinic.run_until("03-10 09:00")

        assert told(clinic)[0] == ("03-04 08:00", "provider")
        assert len([to for _, to in told(clinic) if to == "provider"]) == 1


@pytest.mark.parametrize(("acknowledged", "amount"), [(False, "5"), (True, "10")])
def test_a_check_that_waits_keeps_the_next_step_back(amount: str, *, acknowledged: bool) -> None:
    """A follow-up that is overdue leaves the gate unmet, until a person has taken it on."""
    with Stage.on_paper(ana(phase("5/5/5", 3), phase("10/10/10"))) as clinic:
        doses = [f"03-0{day} {time}" for day in (2, 3, 4) for time in ("08:05", "14:05", "20:05")]
        clinic.answers(*doses[:7])
        if acknowledged:
            clinic.acts("acknowledge", alert="labs_due", reason="")
        clinic.answers(*doses[7:8])
        clinic.run_until("03-05 09:00")

        assert clinic.amounts()["03-05"] == amount


@pytest.mark.parametrize(("following", "days"), [(None, ["03-04"]), ("03-11", ["03-04", "03-11"])])
def test_the_next_one_is_dated_as_this_one_is_taken_on(following: str | None, days: list[str]) -> None:
    """A schedule is the provider's, from day to day; where none is given, there is no next one."""
    with Stage.on_paper(ana()) as clinic:
        clinic.acts("acknowledge", "03-04 09:00", alert="labs_due", labs_due=following)
        clinic.run_until("03-20 09:00")

        assert [when[:5] for when, to in told(clinic) if to == "provider"] == days


def test_what_is_added_is_acknowledged_with_its_day() -> None:
    """Without one nothing is acknowledged; kept with the plan, it is read again."""
    with Stage.on_paper() as clinic:
        clinic.acts("add_medicine", "03-02 09:00", medicine="furosemide")
        with pytest.raises(NotAllowed, match="electrolytes are to be checked beside furosemide"):
            clinic.acts("acknowledge", reason="needed")
        clinic.acts("acknowledge", reason="needed", labs_due="03-05")
        clinic.run_until("03-05 09:00")
        kept = [row["reason"] for row in clinic.rows("plan_event") if row["kind"] == "interaction acknowledged"]

        assert (told(clinic)[0][0], kept) == ("03-05 08:00", ["furosemide: needed (labs by 2026-03-05)"])


@pytest.mark.parametrize(("medicines", "labs_due", "said"), [(("furosemide",), "03-01", "past"), ((), "03-20", "leave labs_due out")])
def test_a_day_that_dates_nothing_is_refused(medicines: tuple[str, ...], labs_due: str, said: str) -> None:
    """A day that is past, and one that nothing calls for."""
    with Stage.on_paper(ana(medicines=medicines)) as clinic, pytest.raises(NotAllowed, match=said):
        clinic.acts("acknowledge", labs_due=labs_due)


@pytest.mark.parametrize("when", ["03-03 09:00", "03-04 09:00"])
def test_with_the_medicine_its_check_is_over(when: str) -> None:
    """Off the list, nothing is waited for any more; what was told is closed with the reason."""
    with Stage.on_paper(ana()) as clinic:
        clinic.acts("remove_medicine", when, medicine="furosemide", reason="course over")
        clinic.run_until("03-06 09:00")
        open_ones = [row for row in clinic.rows("alert") if row["kind"] == "labs_due" and row["closed_at"] is None]

        assert (due(clinic), open_ones) == ([None], [])


def test_another_medicine_still_calls_for_it() -> None:
    """One of two diuretics off the list, the check stays due."""
    with Stage.on_paper(ana(medicines=("furosemide", "indapamide"))) as clinic:
        clinic.acts("remove_medicine", "03-03 09:00", medicine="furosemide", reason="course over")
        clinic.run_until("03-04 09:00")

        assert told(clinic) == [("03-04 08:00", "provider")]


def test_a_plan_that_is_over_calls_for_nothing() -> None:
    """Stopped before the day, nobody is called on it."""
    with Stage.on_paper(ana()) as clinic:
        clinic.acts("stop", "03-03 09:00", reason="side effects")
        clinic.run_until("03-05 09:00")

        assert (told(clinic), due(clinic)) == ([], [None])


def test_whoever_takes_it_on_only_a_provider_dates_the_next() -> None:
    """Staff may say that it is done; when it is done again is prescribed."""
    with Stage.on_paper(ana()) as clinic:
        clinic.run_until("03-04 09:00")
        with pytest.raises(NotAllowed, match="only provider may"):
            clinic.acts("acknowledge", alert="labs_due", labs_due="03-11", by="Nurse Lee")
        clinic.acts("acknowledge", alert="labs_due", by="Nurse Lee")

        assert [row["acknowledged_by"] for row in clinic.rows("alert") if row["kind"] == "labs_due"] == ["Nurse Lee"]


def test_a_step_already_announced_stands() -> None:
    """A day that has come is no danger sign: what the patient was told the evening before is not taken back in the morning."""
    later = ana(phase("5/5/5", 3), phase("10/10/10", 3, times=("09:00", "15:00", "21:00")), phase("10/10/10"), labs_due="2026-03-05")
    with Stage.on_paper(later) as clinic:
        clinic.answers(*[f"03-0{day} {time}" for day in (2, 3, 4) for time in ("08:05", "14:05", "20:05")])
        clinic.run_until("03-05 09:30")

        assert ("03-05 08:00", "provider") in told(clinic)
        assert clinic.amounts()["03-05"] == "10"
