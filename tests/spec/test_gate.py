from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from reminders.domain.dose_state import DoseState
from reminders.domain.gate import (
    AwaitYes,
    CheckIn,
    Condition,
    GateFacts,
    GateResult,
    Stay,
    Step,
    StepDecision,
    StepFlagged,
    Unmet,
    decide_step,
    gate,
    overturned,
    required,
    resume_extra_days,
)
from reminders.domain.plan import AdvancePolicy, InvalidPlan, Kind
from tests.doses import drawn

STATES = {
    **dict.fromkeys("TLXC", DoseState.TAKEN),
    **dict.fromkeys("RP", DoseState.SKIPPED),
    "M": DoseState.MISSED,
    "U": DoseState.UNCONFIRMED,
    "N": DoseState.NOT_REMINDED,
    "Z": DoseState.NOT_DUE,
    "o": DoseState.OPEN,
    "p": DoseState.PENDING,
}


def states(letters: str) -> tuple[DoseState, ...]:
    """Read letters as the states of doses, oldest first."""
    return tuple(STATES[letter] for letter in letters.replace(" ", ""))


def facts(phase: str, before: str = "") -> GateFacts:
    """A phase whose time is over, with nothing against its step but its doses."""
    return GateFacts(phase=states(phase), last_nine=states(before + phase), time_done=True)


REQUIRED = ((9, 8), (8, 7), (7, 6), (6, 5), (5, 4), (4, 4), (3, 3), (2, 2), (1, 1))
"""Of so many closed doses of the phase, so many must be confirmed: four fifths, rounded up.

Source: Doseline's default; no published rule ties a step to adherence.
"""


@pytest.mark.parametrize(("closed", "confirmed"), REQUIRED)
def test_how_many_must_be_confirmed(closed: int, confirmed: int) -> None:
    """Four fifths of the closed doses, rounded up."""
    assert required(closed) == confirmed


GATES = drawn("""
    before    | phase       | gate
              | MTT TTT TTT | met
              | TTT TTT TTM | met
              | TTT TTT TMM | 7 of 9 doses confirmed, 8 needed; 2 doses running not taken
              | TUT TTT UTT | 7 of 9 doses confirmed, 8 needed; 2 unknown
              | TCT TTT CTT | met
              | TTT NNN TTT | 6 of 9 doses confirmed, 8 needed; 3 unknown
              | TTT CCC TTT | met
              | TTT ZZZ TTT | met
              | TRT RTR TRT | 5 of 9 doses confirmed, 8 needed
              | TLR TTT TLT | met
    TTT TMM   | TTT         | 2 doses running not taken
    TTT MMT   | TTT TTT TTT | met
    TTT TMN M | TTT         | 2 doses running not taken
    TTT TTM   | MTT         | 2 of 3 doses confirmed, 3 needed; 2 doses running not taken
              | TTTT        | met
              | TTTU        | 3 of 4 doses confirmed, 4 needed; 1 unknown
              | MTT TTT TTT TTT | met
              | TTT TTT TTp o | met
    TTT       | ZZZ         | no dose of this phase is closed yet
""")
"""The gate of a phase by its doses, with those of the phase before it.

Of the phase the last nine closed doses count, silence and our own failure as not confirmed: they are asked about first.
No two of the plan's last nine counted doses may be not taken running. The rows with C are those above them after "all"
to the catch-up question. p is pending.

Source: Doseline's default.
"""


@pytest.mark.parametrize(("before", "phase", "words"), GATES[1:], ids=[f"{row[0]} {row[1]}".strip() for row in GATES[1:]])
def test_the_doses_of_a_gate(before: str, phase: str, words: str) -> None:
    """A gate is met by what was taken, whoever's fault a silence is."""
    result = gate(facts(phase, before))
    said = "; ".join([*map(str, result.reasons), *([f"{result.unknown} unknown"] if result.unknown else [])])

    assert (said or "met", result.met) == (words, words == "met"), f"{before} {phase}".strip()


