"""Plans: the immutable versions, their stays, and the two `next_due_at` caches, which have their one writer here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import BindParameter, bindparam, exists, func, select, update

from reminders import drugs
from reminders.domain.check_in import Watch, next_check_in
from reminders.domain.gaps import NO_MIN_GAP, longest_gap_of, min_gap_of
from reminders.domain.missed import AskProviderRule, Limits, MissedDoseRule
from reminders.domain.patient_checks import counts_beside
from reminders.domain.plan import Course, Plan, Stay, Version
from reminders.domain.plan_state import PlanState
from reminders.domain.schedule import instant_of, next_slot, phase_spans
from reminders.errors import NotAllowed
from reminders.formats.plan_file import canonical, read_plan, write_plan
from reminders.services.records import medicines
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.ledger import ALERT, PATIENT, PLAN, PLAN_EVENT, PLAN_STAY, PLAN_VERSION, asked, by, insert_all, new_id
from reminders.services.records.medicines import Medicine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from reminders.domain.profile import DrugProfile
    from reminders.services.records.ledger import Row

STEP_CHECK_AT = time(18)
"""The evening before a step, patient time, its gate is first looked at [our default]."""
CHECK_IN_AT = time(12)
"""When a check-in asks, patient time: six hours before the gate of the evening is looked at [our default]."""


@dataclass(frozen=True)
class StoredPlan:
    """A plan as it stands: its course, its state and its place in time."""

    clinic_id: str
    id: str
    patient_id: str
    ref: str
    drug: str
    label: str | None
    state: PlanState
    state_before: PlanState | None
    reason: str | None
    course: Course
    decided_until: datetime
    next_due_at: datetime | None
    step_check_at: datetime | None
    step_stage: str | None
    recount_at: datetime | None
    check_in_at: datetime | None
    checked_in_on: date | None
    supply_check_at: datetime | None
    labs_due_at: datetime | None
    tries: int
    medicines: tuple[Medicine, ...]
    """What the patient takes beside it: what is on their list, and what their other plans give."""

    @property
    def profile(self) -> DrugProfile:
        """What is known of the drug."""
        return drugs.load(self.drug)

    @property
    def rule(self) -> MissedDoseRule:
        """The plan's missed-dose rule, else the profile's, else: ask a provider."""
        return rule_of(self.course.current.plan, self.profile)

    @property
    def limits(self) -> Limits:
        """The ingredient's limits."""
        return limits_of(self.course.current.plan, self.profile)

    @property
    def plan(self) -> Plan:
        """The plan that governs now, its stays laid in."""
        return self.course.current.followed

    @property
    def watches(self) -> tuple[Watch, ...]:
        """What is asked because of the patient's other medicines, as the drug's profile now says."""
        return tuple(
            Watch(group.monitoring.value, medicine.added_at.astimezone(self.plan.tz).date())
            for medicine in self.medicines
            for group in self.profile.interacting(medicine.name)
            if group.monitoring
        )

    @property
    def forbidden(self) -> tuple[str, ...]:
        """The patient's other medicines that must not be taken beside the drug, each with the source that says so."""
        met = [(medicine, group) for medicine in self.medicines for group in self.profile.interacting(medicine.name) if group.forbids]
        return tuple(f"{medicine.name} ({group.effect.source})" for medicine, group in met)

    @property
    def labs(self) -> dict[str, tuple[str, ...]]:
        """What a laboratory is to check because of the patient's other medicines, by medicine."""
        met = [(medicine, group) for medicine in self.medicines for group in self.profile.interacting(medicine.name)]
        return {medicine.name: group.labs.value for medicine, group in met if group.labs is not None}

    @property
    def began(self) -> datetime:
        """When its first day began, by the patient's clocks of now (UTC)."""
        return instant_of(self.course.versions[0].plan.start, time.min, self.plan.tz)


def rule_of(plan: Plan, profile: DrugProfile) -> MissedDoseRule:
    """The plan's missed-dose rule, else the profile's, else: ask a provider."""
    if plan.missed_dose_rule is not None:
        return plan.missed_dose_rule
    return profile.missed_dose_rule.value if profile.missed_dose_rule else AskProviderRule()


