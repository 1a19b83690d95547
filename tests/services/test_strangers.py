from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from db.engine import reading
from db.tables import metadata
from reminders.messaging.texts import render
from reminders.milestones import Milestone
from reminders.services import forgetting
from reminders.services.importing import import_file
from reminders.services.replying import receive
from tests.fake_twilio.server import OUR_NUMBER
from tests.files import a_patient, an_import_file
from tests.stage import empty_ledger

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANA, STRANGER = "+12025550101", "+12025550199"
WORDS = render("unknown_number", "en")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
KEPT = 30 * DAY


def said(
    engine: Engine,
    body: str = "1",
    *,
    sid: str = "SM1",
    phone: str = STRANGER,
    to_phone: str = OUR_NUMBER,
    now: datetime = NOON,
    polled: bool = False,
) -> str | None:
    """Let somebody text us; return the words they are answered with."""
    return receive(engine, sid=sid, from_phone=phone, to_phone=to_phone, body=body, received_at=now, now=now, polled=polled)


def rows(engine: Engine, table: str) -> list[dict[str, object]]:
    """Return all rows of a table."""
    with reading(engine) as c:
        return [dict(row) for row in c.execute(select(metadata.tables[table])).mappings()]


# --- the one answer -------------------------------------------------------------------------------------------------


def test_a_number_nobody_knows_is_answered(engine: Engine) -> None:
    """Its text is kept without a clinic, and the words say nothing of anybody."""
    answer = said(engine, "who is this?")

    assert (answer, [(row["body"], row["clinic_id"]) for row in rows(engine, "text_in")]) == (WORDS, [("who is this?", None)])


def test_the_answer_is_a_neutral_one() -> None:
    """It names no clinic and no person, and tells where help is."""
    assert ("{" in WORDS, "Emergency: 911" in WORDS) == (False, True)


def test_a_number_we_know_is_answered_by_texts_of_its_own(engine: Engine) -> None:
    """Who is enrolled is never given the words for strangers."""
    import_file(engine, an_import_file(a_patient()), now=NOON - DAY)

    assert (said(engine, phone=ANA), rows(engine, "stranger")) == (None, [])


def test_one_answer_a_day(engine: Engine) -> None:
    """After an answer there is none for a day, whatever else is said."""
    at = [NOON, NOON + MINUTE, NOON + DAY - MINUTE, NOON + DAY, NOON + DAY + MINUTE]
    answers = [said(engine, sid=f"SM{number}", now=when) for number, when in enumerate(at)]

    assert answers == [WORDS, None, None, WORDS, None]


def test_a_repeated_text_gets_the_same_answer(engine: Engine) -> None:
    """A webhook that comes again, because our answer was lost, is answered as it was."""
    answers = [said(engine, sid=sid) for sid in ("SM1", "SM1", "SM2", "SM2", "SM1")]

    assert answers == [WORDS, WORDS, None, None, WORDS]


@pytest.mark.parametrize("sids", [["SM1", "SM2"] * 4, ["SM1"] * 8], ids=["two texts", "one text"])
def test_two_at_once_get_one_answer(engine: Engine, sids: list[str]) -> None:
    """However many webhooks come at one moment, one text of a day is answered."""
    with ThreadPoolExecutor(len(sids)) as pool:
        answers = list(pool.map(lambda sid: (sid, said(engine, sid=sid)), sids))

    assert len({sid for sid, answer in answers if answer}) == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_thousand_strangers(kind: str, request: pytest.FixtureRequest) -> None:
    """A thousand numbers with several texts on two days: one answer a day each, and nobody learns who is enrolled."""
    engine = empty_ledger() if kind == "sqlite" else request.getfixturevalue("postgres_engine")  # in memory: no disk to wait for
    import_file(engine, an_import_file(a_patient()), now=NOON - DAY)
    phones = [f"+1{area}55501{end:02}" for area in range(301, 311) for end in range(100)]
    answers = Counter[tuple[str, int]]()
    for day, each in [(0, 0), (0, 1), (1, 0)]:
        for phone in phones:
            words = said(engine, "1", sid=f"SM{phone[1:]}x{day}x{each}", phone=phone, now=NOON + day * DAY + each * MINUTE)
            answers[phone, day] += words is not None
            assert words in {None, WORDS}

    assert (set(answers.values()), len(answers), rows(engine, "text_out")) == ({1}, 2000, [])


# --- what is never answered -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["STOP", "stop please", "Unsubscribe me", "START", "unstop", "HELP", " Info ", "alto"])
def test_the_carriers_own_words_are_not_answered(sqlite_engine: Engine, body: str) -> None:
    """The end of texts, their beginning and HELP are the carrier's to answer, or nobody's."""
    assert said(sqlite_engine, body) is None


def test_nobody_is_answered_after_stop(engine: Engine) -> None:
    """Who said STOP hears nothing more of us, until START."""
    bodies = ["please stop texting me", "who are you", "START", "who are you"]
    answers = [said(engine, body, sid=f"SM{number}", now=NOON + number * 2 * DAY) for number, body in enumerate(bodies)]

    assert answers == [None, None, None, WORDS]


