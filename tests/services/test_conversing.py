"""Writing to a patient in one's own words, taking the conversation over, and what the machine then leaves to a person."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine

from db.engine import reading, writing
from db.tables import metadata
from reminders.domain.roles import StaffRole
from reminders.domain.taking_over import HOLDS_FOR
from reminders.errors import BadFile, NotAllowed, UnknownPatient
from reminders.services import charting, conversing, staffing
from reminders.services.charting import Kind, Timeline
from reminders.services.conversing import Conversation, Written
from reminders.services.records import people, plans, timelines
from tests.files import a_consent
from tests.stage import ANA, RUI, Stage, patient, phase, plan

CLINIC, HADDAD, LEE = "harbor-clinic", "Dr. Noor Haddad", "Nurse Lee"
KEY = "k" * 24


def ana(stage: Stage) -> str:
    """Her id."""
    return next(str(row["id"]) for row in stage.rows("patient") if row["ref"] == "ana")


def writes(stage: Stage, words: str, *, by: str = HADDAD, key: str = KEY, takes_over: bool = False) -> Written:
    """Let somebody write to Ana; what leaves, leaves."""
    written = conversing.write(stage.engine, CLINIC, ana(stage), words, by=by, key=key, now=stage.now, takes_over=takes_over)
    stage.driver.settle()
    return written


def takes_over(stage: Stage, *, by: str = HADDAD) -> None:
    """Let somebody take the conversation over."""
    conversing.take_over(stage.engine, CLINIC, ana(stage), by=by, now=stage.now)


def talk(stage: Stage) -> Conversation:
    """Ana's conversation, its newest texts."""
    return conversing.conversation(stage.engine, CLINIC, ana(stage), by=HADDAD, now=stage.now)


def a_stage(engine: Engine | None = None) -> Stage:
    """Ana at noon of her first day, who took the dose of eight."""
    people = patient(plan(phase("5/5/5"), advance="as_prescribed"), told=True)
    stage = Stage.on_paper(people) if engine is None else Stage(engine, people)
    stage.answers("03-02 08:05")
    stage.run_until("03-02 12:00")
    return stage


def alerts(stage: Stage, kind: str = "unreadable") -> list[tuple[str, str]]:
    """The alerts of a kind: (severity, whose they are)."""
    return [(row["severity"], row["owner"]) for row in stage.rows("alert") if row["kind"] == kind]


# Writing


def test_a_person_writes(engine: Engine) -> None:
    """The words go out in the clinic's name, as one row; the page shows who wrote them, and what became of them."""
    with a_stage(engine) as stage:
        written = writes(stage, "Please call us about the dizziness.", by=LEE)
        last = talk(stage).said[-1]

        assert written == Written(stage.now, 1)
        assert stage.texts("staff_text") == [("03-02 12:00", "Please call us about the dizziness.")]
        assert (last.ours, last.by, last.standing, last.parts) == (True, LEE, "delivered", 1)


def test_sent_twice_it_is_one_text() -> None:
    """A form that is sent again writes no second text."""
    with a_stage() as stage:
        writes(stage, "Please call us.")
        stage.run_until("03-02 12:01")
        writes(stage, "Please call us.")

        assert len(stage.texts("staff_text")) == 1


@pytest.mark.parametrize(
    ("words", "key"), [("Reply 1 if better", KEY), ("", KEY), ("Please call us.", "short"), ("Please call us.", "'; --" + KEY)]
)
def test_what_may_not_be_written(words: str, key: str) -> None:
    """Words that answer for a dose, none at all, or a form that is no form of ours: nothing is stored."""
    with a_stage() as stage:
        with pytest.raises(BadFile) as bad:
            writes(stage, words, key=key)

        assert [fault.path for fault in bad.value.faults] == ["words"]
        assert stage.texts("staff_text") == []


def test_at_night_it_waits() -> None:
    """By night it waits for the morning, unless the patient has just written."""
    with a_stage() as stage:
        stage.run_until("03-02 22:00")
        waits = talk(stage).leaves_at
        writes(stage, "Please call us in the morning.")
        stage.says("I am still awake, can you help me", "03-02 22:10")
        writes(stage, "We are here, call the night line.", key="l" * 24)
        stage.run_until("03-03 09:00")

        assert waits is not None
        assert stage.texts("staff_text") == [
            ("03-02 22:10", "We are here, call the night line."),
            ("03-03 08:00", "Please call us in the morning."),
        ]


