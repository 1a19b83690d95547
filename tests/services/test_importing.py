from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.tables import metadata
from reminders.domain.contact import Contactable, Role
from reminders.errors import BadFile, Fault
from reminders.services.importing import Imported, check_import, import_file
from reminders.services.records import on_call, people
from reminders.services.records.enrolment import short_name
from tests.files import File, a_clinic, a_dose, a_patient, a_phase, a_proxy, an_entry, an_import_file, an_on_call, changed, without

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEN = {"ref": "ben", "name": "Ben Okafor", "phone": "+12025550103"}


def rows_of(engine: Engine, table: str) -> list[dict[str, Any]]:
    """Read every row of a table."""
    with reading(engine) as c:
        return [dict(row) for row in c.execute(select(metadata.tables[table])).mappings()]


def stored(engine: Engine) -> dict[str, int]:
    """Count the rows of every table that holds any."""
    counts = {table: len(rows_of(engine, table)) for table in metadata.tables}
    return {table: count for table, count in counts.items() if count}


def faults_of(engine: Engine, data: object) -> list[str]:
    """Import a bad file; return the paths of its faults."""
    with pytest.raises(BadFile) as caught:
        import_file(engine, data, now=NOW)
    return [fault.path for fault in caught.value.faults]


def the_patient(engine: Engine) -> people.Patient:
    """Read the one patient as the rules see them."""
    (row,) = rows_of(engine, "patient")
    with reading(engine) as c:
        return people.patients(c, [row["id"]])[row["id"]]


def test_an_import_counts_what_it_stored(engine: Engine) -> None:
    """The answer to an import is what was stored, by count."""
    imported = import_file(engine, an_import_file(), now=NOW)

    assert imported == Imported(
        clinic="harbor-clinic", patients=1, caregivers=1, consents=2, medicines=1, plans=1, warnings=imported.warnings
    )


def test_every_part_of_a_file_is_stored(engine: Engine) -> None:
    """Patient, numbers, roles, consents, medicines and plan have a row each."""
    import_file(engine, an_import_file(), now=NOW)

    counts = stored(engine)
    expected = {"clinic": 1, "patient": 1, "contact_point": 2, "contact_role": 2, "consent": 2, "medicine": 1, "plan": 1, "plan_version": 1}
    assert {table: counts.get(table) for table in expected} == expected


def test_a_plan_is_on_the_clock_at_once(sqlite_engine: Engine) -> None:
    """The patient's first dose is the first slot of the imported plan: 08:00 in New York."""
    import_file(sqlite_engine, an_import_file(), now=NOW)

    (plan,), (patient,) = rows_of(sqlite_engine, "plan"), rows_of(sqlite_engine, "patient")
    assert plan["next_due_at"] == patient["next_due_at"] == datetime(2026, 3, 2, 13, tzinfo=UTC)


def test_a_consent_is_kept_as_evidence(sqlite_engine: Engine) -> None:
    """Who agreed, when, to which wording and how it reached us stay on record."""
    import_file(sqlite_engine, an_import_file(a_patient(caregivers=[])), now=NOW)

    (consent,) = rows_of(sqlite_engine, "consent")
    kept = {key: consent[key] for key in ("kind", "given_by", "wording_version", "channel", "at")}
    assert kept == {
        "kind": "given",
        "given_by": "Ana Silva",
        "wording_version": "consent-en-1",
        "channel": "import",
        "at": datetime(2026, 2, 27, 15, tzinfo=UTC),
    }


def test_an_imported_patient_and_caregiver_may_be_texted(sqlite_engine: Engine) -> None:
    """Consent on record and a proved number are enough to be texted."""
    import_file(sqlite_engine, an_import_file(), now=NOW)

    lines = the_patient(sqlite_engine).lines
    assert {line.role: type(line.may_text) for line in lines} == {Role.PATIENT: Contactable, Role.CAREGIVER: Contactable}


