"""A clinic's patients in the order in which they need somebody: by the gravest open alert, how long it is open, then by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, func, literal, literal_column, select, tuple_

from db.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

Row = Mapping[str, Any]

PATIENT, PATIENT_WORD, PLAN, DOSE, ALERT, CONTACT_POINT, CONTACT_ROLE = (
    metadata.tables[name] for name in ("patient", "patient_word", "plan", "dose", "alert", "contact_point", "contact_role")
)
NO_ALERT = 4
_END = "\U0010ffff"  # no character comes after it
FEW, MOST_ROWS, COUNTED = 1_000, 3, 5_000
"""So many patients are read one by one; a patient can be told of by several rows, of plans or words say, hardly by more than three."""
LOT = 100
"""How many are asked for at once: with more, PostgreSQL would rather read all the patients there are."""

_ORDER = (PATIENT.c.severity_rank, PATIENT.c.grave_since, PATIENT.c.name, PATIENT.c.id)
_COLUMNS = (*_ORDER, PATIENT.c.ref, PATIENT.c.zone)
_NONE: ColumnElement[int] = literal_column(str(NO_ALERT))  # written out: the indexes are of those above it, or at it
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which patients are looked for; what is left out is not asked.

    state, drug  one of the patient's plans has both
    rank         of their gravest open alert: 0 to 3, or 4 for none
    words        each the beginning of a word of their name or reference, folded as those are
    phone, end   a whole number (E.164), or its last four digits, of the patient or of somebody beside them
    """

    state: str | None = None
    drug: str | None = None
    rank: int | None = None
    words: tuple[str, ...] = ()
    phone: str | None = None
    phone_end: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands in the order; `since` is None exactly where no alert is open."""

    rank: int
    since: datetime | None
    name: str
    patient_id: str


def patients(c: Connection, clinic_id: str, wanted: Wanted, *, after: Place | None, limit: int) -> list[Row]:
    """The next patients after a place: severity_rank, grave_since, name, id, ref, zone.

    Few who are meant are read one by one and put in order. Where many are, the order is walked, looking at each whether they are
    meant, until there are enough: no more are passed over than it takes, on average, to meet one of them, a hundred at a thousandth.
    """
    conditions = _conditions(clinic_id, wanted)
    few = _few(c, conditions) if conditions else None
    if few is not None:
        return _sorted(c, clinic_id, few, wanted.rank, after)[:limit]
    found: list[Row] = []
    if after is None or after.since is not None:
        found += _rows(c, _grave(clinic_id, wanted, conditions, after).limit(limit))
        after = None
    if len(found) < limit and wanted.rank in {None, NO_ALERT}:
        found += _rows(c, _others(clinic_id, conditions, after).limit(limit - len(found)))
    return found


def _grave(clinic_id: str, wanted: Wanted, conditions: Sequence[Condition], after: Place | None) -> Select[Any]:
    """Those with an open alert: they have an index of their own, and so have the others, so that each order is walked as it stands."""
    query = _shown(clinic_id, conditions).where(PATIENT.c.severity_rank < _NONE)
    if wanted.rank is not None:
        query = query.where(PATIENT.c.severity_rank == wanted.rank)
    if after is not None:
        query = query.where(_comes_after(_ORDER, (after.rank, after.since, after.name, after.patient_id)))
    return query.order_by(*_ORDER)


def _others(clinic_id: str, conditions: Sequence[Condition], after: Place | None) -> Select[Any]:
    query = _shown(clinic_id, conditions).where(PATIENT.c.severity_rank == _NONE)
    if after is not None:
        query = query.where(_comes_after((PATIENT.c.name, PATIENT.c.id), (after.name, after.patient_id)))
    return query.order_by(PATIENT.c.name, PATIENT.c.id)


def _comes_after(columns: Sequence[ColumnElement[Any]], place: Sequence[object]) -> ColumnElement[bool]:
    there = (literal(value, column.type) for column, value in zip(columns, place, strict=True))
    return tuple_(*columns) > tuple_(*there)


def _shown(clinic_id: str, conditions: Sequence[Condition]) -> Select[Any]:
    meant = (condition.holds_for(PATIENT.c.id) for condition in conditions)
    return select(*_COLUMNS).where(PATIENT.c.clinic_id == clinic_id, *meant)


def _few(c: Connection, conditions: Sequence[Condition]) -> list[str] | None:
    """Who meets every condition, by their ids, where they are few; None where they are many. Of several the narrowest leads."""
    first, *rest = conditions if len(conditions) == 1 else sorted(conditions, key=lambda condition: _size(c, condition))
    query = first.ids.where(*(condition.holds_for(first.whose) for condition in rest)).order_by(*first.order).limit(FEW * MOST_ROWS)
    found = list(dict.fromkeys(c.scalars(query)))
    return found if len(found) <= FEW else None


def _size(c: Connection, condition: Condition) -> int:
    """How many rows tell of those who meet a condition, counted so far as it matters which of two is the narrower."""
    return int(c.scalar(select(func.count()).select_from(condition.ids.order_by(*condition.order).limit(COUNTED).subquery())) or 0)


def _sorted(c: Connection, clinic_id: str, ids: Sequence[str], rank: int | None, after: Place | None) -> list[Row]:
    """Some patients in the order of the roster, from a place on."""
    found: list[Row] = []
    for start in range(0, len(ids), LOT):
        lot = select(*_COLUMNS).where(PATIENT.c.clinic_id == clinic_id, PATIENT.c.id.in_(ids[start : start + LOT]))
        found += _rows(c, lot if rank is None else lot.where(PATIENT.c.severity_rank == rank))
    stands = sorted(found, key=_place_of)
    return (
        stands
        if after is None
        else [row for row in stands if _place_of(row) > (after.rank, after.since or _LATEST, after.name, after.patient_id)]
    )


def _place_of(row: Row) -> tuple[int, datetime, str, str]:
    return row["severity_rank"], row["grave_since"] or _LATEST, row["name"], row["id"]


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is asked of a patient: `ids` are those who meet it, each by `whose`, a column of the rows that tell of it.

    order  as those rows stand in their index: asked for so, they are read from it, and no more of them than are wanted
    """

    ids: Select[Any]
    whose: Column[str]
    order: tuple[Column[Any], ...] = ()

    def holds_for(self, patient_id: Column[str]) -> ColumnElement[bool]:
        """Whether somebody meets it, looked up by their id.

        The offset keeps PostgreSQL from making a join of it, for which it would read all the patients there are.
        """
        return self.ids.where(self.whose == patient_id).limit(1).offset(0).correlate(patient_id.table).exists()


