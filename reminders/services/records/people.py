"""Clinics, patients and the phones behind which they are reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, bindparam, delete, func, null, select, update

from db.types import UtcDateTime
from reminders.domain.contact import ConsentStanding, Contact, Contactable, QuietHours, Refused, Role, WhyNot, may_contact
from reminders.domain.finding import Alcohol, PatientFacts, age_on
from reminders.errors import UnknownPatient
from reminders.messaging.opting_words import carrier_ended, carrier_resumed
from reminders.messaging.replies import VERSION
from reminders.services.records import name_words
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.ledger import (
    CARE_LINK,
    CLINIC,
    CONSENT,
    CONTACT_POINT,
    CONTACT_ROLE,
    ON_CALL,
    PATIENT,
    TEXT_IN,
    asked,
    by,
    insert_all,
    new_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

CARRIER = "carrier"
"""Who gave it, where the carrier refuses a number that has opted out: its words never reached us."""

_CLINIC = ("name", "phone", "zone", "opens_at", "closes_at")

VOICE = "voice"
"""How a word came that was said to somebody at the clinic."""

WORD_LATE = timedelta(minutes=2)
"""How long after it was written a webhook, tried again, may bring a word [our default]."""


@dataclass(frozen=True)
class Clinic:
    """The clinic a text speaks for; opening hours are local wall times of its zone."""

    id: str
    name: str
    phone: str
    zone: str
    opens_at: time
    closes_at: time

    @cached_property
    def tz(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.zone)


@dataclass(frozen=True)
class Line:
    """A person's phone, in one role for one patient, and whether we may text it. `shared`: others answer from it too."""

    contact_point_id: str
    phone: str
    role: Role
    role_id: str
    name: str
    ref: str
    may_text: Contact
    shared: bool = False
    after_misses: int | None = None


@dataclass(frozen=True)
class Patient:
    """A patient, and the lines on which they, their proxy and their caregivers are reached."""

    clinic: Clinic
    id: str
    ref: str
    name: str
    zone: str
    language: str
    wording: str
    quiet: QuietHours
    next_due_at: datetime | None
    tries: int
    lines: tuple[Line, ...]

    @cached_property
    def tz(self) -> ZoneInfo:
        """The zone of the patient's phone: times in texts are local to it."""
        return ZoneInfo(self.zone)

    @property
    def line(self) -> Line | None:
        """Where the patient's own texts go: to the proxy who answers for them, if there is one.

        While the proxy's number is not proved, to the patient's own, if that is: nobody goes without reminders for a code on its way.
        """
        own = {line.role: line for line in self.lines if line.role is not Role.CAREGIVER}
        proxy, patient = own.get(Role.PROXY), own.get(Role.PATIENT)
        if proxy and patient and proxy.may_text == Refused(WhyNot.UNVERIFIED) and isinstance(patient.may_text, Contactable):
            return patient
        return proxy or patient

    def by_day(self, now: datetime, *, then: timedelta = timedelta()) -> datetime:
        """Now, or when the quiet hours have ended (UTC): nobody is woken for what can wait. `then`: so long after they ended."""
        return self.quiet.next_end(now, self.tz) + then if self.quiet.contains(now, self.tz) else now

    @property
    def caregivers(self) -> tuple[Line, ...]:
        """The people who are told."""
        return tuple(line for line in self.lines if line.role is Role.CAREGIVER)


def clinic_of(c: Connection, clinic_id: str) -> Clinic:
    """Read a clinic."""
    row = c.execute(select(*(CLINIC.c[name] for name in ("id", *_CLINIC))).where(CLINIC.c.id == clinic_id)).one()
    return Clinic(*row)


def patients(c: Connection, ids: Iterable[str]) -> dict[str, Patient]:
    """Read patients with their lines, by id."""
    wanted = list(ids)
    lines = _lines(c, wanted)
    return {row["id"]: _patient(row, tuple(lines.get(row["id"], ()))) for row in asked(c, _PATIENTS, ids=wanted)}


def lock(c: Connection, ids: Iterable[str]) -> None:
    """Take the patients' rows, in one order. Every service that touches a plan does this first."""
    wanted = sorted(set(ids))
    if wanted and c.dialect.name != "sqlite":  # a SQLite writer is alone
        c.execute(_LOCKED.with_for_update(), {"ids": wanted}).all()


