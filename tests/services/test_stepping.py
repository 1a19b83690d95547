"""The evening before a step: what is asked, what is decided, and who is told."""

from __future__ import annotations

import pytest

from tests.files import File
from tests.stage import Stage, at, patient, phase, plan

TWO_DAYS = ("03-02 08:05", "03-02 14:05", "03-02 20:05", "03-03 08:05", "03-03 14:05")


def rising(advance: str = "stay_unless_met") -> File:
    """Ana's plan of two days on 5 mg, two on 10, and then 15."""
    return plan(phase("5/5/5", 2), phase("10/10/10", 2), phase("15/15/15"), advance=advance)


def test_a_step_on_its_day() -> None:
    """With every dose confirmed the step is announced the evening before, and happens on its day."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.answers(*TWO_DAYS, "03-03 20:05")
        clinic.run_until("03-04 14:00")
        notice = "from Wed 4 Mar each dose is 1 tablet of 10 mg, not before. If unsure, call 202 555 0100 before you take it."
        assert (clinic.texts("step_notice"), clinic.amounts(), clinic.plans()[-1]) == (
            [("03-03 18:00", notice)],
            {"03-02": "5/5/5", "03-03": "5/5/5", "03-04": "10/10"},
            ("03-04 08:00", "active", 2),
        )


def test_no_step_without_its_gate() -> None:
    """Under `stay_unless_met` a plan whose doses were not taken stays, and patient and provider are told why."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.answers(*TWO_DAYS[:3], text="2")
        clinic.answers(*TWO_DAYS[3:])
        clinic.run_until("03-04 14:00")
        reason = next(line["reason"] for line in clinic.lines if line["kind"] == "plan" and line["state"] == "staying")
        assert (reason, clinic.amounts()["03-04"], clinic.plans()[-1]) == (
            "3 doses running not taken",
            "5/5",
            ("03-03 06:00", "staying", 1),
        )


def test_stays_at_the_gate_and_resumes_as_a_block() -> None:
    """A stay of two days moves everything after it by the days stayed; nothing is skipped to catch up."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.says("2", "03-02 08:05")
        clinic.answers("03-02 14:05", "03-02 20:05")
        clinic.says("2", "03-03 08:05")
        clinic.answers("03-03 14:05", "03-03 20:05")
        staying = clinic.plans()[-1]
        clinic.answers("03-04 08:05", "03-04 14:05", "03-04 20:05", "03-05 08:05")
        clinic.acts("resume", "03-05 10:00")
        clinic.answers("03-05 14:05", "03-05 20:05")
        clinic.answers(*(f"03-0{day} {time}" for day in (6, 7) for time in ("08:05", "14:05", "20:05")), "03-08 08:05")
        assert (staying, clinic.amounts()) == (
            ("03-03 18:00", "staying", 1),
            {
                "03-02": "5/5/5",
                "03-03": "5/5/5",
                "03-04": "5/5/5",
                "03-05": "5/5/5",
                "03-06": "10/10/10",
                "03-07": "10/10/10",
                "03-08": "15",
            },
        )


def test_the_label_differs_while_staying() -> None:
    """While a plan stays the bottle says another amount than the text: the text says so, from the day on which they part."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.acts("stay", "03-02 10:00")
        clinic.run_until("03-04 08:00")
        differs = [time for time, body in clinic.texts("reminder") if "Your label differs" in body]
        assert differs == ["03-04 08:00"]


def test_as_prescribed_is_flagged() -> None:
    """Under `as_prescribed` an unmet gate is flagged to the provider the evening before, and the step happens."""
    with Stage.on_paper(patient(rising("as_prescribed"))) as clinic:
        clinic.says("2", "03-02 08:05")
        clinic.answers("03-02 14:05", "03-02 20:05")
        clinic.says("2", "03-03 08:05")
        clinic.answers("03-03 14:05")
        clinic.run_until("03-04 08:00")
        assert (clinic.alerts(), clinic.amounts()["03-04"]) == ([("03-03 18:00", "gate_unmet", "provider")], "10")


