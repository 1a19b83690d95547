"""A running plan taken apart at a day, and put together again: what is behind stays as it was, what is coming may be another.

Pure layout: it chooses no amount. Where the old slots join the new is the seam's to say (`seam.py`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from reminders.domain.plan import DAY, InvalidPlan, Phase, Plan
from reminders.domain.schedule import phase_spans

NOTHING_COMING = "nothing is coming of this plan any more"


def coming_phases(plan: Plan, today: date) -> tuple[Phase, ...]:
    """What is left of a plan on a local date: the phase that runs with the days it has left, today's among them, and those after.

    Before its first day that is all of it; after its last, nothing.
    """
    at = _running(plan, today)
    if at is None:
        return plan.phases if today < plan.start else ()
    index, behind = at
    running = plan.phases[index]
    left = running if running.days is None else replace(running, days=running.days - behind)
    return (left, *plan.phases[index + 1 :])


def with_coming(plan: Plan, coming: tuple[Phase, ...], today: date) -> Plan:
    """The plan with another future from a local date on.

    A phase that runs on as it was is one phase; one that changes ends, at the end of its rhythm, and the new one follows it.
    Raises InvalidPlan after the plan's last day.
    """
    if today < plan.start:
        return replace(plan, phases=coming)
    at = _running(plan, today)
    if at is None:
        raise InvalidPlan("phases", NOTHING_COMING)
    index, behind = at
    return replace(plan, phases=(*plan.phases[:index], *_joined(plan.phases[index], coming, behind)))


def tapered(plan: Plan, taper: Plan, today: date) -> Plan:
    """The taper after what runs of a plan on a local date, which goes on until the taper starts; phases before it are left out.

    Raises InvalidPlan for a taper that would have begun already.
    """
    if taper.start < today:
        raise InvalidPlan("start", f"starts on {today.isoformat()} at the earliest: what is behind stays as it was")
    at = _running(plan, today)
    if at is None:
        return taper
    index, behind = at
    running, wait = plan.phases[index], (taper.start - today).days
    coming = taper.phases if not wait else (replace(running, days=wait), *taper.phases)
    return replace(taper, start=today - behind * DAY, phases=_joined(running, coming, behind))


def _running(plan: Plan, today: date) -> tuple[int, int] | None:
    """The index of the phase that runs on a date, and how many of its days are behind; None before the plan and after it."""
    for index, span in enumerate(phase_spans(plan)):
        if span.starts <= today and (span.ends is None or today < span.ends):
            return index, (today - span.starts).days
    return None


def _joined(running: Phase, coming: tuple[Phase, ...], behind: int) -> tuple[Phase, ...]:
    first, *rest = coming
    if (first.doses, first.every_n_days) == (running.doses, running.every_n_days):
        return (replace(first, days=None if first.days is None else behind + first.days), *rest)
    if not behind:
        return coming
    rhythm = running.every_n_days
    return (replace(running, days=-(-behind // rhythm) * rhythm), *coming)
