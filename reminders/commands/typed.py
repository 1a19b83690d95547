"""What people type, read into values: times, dates, spans of amounts, files. What cannot be read is said with its option."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import typer

from reminders.domain.approval import Acknowledgement
from reminders.errors import BadFile, Fault
from reminders.formats.json_text import read_json
from reminders.formats.parts import read_amount, read_clock, read_date, read_instant, read_zone

T = TypeVar("T")

FileArgument: TypeAlias = Annotated[Path, typer.Argument(help="A JSON file; - reads standard input.", metavar="FILE")]


def read_file(path: Path) -> object:
    """Read a file's JSON values; `-` is standard input. Raises BadFile."""
    try:
        return read_json(sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes())
    except OSError as error:
        raise BadFile([Fault("", f"cannot read {path}: {error.strerror}")]) from error


def typed(read: Callable[[str], T]) -> Callable[[str], T]:
    """Make the parser of an option from a reader that raises ValueError with a sentence."""

    def parse(value: str) -> T:
        try:
            return read(value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    return parse


@dataclass(frozen=True, slots=True)
class FromTo:
    """FROM:TO, two amounts; the second may be 0."""

    start: Decimal
    end: Decimal


@dataclass(frozen=True, slots=True)
class SlotName:
    """DATE/NO, a slot of a plan."""

    local_date: date
    number: int


@dataclass(frozen=True, slots=True)
class Times:
    """Times of day, rising, each once. A bare tuple would make Typer want several values."""

    of_day: tuple[time, ...]


@dataclass(frozen=True, slots=True)
class DayDoses:
    """The doses of a day, in the order of its times."""

    of_day: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Strengths:
    """Sizes of tablets, each once."""

    sizes: tuple[Decimal, ...]


def from_to(text: str) -> FromTo:
    """Read FROM:TO, like 5:20 or 20:0."""
    start, colon, end = text.partition(":")
    if not colon:
        raise ValueError(f"must be FROM:TO, like 5:20, not {text!r}")
    return FromTo(read_amount(start), Decimal(0) if end == "0" else read_amount(end))


def times_of_day(text: str) -> Times:
    """Read times of day with commas between them."""
    times = tuple(read_clock(part.strip()) for part in text.split(","))
    if sorted(set(times)) != list(times):
        raise ValueError("times must rise through the day, each once, like 08:00,14:00,20:00")
    return Times(times)


def day_doses(text: str) -> DayDoses:
    """Read the doses of a day with slashes between them, like 15/15/20."""
    return DayDoses(tuple(read_amount(part.strip()) for part in text.split("/")))


def strengths_option(text: str) -> Strengths:
    """Read sizes of tablets with commas between them, like 5,10."""
    return Strengths(tuple(sorted({read_amount(part.strip()) for part in text.split(",")})))


def slot_name(text: str) -> SlotName:
    """Read DATE/NO, like 2026-03-02/1."""
    day, slash, number = text.partition("/")
    if not slash or not re.fullmatch(r"[1-9][0-9]{0,3}", number):
        raise ValueError(f"must be DATE/NO, like 2026-03-02/1, not {text!r}")
    return SlotName(read_date(day), int(number))


def choice_of(*choices: T) -> Callable[[str], T]:
    """Make a reader of one of some words; dashes and underscores are the same."""

    def read(text: str) -> T:
        for choice in choices:
            if str(choice) == text.replace("-", "_"):
                return choice
        raise ValueError(f"must be one of {', '.join(map(str, choices))}, not {text!r}")

    return read


def acknowledged_option(text: str) -> Acknowledgement:
    """Read NAME=REASON: an interacting medicine or its group, and a provider's reason. Who types it is whoever runs the command."""
    of, _, reason = text.partition("=")
    if not of.strip() or not reason.strip():
        raise ValueError(f"must be NAME=REASON, like diazepam=short course, not {text!r}")
    return Acknowledgement(of.strip(), "", reason.strip())


def amount_option(text: str) -> Decimal:
    """Read an exact amount above zero."""
    return read_amount(text)


def clock_option(text: str) -> time:
    """Read a local time of day."""
    return read_clock(text)


def date_option(text: str) -> date:
    """Read a date."""
    return read_date(text)


def instant_option(text: str) -> datetime:
    """Read an instant with its zone; return it in UTC."""
    return read_instant(text)


def zone_option(text: str) -> str:
    """Read the name of a time zone."""
    return read_zone(text)
