"""A patient typed in by a person: checked as a file is, texted nothing but the code until it comes back, and then reminded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from db.engine import reading, writing
from reminders import drugs
from reminders.domain.contact import Role, WhyNot
from reminders.errors import BadFile, LedgerHeld, NotAllowed, NotFound, UnknownPatient
from reminders.formats.plan_file import read_plan
from reminders.services import charting, conversing, enrolling, looking_up, quarantining
from reminders.services.enrolling import Agreed, NewPatient, NewPerson, Person
from reminders.services.records import people, plans
from reminders.services.records.timelines import Kind
from tests.files import a_plan_file
from tests.stage import ANA, Stage, at, empty_ledger, patient, phase

CLINIC, NURSE, PROVIDER = "harbor-clinic", "Nurse Lee", "Dr. Noor Haddad"
BERTA, OTTO = "+12025550121", "+12025550122"
AGREED = Agreed(how="paper", at="2026-03-02T08:30", wording="consent-en-1")
NEW = NewPatient(ref="berta", name="Berta Lund", phone="(202) 555-0121", zone="America/New_York", consent=AGREED)


@pytest.fixture
def clinic(engine: Engine) -> Iterator[Stage]:
    """Harbor Clinic with Ana, at nine in the morning, on each database."""
    with Stage(engine, patient(told=True), start="03-02 09:00") as stage:
        yield stage


@pytest.fixture
def on_paper() -> Iterator[Stage]:
    """The same, in memory."""
    with Stage(empty_ledger(), patient(told=True), start="03-02 09:00") as stage:
        yield stage


def enrolled(stage: Stage, given: NewPatient = NEW) -> str:
    """Let the nurse enrol a patient, and their code leave."""
    patient_id = enrolling.enrol(stage.engine, CLINIC, given, by=NURSE, now=stage.now)
    stage.driver.settle()
    return patient_id


def id_of(stage: Stage, ref: str = "ana") -> str:
    """The id of a patient."""
    return str(next(row["id"] for row in stage.rows("patient") if row["ref"] == ref))


def person(stage: Stage, patient_id: str, role: Role = Role.PATIENT) -> Person:
    """Somebody around a patient."""
    found = enrolling.around(stage.engine, CLINIC, patient_id, now=stage.now).people
    return next(one for one in found if one.line.role is role)


def code_at(stage: Stage, phone: str = BERTA) -> str:
    """The code that a phone shows."""
    return str(re.findall(r"\d{6}", stage.texts("verification", to=phone)[-1][1])[0])


def stands_in(code: str, text: str) -> bool:
    """Whether a text holds a code. Six digits within a random id or a hash are none: one in a few thousand has them by chance."""
    return re.search(rf"(?<![0-9a-f]){code}(?![0-9a-f])", text) is not None


def another(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06}"


def say(stage: Stage, patient_id: str, code: str, role: Role = Role.PATIENT) -> None:
    """Let the nurse type what was read out."""
    role_id = person(stage, patient_id, role).line.role_id
    enrolling.say_code(stage.engine, CLINIC, patient_id, role_id, typed=code, by=NURSE, now=stage.now)
    stage.driver.settle()


def with_a_plan(stage: Stage, patient_id: str) -> None:
    """Give a patient a plan that runs: three doses a day."""
    document = read_plan(a_plan_file(phases=[phase("5/5/5")]))
    with writing(stage.engine) as c:
        plans.add_plan(
            c,
            clinic_id=CLINIC,
            patient_id=patient_id,
            ref="berta-baclofen",
            plan=document,
            ingredient=drugs.load("baclofen-tablet").ingredient,
            approved_by=PROVIDER,
            at=stage.now,
        )


def faults_of(given: Any, stage: Stage) -> dict[str, str]:  # noqa: ANN401 - a patient
    """What is wrong with a patient, by field."""
    with pytest.raises(BadFile) as refused:
        enrolling.enrol(stage.engine, CLINIC, given, by=NURSE, now=stage.now)
    return {fault.path: fault.message for fault in refused.value.faults}


def audit(stage: Stage, action: str) -> list[tuple[str, str]]:
    """Who did something of a kind, and the detail."""
    return [(row["actor"], row["detail"]) for row in stage.rows("audit") if row["action"] == action]


def test_a_new_patient(clinic: Stage) -> None:
    """Everything is stored, under the nurse's name; the consent with who wrote it down; the number unproved, and texted its code alone."""
    given = replace(
        NEW,
        language="es",
        wording="full",
        alcohol="some",
        born="1950-02-03",
        kidney="45",
        medicines="vitamin D\n\n lithium \n",
        quiet_from="22:00",
    )
    patient_id = enrolled(clinic, given)
    row = next(row for row in clinic.rows("patient") if row["id"] == patient_id)
    (consent,) = [row for row in clinic.rows("consent") if row["patient_id"] == patient_id]

    assert {name: str(row[name]) for name in ("ref", "name", "language", "wording", "alcohol", "born_on", "kidney")} == {
        "ref": "berta",
        "name": "Berta Lund",
        "language": "es",
        "wording": "full",
        "alcohol": "some",
        "born_on": "1950-02-03",
        "kidney": "45",
    }
    assert (f"{row['quiet_from']:%H:%M}", f"{row['quiet_until']:%H:%M}") == ("22:00", "08:00")
    assert [one["name"] for one in clinic.rows("medicine") if one["patient_id"] == patient_id] == ["vitamin D", "lithium", "alcohol"]
    assert (consent["given_by"], consent["channel"], consent["recorded_by"], consent["at"]) == (
        "Berta Lund",
        "paper",
        NURSE,
        at("03-02 08:30"),
    )
    assert audit(clinic, "patient enrolled")[-1] == (NURSE, "")
    assert person(clinic, patient_id).silent is WhyNot.UNVERIFIED
    assert [purpose for _, purpose in clinic.purposes(to=BERTA)] == ["verification"]
    assert "su clave es" in clinic.texts("verification", to=BERTA)[0][1]


