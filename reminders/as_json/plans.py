"""Plans as JSON for programs: the dated table with its tablets, and the two readings of an unclear formula."""

from __future__ import annotations

from collections.abc import Mapping

from reminders.domain.plan import Amount, Plan, plain
from reminders.domain.profile import DrugProfile
from reminders.domain.tablets import in_tablets
from reminders.services.building import Reading, TwoReadings
from reminders.services.laying_out import Dispensing, TableRow, table_of, tablets_to_dispense


def table_json(plan: Plan, profile: DrugProfile, strengths: tuple[Amount, ...] | None, *, until_day: int) -> dict[str, object]:
    """The dated table of a plan: its rows, and the tablets to dispense by phase and in all."""
    dispensed = tablets_to_dispense(plan, profile, strengths, until_day=until_day)
    return {
        "drug": plan.drug,
        "kind": plan.kind.value,
        "zone": plan.zone,
        "unit": plan.unit.value,
        "rows": [_row(row, plan, profile, strengths) for row in table_of(plan, until_day=until_day)],
        "dispense": None if dispensed is None else _dispense(dispensed),
    }


def _dispense(dispensed: Dispensing) -> dict[str, object]:
    return {
        "until_day": dispensed.until_day,
        "phases": [{"phase": number, "tablets": _counts(counts)} for number, counts in enumerate(dispensed.phases, 1)],
        "in_all": _counts(dispensed.in_all),
    }


def _row(row: TableRow, plan: Plan, profile: DrugProfile, strengths: tuple[Amount, ...] | None) -> dict[str, object]:
    return {
        "phase": row.phase_no,
        "from": row.first.isoformat(),
        "to": None if row.last is None else row.last.isoformat(),
        "from_day": row.from_day,
        "to_day": row.until_day,
        "days": row.days,
        "every_n_days": plan.phases[row.phase_no - 1].every_n_days,
        "doses": [
            {"at": f"{at:%H:%M}", "amount": plain(value), "tablets": _tablets(Amount(value, plan.unit), profile, strengths)}
            for at, value in row.amounts.items()
        ],
        "per_day": plain(row.per_day),
        "so_far": None if row.so_far is None else plain(row.so_far),
    }


def _tablets(amount: Amount, profile: DrugProfile, strengths: tuple[Amount, ...] | None) -> list[dict[str, str]] | None:
    made = in_tablets(amount, profile, strengths)
    return None if made is None else [{"count": plain(tablets.count), "strength": plain(tablets.strength.value)} for tablets in made]


def _counts(counts: Mapping[Amount, int]) -> list[dict[str, object]]:
    return [{"strength": plain(strength.value), "count": count} for strength, count in counts.items()]


def readings_json(readings: TwoReadings) -> list[dict[str, object]]:
    """The two readings of an unclear formula, run by run; null where a reading has ended or makes no plan."""
    left, right = (name.replace(" ", "_") for name in readings.names)
    return [{"days": list(run.days), left: _reading(run.left), right: _reading(run.right)} for run in readings.runs]


def _reading(reading: Reading | None) -> dict[str, object] | None:
    if reading is None:
        return None
    amounts = [plain(amount) for amount in reading.amounts]
    return {"amounts": amounts, "per_day": plain(reading.per_day), "so_far": plain(reading.so_far)}
