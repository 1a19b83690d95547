"""What a person at the clinic may text in their own words, and how long that is. It sends nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reminders.messaging.segments import Segments, segments
from reminders.messaging.texts import ENGLISH, fit_field, render, to_gsm7

TEMPLATE = "staff_text"
MOST_PARTS = 3
"""The longest such a text may be [our default]: what is longer is said by phone."""

LINK = re.compile(
    r"https?:|www\.|\b[\w-]+\.(?:com|org|net|info|io|gov|edu|health|co|us|uk|eu|ly|me|app|link|gl|page|site|clinic)\b", re.IGNORECASE
)
"""Carriers hold back texts with addresses, and patients are told never to follow one."""

ANSWERS = "STOP|STOPALL|UNSTOP|START|END|QUIT|CANCEL|UNSUBSCRIBE|YES|NO|Y|N|HELP|INFO|[0-9]+"
ASKS_FOR_ANSWER = re.compile(
    rf"\b(?:repl(?:y|ies)|text|send|answer|respond|type|write|responda|conteste|envíe|envie)\b(?:\s+(?:us|me|back|with|by|a|the|word|con))*"
    rf"[\s:]*[\"'“”‘’]?(?:{ANSWERS})\b",
    re.IGNORECASE,
)
"""A bare number or YES answers a question of ours about a dose, and STOP ends the texts: no free text asks for them."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A text in a person's words: as it would arrive, how long that is, and what is wrong with it (empty: nothing)."""

    body: str
    length: Segments
    fault: str


def weigh(clinic: str, words: str) -> Weighed:
    """See whether words may be texted in a clinic's name, and what they cost."""
    body = render(TEMPLATE, ENGLISH, clinic=clinic, words=words)
    return Weighed(body, segments(body), _fault(words, body))


def _fault(words: str, body: str) -> str:
    said = fit_field("words", words)
    lost = sorted({character for character in words if "?" in to_gsm7(character) and character != "?"})
    if not said:
        return "is empty"
    if lost:
        return f"has what many phones cannot show: {' '.join(lost[:5])}"
    if found := LINK.search(words):
        return f"has an address in it ({found[0]}): carriers hold such texts back"
    if found := ASKS_FOR_ANSWER.search(words):
        return f"asks for an answer that would be taken for one to another text ({found[0]}): ask for words of their own, or call"
    if (parts := segments(body).parts) > MOST_PARTS:
        return f"is {parts} texts long, and {MOST_PARTS} are the most: say it shorter, or call"
    return ""
