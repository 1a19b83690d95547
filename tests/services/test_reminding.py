"""What becomes of a dose as its minute comes, and which words say so."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from db.engine import writing
from reminders import drugs
from reminders.services import reminding
from reminders.services.records import plans
from tests.files import File
from tests.stage import Stage, at, patient, phase, plan

SEVEN_LATER = ("08:07", "14:07", "20:07")


@pytest.fixture
def two_medicines(monkeypatch: pytest.MonkeyPatch) -> str:
    """A second medicine, of another ingredient and else like baclofen; its key."""
    baclofen = drugs.load("baclofen-tablet")
    other = replace(baclofen, key="another-tablet", name="another", aliases=(), ingredient="another")
    monkeypatch.setattr(drugs, "_shelf", lambda: (baclofen, other))
    return other.key


def with_two_plans(other: str, times: tuple[str, ...] = ("08:00", "14:00", "20:00"), amount: str = "5/5/5") -> File:
    """Ana with A, baclofen at 8, 2 and 8, and B, another medicine."""
    first = plan(label="A, blue cap")
    return patient(first, plan(phase(amount, times=times), ref="ana-other", drug=other, label="B, red cap"))


def test_announced_at_its_minute() -> None:
    """A dose is announced in its minute, with its amount in tablets."""
    with Stage.on_paper() as clinic:
        clinic.run_until("03-02 08:00")
        body = "Mon 8:00 am dose: 1 tablet of 5 mg. Reply 1 taken, 2 skipped, 3 problem. HELP for info, STOP to end texts."
        assert clinic.texts() == [("03-02 08:00", body)]


def test_announced_in_the_tablets_that_the_patient_has() -> None:
    """Where no source gives a drug's strengths, the plan's own say what an amount is."""
    pregabalin = plan(phase("150/150", times=("08:00", "20:00")), drug="pregabalin", strengths=["75"])
    with Stage.on_paper(patient(pregabalin)) as clinic:
        clinic.run_until("03-02 08:00")
        assert [body.split(".")[0] for _, body in clinic.texts()] == ["Mon 8:00 am dose: 2 tablets of 75 mg"]


def test_an_injection_is_announced_by_its_amount_on_its_day_of_the_week() -> None:
    """Once a week, and in mg: it is not made of tablets."""
    ozempic = plan(phase("0.25", 28, times=("08:00",), every=7), phase("0.5", times=("08:00",), every=7), drug="Ozempic")
    with Stage.on_paper(patient(ozempic)) as clinic:
        clinic.answers("03-02 08:05", "03-09 08:05")
        clinic.run_until("03-15 08:00")
        said = [(at, body.partition(". Reply")[0]) for at, body in clinic.texts("reminder")]
        assert said == [("03-02 08:00", "Mon 8:00 am dose: 0.25 mg"), ("03-09 08:00", "Mon 8:00 am dose: 0.25 mg")]


def test_discreet_by_default() -> None:
    """A discreet reminder names no amount where all doses of the day are the same."""
    with Stage.on_paper(patient(wording="discreet")) as clinic:
        clinic.run_until("03-02 08:00")
        assert clinic.texts()[0][1].startswith("your Mon 8:00 am dose is due.")


@pytest.mark.parametrize("wording", ["discreet", "amount"])
def test_an_amount_that_changed_unsaid_is_new_when_it_is_first_said(wording: str) -> None:
    """The texts were off when the amount changed: the first reminders after that say that it is new, and how much it is."""
    taper = plan(phase("10/10/10", 1), phase("5/5/5", 7), kind="taper", advance="as_prescribed")
    with Stage.on_paper(patient(taper, wording=wording)) as clinic:
        clinic.says("STOP", "03-02 09:00")
        clinic.says("START", "03-03 12:00")
        clinic.answers("03-03 14:05", "03-03 20:05", "03-04 08:05", "03-04 14:05")
        clinic.run_until("03-04 14:10")
        said = [(at, "new amount: 1 tablet of 5 mg" in body) for at, body in clinic.texts("reminder")]
        assert said[1:] == [("03-03 14:00", True), ("03-03 20:00", True), ("03-04 08:00", True), ("03-04 14:00", False)]


def test_uneven_doses_name_their_amounts() -> None:
    """Where the doses of a day differ, even a discreet reminder says how many tablets this one is."""
    with Stage.on_paper(patient(plan(phase("5/5/10")), wording="discreet")) as clinic:
        clinic.answers("03-02 08:05", "03-02 14:05")
        clinic.run_until("03-02 20:00")
        assert [body.split(".")[0] for _, body in clinic.texts("reminder")] == [
            "Mon 8:00 am dose: 1 tablet of 5 mg",
            "Mon 2:00 pm dose: 1 tablet of 5 mg",
            "Mon 8:00 pm dose: 1 tablet of 10 mg",
        ]


def test_only_what_rose_is_new() -> None:
    """On the first day of a phase only the dose whose amount changed is called new."""
    with Stage.on_paper(patient(plan(phase("5/5/5", 1), phase("5/5/10"), advance="as_prescribed"))) as clinic:
        clinic.answers(*(f"03-0{day} {time}" for day in (2, 3) for time in ("08:05", "14:05", "20:05")))
        clinic.run_until("03-04 20:00")
        assert [time for time, body in clinic.texts("reminder") if "new amount" in body] == ["03-03 20:00"]


def test_stepping_back_is_new_too() -> None:
    """After a step back each dose is new once, at its own time of day, and so it is when the plan rises again."""
    rising = plan(phase("5/5/5", 1), phase("10/10/10", 1), phase("15/15/15"), advance="as_prescribed")
    with Stage.on_paper(patient(rising)) as clinic:
        clinic.acts("step_back", "03-03 10:00")
        clinic.run_until("03-04 08:00")
        new = [time for time, body in clinic.texts("reminder") if "new amount" in body]
        assert new == ["03-03 08:00", "03-03 14:00", "03-03 20:00", "03-04 08:00"]


def test_two_plans_at_one_minute(two_medicines: str) -> None:
    """Two doses due at one minute travel in one text, which 1 answers for both."""
    with Stage.on_paper(with_two_plans(two_medicines)) as clinic:
        clinic.says("1", "03-02 08:05")
        body = "Mon 8:00 am: A 1 tablet of 5 mg; B 1 tablet of 5 mg. Reply 1 all, 2 none, A or B for only that, 3 problem."
        assert (clinic.texts(), clinic.doses(), clinic.doses("ana-other")) == (
            [("03-02 08:00", body)],
            {"03-02/1": "taken"},
            {"03-02/1": "taken"},
        )


def test_one_of_two(two_medicines: str) -> None:
    """A letter answers for one medicine only; the other stays open."""
    with Stage.on_paper(with_two_plans(two_medicines)) as clinic:
        clinic.says("B", "03-02 08:05")
        assert (clinic.doses(), clinic.doses("ana-other")) == ({"03-02/1": "open"}, {"03-02/1": "taken"})


def test_seven_minutes_apart(two_medicines: str) -> None:
    """Doses seven minutes apart travel together, at the later minute, and are asked about together."""
    with Stage.on_paper(with_two_plans(two_medicines, SEVEN_LATER)) as clinic:
        clinic.run_until("03-02 13:00")
        assert clinic.purposes() == [("03-02 08:07", "reminder"), ("03-02 09:07", "follow_up")]


def test_eleven_minutes_apart(two_medicines: str) -> None:
    """Doses more than ten minutes apart travel alone."""
    with Stage.on_paper(with_two_plans(two_medicines, ("08:11", "14:11", "20:11"))) as clinic:
        clinic.run_until("03-02 08:30")
        assert clinic.purposes() == [("03-02 08:00", "reminder"), ("03-02 08:11", "reminder")]


def test_answered_before_the_second(two_medicines: str) -> None:
    """A dose told as taken while its text waited for another leaves that text."""
    with Stage.on_paper(with_two_plans(two_medicines, SEVEN_LATER)) as clinic:
        clinic.says("took my A", "03-02 08:03")
        clinic.run_until("03-02 08:07")
        assert [body.split(".")[0] for _, body in clinic.texts("reminder")] == ["Mon 8:07 am, B, red cap: 1 tablet of 5 mg"]


def test_two_plans_of_one_ingredient() -> None:
    """Two plans of one ingredient keep its minimum gap between them: a late dose of one holds back the other's."""
    other = plan(phase("5/5/5", times=("10:00", "16:00", "22:00")), ref="ana-second", label="B, red cap")
    with Stage.on_paper(patient(plan(label="A, blue cap"), other)) as clinic:
        clinic.says("took it at 9:30am", "03-02 09:40")
        clinic.run_until("03-02 10:00")
        assert clinic.texts("reminder")[-1][1].startswith("Mon 10:00 am dose, last was late: not before Mon 11:30 am. B: 1 tablet of 5 mg.")


