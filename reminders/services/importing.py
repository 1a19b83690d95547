"""Importing: a whole file of patients and plans is checked, and stored all or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from db.engine import undoing, writing
from reminders import drugs
from reminders.domain.approval import check_approval, check_approved_yet, check_interactions, check_labs
from reminders.domain.checking import check_plan
from reminders.domain.finding import Finding, is_alcohol
from reminders.domain.patient_checks import check_alcohol, check_medicines, check_special, counts_beside
from reminders.domain.profile import DrugProfile, Severity
from reminders.domain.roles import Right
from reminders.domain.supply import Tally, TallyKind, not_a_strength
from reminders.errors import BadFile, Fault
from reminders.formats.import_file import ImportFile, PatientPlans, PlanEntryShape, plans_in, read_import
from reminders.formats.json_text import join
from reminders.formats.shape import in_order
from reminders.services.records import approved, enrolment, plans, staff, supplies
from reminders.services.records.approved import Approval
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.broken import fault_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.domain.plan import Amount, Plan
    from reminders.services.records.ledger import Row


@dataclass(frozen=True, slots=True)
class Imported:
    """What was stored, by count, and what a person should look at."""

    clinic: str
    patients: int
    caregivers: int
    consents: int
    medicines: int
    plans: int
    warnings: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """An import file without a fault, and what a person should look at."""

    file: ImportFile
    warnings: tuple[Fault, ...]


def _unseen(_done: int, _of: int) -> None:
    """Nobody watches the progress."""


def import_file(
    engine: Engine,
    data: object,
    *,
    now: datetime,
    clinic_id: str | None = None,
    simulated: bool = False,
    within: str = "",
    progress: Callable[[int, int], None] = _unseen,
    by: str | None = None,
    dry_run: bool = False,
) -> Imported:
    """Store an import file's JSON values in one transaction; return what was stored.

    Into a clinic of that name that is already there, patients are added. `clinic_id` left out, it is made of the name.
    `within` is the path at which the file stands in another. `progress` is told (patients stored, patients in all).
    `by`: who brings it in, where that is known: they approve in no other name than their own, and list nobody and set no on-call phone
    unless they say who works here. Left out, whoever runs the machine does. `dry_run`: nothing is stored, though all is tried.
    Raises BadFile with every fault, NotAllowed for a person who may not, and then nothing is stored.
    """
    checked = check_import(data, within=within)
    file = checked.file
    clinic_id = clinic_id or enrolment.short_name(file.clinic.name)
    with undoing(engine) if dry_run else writing(engine) as c:
        if by is not None:
            _may_bring(c, file, clinic_id, by)
            write_audit(c, clinic_id, Entry(now, by, "file imported", clinic_id, f"{len(file.patients)} patients"))
        clinic = enrolment.claim_clinic(c, clinic_id, file.clinic, simulated=simulated, at=now)
        faults = [*_against_clinic(file, clinic), *_against_refs(c, file, clinic_id), *_not_yet_approved(file, now)]
        faults += _of_staff(c, file, clinic_id, now)
        faults += [] if by is None else _in_other_names(file, by)
        if faults:
            raise BadFile(_placed(faults, within))
        quiet = tuple(_opted_out(c, file, clinic_id))
        if file.clinic.on_call is not None:
            enrolment.set_on_call(c, clinic_id, file.clinic.on_call, at=now)
        for done, patient in enumerate(file.patients, 1):
            patient_id = enrolment.add_patient(c, clinic_id, patient, at=now)
            for entry in patient.plans:
                approval = Approval(entry.approved_by, entry.approved_at, entry.acknowledgements)
                plan_id = approved.store(c, (clinic_id, patient_id), entry.plan, approval, ref=entry.ref, now=now)
                counted = [Tally(now, TallyKind.COUNTED, strength, tablets) for strength, tablets in entry.tablets.items()]
                if counted:
                    supplies.add(c, plans.read(c, [plan_id])[plan_id], counted, by=enrolment.IMPORTER, now=now)
            progress(done, len(file.patients))
    return _counted(file, clinic_id, in_order((*checked.warnings, *_later_than(file, now), *quiet)))


def check_import(data: object, *, within: str = "") -> Checked:
    """Check an import file against its shape and its drugs' profiles, without the ledger.

    `within` is the path at which the file stands in another. Raises BadFile with every fault found.
    """
    file, faults = _read(data)
    notes = [note for patient in plans_in(data) for note in _notes(patient)]
    faults += [fault for level, fault in notes if level is Severity.ERROR]
    if file is None or faults:
        raise BadFile(_placed(faults, within))
    return Checked(file, in_order((*(fault for _, fault in notes), *_away_from_home(file))))


def _placed(faults: Iterable[Fault], within: str) -> tuple[Fault, ...]:
    return in_order(replace(fault, path=join(within, fault.path)) for fault in faults)


def _read(data: object) -> tuple[ImportFile | None, list[Fault]]:
    """Read the file; where that fails its plans are still checked, so that every fault is named at once."""
    try:
        return read_import(data), []
    except BadFile as bad:
        return None, list(bad.faults)


def _notes(patient: PatientPlans) -> Iterator[tuple[Severity, Fault]]:
    """What the drugs' profiles say of a patient's plans, each after the ones before it."""
    before: list[tuple[str, Plan]] = []
    for path, plan in patient.plans:
        try:
            profile = drugs.load(plan.drug)
        except drugs.UnknownDrug as unknown:
            yield Severity.ERROR, Fault(join(path, "drug"), str(unknown))
        else:
            found = check_plan(plan, profile, others=[other for _, other in before], is_alike=drugs.alike(profile))
            yield from (_note(path, finding) for finding in (*found, *check_approval(plan, patient.approved[path])))
            given = _given(profile, patient)
            for check in (check_interactions, check_labs):
                yield from (_note(path, finding) for finding in check(profile, (*patient.listed, *given), patient.acknowledged[path]))
            yield from ((Severity.ERROR, fault) for fault in _of_supply(path, plan, profile, patient.supplies[path]))
            yield from _of_other_forms(path, plan, profile, before)
            yield from (_note(patient.path, finding) for finding in check_medicines(profile, patient.medicines))
            yield from (_note(path, replace(finding, path="drug")) for finding in check_medicines(profile, given))
            yield from (_note(patient.path, finding) for finding in _of_alcohol(profile, patient))
            yield from _of_the_patient(plan, profile, patient)
        before.append((path, plan))


def _given(profile: DrugProfile, patient: PatientPlans) -> tuple[str, ...]:
    """What the patient's other plans in the file give beside a drug, each ingredient once."""
    others = (drugs.known(plan.drug) for _, plan in patient.plans)
    return tuple(dict.fromkeys(other.ingredient for other in others if other and counts_beside(profile, other, patient.medicines)))


