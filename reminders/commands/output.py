"""How every command speaks: results on standard output, everything else on standard error, JSON where it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, TypeAlias

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from reminders.as_json.parts import fault_json
from reminders.domain.plan import InvalidPlan
from reminders.errors import BadFile, DoselineError

FAILED = 1
UNREADABLE = 2

SCREEN = Console(highlight=False)
ERRORS = Console(stderr=True, highlight=False)

WIDE = 200  # columns, in a file or a pipe

_JSON = "doseline.json"


def _remember(ctx: typer.Context, value: bool) -> bool:
    ctx.meta[_JSON] = value
    return value


JsonFlag: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.", callback=_remember)]


def print_json(value: object) -> None:
    """Print a value as JSON on standard output: indented for a person, on one line for a program."""
    SCREEN.print(Text(json.dumps(value, indent=2 if SCREEN.is_terminal else None, ensure_ascii=False)), soft_wrap=True)


def print_table(table: RenderableType, *, error: bool = False) -> None:
    """Print a table, on standard error if it only explains; wide where no screen ends."""
    console = ERRORS if error else SCREEN
    wide = console if console.is_terminal else Console(stderr=error, highlight=False, width=WIDE)
    wide.print(table)


@contextmanager
def telling(ctx: typer.Context, *, bad_file: int = FAILED) -> Iterator[None]:
    """Say an error that a person can mend, in words or in JSON, and end with its exit code.

    (What was typed wrong is Typer's to say, and ends with 2.)
    """
    try:
        yield
    except DoselineError as error:
        if ctx.meta.get(_JSON, False):
            print_json(_error_json(error))
        else:
            _say(error)
        raise typer.Exit(bad_file if isinstance(error, BadFile) else FAILED) from error


def _error_json(error: DoselineError) -> dict[str, object]:
    if isinstance(error, BadFile):
        return {"error": "bad file", "faults": [fault_json(fault) for fault in error.faults]}
    fault = error.__cause__
    faults = [{"path": fault.path, "message": fault.message}] if isinstance(fault, InvalidPlan) else []
    return {"error": str(error), "faults": faults}


def _say(error: DoselineError) -> None:
    if not isinstance(error, BadFile):
        ERRORS.print(Text(f"Error: {error}", style="red"), soft_wrap=True)
        return
    many = "1 fault" if len(error.faults) == 1 else f"{len(error.faults)} faults"
    ERRORS.print(Text(f"The file cannot be used: {many}. Nothing was stored.", style="red"), soft_wrap=True)
    for fault in error.faults:
        ERRORS.print(Text.assemble("  ", (fault.path, "bold"), ": " if fault.path else "", fault.message), soft_wrap=True)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far a long work is, on a terminal only, and leave nothing of it behind. Yields what to tell: (done, of)."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=ERRORS, transient=True, disable=not ERRORS.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)
