"""Advice about one dose: what the rules need to decide it, and the words that say it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reminders.domain.missed import Advice, AlreadyTaken, AskProvider, Situation, Skip, TakeNow, TooSoon
from reminders.messaging.texts import when
from reminders.services.records.texts import Draft

if TYPE_CHECKING:
    from reminders.services.records.people import Patient


def advice_draft(patient: Patient, situation: Situation, advice: Advice, *, cause: str) -> Draft:
    """Say advice in words. It expires with itself: what says "take it until noon" is not sent after noon."""
    slot, following = situation.slot, situation.next_slot

    def at(instant: datetime) -> str:
        return when(instant, patient.tz, patient.language)

    match advice:
        case TakeNow(until=until) if following is not None:
            fields = {"when": at(slot.due_at), "until": at(until), "next": at(following.due_at)}
            return Draft("take_now", "advice", cause, fields=fields, expires_at=until)
        case TakeNow(until=until):
            return Draft("take_now_last", "advice", cause, fields={"when": at(slot.due_at), "until": at(until)}, expires_at=until)
        case Skip(next_at=datetime() as next_at):
            return Draft("skip", "advice", cause, fields={"when": at(slot.due_at), "next": at(next_at)}, expires_at=next_at)
        case Skip():
            return Draft("skip_last", "advice", cause, fields={"when": at(slot.due_at)})
        case AlreadyTaken():
            return Draft("already_taken", "advice", cause, fields={"when": at(slot.due_at)})
        case TooSoon(until=until):
            return Draft("too_soon", "advice", cause, fields={"until": at(until)})
        case AskProvider():
            return Draft("ask_provider", "advice", cause)
