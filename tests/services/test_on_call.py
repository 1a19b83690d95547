"""The clinic's on-call phone: what it is told of, how often, and what shows when it is told nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from sqlalchemy import Engine

from db.engine import writing
from reminders.formats.import_file import OnCallShape
from reminders.formats.shape import read
from reminders.messaging.sandbox import CarrierFault
from reminders.services import escalating, importing, reporting, watching
from reminders.services.records import alerts, enrolment, on_call, texts
from reminders.services.records.ledger import TEXT_OUT, insert_all
from reminders.services.records.texts import Draft
from reminders.services.replying import receive
from tests.files import a_caregiver, a_clinic, an_import_file, an_on_call
from tests.stage import ANA, ON_CALL, RUI, Stage, patient, plan

BEN = "+12025550103"
FIRST = "urgent alerts that nobody has taken on: {}, the oldest since {}. Please look at the list of alerts now. STOP ends these texts."
AGAIN = "still nobody has taken on urgent alerts: {}, the oldest since {}. Told before: {}. Look at the list now. STOP ends these texts."


@pytest.fixture
def clinic() -> Iterator[Stage]:
    """Ana and Ben, in a clinic with somebody on call."""
    ben = patient(plan(ref="ben-plan"), ref="ben", name="Ben Okoro", phone=BEN)
    with Stage.on_paper(patient(plan()), ben, on_call=an_on_call()) as stage:
        yield stage


def told(clinic: Stage) -> list[str]:
    """When the on-call phone was told of alerts: local times."""
    return [time[6:] for time, purpose in clinic.purposes(to=ON_CALL) if purpose == "staff_alert"]


def pass_by_hand(clinic: Stage) -> tuple[str, ...]:
    """Let the loop look once; return the troubles that stand."""
    escalating.escalate(clinic.engine, now=clinic.now)
    return tuple(trouble.words for trouble in watching.standing_troubles(clinic.engine) if trouble.kind == "on_call")


def silent(why: str) -> str:
    """How a trouble says that the phone is told nothing."""
    return f"The on-call phone of Harbor Clinic is not texted: {why}. Urgent alerts are in the list only."


def test_the_phone_is_told_until_somebody_takes_it_on(engine: Engine) -> None:
    """At once, in the middle of the night, and each time it is raised again; no name, no drug, no sign. Taken on, nothing more."""
    with Stage(engine, patient(plan()), on_call=an_on_call()) as clinic:
        clinic.says("she had a seizure", "03-03 03:02")
        clinic.run_until("03-03 05:00")
        clinic.acts("acknowledge")
        clinic.run_until("03-03 07:00")

    assert clinic.texts(to=ON_CALL) == [
        ("03-03 03:02", FIRST.format(1, "Tue 3:02 am")),
        ("03-03 03:12", AGAIN.format(1, "Tue 3:02 am", 1)),
        ("03-03 03:22", AGAIN.format(1, "Tue 3:02 am", 2)),
        ("03-03 03:42", AGAIN.format(1, "Tue 3:02 am", 3)),
        ("03-03 04:42", AGAIN.format(1, "Tue 3:02 am", 4)),
    ]


def test_what_can_wait_is_texted_to_nobody(clinic: Stage) -> None:
    """A warning stands in the list, and goes to the backup there; nor is the phone told of others because of it."""
    clinic.says("please call me", "03-03 09:00")
    clinic.says("I had a seizure", "03-03 09:40", phone=BEN)
    clinic.run_until("03-03 13:30")

    assert told(clinic) == ["09:40", "09:50", "10:00", "10:20", "11:20", "12:20", "13:20"]
    assert ("03-03 13:00", "call_me", "backup") in clinic.alerts()


def test_one_text_tells_of_all_that_wait(clinic: Stage) -> None:
    """A second alert within three minutes waits for them to be over; an old one of which the phone was just told is not told again."""
    clinic.says("I had a seizure", "03-03 03:00")
    clinic.says("I had a seizure", "03-03 03:01", phone=BEN)
    clinic.run_until("03-03 03:45")

    assert [(time[6:], body.partition(",")[0][-2:]) for time, body in clinic.texts(to=ON_CALL)] == [
        ("03:00", " 1"),
        ("03:03", " 2"),
        ("03:10", " 2"),
        ("03:20", " 2"),
        ("03:40", " 2"),
    ]
    assert {alert["kind"]: alert["raised_again"] for alert in clinic.rows("alert") if alert["severity"] == "emergency"} == {"red_flag": 3}


def test_however_many_alerts_an_hour_has_its_limit(clinic: Stage) -> None:
    """Thirty alerts in half an hour are twenty texts an hour at most, by three minutes; the last of them tells of all."""
    for minute in range(30):
        clinic.says(f"seizure number {minute + 2}", f"03-03 03:{minute:02}", phone=(ANA, BEN)[minute % 2])
    clinic.run_until("03-03 04:00")
    minutes = [int(time[3:]) for time in told(clinic)]

    assert (len(minutes) <= 20, min(later - earlier for earlier, later in pairwise(minutes)), minutes[-1] > 50) == (True, 3, True)
    assert clinic.texts(to=ON_CALL)[-1][1].startswith("still nobody has taken on urgent alerts: 30,")


def test_a_phone_that_had_too_many_texts_is_told_later(clinic: Stage) -> None:
    """Twenty texts in an hour, whatever they were, and the phone waits for its alert; that is a trouble until it is over."""
    clinic.run_until("03-03 03:05")
    with writing(clinic.engine) as c:
        (phone,) = on_call.phones(c, now=clinic.now)
        drafts = [Draft("on_call_stopped", "opt-out", f"before {number}") for number in range(20)]
        rows = [texts.row_to(phone.clinic, phone.contact_point_id, draft, language="en", now=clinic.now) for draft in drafts]
        insert_all(c, TEXT_OUT, [{**row, "state": "accepted", "claimed_at": clinic.now} for row in rows])
    clinic.says("I had a seizure", "03-03 04:00")
    clinic.run_until("03-03 04:05")
    standing, waits = pass_by_hand(clinic), told(clinic)
    clinic.run_until("03-03 04:09")

    assert (standing, waits, told(clinic), pass_by_hand(clinic)) == ((silent("it had too many texts"),), [], ["04:06"], ())


def heard(clinic: Stage, body: str, *, phone: str, to: str = "") -> None:
    """Take a text in, with nothing running that would follow from it."""
    sid = f"SM{len(clinic.rows('text_in'))}"
    receive(clinic.engine, sid=sid, from_phone=phone, to_phone=to, body=body, received_at=clinic.now, now=clinic.now)


@pytest.mark.parametrize("ends", ["taken on", "closed", "replaced"])
def test_a_text_that_is_late_leaves_no_more(clinic: Stage, ends: str) -> None:
    """Somebody has taken it on before the text left, or it was closed, or another phone is on call: it is not sent."""
    clinic.run_until("03-03 03:00")
    heard(clinic, "I had a seizure", phone=ANA)
    escalating.escalate(clinic.engine, now=clinic.now)
    with writing(clinic.engine) as c:
        (flag,) = alerts.open_alerts(c, kinds=["red_flag"])
        if ends == "taken on":
            alerts.acknowledge(c, flag, by="Dr. Noor Haddad", at=clinic.now)
        elif ends == "closed":
            alerts.close(c, flag, by="Dr. Noor Haddad", reason="called", at=clinic.now)
        else:
            enrolment.set_on_call(c, "harbor-clinic", read(OnCallShape, an_on_call("+12025550108")), at=clinic.now)
    clinic.driver.settle()
    clinic.run_until("03-03 03:05")
    states = [text["state"] for text in clinic.rows("text_out") if text["purpose"] == "staff_alert"]

    assert (told(clinic), states) == ([], ["cancelled"])


def test_stop_ends_the_texts_and_shows(clinic: Stage) -> None:
    """STOP of the on-call phone is confirmed once and holds; the alert is raised again as ever, and a trouble says who is told nothing."""
    clinic.says("I had a seizure", "03-03 03:00")
    clinic.says("please stop texting me", "03-03 03:05", phone=ON_CALL)
    clinic.run_until("03-03 03:30")
    standing = pass_by_hand(clinic)
    evidence = [(row["kind"], row["given_by"], row["patient_id"]) for row in clinic.rows("consent") if row["patient_id"] is None]
    clinic.says("start", "03-03 03:35", phone=ON_CALL)
    clinic.run_until("03-03 03:45")

    assert [time for time, _ in clinic.purposes(to=ON_CALL)] == ["03-03 03:00", "03-03 03:05", "03-03 03:40"]
    assert (standing, pass_by_hand(clinic)) == ((silent("it has said STOP"),), ())
    assert [row["state"] for row in clinic.rows("text_out") if row["kind"] == "on_call"] == ["accepted", "accepted"]
    assert evidence == [("given", "Noor Haddad", None), ("revoked", "on call", None)]
    assert [alert["raised_again"] for alert in clinic.rows("alert") if alert["kind"] == "red_flag"] == [3]


def test_a_carriers_word_is_confirmed_by_the_carrier(clinic: Stage) -> None:
    """STOP alone was answered by the carrier: it takes nothing more from us."""
    heard(clinic, "STOP", phone=ON_CALL, to="+12025550198")
    clinic.run_until("03-03 03:05")

    assert (clinic.texts(to=ON_CALL), pass_by_hand(clinic)) == ([], (silent("it has said STOP"),))


def test_nothing_else_from_the_phone_has_an_effect(clinic: Stage) -> None:
    """An alert is taken on in the list: "ok" takes on nothing, and is no word about a dose."""
    clinic.says("I had a seizure", "03-03 03:00")
    clinic.says("ok 1 seizure", "03-03 03:05", phone=ON_CALL)
    clinic.run_until("03-03 03:15")
    (heard,) = [text for text in clinic.rows("text_in") if text["from_phone"] == ON_CALL]

    assert (told(clinic), heard["reading"], heard["clinic_id"]) == (["03:00", "03:10"], "", "harbor-clinic")
    assert [alert["kind"] for alert in clinic.rows("alert") if alert["severity"] == "emergency"] == ["red_flag"]


def test_a_number_that_is_dead_shows(clinic: Stage) -> None:
    """Texts that cannot reach the phone are a trouble until it has another number."""
    clinic.carrier("failed", 30006, phone=ON_CALL)
    clinic.says("I had a seizure", "03-03 03:00")
    clinic.run_until("03-03 03:11")
    standing = pass_by_hand(clinic)
    other = an_import_file(
        patient(plan(ref="cy-plan"), ref="cy", phone="+12025550104"), clinic=a_clinic(on_call=an_on_call("+12025550108"))
    )
    importing.import_file(clinic.engine, other, now=clinic.now)
    clinic.run_until("03-03 03:25")

    assert (standing, pass_by_hand(clinic)) == ((silent("texts cannot reach it"),), ())
    assert [time for time, _ in clinic.texts(to="+12025550108")] == ["03-03 03:20"]


def test_a_caregivers_phone_may_be_on_call_too() -> None:
    """STOP belongs to the number: from a phone with two parts it ends both, and both show."""
    with Stage.on_paper(patient(plan(), caregivers=[a_caregiver()]), on_call=an_on_call(RUI)) as clinic:
        clinic.says("stop all these messages", "03-02 03:00", phone=RUI)
        clinic.says("I had a seizure", "03-02 03:01")

        assert [purpose for _, purpose in clinic.purposes(to=RUI)] == ["opt_out"]
        assert ("texts_stopped" in clinic.open_alerts(), pass_by_hand(clinic)) == (True, (silent("it has said STOP"),))
        assert [row["kind"] for row in clinic.rows("consent") if row["patient_id"] is None] == ["given", "revoked"]


def elsewhere(clinic: Stage) -> None:
    """Let Rui, who is told about Ana, be on call at another clinic."""
    other = an_import_file(
        patient(plan(ref="cy-plan"), ref="cy", phone="+12025550104"), clinic=a_clinic(name="Hill", on_call=an_on_call(RUI))
    )
    importing.import_file(clinic.engine, other, now=clinic.now)


def stopped(clinic: Stage) -> list[bool]:
    """Whether STOP stands on Rui's number, at each clinic that knows it."""
    return [row["opted_out_at"] is not None for row in clinic.rows("contact_point") if row["phone"] == RUI]


