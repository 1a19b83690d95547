"""Read one drug's file into a `DrugProfile`, refusing what cannot be trusted, with the path of the fault.

Refused: a number without a source, a source the file does not name, a field nobody reads (a misspelt limit would
otherwise be no limit at all), and an error that rests on anything but a sourced number.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from reminders.domain.check_in import SYMPTOMS
from reminders.domain.missed import AskProviderRule, Beyond, Boundary, Fraction, HoursBeforeNext, MaxLate, MissedDoseRule
from reminders.domain.plan import Amount, CheckInItem, InvalidPlan, Unit
from reminders.domain.profile import (
    GRAVE,
    Approval,
    Confidence,
    DrugProfile,
    Indication,
    Interaction,
    KidneyBand,
    Monitoring,
    PercentCut,
    Severity,
    Sourced,
    Template,
    TemplateKind,
    TemplatePhase,
)
from reminders.errors import DoselineError

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

WHOLE = Decimal(100)


class BadProfile(DoselineError):
    """A drug profile that cannot be trusted, with the path of the fault."""

    def __init__(self, path: str, message: str) -> None:
        self.path, self.message = path, message
        super().__init__(f"{path}: {message}")


def read_profile(text: str, name: str) -> DrugProfile:
    """Read a profile from TOML; `name` is the file's, for its faults. Raises BadProfile."""
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadProfile(name, f"not TOML: {error}") from error
    sources = _listed(written.get("sources"), f"{name}: sources")
    page = _Table(written, name, frozenset(sources))
    page.answers = _who_answers(page)
    profile = replace(page.whole(_profile), sources=tuple(sources.items()))
    for amount in _amounts_in(profile):
        if amount.unit is not profile.unit:  # held against a limit in another unit, it would be no limit
            raise BadProfile(page.at("unit"), f"is {profile.unit}, but the file also says {amount}")
    return profile


def _who_answers(page: _Table) -> str:
    """What is added to each source of a clinic's own file, so that every finding says who approved the number."""
    approval = _approval(page)
    return "" if approval is None else f" (approved by {approval.by}, {approval.on.isoformat()})"


def _amounts_in(thing: object) -> Iterator[Amount]:
    """Every amount that a profile says anywhere."""
    if isinstance(thing, Amount):
        yield thing
    elif isinstance(thing, tuple):
        for part in thing:
            yield from _amounts_in(part)
    elif isinstance(thing, DrugProfile | Sourced | Template | TemplatePhase):
        for field in fields(thing):
            yield from _amounts_in(getattr(thing, field.name))


def _listed(sources: object, path: str) -> dict[str, str]:
    """The names under which a file lists its sources, each with a word on what it is."""
    if not isinstance(sources, Mapping):
        raise BadProfile(path, "must be a table of the sources by name")
    return {str(name): _text(what, f"{path}.{name}") for name, what in sources.items()}


class _Table:
    """A TOML table that knows where it stands, which sources its file lists, and what of it was read."""

    def __init__(self, fields: object, path: str, sources: frozenset[str]) -> None:
        if not isinstance(fields, Mapping):
            raise BadProfile(path, "must be a table")
        self.fields: dict[str, object] = dict(fields)
        self.path = path
        self.sources = sources
        self.answers = ""
        self._unread = set(self.fields) - {"sources"}

    def at(self, name: str) -> str:
        return f"{self.path}: {name}" if self.path.endswith(".toml") else f"{self.path}.{name}"

    def may(self, name: str, read: Callable[[object, str], T]) -> T | None:
        self._unread.discard(name)
        return read(self.fields[name], self.at(name)) if name in self.fields else None

    def need(self, name: str, read: Callable[[object, str], T]) -> T:
        value = self.may(name, read)
        if value is None:
            raise BadProfile(self.at(name), "is missing")
        return value

    def sourced(self, name: str, read: Callable[[object, str], T]) -> Sourced[T] | None:
        return self.may(name, self.inner(lambda table: _sourced(table, read)))

    def must(self, name: str, read: Callable[[object, str], T]) -> Sourced[T]:
        value = self.sourced(name, read)
        if value is None:
            raise BadProfile(self.at(name), "is missing")
        return value

    def rows(self, name: str, read: Callable[[_Table], T]) -> tuple[T, ...]:
        rows = self.may(name, _list) or []
        return tuple(self._inside(row, f"{self.at(name)}[{index}]").whole(read) for index, row in enumerate(rows))

    def topics(self, name: str) -> tuple[tuple[str, Sourced[str]], ...]:
        topics = self.may(name, self._inside)
        return () if topics is None else tuple((topic, topics.must(topic, _text)) for topic in topics.fields)

    def whole(self, read: Callable[[_Table], T]) -> T:
        """Read this table, and refuse it if anything in it was left unread."""
        value = read(self)
        for name in sorted(self._unread):
            raise BadProfile(self.at(name), "is no field here; is it misspelt?")
        return value

    def inner(self, read: Callable[[_Table], T]) -> Callable[[object, str], T]:
        """A reader of a value that is a table itself."""
        return lambda value, path: self._inside(value, path).whole(read)

    def _inside(self, fields: object, path: str) -> _Table:
        inner = _Table(fields, path, self.sources)
        inner.answers = self.answers
        return inner


