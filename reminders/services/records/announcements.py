"""From what the rules decided to rows: doses, the text that announces them, and the cursor moved on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, update

from reminders.domain.announcing import OUTAGE, Announced, Fallen, Falling, LeftOut, NoText, Waits
from reminders.domain.contact import Contactable
from reminders.domain.dose_state import DoseEvent, DoseState, EventKind
from reminders.domain.missed import FourTimes
from reminders.domain.plan import Course, Phase, plain
from reminders.domain.schedule import Slot, phase_spans, previous_slot, slots_of_dates
from reminders.domain.tablets import tablets_text
from reminders.messaging.texts import date_words, when, when_each
from reminders.messaging.wordings import DueDose, reminder_words
from reminders.services.records import alerts, doses, due, naming, plans, texts
from reminders.services.records.alerts import Notice
from reminders.services.records.due import MERGED
from reminders.services.records.ledger import PLAN, QUESTION, TEXT_ITEM, TEXT_OUT, insert_all, rows
from reminders.services.records.texts import Asked, Draft

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.doses import StoredDose
    from reminders.services.records.due import Due
    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Patient
    from reminders.services.records.plans import StoredPlan


@dataclass(frozen=True)
class Spoken:
    """A dose that a text speaks of: its plan, its row's id, its slot and times, and what was decided."""

    plan: StoredPlan
    dose_id: str
    fallen: Fallen


@dataclass
class Decided:
    """What the rules said of one patient's plans in one pass."""

    due: Due
    fallings: list[tuple[StoredPlan, Falling]] = field(default_factory=list)

    @property
    def patient(self) -> Patient:
        """Whose plans they are."""
        return self.due.patient

    @property
    def plans(self) -> Sequence[StoredPlan]:
        """All of the patient's plans that are not over."""
        return self.due.plans

    def add(self, plan: StoredPlan, falling: Falling) -> None:
        """Keep a plan's decision."""
        self.fallings.append((plan, falling))


ASKED_FOR = timedelta(days=1)
"""How long a question about our outage is of use [our default]."""


def apply(c: Connection, decided: Sequence[Decided], *, now: datetime) -> None:
    """Write doses and texts, and move every cursor; set-based, for a herd of patients at once."""
    fresh, moved, waiting_texts, lapsed = [], [], [], []
    for one in decided:
        spoken: list[Spoken] = []
        unreminded: list[Spoken] = []
        for plan, falling in one.fallings:
            for fallen in falling.fallen:
                if one.due.has(plan, fallen.slot):
                    continue  # answered before its reminder: what the patient said stands
                row, events = _dose(plan, fallen, now)
                fresh.append((row, events))
                if not isinstance(fallen.verdict, NoText):
                    spoken.append(Spoken(plan, row["id"], fallen))
                elif fallen.verdict.why == OUTAGE:
                    unreminded.append(Spoken(plan, row["id"], fallen))
            moved.append(replace(plan, decided_until=falling.decided_until, tries=0))
        if spoken:
            waiting_texts.append((one, spoken))
        if unreminded:
            lapsed.append((one, unreminded))
    doses.add(c, fresh)
    _move(c, moved)
    _write(c, waiting_texts, now=now)
    _ask_about_our_outage(c, lapsed, now=now)
    _tell_of_moves(c, decided, now=now)


def _dose(plan: StoredPlan, fallen: Fallen, now: datetime) -> tuple[Row, list[DoseEvent]]:
    """The row and the first facts of a slot that fell due."""
    announced = isinstance(fallen.verdict, Announced | Waits)
    until = fallen.times.offered_until if announced else None
    row = doses.dose_row(plan, fallen.slot, fallen.times, now=now, announced_at=now if announced else None, offered_until=until)
    return row, [DoseEvent(EventKind.FELL_DUE, fallen.slot.due_at), *_first_facts(fallen, now)]


