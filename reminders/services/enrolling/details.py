"""What is known of a patient, changed; and what it says beside the plans that run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from db.engine import reading, writing
from reminders.domain.finding import ALCOHOL, Alcohol, Finding
from reminders.domain.patient_checks import check_alcohol, check_special
from reminders.domain.plan import plain
from reminders.domain.profile import Severity
from reminders.domain.roles import Right
from reminders.errors import BadFile, Fault, NotAllowed
from reminders.formats.import_file import DetailsShape
from reminders.formats.parts import WEAK
from reminders.formats.shape import read
from reminders.services.enrolling.typed import born_later, by_fields, kidney_of
from reminders.services.records import alerts, announcements, interacting, people, plans, quarantines, staff, stepping
from reminders.services.records.alerts import Notice
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.interacting import Said

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection, Engine

    from reminders.services.records.ledger import Row
    from reminders.services.records.people import Patient

FACTS = "patient_facts"
"""The alert that something about the patient calls for a look at a plan that runs."""

FIELDS = {name: name for name in ("name", "language", "wording", "alcohol", "born", "kidney")} | {
    "quiet_hours": "quiet_from",
    "quiet_hours.until": "quiet_until",
}

TOGETHER = (("name",), ("language",), ("wording",), ("alcohol",), ("born",), ("kidney", "kidney_weak"), ("quiet_from", "quiet_until"))
"""The fields that say one thing together: what is wrong with it stands beside the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is known of a patient, as it is typed. `reason`: why it changes, where that must be said."""

    name: str
    language: str
    wording: str
    alcohol: str
    born: str
    kidney: str
    kidney_weak: bool
    quiet_from: str
    quiet_until: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """What is found of a patient beside one of their plans, by its reference and drug."""

    plan: str
    drug: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Standing:
    """A patient's details as they stand, and what they say beside the plans that run."""

    patient: Patient
    details: Details
    beside: tuple[Beside, ...]


def details(engine: Engine, clinic_id: str, patient_id: str, *, now: datetime) -> Standing:
    """What is known of a patient. Raises UnknownPatient."""
    with reading(engine) as c:
        patient = people.of_clinic(c, clinic_id, patient_id)
        return Standing(patient, _typed(people.details_of(c, patient_id)), tuple(_beside(c, patient, now)))


def taken_up(given: Details, shown: Details, stands: Details) -> tuple[Details, list[Fault]]:
    """What was typed on a page, with what has changed since in the fields that were left as they were shown.

    And what both changed, each to something else: it is for who typed the later one to say.
    """
    whole, faults = given, list[Fault]()
    for together in TOGETHER:
        typed, then, now = (_values(one, together) for one in (given, shown, stands))
        if typed == then:
            whole = replace(whole, **now)
        elif now not in (then, typed):
            words = " until ".join(value if isinstance(value, str) else "weak" for value in now.values() if value)
            since = f"changed to {words}" if words else "taken off"
            faults.append(Fault(together[0], f"was {since} since this page was opened: keep yours again to replace it"))
    return whole, faults


def _values(details: Details, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(details, name) for name in names}
    return {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}


def change_details(
    engine: Engine, clinic_id: str, patient_id: str, typed: Mapping[str, Any], *, shown: Details | None = None, by: str, now: datetime
) -> tuple[Beside, ...]:
    """Change what is known of a patient; return what it newly says beside the plans that run, of which a provider is alerted.

    `typed`: by the names of `Details`, what is left out stays. `shown`: what stood on the page where it was typed: what somebody else
    has changed since stays too, and is refused where it was typed otherwise.

    The audit has the names of what changed, and none of the values. Raises UnknownPatient; BadFile with what is wrong, each with its
    field; NotAllowed for a person who may not; LedgerHeld where alcohol changes in a gap not relived yet. Then nothing has changed.
    """
    with writing(engine) as c:
        patient = people.of_clinic(c, clinic_id, patient_id)
        staff.require(c, clinic_id, by, Right.CARE)
        people.lock(c, [patient_id])
        row, before = people.details_of(c, patient_id), set(_beside(c, patient, now))
        given = _given(typed, shown, _typed(row))
        shape = _read(given, patient, now)
        wanted = _columns(shape)
        drinks = None if shape.alcohol.value == row["alcohol"] else shape.alcohol
        if drinks is not None:  # the list of medicines changes by it
            quarantines.refuse_while_held(c)
            stepping.look_first(c, [patient_id], now=now)
            announcements.decide_now(c, patient_id, now=now)
        changed = {name: value for name, value in wanted.items() if row[name] != value}
        if changed:
            people.change(c, patient, changed)
        if drinks is not None:
            _keep_alcohol(c, patient, drinks, Said(by, given.reason.strip()), now)
        if changed or drinks is not None:
            names = sorted({NAMES.get(name, name) for name in changed} | ({"alcohol"} if drinks else set()))
            write_audit(c, clinic_id, Entry(now, by, "details changed", patient_id, ", ".join(names)))
        fresh = people.of_clinic(c, clinic_id, patient_id)
        found = tuple(one for one in _beside(c, fresh, now) if one not in before)
        _alert(c, fresh, found, now)
        return found