def test_a_step_waits_for_a_yes() -> None:
    """Under `ask_provider` every step waits, a met gate too; the provider's yes lets it happen the next day."""
    with Stage.on_paper(patient(rising("ask_provider"))) as clinic:
        clinic.answers(*TWO_DAYS, "03-03 20:05")
        waiting = clinic.plans()[-1]
        clinic.says("1", "03-04 08:05")
        clinic.acts("advance", "03-04 11:00")
        clinic.answers("03-04 14:05", "03-04 20:05")
        clinic.run_until("03-05 08:00")
        assert (waiting, clinic.amounts(), clinic.texts("step_notice")[0][0]) == (
            ("03-03 18:00", "staying", 1),
            {"03-02": "5/5/5", "03-03": "5/5/5", "03-04": "5/5/5", "03-05": "10"},
            "03-04 11:00",
        )


def awaited(clinic: Stage) -> list[tuple[str, bool]]:
    """The alerts that tell of a stay, open or not: their kinds, and whether a step waits for a yes."""
    return [(alert["kind"], alert["awaits_yes"]) for alert in clinic.rows("alert") if alert["stays"]]


@pytest.mark.parametrize(("advance", "awaits"), [("ask_provider", True), ("stay_unless_met", False)])
def test_which_stay_waits_for_a_yes(advance: str, awaits: bool) -> None:  # noqa: FBT001 - what is expected
    """A step that a provider has to allow is told apart from one that its gate keeps back."""
    with Stage.on_paper(patient(rising(advance))) as clinic:
        clinic.says("problem", "03-02 08:10")
        clinic.answers(*TWO_DAYS)
        clinic.run_until("03-03 21:00")
        assert awaited(clinic) == [("plan_stays", awaits)]


def test_a_yes_waited_for_is_told_with_the_answer() -> None:
    """Where "some missed" has just called a person, that alert says that the step waits too."""
    with Stage.on_paper(patient(rising("ask_provider"))) as clinic:
        clinic.answers("03-02 08:05", "03-02 20:05", "03-03 08:05", "03-03 14:05")
        clinic.says("2", "03-03 18:05")
        clinic.run_until("03-03 21:00")
        assert awaited(clinic) == [("some_missed", True)]


def test_a_yes_waited_for_while_muted() -> None:
    """A plan muted over its step waits for the same yes."""
    with Stage.on_paper(patient(rising("ask_provider"))) as clinic:
        clinic.answers(*TWO_DAYS)
        clinic.acts("mute", "03-03 17:00")
        clinic.run_until("03-03 21:00")
        assert awaited(clinic) == [("plan_stays", True)]


@pytest.mark.parametrize(
    ("answer", "state", "steps_at"), [("1", "taken", "18:05"), ("2", "unconfirmed", "18:05"), (None, "unconfirmed", "20:45")]
)
def test_the_catch_up_question(answer: str | None, state: str, steps_at: str) -> None:
    """An unknown dose is asked about at six; "all" confirms it, "some" leaves it, and no answer is waited for until quiet hours come."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.answers("03-02 08:05", "03-02 20:05", "03-03 08:05", "03-03 14:05")
        clinic.run_until("03-03 18:05")
        if answer:
            clinic.says(answer)
        clinic.run_until("03-03 22:00")
        question = "before your next step: since Mon 2 Mar, did you take all doses? 1 all, 2 missed some. Never take extra to catch up."
        assert (clinic.texts("question"), clinic.doses()["03-02/2"], clinic.texts("step_notice")[0][0]) == (
            [("03-03 18:00", question)],
            state,
            f"03-03 {steps_at}",
        )


def test_the_answer_can_open_the_gate() -> None:
    """Two unknown doses of five keep the gate shut; "all" opens it."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.answers("03-02 08:05", "03-02 20:05", "03-03 14:05")
        clinic.says("1", "03-03 18:05")
        clinic.run_until("03-04 08:00")
        assert clinic.amounts()["03-04"] == "10"


