"""`doseline serve` and `doseline migrate`: the running service, and its tables."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Annotated

import typer
from rich.text import Text

from db.engine import current_revision, make_engine, migrate
from reminders.clock import SystemClock
from reminders.commands.ledger import answering
from reminders.commands.output import ERRORS, SCREEN, JsonFlag, print_json, telling
from reminders.settings import Settings, TransportName, load_settings

QUIET = ("apscheduler", "twilio", "uvicorn.access", "aiohttp")
"""Loggers that would write a line for each chore, or an address with a patient's number in it."""


def serve(
    ctx: typer.Context,
    *,
    host: Annotated[str | None, typer.Option(help="Where to listen; DOSELINE_HOST if left out.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port; DOSELINE_PORT if left out.")] = None,
) -> None:
    """Run the service: the web, the scheduler and the sender, in one process."""
    # The web and the carrier's client take a second to load, which no other command should wait for.
    import uvicorn  # noqa: PLC0415

    from reminders.bootstrap import running  # noqa: PLC0415
    from reminders.services import signing_in  # noqa: PLC0415
    from reminders.web.app import UVICORN  # noqa: PLC0415

    with telling(ctx), answering():
        settings = load_settings()
        _log(settings)
        host, port = host or settings.host, port or settings.port
        with running(settings) as process:
            settings = replace(settings, host=host, port=port)
            link = signing_in.first_link(process.engine, now=SystemClock().now())
            for line in what_next(settings, link, has_page=process.sandbox is not None):
                ERRORS.print(Text(line), soft_wrap=True)
            uvicorn.run(process.app, host=host, port=port, **UVICORN)


def migrate_(ctx: typer.Context, *, as_json: JsonFlag = False) -> None:
    """Bring the database of DATABASE_URL to the newest migration. Repeatable."""
    with telling(ctx), answering():
        engine = make_engine(load_settings().database_url.reveal())
        before = current_revision(engine)
        migrate(engine)
        after = current_revision(engine)
        engine.dispose()
    if as_json:
        print_json({"before": before, "after": after})
    else:
        SCREEN.print(Text(f"The database is at migration {after}." + (" It was already." if before == after else "")))


def _log(settings: Settings) -> None:
    logging.basicConfig(level=settings.log_level.value.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def what_next(settings: Settings, link: str | None, *, has_page: bool) -> list[str]:
    """Say where it runs, and what a newcomer does next; `has_page`: whether the sandbox's page is there to play with."""
    lines = [f"Doseline serves on http://{settings.host}:{settings.port} (stop with Ctrl-C)."]
    if link is not None:
        lines += [
            "Nobody can sign in yet. This link is good once, for an hour, and makes your clinic and your account:",
            f"  {settings.address}/setup/{link}",
            "(Or bring a clinic in with `doseline import`, and make a link for somebody on its list with `doseline staff invite`.)",
        ]
    if has_page:
        lines += [
            "The sandbox is on: texts are kept, none is sent. Its phones, and a clock that you can move:",
            f"  {settings.address}/sandbox",
            "Or in another terminal, in this folder:",
        ]
    elif settings.transport is TransportName.SANDBOX:
        lines += [
            "The sandbox is on: texts are kept, none is sent. It has no page here: its clock can be moved on SQLite alone,",
            "and of a ledger that no carrier ever had a text of. In another terminal, in this folder:",
        ]
    if settings.transport is TransportName.SANDBOX:
        lines += [
            "  .venv/bin/doseline texts                          the texts, in both directions",
            '  .venv/bin/doseline reply +12025550111 "1"         answer as a patient',
            "  .venv/bin/doseline jobs                           the coming hour",
            "  .venv/bin/doseline alerts                         what a person must look at",
        ]
    return lines
