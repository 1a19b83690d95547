"""One incoming text, with all that is needed to understand it: who may be writing, about whom, and what was last asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from reminders.domain.clinic_hours import ClinicHours
from reminders.domain.contact import Contactable, Role
from reminders.messaging.texts import when
from reminders.services.records import alerts, doses, due, plans, takeovers, texts
from reminders.services.records.alerts import Notice
from reminders.services.records.texts import Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.domain.dose_state import DoseEvent
    from reminders.services.records.doses import StoredDose
    from reminders.services.records.due import Due
    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Line, Patient
    from reminders.services.records.plans import StoredPlan

FOR_A_PERSON = frozenset({"warning", "urgent"})
"""The severities for which the patient is told when nobody watches; an emergency's own text says 911 already."""


@dataclass
class Talk:
    """A text that came in.

    at         when it was written (UTC): a reply fetched late is judged at the time it was sent.
    now        when we deal with it.
    answers    the patients for whom this phone answers: their own, or as a proxy.
    cares      the patients about whom this phone is told.
    questions  what this phone was asked and can still answer, newest last.
    pages      where our pages are reached, by https; None: links are not texted.
    carriers_word  as what the carrier itself took it, where it says so; then it has acted on it, and answered.
    alarmed    a danger sign, or the medicine stopped: nothing in the same answer may say "take it now".
    misread    something in it could not be understood.
    awaited    a person at the clinic was asked to look at it.
    """

    c: Connection
    sid: str
    at: datetime
    now: datetime
    contact_point_id: str
    answers: tuple[Due, ...]
    cares: tuple[Due, ...]
    questions: tuple[Row, ...]
    pages: str | None = None
    carriers_word: str = ""
    alarmed: bool = False
    misread: bool = False
    awaited: bool = False
    said: list[Draft] = field(default_factory=list)
    over: dict[str, StoredPlan] = field(default_factory=dict)

    @property
    def everyone(self) -> tuple[Due, ...]:
        """Every patient behind the phone, each once."""
        return (*self.answers, *(one for one in self.cares if one.patient.id not in {mine.patient.id for mine in self.answers}))

    @property
    def roles(self) -> frozenset[str]:
        """What the phone is to the patients behind it."""
        return frozenset(role.value for one in self.everyone for role in self._roles(one))

    @property
    def role(self) -> str:
        """In what role the text was written, where it concerns the number and not one patient."""
        return next(role.value for role in (Role.PROXY, Role.PATIENT, Role.CAREGIVER) if role.value in self.roles)

    def by(self, one: Due) -> str:
        """In whose role the text was written about a patient: said_by, in the evidence."""
        mine = self._roles(one)
        return next(role.value for role in (Role.PROXY, Role.PATIENT, Role.CAREGIVER) if role in mine)

    def _roles(self, one: Due) -> frozenset[Role]:
        return frozenset(line.role for line in one.patient.lines if line.contact_point_id == self.contact_point_id)

    def line(self, patient: Patient) -> Line | None:
        """The phone that wrote, as a line of this patient."""
        return next((line for line in patient.lines if line.contact_point_id == self.contact_point_id), None)

    def plans(self, dose_rows: Iterable[StoredDose]) -> Iterator[tuple[Due, StoredPlan, StoredDose]]:
        """Each dose this phone answers for, with its patient and plan. A plan that is over still has doses to speak of."""
        found = list(dose_rows)
        mine = {one.patient.id: one for one in self.answers}
        known = {plan.id: plan for one in self.answers for plan in one.plans} | self.over
        missing = {dose.plan_id for dose in found if dose.patient_id in mine and dose.plan_id not in known}
        if missing:
            self.over |= plans.read(self.c, missing)
            known |= self.over
        for dose in found:
            if dose.patient_id in mine:
                yield mine[dose.patient_id], known[dose.plan_id], dose

    def say(self, patient: Patient, draft: Draft) -> None:
        """Answer the phone that wrote. The same words are said once; several answers of one kind are kept apart by their number."""
        if any((each.template, each.fields, each.dose_id) == (draft.template, draft.fields, draft.dose_id) for each in self.said):
            return
        before = sum(each.kind == draft.kind for each in self.said)
        self.said.append(draft)
        cause = f"in:{self.sid}" if before == 0 else f"in:{self.sid}:{before + 1}"
        texts.queue(self.c, patient, self.line(patient), replace(draft, cause=draft.cause or cause), now=self.now)

    def reply(self, draft: Draft) -> None:
        """Answer once, however many patients are behind the phone; as the first of them for whom it may be texted."""
        lines = [(one.patient, self.line(one.patient)) for one in self.everyone]
        may = [patient for patient, line in lines if line and isinstance(line.may_text, Contactable)]
        for patient in may[:1]:
            self.say(patient, draft)

    def alert(self, patients: Iterable[Due], notice: Notice) -> None:
        """Tell a person at the clinic, for each patient concerned."""
        self.awaited = self.awaited or notice.severity in FOR_A_PERSON
        for one in patients:
            only = one.plans[0].id if len(one.plans) == 1 else None
            alerts.raise_once(self.c, one.patient, replace(notice, plan_id=notice.plan_id or only), now=self.now)

    def held(self) -> dict[str, str]:
        """Who at the clinic has taken over the conversations of the patients for whom this phone answers, by patient."""
        return takeovers.holding(self.c, [one.patient.id for one in self.answers], written_at=self.at, now=self.now)

    def for_a_person(self, words: str, patients: Iterable[Due], held: Mapping[str, str]) -> None:
        """Show what was said about some patients to the clinic; or to whoever has taken the conversation over, by a deadline then."""
        for one in patients:
            holder = held.get(one.patient.id)
            severity, owner = ("info", "clinic") if holder is None else ("warning", holder)
            self.alert([one], Notice("unreadable", severity, f"unreadable {self.sid}", words, clinical=False, owner=owner))

    def alert_unless_open(self, patients: Iterable[Due], notice: Notice) -> None:
        """Tell a person at the clinic, unless the same is waiting there already. Once closed, it can be told again."""
        standing = alerts.open_alerts(self.c, patient_ids=[one.patient.id for one in self.everyone], kinds=[notice.kind])
        known = {alert["patient_id"] for alert in standing}
        self.alert([one for one in patients if one.patient.id not in known], notice)
        self.awaited = True

    def learn(self, dose: StoredDose, *events: DoseEvent) -> None:
        """Keep what was said of a dose, or decided about it."""
        doses.learn(self.c, {dose.id: events}, now=self.now)

    def again(self, one: Due) -> Due:
        """The patient as they stand after what this text has changed."""
        return due.gather(self.c, [one.patient.id], now=self.now)[0]

    def look_again(self) -> None:
        """Read anew whom the phone belongs to, after this text has changed whether it may be texted."""
        known = {one.patient.id: one for one in due.gather(self.c, [one.patient.id for one in self.everyone], now=self.now)}
        self.answers = tuple(known[one.patient.id] for one in self.answers)
        self.cares = tuple(known[one.patient.id] for one in self.cares)

    def tell_hours(self) -> None:
        """Say plainly, once each time the clinic is closed, that nobody watches; only to who wrote something for a person."""
        for one in self.everyone[:1] if self.awaited else ():
            clinic = one.patient.clinic
            hours = ClinicHours(clinic.opens_at, clinic.closes_at)
            if not hours.are_on(self.now, clinic.tz):
                opens = hours.next_opening(self.now, clinic.tz)
                fields = {"until": when(opens, one.patient.tz, one.patient.language)}
                self.reply(Draft("after_hours", "hours", f"hours:{self.contact_point_id}:{opens:%Y%m%dT%H%M}", fields=fields))


def simply(template: str, kind: str) -> Draft:
    """A text without fields of its own."""
    return Draft(template, kind, "")
