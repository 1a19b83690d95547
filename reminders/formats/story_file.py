"""The story file: a clinic, and what its people do while a virtual clock runs. Read here, played elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias, assert_never

from pydantic import Field, Tag, model_validator

from reminders.domain.acting import StaffAct, StaffAction
from reminders.errors import BadFile, Fault
from reminders.formats.import_file import ImportFile, across
from reminders.formats.parts import DateText, InstantText, Name, PhoneText, Reason, Ref, Word, ZoneText
from reminders.formats.shape import Shape, by_key, in_order, read

CarrierStatus: TypeAlias = Literal["delivered", "sent", "undelivered", "failed"]


@dataclass(frozen=True, slots=True)
class TextIn:
    """Somebody writes."""

    at: datetime
    phone: str
    text: str


@dataclass(frozen=True, slots=True)
class CarrierChange:
    """From now on texts to a number end like this, until the next change for it. `code` is the carrier's error code."""

    at: datetime
    phone: str
    status: CarrierStatus
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """Doseline itself does not run in [at, until)."""

    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class HearingChange:
    """From now on our webhook, and the carrier's lists, work or fail; None: as before."""

    at: datetime
    webhook: bool | None = None
    lists: bool | None = None


@dataclass(frozen=True, slots=True)
class DeskAct:
    """Somebody at the clinic writes to a patient, or takes the conversation over (`takes_over` False: hands it back), or both."""

    at: datetime
    patient: str
    by: str
    text: str | None = None
    takes_over: bool | None = None


StoryEvent: TypeAlias = TextIn | CarrierChange | StaffAct | DeskAct | Outage | HearingChange


@dataclass(frozen=True, slots=True)
class Story:
    """A story: its events in order of time, from `start` to `until`. `enrolment` is its import file, as the JSON values it stood in."""

    start: datetime
    until: datetime
    enrolment: object
    events: tuple[StoryEvent, ...]


class TextInShape(Shape):
    """Somebody writes a text."""

    at: InstantText
    phone: Annotated[PhoneText, Field(alias="from")]
    text: Annotated[str, Field(max_length=1600)]

    @property
    def event(self) -> StoryEvent:
        """The event it says."""
        return TextIn(self.at, self.phone, self.text)


class CarrierEndShape(Shape):
    """How texts to a number end from now on."""

    to: PhoneText
    status: CarrierStatus
    code: Annotated[int, Field(ge=1, le=99_999)] | None = None


class CarrierShape(Shape):
    """The carrier changes its mind about a number."""

    at: InstantText
    carrier: CarrierEndShape

    @property
    def event(self) -> StoryEvent:
        """The event it says."""
        return CarrierChange(self.at, self.carrier.to, self.carrier.status, self.carrier.code)


class StaffActShape(Shape):
    """What the clinic does: a restart chooses its phase, a move its zone, going slower its days, an addition or a removal its medicine."""

    action: Annotated[StaffAction, Field(strict=False)]
    plan: Ref
    reason: Reason = ""
    by: Name
    phase: Annotated[int, Field(ge=1)] | None = None
    zone: ZoneText | None = None
    alert: Word | None = None
    days: Annotated[int, Field(ge=1, le=366)] | None = None
    medicine: Name | None = None
    labs_due: DateText | None = None

    @model_validator(mode="after")
    def _says_where_to(self) -> StaffActShape:
        if self.action is StaffAction.RESTART and self.phase is None:
            raise ValueError("a restart needs the phase that the provider chose: give phase, counted from 1")
        if self.action is StaffAction.MOVE_ZONE and self.zone is None:
            raise ValueError("a move needs the zone to move to: give zone")
        if self.action is StaffAction.SLOW_DOWN and self.days is None:
            raise ValueError("going slower needs the days by which each phase is longer: give days")
        if self.action is StaffAction.ADD_MEDICINE and self.medicine is None:
            raise ValueError("an addition needs the name of what is added: give medicine")
        if self.action is StaffAction.REMOVE_MEDICINE and (self.medicine is None or not self.reason):
            raise ValueError("a removal needs the name of what comes off the list, and why: give medicine and reason")
        return self


class StaffShape(Shape):
    """The clinic acts."""

    at: InstantText
    staff: StaffActShape

    @property
    def event(self) -> StoryEvent:
        """The event it says."""
        act = self.staff
        return StaffAct(
            self.at,
            act.action,
            act.plan,
            reason=act.reason,
            by=act.by,
            phase=act.phase,
            zone=act.zone,
            alert=act.alert,
            days=act.days,
            medicine=act.medicine,
            labs_due=act.labs_due,
        )


class DeskActShape(Shape):
    """What somebody at the clinic writes to a patient in their own words, and whether they have the conversation in hand."""

    patient: Ref
    by: Name
    text: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    takes_over: bool | None = None

    @model_validator(mode="after")
    def _does_something(self) -> DeskActShape:
        if self.text is None and self.takes_over is None:
            raise ValueError("give text, or takes_over, true or false")
        if self.text is not None and self.takes_over is False:
            raise ValueError("who writes does not hand the conversation back in the same breath: make it two events")
        return self


