"""Approving: a provider signs the plan of a patient as it is laid out before them, with a reason for whatever warns of it.

What is signed is a document, never the formula it was built from: the text that is shown with its hash is the text that is
stored. A look that is out of date signs nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from itertools import count
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders import drugs
from reminders.domain.approval import Acknowledgement
from reminders.domain.finding import PatientFacts
from reminders.domain.profile import Severity
from reminders.domain.roles import Right
from reminders.errors import BadFile, Fault
from reminders.formats.parts import read_reason
from reminders.formats.plan_file import Draft, read_draft, write_draft
from reminders.services.records import approved, enrolment, interacting, people, plans, quarantines, staff
from reminders.services.records.approved import Approval
from reminders.services.records.broken import fault_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.domain.finding import Finding
    from reminders.domain.plan import Plan, PlannedDose
    from reminders.domain.profile import DrugProfile, Interaction
    from reminders.services.records.approved import Known
    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

INTERACTION = "interaction"
"""The code of what a medicine on the list does: it is acknowledged by the medicine's name, or is only a note."""

LONGEST_REF = 74
"""So much of a plan's reference is made of its patient's and its drug's; a number may follow."""


@dataclass(frozen=True, slots=True)
class Interacting:
    """A medicine on the patient's list that a provider acknowledges before the approval, and what it does by each of its classes."""

    key: str
    medicine: str
    groups: tuple[Interaction, ...]

    @property
    def labs(self) -> tuple[str, ...]:
        """What a laboratory is to check beside it, by a day that the provider gives; empty if nothing."""
        return tuple(check for group in self.groups if group.labs is not None for check in group.labs.value)


@dataclass(frozen=True, slots=True)
class Looked:
    """A plan of a known patient as it would be approved now.

    document  the canonical JSON that would be stored; `digest` is its hash, as the audit would have it.
    draft     the text that an approval brings back: the document, and the doses of the day before it.
    seal      the hash of all that is shown here: it changes when the document does, or what is known of the patient.
    findings  errors first. `interacting`: what is acknowledged by name.
    """

    patient: Patient
    plan: Plan
    profile: DrugProfile
    document: str
    digest: str
    draft: str
    seal: str
    findings: tuple[Finding, ...]
    interacting: tuple[Interacting, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What blocks."""
        return tuple(finding for finding in self.findings if finding.level is Severity.ERROR)

    @property
    def warnings(self) -> dict[str, Finding]:
        """What needs a typed reason each, by its key."""
        kept = (finding for finding in self.findings if finding.level is Severity.WARNING and finding.code != INTERACTION)
        return {_short(str(asdict(finding))): finding for finding in kept}

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What is told of the other medicines."""
        return tuple(finding for finding in self.findings if finding.level is Severity.WARNING and finding.code == INTERACTION)


@dataclass(frozen=True, slots=True)
class Beside:
    """Why to go on beside an interacting medicine, and by which day a laboratory checks what it has to."""

    reason: str
    labs_due: date | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """What a provider says to what they saw: its seal, a reason for each warning and each interacting medicine, by key."""

    by: str
    seal: str
    reasons: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, Beside] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patient for whom a plan is to be built: what is known of them today, and the plans they have."""

    patient: Patient
    today: date
    known: Known
    plans: tuple[StoredPlan, ...]


def candidate(engine: Engine, whose: tuple[str, str], *, now: datetime) -> Candidate:
    """Read what is known of a clinic's patient (both by id). Raises UnknownPatient."""
    with reading(engine) as c:
        patient = _patient(c, whose)
        today = now.astimezone(patient.tz).date()
        theirs = plans.of_patients(c, [patient.id]).get(patient.id, [])
        return Candidate(patient, today, approved.known_of(c, patient.id, on=today), tuple(theirs))


def look(engine: Engine, whose: tuple[str, str], plan: Plan, *, now: datetime, before: tuple[PlannedDose, ...] = ()) -> Looked:
    """Lay a plan of a clinic's patient (both by id) before a provider; nothing is stored.

    `before`: the doses of the day before its first phase, for a taper. Raises UnknownPatient, and UnknownDrug.
    """
    with reading(engine) as c:
        return _look(c, whose, Draft(plan, before), now=now)


def look_again(engine: Engine, whose: tuple[str, str], draft: str, *, now: datetime) -> Looked:
    """Lay before a provider what a look gave as its draft. Raises BadFile too, where the text is none."""
    with reading(engine) as c:
        return _look(c, whose, read_draft(draft), now=now)


