"""A clinic of the sandbox as the values of a story file: who was there when it began, and what was done since."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from reminders.domain.contact import Role
from reminders.domain.plan import plain
from reminders.formats.parts import WEAK
from reminders.services.records import interacting
from reminders.services.records.ledger import (
    AUDIT,
    CLINIC,
    CONSENT,
    CONTACT_POINT,
    CONTACT_ROLE,
    DOSE,
    MEDICINE,
    ON_CALL,
    PATIENT,
    PLAN,
    PLAN_EVENT,
    PLAN_VERSION,
    STAFF,
    STAFF_ROLE,
    SUPPLY,
    TEXT_IN,
    TEXT_OUT,
    by,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

File = dict[str, Any]

NO_ACT = frozenset(
    {
        "signed in",
        "link made",
        "account set up",
        "key made",
        "key ended",
        "caregiver's link made",
        "caregiver's view agreed",
        "caregiver's page opened",
    }
)
"""What the audit has of people that changes nothing a story tells."""


def everybody_was_there(c: Connection, clinic_id: str) -> datetime | None:
    """When the last patient, and the last plan, was entered; None if there is no plan."""
    last = [c.scalar(select(func.max(table.c.created_at)).where(table.c.clinic_id == clinic_id)) for table in (PATIENT, PLAN)]
    return None if last[1] is None else max(at for at in last if at is not None)


def doses_before(c: Connection, clinic_id: str, at: datetime) -> int:
    """How many doses fell due at a clinic before an instant."""
    return int(c.scalar(select(func.count()).select_from(DOSE).where(DOSE.c.clinic_id == clinic_id, DOSE.c.due_at < at)) or 0)


def texts_in(c: Connection, clinic_id: str, *, since: datetime) -> list[Row]:
    """What phones said to a clinic since an instant, in order."""
    wanted = (TEXT_IN.c.clinic_id == clinic_id, TEXT_IN.c.received_at >= since)
    return rows(c, select(TEXT_IN).where(*wanted).order_by(TEXT_IN.c.received_at, TEXT_IN.c.recorded_at, TEXT_IN.c.sid))


def untold(c: Connection, clinic_id: str, *, since: datetime, told: Iterable[datetime]) -> Counter[str]:
    """What people did at a clinic since an instant that is not told: the audit's words, and how often.

    Told is what happened at the instant of an act or a text that the story has, and what Doseline did by itself.
    """
    known = set(told)
    query = select(AUDIT.c.at, AUDIT.c.actor, AUDIT.c.action).where(AUDIT.c.clinic_id == clinic_id, AUDIT.c.at > since)
    return Counter(
        row["action"] for row in rows(c, query) if row["actor"] != "doseline" and row["action"] not in NO_ACT and row["at"] not in known
    )


def texts_between(c: Connection, clinic_id: str, *, since: datetime, until: datetime) -> Counter[tuple[datetime, str, str]]:
    """The texts that left in a span, its start included, by the minute, the number and the words."""
    here = (CONTACT_POINT.c.id == TEXT_OUT.c.contact_point_id) & (CONTACT_POINT.c.clinic_id == TEXT_OUT.c.clinic_id)
    query = select(TEXT_OUT.c.sent_at, CONTACT_POINT.c.phone, TEXT_OUT.c.body).join(CONTACT_POINT, here)
    found = rows(c, query.where(TEXT_OUT.c.clinic_id == clinic_id, TEXT_OUT.c.sent_at >= since, TEXT_OUT.c.sent_at <= until))
    return Counter((row["sent_at"].replace(second=0, microsecond=0), row["phone"], row["body"]) for row in found)


def doses_between(c: Connection, clinic_id: str, *, since: datetime, until: datetime) -> dict[tuple[str, str, int], str]:
    """The state of each dose that fell due in a span, its start included, by its plan's reference, date and number."""
    here = (PLAN.c.id == DOSE.c.plan_id) & (PLAN.c.clinic_id == DOSE.c.clinic_id)
    query = select(PLAN.c.ref, DOSE.c.local_date, DOSE.c.slot_no, DOSE.c.state).join(PLAN, here)
    found = rows(c, query.where(DOSE.c.clinic_id == clinic_id, DOSE.c.due_at >= since, DOSE.c.due_at <= until))
    return {(row["ref"], row["local_date"].isoformat(), row["slot_no"]): row["state"] for row in found}


