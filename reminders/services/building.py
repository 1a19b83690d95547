"""Building: a plan from a formula or a ready layout, and what an unclear formula could mean. A formula only helps to build.

What is built is a plan like any other: it is laid out (`laying_out`), checked, and approved by a provider.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, time
from decimal import Decimal
from typing import TypeAlias, assert_never

from reminders import drugs
from reminders.domain.cut_checks import check_cuts_from
from reminders.domain.day_layout import Layout
from reminders.domain.finding import Finding
from reminders.domain.missed import MissedDoseRule
from reminders.domain.plan import AdvancePolicy, Amount, CheckIns, InvalidPlan, Kind, Phase, Plan, PlannedDose, Unit, plain
from reminders.domain.profile import DrugProfile, Template
from reminders.domain.tablets import HALF
from reminders.domain.taper import (
    Basis,
    Direction,
    PercentOf,
    add_slot,
    dosing_days,
    on_every_nth_day,
    refuse_not_numbers,
    refuse_rise,
    taper_by,
    taper_cuts,
    taper_percent,
    titrate,
)
from reminders.errors import BadFile, Fault
from reminders.formats.plan_file import read_plan, write_plan
from reminders.formats.recipe_file import CutsShape, KeptShape, PercentsShape, ReadyShape, StepsShape, read_recipe_shape


@dataclass(frozen=True, slots=True)
class OrderedSlot:
    """One dose more a day at the end of a titration, ordered by the provider; `times`: those of the other doses from then on."""

    at: time
    times: tuple[time, ...]
    layout: Layout = Layout.KEPT


@dataclass(frozen=True, slots=True)
class Steps:
    """From one amount to another in even steps, up or down; both are per dose in either basis."""

    from_: Decimal
    to: Decimal
    step: Decimal
    every_days: int
    basis: Basis | None = None
    piece: Decimal | None = None
    extra: OrderedSlot | None = None


@dataclass(frozen=True, slots=True)
class Cuts:
    """Down from the day's doses by so much a day each time, to a floor a day (0: to nothing). `piece` left out: see `piece_of`."""

    from_: tuple[Decimal, ...]
    cut: Decimal
    every_days: int
    floor: Decimal = Decimal(0)
    piece: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Percents:
    """Down from the day's doses by a percent each time, rounded, to a floor and then to nothing."""

    from_: tuple[Decimal, ...]
    percent: Decimal
    every_days: int
    rounding: Decimal
    direction: Direction
    floor: Decimal
    of: PercentOf | None = None
    basis: Basis | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A ready layout of the drug's profile, by name; `from_` are the day's doses before it, empty where it starts from nothing."""

    name: str
    from_: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """The same doses each day, for so many days; None: until somebody says otherwise."""

    amounts: tuple[Decimal, ...]
    days: int | None = None


How: TypeAlias = Steps | Cuts | Percents | Ready | Kept


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a plan is built from; doses on every `nth_day` only.

    `strengths`: the sizes of the tablets this patient has, in the drug's unit; left out, those of the profile. So is `rule`,
    for a missed dose.
    """

    drug: str
    kind: Kind
    how: How
    times: tuple[time, ...]
    start: date
    zone: str
    advance: AdvancePolicy
    label: str | None = None
    nth_day: int = 1
    strengths: tuple[Decimal, ...] | None = None
    check_ins: CheckIns | None = None
    rule: MissedDoseRule | None = None

    @property
    def profile(self) -> DrugProfile:
        """What is known of its drug. Raises UnknownDrug."""
        return drugs.load(self.drug)

    @property
    def unit(self) -> Unit:
        """The unit of the drug's amounts."""
        return self.profile.unit

    @property
    def tablets(self) -> tuple[Amount, ...] | None:
        """The tablets this patient has; None: those of the profile."""
        return None if self.strengths is None else tuple(Amount(size, self.unit) for size in self.strengths)

    def read_as(self, *, basis: Basis | None = None, of: PercentOf | None = None) -> Recipe:
        """The same recipe, with what its formula leaves open read in one way."""
        match self.how:
            case Steps() as how:
                return replace(self, how=replace(how, basis=basis or how.basis))
            case Percents() as how:
                return replace(self, how=replace(how, basis=basis or how.basis, of=of or how.of))
            case Cuts() | Ready() | Kept():
                return self
            case _ as unreachable:
                assert_never(unreachable)


