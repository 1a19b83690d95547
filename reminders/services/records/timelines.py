"""What happened to a patient, one line each, newest first; and what is to come."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING

from db.queries import timeline as queries
from db.queries.timeline import Before, Page
from reminders.domain.check_in import SYMPTOMS
from reminders.domain.plan import plain
from reminders.domain.schedule import instant_of, slots_between
from reminders.services.records import enrolment, plans
from reminders.services.records.conversations import DoseLink

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.enrolment import Former
    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

CORRECTED_WITHIN = timedelta(days=60)
"""Of doses due so long before a page of the timeline it shows what was set right: their index is by when they were due [our default]."""
COMING_DOSES = 3
AHEAD = timedelta(days=32)


class Kind(StrEnum):
    """What a line of a timeline is of: what it can be filtered by."""

    TEXTS = "texts"
    PLANS = "plans"
    HOW_IT_GOES = "how_it_goes"
    ALERTS = "alerts"
    DOSES = "doses"
    ACTS = "acts"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: when (UTC), of what kind, what in words, more of it, and who did it, if a person or the machine did."""

    at: datetime
    kind: Kind
    words: str
    detail: str
    by: str
    dose: DoseLink | None
    place: Before


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that is to come: when (UTC), and what."""

    at: datetime
    words: str


@dataclass(frozen=True)
class _Look:
    """What a page of the timeline looks at."""

    c: Connection
    patient: Patient
    plan_ids: tuple[str, ...]
    drugs: Mapping[str, str]
    before: Before | None
    limit: int

    def page(self, source: str) -> Page:
        return Page(self.patient.clinic.id, self.before, source, self.limit)

    @property
    def points(self) -> list[str]:
        return list(dict.fromkeys(line.contact_point_id for line in self.patient.lines))

    @cached_property
    def former(self) -> tuple[Former, ...]:
        return enrolment.former_numbers(self.c, self.patient)

    @property
    def left(self) -> list[str]:
        return list(dict.fromkeys(one.line.contact_point_id for one in self.former))


def page_of(
    c: Connection,
    patient: Patient,
    mine: Mapping[str, StoredPlan],
    *,
    kinds: Collection[Kind],
    before: Before | None,
    now: datetime,
    limit: int,
) -> tuple[tuple[Entry, ...], Before | None]:
    """The lines of some kinds before a place, newest first; and the place before which there are more, if there are."""
    look = _Look(c, patient, tuple(mine), {plan.id: plan.profile.name for plan in mine.values()}, before, limit + 1)
    found = [entry for source, (its, read) in SOURCES.items() if its in kinds for entry in read(look, source, now)]
    found.sort(key=lambda entry: (entry.place.at, entry.place.source, str(entry.place.id)), reverse=True)
    return tuple(found[:limit]), found[limit - 1].place if len(found) > limit else None


def _texts_out(look: _Look, source: str, _: datetime) -> Iterator[Entry]:
    rows = queries.texts_out(look.c, look.page(source), look.patient.id, look.points, former=look.left)
    for row in rows:
        words = f"text: {row['purpose'].replace('_', ' ')}"
        yield Entry(
            row["created_at"], Kind.TEXTS, words, row["status"] or row["state"], "", None, Before(row["created_at"], source, row["id"])
        )


def _texts_in(look: _Look, source: str, _: datetime) -> Iterator[Entry]:
    phones = {line.phone: line.name for line in look.patient.lines}
    spells = [(one.line.phone, one.since, one.until) for one in look.former]
    rows = queries.texts_in(look.c, look.page(source), list(phones), former=spells)
    phones |= {one.line.phone: f"{one.line.name}, at an earlier number" for one in look.former}
    for row in rows:
        read = "understood" if row["understood"] else "not understood"
        name = phones[row["from_phone"]]
        yield Entry(row["received_at"], Kind.TEXTS, "text from them", read, name, None, Before(row["received_at"], source, row["sid"]))


def _plan_events(look: _Look, source: str, _: datetime) -> Iterator[Entry]:
    for row in queries.plan_events(look.c, look.page(source), look.plan_ids):
        step = f", step {row['phase_no']}" if row["phase_no"] else ""
        words = f"{look.drugs[row['plan_id']]}: {row['kind']}{step}"
        yield Entry(row["at"], Kind.PLANS, words, row["reason"], row["by"], None, Before(row["at"], source, row["id"]))


def _supplies(look: _Look, source: str, _: datetime) -> Iterator[Entry]:
    for row in queries.supplies(look.c, look.page(source), look.plan_ids):
        words = f"{look.drugs[row['plan_id']]}: {row['tablets']} tablets of {plain(row['strength'])} {row['unit']} {row['kind']}"
        yield Entry(row["at"], Kind.ACTS, words, "", row["by"], None, Before(row["at"], source, row["id"]))


def _check_ins(look: _Look, source: str, _: datetime) -> Iterator[Entry]:
    for row in queries.check_ins(look.c, look.page(source), look.plan_ids):
        detail = row["items"].replace("_", " ").replace(",", ", ")
        yield Entry(row["asked_at"], Kind.HOW_IT_GOES, "asked how it goes", detail, "", None, Before(row["asked_at"], source, row["id"]))


def _ratings(look: _Look, source: str, _: datetime) -> Iterator[Entry]:
    """What one text told is one line."""
    rows = queries.ratings(look.c, look.page(source), look.patient.id)
    for (at, sid), told in groupby(rows, key=lambda row: (row["at"], row["sid"])):
        items = list(told)
        detail = ", ".join(f"{SYMPTOMS.get(row['item'], row['item']).replace('_', ' ')} {row['value']}" for row in items)
        yield Entry(at, Kind.HOW_IT_GOES, "told how it goes", detail, items[0]["by"], None, Before(at, source, sid))


def _alerts(look: _Look, source: str, _: datetime) -> Iterator[Entry]:
    for row in queries.alerts(look.c, look.page(source), look.patient.id):
        became = f"closed: {row['close_reason']}" if row["closed_at"] else "open"
        taken_on = f"taken on by {row['acknowledged_by']}; " if row["acknowledged_by"] else ""
        words = f"{row['severity']} alert: {row['words']}"
        yield Entry(row["raised_at"], Kind.ALERTS, words, taken_on + became, "", None, Before(row["raised_at"], source, row["id"]))


def _consents(look: _Look, source: str, _: datetime) -> Iterator[Entry]:
    rows = queries.consents(look.c, look.page(source), look.patient.id, [*look.points, *look.left])
    for row in rows:
        words = f"being texted: {row['kind']}"
        yield Entry(row["at"], Kind.ACTS, words, row["channel"], row["given_by"], None, Before(row["at"], source, row["id"]))


def _corrections(look: _Look, source: str, now: datetime) -> Iterator[Entry]:
    since = (now if look.before is None else look.before.at) - CORRECTED_WITHIN
    rows = queries.corrections(look.c, look.page(source), look.patient.id, since=since)
    for row in rows:
        dose = DoseLink(row["plan_id"], row["local_date"], row["slot_no"])
        words = f"{look.drugs.get(row['plan_id'], 'dose')}: set right to {row['state'].replace('_', ' ')}"
        yield Entry(row["at"], Kind.DOSES, words, row["why"] or "", row["by"] or "", dose, Before(row["at"], source, row["id"]))


def _acts(look: _Look, source: str, _: datetime) -> Iterator[Entry]:
    """What the audit has of the patient: who looked after them, and what about them was changed."""
    for row in queries.acts(look.c, look.page(source), [look.patient.id]):
        yield Entry(row["at"], Kind.ACTS, row["action"], row["detail"], row["actor"], None, Before(row["at"], source, f"{row['no']:010}"))


Reader = Callable[[_Look, str, datetime], Iterator[Entry]]
SOURCES: Mapping[str, tuple[Kind, Reader]] = MappingProxyType(
    {
        "a": (Kind.ALERTS, _alerts),
        "c": (Kind.HOW_IT_GOES, _check_ins),
        "d": (Kind.DOSES, _corrections),
        "e": (Kind.ACTS, _consents),
        "i": (Kind.TEXTS, _texts_in),
        "l": (Kind.ACTS, _acts),
        "p": (Kind.PLANS, _plan_events),
        "r": (Kind.HOW_IT_GOES, _ratings),
        "s": (Kind.ACTS, _supplies),
        "t": (Kind.TEXTS, _texts_out),
    }
)
"""Where the lines come from, by the letter that tells apart what is of one instant."""


def coming_of(mine: Sequence[StoredPlan], *, now: datetime) -> tuple[Coming, ...]:
    """What is to come of a patient's plans: the next doses, the next step and the evening that announces it, check-ins, checks."""
    found = [one for plan in mine for one in _coming(plan, now)]
    return tuple(sorted(found, key=lambda one: (one.at, one.words)))


def _coming(plan: StoredPlan, now: datetime) -> Iterator[Coming]:
    drug = plan.profile.name
    if plan.state in plans.ON_CLOCK:
        since = max(now, plan.decided_until + timedelta.resolution)
        for slot in slots_between(plan.course, since, now + AHEAD)[:COMING_DOSES]:
            yield Coming(slot.due_at, f"{drug}: {plain(slot.amount.value)} {slot.amount.unit} due")
    coming = plans.next_phase(plan)
    if coming is not None and plan.next_due_at is not None:
        number, starts = coming
        yield Coming(instant_of(starts, plan.plan.phases[number - 1].doses[0].at, plan.plan.tz), f"{drug}: step {number} begins")
    named = {
        "the gate of the next step is looked at, and the step announced": plan.step_check_at,
        "is asked how it goes": plan.check_in_at,
        "the tablets are reckoned again": plan.supply_check_at,
        "a laboratory check is due": plan.labs_due_at,
    }
    yield from (Coming(at, f"{drug}: {words}") for words, at in named.items() if at is not None and at >= now)
