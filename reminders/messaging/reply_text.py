"""A reply as plain words: lower case, no accents, one space between words, and `, . ?` as words of their own.

A letter or sign that we cannot read becomes `#`, a word that nobody knows: so it is never silently left out of a reading.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_REPLY = 1600
"""Characters that are read: no carrier passes on more."""

_QUOTES = r"[\"'\u201c\u201d\u2018\u2019\u00ab\u00bb]"
_REACTION = re.compile(
    rf"(?:liked|loved|disliked|laughed at|emphasi[sz]ed|questioned|reacted .{{1,20}}? to|removed .{{1,40}}? from"
    rf"|\W{{1,8}}to|le (?:gusto|gustó|encanto|encantó|dio .{{1,20}}? a)|(?:puso|agreg[oó]) .{{1,20}}? a) {_QUOTES}",
    re.IGNORECASE,
)
_REFUSING_SIGNS = frozenset("👎❌🚫⛔✖🙅")

# Before accents are dropped: "tomó" (he took it) and "tomo" (I take it) must not become one word, and "I'll" is not "ill".
_BEFORE = (
    (r"\btomó\b", "tomado"),
    (r"\bi['\u2019`\u00b4]ll\b", "i will"),
    (r"\bill (?=take|do|have|be|call|text|let|try|get|go|probably|just)", "i will "),
    (r"½", " half "),
    (r"\b1/2\b", " half "),
)
_AFTER = (
    (r"['\u2019\u2018`\u00b4]", ""),
    (r"\b([ap]) ?\. ?m\b\.?", r"\1m"),
    (r"\b([0-9]{1,2})[.]([0-5][0-9])\b", r"\1:\2"),
    (r"([0-9])[.]([0-9])(?![0-9])", r"\1#\2"),
    (r"(?<![0-9])[:/]|[:/](?![0-9])", " "),
    (r"@", " at "),
    (r"[&+]", " and "),
    (r"[!;.\n\r]+", " . "),
    (r"[?]+", " ? "),
    (r",", " , "),
    (r"([a-z])\1{2,}", r"\1"),
    (r"[^a-z0-9:/,.?#]+", " "),
)


def plain_words(text: str) -> str:
    """Write a reply as plain words; empty if it has none."""
    text = unicodedata.normalize("NFC", text[:LONGEST_REPLY]).casefold().replace("#", " ")
    for pattern, instead in _BEFORE:
        text = re.sub(pattern, instead, text)
    text = "".join(map(_readable, unicodedata.normalize("NFKD", text)))
    for pattern, instead in _AFTER:
        text = re.sub(pattern, instead, text)
    return " ".join(text.split())


def listed(*lines: str) -> frozenset[str]:
    """Return the single words of some lines, each line a list with blanks between."""
    return frozenset(word for line in lines for word in line.split())


def words(*patterns: str) -> re.Pattern[str]:
    """Compile patterns that match whole words only, in plain words."""
    return re.compile(rf"(?<![a-z0-9#])(?:{'|'.join(patterns)})(?![a-z0-9#])")


def is_reaction(text: str) -> bool:
    """Say whether a phone wrote this for a tap on our text ("Liked '...'"): it quotes us, so its words are ours."""
    return _REACTION.match(text.strip()) is not None


def _readable(character: str) -> str:
    if character.isascii() or character in "\u2019\u2018\u00b4":
        return character
    if character in _REFUSING_SIGNS:
        return " # "
    category = unicodedata.category(character)
    if category.startswith("M"):
        return ""
    return "#" if category[0] in "LN" else " "