def limits_of(plan: Plan, profile: DrugProfile) -> Limits:
    """What no advice and no announcement may break. Raises NotAllowed without a minimum gap: nothing would keep two doses apart."""
    min_gap = min_gap_of(plan, profile)
    if min_gap is None:
        raise NotAllowed(f"{profile.key}: {NO_MIN_GAP}")
    return Limits(
        min_gap=min_gap.value,
        max_per_day=profile.max_per_day.value.value if profile.max_per_day else None,
        max_in_24h=profile.max_in_24h.value.value if profile.max_in_24h else None,
        longest_gap=longest_gap_of(plan, profile),
    )


def drugs_in_use(c: Connection) -> set[str]:
    """The keys of the drugs of all plans that are not over."""
    return set(c.scalars(_DRUGS))


def document_of(plan: Plan) -> str:
    """Write a plan as canonical JSON: what is signed, hashed and kept for ever."""
    return canonical(write_plan(plan))


def digest_of(document: str) -> str:
    """The hash under which a document is signed, in the audit."""
    return hashlib.sha256(document.encode()).hexdigest()


@lru_cache(maxsize=20_000)
def plan_of(document: str) -> Plan:
    """Read a stored document. Documents are immutable, so each is parsed once."""
    return read_plan(json.loads(document))


def add_plan(
    c: Connection,
    *,
    clinic_id: str,
    patient_id: str,
    ref: str,
    plan: Plan,
    ingredient: str,
    approved_by: str,
    at: datetime,
    approved_at: datetime | None = None,
) -> str:
    """Store an approved plan, active from its first local midnight, and put it on the clock; return its id.

    `approved_at` left out: it is approved as it is stored, at `at`.
    """
    plan_id = new_id()
    begins = max(at, instant_of(plan.start, time.min, plan.tz))
    row = {
        "clinic_id": clinic_id,
        "id": plan_id,
        "patient_id": patient_id,
        "ref": ref,
        "drug": drugs.load(plan.drug).key,
        "ingredient": ingredient,
        "label": plan.label,
        "state": PlanState.ACTIVE.value,
        "approved_by": approved_by,
        "decided_until": begins - timedelta.resolution,
        "tries": 0,
        "created_at": at,
    }
    insert_all(c, PLAN, [row])
    add_version(c, clinic_id, plan_id, Version(plan, begins), approved_by=approved_by, approved_at=approved_at, at=at)
    add_event(c, clinic_id, plan_id, kind="approved", state=PlanState.ACTIVE, by=approved_by, at=at, phase_no=1)
    put_on_clock(c, [read(c, [plan_id])[plan_id]])
    return plan_id


def add_version(
    c: Connection, clinic_id: str, plan_id: str, version: Version, *, approved_by: str, at: datetime, approved_at: datetime | None = None
) -> None:
    """Store an approved version: an immutable document, and where it joins the one before it."""
    document = document_of(version.plan)
    used = {day.isoformat(): number for day, number in version.used}
    digest = digest_of(document)
    row = {
        "clinic_id": clinic_id,
        "plan_id": plan_id,
        "no": version.no,
        "document": document,
        "document_hash": digest,
        "effective_at": version.effective_at,
        "first_at": version.first_at,
        "used": json.dumps(used),
        "approved_by": approved_by,
        "approved_at": approved_at or at,
    }
    insert_all(c, PLAN_VERSION, [row])
    for stay in version.stays:  # a plan that only moved goes on with its stays
        _add_stay(c, clinic_id, plan_id, version.no, stay, at=at)
    write_audit(c, clinic_id, Entry(at, approved_by, "plan version approved", f"{plan_id}/{version.no}", digest))


def add_event(
    c: Connection,
    clinic_id: str,
    plan_id: str,
    *,
    kind: str,
    state: PlanState,
    by: str,
    at: datetime,
    reason: str = "",
    phase_no: int | None = None,
) -> None:
    """Keep what happened to a plan: who, when and why."""
    row = {
        "clinic_id": clinic_id,
        "id": new_id(),
        "plan_id": plan_id,
        "kind": kind,
        "state": state.value,
        "phase_no": phase_no,
        "by": by,
        "reason": reason[:400],
        "at": at,
    }
    insert_all(c, PLAN_EVENT, [row])
    write_audit(c, clinic_id, Entry(at, by, f"plan {kind}", plan_id, state.value))


