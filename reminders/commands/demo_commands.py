"""`doseline demo` and `doseline simulate`: a story on a virtual clock, told line by line or as a person would read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text
from sqlalchemy import Engine

from reminders.commands.ledger import now_of, the_ledger
from reminders.commands.output import ERRORS, SCREEN, JsonFlag, progress_bar, telling
from reminders.commands.story_pages import Telling
from reminders.commands.typed import FileArgument, read_file
from reminders.formats.story_file import Story, read_story
from reminders.services import sandboxing
from reminders.services.copying import copy_clinic
from reminders.services.opening import in_memory
from reminders.services.rehearsing import Line
from reminders.simulation.demo import DAYS, demo_story
from reminders.simulation.story import play

DEMO = "demo"
SVG = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace("Fira Code", "monospace")
"""Rich's picture of a terminal, without its font from elsewhere: a picture of ours loads nothing."""


def demo(
    ctx: typer.Context,
    *,
    as_json: JsonFlag = False,
    picture: Annotated[Path | None, typer.Option(help="Also draw what fits on a page, as an SVG file.", metavar="FILE")] = None,
    load: Annotated[
        bool, typer.Option("--load", help="Leave it in the database as clinic `demo`, as if it had begun 45 days ago.")
    ] = False,
) -> None:
    """Tell the 45-day story of five patients: their texts, doses, alerts and adherence."""
    with telling(ctx):
        if load:
            _load()
            return
        story = read_story(demo_story())
        engine = in_memory()
        if as_json:
            _print_lines(play(story, engine=engine, clinic_id=DEMO), story)
        else:
            _tell(story, engine, picture)


def simulate(ctx: typer.Context, file: FileArgument, *, as_json: JsonFlag = False) -> None:
    """Run a story file on a virtual clock, and say what happens: one JSON object a line, or as a person would read it."""
    with telling(ctx):
        story = read_story(read_file(file))
        if as_json:
            _print_lines(play(story), story)
        else:
            _tell(story, in_memory(), None)


def _load() -> None:
    with the_ledger() as target:
        now = now_of(target).replace(microsecond=0)
    told = demo_story((now - timedelta(days=DAYS - 1)).date(), until=now)
    story = read_story(told)
    engine = in_memory()
    lines = sum(1 for _ in _watched(play(story, engine=engine, clinic_id=DEMO), story, "Playing 45 days"))
    sandboxing.began_with(engine, DEMO, told, until=now)  # what is played on from here can be saved as one story with it
    with the_ledger() as target:
        rows = copy_clinic(engine, target, DEMO)
    ERRORS.print(Text(f"The demo clinic is in the database: 45 days, {lines} events, {rows} rows."))


def _print_lines(lines: Iterator[Line], story: Story) -> None:
    write = SCREEN.file.write
    for line in _watched(lines, story, "Playing"):
        write(json.dumps(line, ensure_ascii=False) + "\n")


def _tell(story: Story, engine: Engine, picture: Path | None) -> None:
    pages = Telling(engine)
    pages.introduce(story.enrolment)
    for line in _watched(play(story, engine=engine, heard=pages.hears), story, "Playing"):
        pages.sees(line)
    pages.print_on(SCREEN)
    if picture is not None:
        drawn = Console(record=True, width=124, file=StringIO(), force_terminal=True)
        pages.print_picture(drawn)
        drawn.save_svg(str(picture), title="doseline demo", code_format=SVG)
        ERRORS.print(Text(f"The picture is in {picture}."))


def _watched(lines: Iterator[Line], story: Story, what: str) -> Iterator[Line]:
    """Show how far the story is, in days."""
    days = max((story.until - story.start).days, 1)
    with progress_bar(what) as told:
        for line in lines:
            if "at" in line:
                told((_instant(line["at"]) - story.start).days, days)
            yield line


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
