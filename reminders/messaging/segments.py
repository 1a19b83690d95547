"""How many parts the network makes of a text, and which characters make it dear. Wording and sending are elsewhere.

Source: 3GPP TS 23.038 (the default alphabet and its extension table), TS 23.040 (parts of a longer text).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅå\u0394_\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398\u039eÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


class Encoding(StrEnum):
    """How the network writes a text."""

    GSM_7 = "gsm-7"
    UCS_2 = "ucs-2"


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text costs: units are septets in GSM-7 and 16-bit units in UCS-2; an empty text is still one part."""

    encoding: Encoding
    units: int
    parts: int


_ALONE = {Encoding.GSM_7: 160, Encoding.UCS_2: 70}
_SPLIT = {Encoding.GSM_7: 153, Encoding.UCS_2: 67}


def is_gsm7(text: str) -> bool:
    """Say whether every character is in the GSM-7 alphabet or its extension table."""
    return all(character in _BASIC or character in _EXTENDED for character in text)


def gsm7_units(text: str) -> int:
    """Count the septets of a GSM-7 text; a character of the extension table takes two."""
    return sum(2 if character in _EXTENDED else 1 for character in text)


def segments(text: str) -> Segments:
    """Count what a text costs: 160 units alone and 153 a part in GSM-7, 70 and 67 as soon as one character is not in it."""
    encoding = Encoding.GSM_7 if is_gsm7(text) else Encoding.UCS_2
    widths = [_width(character, encoding) for character in text]
    units = sum(widths)
    parts = 1 if units <= _ALONE[encoding] else _parts(widths, _SPLIT[encoding])
    return Segments(encoding, units, parts)


def _width(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM_7:
        return gsm7_units(character)
    return len(character.encode("utf-16-le", "surrogatepass")) // 2


def _parts(widths: Iterable[int], room: int) -> int:
    """Fill parts in order; a character of two units is never cut between two of them, so a part may stay one short."""
    parts, used = 1, 0
    for width in widths:
        if used + width > room:
            parts, used = parts + 1, 0
        used += width
    return parts