def read_recipe(data: object) -> Recipe:
    """Read a recipe's JSON values (`formats/recipe_file.py`). Raises BadFile with every fault and its path."""
    shape = read_recipe_shape(data)
    return Recipe(
        drug=shape.drug,
        kind=shape.kind,
        how=_how(shape.how),
        times=_rising(shape.times),
        start=shape.start,
        zone=shape.zone,
        advance=shape.advance,
        label=shape.label,
        nth_day=shape.nth_day,
        strengths=None if shape.strengths is None else tuple(sorted(set(shape.strengths))),
        check_ins=None if shape.check_ins is None else shape.check_ins.check_ins,
        rule=None if shape.missed_dose_rule is None else shape.missed_dose_rule.rule,
    )


def _rising(times: tuple[time, ...]) -> tuple[time, ...]:
    if list(times) != sorted(set(times)):
        raise BadFile([Fault("times", "must rise through the day, each once")])
    return times


def _how(shape: StepsShape | CutsShape | PercentsShape | ReadyShape | KeptShape) -> How:
    match shape:
        case StepsShape():
            return Steps(shape.from_, shape.to, shape.step, shape.every_days, shape.basis, shape.piece)
        case CutsShape():
            return Cuts(shape.from_, shape.cut, shape.every_days, shape.floor, shape.piece)
        case PercentsShape():
            rounding = shape.round_to, shape.direction, shape.floor
            return Percents(shape.from_, shape.percent, shape.every_days, *rounding, shape.of, shape.basis)
        case ReadyShape():
            return Ready(shape.template, shape.from_)
        case KeptShape():
            return Kept(shape.amounts, shape.days)
        case _ as unreachable:
            assert_never(unreachable)


def build_plan(recipe: Recipe) -> Plan:
    """Build the plan of a recipe. Raises UnknownDrug, and InvalidPlan where its steps do not come out or do not say enough."""
    return Plan(
        drug=recipe.drug,
        kind=recipe.kind,
        zone=recipe.zone,
        start=recipe.start,
        advance=recipe.advance,
        phases=_phases(recipe),
        label=recipe.label,
        strengths=recipe.tablets or (),
        check_ins=recipe.check_ins,
        missed_dose_rule=recipe.rule,
    )


def draw_up(recipe: Recipe) -> Plan:
    """Build the plan of a recipe as a plan file can hold it: a label, for one, must fit a text.

    Raises UnknownDrug, InvalidPlan, and BadFile with what no plan file can hold.
    """
    return read_plan(write_plan(build_plan(recipe)))


def doses_alike(total: Decimal, slots: int) -> tuple[Decimal, ...]:
    """A day's total as so many doses alike. Raises InvalidPlan where it makes none: to round would be to compute a dose."""
    each = total / slots
    if each * slots != total:
        raise InvalidPlan("from", f"{plain(total)} a day makes no {slots} doses alike: give each")
    return (each,) * slots


def _phases(recipe: Recipe) -> tuple[Phase, ...]:
    refuse_not_numbers(**dict(_numbers(recipe.how)))
    match recipe.how:
        case Steps() as how:
            return on_every_nth_day(_stepped(recipe, how), recipe.nth_day)
        case Cuts() as how:
            piece = piece_of(recipe, how) if how.piece is None else how.piece
            cut = taper_cuts(
                how.from_, cut=how.cut, piece=piece, floor=how.floor, every_days=how.every_days, times=recipe.times, unit=recipe.unit
            )
            return on_every_nth_day(cut, recipe.nth_day)
        case Percents() as how:
            return on_every_nth_day(_by_percent(recipe, how), recipe.nth_day)
        case Ready() as how:
            return _ready(recipe, how)
        case Kept() as how:
            return on_every_nth_day((_kept(recipe, how),), recipe.nth_day)
        case _ as unreachable:
            assert_never(unreachable)


