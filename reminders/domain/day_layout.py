"""How a change of a day's total falls on the doses of that day. The last dose is raised first, the first one lowered first.

So the night dose is the first to rise and the last to fall. A layout is Doseline's own choice; a provider approves the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum


class Layout(StrEnum):
    """How a dose ordered anew grows: beside the others, which stay as they are, or with all of them evened out again.

    Evened, the day's totals are the same, but some doses fall while the day rises: only ever chosen by name.
    """

    KEPT = "kept"
    EVENED = "evened"


def raised(day: Sequence[Decimal], piece: Decimal) -> list[Decimal]:
    """Raise one dose of a day by a piece: the smallest, and of those the last."""
    slot = max(range(len(day)), key=lambda slot: (-day[slot], slot))
    return [amount + piece * (index == slot) for index, amount in enumerate(day)]


def lowered(day: Sequence[Decimal], piece: Decimal) -> list[Decimal]:
    """Lower one dose of a day by a piece: the largest, and of those the first. The mirror of `raised`."""
    slot = max(range(len(day)), key=lambda slot: (day[slot], -slot))
    return [amount - piece * (index == slot) for index, amount in enumerate(day)]


def evened(total: Decimal, piece: Decimal, slots: int) -> list[Decimal]:
    """Spread a total over the doses of a day in whole pieces, as evenly as they allow, the larger doses last."""
    each, more = divmod(total // piece, slots)
    return [(each + (slot >= slots - more)) * piece for slot in range(slots)]
