"""The words by which a patient is found: of their name and their reference, as somebody types them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from sqlalchemy import delete

from reminders.services.records.ledger import PATIENT_WORD, insert_all

if TYPE_CHECKING:
    from sqlalchemy import Connection

LONGEST = 80


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, each once: in lower case, without accents, parted by what is no letter and no digit.

    "José Müller-Lund" is jose, muller and lund.
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in apart if not unicodedata.combining(char))
    return tuple(dict.fromkeys(word[:LONGEST] for word in re.findall(r"[^\W_]+", plain)))


def keep(c: Connection, clinic_id: str, patient_id: str, name: str, ref: str) -> None:
    """Let a patient be found by these from now on, and by nothing else. Whoever writes a name ends here."""
    c.execute(delete(PATIENT_WORD).where(PATIENT_WORD.c.clinic_id == clinic_id, PATIENT_WORD.c.patient_id == patient_id))
    whose = {"clinic_id": clinic_id, "patient_id": patient_id}
    insert_all(c, PATIENT_WORD, [{**whose, "word": word} for word in words_of(f"{name} {ref}")])
