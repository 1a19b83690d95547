"""The console script `doseline`: one application, its commands in `reminders/commands`, a module each."""

from __future__ import annotations

import typer

from reminders.commands import (
    audit_command,
    backup_commands,
    care_commands,
    caregiver_commands,
    demo_commands,
    doctor_command,
    drug_commands,
    import_command,
    key_commands,
    list_commands,
    phone_commands,
    plan_commands,
    quarantine_commands,
    serve_command,
    staff_commands,
    supply_commands,
    system_commands,
)

app = typer.Typer(
    name="doseline",
    help="Texts patients their doses while a drug is being stepped up, kept or tapered off.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # a traceback must not print a patient
)
app.callback()(drug_commands.stock)
app.command("serve")(serve_command.serve)
app.command("migrate")(serve_command.migrate_)
app.command("doctor")(doctor_command.doctor)
app.command("backup")(backup_commands.backup)
app.command("restore")(backup_commands.restore)
app.add_typer(quarantine_commands.app, name="quarantine")
app.add_typer(audit_command.app, name="audit")
app.command("demo")(demo_commands.demo)
app.command("import")(import_command.import_)
app.add_typer(plan_commands.app, name="plan")
app.command("act")(care_commands.act)
app.command("correct")(care_commands.correct)
app.command("edit")(care_commands.edit)
app.add_typer(drug_commands.app, name="drugs")
app.add_typer(supply_commands.app, name="supply")
app.add_typer(staff_commands.app, name="staff")
app.add_typer(caregiver_commands.app, name="caregiver")
app.add_typer(system_commands.app, name="system")
app.add_typer(key_commands.app, name="key")
app.command("simulate")(demo_commands.simulate)
app.command("texts")(phone_commands.texts)
app.command("reply")(phone_commands.reply)
app.command("jobs")(list_commands.jobs)
app.command("alerts")(list_commands.alerts)
app.add_typer(list_commands.export, name="export")


def main() -> None:
    """Run the command that was typed."""
    app(prog_name="doseline")