def _first_facts(fallen: Fallen, now: datetime) -> list[DoseEvent]:
    match fallen.verdict:
        case Announced() | Waits():
            return []
        case LeftOut():
            return [DoseEvent(EventKind.ADVISED_SKIP, now, why="too soon after the last dose")]
        case NoText(state=DoseState.NOT_DUE, why=why):
            return [DoseEvent(EventKind.NOT_DUE, now, why=why)]
        case NoText(why="muted"):
            return [DoseEvent(EventKind.MUTED, now, why="muted")]
        case NoText(why=why):
            return [DoseEvent(EventKind.TEXT_ENDED, now, why=why)]


_MOVE = update(PLAN).where(PLAN.c.id == bindparam("plan_id")).values(decided_until=bindparam("until"), tries=0)


def _move(c: Connection, moved: Sequence[StoredPlan]) -> None:
    """Move cursors, and with them both caches of what is next due."""
    if not moved:
        return
    c.execute(_MOVE, [{"plan_id": plan.id, "until": plan.decided_until} for plan in moved])
    plans.put_on_clock(c, moved)


def _write(c: Connection, waiting: Sequence[tuple[Decided, list[Spoken]]], *, now: datetime) -> None:
    """Write the texts: one a patient, but for doses whose text must say more than that they are due."""
    several = [one.patient.id for one, _ in waiting if len(one.plans) > 1]
    queued = _joinable(c, several, now=now)
    text_rows: list[Row] = []
    items: list[Row] = []
    questions: list[Row] = []
    for one, spoken in waiting:
        line = one.patient.line
        if line is None:
            continue
        plain_ones = [each for each in spoken if not _alone(each)]
        groups = [[each] for each in spoken if _alone(each)]
        if plain_ones and one.patient.id in queued:
            _join(c, one, queued[one.patient.id], plain_ones)
        elif plain_ones:
            groups.append(plain_ones)
        for group in groups:
            draft = _draft(one, group, now=now)
            row = texts.text_row(one.patient, line, draft, now=now)
            text_rows.append(row)
            items += [
                {"clinic_id": row["clinic_id"], "text_id": row["id"], "dose_id": dose_id, "kind": kind} for dose_id, kind in draft.items
            ]
            if draft.asks:
                questions.append(texts.question_row(row, one.patient, draft.asks))
    insert_all(c, TEXT_OUT, text_rows)
    insert_all(c, TEXT_ITEM, items)
    insert_all(c, QUESTION, questions)


def _alone(spoken: Spoken) -> bool:
    verdict = spoken.fallen.verdict
    return not isinstance(verdict, Announced) or verdict.late or bool(verdict.not_before or verdict.guard_after)


def _draft(one: Decided, group: Sequence[Spoken], *, now: datetime) -> Draft:
    first = group[0]
    match first.fallen.verdict:
        case LeftOut(next_at=next_at):
            return _leave_out(one, first, next_at)
        case Waits():
            return _announcing(one, group, "reminder_ask", of_dose(one.due, first.plan, first.fallen.slot), now=now)
        case _:
            template, fields = words(one.patient, [due_dose(one.due, each) for each in group])
            return _announcing(one, group, template, dict(fields), now=now)


def _leave_out(one: Decided, spoken: Spoken, next_at: datetime | None) -> Draft:
    """The "leave this one out" text, in the place of the reminder."""
    return Draft(
        "skip_instead" if next_at else "skip_last",
        "reminder",
        f"slot:{spoken.dose_id}",
        fields=of_dose(one.due, spoken.plan, spoken.fallen.slot, next_at),
        expires_at=next_at or spoken.fallen.times.answer_until,
        plan_id=spoken.plan.id,
        version_no=spoken.plan.course.current.no,
        items=[(spoken.dose_id, "reminder")],
    )


