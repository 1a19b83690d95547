from __future__ import annotations

from datetime import date

import pytest

from reminders.domain.finding import age_on, is_alcohol


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(1961, 3, 2), date(2026, 3, 1), 64),
        (date(1961, 3, 2), date(2026, 3, 2), 65),
        (date(1961, 3, 2), date(2026, 3, 3), 65),
        (date(1961, 3, 2), date(2026, 4, 1), 65),
        (date(1961, 3, 2), date(2026, 2, 27), 64),
        (date(1960, 2, 29), date(2026, 2, 28), 65),
        (date(1960, 2, 29), date(2026, 3, 1), 66),
        (date(2026, 3, 2), date(2026, 3, 2), 0),
        (date(2026, 3, 3), date(2026, 3, 2), -1),
    ],
)
def test_age(born: date, day: date, age: int) -> None:
    """A year more on the birthday; who was born on 29 February, on 1 March of the other years."""
    assert age_on(born, day) == age


@pytest.mark.parametrize(
    ("medicine", "is_it"),
    [("alcohol", True), ("Alcohol, some", True), ("drinks alcohol", True), ("nonalcohol", False), ("diazepam", False), ("", False)],
)
def test_what_alcohol_is_on_the_list(medicine: str, is_it: bool) -> None:  # noqa: FBT001 - a cell
    """Its name, where it begins a word."""
    assert is_alcohol(medicine) == is_it
