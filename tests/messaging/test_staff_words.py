"""What a person may text in their own words."""

from __future__ import annotations

import pytest

from reminders.messaging.segments import Encoding
from reminders.messaging.staff_words import MOST_PARTS, weigh

CLINIC = "Harbor Clinic"


@pytest.mark.parametrize(
    "words",
    [
        "Please call us this afternoon about the dizziness. Nurse Lee",
        "How do you feel since yesterday? Tell us in your own words.",
        "Please stop by the clinic at 3, room 12.",
        "Take nothing more until we have talked, yes?",
        "We will call you at 2:30 pm. If that does not suit, text us another time.",
        "Dr. Haddad says no change for now.Call 202 555 0100.",
        "¿Cómo está usted hoy?",
    ],
)
def test_plain_words_may_be_texted(words: str) -> None:
    """What people write to people goes out, in the clinic's name."""
    weighed = weigh(CLINIC, words)

    assert weighed.fault == ""
    assert weighed.body.startswith("Harbor Clinic: ")
    assert weighed.length.encoding is Encoding.GSM_7
    assert weighed.length.parts == 1


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("", "is empty"),
        (" \n ", "is empty"),
        ("See https://harbor.example/ana", "has an address"),
        ("See www.harbor.example", "has an address"),
        ("Look at harborclinic.com please", "has an address"),
        ("bit.ly/xyz", "has an address"),
        ("Reply 1 if you feel better", "asks for an answer"),
        ("please reply YES", "asks for an answer"),
        ('Text "no" if not', "asks for an answer"),
        ("Reply with 2 for worse", "asks for an answer"),
        ("Answer: Y", "asks for an answer"),
        ("send us STOP to end these", "asks for an answer"),
        ("Responda 1 si mejora", "asks for an answer"),
        ("Well done \N{SMILING FACE WITH SMILING EYES}", "has what many phones cannot show"),
        ("x" * (MOST_PARTS * 153), f"is {MOST_PARTS + 1} texts long"),
    ],
)
def test_what_may_not(words: str, fault: str) -> None:
    """An address, words that answer for a dose or end the texts, what phones cannot show, what is too long: each is refused in words."""
    assert weigh(CLINIC, words).fault.startswith(fault)


def test_how_long_it_is() -> None:
    """It may be three parts long, and says so; accents that cost another alphabet are written plainly."""
    whole = weigh(CLINIC, "x" * (MOST_PARTS * 153 - len("Harbor Clinic: ")))

    assert (whole.fault, whole.length.parts) == ("", MOST_PARTS)
    assert weigh(CLINIC, "mañana a las 10, así está bien").body == "Harbor Clinic: mañana a las 10, asi esta bien"


def test_a_question_mark_is_no_lost_letter() -> None:
    """A question may be asked."""
    assert weigh(CLINIC, "Did it help?").fault == ""
