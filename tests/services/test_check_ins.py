"""How it goes: asked on its days, kept as numbers, shown to a person where the numbers call for it, and read by the gate."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from tests.files import File, a_consent
from tests.stage import ANA, Stage, patient, phase, plan

BOTH = ["symptoms", "stiffness"]
LABEL = (phase("5/5/5", 3), phase("10/10/10", 3), phase("15/15/15"))
TIMES = ("08:05", "14:05", "20:05")


def rising(*phases: File, items: list[str] | None = None, closely: bool = False, **changes: Any) -> File:  # noqa: ANN401 - what a plan can have
    """A plan that asks how it goes."""
    asks: dict[str, object] = {"items": items or BOTH, **({"closely": True} if closely else {})}
    return plan(*(phases or LABEL), check_ins=asks, **changes)


def taken(clinic: Stage, *days: str) -> None:
    """Let every dose of some days be taken."""
    clinic.answers(*(f"{day} {time}" for day in days for time in TIMES))


def check_ins(clinic: Stage) -> list[tuple[str, str]]:
    """The check-ins that Ana was sent."""
    return clinic.texts("check_in")


def ratings(clinic: Stage) -> dict[str, list[int]]:
    """What is kept, by item, in order of time."""
    kept: dict[str, list[int]] = {}
    for row in sorted(clinic.rows("rating"), key=lambda row: row["at"]):
        kept.setdefault(row["item"], []).append(row["value"])
    return kept


OURS = {"severe", "persistent", "too_high", "too_low", "stiff_on_taper", "symptoms", "stiffness", "blood_pressure", "spasms", "ticks"}


def raised(clinic: Stage) -> list[str]:
    """The alerts raised of how it goes, in order."""
    return [row["kind"] for row in sorted(clinic.rows("alert"), key=lambda row: row["raised_at"]) if row["kind"] in OURS]


# --- when ---------------------------------------------------------------------------------------------------------------------


def test_asked_at_noon_of_the_second_and_the_last_day(engine: Engine) -> None:
    """Each phase asks on its second day and on its last; one without an end on its second, and then weekly."""
    with Stage(engine, patient(rising(advance="as_prescribed", items=["symptoms"]))) as clinic:
        clinic.run_until("03-24 23:00")
        days = [when for when, _ in check_ins(clinic)]

    assert days == [f"03-{day} 12:00" for day in ("03", "04", "06", "07", "09", "15", "22")]


def test_nothing_is_asked_that_was_not_prescribed() -> None:
    """A plan without check-ins asks nothing, and its gate waits for none."""
    with Stage.on_paper() as clinic:
        clinic.run_until("03-09 23:00")
        assert (check_ins(clinic), clinic.rows("check_in")) == ([], [])


def test_who_needs_it_is_asked_daily_after_each_change() -> None:
    """`closely`: on the first three days of each phase."""
    with Stage.on_paper(patient(rising(closely=True, advance="as_prescribed", items=["symptoms"]))) as clinic:
        clinic.run_until("03-11 23:00")
        assert [when[:5] for when, _ in check_ins(clinic)] == [f"03-{day:02}" for day in (2, 3, 4, 5, 6, 7, 8, 9, 10)]


@pytest.mark.parametrize("action", ["mute", "suspend"])
def test_nothing_is_asked_while_nothing_is_due(action: str) -> None:
    """Muted or suspended, the patient is not asked how the doses go."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.acts(action, "03-02 10:00")
        clinic.run_until("03-06 23:00")
        assert check_ins(clinic) == []


def test_two_plans_ask_once() -> None:
    """Who has two plans is asked about the day once."""
    other = plan(phase("5/5/5", times=("11:00", "17:00", "23:00")), ref="other", label="B, red cap", check_ins={"items": ["symptoms"]})
    with Stage.on_paper(patient(rising(phase("5/5/5"), label="A, blue cap", items=["symptoms"]), other)) as clinic:
        clinic.run_until("03-03 23:00")
        assert (len(check_ins(clinic)), len(clinic.rows("check_in"))) == (1, 2)


