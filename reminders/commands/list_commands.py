"""`doseline jobs`, `doseline alerts`, `doseline export`: what is coming, what needs a person, and what was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from reminders.as_json.parts import instant_text, plainly
from reminders.clock import SystemClock
from reminders.commands.ledger import now_of, the_ledger
from reminders.commands.output import ERRORS, SCREEN, JsonFlag, print_json, print_table, telling
from reminders.reports.adherence_report import CAVEATS
from reminders.reports.csv_file import csv_text
from reminders.scheduling.loop import Loop
from reminders.scheduling.plan_jobs import PlanJobs
from reminders.services import reminding, reporting, sandboxing, watching

if TYPE_CHECKING:
    from reminders.services.records.history import AlertLine

export = typer.Typer(help="Export doses or adherence, as CSV or JSON.", no_args_is_help=True)

STYLES = {"emergency": "bold white on red", "urgent": "bold red", "warning": "yellow", "info": "dim"}


class FileFormat(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    JSON = "json"


FromOption = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First local date.")]
ToOption = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The local date after the last.")]
FormatOption = Annotated[FileFormat, typer.Option("--format", help="csv or json.")]
OutputOption = Annotated[Path | None, typer.Option("--output", help="A file to write; standard output if left out.")]


def jobs(
    ctx: typer.Context,
    *,
    plan: Annotated[str | None, typer.Option(help="The coming doses of this plan instead, by its reference.")] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, help="With --plan: how many.")] = 12,
    as_json: JsonFlag = False,
) -> None:
    """Show the coming hour: the minutes at which a plan has a dose due, as the scheduler builds them."""
    with telling(ctx), the_ledger() as engine:
        if plan is not None:
            _coming(reporting.coming_slots(engine, plan, now=now_of(engine), count=count), as_json=as_json)
            return
        loop = Loop(sandboxing.clock_of(engine, SystemClock()), record=lambda _name: None)  # never started: only its jobs are looked at
        built = PlanJobs(loop, engine, reminding=reminding)
        built.build()
        minutes = built.minutes()
    if as_json:
        print_json([{"job": f"doses {at:%Y-%m-%dT%H:%MZ}", "at": instant_text(at)} for at in minutes])
    elif not minutes:
        ERRORS.print("No dose is due in the coming hour. Look further with --plan REF.")
    else:
        for at in minutes:
            SCREEN.print(Text(f"{at:%a %d %b %H:%M} UTC"))


def _coming(slots: Sequence[reporting.ComingSlot], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    **asdict(slot),
                    "local_date": slot.local_date.isoformat(),
                    "local_time": f"{slot.local_time:%H:%M}",
                    "due_at": instant_text(slot.due_at),
                }
                for slot in slots
            ]
        )
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("date", "no.", "local time", "due (UTC)", "amount", "phase"):
        table.add_column(name)
    for slot in slots:
        table.add_row(
            f"{slot.local_date:%a %d %b}",
            str(slot.slot_no),
            f"{slot.local_time:%H:%M}",
            f"{slot.due_at:%d %b %H:%M}",
            f"{slot.amount} {slot.unit}",
            str(slot.phase),
        )
    print_table(table)


def alerts(
    ctx: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show what a person must look at, the gravest first; and before it what is wrong with the installation as a whole."""
    with telling(ctx), the_ledger() as engine:
        lines = reporting.alert_lines(engine, now=now_of(engine), closed_too=everything)
        troubles = watching.standing_troubles(engine)
    for trouble in troubles:
        words = f"trouble since {trouble.since:%d %b %H:%M} UTC: {trouble.kind}: {trouble.words}"
        ERRORS.print(Text(words, style=STYLES["urgent"]), soft_wrap=True)
    if as_json:
        print_json([{name: plainly(value) for name, value in asdict(line).items()} for line in lines])
        return
    if not lines:
        ERRORS.print("No open alerts.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("severity", "since (UTC)", "patient", "plan", "kind", "to", "what"):
        table.add_column(name, no_wrap=name != "what")
    for line in lines:
        severity = Text(line.severity, style=STYLES[line.severity])
        table.add_row(
            severity,
            f"{line.raised_at:%d %b %H:%M}",
            line.patient,
            line.plan or "",
            line.kind,
            line.owner,
            Text(line.words + _standing(line)),
        )
    print_table(table)


def _standing(line: AlertLine) -> str:
    if line.closed_at:
        return " (closed)"
    if line.acknowledged_by:
        return f" (taken on by {line.acknowledged_by})"
    return f" ({line.overdue})" if line.overdue else ""


@export.command("doses")
def export_doses(
    ctx: typer.Context,
    *,
    first: FromOption = None,
    end: ToOption = None,
    as_format: FormatOption = FileFormat.CSV,
    output: OutputOption = None,
) -> None:
    """Export every dose that fell due, and what it came to."""
    with telling(ctx), the_ledger() as engine:
        lines = reporting.dose_lines(engine, first=_day(first), end=_day(end))
    rows = [asdict(line) for line in lines]
    columns = [
        "clinic",
        "patient",
        "plan",
        "drug",
        "local_date",
        "slot_no",
        "phase",
        "due_at",
        "amount",
        "unit",
        "state",
        "reason",
        "taken_at",
        "mark",
    ]
    _write(columns, rows, as_format, output)


@export.command("adherence")
def export_adherence(
    ctx: typer.Context,
    *,
    first: FromOption = None,
    end: ToOption = None,
    as_format: FormatOption = FileFormat.CSV,
    output: OutputOption = None,
) -> None:
    """Export how far the taking matched each plan, counts beside every share."""
    with telling(ctx), the_ledger() as engine:
        plans = reporting.adherence_of_plans(engine, first=_day(first), end=_day(end))
    rows: list[dict[str, object]] = [dict(plan.rows()) for plan in plans]
    columns = list(rows[0]) if rows else ["patient", "plan", "drug"]
    _write(columns, rows, as_format, output)
    for caveat in CAVEATS:
        ERRORS.print(Text(caveat, style="dim"), soft_wrap=True)


def _day(at: datetime | None) -> date | None:
    return at.date() if at else None


def _write(columns: list[str], rows: list[dict[str, object]], as_format: FileFormat, output: Path | None) -> None:
    if as_format is FileFormat.JSON:
        values = [{name: plainly(row.get(name)) for name in columns} for row in rows]
        if output is None:
            print_json(values)
            return
        text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    else:
        text = csv_text(columns, rows)
    if output is None:
        SCREEN.file.write(text)
    else:
        output.write_text(text, encoding="utf-8", newline="")
        ERRORS.print(Text(f"{len(rows)} rows written to {output}."), soft_wrap=True)
