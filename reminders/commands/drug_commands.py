"""`doseline drugs`: what is known of each drug, every number with its source; and the clinic's own profiles beside it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from reminders import drugs
from reminders.as_json.drugs import Line, drug_head, drug_json, lines_of, unknown_in
from reminders.commands.output import JsonFlag, print_json, print_table, telling
from reminders.domain.profile import (
    Approval,
    Confidence,
    DrugProfile,
)
from reminders.settings import load_drugs_directory

app = typer.Typer(no_args_is_help=True, help="Show what is known of each drug, every number with its source.")

NO_SLOT = "-"
_COLOURS = {Confidence.SECOND_HAND: "yellow", Confidence.DEFAULT: "cyan"}


def stock(ctx: typer.Context) -> None:
    """Have the clinic's own profiles read beside the shipped ones, whichever command follows."""
    with telling(ctx):
        drugs.stock(load_drugs_directory())


@app.command("list")
def list_(ctx: typer.Context, *, as_json: JsonFlag = False) -> None:
    """List the drugs and forms that are known."""
    with telling(ctx):
        known = drugs.all_profiles()
    if as_json:
        print_json([drug_head(profile) for profile in known])
        return
    table = _table(None, "drug", "name", "form", "ready layouts", "numbers", "approved by")
    for profile in known:
        layouts = ", ".join(template.name for template in profile.templates)
        table.add_row(profile.key, profile.name, profile.form, layouts, str(len(list(lines_of(profile)))), _approved(profile.approval))
    print_table(table)


@app.command()
def show(
    ctx: typer.Context, drug: Annotated[str, typer.Argument(metavar="DRUG", help="Its key, name or brand.")], *, as_json: JsonFlag = False
) -> None:
    """Show all that is known of a drug: each number, its source, how sure it is, and where sources disagree."""
    with telling(ctx):
        profile = drugs.load(drug)
    lines = tuple(lines_of(profile))
    if as_json:
        print_json(drug_json(profile))
    else:
        print_table(_page(profile, lines))


def _approved(approval: Approval | None) -> str:
    if approval is None:
        return ""
    return f"{approval.by}, {approval.on.isoformat()}{', replaces the shipped one' if approval.replaces else ''}"


def _page(profile: DrugProfile, lines: tuple[Line, ...]) -> Group:
    title = f"{profile.key}: {profile.name}, {profile.form}; amounts in {profile.unit}"
    table = _table(title, "field", "value", "source", "sure", "breach")
    for line in lines:
        table.add_row(line.field, _value(line), line.source, _sure(line.confidence), line.on_breach.value)
    words = [Text(f"Also called: {', '.join(profile.aliases)}")] if profile.aliases else []
    if profile.indications:
        words.append(Text(f"Given for: {'; '.join(', '.join(indication.names) for indication in profile.indications)}"))
    if profile.taper_only:
        words.append(Text("Only its tapers are known."))
    if profile.approval is not None:
        words.append(Text(f"Approved by {_approved(profile.approval)}"))
    missing = Text(f"No source was found for: {', '.join(unknown_in(profile))}. The provider fills these in.")
    advice = Text("A clinician at each clinic checks these numbers against the current label before switching them on.")
    sources = [Text(f"  {name}: {what}") for name, what in profile.sources]
    return Group(*words, table, missing, Text("Sources:"), *sources, advice)


def _value(line: Line) -> Text:
    value = Text(line.value)
    if line.note:
        value.append(f"\n{line.note}", style="dim")
    for said, source in line.disagrees:
        value.append(f"\nbut {said}, says {source}", style="yellow")
    return value


def _sure(confidence: Confidence) -> Text:
    return Text(confidence.value, style=_COLOURS.get(confidence, ""))


def _table(title: str | None, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
