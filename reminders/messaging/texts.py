"""What we say: the catalogue of texts, each with its purpose, in each language, and the words for times and dates.

The wordings are data, in `locales/`. This module fills them in; it does not decide what is sent, to whom, or when.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from importlib import resources
from string import Formatter
from types import MappingProxyType
from zoneinfo import ZoneInfo

from reminders.errors import DoselineError
from reminders.messaging.segments import gsm7_units, is_gsm7


class UnknownText(DoselineError):
    """There is no text of that name."""


class WrongFields(DoselineError):
    """A text was not given exactly the fields it has."""


class Purpose(StrEnum):
    """What a text is sent for; the public name of its kind in stories and exports."""

    REMINDER = "reminder"
    LATE_REMINDER = "late_reminder"
    FOLLOW_UP = "follow_up"
    ADVICE = "advice"
    ANSWER = "answer"
    QUESTION = "question"
    STEP_NOTICE = "step_notice"
    STAY_NOTICE = "stay_notice"
    SUSPEND_NOTICE = "suspend_notice"
    CHECK_IN = "check_in"
    CAREGIVER_ALERT = "caregiver_alert"
    STAFF_ALERT = "staff_alert"
    STAFF_TEXT = "staff_text"
    EMERGENCY = "emergency"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"
    MENU = "menu"
    REFILL = "refill"
    VERIFICATION = "verification"


@dataclass(frozen=True, slots=True)
class Template:
    """One text: its purpose, the fields it must be given, and its wording per language (English always)."""

    key: str
    purpose: Purpose
    fields: frozenset[str]
    wordings: Mapping[str, str]

    def wording(self, language: str) -> str:
        """Return the wording in a language, or in English where that language has none."""
        return self.wordings.get(language, self.wordings[ENGLISH])


@dataclass(frozen=True, slots=True)
class _Words:
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    halves: tuple[str, ...]
    new: tuple[str]


ENGLISH = "en"
LANGUAGES = (ENGLISH, "es")

FIELD_WIDTHS: Mapping[str, int] = MappingProxyType(
    {
        "clinic": 14,
        "phone": 12,
        "when": 12,
        "until": 12,
        "next": 12,
        "after": 12,
        "date": 10,
        "time": 8,
        "amount": 31,
        "amount2": 31,
        "name": 14,
        "label": 14,
        "letter": 1,
        "letter2": 1,
        "letters": 10,
        "which": 7,
        "which2": 7,
        "new": 7,
        "new2": 7,
        "drug": 8,
        "mg": 5,
        "code": 6,
        "n": 2,
        "times": 3,
        "link": 85,
        "words": 144,
    },
)
"""The longest each field may be, in GSM-7 units, for a text to stay one segment."""

CUT_FIELDS = frozenset({"clinic", "name", "label", "drug"})
"""Names may be cut to their width. A number, an amount or a time never is: "1 of 10 mg and 1 of 5 m" would be another dose."""

ADDED_FIELDS = frozenset({"which", "which2", "new", "new2"})
"""What is put beside a dose, a space before it, or left out: "(A)", whose or of which plan it is; "new:", that its amount is."""


def render(key: str, language: str, **fields: str | int) -> str:
    """Fill in a text, in the patient's language or else in English.

    Every value is made to fit first (`fit_field`). Raises UnknownText, or WrongFields if a field is missing or too many.
    """
    template = template_of(key)
    if fields.keys() != template.fields:
        missing, unknown = sorted(template.fields - fields.keys()), sorted(fields.keys() - template.fields)
        raise WrongFields(f"the text {key!r}: missing {missing}, unknown {unknown}")
    return template.wording(language).format_map({name: fit_field(name, str(value)) for name, value in fields.items()})


def template_of(key: str) -> Template:
    """Look up a text by its name; raises UnknownText."""
    if key not in TEXTS:
        raise UnknownText(f"there is no text {key!r}")
    return TEXTS[key]


def purpose_of(key: str) -> Purpose:
    """Say what a text is sent for; raises UnknownText."""
    return template_of(key).purpose


def fit_field(name: str, value: str) -> str:
    """Write a value in GSM-7, on one line, a name cut to its width, a North American phone without its country code.

    One letter outside GSM-7 would more than double the price of the text, so it gives way to its plain form, or to `?`.
    Raises WrongFields for a name that is no field.
    """
    if name not in FIELD_WIDTHS:
        raise WrongFields(f"there is no field {name!r}")
    plain = " ".join(to_gsm7(value).split())
    if name == "phone":
        return phone_words(plain)
    if name in CUT_FIELDS:
        return _cut(plain, FIELD_WIDTHS[name])
    return f" {plain}" if plain and name in ADDED_FIELDS else plain


def to_gsm7(text: str) -> str:
    """Write a text in GSM-7 letters: á as a, a curly quote as a straight one, what has no plain form as `?`."""
    return "".join(character if is_gsm7(character) else _plain_form(character) for character in unicodedata.normalize("NFC", text))


def phone_words(phone: str) -> str:
    """Write a phone the way it is read out: +12025550101 as `202 555 0101`; one of another country as it is."""
    digits = re.sub(r"\D", "", phone)
    national = digits[1:] if len(digits) == _NATIONAL + 1 and digits.startswith("1") else digits
    if len(national) != _NATIONAL or (phone.startswith("+") and not digits.startswith("1")):
        return phone
    return f"{national[:3]} {national[3:6]} {national[6:]}"


def when(instant: datetime, tz: ZoneInfo, language: str = ENGLISH) -> str:
    """Say an aware instant as its weekday and local time, `Wed 10:30 pm`, rounded down to the minute.

    A text is read when it arrives, not when it was sent: so no clock time goes out without its weekday.
    """
    local = instant.astimezone(tz)
    return f"{_words(language).weekdays[local.weekday()]} {time_words(local.time(), language)}"


def when_each(first: datetime, second: datetime, tz: ZoneInfo, language: str = ENGLISH) -> tuple[str, str]:
    """Say two instants so that neither can be taken for the other: as `when` does, or by their dates if that would say the same twice."""
    said = when(first, tz, language), when(second, tz, language)
    if said[0] != said[1]:
        return said
    return date_words(first.astimezone(tz).date(), language), date_words(second.astimezone(tz).date(), language)


def new_word(language: str = ENGLISH) -> str:
    """Say beside a dose's letter that its amount is new: `new:`."""
    return _words(language).new[0]


