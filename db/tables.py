"""The tables. Text columns with CHECK lists stand where the domain has enums; every key carries its clinic.

Ids are unique over all clinics, so an index leads with the id it looks up, and needs no clinic before it.

Rows become values only in `reminders/services/records`. SQLModel does not validate table classes, so the constraints
here are what stands between a mistake and the disk.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlmodel import Field, SQLModel

from db.types import ExactDecimal, UtcDateTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING
metadata = SQLModel.metadata

ID = 40  # characters: a UUID, or a clinic's short name such as "demo"


def one_of(column: str, *values: str) -> CheckConstraint:
    """A CHECK list. Kept equal to the domain's enum by a test, so that an old migration never imports a new enum."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def within_clinic(column: str, table: str, *, cascade: bool = False) -> ForeignKeyConstraint:
    """A reference that cannot leave the clinic: (clinic_id, column) → (clinic_id, id)."""
    return ForeignKeyConstraint(["clinic_id", column], [f"{table}.clinic_id", f"{table}.id"], ondelete="CASCADE" if cascade else None)


DOSE_STATES = ("pending", "open", "taken", "skipped", "missed", "unconfirmed", "not_reminded", "not_due")
PLAN_STATES = ("draft", "approved", "active", "staying", "muted", "suspended", "completed", "stopped")
TEXT_STATES = ("queued", "sending", "unknown", "accepted", "failed", "not_sent", "expired", "cancelled")
ITEM_KINDS = ("reminder", "resend", "nudge", "correction")
TALLY_KINDS = ("counted", "added")
ROLES = ("patient", "proxy", "caregiver")
SEES = ("alerts", "today", "strip")
STRANGE = text("clinic_id IS NULL AND from_phone <> ''")  # from a number nobody here knows, which is not forgotten yet
UNHEARD = text("unheard_until IS NOT NULL")  # waits for the carrier's list of incoming texts
GRAVE, CALM = text("severity_rank < 4"), text("severity_rank = 4")  # with an open alert, and without one
OPEN = text("closed_at IS NULL")  # somebody has yet to look at it
STILL = text("ended_at IS NULL")  # around the patient now
UNSETTLED = text("rank < 3 AND sid IS NOT NULL")  # the carrier has it, and has not said what became of it


def phone_end_of(context: DefaultExecutionContext) -> str:
    """The last four digits of the number in a row that is being written."""
    written = context.get_current_parameters()  # type: ignore[no-untyped-call]  # SQLAlchemy has not annotated it
    return str(written["phone"])[-4:]


class Clinic(SQLModel, table=True):
    """A clinic: the tenant that every other row belongs to."""

    __tablename__ = "clinic"
    id: str = Field(primary_key=True, max_length=ID)
    name: str = Field(max_length=80)
    phone: str = Field(max_length=20)
    zone: str = Field(max_length=64)
    opens_at: time = Field(default=time(8))
    closes_at: time = Field(default=time(17))
    simulated: bool = Field(default=False)
    created_at: datetime = Field(sa_type=UtcDateTime)


