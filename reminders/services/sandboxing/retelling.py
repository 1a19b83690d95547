"""Retelling: what was played in the sandbox as a story file, with plain words for what such a file cannot say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from db.engine import reading
from reminders.formats.story_file import TextIn, write_event, written_at
from reminders.services.records import sandbox_stories as stories
from reminders.services.records import sandboxes
from reminders.services.records.sandboxes import Kept

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

SHOWN = 5
"""How many differences are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class Retold:
    """A story file's values, or None where none can be told; `lacking`: what it cannot say, in words."""

    story: Mapping[str, Any] | None
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """How a story that was played again stands to what it was told of: how many texts and doses, and what differs, in words."""

    texts: int
    doses: int
    differences: tuple[str, ...] = ()


def retell(engine: Engine, clinic_id: str, *, now: datetime) -> Retold:
    """Tell what happened at a clinic up to now as a story file."""
    with reading(engine) as c:
        began = sandboxes.beginning(c, clinic_id)
        if began is not None:
            return _told(c, clinic_id, *began, now=now)
        start = stories.everybody_was_there(c, clinic_id)
        if start is None:
            return Retold(None, ("there is no plan yet: nothing has happened that could be told",))
        if before := stories.doses_before(c, clinic_id, start):
            words = f"the last patient or plan came at {start:%d %b %H:%M} UTC, when {before} doses had fallen due already"
            return Retold(None, (f"{words}: a story enrols everybody at its start",))
        enrolment, lacking = stories.import_of(c, clinic_id)
        found = _told(c, clinic_id, {"start": written_at(start), "import": enrolment, "events": []}, start, now=now)
        return Retold(found.story, (*lacking, *found.lacking))


def compare(here: Engine, again: Engine, clinic_id: str, *, since: datetime, until: datetime) -> Compared:
    """Hold a ledger against one in which its story was played again: the texts that left, and the state of each dose."""
    both = []
    for engine in (here, again):
        with reading(engine) as c:
            texts = stories.texts_between(c, clinic_id, since=since, until=until)
            both.append((texts, stories.doses_between(c, clinic_id, since=since, until=until)))
    (texts, doses), (texts_again, doses_again) = both
    found = [*_text_differences(texts, texts_again), *_dose_differences(doses, doses_again)]
    rest = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return Compared(texts.total(), len(doses), (*found[:SHOWN], *rest))


def _told(c: Connection, clinic_id: str, story: Mapping[str, Any], since: datetime, *, now: datetime) -> Retold:
    heard = stories.texts_in(c, clinic_id, since=since)
    known = {row["sid"] for row in heard}
    kept = [one for one in sandboxes.kept(c, clinic_id) if one.at >= since and one.sid not in known]
    told = [*(Kept(row["received_at"], write_event(TextIn(row["received_at"], row["from_phone"], row["body"]))) for row in heard), *kept]
    events = [*story["events"], *(one.event for one in sorted(told, key=lambda one: one.at))]
    instants = [*(one.at for one in told), *(row["recorded_at"] for row in heard)]
    left_out = stories.untold(c, clinic_id, since=since, told=instants)
    whole = {"$schema": "doseline:story:1", **story, "events": events, "until": written_at(now)}
    return Retold(whole, tuple(_in_words(left_out)))


def _in_words(left_out: Counter[str]) -> Iterable[str]:
    return (f"{action}{f' ({count} times)' if count > 1 else ''}" for action, count in sorted(left_out.items()))


def _text_differences(texts: Counter[tuple[datetime, str, str]], again: Counter[tuple[datetime, str, str]]) -> Sequence[str]:
    only = [(text, "only here") for text in (texts - again)] + [(text, "only when played again") for text in (again - texts)]
    return [f"{at:%d %b %H:%M} UTC, {where}: {body}" for (at, _, body), where in sorted(only)]


def _dose_differences(doses: Mapping[tuple[str, str, int], str], again: Mapping[tuple[str, str, int], str]) -> Sequence[str]:
    differing = sorted(key for key in doses.keys() | again.keys() if doses.get(key) != again.get(key))
    return [
        f"dose {no} of {day}, {plan}: {doses.get(key := (plan, day, no), 'none')} here, {again.get(key, 'none')} when played again"
        for plan, day, no in differing
    ]