def _numbers(how: How) -> Iterator[tuple[str, Decimal]]:
    """Every number of a formula, with its name."""
    for field in fields(how):
        value = getattr(how, field.name)
        if isinstance(value, tuple):
            yield from ((f"{field.name.rstrip('_')}[{slot}]", number) for slot, number in enumerate(value))
        elif isinstance(value, Decimal):
            yield field.name, value


def _stepped(recipe: Recipe, how: Steps) -> tuple[Phase, ...]:
    if how.basis is None:
        raise InvalidPlan("basis", "say what a step changes: per_dose (every dose of the day) or per_day (the day's total)")
    build = titrate if recipe.kind is Kind.TITRATION else taper_by
    stepped = build(
        how.from_,
        how.to,
        step=how.step,
        every_days=how.every_days,
        basis=how.basis,
        times=recipe.times,
        unit=recipe.unit,
        piece=how.piece,
    )
    if how.extra is None:
        return stepped
    if recipe.kind is not Kind.TITRATION:
        raise InvalidPlan("add_slot", "only a titration goes on to one dose more a day")
    extra = how.extra
    return add_slot(stepped, extra.at, step=how.step, every_days=how.every_days, basis=how.basis, times=extra.times, layout=extra.layout)


def _kept(recipe: Recipe, how: Kept) -> Phase:
    if recipe.kind is not Kind.MAINTENANCE:
        raise InvalidPlan("kind", f"the same doses each day are no {recipe.kind}")
    if len(how.amounts) != len(recipe.times):
        raise InvalidPlan("amounts", f"give an amount for each of the {len(recipe.times)} times of day, not {len(how.amounts)}")
    doses = zip(recipe.times, how.amounts, strict=True)
    return Phase(tuple(PlannedDose(at, Amount(value, recipe.unit)) for at, value in doses if value), how.days)


def piece_of(recipe: Recipe, how: Cuts) -> Decimal:
    """What one dose falls by at a time where nobody says: the smallest whole tablet, else the smallest half, that comes out even."""
    sizes = (*_sizes(recipe)[:1], *_halves(recipe)[:1])
    return next((size for size in sizes if not any(amount % size for amount in (how.cut, how.floor, *how.from_))), how.cut)


def _sizes(recipe: Recipe) -> list[Decimal]:
    """The sizes of the tablets at hand, rising."""
    return sorted(strength.value for strength in recipe.tablets or recipe.profile.tablets)


def _halves(recipe: Recipe) -> list[Decimal]:
    """Half of each tablet at hand that is scored, rising."""
    scored = recipe.profile.scored
    return [] if scored is None else sorted(strength.value * HALF for strength in scored.value if strength.value in _sizes(recipe))


def _by_percent(recipe: Recipe, how: Percents) -> tuple[Phase, ...]:
    if how.of is None:
        raise InvalidPlan("of", "say what the percent is of: current (what is then taken) or original (what was taken at first)")
    basis = Basis.PER_DAY if len(how.from_) == 1 else how.basis
    if basis is None:
        raise InvalidPlan("basis", "say what the percent lowers: per_dose (every dose of the day) or per_day (the day's total)")
    _refuse_odd_unit(recipe, how.rounding)
    return taper_percent(
        how.from_,
        percent=how.percent,
        of=how.of,
        basis=basis,
        rounding=how.rounding,
        direction=how.direction,
        floor=how.floor,
        every_days=how.every_days,
        times=recipe.times,
        unit=recipe.unit,
    )


