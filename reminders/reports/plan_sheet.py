"""The plan sheet: one page for the patient to take home, from the same table that a provider signed, in words of their language.

It says what is prescribed and what the rules say; it decides nothing. The words are data, in `sheet_words/`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, assert_never

from reminders.domain.missed import AskProviderRule, Beyond, Boundary, Fraction, HoursBeforeNext, MaxLate, MissedDoseRule
from reminders.domain.plan import DAY, HOUR, Amount, Kind, Phase, Plan, plain
from reminders.domain.plan_state import PlanState
from reminders.domain.profile import DrugProfile
from reminders.domain.schedule import phase_spans
from reminders.domain.tablets import Tablets, in_tablets

ENGLISH = "en"
LANGUAGES = (ENGLISH, "es")
HALF = Decimal("0.5")
NOON = 12

LARGE_ROWS, MIDDLE_ROWS, SMALL_ROWS = 4, 8, 12
"""So many rows fit on one page of A4 or Letter in large, middling and small letters; beyond that the table goes on overleaf."""


@dataclass(frozen=True, slots=True)
class About:
    """Whose sheet it is, who is called, and on which local date it is printed. `phone`: as it is read out."""

    name: str
    clinic: str
    phone: str
    today: date


@dataclass(frozen=True, slots=True)
class SheetDose:
    """A dose as it is taken: in tablets, and its amount; alike where nobody can say the tablets."""

    tablets: str
    amount: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A run of days: its dates, how often where that is not every day, and a dose (None: none) for each time, or what it `says`."""

    dates: str
    rhythm: str
    doses: tuple[SheetDose | None, ...]
    says: str = ""


@dataclass(frozen=True, slots=True)
class PlanSheet:
    """The sheet. `says` stands in the table's place where there is none; `size`: large, middle, small or overleaf."""

    language: str
    words: Mapping[str, Any]
    sheet_for: str
    medicine: str
    known_as: str
    printed: str
    times: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    says: str
    missed: tuple[str, ...]
    never: tuple[str, ...]
    call: str
    size: str


def plan_sheet(about: About, plan: Plan, profile: DrugProfile, *, rule: MissedDoseRule, state: PlanState, language: str) -> PlanSheet:
    """Write the sheet of a plan as it is followed, its stays laid in, from the day of printing on.

    In English where there are no words of a language. `rule`: for a missed dose, the plan's or else the profile's.
    """
    words = words_of(language)
    of_day = tuple(sorted({dose.at for _, phase, _ in _coming(plan, about.today) for dose in phase.doses}))
    rows = tuple(_rows(words, plan, profile, of_day, about.today)) if state in {PlanState.ACTIVE, PlanState.STAYING} else ()
    says = {PlanState.SUSPENDED: words["suspended"], PlanState.MUTED: words["muted"], PlanState.STAYING: words["staying"]}.get(state, "")
    return PlanSheet(
        language=language if language in LANGUAGES else ENGLISH,
        words=words,
        sheet_for=words["sheet_for"].format(name=about.name),
        medicine=words["medicine"].format(drug=profile.name),
        known_as=words["known_as"].format(label=plan.label) if plan.label else "",
        printed=words["printed"].format(date=_date(words, about.today, about.today.year), zone=plan.zone.replace("_", " ")),
        times=tuple(time_words(words, at) for at in of_day),
        rows=rows,
        says=says,
        missed=tuple(_missed(words, rule)),
        never=tuple(_never(words, profile)),
        call=words["call"].format(clinic=about.clinic, phone=about.phone),
        size=_size(len(rows)),
    )


@cache
def words_of(language: str) -> Mapping[str, Any]:
    """The words of a language, or else English."""
    name = language if language in LANGUAGES else ENGLISH
    return tomllib.loads((resources.files("reminders.reports") / "sheet_words" / f"{name}.toml").read_text("utf-8"))


def _size(rows: int) -> str:
    limits = ((LARGE_ROWS, "large"), (MIDDLE_ROWS, "middle"), (SMALL_ROWS, "small"))
    return next((size for most, size in limits if rows <= most), "overleaf")


def _coming(plan: Plan, today: date) -> Iterator[tuple[date, Phase, date | None]]:
    """The phases that are not over: the first date, and the first one after the last; None: without end."""
    for span, phase in zip(phase_spans(plan), plan.phases, strict=True):
        if span.ends is None or span.ends > today:
            yield span.starts, phase, span.ends


