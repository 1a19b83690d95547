from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reminders.errors import BadFile
from reminders.formats.import_file import plans_in, read_import
from reminders.formats.plan_file import read_plan
from tests.files import a_caregiver, a_clinic, a_patient, a_plan_file, a_proxy, an_entry, an_import_file, an_on_call, changed, without

BEN = {"ref": "ben", "name": "Ben Okafor", "phone": "+12025550103"}


def paths_of(data: object) -> list[str]:
    """Read a bad import file; return the paths of its faults."""
    with pytest.raises(BadFile) as caught:
        read_import(data)
    return [fault.path for fault in caught.value.faults]


def test_an_import_file_is_a_clinic_with_its_patients() -> None:
    """Every part of an import file arrives in its value."""
    file = read_import(an_import_file())

    patient = file.patients[0]
    assert (file.clinic.name, patient.ref, patient.caregivers[0].ref, patient.medicines) == ("Harbor Clinic", "ana", "rui", ("vitamin D",))


def test_a_plan_in_an_import_file_is_the_plan_of_a_plan_file() -> None:
    """A plan means the same in an import file as alone."""
    assert read_import(an_import_file()).patients[0].plans[0].plan == read_plan(a_plan_file())


def test_a_consent_is_kept_to_the_second_in_utc() -> None:
    """The instant of a consent may be given in any zone."""
    data = changed(an_import_file(), "patients[0].consent.at", "2026-02-27T10:00:00-05:00")

    consent = read_import(data).patients[0].consent
    assert consent is not None
    assert consent.at == datetime(2026, 2, 27, 15, tzinfo=UTC)


def test_what_is_usual_may_be_left_out() -> None:
    """A patient without caregivers, medicines or plans is English and discreet, and complete."""
    data = an_import_file()
    for key in ("language", "wording", "caregivers", "medicines", "plans"):
        data = without(data, f"patients[0].{key}")

    patient = read_import(data).patients[0]
    assert (patient.language, patient.wording, patient.caregivers, patient.plans) == ("en", "discreet", (), ())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("clinic.name", ""),
        ("clinic.phone", "911"),
        ("clinic.zone", "Eastern"),
        ("patients[0].name", "Ana\u202e"),
        ("patients[0].phone", "(202) 555-0101"),
        ("patients[0].phone", "+1 202 555 0101"),
        ("patients[0].phone", "0012025550101"),
        ("patients[0].phone", "+1202555010"),
        ("patients[0].phone", "+10000000000"),
        ("patients[0].phone", "+857929929051501"),
        ("patients[0].phone", 12025550101),
        ("patients[0].phone", None),
        ("patients[0].zone", "EDT"),
        ("patients[0].language", "fr"),
        ("patients[0].wording", "loud"),
        ("patients[0].consent", None),
        ("patients[0].consent", True),
        ("patients[0].consent.at", "2026-02-27T15:00:00"),
        ("patients[0].consent.at", "2026-02-30T15:00:00Z"),
        ("patients[0].consent.number_verified", False),
        ("patients[0].caregivers[0].phone", "+12025550101"),
        ("patients[0].caregivers[0].phone", None),
        ("patients[0].caregivers[0].role", "patient"),
        ("patients[0].caregivers[0].consent", None),
        ("patients[0].caregivers[0].alerts.after_misses", 0),
        ("patients[0].medicines[0]", ""),
        ("patients[0].plans[0].start", "2026-02-30"),
        ("patients[0].plans[0].zone", "Nowhere/Here"),
        ("patients[0].plans[0].phases[2].doses[0].amount", "ten"),
        ("patients[0].plans[0].phases[2].doses[0].amount", 10),
        ("patients[0].plans[0].approved_by", ""),
        ("patients", {}),
    ],
)
def test_a_bad_value_is_named_by_its_path(path: str, value: object) -> None:
    """A value that cannot be used is the one fault, at its own path."""
    assert paths_of(changed(an_import_file(), path, value)) == [path]


@pytest.mark.parametrize(
    "path",
    [
        "clinic",
        "clinic.phone",
        "patients",
        "patients[0].ref",
        "patients[0].phone",
        "patients[0].zone",
        "patients[0].consent",
        "patients[0].consent.by",
        "patients[0].consent.wording_version",
        "patients[0].consent.number_verified",
        "patients[0].caregivers[0].consent",
        "patients[0].caregivers[0].role",
        "patients[0].plans[0].ref",
        "patients[0].plans[0].advance",
        "patients[0].plans[0].approved_by",
    ],
)
def test_what_is_missing_is_named_by_its_path(path: str) -> None:
    """Consent, numbers, refs, approvers and the advance policy have no default."""
    assert paths_of(without(an_import_file(), path)) == [path]