def _refuse_odd_unit(recipe: Recipe, rounding: Decimal) -> None:
    """An amount is rounded to tablets that exist: to a strength, or to half of a scored one."""
    sizes, halves, known = _sizes(recipe), _halves(recipe), recipe.profile.strengths
    if rounding not in {*sizes, *halves}:
        limit = f"a strength ({_listed(sizes)} {recipe.unit})" if sizes else "a strength, of which none is known"
        limit += f" or half a scored one ({_listed(halves)} {recipe.unit})" if halves else ""
        source = "the tablets given" if recipe.strengths or known is None else known.source
        raise InvalidPlan("round_to", f"must be {limit}, not {plain(rounding)} {recipe.unit} ({source})")


def _listed(sizes: list[Decimal]) -> str:
    return ", ".join(map(plain, sizes))


def _ready(recipe: Recipe, how: Ready) -> tuple[Phase, ...]:
    template = template_of(recipe.profile, how.name)
    if template.kind.value != recipe.kind.value:
        raise InvalidPlan("template", f"{template.name} is a {template.kind}, not a {recipe.kind}")
    slots = len(template.phases[0].amounts)
    if len(recipe.times) != slots:
        raise InvalidPlan("times", f"template {template.name} has {slots} doses a day, not {len(recipe.times)}")
    phases = tuple(
        Phase(
            tuple(PlannedDose(at, amount) for at, amount in zip(recipe.times, phase.amounts, strict=True) if amount is not None),
            phase.days,
            phase.every_n_days,
        )
        for phase in template.phases
    )
    if recipe.kind is Kind.TAPER:
        _refuse_other_start(recipe, template, how.from_)
        refuse_rise(how.from_, phases, recipe.times)
    return phases


def template_of(profile: DrugProfile, name: str) -> Template:
    """Find a ready layout of a drug by its name, in any case. Raises InvalidPlan, naming those there are."""
    for template in profile.templates:
        if template.name.casefold() == name.casefold():
            return template
    known = ", ".join(f"{template.name} ({template.kind}, {template.basis.value})" for template in profile.templates)
    raise InvalidPlan("template", f"{profile.key} has no ready layout {name!r}; it has {known or 'none'}")


def _refuse_other_start(recipe: Recipe, template: Template, from_: tuple[Decimal, ...]) -> None:
    start, total = template.from_per_day, sum(from_, Decimal(0))
    if start is not None and start.value != total:
        source = f"{template.basis.source}; {template.basis.confidence}"
        found = f"{plain(total)} {recipe.unit} a day" if from_ else "nothing said"
        raise InvalidPlan("from", f"template {template.name} starts from {start} a day, not from {found} ({source})")


# What the day before a taper shows


def day_before(recipe: Recipe) -> tuple[PlannedDose, ...]:
    """The doses of the day before a taper, as its recipe has them; empty for what is no taper, or starts from nothing."""
    if recipe.kind is not Kind.TAPER or isinstance(recipe.how, Kept):
        return ()
    from_ = recipe.how.from_
    amounts = from_ if isinstance(from_, tuple) else (from_,) * len(recipe.times)
    return tuple(PlannedDose(at, Amount(value, recipe.unit)) for at, value in zip(recipe.times, amounts, strict=bool(amounts)))


def check_from_before(recipe: Recipe, plan: Plan) -> tuple[Finding, ...]:
    """Check the cuts of a taper from the day before it on, as its recipe has that day."""
    return tuple(check_cuts_from(plan, recipe.profile, day_before(recipe)))


# What an unclear formula could mean


@dataclass(frozen=True, slots=True)
class Reading:
    """A run of days of one reading: the amounts of a day, their sum, and the sum of everything so far."""

    amounts: tuple[Decimal, ...]
    per_day: Decimal
    so_far: Decimal


@dataclass(frozen=True, slots=True)
class Run:
    """The same days in both readings, counted from 1: None where a taper has ended, or a reading makes no plan."""

    days: tuple[int, int]
    left: Reading | None
    right: Reading | None


@dataclass(frozen=True, slots=True)
class TwoReadings:
    """What a formula such as "+5 mg every 3 days" can mean, side by side; `faults` say why a reading makes no plan."""

    names: tuple[str, str]
    runs: tuple[Run, ...]
    faults: tuple[InvalidPlan | None, InvalidPlan | None]


