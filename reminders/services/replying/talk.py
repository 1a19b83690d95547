"""One incoming text, with all that is needed to understand it: who may be writing, about whom, and what was last asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from reminders.domain.contact import Role
from reminders.services.records import alerts, doses, due, texts
from reminders.services.records.alerts import Notice
from reminders.services.records.texts import Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.domain.dose_state import DoseEvent
    from reminders.services.records.doses import StoredDose
    from reminders.services.records.due import Due
    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Line, Patient


@dataclass
class Talk:
    """A text that came in.

    at         when it was written (UTC): a reply fetched late is judged at the time it was sent.
    now        when we deal with it.
    answers    the patients for whom this phone answers: their own, or as a proxy.
    cares      the patients about whom this phone is told.
    questions  what this phone was asked and can still answer, newest last.
    """

    c: Connection
    sid: str
    at: datetime
    now: datetime
    contact_point_id: str
    answers: tuple[Due, ...]
    cares: tuple[Due, ...]
    questions: tuple[Row, ...]
    said: set[str] = field(default_factory=set)

    @property
    def everyone(self) -> tuple[Due, ...]:
        """Every patient behind the phone, each once."""
        return (*self.answers, *(one for one in self.cares if one.patient.id not in {mine.patient.id for mine in self.answers}))

    @property
    def by(self) -> str:
        """In whose role the text was written: said_by, in the evidence."""
        roles = {line.role for one in self.answers for line in one.patient.lines if line.contact_point_id == self.contact_point_id}
        return Role.PROXY.value if Role.PROXY in roles else Role.PATIENT.value

    def line(self, patient: Patient) -> Line | None:
        """The phone that wrote, as a line of this patient."""
        return next((line for line in patient.lines if line.contact_point_id == self.contact_point_id), None)

    def say(self, patient: Patient, draft: Draft) -> None:
        """Answer the phone that wrote. One text of a kind for one incoming text, whatever it made us do."""
        answer = replace(draft, cause=draft.cause or f"in:{self.sid}")
        if answer.kind not in self.said:
            self.said.add(answer.kind)
            texts.queue(self.c, patient, self.line(patient), answer, now=self.now)

    def alert(self, patients: Iterable[Due], notice: Notice) -> None:
        """Tell a person at the clinic, for each patient concerned."""
        for one in patients:
            only = one.plans[0].id if len(one.plans) == 1 else None
            alerts.raise_once(self.c, one.patient, replace(notice, plan_id=notice.plan_id or only), now=self.now)

    def learn(self, dose: StoredDose, *events: DoseEvent) -> None:
        """Keep what was said of a dose, or decided about it."""
        doses.learn(self.c, {dose.id: events}, now=self.now)

    def again(self, one: Due) -> Due:
        """The patient as they stand after what this text has changed."""
        return due.gather(self.c, [one.patient.id], now=self.now)[0]

    def questions_of(self, kinds: Sequence[str]) -> list[Row]:
        """The open questions of some kinds, newest last."""
        return [question for question in self.questions if question["kind"] in kinds]


def simply(template: str, kind: str) -> Draft:
    """A text without fields of its own."""
    return Draft(template, kind, "")
