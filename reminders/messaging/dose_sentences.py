"""What one sentence says about a dose. Every word of it must be known, else the sentence says nothing: nobody guesses."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from reminders.messaging.dose_meanings import VERBS, Letter, Mark, Number, meaning_of
from reminders.messaging.dose_words import AFTER_TIMES, ALL_WELL, BEFORE_TIMES, DIGITS, DOSE_NOUNS, FILLER, WITH_DIGIT, Word
from reminders.messaging.intents import Intent, LateQuestion, RedFlag, RedFlagKind, Spasms, Stiffness, Symptoms, Ticks
from reminders.messaging.reply_times import mark_times

SOMETHING_READ = "~"
"""What stands in a sentence for a phrase that another rule has read."""


def read_sentence(sentence: str, language: str, *, question: bool) -> tuple[Intent, ...] | None:
    """Say what a sentence of plain words means; empty if it is only politeness, None if it is not understood.

    `question`: it ended in a question mark, and then only a question about a late dose is understood.
    """
    rated = _ratings(sentence)
    if rated:
        return rated
    marks = _marks(sentence, language)
    if marks is None:
        return None
    said = meaning_of(marks)
    if said is None or (question and any(not isinstance(intent, LateQuestion) for intent in said)):
        return None
    if question:
        return tuple(replace(intent, asked=True) for intent in said if isinstance(intent, LateQuestion))
    return said


# --- check-in words --------------------------------------------------------------------------------------------------------------

_SYMPTOM = re.compile(r"([a-e]) ?([0-3])")
_STIFFNESS = re.compile(r"(?:s|stiff|stiffness|rigidez) ?(10|[0-9])")
_NO_SYMPTOM = re.compile(r"\b(?:n|none|ningun[oa]|nada)\b")
_SPASMS = re.compile(r"p ?(?:(0)|([1-4])(?:[ /]?([1-3]))?)(?![0-9])")
_TICK = re.compile(r"\b([fhlrw]) ?(?:(y|yes|si)|n|no)\b")
_TOKEN = rf"(?:{_TICK.pattern}|{_SYMPTOM.pattern}|{_STIFFNESS.pattern}|{_SPASMS.pattern}|{_NO_SYMPTOM.pattern})"
_RATINGS = re.compile(rf"{_TOKEN}(?:(?: and| y| ,|) ?{_TOKEN})*(?: please| thanks| thank you| gracias)?")


def _ratings(sentence: str) -> tuple[Intent, ...]:
    """Read S4, A2 C1, P2 3, W no, N, or N S4. A letter that is rated twice, and N beside a symptom, are not understood."""
    tokens = " ".join(sentence.replace(SOMETHING_READ, " ").split())
    if tokens == "n":
        return (Symptoms(),)
    if _NO_SYMPTOM.fullmatch(tokens) or not _RATINGS.fullmatch(tokens):  # "none" alone can answer other questions too
        return ()
    ticks = {(letter.upper(), bool(yes)) for letter, yes in _TICK.findall(tokens)}
    tokens = _TICK.sub("", tokens)  # its "no" and "n" are not "no symptom"
    spasms = {Spasms(int(rare or often), int(severity) if severity else None) for rare, often, severity in _SPASMS.findall(tokens)}
    grades = {(letter.upper(), int(grade)) for letter, grade in _SYMPTOM.findall(tokens)}
    stiffness = {int(number) for number in _STIFFNESS.findall(tokens)}
    none = _NO_SYMPTOM.search(tokens) is not None
    if _twice(grades) or _twice(ticks) or len(stiffness) > 1 or len(spasms) > 1 or (none and grades):
        return ()
    symptoms = (Symptoms(tuple(sorted(grades))),) if grades or none else ()
    danger = (RedFlag(RedFlagKind.BREATHING),) if ("R", True) in ticks else ()
    return (*danger, *map(Stiffness, stiffness), *symptoms, *spasms, *((Ticks(tuple(sorted(ticks))),) if ticks else ()))


def _twice(rated: Collection[tuple[str, int]]) -> bool:
    return len({letter for letter, _ in rated}) < len(rated)


# --- from words to marks ----------------------------------------------------------------------------------------------------------

_ALONE = {"y": {"en": Word.YES}, "s": {"es": Word.YES}, "ya": {"en": Word.YES, "es": Word.TAKE}}
_NO_LABEL = frozenset("iyoeunrkx")


def _marks(sentence: str, language: str) -> list[Mark] | None:
    """Turn a sentence into what its words contribute, in order, or None if one is unknown."""
    alone = _ALONE.get(sentence, {}).get(language)
    if alone is not None:
        return [alone]
    noted: list[Mark] = []

    def note(mark: Mark) -> str:
        noted.append(mark)
        return f"M{len(noted) - 1}"

    text = ALL_WELL.sub("ok", sentence)
    for word, pattern in BEFORE_TIMES:
        text = pattern.sub(lambda _, word=word: note(word), text)  # type: ignore[misc]  # a default binds the loop's value
    text = mark_times(text, note)
    for word, pattern in AFTER_TIMES:
        text = pattern.sub(lambda _, word=word: note(word), text)  # type: ignore[misc]  # as above
    return _in_order(text.split(), noted)


def _in_order(words: list[str], noted: list[Mark]) -> list[Mark] | None:
    marks: list[Mark] = []
    others: list[str] = []
    for here, word in enumerate(words):
        mark = _mark_of(words, here, noted)
        if mark is not None:
            marks.append(mark)
        else:
            others.append(word)
    counted = any(isinstance(mark, Number) for mark in marks) and not any(mark in VERBS for mark in marks)
    known = FILLER - DOSE_NOUNS | WITH_DIGIT if counted else FILLER
    if any(isinstance(mark, Number) for mark in marks):
        known |= WITH_DIGIT
    return marks if all(word in known or word in {SOMETHING_READ, ","} for word in others) else None


def _mark_of(words: list[str], here: int, noted: list[Mark]) -> Mark | None:
    word = words[here]
    after = words[here + 1] if here + 1 < len(words) else ""
    before = words[here - 1] if here else ""
    if word.startswith("M"):
        return noted[int(word[1:])]
    if word == "not" and (after.startswith("M") or len(after) == 1):
        return Word.NOT
    if word in DIGITS and not _is_noun_one(word, before, words[:here], noted):
        if _counts_one(word, before, noted):
            return Word.COUNT_ONE
        return None if after in DOSE_NOUNS else Number(DIGITS[word])
    if (
        len(word) == 1
        and word.isalpha()
        and word not in _NO_LABEL
        and not (word == "a" and (after in DOSE_NOUNS or after == SOMETHING_READ))
    ):
        return Letter(word.upper())
    return None


def _is_noun_one(word: str, before: str, earlier: list[str], noted: list[Mark]) -> bool:
    """Say whether a "one" stands for a dose ("the 8am one", "my morning one") and is no number."""
    if word != "one" or not earlier:
        return False
    return before in {"the", "my", "that", "this", "last"} or (before.startswith("M") and not isinstance(noted[int(before[1:])], Word))


def _counts_one(word: str, before: str, noted: list[Mark]) -> bool:
    """Say whether a 1 counts what was taken or missed ("took 1", "missed one") and is no answer."""
    return DIGITS[word] == 1 and before.startswith("M") and noted[int(before[1:])] in VERBS