@pytest.mark.parametrize(("key", "value"), [("phone", "911"), ("consent.number_verified", False), ("consent.by", ""), ("name", "Noor")])
def test_an_on_call_phone_is_proved_and_agreed_to(key: str, value: object) -> None:
    """A number like any other: in E.164, with the evidence of who agreed, and proved."""
    data = changed(an_import_file(clinic=a_clinic(on_call=an_on_call())), f"clinic.on_call.{key}", value)
    with pytest.raises(BadFile) as caught:
        read_import(data)

    assert [fault.path for fault in caught.value.faults] == [f"clinic.on_call.{key}"]


@pytest.mark.parametrize("path", ["notes", "clinic.fax", "patients[0].age", "patients[0].consent.ip", "patients[0].plans[0].dose"])
def test_an_unknown_key_is_refused(path: str) -> None:
    """A key that nobody reads is a misunderstanding, and refused."""
    assert paths_of(changed(an_import_file(), path, "x")) == [path]


def test_a_second_patient_of_one_ref_is_refused() -> None:
    """A patient's ref stands once in a file."""
    data = an_import_file(a_patient(), a_patient(**{**BEN, "ref": "ana"}, plans=[]))

    assert paths_of(data) == ["patients[1].ref"]


def test_a_second_plan_of_one_ref_is_refused_across_patients() -> None:
    """A plan's ref stands once in a file, whoever's plan it is."""
    data = an_import_file(a_patient(), a_patient(**BEN))

    assert paths_of(data) == ["patients[1].plans[0].ref"]


@pytest.mark.parametrize(("key", "value"), [("ref", "rui"), ("phone", "+12025550102")])
def test_a_second_caregiver_of_one_ref_or_number_is_refused(key: str, value: str) -> None:
    """A patient's caregivers are told apart by their refs and their numbers."""
    second = a_caregiver(**{"ref": "eva", "phone": "+12025550104", key: value})

    assert paths_of(an_import_file(a_patient(caregivers=[a_caregiver(), second]))) == [f"patients[0].caregivers[1].{key}"]


def test_one_caregiver_may_look_after_two_patients() -> None:
    """The same person may be told about several patients."""
    data = an_import_file(a_patient(), a_patient(**BEN, plans=[]))

    assert [patient.caregivers[0].ref for patient in read_import(data).patients] == ["rui", "rui"]


def test_a_patient_without_a_phone_has_a_proxy() -> None:
    """Where a proxy holds the phone, the patient needs neither number nor consent of their own."""
    data = an_import_file(a_patient(phone=None, consent=None, caregivers=[a_proxy()]))

    proxy = read_import(data).patients[0].proxy
    assert proxy is not None
    assert proxy.phone == "+12025550105"


def test_a_proxy_may_hold_the_patients_own_number() -> None:
    """A father's number may stand as his child's: it is the proxy's then."""
    data = an_import_file(a_patient(phone="+12025550105", caregivers=[a_proxy()]))

    assert read_import(data).patients[0].phone == "+12025550105"


def test_a_second_proxy_is_refused() -> None:
    """One person answers for a patient."""
    data = an_import_file(a_patient(phone=None, caregivers=[a_proxy(), a_proxy(ref="mia", phone="+12025550106")]))

    assert paths_of(data) == ["patients[0].caregivers[1].role"]


def test_faults_in_and_between_values_are_named_at_once() -> None:
    """A bad value does not hide a duplicate elsewhere."""
    data = an_import_file(a_patient(), a_patient(**{**BEN, "ref": "ana", "phone": "no"}))

    assert paths_of(data) == ["patients[1].phone", "patients[1].plans[0].ref", "patients[1].ref"]


@pytest.mark.parametrize("data", [None, [], {}, {"patients": [None, 5, {"caregivers": "none", "plans": [[]]}]}])
def test_a_file_of_another_shape_is_refused(data: object) -> None:
    """No shape of a file, however odd, ends in anything but named faults."""
    assert paths_of(data) != []


def test_the_plans_that_can_be_read_are_read() -> None:
    """A fault in one plan does not hide what is wrong with another."""
    spoilt = changed(an_entry(ref="spoilt"), "phases[0].days", "x")
    data = an_import_file(a_patient(phone="no", plans=[spoilt, an_entry()]))

    assert [[path for path, _ in patient.plans] for patient in plans_in(data)] == [["patients[0].plans[1]"]]


def test_an_import_file_may_name_its_format() -> None:
    """A file may say which version of the format it follows, and no other."""
    assert paths_of({"$schema": "doseline:plan:1", **an_import_file()}) == ["$schema"]
    assert read_import({"$schema": "doseline:import:1", **an_import_file()}) is not None
