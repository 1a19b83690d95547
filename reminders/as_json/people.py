"""Who works at a clinic, and what programs prove themselves with, as JSON for programs."""

from __future__ import annotations

from reminders.as_json.parts import instant_text
from reminders.services.key_holding import Key
from reminders.services.staffing import Member, StaffRole


def member_json(member: Member) -> dict[str, object]:
    """A person on a clinic's list."""
    return {
        "name": member.name,
        "roles": [role.value for role in StaffRole if role in member.roles],
        "added_at": instant_text(member.added_at),
        "ended_at": None if member.ended_at is None else instant_text(member.ended_at),
    }


def key_json(key: Key) -> dict[str, object]:
    """A key, without what opens."""
    return {
        "id": key.id,
        "name": key.name,
        "holder": key.holder,
        "roles": [role.value for role in StaffRole if role in key.roles],
        "made_by": key.made_by,
        "made_at": instant_text(key.made_at),
        "expires_at": instant_text(key.expires_at),
        "used_at": None if key.used_at is None else instant_text(key.used_at),
        "ended_at": None if key.ended_at is None else instant_text(key.ended_at),
        "ended_by": key.ended_by,
    }