def test_no_reminder_before_the_code_came_back(clinic: Stage) -> None:
    """A dose that falls due before is nobody's fault but ours; the first after it is announced."""
    patient_id = enrolled(clinic)
    with_a_plan(clinic, patient_id)
    clinic.run_until("03-02 15:00")
    before = [purpose for _, purpose in clinic.purposes(to=BERTA)]
    role_id = person(clinic, patient_id).line.role_id
    enrolling.send_code(clinic.engine, CLINIC, patient_id, role_id, by=NURSE, now=clinic.now)
    clinic.driver.settle()
    say(clinic, patient_id, f" {code_at(clinic)[:3]} {code_at(clinic)[3:]} ")
    clinic.run_until("03-02 20:05")

    assert before == ["verification"]
    assert [purpose for _, purpose in clinic.purposes(to=BERTA)] == ["verification", "verification", "opt_in", "reminder"]
    assert {row["state"]: row["reason"] for row in clinic.rows("dose") if row["plan_id"] == plan_of(clinic, "berta-baclofen")} == {
        "not_reminded": "unverified",
        "open": None,
    }
    assert audit(clinic, "number verified") == [(NURSE, "")]


def plan_of(stage: Stage, ref: str) -> str:
    """The id of a plan."""
    return str(next(row["id"] for row in stage.rows("plan") if row["ref"] == ref))


def test_the_patient_may_text_it_back(clinic: Stage) -> None:
    """From that number, and no other: what a stranger texts proves nothing."""
    patient_id = enrolled(clinic)
    code = code_at(clinic)
    clinic.says(code, phone=ANA)
    elsewhere = person(clinic, patient_id).silent
    clinic.says(f"my code is {code}", phone=BERTA)

    assert (elsewhere, person(clinic, patient_id).silent) == (WhyNot.UNVERIFIED, None)
    assert audit(clinic, "number verified") == [("patient", "")]
    assert [row["reading"] for row in clinic.rows("text_in")][-1] == "CodeSaid"
    assert clinic.texts("opt_in", to=BERTA)[0][1].startswith("you are set")


def test_a_code_beside_other_words_is_read_as_any_text(on_paper: Stage) -> None:
    """A danger sign behind a code is heard, and the number stays unproved."""
    patient_id = enrolled(on_paper)
    on_paper.says(f"{code_at(on_paper)} chest pain", phone=BERTA)

    assert person(on_paper, patient_id).silent is WhyNot.UNVERIFIED
    assert "red_flag" in on_paper.open_alerts()


def test_five_wrong_tries_and_it_is_used_up(clinic: Stage) -> None:
    """Typed or texted, each is counted, by the clock of whoever said it; then the right one proves nothing, until another is sent."""
    patient_id = enrolled(clinic)
    code = code_at(clinic)
    for _ in range(3):
        with pytest.raises(BadFile, match="not the one"):
            say(clinic, patient_id, another(code))
    for _ in range(2):
        clinic.says(another(code), phone=BERTA)
    with pytest.raises(BadFile, match="too often"):
        say(clinic, patient_id, code)
    role_id = person(clinic, patient_id).line.role_id
    clinic.run_until("03-02 09:01")
    enrolling.send_code(clinic.engine, CLINIC, patient_id, role_id, by=NURSE, now=clinic.now)
    clinic.driver.settle()
    with pytest.raises(BadFile, match="not the one"):
        say(clinic, patient_id, code if code != code_at(clinic) else another(code))
    say(clinic, patient_id, code_at(clinic))

    assert person(clinic, patient_id).silent is None
    assert [row["tries"] for row in sorted(clinic.rows("number_check"), key=lambda row: row["asked_at"])] == [5, 1]


@pytest.mark.parametrize(("typed", "words"), [("12345", "six digits"), ("", "six digits"), ("12 34 56", "six digits")])
def test_what_is_no_code_is_no_try(on_paper: Stage, typed: str, words: str) -> None:
    """A slip costs nothing."""
    patient_id = enrolled(on_paper)
    with pytest.raises(BadFile, match=words):
        say(on_paper, patient_id, typed)

    assert person(on_paper, patient_id).code.tries == 0  # type: ignore[union-attr]


def test_after_ten_minutes_it_is_too_late(on_paper: Stage) -> None:
    """To the moment; a text is judged by when it was written."""
    patient_id = enrolled(on_paper)
    on_paper.run_until("03-02 09:10")
    with pytest.raises(BadFile, match="ten minutes"):
        say(on_paper, patient_id, code_at(on_paper))
    on_paper.says(code_at(on_paper), phone=BERTA)

    assert person(on_paper, patient_id).silent is WhyNot.UNVERIFIED
    assert on_paper.rows("text_in")[-1]["reading"] == "LateCode"


