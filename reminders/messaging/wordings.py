"""Which text says it: from what is true of a dose to the name of a text and its fields. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from reminders.messaging.texts import new_word, when

TWO = 2


@dataclass(frozen=True, slots=True)
class DueDose:
    """A dose to be announced, in words.

    amount     in tablets, "1 tablet of 10 mg"; `mg` and `drug` are named only in the wording `full`.
    label      the patient's own name for the plan, a letter first; None while they have one plan only.
    last_at    the last moment at which it may be taken.
    uneven     other doses of its day are of another amount: the text must say which this is.
    """

    due_at: datetime
    amount: str
    _: KW_ONLY
    drug: str = ""
    mg: str = ""
    label: str | None = None
    last_at: datetime | None = None
    not_before: datetime | None = None
    guard_after: datetime | None = None
    late: bool = False
    new_amount: bool = False
    label_differs: bool = False
    uneven: bool = False

    @property
    def letter(self) -> str:
        """What the patient answers to mean this dose only."""
        return (self.label or "A")[0].upper()

    @property
    def special(self) -> bool:
        """Whether it must travel alone, because its text says more than that it is due."""
        return bool(self.not_before or self.guard_after or self.late)


Words = tuple[str, Mapping[str, str]]


def reminder_words(doses: Sequence[DueDose], *, wording: str, tz: ZoneInfo, language: str, shared: bool) -> Words:
    """Choose the reminder for one dose, or for several that are due together, in order of due instant."""
    if len(doses) == 1:
        return _one(doses[0], wording=wording, tz=tz, language=language, shared=shared)
    latest = when(max(dose.due_at for dose in doses), tz, language)
    if len(doses) == TWO:
        first, second = doses
        fields = {"when": latest, "letter": first.letter, "amount": first.amount, "letter2": second.letter, "amount2": second.amount}
        new, new2 = (new_word(language) if dose.new_amount else "" for dose in doses)
        return ("reminder_two_new", {**fields, "new": new, "new2": new2}) if new or new2 else ("reminder_two", fields)
    return "reminder_many", {"when": latest, "n": str(len(doses)), "letters": ", ".join(dose.letter for dose in doses)}


def _one(dose: DueDose, *, wording: str, tz: ZoneInfo, language: str, shared: bool) -> Words:
    at = when(dose.due_at, tz, language)
    # Without a drug name, "1 tablet of 10 mg" could be either medicine: from the second plan on its letter goes with it.
    amount = (
        f"{dose.letter}: {dose.amount}" if dose.label and (dose.special or dose.new_amount or dose.label_differs or shared) else dose.amount
    )
    fields = {"when": at, "amount": amount}
    discreet = wording == "discreet" and not dose.uneven
    if dose.not_before:
        return "reminder_not_before", {**fields, "until": when(dose.not_before, tz, language)}
    if dose.guard_after:
        return "reminder_guard", {**fields, "after": when(dose.guard_after, tz, language)}
    if dose.late and dose.last_at:
        return "late_reminder", {**fields, "until": when(dose.last_at, tz, language)}
    if dose.new_amount:
        return "reminder_new_amount", fields
    if dose.label_differs:
        return "reminder_stay_label", fields
    if shared:
        return "reminder_shared", fields
    if dose.label:
        return (
            ("reminder_discreet_label", {"when": at, "letter": dose.letter})
            if discreet
            else ("reminder_label", {**fields, "label": dose.label})
        )
    if wording == "full":
        return "reminder_full", {**fields, "drug": dose.drug, "mg": dose.mg}
    return ("reminder_discreet", {"when": at}) if discreet else ("reminder_amount", fields)
