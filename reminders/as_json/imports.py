"""What an import stored as JSON for programs."""

from __future__ import annotations

from dataclasses import asdict

from reminders.as_json.parts import fault_json
from reminders.services.importing import Imported


def imported_json(imported: Imported) -> dict[str, object]:
    """What was stored, by count, and what a person should look at."""
    return {**asdict(imported), "warnings": [fault_json(warning) for warning in imported.warnings]}
