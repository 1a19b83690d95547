"""The clinic's on-call phone: texted while an alert that cannot wait waits for a person.

No text to it names a patient, a drug or an illness.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from reminders.domain.contact import ConsentStanding, Contact, Contactable, WhyNot, may_contact
from reminders.domain.escalation import PAUSES, apart
from reminders.domain.restraint import A_LONG_WHILE, A_WHILE, SentBefore, is_too_much
from reminders.messaging.texts import ENGLISH, when
from reminders.services.records import texts, troubles
from reminders.services.records.ledger import ALERT, CLINIC, CONTACT_POINT, ON_CALL, TEXT_OUT, insert_once, rows
from reminders.services.records.people import Clinic
from reminders.services.records.texts import Draft
from reminders.services.records.troubles import Trouble

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

KIND = "on_call"
LIFE = PAUSES["emergency"][0]
"""How long a text to the on-call phone is of use: then an emergency is raised again."""
LEFT = ("queued", "sending", "unknown", "accepted")
ANSWERED = "answered"
UNREACHED = {
    WhyNot.OPTED_OUT: "it has said STOP",
    WhyNot.UNUSABLE: "texts cannot reach it",
    WhyNot.UNVERIFIED: "it may be somebody else's",
    WhyNot.NO_CONSENT: "nobody there has agreed to it",
}


@dataclass(frozen=True)
class OnCall:
    """A clinic's on-call phone: whether it may be texted, when it last was told of alerts, and what it was sent lately."""

    clinic: Clinic
    contact_point_id: str
    may_text: Contact
    told_at: datetime | None
    before: SentBefore

    @property
    def silent(self) -> str | None:
        """Why nothing is texted to it now; None: it is."""
        if not isinstance(self.may_text, Contactable):
            return UNREACHED[self.may_text.why]
        return "it had too many texts" if self._had_enough else None

    @property
    def _had_enough(self) -> bool:
        return is_too_much(self.before, urgent=False)

    def free_at(self, pause: timedelta, *, now: datetime) -> datetime:
        """When it may be told of an alert that was last raised so long ago (nothing: it is new), as it was told of others."""
        if self._had_enough:
            return now + apart(pause)
        return now if self.told_at is None else max(now, self.told_at + apart(pause))


def phones(c: Connection, *, now: datetime, clinic_id: str | None = None) -> list[OnCall]:
    """The on-call phones, of one clinic or of all that have one."""
    mine = TEXT_OUT.c.contact_point_id == CONTACT_POINT.c.id
    sent = select(func.count()).where(mine, TEXT_OUT.c.created_at >= now - A_LONG_WHILE, TEXT_OUT.c.claimed_at.is_not(None))
    told = select(func.max(TEXT_OUT.c.created_at)).where(
        mine, TEXT_OUT.c.created_at >= now - A_LONG_WHILE, TEXT_OUT.c.kind == KIND, TEXT_OUT.c.state.in_(LEFT)
    )
    query = (
        select(
            CLINIC,
            CONTACT_POINT.c.id.label("contact_point_id"),
            CONTACT_POINT.c.verified_at,
            CONTACT_POINT.c.opted_out_at,
            CONTACT_POINT.c.unusable_at,
            ON_CALL.c.agreed_at,
            told.correlate(CONTACT_POINT).scalar_subquery().label("told_at"),
            sent.where(TEXT_OUT.c.claimed_at >= now - A_WHILE).correlate(CONTACT_POINT).scalar_subquery().label("in_hour"),
            sent.correlate(CONTACT_POINT).scalar_subquery().label("in_day"),
        )
        .join(ON_CALL, ON_CALL.c.clinic_id == CLINIC.c.id)
        .join(CONTACT_POINT, (CONTACT_POINT.c.id == ON_CALL.c.contact_point_id) & (CONTACT_POINT.c.clinic_id == ON_CALL.c.clinic_id))
        .order_by(CLINIC.c.id)
    )
    return [_phone(row) for row in rows(c, query if clinic_id is None else query.where(CLINIC.c.id == clinic_id))]


def _phone(row: Row) -> OnCall:
    standing = ConsentStanding(
        consented_at=row["agreed_at"],
        verified=row["verified_at"] is not None or row["unusable_at"] is not None,  # of one that is dead the proof is gone too
        opted_out=row["opted_out_at"] is not None,
        unusable=row["unusable_at"] is not None,
    )
    clinic = Clinic(*(row[name] for name in ("id", "name", "phone", "zone", "opens_at", "closes_at")))
    before = SentBefore(row["in_hour"], row["in_day"], same_words=0)
    return OnCall(clinic, row["contact_point_id"], may_contact(standing), row["told_at"], before)


