"""The import file: a clinic's patients, the people around them, their consents and their plans. Stored all or not at all.

The shapes check each value; `across` checks what only holds between values. Both look at the whole file, so that one
reading names every fault. What needs a drug profile or the ledger is checked in `services/importing.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self, TypeAlias, TypeVar

from pydantic import Field, model_validator

from reminders.domain.approval import Acknowledgement
from reminders.domain.contact import QuietHours, Role
from reminders.domain.finding import ALCOHOL, Alcohol, PatientFacts, age_on, is_alcohol
from reminders.domain.plan import Amount, Plan
from reminders.domain.roles import StaffRole
from reminders.errors import BadFile, Fault
from reminders.formats.json_text import join
from reminders.formats.parts import (
    WEAK,
    AmountText,
    ClockText,
    DateText,
    InstantText,
    KidneyText,
    Name,
    PhoneText,
    ReasonGiven,
    Ref,
    Word,
    ZoneText,
    read_date,
    read_kidney,
)
from reminders.formats.plan_file import PlanShape
from reminders.formats.shape import WANTED, Shape, in_order, read

MOST_TABLETS = 10_000
"""More than this at home is a slip of the finger."""

T = TypeVar("T")

Entry: TypeAlias = tuple[str, object]  # a path, and the raw value that stands there


class How(StrEnum):
    """How somebody agreed to be texted: what there is to show for it."""

    PAPER = "paper"
    VOICE = "voice"
    ONLINE = "online"


class StaffMemberShape(Shape):
    """A person at the clinic, and what they are there: a provider prescribes, staff care, an admin says who works here."""

    name: Name
    roles: Annotated[tuple[Annotated[StaffRole, Field(strict=False)], ...], Field(strict=False, min_length=1)]


class ConsentShape(Shape):
    """Evidence that someone agreed to be texted: who, when, to which wording, and that the number was proved theirs.

    `how` they agreed: left out, whoever made the file knows.
    """

    by: Name
    at: InstantText
    wording_version: Name
    number_verified: Literal[True]
    how: Annotated[How, Field(strict=False)] | None = None


class OnCallShape(Shape):
    """The phone that is texted, by day and night, when an alert cannot wait: no patient's name, drug or illness goes there."""

    phone: PhoneText
    consent: ConsentShape


class ClinicShape(Shape):
    """The clinic: the name and the number that its texts give, people for its list of who may decide what, and its on-call phone."""

    name: Name
    phone: PhoneText
    zone: ZoneText
    staff: Annotated[tuple[StaffMemberShape, ...], Field(strict=False)] = ()
    on_call: OnCallShape | None = None


class AlertsShape(Shape):
    """What a caregiver agreed to be told: after how many doses running that were not confirmed."""

    after_misses: Annotated[int, Field(ge=1, le=99)]


class CaregiverShape(Shape):
    """A person around the patient: a caregiver is told, a proxy holds the phone and answers for the patient."""

    ref: Ref
    name: Name
    phone: PhoneText
    relationship: Word
    role: Literal["caregiver", "proxy"]
    consent: ConsentShape
    alerts: AlertsShape | None = None


class TabletsShape(Shape):
    """Tablets of one strength, in the plan's unit, that the patient has at the import."""

    strength: AmountText
    tablets: Annotated[int, Field(ge=0, le=MOST_TABLETS)]


class AcknowledgementShape(Shape):
    """A provider's reason to go on beside an interacting medicine, by its name or its group's; `labs_due` dates its labs."""

    of: Name
    by: Name
    reason: ReasonGiven
    labs_due: DateText | None = None

    @property
    def acknowledgement(self) -> Acknowledgement:
        """The acknowledgement it says."""
        return Acknowledgement(self.of, self.by, self.reason, self.labs_due)


class PlanEntryShape(PlanShape):
    """A plan file's plan, with its own name and its approver's; `approved_at` left out: at the import.

    `supply`: the tablets the patient has; left out, nobody keeps count. `acknowledged`: what interacts with it, each with a reason.
    """

    ref: Ref
    approved_by: Name
    approved_at: InstantText | None = None
    supply: Annotated[tuple[TabletsShape, ...], Field(strict=False)] = ()
    acknowledged: Annotated[tuple[AcknowledgementShape, ...], Field(strict=False)] = ()

    @property
    def acknowledgements(self) -> tuple[Acknowledgement, ...]:
        """What the provider has acknowledged."""
        return tuple(shape.acknowledgement for shape in self.acknowledged)

    @property
    def tablets(self) -> dict[Amount, int]:
        """The tablets the patient has, by strength."""
        return {Amount(entry.strength, self.plan.unit): entry.tablets for entry in self.supply}


