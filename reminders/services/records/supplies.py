"""Supplies: what somebody said of a plan's tablets, how long they last, and who must know when they do not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from reminders.domain.dose_state import DoseState
from reminders.domain.intake import TOLD_NOT_TAKEN
from reminders.domain.plan import DAY, Amount, Stay, Unit
from reminders.domain.plan_state import PlanState
from reminders.domain.schedule import instant_of
from reminders.domain.supply import (
    STAY_LOOKED_AT,
    Outlook,
    StaySupply,
    Tally,
    TallyKind,
    Use,
    Want,
    enough_for_phase,
    in_words,
    on_hand,
    outlook,
    stay_supply,
    wants,
)
from reminders.messaging.texts import date_words
from reminders.services.records import alerts, people, plans, texts
from reminders.services.records.alerts import Notice
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.ledger import DOSE, PLAN, SUPPLY, insert_all, new_id, rows
from reminders.services.records.texts import Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan

LOOK_AT = time(10)
"""Once a day, patient time, it is reckoned how long the tablets last [our default]."""
OF_USE = timedelta(days=1)
"""How long a reminder to fetch more is worth sending [our default]."""
BEFORE = timedelta(days=3)
"""A dose due so long before a count can still have been taken after it: longer than any take window [our default]."""
ALERTS: Mapping[Want, str] = MappingProxyType({Want.SHORT_OF_TAPER: "supply_short", Want.NEARLY_OUT: "supply_low"})
REFILL = "refill"


def add(c: Connection, plan: StoredPlan, tallies: Collection[Tally], *, by: str, now: datetime, sid: str | None = None) -> None:
    """Keep what somebody said of a plan's tablets, and have it reckoned at once how long they last. `sid`: the text that told it."""
    same = {"clinic_id": plan.clinic_id, "plan_id": plan.id, "sid": sid, "by": by[:80]}
    insert_all(c, SUPPLY, [{**same, **_columns(tally), "id": new_id()} for tally in tallies])
    for kind in sorted({tally.kind.value for tally in tallies}):
        write_audit(c, plan.clinic_id, Entry(now, by, f"supply {kind}", plan.id))
    texts.cancel_queued(c, plan_id=plan.id, kinds=(REFILL,))
    plans.save(c, plan, supply_check_at=now)
    plans.touched(c, [plan.id], at=now)  # too few tablets overturn a step already announced


def _columns(tally: Tally) -> dict[str, object]:
    strength = {"strength": tally.strength.value, "unit": tally.strength.unit.value}
    return {"at": tally.at, "kind": tally.kind.value, **strength, "tablets": tally.tablets}


def tallies_of(c: Connection, plan_id: str) -> tuple[Tally, ...]:
    """All that was said of a plan's tablets, oldest first; empty: nobody keeps count."""
    found = rows(c, select(SUPPLY).where(SUPPLY.c.plan_id == plan_id).order_by(SUPPLY.c.at, SUPPLY.c.id))
    return tuple(Tally(row["at"], TallyKind(row["kind"]), Amount(row["strength"], Unit(row["unit"])), row["tablets"]) for row in found)


def left_of(c: Connection, plan: StoredPlan) -> dict[Amount, int] | None:
    """How many tablets of a plan are on hand, by strength; None: nobody keeps count."""
    tallies = tallies_of(c, plan.id)
    if not tallies:
        return None
    return on_hand(tallies, _uses(c, plan.id, since=tallies[0].at - BEFORE), plan.profile, plan.plan.strengths)


def _uses(c: Connection, plan_id: str, *, since: datetime) -> list[Use]:
    """The doses that were, or may have been, taken at home: all but those told as not taken, not due, or given elsewhere."""
    columns = DOSE.c.due_at, DOSE.c.taken_at, DOSE.c.taken_by, DOSE.c.state, DOSE.c.muted, DOSE.c.amount, DOSE.c.unit
    found = rows(c, select(*columns).where(DOSE.c.plan_id == plan_id, DOSE.c.due_at >= since).order_by(DOSE.c.due_at))
    not_taken = {state.value for state in TOLD_NOT_TAKEN}
    return [
        Use(row["taken_at"] or row["taken_by"] or row["due_at"], Amount(row["amount"], Unit(row["unit"])))
        for row in found
        if row["taken_at"] or row["taken_by"] or row["state"] == DoseState.TAKEN.value or not (row["muted"] or row["state"] in not_taken)
    ]


def strength_meant(c: Connection, plan: StoredPlan) -> Amount | None:
    """The strength that a bare number of tablets is of; None where the patient may have several."""
    known = {tally.strength for tally in tallies_of(c, plan.id)} or set(plan.plan.strengths) or set(plan.profile.tablets)
    return known.pop() if len(known) == 1 and plan.profile.is_counted else None


def outlook_of(c: Connection, plan: StoredPlan, *, now: datetime) -> Outlook | None:
    """How long a plan's tablets last; None: nobody keeps count."""
    left = left_of(c, plan)
    return None if left is None else outlook(plan.course, plan.profile, left, since=_undecided(plan), now=now)


def enough_for(c: Connection, plan: StoredPlan, phase_no: int) -> bool | None:
    """Whether the tablets last through a phase to come; None: nobody keeps count."""
    left = left_of(c, plan)
    return None if left is None else enough_for_phase(plan.course, plan.profile, left, phase_no, since=_undecided(plan))


