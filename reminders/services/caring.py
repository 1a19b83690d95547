"""Caregivers' pages: what each may see, as the patient agreed; the links to them; and what such a page shows.

What is said of a dose on such a page is a reply like any other: `replying.on_page`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.domain.caring import LINK_HOLDS, STRIP_DAYS, Grant, Sees, open_to_say, still_told
from reminders.domain.contact import Contactable, Role, WhyNot
from reminders.domain.dose_state import DoseState
from reminders.domain.intake import EARLY
from reminders.domain.plan import DAY
from reminders.domain.roles import Right
from reminders.domain.schedule import Slot, instant_of, slots_between
from reminders.domain.signing_in import GUESSES_OF_ADDRESS
from reminders.domain.tablets import tablets_text
from reminders.errors import NotAllowed, NotFound, UnknownAlert, UnknownPatient
from reminders.messaging.texts import date_words, phone_words, time_words, when
from reminders.services.records import (
    accounts,
    alerts,
    announcements,
    care,
    doses,
    due,
    enrolment,
    people,
    plans,
    quarantines,
    staff,
    texts,
)
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.care import Agreed, Holder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from reminders.services.records.doses import StoredDose
    from reminders.services.records.due import Due
    from reminders.services.records.people import Line, Patient
    from reminders.services.records.plans import StoredPlan

__all__ = [
    "Around",
    "CareDose",
    "CarePage",
    "Holder",
    "Made",
    "Told",
    "acknowledge",
    "agree",
    "around",
    "around_ref",
    "enter",
    "find",
    "link",
    "page",
    "who",
]

WHY_NOT: dict[WhyNot, str] = {
    WhyNot.OPTED_OUT: "they ended the texts",
    WhyNot.NO_CONSENT: "they have not agreed to texts",
    WhyNot.UNVERIFIED: "their number is not verified",
    WhyNot.UNUSABLE: "their number cannot be texted",
}


@dataclass(frozen=True, slots=True)
class Around:
    """Somebody around a patient. `agreed`: None while nothing is on record, and the least holds; `no_page`: why they can have none."""

    role_id: str
    ref: str
    name: str
    role: Role
    grant: Grant
    agreed: Agreed | None
    no_page: str
    link_until: datetime | None


@dataclass(frozen=True, slots=True)
class Made:
    """A link that was just made: what stands in its address, shown this once, for whom, and until when (UTC) it is good."""

    token: str
    name: str
    patient: str
    grant: Grant
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """Something the reader was told of: when, in the patient's words and zone. Instants UTC."""

    id: str
    when: str
    acknowledged_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class CareDose:
    """One dose, as much as its texts may say of it: due when, in the patient's words and zone; of which plan; how much (or nothing).

    id         empty while it is still to come
    slot       what names it in any case, as `doses.name_of` does
    state      None: still to come
    can_tell   whether "I gave it" can be said of it now; `can_ask` the same of "not given yet: what now?"
    """

    id: str
    slot: str
    due_at: datetime
    local_date: date
    when: str
    which: str
    amount: str
    state: DoseState | None
    taken_at: str
    can_tell: bool
    can_ask: bool


@dataclass(frozen=True, slots=True)
class CarePage:
    """What a page shows. `days` are the last fortnight's, newest first, each with its doses in order; None: not for this reader.

    early  the one dose so near that it can be told as given before it is due; None if there is none, or it is not plain which.
    """

    clinic: str
    phone: str
    phone_words: str
    name: str
    reader: str
    language: str
    grant: Grant
    until: str
    told: tuple[Told, ...]
    today: tuple[CareDose, ...] | None
    early: CareDose | None
    days: tuple[tuple[str, tuple[CareDose, ...]], ...] | None


# For the clinic


