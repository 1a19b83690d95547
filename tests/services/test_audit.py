"""The audit chain: what a clinic's history proves of itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from db.engine import reading, writing
from reminders.services.records.audit import first_broken_link
from tests.stage import Stage


@pytest.fixture
def lived() -> Iterator[Stage]:
    """A clinic whose patient fell silent for a day, so that plans and alerts have left their events."""
    with Stage.on_paper() as clinic:
        clinic.run_until("03-03 09:00")
        yield clinic


def broken(clinic: Stage) -> int | None:
    """The first event whose hash does not follow."""
    clinic_id = clinic.rows("clinic")[0]["id"]
    with reading(clinic.engine) as c:
        return first_broken_link(c, clinic_id)


def test_the_chain_holds(lived: Stage) -> None:
    """Every event carries the hash of the one before."""
    assert (len(lived.rows("audit")) > 2, broken(lived)) == (True, None)


@pytest.mark.parametrize(
    "tampered",
    [
        "UPDATE audit SET actor = 'nobody' WHERE no = 2",
        "DELETE FROM audit WHERE no = 2",
        "UPDATE audit SET at = '2026-01-01 00:00:00.000000' WHERE no = 2",
    ],
)
def test_what_was_changed_is_named(lived: Stage, tampered: str) -> None:
    """An event that was changed, or taken out, is where the chain breaks."""
    with writing(lived.engine) as c:
        c.execute(text(tampered))

    assert broken(lived) == 2