def test_after_a_late_dose() -> None:
    """After a dose taken at ten to two the next is not to be taken before ten to four."""
    with Stage.on_paper() as clinic:
        clinic.says("took it just now", "03-02 13:50")
        clinic.run_until("03-02 14:00")
        assert "last was late: not before Mon 3:50 pm" in clinic.texts()[-1][1]


def test_taken_early_needs_no_text() -> None:
    """A dose told as taken before its reminder has none."""
    with Stage.on_paper() as clinic:
        clinic.says("1", "03-02 08:05")
        clinic.says("took my 2pm", "03-02 13:40")
        clinic.run_until("03-02 16:00")
        assert (clinic.purposes(), clinic.doses()["03-02/2"]) == ([("03-02 08:00", "reminder")], "taken")


def test_a_person_decides_after_two_at_once() -> None:
    """After "took two" the next text says to call before taking it; once a person has looked, reminders go on."""
    with Stage.on_paper() as clinic:
        clinic.says("took two", "03-02 08:10")
        clinic.run_until("03-02 14:00")
        asked = clinic.texts()[-1][1]
        clinic.acts("acknowledge", "03-02 14:20")
        clinic.run_until("03-02 20:00")
        assert (asked[:50], clinic.texts()[-1][1][:16]) == ("before you take your Mon 2:00 pm dose, please call", "Mon 8:00 pm dose")


