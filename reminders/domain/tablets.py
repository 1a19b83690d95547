"""Amounts as people hold them: which tablets make an amount, and how a text says so."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from reminders.domain.plan import Amount, InvalidPlan, Unit, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reminders.domain.profile import DrugProfile

HALF = Decimal("0.5")

MOST_AT_ONCE = 40
"""Nobody is told to swallow more than this at once; it also bounds the search."""

WIDEST = 31
"""The widest that {amount} may be in a text of one segment (`messaging/texts.py`)."""

NO_STRENGTHS = (
    "no source gives the strengths of this drug: the provider writes the tablets that this patient has into the plan (strengths), "
    "or the clinic its strengths into a profile of its own"
)


@dataclass(frozen=True, slots=True)
class Tablets:
    """So many tablets (halves as 0.5) of one strength."""

    count: Decimal
    strength: Amount


def makeable(amount: Amount, strengths: Iterable[Amount], scored: Iterable[Amount] = ()) -> tuple[Tablets, ...] | None:
    """The fewest tablets that make an amount, largest strength first; None if they cannot.

    A half of one scored tablet is used only where whole tablets do not make it.
    """
    sizes = sorted({strength.value for strength in strengths if strength.unit is amount.unit}, reverse=True)
    if not sizes or amount.value > MOST_AT_ONCE * sizes[0]:
        return None
    made = _whole(amount.value, sizes) or _with_a_half(amount.value, sizes, scored)
    return None if made is None else tuple(Tablets(made[size], Amount(size, amount.unit)) for size in sorted(made, reverse=True))


def in_tablets(
    amount: Amount, profile: DrugProfile, strengths: tuple[Amount, ...] | None = None, *, scored: tuple[Amount, ...] | None = None
) -> tuple[Tablets, ...] | None:
    """The fewest tablets of a drug for an amount; None if they cannot make it.

    `strengths` and `scored` are the tablets this patient has; left out, those of the profile.
    """
    known_scored = () if profile.scored is None else profile.scored.value
    return makeable(amount, strengths or profile.tablets, known_scored if scored is None else scored)


def tablets_text(amount: Amount, profile: DrugProfile, strengths: tuple[Amount, ...] | None = None) -> str:
    """Say an amount in tablets: "1 tablet of 10 mg", "1 of 10 mg and 1 of 5 mg", "half a tablet of 10 mg".

    At most 31 characters, all of GSM-7; what cannot be said so, or made so, is said as the amount alone.
    """
    if amount.unit is Unit.TABLET:
        return _tablets(amount.value)
    made = in_tablets(amount, profile, strengths)
    text = str(amount) if made is None else _said(made)
    return text if len(text) <= WIDEST else f"{amount} in all"


def count_tablets(amounts: Iterable[Amount], profile: DrugProfile, strengths: tuple[Amount, ...] | None = None) -> dict[Amount, int]:
    """How many tablets of each strength a run of doses takes, largest first; two halves are one tablet.

    What the patient's own strengths cannot make is counted in the profile's: those tablets are missing, not needless.
    Raises InvalidPlan where no strengths are known at all: nothing counted would read as nothing missing.
    """
    if profile.is_counted and not (strengths or profile.tablets):
        raise InvalidPlan("strengths", NO_STRENGTHS)
    counts: defaultdict[Amount, Decimal] = defaultdict(Decimal)
    for amount, times in Counter(amounts).items():
        for tablets in in_tablets(amount, profile, strengths) or in_tablets(amount, profile) or ():
            counts[tablets.strength] += tablets.count * times
    return {strength: int(counts[strength].to_integral_value(ROUND_CEILING)) for strength in sorted(counts, reverse=True)}


def _whole(amount: Decimal, sizes: list[Decimal]) -> dict[Decimal, Decimal] | None:
    """The fewest whole tablets that make an amount, as counts by size; None if they cannot."""
    if amount == 0:
        return {}
    if not sizes:
        return None
    options = []
    for count in range(int(amount // sizes[0]), -1, -1):
        rest = _whole(amount - count * sizes[0], sizes[1:])
        if rest is not None:
            options.append({sizes[0]: Decimal(count), **rest} if count else rest)
    return _fewest(options)


def _with_a_half(amount: Decimal, sizes: list[Decimal], scored: Iterable[Amount]) -> dict[Decimal, Decimal] | None:
    """The fewest tablets, one of them halved."""
    options = []
    for size in {strength.value for strength in scored} & set(sizes):
        rest = _whole(amount - size * HALF, sizes) if amount >= size * HALF else None
        if rest is not None:
            options.append({**rest, size: rest.get(size, Decimal(0)) + HALF})
    return _fewest(options)


def _fewest(options: list[dict[Decimal, Decimal]]) -> dict[Decimal, Decimal] | None:
    """The choice of fewest tablets; among those the one of fewest strengths, and then of the largest."""
    return min(options, key=lambda made: (sum(made.values()), len(made), -max(made)), default=None)


def _said(made: tuple[Tablets, ...]) -> str:
    if len(made) == 1:
        return f"{_tablets(made[0].count)} of {made[0].strength}"
    return " and ".join(f"{_number(tablets.count)} of {tablets.strength}" for tablets in made)


def _tablets(count: Decimal) -> str:
    """Halves in words: "1.5 tablets" is too easily read as 15, and the sign for a half is not in GSM-7."""
    if count == HALF:
        return "half a tablet"
    return f"{_number(count)} tablet{'' if count == 1 else 's'}"


def _number(count: Decimal) -> str:
    whole, half = divmod(count, 1)
    if not half:
        return plain(whole)
    if half != HALF:
        return plain(count)
    return f"{plain(whole)} and a half" if whole else "half"
