"""What the marks of a sentence mean together: which verb each time, label and "all" belongs to, and what does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import time
from typing import TypeVar

from reminders.messaging.dose_words import Word
from reminders.messaging.intents import (
    DayWord,
    Digit,
    Intent,
    Label,
    LateQuestion,
    Named,
    No,
    NoneOfThem,
    NotTaken,
    OnTime,
    OtherReason,
    PartOfDay,
    SomeTaken,
    Taken,
    TookBoth,
    Yes,
)
from reminders.messaging.time_words import Ago, Clock, Role, TimeMark


@dataclass(frozen=True, slots=True)
class Letter:
    """A label of one letter, upper case."""

    letter: str


@dataclass(frozen=True, slots=True)
class Number:
    """A digit, or a number word below ten."""

    n: int


Mark = Word | TimeMark | Letter | Number

VERBS = frozenset((Word.ASK, Word.NOT, Word.WILL, Word.SKIP, Word.MISS, Word.TAKE, Word.TAKING))
_SINGLE: dict[Word, Intent] = {
    Word.YES: Yes(),
    Word.NO: No(),
    Word.SOME: SomeTaken(),
    Word.NONE: NoneOfThem(),
    Word.BOTH: TookBoth(),
    Word.ON_TIME: OnTime(),
    Word.OTHER: OtherReason(),
    Word.ALL: Taken(all=True),
    Word.JUST_NOW: Taken(now=True),
    Word.LATE: LateQuestion(),
}
_HOW_MANY = frozenset((Word.ALL, Word.SOME, Word.NONE, Word.BOTH, Word.OTHER, Word.LATE))


@dataclass(frozen=True, slots=True)
class _Naming:
    """One dose, as far as a sentence names it."""

    due: Clock | None = None
    label: str | None = None
    part: PartOfDay | None = None
    day: DayWord | None = None


@dataclass(frozen=True, slots=True)
class _Group:
    """One verb and what belongs to it."""

    verb: Word
    marks: Sequence[Mark]

    def has(self, *words: Word) -> bool:
        return any(word in self.marks for word in words)


def meaning_of(marks: Sequence[Mark]) -> tuple[Intent, ...] | None:
    """Say what the marks of a sentence mean: empty for no marks, None if they do not fit together."""
    if any(isinstance(mark, Number) for mark in marks[1:]) and any(not isinstance(mark, Word | Number) for mark in marks):
        return None
    loose = [mark for mark in marks if isinstance(mark, Number) or mark is Word.YES or mark is Word.NO]
    bound = [mark for mark in marks if mark not in loose]
    said = _with_verbs(bound) if any(mark in VERBS for mark in bound) else _without_verb(bound)
    if said is None:
        return None
    return (*(Digit(mark.n) if isinstance(mark, Number) else _SINGLE[mark] for mark in loose), *said)


def _with_verbs(marks: Sequence[Mark]) -> list[Intent] | None:
    said: list[Intent] = []
    for group in _groups(marks):
        meant = _meant(group)
        if meant is None:
            return None
        said += meant
    return said


def _groups(marks: Sequence[Mark]) -> list[_Group]:
    """Give each verb its words. They follow it, unless the sentence begins with some of them: "A taken, B skipped"."""
    verbs = [(here, mark) for here, mark in enumerate(marks) if isinstance(mark, Word) and mark in VERBS]
    places = [here for here, _ in verbs]
    if places[0] == 0:
        ends = [*places[1:], len(marks)]
        return [_Group(verb, marks[here + 1 : end]) for (here, verb), end in zip(verbs, ends, strict=True)]
    starts = [0, *(here + 1 for here in places[:-1])]
    groups = [_Group(verb, marks[start:here]) for (here, verb), start in zip(verbs, starts, strict=True)]
    rest = marks[places[-1] + 1 :]
    return [*groups[:-1], replace(groups[-1], marks=[*groups[-1].marks, *rest])]


# --- one verb -------------------------------------------------------------------------------------------------------------------


def _meant(group: _Group) -> list[Intent] | None:
    if group.has(Word.OTHER):
        return None
    match group.verb:
        case Word.ASK:
            return _asked(group)
        case Word.TAKE | Word.TAKING:
            return _took(group)
        case Word.MISS:
            return _missed(group)
        case Word.WILL:
            return _left(_Group(Word.NOT, [mark for mark in group.marks if not _is_when(mark)]))
        case _:
            return _left(group)


def _asked(group: _Group) -> list[Intent] | None:
    namings = _namings([mark for mark in group.marks if not _is_when(mark)])
    return None if namings is None else [_late(naming, asked=True) for naming in namings]


def _missed(group: _Group) -> list[Intent] | None:
    if group.has(Word.NONE, Word.ON_TIME):
        return None
    if group.has(Word.SOME):
        return [SomeTaken()]
    if group.has(Word.ALL, Word.BOTH):
        return [NotTaken(all=True)]
    namings = _namings(group.marks)
    return None if namings is None else [_late(naming) for naming in namings]


def _left(group: _Group) -> list[Intent] | None:
    """Read "not taken" and "skipped". "Did not take all" is some; "did not take both" may be one or none."""
    negated = group.verb is Word.NOT
    if group.has(Word.SOME) or (negated and group.has(Word.ALL)):
        return [SomeTaken()]
    if (negated and group.has(Word.BOTH, Word.ON_TIME)) or (not negated and group.has(Word.NONE)):
        return None
    if group.has(Word.ALL, Word.BOTH, Word.NONE):
        return [NotTaken(all=True)]
    namings = _namings(group.marks)
    return None if namings is None else [_not_taken(naming) for naming in namings]


def _took(group: _Group) -> list[Intent] | None:
    if group.verb is Word.TAKING and group.has(Word.LATE):
        return None
    if group.has(Word.SOME):
        return [SomeTaken()]
    if group.has(Word.NONE):
        return [NotTaken(all=True)]
    if group.has(Word.BOTH) and not _of(group.marks, Letter):
        return [TookBoth()]
    taken = _taken(group.marks, now=group.verb is Word.TAKING or group.has(Word.NOW, Word.JUST_NOW))
    if taken is None or not group.has(Word.ALL):
        return taken if taken is None or not group.has(Word.ON_TIME) else [*taken, OnTime()]
    return [replace(each, all=True) for each in taken if isinstance(each, Taken)] if len(taken) == 1 else None


def _without_verb(marks: Sequence[Mark]) -> list[Intent] | None:
    """Read words with no verb: "all", "just now", "at 8:15", "A and B", "Wed 8:00 am"."""
    said: list[Intent] = [_SINGLE[mark] for mark in marks if isinstance(mark, Word) and mark in _SINGLE]
    named = _named_alone([mark for mark in marks if not isinstance(mark, Word)])
    if named is None:
        return None
    if any(mark in _HOW_MANY for mark in marks):
        return said if named in ([], [Named(day=DayWord.TODAY)]) else None
    meant = [*said, *named]
    return meant if meant or not marks else None


def _named_alone(marks: Sequence[Mark]) -> list[Intent] | None:
    if any(_is_when(mark) for mark in marks):
        return _taken(marks, now=False)
    namings = _namings(marks)
    if namings is None or namings == [_Naming()]:
        return None if namings is None else []
    if namings[0].label is None:
        return [_named(naming) for naming in namings]
    bare = all(naming == _Naming(label=naming.label) for naming in namings)
    return [Label(naming.label) for naming in namings if naming.label] if bare else None


# --- which dose, and when ---------------------------------------------------------------------------------------------------------


def _is_when(mark: Mark) -> bool:
    return isinstance(mark, Ago) or (isinstance(mark, Clock) and mark.role is Role.WHEN)


def _taken(marks: Sequence[Mark], *, now: bool) -> list[Intent] | None:
    """Read "took" with its times: at most one says when, the others say which."""
    whens = [mark for mark in marks if _is_when(mark)]
    namings = _namings([mark for mark in marks if not _is_when(mark)])
    if namings is None or len(whens) > 1:
        return None
    when = whens[0] if whens else None
    at, or_at = _two_times(when if isinstance(when, Clock) else None)
    ago = when.ago if isinstance(when, Ago) else None
    return [_taken_one(naming, Taken(at=at, or_at=or_at, now=now, ago=ago)) for naming in namings]


def _two_times(clock: Clock | None) -> tuple[time | None, time | None]:
    return (clock.at, clock.or_at) if clock else (None, None)


def _taken_one(naming: _Naming, taken: Taken) -> Taken:
    due, or_due = _two_times(naming.due)
    return replace(taken, label=naming.label, due=due, or_due=or_due, part=naming.part, day=naming.day)


def _not_taken(naming: _Naming) -> NotTaken:
    due, or_due = _two_times(naming.due)
    return NotTaken(label=naming.label, due=due, or_due=or_due, part=naming.part, day=naming.day)


def _late(naming: _Naming, *, asked: bool = False) -> LateQuestion:
    due, or_due = _two_times(naming.due)
    return LateQuestion(due, naming.label, or_due, naming.part, naming.day, asked)


def _named(naming: _Naming) -> Named:
    due, or_due = _two_times(naming.due)
    return Named(due, or_due, naming.part, naming.day)


Kind = TypeVar("Kind")


def _of(marks: Iterable[Mark], kind: type[Kind]) -> list[Kind]:
    return list(dict.fromkeys(mark for mark in marks if isinstance(mark, kind)))


def _namings(marks: Sequence[Mark]) -> list[_Naming] | None:
    """Say which doses are named, one `_Naming` each; one empty naming if none is. None if it cannot be told what goes together."""
    labels, clocks = _of(marks, Letter), _of(marks, Clock)
    parts, days = _of(marks, PartOfDay), _of(marks, DayWord)
    several = [listed for listed in (labels, clocks, parts, days) if len(listed) > 1]
    if len(several) > 1 or any(isinstance(mark, Ago) for mark in marks):
        return None
    count = len(several[0]) if several else 1
    return [
        _Naming(_nth(clocks, n), letter.letter if (letter := _nth(labels, n)) else None, _nth(parts, n), _nth(days, n))
        for n in range(count)
    ]


def _nth(listed: Sequence[Kind], n: int) -> Kind | None:
    """Return the n-th of several, the only one for every n, or None."""
    return None if not listed else listed[n] if len(listed) > 1 else listed[0]
