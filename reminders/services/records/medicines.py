"""The medicines on a patient's list, entered and reconciled by the clinic, and those that their other plans give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import BindParameter, bindparam, select, update

from reminders.domain.finding import is_alcohol
from reminders.services.records.ledger import MEDICINE, asked, by, insert_all, new_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_ON_LIST = (MEDICINE.c.patient_id.in_(_IDS), MEDICINE.c.removed_at.is_(None))
_LISTED = select(MEDICINE).where(*_ON_LIST).order_by(MEDICINE.c.added_at, MEDICINE.c.id)  # made once: every pass asks


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine as it was entered, and since when it is on the list (UTC).

    `plan`: the reference of the plan that gives it. Then its name is the ingredient, its id the plan's, and it is taken from the plan's
    first day on.
    """

    id: str
    name: str
    added_at: datetime
    plan: str | None = None

    @property
    def is_alcohol(self) -> bool:
        """Whether it is alcohol, which stands on the list like a medicine."""
        return is_alcohol(self.name)


def of_patients(c: Connection, patient_ids: Iterable[str]) -> dict[str, tuple[Medicine, ...]]:
    """The medicines on the lists of some patients, by patient, oldest first; a patient without any is left out."""
    found = by("patient_id", asked(c, _LISTED, ids=list(patient_ids)))
    return {patient_id: tuple(Medicine(row["id"], row["name"], row["added_at"]) for row in listed) for patient_id, listed in found.items()}


def add(c: Connection, clinic_id: str, patient_id: str, names: Iterable[str], *, at: datetime) -> tuple[Medicine, ...]:
    """Put medicines on a patient's list; return them."""
    added = tuple(Medicine(new_id(), name, at) for name in names)
    same = {"clinic_id": clinic_id, "patient_id": patient_id}
    insert_all(c, MEDICINE, [{**same, "id": medicine.id, "name": medicine.name, "added_at": at} for medicine in added])
    return added


def remove(c: Connection, medicine: Medicine, *, at: datetime) -> None:
    """Take a medicine off its patient's list. That it stood there is kept."""
    c.execute(update(MEDICINE).where(MEDICINE.c.id == medicine.id).values(removed_at=at))