MET = facts("TTT TTT TTT")
TAPER = replace(MET, tapering=True)
CONDITIONS = (
    ("all well", MET, ()),
    ("time", replace(MET, time_done=False), ("the days of this phase are not over",)),
    ("check-in answered", replace(MET, check_in=CheckIn()), ()),
    ("check-in not answered", replace(MET, check_in=CheckIn(answered=False)), ("the check-in is not answered",)),
    ("grade 2", replace(MET, check_in=CheckIn(worst_grade=2)), ()),
    ("grade 3", replace(MET, check_in=CheckIn(worst_grade=3)), ("a symptom at grade 3",)),
    ("fall", replace(MET, check_in=CheckIn(fall=True)), ("a fall",)),
    ("confusion", replace(MET, check_in=CheckIn(confusion=True)), ("confusion",)),
    ("breathing", replace(MET, check_in=CheckIn(breathing=True)), ("trouble breathing",)),
    ("red flag", replace(MET, check_in=CheckIn(red_flag=True)), ("a red flag",)),
    ("taper, stiffness not asked for", replace(MET, tapering=True, check_in=CheckIn(rates_stiffness=False)), ()),
    ("rising, stiffness 10", replace(MET, check_in=CheckIn(stiffness=10, stiffness_before=2)), ()),
    ("taper, stiffness 6", replace(TAPER, check_in=CheckIn(stiffness=6)), ()),
    ("taper, stiffness 7", replace(TAPER, check_in=CheckIn(stiffness=7)), ("stiffness 7 of 10 on a taper",)),
    ("taper, up by 1", replace(TAPER, check_in=CheckIn(stiffness=5, stiffness_before=4)), ()),
    (
        "taper, up by 2",
        replace(TAPER, check_in=CheckIn(stiffness=6, stiffness_before=4)),
        ("stiffness up from 4 to 6 since before the taper",),
    ),
    ("taper, not rated", replace(TAPER, check_in=CheckIn()), ("stiffness is not rated",)),
    ("a clinical alert", replace(MET, clinical=("too high",)), ("open clinical alert: too high",)),
    ("two clinical alerts", replace(MET, clinical=("misses", "too high")), ("open clinical alerts: misses, too high",)),
    ("two of one kind", replace(MET, clinical=("too high", "too high")), ("open clinical alert: too high",)),
    (
        "beside what must not be taken with it",
        replace(MET, forbidden=("ciprofloxacin (US label text)",)),
        ("contraindicated beside ciprofloxacin (US label text)",),
    ),
    ("taper, beside what must not be taken with it", replace(TAPER, forbidden=("ciprofloxacin (US label text)",)), ()),
    ("a follow-up overdue", replace(MET, overdue_followups=1), ("1 overdue follow-up",)),
    ("two follow-ups overdue", replace(MET, overdue_followups=2), ("2 overdue follow-ups",)),
    ("enough tablets", replace(MET, tablets_ok=True), ()),
    ("a shortage", replace(MET, tablets_ok=False), ("not enough tablets for the next phase",)),
    (
        "two at once",
        replace(MET, time_done=False, tablets_ok=False),
        ("the days of this phase are not over", "not enough tablets for the next phase"),
    ),
)
"""What else leaves a gate unmet, and in which words. High stiffness does so on a taper only: on the way up it is what the rise is for.
What must not be taken with the drug keeps every step up back, acknowledged or not; a taper leads away from it.

Source: Doseline's default; to delay what is not tolerated, and to look at symptoms at each cut, is sourced (Wegovy, ASAM).
"""


@pytest.mark.parametrize(("condition", "seen", "reasons"), CONDITIONS, ids=[row[0] for row in CONDITIONS])
def test_the_other_conditions(condition: str, seen: GateFacts, reasons: tuple[str, ...]) -> None:
    """Each condition that is not met is a reason of its own."""
    result = gate(seen)
    assert (result.met, tuple(map(str, result.reasons)), result.unknown) == (not reasons, reasons, 0), condition


WHY = (Unmet(Condition.DOSES, "7 of 9 doses confirmed, 8 needed"),)
SHORT = AwaitYes((*WHY, Unmet(Condition.TABLETS, "the tablets do not last through a stay")), urgent=True)
POLICIES = (
    # policy, plan, tablets last through a stay, gate met, gate unmet
    ("as_prescribed", "titration", None, Step(), StepFlagged(WHY)),
    ("as_prescribed", "taper", None, Step(), StepFlagged(WHY)),
    ("ask_provider", "titration", None, AwaitYes(()), AwaitYes(WHY)),
    ("ask_provider", "taper", None, AwaitYes(()), AwaitYes(WHY)),
    ("stay_unless_met", "titration", None, Step(), Stay(WHY)),
    ("stay_unless_met", "maintenance", None, Step(), Stay(WHY)),
    ("stay_unless_met", "titration", True, Step(), Stay(WHY)),
    ("stay_unless_met", "titration", False, Step(), SHORT),
    ("as_prescribed", "titration", False, Step(), StepFlagged(WHY)),
)
"""What the prescriber's advance policy makes of a gate. A stay that the tablets do not cover is an urgent alert, not a stay.

The prescriber chooses the policy; there is no default. A taper never stays in silence: `stay_unless_met` is refused there.

Source: Doseline's default.
"""


