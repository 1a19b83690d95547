"""A code that comes back by text from the number that it proves: from nobody but who holds the phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reminders.domain.proving import Proof, code_in
from reminders.services.records import proving, texts

if TYPE_CHECKING:
    from reminders.services.replying.talk import Talk

READINGS = {Proof.PROVED: "CodeSaid", Proof.WRONG: "WrongCode", Proof.USED_UP: "WrongCode", Proof.TOO_LATE: "LateCode"}


def heard(talk: Talk, body: str) -> bool:
    """Take a text that is a code and nothing else, while one waits for this number; say whether it was one.

    One that is wrong or late changes nothing and is not answered: the number may be anybody's. The clinic sees it beside the number.
    """
    code = code_in(body)
    waiting = proving.waits_at(talk.c, talk.contact_point_id, code) if code else []
    found = [
        proof
        for one in talk.everyone
        if code and one.patient.id in waiting and (line := talk.line(one.patient)) is not None
        if (proof := proving.said(talk.c, one.patient, line, code, at=talk.at, by=talk.by(one), now=talk.now)) is not None
    ]
    if not found:
        return False
    best = min(found, key=list(READINGS).index)
    texts.read_as(talk.c, talk.sid, reading=READINGS[best], understood=best is Proof.PROVED)
    return True