def test_whom_nobody_may_text() -> None:
    """Who ended the texts is not written to, whoever it is that writes."""
    with a_stage() as stage:
        stage.says("STOP")

        with pytest.raises(NotAllowed, match="ended the texts"):
            writes(stage, "Please call us.")
        assert talk(stage).line is not None
        assert talk(stage).line.may_text == "ended the texts (STOP)"  # type: ignore[union-attr]


def test_stop_overtakes_what_waits() -> None:
    """A text that waits for the morning does not leave after STOP."""
    with a_stage() as stage:
        stage.run_until("03-02 22:00")
        writes(stage, "Please call us in the morning.")
        stage.says("STOP", "03-03 07:00")
        stage.run_until("03-03 09:00")

        assert stage.texts("staff_text") == []


def test_who_may() -> None:
    """Who cares for the patients may; another clinic finds nobody; without a phone there is nobody to write to."""
    with a_stage() as stage:
        staffing.add(stage.engine, CLINIC, "Kim Park", {StaffRole.ADMIN}, now=stage.now)
        with pytest.raises(NotAllowed, match="Kim Park"):
            writes(stage, "Please call us.", by="Kim Park")
        with pytest.raises(UnknownPatient):
            conversing.take_over(stage.engine, CLINIC, "nobody", by=HADDAD, now=stage.now)
        with writing(stage.engine) as c:
            c.execute(metadata.tables["contact_role"].delete())
        with pytest.raises(NotAllowed, match="no phone"):
            writes(stage, "Please call us.")
        assert (talk(stage).line, talk(stage).said) == (None, ())


def test_a_yes_to_a_person_is_no_dose() -> None:
    """A bare yes answers what was asked last: what a person wrote, and not the dose that is open; a digit is still the dose's."""
    with a_stage() as stage:
        stage.run_until("03-02 14:05")
        writes(stage, "Are you still dizzy? Tell us in your own words.")
        stage.says("yes", "03-02 14:10")
        open_one = stage.doses()["03-02/2"]
        stage.says("1", "03-02 14:11")

        assert open_one == "open"
        assert alerts(stage) == [("info", "clinic")]
        assert stage.doses()["03-02/2"] == "taken"


# Taking over


def test_what_is_not_understood_goes_to_the_person(engine: Engine) -> None:
    """While it is taken over there is no menu, and the text is theirs, by a deadline; before and after, the menu comes as ever."""
    with a_stage(engine) as stage:
        stage.says("blue elephants", "03-02 12:01")
        takes_over(stage)
        stage.says("green elephants", "03-02 12:02")
        held = talk(stage).takeover
        conversing.hand_back(stage.engine, CLINIC, ana(stage), by=LEE, now=stage.now)
        stage.says("red elephants", "03-02 12:03")

        assert [at for at, _ in stage.texts("menu")] == ["03-02 12:01", "03-02 12:03"]
        assert alerts(stage) == [("info", "clinic"), ("warning", HADDAD), ("info", "clinic")]
        assert held is not None
        assert (held.by, held.until - held.began_at) == (HADDAD, HOLDS_FOR)
        assert talk(stage).takeover is None


def test_it_ends_by_itself() -> None:
    """After four hours the machine answers again: whoever took it over may have gone home."""
    with a_stage() as stage:
        takes_over(stage)
        stage.run_until(stage.now + HOLDS_FOR)
        stage.says("red elephants")

        assert [at for at, _ in stage.texts("menu")] == ["03-02 16:00"]


def test_what_works_as_ever() -> None:
    """Reminders, answers about doses, danger signs and STOP do not wait for anybody."""
    with a_stage() as stage:
        takes_over(stage)
        stage.says("1", "03-02 14:02")
        stage.says("I had a seizure", "03-02 14:30")
        stage.says("STOP", "03-02 15:00")

        assert [purpose for at, purpose in stage.purposes() if at > "03-02 12:00"] == ["reminder", "emergency", "opt_out"]
        assert stage.doses()["03-02/2"] == "taken"
        assert {"red_flag", "texts_stopped"} <= stage.open_alerts()


def test_two_things_at_once_go_to_the_person() -> None:
    """An answer that contradicts itself is not guessed at, and not asked about by the machine either."""
    with a_stage() as stage:
        stage.run_until("03-02 14:01")
        takes_over(stage)
        stage.says("1 2")

        assert stage.doses()["03-02/2"] == "open"
        assert stage.texts("menu") == []
        assert alerts(stage) == [("warning", HADDAD)]