def test_no_answer_keeps_it_shut() -> None:
    """Two unknown doses of five and no answer: the plan stays, decided before the quiet hours."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.answers("03-02 08:05", "03-02 20:05", "03-03 14:05")
        clinic.run_until("03-04 08:00")
        assert (clinic.plans()[-1], clinic.amounts()["03-04"]) == (("03-03 20:45", "staying", 1), "5")


def test_some_missed_and_the_stay_are_one_alert() -> None:
    """An answer that some were missed calls a person; the stay it leads to is told there, and both are over when the plan goes on."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.answers("03-02 08:05", "03-02 20:05", "03-03 14:05")
        clinic.says("2", "03-03 18:05")
        clinic.run_until("03-03 18:30")
        told = [(alert["kind"], alert["words"]) for alert in clinic.rows("alert") if alert["owner"] == "provider"]
        clinic.acts("resume")
        stays = "The plan stays on phase 1: 3 of 5 doses confirmed, 4 needed. It goes on when a provider resumes it."
        said = "The patient says that some of the doses asked about were taken and some were not. Ask which."
        assert (told, clinic.open_alerts()) == ([("some_missed", f"{said} {stays}")], set())


def test_some_missed_is_over_once_each_dose_is_known() -> None:
    """Told which was taken and which was not, nobody need ask any more; the plan still stays, and from there on that alone is told."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.answers("03-02 08:05", "03-02 20:05", "03-03 14:05")
        clinic.says("2", "03-03 18:05")
        clinic.says("I took my Monday 2 pm dose", "03-03 18:20")
        one_left = clinic.open_alerts()
        clinic.says("I missed my 8 am dose today", "03-03 18:25")
        clinic.run_until("03-03 18:30")
        (some,) = [alert for alert in clinic.rows("alert") if alert["kind"] == "some_missed"]

        assert [clinic.doses()[dose] for dose in ("03-02/2", "03-03/1")] == ["taken", "missed"]
        assert (one_left, clinic.open_alerts()) == ({"some_missed"}, {"plan_stays"})
        assert (some["closed_at"], some["close_reason"]) == (at("03-03 18:25"), "every dose asked about is known now")


@pytest.mark.parametrize("ends", [("resume",), ("suspend", "restart")], ids=["resumed", "restarted"])
def test_an_older_word_stands_alone(ends: tuple[str, ...]) -> None:
    """What a patient said of a silence long before says nothing of a stay decided later: that is told by itself, and ends by itself."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.answers("03-02 20:05", "03-03 14:05")
        clinic.says("2", "03-02 18:10")
        clinic.run_until("03-03 21:00")
        told = clinic.open_alerts()
        for action in ends:
            clinic.acts(action, phase=1)
        assert {"some_missed", "plan_stays"} <= told
        assert {"some_missed", "plan_stays"} & clinic.open_alerts() == {"some_missed"}


def test_an_outage_over_the_evening() -> None:
    """When we are down from the evening before until after the first new dose was due, no step is taken unseen."""
    with Stage.on_paper(patient(rising("ask_provider"))) as clinic:
        clinic.answers(*TWO_DAYS)
        clinic.run_until("03-03 17:00")
        clinic.outage("03-04 08:30")
        assert (clinic.plans()[-1], clinic.amounts()["03-04"]) == (("03-04 08:30", "staying", 1), "5")