_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)  # statements made once: to make one costs SQLAlchemy more than to run it
_BY_ID = select(PLAN).where(PLAN.c.id.in_(_IDS))
_GOES_ON = PLAN.c.state.not_in(("draft", "stopped", "completed"))
_DRUGS = select(PLAN.c.drug).where(_GOES_ON).distinct()
_LIVE = select(PLAN).where(PLAN.c.patient_id.in_(_IDS), _GOES_ON)
_FIRST = (PLAN_VERSION.c.clinic_id == PLAN.c.clinic_id) & (PLAN_VERSION.c.plan_id == PLAN.c.id) & (PLAN_VERSION.c.no == 1)
_GIVEN = (
    select(PLAN.c.patient_id, PLAN.c.id, PLAN.c.ref, PLAN.c.drug, PLAN_VERSION.c.effective_at)
    .join(PLAN_VERSION, _FIRST)
    .where(PLAN.c.patient_id.in_(_IDS), _GOES_ON)
    .order_by(PLAN_VERSION.c.effective_at, PLAN.c.id)
)
_OF_VERSION = (
    (PLAN_STAY.c.clinic_id == PLAN_VERSION.c.clinic_id)
    & (PLAN_STAY.c.plan_id == PLAN_VERSION.c.plan_id)
    & (PLAN_STAY.c.version_no == PLAN_VERSION.c.no)
)
_VERSIONS = (
    select(PLAN_VERSION, PLAN_STAY.c.phase_no.label("stay_phase_no"), PLAN_STAY.c.since, PLAN_STAY.c.extra_days)
    .outerjoin(PLAN_STAY, _OF_VERSION & PLAN_STAY.c.plan_id.in_(_IDS))  # said once more, or every stay there is would be read for it
    .where(PLAN_VERSION.c.plan_id.in_(_IDS))
    .order_by(PLAN_VERSION.c.plan_id, PLAN_VERSION.c.no, PLAN_STAY.c.opened_at)
)
_ON_CLOCK = (
    update(PLAN)
    .where(PLAN.c.id == bindparam("plan_id"))
    .values(next_due_at=bindparam("due"), step_check_at=bindparam("step"), check_in_at=bindparam("check_in"))
)
_SOONEST = (
    select(func.min(PLAN.c.next_due_at))
    .where(PLAN.c.patient_id == PATIENT.c.id, PLAN.c.clinic_id == PATIENT.c.clinic_id, PLAN.c.set_aside_at.is_(None))
    .scalar_subquery()
)
_RECOUNT = update(PLAN).where(PLAN.c.id.in_(_IDS)).values(recount_at=bindparam("at"))
_ALERTED = exists().where(
    ALERT.c.closed_at.is_(None), ALERT.c.clinic_id == PLAN.c.clinic_id, (ALERT.c.plan_id == PLAN.c.id) | ALERT.c.plan_id.is_(None)
)
_RECOUNT_WAITING = _RECOUNT.where(PLAN.c.next_due_at.is_(None) | (_ALERTED.where(ALERT.c.patient_id == PLAN.c.patient_id)))
_NEXT_DUE = update(PATIENT).where(PATIENT.c.id.in_(_IDS)).values(next_due_at=_SOONEST)


def read(c: Connection, ids: Iterable[str]) -> dict[str, StoredPlan]:
    """Read plans with all their versions and stays, by id."""
    return _with_courses(c, asked(c, _BY_ID, ids=list(ids)))


def _with_courses(c: Connection, found: Sequence[Row]) -> dict[str, StoredPlan]:
    courses = _courses(c, [row["id"] for row in found], {row["id"]: row["ended_at"] for row in found})
    patients = {row["patient_id"] for row in found}
    listed, given = medicines.of_patients(c, patients), by("patient_id", asked(c, _GIVEN, ids=list(patients)))
    beside = {row["id"]: _beside(row, listed.get(row["patient_id"], ()), given.get(row["patient_id"], ())) for row in found}
    return {row["id"]: _stored(row, courses[row["id"]], beside[row["id"]]) for row in found}


