"""Evidence: what the carrier's own list proves of the ledger's texts. The list knows a phone, words and a time; no tag of ours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import func, literal, select, union_all

from reminders.messaging.transport import SentText, same_body
from reminders.services.records import due, outbox, probes
from reminders.services.records.ledger import (
    CLINIC,
    CONTACT_POINT,
    CONTACT_ROLE,
    DELIVERY_EVENT,
    PATIENT,
    TEXT_ATTEMPT,
    TEXT_OUT,
    by,
    rows,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from reminders.services.records.ledger import Row

T = TypeVar("T")

ALIVE = "build"
"""The part of the loop that is stamped every 15 s, whatever is due: a ledger's sign of life."""

CLOCKS_DIFFER = timedelta(minutes=2)
"""The carrier's clock and ours agree no better than this."""

ANOTHER_DAY = timedelta(days=1)
"""A copy that comes later than this has been asked for by somebody else [our default]: our reminders name their day."""

IN_FLIGHT = ("sending", "unknown")
ENDED = ("expired", "not_sent", "cancelled")
AT_ONCE = 500  # values in one statement

_AT_CONTACT = (CONTACT_POINT.c.id == TEXT_OUT.c.contact_point_id) & (CONTACT_POINT.c.clinic_id == TEXT_OUT.c.clinic_id)
_TEXTS = select(  # nothing was sent before, to the restraint's eye: what the list has was sent, however much it was
    TEXT_OUT,
    CONTACT_POINT.c.phone,
    literal(0).label("sent_in_hour"),
    literal(0).label("sent_in_day"),
    literal(0).label("same_words"),
).join(CONTACT_POINT, _AT_CONTACT)
_IN_ORDER = (TEXT_OUT.c.send_at, TEXT_OUT.c.created_at, TEXT_OUT.c.id)


def last_alive(c: Connection) -> datetime | None:
    """When a process last worked on this ledger; None if none ever did."""
    return due.last_stamp(c, ALIVE)


def first_made(c: Connection) -> datetime | None:
    """When the first clinic was entered; None if there is none."""
    at: datetime | None = c.scalar(select(func.min(CLINIC.c.created_at)))
    return at


def gap_start(c: Connection, *, now: datetime) -> datetime:
    """Since when a ledger may not know what was sent: since it was last worked on, or, if it never was, since it was made."""
    return (last_alive(c) or first_made(c) or now) - CLOCKS_DIFFER


def waiting_by_purpose(c: Connection, *, now: datetime) -> dict[str, int]:
    """How many queued texts are still of use, by what they are for."""
    query = select(TEXT_OUT.c.purpose, func.count().label("count")).where(TEXT_OUT.c.state == "queued", TEXT_OUT.c.expires_at > now)
    return {row["purpose"]: row["count"] for row in rows(c, query.group_by(TEXT_OUT.c.purpose).order_by(TEXT_OUT.c.purpose))}


def could_be(sent: SentText, text: Row, *, late_by: timedelta = CLOCKS_DIFFER) -> bool:
    """Whether a text of the carrier's list may be one of ours: to its phone, in its words, sent while it was of use, or little later."""
    in_time = text["send_at"] - CLOCKS_DIFFER <= sent.created_at <= text["expires_at"] + late_by
    return in_time and sent.to == text["phone"] and same_body(text["body"], sent.body)


def in_flight(c: Connection) -> list[Row]:
    """The texts that are being sent or in doubt, each with its phone; oldest first."""
    return rows(c, _TEXTS.where(TEXT_OUT.c.state.in_(IN_FLIGHT)).order_by(TEXT_OUT.c.claimed_at, TEXT_OUT.c.id))


def fallen_due(c: Connection, *, since: datetime, until: datetime) -> list[Row]:
    """The queued texts that were to leave from one instant to another, both included, and are of use still; each with its phone."""
    wanted = (TEXT_OUT.c.state == "queued", TEXT_OUT.c.send_at >= since, TEXT_OUT.c.send_at <= until, TEXT_OUT.c.expires_at > until)
    return rows(c, _TEXTS.where(*wanted).order_by(*_IN_ORDER))


def waiting_for(c: Connection, phones: Collection[str], *, now: datetime) -> list[Row]:
    """The queued texts to some phones that should have left by now, each with its phone; the first to leave first."""
    wanted = (TEXT_OUT.c.state == "queued", TEXT_OUT.c.send_at <= now, TEXT_OUT.c.expires_at > now)
    return _of_phones(c, _TEXTS.where(*wanted).order_by(*_IN_ORDER), phones)


def given_up(c: Connection, phones: Collection[str], *, since: datetime) -> list[Row]:
    """The texts to some phones that we ended, since an instant, believing that they were not sent; each with its phone."""
    wanted = (TEXT_OUT.c.state.in_(ENDED), TEXT_OUT.c.sid.is_(None), TEXT_OUT.c.expires_at >= since)
    return _of_phones(c, _TEXTS.where(*wanted).order_by(*_IN_ORDER), phones)


