"""Caregivers' pages: what each may see, which links are good, and what is said of a dose there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta

import pytest
from sqlalchemy import Engine, event, select, update
from sqlalchemy.exc import OperationalError

from db.engine import writing
from db.tables import metadata
from reminders.domain.caring import LINK_HOLDS, Grant, Sees
from reminders.domain.dose_state import DoseState
from reminders.domain.signing_in import GUESSES_OF_ADDRESS, WINDOW
from reminders.errors import NotAllowed, NotFound, UnknownAlert, UnknownPatient
from reminders.services import caring
from reminders.services.caring import CarePage, Holder
from reminders.services.replying import on_page
from tests.files import File, a_consent, a_proxy
from tests.stage import ANA, RUI, Stage, patient, phase, plan

CLINIC, NURSE, HOME = "harbor-clinic", "Nurse Lee", "198.51.100.7"
OTTO = "+12025550105"
TODAY, STRIP = Grant(Sees.TODAY, answers=True), Grant(Sees.STRIP, answers=True)
SECOND = timedelta(seconds=1)


def stage(until: str = "03-02 08:10", *patients: File) -> Stage:
    """Ana on her first morning, and her brother Rui."""
    opened = Stage.on_paper(*(patients or [patient(told=True)]))
    opened.run_until(until)
    return opened


def whose(s: Stage, role: str = "caregiver", phone: str = RUI) -> tuple[str, str]:
    """The ids of Ana, and of Rui as her caregiver."""
    points = {row["phone"]: row["id"] for row in s.rows("contact_point")}
    (found,) = [row for row in s.rows("contact_role") if (row["contact_point_id"], row["role"]) == (points[phone], role)]
    return found["patient_id"], found["id"]


def agreed(s: Stage, grant: Grant = TODAY) -> None:
    """Note that Ana agreed to it."""
    caring.agree(s.engine, CLINIC, *whose(s), grant, agreed_by="Ana Silva", agreed_at=s.now, by=NURSE, now=s.now)


def link(s: Stage, **who: str) -> str:
    """What stands in a new link."""
    return caring.link(s.engine, CLINIC, *whose(s, **who), by=NURSE, now=s.now).token


def holds(s: Stage, token: str, *, address: str = HOME) -> Holder | None:
    """Who holds a link."""
    return caring.who(s.engine, token, address=address, now=s.now)


def reader(s: Stage, grant: Grant | None = TODAY, **who: str) -> Holder:
    """Rui with a link, and what Ana agreed to."""
    if grant is not None:
        agreed(s, grant)
    found = holds(s, link(s, **who))
    assert found is not None
    return found


def page(s: Stage, holder: Holder) -> CarePage:
    """What is shown now."""
    return caring.page(s.engine, holder, now=s.now)


def first(s: Stage) -> str:
    """The id of the first dose of all."""
    return str(min(s.rows("dose"), key=lambda row: row["due_at"])["id"])


# --- what each may see ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grant", "today", "days"),
    [
        (None, None, None),
        (Grant(Sees.ALERTS, answers=False), None, None),
        (Grant(Sees.TODAY, answers=False), 3, None),
        (Grant(Sees.STRIP, answers=False), 3, 14),
    ],
)
def test_what_is_seen_is_what_was_agreed(grant: Grant | None, today: int | None, days: int | None) -> None:
    """By default nothing but what the reader was told of; then today's doses; then the last fortnight's."""
    with stage() as s:
        shown = page(s, reader(s, grant))

        assert (shown.today and len(shown.today), shown.days and len(shown.days)) == (today, days)
        assert (shown.clinic, shown.name, shown.reader, shown.early) == ("Harbor Clinic", "Ana", "Rui Silva", None)


def test_who_answers_sees_the_doses() -> None:
    """Nobody answers for what they cannot see."""
    with pytest.raises(ValueError, match="sees today's doses"):
        Grant(Sees.ALERTS, answers=True)


def test_a_proxy_answers_whatever_is_agreed() -> None:
    """Who answers by text answers on the page too, and sees today's doses."""
    child = patient(phone=None, caregivers=[a_proxy(consent=a_consent("Otto Berg"), alerts=None)])
    with stage("03-02 08:10", child) as s:
        mine = reader(s, None, role="proxy", phone=OTTO)

        assert mine.grant == Grant(Sees.TODAY, answers=True)
        on_page.gave(s.engine, mine, first(s), now=s.now)
        assert (s.rows("dose")[0]["state"], s.rows("dose_event")[-1]["by"]) == ("taken", "proxy")