def _profile(page: _Table) -> DrugProfile:
    return DrugProfile(
        key=page.need("key", _text),
        name=page.need("name", _text),
        ingredient=page.need("ingredient", _text),
        form=page.need("form", _text),
        unit=page.need("unit", _one_of(Unit)),
        aliases=page.may("aliases", _texts) or (),
        strengths=page.sourced("strengths", _amounts),
        scored=page.sourced("scored", _amounts),
        withdrawal_risk=page.must("withdrawal_risk", _truth),
        max_per_dose=page.sourced("max_per_dose", _amount),
        max_per_day=page.sourced("max_per_day", _amount),
        max_in_24h=page.sourced("max_in_24h", _amount),
        start_max_per_day=page.sourced("start_max_per_day", _amount),
        step_max_per_dose=page.sourced("step_max_per_dose", _amount),
        step_max_per_day=page.sourced("step_max_per_day", _amount),
        step_min_days=page.sourced("step_min_days", _count),
        taper_min_days=page.sourced("taper_min_days", _count),
        min_gap=page.sourced("min_gap", _span),
        max_gap=page.sourced("max_gap", _span),
        missed_dose_rule=page.sourced("missed_dose_rule", page.inner(_rule)),
        gap_warn=page.sourced("gap_warn", _span),
        gap_suspend=page.sourced("gap_suspend", _span),
        interactions=page.rows("interactions", _interaction),
        red_flags=page.sourced("red_flags", _texts),
        ceiling_per_day=page.sourced("ceiling_per_day", _amount),
        usual_per_day=page.sourced("usual_per_day", _amounts),
        slot_added=page.sourced("slot_added", _text),
        older_from=page.sourced("older_from", _count),
        kidney_caution=page.sourced("kidney_caution", _text),
        kidney=page.rows("kidney", _kidney),
        indications=page.rows("indications", _indication),
        review_within=page.sourced("review_within", _span),
        notes=page.topics("notes"),
        templates=_templates(page),
        max_per_week=page.sourced("max_per_week", _amount),
        max_doses_in_24h=page.sourced("max_doses_in_24h", _count),
        longest_gap=page.sourced("longest_gap", _span),
        taper_only=page.may("taper_only", _truth) or False,
        cut_max_per_day=page.sourced("cut_max_per_day", _amount),
        cut_min_days=page.sourced("cut_min_days", _count),
        cut_max_percent=page.sourced("cut_max_percent", page.inner(_percent_cut)),
        first_cut_percent=page.sourced("first_cut_percent", _percent),
        approval=_approval(page),
    )


def _sourced(table: _Table, read: Callable[[object, str], T]) -> Sourced[T]:
    named = Sourced(
        value=table.need("value", read),
        source="; ".join(table.need("source", _texts)) + table.answers,
        confidence=table.need("confidence", _one_of(Confidence)),
        on_breach=table.may("on_breach", _one_of(Severity)) or Severity.WARNING,
        disagrees=table.may("disagrees", _pairs) or (),
        note=table.may("note", _text) or "",
    )
    for source in (*table.need("source", _texts), *(source for _, source in named.disagrees)):
        if source not in table.sources:
            raise BadProfile(table.at("source"), f"{source!r} is not among the file's [sources]")
    if named.on_breach is Severity.ERROR and named.confidence is not Confidence.SOURCED:
        raise BadProfile(table.at("on_breach"), f"an error rests on a sourced number, this one is {named.confidence}")
    return named


