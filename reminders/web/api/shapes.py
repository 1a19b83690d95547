"""The shapes of answers, and of the small bodies that no public file has. They describe; what is written comes from `as_json`.

A list has `items`, and `next`: give it as `after` for what follows, null where there is no more.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeAlias, TypeVar

from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from reminders.domain.adherence import Mark
from reminders.domain.contact import Role
from reminders.domain.dose_state import SETTABLE, DoseState
from reminders.domain.finding import Alcohol
from reminders.domain.plan import Kind, Unit
from reminders.domain.plan_state import PlanState
from reminders.domain.profile import Confidence, Severity
from reminders.domain.queues import Queue
from reminders.domain.roles import StaffRole
from reminders.formats.import_file import QuietHoursShape, TabletsShape
from reminders.formats.parts import (
    AmountText,
    ClockText,
    DateText,
    InstantText,
    KidneyText,
    Name,
    PhoneText,
    Reason,
    ReasonGiven,
    Word,
    ZoneText,
)
from reminders.formats.plan_file import PlanShape
from reminders.formats.shape import Shape, shown

ID = r"^[0-9a-f]{32}$"
MOST_AT_ONCE = 200
USUAL_AT_ONCE = 50

MOST_ON_ROSTER = 100
LONGEST_SEARCH = 80
LONGEST_WORDS = 600

SeverityText: TypeAlias = Literal["info", "warning", "urgent", "emergency"]
Id: TypeAlias = Annotated[str, Field(pattern=ID)]
Seal: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ROW = "An id, as a list gave it. Nothing can be read from it."
PatientId: TypeAlias = Annotated[str, Path(alias="patient", pattern=ID, description=ROW)]
PlanId: TypeAlias = Annotated[str, Path(alias="plan", pattern=ID, description=ROW)]
DoseId: TypeAlias = Annotated[str, Path(alias="dose", pattern=ID, description=ROW)]
AlertId: TypeAlias = Annotated[str, Path(alias="alert", pattern=ID, description=ROW)]
MemberId: TypeAlias = Annotated[str, Path(alias="member", pattern=ID, description=ROW)]
DrugKey: TypeAlias = Annotated[
    str, Path(alias="drug", pattern=r"^[a-z0-9-]{1,80}$", description="A drug's key, as the list of drugs has it.")
]

T = TypeVar("T")


class Asked(BaseModel):
    """What stands in a query: text, which is read as what is wanted; nothing else may stand there."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paged(Asked):
    """Which page of a list."""

    after: Annotated[str | None, Field(max_length=80, description="The `next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST_AT_ONCE, description="How many at most.")] = USUAL_AT_ONCE


class Between(Asked):
    """Local dates: from the first on, up to the one before the end."""

    first: Annotated[DateText | None, Field(alias="from", description="The first local date.")] = None
    end: Annotated[DateText | None, Field(alias="to", description="The local date after the last.")] = None


class PagedBetween(Paged):
    """Which page of a list of local dates."""

    first: Annotated[DateText | None, Field(alias="from", description="The first local date.")] = None
    end: Annotated[DateText | None, Field(alias="to", description="The local date after the last.")] = None


class Rehearsed(Asked):
    """Whether it is only tried: all is looked at, and nothing is changed."""

    dry_run: Annotated[bool, Field(description="Only try it: nothing is changed.")] = False


InPages: TypeAlias = Annotated[Paged, Query()]


class Listed(Shape, Generic[T]):
    """A page of a list."""

    items: list[T]
    next: str | None


# The clinic and its people


class MeShape(Shape):
    """Whose key it is, and what it may do."""

    key: Id
    clinic: str
    name: Name
    roles: list[StaffRole]


class ClinicAnswer(Shape):
    """The clinic of the key."""

    id: str
    name: Name
    phone: PhoneText
    zone: ZoneText
    opens_at: ClockText
    closes_at: ClockText
    simulated: bool


class MemberAnswer(Shape):
    """A person on the clinic's list; who left it is still there, with the day."""

    id: Id
    name: Name
    roles: list[StaffRole]
    added_at: InstantText
    ended_at: InstantText | None


# Patients


class PatientLine(Shape):
    """A patient in a list."""

    id: Id
    ref: str
    name: str
    zone: ZoneText
    language: str
    wording: str
    next_due_at: InstantText | None
    created_at: InstantText


class ContactAnswer(Shape):
    """A number behind a patient, and what stands against texting it."""

    id: Id
    role: Role
    ref: str
    name: str
    relationship: str
    phone: str
    after_misses: int | None
    verified_at: InstantText | None
    opted_out_at: InstantText | None
    unusable_at: InstantText | None


class ConsentAnswer(Shape):
    """Evidence that texting was agreed to, withdrawn or taken up again. `given_by`: a name, or a role where a text said it."""

    kind: Literal["given", "revoked", "restored"]
    phone: str
    given_by: str
    wording_version: str
    channel: str
    at: InstantText


class MedicineAnswer(Shape):
    """Another medicine that is, or was, on the patient's list."""

    id: Id
    name: str
    added_at: InstantText
    removed_at: InstantText | None


class PlanLine(Shape):
    """A plan in a list."""

    id: Id
    patient: Id
    ref: str
    drug: str
    label: str | None
    state: PlanState
    reason: str | None
    approved_by: str
    next_due_at: InstantText | None
    created_at: InstantText
    ended_at: InstantText | None


class PatientAnswer(PatientLine):
    """A patient, and who and what is around them."""

    alcohol: Alcohol
    born: DateText | None
    kidney: str | None
    quiet_hours: QuietHoursShape
    contacts: list[ContactAnswer]
    consents: list[ConsentAnswer]
    medicines: list[MedicineAnswer]
    plans: list[PlanLine]


class ShortFinding(Shape):
    """A finding in a sentence, which holds the number, the limit and the source."""

    level: Severity
    path: str
    message: str


class DetailsBody(Shape):
    """What changes of what is known of a patient; what is left out stays. `reason`: why, where a medicine comes off the list by it."""

    name: Annotated[Name, Field(default_factory=str)]
    language: Literal["en", "es"] = "en"
    wording: Literal["discreet", "amount", "full"] = "discreet"
    alcohol: Annotated[Alcohol, Field(strict=False)] = Alcohol.UNKNOWN
    born: DateText | None = None
    kidney: KidneyText | None = None
    quiet_hours: Annotated[QuietHoursShape, Field(default_factory=dict)]
    reason: Reason = ""


class NewlyFound(ShortFinding):
    """What a change says beside one of the patient's plans, by the plan's reference and drug."""

    plan: str
    drug: str


class ChangedAnswer(Shape):
    """What a change newly says beside the plans that run: a provider is alerted of it."""

    beside: list[NewlyFound]


class WordsBody(Shape):
    """A text in a person's own words; with `takes_over` the conversation is then in their hands."""

    words: Annotated[str, Field(min_length=1, max_length=LONGEST_WORDS)]
    takes_over: bool = False


class WrittenAnswer(Shape):
    """When the text leaves, and how many parts it has."""

    leaves_at: InstantText
    parts: int


class TakenOverAnswer(Shape):
    """Until when the conversation is in somebody's hands; null: it is the machine's."""

    until: InstantText | None


class PlansAnswer(Shape):
    """A patient's plans, those that are over among them."""

    items: list[PlanLine]


class TextAnswer(Shape):
    """A text to or from a number behind the patient. `reading`: what a text of theirs was understood as."""

    id: str
    at: InstantText
    ours: bool
    phone: str
    body: str
    purpose: str | None
    plan: str | None
    state: str | None
    status: str | None
    error_code: int | None
    understood: bool | None
    reading: str | None


class CheckInAnswer(Shape):
    """A day on which the patient was asked how it goes, and what was asked."""

    plan: Id
    local_date: DateText
    phase: int
    items: list[str]
    asked_at: InstantText


class RatingAnswer(Shape):
    """One number that the patient told."""

    id: Id
    item: str
    value: int
    by: str
    at: InstantText


class CheckInsAnswer(Listed[RatingAnswer]):
    """What a patient told of how it goes, newest first; and when they were asked."""

    asked: list[CheckInAnswer]


# Plans


class VersionAnswer(Shape):
    """An approved version. `hash`: SHA-256 of the signed document in canonical JSON, as the audit has it."""

    no: int
    hash: str
    effective_at: InstantText
    approved_by: str
    approved_at: InstantText


class SpanAnswer(Shape):
    """From which local date to which a phase runs as things stand, both included; `to` null: without end."""

    phase: int
    from_: Annotated[DateText, Field(alias="from")]
    to: DateText | None


class PlanAnswer(PlanLine):
    """A plan. `document`: what was signed, as a plan file has it; `phases`: when each runs, its stays laid in; `phase`: the current one."""

    phase: int
    document: PlanShape
    phases: list[SpanAnswer]
    versions: list[VersionAnswer]


class EventAnswer(Shape):
    """Something that happened to a plan: who, when, why."""

    id: Id
    at: InstantText
    kind: str
    state: PlanState
    phase: int | None
    by: str
    reason: str


class DoseAnswer(Shape):
    """A dose that fell due, and what it came to."""

    id: Id
    plan: Id
    local_date: DateText
    slot_no: int
    local_time: ClockText
    due_at: InstantText
    amount: AmountText
    unit: Unit
    phase: int
    state: DoseState
    reason: str | None
    taken_at: InstantText | None


class SlotAnswer(Shape):
    """A dose to come, as its plan lays it out now."""

    local_date: DateText
    slot_no: int
    local_time: ClockText
    due_at: InstantText
    amount: AmountText
    unit: Unit
    phase: int


class SlotsAnswer(Shape):
    """The doses to come, in order; none where nothing is due."""

    items: list[SlotAnswer]


class TabletAnswer(Shape):
    """So many tablets of a strength; a number with a half where a scored one is split."""

    count: str
    strength: str


class TableDose(Shape):
    """A dose of a day of the table; `tablets` null: not counted in tablets."""

    at: ClockText
    amount: str
    tablets: list[TabletAnswer] | None


class TableRowAnswer(Shape):
    """A run of days on the same amounts, both dates included. Null: without end."""

    phase: int
    from_: Annotated[DateText, Field(alias="from")]
    to: DateText | None
    from_day: int
    to_day: int | None
    days: int | None
    every_n_days: int
    doses: list[TableDose]
    per_day: str
    so_far: str | None


class CountAnswer(Shape):
    """So many whole tablets of a strength."""

    strength: str
    count: int


class PhaseCounts(Shape):
    """The tablets that a phase takes."""

    phase: int
    tablets: list[CountAnswer]


class DispenseAnswer(Shape):
    """The tablets to dispense, up to a day of the plan, by phase and in all."""

    until_day: int
    phases: list[PhaseCounts]
    in_all: list[CountAnswer]


class TableAnswer(Shape):
    """A plan laid out with its dates: what a provider approves."""

    drug: str
    kind: Kind
    zone: ZoneText
    unit: Unit
    rows: list[TableRowAnswer]
    dispense: DispenseAnswer | None


class FindingAnswer(Shape):
    """What a check found: where, the number, the limit, and the source that the limit rests on. An error blocks."""

    level: Severity
    code: str
    path: str
    message: str
    found: str
    limit: str
    source: str
    confidence: Confidence
    second_confirmation: bool


class FindingsAnswer(Shape):
    """What a check found, errors first."""

    items: list[FindingAnswer]


class SlotLine(Shape):
    """A dose beside the join."""

    due_at: InstantText
    amount: str
    phase: int


class EditAnswer(Shape):
    """What a new document does to a plan: where it joins, what speaks against it, and the doses around the join before and after.

    `seal`: of what was looked at, and of the plan as it stood; it goes into the edit.
    """

    plan: str
    version: int
    stored: bool
    seal: str
    first_due_at: InstantText | None
    gap_seconds: int | None
    problems: str
    not_due: list[InstantText]
    findings: list[ShortFinding]
    as_it_was: list[SlotLine]
    as_it_would_be: list[SlotLine]


class NewDocument(Shape):
    """A document that may become a plan's next version."""

    document: PlanShape


class SignedDocument(NewDocument):
    """A document that becomes a plan's next version, the seal of its preview, and why."""

    seal: Seal
    reason: ReasonGiven


class BesideAnswer(ShortFinding):
    """What an added medicine does beside one of the patient's plans, by the plan's reference."""

    plan: str
    source: str


class ToldAnswer(Shape):
    """A text that would be sent, and to whom."""

    to: str
    body: str


class ForeseenAnswer(Shape):
    """What an act would do: the doses to come before and after it, who would be told what, and the alerts raised and closed."""

    as_it_was: list[SlotLine]
    as_it_would_be: list[SlotLine]
    texts: list[ToldAnswer]
    raised: list[str]
    closed: list[str]


class ActAnswer(Shape):
    """How a plan stands after an act, or (`done` false) would stand."""

    done: bool
    plan: Id
    action: str
    state: PlanState
    phase: int
    beside: list[BesideAnswer]
    foreseen: ForeseenAnswer | None


def _settable(value: object) -> DoseState:
    if not (isinstance(value, str) and value in SETTABLE):
        raise ValueError(f"must be one of {', '.join(SETTABLE)}, not {shown(value)}")
    return DoseState(value)


class Correction(Shape):
    """What a dose came to after all, and how that is known. What was recorded before is kept."""

    state: Annotated[DoseState, BeforeValidator(_settable), WithJsonSchema({"type": "string", "enum": [*SETTABLE]})]
    reason: ReasonGiven


class StrengthCount(Shape):
    """So many tablets of a strength."""

    strength: str
    unit: Unit
    tablets: int


class NeedAnswer(Shape):
    """What a phase to come takes, on these local dates."""

    phase: int
    from_: Annotated[DateText, Field(alias="from")]
    to: DateText
    tablets: list[StrengthCount]


class SupplyAnswer(Shape):
    """A plan's tablets. Null: nobody keeps count, or it is not known."""

    plan: str
    drug: str
    told_at: InstantText | None
    left: list[StrengthCount] | None
    runs_out: DateText | None
    taper_ends: DateText | None
    missing: list[StrengthCount] | None
    needs: list[NeedAnswer]


class Tallied(Shape):
    """Tablets that were counted at home, all there are of each strength; or that came, in addition."""

    kind: Literal["counted", "added"]
    tablets: Annotated[tuple[TabletsShape, ...], Field(strict=False, min_length=1, max_length=20)]


class AdherenceAnswer(Shape):
    """How far the taking matched one plan: counts first, and shares in percent or "no data"."""

    patient: str
    plan: str
    drug: str
    due: int
    counted: int
    taken: int
    skipped: int
    missed: int
    unconfirmed: int
    not_reminded: int
    not_due: int
    lower_percent: str
    upper_percent: str
    responded_percent: str
    response_rate_percent: str
    reach_percent: str
    on_time_percent: str
    correct_days: str
    mg_weighted_percent: str
    longest_run_not_taken: int
    of_which_unconfirmed: int


class AdherencesAnswer(Shape):
    """How far the taking matched each plan, and what these figures cannot say."""

    items: list[AdherenceAnswer]
    caveats: list[str]


class ExportedDose(Shape):
    """A dose of an export: whose, of which plan, by their references."""

    clinic: str
    patient: str
    plan: str
    drug: str
    local_date: DateText
    slot_no: int
    phase: int
    due_at: InstantText
    amount: AmountText
    unit: Unit
    state: DoseState
    reason: str | None
    taken_at: InstantText | None
    mark: Mark


class DoseLines(Shape):
    """The doses of an export, by patient and plan, in order."""

    items: list[ExportedDose]


# Alerts


class AlertAnswer(Shape):
    """Something that a person must look at."""

    id: Id
    patient: Id
    plan: Id | None
    kind: str
    severity: SeverityText
    clinical: bool
    owner: str
    words: str
    raised_at: InstantText
    deadline_at: InstantText | None
    raised_again: int
    acknowledged_at: InstantText | None
    acknowledged_by: str | None
    closed_at: InstantText | None
    close_reason: str | None


class DoseOfDay(Shape):
    """A dose of the running phase's day."""

    at: ClockText
    amount: AmountText
    unit: Unit


class DayAnswer(Shape):
    """A local day, and what its doses came to, in their order."""

    date: DateText
    marks: list[Mark]


class PanelAnswer(Shape):
    """How a plan stands: its phase, its last two weeks, the share of the counted doses that was confirmed, and where that goes."""

    plan: Id
    ref: str
    drug: str
    label: str | None
    state: PlanState
    reason: str | None
    phase: int
    phases: int
    doses: list[DoseOfDay]
    days: list[DayAnswer]
    confirmed_percent: str
    counted: int
    trend: Literal["up", "down", "steady"] | None


class ShortAlert(Shape):
    """An open alert, in short."""

    id: Id
    kind: str
    severity: SeverityText
    taken_on: bool


class RosterAnswer(Shape):
    """A patient as the roster shows them. `severity`: of the gravest open alert; `days`: whole days since the oldest of those."""

    patient: Id
    name: str
    ref: str
    zone: ZoneText
    severity: SeverityText | None
    days: int | None
    alerts: list[ShortAlert]
    plans: list[PanelAnswer]


class SearchBody(Shape):
    """What the roster is narrowed to. `text`: the beginnings of words of a name or reference, a phone number, or its last four digits."""

    text: Annotated[str, Field(max_length=LONGEST_SEARCH)] = ""
    state: Annotated[PlanState, Field(strict=False)] | None = None
    drug: Annotated[str, Field(max_length=80, pattern=r"^[a-z0-9-]*$")] | None = None
    severity: SeverityText | Literal["none"] | None = None
    after: Annotated[str, Field(pattern=r"^[ap][0-9a-f]{32}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_ON_ROSTER)] = 25


class QueueCount(Shape):
    """How many open alerts a queue has; of those nobody has taken on `untaken`, and of those urgent or worse `grave`."""

    queue: Annotated[Queue, Field(strict=False)]
    alerts: int
    untaken: int
    grave: int


class QueuesAnswer(Shape):
    """Every queue, in order."""

    items: list[QueueCount]


class PhoneAnswer(Shape):
    """A number to call, and whose it is; whether we may text it."""

    name: str
    role: Role
    phone: str
    texted: bool


class GateAnswer(Shape):
    """What the gate of the next step sees: of `closed` doses of the phase `confirmed`, where `needed` must be; and what is unmet."""

    met: bool
    confirmed: int
    closed: int
    needed: int
    unmet: list[str]


class PlanOnCardAnswer(PanelAnswer):
    """A plan that an alert is about: its gate, where that is asked for, and what this key may do to it."""

    gate: GateAnswer | None
    may: list[str]


class CardAnswer(Shape):
    """An alert with what it rests on.

    `not_given_back`, `not_resolved`: why not, empty where it can be. `by_provider`: only a provider takes it on, with a reason.
    """

    id: Id
    queue: Annotated[Queue, Field(strict=False)]
    patient: Id
    patient_name: str
    patient_ref: str
    kind: str
    severity: SeverityText
    words: str
    owner: str
    clinical: bool
    raised_at: InstantText
    deadline_at: InstantText | None
    overdue: str | None
    acknowledged_at: InstantText | None
    acknowledged_by: str | None
    closed_at: InstantText | None
    close_reason: str | None
    phones: list[PhoneAnswer]
    plans: list[PlanOnCardAnswer]
    not_given_back: str
    not_resolved: str
    by_provider: bool
    labs: list[str]


class TakeOnBody(Shape):
    """Why to go on, where that is asked for, and by when a laboratory checks."""

    reason: Reason = ""
    labs_due: DateText | None = None


class ResolveBody(Shape):
    """What was done, or found."""

    note: ReasonGiven


# Drugs


class ApprovedAnswer(Shape):
    """Who at the clinic stands behind a profile of their own."""

    by: str
    on: DateText
    replaces: bool


class DrugLine(Shape):
    """A drug and form."""

    key: str
    name: str
    ingredient: str
    form: str
    unit: Unit
    aliases: list[str]
    taper_only: bool
    given_for: list[list[str]]
    layouts: list[str]
    approved: ApprovedAnswer | None


class DrugsAnswer(Shape):
    """The drugs and forms that are known."""

    items: list[DrugLine]


class KnownAnswer(Shape):
    """One thing known of a drug, and what it rests on."""

    field: str
    value: str
    source: str
    confidence: Confidence
    on_breach: Severity
    disagrees: list[list[str]]
    note: str


class DrugAnswer(DrugLine):
    """All that is known of a drug: each number with its source; and the fields for which no source was found."""

    sources: dict[str, str]
    known: list[KnownAnswer]
    unknown: list[str]


# Imports


class WarningAnswer(Shape):
    """What a person should look at."""

    path: str
    message: str
    found: str | None = None
    limit: str | None = None
    source: str | None = None


class ImportAnswer(Shape):
    """What was stored, or (`stored` false) would be, by count; and what a person should look at."""

    stored: bool
    clinic: str
    patients: int
    caregivers: int
    consents: int
    medicines: int
    plans: int
    warnings: list[WarningAnswer]


# What an act needs


class ActBody(Shape):
    """An act on a plan, and why, if there is something to say."""

    reason: Reason = ""


class ReasonedBody(Shape):
    """An act that changes what is taken, and why."""

    reason: ReasonGiven


class RestartBody(ReasonedBody):
    """The phase at which the plan begins again, from 1."""

    phase: Annotated[int, Field(ge=1, le=10_000)]


class SlowDownBody(ReasonedBody):
    """By how many days this phase and each to come that has an end lasts longer."""

    days: Annotated[int, Field(ge=1, le=366)]


class MoveZoneBody(ActBody):
    """Where the patient's clocks are now."""

    zone: ZoneText


class AcknowledgeBody(ActBody):
    """Which kind of alert (left out: all of the plan's open ones); beside some medicines, by when a laboratory checks."""

    alert: Word | None = None
    labs_due: DateText | None = None


class AddMedicineBody(ActBody):
    """What goes on the list of the plan's patient."""

    medicine: Name


class RemoveMedicineBody(ReasonedBody):
    """What comes off the list of the plan's patient, and why."""

    medicine: Name


class NewMember(Shape):
    """A person for the list; one who is on it, or was, has these roles from now on, and no others."""

    name: Name
    roles: Annotated[tuple[Annotated[StaffRole, Field(strict=False)], ...], Field(strict=False, min_length=1, max_length=3)]
