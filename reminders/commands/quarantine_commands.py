"""`doseline quarantine`: whether the ledger may send, what it missed, and a person's word that it may send again."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from reminders.as_json.parts import instant_text
from reminders.clock import SystemClock
from reminders.commands.ledger import now_of, the_ledger
from reminders.commands.output import ERRORS, SCREEN, JsonFlag, print_json, telling
from reminders.errors import NotAllowed
from reminders.messaging.transport import ListUnavailable
from reminders.services import quarantining, sandboxing
from reminders.services.quarantining import Quarantine
from reminders.settings import Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reminders.simulation.reliving import Reconciled

app = typer.Typer(help="Whether the ledger may send, what it missed, and a person's word that it may send again.")

NOT_LISTED = "What the clinic entered in the gap (plan changes, acknowledged alerts) is in no list of the carrier's: enter it again."
ByOption = Annotated[str, typer.Option("--by", help="Who says so: a person's name.", metavar="NAME")]
Despite = Annotated[
    str,
    typer.Option(
        "--unreconciled", help="End it though it is not reconciled, or texts are unexplained: the reason, which is kept.", metavar="REASON"
    ),
]


@app.callback(invoke_without_command=True)
def show(ctx: typer.Context, *, as_json: JsonFlag = False) -> None:
    """Show the quarantine that stands, if one does."""
    if ctx.invoked_subcommand is not None:
        return
    with telling(ctx), the_ledger() as engine:
        quarantine = quarantining.standing(engine, now=now_of(engine))
    if as_json:
        print_json(_json(quarantine))
    elif quarantine is None:
        ERRORS.print("No quarantine stands: texts leave as they fall due.")
    else:
        for line in _lines(quarantine):
            SCREEN.print(Text(line), soft_wrap=True)


@app.command()
def reconcile(ctx: typer.Context, *, as_json: JsonFlag = False) -> None:
    """Relive the gap by the carrier's two lists: what was sent and said is stored, what was not sent is not. Sends nothing. Repeatable."""
    with telling(ctx):
        settings = load_settings()
        with the_ledger(settings) as engine:
            before = quarantining.standing(engine, now=now_of(engine))
            try:
                reconciled = asyncio.run(_reconcile(settings, engine))
            except ListUnavailable as error:
                raise NotAllowed(
                    "the carrier's lists cannot be read, and nothing was changed: "
                    "check the network and the carrier's status page, then reconcile again"
                ) from error
    if as_json:
        print_json(asdict(reconciled))
    else:
        _say(before, reconciled)


@app.command()
def end(ctx: typer.Context, *, by: ByOption, unreconciled: Despite = "", as_json: JsonFlag = False) -> None:
    """End the quarantine: texts leave again, those that waited and are still of use first."""
    with telling(ctx), the_ledger() as engine:
        now = now_of(engine)
        quarantine = quarantining.standing(engine, now=now)
        quarantining.end(engine, by=by, now=now, despite=unreconciled)
    waiting = sum(quarantine.waiting.values()) if quarantine else 0
    if as_json:
        print_json({"ended_by": by, "waiting": waiting})
    else:
        ERRORS.print(Text(f"Texts leave again; {waiting} waited and go first."))


async def _reconcile(settings: Settings, engine: Engine) -> Reconciled:
    # The carrier's client takes a second to load, which no other command should wait for.
    from reminders.bootstrap import patience_of, transport_of  # noqa: PLC0415
    from reminders.simulation.reliving import reconcile as relive  # noqa: PLC0415

    clock = sandboxing.clock_of(engine, SystemClock())
    transport = transport_of(settings, clock)
    try:
        return await relive(engine, transport, clock=clock, settle=patience_of(settings).settle)
    finally:
        await transport.aclose()


def _json(quarantine: Quarantine | None) -> dict[str, object]:
    if quarantine is None:
        return {"stands": False}
    values = {name: instant_text(value) if isinstance(value, datetime) else value for name, value in asdict(quarantine).items()}
    return {"stands": True, **values}


def _lines(quarantine: Quarantine) -> list[str]:
    waiting = ", ".join(f"{count} {purpose}" for purpose, count in quarantine.waiting.items()) or "none"
    lines = [
        f"Nothing is sent, since {instant_text(quarantine.began_at)}: {quarantine.why}",
        f"The gap: from {instant_text(quarantine.since)}.",
    ]
    if quarantine.reconciled_at is None:
        return [*lines, "Not reconciled: run `doseline quarantine reconcile`."]
    came = f"{quarantine.found} texts had been sent, {quarantine.heard} replies had come"
    lines += [
        f"Reconciled at {instant_text(quarantine.reconciled_at)}: {came}, {quarantine.unexplained} texts are unexplained.",
        *(["Run `doseline quarantine reconcile` again to see whose they are."] if quarantine.unexplained else []),
        f"Waiting to be sent: {waiting}.",
        NOT_LISTED,
        "Then end it: doseline quarantine end --by NAME",
    ]
    return lines


def _say(before: Quarantine | None, reconciled: Reconciled) -> None:
    since = f" from {instant_text(before.since)}" if before else ""
    SCREEN.print(
        Text(f"Relived the gap{since}: {reconciled.found} texts had been sent, {reconciled.heard} replies had come."), soft_wrap=True
    )
    for ref, texts in reconciled.unexplained.items():
        whose = f"to patient {ref}" if ref else "to a number nobody here has"
        SCREEN.print(Text(f"  unexplained: {texts} {whose}. Look at them in the carrier's console."), soft_wrap=True)
    ERRORS.print(Text(NOT_LISTED), soft_wrap=True)
    ERRORS.print(Text("Then end the quarantine: doseline quarantine end --by NAME"), soft_wrap=True)