def date_words(day: date, language: str = ENGLISH) -> str:
    """Say a local date: `Wed 25 Nov`."""
    words = _words(language)
    return f"{words.weekdays[day.weekday()]} {day.day} {words.months[day.month - 1]}"


def time_words(local: time, language: str = ENGLISH) -> str:
    """Say a local time by the twelve-hour clock, `10:30 pm`; seconds are dropped. It may stand only beside a date."""
    half = _words(language).halves[local.hour >= _NOON]
    return f"{local.hour % _NOON or _NOON}:{local.minute:02} {half}"


_NOON = 12
_NATIONAL = 10
_PLAIN = {
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    "œ": "oe",
    "Œ": "OE",
    "ç": "c",
    "×": "x",
    "…": "...",
    # With a space before: "1½" must not become "11/2".
    "½": " 1/2",
    "¼": " 1/4",
    "¾": " 3/4",
}


def _plain_form(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    bare = "".join(part for part in unicodedata.normalize("NFD", character) if not unicodedata.combining(part))
    return bare if bare and is_gsm7(bare) else "?"


def _cut(text: str, width: int) -> str:
    while gsm7_units(text) > width:
        text = text[:-1]
    return text.rstrip()


def _words(language: str) -> _Words:
    return _WORDS.get(language, _WORDS[ENGLISH])


def _fields_of(wording: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(wording) if name is not None)


def _flat(by_purpose: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    return {key: wording for texts in by_purpose.values() for key, wording in texts.items()}


def _read_locales() -> tuple[Mapping[str, Template], Mapping[str, _Words]]:
    """Read every language's file. A text's purpose and fields are those of its English wording."""
    folder = resources.files("reminders.messaging") / "locales"
    files = {language: tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8")) for language in LANGUAGES}
    words = {language: _Words(**{name: tuple(listed) for name, listed in content["words"].items()}) for language, content in files.items()}
    wordings = {language: _flat(content["texts"]) for language, content in files.items()}
    templates = {
        key: Template(
            key,
            Purpose(purpose),
            _fields_of(english),
            MappingProxyType({language: wordings[language][key] for language in LANGUAGES if key in wordings[language]}),
        )
        for purpose, texts in files[ENGLISH]["texts"].items()
        for key, english in texts.items()
    }
    return MappingProxyType(templates), MappingProxyType(words)


TEXTS, _WORDS = _read_locales()