def _beside(row: Row, listed: tuple[Medicine, ...], given: Iterable[Row]) -> tuple[Medicine, ...]:
    """What a patient takes beside a plan: what is on their list, and what each of their other plans gives that is not named there."""
    profile, names = drugs.known(row["drug"]), [medicine.name for medicine in listed]
    others = ((one, drugs.known(one["drug"])) for one in given)
    return listed + tuple(
        Medicine(one["id"], other.ingredient, one["effective_at"], one["ref"])
        for one, other in others
        if profile and other and counts_beside(profile, other, names)  # without a profile a plan is set aside when it is next looked at
    )


def of_patients(c: Connection, patient_ids: Iterable[str]) -> dict[str, list[StoredPlan]]:
    """Read all plans of some patients that are not over, by patient, in order of their references."""
    live = _with_courses(c, asked(c, _LIVE, ids=list(patient_ids)))
    groups: dict[str, list[StoredPlan]] = {}
    for plan in sorted(live.values(), key=lambda plan: plan.ref):
        groups.setdefault(plan.patient_id, []).append(plan)
    return groups


def find(c: Connection, ref: str, clinic_id: str | None = None) -> StoredPlan | None:
    """Find a plan by its reference."""
    query = select(PLAN.c.id).where(PLAN.c.ref == ref, *([] if clinic_id is None else [PLAN.c.clinic_id == clinic_id]))
    found = c.scalars(query).first()
    return None if found is None else read(c, [found])[found]


def save(c: Connection, plan: StoredPlan, **changes: object) -> None:
    """Write a plan's own columns. Not `next_due_at`: that is `put_on_clock`'s alone."""
    c.execute(update(PLAN).where(PLAN.c.id == plan.id).values(**changes))


def put_on_clock(c: Connection, plans: Sequence[StoredPlan]) -> None:
    """Write the caches of when something is next due, from the plans themselves. Every service that touches a plan ends here."""
    if not plans:
        return
    moves = [
        {"plan_id": plan.id, "due": following(plan), "step": next_step_check(plan), "check_in": next_check_in_at(plan)} for plan in plans
    ]
    c.execute(_ON_CLOCK, moves)
    set_next_due(c, {plan.patient_id for plan in plans})


def set_next_due(c: Connection, patient_ids: Iterable[str]) -> None:
    """Write when each patient's next dose is due, over all their plans."""
    c.execute(_NEXT_DUE, {"ids": list(patient_ids)})


RESTARTED = "restarted"


ON_CLOCK = frozenset({PlanState.ACTIVE, PlanState.STAYING, PlanState.MUTED})
"""The states in which doses fall due. A suspended plan has none; a muted one's are counted nowhere, but they are laid out."""


def following(plan: StoredPlan) -> datetime | None:
    """When the plan's next undecided slot is due; None when it has none, or is off the clock."""
    slot = next_slot(plan.course, plan.decided_until) if plan.state in ON_CLOCK else None
    return slot.due_at if slot else None


def next_phase(plan: StoredPlan) -> tuple[int, date] | None:
    """The phase after the one that runs at `decided_until`, and its first local date; None at the last."""
    today = plan.decided_until.astimezone(plan.plan.tz).date()
    later = [span for span in phase_spans(plan.plan) if span.starts > today and span.phase_no > 1]
    return (later[0].phase_no, later[0].starts) if later else None


def next_step_check(plan: StoredPlan) -> datetime | None:
    """When the next step's gate is looked at: the evening before its first day. None without a next step, or while staying."""
    coming = next_phase(plan) if plan.state in {PlanState.ACTIVE, PlanState.MUTED} else None
    if coming is None or stage_of(plan) is Stage.DECIDED:
        return None
    if stage_of(plan) is Stage.ASKED:
        return plan.step_check_at
    return instant_of(coming[1] - timedelta(days=1), STEP_CHECK_AT, plan.plan.tz)


def next_check_in_at(plan: StoredPlan) -> datetime | None:
    """When the patient is next asked how it goes. None while nothing is due, and for a plan that asks nothing."""
    if plan.state not in {PlanState.ACTIVE, PlanState.STAYING}:
        return None
    began = plan.course.current.effective_at.astimezone(plan.plan.tz).date() - timedelta(days=1)
    day = next_check_in(plan.plan, max(began, plan.checked_in_on or began), plan.watches)
    return None if day is None else instant_of(day, CHECK_IN_AT, plan.plan.tz)