def test_a_caregivers_text_is_not_the_patients() -> None:
    """Who is only told gets the machine's answer: it is the patient's conversation that was taken over."""
    with a_stage() as stage:
        takes_over(stage)
        stage.says("blue elephants", phone=RUI)

        assert [at for at, _ in stage.texts("menu", to=RUI)] == ["03-02 12:00"]


def test_an_answer_is_about_whom_it_was_asked() -> None:
    """On a phone of two, a yes to what was asked about one is shown on that one, though a person has the other's conversation."""
    berta: dict[str, Any] = {"ref": "berta", "name": "Berta Silva", "phone": ANA, "consent": a_consent("Berta Silva")}
    with Stage.on_paper(patient(), patient(plan(ref="berta-baclofen"), **berta)) as stage:
        stage.run_until("03-02 12:00")
        other = next(str(row["id"]) for row in stage.rows("patient") if row["ref"] == "berta")
        conversing.take_over(stage.engine, CLINIC, other, by=LEE, now=stage.now)
        writes(stage, "Is Ana still dizzy?")
        stage.says("yes", "03-02 12:05")
        shown = [(row["patient_id"], row["severity"], row["owner"]) for row in stage.rows("alert") if row["kind"] == "unreadable"]
        takes_over(stage)
        writes(stage, "Is Ana dizzy now?", key="j" * 24)
        stage.says("no", "03-02 12:10")

        assert shown == [(ana(stage), "info", "clinic")]
        assert alerts(stage) == [("info", "clinic"), ("warning", HADDAD)]


def test_from_one_hand_to_another() -> None:
    """Who takes it over from somebody has it; each change is in the audit, and handing back what nobody has is none."""
    with a_stage() as stage:
        takes_over(stage, by=LEE)
        writes(stage, "Please call us.", takes_over=True)
        held = talk(stage).takeover
        done = [conversing.hand_back(stage.engine, CLINIC, ana(stage), by=LEE, now=stage.now) for _ in range(2)]
        acts = [(row["actor"], row["action"]) for row in stage.rows("audit") if row["action"].startswith("conversation")]

        assert held is not None
        assert held.by == HADDAD
        assert done == [True, False]
        assert acts == [(LEE, "conversation taken over"), (HADDAD, "conversation taken over"), (LEE, "conversation handed back")]


# Reading


def test_a_conversation_is_read_a_page_at_a_time(engine: Engine) -> None:
    """Page after page every text comes once, in order; each says what it was read as and which dose it decided."""
    with a_stage(engine) as stage:
        stage.answers(*(f"03-{day:02} {clock}" for day in range(2, 12) for clock in ("14:05", "20:05")))
        stage.says("two of 10 mg, I mean what now", "03-11 20:30")
        pages, place = [talk(stage)], talk(stage).before
        while place is not None:
            pages.append(conversing.conversation(stage.engine, CLINIC, ana(stage), by=HADDAD, now=stage.now, before=place))
            place = pages[-1].before
        every = [one for page in reversed(pages) for one in page.said]
        sent, heard = stage.rows("text_out"), stage.rows("text_in")

        assert len(pages) > 1
        assert len({one.id for one in every}) == len(every)
        assert {one.id for one in every} == {row["id"] for row in sent} | {row["sid"] for row in heard}
        first = next(one for one in every if not one.ours)
        assert (first.body, first.reading, [(link.on.day, link.number) for link in first.doses]) == ("1", ("Digit",), [(2, 1)])


def test_of_a_shared_phone_only_what_is_theirs() -> None:
    """What we sent about another patient on the same phone is not shown; what was written from it is, for nobody can tell about whom."""
    berta: dict[str, Any] = {"ref": "berta", "name": "Berta Silva", "phone": ANA, "consent": a_consent("Berta Silva")}
    with Stage.on_paper(patient(), patient(plan(ref="berta-baclofen"), **berta)) as stage:
        stage.run_until("03-02 08:01")
        mine = {row["id"] for row in stage.rows("text_out") if row["patient_id"] == ana(stage)}

        assert {one.id for one in talk(stage).said} == mine


def line(stage: Stage, *, kind: Kind | None = None) -> list[Timeline]:
    """Every page of Ana's timeline."""
    pages = [charting.timeline(stage.engine, CLINIC, ana(stage), by=HADDAD, now=stage.now, kind=kind)]
    while pages[-1].before is not None:
        pages.append(charting.timeline(stage.engine, CLINIC, ana(stage), by=HADDAD, now=stage.now, kind=kind, before=pages[-1].before))
    return pages