def test_a_newer_word_holds_at_once() -> None:
    """What the patient takes back is gone from a page that is open; what was agreed before stays on record."""
    with stage() as s:
        token = link(s)
        agreed(s, STRIP)
        agreed(s, Grant(Sees.ALERTS, answers=False))
        holder = holds(s, token)
        (found,) = caring.around(s.engine, CLINIC, whose(s)[0], now=s.now)

        assert holder is not None
        assert page(s, holder).today is None
        assert [(row["no"], row["sees"], row["answers"], row["agreed_by"], row["noted_by"]) for row in s.rows("care_grant")] == [
            (1, "strip", True, "Ana Silva", NURSE),
            (2, "alerts", False, "Ana Silva", NURSE),
        ]
        assert (found.grant, found.agreed is not None, found.no_page, found.link_until) == (holder.grant, True, "", s.now + LINK_HOLDS)


@pytest.mark.parametrize(("wording", "amount"), [("discreet", ""), ("amount", "1 tablet of 5 mg"), ("full", "baclofen: 1 tablet of 5 mg")])
def test_a_page_says_no_more_than_a_text(wording: str, amount: str) -> None:
    """No drug and no amount, unless the patient's texts name them."""
    with stage("03-02 08:10", patient(told=True, wording=wording)) as s:
        today = page(s, reader(s)).today

        assert today is not None
        assert {dose.amount for dose in today} == {amount}


# --- links ----------------------------------------------------------------------------------------------------------


def test_a_link_is_kept_as_a_hash() -> None:
    """Whoever reads the ledger holds no link."""
    with stage() as s:
        token = link(s)

        assert len(token) == 43
        assert token not in str([s.rows(name) for name in metadata.tables])


def _newer(s: Stage) -> None:
    link(s)


def _over(s: Stage) -> None:
    s.clock.advance(LINK_HOLDS)


def _another_number(s: Stage) -> None:
    role, point = metadata.tables["contact_role"], metadata.tables["contact_point"]
    row = next(row for row in s.rows("contact_point") if row["phone"] == RUI)
    with writing(s.engine) as c:
        c.execute(point.insert().values({**row, "id": "another", "phone": "+12025550188"}))
        c.execute(update(role).where(role.c.contact_point_id == row["id"]).values(contact_point_id="another"))


ENDS: dict[str, Callable[[Stage], None]] = {
    "a newer one": _newer,
    "a week": _over,
    "STOP": lambda s: s.says("STOP", phone=RUI),
    "a wrong number": lambda s: s.says("wrong number", phone=RUI),
    "another number": _another_number,
}


@pytest.mark.parametrize("end", ENDS)
def test_a_link_ends(end: str) -> None:
    """With a newer one, with its week, with the end of texts to its number, and with its number."""
    with stage() as s:
        token = link(s)
        before = holds(s, token)
        ENDS[end](s)

        assert (before is not None, holds(s, token)) == (True, None)


def test_a_link_holds_for_its_week() -> None:
    """To the last moment, however often it is opened."""
    with stage() as s:
        token = link(s)
        s.clock.advance(LINK_HOLDS - SECOND)

        assert [caring.enter(s.engine, token, address=HOME, now=s.now) is not None for _ in range(2)] == [True, True]


def test_texts_taken_up_again_bring_no_old_link_back() -> None:
    """After STOP and START a link made before is good no more: the phone may have changed hands."""
    with stage() as s:
        token = link(s)
        s.says("STOP", phone=RUI)
        s.says("START", "03-02 09:00", phone=RUI)

        assert holds(s, token) is None
        assert holds(s, link(s)) is not None


