"""What a plan is built from, as JSON: even steps, cuts, percents, a ready layout, or the same doses each day."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, Tag

from reminders.domain.day_layout import Layout
from reminders.domain.plan import Kind
from reminders.domain.taper import Basis, Direction, PercentOf
from reminders.formats.parts import AmountText, ClockText, DateText, Name, Word, ZoneText
from reminders.formats.plan_file import AdvanceText, KindText
from reminders.formats.shape import Shape, by_key
from reminders.services.building import Cuts, How, Kept, OrderedSlot, Percents, Ready, Recipe, Steps

MOST_SLOTS = 24

Nothing: TypeAlias = Literal["0"]
Amounts: TypeAlias = Annotated[tuple[AmountText, ...], Field(strict=False, min_length=1, max_length=MOST_SLOTS)]
Times: TypeAlias = Annotated[tuple[ClockText, ...], Field(strict=False, min_length=1, max_length=MOST_SLOTS)]
Days: TypeAlias = Annotated[int, Field(ge=1, le=366)]
BasisText: TypeAlias = Annotated[Basis, Field(strict=False)]


class MoreSlot(Shape):
    """One dose more a day at the end, as ordered: its time, and those of the others from then on."""

    at: ClockText
    times: Times
    layout: Annotated[Layout, Field(strict=False)] = Layout.KEPT

    @property
    def slot(self) -> OrderedSlot:
        """What is ordered."""
        return OrderedSlot(self.at, self.times, self.layout)


class StepsBody(Shape):
    """From one amount per dose to another, in even steps. `basis` left out: both readings are told, and nothing is built."""

    from_: Annotated[AmountText, Field(alias="from")]
    to: AmountText | Nothing
    step: AmountText
    every_days: Days
    basis: BasisText | None = None
    piece: AmountText | None = None
    add_slot: MoreSlot | None = None

    @property
    def how(self) -> How:
        """The formula it says."""
        extra = None if self.add_slot is None else self.add_slot.slot
        return Steps(self.from_, Decimal(self.to), self.step, self.every_days, self.basis, self.piece, extra)


class CutsBody(Shape):
    """Down from the day's doses by so much a day with each cut, to a floor a day (left out: to nothing)."""

    from_: Annotated[Amounts, Field(alias="from")]
    cut: AmountText
    every_days: Days
    floor: AmountText | Nothing = "0"
    piece: AmountText | None = None

    @property
    def how(self) -> How:
        """The formula it says."""
        return Cuts(self.from_, self.cut, self.every_days, Decimal(self.floor), self.piece)


class PercentsBody(Shape):
    """Down from the day's doses by a percent with each cut. `of` or `basis` left out: both readings are told, and nothing is built."""

    from_: Annotated[Amounts, Field(alias="from")]
    percent: AmountText
    every_days: Days
    round_to: AmountText
    rounding: Annotated[Direction, Field(strict=False)]
    floor: AmountText
    of: Annotated[PercentOf, Field(strict=False)] | None = None
    basis: BasisText | None = None

    @property
    def how(self) -> How:
        """The formula it says."""
        return Percents(self.from_, self.percent, self.every_days, self.round_to, self.rounding, self.floor, self.of, self.basis)


class ReadyBody(Shape):
    """A ready layout of the drug's profile, by its name; for a taper, the day's doses before it."""

    name: Name
    from_: Annotated[Amounts | None, Field(alias="from")] = None

    @property
    def how(self) -> How:
        """The formula it says."""
        return Ready(self.name, self.from_ or ())


class KeptBody(Shape):
    """The same doses each day, for so many days; null: until somebody says otherwise."""

    amounts: Amounts
    days: Days | None = None

    @property
    def how(self) -> How:
        """The formula it says."""
        return Kept(self.amounts, self.days)


class BySteps(Shape):
    """Even steps."""

    steps: StepsBody


class ByCuts(Shape):
    """Cuts by amount."""

    cuts: CutsBody


class ByPercents(Shape):
    """Cuts by percent."""

    percents: PercentsBody


class ByTemplate(Shape):
    """A ready layout."""

    template: ReadyBody


class ByKept(Shape):
    """The same doses each day."""

    kept: KeptBody


FORMS = ("steps", "cuts", "percents", "template", "kept")

Formula: TypeAlias = Annotated[
    Annotated[BySteps, Tag("<steps>")]
    | Annotated[ByCuts, Tag("<cuts>")]
    | Annotated[ByPercents, Tag("<percents>")]
    | Annotated[ByTemplate, Tag("<template>")]
    | Annotated[ByKept, Tag("<kept>")],
    by_key(FORMS, f"must be an object with exactly one of {', '.join(FORMS)}"),
]


class RecipeBody(Shape):
    """What a plan is built from. `strengths`: the tablets this patient has; left out, those of the drug's profile."""

    drug: Name
    kind: KindText
    zone: ZoneText
    start: DateText
    advance: AdvanceText
    label: Word | None = None
    times: Times
    dose_every: Days = 1
    strengths: Amounts | None = None
    formula: Formula

    @property
    def recipe(self) -> Recipe:
        """The recipe it says."""
        (form,) = (getattr(self.formula, name) for name in FORMS if hasattr(self.formula, name))
        return Recipe(
            drug=self.drug,
            kind=Kind(self.kind),
            how=form.how,
            times=tuple[time, ...](self.times),
            start=self.start,
            zone=self.zone,
            advance=self.advance,
            label=self.label,
            nth_day=self.dose_every,
            strengths=self.strengths,
        )