def test_not_too_many_codes(on_paper: Stage) -> None:
    """One a minute and five a day, to whichever number it is."""
    patient_id = enrolled(on_paper)
    role_id = person(on_paper, patient_id).line.role_id
    sent = 1
    for minute in range(30):
        on_paper.run_until(f"03-02 09:{minute:02}:30")
        try:
            enrolling.send_code(on_paper.engine, CLINIC, patient_id, role_id, by=NURSE, now=on_paper.now)
        except NotAllowed:
            continue
        sent += 1
        on_paper.driver.settle()

    assert (sent, len(on_paper.texts("verification", to=BERTA))) == (5, 5)


def test_the_digits_are_in_the_text_alone(clinic: Stage) -> None:
    """The ledger keeps the hash of a code: in no audit, no alert and no check do its digits stand, and no program is told them."""
    patient_id = enrolled(clinic)
    code = code_at(clinic)
    say(clinic, patient_id, code)
    kept = {table: str(clinic.rows(table)) for table in ("audit", "alert", "number_check", "question", "consent")}
    asked = looking_up.texts(clinic.engine, CLINIC, patient_id, before=None, limit=10)

    assert [table for table, rows in kept.items() if stands_in(code, rows)] == []
    assert ("your code is ••••••" in str(asked), stands_in(code, str(asked))) == (True, False)
    assert stands_in(code, str(clinic.rows("text_out")))


def test_a_number_that_is_proved_for_somebody_else_is_not_proved_for_this_one(clinic: Stage) -> None:
    """One digit wrong, and it is Ana's phone: Berta's doses do not go there, and Ana's go on as they did."""
    patient_id = enrolled(clinic, replace(NEW, phone=ANA))
    with_a_plan(clinic, patient_id)
    clinic.run_until("03-02 20:05")

    assert person(clinic, patient_id).silent is WhyNot.UNVERIFIED
    assert [when for when, _ in clinic.texts("reminder")] == ["03-02 14:00", "03-02 20:00"]
    assert {row["state"] for row in clinic.rows("dose") if row["plan_id"] == plan_of(clinic, "berta-baclofen")} == {"not_reminded"}


def test_wrong_number_doubts_it_for_everybody_behind_it(on_paper: Stage) -> None:
    """Whoever says so may be a stranger: each patient's number is proved anew, and what was open about it is closed then."""
    patient_id = enrolled(on_paper)
    say(on_paper, patient_id, code_at(on_paper))
    on_paper.says("wrong number", phone=BERTA)
    doubted, alerts = person(on_paper, patient_id).silent, on_paper.open_alerts()
    on_paper.run_until("03-02 09:02")
    enrolling.send_code(on_paper.engine, CLINIC, patient_id, person(on_paper, patient_id).line.role_id, by=NURSE, now=on_paper.now)
    on_paper.driver.settle()
    say(on_paper, patient_id, code_at(on_paper))

    assert (doubted, "wrong_number" in alerts) == (WhyNot.UNVERIFIED, True)
    assert (person(on_paper, patient_id).silent, "wrong_number" in on_paper.open_alerts()) == (None, False)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"ref": ""}, "ref", "must not be empty"),
        ({"ref": "ana"}, "ref", "another patient's"),
        ({"name": " "}, "name", "must not be empty"),
        ({"name": "x" * 81}, "name", "80 characters"),
        ({"phone": "555"}, "phone", "no phone number"),
        ({"phone": ""}, "phone", "no phone number"),
        ({"phone": "202 555 0121 ext. 4"}, "phone", "no phone number"),
        ({"phone": "+1 202 555 01211"}, "phone", "no phone number"),
        ({"zone": "Boston"}, "zone", "no such time zone"),
        ({"language": "fr"}, "language", "'en' or 'es'"),
        ({"wording": "loud"}, "wording", "'discreet', 'amount' or 'full'"),
        ({"alcohol": "a lot"}, "alcohol", "must be one of"),
        ({"alcohol": "none", "medicines": "alcohol, two beers"}, "alcohol", "is none, but"),
        ({"born": "last May"}, "born", "must be a date"),
        ({"born": "2026-03-03"}, "born", "in the future"),
        ({"kidney": "low"}, "kidney", "up to 300"),
        ({"medicines": f"vitamin D\n{'x' * 81}"}, "medicines", "line 2"),
        ({"quiet_from": "late"}, "quiet_from", "time of day"),
        ({"quiet_until": "25:00"}, "quiet_until", "time of day"),
        ({"quiet_from": "08:00"}, "quiet_from", "time of day"),
        ({"consent": replace(AGREED, how="")}, "consent_how", "no text"),
        ({"consent": replace(AGREED, how="by pigeon")}, "consent_how", "must be one of"),
        ({"consent": replace(AGREED, at="today")}, "consent_at", "day and a time"),
        ({"consent": replace(AGREED, at="2026-03-02T09:01")}, "consent_at", "in the future"),
        ({"consent": replace(AGREED, at="2099-01-01T00:00:00+00:00")}, "consent_at", "in the future"),
        ({"consent": replace(AGREED, at="9999-12-31T23:59")}, "consent_at", "must be a day and a time of day"),
        ({"consent": replace(AGREED, wording="")}, "consent_wording", "must not be empty"),
        ({"consent": replace(AGREED, by="x" * 81)}, "consent_by", "80 characters"),
        ({"has_proxy": True}, "proxy_name", "must not be empty"),
        ({"has_proxy": True, "proxy_name": "Otto Lund"}, "proxy_relationship", "must not be empty"),
        ({"has_proxy": True, "proxy_name": "Otto Lund", "proxy_relationship": "son", "phone": "1"}, "phone", "no phone number"),
    ],
)
def test_what_is_wrong_stands_at_its_field(on_paper: Stage, changes: dict[str, Any], field: str, words: str) -> None:
    """The faults are a file's, in words for a person; and nothing is stored."""
    before = len(on_paper.rows("patient")), len(on_paper.rows("audit"))
    found = faults_of(replace(NEW, **changes), on_paper)

    assert field in found
    assert words in found[field]
    assert (len(on_paper.rows("patient")), len(on_paper.rows("audit"))) == before


