"""What was texted to a patient's phones and from them, a page at a time, with what became of each text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from db.queries import timeline as queries
from db.queries.timeline import Before, Page
from reminders.domain.taking_over import Takeover, leaves_at
from reminders.messaging.failure_codes import words_of
from reminders.messaging.segments import segments
from reminders.services.records import enrolment, takeovers
from reminders.services.records.charts import PhoneLine, phone_line

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Line, Patient

OUT, IN = "t", "i"
"""How a place in a conversation tells apart what is of one instant."""

ABOUT = timedelta(days=15)
"""So long before it was written the dose that a text speaks of was due: longer than a week's dose is asked about [our default]."""
LOOK_AHEAD = timedelta(days=2)
"""So long after a text was written a dose that it decided may fall due, at the most: far more than the rule allows (`intake.EARLY`)."""


@dataclass(frozen=True, slots=True)
class DoseLink:
    """A dose, by its slot."""

    plan_id: str
    on: date
    number: int


@dataclass(frozen=True, slots=True)
class Said:
    """One text. `ours` if we sent it.

    at        when it left or is to leave, or was written (UTC).
    who       whose phone it is, and in what role; empty where it is the patient's own.
    standing  how far ours has come, as the carrier says it; why_not  its reason, in words, if it did not arrive.
    by        the person at the clinic who wrote it, if one did; parts  how many segments it is.
    reading   what theirs was taken to mean, in codes; understood  whether all of it was, None for ours.
    doses     those it is about, or decided.
    """

    id: str
    at: datetime
    ours: bool
    body: str
    who: str
    standing: str
    why_not: str
    by: str | None
    parts: int
    purpose: str
    reading: tuple[str, ...]
    understood: bool | None
    doses: tuple[DoseLink, ...]
    place: Before


@dataclass(frozen=True, slots=True)
class Conversation:
    """A patient's conversation, oldest text first. `before`: the place before which there are more; None: that is all.

    takeover   who has it in hand, if anybody.
    line       where what staff write goes; None: the patient has no phone. Why it may not be texted stands in it.
    leaves_at  when what is written now would leave, where that is not at once.
    """

    patient_id: str
    patient: str
    zone: str
    said: tuple[Said, ...]
    before: Before | None
    takeover: Takeover | None
    line: PhoneLine | None
    leaves_at: datetime | None


def conversation_of(c: Connection, patient: Patient, *, before: Before | None, now: datetime, limit: int) -> Conversation:
    """Read a patient's conversation before a place, or its newest texts."""
    said, more = page_of(c, patient, before=before, limit=limit)
    at = leaves(c, patient, now=now)
    return Conversation(
        patient_id=patient.id,
        patient=patient.name,
        zone=patient.zone,
        said=said,
        before=more,
        takeover=takeovers.standing(c, patient.id, now=now),
        line=None if patient.line is None else phone_line(patient.line),
        leaves_at=None if at == now else at,
    )


def leaves(c: Connection, patient: Patient, *, now: datetime) -> datetime:
    """When a text that a person writes now would leave: who has just written is awake."""
    phones = [] if patient.line is None else [patient.line.phone]
    heard = queries.texts_in(c, Page(patient.clinic.id, None, IN, 1), phones)
    return leaves_at(now, patient.quiet, patient.tz, heard_at=heard[0]["received_at"] if heard else None)


