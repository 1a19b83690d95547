"""`doseline supply`: the tablets a patient has, as somebody counted or fetched them, and how long they last."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, TypeAlias

import typer
from rich.table import Table
from rich.text import Text

from reminders.as_json.supplies import supply_json
from reminders.commands.ledger import now_of, the_ledger
from reminders.commands.output import SCREEN, JsonFlag, print_json, print_table, telling
from reminders.commands.typed import typed
from reminders.formats.import_file import MOST_TABLETS
from reminders.formats.parts import read_amount
from reminders.services import supplying
from reminders.services.supplying import Supply, TallyKind

app = typer.Typer(help="The tablets a patient has at home, and how long they last.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class Counted:
    """STRENGTH=COUNT, as in 5=60: so many tablets of a strength, in the plan's unit."""

    strength: Decimal
    tablets: int


def _read_counted(text: str) -> Counted:
    strength, _, count = text.partition("=")
    if not re.fullmatch(r"[0-9]{1,5}", count) or int(count) > MOST_TABLETS:
        raise ValueError(f"must be a strength and a whole number of tablets up to {MOST_TABLETS}, like 5=60, not {text!r}")
    return Counted(read_amount(strength), int(count))


PlanArgument: TypeAlias = Annotated[str, typer.Argument(metavar="PLAN", help="The plan, by its reference.")]
Counts: TypeAlias = Annotated[
    list[Counted],
    typer.Argument(metavar="STRENGTH=COUNT...", help="Like 5=60: sixty tablets of 5 mg.", parser=typed(_read_counted)),
]
ByOption: TypeAlias = Annotated[str, typer.Option("--by", help="Who says so: a person's name.", metavar="NAME")]


@app.command()
def show(ctx: typer.Context, plan: PlanArgument, *, as_json: JsonFlag = False) -> None:
    """Show how many tablets are left, how long they last, and what each coming phase takes."""
    with telling(ctx), the_ledger() as engine:
        supply = supplying.standing(engine, plan, now=now_of(engine))
    _print(supply, as_json=as_json)


@app.command()
def count(ctx: typer.Context, plan: PlanArgument, tablets: Counts, *, by: ByOption, as_json: JsonFlag = False) -> None:
    """Say how many tablets are there now. From here on the count goes by that."""
    _say(ctx, plan, tablets, TallyKind.COUNTED, by=by, as_json=as_json)


@app.command()
def add(ctx: typer.Context, plan: PlanArgument, tablets: Counts, *, by: ByOption, as_json: JsonFlag = False) -> None:
    """Say how many tablets came to those that were there."""
    _say(ctx, plan, tablets, TallyKind.ADDED, by=by, as_json=as_json)


def _say(ctx: typer.Context, plan: str, tablets: list[Counted], kind: TallyKind, *, by: str, as_json: bool) -> None:
    with telling(ctx), the_ledger() as engine:
        counts = {one.strength: one.tablets for one in tablets}
        supply = supplying.say(engine, plan, counts, kind, by=by, now=now_of(engine))
    _print(supply, as_json=as_json)


def _print(supply: Supply, *, as_json: bool) -> None:
    if as_json:
        print_json(supply_json(supply))
        return
    for line in _lines(supply):
        SCREEN.print(Text(line), soft_wrap=True)
    if supply.needs:
        print_table(_table(supply))


def _lines(supply: Supply) -> Iterator[str]:
    seen = supply.outlook
    if seen is None or supply.told_at is None:
        yield f"{supply.plan}, {supply.drug}: nobody keeps count. Begin with: doseline supply count {supply.plan} STRENGTH=COUNT --by NAME"
        return
    left = ", ".join(f"{count} of {strength}" for strength, count in seen.left.items())
    yield f"{supply.plan}, {supply.drug}: {left} (last told {supply.told_at:%a %d %b %H:%M} UTC)"
    if seen.runs_out is None:
        yield (
            "They last to the end of the taper."
            if seen.ends
            else f"They last for {supplying.HORIZON.days} days and more, or to the plan's end."
        )
        return
    yield f"They run out on {seen.runs_out.local_date:%a %d %b %Y}, at the {seen.runs_out.local_time:%H:%M} dose."
    if seen.ends:
        missing = ", ".join(f"{count} of {strength}" for strength, count in seen.missing.items())
        yield f"The taper ends on {seen.ends:%a %d %b %Y}. Missing until then: {missing}. Running out means stopping suddenly."


def _table(supply: Supply) -> Table:
    """What each phase takes, strength by strength."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    strengths = sorted({strength for need in supply.needs for strength in need.tablets}, reverse=True)
    for name in ("phase", "from", "to"):
        table.add_column(name, no_wrap=True)
    for strength in strengths:
        table.add_column(f"of {strength}", justify="right", no_wrap=True)
    for need in supply.needs:
        counts = (str(need.tablets.get(strength, "–")) for strength in strengths)
        table.add_row(str(need.phase_no), f"{need.first:%a %d %b}", f"{need.last:%a %d %b}", *counts)
    return table
