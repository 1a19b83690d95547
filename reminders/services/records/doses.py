"""Doses: slots that fell due, the facts learnt about them, and the state those facts fold to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, bindparam, exists, func, select, update

from db.types import UtcDateTime
from reminders.domain.contact import nudge_at
from reminders.domain.dose_state import DoseEvent, DoseState, EventKind, Standing, fold
from reminders.domain.missed import DoseRecord, FourTimes
from reminders.domain.plan import Amount, Unit
from reminders.domain.schedule import Slot
from reminders.services.records import plans
from reminders.services.records.ledger import (
    DOSE,
    DOSE_EVENT,
    PLAN,
    TEXT_IN,
    TEXT_ITEM,
    asked,
    by,
    earliest,
    insert_all,
    locked,
    new_id,
    rows,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from reminders.services.records.ledger import Row
    from reminders.services.records.plans import StoredPlan

RECENT = timedelta(days=3)
"""How far back a rule looks for doses of the same ingredient: longer than any gap, take window or 24 h sum [our default]."""

WAITING = (DoseState.PENDING, DoseState.OPEN)
SAID = frozenset({EventKind.SAID_TAKEN, EventKind.SAID_NOT_TAKEN, EventKind.SAID_ODD})
UNKNOWN = (DoseState.UNCONFIRMED, DoseState.NOT_REMINDED)

# Made once: to make a statement costs SQLAlchemy more than to run it.
_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_SINCE = bindparam("since", type_=UtcDateTime)
_LOOK = update(DOSE).where(DOSE.c.id == bindparam("dose_id")).values(check_at=bindparam("at"), unheard_until=bindparam("unheard"))
_EVENTS = select(DOSE_EVENT).where(DOSE_EVENT.c.dose_id.in_(_IDS)).order_by(DOSE_EVENT.c.dose_id, DOSE_EVENT.c.no)
_CHECKS = select(DOSE.c.id, DOSE.c.check_at).where(DOSE.c.id.in_(_IDS))
_BY_ID = select(DOSE).where(DOSE.c.id.in_(_IDS))
_OF_PATIENTS = select(DOSE).where(DOSE.c.patient_id.in_(_IDS), DOSE.c.due_at >= _SINCE).order_by(DOSE.c.due_at, DOSE.c.slot_no)
_OF_TEXTS = select(TEXT_ITEM.c.text_id, TEXT_ITEM.c.dose_id).where(TEXT_ITEM.c.text_id.in_(_IDS))
_ANNOUNCED = _OF_TEXTS.where(TEXT_ITEM.c.kind.in_(("reminder", "resend")))
_INGREDIENTS = select(PLAN.c.id, PLAN.c.patient_id, PLAN.c.ingredient).where(PLAN.c.patient_id.in_(_IDS))


@dataclass(frozen=True, slots=True)
class StoredDose:
    """A slot that fell due, with its four times and where it stands."""

    clinic_id: str
    id: str
    plan_id: str
    patient_id: str
    version_no: int
    slot: Slot
    times: FourTimes
    standing: Standing
    announced_at: datetime | None
    offered_until: datetime | None
    nudge_at: datetime | None
    check_at: datetime | None

    @property
    def state(self) -> DoseState:
        """Where the dose stands."""
        return self.standing.state


def name_of(plan: StoredPlan, slot: Slot) -> str:
    """What names a slot among those of all plans, before it has a dose."""
    return f"{plan.id} {slot.local_date.isoformat()} {slot.number}"


def dose_row(plan: StoredPlan, slot: Slot, times: FourTimes, *, now: datetime, **more: object) -> Row:
    """Make the row of a slot that fell due. Its state is set by its events."""
    return {
        "clinic_id": plan.clinic_id,
        "id": new_id(),
        "plan_id": plan.id,
        "patient_id": plan.patient_id,
        "version_no": plan.course.current.no,
        "local_date": slot.local_date,
        "slot_no": slot.number,
        "local_time": slot.local_time,
        "due_at": slot.due_at,
        "amount": slot.amount.value,
        "unit": slot.amount.unit.value,
        "phase_no": slot.phase_no,
        "announced_at": None,
        "offered_until": None,
        "announce_until": times.announce_until,
        "take_until": times.take_until,
        "silent_at": times.silent_at,
        "answer_until": times.answer_until,
        "nudge_at": nudge_at(slot.due_at, times.take_until, plan.course.current.plan.tz),
        **more,
        "changed_at": now,
    }


def add(c: Connection, fresh: Sequence[tuple[Row, Sequence[DoseEvent]]]) -> None:
    """Store new doses with their first events."""
    dose_rows, event_rows = [], []
    for row, events in fresh:
        standing = fold(events)
        dose_rows.append({**row, **_columns(standing), "check_at": next_check(row, standing, after=row["changed_at"])})
        event_rows += [_event_row(row["clinic_id"], row["id"], no, event) for no, event in enumerate(events, 1)]
    insert_all(c, DOSE, dose_rows)
    insert_all(c, DOSE_EVENT, event_rows)
    settled = {row["plan_id"]: row["changed_at"] for row in dose_rows if row["state"] != DoseState.PENDING.value}
    for at in set(settled.values()):
        plans.touched(c, [plan_id for plan_id, changed_at in settled.items() if changed_at == at], at=at)


def learn(c: Connection, facts: Mapping[str, Sequence[DoseEvent]], *, now: datetime) -> dict[str, Standing]:
    """Add events to doses, fold each again, and ask for their plans' misses to be counted; return where they stand."""
    wanted = [dose_id for dose_id, events in facts.items() if events]
    if not wanted:
        return {}
    known = by("dose_id", asked(c, _EVENTS, ids=wanted))
    found = {row["id"]: row for row in asked(c, _BY_ID, ids=wanted)}
    fresh, changes, standings = [], [], {}
    for dose_id in wanted:
        old, row = known.get(dose_id, []), found[dose_id]
        events = [*_closed_before(row, facts[dose_id]), *facts[dose_id]]
        fresh += [_event_row(row["clinic_id"], dose_id, len(old) + no, event) for no, event in enumerate(events, 1)]
        standing = fold([*map(_event, old), *events])
        standings[dose_id] = standing
        changes.append({"dose_id": dose_id, **_columns(standing), **_looks(row, standing, after=now), "changed_at": now})
    insert_all(c, DOSE_EVENT, fresh)
    _change(c, changes)
    changed = {dose_id: row["plan_id"] for dose_id, row in found.items() if _counts_anew(row, standings[dose_id])}
    relieved = {plan_id for dose_id, plan_id in changed.items() if _only_relieves(found[dose_id], standings[dose_id])}
    plans.touched(c, set(changed.values()) - relieved, at=now)
    plans.touched(c, relieved, at=now, if_waiting=True)
    return standings