def test_a_met_gate_after_an_outage() -> None:
    """When the gate was met the step is taken all the same, on its day."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.answers(*TWO_DAYS)
        clinic.run_until("03-03 17:00")
        clinic.outage("03-04 08:30")
        assert clinic.amounts()["03-04"] == "10"


def test_a_new_alert_overturns_a_step() -> None:
    """A clinical alert raised after the notice keeps the plan on its old phase."""
    with Stage.on_paper(patient(plan(phase("5/5/5", 3), phase("10/10/10")))) as clinic:
        clinic.answers(*TWO_DAYS, "03-03 20:05", "03-04 08:05")
        clinic.says("took two", "03-04 21:30")
        clinic.run_until("03-05 08:00")
        assert (clinic.texts("step_notice")[0][0], clinic.plans()[-1], clinic.amounts()["03-05"]) == (
            "03-04 20:45",
            ("03-04 21:30", "staying", 1),
            "5",
        )


def test_misses_that_come_to_light_at_dawn() -> None:
    """Misses counted in the first hours of the new phase's first day keep the plan on the phase before it: no new dose has been due."""
    with Stage.on_paper(patient(rising("ask_provider"))) as clinic:
        clinic.answers(*TWO_DAYS, "03-03 20:05")
        clinic.acts("advance", "03-04 07:30")
        clinic.run_until("03-05 08:00")
        assert (clinic.plans()[-2:], clinic.amounts()["03-05"]) == (
            [("03-04 07:30", "active", 1), ("03-05 06:00", "staying", 1)],
            "5",
        )


def test_one_slot_dropped() -> None:
    """A step that drops a slot says which one there is no more."""
    with Stage.on_paper(patient(plan(phase("5/5/5", 1), phase("-/5/5", 7), kind="taper", advance="as_prescribed"))) as clinic:
        clinic.answers("03-02 08:05", "03-02 14:05")
        clinic.run_until("03-02 18:00")
        assert [(time, body.split(". ")[0]) for time, body in clinic.texts("step_notice")] == [
            ("03-02 18:00", "from Tue 3 Mar there is no 8:00 am dose any more; the others stay as they are")
        ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("5/5/5", "5/5/10", "from Tue 3 Mar your 8:00 pm dose is 1 tablet of 10 mg, not before."),
        ("5/5/10", "10/10/10", "from Tue 3 Mar each dose is 1 tablet of 10 mg, not before."),
        ("5/5/5", "5/10/15", "from Tue 3 Mar your doses change, not before. Each text then says its amount."),
    ],
)
def test_what_a_notice_says(old: str, new: str, words: str) -> None:
    """A notice names what changes: one dose, or all of them; else each reminder says it."""
    with Stage.on_paper(patient(plan(phase(old, 1), phase(new), advance="as_prescribed"))) as clinic:
        clinic.answers("03-02 08:05", "03-02 14:05")
        clinic.run_until("03-02 18:00")
        assert clinic.texts("step_notice")[0][1].startswith(words)


def test_muted_over_a_step() -> None:
    """A plan muted when its step comes takes none that somebody has to allow: unmuted, it stays until the provider resumes it."""
    with Stage.on_paper(patient(rising("ask_provider"))) as clinic:
        clinic.acts("mute", "03-03 09:00")
        clinic.acts("unmute", "03-04 12:00")
        clinic.run_until("03-04 14:00")
        assert (clinic.plans()[-1], clinic.amounts()["03-04"]) == (("03-04 12:00", "staying", 1), "5/5")


def test_muted_as_prescribed() -> None:
    """A plan that steps by the calendar does so while it is muted: the doses go on elsewhere."""
    with Stage.on_paper(patient(rising("as_prescribed"))) as clinic:
        clinic.acts("mute", "03-03 09:00")
        clinic.acts("unmute", "03-04 12:00")
        clinic.run_until("03-04 14:00")
        assert (clinic.plans()[-1], clinic.amounts()["03-04"]) == (("03-04 12:00", "active", 2), "10/10")


def test_a_move_keeps_the_gate() -> None:
    """A plan that only moved zone counts the doses it had before: its gate is met on them."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.answers(*TWO_DAYS)
        clinic.acts("move_zone", "03-03 15:00", zone="America/Chicago")
        clinic.run_until("03-04 12:00")
        assert clinic.amounts()["03-04"] == "10"