@dataclass(frozen=True, slots=True)
class Unclear:
    """What a formula leaves open: the field that says it, what to say there, and what it makes of the days either way."""

    field: str
    message: str
    readings: TwoReadings


def unclear(recipe: Recipe) -> Unclear | None:
    """Find what a formula leaves open, with both readings of it; None where it says enough.

    Raises InvalidPlan where neither reading can be built.
    """
    how = recipe.how
    if isinstance(how, Percents) and how.of is None:
        message = "say what the percent is of: current (what is then taken) or original (what was taken at first)"
        return Unclear("of", message, two_percents(recipe))
    if isinstance(how, Steps) and how.basis is None:
        message = "say what a step changes: per_dose (every dose of the day) or per_day (the day's total)"
        return Unclear("basis", message, two_bases(recipe))
    if isinstance(how, Percents) and how.basis is None and len(how.from_) > 1:
        message = "say what the percent lowers: per_dose (every dose of the day) or per_day (the day's total)"
        return Unclear("basis", message, two_bases(recipe))
    return None


def two_bases(recipe: Recipe) -> TwoReadings:
    """Lay a formula per dose (left) and per day (right) side by side, until both have ended. Raises InvalidPlan if neither can be built."""
    return _side_by_side(Basis.PER_DOSE, recipe.read_as(basis=Basis.PER_DOSE), Basis.PER_DAY, recipe.read_as(basis=Basis.PER_DAY))


def two_percents(recipe: Recipe) -> TwoReadings:
    """Lay a percent of the current (left) and of the original (right) side by side, as `two_bases` does.

    Where the basis too is open, both are of the day's total.
    """
    basis = recipe.how.basis if isinstance(recipe.how, Percents) else None
    known = recipe.read_as(basis=basis or Basis.PER_DAY)
    return _side_by_side(PercentOf.CURRENT, known.read_as(of=PercentOf.CURRENT), PercentOf.ORIGINAL, known.read_as(of=PercentOf.ORIGINAL))


def _side_by_side(left: str, lefts: Recipe, right: str, rights: Recipe) -> TwoReadings:
    built = [_phases_or_fault(recipe) for recipe in (lefts, rights)]
    (one, fault), (other, other_fault) = built
    if fault is not None and other_fault is not None:
        raise fault
    every = (*one, *other)[0].days or 1
    runs = max(len(one), len(other))
    pairs = zip(_goes_on(lefts, one, every, runs), _goes_on(rights, other, every, runs), strict=True)
    return TwoReadings(
        names=(left.replace("_", " "), right.replace("_", " ")),
        runs=tuple(Run((number * every + 1, (number + 1) * every), *pair) for number, pair in enumerate(pairs)),
        faults=(fault, other_fault),
    )


def _phases_or_fault(recipe: Recipe) -> tuple[tuple[Phase, ...], InvalidPlan | None]:
    try:
        return _phases(recipe), None
    except InvalidPlan as fault:
        return (), fault


def _goes_on(recipe: Recipe, phases: tuple[Phase, ...], every: int, runs: int) -> Iterator[Reading | None]:
    """So many runs of a reading: a titration stays on its last amounts, a taper has ended."""
    so_far = Decimal(0)
    for number in range(runs):
        if not phases or (number >= len(phases) and recipe.kind is Kind.TAPER):
            yield None
            continue
        phase = phases[min(number, len(phases) - 1)]
        so_far += phase.per_day * dosing_days(every, phase.every_n_days)
        yield Reading(_amounts(recipe, phase), phase.per_day, so_far)


def _amounts(recipe: Recipe, phase: Phase) -> tuple[Decimal, ...]:
    """The amounts of a day, 0 where one of the recipe's doses is left out."""
    taken = {dose.at: dose.amount.value for dose in phase.doses}
    times = recipe.times if set(taken) <= set(recipe.times) else tuple(taken)
    return tuple(taken.get(at, Decimal(0)) for at in times)
