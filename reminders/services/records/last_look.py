"""The last look at a text before it leaves: is it still wanted, still allowed, and still true?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from reminders.domain.announcing import situation_of
from reminders.domain.contact import Contactable
from reminders.domain.dose_state import DoseEvent, DoseState, EventKind
from reminders.domain.missed import Announce, Ask, NotBefore, SkipThis, SkipWhy, advice_for, may_announce
from reminders.domain.plan_state import PlanState
from reminders.messaging.wordings import DueDose
from reminders.services.records import advising, announcements, doses, due, outbox, texts
from reminders.services.records.doses import StoredDose
from reminders.services.records.due import Due
from reminders.services.records.texts import Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

WANTED = frozenset({DoseState.PENDING, DoseState.OPEN, DoseState.NOT_REMINDED})
ABOUT_DOSES = frozenset({"reminder", "resend", "nudge"})
QUIET_STATES = frozenset({PlanState.SUSPENDED, PlanState.MUTED, PlanState.STOPPED})


def still_right(c: Connection, claimed: Sequence[Row], *, now: datetime) -> list[Row]:
    """Of the claimed texts, those to be sent, with their bodies as they are true now; the others are ended here."""
    patient_ids = sorted({text["patient_id"] for text in claimed if text["patient_id"]})
    standing = {one.patient.id: one for one in due.gather(c, patient_ids, now=now)}
    about = doses.of_text(c, [text["id"] for text in claimed])
    their_doses = doses.read(
        c, [dose_id for ids in about.values() for dose_id in ids] + [text["dose_id"] for text in claimed if text["dose_id"]]
    )
    ready = []
    for text in claimed:
        one = standing.get(text["patient_id"])
        why = _why_not(text, one, now)
        if why is None and one is not None:
            why = _decide_again(c, text, one, [their_doses[dose_id] for dose_id in about.get(text["id"], ())], their_doses, now=now)
        if why is None:
            ready.append(text)
        else:
            outbox.end(c, [text], "expired" if why == "expired" else "cancelled", why=why, now=now)
    fresh = outbox.read(c, [text["id"] for text in ready])
    return [{**text, "body": fresh[text["id"]]["body"], "expires_at": fresh[text["id"]]["expires_at"]} for text in ready]


def _why_not(text: Row, one: Due | None, now: datetime) -> str | None:
    """Why a text may not go out at all any more."""
    if now >= text["expires_at"]:
        return "expired"
    if one is None or text["template"] in texts.ALWAYS:
        return None
    line = next((line for line in one.patient.lines if line.contact_point_id == text["contact_point_id"]), None)
    if line is None:
        return "no such line"
    return None if isinstance(line.may_text, Contactable) else line.may_text.why.value


def _decide_again(
    c: Connection, text: Row, one: Due, about: Sequence[StoredDose], known: dict[str, StoredDose], *, now: datetime
) -> str | None:
    if text["kind"] in ABOUT_DOSES:
        return _announce_again(c, text, one, about, now)
    if text["kind"] == "advice" and text["dose_id"]:
        _advise_again(c, text, one, known[text["dose_id"]], now)
    if text["kind"] == "step" and _superseded(text, one):
        return "changed"
    return None


def _superseded(text: Row, one: Due) -> bool:
    """Whether the notice of a step belongs to a version, or a way of going on, that no longer holds."""
    plan = next((plan for plan in one.plans if plan.id == text["plan_id"]), None)
    return plan is None or plan.course.current.no != text["version_no"] or plan.state is not PlanState.ACTIVE


def _announce_again(c: Connection, text: Row, one: Due, about: Sequence[StoredDose], now: datetime) -> str | None:
    """Let doses that need no text leave it; decide for each of the others whether it may still be announced so."""
    by_id = {plan.id: plan for plan in one.plans}
    unwanted = [
        dose
        for dose in about
        if dose.plan_id not in by_id or by_id[dose.plan_id].state in QUIET_STATES or dose.state not in WANTED or dose.standing.answered
    ]
    staying = [dose for dose in about if dose not in unwanted]
    if text["template"] in {"skip_instead", "skip_last"}:
        return None if about and about[0].state is DoseState.SKIPPED else "answered"
    if not staying:
        return "answered"
    return _reword(c, text, one, staying, unwanted, now=now)


def _reword(
    c: Connection, text: Row, one: Due, staying: Sequence[StoredDose], unwanted: Sequence[StoredDose], *, now: datetime
) -> str | None:
    by_id = {plan.id: plan for plan in one.plans}
    verdicts = {dose.id: may_announce(situation_of(one.standing(by_id[dose.plan_id], now), dose.slot), now) for dose in staying}
    left_out = [dose for dose in staying if isinstance(verdicts[dose.id], SkipThis)]
    for dose in left_out:
        _leave_out(c, dose, verdicts[dose.id], now)
    remaining = [dose for dose in staying if dose not in left_out]
    if not remaining:
        return "left out"
    if text["kind"] == "nudge":
        return None if all(isinstance(verdicts[dose.id], Announce) for dose in remaining) else "too soon"
    due_doses = [_with(announcements.due_of(one.plans, by_id[dose.plan_id], dose), verdicts[dose.id]) for dose in remaining]
    changed = len(remaining) < len(staying) + len(unwanted) or any(dose.special for dose in due_doses)
    if any(isinstance(verdicts[dose.id], Ask) for dose in remaining):
        draft = announcements.asking(one.patient, remaining[0].slot.due_at)
    elif changed and text["template"] != "late_reminder":
        template, fields = announcements.words(one.patient, due_doses)
        draft = Draft(template, text["kind"], text["cause"], fields=fields)
    else:
        return None
    texts.rewrite(c, text["id"], one.patient, draft)
    texts.drop_items(c, text["id"], [dose.id for dose in (*unwanted, *left_out)])
    return None


def _with(due_dose: DueDose, verdict: object) -> DueDose:
    match verdict:
        case NotBefore(until=until):
            return replace(due_dose, not_before=until)
        case Announce(guard_after=guard_after):
            return replace(due_dose, guard_after=guard_after)
        case _:
            return due_dose


def _leave_out(c: Connection, dose: StoredDose, verdict: object, now: datetime) -> None:
    if isinstance(verdict, SkipThis) and verdict.why in {SkipWhy.TOO_SOON, SkipWhy.OVER_MAXIMUM, SkipWhy.TOO_LATE}:
        doses.learn(c, {dose.id: [DoseEvent(EventKind.ADVISED_SKIP, now, why=verdict.why.value)]}, now=now)


def _advise_again(c: Connection, text: Row, one: Due, dose: StoredDose, now: datetime) -> None:
    """Advice is decided again: "take it by noon", queued at ten to, must not leave at half past."""
    plan = next((plan for plan in one.plans if plan.id == dose.plan_id), None)
    if plan is None:
        return
    situation = situation_of(one.standing(plan, now), dose.slot)
    draft = advising.advice_draft(one.patient, situation, advice_for(situation, now), cause=text["cause"])
    if draft.template != text["template"]:
        texts.rewrite(c, text["id"], one.patient, draft)
