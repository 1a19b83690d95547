"""What follows when a patient, a proxy, a caregiver or a stranger texts: whole conversations on a clock moved by hand."""

from __future__ import annotations

import logging

import pytest

from reminders.services import replying
from tests.files import File, a_caregiver, a_consent, a_proxy
from tests.scheduling.enrolled import shelve_another_medicine
from tests.stage import ANA, RUI, Stage, patient, phase, plan

FIRST = "03-02/1"  # Monday's doses of Ana's plan
SECOND = "03-02/2"
THIRD = "03-02/3"
OTTO = "+12025550105"
STRANGER = "+12025550199"
EMERGENCY = "call 911 now"


def stage(until: str = "03-02 08:00", *patients: File, **changes: object) -> Stage:
    """Ana on her first morning, or other patients."""
    opened = Stage.on_paper(*(patients or [patient(told=True, **changes)]))
    opened.run_until(until)
    return opened


def last(s: Stage, to: str = ANA) -> str:
    """The words a phone was sent last."""
    return s.texts(to=to)[-1][1]


def since(s: Stage, when: str, to: str = ANA) -> list[str]:
    """The words a phone was sent from a local time on."""
    return [words for at, words in s.texts(to=to) if at >= when]


def dose(s: Stage, key: str = FIRST, of: str = "ana-baclofen") -> dict[str, object]:
    """A dose's row, by date and slot."""
    day, number = key.split("/")
    plan_id = next(row["id"] for row in s.rows("plan") if row["ref"] == of)
    found = [row for row in s.rows("dose") if row["plan_id"] == plan_id and f"{row['local_date']:%m-%d}" == day]
    return next(row for row in found if row["slot_no"] == int(number))


def said_by(s: Stage) -> set[str]:
    """In whose name things were said of doses."""
    return {row["by"] for row in s.rows("dose_event") if row["kind"].startswith("said")}


# --- taken ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1", "taken", "Took it!", "yes", "done thanks", "tomada", "ya", "1."])
def test_taken_in_time(text: str) -> None:
    """A dose told as taken within its time was taken then, in whatever words."""
    with stage() as s:
        s.says(text, "03-02 08:10")

        assert (s.doses()[FIRST], f"{dose(s)['taken_at']:%H:%M}", len(s.texts())) == ("taken", "13:10", 1)


def test_taken_with_its_time() -> None:
    """A time that is told is the time it was taken."""
    with stage() as s:
        s.says("took it at 8:05", "03-02 11:00")

        assert f"{dose(s)['taken_at']:%H:%M}" == "13:05"


@pytest.mark.parametrize(
    ("answer", "taken_at"), [("1", "13:00"), ("on time", "13:00"), ("2", "18:30"), ("just now", "18:30"), ("at 9:15 am", "14:15")]
)
def test_taken_after_its_time_is_asked_about(answer: str, taken_at: str) -> None:
    """After the last moment, "taken" is asked once: on time, or just now; the answer is kept."""
    with stage() as s:
        s.says("1", "03-02 13:30")
        assert last(s) == "thank you. When did you take the Mon 8:00 am dose? 1 on time, 2 just now. Do not take it again."
        s.says(answer, "03-02 13:35")

        assert (s.doses()[FIRST], f"{dose(s)['taken_at']:%H:%M}") == ("taken", taken_at)


def test_two_times_that_could_be_meant() -> None:
    """Told at nine in the evening of a morning's dose, "at 8" is asked about: am or pm."""
    weekly = plan(phase("5", times=["08:00"]))
    with stage("03-02 21:00", patient(weekly)) as s:
        s.says("took it at 8")
        assert last(s) == "thank you. When did you take the Mon 8:00 am dose? Answer with the time, with am or pm. Do not take it again."
        s.says("8am", "03-02 21:05")

        assert (s.doses()[FIRST], f"{dose(s)['taken_at']:%H:%M}") == ("taken", "13:00")


def test_just_now_holds_the_next_reminder_back() -> None:
    """A dose taken just now at half past seven keeps the eight o'clock one from being taken at eight."""
    with stage() as s:
        s.says("1", "03-02 08:05")
        s.says("1", "03-02 19:30")
        s.says("2", "03-02 19:30")
        s.run_until("03-02 20:00")

        assert last(s).startswith("Mon 8:00 pm dose, last was late: not before Mon 9:30 pm.")


def test_no_time_told_puts_a_guard_into_the_next_reminder() -> None:
    """While "on time or just now?" is open, the next reminder says when to skip it."""
    with stage() as s:
        s.says("1", "03-02 13:50")
        s.run_until("03-02 14:00")

        assert "If you took one after Mon 12:00 pm, skip this one." in last(s)