def test_every_fault_at_once(on_paper: Stage) -> None:
    """An empty form has them all, each once."""
    found = faults_of(NewPatient(), on_paper)

    assert sorted(found) == ["consent_at", "consent_how", "consent_wording", "name", "phone", "ref", "zone"]


def test_a_proxy_holds_the_phone(clinic: Stage) -> None:
    """The number, the code and the consent are the proxy's; the patient has none."""
    child = replace(NEW, has_proxy=True, proxy_name="Otto Lund", proxy_relationship="father", phone="202-555-0122")
    patient_id = enrolled(clinic, child)
    found = enrolling.around(clinic.engine, CLINIC, patient_id, now=clinic.now).people
    (consent,) = [row for row in clinic.rows("consent") if row["patient_id"] == patient_id]

    assert [(one.line.role, one.line.name, one.line.phone, one.relationship) for one in found] == [
        (Role.PROXY, "Otto Lund", OTTO, "father")
    ]
    assert consent["given_by"] == "Otto Lund"
    say(clinic, patient_id, code_at(clinic, OTTO), Role.PROXY)
    assert person(clinic, patient_id, Role.PROXY).silent is None


def test_an_admin_enrols_nobody(on_paper: Stage) -> None:
    """Nor does somebody who is not on the list."""
    with pytest.raises(NotAllowed, match="nobody at the clinic"):
        enrolling.enrol(on_paper.engine, CLINIC, NEW, by="Kim Park", now=on_paper.now)


def test_another_clinics_patient_is_unknown(on_paper: Stage) -> None:
    """Whatever is asked of them."""
    patient_id, role = id_of(on_paper), person(on_paper, id_of(on_paper)).line.role_id
    who: dict[str, Any] = {"by": NURSE, "now": on_paper.now}
    asks: list[Callable[[], object]] = [
        lambda: enrolling.around(on_paper.engine, "hill", patient_id, now=on_paper.now),
        lambda: enrolling.details(on_paper.engine, "hill", patient_id, now=on_paper.now),
        lambda: enrolling.change_details(on_paper.engine, "hill", patient_id, {}, **who),
        lambda: enrolling.send_code(on_paper.engine, "hill", patient_id, role, **who),
        lambda: enrolling.say_code(on_paper.engine, "hill", patient_id, role, typed="123456", **who),
        lambda: enrolling.change_number(on_paper.engine, "hill", patient_id, role, phone=BERTA, consent=AGREED, **who),
        lambda: enrolling.add_person(on_paper.engine, "hill", patient_id, NewPerson(), **who),
        lambda: enrolling.end_person(on_paper.engine, "hill", patient_id, role, **who),
        lambda: enrolling.end_texts(on_paper.engine, "hill", patient_id, role, **who),
        lambda: enrolling.agree(on_paper.engine, "hill", patient_id, role, consent=AGREED, **who),
    ]
    before = on_paper.rows("audit")
    for ask in asks:
        with pytest.raises(UnknownPatient):
            ask()

    assert on_paper.rows("audit") == before


def test_somebody_of_another_patient_is_nobody_here(on_paper: Stage) -> None:
    """The id of Berta's number is not found among Ana's people."""
    theirs = person(on_paper, enrolled(on_paper)).line.role_id
    with pytest.raises(NotFound, match="nobody like that"):
        enrolling.end_texts(on_paper.engine, CLINIC, id_of(on_paper), theirs, by=NURSE, now=on_paper.now)


# Numbers and people


def test_another_number(clinic: Stage) -> None:
    """The old one hears nothing more; the new one a code, and then the reminders. The consent is the one given for it."""
    ana = id_of(clinic)
    clinic.run_until("03-02 13:59")
    enrolling.change_number(
        clinic.engine, CLINIC, ana, person(clinic, ana).line.role_id, phone="202.555.0121", consent=AGREED, by=NURSE, now=clinic.now
    )
    clinic.run_until("03-02 14:01")
    to_old = clinic.purposes()
    say(clinic, ana, code_at(clinic))
    clinic.run_until("03-02 20:01")
    now = person(clinic, ana)

    assert [when for when, _ in clinic.texts("reminder", to=BERTA)] == ["03-02 20:00"]
    assert clinic.purposes() == to_old
    assert [when for when, _ in to_old] == []
    assert (now.line.phone, now.consent and now.consent["recorded_by"]) == (BERTA, NURSE)
    assert [actor for actor, _ in audit(clinic, "number changed")] == [NURSE]
    clinic.says("1", phone=ANA)
    assert clinic.rows("text_in")[-1]["contact_point_id"] is None


