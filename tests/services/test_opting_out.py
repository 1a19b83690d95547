"""Consent, its end and its return: no text without it, evidence of every word about it, and one confirmation."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from db.engine import writing
from db.tables import metadata
from reminders.messaging import replies
from reminders.messaging.sandbox import CarrierFault
from reminders.services import reminding, replying
from tests.files import a_consent, a_proxy
from tests.stage import ANA, Stage, at, patient, plan

LONG_CODE, TOLL_FREE, SHORT_CODE, SANDBOX = "+12025550100", "+18005551212", "20255", ""
SECOND = timedelta(seconds=1)
MORNING = "03-02 08:00"


def stage(*, until: str = "03-02 08:05") -> Stage:
    """Ana, with Rui who is told, a few minutes after her first reminder."""
    s = Stage.on_paper(patient(told=True), start="03-02 07:00")
    s.run_until(until)
    return s


def says(s: Stage, text: str, *, sid: str, when: datetime | None = None, to_phone: str = SANDBOX, phone: str = ANA) -> None:
    """Let somebody's text come in, and what follows of it leave."""
    instant = when or s.now
    replying.receive(s.engine, sid=sid, from_phone=phone, to_phone=to_phone, body=text, received_at=instant, now=s.now)
    s.driver.settle()


def evidence(s: Stage, *kinds: str) -> list[dict[str, Any]]:
    """The consent rows of some kinds, oldest first."""
    return sorted((row for row in s.rows("consent") if row["kind"] in (kinds or ("revoked", "restored"))), key=lambda row: row["at"])


def is_out(s: Stage, phone: str = ANA) -> bool:
    """Whether STOP stands on a phone."""
    return next(row["opted_out_at"] for row in s.rows("contact_point") if row["phone"] == phone) is not None


def said(s: Stage, *, to: str = ANA) -> list[str]:
    """The purposes of what a phone was sent, after the first reminder."""
    return [purpose for _, purpose in s.purposes(to=to)][1:]


# --- no consent row, no send ------------------------------------------------------------------------------------------------------


def forget_consent(s: Stage) -> None:
    """Take every consent row away, as if none had ever been recorded."""
    with writing(s.engine) as c:
        c.execute(delete(metadata.tables["consent"]))


def test_without_a_consent_row_nothing_is_written() -> None:
    """A dose that falls due without consent on record has no text, and is down as not reminded for that reason."""
    with Stage.on_paper(patient(told=True), start="03-02 07:00") as s:
        forget_consent(s)
        s.run_until("03-04 07:00")

        assert (s.rows("text_out"), s.transport.kept()) == ([], ())
        assert set(s.doses().values()) == {"not_reminded (no_consent)"}


def test_without_a_consent_row_nothing_waiting_is_sent() -> None:
    """A text written while there was consent does not leave when there is none any more: the last look asks again."""
    with Stage.on_paper(patient(), start=MORNING) as s:
        reminding.remind_due(s.engine, now=s.now)
        forget_consent(s)
        s.run_until("03-02 08:30")

        assert [(text["kind"], text["state"]) for text in s.rows("text_out")] == [("reminder", "cancelled")]
        assert s.transport.kept() == ()


def test_consent_for_one_person_is_none_for_another() -> None:
    """Two patients on one phone: consent is each one's own, and the one without it is not spoken of."""
    ana = patient(plan(), consent=a_consent("Ana"), phone=ANA)
    rui = patient(plan(ref="rui-plan"), ref="rui", name="Rui Silva", phone=ANA, consent=a_consent("Rui"))
    with Stage.on_paper(ana, rui, start=MORNING) as s:
        mine = next(row["id"] for row in s.rows("patient") if row["ref"] == "rui")
        with writing(s.engine) as c:
            consent = metadata.tables["consent"]
            c.execute(delete(consent).where(consent.c.patient_id == mine))
        s.run_until("03-02 08:30")

        assert {text["patient_id"] == mine for text in s.rows("text_out")} == {False}
        assert s.doses("rui-plan")["03-02/1"] == "not_reminded (no_consent)"


# --- evidence ---------------------------------------------------------------------------------------------------------------------


def test_a_stop_is_kept_as_evidence() -> None:
    """Who, when, by which channel and message, and by which list of words it was read as one."""
    with stage() as s:
        says(s, "please stop texting me", sid="SM1")
        (row,) = evidence(s)

        assert (row["kind"], row["given_by"], row["channel"], row["message_sid"]) == ("revoked", "patient", "sms", "SM1")
        assert (row["wording_version"], row["at"]) == (replies.VERSION, s.now)