class QuietHoursShape(Shape):
    """Local hours in which nothing is started by us, `from` one time `until` another, usually over midnight."""

    starts: Annotated[ClockText, Field(alias="from")]
    until: ClockText

    @model_validator(mode="after")
    def _are_hours(self) -> Self:
        QuietHours(self.starts, self.until)
        return self


class DetailsShape(Shape):
    """What is known of a patient, apart from whom to text and what they take."""

    name: Name
    language: Literal["en", "es"] = "en"
    wording: Literal["discreet", "amount", "full"] = "discreet"
    alcohol: Annotated[Alcohol, Field(strict=False)] = Alcohol.UNKNOWN
    born: DateText | None = None
    kidney: KidneyText | None = None
    quiet_hours: QuietHoursShape | None = None

    @property
    def quiet(self) -> QuietHours:
        """The patient's quiet hours, or the usual ones."""
        return QuietHours() if self.quiet_hours is None else QuietHours(self.quiet_hours.starts, self.quiet_hours.until)


class PatientShape(DetailsShape):
    """A patient: `phone` and `consent` may be null only where a proxy holds the phone."""

    ref: Ref
    phone: PhoneText | None
    zone: ZoneText
    consent: ConsentShape | None = None
    caregivers: Annotated[tuple[CaregiverShape, ...], Field(strict=False)] = ()
    medicines: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    plans: Annotated[tuple[PlanEntryShape, ...], Field(strict=False)] = ()

    @property
    def drinks(self) -> Alcohol:
        """What is known of their alcohol: who has it on the list of medicines drinks some."""
        return Alcohol.SOME if any(map(is_alcohol, self.medicines)) else self.alcohol

    @property
    def listed(self) -> tuple[str, ...]:
        """The list of medicines, with alcohol, where they drink some."""
        return _with_alcohol(self.medicines, self.alcohol)

    @property
    def proxy(self) -> CaregiverShape | None:
        """Who holds the phone for this patient, if somebody does."""
        return next((person for person in self.caregivers if person.role == Role.PROXY.value), None)


class ImportFile(Shape):
    """An import file, version 1."""

    format: Annotated[Literal["doseline:import:1"] | None, Field(alias="$schema")] = None
    clinic: ClinicShape
    patients: Annotated[tuple[PatientShape, ...], Field(strict=False)]


@dataclass(frozen=True, slots=True)
class PatientPlans:
    """What can be read of a patient's plans, each with its path, and the medicines beside them.

    By path: when each was approved, if that is said, the strengths of the tablets that are there, and what was acknowledged.
    """

    path: str
    plans: tuple[tuple[str, Plan], ...]
    approved: Mapping[str, datetime | None]
    supplies: Mapping[str, tuple[Amount, ...]]
    acknowledged: Mapping[str, tuple[Acknowledgement, ...]]
    medicines: tuple[str, ...]
    alcohol: Alcohol
    born: date | None
    kidney: Decimal | None
    weak_kidneys: bool

    def facts_on(self, day: date) -> PatientFacts:
        """What is known of the patient on a day, apart from the list of medicines."""
        age = None if self.born is None else age_on(self.born, day)
        return PatientFacts(age=age, kidney=self.kidney, kidney_flag=self.weak_kidneys, alcohol=self.alcohol)

    @property
    def listed(self) -> tuple[str, ...]:
        """The medicines, with alcohol, where the patient drinks some."""
        return _with_alcohol(self.medicines, self.alcohol)


def _with_alcohol(medicines: tuple[str, ...], alcohol: Alcohol) -> tuple[str, ...]:
    missing = alcohol is Alcohol.SOME and not any(map(is_alcohol, medicines))
    return (*medicines, ALCOHOL) if missing else medicines


def read_import(data: object) -> ImportFile:
    """Read an import file's JSON values. Raises BadFile with every fault that shows without drug profiles and ledger."""
    between = tuple(across(data))
    try:
        file = read(ImportFile, data)
    except BadFile as bad:
        raise BadFile(in_order((*bad.faults, *between))) from bad
    if between:
        raise BadFile(in_order(between))
    return file


def plans_in(data: object) -> tuple[PatientPlans, ...]:
    """Give the plans that can be read, patient by patient, of a file that may have faults elsewhere."""
    return tuple(_patient_plans(path, patient) for path, patient in _entries(data, "patients"))


