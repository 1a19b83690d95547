"""`doseline doctor`: what is in order and what is not, each with what to do; with --live, what only a real account can tell."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine

from db.engine import make_engine
from reminders.clock import SystemClock
from reminders.commands.output import ERRORS, FAILED, JsonFlag, print_json, print_table, telling
from reminders.errors import NotAllowed, SettingsError
from reminders.services import diagnosing, probing, watching
from reminders.services.diagnosing import Finding, Sending, Verdict
from reminders.services.probing import Waiting, Waits
from reminders.services.refereeing import Referee
from reminders.settings import Settings, load_settings

PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
STYLES = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}
RECEIPTS = "/sms/probe"
TELL_EVERY = 10.0
"""Seconds between two lines that say what is waited for, where there is no terminal to write it on."""


def doctor(
    ctx: typer.Context,
    *,
    live: Annotated[bool, typer.Option("--live", help="Also send one text through Twilio, and measure what the account does.")] = False,
    to: Annotated[str | None, typer.Option(metavar="PHONE", help="With --live: your own phone, as +12025550100.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Look whether all is in order, and say what to do where it is not. Ends with 1 if something must be done."""
    if live != (to is not None) or (to is not None and not PHONE.fullmatch(to)):
        raise typer.BadParameter("--live and --to go together; a phone is written as +12025550100")
    with telling(ctx):
        try:
            settings = load_settings()
        except SettingsError as error:
            findings = [Finding("settings", Verdict.FAIL, str(error))]
        else:
            findings = [Finding("settings", Verdict.OK, "complete"), *_examined(settings, to)]
    if as_json:
        print_json({"ok": not _failed(findings), "checks": [{**asdict(found), "verdict": found.verdict.value} for found in findings]})
    else:
        print_table(_table(findings))
    if _failed(findings):
        raise typer.Exit(FAILED)


def sending_of(settings: Settings) -> Sending:
    """How texts leave, as the settings have it."""
    twilio = settings.twilio
    return Sending(
        sends=twilio is not None,
        stand_in=twilio is not None and twilio.api_base_url is not None,
        public_url=settings.public_url,
        redacts=twilio is not None and twilio.redacts,
        http=settings.pace.http,
        settle=settings.pace.settle,
    )


def _examined(settings: Settings, to: str | None) -> Iterator[Finding]:
    clock, sending = SystemClock(), sending_of(settings)
    yield from diagnosing.of_sending(sending)
    yield from diagnosing.of_drugs(settings.drugs)
    engine = make_engine(settings.database_url.reveal())
    try:
        unreadable = diagnosing.can_be_read(engine)
        if unreadable is not None:
            yield unreadable
            return
        referee = Referee(engine, clock)
        yield diagnosing.of_clock(referee.apart())
        yield from diagnosing.of_readiness(watching.readiness(engine, now=referee.now()).checks)
        yield from diagnosing.of_ledger(engine, sending, now=referee.now())
        if to is not None:
            yield from _measured(settings, engine, to)
    finally:
        engine.dispose()


def _measured(settings: Settings, engine: Engine, to: str) -> list[Finding]:
    # The carrier's client takes a second to load, which no other command should wait for.
    from reminders.messaging.twilio import TwilioTransport  # noqa: PLC0415

    twilio = settings.twilio
    if twilio is None:
        raise NotAllowed("--live measures a Twilio account: set DOSELINE_TRANSPORT=twilio")

    async def measure(tell: Callable[[str, float], object]) -> probing.Found:
        transport = TwilioTransport(twilio, public_url=settings.public_url or "", seconds=settings.pace.http, receipts=RECEIPTS)
        try:
            return await probing.measure(engine, transport, to, Waiting(clock=SystemClock(), pause=asyncio.sleep, tell=tell, waits=WAITS))
        finally:
            await transport.aclose()

    with _progress() as tell:
        found = asyncio.run(measure(tell))
    return diagnosing.of_measurement(found, sending_of(settings), list_lag=TwilioTransport.list_lag)


WAITS = Waits()


@contextmanager
def _progress() -> Iterator[Callable[[str, float], object]]:
    """Say what is waited for: on a terminal in one line that goes away, else in a line now and then."""
    with ERRORS.status("Sending one text ...") as status:
        told = -TELL_EVERY

        def tell(what: str, seconds: float) -> None:
            nonlocal told
            line = f"Waiting {what}: {seconds:.0f} s"
            if ERRORS.is_terminal:
                status.update(line)
            elif seconds < told or seconds - told >= TELL_EVERY:
                told = seconds
                ERRORS.print(line)

        yield tell


def _failed(findings: list[Finding]) -> bool:
    return any(found.verdict is Verdict.FAIL for found in findings)


def _table(findings: list[Finding]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in range(3):
        table.add_column(no_wrap=False)
    for found in findings:
        says = Text(found.says)
        if found.do:
            says.append(f"\n→ {found.do}", style="dim" if found.verdict is Verdict.OK else "")
        table.add_row(Text(found.verdict.value, style=STYLES[found.verdict]), Text(found.name, style="bold"), says)
    return table
