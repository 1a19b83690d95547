"""How many parts a text costs."""

from __future__ import annotations

import pytest

from reminders.messaging.segments import Encoding, Segments, is_gsm7, segments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments(Encoding.GSM_7, 0, 1)),
        ("a" * 160, Segments(Encoding.GSM_7, 160, 1)),
        ("a" * 161, Segments(Encoding.GSM_7, 161, 2)),
        ("a" * 306, Segments(Encoding.GSM_7, 306, 2)),
        ("a" * 307, Segments(Encoding.GSM_7, 307, 3)),
        ("á" * 70, Segments(Encoding.UCS_2, 70, 1)),
        ("á" * 71, Segments(Encoding.UCS_2, 71, 2)),
        ("á" * 134, Segments(Encoding.UCS_2, 134, 2)),
        ("á" * 135, Segments(Encoding.UCS_2, 135, 3)),
    ],
)
def test_parts_change_where_the_network_says(text: str, expected: Segments) -> None:
    """A text is one part up to 160 septets or 70 UCS-2 units, then split at 153 or 67."""
    assert segments(text) == expected


@pytest.mark.parametrize("character", list("^{}\\[~]|€\f"))
def test_an_extended_character_counts_two(character: str) -> None:
    """A character of the extension table takes an escape before it."""
    assert segments(character) == Segments(Encoding.GSM_7, 2, 1)


def test_an_extended_character_is_not_cut_in_two() -> None:
    """Where it would straddle two parts it moves to the next, and its part stays one short."""
    assert segments("a" * 152 + "€" + "a" * 152) == Segments(Encoding.GSM_7, 306, 3)


def test_a_surrogate_pair_is_not_cut_in_two() -> None:
    """An emoji is two units of UCS-2, and stays in one part."""
    assert segments("á" * 66 + "😀" + "á" * 66) == Segments(Encoding.UCS_2, 134, 3)


def test_one_curly_quote_halves_a_text() -> None:
    """One character outside the alphabet makes the whole text UCS-2."""
    assert segments("a" * 159 + "\u2019").parts == 3


@pytest.mark.parametrize(
    ("text", "expected"), [("¿Cuándo?", False), ("¿Qué? ñ Ñ ü Ü é è ù ì ò à", True), ("ok", True), ("–", False), ("😀", False)]
)
def test_the_alphabet_has_no_acute_vowels_but_e(text: str, expected: bool) -> None:  # noqa: FBT001  # a table's column
    """Á, í, ó, ú, curly quotes and dashes are not in GSM-7; é, è, ñ, ü and the Spanish marks are."""
    assert is_gsm7(text) is expected
