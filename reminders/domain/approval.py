"""When a plan was approved, held against now and against when it starts: nobody takes what no one has approved yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from reminders.domain.finding import Finding, ours
from reminders.domain.plan import Plan


def check_approval(plan: Plan, approved_at: datetime | None) -> Iterator[Finding]:
    """Yield an error where a plan starts before the day, by its own clocks, on which it was approved (UTC). None: not said."""
    if approved_at is None:
        return
    approved_on = approved_at.astimezone(plan.tz).date()
    if plan.start < approved_on:
        message = "a plan starts on the day of its approval at the earliest"
        yield ours("start_before_approval", "start", message, found=plan.start.isoformat(), limit=approved_on.isoformat())


def check_approved_yet(approved_at: datetime | None, now: datetime) -> Iterator[Finding]:
    """Yield an error where an approval (UTC) is still to come. None: it is approved now."""
    if approved_at is not None and approved_at > now:
        message = "nobody has approved it yet"
        yield ours("not_yet_approved", "approved_at", message, found=approved_at.isoformat(), limit=now.isoformat())
