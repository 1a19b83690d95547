"""`doseline staff`: who at a clinic may decide what, and the links with which they begin to sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.table import Table
from rich.text import Text

from reminders.as_json.parts import instant_text
from reminders.as_json.people import member_json
from reminders.clock import SystemClock
from reminders.commands.ledger import now_of, the_ledger
from reminders.commands.output import SCREEN, JsonFlag, print_json, print_table, telling
from reminders.commands.typed import typed
from reminders.domain.signing_in import INVITATION_HOLDS
from reminders.errors import NotAllowed
from reminders.formats.parts import read_name
from reminders.services import signing_in, staffing
from reminders.services.staffing import Member, StaffRole
from reminders.settings import load_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

app = typer.Typer(help="Who at a clinic may decide what.", no_args_is_help=True)

NameArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="NAME", help="The person, as --by and the import file name them.", parser=typed(read_name))
]
ClinicOption: TypeAlias = Annotated[str | None, typer.Option("--clinic", metavar="ID", help="Which clinic; left out, the only one.")]


@app.command("list")
def list_(ctx: typer.Context, *, clinic: ClinicOption = None, as_json: JsonFlag = False) -> None:
    """Show everybody on a clinic's list, those who left among them."""
    with telling(ctx), the_ledger() as engine:
        members = staffing.listed(engine, clinic_of(engine, clinic))
    if as_json:
        print_json([member_json(member) for member in members])
    elif members:
        print_table(_table(members))
    else:
        SCREEN.print(Text("Nobody is on the list: `doseline staff add NAME --role provider` puts a person on it."))


@app.command()
def add(
    ctx: typer.Context,
    name: NameArgument,
    *,
    role: Annotated[list[StaffRole], typer.Option(help="provider, staff or admin; may be given more than once.")],
    clinic: ClinicOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Put a person on the list; one who is on it, or was, has these roles from now on, and no others."""
    with telling(ctx), the_ledger() as engine:
        member = staffing.add(engine, clinic_of(engine, clinic), name, frozenset(role), now=now_of(engine))
    _say(member, as_json=as_json)


@app.command()
def end(ctx: typer.Context, name: NameArgument, *, clinic: ClinicOption = None, as_json: JsonFlag = False) -> None:
    """Let a person decide nothing more from now on. What they did keeps their name; `add` takes them back."""
    with telling(ctx), the_ledger() as engine:
        member = staffing.end(engine, clinic_of(engine, clinic), name, now=now_of(engine))
    _say(member, as_json=as_json)


@app.command()
def invite(
    ctx: typer.Context,
    name: NameArgument,
    *,
    new_phone: Annotated[bool, typer.Option("--new-phone", help="Begin the second factor anew: another phone.")] = False,
    clinic: ClinicOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a one-time link with which a person on the list sets their account up, or a new password. An older link is good no more."""
    with telling(ctx), the_ledger() as engine:
        settings, now = load_settings(), SystemClock().now()
        token = signing_in.invite(engine, clinic_of(engine, clinic), name, by=staffing.OPERATOR, new_device=new_phone, now=now)
    link = f"{settings.address}/setup/{token}"
    if as_json:
        print_json({"name": name, "link": link, "expires_at": instant_text(now + INVITATION_HOLDS)})
    else:
        SCREEN.print(Text(f"For {name}, once, until {now + INVITATION_HOLDS:%a %d %b %H:%M} UTC:\n{link}"), soft_wrap=True)


def clinic_of(engine: Engine, given: str | None) -> str:
    """The clinic that was named, or the only one there is. Raises NotAllowed where it must be said which."""
    if given is not None:
        return given
    known = staffing.clinics(engine)
    if len(known) != 1:
        raise NotAllowed(f"say which clinic, with --clinic: there is {', '.join(known) or 'none yet'}")
    return known[0]


def _say(member: Member, *, as_json: bool) -> None:
    if as_json:
        print_json(member_json(member))
    else:
        SCREEN.print(Text(f"{member.name} is off the list." if member.ended_at else f"{member.name} is {_roles(member)}."))


def _roles(member: Member) -> str:
    return ", ".join(role.value for role in StaffRole if role in member.roles)


def _table(members: tuple[Member, ...]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("name", "is", "since", "left"):
        table.add_column(name, no_wrap=True)
    for member in members:
        left = f"{member.ended_at:%d %b %Y}" if member.ended_at else ""
        table.add_row(Text(member.name), _roles(member), f"{member.added_at:%d %b %Y}", left)
    return table
