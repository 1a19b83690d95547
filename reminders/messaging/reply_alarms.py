"""Danger signs and words of self-harm in a reply, matched generously: a false alarm costs a call, a missed one more.

Source of the list: the US baclofen labels' signs of withdrawal and of overdose. What is done about one is decided elsewhere.
"""

from __future__ import annotations

import re

from reminders.messaging.alarm_words import FLAGS, SELF_HARM
from reminders.messaging.intents import RedFlag, SelfHarm

# Spelt as they should be; a word within one slip of one of them (two from nine letters on) is read as it.
_ALARM_WORDS = (
    *("seizure", "seizures", "convulsion", "convulsions", "convulsing", "hallucination", "hallucinations", "hallucinating", "fever"),
    *("rigid", "confused", "confusion", "unconscious", "unresponsive", "breathe", "breathing", "collapse", "collapsed", "fainted"),
    *("fainting", "overdose", "overdosed", "suicide", "suicidal", "convulsiones", "alucinaciones", "alucinando", "fiebre"),
    *("confundido", "confundida", "desmayo", "desmaye", "desmayado", "respirar", "sobredosis", "suicidio", "inconsciente"),
)
# Everyday words that lie within a slip of an alarm word.
_EVERYDAY = frozenset(
    ("fewer", "lever", "fervor", "confusing", "bathing", "conclusion", "conclusions", "conscious", "desayuno", "frigid", "responsive"),
)
_SHORTEST_MISSPELT = 4
_TWO_SLIPS_FROM = 9

_LINK = (
    r"(?:any|a|an|more|been|be|being|have|had|having|has|got|get|getting|feel|feeling|felt|really|high|bad|signs?|of|the|sort|kind|am|is"
    r"|are"
    r"|such|actual|new|tengo|tiene|tuve|tuvo|tenido|hay|hubo|ha|he|estoy|esta|me|siento|ningun|ninguna|mas|una|un|nada|de|alta|senales)"
)
_NOT = (
    r"(?:no|not|nor|without|never|none|didnt|did not|dont|do not|doesnt|does not|havent|have not|hasnt|isnt|arent|wasnt|werent|im not|aint"
    r"|zero|denies|sin|nunca|ni|tampoco)"
)
_NEGATED = re.compile(rf"(?<![a-z0-9]){_NOT} (?:{_LINK} ){{0,4}}$")
_ALL_WELL = re.compile(r" (?:is |are |was )?(?:fine|ok|okay|normal|good|well)(?![a-z])")
_ALSO_NOT = re.compile(r"^[\s,]*$")
_OR_NOT = re.compile(r"^[\s,]*(?:or|nor|o|ni|u) (?:[a-z]+ ){0,2}$")
_COUNT_BEFORE = re.compile(r"(?<![a-z0-9:/])(?:[0-9]{1,2}|two|three|four|five|dos|tres) (?:(?!had|have|having|got|tuve)[a-z]+ )?$")
_COUNT_AFTER = re.compile(r" (?:x ?)?[0-9]{1,2}(?: times?| veces)?(?![a-z0-9:/])")

Alarm = RedFlag | SelfHarm


def corrected(words: str) -> str:
    """Put misspelt alarm words right, leaving every other word as it is."""
    return " ".join(_correct(word) for word in words.split())


def find_alarms(words: str) -> tuple[tuple[Alarm, ...], str]:
    """Find the alarms in corrected plain words; return them, and the words without them, `~` in the place of each.

    A count beside one is part of it: "3 fits" is never the reply 3.
    """
    found: list[tuple[int, int, Alarm]] = []
    rest = words
    for kind, pattern in ((None, SELF_HARM), *FLAGS):
        for match in list(pattern.finditer(rest)):
            found.append((match.start(), match.end(), SelfHarm() if kind is None else RedFlag(kind)))
            rest = rest[: match.start()] + "~" * (match.end() - match.start()) + rest[match.end() :]
    found.sort(key=lambda each: each[0])
    negated = _negations(words, [(start, end) for start, end, _ in found])
    alarms = tuple(_with_negation(alarm, no) for (_, _, alarm), no in zip(found, negated, strict=True))
    return alarms, _cut_out(words, [(start, end) for start, end, _ in found])


def _with_negation(alarm: Alarm, negated: bool) -> Alarm:  # noqa: FBT001  # a private pair of values, not a switch
    return RedFlag(alarm.kind, negated) if isinstance(alarm, RedFlag) else SelfHarm(negated)


def _negations(words: str, spans: list[tuple[int, int]]) -> list[bool]:
    """Say of each span whether it is negated.

    Only a negation that reaches it over linking words counts: "couldn't stop the seizure" is none. It is carried on by
    "or", "nor" and commas that end in one of them: "no fever, fits or confusion" is three, "no fever, confused" is one.
    """
    negated = [bool(_NEGATED.search(words[:start])) or bool(_ALL_WELL.match(words[end:])) for start, end in spans]
    for first in range(len(spans)):
        if not negated[first]:
            continue
        last = first
        for after in range(first + 1, len(spans)):
            between = words[spans[after - 1][1] : spans[after][0]]
            if _OR_NOT.match(between):
                last = after
            elif not _ALSO_NOT.match(between):
                break
        for index in range(first, last + 1):
            negated[index] = True
    return negated


def _cut_out(words: str, spans: list[tuple[int, int]]) -> str:
    ends = (0, *(end for _, end in spans[:-1]))
    for last, (start, end) in reversed(list(zip(ends, spans, strict=bool(spans)))):
        # What stands before an alarm begins where the one before it ended: "12 seizure seizure. STOP" is a STOP too.
        kept, before, after = words[:last], words[last:start], words[end:]
        before = _COUNT_BEFORE.sub("", _NEGATED.sub("", before))
        before = _COUNT_BEFORE.sub("", before)
        after = _COUNT_AFTER.sub("", after, count=1) if _COUNT_AFTER.match(after) else after
        words = f"{kept}{before} ~ {after}"
    return " ".join(words.split())


def _correct(word: str) -> str:
    if len(word) < _SHORTEST_MISSPELT or word in _EVERYDAY or not word.isalpha():
        return word
    near = [(slips, alarm) for alarm in _ALARM_WORDS if (slips := _slips_of(word, alarm)) is not None]
    return min(near)[1] if near else word


def _slips_of(word: str, alarm: str) -> int | None:
    allowed = 2 if min(len(word), len(alarm)) >= _TWO_SLIPS_FROM else 1
    same_start = word[0] == alarm[0] or word[:2] == alarm[1::-1]
    if not same_start or abs(len(word) - len(alarm)) > allowed:
        return None
    slips = _slips(word, alarm)
    return slips if slips <= allowed else None


def _slips(one: str, other: str) -> int:
    """Count the slips between two words: a letter too many, too few, wrong, or two letters in the wrong order."""
    older: list[int] = []
    old = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        new = [i]
        for j, target in enumerate(other, 1):
            cost = min(old[j] + 1, new[j - 1] + 1, old[j - 1] + (letter != target))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == target:
                cost = min(cost, older[j - 2] + 1)
            new.append(cost)
        older, old = old, new
    return old[-1]