def behind(c: Connection, phone: str) -> list[Row]:
    """The roles of everyone behind a phone number: contact_point_id, clinic_id, patient_id, role, role_id, name."""
    return asked(c, _BEHIND, phone=phone)


def opt(
    c: Connection,
    contact_point_id: str,
    *,
    out: bool,
    given_by: str,
    at: datetime,
    sid: str | None,
    recorded_by: str = "",
    by_carrier: bool = False,
) -> bool:
    """Stop or take up texting a number, for everyone behind it; keep the evidence of it. Return whether that changed anything.

    Every word is kept, one row for each patient behind the number and one if it is on call for a clinic, whether or not it changes
    anything: who gave it (a role, or `carrier`), when it was written, the carrier's id of the message, and as `wording_version` the
    list of words by which it was read as one (`replies.VERSION`): the words themselves stand in the message, until it is
    forgotten. What the carrier tells us of, or took for such a word itself (`by_carrier`), was read by its own list, so there channel
    and wording are `carrier`. What somebody said
    (`recorded_by`: who at the clinic heard it) has the channel `voice` and no wording. The text of our confirmation is a row of its own.

    The later word stands, whatever order they come in: one fetched late does not undo what was said since.
    """
    stood, stands = opted_out(c, contact_point_id), not _overtaken(c, contact_point_id, out=out, at=at)
    its_own = by_carrier or given_by == CARRIER
    _keep_word(c, contact_point_id, out=out, given_by=given_by, at=at, sid=sid, recorded_by=recorded_by, by_carrier=its_own)
    if stood is out or not stands:
        return False
    c.execute(_OPT, {"its_id": contact_point_id, "new_at": at if out else None})
    if out:
        end_pages(c, contact_point_id)
    return True


def _overtaken(c: Connection, contact_point_id: str, *, out: bool, at: datetime) -> bool:
    """Whether a later word says the opposite. A START that came within two minutes may have been written before a STOP."""
    opposite, since = ("restored", at + WORD_LATE) if out else ("revoked", at)
    return c.scalar(_SAID_SINCE, {"point": contact_point_id, "kind": opposite, "since": since}) is not None


def _keep_word(
    c: Connection, contact_point_id: str, *, out: bool, given_by: str, at: datetime, sid: str | None, recorded_by: str, by_carrier: bool
) -> None:
    whose = [*asked(c, _CONCERNED, point=contact_point_id), *asked(c, _ON_CALL, point=contact_point_id)]
    channel, wording = (VOICE, "") if recorded_by else (CARRIER, CARRIER) if by_carrier else ("sms", VERSION)
    word = {
        "contact_point_id": contact_point_id,
        "kind": "revoked" if out else "restored",
        "given_by": given_by,
        "wording_version": wording,
        "channel": channel,
        "message_sid": sid,
        "recorded_by": recorded_by,
        "at": at,
    }
    insert_all(c, CONSENT, [{**word, **patient, "id": new_id()} for patient in whose])
    for clinic_id in dict.fromkeys(patient["clinic_id"] for patient in whose):
        what = "texts stopped" if out else "texts taken up"
        write_audit(c, clinic_id, Entry(at, recorded_by or given_by, what, contact_point_id, sid or ""))


def as_it_came(c: Connection, sid: str) -> tuple[str, str]:
    """The words of a text that somebody sent, and the number they sent it to: empty where no carrier brought it."""
    row = asked(c, _AS_IT_CAME, sid=sid)[0]
    return row["body"], row["to_phone"]


def opted_out(c: Connection, contact_point_id: str) -> bool:
    """Whether STOP stands on a number."""
    return c.scalar(_OPTED_OUT, {"point": contact_point_id}) is not None


def stopped_by_text(c: Connection, contact_point_id: str) -> bool:
    """Whether STOP was texted from a number, and not START since: then its carrier, too, lets nothing through until START."""
    kinds = c.scalars(_TEXTED_WORDS, {"point": contact_point_id})
    return kinds.first() == "revoked"


def carrier_holds(c: Connection, contact_point_id: str) -> bool:
    """Whether the carrier's own STOP stands on a number: of the words it knows, STOP was the last, or it has refused us since.

    Then nothing but one of its own words for START lets a text through, whatever is said in others.
    """
    for word in asked(c, _WORDS_AS_THEY_CAME, point=contact_point_id):
        body, to_phone = word["body"] or "", word["to_phone"] or ""
        if word["channel"] == CARRIER or carrier_ended(body, to_phone):
            return bool(word["kind"] == "revoked")
        if carrier_resumed(body, to_phone):
            return False
    return False