def test_nobody_without_texts_has_a_page() -> None:
    """To make a link for who ended the texts is refused, with the reason."""
    with stage() as s:
        s.says("STOP", phone=RUI)
        (found,) = caring.around(s.engine, CLINIC, whose(s)[0], now=s.now)

        with pytest.raises(NotAllowed, match="Rui Silva can have no page: they ended the texts"):
            link(s)
        assert found.no_page == "they ended the texts"


def test_who_made_and_opened_a_link_is_in_the_audit() -> None:
    """By name and role; the opening once."""
    with stage() as s:
        agreed(s)
        token = link(s)
        for _ in range(2):
            caring.enter(s.engine, token, address=HOME, now=s.now)
        mine = [(row["actor"], row["action"], row["detail"]) for row in s.rows("audit") if row["subject"] == whose(s)[1]]

        assert mine == [
            (NURSE, "caregiver's view agreed", "today, answers"),
            (NURSE, "caregiver's link made", ""),
            ("caregiver", "caregiver's page opened", ""),
        ]


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "'; DROP TABLE care_link; --"])
def test_what_nobody_made_is_nobodys(token: str) -> None:
    """A made-up link is none."""
    with stage() as s:
        link(s)

        assert holds(s, token) is None


def test_wrong_links_are_counted_by_address() -> None:
    """After fifty, the right one opens nothing from there either, for a quarter of an hour; elsewhere it does."""
    with stage() as s:
        token = link(s)
        for number in range(GUESSES_OF_ADDRESS):
            assert holds(s, f"wrong {number}") is None
        shut = holds(s, token), holds(s, token, address="198.51.100.8") is not None
        s.clock.advance(WINDOW)

        assert (*shut, holds(s, token) is not None) == (None, True, True)


@pytest.mark.parametrize("wrong", ["clinic", "patient", "role", "the patient's own role", "nobody on the list", "an admin"])
def test_links_are_made_for_people_around_ones_own_patients(wrong: str) -> None:
    """By who may care for patients, for a caregiver or proxy of a patient of the clinic."""
    with stage() as s:
        patient_id, role_id = whose(s)
        own = whose(s, "patient", ANA)[1]
        given = {
            "clinic": ("hill-clinic", patient_id, role_id, NURSE),
            "patient": (CLINIC, "nobody", role_id, NURSE),
            "role": (CLINIC, patient_id, "nobody", NURSE),
            "the patient's own role": (CLINIC, patient_id, own, NURSE),
            "nobody on the list": (CLINIC, patient_id, role_id, "Mallory"),
            "an admin": (CLINIC, patient_id, role_id, "Kim Park"),
        }[wrong]
        caring_for = {"clinic": NotAllowed, "patient": UnknownPatient, "nobody on the list": NotAllowed, "an admin": NotAllowed}

        with pytest.raises(caring_for.get(wrong, NotFound)):
            caring.link(s.engine, *given[:3], by=given[3], now=s.now)
        with pytest.raises(caring_for.get(wrong, NotFound)):
            caring.agree(s.engine, *given[:3], TODAY, agreed_by="Ana", agreed_at=s.now, by=given[3], now=s.now)
        assert (s.rows("care_link"), s.rows("care_grant")) == ([], [])


@pytest.mark.parametrize("does", [agreed, link], ids=["agree", "link"])
def test_two_who_write_down_of_one_patient_take_turns(postgres_engine: Engine, does: Callable[[Stage], object]) -> None:
    """While one holds the patient, another waits: no number of a view is given twice, and no two links are good."""
    with Stage(postgres_engine, patient(told=True)) as s:
        event.listen(postgres_engine, "begin", lambda c: c.exec_driver_sql("SET LOCAL lock_timeout = '50ms'"))
        with writing(postgres_engine) as c:
            row = metadata.tables["patient"]
            c.execute(select(row.c.id).with_for_update(read=True)).all()  # for this a row that only refers to the patient does not wait
            with pytest.raises(OperationalError, match="lock timeout"):
                does(s)
        found = [len(s.rows(name)) for name in ("care_grant", "care_link")]
        does(s)

        assert (found, len(s.rows("care_grant")) + len(s.rows("care_link"))) == ([0, 0], 1)