def behind(c: Connection, phone: str) -> list[Row]:
    """The clinics whose on-call phone has a number: clinic_id, contact_point_id."""
    point = (CONTACT_POINT.c.id == ON_CALL.c.contact_point_id) & (CONTACT_POINT.c.clinic_id == ON_CALL.c.clinic_id)
    query = select(ON_CALL.c.clinic_id, ON_CALL.c.contact_point_id).join(CONTACT_POINT, point).where(CONTACT_POINT.c.phone == phone)
    return rows(c, query.order_by(ON_CALL.c.clinic_id))


def tell(c: Connection, phone: OnCall, *, cause: str, now: datetime) -> None:
    """Text the phone how many alerts wait that cannot, since when, and how often it was told so before."""
    waiting = _waiting(c, phone.clinic.id)
    if phone.silent or not waiting["count"]:
        return
    fields = {"n": str(waiting["count"]), "when": when(waiting["since"], phone.clinic.tz)}
    template = "on_call_again" if waiting["times"] else "on_call"
    again = {"times": str(waiting["times"])} if waiting["times"] else {}
    draft = Draft(template, KIND, f"on-call:{cause}", fields=fields | again, expires_at=now + LIFE)
    insert_once(c, TEXT_OUT, texts.row_to(phone.clinic, phone.contact_point_id, draft, language=ENGLISH, now=now))


def say_last(c: Connection, clinic_id: str, *, sid: str, now: datetime) -> None:
    """Confirm a STOP, once."""
    for phone in phones(c, now=now, clinic_id=clinic_id):
        draft = Draft("on_call_stopped", "opt-out", f"in:{sid}")
        insert_once(c, TEXT_OUT, texts.row_to(phone.clinic, phone.contact_point_id, draft, language=ENGLISH, now=now))


def why_not(c: Connection, text: Row, *, now: datetime) -> str | None:
    """Why a text of alerts may not leave any more: the phone is not on call now, or not to be texted, or nothing waits. None: it leaves."""
    phone = next((phone for phone in phones(c, now=now, clinic_id=text["clinic_id"])), None)
    if phone is None or phone.contact_point_id != text["contact_point_id"]:
        return "no such line"
    if not isinstance(phone.may_text, Contactable):
        return phone.may_text.why.value
    return None if _waiting(c, phone.clinic.id)["count"] else ANSWERED


def _waiting(c: Connection, clinic_id: str) -> Row:
    """Of a clinic's alerts that cannot wait and that nobody has taken on: count, since, and times they were raised again at most."""
    wanted = (
        ALERT.c.clinic_id == clinic_id,
        ALERT.c.closed_at.is_(None),
        ALERT.c.acknowledged_at.is_(None),
        ALERT.c.severity.in_(list(PAUSES)),
    )
    found = (func.count().label("count"), func.min(ALERT.c.raised_at).label("since"), func.max(ALERT.c.raised_again).label("times"))
    return dict(c.execute(select(*found).where(*wanted)).mappings().one())


def watch(c: Connection, *, now: datetime) -> None:
    """Let it be a trouble, for as long as it lasts, that an on-call phone is not texted."""
    silent = _silent(c, now=now)
    for clinic_id in _known(c) - silent.keys():
        troubles.end(c, Trouble.ON_CALL, now=now, of=clinic_id)
    for clinic_id, words in silent.items():
        troubles.begin(c, Trouble.ON_CALL, words, now=now, of=clinic_id)


def is_news(c: Connection, *, now: datetime) -> bool:
    """Whether an on-call phone has fallen silent, or speaks again, since it was last noted."""
    return _known(c) != _silent(c, now=now).keys()


def _silent(c: Connection, *, now: datetime) -> dict[str, str]:
    return {
        phone.clinic.id: f"The on-call phone of {phone.clinic.name} is not texted: {why}. Urgent alerts are in the list only."
        for phone in phones(c, now=now)
        if (why := phone.silent)
    }


def _known(c: Connection) -> set[str]:
    return {clinic_id for row in troubles.standing(c) if (clinic_id := troubles.whose(row, Trouble.ON_CALL))}