def is_held(c: Connection, contact_point_id: str, sid: str) -> bool:
    """Whether STOP stands on a number, and the carrier keeps it so though this text asks for the texts again."""
    return opted_out(c, contact_point_id) and not carrier_resumed(*as_it_came(c, sid)) and carrier_holds(c, contact_point_id)


def of_clinic(c: Connection, clinic_id: str, patient_id: str) -> Patient:
    """Read a patient of a clinic. Raises UnknownPatient, for another clinic's too."""
    found = patients(c, [patient_id]).get(patient_id)
    if found is None or found.clinic.id != clinic_id:
        raise UnknownPatient
    return found


def prove(c: Connection, patient: Patient, line: Line, *, at: datetime) -> None:
    """Note that a code came back from a number: it is this person's, and texts reach it."""
    point = CONTACT_POINT.c.clinic_id == patient.clinic.id, CONTACT_POINT.c.id == line.contact_point_id
    c.execute(update(CONTACT_POINT).where(*point).values(verified_at=at, unusable_at=None))
    mine = (
        CONTACT_ROLE.c.clinic_id == patient.clinic.id,
        CONTACT_ROLE.c.patient_id == patient.id,
        CONTACT_ROLE.c.contact_point_id == line.contact_point_id,
    )
    c.execute(update(CONTACT_ROLE).where(*mine).values(unproved=False))


def doubt_number(c: Connection, contact_point_id: str) -> None:
    """Send nothing more to a number that may be somebody else's, until it is verified again, for each patient behind it."""
    c.execute(update(CONTACT_POINT).where(CONTACT_POINT.c.id == contact_point_id).values(verified_at=None))
    end_pages(c, contact_point_id)
    c.execute(update(CONTACT_ROLE).where(CONTACT_ROLE.c.contact_point_id == contact_point_id).values(unproved=True))


def mark_unusable(c: Connection, contact_point_id: str, *, at: datetime) -> None:
    """Stop using a number that cannot be texted, until a person proves it again."""
    c.execute(update(CONTACT_POINT).where(CONTACT_POINT.c.id == contact_point_id).values(unusable_at=at, verified_at=None))
    end_pages(c, contact_point_id)


def end_pages(c: Connection, contact_point_id: str) -> None:
    """Let no link that was made for a number be good any more, not even once it is taken up again."""
    c.execute(delete(CARE_LINK).where(CARE_LINK.c.contact_point_id == contact_point_id))


def same_phone(c: Connection, contact_point_id: str) -> list[str]:
    """The contact points of a phone, at every clinic that knows it: one sender texts for them all."""
    phone = select(CONTACT_POINT.c.phone).where(CONTACT_POINT.c.id == contact_point_id).scalar_subquery()
    return list(c.scalars(select(CONTACT_POINT.c.id).where(CONTACT_POINT.c.phone == phone).order_by(CONTACT_POINT.c.id)))


def patients_on(c: Connection, contact_point_id: str) -> list[str]:
    """The patients for whom somebody answers, or is told, at a number."""
    here = CONTACT_ROLE.c.contact_point_id == contact_point_id, CONTACT_ROLE.c.ended_at.is_(None)
    return list(c.scalars(select(CONTACT_ROLE.c.patient_id).where(*here).distinct()))


def clinic_phone(c: Connection, clinic_id: str) -> str:
    """The clinic's own number, which patients call."""
    return str(c.scalars(select(CLINIC.c.phone).where(CLINIC.c.id == clinic_id)).one())


def _patient(row: Row, lines: tuple[Line, ...]) -> Patient:
    clinic = [row[f"clinic_{name}"] for name in ("id", "name", "phone", "zone", "opens_at", "closes_at")]
    return Patient(
        clinic=Clinic(*clinic),
        id=row["id"],
        ref=row["ref"],
        name=row["name"],
        zone=row["zone"],
        language=row["language"],
        wording=row["wording"],
        quiet=QuietHours(row["quiet_from"], row["quiet_until"]),
        next_due_at=row["next_due_at"],
        tries=row["tries"],
        lines=lines,
    )