def _of_the_patient(plan: Plan, profile: DrugProfile, patient: PatientPlans) -> Iterator[tuple[Severity, Fault]]:
    """What the patient's age and kidneys call for with a drug, on the day on which its plan starts."""
    facts = patient.facts_on(plan.start)
    if facts.age is not None and facts.age < 0:
        yield Severity.ERROR, Fault(join(patient.path, "born"), f"is later than the start of a plan: {plan.start.isoformat()}")
        return
    for finding in check_special(profile, facts):
        yield _note(patient.path, replace(finding, path="born") if finding.path == "age" else finding)


def _of_alcohol(profile: DrugProfile, patient: PatientPlans) -> Iterator[Finding]:
    """What alcohol does beside a drug, where that is not told of the list already."""
    if not any(map(is_alcohol, patient.medicines)):
        yield from check_alcohol(profile, patient.alcohol)


def _of_supply(path: str, plan: Plan, profile: DrugProfile, strengths: Sequence[Amount]) -> Iterator[Fault]:
    """What is wrong with the tablets said to be there: a strength that the plan does not have, or one said twice."""
    for index, strength in enumerate(strengths):
        where = join(path, f"supply[{index}].strength")
        if why := not_a_strength(strength, plan, profile):
            yield Fault(where, why)
        if strength in strengths[:index]:
            yield Fault(where, f"{strength} stands already above: say each strength once")


def _of_other_forms(path: str, plan: Plan, profile: DrugProfile, before: list[tuple[str, Plan]]) -> Iterator[tuple[Severity, Fault]]:
    """What this plan does to the limits of an earlier one of another form, which was checked without it."""
    for earlier_path, earlier in before:
        for finding in approved.spoilt(earlier, plan, profile):
            yield _note(earlier_path, replace(finding, message=f"{finding.message}, with {path}"))


def _note(path: str, finding: Finding) -> tuple[Severity, Fault]:
    return finding.level, fault_of(finding, join(path, finding.path))


# Against what the ledger already holds


def _against_clinic(file: ImportFile, clinic: Row) -> Iterator[Fault]:
    """A clinic's name, number and zone are not changed by bringing in patients."""
    for key in ("name", "phone", "zone"):
        given = getattr(file.clinic, key)
        if given != clinic[key]:
            yield Fault(f"clinic.{key}", f"the clinic {clinic['id']!r} is already here with {clinic[key]!r}, not {given!r}")


def _of_staff(c: Connection, file: ImportFile, clinic_id: str, now: datetime) -> Iterator[Fault]:
    """List the file's people who are not on the clinic's list, and find what no provider on it stands behind.

    What somebody on the list is, a file does not change: a leaver would be back by an old file.
    """
    known = staff.listed(c, clinic_id)
    for index, person in enumerate(file.clinic.staff):
        roles = frozenset(person.roles)
        if person.name not in known:
            staff.add(c, clinic_id, person.name, roles, by=enrolment.IMPORTER, at=now)
        elif known[person.name].ended_at is not None or known[person.name].roles != roles:
            yield Fault(f"clinic.staff[{index}]", f"{person.name} is on the clinic's list otherwise: `doseline staff` changes that")
    yield from _without_provider(c, file, clinic_id)