def test_stop_ends_the_texts_of_every_clinic() -> None:
    """It belongs to the number, whatever it is to whom; and so does START."""
    with Stage.on_paper(patient(plan(), told=True), start="03-02 02:00") as clinic:
        elsewhere(clinic)
        clinic.says("please stop texting me", "03-02 03:00", phone=RUI)
        after_stop = stopped(clinic)
        clinic.says("restart", "03-02 03:05", phone=RUI)

        assert (after_stop, stopped(clinic)) == ([True, True], [False, False])
        assert [(row["kind"], row["given_by"]) for row in clinic.rows("consent") if row["patient_id"] is None] == [
            ("given", "Noor Haddad"),
            ("revoked", "on call"),
            ("restored", "on call"),
        ]


def test_what_is_said_of_a_patient_ends_nobodys_alerts() -> None:
    """Who sends for help is not to be called off by it, nor by a word that ends nothing elsewhere."""
    with Stage.on_paper(patient(plan(), told=True), start="03-02 02:00") as clinic:
        elsewhere(clinic)
        clinic.says("dont send anyone, I'm on it", "03-02 03:00", phone=RUI)

        assert stopped(clinic) == [False, False]


def test_what_the_carrier_refuses_it_refuses_every_clinic() -> None:
    """One sender texts for them all."""
    with Stage.on_paper(patient(plan(), told=True), start="03-02 02:00") as clinic:
        elsewhere(clinic)
        clinic.transport.set_fault(RUI, CarrierFault("refused", 21610))
        clinic.run_until("03-03 08:00")

        assert stopped(clinic) == [True, True]


def test_without_an_on_call_phone_the_list_says_it() -> None:
    """Nobody is texted; that nobody has taken it on stands in the list, for as long as it is so."""
    with Stage.on_paper(patient(plan())) as clinic:
        clinic.says("I had a seizure", "03-03 03:00")
        clinic.run_until("03-03 04:50")
        lines = {line.kind: line.overdue for line in reporting.alert_lines(clinic.engine, now=clinic.now)}

        assert (lines["red_flag"], pass_by_hand(clinic)) == ("overdue: waits 1 h 50 min, raised again 4 times", ())