def test_just_now_after_the_next_reminder_went_out() -> None:
    """A reminder that is out already is taken back: too soon after a dose taken just now."""
    with stage() as s:
        s.says("1", "03-02 13:59")
        s.run_until("03-02 14:00")
        s.says("I took my 8am just now", "03-02 14:03")

        assert last(s) == "too soon after your last dose. Wait until Mon 3:59 pm. Do not take two doses together. Questions: 202 555 0100."


def test_too_late_for_the_whole_take_window_leaves_the_next_out() -> None:
    """A dose taken so late that the next one's whole time is too soon after it has that one left out."""
    close = plan(phase("5/5", times=["08:00", "10:00"]))
    with stage("03-02 08:00", patient(close)) as s:
        s.says("took it just now", "03-02 09:50")
        s.run_until("03-02 10:00")

        assert (s.purposes()[-1][0], s.doses()["03-02/2"]) in {("03-02 10:00", "open"), ("03-02 10:00", "skipped (advised)")}
        assert "not before Mon 11:50 am" in last(s) or last(s).startswith("leave out")


def test_taken_early_brings_no_reminder() -> None:
    """A dose told as taken within the hour before it is due needs no reminder."""
    with stage() as s:
        s.says("1", "03-02 08:05")
        s.says("taken", "03-02 13:40")
        s.run_until("03-02 16:00")

        assert (s.doses()[SECOND], len(s.texts())) == ("taken", 1)


def test_named_early() -> None:
    """A dose named by its time is that one, though an earlier one is open."""
    with stage() as s:
        s.says("took my 2pm", "03-02 13:40")

        assert (s.doses()[SECOND], s.doses()[FIRST]) == ("taken", "open")


def test_more_than_an_hour_early_is_asked_about() -> None:
    """A dose told as taken when none is near is asked about, and a person told."""
    with stage("03-02 05:00") as s:
        s.says("taken", "03-02 05:30")

        assert (since(s, "03-02 05:30")[0].split(":")[0], s.open_alerts()) == ("your plan has no dose Mon 5", {"took_unknown"})


def test_taken_again_is_down_already() -> None:
    """Told twice, a dose is down as taken, and nobody is alerted."""
    with stage() as s:
        s.says("1", "03-02 08:05")
        s.says("taken", "03-02 08:30")

        assert (last(s).split(".")[0], s.open_alerts()) == ("your Mon 8:00 am dose is already down as taken", set())


def test_told_after_the_close() -> None:
    """An answer after the dose was closed amends it."""
    with stage("03-02 14:00") as s:
        assert s.doses()[FIRST] == "unconfirmed"
        s.says("took my 8am on time", "03-02 14:05")

        assert s.doses()[FIRST] == "taken"


def test_told_after_the_whole_plan_was_over() -> None:
    """The last dose of a plan can be answered for when the plan is completed."""
    short = plan(phase("5/5/5", 1), kind="taper", advance="as_prescribed")
    with stage("03-04 12:00", patient(short)) as s:
        assert s.plans()[-1][1] == "completed"
        s.says("took my monday night dose at 8pm")

        assert s.doses()[THIRD] == "taken"


# --- not taken ------------------------------------------------------------------------------------------------------


def test_not_taken_in_time_is_to_be_taken() -> None:
    """A dose told as not taken while it may be is to be taken, and stays open."""
    with stage() as s:
        s.says("2", "03-02 09:30")

        assert (last(s).split(";")[0], s.doses()[FIRST]) == ("you can take the Mon 8:00 am dose until Mon 12:00 pm", "open")


def test_take_now_and_then_taken() -> None:
    """After "you can take it", "1" says that it was."""
    with stage() as s:
        s.answers("03-02 09:30", text="2")
        s.answers("03-02 09:45")

        assert s.doses()[FIRST] == "taken"


def test_take_now_and_then_silence() -> None:
    """Told as not taken, and nothing after "you can take it": skipped by the patient."""
    with stage() as s:
        s.says("2", "03-02 09:30")
        s.run_until("03-02 14:00")

        assert s.doses()[FIRST] == "skipped (patient)"


def test_not_taken_too_late_is_left_out() -> None:
    """A dose told as not taken when it is too late for it is left out, as advised."""
    with stage() as s:
        s.says("no, didn't take it", "03-02 12:20")

        assert (last(s).split(":")[0], s.doses()[FIRST]) == ("leave out the Mon 8", "skipped (advised)")


