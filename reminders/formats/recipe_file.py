"""A recipe as JSON values: what a plan is built from. It only helps to build: what is approved and kept is the plan."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, Tag, WithJsonSchema

from reminders.domain.taper import Basis, Direction, PercentOf
from reminders.formats.parts import AMOUNT, AmountText, ClockText, DateText, Name, Word, ZoneText
from reminders.formats.plan_file import AdvanceText, CheckInsShape, KindText, RuleShape
from reminders.formats.shape import Shape, by_value, read, shown


def _amount_or_nothing(value: object) -> Decimal:
    if not (isinstance(value, str) and re.fullmatch(AMOUNT, value)):
        raise ValueError(f'must be an exact decimal in quotes, like "5" or "0", not {shown(value)}')
    return Decimal(value)


LowText = Annotated[Decimal, BeforeValidator(_amount_or_nothing), WithJsonSchema({"type": "string", "pattern": AMOUNT})]
"""An amount that may be nothing: where a taper ends."""
Days = Annotated[int, Field(ge=1, le=366)]
Doses = Annotated[tuple[AmountText, ...], Field(strict=False)]
BasisText = Annotated[Basis, Field(strict=False)]
OfText = Annotated[PercentOf, Field(strict=False)]
DirectionText = Annotated[Direction, Field(strict=False)]


class StepsShape(Shape):
    """From one amount to another in even steps, up or down; both are per dose in either basis."""

    by: Literal["steps"]
    from_: Annotated[AmountText, Field(alias="from")]
    to: LowText
    step: AmountText
    every_days: Days
    basis: BasisText | None = None
    piece: AmountText | None = None


class CutsShape(Shape):
    """Down from the day's doses by so much a day each time, to a floor a day."""

    by: Literal["amount"]
    from_: Annotated[Doses, Field(alias="from", min_length=1)]
    cut: AmountText
    every_days: Days
    floor: LowText = Decimal(0)
    piece: AmountText | None = None


class PercentsShape(Shape):
    """Down from the day's doses by a percent each time, rounded, to a floor and then to nothing."""

    by: Literal["percent"]
    from_: Annotated[Doses, Field(alias="from", min_length=1)]
    percent: AmountText
    every_days: Days
    round_to: AmountText
    direction: DirectionText
    floor: AmountText
    of: OfText | None = None
    basis: BasisText | None = None


class ReadyShape(Shape):
    """A ready layout of the drug's profile, by its name; `from`: the day's doses before it, for a taper that has some."""

    by: Literal["template"]
    template: Name
    from_: Annotated[Doses, Field(alias="from")] = ()


class KeptShape(Shape):
    """The same doses each day; without `days`, until somebody says otherwise."""

    by: Literal["keep"]
    amounts: Annotated[Doses, Field(min_length=1)]
    days: Days | None = None


HowShape: TypeAlias = Annotated[
    Annotated[StepsShape, Tag("<steps>")]
    | Annotated[CutsShape, Tag("<amount>")]
    | Annotated[PercentsShape, Tag("<percent>")]
    | Annotated[ReadyShape, Tag("<template>")]
    | Annotated[KeptShape, Tag("<keep>")],
    by_value("by", ("steps", "amount", "percent", "template", "keep")),
]


class RecipeShape(Shape):
    """What a plan is built from. `times`: the local times of its doses; doses on every `nth_day` only."""

    drug: Name
    kind: KindText
    how: HowShape
    times: Annotated[tuple[ClockText, ...], Field(strict=False, min_length=1)]
    start: DateText
    zone: ZoneText
    advance: AdvanceText
    label: Word | None = None
    nth_day: Days = 1
    strengths: Annotated[tuple[AmountText, ...], Field(strict=False, min_length=1)] | None = None
    check_ins: CheckInsShape | None = None
    missed_dose_rule: RuleShape | None = None


def read_recipe_shape(data: object) -> RecipeShape:
    """Check a recipe's JSON values. Raises BadFile with every fault and its path."""
    return read(RecipeShape, data)