class DeskShape(Shape):
    """The clinic writes."""

    at: InstantText
    desk: DeskActShape

    @property
    def event(self) -> StoryEvent:
        """The event it says."""
        return DeskAct(self.at, self.desk.patient, self.desk.by, self.desk.text, self.desk.takes_over)


class OutageEndShape(Shape):
    """When Doseline runs again."""

    until: InstantText


class OutageShape(Shape):
    """Doseline does not run for a while."""

    at: InstantText
    outage: OutageEndShape

    @property
    def event(self) -> StoryEvent:
        """The event it says."""
        return Outage(self.at, self.outage.until)


class HearingEndShape(Shape):
    """Which of the two ways in which patients' texts reach us works from now on."""

    webhook: bool | None = None
    lists: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> HearingEndShape:
        if self.webhook is None and self.lists is None:
            raise ValueError("give webhook or lists, true or false")
        return self


class HearingShape(Shape):
    """We become deaf, or hear again."""

    at: InstantText
    hearing: HearingEndShape

    @property
    def event(self) -> StoryEvent:
        """The event it says."""
        return HearingChange(self.at, self.hearing.webhook, self.hearing.lists)


EventShape: TypeAlias = Annotated[
    Annotated[TextInShape, Tag("<from>")]
    | Annotated[CarrierShape, Tag("<carrier>")]
    | Annotated[StaffShape, Tag("<staff>")]
    | Annotated[DeskShape, Tag("<desk>")]
    | Annotated[OutageShape, Tag("<outage>")]
    | Annotated[HearingShape, Tag("<hearing>")],
    by_key(
        ("from", "carrier", "staff", "desk", "outage", "hearing"),
        "must be an event with one of from, carrier, staff, desk, outage or hearing",
    ),
]


class StoryFile(Shape):
    """A story file, version 1."""

    format: Annotated[Literal["doseline:story:1"] | None, Field(alias="$schema")] = None
    start: InstantText
    until: InstantText
    enrolment: Annotated[ImportFile, Field(alias="import")]
    events: Annotated[tuple[EventShape, ...], Field(strict=False)]


def read_story(data: object) -> Story:
    """Read a story file's JSON values. Raises BadFile with every fault that shows without drug profiles and ledger."""
    enrolment = data.get("import") if isinstance(data, dict) else None
    faults = list(across(enrolment, "import"))
    try:
        file = read(StoryFile, data)
    except BadFile as bad:
        raise BadFile(in_order((*faults, *bad.faults))) from bad
    faults += _in_time(file)
    faults += _of_known_plans(file)
    if faults:
        raise BadFile(in_order(faults))
    events = sorted((shape.event for shape in file.events), key=lambda event: event.at)
    return Story(file.start, file.until, enrolment, tuple(events))


def written_at(at: datetime) -> str:
    """Write an instant as a story file has it: 2026-03-08T12:00:00Z, to the microsecond where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def write_event(event: StoryEvent) -> dict[str, object]:
    """Write an event as the JSON values that `read_story` reads."""
    at = written_at(event.at)
    match event:
        case TextIn(phone=phone, text=text):
            return {"at": at, "from": phone, "text": text}
        case CarrierChange(phone=phone, status=status, code=code):
            return {"at": at, "carrier": {"to": phone, "status": status, **_given(code=code)}}
        case StaffAct():
            names = ("phase", "zone", "alert", "days", "medicine")
            rest = _given(reason=event.reason or None, **{name: getattr(event, name) for name in names})
            labs_due = event.labs_due.isoformat() if event.labs_due else None
            said = {"action": event.action.value, "plan": event.plan, "by": event.by, **rest, **_given(labs_due=labs_due)}
            return {"at": at, "staff": said}
        case DeskAct(patient=patient, by=by, text=text, takes_over=takes_over):
            return {"at": at, "desk": {"patient": patient, "by": by, **_given(text=text, takes_over=takes_over)}}
        case Outage(until=until):
            return {"at": at, "outage": {"until": written_at(until)}}
        case HearingChange(webhook=webhook, lists=lists):
            return {"at": at, "hearing": _given(webhook=webhook, lists=lists)}
        case _ as unreachable:
            assert_never(unreachable)


def _given(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _in_time(file: StoryFile) -> Iterator[Fault]:
    if file.until <= file.start:
        yield Fault("until", "must be later than start")
        return
    for index, shape in enumerate(file.events):
        if not file.start <= shape.at <= file.until:
            yield Fault(f"events[{index}].at", "lies outside the story: from start to until")
        if isinstance(shape, OutageShape) and shape.outage.until <= shape.at:
            yield Fault(f"events[{index}].outage.until", "must be later than at")


def _of_known_plans(file: StoryFile) -> Iterator[Fault]:
    known = {plan.ref for patient in file.enrolment.patients for plan in patient.plans}
    people = {patient.ref for patient in file.enrolment.patients}
    for index, shape in enumerate(file.events):
        if isinstance(shape, StaffShape) and shape.staff.plan not in known:
            yield Fault(f"events[{index}].staff.plan", f"no plan of the story's import has the ref {shape.staff.plan!r}")
        if isinstance(shape, DeskShape) and shape.desk.patient not in people:
            yield Fault(f"events[{index}].desk.patient", f"no patient of the story's import has the ref {shape.desk.patient!r}")