def test_skipped_and_taken_after_all() -> None:
    """Taken against the advice is kept as told, and the next reminder keeps its distance."""
    with stage() as s:
        s.says("2", "03-02 12:20")
        s.says("took it just now", "03-02 12:40")
        s.run_until("03-02 14:00")

        assert s.doses()[FIRST] == "taken"
        assert "not before Mon 2:40 pm" in last(s)


def test_missed_my_8am_take() -> None:
    """Asked at 11:40, the eight o'clock dose may be taken; not answered further, nobody knows."""
    with stage() as s:
        s.says("missed my 8am", "03-02 11:40")
        answer = last(s)
        s.run_until("03-02 14:00")

        assert (answer.split(";")[0], s.doses()[FIRST]) == ("you can take the Mon 8:00 am dose until Mon 12:00 pm", "unconfirmed")


def test_missed_my_8am_skip() -> None:
    """Asked at 12:20, it is left out."""
    with stage() as s:
        s.says("missed my 8am", "03-02 12:20")

        assert last(s) == "leave out the Mon 8:00 am dose: the next one is too near. Take only your next dose, Mon 2:00 pm. Do not double."
        assert s.doses()[FIRST] == "skipped (advised)"


@pytest.mark.parametrize(
    ("when", "answer"), [("15:00", "you can take the Mon 2:00 pm dose until Mon 6:00 pm"), ("19:00", "leave out the Mon 2:00 pm dose")]
)
def test_two_missed(when: str, answer: str) -> None:
    """Of two missed doses one at most is taken: the current slot's."""
    with stage() as s:
        s.says("missed my 8am and my 2pm", f"03-02 {when}")

        assert any(words.startswith(answer) for words in since(s, f"03-02 {when}"))
        assert not any("8:00 am dose until" in words for words in since(s, f"03-02 {when}"))
        assert s.doses()[FIRST] == "missed"


def test_an_earlier_one_asked_about() -> None:
    """Asked about the morning's dose in the afternoon, the answer is about the afternoon's."""
    with stage() as s:
        s.says("missed my 8am", "03-02 15:00")

        assert (last(s).split(" until")[0], s.doses()[FIRST]) == ("you can take the Mon 2:00 pm dose", "missed")


def test_late_question_about_a_taken_dose() -> None:
    """A dose that is down as taken is never to be taken now."""
    with stage() as s:
        s.says("1", "03-02 08:05")
        s.says("can I still take my 8am?", "03-02 09:00")

        assert last(s).startswith("your Mon 8:00 am dose is already down as taken.")


def test_taken_and_then_not_taken() -> None:
    """A contradiction keeps both, is shown to staff, and brings no "take it now"."""
    with stage() as s:
        s.says("1", "03-02 08:05")
        s.says("2", "03-02 08:30")

        assert (s.doses()[FIRST], bool(dose(s)["contradicted"]), s.open_alerts()) == ("missed", True, {"contradiction"})
        assert "you can take" not in last(s)


def test_missed_in_hindsight() -> None:
    """Not taken, told after the close, is reported as missed; nothing is advised about it."""
    with stage("03-02 20:30") as s:
        s.says("I did not take my 8am", "03-02 20:31")

        assert (s.doses()[FIRST], last(s).split(",")[0]) == ("missed", "thank you")


def test_unsure_never_says_take_it() -> None:
    """Who is not sure whether it was taken is told to call."""
    with stage() as s:
        s.says("not sure if I took it", "03-02 09:00")

        assert (last(s).split(".")[0], s.open_alerts()) == ("we cannot answer this by text", {"unsure"})


# --- odd ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer", "alert"),
    [
        ("I took two", "thank you for telling us. Call 202 555 0100 or Poison Help 1-800-222-1222 now.", "took_more"),
        ("took half", "thank you for telling us. Do not take more to make up for it.", "took_less"),
        ("threw up after it", "thank you for telling us. Do not take more to make up for it.", "took_less"),
    ],
)
def test_odd_is_told_and_the_next_one_waits(text: str, answer: str, alert: str) -> None:
    """Two, half, or thrown up: kept as told, alerted, and the next reminder asks to call first."""
    with stage() as s:
        s.says(text, "03-02 08:20")
        first = last(s)
        s.run_until("03-02 14:00")

        assert first.startswith(answer)
        assert (s.doses()[FIRST], alert in s.open_alerts()) == (f"taken ({dose(s)['reason']})", True)
        assert last(s).startswith("before you take your Mon 2:00 pm dose, please call 202 555 0100.")


