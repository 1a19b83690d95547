"""`doseline system`: who runs the installation, and signs in to see how it stands. They belong to no clinic, and see no patient."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer
from rich.table import Table
from rich.text import Text

from reminders.as_json.parts import instant_text
from reminders.clock import SystemClock
from reminders.commands.ledger import the_ledger
from reminders.commands.output import SCREEN, JsonFlag, print_json, print_table, telling
from reminders.commands.typed import typed
from reminders.domain.signing_in import INVITATION_HOLDS
from reminders.formats.parts import read_name
from reminders.services import staffing
from reminders.services.signing_in import operating
from reminders.settings import load_settings

app = typer.Typer(help="Who runs the installation.", no_args_is_help=True)

NameArgument: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help="The system admin.", parser=typed(read_name))]


@app.command("list")
def list_(ctx: typer.Context, *, as_json: JsonFlag = False) -> None:
    """Show every system admin, those who left among them."""
    with telling(ctx), the_ledger() as engine:
        found = operating.listed(engine)
    if as_json:
        print_json([{"name": one.name, "signs_in": one.signs_in, "ended_at": one.ended_at and instant_text(one.ended_at)} for one in found])
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("name", "is", "since"):
        table.add_column(name, no_wrap=True)
    for one in found:
        standing = "left" if one.ended_at else "signs in" if one.signs_in else "has a link"
        table.add_row(Text(one.name), standing, f"{one.ended_at or one.added_at:%d %b %Y}")
    print_table(table)


@app.command()
def add(ctx: typer.Context, name: NameArgument, *, as_json: JsonFlag = False) -> None:
    """Put a system admin on the list, and make a one-time link with which they set up how they sign in."""
    with telling(ctx), the_ledger() as engine:
        settings = load_settings()
        token = operating.add(engine, name, by=staffing.OPERATOR, now=SystemClock().now())
    _say(name, f"{settings.address}/setup/{token}", as_json=as_json)


@app.command()
def invite(ctx: typer.Context, name: NameArgument, *, as_json: JsonFlag = False) -> None:
    """Make a new one-time link: password and phone are set up anew behind it. An older link is good no more."""
    with telling(ctx), the_ledger() as engine:
        settings = load_settings()
        token = operating.invite(engine, name, by=staffing.OPERATOR, now=SystemClock().now())
    _say(name, f"{settings.address}/setup/{token}", as_json=as_json)


@app.command()
def end(ctx: typer.Context, name: NameArgument) -> None:
    """Take a system admin off the list; they are signed out at once."""
    with telling(ctx), the_ledger() as engine:
        operating.end(engine, name, by=staffing.OPERATOR, now=SystemClock().now())
    SCREEN.print(Text(f"{name} is off the list."))


def _say(name: str, link: str, *, as_json: bool) -> None:
    until = SystemClock().now() + INVITATION_HOLDS
    if as_json:
        print_json({"name": name, "link": link, "expires_at": instant_text(until)})
    else:
        SCREEN.print(Text(f"For {name}, once, until {until:%a %d %b %H:%M} UTC:\n{link}"), soft_wrap=True)
