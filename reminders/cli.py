"""The console script `doseline`: one application, its commands in `reminders/commands`, a module each."""

from __future__ import annotations

import typer

from reminders.commands import import_command, plan_commands

app = typer.Typer(
    name="doseline",
    help="Texts patients their doses while a drug is being stepped up, kept or tapered off.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # a traceback must not print a patient
)
app.add_typer(plan_commands.app, name="plan")
app.command("import")(import_command.import_)


def main() -> None:
    """Run the command that was typed."""
    app(prog_name="doseline")