def test_announced_again_when_a_person_has_looked() -> None:
    """After somebody has looked at it, the reminders go on."""
    with stage() as s:
        s.says("I took two", "03-02 08:20")
        s.acts("acknowledge", "03-02 10:00", reason="spoke to her")
        s.run_until("03-02 14:00")

        assert last(s).startswith("Mon 2:00 pm dose: 1 tablet of 5 mg.")


def test_no_advice_while_it_is_odd() -> None:
    """While nobody has looked at it, the rule does not answer either."""
    with stage() as s:
        s.says("took half", "03-02 08:20")
        s.says("can I take my 2pm late?", "03-02 15:00")

        assert last(s).startswith("we cannot answer this by text.")


# --- which question -------------------------------------------------------------------------------------------------


def test_a_digit_answers_the_last_question() -> None:
    """With an older question open, a bare digit answers the last one asked."""
    with stage() as s:
        s.says("1", "03-02 13:50")
        s.run_until("03-02 14:00")
        s.says("1", "03-02 14:05")

        assert (s.doses()[SECOND], dose(s)["taken_at"]) == ("taken", None)


def test_two_questions_one_not_proved_delivered() -> None:
    """If the last question may not have been read yet, it is asked once which dose is meant; the answer is taken."""
    with stage() as s:
        s.says("1", "03-02 13:50")
        s.carrier("sent")
        s.run_until("03-02 14:00")
        s.says("1", "03-02 14:01")
        assert last(s) == "which dose do you mean? 1 the Mon 8:00 am one, 2 the Mon 2:00 pm one, 3 neither. Never take extra to catch up."
        s.says("the 2pm one", "03-02 14:02")

        assert (s.doses()[SECOND], dose(s)["taken_at"]) == ("taken", None)


def test_neither() -> None:
    """Neither of two: a person asks, and no state changes."""
    with stage() as s:
        s.says("1", "03-02 13:50")
        s.carrier("sent")
        s.run_until("03-02 14:00")
        s.says("1", "03-02 14:01")
        s.carrier("delivered")
        s.says("neither", "03-02 14:02")

        assert (s.doses()[SECOND], "which_dose" in s.open_alerts()) == ("open", True)


def test_a_nudge_asks_the_same() -> None:
    """The nudge and the reminder ask the same: one answer closes both."""
    with stage("03-02 09:05") as s:
        s.says("1")

        assert (s.doses()[FIRST], [row["kind"] for row in s.rows("question") if row["answered_at"] is None]) == ("taken", [])


def test_why_not_taken() -> None:
    """The reason is kept, and one that cannot wait does not."""
    with stage("03-02 20:00") as s:
        assert "question" in {purpose for _, purpose in s.purposes()}
        s.says("out of medicine", "03-02 20:10")

        assert "out_of_medicine" in s.open_alerts()


def test_no_more_is_a_reason_too() -> None:
    """Asked why, "no more" may be none left: that does not wait, and whether the texts were meant is for a person."""
    with stage("03-02 08:05") as s:
        s.says("2")
        s.says("2", "03-02 14:05")
        s.run_until("03-02 18:05")
        assert "why_not_taken" in {row["kind"] for row in s.rows("question") if row["answered_at"] is None}
        s.says("no more", "03-02 18:10")

        assert {"out_of_medicine", "wants_to_stop"} <= s.open_alerts()
        assert "texts_stopped" not in s.open_alerts()


# --- several medicines and several people ---------------------------------------------------------------------------


def two_plans() -> File:
    """Ana with two plans of one ingredient, both due at eight, each with her own label."""
    blue = plan(phase("5", times=["08:00"]), label="A, blue cap", ref="blue")
    red = plan(phase("5", times=["20:00"]), label="B, red cap", ref="red")
    return patient(blue, red)


def test_an_answer_names_the_plan() -> None:
    """Advice to somebody with two plans says which of them it is about."""
    with stage("03-02 08:00", two_plans()) as s:
        s.says("2", "03-02 09:00")

        assert last(s).startswith("you can take the Mon 8:00 am (A) dose until")


def test_a_label_answers_for_its_plan() -> None:
    """A letter means the dose of that plan."""
    with stage("03-02 20:00", two_plans()) as s:
        s.says("B taken", "03-02 20:05")

        assert (s.doses("red")[FIRST], s.doses("blue")[FIRST]) == ("taken", "open")


def together(monkeypatch: pytest.MonkeyPatch, until: str = "03-02 08:00") -> Stage:
    """Ana with two medicines, whose doses of eight o'clock travel in one text."""
    other = shelve_another_medicine(monkeypatch)
    blue = plan(phase("5", times=["08:00"]), label="A, blue cap", ref="blue")
    red = plan(phase("5", times=["08:00"]), label="B, red cap", ref="red", drug=other)
    return stage(until, patient(blue, red))