@pytest.mark.parametrize("phone", [None, "+12025550105", "+12025550107"])
def test_reminders_go_to_the_proxy(sqlite_engine: Engine, phone: str | None) -> None:
    """Where a proxy holds the phone, theirs is the line, whatever number the patient has."""
    import_file(sqlite_engine, an_import_file(a_patient(phone=phone, caregivers=[a_proxy()])), now=NOW)

    line = the_patient(sqlite_engine).line
    assert line is not None
    assert (line.role, line.phone, type(line.may_text)) == (Role.PROXY, "+12025550105", Contactable)


def test_a_number_of_two_people_is_one_contact_point(sqlite_engine: Engine) -> None:
    """A caregiver of two patients has one number, with a role for each."""
    import_file(sqlite_engine, an_import_file(a_patient(), a_patient(**BEN, plans=[])), now=NOW)

    counts = stored(sqlite_engine)
    assert (counts["contact_point"], counts["contact_role"]) == (3, 4)


def test_importing_into_a_clinic_adds_patients(engine: Engine) -> None:
    """A second file of the same clinic adds its patients to those who are there."""
    import_file(engine, an_import_file(), now=NOW)
    import_file(engine, an_import_file(a_patient(**BEN, plans=[an_entry(ref="ben-baclofen")])), now=NOW + timedelta(days=1))

    assert {row["ref"] for row in rows_of(engine, "patient")} == {"ana", "ben"}


def test_a_second_import_of_one_file_is_refused(engine: Engine) -> None:
    """Patients and plans that are there already are named, and nothing is stored twice."""
    import_file(engine, an_import_file(), now=NOW)
    before = stored(engine)

    assert faults_of(engine, an_import_file()) == ["patients[0].plans[0].ref", "patients[0].ref"]
    assert stored(engine) == before


@pytest.mark.parametrize(("key", "value"), [("phone", "+12025550199"), ("zone", "America/Chicago"), ("name", "Harbor -- Clinic")])
def test_an_import_does_not_change_a_clinic(sqlite_engine: Engine, key: str, value: str) -> None:
    """A clinic's number and zone, and the name behind its short name, are not changed by the way."""
    import_file(sqlite_engine, an_import_file(), now=NOW)
    data = changed(an_import_file(a_patient(**BEN, plans=[])), f"clinic.{key}", value)

    assert faults_of(sqlite_engine, data) == [f"clinic.{key}"]


def test_two_clinics_may_use_the_same_refs_and_numbers(sqlite_engine: Engine) -> None:
    """A reference and a number belong to their clinic."""
    import_file(sqlite_engine, an_import_file(), now=NOW)
    other = import_file(sqlite_engine, changed(an_import_file(), "clinic.name", "Hill Clinic"), now=NOW)

    assert other.clinic == "hill-clinic"


def test_a_clinic_may_be_given_its_id(sqlite_engine: Engine) -> None:
    """The demo's clinic is called what it wants, and known as `demo`; its patients are nobody."""
    import_file(sqlite_engine, an_import_file(), now=NOW, clinic_id="demo", simulated=True)

    (clinic,) = rows_of(sqlite_engine, "clinic")
    assert (clinic["id"], clinic["name"], clinic["simulated"]) == ("demo", "Harbor Clinic", True)


