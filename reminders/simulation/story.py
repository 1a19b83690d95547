"""Playing a story: enrol its people, let its events happen on a virtual clock, and hand over what happened, line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from reminders.clock import HandClock
from reminders.domain.acting import StaffAct
from reminders.domain.adherence import percent
from reminders.formats.story_file import CarrierChange, DeskAct, HearingChange, Outage, Story, StoryEvent, TextIn
from reminders.messaging.sandbox import SandboxTransport
from reminders.services import importing, reporting
from reminders.services.opening import in_memory
from reminders.services.rehearsing import Line, Narrator, instant
from reminders.simulation.driver import Driver

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reminders.reports.adherence_report import PlanAdherence

NO_PERSON = frozenset({"caregiver"})
"""Whose alerts do not count as calling for a person at the clinic."""


def play(
    story: Story, *, engine: Engine | None = None, clinic_id: str | None = None, heard: Callable[[StoryEvent], None] | None = None
) -> Iterator[Line]:
    """Play a story; yield its output line by line, in time order, and a summary last.

    `heard` is told of each event before it happens. Plays in memory, or into a given empty ledger. Raises BadFile if the
    people it enrols are not in order, with paths under `import`.
    """
    engine = engine or in_memory()
    clock = HandClock(story.start)
    narrator = Narrator(engine, troubles=any(isinstance(event, HearingChange) for event in story.events))
    told: list[Line] = []

    def listen(moment: datetime) -> None:
        told.extend(narrator.since(moment))

    imported = importing.import_file(engine, story.enrolment, now=story.start, clinic_id=clinic_id, simulated=True, within="import")
    with Driver(engine, clock, SandboxTransport(clock), listen) as driver:
        listen(story.start)
        for event in story.events:
            yield from _drained(told)
            driver.run_until(event.at)
            yield from _drained(told)
            if heard:
                heard(event)
            _happen(driver, event)
        driver.run_until(story.until)
        yield from _drained(told)
    yield _summary(engine, imported.patients, story)


def _drained(told: list[Line]) -> Iterator[Line]:
    yield from told
    told.clear()


def _happen(driver: Driver, event: StoryEvent) -> None:
    match event:
        case TextIn(phone=phone, text=text):
            driver.says(phone, text)
        case CarrierChange(phone=phone, status=status, code=code):
            driver.carrier(phone, status=status, code=code)
        case StaffAct():
            driver.acts(event)
        case DeskAct():
            driver.talks(event)
        case Outage(until=until):
            driver.sleep_until(until)
        case HearingChange(webhook=webhook, lists=lists):
            driver.hears(webhook=webhook, lists=lists)
        case _ as unreachable:
            assert_never(unreachable)


def _summary(engine: Engine, patients: int, story: Story) -> Line:
    plans = reporting.adherence_of_plans(engine)
    days = max((story.until - story.start).total_seconds() / 86_400, 1 / 24)
    alerts = reporting.alerts_raised(engine, not_to=NO_PERSON)
    per_100 = round(alerts / (max(patients, 1) * days) * 100, 2)
    return {"kind": "summary", "plans": {plan.plan: _plan(plan) for plan in plans}, "alerts_per_100_patient_days": per_100}


def _plan(plan: PlanAdherence) -> Line:
    states = ("taken", "skipped", "missed", "unconfirmed", "not_reminded", "not_due")
    scores = plan.scores
    shares = {"lower": scores.lower, "upper": scores.upper, "responded": scores.responded}
    percents = {name: None if share is None else float(percent(share)) for name, share in shares.items()}
    return {"due": plan.due, **{state: plan.states.get(state, 0) for state in states}, "adherence": percents}


__all__ = ["instant", "play"]