def _approval(page: _Table) -> Approval | None:
    """A clinic's own file names who answers for it; a shipped one has nobody to name."""
    replaces = page.may("replaces", _truth) or False
    approval = page.may("approved", page.inner(lambda table: Approval(table.need("by", _text), table.need("on", _date), replaces)))
    if replaces and approval is None:
        raise BadProfile(page.at("approved"), "is missing: a file that replaces another names who approved it, and when")
    return approval


def _interaction(table: _Table) -> Interaction:
    interaction = Interaction(
        group=table.need("group", _text),
        names=table.need("names", _texts),
        effect=table.must("effect", _text),
        advice=table.need("advice", _text),
        severity=table.need("severity", _text),
        monitoring=table.sourced("monitoring", table.inner(_monitoring)),
        labs=table.sourced("labs", _texts),
    )
    if interaction.forbids and interaction.severity != GRAVE:
        raise BadProfile(table.at("severity"), f"what must not be taken together is of severity {GRAVE}, this is {interaction.severity}")
    if interaction.labs and not interaction.blocks:
        raise BadProfile(table.at("labs"), f"are dated where it is acknowledged, and severity {interaction.severity} is not")
    return interaction


def _monitoring(table: _Table) -> Monitoring:
    monitoring = Monitoring(
        asks=table.need("asks", _items),
        days=table.may("days", _counts) or (),
        weekly=table.may("weekly", _truth) or False,
        raises=table.may("raises", _texts) or (),
    )
    if not monitoring.days and not monitoring.weekly:
        raise BadProfile(table.at("days"), "say when it is asked: give days, or weekly = true")
    for letter in monitoring.raises:
        if letter not in SYMPTOMS:
            raise BadProfile(table.at("raises"), f"{letter!r} is no symptom's letter: {', '.join(SYMPTOMS)}")
    return monitoring


def _items(value: object, path: str) -> tuple[CheckInItem, ...]:
    return tuple(_one_of(CheckInItem)(item, f"{path}[{index}]") for index, item in enumerate(_list(value, path)))


def _counts(value: object, path: str) -> tuple[int, ...]:
    return tuple(_count(item, f"{path}[{index}]") for index, item in enumerate(_list(value, path)))


def _kidney(table: _Table) -> KidneyBand:
    return KidneyBand(above=table.need("above", _number), below=table.need("below", _number), advice=table.must("advice", _text))


def _indication(table: _Table) -> Indication:
    return Indication(names=table.need("names", _texts), caution=table.sourced("caution", _text))


def _templates(page: _Table) -> tuple[Template, ...]:
    templates = page.rows("templates", _template)
    names = [template.name.casefold() for template in templates]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise BadProfile(f"{page.at('templates')}[{index}].name", "is another template's name too")
    return templates


def _template(table: _Table) -> Template:
    template = Template(
        name=table.need("name", _text),
        kind=table.need("kind", _one_of(TemplateKind)),
        times=table.may("times", _times) or (),
        phases=table.rows("phases", _template_phase),
        from_per_day=table.may("from_per_day", _amount),
        basis=table.must("basis", _text),
    )
    _refuse_odd_phases(table, template)
    return template


def _template_phase(table: _Table) -> TemplatePhase:
    phase = TemplatePhase(table.need("amounts", _slots), table.may("days", _count), table.may("every_n_days", _count) or 1)
    if not any(phase.amounts):
        raise BadProfile(table.at("amounts"), "a phase has at least one dose")
    return phase


def _refuse_odd_phases(table: _Table, template: Template) -> None:
    """A layout that no plan could follow: no phase, slots that do not match, an open phase before the end, a taper without one."""
    if not template.phases:
        raise BadProfile(table.at("phases"), "is missing")
    slots = len(template.times or template.phases[0].amounts)
    for index, phase in enumerate(template.phases):
        path, last = f"{table.at('phases')}[{index}]", index == len(template.phases) - 1
        if len(phase.amounts) != slots:
            raise BadProfile(f"{path}.amounts", f"must have {slots} slots, one for each of the day, and a '-' where one does not exist")
        if phase.days is None and (not last or template.kind is TemplateKind.TAPER):
            raise BadProfile(f"{path}.days", "only the last phase of a titration may be open-ended")


def _percent_cut(table: _Table) -> PercentCut:
    return PercentCut(table.need("percent", _percent), table.need("days", _count))


