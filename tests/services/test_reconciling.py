"""The list of other medicines: what each does is shown with its source, and what interacts waits for a provider's word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from reminders.errors import BadFile, NotAllowed, NotFound, UnknownAlert, UnknownPatient
from reminders.services import reconciling
from reminders.services.reconciling import MedicineList
from tests.files import a_patient
from tests.stage import Stage, at, patient, phase, plan

CLINIC, NURSE, PROVIDER = "harbor-clinic", "Nurse Lee", "Dr. Noor Haddad"


@pytest.fixture
def clinic(engine: Engine) -> Iterator[Stage]:
    """Ana on baclofen, in the morning."""
    with Stage(engine, patient(), start="03-02 09:00") as stage:
        yield stage


def id_of(stage: Stage) -> str:
    """Ana's id."""
    return str(stage.rows("patient")[0]["id"])


def standing(stage: Stage) -> MedicineList:
    """Her list."""
    return reconciling.standing(stage.engine, CLINIC, id_of(stage))


def add(stage: Stage, name: str, *, by: str = NURSE) -> None:
    """Put a medicine on it."""
    reconciling.add(stage.engine, CLINIC, id_of(stage), name=name, reason="", by=by, now=stage.now)


def remove(stage: Stage, *, reason: str = "finished", by: str = NURSE, medicine: str | None = None) -> None:
    """Take the first medicine off it."""
    medicine_id = medicine or standing(stage).listed[0].medicine.id
    reconciling.remove(stage.engine, CLINIC, id_of(stage), medicine_id, reason=reason, by=by, now=stage.now)


def acknowledge(stage: Stage, *, reason: str = "short course", labs_due: str = "", by: str = PROVIDER, alert: str | None = None) -> None:
    """Take on what the first medicine raised."""
    alert_id = alert or standing(stage).listed[0].waiting[0]["id"]
    reconciling.acknowledge(stage.engine, CLINIC, id_of(stage), alert_id, reason=reason, labs_due=labs_due, by=by, now=stage.now)


def test_what_is_added_is_shown_with_its_source_and_waits(clinic: Stage) -> None:
    """Beside each plan; a provider's reason ends the wait."""
    add(clinic, " diazepam ")
    (listed,) = standing(clinic).listed
    acknowledge(clinic)

    assert (listed.medicine.name, {effect.plan for effect in listed.effects}, len(listed.waiting)) == ("diazepam", {"ana-baclofen"}, 1)
    assert all(effect.finding.source for effect in listed.effects)
    assert standing(clinic).listed[0].waiting == ()
    assert [(row["by"], row["reason"]) for row in clinic.rows("plan_event") if row["kind"] == "interaction acknowledged"] == [
        (PROVIDER, "diazepam: short course")
    ]


def test_taken_off_with_a_reason(clinic: Stage) -> None:
    """And by a provider, where what it raised waits for one."""
    add(clinic, "diazepam")
    for who, reason, words in ((NURSE, "", "needs its reason"), (NURSE, "finished", "only provider")):
        with pytest.raises(BadFile, match=words):
            remove(clinic, reason=reason, by=who)
    remove(clinic, by=PROVIDER)

    assert (standing(clinic).listed, "interaction" in clinic.open_alerts()) == ((), False)


@pytest.mark.parametrize(("name", "words"), [("", "1 to 80"), ("a\nb", "one line"), ("VITAMIN d", "already")])
def test_what_cannot_be_added(clinic: Stage, name: str, words: str) -> None:
    """Nothing, two lines, or what is there already."""
    add(clinic, "vitamin D")
    with pytest.raises(BadFile, match=words) as refused:
        add(clinic, name)

    assert [fault.path for fault in refused.value.faults] == ["name"]
    assert len(standing(clinic).listed) == 1


@pytest.mark.parametrize(
    ("labs_due", "reason", "field", "words"),
    [
        ("", "stable", "labs_due", "give the day"),
        ("2026-03-01", "stable", "labs_due", "is past"),
        ("soon", "stable", "labs_due", "must be a date"),
        ("2026-03-09", " ", "reason", "with a reason"),
        ("2026-03-01", " ", "labs_due", "is past"),
    ],
)
def test_a_laboratory_check_has_its_day(labs_due: str, reason: str, field: str, words: str) -> None:
    """What the drug's profile names beside the medicine is dated with the acknowledgement."""
    with Stage.on_paper(patient(), start="03-02 09:00") as clinic:
        add(clinic, "furosemide")
        (listed,) = standing(clinic).listed
        with pytest.raises(BadFile, match=words) as refused:
            acknowledge(clinic, reason=reason, labs_due=labs_due)
        acknowledge(clinic, labs_due="2026-03-09")

        assert [fault.path for fault in refused.value.faults] == [field]
        assert (len(listed.labs) > 0, standing(clinic).listed[0].waiting) == (True, ())