def test_a_start_is_kept_as_evidence() -> None:
    """The return of consent says the same of itself."""
    with stage() as s:
        says(s, "STOP", sid="SM1")
        s.run_until("03-02 09:00")
        says(s, "START", sid="SM2")
        row = evidence(s)[-1]

        assert (row["kind"], row["given_by"], row["channel"], row["message_sid"]) == ("restored", "patient", "sms", "SM2")
        assert (row["wording_version"], row["at"]) == (replies.VERSION, s.now)


def test_what_the_carrier_told_is_kept_as_evidence() -> None:
    """A refusal because of an opt-out that never reached us: the channel is the carrier, and so are the words."""
    with Stage.on_paper(patient(), start="03-02 07:00") as s:
        s.transport.set_fault(ANA, CarrierFault("refused", 21610))
        s.run_until("03-02 08:05")
        (row,) = evidence(s)

        assert (row["kind"], row["given_by"], row["channel"], row["wording_version"]) == ("revoked", "carrier", "carrier", "carrier")
        assert (row["at"], is_out(s)) == (at(MORNING), True)


def test_a_stop_said_again_is_evidence_again() -> None:
    """Each withdrawal is kept with its own message, also the person's after the carrier's; the texts stopped at the first."""
    with stage() as s:
        says(s, "STOP", sid="SM1")
        stopped_at = s.now
        s.run_until("03-02 08:30")
        says(s, "i said stop", sid="SM2")

        assert [row["message_sid"] for row in evidence(s)] == ["SM1", "SM2"]
        assert {row["opted_out_at"] for row in s.rows("contact_point") if row["phone"] == ANA} == {stopped_at}
        assert said(s) == ["opt_out"]


def test_a_stop_that_comes_twice_is_one() -> None:
    """The carrier may bring the same message again: one row, one confirmation."""
    with stage() as s:
        says(s, "STOP", sid="SM1")
        says(s, "STOP", sid="SM1")

        assert ([row["message_sid"] for row in evidence(s)], said(s)) == (["SM1"], ["opt_out"])


def test_a_stop_is_evidence_for_everyone_behind_the_number() -> None:
    """A proxy's STOP ends the texts about both patients: a row for each."""
    otto = [patient(plan(ref=f"{ref}-plan"), ref=ref, name=ref, phone=None, consent=a_consent(ref), caregivers=[a_proxy()]) for ref in "ab"]
    with Stage.on_paper(*otto, start="03-02 07:00") as s:
        says(s, "STOP", sid="SM1", phone=a_proxy()["phone"])

        assert [(row["given_by"], row["message_sid"]) for row in evidence(s)] == [("proxy", "SM1")] * 2
        assert len({row["patient_id"] for row in evidence(s)}) == 2


def test_opting_out_and_in_are_in_the_audit_chain() -> None:
    """Both stand in the clinic's chain by the number's id and the message's, without a phone number or a word of theirs."""
    with stage() as s:
        says(s, "STOP", sid="SM1")
        says(s, "START", sid="SM2", when=s.now + SECOND)
        point = next(row["id"] for row in s.rows("contact_point") if row["phone"] == ANA)
        chain = [(row["actor"], row["action"], row["subject"], row["detail"]) for row in s.rows("audit") if row["subject"] == point]

        assert chain == [("patient", "texts stopped", point, "SM1"), ("patient", "texts taken up", point, "SM2")]


# --- in any order -----------------------------------------------------------------------------------------------------------------


def test_a_stop_fetched_late_does_not_undo_a_start() -> None:
    """A lost STOP found by the poll after the START that followed it is evidence, and no more."""
    with stage() as s:
        written = s.now
        s.run_until("03-02 08:30")
        says(s, "START", sid="SM2")
        says(s, "STOP", sid="SM1", when=written)

        assert ([row["kind"] for row in evidence(s)], is_out(s)) == (["revoked", "restored"], False)
        assert (said(s), "texts_stopped" in s.open_alerts()) == (["opt_in"], False)


def test_a_start_fetched_late_does_not_undo_a_stop() -> None:
    """A lost START found after the STOP that followed it is evidence, and no more."""
    with stage() as s:
        written = s.now
        s.run_until("03-02 08:30")
        says(s, "STOP", sid="SM2")
        says(s, "START", sid="SM1", when=written)

        assert ([row["kind"] for row in evidence(s)], is_out(s)) == (["restored", "revoked"], True)
        assert (said(s), "texts_stopped" in s.open_alerts()) == (["opt_out"], True)


