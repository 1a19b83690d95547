"""A medicine added to a running plan: it waits for a provider, the next step waits with it, and its monitoring begins at once."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine

from reminders.domain.approval import Acknowledgement
from reminders.errors import NotAllowed
from reminders.services.records import interacting
from tests.files import File
from tests.stage import Stage, patient, phase, plan

LABEL = (phase("5/5/5", 3), phase("10/10/10"))
FIRST_PHASE = [f"03-0{day} {time}" for day in (2, 3, 4) for time in ("08:05", "14:05", "20:05")]


def ana(*plans: File, medicines: tuple[str, ...] = ()) -> File:
    """Ana on the label's titration, which asks nothing."""
    return patient(*(plans or (plan(*LABEL),)), medicines=list(medicines))


def adds(clinic: Stage, medicine: str, when: str = "03-03 09:00") -> None:
    """Let the clinic put a medicine on Ana's list."""
    clinic.acts("add_medicine", when, medicine=medicine)


def taken_until(clinic: Stage, last: str, *, since: str = "") -> None:
    """Let every dose of the first phase up to a time be taken."""
    clinic.answers(*(time for time in FIRST_PHASE if since < time <= last))


def of_kind(clinic: Stage, kind: str = "interaction") -> list[tuple[str, bool]]:
    """The alerts of one kind: (severity, whether a gate waits for it)."""
    return [(row["severity"], row["clinical"]) for row in clinic.rows("alert") if row["kind"] == kind]


@pytest.mark.parametrize(
    ("medicine", "raised"),
    [
        ("diazepam", [("urgent", True)]),
        ("Lisinopril 10 mg", [("warning", True)]),
        ("lithium", [("info", False)]),
        ("vitamin D", []),
    ],
)
def test_what_interacts_is_told(engine: Engine, medicine: str, raised: list[tuple[str, bool]]) -> None:
    """The check runs again: how soon somebody must look goes by the severity, and a mere note keeps no gate shut."""
    with Stage(engine, ana()) as clinic:
        adds(clinic, medicine)

        assert of_kind(clinic) == raised
        assert [row["name"] for row in clinic.rows("medicine")] == [medicine]
        assert [row["actor"] for row in clinic.rows("audit") if row["action"] == "medicine added"] == ["Dr. Noor Haddad"]


def test_the_next_step_waits_for_a_provider() -> None:
    """Every dose taken and every question answered: the plan stays all the same, until somebody has looked."""
    with Stage.on_paper(ana()) as clinic:
        taken_until(clinic, "03-02 20:05")
        adds(clinic, "diazepam")
        taken_until(clinic, "03-04 14:05", since="03-02 20:05")
        clinic.says("A0 R no", "03-04 15:00")
        clinic.run_until("03-05 09:00")
        (why,) = [row["reason"] for row in clinic.rows("plan_event") if row["kind"] == "stays"]

        assert (clinic.amounts()["03-05"], why) == ("5", "open clinical alert: interaction")


def test_acknowledged_with_a_reason_the_step_comes() -> None:
    """The provider's name and reason are kept with the plan, and the gate asks no more about it."""
    with Stage.on_paper(ana()) as clinic:
        taken_until(clinic, "03-02 20:05")
        adds(clinic, "diazepam")
        clinic.acts("acknowledge", "03-03 10:00", alert="interaction", reason="two nights only")
        taken_until(clinic, "03-04 14:05", since="03-02 20:05")
        clinic.says("A0 R no", "03-04 15:00")
        clinic.run_until("03-05 09:00")

        kept = [(row["by"], row["reason"]) for row in clinic.rows("plan_event") if row["kind"] == "interaction acknowledged"]
        assert (clinic.amounts()["03-05"], kept) == ("10", [("Dr. Noor Haddad", "diazepam: two nights only")])