def around(engine: Engine, clinic_id: str, patient_id: str, *, now: datetime) -> tuple[Around, ...]:
    """The proxies and caregivers of a patient, with what each may see. Raises UnknownPatient."""
    with reading(engine) as c:
        lines = care.around(people.of_clinic(c, clinic_id, patient_id))
        ids = [line.role_id for line in lines]
        agreed, links = care.of_roles(c, ids), care.links_of(c, ids, now=now)
        return tuple(
            Around(
                line.role_id,
                line.ref,
                line.name,
                line.role,
                care.grant_of(c, line),
                agreed.get(line.role_id),
                _no_page(line),
                links.get(line.role_id) if not _no_page(line) else None,
            )
            for line in lines
        )


def around_ref(engine: Engine, clinic_id: str, patient_ref: str, *, now: datetime) -> tuple[Around, ...]:
    """The same, by the clinic's own reference. Raises UnknownPatient."""
    with reading(engine) as c:
        patient_id = _id_of(c, clinic_id, patient_ref)
    return around(engine, clinic_id, patient_id, now=now)


def find(engine: Engine, clinic_id: str, patient_ref: str, person_ref: str) -> tuple[str, str]:
    """The ids of a patient and of somebody around them, by the clinic's own references. Raises UnknownPatient or NotFound."""
    with reading(engine) as c:
        patient_id = _id_of(c, clinic_id, patient_ref)
        for line in care.around(people.of_clinic(c, clinic_id, patient_id)):
            if line.ref == person_ref:
                return patient_id, line.role_id
    raise NotFound(f"{patient_ref} has no caregiver or proxy {person_ref!r}")


def agree(
    engine: Engine,
    clinic_id: str,
    patient_id: str,
    role_id: str,
    grant: Grant,
    *,
    agreed_by: str,
    agreed_at: datetime,
    by: str,
    now: datetime,
) -> None:
    """Note what the patient agreed that somebody around them may see, and say. It holds at once, for a link that is out too.

    Raises UnknownPatient, NotFound, or NotAllowed if `by` may not care for patients there.
    """
    with writing(engine) as c:
        patient = _locked(c, clinic_id, patient_id, by=by)
        care.agree(c, patient, _line(patient, role_id), Agreed(grant, agreed_by, agreed_at, by, now))
        answers = ", answers" if grant.answers else ""
        write_audit(c, clinic_id, Entry(now, by, "caregiver's view agreed", role_id, f"{grant.sees.value}{answers}"))


def link(engine: Engine, clinic_id: str, patient_id: str, role_id: str, *, by: str, now: datetime) -> Made:
    """Make somebody around a patient a link to their page; an older one is good no more.

    Raises UnknownPatient, NotFound, NotAllowed if `by` may not care for patients there, or the person's number may not be texted.
    """
    with writing(engine) as c:
        patient = _locked(c, clinic_id, patient_id, by=by)
        line = _line(patient, role_id)
        if why := _no_page(line):
            raise NotAllowed(f"{line.name} can have no page: {why}")
        token = care.new_token()
        care.keep_link(c, patient, line, care.kept(token), by=by, at=now)
        write_audit(c, clinic_id, Entry(now, by, "caregiver's link made", role_id))
        return Made(token, line.name, patient.name, care.grant_of(c, line), now + LINK_HOLDS)


def _id_of(c: Connection, clinic_id: str, patient_ref: str) -> str:
    patient_id = enrolment.patient_of_ref(c, clinic_id, patient_ref)
    if patient_id is None:
        raise UnknownPatient(f"there is no patient {patient_ref!r}")
    return patient_id


def _no_page(line: Line) -> str:
    return "" if isinstance(line.may_text, Contactable) else WHY_NOT[line.may_text.why]


def _locked(c: Connection, clinic_id: str, patient_id: str, *, by: str) -> Patient:
    staff.require(c, clinic_id, by, Right.CARE)
    people.of_clinic(c, clinic_id, patient_id)
    people.lock(c, [patient_id])
    return people.of_clinic(c, clinic_id, patient_id)


def _line(patient: Patient, role_id: str) -> Line:
    found = next((line for line in care.around(patient) if line.role_id == role_id), None)
    if found is None:
        raise NotFound("there is no such caregiver or proxy")
    return found