@pytest.mark.parametrize(("seconds", "out"), [(0, True), (119, True), (120, True), (121, False)])
def test_a_stop_and_a_start_too_close_to_tell(seconds: int, *, out: bool) -> None:
    """A webhook may bring START two minutes after it was written: a STOP fetched so close before it counts."""
    with stage() as s:
        written = s.now
        s.clock.advance_to(written + seconds * SECOND)
        says(s, "START", sid="SM2")
        says(s, "STOP", sid="SM1", when=written)

        assert is_out(s) == out


# --- who confirms -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "to_phone", "ours"),
    [
        ("STOP", SANDBOX, ["opt_out"]),
        ("STOP", SHORT_CODE, ["opt_out"]),
        ("STOP", LONG_CODE, []),
        (" stop ", LONG_CODE, []),
        ("Unsubscribe", TOLL_FREE, []),
        ("stop please", LONG_CODE, ["opt_out"]),
        ("STOP.", LONG_CODE, ["opt_out"]),
        ("no más mensajes", TOLL_FREE, ["opt_out"]),
    ],
)
def test_one_confirmation(text: str, to_phone: str, ours: list[str]) -> None:
    """Where the carrier matched the word it has told the person, and would refuse us; where it did not, we tell them once."""
    with stage() as s:
        says(s, text, sid="SM1", to_phone=to_phone)
        says(s, text, sid="SM2", to_phone=to_phone)
        s.run_until("03-03 09:00")

        assert (said(s), is_out(s), "texts_stopped" in s.open_alerts()) == (ours, True, True)


def test_a_carriers_word_is_not_even_offered_to_the_carrier() -> None:
    """After its own STOP the carrier refuses every text: none is tried, and none is down as failed."""
    with stage() as s:
        s.transport.set_fault(ANA, CarrierFault("refused", 21610))
        says(s, "STOP", sid="SM1", to_phone=LONG_CODE)
        s.run_until("03-03 09:00")

        assert [text["state"] for text in s.rows("text_out") if text["contact_point_id"] == s.rows("text_out")[0]["contact_point_id"]] == [
            "accepted"
        ]


def test_the_medicine_is_spoken_of_where_we_confirm() -> None:
    """Ours says what the carrier's does not: the texts end, and not the medicine."""
    with stage() as s:
        says(s, "stop please", sid="SM1", to_phone=LONG_CODE)

        assert "not your medicine: please do not stop it without calling" in s.texts("opt_out")[0][1]


# --- taken up again ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "to_phone", "resumed"),
    [
        ("START", SANDBOX, True),
        ("opt me back in", SANDBOX, True),
        ("Restart please", SANDBOX, True),
        ("alta", SANDBOX, True),
        ("unstop", LONG_CODE, True),
        ("start please", SANDBOX, True),
        ("start please", LONG_CODE, False),
        ("resume my texts", TOLL_FREE, False),
        ("YES", LONG_CODE, True),
        ("yes ", LONG_CODE, True),
        ("yes please", LONG_CODE, False),
        ("YES", TOLL_FREE, False),
        ("YES", SHORT_CODE, False),
        ("YES", SANDBOX, False),
        ("HELP", LONG_CODE, False),
        ("1", LONG_CODE, False),
    ],
)
def test_what_takes_texts_up_again(text: str, to_phone: str, *, resumed: bool) -> None:
    """START and UNSTOP; and YES where the carrier takes it so, for then it has told the person that texts go on."""
    with stage() as s:
        says(s, "STOP", sid="SM1", to_phone=to_phone)
        s.run_until("03-02 13:00")
        says(s, text, sid="SM2", to_phone=to_phone)
        s.run_until("03-02 14:00")

        assert (is_out(s), "texts_stopped" in s.open_alerts()) == (not resumed, not resumed)
        assert said(s)[-1:] == (["reminder"] if resumed else said(s)[-1:])
        assert ("reminder" in said(s)) == resumed


def test_what_the_carrier_holds_only_its_own_words_take_up() -> None:
    """Where it has ended the texts, a START in other words reaches nobody: the clinic is told, once a day, what has to be texted."""
    with stage() as s:
        says(s, "STOP", sid="SM1", to_phone=LONG_CODE)
        for sid in ("SM2", "SM3"):
            s.run_until(s.now + SECOND)
            says(s, "resume my texts", sid=sid, to_phone=LONG_CODE)
        asks = [row["words"] for row in s.rows("alert") if "text START" in row["words"]]
        assert (len(asks), is_out(s), said(s)) == (1, True, [])

        says(s, "START", sid="SM4", to_phone=LONG_CODE, when=s.now + SECOND)
        assert (is_out(s), "texts_stopped" in s.open_alerts(), said(s)) == (False, False, ["opt_in"])


