"""Times, days and parts of the day in a reply, in English and Spanish words.

`at` 8:15 says when; `my` 8am says which. Which of the two a time is, the words around it tell; where they do not, nobody guesses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import time, timedelta

from reminders.messaging.time_words import (
    AGO,
    COUNTS,
    DAYS,
    DOSE_NOUNS,
    HACE,
    HALVES,
    LEADS,
    NOONS,
    NUMBERS,
    PASTS,
    QUARTERS,
    TELLS_A_DAY,
    UNITS,
    Ago,
    Clock,
    Role,
    TimeMark,
)

_Marked = tuple[tuple[TimeMark, ...], int]


def mark_times(words: str, note: Callable[[TimeMark], str]) -> str:
    """Replace every time, day and part of the day in plain words by the word that `note` returns for it."""
    tokens = _spread(words).split()
    out: list[str] = []
    here = 0
    while here < len(tokens):
        read = _ago(tokens, here) or _clock(tokens, here) or _day(tokens, here)
        if read is None:
            out.append(tokens[here])
            here += 1
        else:
            out += map(note, read[0])
            here += read[1]
    return " ".join(out)


@dataclass(frozen=True, slots=True)
class _Lead:
    role: Role
    length: int
    bare_hour: bool
    """Whether a mere number behind it is an hour: "at 8" is, "for 8" is not."""


@dataclass(frozen=True, slots=True)
class _Hour:
    hour: int
    minute: int
    length: int
    exact: bool
    """Written so that the half of the day is plain: 08:15, 17:00, noon."""
    certain: bool
    """Written so that it can only be a time: 8:15, noon, 8 o'clock, and not a mere 8."""


_LONGEST_PHRASE = 4
_DAY, _NOON = 24, 12
_SMALL_HOURS = 6  # "2 at night" is past midnight, "8 at night" before it


def _spread(words: str) -> str:
    """Part a time from what is written onto it: "8am" as "8 am", "830pm" as "8:30 pm", "o clock" as nothing new."""
    words = re.sub(r"(?<![a-z0-9:])([0-9]{1,2}(?::[0-9]{2})?)([ap])m?(?= |$)", r"\1 \2m", words)
    words = re.sub(r"(?<![a-z0-9:/])([0-9]{1,2}) ?([0-5][0-9]) ?(am|pm)(?= |$)", r"\1:\2 \3", words)
    words = re.sub(r"(?<![a-z0-9:/])([0-9]{1,2}:[0-5][0-9]) ?(?:hrs?|hours?|h)(?= |$)", r"\1", words)
    words = re.sub(r"(?<![a-z0-9:/])([01][0-9]|2[0-3])([0-5][0-9]) ?(?:hrs?|hours?|h)(?= |$)", r"\1:\2", words)
    words = re.sub(r"(?<![a-z0-9:/])(at|my|a las|de las) ([0-9]{1,2})([0-5][0-9])(?= |$)", r"\1 \2:\3", words)
    return re.sub(r" ?o ?clock(?= |$)", " oclock", words)


def _day(tokens: Sequence[str], here: int) -> _Marked | None:
    for length in range(_LONGEST_PHRASE, 0, -1):
        phrase = tuple(tokens[here : here + length])
        if len(phrase) == length and phrase in DAYS:
            return DAYS[phrase], length
    return None


def _ago(tokens: Sequence[str], here: int) -> _Marked | None:
    text = " ".join(tokens[here : here + 8])
    match = AGO.match(text) or HACE.match(text)
    if match is None:
        return None
    if match["half"]:
        return (Ago(timedelta(minutes=30)),), len(match[0].split())
    count = int(match["n"]) if match["n"].isdigit() else COUNTS.get(match["n"])
    if count is None:
        return None
    unit = timedelta(minutes=1) if match["unit"].startswith("m") else timedelta(hours=1)
    return (Ago(count * unit),), len(match[0].split())


