"""Looking up: one thing by the opaque id of its row, or a page of many, within one clinic. What is another clinic's is not there.

A page begins after a place, which is a word that the page before gave: nothing of a patient's stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from db.engine import reading
from db.queries import resources
from reminders.domain.plan import Plan
from reminders.domain.schedule import PhaseSpan, phase_spans
from reminders.errors import BadFile, Fault, NotFound, UnknownPatient, UnknownPlan
from reminders.services.records import plans, staff

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from db.queries.resources import Place
    from reminders.services.records.staff import Member

Row = Mapping[str, Any]

MOST_CONSENTS = 200
MOST_CHECK_INS = 400
EPOCH = datetime.fromtimestamp(0, UTC)

_PLACE = re.compile(r"([0-9]{1,17})-([A-Za-z0-9_-]{1,40})")
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in order; `then` leads to those after them, None: there are no more."""

    rows: tuple[Row, ...]
    then: str | None


@dataclass(frozen=True, slots=True)
class Around:
    """A patient, and who and what is around them."""

    patient: Row
    contacts: tuple[Row, ...]
    consents: tuple[Row, ...]
    medicines: tuple[Row, ...]
    plans: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """A plan with its versions. `document` governs now, its stays laid in, on the days of `spans`; `phase` counts from 1."""

    row: Row
    versions: tuple[Row, ...]
    document: Plan
    signed: Plan
    spans: tuple[PhaseSpan, ...]
    phase: int


def clinic(engine: Engine, clinic_id: str) -> Row:
    """The clinic itself."""
    with reading(engine) as c:
        return resources.clinic(c, clinic_id)


def member(engine: Engine, clinic_id: str, member_id: str) -> Member:
    """A person on a clinic's list. Raises NotFound."""
    with reading(engine) as c:
        found = next((one for one in staff.listed(c, clinic_id).values() if one.id == member_id), None)
    if found is None:
        raise NotFound("there is no such person on the list of this clinic")
    return found


def patients(engine: Engine, clinic_id: str, *, after: str | None, state: str | None, limit: int) -> Page:
    """A page of a clinic's patients, in an order that means nothing; of those with a plan in a state, if one is given. Raises BadFile."""
    if after is not None and not _ID.fullmatch(after):
        raise _no_place()
    with reading(engine) as c:
        found = resources.patients(c, clinic_id, after=after, state=state, limit=limit + 1)
    return Page(tuple(found[:limit]), found[limit - 1]["id"] if len(found) > limit else None)


def patient(engine: Engine, clinic_id: str, patient_id: str) -> Around:
    """A patient, and who and what is around them. Raises UnknownPatient."""
    with reading(engine) as c:
        found = resources.patient(c, clinic_id, patient_id)
        if found is None:
            raise UnknownPatient
        return Around(
            found,
            tuple(resources.contacts(c, clinic_id, patient_id)),
            tuple(resources.consents(c, clinic_id, patient_id, limit=MOST_CONSENTS)),
            tuple(resources.medicines(c, clinic_id, patient_id)),
            tuple(resources.plans_of(c, clinic_id, patient_id)),
        )


def plan_ref(engine: Engine, clinic_id: str, plan_id: str) -> str:
    """The reference by which services know a plan. Raises UnknownPlan."""
    with reading(engine) as c:
        found = resources.plan(c, clinic_id, plan_id)
    if found is None:
        raise UnknownPlan
    return str(found["ref"])


def plan(engine: Engine, clinic_id: str, plan_id: str, *, now: datetime) -> Whole:
    """A plan with its versions. Raises UnknownPlan."""
    with reading(engine) as c:
        row = resources.plan(c, clinic_id, plan_id)
        if row is None:
            raise UnknownPlan
        stored = plans.read(c, [plan_id])[plan_id]
        versions = tuple(resources.versions(c, clinic_id, plan_id))
    signed = stored.course.current.plan
    return Whole(row, versions, stored.plan, signed, phase_spans(stored.plan), plans.current_phase(stored, now))


def plan_events(engine: Engine, clinic_id: str, plan_id: str, *, before: str | None, limit: int) -> Page:
    """A page of what happened to a plan, newest first. Raises UnknownPlan, BadFile."""
    with reading(engine) as c:
        if resources.plan(c, clinic_id, plan_id) is None:
            raise UnknownPlan
        return _page(lambda place, most: resources.events(c, clinic_id, plan_id, before=place, limit=most), before, limit)


def doses(engine: Engine, clinic_id: str, plan_id: str, *, first: date | None, end: date | None, after: str | None, limit: int) -> Page:
    """A page of a plan's doses of `first <= local date < end`, in order of due instant. Raises UnknownPlan, BadFile."""
    with reading(engine) as c:
        if resources.plan(c, clinic_id, plan_id) is None:
            raise UnknownPlan
        return _page(
            lambda place, most: resources.doses(c, clinic_id, plan_id, first=first, end=end, after=place, limit=most),
            after,
            limit,
            at="due_at",
        )


def dose(engine: Engine, clinic_id: str, dose_id: str) -> Row:
    """A dose, with its plan's reference. Raises NotFound."""
    with reading(engine) as c:
        found = resources.dose(c, clinic_id, dose_id)
    if found is None:
        raise NotFound("there is no such dose in this clinic")
    return found


def texts(engine: Engine, clinic_id: str, patient_id: str, *, before: str | None, limit: int) -> Page:
    """A page of the texts to and from a patient's numbers, newest first. Raises UnknownPatient, BadFile."""
    with reading(engine) as c:
        if resources.patient(c, clinic_id, patient_id) is None:
            raise UnknownPatient
        return _page(lambda place, most: resources.texts(c, clinic_id, patient_id, before=place, limit=most), before, limit)


def alerts(engine: Engine, clinic_id: str, *, wanted: Mapping[str, str], is_open: bool | None, before: str | None, limit: int) -> Page:
    """A page of a clinic's alerts, newest first. Raises BadFile."""
    with reading(engine) as c:
        return _page(
            lambda place, most: resources.alerts(c, clinic_id, wanted=wanted, is_open=is_open, before=place, limit=most),
            before,
            limit,
            at="raised_at",
        )


def check_ins(engine: Engine, clinic_id: str, patient_id: str, *, before: str | None, limit: int) -> tuple[tuple[Row, ...], Page]:
    """When a patient was asked how it goes, and a page of what they told, newest first. Raises UnknownPatient, BadFile."""
    with reading(engine) as c:
        if resources.patient(c, clinic_id, patient_id) is None:
            raise UnknownPatient
        asked = tuple(resources.check_ins(c, clinic_id, patient_id, limit=MOST_CHECK_INS))
        return asked, _page(lambda place, most: resources.ratings(c, clinic_id, patient_id, before=place, limit=most), before, limit)


def _page(look: Callable[[Place | None, int], Sequence[Row]], word: str | None, limit: int, *, at: str = "at") -> Page:
    found = look(None if word is None else _place(word), limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return Page(tuple(found[:limit]), None if last is None else _word(last[at], last["id"]))


def _word(at: datetime, row_id: str) -> str:
    return f"{(at - EPOCH) // timedelta(microseconds=1)}-{row_id}"


def _place(word: str) -> Place:
    found = _PLACE.fullmatch(word)
    if found is None:
        raise _no_place()
    try:
        return EPOCH + timedelta(microseconds=int(found[1])), found[2]
    except OverflowError:
        raise _no_place() from None


def _no_place() -> BadFile:
    return BadFile([Fault("after", "must be what the page before gave as `next`")])
