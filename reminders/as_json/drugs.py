"""What is known of a drug as JSON for programs: every number with its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from decimal import Decimal

from reminders.domain.missed_rules import AskProviderRule, Fraction, HoursBeforeNext, MaxLate, in_words, span
from reminders.domain.plan import plain
from reminders.domain.profile import (
    Confidence,
    DrugProfile,
    Interaction,
    Monitoring,
    PercentCut,
    Severity,
    Sourced,
    Template,
    TemplatePhase,
)

NO_SLOT = "-"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing known of a drug: the field of its file, the value as it is written there, and what it rests on."""

    field: str
    value: str
    source: str
    confidence: Confidence
    on_breach: Severity
    disagrees: tuple[tuple[str, str], ...]
    note: str


def drug_head(profile: DrugProfile) -> dict[str, object]:
    """What a drug and form is called, and which ready layouts it has."""
    approval = profile.approval
    return {
        "key": profile.key,
        "name": profile.name,
        "ingredient": profile.ingredient,
        "form": profile.form,
        "unit": profile.unit.value,
        "aliases": list(profile.aliases),
        "taper_only": profile.taper_only,
        "given_for": [list(indication.names) for indication in profile.indications],
        "layouts": [template.name for template in profile.templates],
        "approved": None if approval is None else {"by": approval.by, "on": approval.on.isoformat(), "replaces": approval.replaces},
    }


def drug_json(profile: DrugProfile) -> dict[str, object]:
    """All that is known of a drug: each number, its source, how sure it is, and where sources disagree; and what is not known."""
    known = [asdict(line) for line in lines_of(profile)]
    return drug_head(profile) | {"sources": dict(profile.sources), "known": known, "unknown": list(unknown_in(profile))}


def lines_of(profile: DrugProfile) -> Iterator[Line]:
    """All that a profile says with a source, by the names of its file's fields."""
    for field in fields(profile):
        said = getattr(profile, field.name)
        if isinstance(said, Sourced):
            yield _line(field.name, said, written(said.value))
    for index, template in enumerate(profile.templates):
        yield _line(f"templates[{index}]", template.basis, _layout(template))
    for index, band in enumerate(profile.kidney):
        yield _line(f"kidney[{index}]", band.advice, f"{plain(band.above)} to under {plain(band.below)} mL/min: {band.advice.value}")
    for index, indication in enumerate(profile.indications):
        if indication.caution is not None:
            yield _line(f"indications[{index}]", indication.caution, f"{', '.join(indication.names)}: {indication.caution.value}")
    for index, group in enumerate(profile.interactions):
        yield from _beside(f"interactions[{index}]", group)
    for topic, note in profile.notes:
        yield _line(f"notes.{topic}", note, note.value)


def _beside(path: str, group: Interaction) -> Iterator[Line]:
    words = f"{group.group} ({', '.join(group.names)}): {group.effect.value}; {group.advice}; {group.severity}"
    yield _line(path, group.effect, words)
    if group.monitoring is not None:
        yield _line(f"{path}.monitoring", group.monitoring, _asked(group.monitoring.value))
    if group.labs is not None:
        yield _line(f"{path}.labs", group.labs, f"{', '.join(group.labs.value)}, by the day that the provider gives")


def _asked(monitoring: Monitoring) -> str:
    days = f"on day {', '.join(map(str, monitoring.days))} from each change" if monitoring.days else ""
    when = " and ".join(filter(None, (days, "weekly" if monitoring.weekly else "")))
    higher = f"; {', '.join(monitoring.raises)} counts one grade higher" if monitoring.raises else ""
    return f"{', '.join(item.value for item in monitoring.asks)} {when}{higher}"


def unknown_in(profile: DrugProfile) -> Iterator[str]:
    """The fields for which no source was found: the provider fills them in, nobody guesses."""
    yield from (field.name for field in fields(profile) if getattr(profile, field.name) is None and field.name != "approval")


def _line(field: str, said: Sourced[object], value: str) -> Line:
    return Line(field, value, said.source, said.confidence, said.on_breach, said.disagrees, said.note)


def written(value: object) -> str:
    """Write any value of a profile as a person reads it."""
    match value:
        case bool():
            return "yes" if value else "no"
        case timedelta():
            return span(value)
        case Decimal():
            return f"{plain(value)} %"
        case tuple():
            return "; ".join(map(written, value))
        case PercentCut():
            return f"{plain(value.percent)} % in {value.days} days"
        case HoursBeforeNext() | MaxLate() | Fraction() | AskProviderRule():
            return in_words(value)
        case _:
            return str(value)


def _layout(template: Template) -> str:
    start = "" if template.from_per_day is None else f" from {template.from_per_day} a day"
    times = f" at {', '.join(f'{at:%H:%M}' for at in template.times)}" if template.times else ""
    return f"{template.name} ({template.kind}{start}{times}): {', then '.join(map(_phase, template.phases))}; {template.basis.value}"


def _phase(phase: TemplatePhase) -> str:
    amounts = [amount for amount in phase.amounts if amount is not None]
    day = "/".join(NO_SLOT if amount is None else plain(amount.value) for amount in phase.amounts)
    days = "and on" if phase.days is None else f"for {phase.days} day{'' if phase.days == 1 else 's'}"
    every = "" if phase.every_n_days == 1 else f", every {phase.every_n_days} days"
    return f"{day} {amounts[0].unit} {days}{every}"