def test_outage_over_two_slots() -> None:
    """After six hours down the current dose comes in the late wording, the one before is not reminded: one text in all."""
    with Stage.on_paper() as clinic:
        clinic.run_until("03-02 08:00")
        clinic.says("1", "03-02 08:05")
        clinic.run_until("03-02 13:59")
        clinic.outage("03-02 20:20")
        late = "sorry, late: Mon 8:00 pm dose, 1 tablet of 5 mg. If not taken, take it by Tue 6:00 am. Reply 1 taken, 2 skipped, 3 problem."
        assert (clinic.texts()[1:], clinic.doses()) == (
            [("03-02 20:20", late)],
            {"03-02/1": "taken", "03-02/2": "not_reminded (outage)", "03-02/3": "open"},
        )


def test_outage_past_every_slot() -> None:
    """A dose that can no longer be announced in time gets no text: it is not reminded, and nobody's miss."""
    with Stage.on_paper() as clinic:
        clinic.run_until("03-02 07:00")
        clinic.outage("03-02 13:00")
        assert (clinic.texts(), clinic.doses()) == ([], {"03-02/1": "not_reminded (outage)"})


def test_two_slots_fall_together() -> None:
    """Two slots an hour apart on the night the clocks go forward are one dose; the later is not due, and the provider sees it."""
    night = plan(phase("5/5/5", times=("01:00", "03:00", "20:00")), start="03-08")
    with Stage.on_paper(patient(night), start="03-08 00:00") as clinic:
        clinic.answers("03-08 01:05")
        clinic.run_until("03-08 12:00")
        assert (clinic.doses(), clinic.alerts()) == (
            {"03-08/1": "taken", "03-08/2": "not_due (moved)"},
            [("03-08 03:00", "dose_moved", "provider")],
        )


def test_a_time_that_comes_twice() -> None:
    """A dose at half past one on the night the clocks go back is announced once, at the first half past one."""
    night = plan(phase("5/5/5", times=("01:30", "14:00", "20:00")), start="11-01")
    with Stage.on_paper(patient(night), start="11-01 00:00") as clinic:
        clinic.run_until("11-01 13:00")
        assert [line["at"] for line in clinic.lines if line["kind"] == "text_out"] == ["2026-11-01T05:30:00Z"]