def test_a_stop_in_our_words_is_taken_back_in_our_words() -> None:
    """The carrier has matched neither."""
    with stage() as s:
        says(s, "please stop texting me", sid="SM1", to_phone=LONG_CODE)
        s.run_until("03-02 09:00")
        says(s, "resume my texts", sid="SM2", to_phone=LONG_CODE)

        assert (is_out(s), said(s)) == (False, ["opt_out", "opt_in"])


def keyword(s: Stage, text: str, word: str, *, sid: str) -> None:
    """Let a keyword come in that the clinic has set up at the carrier, which has acted on it and answered."""
    s.clock.advance_to(s.now + SECOND)
    now = s.now
    replying.receive(s.engine, sid=sid, from_phone=ANA, to_phone=LONG_CODE, body=text, carriers_word=word, received_at=now, now=now)
    s.driver.settle()


def test_a_keyword_of_the_clinics_own_at_the_carrier() -> None:
    """It ends texts and takes them up as the carrier does, in its words: what we would have read, or answered, is beside the point."""
    with stage() as s:
        keyword(s, "adios", "STOP", sid="SM1")
        assert (is_out(s), "texts_stopped" in s.open_alerts(), said(s)) == (True, True, [])
        assert [(row["channel"], row["wording_version"]) for row in evidence(s)] == [("carrier", "carrier")]

        says(s, "start texts again", sid="SM2", to_phone=LONG_CODE, when=s.now)
        assert is_out(s)

        keyword(s, "hola", "START", sid="SM3")
        assert (is_out(s), "texts_stopped" in s.open_alerts(), said(s)) == (False, False, [])

        keyword(s, "socorro", "HELP", sid="SM4")
        assert said(s) == []


def test_a_danger_sign_stands_beside_the_carriers_keyword() -> None:
    """Whoever made it one."""
    with stage() as s:
        keyword(s, "emergency", "STOP", sid="SM1")

        assert {"red_flag", "texts_stopped"} <= s.open_alerts()


def test_yes_is_an_answer_though_the_carrier_takes_it_for_start() -> None:
    """Where no STOP stands its START changes nothing."""
    with stage() as s:
        keyword(s, "YES", "START", sid="SM1")

        assert ([row["state"] for row in s.rows("dose")], evidence(s)) == (["taken"], [])


def test_yes_is_an_answer_where_no_stop_stands() -> None:
    """A YES to a reminder is a dose taken, on whichever number."""
    with stage() as s:
        says(s, "YES", sid="SM1", to_phone=LONG_CODE)

        assert ([row["state"] for row in s.rows("dose")], evidence(s)) == (["taken"], [])


def test_start_takes_nothing_up_that_was_never_agreed_to() -> None:
    """START lifts STOP; where no consent is on record nothing is sent all the same."""
    with stage() as s:
        says(s, "STOP", sid="SM1")
        forget_consent(s)
        says(s, "START", sid="SM2", when=s.now + SECOND)
        s.run_until("03-02 20:00")

        assert (is_out(s), said(s)) == (False, ["opt_out"])


# --- never one for the other --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["I stopped taking it", "stop baclofen", "i quit my meds", "dejé de tomarla"])
def test_the_medicine_stopped_ends_no_texts(text: str) -> None:
    """A clinical event: the warning, an urgent alert, and the texts go on."""
    with stage() as s:
        says(s, text, sid="SM1", to_phone=LONG_CODE)
        s.run_until("03-02 14:00")

        assert (is_out(s), evidence(s), "stopped_taking" in s.open_alerts()) == (False, [], True)
        assert said(s)[-1] == "reminder"


@pytest.mark.parametrize("text", ["STOP", "stop please", "no más mensajes"])
def test_a_stop_is_no_clinical_stop(text: str) -> None:
    """The plan goes on, and a person is told to call: the medicine has not ended."""
    with stage() as s:
        says(s, text, sid="SM1")
        s.run_until("03-02 20:00")

        assert ([row["state"] for row in s.rows("plan")], "stopped_taking" in s.open_alerts()) == (["active"], False)
        assert s.doses()["03-02/3"] == "not_reminded (opted_out)"


def test_both_in_one_text_both_take_effect() -> None:
    """Who stops the medicine and the texts is heard in both."""
    with stage() as s:
        says(s, "I stopped taking it. STOP", sid="SM1")

        assert {"stopped_taking", "texts_stopped"} <= s.open_alerts()
        assert (is_out(s), said(s)) == (True, ["opt_out"])