def _announcing(one: Decided, group: Sequence[Spoken], template: str, fields: dict[str, str], *, now: datetime) -> Draft:
    first = group[0]
    ids = tuple(each.dose_id for each in group)
    return Draft(
        template,
        "reminder",
        f"slot:{first.dose_id}",
        fields=fields,
        send_at=_send_at(one, group, now=now),
        expires_at=min(each.fallen.times.announce_until for each in group),
        plan_id=first.plan.id if len(group) == 1 else None,
        version_no=first.plan.course.current.no if len(group) == 1 else None,
        items=[(dose_id, "reminder") for dose_id in ids],
        asks=Asked("dose", max(each.fallen.times.answer_until for each in group), ids, _labels(group)),
    )


def _labels(group: Iterable[Spoken]) -> dict[str, str]:
    return {letter: each.dose_id for each in group if (letter := naming.letter(each.plan))}


def _send_at(one: Decided, group: Sequence[Spoken], *, now: datetime) -> datetime:
    """Wait for a dose due within ten minutes, so that both travel in one text; never past the first one's `announce_until`."""
    mine = {each.plan.id for each in group}
    first = min(each.fallen.slot.due_at for each in group)
    latest = min(first + MERGED, *(each.fallen.times.announce_until for each in group))
    coming = [at for plan in one.plans if plan.id not in mine and (at := plans.following(plan)) is not None and now < at <= latest]
    return max(coming, default=now) if not any(_alone(each) for each in group) else now


def _joinable(c: Connection, patient_ids: Sequence[str], *, now: datetime) -> dict[str, Row]:
    """The texts that wait for a second dose, by patient."""
    if not patient_ids:
        return {}
    query = select(TEXT_OUT).where(
        TEXT_OUT.c.patient_id.in_(patient_ids),
        TEXT_OUT.c.state == "queued",
        TEXT_OUT.c.kind == "reminder",
        TEXT_OUT.c.send_at > TEXT_OUT.c.created_at,
        TEXT_OUT.c.expires_at > now,
    )
    return {row["patient_id"]: row for row in rows(c, query)}


def _join(c: Connection, one: Decided, text: Row, more: Sequence[Spoken]) -> None:
    """Let more doses travel in a text that waited for them."""
    by_id = {plan.id: plan for plan in one.plans}
    waiting = doses.read(c, doses.of_text(c, [text["id"]])[text["id"]])
    here = {dose_id: dose for dose_id, dose in waiting.items() if dose.plan_id in by_id}  # what is over leaves at the last look
    already = [due_of(one.due, by_id[dose.plan_id], dose) for dose in here.values()]
    template, fields = words(one.patient, [*already, *(due_dose(one.due, each) for each in more)])
    expires_at = min(text["expires_at"], *(each.fallen.times.announce_until for each in more))
    texts.rewrite(c, text["id"], one.patient, Draft(template, "reminder", text["cause"], fields=fields, expires_at=expires_at))
    insert_all(
        c,
        TEXT_ITEM,
        [{"clinic_id": text["clinic_id"], "text_id": text["id"], "dose_id": each.dose_id, "kind": "reminder"} for each in more],
    )
    labels = {letter: dose.id for dose in here.values() if (letter := naming.letter(by_id[dose.plan_id]))} | _labels(more)
    texts.widen_question(c, text["id"], [*here, *(each.dose_id for each in more)], labels)
    texts.share(c, text["id"])


def words(patient: Patient, due: Sequence[DueDose]) -> tuple[str, dict[str, str]]:
    """Choose the text that announces doses to a patient, and its fields."""
    line = patient.line
    in_order = sorted(due, key=lambda dose: (dose.due_at, dose.letter))
    template, fields = reminder_words(
        in_order, wording=patient.wording, tz=patient.tz, language=patient.language, shared=bool(line and line.shared)
    )
    return template, dict(fields)


def due_dose(one: Due, spoken: Spoken) -> DueDose:
    """A dose to be announced, in words, as the pass decided it."""
    base = _in_words(one, spoken.plan, spoken.fallen.slot, spoken.fallen.times)
    match spoken.fallen.verdict:
        case Announced(guard_after=guard_after, not_before=not_before, late=late):
            return replace(base, not_before=not_before, guard_after=guard_after, late=late)
        case _:
            return base