@pytest.mark.parametrize(
    ("text", "blue", "red"),
    [
        ("1", "taken", "taken"),
        ("A", "taken", "open"),
        ("b", "open", "taken"),
        ("both", "taken", "taken"),
        ("A taken, B skipped", "taken", "open"),
    ],
)
def test_one_text_for_two_medicines(monkeypatch: pytest.MonkeyPatch, text: str, blue: str, red: str) -> None:
    """One digit answers for both, a letter for one."""
    with together(monkeypatch) as s:
        s.says(text, "03-02 08:10")

        assert ([purpose for _, purpose in s.purposes()][:1], s.doses("blue")[FIRST], s.doses("red")[FIRST]) == (["reminder"], blue, red)


def test_answers_of_one_kind_are_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of two medicines taken: each has its own advice, and says which it is about."""
    with together(monkeypatch) as s:
        s.says("2", "03-02 08:30")

        assert {words.split(" until")[0] for words in since(s, "03-02 08:30")} == {
            "you can take the Mon 8:00 am (A) dose",
            "you can take the Mon 8:00 am (B) dose",
        }


def test_the_rest_of_a_text_for_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """After "A", the question stands for B alone."""
    with together(monkeypatch) as s:
        s.says("A", "03-02 08:10")
        s.says("2", "03-02 12:30")

        assert (s.doses("blue")[FIRST], s.open_alerts()) == ("taken", set())
        assert dose(s, FIRST, "red")["answered"]


def late_together(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Ana with two medicines, of whose doses of eight o'clock two late reminders told her at once, after an outage of ours."""
    s = together(monkeypatch, "03-02 07:30")
    s.outage("03-02 08:20")
    s.run_until("03-02 08:25")
    return s


@pytest.mark.parametrize("text", ["1", "taken", "yes"])
def test_two_reminders_at_once_for_one_patient(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What names no medicine is asked about, once; the other dose's question stays, and is answered next."""
    with late_together(monkeypatch) as s:
        s.says(text)
        asked = last(s)
        s.says("2", "03-02 08:26")
        between = (s.doses("blue")[FIRST], s.doses("red")[FIRST])
        s.says(text, "03-02 08:28")

        assert [words.partition(":")[0] for words in since(s, "03-02 08:00")[:2]] == ["sorry, late", "sorry, late"]
        assert asked.startswith("which dose do you mean? 1 the Mon 8:00 am (A) one, 2 the Mon 8:00 am (B) one, 3 neither.")
        assert (between, s.doses("blue")[FIRST], s.doses("red")[FIRST]) == (("open", "taken"), "taken", "taken")


def test_a_letter_after_two_reminders_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter names its medicine: nothing is asked."""
    with late_together(monkeypatch) as s:
        s.says("B")

        assert (s.doses("blue")[FIRST], s.doses("red")[FIRST], "which_dose" in {row["template"] for row in s.rows("text_out")}) == (
            "open",
            "taken",
            False,
        )


def test_a_problem_after_two_reminders_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A problem does not wait for which dose is meant; both are still asked about."""
    with late_together(monkeypatch) as s:
        s.says("3")

        assert ("problem" in s.open_alerts(), [row["template"] for row in s.rows("text_out") if row["kind"] != "reminder"]) == (
            True,
            ["problem"],
        )
        assert [row["answered_at"] for row in s.rows("question") if row["kind"] == "dose"] == [None, None]


def children() -> list[File]:
    """Two children whose father's phone answers for both, each with a dose at eight."""

    def child(ref: str, name: str, phone: str) -> File:
        mine = plan(phase("5", times=["08:00"]), ref=f"{ref}-plan")
        return patient(mine, ref=ref, name=name, phone=phone, consent=a_consent(name), caregivers=[a_proxy()])

    return [child("ema", "Ema Berg", "+12025550110"), child("kim", "Kim Berg", "+12025550111")]


def test_a_shared_phone_is_asked_for_whom() -> None:
    """One digit for two children's doses of the same minute is asked about, with their initials; the answer is by proxy."""
    with stage("03-02 08:00", *children()) as s:
        s.says("1", "03-02 08:10", phone=OTTO)
        asked = last(s, OTTO)
        s.says("2", "03-02 08:11", phone=OTTO)

        states = {s.doses("ema-plan")[FIRST], s.doses("kim-plan")[FIRST]}
        assert "(EB)" in asked
        assert "(KB)" in asked
        assert (states, said_by(s)) == ({"taken", "open"}, {"proxy"})


def test_a_caregiver_answers_only_what_caregivers_are_asked() -> None:
    """A caregiver's digit, with no question of theirs open, changes nothing."""
    with stage() as s:
        s.says("1", "03-02 08:10", phone=RUI)

        assert (s.doses()[FIRST], s.purposes(to=RUI)) == ("open", [("03-02 08:10", "menu")])


def test_a_caregiver_will_check() -> None:
    """Asked to check on Ana, Rui's "1" takes the alert on and answers nothing for her."""
    with stage("03-02 18:30") as s:
        assert s.purposes(to=RUI)[-1][1] == "caregiver_alert"
        s.says("1", "03-02 18:40", phone=RUI)

        assert last(s, RUI).startswith("thank you for checking on Ana.")
        assert s.doses()[SECOND] == "open"


def test_a_caregiver_can_call_for_help() -> None:
    """A danger sign from a caregiver's phone is told at once, for the patient."""
    with stage() as s:
        s.says("she is having a seizure", "03-02 08:10", phone=RUI)

        assert (last(s, RUI)[: len(EMERGENCY)], "red_flag" in s.open_alerts()) == (EMERGENCY, True)


# --- the end of texts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["STOP", "stop", "Stop please", "unsubscribe", "stop texting me", "no more texts", "no mas mensajes", "alto"]
)
def test_stop_in_any_wording(text: str) -> None:
    """STOP ends texting at once: it is confirmed once, the clinic told, and no dose is announced any more."""
    with stage() as s:
        s.says(text, "03-02 08:10")
        s.run_until("03-03 09:00")

        words = "no more texts. This ends the texts, not your medicine: please do not stop it without calling 202 555 0100."
        assert since(s, "03-02 08:10") == [f"{words} Reply START for texts again."]
        assert (s.doses()[SECOND], "texts_stopped" in s.open_alerts()) == ("not_reminded (opted_out)", True)
        assert {row["kind"] for row in s.rows("consent")} == {"given", "revoked"}


