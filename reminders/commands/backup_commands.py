"""`doseline backup` and `doseline restore`: a copy of the ledger, and the way back, which ends in quarantine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from db.backup import file_of
from reminders.clock import SystemClock
from reminders.commands.ledger import answering
from reminders.commands.output import ERRORS, UNREADABLE, JsonFlag, print_json, telling
from reminders.services import backing_up
from reminders.services.opening import open_ledger
from reminders.settings import load_settings

NEXT = (
    "The ledger is in quarantine: nothing is sent. Next:",
    "  doseline quarantine reconcile          relive the gap by the carrier's lists",
    "  doseline quarantine end --by NAME      let texts leave again",
)
BackupFile = Annotated[Path, typer.Argument(help="A file that is not there yet.", metavar="FILE")]
RestoreFile = Annotated[Path | None, typer.Argument(help="A backup that `doseline backup` made.", metavar="FILE")]
Marked = Annotated[
    bool, typer.Option("--mark", help="Only put the ledger in quarantine: PostgreSQL, or another tool, has restored it already.")
]


def backup(ctx: typer.Context, file: BackupFile, *, as_json: JsonFlag = False) -> None:
    """Copy the SQLite ledger into one checked file, while it is in use. Keep it where patients' data may be kept: it is not encrypted."""
    with telling(ctx):
        url = load_settings().database_url.reveal()
        _only_sqlite(ctx, url, f"back it up with pg_dump:\n  pg_dump --format=custom --file={file} DATABASE_URL")
        backing_up.back_up(url, file)
    if as_json:
        print_json({"file": str(file), "bytes": file.stat().st_size})
    else:
        ERRORS.print(Text(f"The ledger is in {file}, checked."), soft_wrap=True)


def restore(ctx: typer.Context, file: RestoreFile = None, *, mark: Marked = False, as_json: JsonFlag = False) -> None:
    """Put a backup in the place of the ledger, in quarantine: nothing is sent until its gap is reconciled with the carrier's lists."""
    if (file is None) != mark:
        raise typer.BadParameter("name the backup, or give --mark")
    with telling(ctx):
        url = load_settings().database_url.reveal()
        aside = _restore(ctx, url, file) if file is not None else None
        if mark:
            _mark(url)
    if as_json:
        print_json({"quarantine": True, "aside": str(aside) if aside else None})
        return
    if aside:
        ERRORS.print(Text(f"The ledger that was there is kept as {aside}."), soft_wrap=True)
    for line in NEXT:
        ERRORS.print(Text(line), soft_wrap=True)


def _mark(url: str) -> None:
    with answering():
        open_ledger(url).dispose()
        backing_up.mark(url, now=SystemClock().now())


def _restore(ctx: typer.Context, url: str, file: Path) -> Path | None:
    from reminders.bootstrap import only_one  # noqa: PLC0415 - it brings the web with it, for which no other command should wait

    _only_sqlite(
        ctx, url, f"restore it with pg_restore, then mark it:\n  pg_restore --clean --dbname=DATABASE_URL {file}\n  doseline restore --mark"
    )
    with only_one(url):
        return backing_up.restore(url, file, now=SystemClock().now())


def _only_sqlite(ctx: typer.Context, url: str, otherwise: str) -> None:
    """End with 2 where the ledger is no file: its own tools copy it better."""
    if file_of(url) is None:
        if ctx.meta.get("doseline.json", False):
            print_json({"error": otherwise, "faults": []})
        else:
            ERRORS.print(Text(f"The ledger is not a SQLite file: {otherwise}"), soft_wrap=True)
        raise typer.Exit(UNREADABLE)