# For who holds a link


def enter(engine: Engine, token: str, *, address: str, now: datetime) -> Holder | None:
    """Open a link: whose it is, None if it is good no more or never was. That it was opened first is in the audit."""
    found = who(engine, token, address=address, now=now)
    if found is not None:
        with writing(engine) as c:
            if care.opened(c, found.token_hash, at=now):
                write_audit(c, found.patient.clinic.id, Entry(now, found.line.role.value, "caregiver's page opened", found.line.role_id))
    return found


def who(engine: Engine, token: str, *, address: str, now: datetime) -> Holder | None:
    """Who holds a link, or the cookie it became; None if it is good no more, never was, or too many wrong ones came from the address."""
    if not token:
        return None
    key = _key(address)
    with reading(engine) as c:
        if not accounts.may_try(c, key, now, most=GUESSES_OF_ADDRESS):
            return None
        found = care.holder(c, care.kept(token), now=now)
    if found is None:
        with writing(engine) as c:
            accounts.count_try(c, key, now, most=GUESSES_OF_ADDRESS)
    return found


def _key(address: str) -> str:
    return hashlib.sha256(f"care {address}".encode()).hexdigest()


def page(engine: Engine, holder: Holder, *, now: datetime) -> CarePage:
    """What a holder's page shows them now."""
    with reading(engine) as c:
        patient, sees = holder.patient, holder.grant.sees
        one = due.gather(c, [patient.id], now=now)[0] if sees.shows(Sees.TODAY) else None
        coming = tuple(_coming(one, now)) if one else ()
        return CarePage(
            clinic=patient.clinic.name,
            phone=patient.clinic.phone,
            phone_words=phone_words(patient.clinic.phone),
            name=patient.name.split()[0],
            reader=holder.line.name,
            language=patient.language,
            grant=holder.grant,
            until=date_words(holder.expires_at.astimezone(patient.tz).date(), patient.language),
            told=tuple(_told(c, holder, now)),
            today=(*_today(c, one, holder, now), *(dose for dose in coming if dose.local_date == _today_of(patient, now))) if one else None,
            early=_early(coming, now) if holder.grant.answers else None,
            days=tuple(_days(c, one, holder, now)) if one and sees.shows(Sees.STRIP) else None,
        )


def acknowledge(engine: Engine, holder: Holder, alert_id: str, *, now: datetime) -> None:
    """Note that the reader has taken on what they were told of, as their answer to the text would. Again is no harm.

    Raises UnknownAlert for one they were not told of.
    """
    with writing(engine) as c:
        quarantines.refuse_while_held(c)
        people.lock(c, [holder.patient.id])
        alert = next((row for row in care.told_of(c, holder, since=now - STRIP_DAYS * DAY) if row["id"] == alert_id), None)
        if alert is None:
            raise UnknownAlert
        if alert["closed_at"] is None and alert["acknowledged_at"] is None:
            alerts.acknowledge(c, alert, by=holder.line.role.value, at=now)
        for question in texts.open_questions(c, [holder.line.contact_point_id], now=now):
            if (question["kind"], question["patient_id"]) == ("caregiver_check", holder.patient.id):
                texts.answered(c, question["id"], "on the page", at=now)


def _told(c: Connection, holder: Holder, now: datetime) -> Iterator[Told]:
    for row in care.told_of(c, holder, since=now - STRIP_DAYS * DAY):
        tz, language = holder.patient.tz, holder.patient.language
        told_at = row["raised_at"].astimezone(tz)
        words = f"{date_words(told_at.date(), language)} {time_words(told_at.time(), language)}"
        yield Told(row["id"], words, row["acknowledged_at"], row["closed_at"])


def _today_of(patient: Patient, now: datetime) -> date:
    return now.astimezone(patient.tz).date()


