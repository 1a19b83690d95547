"""Make the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)  # UTC
EXACT = sa.String(40)  # the digits of a decimal


def downgrade() -> None:
    """Refuse: the ledger is never taken apart. The release before runs on these tables too; else restore a backup."""
    raise NotImplementedError("there is no way back from 0001: restore a backup")


def upgrade() -> None:
    """Make the first tables."""
    _clinic()
    _of_the_installation()
    _audit()
    _contact_point()
    _patient()
    _patient_word()
    _staff()
    _staff_role()
    _account()
    _recovery_code()
    _invitation()
    _web_session()
    _sign_in_guard()
    _api_key()
    _api_key_role()
    _api_answer()
    _alert()
    _consent()
    _contact_role()
    _care_grant()
    _care_link()
    _number_check()
    _medicine()
    _on_call()
    _plan()
    _question()
    _rating()
    _text_out()
    _takeover()
    _check_in()
    _supply()
    _dose()
    _plan_event()
    _plan_version()
    _text_attempt()
    _dose_event()
    _plan_stay()
    _text_item()


def _of_the_installation() -> None:
    _delivery_event()
    _loop_pass()
    _probe()
    _quarantine()
    _sandbox_clock()
    _sandbox_event()
    _sandbox_story()
    _sender()
    _stranger()
    _system_admin()
    _text_in()
    _trouble()
    _watermark()


def _clinic() -> None:
    op.create_table(
        "clinic",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("phone", sa.String(20), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("opens_at", sa.Time(), nullable=False),
        sa.Column("closes_at", sa.Time(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic")),
    )


def _delivery_event() -> None:
    op.create_table(
        "delivery_event",
        sa.Column("sid", sa.String(40), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("tag", sa.String(40), nullable=True),
        sa.Column("clinic_id", sa.String(40), nullable=True),
        sa.Column("text_id", sa.String(40), nullable=True),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("token", sa.String(80), nullable=True),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("sid", "status", name=op.f("pk_delivery_event")),
    )
    op.create_index("ix_delivery_event_tag", "delivery_event", ["tag"], unique=False)


def _loop_pass() -> None:
    op.create_table(
        "loop_pass",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_loop_pass")),
    )


def _probe() -> None:
    op.create_table(
        "probe",
        sa.Column("tag", sa.String(40), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("sid", sa.String(40), nullable=True),
        sa.Column("status", sa.String(20), nullable=True),
        sa.Column("token", sa.String(80), nullable=True),
        sa.PrimaryKeyConstraint("tag", "no", name=op.f("pk_probe")),
        sa.UniqueConstraint("sid", name=op.f("uq_probe_sid")),
    )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("why", sa.String(400), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("reconciled_at", INSTANT, nullable=True),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("heard", sa.Integer(), nullable=False),
        sa.Column("unexplained", sa.Integer(), nullable=False),
        sa.Column("turn_until", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", sa.String(80), nullable=True),
        sa.Column("ended_why", sa.String(400), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )


def _sandbox_clock() -> None:
    op.create_table(
        "sandbox_clock",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("ahead_seconds", sa.Integer(), nullable=False),
        sa.Column("moved_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sandbox_clock")),
    )


def _sandbox_event() -> None:
    op.create_table(
        "sandbox_event",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("sid", sa.String(40), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_sandbox_event_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "no", name=op.f("pk_sandbox_event")),
    )


def _sandbox_story() -> None:
    op.create_table(
        "sandbox_story",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("until_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_sandbox_story_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", name=op.f("pk_sandbox_story")),
    )


def _sender() -> None:
    op.create_table(
        "sender",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("paced_until", INSTANT, nullable=True),
        sa.Column("ordinary_until", INSTANT, nullable=True),
        sa.Column("rests_until", INSTANT, nullable=True),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("taken_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sender")),
    )


def _stranger() -> None:
    op.create_table(
        "stranger",
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("sid", sa.String(40), nullable=False),
        sa.Column("answered_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("phone", name=op.f("pk_stranger")),
    )
    op.create_index("ix_stranger_answered_at", "stranger", ["answered_at"], unique=False)


def _system_admin() -> None:
    op.create_table(
        "system_admin",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("login", sa.String(80), nullable=True),
        sa.Column("password_hash", sa.String(200), nullable=True),
        sa.Column("totp_secret", sa.String(64), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=True),
        sa.Column("recovery", sa.String(800), nullable=False),
        sa.Column("link_hash", sa.String(64), nullable=True),
        sa.Column("link_secret", sa.String(64), nullable=True),
        sa.Column("link_until", INSTANT, nullable=True),
        sa.Column("session_hash", sa.String(64), nullable=True),
        sa.Column("session_began_at", INSTANT, nullable=True),
        sa.Column("session_seen_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_admin")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_system_admin_link_hash")),
        sa.UniqueConstraint("login", name=op.f("uq_system_admin_login")),
        sa.UniqueConstraint("name", name=op.f("uq_system_admin_name")),
        sa.UniqueConstraint("session_hash", name=op.f("uq_system_admin_session_hash")),
    )


def _text_in() -> None:
    op.create_table(
        "text_in",
        sa.Column("sid", sa.String(40), nullable=False),
        sa.Column("clinic_id", sa.String(40), nullable=True),
        sa.Column("contact_point_id", sa.String(40), nullable=True),
        sa.Column("from_phone", sa.String(40), nullable=False),
        sa.Column("to_phone", sa.String(40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("token", sa.String(80), nullable=True),
        sa.Column("polled", sa.Boolean(), nullable=False),
        sa.Column("understood", sa.Boolean(), nullable=False),
        sa.Column("reading", sa.String(400), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_text_in")),
    )
    op.create_index("ix_text_in_clinic", "text_in", ["clinic_id", "received_at"], unique=False)
    op.create_index("ix_text_in_from", "text_in", ["from_phone", "received_at"], unique=False)
    op.create_index(
        "ix_text_in_strange",
        "text_in",
        ["received_at"],
        unique=False,
        sqlite_where=sa.text("clinic_id IS NULL AND from_phone <> ''"),
        postgresql_where=sa.text("clinic_id IS NULL AND from_phone <> ''"),
    )


def _trouble() -> None:
    op.create_table(
        "trouble",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("words", sa.String(400), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_trouble")),
    )


def _watermark() -> None:
    op.create_table(
        "watermark",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("at", INSTANT, nullable=True),
        sa.Column("failing_since", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watermark")),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("detail", sa.String(400), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_audit_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "no", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"], unique=False)


def _contact_point() -> None:
    op.create_table(
        "contact_point",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("phone", sa.String(20), nullable=False),
        sa.Column("phone_end", sa.String(4), nullable=False),
        sa.Column("verified_at", INSTANT, nullable=True),
        sa.Column("opted_out_at", INSTANT, nullable=True),
        sa.Column("unusable_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_contact_point_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_contact_point")),
        sa.UniqueConstraint("clinic_id", "phone", name=op.f("uq_contact_point_clinic_id_phone")),
    )
    op.create_index("ix_contact_point_id", "contact_point", ["id"], unique=False)
    op.create_index("ix_contact_point_phone", "contact_point", ["phone"], unique=False)
    op.create_index("ix_contact_point_phone_end", "contact_point", ["clinic_id", "phone_end"], unique=False)


def _patient() -> None:
    op.create_table(
        "patient",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("ref", sa.String(80), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("wording", sa.String(20), nullable=False),
        sa.Column("alcohol", sa.String(20), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=True),
        sa.Column("kidney", EXACT, nullable=True),
        sa.Column("kidney_weak", sa.Boolean(), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=False),
        sa.Column("quiet_until", sa.Time(), nullable=False),
        sa.Column("next_due_at", INSTANT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("severity_rank", sa.Integer(), nullable=False),
        sa.Column("grave_since", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("wording IN ('discreet', 'amount', 'full')", name=op.f("ck_patient_wording")),
        sa.CheckConstraint("alcohol IN ('unknown', 'none', 'some')", name=op.f("ck_patient_alcohol")),
        sa.CheckConstraint("severity_rank BETWEEN 0 AND 4", name=op.f("ck_patient_severity_rank")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_patient_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_patient")),
        sa.UniqueConstraint("clinic_id", "ref", name=op.f("uq_patient_clinic_id_ref")),
    )
    op.create_index("ix_patient_id", "patient", ["id"], unique=False)
    op.create_index("ix_patient_next_due_at", "patient", ["next_due_at"], unique=False)
    grave, calm = sa.text("severity_rank < 4"), sa.text("severity_rank = 4")
    op.create_index("ix_patient_calm", "patient", ["clinic_id", "name", "id"], unique=False, sqlite_where=calm, postgresql_where=calm)
    order = ["clinic_id", "severity_rank", "grave_since", "name", "id"]
    op.create_index("ix_patient_grave", "patient", order, unique=False, sqlite_where=grave, postgresql_where=grave)


def _patient_word() -> None:
    op.create_table(
        "patient_word",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("word", sa.String(80).with_variant(sa.String(80, collation="C"), "postgresql"), nullable=False),
        sa.Column("patient_id", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"], ["patient.clinic_id", "patient.id"], name=op.f("fk_patient_word_clinic_id_patient_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "word", "patient_id", name=op.f("pk_patient_word")),
    )
    op.create_index("ix_patient_word_patient", "patient_word", ["patient_id"], unique=False)


def _staff() -> None:
    op.create_table(
        "staff",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_staff_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_staff")),
        sa.UniqueConstraint("clinic_id", "name", name=op.f("uq_staff_clinic_id_name")),
    )


def _staff_role() -> None:
    op.create_table(
        "staff_role",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("staff_id", sa.String(40), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.CheckConstraint("role IN ('provider', 'staff', 'admin')", name=op.f("ck_staff_role_role")),
        sa.ForeignKeyConstraint(["clinic_id", "staff_id"], ["staff.clinic_id", "staff.id"], name=op.f("fk_staff_role_clinic_id_staff_id")),
        sa.PrimaryKeyConstraint("clinic_id", "staff_id", "role", name=op.f("pk_staff_role")),
    )


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("staff_id", sa.String(40), nullable=False),
        sa.Column("login", sa.String(80), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("totp_secret", sa.String(64), nullable=False),
        sa.Column("totp_step", sa.Integer(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id", "staff_id"], ["staff.clinic_id", "staff.id"], name=op.f("fk_account_clinic_id_staff_id")),
        sa.PrimaryKeyConstraint("clinic_id", "staff_id", name=op.f("pk_account")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
    )


def _recovery_code() -> None:
    op.create_table(
        "recovery_code",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("staff_id", sa.String(40), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "staff_id"], ["staff.clinic_id", "staff.id"], name=op.f("fk_recovery_code_clinic_id_staff_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "staff_id", "code_hash", name=op.f("pk_recovery_code")),
    )


def _invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("clinic_id", sa.String(40), nullable=True),
        sa.Column("staff_id", sa.String(40), nullable=True),
        sa.Column("totp_secret", sa.String(64), nullable=False),
        sa.Column("new_device", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.CheckConstraint("(clinic_id IS NULL) = (staff_id IS NULL)", name=op.f("ck_invitation_whose")),
        sa.ForeignKeyConstraint(["clinic_id", "staff_id"], ["staff.clinic_id", "staff.id"], name=op.f("fk_invitation_clinic_id_staff_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_invitation")),
    )


def _web_session() -> None:
    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("staff_id", sa.String(40), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id", "staff_id"], ["staff.clinic_id", "staff.id"], name=op.f("fk_web_session_clinic_id_staff_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_session")),
    )
    op.create_index("ix_web_session_created_at", "web_session", ["created_at"], unique=False)
    op.create_index("ix_web_session_seen_at", "web_session", ["seen_at"], unique=False)
    op.create_index("ix_web_session_staff_id", "web_session", ["staff_id"], unique=False)


def _sign_in_guard() -> None:
    op.create_table(
        "sign_in_guard",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("tries", sa.Text(), nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_guard")),
    )
    op.create_index("ix_sign_in_guard_last_at", "sign_in_guard", ["last_at"], unique=False)


def _api_key() -> None:
    op.create_table(
        "api_key",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("staff_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", sa.String(80), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id", "staff_id"], ["staff.clinic_id", "staff.id"], name=op.f("fk_api_key_clinic_id_staff_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
    )
    op.create_index("ix_api_key_staff_id", "api_key", ["staff_id"], unique=False)


def _api_key_role() -> None:
    op.create_table(
        "api_key_role",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("key_id", sa.String(40), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.CheckConstraint("role IN ('provider', 'staff', 'admin')", name=op.f("ck_api_key_role_role")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "key_id"], ["api_key.clinic_id", "api_key.id"], name=op.f("fk_api_key_role_clinic_id_key_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "key_id", "role", name=op.f("pk_api_key_role")),
    )


def _api_answer() -> None:
    op.create_table(
        "api_answer",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("key_id", sa.String(40), nullable=False),
        sa.Column("mark_hash", sa.String(64), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("begun_at", INSTANT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id", "key_id"], ["api_key.clinic_id", "api_key.id"], name=op.f("fk_api_answer_clinic_id_key_id")),
        sa.PrimaryKeyConstraint("clinic_id", "key_id", "mark_hash", name=op.f("pk_api_answer")),
    )
    op.create_index("ix_api_answer_begun_at", "api_answer", ["begun_at"], unique=False)


def _alert() -> None:
    op.create_table(
        "alert",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("patient_id", sa.String(40), nullable=False),
        sa.Column("plan_id", sa.String(40), nullable=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("cause", sa.String(120), nullable=False),
        sa.Column("clinical", sa.Boolean(), nullable=False),
        sa.Column("stays", sa.Boolean(), nullable=False),
        sa.Column("awaits_yes", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("words", sa.String(400), nullable=False),
        sa.Column("raised_at", INSTANT, nullable=False),
        sa.Column("deadline_at", INSTANT, nullable=True),
        sa.Column("call_at", INSTANT, nullable=True),
        sa.Column("raised_again", sa.Integer(), nullable=False),
        sa.Column("acknowledged_at", INSTANT, nullable=True),
        sa.Column("acknowledged_by", sa.String(80), nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("close_reason", sa.String(400), nullable=True),
        sa.CheckConstraint("severity IN ('info', 'warning', 'urgent', 'emergency')", name=op.f("ck_alert_severity")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"], ["patient.clinic_id", "patient.id"], name=op.f("fk_alert_clinic_id_patient_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_alert")),
        sa.UniqueConstraint("clinic_id", "patient_id", "kind", "cause", name=op.f("uq_alert_clinic_id_patient_id_kind_cause")),
    )
    op.create_index("ix_alert_call_at", "alert", ["call_at"], unique=False)
    op.create_index("ix_alert_id", "alert", ["id"], unique=False)
    op.create_index("ix_alert_open", "alert", ["clinic_id", "closed_at", "raised_at"], unique=False)
    op.create_index("ix_alert_patient", "alert", ["patient_id"], unique=False)
    is_open = sa.text("closed_at IS NULL")
    op.create_index("ix_alert_patient_open", "alert", ["patient_id"], unique=False, sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("ix_alert_plan", "alert", ["plan_id", "kind"], unique=False)


def _consent() -> None:
    op.create_table(
        "consent",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("contact_point_id", sa.String(40), nullable=False),
        sa.Column("patient_id", sa.String(40), nullable=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("given_by", sa.String(80), nullable=False),
        sa.Column("wording_version", sa.String(80), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("message_sid", sa.String(40), nullable=True),
        sa.Column("recorded_by", sa.String(80), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.CheckConstraint("kind IN ('given', 'revoked', 'restored')", name=op.f("ck_consent_kind")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_point_id"],
            ["contact_point.clinic_id", "contact_point.id"],
            name=op.f("fk_consent_clinic_id_contact_point_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"], ["patient.clinic_id", "patient.id"], name=op.f("fk_consent_clinic_id_patient_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_contact_point", "consent", ["contact_point_id"], unique=False)


def _contact_role() -> None:
    op.create_table(
        "contact_role",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("contact_point_id", sa.String(40), nullable=False),
        sa.Column("patient_id", sa.String(40), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("ref", sa.String(80), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("relationship", sa.String(40), nullable=False),
        sa.Column("after_misses", sa.Integer(), nullable=True),
        sa.Column("unproved", sa.Boolean(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint("role IN ('patient', 'proxy', 'caregiver')", name=op.f("ck_contact_role_role")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_point_id"],
            ["contact_point.clinic_id", "contact_point.id"],
            name=op.f("fk_contact_role_clinic_id_contact_point_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"], ["patient.clinic_id", "patient.id"], name=op.f("fk_contact_role_clinic_id_patient_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_contact_role")),
    )
    op.create_index("ix_contact_role_contact_point", "contact_role", ["contact_point_id"], unique=False)
    op.create_index("ix_contact_role_patient", "contact_role", ["patient_id"], unique=False)
    op.create_index(
        "uq_contact_role_of_now",
        "contact_role",
        ["clinic_id", "contact_point_id", "patient_id", "role"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _care_grant() -> None:
    op.create_table(
        "care_grant",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("contact_role_id", sa.String(40), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("sees", sa.String(20), nullable=False),
        sa.Column("answers", sa.Boolean(), nullable=False),
        sa.Column("agreed_by", sa.String(80), nullable=False),
        sa.Column("agreed_at", INSTANT, nullable=False),
        sa.Column("noted_by", sa.String(80), nullable=False),
        sa.Column("noted_at", INSTANT, nullable=False),
        sa.CheckConstraint("sees IN ('alerts', 'today', 'strip')", name=op.f("ck_care_grant_sees")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_role_id"],
            ["contact_role.clinic_id", "contact_role.id"],
            name=op.f("fk_care_grant_clinic_id_contact_role_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "contact_role_id", "no", name=op.f("pk_care_grant")),
    )
    op.create_index("ix_care_grant_contact_role", "care_grant", ["contact_role_id"], unique=False)


def _care_link() -> None:
    op.create_table(
        "care_link",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("contact_role_id", sa.String(40), nullable=False),
        sa.Column("contact_point_id", sa.String(40), nullable=False),
        sa.Column("patient_id", sa.String(40), nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_point_id"],
            ["contact_point.clinic_id", "contact_point.id"],
            name=op.f("fk_care_link_clinic_id_contact_point_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_role_id"],
            ["contact_role.clinic_id", "contact_role.id"],
            name=op.f("fk_care_link_clinic_id_contact_role_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"], ["patient.clinic_id", "patient.id"], name=op.f("fk_care_link_clinic_id_patient_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_care_link")),
    )
    op.create_index("ix_care_link_contact_point", "care_link", ["contact_point_id"], unique=False)
    op.create_index("ix_care_link_contact_role", "care_link", ["contact_role_id"], unique=False)
    op.create_index("ix_care_link_expires_at", "care_link", ["expires_at"], unique=False)


def _number_check() -> None:
    op.create_table(
        "number_check",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("contact_point_id", sa.String(40), nullable=False),
        sa.Column("patient_id", sa.String(40), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("text_id", sa.String(40), nullable=False),
        sa.Column("asked_by", sa.String(80), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("proved_at", INSTANT, nullable=True),
        sa.Column("proved_by", sa.String(80), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_point_id"],
            ["contact_point.clinic_id", "contact_point.id"],
            name=op.f("fk_number_check_clinic_id_contact_point_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"], ["patient.clinic_id", "patient.id"], name=op.f("fk_number_check_clinic_id_patient_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_number_check")),
    )
    op.create_index("ix_number_check_contact_point", "number_check", ["contact_point_id", "asked_at"], unique=False)


def _medicine() -> None:
    op.create_table(
        "medicine",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("patient_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.Column("removed_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"], ["patient.clinic_id", "patient.id"], name=op.f("fk_medicine_clinic_id_patient_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_medicine")),
    )
    op.create_index("ix_medicine_patient", "medicine", ["patient_id"], unique=False)


def _on_call() -> None:
    op.create_table(
        "on_call",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("contact_point_id", sa.String(40), nullable=False),
        sa.Column("agreed_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_on_call_clinic_id")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_point_id"],
            ["contact_point.clinic_id", "contact_point.id"],
            name=op.f("fk_on_call_clinic_id_contact_point_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", name=op.f("pk_on_call")),
    )


def _plan() -> None:
    op.create_table(
        "plan",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("patient_id", sa.String(40), nullable=False),
        sa.Column("ref", sa.String(80), nullable=False),
        sa.Column("drug", sa.String(80), nullable=False),
        sa.Column("ingredient", sa.String(80), nullable=False),
        sa.Column("label", sa.String(40), nullable=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("state_before", sa.String(20), nullable=True),
        sa.Column("reason", sa.String(400), nullable=True),
        sa.Column("approved_by", sa.String(80), nullable=False),
        sa.Column("decided_until", INSTANT, nullable=False),
        sa.Column("next_due_at", INSTANT, nullable=True),
        sa.Column("step_check_at", INSTANT, nullable=True),
        sa.Column("step_stage", sa.String(20), nullable=True),
        sa.Column("recount_at", INSTANT, nullable=True),
        sa.Column("check_in_at", INSTANT, nullable=True),
        sa.Column("checked_in_on", sa.Date(), nullable=True),
        sa.Column("supply_check_at", INSTANT, nullable=True),
        sa.Column("labs_due_at", INSTANT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("set_aside_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'approved', 'active', 'staying', 'muted', 'suspended', 'completed', 'stopped')", name=op.f("ck_plan_state")
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"], ["patient.clinic_id", "patient.id"], name=op.f("fk_plan_clinic_id_patient_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_plan")),
        sa.UniqueConstraint("clinic_id", "ref", name=op.f("uq_plan_clinic_id_ref")),
    )
    op.create_index("ix_plan_check_in_at", "plan", ["check_in_at"], unique=False)
    op.create_index("ix_plan_supply_check_at", "plan", ["supply_check_at"], unique=False)
    op.create_index("ix_plan_labs_due_at", "plan", ["labs_due_at"], unique=False)
    op.create_index("ix_plan_id", "plan", ["id"], unique=False)
    op.create_index("ix_plan_next_due_at", "plan", ["next_due_at"], unique=False)
    op.create_index("ix_plan_drug", "plan", ["clinic_id", "drug", "patient_id"], unique=False)
    op.create_index("ix_plan_patient", "plan", ["patient_id"], unique=False)
    op.create_index("ix_plan_state", "plan", ["clinic_id", "state", "drug", "patient_id"], unique=False)
    op.create_index("ix_plan_recount_at", "plan", ["recount_at"], unique=False)
    op.create_index("ix_plan_step_check_at", "plan", ["step_check_at"], unique=False)


def _question() -> None:
    op.create_table(
        "question",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("contact_point_id", sa.String(40), nullable=False),
        sa.Column("patient_id", sa.String(40), nullable=False),
        sa.Column("plan_id", sa.String(40), nullable=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("text_id", sa.String(40), nullable=False),
        sa.Column("doses", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answer", sa.String(80), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_point_id"],
            ["contact_point.clinic_id", "contact_point.id"],
            name=op.f("fk_question_clinic_id_contact_point_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_question")),
    )
    op.create_index("ix_question_id", "question", ["id"], unique=False)
    op.create_index("ix_question_open", "question", ["contact_point_id", "expires_at"], unique=False)
    op.create_index("ix_question_text", "question", ["text_id"], unique=False)


def _rating() -> None:
    op.create_table(
        "rating",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("patient_id", sa.String(40), nullable=False),
        sa.Column("item", sa.String(20), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("sid", sa.String(40), nullable=False),
        sa.Column("by", sa.String(20), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"], ["patient.clinic_id", "patient.id"], name=op.f("fk_rating_clinic_id_patient_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_rating")),
    )
    op.create_index("ix_rating_patient", "rating", ["patient_id", "at"], unique=False)


def _takeover() -> None:
    op.create_table(
        "takeover",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("patient_id", sa.String(40), nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", sa.String(80), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patient.clinic_id", "patient.id"],
            name=op.f("fk_takeover_clinic_id_patient_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_takeover")),
    )
    op.create_index("ix_takeover_patient", "takeover", ["patient_id", "until"], unique=False)


def _text_out() -> None:
    op.create_table(
        "text_out",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("contact_point_id", sa.String(40), nullable=False),
        sa.Column("patient_id", sa.String(40), nullable=True),
        sa.Column("plan_id", sa.String(40), nullable=True),
        sa.Column("version_no", sa.Integer(), nullable=True),
        sa.Column("dose_id", sa.String(40), nullable=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("cause", sa.String(120), nullable=False),
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("template", sa.String(40), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("send_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(40), nullable=True),
        sa.Column("claimed_at", INSTANT, nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("looked", sa.Integer(), nullable=False),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("sid", sa.String(40), nullable=True),
        sa.Column("status", sa.String(20), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'unknown', 'accepted', 'failed', 'not_sent', 'expired', 'cancelled')",
            name=op.f("ck_text_out_state"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_point_id"],
            ["contact_point.clinic_id", "contact_point.id"],
            name=op.f("fk_text_out_clinic_id_contact_point_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_text_out")),
        sa.UniqueConstraint("clinic_id", "cause", "kind", name=op.f("uq_text_out_clinic_id_cause_kind")),
        sa.UniqueConstraint("sid", name=op.f("uq_text_out_sid")),
    )
    op.create_index("ix_text_out_contact_point", "text_out", ["contact_point_id", "created_at"], unique=False)
    op.create_index("ix_text_out_id", "text_out", ["id"], unique=False)
    op.create_index("ix_text_out_sent_at", "text_out", ["sent_at"], unique=False)
    op.create_index("ix_text_out_state_expires_at", "text_out", ["state", "urgent", "expires_at"], unique=False)
    op.create_index("ix_text_out_state_send_at", "text_out", ["state", "send_at"], unique=False)
    op.create_index("ix_text_out_tag", "text_out", ["tag"], unique=False)
    op.create_index(
        "ix_text_out_unsettled",
        "text_out",
        ["sent_at"],
        unique=False,
        sqlite_where=sa.text("rank < 3 AND sid IS NOT NULL"),
        postgresql_where=sa.text("rank < 3 AND sid IS NOT NULL"),
    )


def _check_in() -> None:
    op.create_table(
        "check_in",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("plan_id", sa.String(40), nullable=False),
        sa.Column("version_no", sa.Integer(), nullable=False),
        sa.Column("phase_no", sa.Integer(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("items", sa.String(80), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id", "plan_id"], ["plan.clinic_id", "plan.id"], name=op.f("fk_check_in_clinic_id_plan_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_check_in")),
        sa.UniqueConstraint("clinic_id", "plan_id", "local_date", name=op.f("uq_check_in_clinic_id_plan_id_local_date")),
    )


def _supply() -> None:
    op.create_table(
        "supply",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("plan_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("strength", EXACT, nullable=False),
        sa.Column("unit", sa.String(12), nullable=False),
        sa.Column("tablets", sa.Integer(), nullable=False),
        sa.Column("sid", sa.String(40), nullable=True),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.CheckConstraint("kind IN ('counted', 'added')", name=op.f("ck_supply_kind")),
        sa.ForeignKeyConstraint(["clinic_id", "plan_id"], ["plan.clinic_id", "plan.id"], name=op.f("fk_supply_clinic_id_plan_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_supply")),
    )
    op.create_index("ix_supply_plan", "supply", ["plan_id", "at"], unique=False)


def _dose() -> None:
    op.create_table(
        "dose",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("plan_id", sa.String(40), nullable=False),
        sa.Column("patient_id", sa.String(40), nullable=False),
        sa.Column("version_no", sa.Integer(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("slot_no", sa.Integer(), nullable=False),
        sa.Column("local_time", sa.Time(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("amount", EXACT, nullable=False),
        sa.Column("unit", sa.String(12), nullable=False),
        sa.Column("phase_no", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(80), nullable=True),
        sa.Column("taken_at", INSTANT, nullable=True),
        sa.Column("taken_by", INSTANT, nullable=True),
        sa.Column("recalled", sa.Boolean(), nullable=False),
        sa.Column("muted", sa.Boolean(), nullable=False),
        sa.Column("unverified", sa.Boolean(), nullable=False),
        sa.Column("odd", sa.Boolean(), nullable=False),
        sa.Column("contradicted", sa.Boolean(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("announced_at", INSTANT, nullable=True),
        sa.Column("offered_until", INSTANT, nullable=True),
        sa.Column("announce_until", INSTANT, nullable=False),
        sa.Column("take_until", INSTANT, nullable=True),
        sa.Column("silent_at", INSTANT, nullable=False),
        sa.Column("answer_until", INSTANT, nullable=False),
        sa.Column("nudge_at", INSTANT, nullable=True),
        sa.Column("check_at", INSTANT, nullable=True),
        sa.Column("unheard_until", INSTANT, nullable=True),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'open', 'taken', 'skipped', 'missed', 'unconfirmed', 'not_reminded', 'not_due')",
            name=op.f("ck_dose_state"),
        ),
        sa.CheckConstraint("slot_no >= 1", name=op.f("ck_dose_slot_no")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"], ["patient.clinic_id", "patient.id"], name=op.f("fk_dose_clinic_id_patient_id")
        ),
        sa.ForeignKeyConstraint(["clinic_id", "plan_id"], ["plan.clinic_id", "plan.id"], name=op.f("fk_dose_clinic_id_plan_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_dose")),
        sa.UniqueConstraint("clinic_id", "plan_id", "local_date", "slot_no", name=op.f("uq_dose_clinic_id_plan_id_local_date_slot_no")),
    )
    op.create_index("ix_dose_changed_at", "dose", ["changed_at"], unique=False)
    op.create_index("ix_dose_check_at", "dose", ["check_at"], unique=False)
    op.create_index("ix_dose_id", "dose", ["id"], unique=False)
    op.create_index("ix_dose_patient_due_at", "dose", ["patient_id", "due_at"], unique=False)
    op.create_index("ix_dose_plan_due_at", "dose", ["plan_id", "due_at"], unique=False)
    op.create_index(
        "ix_dose_unheard_until",
        "dose",
        ["unheard_until"],
        unique=False,
        sqlite_where=sa.text("unheard_until IS NOT NULL"),
        postgresql_where=sa.text("unheard_until IS NOT NULL"),
    )


def _plan_event() -> None:
    op.create_table(
        "plan_event",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("plan_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("phase_no", sa.Integer(), nullable=True),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("reason", sa.String(400), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id", "plan_id"], ["plan.clinic_id", "plan.id"], name=op.f("fk_plan_event_clinic_id_plan_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_plan_event")),
    )
    op.create_index("ix_plan_event_plan", "plan_event", ["plan_id", "at"], unique=False)


def _plan_version() -> None:
    op.create_table(
        "plan_version",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("plan_id", sa.String(40), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_hash", sa.String(64), nullable=False),
        sa.Column("effective_at", INSTANT, nullable=False),
        sa.Column("first_at", INSTANT, nullable=True),
        sa.Column("used", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.String(80), nullable=False),
        sa.Column("approved_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id", "plan_id"], ["plan.clinic_id", "plan.id"], name=op.f("fk_plan_version_clinic_id_plan_id")),
        sa.PrimaryKeyConstraint("clinic_id", "plan_id", "no", name=op.f("pk_plan_version")),
    )
    op.create_index("ix_plan_version_plan", "plan_version", ["plan_id"], unique=False)


def _text_attempt() -> None:
    op.create_table(
        "text_attempt",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("text_id", sa.String(40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(40), nullable=False),
        sa.Column("sid", sa.String(40), nullable=True),
        sa.Column("outcome", sa.String(40), nullable=True),
        sa.Column("claimed_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "text_id"], ["text_out.clinic_id", "text_out.id"], name=op.f("fk_text_attempt_clinic_id_text_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "text_id", "attempt", name=op.f("pk_text_attempt")),
        sa.UniqueConstraint("tag", name=op.f("uq_text_attempt_tag")),
    )
    op.create_index("ix_text_attempt_text", "text_attempt", ["text_id"], unique=False)


def _dose_event() -> None:
    op.create_table(
        "dose_event",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("dose_id", sa.String(40), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("text_id", sa.String(40), nullable=True),
        sa.Column("taken_at", INSTANT, nullable=True),
        sa.Column("taken_by", INSTANT, nullable=True),
        sa.Column("why", sa.String(400), nullable=True),
        sa.Column("by", sa.String(80), nullable=True),
        sa.Column("state", sa.String(20), nullable=True),
        sa.Column("recalled", sa.Boolean(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id", "dose_id"], ["dose.clinic_id", "dose.id"], name=op.f("fk_dose_event_clinic_id_dose_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_dose_event")),
    )
    op.create_index("ix_dose_event_dose", "dose_event", ["dose_id"], unique=False)


def _plan_stay() -> None:
    op.create_table(
        "plan_stay",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("plan_id", sa.String(40), nullable=False),
        sa.Column("version_no", sa.Integer(), nullable=False),
        sa.Column("phase_no", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("extra_days", sa.Integer(), nullable=True),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "plan_id", "version_no"],
            ["plan_version.clinic_id", "plan_version.plan_id", "plan_version.no"],
            name=op.f("fk_plan_stay_clinic_id_plan_id_version_no"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_plan_stay")),
    )
    op.create_index("ix_plan_stay_plan", "plan_stay", ["plan_id"], unique=False)


def _text_item() -> None:
    op.create_table(
        "text_item",
        sa.Column("clinic_id", sa.String(40), nullable=False),
        sa.Column("dose_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("text_id", sa.String(40), nullable=False),
        sa.CheckConstraint("kind IN ('reminder', 'resend', 'nudge', 'correction')", name=op.f("ck_text_item_kind")),
        sa.ForeignKeyConstraint(["clinic_id", "dose_id"], ["dose.clinic_id", "dose.id"], name=op.f("fk_text_item_clinic_id_dose_id")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "text_id"], ["text_out.clinic_id", "text_out.id"], name=op.f("fk_text_item_clinic_id_text_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "dose_id", "kind", name=op.f("pk_text_item")),
    )
    op.create_index("ix_text_item_text", "text_item", ["text_id"], unique=False)