def test_an_outage_of_ours_asks_nothing_late() -> None:
    """What could not be asked by the afternoon is not asked in the evening, and no gate waits for it."""
    with Stage.on_paper(patient(rising(items=["symptoms"]))) as clinic:
        taken(clinic, "03-02")
        clinic.outage("03-03 18:00")
        clinic.run_until("03-03 23:00")
        assert (check_ins(clinic), clinic.rows("check_in")) == ([], [])


# --- what is told ---------------------------------------------------------------------------------------------------------------


def test_both_answers_in_one_text(engine: Engine) -> None:
    """Both questions are answered by "A1 S3": what was not named is none; one thank-you comes back."""
    with Stage(engine, patient(rising())) as clinic:
        clinic.says("A1 S3", "03-03 12:10")
        clinic.run_until("03-03 12:11")
        answers = [words for when, words in clinic.texts("answer") if when >= "03-03 12:10"]

        assert ratings(clinic) == {"A": [1], "B": [0], "C": [0], "D": [0], "E": [0], "stiffness": [3]}
        assert (len(answers), raised(clinic)) == (1, [])


@pytest.mark.parametrize("none", ["N", "none", "no side effects"])
def test_no_symptom_is_an_answer(none: str) -> None:
    """None of them, in any of its wordings, is kept as grade 0 of each."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.says(none, "03-03 12:10")
        assert ratings(clinic) == {letter: [0] for letter in "ABCDE"}


def test_a_bare_digit_is_never_a_rating() -> None:
    """After a check-in, "1" answers the reminder before it: ratings carry a letter."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.says("1", "03-03 12:10")
        assert (ratings(clinic), clinic.doses()["03-03/1"]) == ({}, "taken")


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("symptoms", "no more"),
        ("symptoms", "No más, gracias"),
        ("spasms", "ya no mas"),
        ("blood_pressure", "baja"),
        ("stiffness", "Enough"),
    ],
)
def test_a_bare_word_that_may_be_the_answer_ends_no_texts(item: str, text: str) -> None:
    """It is for a person at once, and the patient is told which word ends the texts; that word does, whatever was asked."""
    with Stage.on_paper(patient(rising(items=[item]))) as clinic:
        clinic.says(text, "03-03 12:10")
        clinic.run_until("03-03 14:05")
        assert ("wants_to_stop" in clinic.open_alerts(), ratings(clinic)) == (True, {})
        assert "To end these texts, reply STOP." in [words for _, words in clinic.texts("answer")][-1]
        assert clinic.purposes()[-1] == ("03-03 14:00", "reminder")

        clinic.says("CANCEL", "03-03 14:10")
        assert "texts_stopped" in clinic.open_alerts()


@pytest.mark.parametrize("text", ["no more", "baja", "enough"])
def test_where_nothing_is_asked_that_it_answers_it_ends_them(text: str) -> None:
    """After a reminder it is the law's reasonable wording."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.says(text, "03-02 08:10")
        assert "texts_stopped" in clinic.open_alerts()


def test_blood_pressure_is_kept() -> None:
    """Pressure is answered as "118/76" and kept; a limit is the provider's, so nobody is told."""
    with Stage.on_paper(patient(rising(items=["blood_pressure"]))) as clinic:
        clinic.says("118/76", "03-03 12:10")
        assert (ratings(clinic), raised(clinic)) == ({"systolic": [118], "diastolic": [76]}, [])


def test_spasms_are_kept_with_their_severity(engine: Engine) -> None:
    """The Penn frequency is asked once a week, answered as "P2 3", and kept as two numbers; no rule reads it."""
    with Stage(engine, patient(rising(phase("5/5/5"), items=["spasms"]))) as clinic:
        clinic.says("P2 3", "03-03 12:10")
        clinic.says("P0", "03-09 12:10")
        clinic.run_until("03-15 23:00")

        assert ratings(clinic) == {"spasms": [2, 0], "spasm_severity": [3]}
        assert ([when[:5] for when, _ in check_ins(clinic)], raised(clinic)) == (["03-03", "03-09"], [])