def test_progress_is_told_patient_by_patient(sqlite_engine: Engine) -> None:
    """A long import can show how far it is."""
    seen: list[tuple[int, int]] = []
    import_file(
        sqlite_engine,
        an_import_file(a_patient(), a_patient(**BEN, plans=[])),
        now=NOW,
        progress=lambda done, of: seen.append((done, of)),
    )

    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (changed(an_import_file(), "patients[0].plans[0].drug", "aspirin"), "patients[0].plans[0].drug"),
        (changed(an_import_file(), "patients[0].plans[0].zone", "America/Springfield"), "patients[0].plans[0].zone"),
        (changed(an_import_file(), "patients[0].zone", "New York"), "patients[0].zone"),
        (changed(an_import_file(), "patients[0].plans[0].start", "2026-02-30"), "patients[0].plans[0].start"),
        (an_import_file(a_patient(), a_patient(**{**BEN, "ref": "ana"}, plans=[])), "patients[1].ref"),
        (an_import_file(a_patient(), a_patient(**BEN)), "patients[1].plans[0].ref"),
        (
            changed(an_import_file(), "patients[0].plans[0].phases[1].doses[2].amount", "ten"),
            "patients[0].plans[0].phases[1].doses[2].amount",
        ),
        (
            changed(an_import_file(), "patients[0].plans[0].phases[1].doses[2].amount", "7"),
            "patients[0].plans[0].phases[1].doses[2].amount",
        ),
        (
            changed(an_import_file(), "patients[0].plans[0].phases[1].doses[2].amount", "25"),
            "patients[0].plans[0].phases[1].doses[2].amount",
        ),
        (changed(an_import_file(), "patients[0].phone", "202-555-0101"), "patients[0].phone"),
        (changed(an_import_file(), "patients[0].caregivers[0].phone", "+15555555"), "patients[0].caregivers[0].phone"),
        (without(an_import_file(), "patients[0].consent"), "patients[0].consent"),
        (without(an_import_file(), "patients[0].caregivers[0].consent"), "patients[0].caregivers[0].consent"),
        (changed(an_import_file(), "patients[0].consent.number_verified", value=False), "patients[0].consent.number_verified"),
        (changed(an_import_file(), "patients[0].caregivers[0].phone", "+12025550101"), "patients[0].caregivers[0].phone"),
        (without(an_import_file(), "patients[0].plans[0].advance"), "patients[0].plans[0].advance"),
    ],
)
def test_bad_input_is_named_by_its_path_and_nothing_is_stored(sqlite_engine: Engine, data: object, path: str) -> None:
    """Each fault is named where it stands, and the file leaves no trace."""
    assert faults_of(sqlite_engine, data) == [path]
    assert set(stored(sqlite_engine)) <= {"alembic_version"}


def two_plans(**second: object) -> File:
    """A patient with the label schedule, and a second plan of the same drug, half an afternoon apart from it."""
    times = ("11:00", "17:00", "23:00")
    other = {"ref": "ana-second", "label": "B, white cap", "start": "2026-03-11", "phases": [a_phase(None, "10", times)]}
    return an_import_file(a_patient(plans=[an_entry(label="A, blue cap"), an_entry(**{**other, **second})]))


def test_two_plans_of_one_ingredient_share_its_limits(sqlite_engine: Engine) -> None:
    """60 mg and 30 mg a day are 90 mg, above the label's 80, though neither plan is; brand or generic."""
    assert faults_of(sqlite_engine, two_plans(drug="Lioresal")) == ["patients[0].plans[1].phases[0]"]


def test_two_plans_of_one_ingredient_within_its_limits_are_stored(sqlite_engine: Engine) -> None:
    """60 mg and 15 mg a day are within the label's 80."""
    assert import_file(sqlite_engine, two_plans(phases=[a_phase(None, "5", ("11:00", "17:00", "23:00"))]), now=NOW).plans == 2


def clonidine(form: str, amounts: str, times: str, **more: object) -> File:
    """A plan of one form, with what no source gives: the tablets, and a missed-dose rule with a time of its own."""
    doses = [a_dose(at, amount) for at, amount in zip(times.split(), amounts.split(), strict=True)]
    filled_in = {"strengths": ["0.1"], "missed_dose_rule": {"hours_before_next": "2"}}
    return an_entry(**{"drug": form, "ref": form, "kind": "maintenance", "phases": [{"days": None, "doses": doses}], **filled_in, **more})


@pytest.mark.parametrize("number", [0, 1])
def test_two_forms_of_one_ingredient_share_its_limits(sqlite_engine: Engine, number: int) -> None:
    """0.4 mg of extended release and 0.2 mg in tablets pass the 0.4 mg of the first, wherever it stands in the file."""
    plans = [clonidine("clonidine-tablet", "0.1 0.1", "11:00 16:00", label="B, tan")]
    plans.insert(number, clonidine("clonidine-er", "0.2 0.2", "08:00 20:00", label="A, white"))

    assert faults_of(sqlite_engine, an_import_file(a_patient(plans=plans))) == [f"patients[0].plans[{number}].phases[0]"]