def _today(c: Connection, one: Due, holder: Holder, now: datetime) -> Iterator[CareDose]:
    """Today's doses so far, one told of before it is due, and those of the day before that somebody still waits to hear of."""
    today = _today_of(one.patient, now)
    for dose, plan in _recent(c, one, since=now - 2 * DAY):
        day = _local_date(one.patient, dose.slot)
        if day == today or dose.slot.due_at > now or (dose.state in doses.WAITING and still_told(dose.slot.due_at, now)):
            yield _stored(one, plan, dose, holder, now)


def _days(c: Connection, one: Due, holder: Holder, now: datetime) -> Iterator[tuple[str, tuple[CareDose, ...]]]:
    """The last days, newest first, those without a dose too."""
    today = _today_of(one.patient, now)
    first = today - timedelta(days=STRIP_DAYS - 1)
    by_day: dict[date, list[CareDose]] = {}
    for dose, plan in _recent(c, one, since=instant_of(first, time(0), one.patient.tz)):
        by_day.setdefault(_local_date(one.patient, dose.slot), []).append(_stored(one, plan, dose, holder, now))
    for number in range(STRIP_DAYS):
        day = today - timedelta(days=number)
        yield date_words(day, one.patient.language), tuple(by_day.get(day, ()))


def _recent(c: Connection, one: Due, *, since: datetime) -> Iterator[tuple[StoredDose, StoredPlan]]:
    found = doses.of_patients(c, [one.patient.id], since=since).get(one.patient.id, [])
    over = {dose.plan_id for dose in found if one.plan(dose.plan_id) is None}
    known = plans.read(c, over) if over else {}
    for dose in found:
        yield dose, one.plan(dose.plan_id) or known[dose.plan_id]


def _coming(one: Due, now: datetime) -> Iterator[CareDose]:
    """The slots to come within a day, without those that are on record already."""
    found = [
        (slot, plan)
        for plan in one.plans
        if plan.state in plans.ON_CLOCK
        for slot in slots_between(plan.course, now, now + DAY)
        if not one.has(plan, slot)
    ]
    for slot, plan in sorted(found, key=lambda each: (each[0].due_at, each[1].ref)):
        yield _dose(one, plan, slot)


def _early(coming: tuple[CareDose, ...], now: datetime) -> CareDose | None:
    near = [dose for dose in coming if dose.due_at <= now + EARLY]
    return near[0] if len(near) == 1 else None


def _stored(one: Due, plan: StoredPlan, dose: StoredDose, holder: Holder, now: datetime) -> CareDose:
    told = dose.standing
    can_tell = open_to_say(holder.grant, dose.state, dose.slot.due_at, now)
    return _dose(
        one,
        plan,
        dose.slot,
        id_=dose.id,
        state=dose.state,
        taken_at=when(told.taken_at, one.patient.tz, one.patient.language) if told.taken_at else "",
        can_tell=can_tell,
        can_ask=can_tell and not told.odd,
    )


def _dose(
    one: Due,
    plan: StoredPlan,
    slot: Slot,
    *,
    id_: str = "",
    state: DoseState | None = None,
    taken_at: str = "",
    can_tell: bool = False,
    can_ask: bool = False,
) -> CareDose:
    return CareDose(
        id_,
        doses.name_of(plan, slot),
        slot.due_at,
        _local_date(one.patient, slot),
        when(slot.due_at, one.patient.tz, one.patient.language),
        one.which(plan),
        _amount(one, plan, slot),
        state,
        taken_at,
        can_tell,
        can_ask,
    )


def _amount(one: Due, plan: StoredPlan, slot: Slot) -> str:
    """How much, as far as the patient's texts say it; where the doses of a day differ, always."""
    wording = one.patient.wording
    if wording == "discreet" and not announcements.is_uneven(plan, slot):
        return ""
    amount = tablets_text(slot.amount, plan.profile, plan.plan.strengths)
    return f"{plan.profile.name}: {amount}" if wording == "full" else amount


def _local_date(patient: Patient, slot: Slot) -> date:
    return slot.due_at.astimezone(patient.tz).date()