NAMES = {"born_on": "born", "kidney_weak": "kidney", "quiet_from": "quiet hours", "quiet_until": "quiet hours"}


def _given(typed: Mapping[str, Any], shown: Details | None, stands: Details) -> Details:
    given = replace(stands, **typed)
    if shown is None:
        return given
    whole, faults = taken_up(given, shown, stands)
    if faults:
        raise BadFile(faults)
    return whole


def _read(given: Details, patient: Patient, now: datetime) -> DetailsShape:
    value = {
        "name": given.name.strip(),
        "language": given.language,
        "wording": given.wording,
        "alcohol": given.alcohol,
        "born": given.born.strip() or None,
        "kidney": kidney_of(given.kidney, weak=given.kidney_weak),
        "quiet_hours": {"from": given.quiet_from, "until": given.quiet_until},
    }
    try:
        shape = read(DetailsShape, value)
    except BadFile as bad:
        raise BadFile(by_fields(bad.faults, FIELDS)) from bad
    if later := list(born_later(shape.born, patient.clinic, now)):
        raise BadFile(later)
    return shape


def _columns(shape: DetailsShape) -> Row:
    return {
        "name": shape.name,
        "language": shape.language,
        "wording": shape.wording,
        "born_on": shape.born,
        "kidney": shape.kidney if isinstance(shape.kidney, Decimal) else None,
        "kidney_weak": shape.kidney == WEAK,
        "quiet_from": shape.quiet.starts,
        "quiet_until": shape.quiet.ends,
    }


def _typed(row: Row) -> Details:
    born, kidney = row["born_on"], row["kidney"]
    return Details(
        name=row["name"],
        language=row["language"],
        wording=row["wording"],
        alcohol=row["alcohol"],
        born=born.isoformat() if isinstance(born, date) else "",
        kidney="" if kidney is None else plain(kidney),
        kidney_weak=row["kidney_weak"],
        quiet_from=_clock(row["quiet_from"]),
        quiet_until=_clock(row["quiet_until"]),
    )


def _clock(at: time) -> str:
    return f"{at:%H:%M}"


def _keep_alcohol(c: Connection, patient: Patient, alcohol: Alcohol, said: Said, now: datetime) -> None:
    """Some of it goes on the list like a medicine, none comes off it, with what either brings."""
    on_list = [medicine for medicine in interacting.listed(c, patient) if medicine.is_alcohol]
    try:
        if alcohol is Alcohol.SOME and not on_list:
            interacting.add(c, patient, ALCOHOL, said=said, now=now)
        elif alcohol is not Alcohol.SOME:
            for medicine in on_list:
                interacting.remove(c, patient, medicine.name, said=said, now=now)
    except NotAllowed as refused:
        raise BadFile([Fault("alcohol", str(refused))]) from refused
    people.keep_alcohol(c, patient.id, alcohol)


def _beside(c: Connection, patient: Patient, now: datetime) -> Iterator[Beside]:
    """What the patient's age, kidneys and alcohol call for beside each plan that is not over, today."""
    for plan in plans.of_patients(c, [patient.id]).get(patient.id, []):
        facts = people.facts_of(c, patient.id, on=now.astimezone(plan.plan.tz).date())
        for finding in (*check_special(plan.profile, facts), *check_alcohol(plan.profile, facts.alcohol)):
            yield Beside(plan.ref, plan.profile.name, finding)


def _alert(c: Connection, patient: Patient, found: tuple[Beside, ...], now: datetime) -> None:
    """Have a provider look at what a change says beside a plan, in one alert; what alcohol does is told of like a medicine."""
    for plan in plans.of_patients(c, [patient.id]).get(patient.id, []):
        mine = [one.finding for one in found if one.plan == plan.ref and one.finding.path != "alcohol"]
        if mine:
            severity = "urgent" if any(finding.level is Severity.ERROR for finding in mine) else "warning"
            words = f"What is known of the patient has changed. Beside {plan.profile.name}: {'; '.join(map(str, mine))}."
            alerts.raise_once(c, patient, Notice(FACTS, severity, f"{plan.id} {now:%Y-%m-%dT%H:%M:%S}", words, plan_id=plan.id), now=now)
