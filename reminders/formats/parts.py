"""The single values that stand in files: amounts, times, dates, instants, zones, phones, names. Each says what it wants."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Annotated, Literal, TypeVar
from zoneinfo import available_timezones

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from reminders.domain.plan import plain
from reminders.formats.shape import shown

T = TypeVar("T")

LONGEST_NAME = 80
LONGEST_REASON = 300
WEAK: Literal["weak"] = "weak"
MOST_KIDNEY = 300
"""More mL/min than anybody has: a slip of the finger."""
AMOUNT = r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?$"
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})$"
DURATION = r"^((0|[1-9][0-9]{0,7})(\.[0-9]{1,6})?) ?(s|min|h|d)$"
E164 = r"^\+[1-9][0-9]{6,14}$"

SECONDS = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
LONGEST = timedelta(days=366)


def _reader(pattern: str, wanted: str, make: Callable[[str], T], unreal: str = "") -> Callable[[object], T]:
    """Make the reader of one kind of text: of the right form, and (where it can be otherwise) a thing that exists."""
    compiled = re.compile(pattern)

    def read(value: object) -> T:
        if not (isinstance(value, str) and compiled.fullmatch(value)):
            raise ValueError(f"must be {wanted}, not {shown(value)}")
        try:
            return make(value)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{unreal}: {shown(value)}" if unreal else str(error)) from error

    return read


def _above_zero(text: str) -> Decimal:
    if (value := Decimal(text)) <= 0:
        raise ValueError("must be above zero: a dose of nothing is left out")
    return value


def _duration(text: str) -> timedelta:
    number, unit = re.split(r" ?(?=[a-z])", text, maxsplit=1)
    seconds = Decimal(number) * SECONDS[unit]
    if seconds != int(seconds) or not 0 < seconds <= LONGEST.total_seconds():
        raise ValueError(f"must be whole seconds, more than none and at most a year, not {shown(text)}")
    return timedelta(seconds=int(seconds))


def _phone(text: str) -> str:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException as error:  # it is no ValueError: "+857...", a country that is none
        raise ValueError from error
    if not phonenumbers.is_valid_number(number) or phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != text:
        raise ValueError
    return text


# Each takes a raw value and gives the value it stands for, or raises ValueError with a sentence that says what is wanted.
read_amount = _reader(AMOUNT, 'an exact decimal in quotes, like "5" or "2.5"', _above_zero)
read_clock = _reader(CLOCK, 'a local time of day in whole minutes from 00:00 to 23:59, like "08:00"', time.fromisoformat)
read_date = _reader(DATE, 'a date, like "2026-11-23"', date.fromisoformat, "no such date")
read_duration = _reader(DURATION, 'a duration, like "2 h", "30 min" or "5 d"', _duration)
read_instant = _reader(
    INSTANT,
    'an instant with its zone, like "2026-11-23T13:00:00Z"',
    lambda text: datetime.fromisoformat(text).astimezone(UTC),
    "no such instant",
)
read_phone = _reader(
    E164, 'a phone number in E.164 form, like "+12025550101"', _phone, "no such phone number, in any country's numbering plan"
)


def typed_phone(text: str, *, beside: str) -> str:
    """Write a phone number, typed in whatever way, in E.164 form; what is no number comes back as it is.

    `beside`: another one (E.164), of whose country the number is unless it begins with + and says otherwise.
    """
    try:
        number = phonenumbers.parse(text, phonenumbers.region_code_for_number(phonenumbers.parse(beside)))
    except phonenumbers.NumberParseException:
        return text
    return text if number.extension else phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def duration_text(length: timedelta) -> str:
    """Write a duration of whole seconds in its largest whole unit: "5 d", "2 h", "90 min"."""
    seconds = round(length.total_seconds())
    unit = next(unit for unit, size in SECONDS.items() if seconds % size == 0)
    return f"{seconds // SECONDS[unit]} {unit}"


def _read_hours(value: object) -> timedelta:
    """Read a plain number of hours, or a duration with its unit."""
    text = _number_text(value)
    return read_duration(f"{text} h" if re.fullmatch(AMOUNT, text) else value)


def hours_text(length: timedelta) -> str:
    """Write hours as a plain number where that is exact to the second, else as a duration: "2", "1.5", "100 min"."""
    hours = Decimal(round(length.total_seconds())) / 3600
    return plain(hours) if hours * 1000 == int(hours * 1000) else duration_text(length)


def _read_fraction(value: object) -> Decimal:
    text = _number_text(value)
    if not re.fullmatch(AMOUNT, text) or not 0 < Decimal(text) <= 1:
        raise ValueError(f'must be a part of the gap, above 0 and at most 1, like "0.5", not {shown(value)}')
    return Decimal(text)


def _number_text(value: object) -> str:
    """A rule's number may also stand without quotes: it was read exactly."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return plain(Decimal(value))
    return str(value)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime", "Factory"}  # the machine's own, and a placeholder: no place


