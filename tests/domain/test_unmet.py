"""Each reason of an unmet gate names the condition that does not hold, beside its words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reminders.domain.dose_state import DoseState
from reminders.domain.gate import CheckIn, Condition, GateFacts, gate

NINE = (DoseState.TAKEN,) * 9
MET = GateFacts(phase=NINE, last_nine=NINE, time_done=True)
TAPER = replace(MET, tapering=True)
MISSED = (DoseState.MISSED,)
REASONS = [
    (replace(MET, time_done=False), Condition.TIME),
    (replace(MET, phase=()), Condition.DOSES),
    (replace(MET, phase=MISSED), Condition.DOSES),
    (replace(MET, last_nine=MISSED * 2), Condition.DOSES),
    (replace(MET, check_in=CheckIn(answered=False)), Condition.CHECK_IN),
    (replace(MET, check_in=CheckIn(fall=True)), Condition.SIGNS),
    (replace(TAPER, check_in=CheckIn()), Condition.CHECK_IN),
    (replace(TAPER, check_in=CheckIn(stiffness=7)), Condition.SIGNS),
    (replace(TAPER, check_in=CheckIn(stiffness=5, stiffness_before=3)), Condition.SIGNS),
    (replace(MET, clinical=("a fall",)), Condition.MATTERS),
    (replace(MET, overdue_followups=1), Condition.MATTERS),
    (replace(MET, forbidden=("ciprofloxacin",)), Condition.MATTERS),
    (replace(MET, tablets_ok=False), Condition.TABLETS),
]


@pytest.mark.parametrize(("facts", "condition"), REASONS)
def test_a_reason_names_its_condition(facts: GateFacts, condition: Condition) -> None:
    """One thing is not as it should be, and its condition is the only one named."""
    assert [unmet.condition for unmet in gate(facts).reasons] == [condition]


COUNTS = [
    ((), (0, 0, 0)),
    ((DoseState.TAKEN,) * 2, (2, 2, 2)),
    ((DoseState.TAKEN,) * 4 + (DoseState.UNCONFIRMED,), (4, 5, 4)),
    ((DoseState.TAKEN, DoseState.OPEN, DoseState.MISSED), (1, 2, 2)),
    ((DoseState.MISSED,) + (DoseState.TAKEN,) * 9, (9, 9, 8)),
]


@pytest.mark.parametrize(("phase", "counts"), COUNTS)
def test_the_counts_behind_a_gate(phase: tuple[DoseState, ...], counts: tuple[int, int, int]) -> None:
    """Of the last nine closed doses of the phase so many were taken, and so many would have to be."""
    result = gate(replace(MET, phase=phase))

    assert (result.confirmed, result.closed, result.needed) == counts