def approve(engine: Engine, whose: tuple[str, str], draft: str, signature: Signature, *, now: datetime) -> str:
    """Store what was looked at as an approved plan of a clinic's patient (both by id); return the plan's id.

    Raises UnknownPatient; NotAllowed for who does not prescribe; LedgerHeld before a gap was relived; BadFile with what
    blocks, with each reason that is missing (at `reasons.<key>` and `beside.<key>`), or at `seal` if what would be stored is
    not what was seen, or more is known of the patient by now. Then nothing is stored.
    """
    with writing(engine) as c:
        quarantines.refuse_while_held(c)
        clinic_id, patient_id = whose
        staff.require(c, clinic_id, signature.by, Right.PRESCRIBE)
        people.lock(c, [patient_id])
        looked = _look(c, whose, read_draft(draft), now=now)
        if looked.seal != signature.seal:
            raise BadFile([Fault("seal", "this is not what was shown, or more is known of the patient by now: look at it once more")])
        faults = [fault_of(finding) for finding in looked.errors]
        faults += [*_unreasoned(looked, signature.reasons), *_unacknowledged(looked, signature, now)]
        if faults:
            raise BadFile(faults)
        approval = Approval(signature.by, None, tuple(_acknowledged(looked, signature)))
        plan_id = approved.store(c, whose, looked.plan, approval, ref=_ref(c, looked), now=now)
        interacting.begin(c, looked.patient, plans.read(c, [plan_id])[plan_id], now=now)
        _keep_reasons(c, plan_id, looked, signature, now=now)
        return plan_id


def _look(c: Connection, whose: tuple[str, str], draft: Draft, *, now: datetime) -> Looked:
    patient = _patient(c, whose)
    plan, profile = draft.plan, drugs.load(draft.plan.drug)
    known = approved.known_of(c, patient.id, on=plan.start)
    findings = approved.check_first(plan, known, now=now, before=draft.before)
    met = tuple(_interacting(profile, known))
    document, text = plans.document_of(plan), write_draft(draft)
    seen = [text, [asdict(finding) for finding in findings], [one.key for one in met]]
    return Looked(
        patient=patient,
        plan=plan,
        profile=profile,
        document=document,
        digest=plans.digest_of(document),
        draft=text,
        seal=plans.digest_of(json.dumps(seen, sort_keys=True)),
        findings=findings,
        interacting=met,
    )


def _patient(c: Connection, whose: tuple[str, str]) -> Patient:
    return people.of_clinic(c, *whose)


def _interacting(profile: DrugProfile, known: Known) -> Iterator[Interacting]:
    for medicine in dict.fromkeys(known.taken(profile)):
        groups = profile.interacting(medicine)
        if any(group.blocks for group in groups):
            yield Interacting(_short(medicine), medicine, groups)


def _short(text: str) -> str:
    """A key for a field of a form: of the very words it is about, so that no reason comes to stand under others."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _unreasoned(looked: Looked, reasons: Mapping[str, str]) -> Iterator[Fault]:
    for key in looked.warnings:
        yield from _no_reason(f"reasons.{key}", reasons.get(key, ""))


def _no_reason(path: str, reason: str) -> Iterator[Fault]:
    try:
        read_reason(reason.strip())
    except ValueError as error:
        yield Fault(path, str(error) if reason.strip() else "is missing: say why you go on")


def _unacknowledged(looked: Looked, signature: Signature, now: datetime) -> Iterator[Fault]:
    """What is missing of the acknowledgement of each interacting medicine: its reason, or the day of a laboratory check."""
    today = now.astimezone(looked.patient.clinic.tz).date()
    for one in looked.interacting:
        said = signature.beside.get(one.key, Beside(""))
        yield from _no_reason(f"beside.{one.key}.reason", said.reason)
        alone = approved.Known((), (one.medicine,), PatientFacts())
        for finding in approved.check_acknowledged(looked.profile, alone, [_acknowledgement(one, signature)]):
            yield Fault(f"beside.{one.key}.labs_due", f"is missing: {finding.message}")
        if said.labs_due is not None and said.labs_due < today:
            yield Fault(f"beside.{one.key}.labs_due", "is past")


def _acknowledged(looked: Looked, signature: Signature) -> Iterator[Acknowledgement]:
    yield from (_acknowledgement(one, signature) for one in looked.interacting)


def _acknowledgement(one: Interacting, signature: Signature) -> Acknowledgement:
    said = signature.beside.get(one.key, Beside(""))
    return Acknowledgement(one.medicine, signature.by, said.reason.strip(), said.labs_due if one.labs else None)


def _ref(c: Connection, looked: Looked) -> str:
    """A reference of its own for the plan: its patient's and its drug's, and a number where that is taken."""
    first = f"{looked.patient.ref}-{looked.profile.key}"[:LONGEST_REF]
    names = (first if number == 1 else f"{first}-{number}" for number in count(1))
    return next(name for name in names if not enrolment.plan_refs_taken(c, looked.patient.clinic.id, [name]))


def _keep_reasons(c: Connection, plan_id: str, looked: Looked, signature: Signature, *, now: datetime) -> None:
    """Keep with the plan why its provider went on past each warning."""
    plan = plans.read(c, [plan_id])[plan_id]
    for key, finding in looked.warnings.items():
        why = f"{signature.reasons[key].strip()} (beside: {finding.code} at {finding.path}, found {finding.found}, limit {finding.limit})"
        plans.add_event(c, plan.clinic_id, plan_id, kind="warning accepted", state=plan.state, by=signature.by, at=now, reason=why)