def _rows(words: Mapping[str, Any], plan: Plan, profile: DrugProfile, of_day: tuple[time, ...], today: date) -> Iterator[SheetRow]:
    ends: date | None = None
    for first, phase, ends in _coming(plan, today):
        by_time = {dose.at: dose.amount for dose in phase.doses}
        doses = tuple(_dose(words, by_time[at], plan, profile) if at in by_time else None for at in of_day)
        n = phase.every_n_days
        rhythm = "" if n == 1 else words["every_n_days"].format(n=n)
        yield SheetRow(_dates(words, first, ends, today.year), rhythm, doses)
    if ends is not None:
        says = words["after_taper"] if plan.kind is Kind.TAPER else words["after_other"]
        yield SheetRow(words["ended"].format(first=_date(words, ends, today.year)), "", (), says)


def _dates(words: Mapping[str, Any], first: date, ends: date | None, year: int) -> str:
    if ends is None:
        return str(words["until_told"]).format(first=_date(words, first, year))
    last = ends - DAY
    said = words["one_day"] if first == last else words["from_to"]
    return str(said).format(first=_date(words, first, year), last=_date(words, last, year))


def _date(words: Mapping[str, Any], day: date, year: int) -> str:
    said = words["date"] if day.year == year else words["date_with_year"]
    return str(said).format(weekday=words["weekdays"][day.weekday()], day=day.day, month=words["months"][day.month - 1], year=day.year)


def time_words(words: Mapping[str, Any], at: time) -> str:
    """Say a local time by the twelve-hour clock: "8:00 am"."""
    return f"{at.hour % NOON or NOON}:{at.minute:02} {words['halves'][at.hour >= NOON]}"


def _dose(words: Mapping[str, Any], amount: Amount, plan: Plan, profile: DrugProfile) -> SheetDose:
    made = in_tablets(amount, profile, plan.strengths or None) or ()
    said = str(words["and"]).join(_tablets(words, tablets, alone=len(made) == 1) for tablets in made)
    return SheetDose(_together(said or str(amount)), _together(str(amount)))


def _tablets(words: Mapping[str, Any], tablets: Tablets, *, alone: bool) -> str:
    whole, half = divmod(tablets.count, 1)
    if half:
        key = ("tablet_and_half" if whole else "half") if alone else ("part_and_half" if whole else "part_half")
    else:
        key = ("tablet" if whole == 1 else "tablets") if alone else "part"
    return str(words[key]).format(n=plain(whole), strength=tablets.strength)


def _together(said: str) -> str:
    """Keep a number and its unit on one line: "10" at the end of one and "mg" on the next is misread."""
    return re.sub(r"(?<=[0-9]) (?=(?:mg|mcg|g|mL)\b)", "\N{NO-BREAK SPACE}", said)


def _missed(words: Mapping[str, Any], rule: MissedDoseRule) -> Iterator[str]:
    """What to do about a missed dose, sentence by sentence."""
    match rule:
        case HoursBeforeNext(gap, at_limit):
            yield words[f"hours_before_next{_strict(at_limit, Boundary.SKIP)}"].format(span=span_words(words, gap))
        case MaxLate(late, min_gap, at_limit, beyond):
            yield words[f"max_late{_strict(at_limit, Boundary.SKIP)}"].format(span=span_words(words, late))
            if min_gap is not None:
                yield words["max_late_gap"].format(span=span_words(words, min_gap))
            yield words["beyond_ask" if beyond is Beyond.ASK else "beyond_skip"]
        case Fraction(of_gap):
            yield words["half_the_time"] if of_gap == HALF else words["fraction"].format(percent=plain(of_gap * 100))
        case AskProviderRule():
            yield words["ask_provider"]
        case _ as unreachable:
            assert_never(unreachable)
    yield words["next_as_usual"]


def _strict(at_limit: Boundary, strict: Boundary) -> str:
    return "_strict" if at_limit is strict else ""


def span_words(words: Mapping[str, Any], length: timedelta) -> str:
    """Say a length of time in its largest exact unit; up to two days, hours are how people count."""
    for unit, size, least in (("d", DAY, 2 * DAY + HOUR), ("h", HOUR, HOUR)):
        if length >= least and length % size == timedelta(0):
            return _counted(words["spans"][unit], length // size)
    return _counted(words["spans"]["min"], length // timedelta(minutes=1))


def _counted(forms: list[str], number: int) -> str:
    one, many = forms
    return one if number == 1 else many.format(n=number)


def _never(words: Mapping[str, Any], profile: DrugProfile) -> Iterator[str]:
    yield words["never_double"]
    if profile.withdrawal_risk.value:
        yield words["never_stop"]
    yield words["never_change"]