def test_every_pass_is_one_pass(engine: Engine) -> None:
    """Two passes at once over one herd write each dose and each text once."""
    people = [patient(plan(ref=f"plan-{no}"), ref=f"p-{no}", phone=f"+120255501{no:02}") for no in range(20)]
    with Stage(engine, *people) as clinic:
        both = [threading.Thread(target=reminding.remind_due, args=(engine,), kwargs={"now": at("03-02 08:00")}) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        reminding.remind_due(engine, now=at("03-02 08:00"))
        assert (len(clinic.rows("dose")), len(clinic.rows("text_out"))) == (20, 20)


def test_a_pass_again_is_no_harm() -> None:
    """A pass that finds nothing new writes nothing, also when the wall clock went back."""
    with Stage.on_paper() as clinic:
        clinic.run_until("03-02 08:00")
        again = [reminding.remind_due(clinic.engine, now=clinic.now - timedelta(hours=back)) for back in (0, 2)]
        assert (again, len(clinic.rows("dose"))) == ([0, 0], 1)


def test_two_plans_of_one_ingredient_keep_their_distance_in_one_pass() -> None:
    """Two plans of one ingredient that come to the same minute announce one dose, and leave the other out: never two at once."""
    blue = plan(phase("5", times=["08:00"]), label="A, blue cap", ref="blue")
    red = plan(phase("5", times=["20:00"]), label="B, red cap", ref="red")
    with Stage.on_paper(patient(blue, red)) as clinic:
        with writing(clinic.engine) as c:  # an import refuses such plans; a clock change, or an older release, may still bring them
            c.execute(text("UPDATE plan_version SET document = replace(document, '20:00', '08:00')"))
            plans.put_on_clock(c, list(plans.read(c, c.scalars(text("SELECT id FROM plan")).all()).values()))
        clinic.run_until("03-02 08:00")
        told = sorted(purpose for _, purpose in clinic.purposes() if purpose != "question")
        stand = (*clinic.doses("blue").values(), *clinic.doses("red").values())
        assert (told, stand) == (["advice", "reminder"], ("open", "skipped (advised)"))


# --- our outage -----------------------------------------------------------------------------------------------------------------


def lost(clinic: Stage) -> None:
    """An outage of ours from 07:00 to 13:00 swallows the dose of 08:00."""
    clinic.run_until("03-02 07:00")
    clinic.outage("03-02 13:00")


def test_our_outage_is_asked_about_and_never_a_miss(engine: Engine) -> None:
    """Half an hour after it ended the patient is asked, once, about the doses nobody was reminded of; silence about it stays ours."""
    with Stage(engine) as clinic:
        lost(clinic)
        clinic.run_until("03-03 07:00")
        asked = [(when, body) for when, body in clinic.texts("question") if "our fault" in body]
        assert [when for when, _ in asked] == ["03-02 13:30"]
        assert asked[0][1].startswith("we could not remind you since Mon 2 Mar. That was our fault. Did you take your doses? 1 all")
        assert clinic.doses()["03-02/1"] == "not_reminded (outage)"


@pytest.mark.parametrize(("answer", "state"), [("1", "taken"), ("3", "missed"), ("2", "not_reminded (outage)")])
def test_what_is_said_of_our_outage_is_kept(answer: str, state: str) -> None:
    """All: taken, recalled. None: reported as not taken. Some: a person asks which."""
    with Stage.on_paper() as clinic:
        lost(clinic)
        clinic.says(answer, "03-02 13:35")
        assert (clinic.doses()["03-02/1"], "some_missed" in clinic.open_alerts()) == (state, answer == "2")


def test_nobody_is_woken_for_our_outage() -> None:
    """An outage that ends at night is asked about in the morning, half an hour after the first reminder."""
    with Stage.on_paper() as clinic:
        clinic.answers("03-02 08:05", "03-02 14:05")
        clinic.run_until("03-02 19:00")
        clinic.outage("03-02 23:30")
        clinic.run_until("03-03 12:00")
        assert [when for when, body in clinic.texts("question") if "our fault" in body] == ["03-03 08:30"]
