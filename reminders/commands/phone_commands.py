"""`doseline texts` and `doseline reply`: the sandbox's phone from a terminal, while `doseline serve` runs."""

from __future__ import annotations

from dataclasses import asdict
from threading import Event
from typing import Annotated
from uuid import uuid4

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine

from reminders.as_json.parts import instant_text
from reminders.clock import SystemClock
from reminders.commands.ledger import now_of, the_ledger
from reminders.commands.output import ERRORS, JsonFlag, print_json, print_table, telling
from reminders.errors import LedgerHeld, NotAllowed
from reminders.services import phones, quarantining, replying
from reminders.services.records.history import Said
from reminders.settings import TransportName, load_settings

ANSWERED_WITHIN = 3.0
"""Seconds that `reply` waits to show our answer."""

PhoneArgument = Annotated[str, typer.Argument(metavar="PHONE", help="The number that texts, like +12025550111.")]


def texts(
    ctx: typer.Context,
    *,
    phone: Annotated[str | None, typer.Option(help="Only the conversation with this number.")] = None,
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many texts, at most.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """Show the newest texts, in both directions."""
    with telling(ctx), the_ledger() as engine:
        said = phones.conversation(engine, phone=phone, limit=last)
    if as_json:
        print_json([_json(text) for text in said])
    elif not said:
        ERRORS.print("No texts yet.")
    else:
        print_table(_table(said))


def reply(
    ctx: typer.Context,
    phone: PhoneArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What it says.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Text as a patient or a caregiver, in the sandbox, and show what comes back."""
    with telling(ctx):
        settings = load_settings()
        if settings.transport is not TransportName.SANDBOX:
            raise NotAllowed("`doseline reply` plays a phone of the sandbox: with DOSELINE_TRANSPORT=twilio patients text for themselves")
        with the_ledger(settings) as engine:
            if quarantining.is_held(engine):
                raise LedgerHeld
            known = {_key(said) for said in phones.conversation(engine, phone=phone)}
            now = now_of(engine)
            sid = f"sandbox-{uuid4().hex[:24]}"
            words = replying.receive(engine, sid=sid, from_phone=phone, to_phone="", body=text, received_at=now, now=now)
            # A number that nobody knows is answered in the same breath, and gets no text of its own.
            answers = _wait_for_answers(engine, phone, known) if words is None else [Said(now, phone, ours=True, body=words)]
    if as_json:
        print_json([_json(answer) for answer in answers])
    elif answers:
        print_table(_table(answers))
    else:
        ERRORS.print("Taken in. Nothing was answered: not every text needs it.")


def _wait_for_answers(engine: Engine, phone: str, known: set[tuple[object, ...]]) -> list[Said]:
    """Wait a moment for what comes back; a text queued is shown though nobody serves."""
    clock, pause = SystemClock(), Event()
    ends = clock.monotonic() + ANSWERED_WITHIN
    while True:
        fresh = [said for said in phones.conversation(engine, phone=phone) if said.ours and _key(said) not in known]
        if any(said.state not in {"queued", "sending"} for said in fresh) or clock.monotonic() > ends:
            return fresh
        pause.wait(0.1)


def _key(said: Said) -> tuple[object, ...]:
    return said.ours, said.body, said.purpose, said.at.replace(second=0, microsecond=0)


def _json(said: Said) -> dict[str, object]:
    return {**asdict(said), "at": instant_text(said.at)}


def _table(said: tuple[Said, ...] | list[Said]) -> Table:
    table = Table(box=None, show_header=True, header_style="bold", pad_edge=False)
    for name in ("when (UTC)", "phone", "", "text", "state"):
        table.add_column(name, no_wrap=name != "text")
    for text in said:
        arrow = Text("→ phone" if text.ours else "← phone", style="cyan" if text.ours else "green")
        table.add_row(f"{text.at:%a %d %b %H:%M}", text.phone, arrow, Text(text.body), text.state or "")
    return table