def queued_for(c: Connection, phones: Collection[str]) -> list[Row]:
    """The queued texts to some phones."""
    return _of_phones(c, _TEXTS.where(TEXT_OUT.c.state == "queued").order_by(*_IN_ORDER), phones)


def next_change(c: Connection, *, after: datetime) -> datetime | None:
    """When the queue next changes by time alone: a text should leave, or is of no more use."""
    mine = TEXT_OUT.c.state == "queued"
    leaves = select(func.min(TEXT_OUT.c.send_at)).where(mine, TEXT_OUT.c.send_at > after)
    ends = select(func.min(TEXT_OUT.c.expires_at)).where(mine, TEXT_OUT.c.expires_at > after)
    return min((at for at in c.scalars(union_all(leaves, ends)) if at is not None), default=None)


def owned(c: Connection, listed: Iterable[SentText]) -> set[str]:
    """Of the carrier's texts, the ids that a text or an attempt of ours has, or a probe of the operator's."""
    return {sid for some in _batches(sent.sid for sent in listed) for sid in (*outbox.owned(c, some), *probes.owned(c, some))}


def unexplained(c: Connection, listed: Sequence[SentText]) -> list[SentText]:
    """The carrier's texts that no row explains: none has the id, and none that was tried without learning its id has the words.

    A text that was tried once explains one of the carrier's; if the carrier has two, one is left over. Ask at one moment of the
    ledger (`reading`), after the list was read: between two looks, a text on its way would get its id and explain nothing.
    """
    known = owned(c, listed)
    free = sorted((sent for sent in listed if sent.sid not in known), key=lambda sent: sent.created_at)
    tried = _of_phones(
        c, _TEXTS.where(TEXT_OUT.c.sid.is_(None), TEXT_OUT.c.claimed_at.is_not(None)).order_by(*_IN_ORDER), {sent.to for sent in free}
    )
    by_phone = by("phone", tried)
    left: list[SentText] = []
    for sent in free:
        its_row = next((row for row in by_phone.get(sent.to, ()) if could_be(sent, row, late_by=ANOTHER_DAY)), None)
        if its_row is None:
            left.append(sent)
        else:
            by_phone[sent.to].remove(its_row)
    return left


def copies(c: Connection, left: Sequence[SentText]) -> list[SentText]:
    """Of the carrier's texts that no row explains, those with the phone and the words of a text that had left already."""
    mine = by("phone", _of_phones(c, _TEXTS.where(TEXT_OUT.c.sid.is_not(None)).order_by(*_IN_ORDER), {sent.to for sent in left}))
    return [sent for sent in left if any(could_be(sent, row, late_by=ANOTHER_DAY) for row in mine.get(sent.to, ()))]


def sent_twice(c: Connection, *, since: datetime, until: datetime) -> int:
    """How many texts left more than once in a time: the carrier has given one row of ours two ids."""
    in_time = (TEXT_ATTEMPT.c.claimed_at >= since, TEXT_ATTEMPT.c.claimed_at < until)
    texts = set(c.scalars(select(TEXT_ATTEMPT.c.text_id).where(*in_time, TEXT_ATTEMPT.c.attempt > 1)))
    sids = [select(table.c.text_id, table.c.sid).where(table.c.sid.is_not(None)) for table in (TEXT_ATTEMPT, DELIVERY_EVENT)]
    ids_of: dict[str, set[str]] = {}
    for some in _batches(sorted(texts)):
        for query in sids:
            for text_id, sid in c.execute(query.where(query.selected_columns.text_id.in_(some))):
                ids_of.setdefault(text_id, set()).add(sid)
    return sum(len(ids) > 1 for ids in ids_of.values())


def whose(c: Connection, phones: Collection[str]) -> dict[str, list[str]]:
    """The references of the patients behind some phones, by phone; a phone nobody here has is left out."""
    query = (
        select(CONTACT_POINT.c.phone, PATIENT.c.ref)
        .join(
            CONTACT_ROLE, (CONTACT_ROLE.c.contact_point_id == CONTACT_POINT.c.id) & (CONTACT_ROLE.c.clinic_id == CONTACT_POINT.c.clinic_id)
        )
        .join(PATIENT, (PATIENT.c.id == CONTACT_ROLE.c.patient_id) & (PATIENT.c.clinic_id == CONTACT_ROLE.c.clinic_id))
        .distinct()
        .order_by(PATIENT.c.ref)
    )
    return {phone: [row["ref"] for row in found] for phone, found in by("phone", _of_phones(c, query, phones)).items()}


def _of_phones(c: Connection, query: Select[Any], phones: Collection[str]) -> list[Row]:
    return [row for some in _batches(sorted(phones)) for row in rows(c, query.where(CONTACT_POINT.c.phone.in_(some)))]


def _batches(values: Iterable[T]) -> Iterator[list[T]]:
    left = iter(values)
    while some := list(islice(left, AT_ONCE)):
        yield some