def _in_words(one: Due, plan: StoredPlan, slot: Slot, times: FourTimes) -> DueDose:
    return DueDose(
        slot.due_at,
        tablets_text(slot.amount, plan.profile, plan.plan.strengths),
        drug=plan.profile.name,
        mg=f"{plain(slot.amount.value)} {slot.amount.unit}",
        label=plan.label if len(one.plans) > 1 else None,
        last_at=times.take_until or times.announce_until,
        new_amount=_is_new(plan.course, slot, _unsaid(one, plan)),
        label_differs=_differs_from_bottle(plan, slot),
        uneven=is_uneven(plan, slot),
    )


def is_uneven(plan: StoredPlan, slot: Slot) -> bool:
    """Whether the doses of the slot's day differ: then even the most discreet reminder says how many tablets."""
    phases = plan.course.current.plan.phases
    return slot.phase_no > len(phases) or len({dose.amount for dose in phases[slot.phase_no - 1].doses}) > 1


def _unsaid(one: Due, plan: StoredPlan) -> frozenset[tuple[date, int]]:
    """The recent slots of a plan that no reminder reached the patient for: what was new there has not been said."""
    records = one.records.get(plan.profile.ingredient, ())
    reached_nobody = (record for record in records if record.plan == plan.id and record.state is DoseState.NOT_REMINDED)
    return frozenset((record.slot_date, record.number) for record in reached_nobody)


def _is_new(course: Course, slot: Slot, unsaid: Collection[tuple[date, int]] = ()) -> bool:
    """Whether this is the first dose at its time of day since the amount there changed; at a new time, whether its amount is new.

    The first that is said: those `unsaid` do not count.
    """
    version = course.current
    phase = _phase_of(course, slot)
    began = max(phase_spans(version.followed)[slot.phase_no - 1].starts, version.effective_at.astimezone(version.plan.tz).date())
    if not unsaid and (slot.local_date - began).days > phase.every_n_days:
        return False
    before = previous_slot(course, slot.due_at)
    while before is not None and _phase_of(course, before).doses == phase.doses:
        if before.local_time == slot.local_time and before.key not in unsaid:
            return False
        before = previous_slot(course, before.due_at)
    if before is None:
        return False
    usual = {dose.at: dose.amount for dose in _phase_of(course, before).doses}
    return usual[slot.local_time] != slot.amount if slot.local_time in usual else slot.amount not in usual.values()


def _phase_of(course: Course, slot: Slot) -> Phase:
    version = next(version for version in reversed(course.versions) if version.effective_at <= slot.due_at or version.no == 1)
    return version.followed.phases[slot.phase_no - 1]


def _differs_from_bottle(plan: StoredPlan, slot: Slot) -> bool:
    """Whether a stay has made the day's amounts others than those the bottle's label was written for."""
    if not plan.course.current.stays:
        return False
    written = slots_of_dates(plan.course.current.plan, slot.local_date, slot.local_date + timedelta(days=1))
    return slot.amount not in {each.amount for each in written if each.local_time == slot.local_time}


def due_of(one: Due, plan: StoredPlan, dose: StoredDose) -> DueDose:
    """A dose already on record, in words."""
    return _in_words(one, plan, dose.slot, dose.times)


def of_dose(one: Due, plan: StoredPlan, slot: Slot, next_at: datetime | None = None) -> dict[str, str]:
    """The fields that name one dose: when it is due, and of which plan it is; and when the next one is, if that is said too."""
    tz, language = one.patient.tz, one.patient.language
    if next_at is None:
        return {"when": when(slot.due_at, tz, language), "which": one.which(plan)}
    at, following = when_each(slot.due_at, next_at, tz, language)
    return {"when": at, "which": one.which(plan), "next": following}