@pytest.mark.parametrize("missing", ["strengths", "missed_dose_rule"])
def test_what_no_source_gives_must_stand_in_the_plan(sqlite_engine: Engine, missing: str) -> None:
    """Without it nothing is stored; with it the plan is."""
    whole, lacking = (clonidine("clonidine-er", "0.2 0.2", "08:00 20:00") for _ in range(2))
    del lacking[missing]

    assert faults_of(sqlite_engine, an_import_file(a_patient(plans=[lacking]))) == [f"patients[0].plans[0].{missing}"]
    assert import_file(sqlite_engine, an_import_file(a_patient(plans=[whole])), now=NOW).plans == 1


def test_a_second_plan_without_a_label_is_refused(sqlite_engine: Engine) -> None:
    """Without a drug name, a text of two plans could mean either: the second needs the patient's own label."""
    data = two_plans(label=None, phases=[a_phase(None, "5", ("11:00", "17:00", "23:00"))])

    assert faults_of(sqlite_engine, data) == ["patients[0].plans[1].label"]


def test_every_fault_is_named_at_once(sqlite_engine: Engine) -> None:
    """Faults of form, faults between values and faults against the drug's profile come together, in order."""
    plans = [
        an_entry(drug="aspirin"),
        an_entry(label="B", phases=[a_phase(3, "7", ("08:00",))]),
        an_entry(ref="c", label="C", start="soon"),
    ]

    assert faults_of(sqlite_engine, an_import_file(a_patient(phone="no", plans=plans))) == [
        "patients[0].phone",
        "patients[0].plans[0].drug",
        "patients[0].plans[1].phases[0].doses[0].amount",
        "patients[0].plans[1].ref",
        "patients[0].plans[2].start",
    ]


def test_an_unknown_drug_names_the_known_ones(sqlite_engine: Engine) -> None:
    """Who misspells a drug is told which there are."""
    with pytest.raises(
        BadFile,
        match=r"patients\[0\]\.plans\[0\]\.drug: no drug profile is called 'baklofen'; nearest: baclofen-tablet; known: baclofen-tablet",
    ):
        import_file(sqlite_engine, changed(an_import_file(), "patients[0].plans[0].drug", "baklofen"), now=NOW)


def test_a_fault_at_the_end_leaves_nothing_of_the_beginning(engine: Engine) -> None:
    """A file whose last patient is there already stores none of the others."""
    import_file(engine, an_import_file(), now=NOW)
    before = stored(engine)
    new = a_patient(**BEN, plans=[an_entry(ref="ben-baclofen")])

    assert faults_of(engine, an_import_file(new, a_patient(plans=[]))) == ["patients[1].ref"]
    assert stored(engine) == before


SEDATED = {"of": "diazepam", "by": "Dr. Noor Haddad", "reason": "short course, ends on Friday"}


@pytest.mark.parametrize(
    ("medicines", "acknowledged", "paths"),
    [
        (["diazepam"], [], ["acknowledged"]),
        (["diazepam", "codeine"], [SEDATED], ["acknowledged"]),
        (["diazepam", "lisinopril"], [], ["acknowledged", "acknowledged"]),
        (["lithium"], [{**SEDATED, "of": "lithium"}], ["acknowledged[0].of"]),
        ([], [SEDATED], ["acknowledged[0].of"]),
        (["furosemide"], [{**SEDATED, "of": "furosemide"}], ["acknowledged[0].labs_due"]),
        (["diazepam"], [{**SEDATED, "labs_due": "2026-03-20"}], ["acknowledged[0].labs_due"]),
        (["diazepam"], [{**SEDATED, "reason": ""}], ["acknowledged[0].reason"]),
        (["diazepam"], [{"of": "diazepam", "reason": "short"}], ["acknowledged[0].by"]),
    ],
)
def test_an_interacting_medicine_blocks_the_import(engine: Engine, medicines: list[str], acknowledged: object, paths: list[str]) -> None:
    """Until a named provider acknowledges each with a typed reason, nothing is stored; nor is what acknowledges nothing."""
    before = stored(engine)
    data = an_import_file(a_patient(medicines=medicines, plans=[an_entry(acknowledged=acknowledged)]))

    assert (faults_of(engine, data), stored(engine)) == ([f"patients[0].plans[0].{path}" for path in paths], before)