@pytest.mark.parametrize("reason", ["two nights only", "two nights only,\nthen no more: agreed"])
def test_what_is_kept_of_an_acknowledgement_is_read_again(reason: str) -> None:
    """With the day of the laboratory check, however many lines the reason has."""
    with Stage.on_paper(ana()) as clinic:
        adds(clinic, "furosemide")
        clinic.acts("acknowledge", "03-03 10:00", alert="interaction", reason=reason, labs_due="03-09")
        (event,) = [row for row in clinic.rows("plan_event") if row["kind"] == interacting.ACKNOWLEDGED]

        assert interacting.kept(event) == Acknowledgement("furosemide", "Dr. Noor Haddad", reason, date(2026, 3, 9))


@pytest.mark.parametrize("reason", ["", "  "])
@pytest.mark.parametrize("alert", ["interaction", None])
def test_without_a_reason_nothing_is_acknowledged(alert: str | None, reason: str) -> None:
    """Neither by its kind nor among all of the plan's alerts."""
    with Stage.on_paper(ana()) as clinic:
        adds(clinic, "diazepam")
        with pytest.raises(NotAllowed, match="with a reason"):
            clinic.acts("acknowledge", alert=alert, reason=reason)

        assert {row["acknowledged_at"] for row in clinic.rows("alert")} == {None}


def test_what_is_acknowledged_needs_no_second_reason() -> None:
    """Once taken on, the alert does not stand in the way of taking on the plan's others."""
    with Stage.on_paper(ana()) as clinic:
        adds(clinic, "diazepam")
        clinic.acts("acknowledge", alert="interaction", reason="two nights only")
        clinic.acts("acknowledge", reason="")

        assert len([row for row in clinic.rows("plan_event") if row["kind"] == "interaction acknowledged"]) == 1


@pytest.mark.parametrize(
    ("added", "days"),
    [("03-03 09:00", ["03-03", "03-04", "03-05"]), ("03-03 15:00", ["03-03", "03-04", "03-05"]), ("03-03 17:00", ["03-04", "03-05"])],
)
def test_the_monitoring_begins_at_once(added: str, days: list[str]) -> None:
    """Three days of sleepiness and breathing from the addition, the first at once while it is day enough; then from each change."""
    with Stage.on_paper(ana(plan(phase("5/5/5")))) as clinic:
        adds(clinic, "diazepam", added)
        clinic.run_until("03-12 23:00")

        assert [when[:5] for when, _ in clinic.texts("check_in")] == days


def test_each_plan_is_looked_at() -> None:
    """Of two plans, that of the drug it interacts with is told of, and only that one waits."""
    other = plan(phase("1", times=("09:00",)), ref="other", drug="semaglutide-ozempic", label="B", phases=[])
    other["phases"] = [{"days": None, "every_n_days": 7, "doses": [{"at": "09:00", "amount": "0.25", "unit": "mg"}]}]
    with Stage.on_paper(ana(plan(*LABEL, label="A"), {**other, "missed_dose_rule": {"ask_provider": True}})) as clinic:
        adds(clinic, "diazepam")
        (alert,) = [row for row in clinic.rows("alert") if row["kind"] == "interaction"]
        (mine,) = [row["id"] for row in clinic.rows("plan") if row["ref"] == "ana-baclofen"]

        assert alert["plan_id"] == mine


def test_what_is_on_the_list_is_not_added_again() -> None:
    """Twice the same name is a slip: nothing is stored."""
    with Stage.on_paper(ana(medicines=("vitamin D",))) as clinic:
        with pytest.raises(NotAllowed, match="on the list already"):
            adds(clinic, "Vitamin D")

        assert len(clinic.rows("medicine")) == 1


def removes(clinic: Stage, medicine: str = "diazepam", when: str | None = None, *, reason: str = "course over") -> None:
    """Let the clinic take a medicine off Ana's list."""
    clinic.acts("remove_medicine", when, medicine=medicine, reason=reason)


def events(clinic: Stage, kind: str) -> list[tuple[str, str]]:
    """Who did something to Ana's plans, and why."""
    return [(row["by"], row["reason"]) for row in clinic.rows("plan_event") if row["kind"] == kind]


