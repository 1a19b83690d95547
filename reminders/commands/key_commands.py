"""`doseline key`: the keys with which programs ask the API, each in the name of a person on a clinic's list."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from reminders.as_json.people import key_json
from reminders.clock import SystemClock
from reminders.commands.ledger import the_ledger
from reminders.commands.output import ERRORS, SCREEN, JsonFlag, print_json, print_table, telling
from reminders.commands.staff_commands import ClinicOption, clinic_of
from reminders.commands.typed import typed
from reminders.formats.parts import read_name
from reminders.services import key_holding
from reminders.services.key_holding import KEY_HOLDS, KEY_HOLDS_LONGEST, Key
from reminders.services.staffing import StaffRole

app = typer.Typer(help="The keys with which programs ask the API.", no_args_is_help=True)


@app.command("list")
def list_(ctx: typer.Context, *, clinic: ClinicOption = None, as_json: JsonFlag = False) -> None:
    """Show a clinic's keys, those that are over among them. What opens is kept nowhere, and shown nowhere."""
    with telling(ctx), the_ledger() as engine:
        keys = key_holding.listed(engine, clinic_of(engine, clinic))
    if as_json:
        print_json([key_json(key) for key in keys])
    elif keys:
        print_table(_table(keys))
    else:
        SCREEN.print(Text("There is no key: `doseline key add NAME --for PERSON --role staff` makes one."))


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for, like the program's name.", parser=typed(read_name))],
    *,
    holder: Annotated[str, typer.Option("--for", metavar="PERSON", help="In whose name it acts: a person on the clinic's list.")],
    role: Annotated[list[StaffRole], typer.Option(help="A role of the person's; may be given more than once.")],
    days: Annotated[int, typer.Option(min=1, max=KEY_HOLDS_LONGEST.days, help="For how long it is good.")] = KEY_HOLDS.days,
    clinic: ClinicOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a key, and show it this once."""
    with telling(ctx), the_ledger() as engine:
        key, token = key_holding.make(
            engine,
            clinic_of(engine, clinic),
            holder,
            name,
            frozenset(role),
            by=key_holding.OPERATOR,
            now=SystemClock().now(),
            holds=timedelta(days=days),
        )
    if as_json:
        print_json({**key_json(key), "key": token})
        return
    ERRORS.print(Text(f"{key.name}, in the name of {key.holder}, until {key.expires_at:%a %d %b %Y}. It is shown this once:"))
    SCREEN.print(Text(token), soft_wrap=True)


@app.command()
def end(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="Its id, as `key list` shows it.")],
    *,
    clinic: ClinicOption = None,
) -> None:
    """Let a key open nothing more, from now on."""
    with telling(ctx), the_ledger() as engine:
        key_holding.end(engine, clinic_of(engine, clinic), key, by=key_holding.OPERATOR, now=SystemClock().now())
    SCREEN.print(Text("The key is ended."))


def _table(keys: tuple[Key, ...]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("id", "for", "in the name of", "as", "made by", "last used", "until"):
        table.add_column(name, no_wrap=True)
    for key in keys:
        used = "never" if key.used_at is None else f"{key.used_at:%d %b %Y %H:%M}"
        until = f"{key.expires_at:%d %b %Y}" if key.ended_at is None else f"ended {key.ended_at:%d %b %Y} by {key.ended_by}"
        table.add_row(key.id, Text(key.name), Text(key.holder), _roles(key), Text(key.made_by), used, Text(until))
    return table


def _roles(key: Key) -> str:
    return ", ".join(role.value for role in StaffRole if role in key.roles)