def _conditions(clinic_id: str, wanted: Wanted) -> list[Condition]:
    """What is asked."""
    conditions = []
    if wanted.phone is not None:
        conditions.append(_behind(clinic_id, CONTACT_POINT.c.phone == wanted.phone))
    if wanted.phone_end is not None:
        conditions.append(_behind(clinic_id, CONTACT_POINT.c.phone_end == wanted.phone_end))
    for word in sorted(wanted.words, key=len, reverse=True):
        words = PATIENT_WORD.alias()
        begins = words.c.clinic_id == clinic_id, words.c.word >= word, words.c.word < word + _END
        conditions.append(Condition(select(words.c.patient_id).where(*begins), words.c.patient_id, (words.c.word, words.c.patient_id)))
    of_plan = [PLAN.c[name] == value for name, value in (("state", wanted.state), ("drug", wanted.drug)) if value is not None]
    if of_plan:
        meant = select(PLAN.c.patient_id).where(PLAN.c.clinic_id == clinic_id, *of_plan)
        conditions.append(Condition(meant, PLAN.c.patient_id, (PLAN.c.drug, PLAN.c.patient_id)))
    return conditions


def _behind(clinic_id: str, number: ColumnElement[bool]) -> Condition:
    point = (CONTACT_POINT.c.clinic_id == CONTACT_ROLE.c.clinic_id) & (CONTACT_POINT.c.id == CONTACT_ROLE.c.contact_point_id)
    here = CONTACT_POINT.c.clinic_id == clinic_id, number, CONTACT_ROLE.c.ended_at.is_(None)
    query = select(CONTACT_ROLE.c.patient_id).join(CONTACT_POINT, point).where(*here)
    return Condition(query, CONTACT_ROLE.c.patient_id)


def place_of_patient(c: Connection, clinic_id: str, patient_id: str) -> Place | None:
    """Where somebody without an open alert stands, by name; None for nobody of the clinic."""
    row = c.execute(select(PATIENT.c.name).where(PATIENT.c.clinic_id == clinic_id, PATIENT.c.id == patient_id)).first()
    return None if row is None else Place(NO_ALERT, None, row.name, patient_id)


def place_of_alert(c: Connection, clinic_id: str, alert_id: str, ranks: Sequence[str]) -> Place | None:
    """Where the patient of an alert stood while it was the oldest of their gravest, open or not by now; None for none of the clinic.

    `ranks` are the severities, the gravest first.
    """
    query = (
        select(ALERT.c.severity, ALERT.c.raised_at, ALERT.c.patient_id, PATIENT.c.name)
        .join(PATIENT, (PATIENT.c.clinic_id == ALERT.c.clinic_id) & (PATIENT.c.id == ALERT.c.patient_id))
        .where(ALERT.c.clinic_id == clinic_id, ALERT.c.id == alert_id)
    )
    row = c.execute(query).first()
    return None if row is None else Place(ranks.index(row.severity), row.raised_at, row.name, row.patient_id)


def plans_of(c: Connection, patient_ids: Sequence[str]) -> list[Row]:
    """The plans of some patients, newest first: id, patient_id, state."""
    query = select(PLAN.c.id, PLAN.c.patient_id, PLAN.c.state).where(PLAN.c.patient_id.in_(patient_ids))
    return _rows(c, query.order_by(PLAN.c.created_at.desc(), PLAN.c.id))


def alerts_of(c: Connection, patient_ids: Sequence[str]) -> list[Row]:
    """The open alerts of some patients, oldest first: id, patient_id, kind, severity, raised_at, acknowledged_by."""
    columns = (ALERT.c.id, ALERT.c.patient_id, ALERT.c.kind, ALERT.c.severity, ALERT.c.raised_at, ALERT.c.acknowledged_by)
    query = select(*columns).where(ALERT.c.patient_id.in_(patient_ids), ALERT.c.closed_at.is_(None))
    return _rows(c, query.order_by(ALERT.c.raised_at, ALERT.c.id))


def _rows(c: Connection, query: Select[Any]) -> list[Row]:
    return [dict(row) for row in c.execute(query).mappings()]
