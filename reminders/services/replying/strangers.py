"""What a number nobody here knows is told: one neutral sentence a day, which is the same whoever is enrolled."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from reminders.messaging.intents import Intent, OptIn, OptOut
from reminders.messaging.replies import parse
from reminders.messaging.texts import ENGLISH, render
from reminders.services.records import strangers
from reminders.services.records.strangers import SAID_START, SAID_STOP

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

TEMPLATE = "unknown_number"
CARRIERS = frozenset({"help", "info"})
"""What the carrier answers by itself, beside the end of texts and their beginning."""

_BY_THE_CARRIER = {"STOP": SAID_STOP, "START": SAID_START}
_A_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")  # ITU-T E.164; what has another shape is a short code or a name, so a machine


def reading_of(body: str, carriers_word: str = "") -> str:
    """Say whether a stranger wants no texts, or wants them again; empty for all else, which is not noted.

    What the carrier took it for comes first: by that it lets our texts through, or does not.
    """
    if carriers_word in _BY_THE_CARRIER:
        return _BY_THE_CARRIER[carriers_word]
    return said({type(intent) for intent in parse(body).intents})


def said(meant: Collection[type[Intent]]) -> str:
    """Say whether what a text was read as ends texts, or takes them up again; empty for neither."""
    return SAID_STOP if OptOut in meant else SAID_START if OptIn in meant else ""


def answer(c: Connection, row: Row, *, new: bool, now: datetime, answered: bool = False) -> str | None:
    """Return the words for a stranger whose text was taken in, or was here before and gets the same words; None for no answer.

    `answered`: the carrier has answered it.
    """
    phone = row["from_phone"]
    if answered:
        return None
    if new:
        ours = _may_be_answered(c, row) and strangers.take_answer(c, phone, sid=row["sid"], now=now)
    else:
        ours = strangers.was_answered(c, phone, sid=row["sid"])
    return render(TEMPLATE, ENGLISH) if ours else None


def _may_be_answered(c: Connection, row: Row) -> bool:
    """No machine is answered, nor what came too late, nor what the carrier answers, nor who said STOP."""
    phone = row["from_phone"]
    from_a_person = _A_PHONE.fullmatch(phone) is not None and phone != row["to_phone"]
    asks_us = not row["reading"] and row["body"].strip().casefold() not in CARRIERS
    return from_a_person and asks_us and not row["polled"] and not strangers.wants_nothing(c, phone)
