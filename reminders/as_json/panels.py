"""How plans stand, and what waits for a person, as JSON for programs."""

from __future__ import annotations

from reminders.as_json.parts import plainly
from reminders.domain.adherence import percent
from reminders.domain.gate import GateResult
from reminders.domain.plan import plain
from reminders.services.queueing import Card, PlanOnCard
from reminders.services.rostering import Panel, RosterLine

AS_THEY_ARE = (
    *("id", "queue", "kind", "severity", "words", "owner", "clinical", "raised_at", "deadline_at", "overdue", "acknowledged_at"),
    *("acknowledged_by", "closed_at", "close_reason"),
)


def panel_json(panel: Panel) -> dict[str, object]:
    """A plan as a list shows it: its phase, the marks of its last two weeks, the share that was confirmed, and where that goes."""
    weeks = panel.weeks
    return {
        "plan": panel.plan_id,
        "ref": panel.ref,
        "drug": panel.drug,
        "label": panel.label,
        "state": panel.state.value,
        "reason": panel.reason,
        "phase": panel.phase_no,
        "phases": panel.phases,
        "doses": [{"at": f"{dose.at:%H:%M}", "amount": plain(dose.amount.value), "unit": dose.amount.unit.value} for dose in panel.doses],
        "days": [{"date": day.on.isoformat(), "marks": [mark.value for mark in day.marks]} for day in weeks.days],
        "confirmed_percent": percent(weeks.last.lower),
        "counted": weeks.last.counted,
        "trend": None if weeks.trend is None else weeks.trend.value,
    }


def roster_json(line: RosterLine) -> dict[str, object]:
    """A patient as the roster shows them."""
    return {
        "patient": line.patient_id,
        "name": line.name,
        "ref": line.ref,
        "zone": line.zone,
        "severity": line.severity,
        "days": line.days,
        "alerts": [{"id": alert.id, "kind": alert.kind, "severity": alert.severity, "taken_on": alert.taken_on} for alert in line.alerts],
        "plans": [panel_json(panel) for panel in line.panels],
    }


def card_json(card: Card) -> dict[str, object]:
    """An alert with what it rests on: the numbers, the plans it is about, whom to call, and what keeps it open."""
    phones = [{"name": one.name, "role": one.role.value, "phone": one.phone, "texted": one.texted} for one in card.phones]
    return {
        **{name: plainly(getattr(card, name)) for name in AS_THEY_ARE},
        "patient": card.patient_id,
        "patient_name": card.patient,
        "patient_ref": card.ref,
        "phones": phones,
        "plans": [_plan_json(one) for one in card.plans],
        "not_given_back": card.kept,
        "not_resolved": card.why_open,
        "by_provider": card.by_reason,
        "labs": list(card.labs),
    }


def _plan_json(one: PlanOnCard) -> dict[str, object]:
    return {
        **panel_json(one.panel),
        "gate": None if one.gate is None else _gate_json(one.gate),
        "may": [action.value for action in one.offered],
    }


def _gate_json(gate: GateResult) -> dict[str, object]:
    unmet = [str(reason) for reason in gate.reasons]
    return {"met": gate.met, "confirmed": gate.confirmed, "closed": gate.closed, "needed": gate.needed, "unmet": unmet}