class Staff(SQLModel, table=True):
    """A named person at the clinic, who approves, decides and corrects; once ended they do no more, and what they did keeps their name."""

    __tablename__ = "staff"
    __table_args__ = (ForeignKeyConstraint(["clinic_id"], ["clinic.id"]), UniqueConstraint("clinic_id", "name"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    name: str = Field(max_length=80)
    created_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class StaffRole(SQLModel, table=True):
    """What a person at the clinic is: provider, staff, admin, or several of them."""

    __tablename__ = "staff_role"
    __table_args__ = (within_clinic("staff_id", "staff"), one_of("role", "provider", "staff", "admin"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    staff_id: str = Field(primary_key=True, max_length=ID)
    role: str = Field(primary_key=True, max_length=20)


class Account(SQLModel, table=True):
    """How a person on the list signs in. `totp_step`: of the last code that was used, which is not taken again."""

    __tablename__ = "account"
    __table_args__ = (within_clinic("staff_id", "staff"), UniqueConstraint("login"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    staff_id: str = Field(primary_key=True, max_length=ID)
    login: str = Field(max_length=80)
    password_hash: str = Field(max_length=200)
    totp_secret: str = Field(max_length=64)
    totp_step: int | None = Field(default=None)
    created_at: datetime = Field(sa_type=UtcDateTime)


class RecoveryCode(SQLModel, table=True):
    """What is kept of a code for the day on which the phone is gone; deleted when it is used."""

    __tablename__ = "recovery_code"
    __table_args__ = (within_clinic("staff_id", "staff"),)
    clinic_id: str = Field(primary_key=True, max_length=ID)
    staff_id: str = Field(primary_key=True, max_length=ID)
    code_hash: str = Field(primary_key=True, max_length=64)


class Invitation(SQLModel, table=True):
    """A one-time link to set an account up, known by its hash. Without a clinic it is the first start's, and makes one.

    `new_device`: the second factor is begun anew; else the one that is there is asked for.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        within_clinic("staff_id", "staff"),
        CheckConstraint("(clinic_id IS NULL) = (staff_id IS NULL)", name="whose"),
    )
    token_hash: str = Field(primary_key=True, max_length=64)
    clinic_id: str | None = Field(default=None, max_length=ID)
    staff_id: str | None = Field(default=None, max_length=ID)
    totp_secret: str = Field(max_length=64)
    new_device: bool = Field(default=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class WebSession(SQLModel, table=True):
    """Somebody who is signed in, known by the hash of what their browser holds."""

    __tablename__ = "web_session"
    __table_args__ = (
        within_clinic("staff_id", "staff"),
        Index("ix_web_session_staff_id", "staff_id"),
        Index("ix_web_session_seen_at", "seen_at"),
        Index("ix_web_session_created_at", "created_at"),
    )
    token_hash: str = Field(primary_key=True, max_length=64)
    clinic_id: str = Field(max_length=ID)
    staff_id: str = Field(max_length=ID)
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)


class SystemAdmin(SQLModel, table=True):
    """Who runs the installation and belongs to no clinic: how they sign in, the link with which they set that up, and their one session.

    `recovery`: what is kept of their recovery codes, with spaces. Without a login they cannot sign in yet, or no more.
    """

    __tablename__ = "system_admin"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("login"), UniqueConstraint("link_hash"), UniqueConstraint("session_hash"))
    id: str = Field(primary_key=True, max_length=ID)
    name: str = Field(max_length=80)
    login: str | None = Field(default=None, max_length=80)
    password_hash: str | None = Field(default=None, max_length=200)
    totp_secret: str | None = Field(default=None, max_length=64)
    totp_step: int | None = Field(default=None)
    recovery: str = Field(default="", max_length=800)
    link_hash: str | None = Field(default=None, max_length=64)
    link_secret: str | None = Field(default=None, max_length=64)
    link_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    session_hash: str | None = Field(default=None, max_length=64)
    session_began_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    session_seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SignInGuard(SQLModel, table=True):
    """When somebody last tried to sign in under a name, or from an address, known by its hash: seconds since 1970, with spaces."""

    __tablename__ = "sign_in_guard"
    __table_args__ = (Index("ix_sign_in_guard_last_at", "last_at"),)
    key: str = Field(primary_key=True, max_length=64)
    tries: str = Field(sa_column=Column(Text, nullable=False))
    last_at: datetime = Field(sa_type=UtcDateTime)


class ApiKey(SQLModel, table=True):
    """A key with which a program acts in the name of a person on the list, known by its hash.

    Once ended, or past its day, it opens nothing. `staff_id`: in whose name; `name`: what it is for; `made_by`, `ended_by`: names, as
    they were then.
    """

    __tablename__ = "api_key"
    __table_args__ = (within_clinic("staff_id", "staff"), UniqueConstraint("key_hash"), Index("ix_api_key_staff_id", "staff_id"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    staff_id: str = Field(max_length=ID)
    name: str = Field(max_length=80)
    key_hash: str = Field(max_length=64)
    made_by: str = Field(max_length=80)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: str | None = Field(default=None, max_length=80)


class ApiKeyRole(SQLModel, table=True):
    """A role that a key may act in, as long as its person has it too."""

    __tablename__ = "api_key_role"
    __table_args__ = (within_clinic("key_id", "api_key"), one_of("role", "provider", "staff", "admin"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    key_id: str = Field(primary_key=True, max_length=ID)
    role: str = Field(primary_key=True, max_length=20)


class ApiAnswer(SQLModel, table=True):
    """What a request that must not be carried out twice was answered with, by the hash of the caller's own mark of it.

    `request_hash`: of what was asked; `status`: empty while it is being carried out, or where nobody knows how it ended.
    """

    __tablename__ = "api_answer"
    __table_args__ = (within_clinic("key_id", "api_key"), Index("ix_api_answer_begun_at", "begun_at"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    key_id: str = Field(primary_key=True, max_length=ID)
    mark_hash: str = Field(primary_key=True, max_length=64)
    request_hash: str = Field(max_length=64)
    begun_at: datetime = Field(sa_type=UtcDateTime)
    status: int | None = Field(default=None)
    body: str = Field(default="", sa_column=Column(Text, nullable=False))


class Patient(SQLModel, table=True):
    """A patient. This row is the lock: every service that touches one of its plans takes it first.

    `severity_rank` is that of the gravest open alert (0 an emergency, 1 urgent, 2 a warning, 3 information), 4 where none is open;
    `grave_since` is when the oldest of that severity was raised. Both are a cache of the open alerts.
    """

    __tablename__ = "patient"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),
        UniqueConstraint("clinic_id", "ref"),
        one_of("wording", "discreet", "amount", "full"),
        one_of("alcohol", "unknown", "none", "some"),
        CheckConstraint("severity_rank BETWEEN 0 AND 4", name="severity_rank"),
        Index("ix_patient_next_due_at", "next_due_at"),
        Index("ix_patient_grave", "clinic_id", "severity_rank", "grave_since", "name", "id", sqlite_where=GRAVE, postgresql_where=GRAVE),
        Index("ix_patient_calm", "clinic_id", "name", "id", sqlite_where=CALM, postgresql_where=CALM),
        Index("ix_patient_id", "id"),
    )
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    ref: str = Field(max_length=80)
    name: str = Field(max_length=80)
    zone: str = Field(max_length=64)
    language: str = Field(default="en", max_length=8)
    wording: str = Field(default="discreet", max_length=20)
    alcohol: str = Field(default="unknown", max_length=20)
    born_on: date | None = Field(default=None)
    kidney: Decimal | None = Field(default=None, sa_type=ExactDecimal)  # mL/min
    kidney_weak: bool = Field(default=False)
    quiet_from: time = Field(default=time(21))
    quiet_until: time = Field(default=time(8))
    next_due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    tries: int = Field(default=0)
    severity_rank: int = Field(default=4)
    grave_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


class PatientWord(SQLModel, table=True):
    """A word by which a patient is found: of their name, or their reference; in lower case, without accents."""

    __tablename__ = "patient_word"
    __table_args__ = (within_clinic("patient_id", "patient"), Index("ix_patient_word_patient", "patient_id"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    # By its bytes, whatever the database sorts names by: the words that begin alike stand together.
    word: str = Field(sa_column=Column(String(80).with_variant(String(80, collation="C"), "postgresql"), primary_key=True))
    patient_id: str = Field(primary_key=True, max_length=ID)


class ContactPoint(SQLModel, table=True):
    """A phone number. STOP, a failed number and a proved number belong to it, for everyone behind it."""

    __tablename__ = "contact_point"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),
        UniqueConstraint("clinic_id", "phone"),
        Index("ix_contact_point_phone", "phone"),
        Index("ix_contact_point_phone_end", "clinic_id", "phone_end"),
        Index("ix_contact_point_id", "id"),
    )
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    phone: str = Field(max_length=20)
    phone_end: str = Field(sa_column=Column(String(4), default=phone_end_of, nullable=False))
    verified_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    opted_out_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    unusable_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


class ContactRole(SQLModel, table=True):
    """What a number is for a patient: the patient's own, a proxy's who answers for them, or a caregiver's who is told.

    `unproved`: no code has come back from it for this patient yet. The number may be proved for somebody else: a slip of the finger
    must not make a neighbour's phone the patient's. `ended_at`: from then on they are not around this patient; that they were is kept.
    """

    __tablename__ = "contact_role"
    __table_args__ = (
        within_clinic("contact_point_id", "contact_point"),
        within_clinic("patient_id", "patient"),
        one_of("role", *ROLES),
        Index(
            "uq_contact_role_of_now",
            *("clinic_id", "contact_point_id", "patient_id", "role"),
            unique=True,
            sqlite_where=STILL,
            postgresql_where=STILL,
        ),
        Index("ix_contact_role_patient", "patient_id"),
        Index("ix_contact_role_contact_point", "contact_point_id"),
    )
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    contact_point_id: str = Field(max_length=ID)
    patient_id: str = Field(max_length=ID)
    role: str = Field(max_length=20)
    ref: str = Field(default="", max_length=80)
    name: str = Field(max_length=80)
    relationship: str = Field(default="", max_length=40)
    after_misses: int | None = Field(default=None)
    unproved: bool = Field(default=False)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class NumberCheck(SQLModel, table=True):
    """A code that was texted to a number, to prove it for one patient; of the code, its hash. The newest is the one that is good."""

    __tablename__ = "number_check"
    __table_args__ = (
        within_clinic("contact_point_id", "contact_point"),
        within_clinic("patient_id", "patient"),
        Index("ix_number_check_contact_point", "contact_point_id", "asked_at"),
    )
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    contact_point_id: str = Field(max_length=ID)
    patient_id: str = Field(max_length=ID)
    code_hash: str = Field(max_length=64)
    text_id: str = Field(max_length=ID)
    asked_by: str = Field(max_length=80)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    tries: int = Field(default=0)
    proved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    proved_by: str | None = Field(default=None, max_length=80)


class CareGrant(SQLModel, table=True):
    """What a caregiver or proxy may see, and whether they may answer, from `noted_at` on: the highest number holds. Only added to.

    `agreed_by`, `agreed_at`: who said so for the patient, and when; `noted_by`: who at the clinic wrote it down.
    """

    __tablename__ = "care_grant"
    __table_args__ = (
        within_clinic("contact_role_id", "contact_role"),
        one_of("sees", *SEES),
        Index("ix_care_grant_contact_role", "contact_role_id"),
    )
    clinic_id: str = Field(primary_key=True, max_length=ID)
    contact_role_id: str = Field(primary_key=True, max_length=ID)
    no: int = Field(primary_key=True)
    sees: str = Field(max_length=20)
    answers: bool = Field(default=False)
    agreed_by: str = Field(max_length=80)
    agreed_at: datetime = Field(sa_type=UtcDateTime)
    noted_by: str = Field(max_length=80)
    noted_at: datetime = Field(sa_type=UtcDateTime)


class CareLink(SQLModel, table=True):
    """A link to the page of a caregiver or proxy, known by its hash; good while its number is theirs and may be texted."""

    __tablename__ = "care_link"
    __table_args__ = (
        within_clinic("contact_role_id", "contact_role"),
        within_clinic("contact_point_id", "contact_point"),
        within_clinic("patient_id", "patient"),
        Index("ix_care_link_contact_role", "contact_role_id"),
        Index("ix_care_link_contact_point", "contact_point_id"),
        Index("ix_care_link_expires_at", "expires_at"),
    )
    token_hash: str = Field(primary_key=True, max_length=64)
    clinic_id: str = Field(max_length=ID)
    contact_role_id: str = Field(max_length=ID)
    contact_point_id: str = Field(max_length=ID)
    patient_id: str = Field(max_length=ID)
    made_by: str = Field(max_length=80)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class OnCall(SQLModel, table=True):
    """The phone that is texted for a clinic when an alert cannot wait, and since when that is agreed to."""

    __tablename__ = "on_call"
    __table_args__ = (ForeignKeyConstraint(["clinic_id"], ["clinic.id"]), within_clinic("contact_point_id", "contact_point"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    contact_point_id: str = Field(max_length=ID)
    agreed_at: datetime = Field(sa_type=UtcDateTime)


class Consent(SQLModel, table=True):
    """Evidence that texting was agreed to, withdrawn or taken up again. Only added to, never changed.

    About whom: a patient; none where the phone is the clinic's own, on call. `recorded_by`: who at the clinic wrote down what they
    were told, or shown; empty where nobody was in between.
    """

    __tablename__ = "consent"
    __table_args__ = (
        within_clinic("contact_point_id", "contact_point"),
        within_clinic("patient_id", "patient"),
        one_of("kind", "given", "revoked", "restored"),
        Index("ix_consent_contact_point", "contact_point_id"),
    )
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    contact_point_id: str = Field(max_length=ID)
    patient_id: str | None = Field(default=None, max_length=ID)
    kind: str = Field(max_length=20)
    given_by: str = Field(max_length=80)
    wording_version: str = Field(default="", max_length=80)
    channel: str = Field(default="import", max_length=20)
    message_sid: str | None = Field(default=None, max_length=ID)
    recorded_by: str = Field(default="", max_length=80)
    at: datetime = Field(sa_type=UtcDateTime)


class Medicine(SQLModel, table=True):
    """A medicine on the patient's list, entered and reconciled by the clinic. One taken off the list is kept, with the instant."""

    __tablename__ = "medicine"
    __table_args__ = (within_clinic("patient_id", "patient"), Index("ix_medicine_patient", "patient_id"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    patient_id: str = Field(max_length=ID)
    name: str = Field(max_length=80)
    added_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Plan(SQLModel, table=True):
    """A patient's plan: its state and its place in time. What is taken stands in its versions.

    `decided_until`: every slot due at or before it has been decided. `next_due_at` is a cache of the domain's `next_slot`.
    """

    __tablename__ = "plan"
    __table_args__ = (
        within_clinic("patient_id", "patient"),
        UniqueConstraint("clinic_id", "ref"),
        one_of("state", *PLAN_STATES),
        Index("ix_plan_patient", "patient_id"),
        Index("ix_plan_state", "clinic_id", "state", "drug", "patient_id"),
        Index("ix_plan_drug", "clinic_id", "drug", "patient_id"),
        Index("ix_plan_id", "id"),
        Index("ix_plan_next_due_at", "next_due_at"),
        Index("ix_plan_step_check_at", "step_check_at"),
        Index("ix_plan_recount_at", "recount_at"),
        Index("ix_plan_check_in_at", "check_in_at"),
        Index("ix_plan_supply_check_at", "supply_check_at"),
        Index("ix_plan_labs_due_at", "labs_due_at"),
    )
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    patient_id: str = Field(max_length=ID)
    ref: str = Field(max_length=80)
    drug: str = Field(max_length=80)
    ingredient: str = Field(max_length=80)
    label: str | None = Field(default=None, max_length=40)
    state: str = Field(max_length=20)
    state_before: str | None = Field(default=None, max_length=20)
    reason: str | None = Field(default=None, max_length=400)
    approved_by: str = Field(max_length=80)
    decided_until: datetime = Field(sa_type=UtcDateTime)
    next_due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    step_check_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    step_stage: str | None = Field(default=None, max_length=20)
    recount_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    check_in_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    checked_in_on: date | None = Field(default=None)
    supply_check_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    labs_due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    tries: int = Field(default=0)
    set_aside_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


class PlanVersion(SQLModel, table=True):
    """An approved version: an immutable document, and where it joins the one before it."""

    __tablename__ = "plan_version"
    __table_args__ = (within_clinic("plan_id", "plan"), Index("ix_plan_version_plan", "plan_id"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    plan_id: str = Field(primary_key=True, max_length=ID)
    no: int = Field(primary_key=True)
    document: str = Field(sa_column=Column(Text, nullable=False))
    document_hash: str = Field(max_length=64)
    effective_at: datetime = Field(sa_type=UtcDateTime)
    first_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    used: str = Field(default="{}", sa_column=Column(Text, nullable=False))
    approved_by: str = Field(max_length=80)
    approved_at: datetime = Field(sa_type=UtcDateTime)


class PlanStay(SQLModel, table=True):
    """A stay on a phase: open while `extra_days` is empty."""

    __tablename__ = "plan_stay"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "plan_id", "version_no"], ["plan_version.clinic_id", "plan_version.plan_id", "plan_version.no"]),
        Index("ix_plan_stay_plan", "plan_id"),
    )
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    plan_id: str = Field(max_length=ID)
    version_no: int
    phase_no: int
    since: date
    extra_days: int | None = Field(default=None)
    opened_at: datetime = Field(sa_type=UtcDateTime)


class PlanEvent(SQLModel, table=True):
    """Something that happened to a plan: who, when, why. Only added to."""

    __tablename__ = "plan_event"
    __table_args__ = (within_clinic("plan_id", "plan"), Index("ix_plan_event_plan", "plan_id", "at"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    plan_id: str = Field(max_length=ID)
    kind: str = Field(max_length=40)
    state: str = Field(max_length=20)
    phase_no: int | None = Field(default=None)
    by: str = Field(max_length=80)
    reason: str = Field(default="", max_length=400)
    at: datetime = Field(sa_type=UtcDateTime)


class Dose(SQLModel, table=True):
    """The record of a slot that fell due. `state` caches the fold of its events; `check_at` is when it is next looked at.

    `unheard_until`: what was texted before then may not all have been fetched; once it has, the dose is looked at at once.
    """

    __tablename__ = "dose"
    __table_args__ = (
        within_clinic("plan_id", "plan"),
        within_clinic("patient_id", "patient"),
        UniqueConstraint("clinic_id", "plan_id", "local_date", "slot_no"),
        one_of("state", *DOSE_STATES),
        CheckConstraint("slot_no >= 1", name="slot_no"),
        Index("ix_dose_check_at", "check_at"),
        Index("ix_dose_id", "id"),
        Index("ix_dose_changed_at", "changed_at"),
        Index("ix_dose_plan_due_at", "plan_id", "due_at"),
        Index("ix_dose_patient_due_at", "patient_id", "due_at"),
        Index("ix_dose_unheard_until", "unheard_until", sqlite_where=UNHEARD, postgresql_where=UNHEARD),
    )
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    plan_id: str = Field(max_length=ID)
    patient_id: str = Field(max_length=ID)
    version_no: int
    local_date: date
    slot_no: int
    local_time: time
    due_at: datetime = Field(sa_type=UtcDateTime)
    amount: Decimal = Field(sa_type=ExactDecimal)
    unit: str = Field(max_length=12)
    phase_no: int
    state: str = Field(max_length=20)
    reason: str | None = Field(default=None, max_length=80)
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    taken_by: datetime | None = Field(default=None, sa_type=UtcDateTime)
    recalled: bool = Field(default=False)
    muted: bool = Field(default=False)
    unverified: bool = Field(default=False)
    odd: bool = Field(default=False)
    contradicted: bool = Field(default=False)
    answered: bool = Field(default=False)
    announced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    offered_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    announce_until: datetime = Field(sa_type=UtcDateTime)
    take_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    silent_at: datetime = Field(sa_type=UtcDateTime)
    answer_until: datetime = Field(sa_type=UtcDateTime)
    nudge_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    check_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    unheard_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class DoseEvent(SQLModel, table=True):
    """One fact about a dose, as it was learnt. Only added to: the dose's state is the fold of these."""

    __tablename__ = "dose_event"
    __table_args__ = (within_clinic("dose_id", "dose"), Index("ix_dose_event_dose", "dose_id"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    dose_id: str = Field(max_length=ID)
    no: int
    kind: str = Field(max_length=40)
    at: datetime = Field(sa_type=UtcDateTime)
    text_id: str | None = Field(default=None, max_length=ID)
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    taken_by: datetime | None = Field(default=None, sa_type=UtcDateTime)
    why: str | None = Field(default=None, max_length=400)
    by: str | None = Field(default=None, max_length=80)
    state: str | None = Field(default=None, max_length=20)
    recalled: bool = Field(default=False)
    verified: bool = Field(default=True)


class OutgoingText(SQLModel, table=True):
    """A text to a person: a row before it is a request. `cause` is its own key, so that no cause speaks twice."""

    __tablename__ = "text_out"
    __table_args__ = (
        within_clinic("contact_point_id", "contact_point"),
        UniqueConstraint("clinic_id", "cause", "kind"),
        UniqueConstraint("sid"),
        one_of("state", *TEXT_STATES),
        Index("ix_text_out_state_send_at", "state", "send_at"),
        Index("ix_text_out_state_expires_at", "state", "urgent", "expires_at"),
        Index("ix_text_out_contact_point", "contact_point_id", "created_at"),
        Index("ix_text_out_tag", "tag"),
        Index("ix_text_out_sent_at", "sent_at"),
        Index("ix_text_out_unsettled", "sent_at", sqlite_where=UNSETTLED, postgresql_where=UNSETTLED),
        Index("ix_text_out_id", "id"),
    )
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    contact_point_id: str = Field(max_length=ID)
    patient_id: str | None = Field(default=None, max_length=ID)
    plan_id: str | None = Field(default=None, max_length=ID)
    version_no: int | None = Field(default=None)
    dose_id: str | None = Field(default=None, max_length=ID)
    kind: str = Field(max_length=40)
    cause: str = Field(max_length=120)
    purpose: str = Field(max_length=40)
    template: str = Field(max_length=40)
    language: str = Field(max_length=8)
    fields: str = Field(default="{}", sa_column=Column(Text, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    urgent: bool = Field(default=False)
    state: str = Field(default="queued", max_length=20)
    send_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    attempt: int = Field(default=0)
    tag: str | None = Field(default=None, max_length=ID)
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    looked: int = Field(default=0)
    doubts: int = Field(default=0)
    sid: str | None = Field(default=None, max_length=ID)
    status: str | None = Field(default=None, max_length=20)
    rank: int = Field(default=-1)
    error_code: int | None = Field(default=None)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


class TextItem(SQLModel, table=True):
    """Which doses a text announces, reminds of or corrects: at most one of each kind for a dose, ever."""

    __tablename__ = "text_item"
    __table_args__ = (
        within_clinic("text_id", "text_out"),
        within_clinic("dose_id", "dose"),
        one_of("kind", *ITEM_KINDS),
        Index("ix_text_item_text", "text_id"),
    )
    clinic_id: str = Field(primary_key=True, max_length=ID)
    dose_id: str = Field(primary_key=True, max_length=ID)
    kind: str = Field(primary_key=True, max_length=20)
    text_id: str = Field(max_length=ID)


class TextAttempt(SQLModel, table=True):
    """One try at sending a text, with the tag that travels in its callback address."""

    __tablename__ = "text_attempt"
    __table_args__ = (within_clinic("text_id", "text_out"), UniqueConstraint("tag"), Index("ix_text_attempt_text", "text_id"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    text_id: str = Field(primary_key=True, max_length=ID)
    attempt: int = Field(primary_key=True)
    tag: str = Field(max_length=ID)
    sid: str | None = Field(default=None, max_length=ID)
    outcome: str | None = Field(default=None, max_length=40)
    claimed_at: datetime = Field(sa_type=UtcDateTime)


class Takeover(SQLModel, table=True):
    """A person at the clinic has taken a patient's conversation over, until an instant or until somebody hands it back."""

    __tablename__ = "takeover"
    __table_args__ = (within_clinic("patient_id", "patient"), Index("ix_takeover_patient", "patient_id", "until"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    patient_id: str = Field(max_length=ID)
    by: str = Field(max_length=80)
    began_at: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: str | None = Field(default=None, max_length=80)


class IncomingText(SQLModel, table=True):
    """A text from a person, kept once for ever under the carrier's own id.

    `token` is the carrier's mark of one request and its repeats; `polled`: no webhook brought it, we found it in the carrier's list.
    """

    __tablename__ = "text_in"
    __table_args__ = (
        Index("ix_text_in_from", "from_phone", "received_at"),
        Index("ix_text_in_clinic", "clinic_id", "received_at"),
        Index("ix_text_in_strange", "received_at", sqlite_where=STRANGE, postgresql_where=STRANGE),
    )
    sid: str = Field(primary_key=True, max_length=ID)
    clinic_id: str | None = Field(default=None, max_length=ID)
    contact_point_id: str | None = Field(default=None, max_length=ID)
    from_phone: str = Field(max_length=40)
    to_phone: str = Field(default="", max_length=40)
    body: str = Field(sa_column=Column(Text, nullable=False))
    token: str | None = Field(default=None, max_length=80)
    polled: bool = Field(default=False)
    understood: bool = Field(default=False)
    reading: str = Field(default="", max_length=400)
    received_at: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class Question(SQLModel, table=True):
    """Something a text asked: which phone, which doses, which answers mean what, until when."""

    __tablename__ = "question"
    __table_args__ = (
        within_clinic("contact_point_id", "contact_point"),
        Index("ix_question_open", "contact_point_id", "expires_at"),
        Index("ix_question_text", "text_id"),
        Index("ix_question_id", "id"),
    )
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    contact_point_id: str = Field(max_length=ID)
    patient_id: str = Field(max_length=ID)
    plan_id: str | None = Field(default=None, max_length=ID)
    kind: str = Field(max_length=40)
    text_id: str = Field(max_length=ID)
    doses: str = Field(default="[]", sa_column=Column(Text, nullable=False))
    labels: str = Field(default="{}", sa_column=Column(Text, nullable=False))
    asked_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answer: str | None = Field(default=None, max_length=80)


class CheckIn(SQLModel, table=True):
    """A day on which a plan's patient was asked how it goes, and what was asked: `items`, by comma."""

    __tablename__ = "check_in"
    __table_args__ = (within_clinic("plan_id", "plan"), UniqueConstraint("clinic_id", "plan_id", "local_date"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    plan_id: str = Field(max_length=ID)
    version_no: int
    phase_no: int
    local_date: date
    items: str = Field(max_length=80)
    asked_at: datetime = Field(sa_type=UtcDateTime)


class Rating(SQLModel, table=True):
    """One number that a patient told of how it goes. Only added to; `sid` is the text that told it.

    `item`: a symptom's letter (grade 0 to 3), stiffness (0 to 10), systolic or diastolic (mmHg).
    """

    __tablename__ = "rating"
    __table_args__ = (within_clinic("patient_id", "patient"), Index("ix_rating_patient", "patient_id", "at"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    patient_id: str = Field(max_length=ID)
    item: str = Field(max_length=20)
    value: int
    sid: str = Field(max_length=ID)
    by: str = Field(max_length=20)
    at: datetime = Field(sa_type=UtcDateTime)


class Supply(SQLModel, table=True):
    """What somebody said of a plan's tablets: so many of one strength are there, or came. Only added to; `sid` is the text that told it."""

    __tablename__ = "supply"
    __table_args__ = (within_clinic("plan_id", "plan"), one_of("kind", *TALLY_KINDS), Index("ix_supply_plan", "plan_id", "at"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    plan_id: str = Field(max_length=ID)
    kind: str = Field(max_length=20)
    strength: Decimal = Field(sa_type=ExactDecimal)
    unit: str = Field(max_length=12)
    tablets: int
    sid: str | None = Field(default=None, max_length=ID)
    by: str = Field(max_length=80)
    at: datetime = Field(sa_type=UtcDateTime)


class DeliveryEvent(SQLModel, table=True):
    """A carrier's receipt, kept raw and once for each (sid, status), for ever."""

    __tablename__ = "delivery_event"
    __table_args__ = (Index("ix_delivery_event_tag", "tag"),)
    sid: str = Field(primary_key=True, max_length=ID)
    status: str = Field(primary_key=True, max_length=20)
    tag: str | None = Field(default=None, max_length=ID)
    clinic_id: str | None = Field(default=None, max_length=ID)
    text_id: str | None = Field(default=None, max_length=ID)
    error_code: int | None = Field(default=None)
    token: str | None = Field(default=None, max_length=80)
    received_at: datetime = Field(sa_type=UtcDateTime)


class Stranger(SQLModel, table=True):
    """A number nobody here knows, and when it was last answered: once a day at most. `sid` is the text that was answered."""

    __tablename__ = "stranger"
    __table_args__ = (Index("ix_stranger_answered_at", "answered_at"),)
    phone: str = Field(primary_key=True, max_length=40)
    sid: str = Field(max_length=ID)
    answered_at: datetime = Field(sa_type=UtcDateTime)


class Alert(SQLModel, table=True):
    """Something a person must look at: kind, severity, owner, deadline, acknowledgement. One for each cause.

    `stays`: it tells the provider that its plan stays; while we keep a plan back, one that is open does. `awaits_yes`: the plan stays
    because its next step waits for a provider's yes.
    `call_at` is when it is raised again unless somebody has taken it on by then, and `raised_again` how often it was.
    """

    __tablename__ = "alert"
    __table_args__ = (
        within_clinic("patient_id", "patient"),
        UniqueConstraint("clinic_id", "patient_id", "kind", "cause"),
        one_of("severity", "info", "warning", "urgent", "emergency"),
        Index("ix_alert_open", "clinic_id", "closed_at", "raised_at"),
        Index("ix_alert_plan", "plan_id", "kind"),
        Index("ix_alert_id", "id"),
        Index("ix_alert_call_at", "call_at"),
        Index("ix_alert_patient", "patient_id"),
        Index("ix_alert_patient_open", "patient_id", sqlite_where=OPEN, postgresql_where=OPEN),
    )
    clinic_id: str = Field(primary_key=True, max_length=ID)
    id: str = Field(primary_key=True, max_length=ID)
    patient_id: str = Field(max_length=ID)
    plan_id: str | None = Field(default=None, max_length=ID)
    kind: str = Field(max_length=40)
    severity: str = Field(max_length=20)
    cause: str = Field(max_length=120)
    clinical: bool = Field(default=True)
    stays: bool = Field(default=False)
    awaits_yes: bool = Field(default=False)
    owner: str = Field(default="provider", max_length=80)
    words: str = Field(default="", max_length=400)
    raised_at: datetime = Field(sa_type=UtcDateTime)
    deadline_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    call_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    raised_again: int = Field(default=0)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_by: str | None = Field(default=None, max_length=80)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    close_reason: str | None = Field(default=None, max_length=400)


class Audit(SQLModel, table=True):
    """The audit chain of a clinic: each event carries the hash of the one before. Ids and codes, never message text."""

    __tablename__ = "audit"
    __table_args__ = (ForeignKeyConstraint(["clinic_id"], ["clinic.id"]), Index("ix_audit_subject", "subject"))
    clinic_id: str = Field(primary_key=True, max_length=ID)
    no: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str = Field(max_length=80)
    action: str = Field(max_length=40)
    subject: str = Field(max_length=120)
    detail: str = Field(default="", max_length=400)
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class LoopPass(SQLModel, table=True):
    """When each part of the loop last finished a pass: the only proof of life."""

    __tablename__ = "loop_pass"
    name: str = Field(primary_key=True, max_length=40)
    at: datetime = Field(sa_type=UtcDateTime)


class Sender(SQLModel, table=True):
    """How fast texts may leave by one carrier, shared by every process: its pace, and its rest when the carrier will not take more.

    `paced_until` is when all that was sent so far will have been let through, `ordinary_until` the same of texts that are not
    urgent. `refusals` counts those running, since `taken_at`, when it last took a text.
    """

    __tablename__ = "sender"
    name: str = Field(primary_key=True, max_length=ID)
    paced_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ordinary_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    rests_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    refusals: int = Field(default=0)
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Watermark(SQLModel, table=True):
    """Up to when one of the carrier's lists has been read without a gap (empty: never yet); `failing_since` while it cannot be read."""

    __tablename__ = "watermark"
    name: str = Field(primary_key=True, max_length=ID)
    at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Trouble(SQLModel, table=True):
    """What whoever runs this must know of the whole installation, and no patient is the cause of. Open while `ended_at` is empty."""

    __tablename__ = "trouble"
    name: str = Field(primary_key=True, max_length=2 * ID)
    words: str = Field(max_length=400)
    began_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Quarantine(SQLModel, table=True):
    """A time in which nothing is sent, because the ledger may not know what was: after a backup was restored, say.

    `since` is the start of the gap. `unexplained` counts the carrier's texts that the ledger, brought up to date, still lacks.
    `turn_until`: somebody is reliving the gap, and nobody else may. `ended_why` is the reason of who ended it all the same.
    """

    __tablename__ = "quarantine"
    id: str = Field(primary_key=True, max_length=ID)
    why: str = Field(max_length=400)
    since: datetime = Field(sa_type=UtcDateTime)
    began_at: datetime = Field(sa_type=UtcDateTime)
    reconciled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    found: int = Field(default=0)
    heard: int = Field(default=0)
    unexplained: int = Field(default=0)
    turn_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: str | None = Field(default=None, max_length=80)
    ended_why: str | None = Field(default=None, max_length=400)


class Probe(SQLModel, table=True):
    """A text of the operator's own (number 0, with its `sid`), and the carrier's calls about it, each of which was refused on purpose.

    How often the carrier tries again is what we ask: calls with one `token` are one call and its repeats.
    """

    __tablename__ = "probe"
    tag: str = Field(primary_key=True, max_length=ID)
    no: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    sid: str | None = Field(default=None, max_length=ID, unique=True)
    status: str | None = Field(default=None, max_length=20)
    token: str | None = Field(default=None, max_length=80)


class SandboxClock(SQLModel, table=True):
    """How far the sandbox's clock of this ledger is ahead of the machine's, once it was taken over. Then no text of it may leave."""

    __tablename__ = "sandbox_clock"
    name: str = Field(primary_key=True, max_length=ID)
    ahead_seconds: int
    moved_at: datetime = Field(sa_type=UtcDateTime)


class SandboxStory(SQLModel, table=True):
    """The story file that a clinic of the sandbox began with, whole: its people, and what happened up to `until_at`."""

    __tablename__ = "sandbox_story"
    __table_args__ = (ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),)
    clinic_id: str = Field(primary_key=True, max_length=ID)
    document: str = Field(sa_column=Column(Text, nullable=False))
    until_at: datetime = Field(sa_type=UtcDateTime)


class SandboxEvent(SQLModel, table=True):
    """What was done in the sandbox that no other row tells, as an event of a story file. `sid`: of a text that may not have been heard."""

    __tablename__ = "sandbox_event"
    __table_args__ = (ForeignKeyConstraint(["clinic_id"], ["clinic.id"]),)
    clinic_id: str = Field(primary_key=True, max_length=ID)
    no: int = Field(primary_key=True)
    document: str = Field(sa_column=Column(Text, nullable=False))
    sid: str | None = Field(default=None, max_length=ID)
    at: datetime = Field(sa_type=UtcDateTime)
