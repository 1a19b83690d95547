"""Copying a clinic from one ledger into another, whole: how a story that was played in memory comes to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.engine import reading, writing
from db.queries import clinics

if TYPE_CHECKING:
    from sqlalchemy import Engine


def copy_clinic(source: Engine, target: Engine, clinic_id: str) -> int:
    """Put a clinic of one ledger in place of the same clinic of another, in one transaction; return how many rows."""
    with reading(source) as c:
        tables = clinics.rows_of(c, clinic_id)
    with writing(target) as c:
        clinics.remove(c, clinic_id)
        return clinics.insert_rows(c, tables)