def step_begins(plan: StoredPlan) -> datetime | None:
    """When the first slot of the next phase is due; None without a next phase."""
    coming = next_phase(plan)
    if coming is None:
        return None
    slot = next_slot(plan.course, instant_of(coming[1], time.min, plan.plan.tz) - timedelta.resolution)
    return slot.due_at if slot else None


class Stage(StrEnum):
    """How far the coming step has been looked at."""

    WAITING = "waiting"
    ASKED = "asked"
    DECIDED = "decided"


def stage_of(plan: StoredPlan) -> Stage:
    """How far the coming step has been looked at. A stage kept for an earlier step says nothing of this one."""
    coming = next_phase(plan)
    stage, _, phase_no = (plan.step_stage or "").partition(":")
    return Stage(stage) if coming and phase_no == str(coming[0]) else Stage.WAITING


def phase_on(plan: Plan, day: date) -> int:
    """The number of the phase that runs on a local date, from 1; before the first it is 1, after the last the last."""
    running = [span.phase_no for span in phase_spans(plan) if span.starts <= day]
    return running[-1] if running else 1


def current_phase(plan: StoredPlan, now: datetime) -> int:
    """The number of the phase that runs now, in the patient's zone. A new phase runs from its first dose on, not from midnight."""
    coming = next_phase(plan)
    today = phase_on(plan.plan, now.astimezone(plan.plan.tz).date())
    return today if coming is None else min(today, coming[0] - 1)


def mark_of(plan: StoredPlan, now: datetime) -> str:
    """By which a plan that was looked at is known again: its version, its state, the phase that runs, and how it stayed."""
    current = plan.course.current
    stays = [f"{stay.phase_no} {stay.since} {stay.extra_days}" for stay in current.stays]
    return digest_of("\n".join([str(current.no), plan.state.value, str(current_phase(plan, now)), *stays]))


def open_stay(c: Connection, plan: StoredPlan, *, phase_no: int, since: date, at: datetime) -> None:
    """Begin a stay: from now on the phase has no end."""
    _add_stay(c, plan.clinic_id, plan.id, plan.course.current.no, Stay(phase_no, since), at=at)


def _add_stay(c: Connection, clinic_id: str, plan_id: str, version_no: int, stay: Stay, *, at: datetime) -> None:
    row = {
        "clinic_id": clinic_id,
        "id": new_id(),
        "plan_id": plan_id,
        "version_no": version_no,
        "phase_no": stay.phase_no,
        "since": stay.since,
        "extra_days": stay.extra_days,
        "opened_at": at,
    }
    insert_all(c, PLAN_STAY, [row])


def close_stay(c: Connection, plan: StoredPlan, *, extra_days: int) -> None:
    """End the open stay: its phase keeps the extra days, and all that follows has shifted as a block."""
    mine = (PLAN_STAY.c.plan_id == plan.id) & (PLAN_STAY.c.version_no == plan.course.current.no)
    open_one = mine & PLAN_STAY.c.extra_days.is_(None)
    c.execute(update(PLAN_STAY).where(open_one).values(extra_days=extra_days))


def touched(c: Connection, plan_ids: Iterable[str], *, at: datetime, if_waiting: bool = False) -> None:
    """Ask for the plans' misses to be counted again; `if_waiting`: only those with an open alert, or no dose to come."""
    wanted = list(plan_ids)
    if wanted:
        c.execute(_RECOUNT_WAITING if if_waiting else _RECOUNT, {"ids": wanted, "at": at})


def _courses(c: Connection, ids: list[str], ended: dict[str, datetime | None]) -> dict[str, Course]:
    """Read the versions of plans, each with its stays: a row a version and stay."""
    return {
        plan_id: Course(tuple(_version(list(lines)) for _, lines in groupby(group, key=lambda row: row["no"])), ended.get(plan_id))
        for plan_id, group in by("plan_id", asked(c, _VERSIONS, ids=ids)).items()
    }