def page_of(c: Connection, patient: Patient, *, before: Before | None, limit: int) -> tuple[tuple[Said, ...], Before | None]:
    """The texts before a place, oldest first, and the place before which there are more, if there are."""
    former = enrolment.former_numbers(c, patient)
    points = {line.contact_point_id: _whose(line) for line in patient.lines}
    phones = {line.phone: _whose(line) for line in patient.lines}
    left = {one.line.contact_point_id: f"{one.line.name}, at an earlier number" for one in former}
    spells = [(one.line.phone, one.since, one.until) for one in former]
    sent = queries.texts_out(c, Page(patient.clinic.id, before, OUT, limit + 1), patient.id, list(points), former=list(left))
    heard = queries.texts_in(c, Page(patient.clinic.id, before, IN, limit + 1), list(phones), former=spells)
    points, phones = points | left, phones | {one.line.phone: left[one.line.contact_point_id] for one in former}
    found = sorted((*((OUT, row) for row in sent), *((IN, row) for row in heard)), key=_order, reverse=True)
    shown, more = found[:limit], len(found) > limit
    out, received = [row for source, row in shown if source == OUT], [row for source, row in shown if source == IN]
    about = _about(c, patient, out, received)
    authors = _authors(c, patient, out)
    said = [_ours(row, points[row["contact_point_id"]], authors, about) for row in out]
    said += [_theirs(row, phones[row["from_phone"]], about) for row in received]
    last = shown[-1] if shown else None
    place = Before(_at(last), last[0], _key(last)) if last and more else None
    return tuple(sorted(said, key=lambda one: (one.at, one.ours))), place


def _at(found: tuple[str, Row]) -> datetime:
    at: datetime = found[1]["created_at" if found[0] == OUT else "received_at"]
    return at


def _key(found: tuple[str, Row]) -> str:
    return str(found[1]["id" if found[0] == OUT else "sid"])


def _order(found: tuple[str, Row]) -> tuple[datetime, str, str]:
    return _at(found), found[0], _key(found)


def _about(c: Connection, patient: Patient, out: Sequence[Row], received: Sequence[Row]) -> Mapping[object, tuple[DoseLink, ...]]:
    """The doses of each of our texts, by its id, and those that each of theirs decided, by when it was written."""
    rows = [(row["text_id"], row) for row in queries.doses_of_texts(c, patient.clinic.id, [row["id"] for row in out])]
    if received:
        written = [row["received_at"] for row in received]
        told = queries.doses_decided(c, patient.clinic.id, patient.id, since=min(written) - ABOUT, until=max(written) + LOOK_AHEAD)
        rows += [(row["at"], row) for row in told if row["at"] in set(written)]
    links: dict[object, tuple[DoseLink, ...]] = {}
    for key, row in rows:
        link = DoseLink(row["plan_id"], row["local_date"], row["slot_no"])
        links[key] = tuple(dict.fromkeys((*links.get(key, ()), link)))
    return links


def _authors(c: Connection, patient: Patient, out: Sequence[Row]) -> Mapping[str, str]:
    """Who wrote the texts that a person wrote, by text: the audit has it."""
    by_hand = [row["id"] for row in out if row["purpose"] == "staff_text"]
    found = queries.acts(c, Page(patient.clinic.id, None, "", len(by_hand)), by_hand)
    return {row["subject"]: row["actor"] for row in found}


def _ours(row: Row, who: str, authors: Mapping[str, str], about: Mapping[object, tuple[DoseLink, ...]]) -> Said:
    code = row["error_code"]
    # A code that proves a number is a secret between us and the phone.
    body = re.sub(r"\d", "•", row["body"]) if row["purpose"] == "verification" else row["body"]
    return Said(
        id=row["id"],
        at=row["sent_at"] or row["send_at"],
        ours=True,
        body=body,
        who=who,
        standing=row["status"] or row["state"],
        why_not=words_of(code) if code else "",
        by=authors.get(row["id"]),
        parts=segments(row["body"]).parts,
        purpose=row["purpose"],
        reading=(),
        understood=None,
        doses=about.get(row["id"], ()),
        place=Before(row["created_at"], OUT, row["id"]),
    )


def _theirs(row: Row, who: str, about: Mapping[object, tuple[DoseLink, ...]]) -> Said:
    return Said(
        id=row["sid"],
        at=row["received_at"],
        ours=False,
        body=row["body"],
        who=who,
        standing="",
        why_not="",
        by=None,
        parts=0,
        purpose="",
        reading=tuple(part for part in row["reading"].split(", ") if part),
        understood=row["understood"],
        doses=about.get(row["received_at"], ()),
        place=Before(row["received_at"], IN, row["sid"]),
    )


def _whose(line: Line) -> str:
    """Whose a phone is, and in what role; empty where it is the patient's own."""
    return "" if line.role.value == "patient" else f"{line.name}, {line.role.value}"