def _may_bring(c: Connection, file: ImportFile, clinic_id: str, by: str) -> None:
    """Let nobody bring in what is not theirs to decide. Raises MayNot."""
    staff.require(c, clinic_id, by, Right.CARE)
    if any(patient.plans for patient in file.patients):
        staff.require(c, clinic_id, by, Right.PRESCRIBE)
    if file.clinic.staff or file.clinic.on_call:
        staff.require(c, clinic_id, by, Right.ADMINISTER)


def _in_other_names(file: ImportFile, by: str) -> Iterator[Fault]:
    """Each name under an approval, or an acknowledgement, that is not the name of who brings it in."""
    for index, patient in enumerate(file.patients):
        for number, plan in enumerate(patient.plans):
            for path, name in _providers_named(f"patients[{index}].plans[{number}]", plan):
                if name != by:
                    yield Fault(path, f"must be {by}, in whose name this is brought in")


def _without_provider(c: Connection, file: ImportFile, clinic_id: str) -> Iterator[Fault]:
    """Each name under an approval, or an acknowledgement, that is no provider's."""
    named = [
        (path, name)
        for index, patient in enumerate(file.patients)
        for number, plan in enumerate(patient.plans)
        for path, name in _providers_named(f"patients[{index}].plans[{number}]", plan)
    ]
    why = {name: staff.refused(c, clinic_id, name, Right.PRESCRIBE) for name in {name for _, name in named}}
    yield from (Fault(path, f"{why[name]}, or `clinic.staff` in this file") for path, name in named if why[name])


def _providers_named(path: str, plan: PlanEntryShape) -> Iterator[tuple[str, str]]:
    yield f"{path}.approved_by", plan.approved_by
    yield from ((f"{path}.acknowledged[{index}].by", one.by) for index, one in enumerate(plan.acknowledged))


def _against_refs(c: Connection, file: ImportFile, clinic_id: str) -> Iterator[Fault]:
    patients = {patient.ref: f"patients[{index}].ref" for index, patient in enumerate(file.patients)}
    plans = {
        plan.ref: f"patients[{index}].plans[{number}].ref"
        for index, patient in enumerate(file.patients)
        for number, plan in enumerate(patient.plans)
    }
    for ref in enrolment.patient_refs_taken(c, clinic_id, patients):
        yield Fault(patients[ref], f"the clinic already has a patient {ref!r}")
    for ref in enrolment.plan_refs_taken(c, clinic_id, plans):
        yield Fault(plans[ref], f"the clinic already has a plan {ref!r}")


def _not_yet_approved(file: ImportFile, now: datetime) -> Iterator[Fault]:
    for index, patient in enumerate(file.patients):
        for number, plan in enumerate(patient.plans):
            found = check_approved_yet(plan.approved_at, now)
            yield from (_note(f"patients[{index}].plans[{number}]", finding)[1] for finding in found)


# What is stored, and yet to be looked at


def _opted_out(c: Connection, file: ImportFile, clinic_id: str) -> Iterator[Fault]:
    where = {phone: path for path, phone in _phones(file)}
    for phone in enrolment.opted_out(c, clinic_id, where):
        yield Fault(where[phone], "has said STOP to this clinic: not texted until START comes from it")


def _phones(file: ImportFile) -> Iterator[tuple[str, str]]:
    if file.clinic.on_call is not None:
        yield "clinic.on_call.phone", file.clinic.on_call.phone
    for index, patient in enumerate(file.patients):
        yield from ((f"patients[{index}].caregivers[{number}].phone", who.phone) for number, who in enumerate(patient.caregivers))
        if patient.phone is not None:
            yield f"patients[{index}].phone", patient.phone


def _away_from_home(file: ImportFile) -> Iterator[Fault]:
    for index, patient in enumerate(file.patients):
        for number, plan in enumerate(patient.plans):
            if plan.zone != patient.zone:
                path = f"patients[{index}].plans[{number}].zone"
                yield Fault(path, f"doses are due by the clocks of {plan.zone}, though the patient lives in {patient.zone}")


def _later_than(file: ImportFile, now: datetime) -> Iterator[Fault]:
    if file.clinic.on_call is not None and file.clinic.on_call.consent.at > now:
        yield Fault("clinic.on_call.consent.at", f"the consent is dated in the future: {file.clinic.on_call.consent.at.isoformat()}")
    for index, patient in enumerate(file.patients):
        for _, consent in enrolment.consents_of(patient):
            if consent.at > now:
                yield Fault(f"patients[{index}]", f"the consent of {consent.by} is dated in the future: {consent.at.isoformat()}")


def _counted(file: ImportFile, clinic_id: str, warnings: Iterable[Fault]) -> Imported:
    patients = file.patients
    return Imported(
        clinic=clinic_id,
        patients=len(patients),
        caregivers=sum(len(patient.caregivers) for patient in patients),
        consents=sum(1 for patient in patients for _ in enrolment.consents_of(patient)) + (file.clinic.on_call is not None),
        medicines=sum(len(patient.listed) for patient in patients),
        plans=sum(len(patient.plans) for patient in patients),
        warnings=tuple(warnings),
    )
