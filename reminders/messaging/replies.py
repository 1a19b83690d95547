"""What a reply means: `parse` turns a text into intents, in the order in which they must be acted on.

It never guesses. Danger signs, opting out and stopped medicine are matched generously, wherever they stand; what a text says
about a dose counts only where every word of the sentence is understood. What is not stays in `unread`, for a person.
It knows no open question and no plan: `questions.py` says which question a reading answers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import get_args

from reminders.messaging import alarm_words as a
from reminders.messaging import opting_words as o
from reminders.messaging import reply_words as w
from reminders.messaging import request_words as r
from reminders.messaging.dose_sentences import SOMETHING_READ, read_sentence
from reminders.messaging.dose_statements import combined
from reminders.messaging.dose_words import BECAUSE, DOUBT, FILLER
from reminders.messaging.intents import (
    BloodPressure,
    CallMe,
    FeltBetter,
    HelpWanted,
    Intent,
    Label,
    LinkWanted,
    Named,
    OptIn,
    OptOut,
    OutOfMedicine,
    Problem,
    Reading,
    Refill,
    Slower,
    Stiffness,
    StoppedTaking,
    Symptoms,
    TabletsLeft,
    TookDouble,
    TookHalf,
    Unclear,
    Unsure,
    Vomited,
    WantsToStop,
    WrongNumber,
)
from reminders.messaging.reply_alarms import corrected, find_alarms
from reminders.messaging.reply_text import is_reaction, plain_words

__all__ = ["DECIDES", "VERSION", "Reading", "is_restart", "may_answer", "parse", "says_none_left", "version_of"]


def parse(text: str, *, language: str = "en") -> Reading:
    """Read a reply; never raises. English and Spanish are read alike; `language` settles the few words that differ ("ya").

    Returns its meanings in reading order, each once, `Unclear` alone if there is none.
    """
    plain = plain_words(text)
    if is_reaction(text):
        return Reading((Unclear(),), plain)
    alarms, rest = find_alarms(corrected(plain))
    if _bare(rest) in o.WHOLE_OPT_OUT:
        return _in_order([*alarms, OptOut()], "")
    if _bare(rest) in o.WHOLE_OPT_IN:
        return _in_order([*alarms, OptIn()], "")
    found: list[Intent] = list(alarms)
    for pattern, make in _RULES:
        rest = pattern.sub(lambda match, make=make: _noted(match, make, found), rest)  # type: ignore[misc]  # a default binds it
    for clauses, meaning in _CLAUSES:
        rest = _without_clauses(rest, clauses, meaning, found)
    rest = _with_stops(rest, language, found)
    said, unread = _said(rest, language, unsure=Unsure() in found)
    return _in_order([*found, *(intent for intent in said if not (found and isinstance(intent, Named | Label)))], unread)


def is_restart(text: str) -> bool:
    """Say whether a text, where STOP stands, takes texts up again, though it may mean something else where it does not."""
    return _bare(plain_words(text)) in o.RESTARTS


def may_answer(text: str) -> bool:
    """Say whether a text that ends texts can be the answer to a question as well."""
    return _bare(plain_words(text)) in o.ANSWERS_TOO


def says_none_left(text: str) -> bool:
    """Say whether such a text, asked why nothing was taken, says that there is no more."""
    return _bare(plain_words(text)) in o.NONE_LEFT


_Make = Callable[[re.Match[str]], "Intent | str | None"]
"""What a phrase becomes: a meaning, other words in its place, or None where it is not the phrase after all."""

_PASSED_OVER = f" {SOMETHING_READ} "
_DOUBT = " # "


def _count(match: re.Match[str]) -> int | None:
    return next((int(number) for number in match.groupdict().values() if number), None)


def _pressure(match: re.Match[str]) -> BloodPressure | None:
    """Read 118/76; a date such as 11/25 is none. Bounds: what a cuff can show, in mmHg."""
    pressure = BloodPressure(int(match["s"]), int(match["d"]))
    return pressure if 50 <= pressure.systolic <= 280 and 30 <= pressure.diastolic < pressure.systolic else None  # noqa: PLR2004


_RULES: tuple[tuple[re.Pattern[str], _Make], ...] = (
    (w.SMALL_TALK, lambda _: _PASSED_OVER),
    (r.ASKS_DOUBLE, lambda _: " can i take it "),
    (r.NOT_DOUBLE, lambda _: _PASSED_OVER),
    (r.TOOK_DOUBLE, lambda _: TookDouble()),
    (r.ASKS_HALF, lambda _: _DOUBT),
    (r.TOOK_HALF, lambda _: TookHalf()),
    (w.UNSURE, lambda _: Unsure()),
    (o.NO_NEED, lambda _: _PASSED_OVER),
    (o.NOT_OPT_OUT, lambda _: _DOUBT),
    (w.DOUBTFUL, lambda _: _DOUBT),
    (w.STOPPED_TAKING, lambda _: StoppedTaking()),
    (o.OPT_OUT, lambda _: OptOut()),
    (r.OPT_IN, lambda _: OptIn()),
    (w.WRONG_NUMBER, lambda _: WrongNumber()),
    (r.NOT_VOMITED, lambda _: _PASSED_OVER),
    (r.VOMITED, lambda _: Vomited()),
    (r.BLOOD_PRESSURE, _pressure),
    (r.HAVE_MEDICINE, lambda _: _PASSED_OVER),
    (r.NEARLY_OUT, lambda _: OutOfMedicine(soon=True)),
    (r.OUT_OF_MEDICINE, lambda _: OutOfMedicine()),
    (r.REFILL_WANTED, lambda _: OutOfMedicine(soon=True)),
    (r.TABLETS_LEFT, lambda match: TabletsLeft(_count(match) or 0)),
    (r.NO_REFILL, lambda _: _PASSED_OVER),
    (r.REFILL, lambda match: Refill(_count(match))),
    (r.SLOWER, lambda _: Slower()),
    (r.STIFFNESS, lambda match: Stiffness(int(match["n"]))),
    (r.SPASMS_AND_A_NUMBER, lambda _: Problem()),
    (r.NO_SYMPTOMS, lambda _: Symptoms()),
    (r.NOT_A_PROBLEM, lambda _: _PASSED_OVER),
    (r.NOT_BETTER, lambda _: Problem()),
    (r.FELT_BETTER, lambda _: FeltBetter()),
    (r.PROBLEM, lambda _: Problem()),
    (r.NOT_CALL, lambda _: _PASSED_OVER),
    (r.CALL_ME, lambda _: CallMe()),
    (r.NO_HELP, lambda _: _PASSED_OVER),
    (r.LINK, lambda _: LinkWanted()),
    (r.HELP, lambda _: HelpWanted()),
)

_CLAUSES: tuple[tuple[frozenset[str], Intent], ...] = (
    (w.STOPPED_ALONE, StoppedTaking()),
    (o.CLAUSE_OPT_OUT, OptOut()),
    (o.CLAUSE_MAYBE, WantsToStop()),
)


def _noted(match: re.Match[str], make: _Make, found: list[Intent]) -> str:
    made = make(match)
    if made is None:
        return match[0]
    if isinstance(made, str):
        return made
    found.append(made)
    return _PASSED_OVER


# --- clauses and sentences --------------------------------------------------------------------------------------------------------

_POLITE = frozenset(
    (
        *(
            "please",
            "pls",
            "plz",
            "plse",
            "thanks",
            "thank",
            "thx",
            "you",
            "ty",
            "por",
            "favor",
            "gracias",
            "hi",
            "hello",
            "hey",
            "ok",
            "okay",
        ),
        *("sir", "maam", "team", "clinic", "ya", "asap", "immediately", ".", ",", "?"),
    ),
)
_CLAUSE = re.compile(r"( [.,?] | and | but | y | pero )")


def _bare(words: str) -> str:
    """Return words without politeness and punctuation: "stop" of "Please, STOP!"."""
    return " ".join(word for word in words.split() if word not in _POLITE)


def _without_clauses(words: str, clauses: frozenset[str], meaning: Intent, found: list[Intent]) -> str:
    """Take out the clauses that are, but for politeness, one of the given ones, and note what they mean."""
    parts = _CLAUSE.split(f" {words} ")
    for here in range(0, len(parts), 2):
        if _bare(parts[here]) in clauses:
            found.append(meaning)
            parts[here] = _PASSED_OVER
    return " ".join("".join(parts).split())


def _with_stops(words: str, language: str, found: list[Intent]) -> str:
    """Read what is left of stopping: "1, stop" is about the texts, "I want to stop" does not say what it is about."""
    parts = _CLAUSE.split(f" {words} ")
    for here in range(0, len(parts), 2):
        rest = " ".join(o.STOP_LIKE.sub("", parts[here]).split())
        if rest == " ".join(parts[here].split()) or o.STOP_OF_WHAT_WAS_READ.search(" ".join(parts[here].split())):
            continue
        plainly = o.STOP_WORD.search(parts[here]) and read_sentence(rest, language, question=False) is not None and "i" not in rest.split()
        found.append(OptOut() if plainly else WantsToStop())
        parts[here] = f" {rest} " if plainly else _PASSED_OVER
    return " ".join("".join(parts).split())


def _said(words: str, language: str, *, unsure: bool) -> tuple[tuple[Intent, ...], str]:
    """Read the sentences about doses; return what they mean together and the words that nobody understood.

    Nothing is taken from them if the rest raises a doubt: "took it, not really" is no "taken".
    """
    said: list[Intent] = []
    unread: list[str] = []
    doubt = False
    for sentence, question in _sentences(words):
        for part, meant in _parts(sentence, language, question=question):
            if meant is None:
                unread += [] if _is_only_read(part) else [part]
                doubt = doubt or question or DOUBT.search(part) is not None
            else:
                said += meant
    meant = None if doubt else combined(said)
    if meant is None or (unsure and meant):
        return (), words
    return meant, " . ".join(unread)


def _is_only_read(part: str) -> bool:
    """Say whether all that is left of a part are little words around what was read: "had a" of "had a fit"."""
    words = part.split()
    return SOMETHING_READ in words and all(word in FILLER or word in {SOMETHING_READ, "a"} for word in words)


def _sentences(words: str) -> Iterable[tuple[str, bool]]:
    """Split words at full stops and question marks; say of each sentence whether it ended in the latter."""
    start: list[str] = []
    for word in words.split():
        if word in {".", "?"}:
            yield " ".join(start), word == "?"
            start = []
        else:
            start.append(word)
    yield " ".join(start), False


def _parts(sentence: str, language: str, *, question: bool) -> Iterable[tuple[str, tuple[Intent, ...] | None]]:
    """Read a sentence whole, or else by its parts: "took it, going to bed" is understood in its first."""
    meant = read_sentence(sentence, language, question=question)
    parts = [part.strip() for part in re.split(rf" ?, ?|{BECAUSE.pattern}", f" {sentence} ") if part.strip()]
    if meant is not None or len(parts) == 1:
        yield sentence, meant
        return
    for part in parts:
        yield part, read_sentence(part, language, question=question)


_ORDER = {kind: place for place, kind in enumerate(get_args(Intent))}


def _in_order(found: Iterable[Intent], unread: str) -> Reading:
    """Put meanings into reading order, each once."""
    intents = sorted(dict.fromkeys(found), key=lambda intent: _ORDER[type(intent)])
    return Reading(tuple(intents) or (Unclear(),), unread)


# --- the evidence's name for all this ---------------------------------------------------------------------------------------------


def version_of(decides: Mapping[str, str]) -> str:
    """Name what decides about a text by what is in it: the same words in the same order, the same name."""
    written = "\n".join(f"{name}: {words}" for name, words in decides.items())
    return f"words {hashlib.sha256(written.encode()).hexdigest()[:16]}"


_TABLES = {
    "carriers out": o.CARRIERS_OUT,
    "carriers in": o.CARRIERS_IN,
    "whole out": o.WHOLE_OPT_OUT,
    "whole in": o.WHOLE_OPT_IN,
    "restarts": o.RESTARTS,
    "answers too": o.ANSWERS_TOO,
    "polite": _POLITE,
}
_PATTERNS = {
    "self-harm": a.SELF_HARM,
    "between clauses": _CLAUSE,
    "stop": o.STOP_WORD,
    "like stop": o.STOP_LIKE,
    "stop of": o.STOP_OF_WHAT_WAS_READ,
}
DECIDES: Mapping[str, str] = {
    **{name: "|".join(sorted(table)) for name, table in _TABLES.items()},
    **{name: pattern.pattern for name, pattern in _PATTERNS.items()},
    **{f"sign {kind.value}": pattern.pattern for kind, pattern in a.FLAGS},
    **{f"rule {place}": pattern.pattern for place, (pattern, _) in enumerate(_RULES)},
    **{f"clause {place}": f"{meaning}: {'|'.join(sorted(clauses))}" for place, (clauses, meaning) in enumerate(_CLAUSES)},
}
"""What is taken out of a text, in which order, before and while it is read as an opting out or in."""

VERSION = version_of(DECIDES)
"""By which words a text was read, for the evidence: it changes whenever one of them does, or their order."""