def import_of(c: Connection, clinic_id: str) -> tuple[File, tuple[str, ...]]:
    """Write a clinic, with everybody at it who can be texted, as an import file's values; and in words who cannot be written."""
    clinic = rows(c, select(CLINIC).where(CLINIC.c.id == clinic_id))[0]
    points = {row["id"]: row for row in rows(c, select(CONTACT_POINT).where(CONTACT_POINT.c.clinic_id == clinic_id))}
    given = rows(c, select(CONSENT).where(CONSENT.c.clinic_id == clinic_id, CONSENT.c.kind == "given").order_by(CONSENT.c.at))
    consents = {(row["contact_point_id"], row["patient_id"]): row for row in given}
    on_call = rows(c, select(ON_CALL).where(ON_CALL.c.clinic_id == clinic_id))
    people = _People(c, clinic_id, points, consents)
    written, lacking = [], []
    for row in rows(c, select(PATIENT).where(PATIENT.c.clinic_id == clinic_id).order_by(PATIENT.c.ref)):
        patient = people.patient(row)
        if patient is None:
            lacking.append("a patient without consent on record, or without a verified number")
        else:
            written.append(patient)
    head = {"name": clinic["name"], "phone": clinic["phone"], "zone": clinic["zone"], "staff": _staff(c, clinic_id)}
    if on_call and (consent := _consent(consents.get((on_call[0]["contact_point_id"], None)))):
        head["on_call"] = {"phone": points[on_call[0]["contact_point_id"]]["phone"], "consent": consent}
    return {"clinic": head, "patients": written}, tuple(lacking)