def test_a_timeline_is_read_a_page_at_a_time(engine: Engine) -> None:
    """Page after page every line comes once, newest first; of one kind, only those; what is to come stands on the first page."""
    asks = {"items": ["symptoms"]}
    people = patient(plan(phase("5/5/5", 3), phase("10/10/10"), advance="as_prescribed", check_ins=asks), told=True, medicines=["aspirin"])
    with Stage(engine, people) as stage:
        for day in range(2, 9):
            stage.answers(*(f"03-{day:02} {clock}" for clock in ("08:05", "14:05", "20:05")))
        stage.says("A2 B1", "03-08 20:10")
        stage.says("I had a seizure", "03-08 20:12")
        takes_over(stage, by=LEE)
        stage.acts("mute", "03-08 20:20")
        pages = line(stage)
        every = [entry for page in pages for entry in page.entries]
        found = {kind: [entry for page in line(stage, kind=kind) for entry in page.entries] for kind in Kind}

        assert len(pages) > 1
        assert [entry.at for entry in every] == sorted((entry.at for entry in every), reverse=True)
        assert len({entry.place for entry in every}) == len(every)
        assert sum(map(len, found.values())) == len(every)
        assert all(entry.kind is kind for kind, entries in found.items() for entry in entries)
        assert "baclofen: muted, step 2" in {entry.words for entry in found[Kind.PLANS]}
        assert ("told how it goes", "drowsiness 2, dizziness 1") in {(entry.words, entry.detail) for entry in found[Kind.HOW_IT_GOES]}
        assert ("conversation taken over", LEE) in {(entry.words, entry.by) for entry in found[Kind.ACTS]}
        assert any(entry.words.startswith("emergency alert: Danger sign") for entry in found[Kind.ALERTS])
        assert [page.coming == () for page in pages] == [False] + [True] * (len(pages) - 1)


def test_what_is_to_come() -> None:
    """The next doses, the step with its evening, and the next check-in, in order."""
    with Stage.on_paper(patient(plan(phase("5/5/5", 3), phase("10/10/10"), advance="as_prescribed"))) as stage:
        stage.run_until("03-03 12:00")
        coming = charting.timeline(stage.engine, CLINIC, ana(stage), by=HADDAD, now=stage.now).coming

        assert [one.words for one in coming] == [
            "baclofen: 5 mg due",
            "baclofen: 5 mg due",
            "baclofen: 5 mg due",
            "baclofen: the gate of the next step is looked at, and the step announced",
            "baclofen: step 2 begins",
        ]


def test_what_was_set_right_stands_in_it() -> None:
    """A correction leads to its dose."""
    with a_stage() as stage:
        stage.says("took two", "03-02 14:10")
        stage.acts("acknowledge", reason="called her")
        (entry,) = (entry for page in line(stage, kind=Kind.DOSES) for entry in page.entries)

        assert (entry.words, entry.detail, entry.by) == ("baclofen: set right to taken", "called her", HADDAD)
        assert entry.dose is not None
        assert (entry.dose.on.day, entry.dose.number) == (2, 2)


def test_what_is_of_one_instant_comes_once() -> None:
    """One line at a time: of several of one instant, in whatever rows they stand, each comes once, in the order of a whole page."""
    with a_stage() as stage:
        patient_id, plan_ids = ana(stage), [row["id"] for row in stage.rows("plan")]
        with reading(stage.engine) as c:
            her, mine = people.patients(c, [patient_id])[patient_id], plans.read(c, plan_ids)
            page_of = partial(timelines.page_of, c, her, mine, kinds=set(Kind), now=stage.now)
            whole, _ = page_of(before=None, limit=500)
            found, place = page_of(before=None, limit=1)
            while place is not None:
                more, place = page_of(before=place, limit=1)
                found = (*found, *more)

        assert len({entry.at for entry in whole}) < len(whole)
        assert found == whole


def test_a_code_is_not_shown() -> None:
    """A code that proves a number is between us and the phone: whoever is to hear it from the patient does not read it here."""
    with a_stage() as stage:
        with writing(stage.engine) as c:
            c.execute(metadata.tables["text_out"].update().values(purpose="verification", body="your code is 123456"))

        assert {one.body for one in talk(stage).said if one.ours} == {"your code is ••••••"}