def test_who_changed_the_list_and_why_is_kept(engine: Engine) -> None:
    """With the plan, name and reason; in the audit too; and what was on the list once is not forgotten."""
    with Stage(engine, ana()) as clinic:
        adds(clinic, "diazepam")
        removes(clinic, "Diazepam", "03-03 11:00")
        (kept,) = clinic.rows("medicine")

        assert events(clinic, "medicine added") == [("Dr. Noor Haddad", "diazepam: as agreed")]
        assert events(clinic, "medicine removed") == [("Dr. Noor Haddad", "diazepam: course over")]
        assert [row["actor"] for row in clinic.rows("audit") if row["action"] == "medicine removed"] == ["Dr. Noor Haddad"]
        assert (kept["name"], kept["removed_at"]) == ("diazepam", clinic.now)


def test_what_comes_off_the_list_ends_its_monitoring(engine: Engine) -> None:
    """Of three days of questions only those are asked on which it stood on the list; another medicine's go on."""
    with Stage(engine, ana(plan(phase("5/5/5")))) as clinic:
        adds(clinic, "diazepam")
        adds(clinic, "furosemide", "03-03 09:01")
        removes(clinic, when="03-04 09:00")
        clinic.run_until("03-12 23:00")

        assert [when[:5] for when, _ in clinic.texts("check_in")] == ["03-03", "03-10"]


def test_what_comes_off_the_list_closes_its_alert() -> None:
    """With the reason, and no other medicine's."""
    with Stage.on_paper(ana()) as clinic:
        adds(clinic, "diazepam")
        adds(clinic, "oxycodone", "03-03 09:01")
        removes(clinic)
        closed = {row["words"].split()[0]: row["close_reason"] for row in clinic.rows("alert") if row["kind"] == "interaction"}

        assert closed == {"diazepam": "diazepam came off the list: course over", "oxycodone": None}


def test_what_comes_off_the_list_lets_the_next_step_come() -> None:
    """Nobody acknowledged it, and nobody need any more."""
    with Stage.on_paper(ana()) as clinic:
        taken_until(clinic, "03-02 20:05")
        adds(clinic, "diazepam")
        removes(clinic)
        taken_until(clinic, "03-04 20:05", since="03-02 20:05")
        clinic.run_until("03-05 09:00")

        assert clinic.amounts()["03-05"] == "10"


def test_a_plan_that_stays_is_not_let_go_on_by_it() -> None:
    """It stayed because of the medicine; that it is off the list changes no dose: a person lets it go on."""
    with Stage.on_paper(ana()) as clinic:
        taken_until(clinic, "03-02 20:05")
        adds(clinic, "diazepam")
        taken_until(clinic, "03-04 14:05", since="03-02 20:05")
        clinic.says("A0 R no", "03-04 15:00")
        removes(clinic, when="03-05 09:00")
        clinic.run_until("03-07 09:00")

        assert (clinic.amounts()["03-07"], {row["state"] for row in clinic.rows("plan")}) == ("5", {"staying"})


def test_what_is_added_again_is_acknowledged_again() -> None:
    """The first reason was for the first time."""
    with Stage.on_paper(ana()) as clinic:
        adds(clinic, "diazepam")
        clinic.acts("acknowledge", alert="interaction", reason="two nights only")
        removes(clinic)
        adds(clinic, "diazepam", "03-03 10:00")
        waiting = [row["acknowledged_at"] is None for row in clinic.rows("alert") if row["kind"] == "interaction" and not row["closed_at"]]

        assert waiting == [True]


@pytest.mark.parametrize(("medicine", "reason", "said"), [("lithium", "x", "not on the list: vitamin D"), ("vitamin D", " ", "its reason")])
def test_what_is_not_on_the_list_and_what_has_no_reason_does_not_come_off(medicine: str, reason: str, said: str) -> None:
    """Nothing is stored, and who is refused is told what there is."""
    with Stage.on_paper(ana(medicines=("vitamin D",))) as clinic:
        with pytest.raises(NotAllowed, match=said):
            removes(clinic, medicine, reason=reason)

        assert [row["removed_at"] for row in clinic.rows("medicine")] == [None]


