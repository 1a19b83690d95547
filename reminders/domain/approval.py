"""What an approval must hold: that it was given, before the plan starts, and with a reason for what interacts with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from reminders.domain.finding import Finding, ours
from reminders.domain.plan import Plan
from reminders.domain.profile import DrugProfile, Interaction


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


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A provider's typed reason to go on beside an interacting medicine; `of` names the medicine or its whole group.

    `labs_due`: by which day (the clinic's) a laboratory is to check what the profile names beside it.
    """

    of: str
    by: str
    reason: str
    labs_due: date | None = None

    def covers(self, group: Interaction, medicine: str) -> bool:
        """Whether it is about a medicine of a group."""
        return self.of.casefold() in {group.group.casefold(), medicine.casefold()}


def check_interactions(profile: DrugProfile, medicines: Sequence[str], acknowledged: Sequence[Acknowledgement]) -> Iterator[Finding]:
    """Yield an error for each interacting medicine that nobody has acknowledged, and for each acknowledgement of none on the list."""
    met = [(group, medicine) for medicine in medicines for group in profile.interacting(medicine) if group.blocks]
    for group, medicine in met:
        if not any(one.covers(group, medicine) for one in acknowledged):
            message = f"{group.effect.value} ({group.effect.source}): a provider acknowledges it with a typed reason before the approval"
            yield ours(
                "not_acknowledged", "acknowledged", message, found=f"{medicine} ({group.group})", limit="who acknowledges it, and why"
            )
    for index, one in enumerate(acknowledged):
        if not any(one.covers(group, medicine) for group, medicine in met):
            listed = ", ".join(f"{medicine} ({group.group})" for group, medicine in met) or "none"
            message = "no interacting medicine on the patient's list goes by this name"
            yield ours("acknowledges_nothing", f"acknowledged[{index}].of", message, found=one.of, limit=listed)


def check_labs(profile: DrugProfile, medicines: Sequence[str], acknowledged: Sequence[Acknowledgement]) -> Iterator[Finding]:
    """Yield an error for each acknowledgement that lacks the day of what a laboratory is to check, or gives one for nothing.

    What is only looked at and not stored needs no day.
    """
    met = [(group, medicine) for medicine in medicines for group in profile.interacting(medicine)]
    for index, one in enumerate(acknowledged):
        labs = [group.labs for group, medicine in met if one.covers(group, medicine) and group.labs is not None]
        path = f"acknowledged[{index}].labs_due"
        if labs and one.labs_due is None:
            message = f"{', '.join(labs[0].value)} are to be checked beside it ({labs[0].source}): the provider gives the day"
            yield ours("labs_not_dated", path, message, found="none", limit="a date")
        elif one.labs_due is not None and not labs:
            message = f"no laboratory check is known beside {one.of}"
            yield ours("labs_of_nothing", path, message, found=one.labs_due.isoformat(), limit="none")