# --- what they were told of -----------------------------------------------------------------------------------------


def test_taking_on_what_one_was_told_of() -> None:
    """It is noted as an answer to the text would be; and no second answer is waited for."""
    with stage("03-02 20:00") as s:
        s.says("2", "03-02 08:20")
        s.says("2", "03-02 14:20")
        s.run_until("03-02 20:30")
        mine = reader(s, None)
        (before,) = page(s, mine).told
        for _ in range(2):
            caring.acknowledge(s.engine, mine, before.id, now=s.now)
        (after,) = page(s, mine).told
        questions = [row["answer"] for row in s.rows("question") if row["kind"] == "caregiver_check"]

        assert ((before.acknowledged_at, after.acknowledged_at), questions) == ((None, s.now), ["on the page"])
        assert [row["acknowledged_by"] for row in s.rows("alert") if row["kind"] == "caregivers_told"] == ["caregiver"]


def test_nobody_takes_on_what_they_were_not_told_of() -> None:
    """Neither what was told to the clinic, nor what was told to somebody else."""
    with stage("03-02 20:00") as s:
        s.says("2", "03-02 08:20")
        s.says("2", "03-02 14:20")
        s.says("1 dizzy", "03-02 15:00")
        s.run_until("03-02 20:30")
        mine = reader(s, None)
        others = [row["id"] for row in s.rows("alert") if row["kind"] != "caregivers_told"]
        told = next(row for row in s.rows("alert") if row["kind"] == "caregivers_told")
        with writing(s.engine) as c:
            c.execute(metadata.tables["alert"].insert().values({**told, "id": "theirs", "cause": "plan 2026 another-role"}))
        before = s.rows("alert")

        assert others
        for alert in (*others, "theirs", "nobody's"):
            with pytest.raises(UnknownAlert):
                caring.acknowledge(s.engine, mine, alert, now=s.now)
        assert s.rows("alert") == before


# --- "I gave it" ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "taken_at"), [(on_page.JUST_NOW, "13:10"), (on_page.WHEN_DUE, "13:00"), (time(8, 5), "13:05"), (time(7, 30), "12:30")]
)
def test_given(given: time | str, taken_at: str) -> None:
    """It is down as taken at that time, told by the caregiver; no word goes to anybody's phone."""
    with stage() as s:
        before = len(s.rows("text_out"))
        answer = on_page.gave(s.engine, reader(s), first(s), at=given, now=s.now)
        row = s.rows("dose")[0]

        assert (answer.state, answer.words, row["state"], f"{row['taken_at']:%H:%M}") == (DoseState.TAKEN, (), "taken", taken_at)
        assert ({event["by"] for event in s.rows("dose_event") if event["kind"] == "said_taken"}, len(s.rows("text_out"))) == (
            {"caregiver"},
            before,
        )


@pytest.mark.parametrize("given", [time(8, 11), time(6, 59), time(20), "in the morning"])
def test_a_time_that_cannot_have_been(given: time | str) -> None:
    """Still to come, or long before the dose: nothing is kept."""
    with stage() as s:
        mine, before = reader(s), s.rows("dose_event")

        with pytest.raises(on_page.NoSuchTime):
            on_page.gave(s.engine, mine, first(s), at=given, now=s.now)
        assert s.rows("dose_event") == before


def test_never_two_for_one() -> None:
    """What the patient took is not to be given again, and stays as it was told."""
    with stage() as s:
        mine = reader(s)
        s.says("1")
        before = s.rows("dose")
        answer = on_page.gave(s.engine, mine, first(s), now=s.now)
        on_page.what_now(s.engine, mine, first(s), now=s.now)

        assert "is already down as taken. Do not take it again." in answer.words[0]
        assert s.rows("dose") == before


