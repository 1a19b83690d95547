"""The words of times and days in replies, English and Spanish side by side, and what they are read into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from types import MappingProxyType

from reminders.messaging.intents import DayWord, PartOfDay
from reminders.messaging.reply_text import listed


class Role(StrEnum):
    """What a time in a reply is the time of: when it was taken, which dose is meant, or it does not say."""

    WHEN = "when"
    WHICH = "which"
    BARE = "bare"


@dataclass(frozen=True, slots=True)
class Clock:
    """A local time as written; without am or pm it may as well be `or_at`, twelve hours from it."""

    at: time
    or_at: time | None
    role: Role


@dataclass(frozen=True, slots=True)
class Ago:
    """How long before the reply."""

    ago: timedelta


TimeMark = Clock | Ago | PartOfDay | DayWord


NUMBERS: Mapping[str, int] = MappingProxyType(
    {
        word: number
        for listed in (
            ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
            ("una", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"),
        )
        for number, word in enumerate(listed, 1)
    },
)
WHEN_LEADS = (
    *("a eso de las", "a eso de la", "como a las", "como a la", "sobre las", "a las", "a la", "at around", "at about", "at like"),
    *("at approximately", "around", "about", "approximately", "roughly", "at", "by", "al"),
)
WHICH_LEADS = ("la dosis de las", "mi dosis de las", "dosis de las", "la de las", "la de la", "mi de las", "de las", "de la", "my")
WEAK_WHICH_LEADS = ("the", "for", "mi", "la", "de", "dose", "dosis", "dosis de")
LEADS = (
    *((phrase.split(), Role.WHEN, True) for phrase in WHEN_LEADS),
    *((phrase.split(), Role.WHICH, True) for phrase in WHICH_LEADS),
    *((phrase.split(), Role.WHICH, False) for phrase in WEAK_WHICH_LEADS),
)
DOSE_NOUNS = frozenset(("dose", "one", "pill", "med", "meds", "medicine", "tablet", "reminder", "dosis", "pastilla", "toma"))
UNITS = listed(
    "hours hour hrs hr h minutes minute mins min days day weeks week times time",
    "mg of pills tablets tabs doses horas hora minutos dias veces pastillas tabletas x #",
)
"""Behind a number, these say that it is none of a clock: "at 2 hours", "my 2 pills"."""
MORNING = ("in the morning", "this morning", "de la manana", "por la manana", "en la manana", "esta manana", "de la madrugada", "am")
LATER = (
    *("in the afternoon", "this afternoon", "in the evening", "this evening", "tonight", "de la tarde", "por la tarde", "en la tarde"),
    *("esta tarde", "del mediodia", "del dia", "pm"),
)
NIGHT = ("at night", "last night", "de la noche", "por la noche", "en la noche", "esta noche", "anoche")
HALVES = {tuple(phrase.split()): half for half, phrases in (("am", MORNING), ("pm", LATER), ("night", NIGHT)) for phrase in phrases}
TELLS_A_DAY = frozenset(("last night", "anoche"))
QUARTERS = {"y media": 30, "y cuarto": 15, "menos cuarto": -15}
PASTS = {"half past": 30, "quarter past": 15, "quarter after": 15, "quarter to": -15}
NOONS = {"noon": 12, "midday": 12, "mediodia": 12, "midnight": 0, "medianoche": 0}

DAY_PHRASES: tuple[tuple[str, tuple[TimeMark, ...]], ...] = (
    ("last night|last nights|yesterday night|yesterday evening|anoche", (DayWord.YESTERDAY, PartOfDay.NIGHT)),
    ("ayer en la noche|ayer por la noche", (DayWord.YESTERDAY, PartOfDay.NIGHT)),
    ("yesterday morning|ayer en la manana|ayer por la manana", (DayWord.YESTERDAY, PartOfDay.MORNING)),
    ("yesterday afternoon|ayer en la tarde|ayer por la tarde", (DayWord.YESTERDAY, PartOfDay.AFTERNOON)),
    ("this morning|this mornings|esta manana", (DayWord.TODAY, PartOfDay.MORNING)),
    ("this afternoon|this afternoons|esta tarde", (DayWord.TODAY, PartOfDay.AFTERNOON)),
    ("this evening|this evenings", (DayWord.TODAY, PartOfDay.EVENING)),
    ("tonight|tonights|esta noche", (DayWord.TODAY, PartOfDay.NIGHT)),
    ("in the morning|morning|mornings|breakfast|my am|the am", (PartOfDay.MORNING,)),
    ("de la manana|por la manana|en la manana|la manana|desayuno|del desayuno", (PartOfDay.MORNING,)),
    ("in the afternoon|afternoon|afternoons|lunch|lunchtime", (PartOfDay.AFTERNOON,)),
    ("de la tarde|por la tarde|en la tarde|almuerzo|del almuerzo", (PartOfDay.AFTERNOON,)),
    ("in the evening|evening|evenings|dinner|dinnertime|supper|cena|de la cena", (PartOfDay.EVENING,)),
    ("at night|night|nights|nighttime|night time|bedtime|bed time", (PartOfDay.NIGHT,)),
    ("de la noche|por la noche|en la noche|la noche", (PartOfDay.NIGHT,)),
    ("today|todays|hoy|de hoy", (DayWord.TODAY,)),
    ("yesterday|yesterdays|ayer|de ayer", (DayWord.YESTERDAY,)),
    ("monday|mondays|mon|lunes|lun", (DayWord.MONDAY,)),
    ("tuesday|tuesdays|tue|tues|martes|mar", (DayWord.TUESDAY,)),
    ("wednesday|wednesdays|wed|weds|miercoles|mie", (DayWord.WEDNESDAY,)),
    ("thursday|thursdays|thu|thur|thurs|jueves|jue", (DayWord.THURSDAY,)),
    ("friday|fridays|fri|viernes|vie", (DayWord.FRIDAY,)),
    ("saturday|saturdays|sat|sabado|sab", (DayWord.SATURDAY,)),
    ("sunday|sundays|sun|domingo|dom", (DayWord.SUNDAY,)),
)
DAYS = {tuple(phrase.split()): marks for phrases, marks in DAY_PHRASES for phrase in phrases.split("|")}
COUNTS = {**NUMBERS, "a": 1, "an": 1, "un": 1, "couple": 2, "couple of": 2, "a couple of": 2, "a couple": 2, "par de": 2, "un par de": 2}
AGO = re.compile(
    r"(?:(?:about|like|around|maybe) )?(?:(?P<half>half (?:an )?hour)"
    r"|(?P<n>[0-9]{1,3}|(?:a )?couple(?: of)?|[a-z]+) ?(?P<unit>minutes?|mins?|m|hours?|hrs?|h)) ago(?: |$)",
)
HACE = re.compile(
    r"hace (?:(?:como|unos|unas) )?(?:(?P<half>media hora)"
    r"|(?P<n>[0-9]{1,3}|(?:un )?par de|[a-z]+) ?(?P<unit>minutos?|min|horas?|hrs?|h))(?: |$)",
)
