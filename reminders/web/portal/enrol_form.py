"""What the forms about patients and the people around them share: how a consent is typed, and what may be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from reminders.services.enrolling import Agreed

LONGEST_FIELD = 4_000
"""Characters of a field that are looked at: a list of medicines is the longest."""

CONSENT = ("consent_by", "consent_how", "consent_at", "consent_wording")

ZONES = tuple(sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")))

WORDINGS = (
    ("discreet", "Discreet", "Only that a dose is due. Whoever sees the phone learns nothing else.", "your Mon 8:00 am dose is due."),
    ("amount", "Amount", "How many tablets of which strength, and not of what.", "Mon 8:00 am dose: 1 tablet of 10 mg."),
    ("full", "In full", "The drug as well. Whoever sees the phone can read it.", "Mon 8:00 am baclofen 10 mg: 1 tablet of 10 mg."),
)
"""What a reminder may say: its code, its name, what it means, and how it reads."""


def field_of(form: Mapping[str, str], name: str) -> str:
    """What was typed in a field."""
    return form.get(name, "")[:LONGEST_FIELD]


def agreed_of(form: Mapping[str, str]) -> Agreed:
    """The consent that was typed."""
    by, how, at, wording = (field_of(form, f"consent_{name}") for name in ("by", "how", "at", "wording"))
    return Agreed(by=by, how=how, at=at, wording=wording)


def consent_typed(form: Mapping[str, str]) -> dict[str, str]:
    """The fields of a consent, as they were typed: one that nobody chose is no field of the form at all."""
    return {name: field_of(form, name) for name in CONSENT}


def consent_of_now(tz: ZoneInfo, now: datetime) -> dict[str, str]:
    """The fields of a consent before anything is typed: it is given now, by the clinic's clocks."""
    return dict.fromkeys(CONSENT, "") | {"consent_at": f"{now.astimezone(tz):%Y-%m-%dT%H:%M}"}
