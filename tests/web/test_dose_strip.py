from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from reminders.domain.dose_state import DoseState
from reminders.services.records.overview import Mark
from reminders.web.dose_strip import BAR, DAY_GAP, GAP, LOOKS, dose_strip, looks

T, U = DoseState.TAKEN, DoseState.UNCONFIRMED


def marks(*days: str, amounts: str = "5 5 10", first: int = 2) -> list[Mark]:
    """Make doses of some days: "TT." is taken, taken, yet to come."""
    state = {"T": T, "U": U, ".": None}
    return [
        Mark(date(2026, 3, first + day), number, datetime(2026, 3, first + day, tzinfo=UTC), Decimal(amount), state[letter])
        for day, letters in enumerate(days)
        for number, (letter, amount) in enumerate(zip(letters, amounts.split(), strict=False), 1)
    ]


def test_bars_stand_in_order_with_a_gap_between_days() -> None:
    """Bars of a day stand close, and the next day a little apart."""
    strip = dose_strip(marks("TT", "T"), "mg")

    assert [bar.x for bar in strip.bars] == [0, BAR + GAP, 2 * (BAR + GAP) + DAY_GAP]


def test_the_picture_ends_with_its_last_bar() -> None:
    """The width is that of the bars and the gaps between them."""
    strip = dose_strip(marks("TT", "T"), "mg")

    assert strip.width == strip.bars[-1].x + BAR


def test_a_bar_is_as_high_as_its_amount() -> None:
    """The largest amount has the full height, half of it half."""
    assert [bar.height for bar in dose_strip(marks("TTT"), "mg").bars] == [20, 20, 40]


def test_the_smallest_amount_can_be_seen() -> None:
    """However large the others, a bar is never flat."""
    assert [bar.height for bar in dose_strip(marks("TT", amounts="0.5 500"), "mg").bars] == [4, 40]


@pytest.mark.parametrize("state", [*DoseState, None])
def test_every_state_has_a_look_and_words(state: DoseState | None) -> None:
    """No state of a dose is left undrawn or unsaid."""
    look, words = LOOKS[state]

    assert all((look, words))


def test_the_legend_has_every_look_once() -> None:
    """Pending and open look the same and stand once."""
    assert len(looks()) == len({look for look, _ in looks()}) == 8


def test_now_stands_before_what_is_to_come() -> None:
    """The line of now lies in the gap before the first bar yet to come."""
    strip = dose_strip(marks("TT."), "mg")
    before, after = strip.bars[1].x + BAR, strip.bars[2].x

    assert strip.today_x is not None
    assert before < strip.today_x < after


@pytest.mark.parametrize("days", ["TTT", "..."])
def test_without_a_past_or_a_future_there_is_no_now(days: str) -> None:
    """Where all is past, or all to come, no line is drawn."""
    assert dose_strip(marks(days), "mg").today_x is None


def test_the_picture_is_said_in_words() -> None:
    """Who cannot see the picture hears its dates and its counts."""
    assert dose_strip(marks("TTU", "T.."), "mg").words == "2 Mar to 3 Mar: 3 taken, 1 no answer, 2 planned."


def test_a_bar_says_what_it_is() -> None:
    """Who points at a bar reads its day, number, amount and state."""
    assert dose_strip(marks("TTT"), "mg").bars[2].title == "Mon 2 Mar, dose 3: 10 mg, taken"


@pytest.mark.parametrize(("days", "dates"), [(("T", "T"), ("2 Mar", "3 Mar")), (("T",), ("2 Mar",)), ((), ())])
def test_its_dates_are_the_first_and_the_last(days: tuple[str, ...], dates: tuple[str, ...]) -> None:
    """Two dates below the bars, one for a single day."""
    assert dose_strip(marks(*days), "mg").dates == dates


def test_without_doses_there_is_nothing_to_draw() -> None:
    """No dose in the window is said, not drawn."""
    strip = dose_strip([], "mg")

    assert (strip.width, strip.bars, strip.words) == (0, (), "No doses in these days.")