@pytest.mark.parametrize(
    ("medicines", "of"),
    [
        (["diazepam"], ["diazepam"]),
        (["Diazepam"], ["cns depressants"]),
        (["diazepam", "codeine"], ["CNS depressants"]),
        (["lithium", "vitamin D"], []),
    ],
)
def test_what_is_acknowledged_blocks_no_more(sqlite_engine: Engine, medicines: list[str], of: list[str]) -> None:
    """By the medicine's name, or by its group's for all of it; what is only noted needs none."""
    acknowledged = [{**SEDATED, "of": name} for name in of]

    data = an_import_file(a_patient(medicines=medicines, plans=[an_entry(acknowledged=acknowledged)]))

    assert import_file(sqlite_engine, data, now=NOW).medicines == len(medicines)


def test_who_acknowledged_what_and_why_is_kept(engine: Engine) -> None:
    """The medicine, the provider and the reason stand with the plan, and in the audit that it was done."""
    import_file(engine, an_import_file(a_patient(medicines=["diazepam"], plans=[an_entry(acknowledged=[SEDATED])])), now=NOW)

    with reading(engine) as c:
        events = c.execute(select(metadata.tables["plan_event"])).mappings().all()
        audited = c.execute(select(metadata.tables["audit"])).mappings().all()
    kept = [(row["by"], row["reason"]) for row in events if row["kind"] == "interaction acknowledged"]
    assert kept == [("Dr. Noor Haddad", "diazepam: short course, ends on Friday")]
    assert [row["actor"] for row in audited if row["action"] == "plan interaction acknowledged"] == ["Dr. Noor Haddad"]


def test_what_a_person_should_look_at_is_told(sqlite_engine: Engine) -> None:
    """Warnings do not stop an import: they are told with their paths."""
    data = changed(an_import_file(), "patients[0].medicines", ["lithium"])
    data = changed(data, "patients[0].plans[0].zone", "America/Chicago")
    data = changed(data, "patients[0].consent.at", "2026-03-02T00:00:00Z")

    paths = {warning.path for warning in import_file(sqlite_engine, data, now=NOW).warnings}
    assert paths >= {"patients[0]", "patients[0].medicines[0]", "patients[0].plans[0].zone"}


def test_a_number_that_said_stop_stays_stopped(sqlite_engine: Engine) -> None:
    """A new patient behind an opted-out number does not undo the STOP, and the clinic is told."""
    import_file(sqlite_engine, an_import_file(a_patient(caregivers=[])), now=NOW)
    (point,) = rows_of(sqlite_engine, "contact_point")
    with writing(sqlite_engine) as c:
        people.opt(c, point["id"], out=True, given_by="patient", at=NOW, sid="SM1")

    again = import_file(sqlite_engine, an_import_file(a_patient(**{**BEN, "phone": "+12025550101"}, caregivers=[], plans=[])), now=NOW)

    assert Fault("patients[0].phone", "has said STOP to this clinic: not texted until START comes from it") in again.warnings
    assert rows_of(sqlite_engine, "contact_point")[0]["opted_out_at"] == NOW


@pytest.mark.parametrize(("days", "usable"), [(-3, True), (0, False)])
def test_a_number_proved_anew_is_usable_again(sqlite_engine: Engine, days: int, *, usable: bool) -> None:
    """A number that could not be texted is used again if it was proved after that, and not if before."""
    import_file(sqlite_engine, an_import_file(a_patient(caregivers=[])), now=NOW)
    (point,) = rows_of(sqlite_engine, "contact_point")
    with writing(sqlite_engine) as c:
        people.mark_unusable(c, point["id"], at=NOW + timedelta(days=days))

    import_file(sqlite_engine, an_import_file(a_patient(**{**BEN, "phone": "+12025550101"}, caregivers=[], plans=[])), now=NOW)

    (point,) = rows_of(sqlite_engine, "contact_point")
    assert (point["unusable_at"] is None, point["verified_at"] is not None) == (usable, usable)


def test_a_patient_with_a_proxy_needs_no_consent_of_their_own(sqlite_engine: Engine) -> None:
    """Where a proxy answers, the patient's own number is on record, and not texted."""
    import_file(sqlite_engine, an_import_file(a_patient(consent=None, caregivers=[a_proxy()])), now=NOW)

    lines = {line.role: isinstance(line.may_text, Contactable) for line in the_patient(sqlite_engine).lines}
    assert lines == {Role.PATIENT: False, Role.PROXY: True}