def test_what_was_said_at_the_old_number_is_still_shown(clinic: Stage) -> None:
    """Its texts, its words until it was left, and the consent for it, on the page, the timeline and the conversation; nothing later."""
    ana = id_of(clinic)
    clinic.answers("03-02 14:05", text="1")
    clinic.run_until("03-02 14:10")
    enrolling.change_number(
        clinic.engine, CLINIC, ana, person(clinic, ana).line.role_id, phone=BERTA, consent=AGREED, by=NURSE, now=clinic.now
    )
    clinic.driver.settle()
    clinic.says("who is this?", "03-02 15:00", phone=ANA)
    talk = conversing.conversation(clinic.engine, CLINIC, ana, by=NURSE, now=clinic.now).said
    seen = charting.page(clinic.engine, CLINIC, ana, by=NURSE, now=clinic.now)
    line = charting.timeline(clinic.engine, CLINIC, ana, by=NURSE, now=clinic.now, kind=Kind.TEXTS).entries
    acts = charting.timeline(clinic.engine, CLINIC, ana, by=NURSE, now=clinic.now, kind=Kind.ACTS).entries

    earlier = "Ana Silva, at an earlier number"
    assert [(one.body if not one.ours else one.purpose, one.who) for one in talk if one.purpose != "answer"] == [
        ("reminder", earlier),
        ("1", earlier),
        ("verification", ""),
    ]
    assert [(one.words, one.by) for one in line if "from them" in one.words] == [("text from them", earlier)]
    assert "text: reminder" in [one.words for one in line]
    assert {ANA, BERTA} <= {one.phone for one in seen.chart.consents}
    assert len([one for one in acts if one.words == "being texted: given"]) >= 2


def test_a_number_that_was_somebody_elses_tells_nothing_of_them(on_paper: Stage) -> None:
    """Ana's number was typed as Berta's for an hour: what Berta wrote before, and since, is on no page of Ana's."""
    berta, ana = enrolled(on_paper), id_of(on_paper)
    say(on_paper, berta, code_at(on_paper))
    on_paper.says("my back hurts", "03-02 10:00", phone=BERTA)
    for when, phone in (("03-02 10:30", BERTA), ("03-02 11:30", "+12025550123")):
        on_paper.run_until(when)
        role_id = person(on_paper, ana).line.role_id
        enrolling.change_number(on_paper.engine, CLINIC, ana, role_id, phone=phone, consent=AGREED, by=NURSE, now=on_paper.now)
    on_paper.says("and my leg", "03-02 12:00", phone=BERTA)
    talk = conversing.conversation(on_paper.engine, CLINIC, ana, by=NURSE, now=on_paper.now).said
    line = charting.timeline(on_paper.engine, CLINIC, ana, by=NURSE, now=on_paper.now, kind=Kind.TEXTS).entries

    assert [one.body for one in talk if not one.ours] == []
    assert [one.words for one in line if "from them" in one.words] == []


def test_what_waits_for_the_old_number_is_taken_back(on_paper: Stage) -> None:
    """A reminder that has not left is cancelled, its dose was not reminded of, and its question is open no more."""
    ana = id_of(on_paper)
    on_paper.run_until("03-02 13:59")
    on_paper.clock.advance_to(at("03-02 14:00"))
    from reminders.services.reminding import remind_due  # noqa: PLC0415 - the one text that has not left

    remind_due(on_paper.engine, now=on_paper.now)
    enrolling.change_number(
        on_paper.engine, CLINIC, ana, person(on_paper, ana).line.role_id, phone=BERTA, consent=AGREED, by=NURSE, now=on_paper.now
    )
    (text,) = [row for row in on_paper.rows("text_out") if row["kind"] == "reminder"]
    (question,) = on_paper.rows("question")
    (dose,) = on_paper.rows("dose")

    assert (text["state"], question["answer"], dose["state"]) == ("cancelled", "withdrawn", "not_reminded")


@pytest.mark.parametrize(
    ("phone", "words"), [(ANA, "here already"), ("1", "no phone number"), ("+12025550102", "the patient's own number")]
)
def test_a_number_that_cannot_be(on_paper: Stage, phone: str, words: str) -> None:
    """The one that is there, none at all, or somebody else's around the same patient."""
    ana = id_of(on_paper)
    with pytest.raises(BadFile, match=words):
        enrolling.change_number(
            on_paper.engine, CLINIC, ana, person(on_paper, ana).line.role_id, phone=phone, consent=AGREED, by=NURSE, now=on_paper.now
        )

    assert person(on_paper, ana).line.phone == ANA


def a_caregiver(**changes: Any) -> NewPerson:  # noqa: ANN401 - a field
    """Otto, who is to be told."""
    otto = NewPerson(
        name="Otto Berg", relationship="neighbour", phone="202 555 0122", after_misses="2", consent=replace(AGREED, how="voice")
    )
    return replace(otto, **changes)


