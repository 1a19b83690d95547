from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders import drugs
from reminders.domain.plan import Amount, InvalidPlan, Unit
from reminders.domain.tablets import WIDEST, Tablets, count_tablets, in_tablets, makeable, tablets_text
from reminders.drugs.profile_file import read_profile

BACLOFEN = drugs.load("baclofen")


def one(value: str) -> Amount:
    """So many mg."""
    return Amount(Decimal(value))


def mg(*values: str) -> tuple[Amount, ...]:
    """Several amounts in mg."""
    return tuple(map(one, values))


def only_of(*values: str) -> str:
    """Say 5 mg and 15 mg to a patient who has only these tablets."""
    return ", ".join(tablets_text(amount, BACLOFEN, mg(*values)) for amount in mg("5", "15"))


TEXTS = [
    ("5", "1 tablet of 5 mg"),
    ("10", "1 tablet of 10 mg"),
    ("15", "1 of 10 mg and 1 of 5 mg"),
    ("20", "1 tablet of 20 mg"),
    ("40", "2 tablets of 20 mg"),
    ("25", "1 of 20 mg and 1 of 5 mg"),
    ("35", "35 mg in all"),
    ("7", "7 mg"),
]


@pytest.mark.parametrize(("amount", "text"), TEXTS)
def test_a_text_says_an_amount_in_tablets(amount: str, text: str) -> None:
    """An amount is said in the fewest tablets, or as itself where that is too long or cannot be made."""
    assert tablets_text(one(amount), BACLOFEN) == text


def test_a_text_uses_the_tablets_the_patient_has() -> None:
    """With only 10 mg tablets, scored, 5 mg is half of one, and halves are written in words."""
    assert only_of("10") == "half a tablet of 10 mg, 1 and a half tablets of 10 mg"


def test_whole_tablets_come_before_halves() -> None:
    """A half is used only where whole tablets do not make the amount."""
    assert only_of("5", "10") == "1 tablet of 5 mg, 1 of 10 mg and 1 of 5 mg"


def test_a_half_beside_other_tablets() -> None:
    """Half a tablet of one strength may stand beside whole ones of another."""
    made = in_tablets(one("17.5"), BACLOFEN, mg("5", "15"), scored=mg("5"))

    assert made == (Tablets(Decimal(1), one("15")), Tablets(Decimal("0.5"), one("5")))


def test_a_half_beside_another_strength_is_said_in_words() -> None:
    """The half of a smaller tablet beside a larger one."""
    scored = read_profile(_SCORED_SMALL, "small.toml")

    assert tablets_text(one("11"), scored) == "1 of 10 mg and half of 2 mg"


_SCORED_SMALL = """
key = "small"
name = "small"
ingredient = "small"
form = "tablet"
unit = "mg"
[sources]
"a label" = "made up for the test"
[strengths]
value = ["2 mg", "10 mg"]
source = ["a label"]
confidence = "sourced"
[scored]
value = ["2 mg"]
source = ["a label"]
confidence = "sourced"
[withdrawal_risk]
value = false
source = ["a label"]
confidence = "sourced"
[min_gap]
value = "2 h"
source = ["a label"]
confidence = "sourced"
"""


COUNTS = [("1", "1 tablet"), ("2", "2 tablets"), ("0.5", "half a tablet"), ("1.5", "1 and a half tablets"), ("0.25", "0.25 tablets")]


@pytest.mark.parametrize(("count", "text"), COUNTS)
def test_a_plan_in_tablets_is_said_as_it_is(count: str, text: str) -> None:
    """Amounts that are tablets already are only put into words."""
    assert tablets_text(Amount(Decimal(count), Unit.TABLET), BACLOFEN) == text


def test_tablets_carry_the_unit_of_their_amount() -> None:
    """Tablets of 25 micrograms make 50 micrograms, and no milligrams."""
    mcg = Amount(Decimal(25), Unit.MCG)

    assert makeable(Amount(Decimal(50), Unit.MCG), [mcg, one("25")]) == (Tablets(Decimal(2), mcg),)


def test_forty_of_the_largest_tablets_are_the_most() -> None:
    """40 tablets of the largest strength are still counted, however small the smallest; more than that is no amount to take."""
    assert (makeable(one("800"), mg("5", "20")), makeable(one("805"), mg("5", "20"))) == ((Tablets(Decimal(40), one("20")),), None)


def test_of_as_few_tablets_one_strength_is_simpler() -> None:
    """20 mg from 5, 10 and 15 mg tablets is two of 10, not 15 and 5."""
    assert tablets_text(one("20"), BACLOFEN, mg("5", "10", "15")) == "2 tablets of 10 mg"