def _patient_plans(path: str, patient: object) -> PatientPlans:
    entries = tuple(_readable(_entries(patient, "plans", path)))
    medicines = tuple(name for name in _list(patient, "medicines") if isinstance(name, str))
    said = _text(patient, "alcohol")
    kidney = _read_by(read_kidney, patient.get("kidney") if isinstance(patient, dict) else None)
    return PatientPlans(
        path=path,
        plans=tuple((where, entry.plan) for where, entry in entries),
        approved={where: entry.approved_at for where, entry in entries},
        supplies={where: tuple(Amount(tablets.strength, entry.plan.unit) for tablets in entry.supply) for where, entry in entries},
        acknowledged={where: entry.acknowledgements for where, entry in entries},
        medicines=medicines,
        alcohol=Alcohol.SOME if any(map(is_alcohol, medicines)) else Alcohol(said) if said in set(Alcohol) else Alcohol.UNKNOWN,
        born=_read_by(read_date, patient.get("born") if isinstance(patient, dict) else None),
        kidney=kidney if isinstance(kidney, Decimal) else None,
        weak_kidneys=kidney == WEAK,
    )


def _read_by(reading: Callable[[object], T], value: object) -> T | None:
    """Read a value, or nothing where it cannot be used: the shape says so at its path."""
    try:
        return None if value is None else reading(value)
    except ValueError:
        return None


def _readable(entries: Iterable[Entry]) -> Iterator[tuple[str, PlanEntryShape]]:
    for path, entry in entries:
        try:
            yield path, read(PlanEntryShape, entry)
        except BadFile:
            continue


# What holds between values. These walk the raw values and pass over whatever has not the form they expect: that is the shapes' to say.


def across(data: object, within: str = "") -> Iterator[Fault]:
    """Find the faults between an import file's values; `within` is the path at which the file stands."""
    patients = tuple(_entries(data, "patients", within))
    plans = [plan for path, patient in patients for plan in _entries(patient, "plans", path)]
    yield from _twice(patients, "ref", "another patient's ref")
    yield from _twice(plans, "ref", "another plan's ref")
    for path, patient in patients:
        people = tuple(_entries(patient, "caregivers", path))
        yield from _twice(people, "ref", "another caregiver's ref")
        yield from _twice(people, "phone", "another caregiver's number")
        yield from _own_number(patient, people)
        yield from _whose_phone(path, patient, people)
        yield from _what_they_drink(path, patient)


def _own_number(patient: object, people: Sequence[Entry]) -> Iterator[Fault]:
    own = _text(patient, "phone")
    for path, person in people:
        if own is not None and _text(person, "phone") == own and _text(person, "role") != Role.PROXY:
            yield Fault(f"{path}.phone", "the patient's own number: a caregiver is someone else; give role proxy if they hold the phone")


def _whose_phone(path: str, patient: object, people: Sequence[Entry]) -> Iterator[Fault]:
    proxies = [where for where, person in people if _text(person, "role") == Role.PROXY]
    yield from (Fault(f"{where}.role", "a second proxy: one person holds the phone") for where in proxies[1:])
    if proxies or not isinstance(patient, Mapping):
        return
    if "phone" in patient and patient["phone"] is None:
        yield Fault(f"{path}.phone", f"is null: {WANTED['phone']}")
    if patient.get("consent") is None:
        yield Fault(f"{path}.consent", f"is missing: {WANTED['consent']}")


def _what_they_drink(path: str, patient: object) -> Iterator[Fault]:
    if _text(patient, "alcohol") == Alcohol.NONE and any(is_alcohol(name) for name in _list(patient, "medicines") if isinstance(name, str)):
        yield Fault(f"{path}.alcohol", "is none, but alcohol stands among the medicines")


def _twice(entries: Iterable[Entry], key: str, what: str) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for path, entry in entries:
        value = _text(entry, key)
        if value is not None and first.setdefault(value, path) != path:
            yield Fault(f"{path}.{key}", f"{what}: it stands already at {first[value]}.{key}")


def _entries(holder: object, key: str, path: str = "") -> Iterator[Entry]:
    yield from ((join(join(path, key), index), entry) for index, entry in enumerate(_list(holder, key)))


def _list(holder: object, key: str) -> Sequence[object]:
    value = holder.get(key) if isinstance(holder, Mapping) else None
    return value if isinstance(value, list) else ()


def _text(holder: object, key: str) -> str | None:
    value = holder.get(key) if isinstance(holder, Mapping) else None
    return value if isinstance(value, str) else None