def _counts_anew(row: Row, standing: Standing) -> bool:
    """Whether a change of a dose can change a count. That a reminder has left, as nearly all do, cannot begin any run."""
    before, after = DoseState(row["state"]), standing.state
    told_apart = before is not after or (row["answered"], row["unverified"]) != (standing.answered, standing.unverified)
    return (before, after) != (DoseState.PENDING, DoseState.OPEN) and told_apart


def _only_relieves(row: Row, standing: Standing) -> bool:
    """Whether a change can only end a run, never begin one: a dose waited for that was taken, as nearly all are."""
    return standing.state is DoseState.TAKEN and DoseState(row["state"]) in WAITING and not standing.odd


def next_check(row: Row, standing: Standing, *, after: datetime) -> datetime | None:
    """When a dose is next looked at: to nudge, to count its silence, to close it. None once nothing waits."""
    if standing.state not in WAITING:
        return None
    moments = [row["silent_at"], row["answer_until"]]
    if not standing.answered:
        moments.append(row["nudge_at"])
    return earliest(*(moment for moment in moments if moment is not None and moment > after)) or row["answer_until"]


def _closed_before(row: Row, events: Sequence[DoseEvent]) -> list[DoseEvent]:
    """What is said of a dose after its time is said of a closed one, though its close still waits until all replies are fetched."""
    late = any(event.kind in SAID and event.at > row["answer_until"] for event in events)
    return [DoseEvent(EventKind.CLOSED, row["answer_until"], verified=False)] if late and DoseState(row["state"]) in WAITING else []


