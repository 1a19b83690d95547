"""What patients tell of how it goes, asked or not: kept as numbers, and shown to a person where the numbers call for it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from reminders.domain.check_in import SYMPTOMS, Signal, SignalKind, raised, signals
from reminders.messaging import intents as i
from reminders.services.records import check_ins, plans, stepping, texts
from reminders.services.records.alerts import Notice

if TYPE_CHECKING:
    from reminders.services.records.due import Due
    from reminders.services.replying.talk import Talk

Told = i.Symptoms | i.Stiffness | i.BloodPressure | i.Spasms | i.Ticks

WORDS: Mapping[SignalKind, str] = MappingProxyType(
    {
        SignalKind.SEVERE: "A severe symptom: {}. Call today.",
        SignalKind.PERSISTENT: "A symptom does not pass: {}.",
        SignalKind.TOO_HIGH: "The dose may be too high: {}. Look at the plan; the next step waits for it.",
        SignalKind.TOO_LOW: "The dose may be too low: {}. Look at the plan.",
        SignalKind.STIFF_ON_TAPER: "The taper may be too fast: {}. Call today.",
        SignalKind.FLUIDS: "Fluids may be lost: {}. Look at it before the next step.",
    }
)
GRAVE = frozenset({SignalKind.SEVERE, SignalKind.STIFF_ON_TAPER})
"""What does not wait: each time anew. The others are told once, until somebody has closed what was told."""
CLINICAL = GRAVE | {SignalKind.TOO_HIGH, SignalKind.FLUIDS}
"""What leaves the next gate unmet until somebody has looked."""


def told(talk: Talk, one: Due, said: Told, *, asked: bool) -> tuple[Signal, ...]:
    """Keep what was told of one patient, and tell a person what it calls for; return that.

    Asked about symptoms, a patient names those there are: the others are none.
    """
    check_ins.keep(talk.c, one.patient, _ratings(said, asked=asked), sid=talk.sid, by=talk.by(one), at=talk.at)
    found: dict[SignalKind, Signal] = {}
    for plan in one.plans:
        reports = check_ins.reports(talk.c, one.patient.id, since=plan.began)
        for signal in signals(reports, began=plan.began, tapering=stepping.falls(plan), raised=raised(plan.watches)):
            found.setdefault(signal.kind, signal)
    for signal in found.values():
        _tell(talk, one, signal)
    return tuple(found.values())


def _ratings(said: Told, *, asked: bool) -> dict[str, int]:
    match said:
        case i.Stiffness(n=rating):
            return {check_ins.STIFFNESS: rating}
        case i.BloodPressure(systolic=systolic, diastolic=diastolic):
            return dict(zip(check_ins.PRESSURE, (systolic, diastolic), strict=True))
        case i.Spasms(frequency=frequency, severity=severity):
            return {check_ins.SPASMS: frequency, **({check_ins.SEVERITY: severity} if severity else {})}
        case i.Ticks(ticks=ticks):
            return {letter: int(yes) for letter, yes in ticks}
        case i.Symptoms(grades=grades):
            return {**(dict.fromkeys(SYMPTOMS, 0) if asked or not grades else {}), **dict(grades)}


def _tell(talk: Talk, one: Due, signal: Signal) -> None:
    grave = signal.kind in GRAVE
    notice = Notice(
        signal.kind.value,
        "urgent" if grave else "warning",
        f"{signal.kind.value} {talk.sid}",
        WORDS[signal.kind].format(signal.words),
        clinical=signal.kind in CLINICAL,
    )
    if grave:
        talk.alert([one], notice)
    else:
        talk.alert_unless_open([one], notice)


def decide_if_all_known(talk: Talk, plan_id: str | None) -> None:
    """Have a plan's coming step decided, once nothing more is waited for of what was asked before it.

    The question just answered is not closed yet.
    """
    kinds = ("catch_up", *check_ins.QUESTIONS)
    if plan_id and texts.waiting_questions(talk.c, talk.contact_point_id, kinds=kinds, now=talk.at) <= 1:
        plans.decide_step_soon(talk.c, plan_id, at=talk.now)