def test_a_caregiver_is_told_once_proved(clinic: Stage) -> None:
    """After the misses they agreed to; a code comes first, and no welcome for somebody who takes nothing."""
    ana = id_of(clinic)
    rui = next(one for one in enrolling.around(clinic.engine, CLINIC, ana, now=clinic.now).people if one.line.role is Role.CAREGIVER)
    enrolling.end_person(clinic.engine, CLINIC, ana, rui.line.role_id, by=NURSE, now=clinic.now)
    enrolling.add_person(clinic.engine, CLINIC, ana, a_caregiver(), by=NURSE, now=clinic.now)
    clinic.driver.settle()
    say(clinic, ana, code_at(clinic, OTTO), Role.CAREGIVER)
    clinic.answers("03-02 14:05", "03-02 20:05", text="2")
    clinic.run_until("03-03 08:00")

    assert [purpose for _, purpose in clinic.purposes(to=OTTO)] == ["verification", "caregiver_alert"]
    assert clinic.purposes(to="+12025550102") == []
    assert [actor for actor, _ in audit(clinic, "caregiver added") + audit(clinic, "caregiver ended")] == [NURSE, NURSE]


def test_who_is_told_no_more_has_no_texts_here(on_paper: Stage) -> None:
    """What a phone writes is shown to programs while somebody behind it is around the patient, and no longer."""
    ana, rui = id_of(on_paper), "+12025550102"
    on_paper.says("is she well?", phone=rui)
    before = looking_up.texts(on_paper.engine, CLINIC, ana, before=None, limit=10).rows
    role_id = person(on_paper, ana, Role.CAREGIVER).line.role_id
    enrolling.end_person(on_paper.engine, CLINIC, ana, role_id, by=NURSE, now=on_paper.now)
    on_paper.says("I moved away", "03-02 09:05", phone=rui)
    after = looking_up.texts(on_paper.engine, CLINIC, ana, before=None, limit=10).rows

    assert rui in {row["phone"] for row in before}
    assert rui not in {row["phone"] for row in after}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": ""}, "name", "must not be empty"),
        ({"relationship": ""}, "relationship", "must not be empty"),
        ({"phone": ANA}, "phone", "the patient's own number"),
        ({"phone": "+12025550102"}, "phone", "another caregiver's number"),
        ({"phone": "12"}, "phone", "no phone number"),
        ({"after_misses": "0"}, "after_misses", "1 or more"),
        ({"after_misses": "two"}, "after_misses", "whole number"),
        ({"after_misses": "1000"}, "after_misses", "99 at most"),
        ({"role": "doctor"}, "role", "'caregiver' or 'proxy'"),
        ({"consent": replace(AGREED, how="")}, "consent_how", "no text"),
    ],
)
def test_who_cannot_be_added(on_paper: Stage, changes: dict[str, Any], field: str, words: str) -> None:
    """The faults are a file's, at the fields of the form; and nobody is added."""
    before = len(on_paper.rows("contact_role"))
    with pytest.raises(BadFile) as refused:
        enrolling.add_person(on_paper.engine, CLINIC, id_of(on_paper), a_caregiver(**changes), by=NURSE, now=on_paper.now)
    found = {fault.path: fault.message for fault in refused.value.faults}

    assert words in found[field]
    assert len(on_paper.rows("contact_role")) == before


def test_one_proxy_at_most(on_paper: Stage) -> None:
    """One person holds the phone; a second is refused at their role."""
    ana = id_of(on_paper)
    enrolling.add_person(on_paper.engine, CLINIC, ana, a_caregiver(role="proxy", phone=ANA, after_misses=""), by=NURSE, now=on_paper.now)
    with pytest.raises(BadFile, match="second proxy"):
        enrolling.add_person(on_paper.engine, CLINIC, ana, a_caregiver(role="proxy"), by=NURSE, now=on_paper.now)
    found = enrolling.around(on_paper.engine, CLINIC, ana, now=on_paper.now).people

    assert [(one.line.role, one.line.phone) for one in found] == [(Role.PROXY, ANA), (Role.CAREGIVER, "+12025550102")]
    with pytest.raises(NotAllowed, match="nobody could be reached"):
        enrolling.end_person(on_paper.engine, CLINIC, ana, found[0].line.role_id, by=NURSE, now=on_paper.now)


def test_a_patient_is_texted_until_the_proxys_number_is_proved(clinic: Stage) -> None:
    """Somebody is to hold the phone from now on: while the code is on its way, the phone that is good is reminded; then theirs is."""
    ana = id_of(clinic)
    enrolling.add_person(clinic.engine, CLINIC, ana, a_caregiver(role="proxy", after_misses=""), by=NURSE, now=clinic.now)
    clinic.run_until("03-02 14:01")
    with reading(clinic.engine) as c:
        before = people.of_clinic(c, CLINIC, ana).line
    enrolling.send_code(clinic.engine, CLINIC, ana, person(clinic, ana, Role.PROXY).line.role_id, by=NURSE, now=clinic.now)
    clinic.driver.settle()
    say(clinic, ana, code_at(clinic, OTTO), Role.PROXY)
    clinic.run_until("03-02 20:01")
    shown = charting.page(clinic.engine, CLINIC, ana, by=NURSE, now=clinic.now).chart.own

    assert before is not None
    assert before.phone == ANA
    assert [when for when, _ in clinic.texts("reminder", to=ANA)] == ["03-02 14:00"]
    assert [when for when, _ in clinic.texts("reminder", to=OTTO)] == ["03-02 20:00"]
    assert shown is not None
    assert shown.phone == OTTO


