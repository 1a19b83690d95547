"""The picture of a plan's day totals: its geometry, and what it says in words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reminders.services.laying_out import table_of
from reminders.web.portal.step_picture import HEIGHT, LEFT, WIDTH, Picture, step_picture
from tests.builders import a_phase, a_plan, a_taper, a_titration


def drawn(*rows: tuple[int, int | None]) -> Picture:
    """Draw a day total, in mg, for so many days each."""
    return step_picture(table_of(a_plan(*(a_phase(f"{total}", days, at="08:00") for total, days in rows)), until_day=0), "mg")


def test_a_titration_rises() -> None:
    """Four blocks side by side, each a third as high as the last, and so on; the last goes on."""
    steps = step_picture(table_of(a_titration(), until_day=0), "mg").steps

    assert [step.amount for step in steps] == ["15", "30", "45", "60"]
    assert [step.date for step in steps] == ["2 Mar", "5 Mar", "8 Mar", "11 Mar"]
    assert [round(steps[-1].height / step.height) for step in steps] == [4, 2, 1, 1]
    assert [step.is_open for step in steps] == [False, False, False, True]


def test_a_taper_has_an_end() -> None:
    """Nothing goes on without end."""
    assert not any(step.is_open for step in step_picture(table_of(a_taper("B"), until_day=0), "mg").steps)


def test_what_it_shows_in_words() -> None:
    """For who does not see it."""
    assert drawn((10, 3), (20, None)).words == "from 2 Mar 10 mg a day; from 5 Mar 20 mg a day"


def test_phases_on_one_total_are_one_step() -> None:
    """Where only the times change, the picture does not."""
    assert len(drawn((10, 3), (10, 4), (20, None)).steps) == 2


def test_a_narrow_step_keeps_its_words_to_itself() -> None:
    """One day among three hundred has no room for its date."""
    steps = drawn((10, 300), (20, 1), (30, 1), (40, 300)).steps

    assert [bool(step.date) for step in steps] == [True, True, False, True]


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 90)), min_size=1, max_size=30), st.sampled_from([None, 5]))
def test_all_of_it_lies_within_its_frame(rows: list[tuple[int, int]], last: int | None) -> None:
    """Steps stand side by side, in order, on the foot line, and none leaves the frame."""
    shown = drawn(*rows[:-1], (rows[-1][0], last))

    assert all(step.x >= LEFT and step.x + step.width <= WIDTH - LEFT + 1 for step in shown.steps)
    assert all(step.y > 0 and step.y + step.height == shown.foot < HEIGHT for step in shown.steps)
    assert [step.x for step in shown.steps] == sorted(step.x for step in shown.steps)