_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)  # statements made once: to make one costs more than to run it
_WITH_CLINIC = [CLINIC.c[name].label(f"clinic_{name}") for name in _CLINIC]
_PATIENTS = select(PATIENT, *_WITH_CLINIC).join(CLINIC, CLINIC.c.id == PATIENT.c.clinic_id).where(PATIENT.c.id.in_(_IDS))
_LOCKED = select(PATIENT.c.id).where(PATIENT.c.id.in_(_IDS)).order_by(PATIENT.c.id)
_OPTED_OUT = select(CONTACT_POINT.c.opted_out_at).where(CONTACT_POINT.c.id == bindparam("point"))
_OPT = update(CONTACT_POINT).where(CONTACT_POINT.c.id == bindparam("its_id")).values(opted_out_at=bindparam("new_at", type_=UtcDateTime))
_SAID_SINCE = (
    select(CONSENT.c.id)
    .where(
        CONSENT.c.contact_point_id == bindparam("point"),
        CONSENT.c.kind == bindparam("kind"),
        CONSENT.c.at > bindparam("since", type_=UtcDateTime),
    )
    .limit(1)
)
_CONCERNED = (
    select(CONTACT_ROLE.c.clinic_id, CONTACT_ROLE.c.patient_id)
    .where(CONTACT_ROLE.c.contact_point_id == bindparam("point"), CONTACT_ROLE.c.ended_at.is_(None))
    .distinct()
)
_ON_CALL = select(ON_CALL.c.clinic_id, null().label("patient_id")).where(ON_CALL.c.contact_point_id == bindparam("point"))
_AS_IT_CAME = select(TEXT_IN.c.body, TEXT_IN.c.to_phone).where(TEXT_IN.c.sid == bindparam("sid"))
_TEXTED_WORDS = (
    select(CONSENT.c.kind)
    .where(CONSENT.c.contact_point_id == bindparam("point"), CONSENT.c.kind != "given", CONSENT.c.channel != VOICE)
    .order_by(CONSENT.c.at.desc(), CONSENT.c.kind.desc())
    .limit(1)
)
_WORDS_AS_THEY_CAME = (
    select(CONSENT.c.kind, CONSENT.c.channel, TEXT_IN.c.body, TEXT_IN.c.to_phone)
    .outerjoin(TEXT_IN, TEXT_IN.c.sid == CONSENT.c.message_sid)
    .where(CONSENT.c.contact_point_id == bindparam("point"), CONSENT.c.kind != "given", CONSENT.c.channel != VOICE)
    .order_by(CONSENT.c.at.desc(), CONSENT.c.kind.desc())
)
_OTHER = CONTACT_ROLE.alias()
_AGREED_AT = (
    select(func.min(CONSENT.c.at))
    .where(
        CONSENT.c.clinic_id == CONTACT_ROLE.c.clinic_id,
        CONSENT.c.contact_point_id == CONTACT_ROLE.c.contact_point_id,
        CONSENT.c.patient_id == CONTACT_ROLE.c.patient_id,
        CONSENT.c.kind == "given",
    )
    .scalar_subquery()
)
_ANSWERS_FOR = (
    select(func.count(func.distinct(_OTHER.c.patient_id)))
    .where(
        _OTHER.c.clinic_id == CONTACT_ROLE.c.clinic_id,
        _OTHER.c.contact_point_id == CONTACT_ROLE.c.contact_point_id,
        _OTHER.c.role != Role.CAREGIVER.value,
        _OTHER.c.ended_at.is_(None),
    )
    .scalar_subquery()
)
_BEHIND = (
    select(
        CONTACT_POINT.c.clinic_id,
        CONTACT_POINT.c.id.label("contact_point_id"),
        CONTACT_ROLE.c.patient_id,
        CONTACT_ROLE.c.role,
        CONTACT_ROLE.c.id.label("role_id"),
        CONTACT_ROLE.c.name,
    )
    .join(CONTACT_ROLE, (CONTACT_ROLE.c.contact_point_id == CONTACT_POINT.c.id) & (CONTACT_ROLE.c.clinic_id == CONTACT_POINT.c.clinic_id))
    .where(CONTACT_POINT.c.phone == bindparam("phone"), CONTACT_ROLE.c.ended_at.is_(None))
    .order_by(CONTACT_ROLE.c.patient_id)
)
_LINES = (
    select(
        CONTACT_ROLE,
        CONTACT_POINT.c.phone,
        CONTACT_POINT.c.verified_at,
        CONTACT_POINT.c.opted_out_at,
        CONTACT_POINT.c.unusable_at,
        _AGREED_AT.label("agreed_at"),
        _ANSWERS_FOR.label("answers_for"),
    )
    .join(CONTACT_POINT, (CONTACT_ROLE.c.contact_point_id == CONTACT_POINT.c.id) & (CONTACT_ROLE.c.clinic_id == CONTACT_POINT.c.clinic_id))
    .where(CONTACT_ROLE.c.patient_id.in_(_IDS), CONTACT_ROLE.c.ended_at.is_(None))
    .order_by(CONTACT_ROLE.c.id)
)