def test_of_choices_alike_the_largest_tablet_wins() -> None:
    """5 mg from 1 to 4 mg tablets is 4 and 1, not 3 and 2: one answer, always the same."""
    made = makeable(one("5"), mg("1", "2", "3", "4"))

    assert made == (Tablets(Decimal(1), one("4")), Tablets(Decimal(1), one("1")))


@pytest.mark.parametrize(("strength", "text"), [("12.5", "1 and a half tablets of 12.5 mg"), ("12.25", "18.375 mg in all")])
def test_a_text_of_31_characters_just_fits(strength: str, text: str) -> None:
    """The place for an amount in a text is 31 characters wide; what is longer is said shorter."""
    assert BACLOFEN.scored is not None
    profile = replace(BACLOFEN, scored=replace(BACLOFEN.scored, value=mg(strength)))

    assert tablets_text(Amount(Decimal(strength) * Decimal("1.5")), profile, mg(strength)) == text


def test_nobody_is_told_to_swallow_a_handful() -> None:
    """Forty tablets of the largest strength is the most that counts as makeable."""
    assert (makeable(one("800"), mg("20")) is None, makeable(one("801"), mg("20", "1")) is None) == (False, True)


def test_tablets_of_another_unit_do_not_help() -> None:
    """A strength in another unit makes no amount in mg."""
    assert makeable(one("5"), (Amount(Decimal(5), Unit.MCG),)) is None


def test_a_half_larger_than_the_amount_is_no_help() -> None:
    """2.5 mg is less than half of a 10 mg tablet."""
    assert makeable(one("2.5"), mg("10"), mg("10")) is None


def test_one_half_is_a_tablet_to_dispense() -> None:
    """Nobody dispenses half a tablet: the other half is left over, and no dose is short."""
    assert count_tablets([one("5")], BACLOFEN, mg("10")) == {one("10"): 1}


def test_two_halves_are_one_tablet() -> None:
    """Halves of a run of doses are counted together, and the last half needs a tablet of its own."""
    assert count_tablets(mg("5", "5", "5"), BACLOFEN, mg("10")) == {one("10"): 2}


def test_tablets_the_patient_lacks_are_counted_all_the_same() -> None:
    """What the patient's own strengths cannot make is counted in the profile's: it is missing, not needless."""
    assert count_tablets(mg("5", "20"), BACLOFEN, mg("20")) == {one("20"): 1, one("5"): 1}


def test_what_no_tablet_makes_counts_nothing() -> None:
    """An amount that no strength makes is an error of the plan's check, not of the count."""
    assert count_tablets(mg("7"), BACLOFEN) == {}


def test_without_any_strength_nothing_is_counted() -> None:
    """Where no source gives the strengths and the patient's are not known, the count is refused: none would read as none missing."""
    gabapentin = drugs.load("gabapentin-ir")

    with pytest.raises(InvalidPlan, match="strengths: no source gives the strengths of this drug"):
        count_tablets(mg("300"), gabapentin)

    assert (in_tablets(one("300"), gabapentin), tablets_text(one("300"), gabapentin)) == (None, "300 mg")
    assert count_tablets(mg("300"), gabapentin, mg("100")) == {one("100"): 3}


def test_an_injection_is_no_matter_of_tablets() -> None:
    """It is said by its amount, and none are counted."""
    ozempic = drugs.load("Ozempic")

    assert (tablets_text(one("0.25"), ozempic), count_tablets(mg("0.25"), ozempic)) == ("0.25 mg", {})


sizes = st.sets(st.sampled_from(["2.5", "5", "10", "15", "20", "25"]), min_size=1, max_size=3)


@given(st.integers(1, 24).map(lambda count: Decimal(count) * Decimal("2.5")), sizes)
def test_no_other_choice_takes_fewer_tablets(amount: Decimal, chosen: set[str]) -> None:
    """The tablets add up to the amount, and no other choice of whole tablets is smaller."""
    strengths = mg(*chosen)
    made = makeable(Amount(amount), strengths)
    ranges = (range(int(amount / strength.value) + 1) for strength in strengths)
    choices = [sum(counts) for counts in product(*ranges) if sum(c * s.value for c, s in zip(counts, strengths, strict=True)) == amount]

    assert (None if made is None else sum(tablets.count for tablets in made)) == min(choices, default=None)
    assert made is None or sum(tablets.count * tablets.strength.value for tablets in made) == amount


@given(st.integers(1, 400).map(lambda count: Decimal(count) / 4), sizes)
def test_every_amount_fits_its_place_in_a_text(amount: Decimal, chosen: set[str]) -> None:
    """However it is said, an amount is plain ASCII and no wider than its place."""
    text = tablets_text(Amount(amount), BACLOFEN, mg(*chosen))

    assert (text.isascii(), len(text) <= WIDEST) == (True, True)
