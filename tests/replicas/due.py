"""Patients with a dose due now, and what came of it: in the ledger, and at the stand-in for Twilio."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from sqlalchemy import Engine

from db.engine import reading
from reminders.clock import SystemClock
from reminders.services.records import troubles
from tests.fake_twilio.server import FakeTwilio
from tests.scheduling.enrolled import count, due_at, enrol

MINUTE = timedelta(minutes=1)
AREAS = range(201, 1000)
"""Every area code that is not 200: each has a hundred numbers that belong to nobody."""


def phones(number: int) -> list[str]:
    """Return so many phones that belong to nobody, each once."""
    return [f"+1{AREAS[no // 100]}55501{no % 100:02}" for no in range(number)]


def fall_due(engine: Engine, patients: int) -> list[str]:
    """Enrol patients, each with a dose due this minute, about noon where they live; return their phones."""
    now = SystemClock().now()
    minute, zone, theirs = now.replace(second=0, microsecond=0), f"Etc/GMT{now.hour - 12:+}", phones(patients)
    enrol(engine, due_at(minute, zone=zone), now=minute - MINUTE, patients=patients, zone=zone, phones=theirs)
    return theirs


def told(twilio: FakeTwilio) -> Counter[str]:
    """How many texts each phone was sent."""
    return Counter(message.to for message in twilio.messages)


def rows(engine: Engine) -> dict[str, int]:
    """How many doses, texts and announcements were recorded, and how many of the texts were accepted."""
    return {name: count(engine, name) for name in ("dose", "text_out", "text_item")} | {"accepted": accepted(engine)}


def once_each(patients: int) -> dict[str, int]:
    """The rows that there are when each dose was recorded once, and each patient texted once."""
    return dict.fromkeys(("dose", "text_out", "text_item", "accepted"), patients)


def accepted(engine: Engine) -> int:
    """How many texts are known to have been accepted."""
    return count(engine, "text_out", state="accepted")


def standing(engine: Engine) -> list[str]:
    """The names of the troubles that are not over."""
    with reading(engine) as c:
        return [str(row["name"]) for row in troubles.standing(c)]