def test_what_the_ledger_refuses_is_named_where_the_file_stands(sqlite_engine: Engine) -> None:
    """The faults of a file within another are named from the outside, those found in the ledger too."""
    import_file(sqlite_engine, an_import_file(), now=NOW)
    with pytest.raises(BadFile) as caught:
        import_file(sqlite_engine, an_import_file(a_patient(plans=[])), now=NOW, within="import")

    assert [fault.path for fault in caught.value.faults] == ["import.patients[0].ref"]


def test_a_check_alone_names_faults_where_the_file_stands() -> None:
    """A file within another, a story's, has its faults named from the outside."""
    with pytest.raises(BadFile) as caught:
        check_import(changed(an_import_file(), "patients[0].plans[0].drug", "aspirin"), within="import")

    assert [fault.path for fault in caught.value.faults] == ["import.patients[0].plans[0].drug"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Harbor Clinic", "harbor-clinic"),
        ("St. Mary's  Clinic", "st-marys-clinic"),
        ("Clínica São João", "clinica-sao-joao"),
        ("A" * 60, "a" * 40),
        ("診療所", "clinic-1f2c0d6037b8"),
    ],
)
def test_a_clinic_has_a_short_name(name: str, expected: str) -> None:
    """A clinic's id is its name in small Latin letters, or a number made of it."""
    assert short_name(name) == expected


def test_an_on_call_phone_comes_with_its_consent(engine: Engine) -> None:
    """The number is proved, and the evidence of its consent is kept; an import without one leaves it, another puts itself in its place."""
    imported = import_file(engine, an_import_file(clinic=a_clinic(on_call=an_on_call())), now=NOW)
    for ref, others in (("ben", {}), ("cy", {"on_call": an_on_call("+12025550108")})):
        more = a_patient(ref=ref, phone=BEN["phone"], plans=[], caregivers=[])
        import_file(engine, an_import_file(more, clinic=a_clinic(**others)), now=NOW)
    with reading(engine) as c:
        (phone,) = on_call.phones(c, now=NOW)
        (now_called,), before = on_call.behind(c, "+12025550108"), on_call.behind(c, "+12025550109")
    evidence = [row for row in rows_of(engine, "consent") if row["patient_id"] is None]

    assert (imported.consents, phone.clinic.id, phone.may_text) == (3, "harbor-clinic", Contactable())
    assert (phone.contact_point_id, before) == (now_called["contact_point_id"], [])
    assert [(row["kind"], row["given_by"], row["wording_version"]) for row in evidence] == [("given", "Noor Haddad", "consent-en-1")] * 2


def test_of_an_on_call_phone_too_a_person_is_told(sqlite_engine: Engine) -> None:
    """A consent dated in the future, and a STOP that stands, are warnings as they are of a patient's phone."""
    import_file(sqlite_engine, an_import_file(), now=NOW)
    with writing(sqlite_engine) as c:
        c.execute(metadata.tables["contact_point"].update().values(opted_out_at=NOW))
    her = an_on_call("+12025550101")
    her["consent"]["at"] = "2026-03-09T12:00:00Z"
    ben = a_patient(ref="ben", phone=BEN["phone"], plans=[], caregivers=[])
    warnings = import_file(sqlite_engine, an_import_file(ben, clinic=a_clinic(on_call=her)), now=NOW).warnings

    assert [fault.path for fault in warnings] == ["clinic.on_call.consent.at", "clinic.on_call.phone"]


DRINKS = {"of": "alcohol", "by": "Dr. Noor Haddad", "reason": "two beers on Saturdays, told of the danger"}


