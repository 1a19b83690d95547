"""`doseline audit`: what the carrier's list proves of what was sent."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from reminders.clock import SystemClock
from reminders.commands.ledger import the_ledger
from reminders.commands.output import FAILED, SCREEN, JsonFlag, print_json, telling
from reminders.errors import NotAllowed
from reminders.messaging.transport import ListUnavailable
from reminders.settings import Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reminders.services.auditing import CarrierDay

app = typer.Typer(help="Hold what was sent against other witnesses.", no_args_is_help=True)

DayOption = Annotated[datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="The day, in UTC; yesterday if left out.")]


@app.callback()
def audit() -> None:
    """Hold what was sent against other witnesses."""


@app.command()
def carrier(ctx: typer.Context, *, day: DayOption = None, as_json: JsonFlag = False) -> None:
    """Hold a day of the carrier's list against the ledger, id by id. Ends with 1 if anything was sent twice, or is unknown here."""
    with telling(ctx):
        settings = load_settings()
        wanted = day.date() if day else SystemClock().now().astimezone(UTC).date() - timedelta(days=1)
        with the_ledger(settings) as engine:
            try:
                found = asyncio.run(_look(settings, engine, wanted))
            except ListUnavailable as error:
                raise NotAllowed("the carrier's list cannot be read: check the network and the carrier's status page") from error
    if as_json:
        print_json({**asdict(found), "day": found.day.isoformat()})
    else:
        counts = f"{found.listed} texts sent, {found.doubled} of them twice, {found.unknown} unknown to the ledger"
        SCREEN.print(Text(f"{found.day} (UTC): {counts}."), soft_wrap=True)
    if not found.is_clean:
        raise typer.Exit(FAILED)


async def _look(settings: Settings, engine: Engine, day: date) -> CarrierDay:
    # The carrier's client takes a second to load, which no other command should wait for.
    from reminders.bootstrap import transport_of  # noqa: PLC0415
    from reminders.services.auditing import audit_day  # noqa: PLC0415

    clock = SystemClock()
    transport = transport_of(settings, clock)
    try:
        return await audit_day(engine, transport, day=day, now=clock.now())
    finally:
        await transport.aclose()
