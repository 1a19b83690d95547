"""How the things that one text says about doses fit together; what contradicts itself says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import time
from typing import TypeVar

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
    PartOfDay,
    SomeTaken,
    Taken,
    TookBoth,
    Yes,
)

Statement = Taken | NotTaken | LateQuestion
Naming = tuple[str | None, time | None, time | None, PartOfDay | None, DayWord | None]
UNNAMED: Naming = (None, None, None, None, None)


def naming_of(intent: Statement | Named) -> Naming:
    """Return by what a statement names its dose: label, time, the time's other reading, part of the day, day."""
    return (intent.label, intent.due, intent.or_due, intent.part, intent.day)


def combined(said: Sequence[Intent]) -> tuple[Intent, ...] | None:
    """Fit together what the sentences of one text say about doses; None if it contradicts itself.

    "Missed my 8am. Took it at 10" is one dose, taken late; answered as a question it would bring "take it now".
    """
    meant = list(dict.fromkeys(said))
    for step in (_without_yes_no, _without_quantities, _with_loose_names, _with_asked, _with_late, _with_late_taken, _one_taken):
        stepped = step(meant)
        if stepped is None:
            return None
        meant = stepped
    return None if _contradicts(meant) else tuple(dict.fromkeys(meant))


Kind = TypeVar("Kind")


def _of(said: Sequence[Intent], kind: type[Kind]) -> list[Kind]:
    return [intent for intent in said if isinstance(intent, kind)]


def _has(said: Sequence[Intent], *kinds: type[Intent]) -> bool:
    return any(isinstance(intent, kinds) for intent in said)


def _statements(said: Sequence[Intent]) -> list[Statement]:
    return [intent for intent in said if isinstance(intent, Taken | NotTaken | LateQuestion)]


def _late(said: Sequence[Intent], *, asked: bool) -> list[LateQuestion]:
    return [intent for intent in _of(said, LateQuestion) if intent.asked == asked]


def _left(said: Sequence[Intent]) -> list[NotTaken]:
    return [intent for intent in _of(said, NotTaken) if not intent.all]


def _names(statements: Iterable[Statement]) -> set[Naming]:
    return {naming_of(intent) for intent in statements} - {UNNAMED}


def _named_as(intent: Statement, naming: Naming) -> Statement:
    label, due, or_due, part, day = naming
    if isinstance(intent, LateQuestion):
        return replace(intent, label=label, at=due, or_at=or_due, part=part, day=day)
    return replace(intent, label=label, due=due, or_due=or_due, part=part, day=day)


def _without_yes_no(said: list[Intent]) -> list[Intent] | None:
    """Drop a yes or no that another word already says. "Yes, late" and "no, took it" can mean two things, and mean nothing here."""
    yes, no = Yes() in said, No() in said
    rest: list[Intent] = [intent for intent in said if not isinstance(intent, Yes | No)]
    if (yes and (no or _late(rest, asked=False))) or (no and _has(rest, Taken, TookBoth)) or ((yes or no) and _has(rest, Named, Label)):
        return None
    return rest if any(not isinstance(intent, Digit) for intent in rest) else said


def _without_quantities(said: list[Intent]) -> list[Intent] | None:
    """Let "some" speak for the statements beside it that name no dose; "none" beside "taken" is a contradiction."""
    if _has(said, NoneOfThem) and _has(said, Taken, TookBoth, SomeTaken):
        return None
    if _has(said, SomeTaken):
        bare = [intent for intent in _statements(said) if naming_of(intent) == UNNAMED]
        return [intent for intent in said if intent not in bare]
    return [intent for intent in said if not (isinstance(intent, NoneOfThem) and _has(said, NotTaken))]


def _with_loose_names(said: list[Intent]) -> list[Intent] | None:
    """Give a time or a label that stands alone to the one statement that names no dose: "took it. A"."""
    loose = [intent for intent in said if isinstance(intent, Named | Label)]
    statements = _statements(said)
    if not loose or not statements:
        return said
    if len(loose) > 1 or len(statements) > 1 or naming_of(statements[0]) != UNNAMED:
        return None
    name = loose[0]
    naming = naming_of(name) if isinstance(name, Named) else (name.letter, None, None, None, None)
    return [_named_as(statements[0], naming) if intent is statements[0] else intent for intent in said if intent is not name]


def _with_asked(said: list[Intent]) -> list[Intent] | None:
    """Let a question that names no dose be about the dose that was said to be late: "missed my 8am, can I take it?"."""
    if not _late(said, asked=True):
        return said
    about: list[Statement] = [*_of(said, LateQuestion), *_left(said)]
    kept = [intent for intent in said if intent not in about]
    names = sorted(_names(about), key=str) or [UNNAMED]
    return [*kept, *(_named_as(LateQuestion(asked=True), naming) for naming in names)]


def _with_late(said: list[Intent]) -> list[Intent] | None:
    """Let "didn't take it, forgot" be one thing: a dose that is late."""
    late, left = _late(said, asked=False), _left(said)
    names = _names(late) | _names(left)
    if not late or not left or len(names) > 1:
        return said
    kept = [intent for intent in said if intent not in late and intent not in left]
    return [*kept, _named_as(LateQuestion(), next(iter(names), UNNAMED))]


def _with_late_taken(said: list[Intent]) -> list[Intent] | None:
    """Let "missed my 8am, took it at 10" be a dose taken late, and no question."""
    late, taken = _late(said, asked=False), _of(said, Taken)
    if not late or not taken:
        return said
    taken_names = {naming_of(intent) for intent in taken}
    open_late = [intent for intent in late if naming_of(intent) not in taken_names and naming_of(intent) != UNNAMED]
    kept = [intent for intent in said if intent not in late]
    if UNNAMED not in taken_names:
        return [*kept, *open_late]
    if len(taken) > 1 or len(open_late) > 1:
        return None
    if not open_late:
        return kept
    return [_named_as(taken[0], naming_of(open_late[0])) if intent is taken[0] else intent for intent in kept]


def _one_taken(said: list[Intent]) -> list[Intent] | None:
    """Let the sentences about one dose taken be one: "took it. At 8"; two times for it are a contradiction."""
    by_name: dict[Naming, list[Taken]] = {}
    for taken in _of(said, Taken):
        by_name.setdefault(naming_of(taken), []).append(taken)
    if any(len({(t.at, t.or_at, t.ago) for t in each if t.at or t.ago}) > 1 for each in by_name.values()):
        return None
    merged = {naming: _merge(each) for naming, each in by_name.items()}
    if UNNAMED in merged and len(merged) > 1:
        return None
    return [merged[naming_of(intent)] if isinstance(intent, Taken) else intent for intent in said]


def _merge(taken: Sequence[Taken]) -> Taken:
    timed = next((each for each in taken if each.at or each.ago), taken[0])
    return replace(timed, now=any(each.now for each in taken), all=any(each.all for each in taken))


def _contradicts(said: Sequence[Intent]) -> bool:
    """Say whether one dose is both taken and not taken, as far as the names tell."""
    taken, left = _of(said, Taken), _of(said, NotTaken)
    if not taken or not left:
        return bool(left) and _has(said, OnTime, TookBoth)
    names = [*map(naming_of, taken), *map(naming_of, left)]
    return UNNAMED in names or len(set(names)) < len(names)