def _looks(row: Row, standing: Standing, *, after: datetime) -> Row:
    """When a dose that has changed is next looked at. While it is waited for, a look that is due already is not put off."""
    check = next_check(row, standing, after=after)
    if standing.state in WAITING:
        return {"check_at": earliest(check, row["check_at"]), "unheard_until": row["unheard_until"]}
    return {"check_at": check, "unheard_until": row["answer_until"] if standing.unverified else None}


def offer(c: Connection, dose: StoredDose, until: datetime) -> None:
    """Note until when a text of ours lets the patient take a dose: somebody who says nothing may take it at that last moment."""
    latest = until if dose.offered_until is None else max(until, dose.offered_until)
    c.execute(update(DOSE).where(DOSE.c.id == dose.id).values(offered_until=latest))


@dataclass(frozen=True, slots=True)
class Look:
    """When a dose is looked at again; `unheard_until`: at once when all that was texted before then has been fetched."""

    at: datetime | None
    unheard_until: datetime | None = None


def looked_at(c: Connection, looks: Mapping[str, Look]) -> None:
    """Write when the doses are to be looked at again."""
    if looks:
        c.execute(_LOOK, [{"dose_id": dose_id, "at": look.at, "unheard": look.unheard_until} for dose_id, look in looks.items()])


def put_off(c: Connection, looks: Sequence[tuple[StoredDose, Look]]) -> None:
    """Write when doses are to be looked at again, of those that are as they were read; one that somebody is at is left as it is."""
    seen = {dose.id: dose.check_at for dose, _ in looks}
    found = asked(c, locked(c, _CHECKS, skip=True), ids=list(seen))
    same = {row["id"] for row in found if row["check_at"] == seen[row["id"]]}
    looked_at(c, {dose.id: look for dose, look in looks if dose.id in same})


def read(c: Connection, ids: Iterable[str]) -> dict[str, StoredDose]:
    """Read doses by id."""
    wanted = list(ids)
    return {dose.id: dose for dose in map(_stored, asked(c, _BY_ID, ids=wanted))} if wanted else {}


def to_check(c: Connection, *, now: datetime, limit: int) -> list[StoredDose]:
    """Read the doses whose moment has come, oldest first."""
    return _doses(c, select(DOSE).where(DOSE.c.check_at <= now).order_by(DOSE.c.check_at, DOSE.c.id).limit(limit))


def of_patients(c: Connection, patient_ids: Iterable[str], *, since: datetime) -> dict[str, list[StoredDose]]:
    """Read the doses of patients that fell due since an instant, by patient, in order of due instant."""
    groups: dict[str, list[StoredDose]] = {}
    for dose in map(_stored, asked(c, _OF_PATIENTS, ids=list(patient_ids), since=since)):
        groups.setdefault(dose.patient_id, []).append(dose)
    return groups


def of_plan(c: Connection, plan_id: str, *, last: int | None = None) -> list[StoredDose]:
    """Read a plan's doses in order of due instant; the newest `last` of them, if given."""
    query = select(DOSE).where(DOSE.c.plan_id == plan_id).order_by(DOSE.c.due_at.desc(), DOSE.c.slot_no.desc())
    return _doses(c, query if last is None else query.limit(last))[::-1]


