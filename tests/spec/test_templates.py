from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from reminders import drugs
from reminders.domain.plan import Amount
from reminders.domain.profile import Confidence
from reminders.domain.schedule import slots_of_dates
from reminders.domain.supply import tablets_needed
from tests.builders import THREE, a_layout
from tests.doses import drawn

LAYOUTS = drawn("""
    layout | of        | from  | mg a day                                  | days each     | last dose | doses | mg   | 5 mg tablets
    label  | titration | –     | 15, 30, 45, 60                            | 3, 3, 3, open | open      | 36    | 450  | 90
    A      | taper     | 60 mg | 45, 30, 15, 10, 5                         | 4, 4, 4, 1, 1 | 14        | 39    | 375  | 75
    B      | taper     | 60 mg | 45, 30, 15                                | 7             | 21        | 63    | 630  | 126
    C      | taper     | 60 mg | 50, 40, 30, 20, 10                        | 7             | 35        | 98    | 1050 | 210
    D      | taper     | 60 mg | 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5 | 7             | 77        | 210   | 2310 | 462
""")
"""The ready layouts in the file of baclofen, to pick from. The provider picks; a layout proposes nothing.

The label's is counted over its first twelve days, for its last phase goes on. A fourth dose of the day, at 80 mg, is the
provider's order and no part of it. The tapers start the day after the last day of 60 mg; a dose of nothing does not exist.

Source: the label's layout, US labels (sourced); the tapers are Doseline's default, for no source gives the speed from 60 mg.
"""

BACLOFEN = drugs.load("baclofen")
TEMPLATES = {template.name: template for template in BACLOFEN.templates}


def test_the_layouts_of_baclofen_are_these() -> None:
    """Nothing more and nothing less is there to pick from."""
    assert list(TEMPLATES) == [row[0] for row in LAYOUTS[1:]]


@pytest.mark.parametrize("row", LAYOUTS[1:], ids=lambda row: row[0])
def test_a_layout_comes_to_these_totals(row: tuple[str, ...]) -> None:
    """Laid out as it stands, a layout has the table's days, last dose, doses, mg and tablets."""
    template = TEMPLATES[row[0]]
    plan = a_layout(template, BACLOFEN.key, at=THREE)
    goes_on = plan.phases[-1].days is None
    slots = slots_of_dates(plan, plan.start, plan.start + timedelta(days=12 if goes_on else 365))
    per_day = ", ".join(str(phase.per_day) for phase in plan.phases)
    days = ["open" if phase.days is None else str(phase.days) for phase in plan.phases]
    last = "open" if goes_on else (max(slot.local_date for slot in slots) - plan.start).days + 1
    total = sum((slot.amount.value for slot in slots), Decimal(0))
    five = Amount(Decimal(5))
    numbers = (last, len(slots), total, tablets_needed(slots, BACLOFEN, (five,))[five])
    known = (
        template.name,
        template.kind.value,
        str(template.from_per_day or "–"),
        per_day,
        ", ".join(days if len(set(days)) > 1 else days[:1]),
    )

    assert (*known, *map(str, numbers)) == row


def test_only_the_labels_layout_is_sourced() -> None:
    """No source gives the speed of a taper from 60 mg: those layouts are Doseline's, and say so."""
    sure = {name: template.basis.confidence for name, template in TEMPLATES.items()}

    assert sure == {"label": Confidence.SOURCED} | dict.fromkeys("ABCD", Confidence.DEFAULT)