@pytest.mark.parametrize("phone", ["24273", "AMZN", "BANK INFO", OUR_NUMBER, "+1202"])
def test_machines_are_not_answered(sqlite_engine: Engine, phone: str) -> None:
    """Short codes, names and our own number are no people: two machines could talk for ever."""
    assert (said(sqlite_engine, phone=phone), len(rows(sqlite_engine, "text_in"))) == (None, 1)


def test_a_text_we_fetched_is_not_answered(engine: Engine) -> None:
    """What is found in the carrier's list came too late to be answered, by its webhook too."""
    answers = [said(engine, polled=True), said(engine)]

    assert (answers, [row["polled"] for row in rows(engine, "text_in")]) == ([None, None], [True])


def test_a_danger_sign_is_answered(sqlite_engine: Engine) -> None:
    """A stranger who needs help is told where it is."""
    assert said(sqlite_engine, "I had a seizure, help") == WORDS


# --- what is kept of a text -----------------------------------------------------------------------------------------


def test_the_carriers_token_is_kept(engine: Engine) -> None:
    """The mark of a request and its repeats is evidence."""
    receive(engine, sid="SM1", from_phone=ANA, to_phone="", body="1", received_at=NOON, now=NOON, token="it-1")

    assert [(row["token"], row["polled"]) for row in rows(engine, "text_in")] == [("it-1", False)]


@pytest.mark.parametrize("phone", [ANA, STRANGER])
def test_the_milestones_stand_on_both_sides_of_the_commit(engine: Engine, phone: str) -> None:
    """Before it nothing is to be seen of a text, after it all."""
    import_file(engine, an_import_file(a_patient()), now=NOON - DAY)
    passed: list[tuple[Milestone, int]] = []

    def passing(milestone: Milestone) -> None:
        passed.append((milestone, len(rows(engine, "text_in"))))

    receive(engine, sid="SM1", from_phone=phone, to_phone="", body="1", received_at=NOON, now=NOON, passing=passing)

    assert passed == [(Milestone.INBOUND_BEFORE_COMMIT, 0), (Milestone.INBOUND_AFTER_COMMIT, 1)]


def test_a_death_before_the_commit_leaves_nothing(engine: Engine) -> None:
    """A text whose taking in broke off is taken in when it comes again, and a stranger is still answered once."""

    def dies(_: Milestone) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        receive(engine, sid="SM1", from_phone=STRANGER, to_phone="", body="1", received_at=NOON, now=NOON, passing=dies)

    assert (rows(engine, "text_in"), rows(engine, "stranger"), said(engine)) == ([], [], WORDS)


# --- forgetting -----------------------------------------------------------------------------------------------------


def test_strangers_are_forgotten_after_thirty_days(engine: Engine) -> None:
    """Body, number and answer go; that the text was here stays for ever."""
    said(engine, "my name is Otto")
    forgetting.forget(engine, now=NOON + KEPT)

    [kept] = rows(engine, "text_in")
    assert (kept["sid"], kept["from_phone"], kept["body"], rows(engine, "stranger")) == ("SM1", "", "", [])


def test_nothing_is_forgotten_before_its_time(engine: Engine) -> None:
    """A day early nothing goes, and what people we know wrote stays."""
    import_file(engine, an_import_file(a_patient()), now=NOON - DAY)
    said(engine, "it is me", phone=ANA, sid="SM1")
    said(engine, "my name is Otto", sid="SM2")

    assert forgetting.forget(engine, now=NOON + KEPT - MINUTE) == 0
    assert [row["body"] for row in rows(engine, "text_in")] == ["it is me", "my name is Otto"]
    assert forgetting.forget(engine, now=NOON + 10 * KEPT) == 2
    assert [row["body"] for row in rows(engine, "text_in")] == ["it is me", ""]


def test_forgetting_goes_in_batches_to_an_end(engine: Engine) -> None:
    """Each pass takes no more than it may, and one more when all is done finds nothing."""
    for number in range(5):
        said(engine, sid=f"SM{number}", phone=f"+12025550{190 + number}")

    assert [forgetting.forget(engine, now=NOON + KEPT, limit=3) for _ in range(3)] == [6, 4, 0]


def test_a_forgotten_text_is_still_taken_in_once(engine: Engine) -> None:
    """A request replayed after a year finds its sid, and changes nothing."""
    said(engine)
    forgetting.forget(engine, now=NOON + KEPT)

    assert (said(engine, now=NOON + 12 * KEPT), [row["body"] for row in rows(engine, "text_in")], rows(engine, "stranger")) == (
        None,
        [""],
        [],
    )


def test_forgetting_drops_what_a_stranger_meant(engine: Engine) -> None:
    """The code of what was said goes with its words, and the carrier's mark."""
    receive(engine, sid="SM1", from_phone=STRANGER, to_phone="", body="stop", received_at=NOON, now=NOON, token="it-1")
    forgetting.forget(engine, now=NOON + KEPT)

    assert [(row["reading"], row["token"]) for row in rows(engine, "text_in")] == [("", None)]