def for_stay(c: Connection, plan: StoredPlan, *, phase_no: int, since: date) -> StaySupply | None:
    """What a stay of some days takes, and what is missing for it; None: nobody keeps count, or the phase has no end to put off."""
    left = left_of(c, plan)
    if left is None or plan.course.current.plan.phases[phase_no - 1].days is None:
        return None
    ends = instant_of(since + timedelta(days=STAY_LOOKED_AT), time.min, plan.plan.tz)
    stay = Stay(phase_no, since, extra_days=STAY_LOOKED_AT)
    return stay_supply(plan.course, plan.profile, stay, now=_undecided(plan), left=left, refill_at=ends)


def _undecided(plan: StoredPlan) -> datetime:
    """From when on no slot has become a dose yet: those before are among the uses."""
    return plan.decided_until + timedelta.resolution


def look_soon(c: Connection, plan_id: str, *, at: datetime) -> None:
    """Have a plan's tablets reckoned again, where somebody keeps count: it goes on otherwise than it did."""
    c.execute(update(PLAN).where(PLAN.c.id == plan_id, PLAN.c.supply_check_at.is_not(None)).values(supply_check_at=at))


OVER = frozenset({PlanState.STOPPED, PlanState.COMPLETED})
AT_HOME = frozenset({PlanState.ACTIVE, PlanState.STAYING})
"""The states in which tablets are taken from the patient's own box."""


def look(c: Connection, plan_id: str, patient_id: str, *, now: datetime) -> None:
    """Reckon how long a plan's tablets last, under the patient's lock; remind, alert, and take back what is over."""
    people.lock(c, [patient_id])
    plan = plans.read(c, [plan_id])[plan_id]
    if plan.supply_check_at is None or plan.supply_check_at > now:
        return
    tomorrow = now.astimezone(plan.plan.tz).date() + DAY
    plans.save(c, plan, supply_check_at=None if plan.state in OVER else instant_of(tomorrow, LOOK_AT, plan.plan.tz))
    seen = outlook_of(c, plan, now=now) if plan.state in AT_HOME else None
    if seen is None:
        return
    patient, wanted = people.patients(c, [patient_id])[patient_id], wants(seen, now=now)
    if Want.ASK_FOR_MORE in wanted:
        _remind(c, patient, plan, seen, now=now)
    for want, kind in ALERTS.items():
        if want in wanted:
            _alert(c, patient, plan, want, seen, now=now)
        else:
            _close(c, plan, kind, now=now)


def _remind(c: Connection, patient: Patient, plan: StoredPlan, seen: Outlook, *, now: datetime) -> None:
    """Remind the patient to fetch more: once for what was last counted or fetched. Who is out of it has been told to call today."""
    if seen.runs_out is None or alerts.open_alerts(c, patient_ids=[patient.id], kinds=["out_of_medicine"]):
        return
    at = patient.by_day(now)
    told = tallies_of(c, plan.id)[-1]
    draft = Draft(
        "refill_due_label" if plan.label else "refill_due",
        REFILL,
        f"refill:{plan.id}:{told.at:%Y%m%dT%H%M%S}",
        fields={"date": date_words(seen.runs_out.local_date, patient.language), **({"label": plan.label} if plan.label else {})},
        plan_id=plan.id,
        send_at=at,
        expires_at=at + OF_USE,
    )
    texts.queue(c, patient, patient.line, draft, now=now)


def _alert(c: Connection, patient: Patient, plan: StoredPlan, want: Want, seen: Outlook, *, now: datetime) -> None:
    """Tell a person, unless it is told already: then in the words of today."""
    kind, words = ALERTS[want], _words(plan, want, seen)
    standing = alerts.open_alerts(c, plan_id=plan.id, kinds=[kind])
    for alert in standing:
        if alert["words"] != words:
            alerts.reword(c, alert, words=words)
    if not standing:
        urgent = want is Want.SHORT_OF_TAPER or plan.profile.withdrawal_risk.value
        cause = f"{plan.id} {now:%Y-%m-%dT%H:%M}"
        notice = Notice(kind, "urgent" if urgent else "warning", cause, words, plan_id=plan.id, clinical=False)
        alerts.raise_once(c, patient, notice, now=now)


def _words(plan: StoredPlan, want: Want, seen: Outlook) -> str:
    runs_out = seen.runs_out.local_date.isoformat() if seen.runs_out else "-"
    danger = " Running out means stopping suddenly." if plan.profile.withdrawal_risk.value else ""
    if want is Want.SHORT_OF_TAPER:
        missing = f" Missing: {in_words(seen.missing)}." if seen.missing else ""
        return f"The tablets run out on {runs_out}, before the taper ends on {seen.ends}.{missing}{danger}"
    return f"The tablets last until about {runs_out}. On hand: {in_words(seen.left)}. Arrange a supply.{danger}"


def _close(c: Connection, plan: StoredPlan, kind: str, *, now: datetime) -> None:
    for alert in alerts.open_alerts(c, plan_id=plan.id, kinds=[kind]):
        alerts.close(c, alert, reason="enough tablets again", by="doseline", at=now)