def read_zone(value: object) -> str:
    """Read the name of a time zone that exists here."""
    if not (isinstance(value, str) and value in _zones()):
        raise ValueError(f'no such time zone: {shown(value)}; use an IANA name, like "America/New_York"')
    return value


def _one_line(value: str) -> str:
    """Refuse what would break a line of a text, or hide in it."""
    # U+200C and U+200D are hidden too, but belong to the spelling of some names.
    hidden = any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in value if char not in "\u200c\u200d")
    if hidden or value != value.strip():
        raise ValueError("must be one line of plain text, without space at its ends")
    return value


def read_kidney(value: object) -> Decimal | Literal["weak"]:
    """Read a kidney function: mL/min, or "weak" without a number. Raises ValueError."""
    if value == WEAK:
        return WEAK
    said = read_amount(value) if isinstance(value, str) else None
    if said is None or not 0 < said <= MOST_KIDNEY:
        raise ValueError(f'must be a kidney function in mL/min up to {MOST_KIDNEY}, like "45", or "weak", not {value!r}')
    return said


def read_name(text: str) -> str:
    """Read a person's name as a file would give it. Raises ValueError."""
    if not 1 <= len(text) <= LONGEST_NAME:
        raise ValueError(f"must have 1 to {LONGEST_NAME} characters")
    return _one_line(text)


def read_reason(text: str) -> str:
    """Read why somebody does something, as a file would give it. Raises ValueError."""
    if not 1 <= len(text) <= LONGEST_REASON:
        raise ValueError(f"must have 1 to {LONGEST_REASON} characters")
    return _one_line(text)


def without_unit(text: str, unit: str) -> str:
    """Take away the unit that people write behind a number, "5 mg", where it is this one; what is left is read as an amount."""
    number = text.strip()
    return number[: -len(unit)].rstrip() if number.casefold().endswith(unit.casefold()) else number


def _string(pattern: str = "", **more: object) -> WithJsonSchema:
    return WithJsonSchema({"type": "string"} | ({"pattern": pattern} if pattern else {}) | more)


AmountText = Annotated[Decimal, BeforeValidator(read_amount), _string(AMOUNT)]
ClockText = Annotated[time, BeforeValidator(read_clock), _string(CLOCK)]
DateText = Annotated[date, BeforeValidator(read_date), _string(DATE, format="date")]
DurationText = Annotated[timedelta, BeforeValidator(read_duration), _string(DURATION)]
HoursText = Annotated[timedelta, BeforeValidator(_read_hours), WithJsonSchema({"type": ["string", "number"]})]
FractionText = Annotated[Decimal, BeforeValidator(_read_fraction), WithJsonSchema({"type": ["string", "number"]})]
InstantText = Annotated[datetime, BeforeValidator(read_instant), _string(INSTANT, format="date-time")]
KidneyText = Annotated[Decimal | Literal["weak"], BeforeValidator(read_kidney), _string()]
PhoneText = Annotated[str, BeforeValidator(read_phone), _string(E164)]
ZoneText = Annotated[str, BeforeValidator(read_zone), _string()]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_one_line)]
Ref = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_one_line)]
Word = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_one_line)]
Reason = Annotated[str, Field(max_length=400), AfterValidator(_one_line)]
ReasonGiven = Annotated[str, Field(min_length=1, max_length=LONGEST_REASON), AfterValidator(_one_line)]