@pytest.mark.parametrize(
    ("now", "said", "state"),
    [
        ("03-02 10:00", "you can take the Mon 8:00 am dose until Mon 12:00 pm", "open"),
        ("03-02 12:30", "leave out the Mon 8:00 am dose", "skipped"),
    ],
)
def test_what_the_rule_answers_is_shown_and_kept(now: str, said: str, state: str) -> None:
    """Not given yet: take it late, or leave it out; kept as what a text would have said."""
    with stage(now) as s:
        answer = on_page.what_now(s.engine, reader(s), first(s), now=s.now)
        kinds = [row["kind"] for row in s.rows("dose_event") if row["kind"].startswith("advised")]

        assert (said in answer.words[0], s.rows("dose")[0]["state"], kinds) == (
            True,
            state,
            ["advised_take" if state == "open" else "advised_skip"],
        )
        assert s.texts("advice") == []


def test_too_soon_after_another_brothers_dose() -> None:
    """One that was given late makes the next one wait, and the page says until when."""
    with stage("03-02 13:30") as s:
        mine = reader(s)
        on_page.gave(s.engine, mine, first(s), now=s.now)
        s.run_until("03-02 14:05")
        second = sorted(s.rows("dose"), key=lambda row: row["due_at"])[1]["id"]
        answer = on_page.what_now(s.engine, mine, str(second), now=s.now)

        assert "Wait until Mon 3:30 pm. Do not take two doses together." in answer.words[0]


def test_who_was_reminded_hears_of_a_dose_given_late() -> None:
    """A reminder that is out already is taken back, on the patient's phone; the page says it too."""
    with stage("03-02 14:03") as s:
        answer = on_page.gave(s.engine, reader(s), first(s), now=s.now)
        s.driver.settle()

        assert "too soon after your last dose. Wait until Mon 4:03 pm." in answer.words[0]
        assert s.texts(to=ANA)[-1][1].startswith("too soon after your last dose. Wait until Mon 4:03 pm.")


def test_given_before_it_is_due() -> None:
    """Within the hour before it, and then no reminder is sent; earlier than that there is none to tell of."""
    with stage("03-02 13:10") as s:
        mine = reader(s)
        near = page(s, mine).early
        assert near is not None
        answer = on_page.gave_early(s.engine, mine, near.slot, now=s.now)
        s.run_until("03-02 14:30")

        assert (near.when, answer.when, answer.state) == ("Mon 2:00 pm", "Mon 2:00 pm", DoseState.TAKEN)
        assert [at_ for at_, _ in s.texts("reminder")] == ["03-02 08:00"]
        with pytest.raises(NotAllowed, match="no single dose is near"):
            on_page.gave_early(s.engine, mine, near.slot, now=s.now)
        assert page(s, mine).early is None


def test_early_is_the_dose_that_was_shown() -> None:
    """A page that stood open for hours tells of the dose it shows, and of no later one that is near by now: that one is reminded of."""
    with stage("03-02 13:10") as s:
        mine = reader(s)
        near = page(s, mine).early
        s.run_until("03-02 19:10")
        later, before = page(s, mine).early, s.rows("dose_event")

        assert (near and near.when, later and later.when) == ("Mon 2:00 pm", "Mon 8:00 pm")
        for slot in (near.slot if near else "", ""):
            with pytest.raises(NotAllowed, match="no single dose is near"):
                on_page.gave_early(s.engine, mine, slot, now=s.now)
        assert s.rows("dose_event") == before
        s.run_until("03-02 20:01")
        assert [at_ for at_, _ in s.texts("reminder")][-1] == "03-02 20:00"