def test_in_the_way_today() -> None:
    """Mild weakness alone is none too much; that it is in the way, told in another text, opens the review."""
    with Stage.on_paper(patient(rising(items=["symptoms", "in_the_way"]))) as clinic:
        clinic.says("C1", "03-03 12:10")
        before = raised(clinic)
        clinic.says("W yes F no", "03-03 12:12")

        assert (before, raised(clinic)) == ([], ["too_high"])
        assert (ratings(clinic)["W"], ratings(clinic)["F"]) == ([1], [0])


def test_it_helps_or_not() -> None:
    """What the patient says of the benefit is kept, and changes nothing."""
    with Stage.on_paper(patient(rising(items=["benefit"]))) as clinic:
        clinic.answers("03-03 12:10", text="H no")
        assert (ratings(clinic), raised(clinic)) == ({"H": [0]}, [])


@pytest.mark.parametrize("bare", ["yes", "no"])
def test_a_bare_yes_is_asked_about(bare: str) -> None:
    """After "in the way?", a yes or no without its letter is neither a rating nor an answer about the dose: the question is put again."""
    with Stage.on_paper(patient(rising(items=["in_the_way"]))) as clinic:
        clinic.says(bare, "03-03 12:10")
        again, dose = [when for when, _ in check_ins(clinic)], clinic.doses()["03-03/1"]
        clinic.says("W no F no", "03-03 12:15")

        assert (again, dose) == (["03-03 12:00", "03-03 12:10"], "open")
        assert ratings(clinic) == {"F": [0], "W": [0]}


@pytest.mark.parametrize(("text", "kind"), [("P3 1", "spasms"), ("W yes", "ticks")])
def test_lettered_answers_told_without_being_asked(text: str, kind: str) -> None:
    """They are never taken for a dose's answer: kept, and shown."""
    with Stage.on_paper(patient(plan())) as clinic:
        clinic.says(text, "03-03 09:00")
        assert (clinic.doses()["03-03/1"], raised(clinic)) == ("open", [kind])


def test_told_without_being_asked() -> None:
    """What is told of its own accord is kept too, for the symptoms that were named, and shown."""
    with Stage.on_paper(patient(plan())) as clinic:
        clinic.says("B2", "03-03 09:00")
        assert (ratings(clinic), raised(clinic)) == ({"B": [2]}, ["symptoms"])


# --- what it calls for ------------------------------------------------------------------------------------------------------------


def test_a_severe_symptom_is_told_each_time() -> None:
    """Grade 3 goes to the provider at once, at each check-in anew."""
    with Stage.on_paper(patient(rising(items=["symptoms"]))) as clinic:
        clinic.answers("03-03 12:10", "03-04 12:10", text="D3")
        assert raised(clinic) == ["severe", "severe"]


def test_a_dose_that_may_be_too_high() -> None:
    """Drowsiness at grade 2 opens one review, however often it is told, and the step waits."""
    with Stage.on_paper(patient(rising(items=["symptoms"]))) as clinic:
        taken(clinic, "03-02")
        clinic.answers("03-03 08:05")
        clinic.says("A2", "03-03 12:10")
        clinic.answers("03-03 14:05", "03-03 20:05", "03-04 08:05")
        clinic.says("A2", "03-04 12:10")
        clinic.answers("03-04 14:05")
        clinic.run_until("03-05 09:00")

        assert raised(clinic) == ["too_high"]
        assert (clinic.plans()[-1][1], clinic.amounts()["03-05"]) == ("staying", "5")


def test_a_symptom_that_does_not_pass() -> None:
    """The same symptom at three check-ins running is told once."""
    with Stage.on_paper(patient(rising(items=["symptoms"], advance="as_prescribed"))) as clinic:
        clinic.answers("03-03 12:10", "03-04 12:10", "03-06 12:10", "03-07 12:10", text="E1")
        assert raised(clinic) == ["persistent"]