def asking(one: Due, plan: StoredPlan, slot: Slot) -> Draft:
    """The text in place of a reminder while a person has something to look at: call before you take it."""
    return Draft("reminder_ask", "reminder", "", fields=of_dose(one, plan, slot))


def _ask_about_our_outage(c: Connection, lapsed: Sequence[tuple[Decided, list[Spoken]]], *, now: datetime) -> None:
    """Ask, once, about the doses that we could not remind anybody of: what was taken then is not known, and nobody's miss.

    Some time after what is announced now, so that a "1" means one thing; and never while another such question waits.
    """
    lines = {one.patient.id: line for one, _ in lapsed if (line := one.patient.line) and isinstance(line.may_text, Contactable)}
    busy = texts.asked_points(c, [line.contact_point_id for line in lines.values()], kinds=texts.NUMBERED, now=now)
    text_rows: list[Row] = []
    questions: list[Row] = []
    for one, unreminded in lapsed:
        line = lines.get(one.patient.id)
        if line is not None and line.contact_point_id not in busy:
            draft, asks = _about_our_outage(one, unreminded, now=now)
            text_rows.append(texts.text_row(one.patient, line, draft, now=now))
            questions.append(texts.question_row(text_rows[-1], one.patient, asks))
    insert_all(c, TEXT_OUT, text_rows)
    insert_all(c, QUESTION, questions)


def _about_our_outage(one: Decided, unreminded: Sequence[Spoken], *, now: datetime) -> tuple[Draft, Asked]:
    at, first = one.patient.by_day(now + texts.APART, then=texts.APART), min(unreminded, key=lambda each: each.fallen.slot.due_at)
    draft = Draft(
        "outage",
        "question",
        f"outage:{first.dose_id}",
        fields={"date": date_words(first.fallen.slot.local_date, one.patient.language)},
        send_at=at,
        expires_at=at + ASKED_FOR,
        plan_id=first.plan.id if len({each.plan.id for each in unreminded}) == 1 else None,
    )
    return draft, Asked("outage", at + ASKED_FOR, tuple(each.dose_id for each in unreminded))


def _tell_of_moves(c: Connection, decided: Sequence[Decided], *, now: datetime) -> None:
    """Two slots that fell together when the clocks changed: one is not due, and the provider is shown it."""
    for one in decided:
        for plan, falling in one.fallings:
            for fallen in falling.fallen:
                if isinstance(fallen.verdict, NoText) and fallen.verdict.state is DoseState.NOT_DUE:
                    cause = f"{plan.id} {fallen.slot.local_date} {fallen.slot.number}"
                    words = f"The dose of {fallen.slot.local_date} {fallen.slot.local_time:%H:%M} is not due: {fallen.verdict.why}."
                    alerts.raise_once(c, one.patient, Notice("dose_moved", "info", cause, words, plan_id=plan.id, clinical=False), now=now)


def decide_now(c: Connection, patient_id: str, *, now: datetime) -> None:
    """Decide what fell due for one patient until now, under their lock, before anything about their plans changes."""
    for one in due.gather(c, [patient_id], now=now):
        decided, standing = Decided(one), one
        for plan in one.due_plans:
            falling = standing.falling(plan, now)
            decided.add(plan, falling)
            standing = standing.knowing(plan, falling, now)
        apply(c, [decided], now=now)


def jump(c: Connection, plan: StoredPlan, slots: Sequence[Slot], *, why: str, now: datetime) -> None:
    """Record slots that a seam jumped over: not due, and why."""
    fresh = []
    for slot in slots:
        times = FourTimes(announce_until=slot.due_at, take_until=slot.due_at, silent_at=slot.due_at, answer_until=slot.due_at)
        fresh.append(
            (doses.dose_row(plan, slot, times, now=now), [DoseEvent(EventKind.FELL_DUE, now), DoseEvent(EventKind.NOT_DUE, now, why=why)])
        )
    doses.add(c, fresh)