@pytest.mark.parametrize(
    ("told", "kept", "listed", "warned"),
    [
        ({"alcohol": "none"}, "none", [], []),
        ({"alcohol": "unknown"}, "unknown", [], ["ask about alcohol. CNS depressants: more sedation"]),
        ({}, "unknown", [], ["ask about alcohol. CNS depressants: more sedation"]),
        ({"alcohol": "some"}, "some", ["alcohol"], ["CNS depressants: more sedation"]),
        ({"alcohol": "some", "medicines": ["Alcohol, two beers"]}, "some", ["Alcohol, two beers"], []),
        ({"medicines": ["Alcohol, two beers"]}, "some", ["Alcohol, two beers"], []),
    ],
)
def test_the_enrolment_says_what_is_known_of_alcohol(
    sqlite_engine: Engine, *, told: dict[str, object], kept: str, listed: list[str], warned: list[str]
) -> None:
    """Unknown, it is to be asked, with what it does by which source; some of it stands on the list, acknowledged like a medicine."""
    acknowledged = [{**DRINKS, "of": name} for name in listed]
    person = {key: value for key, value in a_patient(medicines=[]).items() if key != "alcohol"}
    data = an_import_file({**person, **told, "plans": [an_entry(acknowledged=acknowledged)]})
    warnings = [fault for fault in import_file(sqlite_engine, data, now=NOW).warnings if fault.path == "patients[0].alcohol"]
    with reading(sqlite_engine) as c:
        stored = c.scalars(select(metadata.tables["patient"].c.alcohol)).all()
        names = c.scalars(select(metadata.tables["medicine"].c.name)).all()

    assert (stored, names) == ([kept], listed)
    assert [(warning.message[: len(words)], "label" in warning.message) for warning, words in zip(warnings, warned, strict=True)] == [
        (words, True) for words in warned
    ]


@pytest.mark.parametrize(
    ("told", "path"),
    [
        ({"alcohol": "some"}, "plans[0].acknowledged"),
        ({"alcohol": "a little"}, "alcohol"),
        ({"alcohol": "none", "medicines": ["alcohol"]}, "alcohol"),
    ],
)
def test_alcohol_that_is_not_acknowledged_or_not_clear_blocks_the_import(sqlite_engine: Engine, told: dict[str, object], path: str) -> None:
    """Some of it beside baclofen needs a typed reason; a word of one's own, and a word against the list, mean nothing."""
    with pytest.raises(BadFile) as caught:
        import_file(sqlite_engine, an_import_file(a_patient(**{"medicines": [], **told})), now=NOW)

    assert f"patients[0].{path}" in [fault.path for fault in caught.value.faults]


SPECIAL: list[tuple[dict[str, str], list[str]]] = [
    ({"born": "1961-03-03"}, []),
    ({"born": "1961-03-02"}, ["patients[0].born"]),
    ({"kidney": "weak"}, ["patients[0].kidney"]),
    ({"kidney": "90"}, []),
    ({"kidney": "45"}, ["patients[0].kidney", "patients[0].kidney"]),
    ({"born": "1950-01-01", "kidney": "85"}, ["patients[0].born", "patients[0].kidney"]),
]
"""A date of birth and kidney function, and where the import warns: the plan starts on 2 March 2026."""


@pytest.mark.parametrize(("said", "paths"), SPECIAL)
def test_age_and_kidneys_are_flagged(sqlite_engine: Engine, said: dict[str, str], paths: list[str]) -> None:
    """With their source, and the plan is stored as it was signed."""
    told = import_file(sqlite_engine, an_import_file(a_patient(**said)), now=NOW).warnings
    special = [fault for fault in told if fault.path.endswith((".born", ".kidney"))]

    assert [fault.path for fault in special] == paths
    assert [fault for fault in special if not str(fault).endswith(("; sourced)", "; second-hand)", "; default)"))] == []
    assert stored(sqlite_engine)["plan"] == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("born", "2026-03-03"),
        ("born", "1958-02-30"),
        ("born", "1958"),
        ("born", 19580402),
        ("kidney", "0"),
        ("kidney", "-3"),
        ("kidney", "301"),
        ("kidney", "good"),
        ("kidney", 45),
        ("kidney", "NaN"),
    ],
)
def test_what_no_age_or_kidney_is(sqlite_engine: Engine, key: str, value: object) -> None:
    """It is refused at its path, and nothing is stored."""
    assert set(faults_of(sqlite_engine, an_import_file(a_patient(**{key: value})))) == {f"patients[0].{key}"}
    assert stored(sqlite_engine).get("patient", 0) == 0
