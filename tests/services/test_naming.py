"""Which of two medicines a text means: without a drug name, every text about one plan of several gives its letter."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.files import File
from tests.stage import Stage, patient, phase, plan

ONE_DAY = 1


def up(*phases: File) -> File:
    """Gabapentin, going up."""
    return plan(*phases, ref="up", advance="as_prescribed", drug="gabapentin-ir", label="A, white", strengths=["300"])


def down(*phases: File) -> File:
    """Pregabalin, going down."""
    has = ["75", "150"]
    return plan(*phases, ref="down", advance="as_prescribed", drug="pregabalin", kind="taper", label="B, red", strengths=has)


def twice(amounts: str, days: int | None = None, times: Sequence[str] = ("08:00", "20:00")) -> File:
    """A phase of two doses a day."""
    return phase(amounts, days, times=times)


def crossing(*, taken: bool = True) -> Stage:
    """Two days of each medicine on its first amounts, then a day's step of both; every dose of the first day told as taken, or none."""
    rises = up(twice("300/300", ONE_DAY), twice("600/600"))
    falls = down(twice("150/150", ONE_DAY), twice("75/75", ONE_DAY))
    clinic = Stage.on_paper(patient(rises, falls))
    if taken:
        clinic.answers("03-02 08:05")
    return clinic


def apart() -> Stage:
    """Two medicines at different hours."""
    rises = up(twice("300/300", times=("08:00", "20:00")))
    falls = down(twice("75/75", 7, times=("10:00", "22:00")))
    return Stage.on_paper(patient(rises, falls))


def last(clinic: Stage) -> str:
    """The last text to the patient."""
    return clinic.texts()[-1][1]


def test_a_nudge_names_its_plan() -> None:
    """Of two medicines at different hours, "no answer yet" says which."""
    with apart() as clinic:
        clinic.run_until("03-02 09:00")

        assert last(clinic).startswith("no answer yet about your Mon 8:00 am (A) dose. Reply 1 taken, 2 not taken")


def test_a_nudge_names_both() -> None:
    """About two doses at once it names both, and how to answer for one of them."""
    with crossing(taken=False) as clinic:
        clinic.run_until("03-02 09:00")

        assert last(clinic) == (
            "no answer yet about your Mon 8:00 am doses A, B. Reply 1 all, 2 none, one letter for only that, 3 problem. "
            "Never take extra to catch up."
        )


@pytest.mark.parametrize(("text", "rises", "falls"), [("1", "taken", "taken"), ("A", "taken", "open"), ("B", "open", "taken")])
def test_the_answer_to_a_nudge_about_both(text: str, rises: str, falls: str) -> None:
    """A digit answers for both, a letter for one."""
    with crossing(taken=False) as clinic:
        clinic.says(text, "03-02 09:10")

        assert (clinic.doses("up")["03-02/1"], clinic.doses("down")["03-02/1"]) == (rises, falls)


def test_a_nudge_about_the_other() -> None:
    """Answered for one, the nudge is about the other alone."""
    with crossing(taken=False) as clinic:
        clinic.says("A", "03-02 08:05")
        clinic.run_until("03-02 09:00")

        assert last(clinic).startswith("no answer yet about your Mon 8:00 am (B) dose.")


def test_call_before_you_take_it_names_its_plan() -> None:
    """After "took two" of one medicine, the text that asks to call says which it is about."""
    with apart() as clinic:
        clinic.says("took two", "03-02 08:10")
        clinic.says("1", "03-02 10:05")
        clinic.run_until("03-02 20:00")

        assert last(clinic).startswith("before you take your Mon 8:00 pm (A) dose, please call 202 555 0100.")


def test_leave_it_out_names_its_plan() -> None:
    """In the place of a reminder, "leave it out" says which dose of which medicine."""
    close = up(phase("300/300/300", times=("08:00", "11:00", "13:00")))
    with Stage.on_paper(patient(close, down(twice("75/75", 7)))) as clinic:
        clinic.says("took A just now", "03-02 10:30")
        clinic.run_until("03-02 11:00")

        assert last(clinic)[:40] == "leave out the Mon 11:00 am (A) dose: you"


def test_a_step_names_its_plan() -> None:
    """Of a rise and a fall on one day, each notice says which medicine it is about."""
    with crossing() as clinic:
        clinic.run_until("03-02 18:30")

        assert sorted(words.split(", not")[0] for _, words in clinic.texts("step_notice")) == [
            "from Tue 3 Mar each dose (A) is 2 tablets of 300 mg",
            "from Tue 3 Mar each dose (B) is 1 tablet of 75 mg",
        ]