def test_a_dose_that_may_be_too_low() -> None:
    """Stiffness of 4 at two check-ins running, a week into the plan; before that it is too early to say."""
    with Stage.on_paper(patient(rising(items=["stiffness"], advance="as_prescribed"))) as clinic:
        clinic.answers("03-03 12:10", "03-04 12:10", text="S6")
        early = raised(clinic)
        clinic.answers("03-09 12:10", "03-15 12:10", text="S4")

        assert (early, raised(clinic)) == ([], ["too_low"])


# --- beside another medicine ------------------------------------------------------------------------------------------------------


def beside(*names: str, phases: tuple[File, ...] = (phase("5/5/5"),), **changes: Any) -> File:  # noqa: ANN401 - what a plan can have
    """Ana, whose plan asks nothing, with other medicines on her list that her provider knows of."""
    dated = {"furosemide": {"labs_due": "2026-06-01"}}
    known = [{"of": name, "by": "Dr. Noor Haddad", "reason": "needed", **dated.get(name, {})} for name in names if name != "lithium"]
    return patient(plan(*phases, acknowledged=known, **changes), medicines=list(names))


@pytest.mark.parametrize(
    ("medicine", "asked"),
    [
        ("diazepam", [("03-02", "how sleepy"), ("03-03", "how sleepy"), ("03-04", "how sleepy")]),
        ("lisinopril", [("03-03", "please send today's blood pressure"), ("03-09", "please send today's blood pressure")]),
        ("tizanidine", [("03-03", "any today?")]),
        ("furosemide", [("03-09", "this week, did you drink")]),
        ("lithium", []),
    ],
)
def test_another_medicine_has_its_question(engine: Engine, medicine: str, asked: list[tuple[str, str]]) -> None:
    """The monitoring of an interaction happens though the plan's author wrote none."""
    with Stage(engine, beside(medicine)) as clinic:
        clinic.run_until("03-10 23:00")
        assert [(when[:5], words[: len(start)]) for (when, words), (_, start) in zip(check_ins(clinic), asked, strict=True)] == asked


def test_sleepiness_and_breathing_are_kept() -> None:
    """Only what was asked is kept: sleepiness, and that the breathing is well."""
    with Stage.on_paper(beside("diazepam")) as clinic:
        clinic.says("A1 R no", "03-02 12:10")
        assert (ratings(clinic), raised(clinic)) == ({"A": [1], "R": [0]}, [])


def test_hard_breathing_is_an_emergency() -> None:
    """R yes is a danger sign: the emergency text at once, a person told, and the gate stays shut."""
    label = (phase("5/5/5", 3), phase("10/10/10"))
    with Stage.on_paper(beside("diazepam", phases=label)) as clinic:
        taken(clinic, "03-02")
        clinic.says("R yes", "03-03 12:10")
        clinic.acts("acknowledge", "03-03 12:30", alert="red_flag")
        clinic.answers("03-03 14:05", "03-03 20:05", "03-04 08:05", "03-04 14:05")
        clinic.run_until("03-05 09:00")
        (why,) = [row["reason"] for row in clinic.rows("plan_event") if row["kind"] == "stays"]

        assert ([when for when, _ in clinic.texts("emergency")], "red_flag" in clinic.open_alerts()) == (["03-03 12:10"], True)
        assert "trouble breathing" in why


@pytest.mark.parametrize(("bare", "alerts"), [("yes", [("urgent", True)]), ("no", [])])
def test_a_bare_yes_about_breathing_is_not_waited_for(bare: str, alerts: list[tuple[str, bool]]) -> None:
    """It may mean the breathing: the question, which says when to call 911, is put again, and a person calls meanwhile."""
    with Stage.on_paper(beside("diazepam")) as clinic:
        clinic.says(bare, "03-02 12:10")

        assert [when for when, _ in check_ins(clinic)] == ["03-02 12:00", "03-02 12:10"]
        assert [(row["severity"], row["clinical"]) for row in clinic.rows("alert") if row["kind"] == "breathing"] == alerts
        assert clinic.doses()["03-02/1"] == "open"


