"""The plan builder's form: what was typed, as a recipe's JSON values, and what is wrong with it, by field.

It reads and decides nothing of a dose: `formats/recipe_file.py` says what may stand where, `services/building.py` builds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from reminders import drugs
from reminders.domain.plan import AdvancePolicy, CheckInItem, InvalidPlan, Kind, Plan, plain
from reminders.domain.profile import DrugProfile, Template
from reminders.errors import BadFile, Fault
from reminders.formats.parts import without_unit
from reminders.services import building
from reminders.services.building import Recipe, Unclear

MOST_TIMES = 6
"""So many doses a day have a field each."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to build a plan: what it is called, the kind of plan it makes, the form of its recipe, and the fields of that."""

    words: str
    kind: Kind
    by: str
    fields: tuple[str, ...]


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "up_template": Way("Step up, by a ready layout", Kind.TITRATION, "template", ("template",)),
        "up_steps": Way("Step up, by increments", Kind.TITRATION, "steps", ("from", "to", "step", "every_days", "basis", "piece")),
        "keep": Way("Keep the same doses", Kind.MAINTENANCE, "keep", ("amounts", "days")),
        "down_template": Way("Taper, by a ready layout", Kind.TAPER, "template", ("template", "from")),
        "down_amount": Way("Taper, by an amount a day", Kind.TAPER, "amount", ("from", "cut", "every_days", "floor", "piece")),
        "down_percent": Way(
            "Taper, by percent",
            Kind.TAPER,
            "percent",
            ("from", "percent", "of", "basis", "every_days", "round_to", "direction", "floor"),
        ),
        "down_steps": Way("Taper, by increments", Kind.TAPER, "steps", ("from", "to", "step", "every_days", "basis", "piece")),
    }
)

AMOUNTS = frozenset({"to", "step", "piece", "cut", "floor", "round_to"})
DAY_OF_DOSES = frozenset({"amounts"})
NUMBERS = frozenset({"every_days", "days"})

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "drug": "the drug",
        "way": "how the plan goes",
        "template": "the layout",
        "from": "where it starts",
        "to": "where it ends",
        "step": "how much each step changes",
        "cut": "how much less a day with each cut",
        "percent": "the percent",
        "of": "what the percent is of",
        "basis": "what a step changes",
        "every_days": "how many days each step lasts",
        "round_to": "what to round to",
        "direction": "which way to round",
        "floor": "the lowest amount",
        "amounts": "the doses of the day",
        "times": "the times of day",
        "start": "the first day",
        "advance": "what happens at a step",
    }
)
"""What is still needed, in words, by field. The names of fields are those of a recipe's JSON values."""

MISSING = "is missing"
CHECK_IN, STRENGTH = "check_", "strength_"


@dataclass(frozen=True, slots=True)
class Filled:
    """What a form comes to: a plan, or why there is none yet. `faults`: what is wrong, by field; `missing`: what is still needed.

    A plan with something missing is only looked at.
    """

    recipe: Recipe | None = None
    plan: Plan | None = None
    unclear: Unclear | None = None
    faults: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def profile_of(form: Mapping[str, str]) -> DrugProfile | None:
    """The drug that is chosen; None while none is."""
    try:
        return drugs.load(form.get("drug", ""))
    except drugs.UnknownDrug:
        return None


def templates_of(profile: DrugProfile | None, way: Way | None) -> tuple[Template, ...]:
    """The ready layouts to pick from."""
    known = profile.templates if profile is not None and way is not None and way.by == "template" else ()
    return tuple(template for template in known if way is not None and template.kind.value == way.kind.value)


def fill(form: Mapping[str, str], zone: str) -> Filled:
    """Make a plan of what was typed, by the clocks of a zone.

    What happens at a step changes no amount and no day: while nobody has said it, the plan is shown, and it is missing.
    """
    profile, way = profile_of(form), WAYS.get(form.get("way", ""))
    if profile is None or way is None:
        return Filled(missing=tuple(name for name, known in (("drug", profile), ("way", way)) if known is None))
    values = recipe_values(form, profile, way, zone)
    undecided = () if "advance" in values else ("advance",)
    try:
        recipe = building.read_recipe({"advance": AdvancePolicy.AS_PRESCRIBED.value, **values})
        if found := building.unclear(recipe):
            return Filled(recipe=recipe, unclear=found, missing=(found.field, *undecided))
        return Filled(recipe=recipe, plan=building.draw_up(recipe), missing=undecided)
    except BadFile as bad:
        return _refused(bad.faults, undecided)
    except InvalidPlan as fault:
        return _refused((Fault(fault.path, fault.message),), undecided)