def test_a_new_amount_is_new_in_a_text_for_two() -> None:
    """Two doses in one text: that of each which is of a new amount says so, that day and not the next."""
    rises, falls = up(twice("300/300")), down(twice("150/150", ONE_DAY), twice("75/75", 7))
    with Stage.on_paper(patient(rises, falls)) as clinic:
        clinic.answers("03-02 08:05", "03-02 20:05", "03-03 08:05", "03-03 20:05")
        clinic.run_until("03-04 08:00")

        assert [words.partition(". ")[0] for at, words in clinic.texts("reminder") if at.endswith("08:00")] == [
            "Mon 8:00 am: A 1 tablet of 300 mg; B 1 tablet of 150 mg",
            "Tue 8:00 am: A 1 tablet of 300 mg; B new: 1 tablet of 75 mg",
            "Wed 8:00 am: A 1 tablet of 300 mg; B 1 tablet of 75 mg",
        ]


def test_a_stay_names_its_plan() -> None:
    """Stay on your dose: of which medicine."""
    with crossing() as clinic:
        clinic.acts("stay", "03-02 12:00", of="up")
        clinic.run_until("03-02 12:10")

        assert last(clinic).startswith("please stay on your current dose (A) for now. Do not raise it")


def test_no_dose_for_now_names_its_plan() -> None:
    """Suspended is one medicine, and the dose that is taken back is of that one."""
    with crossing(taken=False) as clinic:
        clinic.acts("suspend", "03-02 08:20", of="down")
        clinic.run_until("03-02 08:30")

        assert sorted(words.split(". ")[0] for _, words in clinic.texts("suspend_notice")) == [
            "correction: please do not take the Mon 8:00 am (B) dose",
            "your care team asks you to take no dose (B) for now",
        ]


def test_an_end_names_its_plan() -> None:
    """One medicine is stopped straight away, the other goes on: "take no more of these" says which."""
    with crossing() as clinic:
        clinic.acts("stop", "03-02 12:00", of="down")
        clinic.run_until("03-02 12:10")

        assert last(clinic).startswith("your care team has ended this plan: take no more of these doses (B).")


def test_the_last_dose_of_one_of_two() -> None:
    """Advice about the last dose of a plan still says which, though the other plan is the only one left."""
    ends = down(twice("75/75", ONE_DAY))
    with Stage.on_paper(patient(up(twice("300/300")), ends)) as clinic:
        clinic.says("1", "03-02 08:05")
        clinic.says("1", "03-02 20:05")
        clinic.says("can I take my B", "03-02 20:10")

        assert last(clinic).startswith("your Mon 8:00 pm (B) dose is already down as taken.")


def test_one_medicine_needs_no_letter() -> None:
    """A patient with one medicine reads no letter, labelled or not."""
    with Stage.on_paper(patient(plan(label="A, blue cap"))) as clinic:
        clinic.run_until("03-02 09:00")

        assert last(clinic).startswith("no answer yet about your Mon 8:00 am dose.")


@pytest.mark.parametrize(("text", "rises", "falls"), [("A", "taken", "open"), ("b", "open", "taken"), ("took both", "taken", "taken")])
def test_after_not_taken_a_letter_says_which_was(text: str, rises: str, falls: str) -> None:
    """First neither, then one of them by its letter, or both: while a dose may still be taken, that is not "took two"."""
    with crossing(taken=False) as clinic:
        clinic.says("2", "03-02 08:10")
        clinic.says(text, "03-02 08:20")

        assert (clinic.doses("up")["03-02/1"], clinic.doses("down")["03-02/1"], clinic.open_alerts()) == (rises, falls, set())


def test_a_letter_is_a_dose_only_while_one_waits() -> None:
    """A letter without a dose that waits is not understood, and one sent while a check-in asks for letters confirms no dose."""
    asks = {"items": ["symptoms"]}
    rises = up(twice("300/300")) | {"check_ins": asks}
    with Stage.on_paper(patient(rises, down(twice("75/75", 7)))) as clinic:
        clinic.says("1", "03-02 08:05")
        clinic.says("A", "03-02 08:20")
        clinic.says("2", "03-03 08:05")
        clinic.says("A", "03-03 12:10")

        assert ([words[:23] for _, words in clinic.texts("menu")], clinic.doses("up")["03-03/1"]) == (
            ["sorry, not understood. "] * 2,
            "open",
        )
