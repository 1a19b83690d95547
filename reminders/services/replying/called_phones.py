"""What an on-call phone writes: the end of texts to it, and their beginning. An alert is taken on in the list, and by no text."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reminders.messaging.opting_words import carrier_ended
from reminders.messaging.replies import is_restart
from reminders.services.records import on_call, people, texts
from reminders.services.records.strangers import SAID_START, SAID_STOP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

ROLE = "on call"


def heard(c: Connection, phones: Iterable[Row], text: Row, *, said: str, carriers_word: str, now: datetime) -> None:
    """Let STOP and START take effect, at each clinic whose on-call phone wrote them. Whatever else it writes has none.

    `said` is what the text was read as: where its number is a patient's or a caregiver's too, as it was read beside what they were asked.
    """
    for phone in phones:
        again = is_restart(text["body"]) and people.opted_out(c, phone["contact_point_id"])
        meant = said or (SAID_START if again else "")
        if meant:
            _note(c, phone, text, meant)
            _opt(c, phone, text, out=meant == SAID_STOP, by_carrier=bool(carriers_word), now=now)


def _note(c: Connection, phone: Row, text: Row, meant: str) -> None:
    """Note what the text was read as, unless it was read for somebody else behind the number."""
    if text["contact_point_id"] == phone["contact_point_id"]:
        texts.read_as(c, text["sid"], reading=meant, understood=True)


def _opt(c: Connection, phone: Row, text: Row, *, out: bool, by_carrier: bool, now: datetime) -> None:
    if not out and not by_carrier and people.is_held(c, phone["contact_point_id"], text["sid"]):
        return  # the carrier lets nothing through: the trouble that the phone is silent stands
    at, sid = text["received_at"], text["sid"]
    changed = people.opt(c, phone["contact_point_id"], out=out, given_by=ROLE, at=at, sid=sid, by_carrier=by_carrier)
    if (
        changed and out and not by_carrier and not carrier_ended(text["body"], text["to_phone"])
    ):  # else the carrier has told it, and takes no more from us
        on_call.say_last(c, phone["clinic_id"], sid=text["sid"], now=now)
