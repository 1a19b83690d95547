from __future__ import annotations

import pytest

from reminders import drugs
from reminders.domain.plan import Plan
from tests import seams
from tests.builders import a_phase, a_plan
from tests.doses import drawn
from tests.seams import taken_until

SEAMS = drawn("""
    from                         | to                      | after | next     | gap  | left out                     | to the provider
    5 mg at 08/14/20, New York   | the same, London        | 08:00 | 10 20:00 | 7 h  | 10 14:00                     |
    5 mg at 08/14/20, New York   | the same, London        | 14:00 | 11 08:00 | 13 h | 10 20:00                     | too long, too short
    5 mg at 08/14/20, New York   | the same, London        | 20:00 | 11 08:00 | 7 h  |                              |
    5 mg at 08/14/20, London     | the same, New York      | 08:00 | 10 08:00 | 5 h  |                              |
    5 mg at 08/14/20, London     | the same, New York      | 14:00 | 10 14:00 | 5 h  |                              |
    5 mg at 08/14/20, London     | the same, New York      | 20:00 | 10 20:00 | 5 h  |                              |
    5 mg at 08/14/20, Tokyo      | the same, New York      | 08:00 | 10 08:00 | 13 h | 09 20:00                     | too long, too short
    5 mg at 08/14/20, Tokyo      | the same, New York      | 14:00 | 10 08:00 | 7 h  |                              |
    5 mg at 08/14/20, Tokyo      | the same, New York      | 20:00 | 10 14:00 | 7 h  | 10 08:00                     |
    5 mg at 08/14/20, New York   | 5 mg at 09/21, New York | 14:00 | 10 21:00 | 7 h  |                              |
    20 mg at 06/12/18/22, London | the same, New York      | 06:00 | 10 12:00 | 11 h | 10 06:00                     |
    20 mg at 06/12/18/22, Tokyo  | the same, New York      | 06:00 | 10 12:00 | 19 h | 09 18:00, 09 22:00, 10 06:00 | too long, too short
""")
"""Where a changed plan, or a move to another zone, joins the old doses to the new: baclofen, the last dose taken on 10 June.

The next dose is the first that lies 2 hours or more after the last one; those before it are left out, as are those that would
bring their day over the daily maximum. A gap longer than 12 hours goes to the provider; *too short*: a dose came in time, but
too soon.

Source: the daily maximum, US labels (sourced); the shortest and the longest gap are Doseline's default.
"""


ZONES = {"New York": "America/New_York", "London": "Europe/London", "Tokyo": "Asia/Tokyo"}


def _plan(words: str, same: str) -> Plan:
    doses, zone = words.split(", ")
    amount, schedule = (same if doses == "the same" else doses).split(" mg at ")
    at = tuple(f"{hour}:00" for hour in schedule.split("/"))
    return a_plan(a_phase("/".join([amount] * len(at)), at=at), zone=ZONES[zone], start="2026-06-01")


@pytest.mark.parametrize("row", SEAMS[1:], ids=lambda row: f"{row[0]} to {row[1]} after {row[2]}")
def test_where_the_old_doses_join_the_new(row: tuple[str, ...]) -> None:
    """Each seam has its first dose, gap, doses left out and verdict; a minute after the last dose a provider made the change."""
    most = drugs.load("baclofen").max_per_day
    assert most is not None
    seam = taken_until(_plan(row[0], ""), row[2]).joined(_plan(row[1], row[0].split(", ")[0]), max_per_day=most.value.value)

    assert tuple(cell.replace("_", " ") for cell in seams.drawn(seam)) == row[3:]