def test_stop_twice_is_confirmed_once() -> None:
    """STOP said again brings no second text and no second alert."""
    with stage() as s:
        s.answers("03-02 08:10", "03-02 08:11", text="STOP")

        assert [purpose for _, purpose in s.purposes()] == ["reminder", "opt_out"]
        assert [kind for _, kind, _ in s.alerts()].count("texts_stopped") == 1


def test_stop_takes_back_what_is_queued() -> None:
    """A text still waiting to be sent is taken back; its dose was not reminded of."""
    with stage() as s:
        for sid, text in (("SM1", "2"), ("SM2", "STOP")):
            replying.receive(s.engine, sid=sid, from_phone=ANA, to_phone="", body=text, received_at=s.now, now=s.now)
        s.driver.settle()

        assert [purpose for _, purpose in s.purposes()] == ["reminder", "opt_out"]
        assert {row["state"] for row in s.rows("text_out") if row["kind"] == "advice"} == {"cancelled"}


def test_stop_alerts_for_every_patient_behind_the_number() -> None:
    """STOP is the number's: each patient behind it has an alert."""
    with stage("03-02 08:00", *children()) as s:
        s.says("stop", "03-02 08:10", phone=OTTO)

        assert sum(row["kind"] == "texts_stopped" for row in s.rows("alert")) == 2
        assert {row["given_by"] for row in s.rows("consent") if row["kind"] == "revoked"} == {"proxy"}


def test_a_caregivers_stop_is_their_own() -> None:
    """A caregiver's STOP ends the caregiver's texts and not the patient's."""
    with stage() as s:
        s.says("STOP", "03-02 08:10", phone=RUI)
        s.run_until("03-02 14:00")

        assert s.purposes()[-1] == ("03-02 14:00", "reminder")
        assert {row["given_by"] for row in s.rows("consent") if row["kind"] == "revoked"} == {"caregiver"}


def test_start_takes_texts_up_again() -> None:
    """START lifts STOP where consent is on record, closes the alert, and the next dose is announced."""
    with stage() as s:
        s.says("STOP", "03-02 08:10")
        s.says("START", "03-02 10:00")
        s.run_until("03-02 14:00")

        assert [purpose for _, purpose in s.purposes()[-2:]] == ["opt_in", "reminder"]
        assert "texts_stopped" not in s.open_alerts()


