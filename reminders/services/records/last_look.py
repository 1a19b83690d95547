"""The last look at a text before it leaves: is it still wanted, still allowed, and still true?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from reminders.domain.announcing import situation_of
from reminders.domain.contact import Contactable, WhyNot
from reminders.domain.dose_state import DoseEvent, DoseState, EventKind
from reminders.domain.missed import Announce, Announcement, Ask, NotBefore, Situation, SkipThis, SkipWhy, may_announce
from reminders.domain.missed import Skip as LeaveOut
from reminders.domain.plan_state import PlanState
from reminders.domain.restraint import SentBefore, is_too_much
from reminders.messaging.wordings import DueDose
from reminders.services.records import advising, alerts, announcements, care, doses, due, naming, on_call, outbox, people, plans, texts
from reminders.services.records.alerts import Notice
from reminders.services.records.doses import StoredDose
from reminders.services.records.due import Due
from reminders.services.records.texts import ANSWER_LIFE, Asked, Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row
    from reminders.services.records.plans import StoredPlan

WANTED = frozenset({DoseState.PENDING, DoseState.OPEN, DoseState.NOT_REMINDED})
ABOUT_DOSES = frozenset({"reminder", "resend", "nudge"})
QUIET_STATES = frozenset({PlanState.SUSPENDED, PlanState.MUTED, PlanState.STOPPED})
TOO_MUCH = "too many texts"
INSTEAD = frozenset({"skip_instead", "skip_last"})
SILENTLY = frozenset({SkipWhy.TAKEN_EARLY, SkipWhy.ANSWERED, SkipWhy.TOO_LATE})
"""Why a dose is not announced and nothing is said: it is settled, or its time is over."""


def still_right(c: Connection, claimed: Sequence[Row], *, now: datetime) -> list[Row]:
    """Of the claimed texts, those to be sent, with their bodies as they are true now; the others are ended here."""
    patient_ids = sorted({text["patient_id"] for text in claimed if text["patient_id"]})
    people.lock(c, patient_ids)
    claimed = _still_ours(c, claimed)
    standing = {one.patient.id: one for one in due.gather(c, patient_ids, now=now)}
    about = doses.of_text(c, [text["id"] for text in claimed])
    advised = [text["dose_id"] for text in claimed if text["dose_id"]]
    known = doses.read(c, [dose_id for ids in about.values() for dose_id in ids] + advised)
    ready = []
    for text in claimed:
        one = standing.get(text["patient_id"])
        why = _why_not(text, one, now)
        if why is None and text["kind"] == on_call.KIND:
            why = on_call.why_not(c, text, now=now)
        elif why is None and one is not None:
            why = _decide_again(c, text, one, [known[dose_id] for dose_id in about.get(text["id"], ())], known, now=now)
        if why is None:
            ready.append(text)
        else:
            outbox.end(c, [text], "expired" if why == "expired" else "cancelled", why=why, now=now)
            if why == TOO_MUCH and one is not None:
                alerts.raise_once(c, one.patient, _held_back(text, now), now=now)
    texts.asked_now(c, ready, now=now)
    fresh = outbox.read(c, [text["id"] for text in ready])
    sent = [{**text, "body": fresh[text["id"]]["body"], "expires_at": fresh[text["id"]]["expires_at"]} for text in ready]
    return [
        {**text, "body": care.with_secret(c, standing[text["patient_id"]].patient, text, now=now)} if text["kind"] == care.KIND else text
        for text in sent
    ]


def _held_back(text: Row, now: datetime) -> Notice:
    words = "So many texts went to one phone that the next was held back. Another machine may be answering ours, or something is wrong."
    return Notice("texts_held", "warning", f"{text['contact_point_id']} {now:%Y-%m-%d}", words, clinical=False, owner="operator")


def end_overdue(c: Connection, overdue: Sequence[Row], *, now: datetime) -> None:
    """End texts whose time has passed: they are never sent. Advice that has gone stale is decided again instead."""
    patient_ids = sorted({text["patient_id"] for text in overdue if text["patient_id"]})
    people.lock(c, patient_ids)
    advice = [text for text in overdue if text["dose_id"] and text["patient_id"] and now < text["created_at"] + ANSWER_LIFE]
    standing = {one.patient.id: one for one in due.gather(c, sorted({text["patient_id"] for text in advice}), now=now)}
    known = doses.read(c, [text["dose_id"] for text in advice])
    for text in advice:
        _advise_again(c, text, standing[text["patient_id"]], known[text["dose_id"]], now)
    fresh = outbox.read(c, [text["id"] for text in overdue])
    over = [text for text in fresh.values() if text["state"] == "queued" and text["expires_at"] <= now]
    outbox.end(c, over, "expired", why="expired", now=now)


def _still_ours(c: Connection, claimed: Sequence[Row]) -> list[Row]:
    """The texts whose attempt is still the one that was claimed: who was asleep for too long has lost them."""
    fresh = outbox.read(c, [text["id"] for text in claimed])
    held = {text_id: (row["state"], row["attempt"]) for text_id, row in fresh.items()}
    return [text for text in claimed if held.get(text["id"]) == ("sending", text["attempt"])]


def _why_not(text: Row, one: Due | None, now: datetime) -> str | None:
    """Why a text may not go out at all any more."""
    if now >= text["expires_at"] and text["kind"] != "advice":
        return "expired"
    if is_too_much(SentBefore(text["sent_in_hour"], text["sent_in_day"], text["same_words"]), urgent=text["urgent"]):
        return TOO_MUCH
    if one is None or text["template"] in texts.LAST_WORDS:
        return None
    line = next((line for line in one.patient.lines if line.contact_point_id == text["contact_point_id"]), None)
    if line is None:
        return "no such line"
    if isinstance(line.may_text, Contactable):
        return None
    why = line.may_text.why
    return None if text["template"] in texts.ALWAYS and why is not WhyNot.OPTED_OUT else why.value


def _decide_again(
    c: Connection, text: Row, one: Due, about: Sequence[StoredDose], known: Mapping[str, StoredDose], *, now: datetime
) -> str | None:
    if text["kind"] in ABOUT_DOSES:
        return _announce_again(c, text, one, about, now)
    if text["kind"] == "advice" and text["dose_id"]:
        _advise_again(c, text, one, known[text["dose_id"]], now)
    if text["kind"] == "step" and _superseded(text, one):
        return "changed"
    if text["kind"] == care.KIND and care.reader_at(one.patient, text["contact_point_id"]) is None:
        return "no such line"
    if text["kind"] == "check_in" and _is_quiet(one.plan(text["plan_id"])):
        return "changed"
    return None


def _is_quiet(plan: StoredPlan | None) -> bool:
    return plan is None or plan.state in QUIET_STATES


def _superseded(text: Row, one: Due) -> bool:
    """Whether the notice of a step belongs to a version, or a way of going on, that no longer holds."""
    plan = one.plan(text["plan_id"])
    return plan is None or plan.course.current.no != text["version_no"] or plan.state is not PlanState.ACTIVE


def _announce_again(c: Connection, text: Row, one: Due, about: Sequence[StoredDose], now: datetime) -> str | None:
    """Let doses that need no text leave it; decide for each of the others whether it may still be announced so."""
    why = {dose.id: _unwanted(text, one, dose) for dose in about}
    wanted = [dose for dose in about if why[dose.id] is None]
    if not wanted:
        return next((each for each in why.values() if each), "answered")
    if text["template"] in INSTEAD:
        return None
    verdicts = {dose.id: may_announce(_situation(one, dose, now), now) for dose in wanted}
    if text["kind"] == "nudge":
        return None if all(isinstance(verdict, Announce) for verdict in verdicts.values()) else "too soon"
    speaks_of = [dose for dose in wanted if not _is_settled(verdicts[dose.id])]
    if not speaks_of:
        return "expired"
    alike = [dose for dose in speaks_of if _is_plain(verdicts[dose.id])] or speaks_of[:1]
    _narrow(c, text, one, about, alike)
    for dose in speaks_of:
        if dose not in alike:
            _send_apart(c, text, one, dose, verdicts[dose.id], now=now)
    _reword(c, text, one, alike, verdicts, now=now)
    return None


def _unwanted(text: Row, one: Due, dose: StoredDose) -> str | None:
    """Why nothing need be said of a dose any more; None: it is still to be announced."""
    plan = one.plan(dose.plan_id)
    if plan is not None and plan.state in QUIET_STATES:
        return plan.state.value
    if text["template"] in INSTEAD:
        return None if dose.state is DoseState.SKIPPED else "answered"
    if plan is None:
        return "stopped"
    return None if dose.state in WANTED and not dose.standing.answered else "answered"


def _is_settled(verdict: Announcement) -> bool:
    return isinstance(verdict, SkipThis) and verdict.why in SILENTLY


def _is_plain(verdict: Announcement) -> bool:
    """Whether a reminder of it may travel with others: it says only that the dose is due."""
    return isinstance(verdict, Announce) and verdict.guard_after is None


def _narrow(c: Connection, text: Row, one: Due, about: Sequence[StoredDose], kept: Sequence[StoredDose]) -> None:
    """Let doses leave a text, and the question it asks."""
    if len(kept) < len(about):
        ids = [dose.id for dose in kept]
        texts.drop_items(c, text["id"], [dose.id for dose in about if dose.id not in ids])
        labels = {letter: dose.id for dose in kept if (letter := naming.letter(_plan_of(one, dose)))}
        texts.widen_question(c, text["id"], ids, labels)


def _send_apart(c: Connection, text: Row, one: Due, dose: StoredDose, verdict: Announcement, *, now: datetime) -> None:
    """Give a dose whose reminder must now say more than that it is due a text of its own."""
    draft = _announcing(c, text, one, [dose], {dose.id: verdict}, now=now)
    apart = replace(
        draft,
        cause=f"apart:{dose.id}",
        expires_at=draft.expires_at or dose.times.announce_until,
        plan_id=dose.plan_id,
        version_no=dose.version_no,
        items=[(dose.id, text["kind"])],
        asks=Asked("dose", dose.times.answer_until, (dose.id,)),
    )
    texts.queue(c, one.patient, one.patient.line, apart, now=now)


def _reword(
    c: Connection, text: Row, one: Due, alike: Sequence[StoredDose], verdicts: Mapping[str, Announcement], *, now: datetime
) -> None:
    draft = _announcing(c, text, one, alike, verdicts, now=now)
    if (draft.template, texts.filled(one.patient, draft)) != (text["template"], json.loads(text["fields"])):
        texts.rewrite(c, text["id"], one.patient, draft)


def _announcing(
    c: Connection, text: Row, one: Due, alike: Sequence[StoredDose], verdicts: Mapping[str, Announcement], *, now: datetime
) -> Draft:
    """The text that announces doses as it is true now; of one that must be left out, the text that says so."""
    first, verdict = alike[0], verdicts[alike[0].id]
    if isinstance(verdict, Ask):
        return replace(announcements.asking(one, _plan_of(one, first), first.slot), kind=text["kind"])
    if isinstance(verdict, SkipThis):
        doses.learn(c, {first.id: [DoseEvent(EventKind.ADVISED_SKIP, now, why=verdict.why.value)]}, now=now)
        return _leaving_out(one, first, text["kind"], now)
    late = text["template"] == "late_reminder"
    due_doses = [_due(one, dose, verdicts[dose.id], late=late) for dose in alike]
    template, fields = announcements.words(one.patient, due_doses)
    return Draft(template, text["kind"], text["cause"], fields=fields)


def _leaving_out(one: Due, dose: StoredDose, kind: str, now: datetime) -> Draft:
    following = _situation(one, dose, now).next_slot
    fields = announcements.of_dose(one, _plan_of(one, dose), dose.slot, following.due_at if following else None)
    if following is None:
        return Draft("skip_last", kind, "", fields=fields, expires_at=dose.times.answer_until)
    return Draft("skip_instead", kind, "", fields=fields, expires_at=following.due_at)


def _due(one: Due, dose: StoredDose, verdict: Announcement, *, late: bool) -> DueDose:
    base = replace(announcements.due_of(one, _plan_of(one, dose), dose), late=late)
    match verdict:
        case NotBefore(until=until):
            return replace(base, not_before=until)
        case Announce(guard_after=guard_after):
            return replace(base, guard_after=guard_after)
        case _:
            return base


def _situation(one: Due, dose: StoredDose, now: datetime) -> Situation:
    return situation_of(one.standing(_plan_of(one, dose), now), dose.slot)


def _plan_of(one: Due, dose: StoredDose) -> StoredPlan:
    plan = one.plan(dose.plan_id)
    assert plan is not None  # noqa: S101 - of a plan that is over no dose is announced
    return plan


def _advise_again(c: Connection, text: Row, one: Due, dose: StoredDose, now: datetime) -> None:
    """Advice is decided again: "take it by noon", queued at ten to, must not leave at half past."""
    plan = one.plan(dose.plan_id) or plans.read(c, [dose.plan_id])[dose.plan_id]  # with its last dose settled, a plan is over
    advice = advising.advice_on(one, plan, dose.slot, now)
    draft = advising.draft_for(one, plan, dose, advice, now)
    if (draft.template, texts.filled(one.patient, draft)) == (text["template"], json.loads(text["fields"])) and now < text["expires_at"]:
        return
    if isinstance(advice, LeaveOut):
        doses.learn(c, {dose.id: [DoseEvent(EventKind.ADVISED_SKIP, now, why=advice.rule)]}, now=now)
    texts.rewrite(c, text["id"], one.patient, replace(draft, expires_at=draft.expires_at or text["created_at"] + ANSWER_LIFE))