def test_dizziness_counts_higher_beside_an_antihypertensive() -> None:
    """Grade 2 is told to a person as grade 3, with the reason; what the patient said is kept as it was said."""
    with Stage.on_paper(beside("lisinopril")) as clinic:
        clinic.says("B2", "03-03 12:10")
        (alert,) = [row for row in clinic.rows("alert") if row["kind"] == "severe"]

        assert (ratings(clinic), "grade 3 of 3, counted one grade higher" in alert["words"]) == ({"B": [2]}, True)


def test_lost_fluids_are_shown() -> None:
    """What is lost beside a diuretic opens one review, and the next step waits for it."""
    with Stage.on_paper(beside("furosemide")) as clinic:
        clinic.says("L yes", "03-09 12:10")
        clinic.says("L yes", "03-09 12:20")
        (alert,) = [row for row in clinic.rows("alert") if row["kind"] == "fluids_lost"]

        assert (ratings(clinic)["L"], alert["clinical"]) == ([1, 1], True)


def test_the_gate_waits_for_what_another_medicine_has_asked() -> None:
    """A plan without check-ins of its own, beside a sedating medicine: not answered, its step waits."""
    label = (phase("5/5/5", 3), phase("10/10/10"))
    with Stage.on_paper(beside("diazepam", phases=label)) as clinic:
        assert until_the_gate(clinic) == [("03-04 20:45", "staying", 1)]


# --- the gate ---------------------------------------------------------------------------------------------------------------------


def until_the_gate(clinic: Stage, *said: tuple[str, str]) -> list[tuple[Any, ...]]:
    """Every dose of the first phase but the last taken; what else is said, by time; how the plan stands the next morning."""
    events = [(f"{day} {time}", "1") for day in ("03-02", "03-03") for time in TIMES]
    events += [("03-04 08:05", "1"), ("03-04 14:05", "1"), *said]
    for when, text in sorted(events):
        clinic.says(text, when)
    clinic.run_until("03-05 09:00")
    return clinic.plans()[-1:]


def test_the_gate_waits_for_the_check_in() -> None:
    """Not answered by six in the evening, it is waited for until shortly before the quiet hours; then the plan stays, and says why."""
    with Stage.on_paper(patient(rising(items=["symptoms"]))) as clinic:
        stands = until_the_gate(clinic)
        (why,) = [row["reason"] for row in clinic.rows("plan_event") if row["kind"] == "stays"]

        assert (stands, why) == ([("03-04 20:45", "staying", 1)], "the check-in is not answered")


def test_the_gate_decides_on_the_answer() -> None:
    """Answered in the evening, the step is decided and announced at once."""
    with Stage.on_paper(patient(rising(items=["symptoms"]))) as clinic:
        stands = until_the_gate(clinic, ("03-04 19:00", "N"))

        assert (stands[0][1:], clinic.amounts()["03-05"]) == (("active", 2), "10")
        assert [when for when, _ in clinic.texts("step_notice")] == ["03-04 19:00"]


def test_answered_in_the_phase_is_answered() -> None:
    """The second day's answer will do; at six the step is decided."""
    with Stage.on_paper(patient(rising(items=["symptoms"]))) as clinic:
        until_the_gate(clinic, ("03-03 12:10", "A1"))

        assert ([when for when, _ in clinic.texts("step_notice")], clinic.amounts()["03-05"]) == (["03-04 18:00"], "10")


def test_a_check_in_that_never_arrived_blames_nobody() -> None:
    """The carrier lost the question of the second day and of the last: the phase had none to answer."""
    with Stage.on_paper(patient(rising(items=["symptoms"]))) as clinic:
        clinic.answers(*(f"03-02 {time}" for time in TIMES), "03-03 08:05")
        for day in ("03-03", "03-04"):
            clinic.run_until(f"{day} 11:59")
            clinic.carrier("undelivered", 30008)
            clinic.run_until(f"{day} 12:01")
            clinic.carrier("delivered")
            clinic.answers(*(f"{day} {time}" for time in TIMES[1:]), *(["03-04 08:05"] if day == "03-03" else []))
        clinic.run_until("03-05 09:00")

        assert (len(clinic.rows("check_in")), clinic.amounts()["03-05"]) == (2, "10")


