"""A plan's tablets as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping

from reminders.as_json.parts import instant_text
from reminders.domain.plan import Amount, plain
from reminders.services.supplying import Supply


def supply_json(supply: Supply) -> dict[str, object]:
    """What is known of a plan's tablets, how long they last, and what each phase to come takes."""
    seen = supply.outlook
    return {
        "plan": supply.plan,
        "drug": supply.drug,
        "told_at": None if supply.told_at is None else instant_text(supply.told_at),
        "left": None if seen is None else _counts(seen.left),
        "runs_out": None if seen is None or seen.runs_out is None else seen.runs_out.local_date.isoformat(),
        "taper_ends": None if seen is None or seen.ends is None else seen.ends.isoformat(),
        "missing": None if seen is None else _counts(seen.missing),
        "needs": [
            {"phase": need.phase_no, "from": need.first.isoformat(), "to": need.last.isoformat(), "tablets": _counts(need.tablets)}
            for need in supply.needs
        ],
    }


def _counts(counts: Mapping[Amount, int]) -> list[dict[str, object]]:
    return [{"strength": plain(strength.value), "unit": strength.unit.value, "tablets": count} for strength, count in counts.items()]