def spastic() -> File:
    """Ana on tizanidine, which rises after three days."""
    rise = phase("2", 3, times=("08:00",)), phase("2/2", times=("08:00", "20:00"))
    rule = {"hours_before_next": "2"}
    return ana(plan(*rise, ref="ana-tizanidine", drug="tizanidine", strengths=["2"], missed_dose_rule=rule))


def of_tizanidine(
    clinic: Stage, action: str, when: str | None = None, *, reason: str = "as agreed", medicine: str | None = None, alert: str | None = None
) -> None:
    """Let the clinic act on the plan of tizanidine."""
    clinic.acts(action, when, of="ana-tizanidine", reason=reason, medicine=medicine, alert=alert)


def test_what_is_contraindicated_is_urgent_and_stops_nothing(engine: Engine) -> None:
    """Somebody must look at once, with the source before their eyes; code neither stops nor suspends."""
    with Stage(engine, spastic()) as clinic:
        clinic.answers("03-02 08:05")
        of_tizanidine(clinic, "add_medicine", "03-02 09:00", medicine="ciprofloxacin")
        (alert,) = [row for row in clinic.rows("alert") if row["kind"] == "interaction"]
        clinic.run_until("03-03 09:00")

        assert (alert["severity"], alert["clinical"], "US label text" in alert["words"], alert["words"][-1]) == ("urgent", True, True, ".")
        assert [row["state"] for row in clinic.rows("plan")] == ["active"]
        assert "03-03 08:00" in [when for when, _ in clinic.texts("reminder")]


@pytest.mark.parametrize(("removed", "amounts"), [(False, "2"), (True, "2/2")])
def test_no_reason_lets_a_step_up_come_beside_what_is_contraindicated(amounts: str, *, removed: bool) -> None:
    """Acknowledged, it keeps the gate shut all the same, for as long as both are taken."""
    with Stage.on_paper(spastic()) as clinic:
        of_tizanidine(clinic, "add_medicine", "03-02 07:00", medicine="ciprofloxacin")
        of_tizanidine(clinic, "acknowledge", alert="interaction", reason="last day of it tomorrow")
        clinic.answers("03-02 08:05", "03-03 08:05", "03-04 08:05")
        if removed:
            of_tizanidine(clinic, "remove_medicine", medicine="ciprofloxacin", reason="course over")
        clinic.run_until("03-05 23:00")
        stays = [row["reason"] for row in clinic.rows("plan_event") if row["kind"] == "stays"]

        assert clinic.amounts("ana-tizanidine")["03-05"] == amounts
        assert stays == ([] if removed else ["contraindicated beside ciprofloxacin (US label text; NHS Scotland)"])


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        ([("add_medicine", "Alcohol, two beers")], "some"),
        ([("add_medicine", "alcohol"), ("remove_medicine", "alcohol")], "none"),
        ([("remove_medicine", "alcohol")], "none"),
        ([("add_medicine", "vitamin D"), ("remove_medicine", "vitamin D")], "unknown"),
    ],
)
def test_the_question_about_alcohol_is_answered_by_the_list(steps: list[tuple[str, str]], kept: str) -> None:
    """On it, they drink some; off it, none, also where nobody had asked before: with who said so, and why."""
    with Stage.on_paper(ana()) as clinic:
        for action, medicine in steps:
            clinic.acts(action, medicine=medicine, reason="asked on the phone")

        assert [row["alcohol"] for row in clinic.rows("patient")] == [kept]
        assert len([row for row in clinic.rows("plan_event") if "asked on the phone" in row["reason"]]) == len(steps)


def test_what_is_known_to_be_none_does_not_come_off() -> None:
    """The question has been answered; there is nothing to take off the list."""
    with Stage.on_paper({**ana(), "alcohol": "none"}) as clinic, pytest.raises(NotAllowed, match="not on the list"):
        removes(clinic, "alcohol")