def test_a_check_in_of_a_plan_that_was_suspended_meanwhile() -> None:
    """Written, and not yet sent when the plan is suspended: nobody is asked how the doses go."""
    with Stage.on_paper(patient(rising(items=["symptoms"]))) as clinic:
        clinic.run_until("03-03 11:59")
        clinic.carrier("refused", 20429)
        clinic.run_until("03-03 12:00")
        clinic.acts("suspend")
        clinic.carrier("delivered")
        clinic.run_until("03-03 15:00")

        assert [row["state"] for row in clinic.rows("text_out") if row["kind"] == "check_in"] == ["cancelled"]


def test_what_passed_does_not_keep_the_gate_shut() -> None:
    """A severe symptom of the second day that a person looked at, and that has passed by the last, is over."""
    with Stage.on_paper(patient(rising(items=["symptoms"]))) as clinic:
        clinic.answers(*(f"03-02 {time}" for time in TIMES), "03-03 08:05")
        clinic.says("D3", "03-03 12:10")
        clinic.acts("acknowledge", "03-03 13:00", alert="severe")
        clinic.answers("03-03 14:05", "03-03 20:05", "03-04 08:05")
        clinic.says("D1", "03-04 12:10")
        clinic.answers("03-04 14:05")
        clinic.run_until("03-05 09:00")

        assert clinic.amounts()["03-05"] == "10"


def test_the_catch_up_question_waits_for_the_check_in_too() -> None:
    """Doses and symptoms both unknown: an answer to the one alone decides nothing before the other came, or its time is over."""
    with Stage.on_paper(patient(rising(items=["symptoms"]))) as clinic:
        clinic.answers(*(f"03-02 {time}" for time in TIMES), "03-03 08:05", "03-03 14:05", "03-04 08:05", "03-04 14:05")
        clinic.says("1", "03-04 18:30")
        between = clinic.texts("step_notice")
        clinic.says("N", "03-04 18:40")
        clinic.run_until("03-05 09:00")

        assert (between, clinic.amounts()["03-05"]) == ([], "10")


TAPER = [phase("10/10/10", 7), phase("5/5/5", 7)]


@pytest.mark.parametrize(
    ("rating", "why"), [("S7", "stiffness 7 of 10 on a taper"), (None, "stiffness is not rated"), ("S3", "waits for a provider's yes")]
)
def test_stiffness_counts_on_a_taper(rating: str | None, why: str) -> None:
    """Rising, stiffness is what the rise is for; tapering, from 7 on it speaks against the next cut, and goes to a person at once."""
    cuts = rising(*TAPER, kind="taper", advance="ask_provider")
    with Stage.on_paper(patient(cuts)) as clinic:
        for day in range(2, 9):
            clinic.answers(f"03-{day:02} 08:05")
            if day == 8:
                clinic.says("N" if rating is None else f"N {rating}", "03-08 12:10")
            clinic.answers(f"03-{day:02} 14:05", *([f"03-{day:02} 20:05"] if day < 8 else []))
        clinic.run_until("03-09 09:00")
        (stays,) = [row["reason"] for row in clinic.rows("plan_event") if row["kind"] == "stays"]

        assert why in stays
        assert ("stiff_on_taper" in clinic.open_alerts()) == (rating == "S7")


def test_a_shared_phone_is_not_guessed() -> None:
    """Of two people behind one phone, what is told without being asked is kept of neither, and shown."""
    ben = patient(plan(ref="ben"), ref="ben", name="Ben Silva", phone=ANA, consent=a_consent("Ben Silva"))
    with Stage.on_paper(patient(), ben) as clinic:
        clinic.says("B2", "03-03 09:00")
        assert (ratings(clinic), set(raised(clinic))) == ({}, {"symptoms"})