def _lines(c: Connection, patient_ids: list[str]) -> dict[str, list[Line]]:
    """Read the lines of many patients: roles, numbers, consent, and how many patients a number answers for."""
    return {patient_id: [_line(row) for row in group] for patient_id, group in by("patient_id", asked(c, _LINES, ids=patient_ids)).items()}


def _line(row: Row) -> Line:
    return Line(
        contact_point_id=row["contact_point_id"],
        phone=row["phone"],
        role=Role(row["role"]),
        role_id=row["id"],
        name=row["name"],
        ref=row["ref"],
        may_text=may_contact(_standing(row)),
        shared=row["answers_for"] > 1,
        after_misses=row["after_misses"],
    )


def _standing(row: Row) -> ConsentStanding:
    return ConsentStanding(
        consented_at=row["agreed_at"],
        verified=row["verified_at"] is not None and not row["unproved"],
        opted_out=row["opted_out_at"] is not None,
        unusable=row["unusable_at"] is not None,
    )


def alcohol_of(c: Connection, patient_id: str) -> Alcohol:
    """What is known of a patient's alcohol."""
    return Alcohol(c.execute(select(PATIENT.c.alcohol).where(PATIENT.c.id == patient_id)).scalar_one())


def facts_of(c: Connection, patient_id: str, *, on: date) -> PatientFacts:
    """What is known of a patient's age on a day, and of their kidneys and alcohol."""
    wanted = select(PATIENT.c.born_on, PATIENT.c.kidney, PATIENT.c.kidney_weak, PATIENT.c.alcohol).where(PATIENT.c.id == patient_id)
    row = c.execute(wanted).one()
    age = None if row.born_on is None else age_on(row.born_on, on)
    return PatientFacts(age=age, kidney=row.kidney, kidney_flag=row.kidney_weak, alcohol=Alcohol(row.alcohol))


def details_of(c: Connection, patient_id: str) -> Row:
    """A patient's own columns."""
    return asked(c, _PATIENTS, ids=[patient_id])[0]


def change(c: Connection, patient: Patient, values: Row) -> None:
    """Write a patient's own columns; who holds the phone for themselves goes by the same name."""
    c.execute(update(PATIENT).where(PATIENT.c.clinic_id == patient.clinic.id, PATIENT.c.id == patient.id).values(dict(values)))
    if "name" in values:
        own = CONTACT_ROLE.c.clinic_id == patient.clinic.id, CONTACT_ROLE.c.patient_id == patient.id, CONTACT_ROLE.c.role == Role.PATIENT
        c.execute(update(CONTACT_ROLE).where(*own).values(name=values["name"]))
        name_words.keep(c, patient.clinic.id, patient.id, values["name"], patient.ref)


def agreed(c: Connection, patient: Patient) -> dict[str, Row]:
    """The last consent given about a patient, by contact point."""
    points = [line.contact_point_id for line in patient.lines]
    given = select(CONSENT).where(CONSENT.c.contact_point_id.in_(points), CONSENT.c.patient_id == patient.id, CONSENT.c.kind == "given")
    return {row["contact_point_id"]: row for row in asked(c, given.order_by(CONSENT.c.at, CONSENT.c.id))}


def relationships(c: Connection, patient: Patient) -> dict[str, str]:
    """What each person around a patient is to them, by the id of their role."""
    query = select(CONTACT_ROLE.c.id, CONTACT_ROLE.c.relationship).where(CONTACT_ROLE.c.patient_id == patient.id)
    return {row.id: row.relationship for row in c.execute(query)}


def keep_alcohol(c: Connection, patient_id: str, alcohol: Alcohol) -> None:
    """Keep what a patient has told of it since."""
    c.execute(update(PATIENT).where(PATIENT.c.id == patient_id).values(alcohol=alcohol.value))


def move(c: Connection, patient: Patient, zone: str) -> None:
    """Let the times in a patient's texts be those of another zone."""
    c.execute(update(PATIENT).where(PATIENT.c.id == patient.id).values(zone=zone))