def of_text(c: Connection, text_ids: Iterable[str]) -> dict[str, list[str]]:
    """The ids of the doses that each text is about."""
    return _grouped(c, _OF_TEXTS, text_ids)


def announced_by(c: Connection, text_ids: Iterable[str]) -> dict[str, list[str]]:
    """The ids of the doses that each text announces: those it reminds of, for the first time or again."""
    return _grouped(c, _ANNOUNCED, text_ids)


def _grouped(c: Connection, query: Select[Any], text_ids: Iterable[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for text_id, dose_id in c.execute(query, {"ids": list(text_ids)}):
        groups.setdefault(text_id, []).append(dose_id)
    return groups


def numbers_used(c: Connection, plan_id: str, *, since: date) -> dict[date, int]:
    """For each local date from `since` on, the highest slot number that was used."""
    query = select(DOSE.c.local_date, DOSE.c.slot_no).where(DOSE.c.plan_id == plan_id, DOSE.c.local_date >= since)
    used: dict[date, int] = {}
    for day, number in c.execute(query):
        used[day] = max(number, used.get(day, 0))
    return used


def record_of(dose: StoredDose) -> DoseRecord:
    """What a rule reads of a dose."""
    return DoseRecord(
        plan=dose.plan_id,
        slot_date=dose.slot.local_date,
        number=dose.slot.number,
        due_at=dose.slot.due_at,
        amount=dose.slot.amount,
        state=dose.state,
        taken_at=dose.standing.taken_at,
        taken_by=dose.standing.taken_by,
        announced_at=dose.announced_at,
        may_take_until=dose.offered_until,
        odd=dose.standing.odd,
    )


def odd_but_for(c: Connection, patient_id: str, sids: Iterable[str]) -> list[str]:
    """The doses of a patient told as odd (two, half, vomited) that no person has looked at, but for what some texts told of."""
    of_dose = (DOSE_EVENT.c.clinic_id == DOSE.c.clinic_id, DOSE_EVENT.c.dose_id == DOSE.c.id, DOSE_EVENT.c.kind == EventKind.SAID_ODD.value)
    told = exists().where(*of_dose, DOSE_EVENT.c.at == TEXT_IN.c.received_at, TEXT_IN.c.sid.in_(list(sids)))
    return list(c.scalars(select(DOSE.c.id).where(DOSE.c.patient_id == patient_id, DOSE.c.odd, ~told)))


def plan_ids_of_ingredient(c: Connection, patient_ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The (patient, ingredient) of every plan of some patients, over ones too: their last doses still count."""
    found = c.execute(_INGREDIENTS, {"ids": list(patient_ids)})
    return {plan_id: (patient_id, ingredient) for plan_id, patient_id, ingredient in found}


def _change(c: Connection, changes: list[dict[str, Any]]) -> None:
    c.execute(_CHANGE, [{"dose_id": change["dose_id"], **{f"new_{name}": change[name] for name in _CHANGED}} for change in changes])


def _columns(standing: Standing) -> dict[str, Any]:
    return {
        "state": standing.state.value,
        "reason": standing.reason,
        "taken_at": standing.taken_at,
        "taken_by": standing.taken_by,
        "recalled": standing.recalled,
        "muted": standing.muted,
        "unverified": standing.unverified,
        "odd": standing.odd,
        "contradicted": standing.contradicted,
        "answered": standing.answered,
    }


def _doses(c: Connection, query: Select[Any]) -> list[StoredDose]:
    return [_stored(row) for row in rows(c, query)]


def _stored(row: Row) -> StoredDose:
    amount = Amount(row["amount"], Unit(row["unit"]))
    slot = Slot(row["local_date"], row["slot_no"], row["local_time"], row["due_at"], amount, row["phase_no"])
    return StoredDose(
        clinic_id=row["clinic_id"],
        id=row["id"],
        plan_id=row["plan_id"],
        patient_id=row["patient_id"],
        version_no=row["version_no"],
        slot=slot,
        times=FourTimes(row["announce_until"], row["take_until"], row["silent_at"], row["answer_until"]),
        standing=Standing(
            DoseState(row["state"]),
            reason=row["reason"],
            taken_at=row["taken_at"],
            taken_by=row["taken_by"],
            recalled=row["recalled"],
            muted=row["muted"],
            unverified=row["unverified"],
            odd=row["odd"],
            contradicted=row["contradicted"],
            answered=row["answered"],
        ),
        announced_at=row["announced_at"],
        offered_until=row["offered_until"],
        nudge_at=row["nudge_at"],
        check_at=row["check_at"],
    )


_CHANGED = (*_columns(Standing(DoseState.PENDING)), "check_at", "unheard_until", "changed_at")
_CHANGE = update(DOSE).where(DOSE.c.id == bindparam("dose_id")).values({name: bindparam(f"new_{name}") for name in _CHANGED})


def _event_row(clinic_id: str, dose_id: str, no: int, event: DoseEvent) -> Row:
    return {
        "clinic_id": clinic_id,
        "id": new_id(),
        "dose_id": dose_id,
        "no": no,
        "kind": event.kind.value,
        "at": event.at,
        "text_id": event.text,
        "taken_at": event.taken_at,
        "taken_by": event.taken_by,
        "why": event.why,
        "by": event.by,
        "state": event.state.value if event.state else None,
        "recalled": event.recalled,
        "verified": event.verified,
    }


def _event(row: Row) -> DoseEvent:
    return DoseEvent(
        EventKind(row["kind"]),
        row["at"],
        text=row["text_id"],
        taken_at=row["taken_at"],
        taken_by=row["taken_by"],
        why=row["why"],
        by=row["by"],
        state=DoseState(row["state"]) if row["state"] else None,
        recalled=row["recalled"],
        verified=row["verified"],
    )


def to_check_of(c: Connection, patient_id: str, *, now: datetime) -> list[StoredDose]:
    """One patient's doses whose moment has come, oldest first."""
    query = select(DOSE).where(DOSE.c.patient_id == patient_id, DOSE.c.check_at <= now).order_by(DOSE.c.due_at)
    return _doses(c, query)


def not_nudged(c: Connection, found: Sequence[StoredDose]) -> list[StoredDose]:
    """Those of some doses that no nudge has been written about."""
    query = select(TEXT_ITEM.c.dose_id).where(TEXT_ITEM.c.dose_id.in_([dose.id for dose in found]), TEXT_ITEM.c.kind == "nudge")
    done = set(c.scalars(query)) if found else set()
    return [dose for dose in found if dose.id not in done]


def next_nudge(c: Connection, patient_id: str, *, after: datetime, until: datetime) -> datetime | None:
    """When a patient is next to be nudged about an open dose in `after < at <= until`."""
    wanted = (DOSE.c.patient_id == patient_id, DOSE.c.state == DoseState.OPEN.value, DOSE.c.answered.is_(False))
    at: datetime | None = c.scalar(select(func.min(DOSE.c.nudge_at)).where(*wanted, DOSE.c.nudge_at > after, DOSE.c.nudge_at <= until))
    return at


def any_waiting(c: Connection, plan_id: str) -> bool:
    """Whether any dose of a plan is still waited for."""
    waiting = DOSE.c.state.in_([state.value for state in WAITING])
    return c.execute(select(DOSE.c.id).where(DOSE.c.plan_id == plan_id, waiting).limit(1)).first() is not None


def find(c: Connection, plan_id: str, local_date: date, slot_no: int) -> StoredDose | None:
    """Find a dose by its slot."""
    query = select(DOSE).where(DOSE.c.plan_id == plan_id, DOSE.c.local_date == local_date, DOSE.c.slot_no == slot_no)
    found = _doses(c, query)
    return found[0] if found else None
