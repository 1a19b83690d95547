"""`doseline import`: patients, caregivers, consents and plans from a file, all or nothing."""

from __future__ import annotations

import typer
from rich.text import Text

from reminders.as_json.imports import imported_json
from reminders.commands.ledger import now_of, the_ledger
from reminders.commands.output import ERRORS, SCREEN, JsonFlag, print_json, progress_bar, telling
from reminders.commands.typed import FileArgument, read_file
from reminders.errors import Fault
from reminders.services.importing import Imported, import_file


def import_(ctx: typer.Context, file: FileArgument, *, as_json: JsonFlag = False) -> None:
    """Import patients, caregivers, consents and plans: all of the file, or nothing of it, each fault with its path."""
    with telling(ctx):
        data = read_file(file)
        with the_ledger() as engine, progress_bar("Importing patients") as told:
            imported = import_file(engine, data, now=now_of(engine), progress=told)
        if as_json:
            print_json(imported_json(imported))
        else:
            _show(imported)


def _show(imported: Imported) -> None:
    for warning in imported.warnings:
        ERRORS.print(_warning(warning), soft_wrap=True)
    counts = {name: getattr(imported, name) for name in ("patients", "caregivers", "consents", "medicines", "plans")}
    stored = ", ".join(f"{count} {name if count != 1 else name.removesuffix('s')}" for name, count in counts.items())
    SCREEN.print(Text(f"Stored in clinic {imported.clinic}: {stored}."), soft_wrap=True)


def _warning(warning: Fault) -> Text:
    return Text.assemble(("Look at ", "yellow"), (warning.path, "bold"), ": ", warning.message)