@pytest.mark.parametrize("text", ["I stopped taking it", "stopped taking my pills", "deje de tomar la medicina"])
def test_the_medicine_stopped_is_never_an_opt_out(text: str) -> None:
    """Words such as "I stopped taking it" warn and alert urgently, and the texts go on."""
    with stage() as s:
        s.says(text, "03-02 08:10")
        warned = last(s)
        s.run_until("03-02 14:00")

        assert warned.startswith("stopping suddenly can be dangerous.")
        assert ("stopped_taking" in s.open_alerts(), s.purposes()[-1]) == (True, ("03-02 14:00", "reminder"))


def test_wrong_number() -> None:
    """Somebody else's phone is told so once, and gets nothing more."""
    with stage() as s:
        s.says("wrong number", "03-02 08:10")
        s.run_until("03-02 15:00")

        assert since(s, "03-02 08:10") == ["sorry about that. We will send no more texts to this number."]
        assert (s.doses()[SECOND], "wrong_number" in s.open_alerts()) == ("not_reminded (unverified)", True)


# --- what does not wait ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["I had a seizure", "1, but I can't stay awake", "2 and I am seeing things"])
def test_danger(text: str) -> None:
    """A danger sign is answered with the emergency text, alone or among other words, and never with "take it now"."""
    with stage() as s:
        s.says(text, "03-02 08:10")
        answers = since(s, "03-02 08:10")

        assert (answers[0][: len(EMERGENCY)], "red_flag" in s.open_alerts()) == (EMERGENCY, True)
        assert not any("you can take" in words for words in answers)


def test_danger_beside_an_answer() -> None:
    """Beside a danger sign the answer is kept too."""
    with stage() as s:
        s.says("1, but I can't stay awake", "03-02 08:10")

        assert s.doses()[FIRST] == "taken"


def test_no_danger() -> None:
    """A danger sign that is denied is shown to a person, and frightens nobody."""
    with stage() as s:
        s.says("no seizures, took it", "03-02 08:10")

        assert (since(s, "03-02 08:10"), s.doses()[FIRST], s.open_alerts()) == ([], "taken", {"red_flag"})


def test_self_harm() -> None:
    """Words of wanting to die bring the crisis line and an alert."""
    with stage() as s:
        s.says("I want to die", "03-02 08:10")

        assert (last(s)[:18], s.open_alerts()) == ("you are not alone.", {"self_harm"})


def test_out_of_medicine_and_out_again() -> None:
    """Out of medicine is told at once; closed by a refill, it can be told again the same day, and is told once while open."""
    with stage() as s:
        s.answers("03-02 08:10", "03-02 08:20", text="I ran out of pills")
        assert sum(row["kind"] == "out_of_medicine" for row in s.rows("alert")) == 1
        s.says("got my refill", "03-02 10:00")
        assert "out_of_medicine" not in s.open_alerts()
        s.says("out of pills again", "03-02 11:00")

        assert "out_of_medicine" in s.open_alerts()


def test_nobody_is_watching() -> None:
    """Outside clinic hours who writes something for a person is told, once, that nobody reads it now."""
    with stage("03-02 20:00") as s:
        s.answers("03-02 20:10", "03-02 20:15", text="3")

        told = [words for words in since(s, "03-02 20:10") if words.startswith("nobody reads texts here until Tue 8:00 am.")]
        assert len(told) == 1


# --- strangers, riddles and repeats ---------------------------------------------------------------------------------


def test_unknown_number() -> None:
    """What a number nobody knows writes is kept, and brings no text of ours: none reveals who is enrolled."""
    with stage() as s:
        s.says("1", "03-02 08:10", phone=STRANGER)

        assert ([row["clinic_id"] for row in s.rows("text_in")], s.texts(to=STRANGER)) == ([None], [])


def test_not_understood() -> None:
    """What cannot be understood brings one short menu, is shown to staff, and changes nothing."""
    with stage() as s:
        s.says("blorp the wug", "03-02 08:10")

        assert (s.purposes()[-1], s.doses()[FIRST], s.open_alerts()) == (("03-02 08:10", "menu"), "open", {"unreadable"})
        assert [row["understood"] for row in s.rows("text_in")] == [False]


def test_a_digit_and_words_that_contradict() -> None:
    """A digit and words that say the opposite say nothing together: it is not guessed at."""
    with stage() as s:
        s.says("2 took it", "03-02 08:10")

        assert (s.doses()[FIRST], s.open_alerts()) == ("open", {"unreadable"})


def test_the_same_text_twice_is_one() -> None:
    """A text the carrier hands over again does nothing."""
    with stage() as s:
        for _ in range(3):
            replying.receive(s.engine, sid="SM1", from_phone=ANA, to_phone="", body="2", received_at=s.now, now=s.now)
        s.driver.settle()

        assert (len(s.rows("text_in")), [kind for _, kind in s.purposes()]) == (1, ["reminder", "advice"])