def test_a_proxy_who_ended_the_texts_ends_them(on_paper: Stage) -> None:
    """Who holds the phone said STOP: the doses do not go to another phone for it."""
    ana = id_of(on_paper)
    enrolling.add_person(on_paper.engine, CLINIC, ana, a_caregiver(role="proxy", after_misses=""), by=NURSE, now=on_paper.now)
    on_paper.driver.settle()
    say(on_paper, ana, code_at(on_paper, OTTO), Role.PROXY)
    on_paper.says("STOP", phone=OTTO)
    on_paper.run_until("03-02 14:01")

    assert on_paper.texts("reminder") == []


def test_the_patients_own_number_is_not_taken_away(on_paper: Stage) -> None:
    """It is changed, or its texts are ended."""
    ana = id_of(on_paper)
    with pytest.raises(NotAllowed, match="own number"):
        enrolling.end_person(on_paper.engine, CLINIC, ana, person(on_paper, ana).line.role_id, by=NURSE, now=on_paper.now)


def test_no_more_texts_said_on_the_phone(clinic: Stage) -> None:
    """They end as by STOP, with who said it and who wrote it down; the medicine does not. Agreed to again, they go on."""
    ana = id_of(clinic)
    role_id = person(clinic, ana).line.role_id
    enrolling.end_texts(clinic.engine, CLINIC, ana, role_id, by=NURSE, now=clinic.now)
    clinic.run_until("03-02 14:01")
    ended = clinic.purposes(), person(clinic, ana).silent, "texts_stopped" in clinic.open_alerts()
    again = replace(AGREED, how="voice", at="2026-03-02T14:00")
    enrolling.agree(clinic.engine, CLINIC, ana, role_id, consent=again, by=NURSE, now=clinic.now)
    clinic.run_until("03-02 20:01")
    words = [(row["kind"], row["given_by"], row["channel"], row["recorded_by"]) for row in clinic.rows("consent") if row["recorded_by"]]

    assert ended == ([], WhyNot.OPTED_OUT, True)
    assert (clinic.purposes(), "texts_stopped" in clinic.open_alerts()) == ([("03-02 20:00", "reminder")], False)
    assert sorted(words) == [
        ("given", "Ana Silva", "voice", NURSE),
        ("restored", "Ana Silva", "voice", NURSE),
        ("revoked", "Ana Silva", "voice", NURSE),
    ]


def test_stop_by_text_is_taken_back_by_start_alone(clinic: Stage) -> None:
    """The carrier, too, lets nothing through; what is said to the clinic besides changes nothing of it."""
    ana = id_of(clinic)
    role_id = person(clinic, ana).line.role_id
    clinic.says("STOP")
    enrolling.end_texts(clinic.engine, CLINIC, ana, role_id, by=NURSE, now=clinic.now + timedelta(minutes=1))
    with pytest.raises(NotAllowed, match="START"):
        enrolling.agree(clinic.engine, CLINIC, ana, role_id, consent=AGREED, by=NURSE, now=clinic.now + timedelta(minutes=2))
    before = person(clinic, ana)
    clinic.says("START", "03-02 09:05")

    assert ((before.silent, before.must_start), person(clinic, ana).silent) == ((WhyNot.OPTED_OUT, True), None)


def test_no_code_to_a_number_that_said_stop(on_paper: Stage) -> None:
    """Somebody new with a number on which STOP stands is stored, and texted nothing, not even the code."""
    on_paper.says("STOP")
    patient_id = enrolled(on_paper, replace(NEW, phone=ANA))

    assert person(on_paper, patient_id).silent is WhyNot.OPTED_OUT
    assert on_paper.texts("verification") == []


def test_all_behind_a_number_are_locked_at_once(clinic: Stage) -> None:
    """In the one order that every service keeps: who locked one of them first could wait for ever for who locked another."""
    patient_id = enrolled(clinic, replace(NEW, phone=ANA))
    role_id = person(clinic, patient_id).line.role_id
    locks: list[set[str]] = []

    def heard(_c: object, _cursor: object, statement: str, parameters: dict[str, str], *_: object) -> None:
        if "FROM patient" in statement and "FOR UPDATE" in statement:
            locks.append(set(parameters.values()))

    event.listen(clinic.engine, "before_cursor_execute", heard)
    enrolling.end_texts(clinic.engine, CLINIC, patient_id, role_id, by=NURSE, now=clinic.now)
    ended = locks[:1]
    locks.clear()
    enrolling.agree(clinic.engine, CLINIC, patient_id, role_id, consent=AGREED, by=NURSE, now=clinic.now + timedelta(minutes=1))
    event.remove(clinic.engine, "before_cursor_execute", heard)

    both = [] if clinic.engine.dialect.name == "sqlite" else [{patient_id, id_of(clinic)}]
    assert (ended, locks[:1]) == (both, both)


