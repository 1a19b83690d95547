"""The words by which a patient is found."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from db.engine import writing
from reminders.services.records import name_words
from reminders.services.records.name_words import words_of
from tests.scheduling.enrolled import column
from tests.stage import Stage, patient


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ana Silva", ("ana", "silva")),
        ("José Müller-Lund", ("jose", "muller", "lund")),
        ("O'Brien, Dr. Ann", ("o", "brien", "dr", "ann")),
        ("Ana  Ana", ("ana",)),
        ("Straße", ("strasse",)),
        ("李小龍", ("李小龍",)),
        ("p_7-b", ("p", "7", "b")),
        ("", ()),
        ("n" * 90, ("n" * 80,)),
    ],
)
def test_the_words_of_a_name(text: str, words: tuple[str, ...]) -> None:
    """As somebody types them who does not know its accents."""
    assert words_of(text) == words


def test_who_is_enrolled_can_be_found() -> None:
    """By their name and their reference."""
    with Stage.on_paper(patient(name="Ána Silva", ref="mrn-12")) as clinic:
        assert column(clinic.engine, "patient_word", "word") == ["12", "ana", "mrn", "silva"]


def test_who_is_renamed_is_found_by_the_new_name_alone(sqlite_engine: Engine) -> None:
    """The old words are gone."""
    with Stage(sqlite_engine) as clinic, writing(clinic.engine) as c:
        (row,) = clinic.rows("patient")
        name_words.keep(c, row["clinic_id"], row["id"], "Ana Souza", "ana")

    assert column(sqlite_engine, "patient_word", "word") == ["ana", "souza"]