def _clock(tokens: Sequence[str], here: int) -> _Marked | None:
    lead = _lead(tokens, here)
    start = here + (lead.length if lead else 0)
    hour = _hour(tokens, start)
    if hour is None:
        return None
    end = start + hour.length
    half, used = _half(tokens, end)
    noun = end + used < len(tokens) and tokens[end + used] in DOSE_NOUNS
    behind_lead = lead is not None and (noun or (lead.bare_hour and not _is_unit(tokens, end)))
    if not (hour.certain or half or behind_lead):
        return None
    role = Role.WHICH if noun else lead.role if lead else _role_of_bare(tokens, here)
    at, or_at = _resolve(hour, half)
    return (Clock(at, or_at, role),), end + used + noun - here


def _lead(tokens: Sequence[str], here: int) -> _Lead | None:
    for phrase, role, bare_hour in LEADS:
        if list(tokens[here : here + len(phrase)]) == phrase:
            return _Lead(role, len(phrase), bare_hour)
    return None


def _role_of_bare(tokens: Sequence[str], here: int) -> Role:
    """Say what a time without a leading word is: "took it 8:15" says when, for the dose was named before it."""
    return Role.WHEN if here > 0 and tokens[here - 1] in {"it", "them"} else Role.BARE


def _is_unit(tokens: Sequence[str], here: int) -> bool:
    return here < len(tokens) and (tokens[here] in UNITS or tokens[here].startswith("#"))


def _hour(tokens: Sequence[str], here: int) -> _Hour | None:
    if here >= len(tokens):
        return None
    pair = " ".join(tokens[here : here + 2])
    if pair in PASTS and here + 2 < len(tokens):
        after = _hour(tokens, here + 2)
        return _shifted(after, PASTS[pair], 2) if after and not after.minute else None
    if pair in {"12 noon", "12 midnight"}:
        return _Hour(NOONS[tokens[here + 1]], 0, 2, exact=True, certain=True)
    if tokens[here] in NOONS:
        return _Hour(NOONS[tokens[here]], 0, 1, exact=True, certain=True)
    match = re.fullmatch(r"([0-9]{1,2})(?::([0-5][0-9]))?", tokens[here])
    number = int(match[1]) if match else NUMBERS.get(tokens[here])
    if number is None or number >= _DAY:
        return None
    minute = int(match[2]) if match and match[2] else 0
    certain = bool(match and match[2])
    exact = certain and (number > _NOON or tokens[here].startswith("0"))
    return _with_tail(tokens, here, _Hour(number, minute, 1, exact=exact, certain=certain))


def _with_tail(tokens: Sequence[str], here: int, hour: _Hour) -> _Hour:
    tail = tokens[here + 1 : here + 3]
    if " ".join(tail) in QUARTERS:
        return _shifted(hour, QUARTERS[" ".join(tail)], 2)
    if tail[:1] == ["oclock"]:
        return replace(hour, length=2, certain=True)
    if not hour.certain and tail and re.fullmatch(r"[1-5][0-9]", tail[0]) and not _is_unit(tokens, here + 2):
        return replace(hour, length=2, minute=int(tail[0]))
    return hour


def _shifted(hour: _Hour, minutes: int, more: int) -> _Hour:
    total = (hour.hour * 60 + minutes) % (_DAY * 60)
    return replace(hour, hour=total // 60, minute=total % 60, length=hour.length + more, certain=True)


def _half(tokens: Sequence[str], here: int) -> tuple[str | None, int]:
    for length in (3, 2, 1):
        phrase = tuple(tokens[here : here + length])
        if len(phrase) == length and phrase in HALVES:
            return HALVES[phrase], 0 if " ".join(phrase) in TELLS_A_DAY else length
    return None, 0


def _resolve(hour: _Hour, half: str | None) -> tuple[time, time | None]:
    """Turn an hour and the half of its day into a time; without the half, into both, as written first."""
    if hour.exact or hour.hour > _NOON or hour.hour == 0:
        return time(hour.hour, hour.minute), None
    early, late = time(hour.hour % _NOON, hour.minute), time(hour.hour % _NOON + _NOON, hour.minute)
    if half == "night":
        half = "am" if hour.hour % _NOON < _SMALL_HOURS else "pm"
    if half is not None:
        return (early if half == "am" else late), None
    return (late, early) if hour.hour == _NOON else (early, late)