@pytest.mark.parametrize("grant", [None, Grant(Sees.ALERTS, answers=False), Grant(Sees.STRIP, answers=False)])
def test_who_only_looks_says_nothing(grant: Grant | None) -> None:
    """A caregiver who was not granted to answer changes no dose."""
    with stage() as s:
        mine, before = reader(s, grant), (s.rows("dose"), s.rows("dose_event"))

        for say in (on_page.gave, on_page.what_now):
            with pytest.raises(NotAllowed):
                say(s.engine, mine, first(s), now=s.now)
        with pytest.raises(NotAllowed):
            on_page.gave_early(s.engine, mine, "", now=s.now)
        assert (s.rows("dose"), s.rows("dose_event")) == before


def test_what_was_taken_back_meanwhile_holds() -> None:
    """Between the look and the word the patient may have taken it back, or ended the texts: nothing is kept then."""
    with stage() as s:
        mine = reader(s)
        agreed(s, Grant(Sees.TODAY, answers=False))
        with pytest.raises(NotAllowed):
            on_page.gave(s.engine, mine, first(s), now=s.now)
        agreed(s)
        s.says("STOP", phone=RUI)
        with pytest.raises(NotAllowed):
            on_page.gave(s.engine, mine, first(s), now=s.now)

        assert s.rows("dose")[0]["state"] == "open"


def test_a_dose_of_somebody_elses_is_not_there() -> None:
    """Though it is of the same clinic."""
    berta = patient(plan(ref="berta-baclofen"), ref="berta", name="Berta Lund", phone="+12025550107", consent=a_consent("Berta Lund"))
    with stage("03-02 08:10", patient(told=True), berta) as s:
        mine = reader(s)
        theirs = next(row["id"] for row in s.rows("dose") if row["patient_id"] != mine.patient.id)
        before = s.rows("dose_event")

        for say in (on_page.gave, on_page.what_now):
            with pytest.raises(NotFound):
                say(s.engine, mine, theirs, now=s.now)
        assert s.rows("dose_event") == before


def test_yesterdays_last_dose_can_still_be_told() -> None:
    """After midnight, while somebody waits to hear of it."""
    with stage("03-03 00:30", patient(plan(phase("5", times=["22:00"])), told=True)) as s:
        mine = reader(s)
        today = page(s, mine).today

        assert today is not None
        assert [(dose.when, dose.state, dose.can_tell) for dose in today] == [
            ("Mon 10:00 pm", DoseState.OPEN, True),
            ("Tue 10:00 pm", None, False),
        ]
        assert on_page.gave(s.engine, mine, today[0].id, at=on_page.WHEN_DUE, now=s.now).state is DoseState.TAKEN


@pytest.mark.parametrize(("now", "told"), [("03-03 08:00", True), ("03-03 08:01", False)])
def test_a_day_after_it_was_due_nothing_is_told_of_a_dose(now: str, told: bool) -> None:  # noqa: FBT001 - a cell
    """Neither that it was given nor what to do about it, though a page that shows its buttons stands open: the clinic is called then."""
    with stage(now) as s:
        mine, dose, before = reader(s), first(s), s.rows("dose_event")

        for say in (on_page.what_now, on_page.gave):
            if told:
                assert say(s.engine, mine, dose, now=s.now).dose_id == dose
            else:
                with pytest.raises(NotAllowed, match="longer ago than a day"):
                    say(s.engine, mine, dose, now=s.now)
        assert (s.rows("dose_event") != before) is told


def test_a_day_at_the_page() -> None:
    """Taken, given, waiting and still to come, each with what can be said of it."""
    with stage("03-02 14:05") as s:
        mine = reader(s)
        s.clock.advance(SECOND)
        on_page.gave(s.engine, mine, first(s), at=time(8, 10), now=s.now)
        shown = page(s, mine)

        assert shown.today is not None
        assert [(dose.when, dose.state, dose.taken_at, dose.can_tell, dose.can_ask) for dose in shown.today] == [
            ("Mon 8:00 am", DoseState.TAKEN, "Mon 8:10 am", False, False),
            ("Mon 2:00 pm", DoseState.OPEN, "", True, True),
            ("Mon 8:00 pm", None, "", False, False),
        ]
        assert shown.until == "Mon 9 Mar"
