"""Single values as JSON has them: instants in UTC, exact decimals and dates as text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum

from reminders.domain.plan import plain
from reminders.errors import Fault


def instant_text(at: datetime) -> str:
    """Write an instant in UTC: 2026-03-02T13:00:00Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def fault_json(fault: Fault) -> dict[str, str]:
    """Write one thing wrong; where a limit was broken, with the number found, the limit and its source."""
    broken = {"found": fault.found, "limit": fault.limit, "source": fault.source}
    return {"path": fault.path, "message": fault.message, **(broken if fault.source else {})}


def plainly(value: object) -> object:
    """Write a value, and all that is within it, with what JSON has."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return instant_text(value)
        case date():
            return value.isoformat()
        case time():
            return f"{value:%H:%M}"
        case Decimal():
            return plain(value)
        case Mapping():
            return {str(key): plainly(inner) for key, inner in value.items()}
        case list() | tuple():
            return [plainly(inner) for inner in value]
        case _:
            return value