def test_several_meanings_each_take_effect() -> None:
    """A dose taken, a call wanted and a side effect, in one text: each has its own consequence."""
    with stage() as s:
        s.says("took it. please call me. I feel sick", "03-02 08:10")

        assert (s.doses()[FIRST], s.open_alerts()) == ("taken", {"call_me", "problem"})
        assert {purpose for _, purpose in s.purposes()[1:]} == {"answer"}
        assert len(s.texts()) == 3


def test_suspended_is_never_told_to_take() -> None:
    """Of a suspended plan, no answer says that a dose can be taken."""
    with stage() as s:
        s.acts("suspend", "03-02 08:30", reason="kidney values")
        s.says("missed my 8am", "03-02 09:00")

        assert last(s).startswith("we cannot answer this by text.")


def test_taken_though_nothing_is_due() -> None:
    """A dose taken while the plan is suspended is asked about, and told to a person."""
    with stage() as s:
        s.says("1", "03-02 08:05")
        s.acts("suspend", "03-02 09:00", reason="kidney values")
        s.says("took my 2pm", "03-02 14:10")

        assert last(s).startswith("your plan has no dose Mon 2:10 pm. Did you take one?")
        assert {"took_unknown"} <= s.open_alerts()


def test_moved_and_taken() -> None:
    """A dose that a move left out is asked about when it is told as taken."""
    with stage() as s:
        s.says("1", "03-02 08:05")
        s.acts("move_zone", "03-02 08:10", zone="Europe/London")
        assert "not_due (moved)" in s.doses().values()
        s.says("took my 2pm", "03-02 09:10")

        assert last(s).startswith("your plan has no dose Mon 2:00 pm. Did you take one?")
        assert "took_when_not_due" in s.open_alerts()


def test_spanish() -> None:
    """A patient who reads Spanish is answered in Spanish, with Spanish weekdays."""
    with stage(language="es") as s:
        s.says("se me olvido la de las 8", "03-02 11:40")

        assert "lun 12:00" in last(s)


def test_times_are_the_patients_own() -> None:
    """A patient in another zone than the clinic reads their own clock."""
    west = patient(plan(zone="America/Los_Angeles"), zone="America/Los_Angeles")
    with stage("03-02 11:00", west) as s:
        s.says("missed my 8am", "03-02 14:40")

        assert "until Mon 12:00 pm" in last(s)


def test_nothing_of_anybody_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """No log line, however detailed, names a phone, a person or their words."""
    caplog.set_level(logging.DEBUG)
    with stage() as s:
        s.says("blorp, call me, I feel dizzy", "03-02 08:10")
        s.says("STOP", "03-02 08:20")
        s.says("hello", "03-02 08:30", phone=STRANGER)

    lines = " ".join(record.getMessage() for record in caplog.records)
    assert [word for word in ("2025550", "Ana", "Silva", "blorp", "dizzy", "hello") if word in lines] == []


def test_a_caregiver_of_one_and_patient_oneself() -> None:
    """Who is a patient and another's caregiver on one phone answers for themselves."""
    rui = patient(plan(ref="rui-plan"), ref="rui", name="Rui Silva", phone=RUI, consent=a_consent("Rui Silva"))
    with stage("03-02 08:00", patient(caregivers=[a_caregiver()]), rui) as s:
        s.says("1", "03-02 08:10", phone=RUI)

        assert (s.doses("rui-plan")[FIRST], s.doses()[FIRST], said_by(s)) == ("taken", "open", {"patient"})


# --- a weekly medicine ----------------------------------------------------------------------------------------------


def weekly() -> File:
    """Ana with an injection every Monday at nine."""
    every = phase("0.25", times=["09:00"], every=7)
    return patient(plan(every, drug="semaglutide-ozempic", advance="as_prescribed", start="03-16"))


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (
            "03-20 10:00",
            "you can take the Mon 16 Mar dose until Sat 9:00 am; after that skip it. One dose only. Next dose Mon 23 Mar as usual.",
        ),
        ("03-21 09:01", "leave out the Mon 16 Mar dose: the next one is too near. Take only your next dose, Mon 23 Mar."),
    ],
)
def test_doses_a_week_apart_are_told_by_their_dates(asked: str, answer: str) -> None:
    """Dose and next dose would both be "Mon 9:00 am", the one to leave out and the one to take: their dates tell them apart."""
    with stage("03-16 09:00", weekly()) as s:
        s.says("can I still take it", asked)

        assert s.texts("advice")[-1][1].startswith(answer)