def test_a_day_that_nothing_calls_for() -> None:
    """It would be kept nowhere, and who gave it would wait for a check that nobody makes."""
    with Stage.on_paper(patient(), start="03-02 09:00") as clinic:
        add(clinic, "diazepam")
        with pytest.raises(BadFile, match="leave labs_due out") as refused:
            acknowledge(clinic, labs_due="2026-03-09")

        assert [fault.path for fault in refused.value.faults] == ["labs_due"]
        assert len(standing(clinic).listed[0].waiting) == 1


def test_what_fell_due_is_decided_before_it_is_taken_on() -> None:
    """A step that should have been looked at while the medicine waited is kept back by it, whoever is late."""
    with Stage.on_paper(patient(plan(phase("5/5/5", 2), phase("10/10/10")))) as clinic:
        clinic.answers("03-02 08:05", "03-02 14:05", "03-02 20:05", "03-03 08:05", "03-03 14:05")
        add(clinic, "diazepam")
        clinic.run_until("03-03 17:59")
        alert = standing(clinic).listed[0].waiting[0]["id"]
        late: dict[str, Any] = {"reason": "short course", "labs_due": "", "by": PROVIDER, "now": at("03-03 18:05")}
        reconciling.acknowledge(clinic.engine, CLINIC, id_of(clinic), alert, **late)
        clinic.run_until("03-04 08:00")

        assert (clinic.plans()[-1][1], clinic.amounts()["03-04"]) == ("staying", "5")


def test_only_a_provider_acknowledges(clinic: Stage) -> None:
    """Nor is another's alert, or one taken on already, there to be taken on."""
    add(clinic, "diazepam")
    alert = standing(clinic).listed[0].waiting[0]["id"]
    with pytest.raises(NotAllowed, match="only provider"):
        acknowledge(clinic, by=NURSE)
    acknowledge(clinic)
    with pytest.raises(UnknownAlert):
        acknowledge(clinic, alert=alert)
    with pytest.raises(UnknownAlert):
        acknowledge(clinic, alert="0" * 32)


def test_what_came_off_meanwhile_is_not_acknowledged() -> None:
    """Who looks at an old page is told so, and nothing is kept."""
    with Stage.on_paper(patient(), start="03-02 09:00") as clinic:
        add(clinic, "diazepam")
        alert = standing(clinic).listed[0].waiting[0]["id"]
        remove(clinic, by=PROVIDER)
        with pytest.raises(NotAllowed, match="has been closed"):
            acknowledge(clinic, alert=alert)

        assert "interaction acknowledged" not in {row["kind"] for row in clinic.rows("plan_event")}


def test_who_has_no_plan_has_a_list() -> None:
    """It waits for the plans to come, which are checked beside it."""
    with Stage.on_paper(a_patient(plans=[], medicines=[])) as clinic:
        add(clinic, "diazepam")
        (listed,) = standing(clinic).listed
        remove(clinic)

        assert ((listed.effects, listed.waiting), standing(clinic).listed) == (((), ()), ())


def test_alcohol_that_nobody_asked_about(clinic: Stage) -> None:
    """It is said beside a drug whose profile names it, until somebody knows."""
    before = standing(clinic).unasked
    add(clinic, "alcohol")

    assert ({effect.finding.code for effect in before}, standing(clinic).unasked) == ({"alcohol_unknown"}, ())


def test_another_clinics_list(clinic: Stage) -> None:
    """It is nobody's here; and a medicine of nobody is on no list."""
    add(clinic, "vitamin D")
    medicine = standing(clinic).listed[0].medicine.id
    who: dict[str, Any] = {"by": NURSE, "now": clinic.now}
    asks: tuple[Callable[[], object], ...] = (
        lambda: reconciling.standing(clinic.engine, "hill", id_of(clinic)),
        lambda: reconciling.add(clinic.engine, "hill", id_of(clinic), name="x", reason="", **who),
        lambda: reconciling.remove(clinic.engine, "hill", id_of(clinic), medicine, reason="x", **who),
        lambda: reconciling.acknowledge(clinic.engine, "hill", id_of(clinic), "x", reason="x", labs_due="", **who),
    )
    for ask in asks:
        with pytest.raises(UnknownPatient):
            ask()
    with pytest.raises(NotFound):
        remove(clinic, medicine="0" * 32)
