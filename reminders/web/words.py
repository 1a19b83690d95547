"""How the templates write instants, doses and codes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from reminders.domain.plan import PlannedDose, plain
from reminders.web.dose_strip import day_words


def moment(instant: datetime, zone: str) -> str:
    """Write an instant by a zone's clocks: "Wed 25 Nov, 08:00"."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%a} {day_words(local.date())}, {local:%H:%M}"


def doses_words(doses: tuple[PlannedDose, ...]) -> str:
    """Write a day's doses: "5 mg × 3", or "5 · 5 · 10 mg" where they differ."""
    amounts = [plain(dose.amount.value) for dose in doses]
    unit = doses[0].amount.unit
    if len(set(amounts)) == 1:
        return f"{amounts[0]} {unit} × {len(amounts)}" if len(amounts) > 1 else f"{amounts[0]} {unit}"
    return f"{' · '.join(amounts)} {unit}"


def words(code: str) -> str:
    """Write a code for people: "not_reminded" is "not reminded"."""
    return code.replace("_", " ")


def opening(text: str) -> str:
    """Begin a sentence with words of ours: its first letter large, and every name in it as it is written."""
    return text[:1].upper() + text[1:]


def place(path: str) -> str:
    """Write a path inside a plan for people, who count from 1: "phases[2].doses[0].amount" is "phase 3, dose 1, amount"."""
    parts = re.sub(r"(\w+?)s\[([0-9]+)\]", lambda found: f"{found[1]} {int(found[2]) + 1}", path)
    return parts.replace(".", ", ").replace("_", " ")


def far(length: timedelta) -> str:
    """Write a length of time in its two largest units: "3 d 4 h", "2 h 15 min"; under a minute it is "less than a minute"."""
    minutes = int(length.total_seconds()) // 60
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    return " ".join([f"{count} {unit}" for count, unit in parts if count][:2]) or "less than a minute"


def reading(code: str) -> str:
    """Write what a text was taken to mean: "NotTaken" is "not taken"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", code).lower()