class _People:
    """The people of a clinic, read once."""

    def __init__(self, c: Connection, clinic_id: str, points: Mapping[str, Row], consents: Mapping[tuple[str, str | None], Row]) -> None:
        self._points, self._consents = points, consents
        here = {
            table.name: select(table).where(table.c.clinic_id == clinic_id)
            for table in (CONTACT_ROLE, MEDICINE, PLAN, PLAN_EVENT, PLAN_VERSION, SUPPLY)
        }
        self._roles = by(
            "patient_id",
            rows(c, here["contact_role"].where(CONTACT_ROLE.c.ended_at.is_(None)).order_by(CONTACT_ROLE.c.ref, CONTACT_ROLE.c.id)),
        )
        self._medicines = by("patient_id", rows(c, here["medicine"].order_by(MEDICINE.c.added_at, MEDICINE.c.id)))
        self._plans = by("patient_id", rows(c, here["plan"].order_by(PLAN.c.created_at, PLAN.c.ref)))
        self._versions = by("plan_id", rows(c, here["plan_version"].order_by(PLAN_VERSION.c.no)))
        said = here["plan_event"].where(PLAN_EVENT.c.kind == interacting.ACKNOWLEDGED).order_by(PLAN_EVENT.c.at, PLAN_EVENT.c.id)
        self._acknowledged = by("plan_id", rows(c, said))
        self._supplies = by("plan_id", rows(c, here["supply"].order_by(SUPPLY.c.at, SUPPLY.c.id)))

    def patient(self, row: Row) -> File | None:
        """Write a patient; None if nobody agreed to be texted about them."""
        around = self._roles.get(row["id"], [])
        own = next((role for role in around if role["role"] == Role.PATIENT.value), None)
        proxy = next((role for role in around if role["role"] == Role.PROXY.value), None)
        caregivers = [written for role in around if role is not own and (written := self._caregiver(role))]
        consent = _consent(self._of(own)) if own and self._is_proved(own) else None
        if consent is None and not (proxy and any(person["role"] == Role.PROXY.value for person in caregivers)):
            return None
        plans = [plan for plan in self._plans.get(row["id"], []) if plan["id"] in self._versions]
        entered = max([row["created_at"], *(plan["created_at"] for plan in plans)])
        file: File = {
            **{name: row[name] for name in ("ref", "name", "language", "wording", "alcohol")},
            "zone": self._first_zone(row),
            "phone": self._points[own["contact_point_id"]]["phone"] if own else None,
            "consent": consent,
            "caregivers": caregivers,
            "quiet_hours": {"from": f"{row['quiet_from']:%H:%M}", "until": f"{row['quiet_until']:%H:%M}"},
            "medicines": [medicine["name"] for medicine in self._medicines.get(row["id"], []) if _was_listed(medicine, entered)],
            "plans": [self._plan(plan, entered) for plan in plans],
        }
        kidney = WEAK if row["kidney_weak"] else None if row["kidney"] is None else plain(row["kidney"])
        facts = {"born": row["born_on"].isoformat() if row["born_on"] else None, "kidney": kidney}
        return file | {name: value for name, value in facts.items() if value is not None}

    def _first_zone(self, row: Row) -> str:
        """Where a patient was at first: a move since then has left new versions of their plans, which are in the zone moved to."""
        zones = [
            [json.loads(version["document"])["zone"] for version in self._versions.get(plan["id"], [])]
            for plan in self._plans.get(row["id"], [])
        ]
        left = [of_plan[0] for of_plan in zones if row["zone"] in of_plan[1:] and of_plan[0] != row["zone"]]
        return str(left[0] if left else row["zone"])

    def _caregiver(self, role: Row) -> File | None:
        consent = _consent(self._of(role)) if self._is_proved(role) else None
        if consent is None:
            return None
        alerts = {"alerts": {"after_misses": role["after_misses"]}} if role["after_misses"] else {}
        named = {name: role[name] for name in ("ref", "name", "relationship", "role")}
        return {**named, "phone": self._points[role["contact_point_id"]]["phone"], "consent": consent, **alerts}

    def _plan(self, plan: Row, entered: datetime) -> File:
        """Write a plan, with what was acknowledged beside it until all of its patient was entered."""
        version = self._versions[plan["id"]][0]
        signed = {"approved_by": version["approved_by"], "approved_at": _instant(version["approved_at"])}
        counted = [tally for tally in self._supplies.get(plan["id"], []) if tally["sid"] is None and tally["at"] <= plan["created_at"]]
        supply = [{"strength": plain(tally["strength"]), "tablets": tally["tablets"]} for tally in counted]
        said = [_acknowledged(event) for event in self._acknowledged.get(plan["id"], []) if event["at"] <= entered]
        return {**json.loads(version["document"]), "ref": plan["ref"], **signed, "supply": supply, "acknowledged": said}

    def _of(self, role: Row) -> Row | None:
        return self._consents.get((role["contact_point_id"], role["patient_id"]))

    def _is_proved(self, role: Row) -> bool:
        return self._points[role["contact_point_id"]]["verified_at"] is not None and not role["unproved"]


def _staff(c: Connection, clinic_id: str) -> Sequence[File]:
    roles = by("staff_id", rows(c, select(STAFF_ROLE).where(STAFF_ROLE.c.clinic_id == clinic_id)))
    working = rows(c, select(STAFF).where(STAFF.c.clinic_id == clinic_id, STAFF.c.ended_at.is_(None)).order_by(STAFF.c.name))
    return [{"name": row["name"], "roles": sorted(role["role"] for role in roles[row["id"]])} for row in working if row["id"] in roles]


def _was_listed(medicine: Row, at: datetime) -> bool:
    return bool(medicine["added_at"] <= at and (medicine["removed_at"] is None or at < medicine["removed_at"]))


def _acknowledged(event: Row) -> File:
    one = interacting.kept(event)
    said = {"of": one.of, "by": one.by, "reason": one.reason}
    return said if one.labs_due is None else {**said, "labs_due": one.labs_due.isoformat()}


def _consent(row: Row | None) -> File | None:
    if row is None:
        return None
    given = {"by": row["given_by"], "at": _instant(row["at"]), "wording_version": row["wording_version"] or "unknown"}
    return {**given, "number_verified": True}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