def _refused(faults: tuple[Fault, ...], undecided: tuple[str, ...]) -> Filled:
    missing = tuple(dict.fromkeys([*(field_of(fault.path) for fault in faults if fault.message.startswith(MISSING)), *undecided]))
    wrong = {field_of(fault.path): _on_a_page(fault.message) for fault in reversed(faults) if not fault.message.startswith(MISSING)}
    return Filled(faults=wrong, missing=missing)


def field_of(path: str) -> str:
    """The field of a form in which the fault at a path is mended: `how.from[1]` is `from`; what is in no field is in `way`."""
    name = re.sub(r"\[[0-9]+\]", "", path.removeprefix("how.")).partition(".")[0]
    name = {"rounding": "round_to", "kind": "way", "how": "way", "strengths": "strengths"}.get(name, name)
    return name if name in LABELS or name in {"piece", "days", "label", "strengths", "nth_day", "missed_dose_rule", "check_ins"} else "way"


def _on_a_page(message: str) -> str:
    """A fault as a form says it: what is typed there stands in no quotes."""
    return message.replace(' in quotes, like "5" or "2.5"', ", like 5 or 2.5").replace(' in quotes, like "5" or "0"', ", like 5 or 0")


def recipe_values(form: Mapping[str, str], profile: DrugProfile, way: Way, zone: str) -> dict[str, object]:
    """What was typed as a recipe's JSON values; what is blank is left out."""
    values: dict[str, object] = {"drug": profile.key, "kind": way.kind.value, "zone": zone}
    values["how"] = {"by": way.by, **dict(_how(form, profile, way))}
    if times := times_of(form):
        values["times"] = times
    for name in ("start", "advance", "label"):
        if typed := form.get(name, "").strip():
            values[name] = typed
    if nth := form.get("nth_day", "").strip():
        values["nth_day"] = _number(nth)
    if own := list(_strengths(form, profile)):
        values["strengths"] = own
    if items := [item.value for item in CheckInItem if form.get(f"{CHECK_IN}{item.value}")]:
        values["check_ins"] = {"items": items, "closely": bool(form.get("closely"))}
    if rule := _rule(form):
        values["missed_dose_rule"] = rule
    return values


def times_of(form: Mapping[str, str]) -> list[str]:
    """The times of the day's doses, as they were typed; "8:00" is 08:00."""
    typed = (form.get(f"time{number}", "").strip() for number in range(1, MOST_TIMES + 1))
    return [at.rjust(5, "0") for at in typed if at]


def _how(form: Mapping[str, str], profile: DrugProfile, way: Way) -> Iterator[tuple[str, object]]:
    for name in way.fields:
        typed = form.get(name, "").strip()
        if not typed:
            continue
        if name in DAY_OF_DOSES or (name == "from" and way.by != "steps"):
            yield name, doses_typed(typed, profile.unit.value, len(times_of(form)))
        elif name in AMOUNTS or name == "from":
            yield name, without_unit(typed, profile.unit.value)
        elif name in NUMBERS:
            yield name, _number(typed)
        else:
            yield name, typed.removesuffix("%").rstrip() if name == "percent" else typed


def doses_typed(typed: str, unit: str, slots: int) -> list[str]:
    """The doses of a day, with slashes between them, or one for all of them: "15/15/20", "20 mg"."""
    doses = [without_unit(part, unit) for part in typed.split("/")]
    return doses * slots if len(doses) == 1 and slots else doses


def _strengths(form: Mapping[str, str], profile: DrugProfile) -> Iterator[str]:
    """The tablets that the patient has; all those of the profile are none said."""
    known = [plain(strength.value) for strength in profile.tablets]
    if not known:
        yield from (without_unit(part, profile.unit.value) for part in form.get("strengths", "").split(",") if part.strip())
        return
    chosen = [size for size in known if form.get(f"{STRENGTH}{size}")]
    yield from () if chosen == known else chosen


def _rule(form: Mapping[str, str]) -> dict[str, object] | None:
    """The plan's own rule for a missed dose; None: the profile's."""
    match form.get("rule", ""):
        case "hours":
            return {"hours_before_next": form.get("rule_hours", "").strip().removesuffix("h").rstrip()}
        case "ask":
            return {"ask_provider": True}
        case _:
            return None


def _number(typed: str) -> object:
    return int(typed) if re.fullmatch(r"[0-9]{1,6}", typed) else typed