def _rule(table: _Table) -> MissedDoseRule:
    at_limit = table.may("at_limit", _one_of(Boundary)) or Boundary.TAKE
    match table.need("rule", _text):
        case "hours_before_next":
            return HoursBeforeNext(table.need("gap", _span), at_limit)
        case "max_late":
            beyond = table.may("beyond", _one_of(Beyond)) or Beyond.SKIP
            return MaxLate(table.need("late", _span), table.may("min_gap", _span), at_limit, beyond)
        case "fraction":
            return Fraction(table.need("of_gap", _number), at_limit)
        case "ask_provider":
            return AskProviderRule()
        case other:
            raise BadProfile(table.at("rule"), f"{other!r} is not hours_before_next, max_late, fraction or ask_provider")


def _text(value: object, path: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadProfile(path, "must be a text, and not an empty one")
    return value


def _list(value: object, path: str) -> list[object]:
    if not isinstance(value, list) or not value:
        raise BadProfile(path, "must be a list, and not an empty one")
    return value


def _texts(value: object, path: str) -> tuple[str, ...]:
    return tuple(_text(item, f"{path}[{index}]") for index, item in enumerate(_list(value, path)))


def _pairs(value: object, path: str) -> tuple[tuple[str, str], ...]:
    pairs = [_texts(item, f"{path}[{index}]") for index, item in enumerate(_list(value, path))]
    if any(len(pair) != len(("value", "source")) for pair in pairs):
        raise BadProfile(path, "must be pairs of what is said and by whom")
    return tuple((said, source) for said, source in pairs)


def _truth(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise BadProfile(path, "must be true or false")
    return value


def _count(value: object, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise BadProfile(path, "must be a whole number of 1 or more")
    return value


def _number(value: object, path: str) -> Decimal:
    # A float has lost the number that was written; decimals are therefore texts.
    try:
        number = Decimal(_text(value, path))
    except InvalidOperation as error:
        raise BadProfile(path, f"{value!r} is not a decimal number") from error
    if not number.is_finite() or number < 0:
        raise BadProfile(path, f"{value!r} is not a number of zero or more")
    return number


def _percent(value: object, path: str) -> Decimal:
    number = _number(value, path)
    if not 0 < number < WHOLE:
        raise BadProfile(path, f"{value!r} is not a percent between 0 and 100")
    return number


def _date(value: object, path: str) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise BadProfile(path, "must be a date, like 2026-03-01")
    return value


def _amount(value: object, path: str) -> Amount:
    number, _, unit = _text(value, path).partition(" ")
    try:
        return Amount(_number(number, path), Unit(unit))
    except InvalidPlan as error:
        raise BadProfile(path, error.message) from error
    except ValueError as error:
        raise BadProfile(path, f"{value!r} is not an amount like '80 mg'") from error


def _amounts(value: object, path: str) -> tuple[Amount, ...]:
    return tuple(_amount(item, f"{path}[{index}]") for index, item in enumerate(_list(value, path)))


NO_SLOT = "-"


def _slots(value: object, path: str) -> tuple[Amount | None, ...]:
    return tuple(None if item == NO_SLOT else _amount(item, f"{path}[{index}]") for index, item in enumerate(_list(value, path)))


_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _time(value: object, path: str) -> time:
    text = _text(value, path)
    if not _CLOCK.fullmatch(text):
        raise BadProfile(path, f"{value!r} is not a local time like '08:00'")
    return time.fromisoformat(text)


def _times(value: object, path: str) -> tuple[time, ...]:
    times = tuple(_time(item, f"{path}[{index}]") for index, item in enumerate(_list(value, path)))
    if sorted(set(times)) != list(times):
        raise BadProfile(path, "must rise through the day, each once")
    return times


_SPANS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def _span(value: object, path: str) -> timedelta:
    number, _, unit = _text(value, path).partition(" ")
    if not number.isdecimal() or unit not in _SPANS or int(number) == 0:
        raise BadProfile(path, f"{value!r} is not a span of time like '2 h', '90 min' or '5 d'")
    return int(number) * _SPANS[unit]


def _one_of(names: type[E]) -> Callable[[object, str], E]:
    def read(value: object, path: str) -> E:
        try:
            return names(_text(value, path))
        except ValueError as error:
            raise BadProfile(path, f"{value!r} is not one of {', '.join(names)}") from error

    return read