@pytest.mark.parametrize(("policy", "kind", "covered", "met", "unmet"), POLICIES, ids=[f"{row[0]} {row[1]} {row[2]}" for row in POLICIES])
def test_the_policies(policy: str, kind: str, *, covered: bool | None, met: StepDecision, unmet: StepDecision) -> None:
    """The policy says what a met and an unmet gate do."""
    results = GateResult(met=True, reasons=(), unknown=0), GateResult(met=False, reasons=WHY, unknown=2)
    decided = tuple(decide_step(AdvancePolicy(policy), Kind(kind), result, stay_covered=covered) for result in results)

    assert decided == (met, unmet), f"{policy}, {kind}"


def test_a_taper_never_stays_in_silence() -> None:
    """A taper that stays unless met cannot be decided: it could use up the tablets."""
    with pytest.raises(InvalidPlan, match=r"^advance: a taper is as_prescribed or ask_provider, never stay_unless_met$"):
        decide_step(AdvancePolicy.STAY_UNLESS_MET, Kind.TAPER, GateResult(met=True, reasons=(), unknown=0))


OVERTURNS = (
    ("nothing new", MET, ()),
    ("doses not confirmed", facts("TMM"), ()),
    ("check-in not answered", replace(MET, check_in=CheckIn(answered=False)), ()),
    ("a follow-up overdue", replace(MET, overdue_followups=1), ()),
    ("stiffness on a taper", replace(TAPER, check_in=CheckIn(stiffness=8)), ()),
    ("a red flag", replace(MET, check_in=CheckIn(red_flag=True)), ("a red flag",)),
    ("a severe symptom", replace(MET, check_in=CheckIn(worst_grade=3)), ("a symptom at grade 3",)),
    ("a clinical alert", replace(MET, clinical=("too high",)), ("open clinical alert: too high",)),
    ("a shortage", replace(MET, tablets_ok=False), ("not enough tablets for the next phase",)),
)
"""What overturns a step at the first dose of its new amount, when it has been announced already.

Source: Doseline's default.
"""


@pytest.mark.parametrize(("news", "seen", "reasons"), OVERTURNS, ids=[row[0] for row in OVERTURNS])
def test_what_overturns_an_announced_step(news: str, seen: GateFacts, reasons: tuple[str, ...]) -> None:
    """Only a red flag, a severe symptom, a clinical alert or a shortage takes back what was announced."""
    assert tuple(map(str, overturned(seen))) == reasons, news


RESUMED = drawn("""
    planned end | stays since | resumed    | extra days | next phase
    2026-11-26  | 2026-11-26  | 2026-11-26 | 1          | 2026-11-27
    2026-11-26  | 2026-11-26  | 2026-11-28 | 3          | 2026-11-29
    2026-11-26  | 2026-11-24  | 2026-11-24 | 0          | 2026-11-26
    2026-11-26  | 2026-11-24  | 2026-11-25 | 1          | 2026-11-27
    2026-11-26  | 2026-11-24  | 2026-11-27 | 3          | 2026-11-29
    2026-11-26  | 2026-11-20  | 2026-11-21 | 1          | 2026-11-27
    2026-11-26  | 2026-11-25  | 2026-11-25 | 0          | 2026-11-26
""")
"""By how much a stay lengthens its phase: the days stayed, and at least until the day after it was resumed.

The planned end is the first date after the phase as planned.

Source: Doseline's default.
"""


@pytest.mark.parametrize("row", RESUMED[1:], ids=lambda row: f"since {row[1]}, resumed {row[2]}")
def test_resuming_shifts_what_follows(row: tuple[str, ...]) -> None:
    """What follows a stay shifts as a block, and never begins on the day of the yes."""
    planned_end, stay_since, resumed = (date.fromisoformat(cell) for cell in row[:3])
    extra = resume_extra_days(planned_end=planned_end, stay_since=stay_since, resumed=resumed)

    assert (str(extra), str(date.fromordinal(planned_end.toordinal() + extra))) == row[3:]
