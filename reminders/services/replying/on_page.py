"""What a caregiver or proxy says of a dose on their page: a reply like any other, whose answer is shown and not texted.

The same rules read it as read a text: who may say it, what it makes of the dose, and what may be taken now.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import TYPE_CHECKING

from db.engine import writing
from reminders.domain.caring import still_told
from reminders.domain.dose_state import DoseState
from reminders.errors import NotAllowed, NotFound
from reminders.messaging.intents import Taken
from reminders.messaging.texts import render
from reminders.services.records import care, doses, due, people, quarantines, texts
from reminders.services.records.ledger import new_id
from reminders.services.records.texts import Draft
from reminders.services.replying import doses_said
from reminders.services.replying.talk import Talk
from reminders.services.replying.which_dose import Candidate, early, of_ids

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.services.records.care import Holder
    from reminders.services.records.people import Patient

WHEN_DUE, JUST_NOW = "when due", "just now"
"""When a dose was given, where no time is told."""


class NoSuchTime(NotAllowed):
    """A dose cannot have been given then."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of it: which dose, where it stands, when it was due, in words; and what the rules answer, in a text's words."""

    dose_id: str
    state: DoseState
    when: str
    words: tuple[str, ...]


@dataclass
class PageTalk(Talk):
    """A talk on a page, about one dose."""

    about: str = ""
    shown: list[str] = field(default_factory=list)

    def say(self, patient: Patient, draft: Draft) -> None:
        """Show an answer to the reader; what is now true of another dose is texted to the phone that was reminded of that one.

        A page asks nothing back: where a text would ask, it says to call.
        """
        if draft.asks is not None:
            draft = Draft("ask_provider", "advice", "", fields={"which": draft.fields.get("which", "")})
        self.shown.append(render(draft.template, patient.language, **texts.filled(patient, draft)))
        if draft.dose_id not in {None, self.about}:
            cause = f"in:{self.sid}:{draft.dose_id}"
            texts.queue(self.c, patient, patient.line, replace(draft, cause=cause), now=self.now)


def gave(engine: Engine, holder: Holder, dose_id: str, *, at: time | str = JUST_NOW, now: datetime) -> Answer:
    """Keep that a dose was given: just now, when it was due, or at a local time of the patient's. One that is down as taken stays so.

    Raises NotAllowed to who may not answer and for a dose that was due longer ago than a day, NoSuchTime for a time that cannot have
    been, NotFound for a dose that is not this patient's.
    """
    with writing(engine) as c:
        talk = _talk(c, holder, about=dose_id, now=now)
        meant = _meant(talk, dose_id)
        if meant.dose.state is DoseState.TAKEN:
            doses_said.advise(talk, meant)  # told before: it is not to be given again
        else:
            _given(talk, meant, at)
        return _answer(talk, meant)


def gave_early(engine: Engine, holder: Holder, slot: str, *, now: datetime) -> Answer:
    """Keep that the one dose within the hour to come was given already: no reminder is sent then. Raises as `gave` does.

    `slot` names the one that the page showed (`doses.name_of`): a page that stood open tells of no later one.
    """
    with writing(engine) as c:
        talk = _talk(c, holder, about="", now=now)
        meant = early(talk, Taken(now=True))
        if meant is None or doses.name_of(meant.plan, meant.dose.slot) != slot:
            raise NotAllowed("no single dose is near, or another than was shown")
        talk.about = meant.dose.id
        doses_said.keep_time(talk, meant, now)
        return _answer(talk, meant)


def what_now(engine: Engine, holder: Holder, dose_id: str, *, now: datetime) -> Answer:
    """Ask the missed-dose rule about a dose that was not given yet; what it says is kept as said. Raises as `gave` does."""
    with writing(engine) as c:
        talk = _talk(c, holder, about=dose_id, now=now)
        meant = _meant(talk, dose_id)
        doses_said.late_question(talk, meant)
        return _answer(talk, meant)


def _talk(c: Connection, holder: Holder, *, about: str, now: datetime) -> PageTalk:
    """Begin a talk with who holds a link that is still good, and may answer."""
    quarantines.refuse_while_held(c)
    people.lock(c, [holder.patient.id])
    fresh = care.holder(c, holder.token_hash, now=holder.seen_at)
    if fresh is None or not fresh.grant.answers:
        raise NotAllowed
    one = due.gather(c, [fresh.patient.id], now=now)[0]
    point = fresh.line.contact_point_id
    return PageTalk(c, f"page-{new_id()}", now, now, point, answers=(one,), cares=(), questions=(), about=about)


def _meant(talk: PageTalk, dose_id: str) -> Candidate:
    found = of_ids(talk, [dose_id])
    if not found:
        raise NotFound("there is no such dose")
    meant = found[0]
    if not still_told(meant.dose.slot.due_at, talk.now):
        raise NotAllowed("it was due longer ago than a day")
    return meant


def _given(talk: PageTalk, meant: Candidate, at: time | str) -> None:
    if meant.dose.state is DoseState.NOT_DUE:
        doses_said.taken(talk, meant, Taken(now=True))  # the plan has no dose there: asked about, and shown to a person
        return
    if at == WHEN_DUE:
        times = [meant.dose.slot.due_at]
    else:
        times = doses_said.told_times(talk, meant, Taken(now=True) if at == JUST_NOW else Taken(at=_clock(at)))
    if len(times) != 1 or times[0] > talk.now:
        raise NoSuchTime
    doses_said.keep_time(talk, meant, times[0])


def _clock(at: time | str) -> time:
    if not isinstance(at, time):
        raise NoSuchTime
    return at


def _answer(talk: PageTalk, meant: Candidate) -> Answer:
    talk.tell_hours()
    (after,) = of_ids(talk, [meant.dose.id])
    return Answer(after.dose.id, after.dose.state, after.when, tuple(talk.shown))