def _version(lines: list[Row]) -> Version:
    row = lines[0]
    return Version(
        plan=plan_of(row["document"]),
        effective_at=row["effective_at"],
        no=row["no"],
        first_at=row["first_at"],
        used=tuple((date.fromisoformat(day), number) for day, number in json.loads(row["used"]).items()),
        stays=tuple(Stay(line["stay_phase_no"], line["since"], line["extra_days"]) for line in lines if line["since"] is not None),
    )


def _stored(row: Row, course: Course, beside: tuple[Medicine, ...]) -> StoredPlan:
    return StoredPlan(
        clinic_id=row["clinic_id"],
        id=row["id"],
        patient_id=row["patient_id"],
        ref=row["ref"],
        drug=row["drug"],
        label=row["label"],
        state=PlanState(row["state"]),
        state_before=PlanState(row["state_before"]) if row["state_before"] else None,
        reason=row["reason"],
        course=course,
        decided_until=row["decided_until"],
        next_due_at=row["next_due_at"],
        step_check_at=row["step_check_at"],
        step_stage=row["step_stage"],
        recount_at=row["recount_at"],
        check_in_at=row["check_in_at"],
        checked_in_on=row["checked_in_on"],
        supply_check_at=row["supply_check_at"],
        labs_due_at=row["labs_due_at"],
        tries=row["tries"],
        medicines=beside,
    )


class Moment(StrEnum):
    """What a plan is waiting for, by the column that holds when it comes."""

    CHECK_IN = "check_in_at"
    STEP_CHECK = "step_check_at"
    RECOUNT = "recount_at"
    SUPPLY_CHECK = "supply_check_at"
    LABS_DUE = "labs_due_at"


def due(c: Connection, moment: Moment, *, now: datetime, limit: int) -> list[tuple[str, str]]:
    """The plans whose moment has come: (plan id, patient id), oldest first."""
    at = PLAN.c[moment.value]
    query = select(PLAN.c.id, PLAN.c.patient_id).where(at <= now).order_by(at).limit(limit)
    return [(plan_id, patient_id) for plan_id, patient_id in c.execute(query)]


def restarted_at(c: Connection, plan_id: str) -> datetime | None:
    """When a provider last began the plan again."""
    at: datetime | None = c.scalar(select(func.max(PLAN_EVENT.c.at)).where(PLAN_EVENT.c.plan_id == plan_id, PLAN_EVENT.c.kind == RESTARTED))
    return at


def moved_only(plan: StoredPlan) -> frozenset[int]:
    """The numbers of the versions that differ from the current one in nothing but the zone: their phases are its phases."""
    current, alike = plan.course.current, []
    for version in reversed(plan.course.versions):
        if replace(version.plan, zone=current.plan.zone) != current.plan:
            break
        alike.append(version.no)
    return frozenset(alike)


def step_announced_at(c: Connection, plan_id: str) -> datetime | None:
    """When the plan's newest step was announced."""
    announced: datetime | None = c.scalar(
        select(func.max(PLAN_EVENT.c.at)).where(PLAN_EVENT.c.plan_id == plan_id, PLAN_EVENT.c.kind == "step")
    )
    return announced


def stayed_by(c: Connection, plan_id: str) -> str | None:
    """Who last had the plan stay."""
    stays = select(PLAN_EVENT.c.by).where(PLAN_EVENT.c.plan_id == plan_id, PLAN_EVENT.c.kind == "stays")
    by: str | None = c.scalar(stays.order_by(PLAN_EVENT.c.at.desc()).limit(1))
    return by


def decide_step_soon(c: Connection, plan_id: str, *, at: datetime) -> None:
    """Have the coming step decided at once: what was asked about it has been answered."""
    c.execute(update(PLAN).where(PLAN.c.id == plan_id, PLAN.c.step_stage.like(f"{Stage.ASKED.value}:%")).values(step_check_at=at))


def complete(c: Connection, plan: StoredPlan, *, at: datetime) -> None:
    """End a plan whose last dose is behind it and no longer waited for."""
    save(c, plan, state=PlanState.COMPLETED.value, ended_at=at)
    phase_no = len(plan.plan.phases)
    add_event(c, plan.clinic_id, plan.id, kind="completed", state=PlanState.COMPLETED, by="doseline", at=at, phase_no=phase_no)