# Details


def change(stage: Stage, *, by: str = NURSE, **changes: Any) -> list[str]:  # noqa: ANN401 - a field
    """Change Ana's details; return what that newly says beside her plan."""
    found = enrolling.change_details(stage.engine, CLINIC, id_of(stage), changes, by=by, now=stage.now)
    return [f"{one.plan} {one.finding.code}" for one in found]


def test_details_changed(clinic: Stage) -> None:
    """Each is kept; the audit names what changed, and none of the values."""
    assert change(clinic, name="Ana Maria Silva", language="es", wording="full", quiet_from="22:30", quiet_until="07:00") == []
    row = next(row for row in clinic.rows("patient") if row["ref"] == "ana")
    with reading(clinic.engine) as c:
        line = people.of_clinic(c, CLINIC, row["id"]).line

    assert (row["name"], row["language"], row["wording"], f"{row['quiet_from']:%H:%M}") == ("Ana Maria Silva", "es", "full", "22:30")
    assert line is not None
    assert line.name == "Ana Maria Silva"
    assert audit(clinic, "details changed") == [(NURSE, "language, name, quiet hours, wording")]


def test_nothing_changed_is_nothing_told(on_paper: Stage) -> None:
    """Saved as it stood, the audit has no line of it."""
    change(on_paper)

    assert audit(on_paper, "details changed") == []


def test_age_and_kidneys_beside_a_running_plan(clinic: Stage) -> None:
    """What the import would say is said, with its source, and a provider is alerted once; the next step waits for them."""
    found = change(clinic, born="1950-01-01", kidney="25")
    again = change(clinic, wording="full")
    raised = [(row["kind"], row["severity"], row["clinical"]) for row in clinic.rows("alert") if row["kind"] == "patient_facts"]
    beside = enrolling.details(clinic.engine, CLINIC, id_of(clinic), now=clinic.now).beside

    assert (found, again) == (["ana-baclofen older", *["ana-baclofen kidney"] * 2], [])
    assert raised == [("patient_facts", "warning", True)]
    assert all(one.finding.source for one in beside)
    assert audit(clinic, "details changed")[0] == (NURSE, "born, kidney")


def test_alcohol_goes_on_the_list_and_off_it(clinic: Stage) -> None:
    """Some is acknowledged like a medicine; none again needs a reason, and a provider for what waits for one."""
    change(clinic, alcohol="some")
    listed = [row["name"] for row in clinic.rows("medicine") if row["removed_at"] is None]
    waiting = clinic.open_alerts()
    with pytest.raises(BadFile, match="needs its reason"):
        change(clinic, alcohol="none")
    with pytest.raises(BadFile, match="only provider"):
        change(clinic, alcohol="none", reason="stopped in February")
    unchanged = next(row["alcohol"] for row in clinic.rows("patient"))
    change(clinic, alcohol="none", reason="stopped in February", by=PROVIDER)

    assert (listed, "interaction" in waiting, unchanged) == (["alcohol"], True, "some")
    assert [row["name"] for row in clinic.rows("medicine") if row["removed_at"] is None] == []
    assert ("interaction" in clinic.open_alerts(), next(row["alcohol"] for row in clinic.rows("patient"))) == (False, "none")


def test_what_fell_due_before_alcohol_came_on_the_list_fell_due_without_it(on_paper: Stage) -> None:
    """As with every change of the list; a change of the name decides nothing."""
    on_paper.clock.advance_to(at("03-02 14:00"))
    change(on_paper, name="Ana Maria Silva")
    named = on_paper.rows("dose")
    change(on_paper, alcohol="some")

    assert (named, [row["state"] for row in on_paper.rows("dose")]) == ([], ["pending"])


def test_alcohol_waits_for_a_gap_to_be_relived(on_paper: Stage) -> None:
    """The list is what the gap is decided by: it is not changed before; a name is."""
    quarantining.begin(on_paper.engine, "A backup was restored.", since=on_paper.now, now=on_paper.now)
    with pytest.raises(LedgerHeld):
        change(on_paper, alcohol="some", name="Ana Maria Silva")
    unchanged = on_paper.rows("patient")[0]
    change(on_paper, name="Ana Maria Silva")

    assert (unchanged["name"], unchanged["alcohol"], on_paper.rows("medicine")) == ("Ana Silva", "unknown", [])
    assert on_paper.rows("patient")[0]["name"] == "Ana Maria Silva"


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": ""}, "name", "must not be empty"),
        ({"born": "2030-01-01"}, "born", "in the future"),
        ({"born": "soon"}, "born", "must be a date"),
        ({"kidney": "999"}, "kidney", "up to 300"),
        ({"quiet_until": "21:00"}, "quiet_from", "time of day"),
        ({"wording": ""}, "wording", "must be"),
    ],
)
def test_details_that_cannot_be(on_paper: Stage, changes: dict[str, Any], field: str, words: str) -> None:
    """At its field; and nothing is stored."""
    before = on_paper.rows("patient")
    with pytest.raises(BadFile) as refused:
        change(on_paper, **changes)

    assert words in {fault.path: fault.message for fault in refused.value.faults}[field]
    assert on_paper.rows("patient") == before
