"""What an on-call phone writes: the end of texts to it, and their beginning. An alert is taken on in the list, and by no text."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reminders.messaging.opting_words import carrier_ended
from reminders.services.records import on_call, people, texts
from reminders.services.records.strangers import SAID_START, SAID_STOP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

ROLE = "on call"


def heard(c: Connection, phones: Iterable[Row], text: Row, *, now: datetime) -> None:
    """Let STOP and START take effect, at each clinic whose on-call phone wrote them. Whatever else it writes has none."""
    if text["reading"] not in {SAID_STOP, SAID_START}:
        return
    for phone in phones:
        texts.read_as(c, text["sid"], reading=text["reading"], understood=True)
        _opt(c, phone, text, out=text["reading"] == SAID_STOP, now=now)


def _opt(c: Connection, phone: Row, text: Row, *, out: bool, now: datetime) -> None:
    changed = people.opt(c, phone["contact_point_id"], out=out, given_by=ROLE, at=text["received_at"], sid=text["sid"])
    if changed and out and not carrier_ended(text["body"], text["to_phone"]):  # else the carrier has told it, and takes no more from us
        on_call.say_last(c, phone["clinic_id"], sid=text["sid"], now=now)
