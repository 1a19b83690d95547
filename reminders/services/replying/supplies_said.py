"""What is said of the medicine at home: new tablets, how many are left, none. Counted where it is plain which are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reminders.domain.supply import Tally, TallyKind
from reminders.messaging.intents import Refill, TabletsLeft
from reminders.services.records import alerts, supplies
from reminders.services.records.alerts import Notice
from reminders.services.replying.talk import simply

if TYPE_CHECKING:
    from reminders.services.records.due import Due
    from reminders.services.records.plans import StoredPlan
    from reminders.services.replying.talk import Talk

BY_HAND = " Of which it is does not show: enter it."


def refill(talk: Talk, found: Refill) -> None:
    """New medicine was fetched: counted, and the alert about the empty box closed."""
    pieces = f" ({found.count} pieces)" if found.count else ""
    patient_ids = [one.patient.id for one in talk.answers]
    for alert in alerts.open_alerts(talk.c, patient_ids=patient_ids, kinds=["out_of_medicine", "low_on_medicine"]):
        alerts.close(talk.c, alert, reason=f"new supply told by text{pieces}", by=talk.role, at=talk.at)
    counted = found.count is not None and _keep(talk, TallyKind.ADDED, found.count)
    _tell(talk, "refill", f"New supply told by text{pieces}.", counted=counted)
    talk.reply(simply("refill_noted", "answer"))


def tablets_left(talk: Talk, found: TabletsLeft) -> None:
    """So many are left: from here on the count goes by that."""
    counted = _keep(talk, TallyKind.COUNTED, found.count)
    _tell(talk, "tablets_left", f"{found.count} pieces are left, told by text.", counted=counted)
    talk.reply(simply("noted", "answer"))


def none_left(talk: Talk) -> None:
    """The box is empty, whatever was counted: where somebody keeps count, it goes on from nothing."""
    for one, plan in _counted_plans(talk):
        sizes = {tally.strength for tally in supplies.tallies_of(talk.c, plan.id)}
        empty = [Tally(talk.at, TallyKind.COUNTED, size, 0) for size in sorted(sizes)]
        if empty:
            supplies.add(talk.c, plan, empty, by=talk.by(one), now=talk.now, sid=talk.sid)


def _tell(talk: Talk, kind: str, words: str, *, counted: bool) -> None:
    kept = any(supplies.tallies_of(talk.c, plan.id) for _, plan in _counted_plans(talk))
    severity = "warning" if kept and not counted else "info"
    notice = Notice(kind, severity, f"{kind} {talk.sid}", words + ("" if counted else BY_HAND), clinical=False, owner="clinic")
    talk.alert(talk.answers, notice)


def _keep(talk: Talk, kind: TallyKind, tablets: int) -> bool:
    """Keep a bare number, if it can only be of one plan and one strength; say whether it was."""
    if len(_counted_plans(talk)) != 1:
        return False
    ((one, plan),) = _counted_plans(talk)
    strength = supplies.strength_meant(talk.c, plan)
    if strength is None:
        return False
    supplies.add(talk.c, plan, [Tally(talk.at, kind, strength, tablets)], by=talk.by(one), now=talk.now, sid=talk.sid)
    return True


def _counted_plans(talk: Talk) -> list[tuple[Due, StoredPlan]]:
    return [(one, plan) for one in talk.answers for plan in one.plans if plan.profile.is_counted]
