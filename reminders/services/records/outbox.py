"""The outbox: a text's way from queued to sent, each step a fenced write. The proof of what was sent lives here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, Integer, Update, bindparam, func, select, update

from db.types import UtcDateTime
from reminders.domain import restraint
from reminders.domain.dose_state import DoseEvent, EventKind
from reminders.messaging.transport import rank_of
from reminders.services.records import doses, people, texts
from reminders.services.records.ledger import (
    CONTACT_POINT,
    DELIVERY_EVENT,
    TEXT_ATTEMPT,
    TEXT_OUT,
    asked,
    insert_all,
    insert_once,
    locked,
    new_id,
    rows,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

Doubt = tuple[str, int, int]
"""A text's id, its attempt, and how often it was looked for."""
LOST = {"undelivered", "failed", "canceled"}
UNDECIDED = ("sending", "unknown")
"""The states in which nobody knows yet what became of a text's last attempt."""
PROVABLE = (*UNDECIDED, "queued", "not_sent", "expired", "cancelled")
"""The states in which a receipt, of any of a text's attempts, still proves that it was sent after all."""

_NOW, _LIMIT = bindparam("now", type_=UtcDateTime), bindparam("limit", type_=Integer)
_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)  # statements made once: to make one costs more than to run it
_HOUR_AGO, _DAY_AGO = bindparam("hour_ago", type_=UtcDateTime), bindparam("day_ago", type_=UtcDateTime)
_BEFORE = TEXT_OUT.alias()
_SENT_BEFORE = (
    select(func.count())
    .where(
        _BEFORE.c.contact_point_id == TEXT_OUT.c.contact_point_id,
        _BEFORE.c.created_at >= _DAY_AGO,
        _BEFORE.c.claimed_at.is_not(None),
        _BEFORE.c.id != TEXT_OUT.c.id,
    )
    .correlate(TEXT_OUT)
)
_WAITING = (
    select(
        TEXT_OUT,
        CONTACT_POINT.c.phone,
        _SENT_BEFORE.where(_BEFORE.c.claimed_at >= _HOUR_AGO).scalar_subquery().label("sent_in_hour"),
        _SENT_BEFORE.scalar_subquery().label("sent_in_day"),
        _SENT_BEFORE.where(_BEFORE.c.body == TEXT_OUT.c.body).scalar_subquery().label("same_words"),
    )
    .join(CONTACT_POINT, (CONTACT_POINT.c.id == TEXT_OUT.c.contact_point_id) & (CONTACT_POINT.c.clinic_id == TEXT_OUT.c.clinic_id))
    .where(TEXT_OUT.c.state == "queued", TEXT_OUT.c.send_at <= _NOW, TEXT_OUT.c.expires_at > _NOW)
    .limit(_LIMIT)
)
_ORDINARY = _WAITING.where(TEXT_OUT.c.urgent.is_(False)).order_by(TEXT_OUT.c.expires_at, TEXT_OUT.c.id)
_URGENT = _WAITING.where(TEXT_OUT.c.urgent.is_(True)).order_by(TEXT_OUT.c.purpose != "emergency", TEXT_OUT.c.expires_at, TEXT_OUT.c.id)
_OVERDUE = select(TEXT_OUT).where(TEXT_OUT.c.state == "queued", TEXT_OUT.c.expires_at <= _NOW).limit(_LIMIT)
_BY_ID = select(TEXT_OUT).where(TEXT_OUT.c.id.in_(_IDS))
_BY_SID = select(TEXT_OUT).where(TEXT_OUT.c.sid == bindparam("sid"))
_OF_TAG = select(TEXT_ATTEMPT.c.text_id).where(TEXT_ATTEMPT.c.tag == bindparam("tag"))
_ATTEMPT = select(TEXT_ATTEMPT.c.attempt).where(TEXT_ATTEMPT.c.tag == bindparam("tag"))
_FIRST_RANK = update(TEXT_OUT).where(TEXT_OUT.c.id.in_(_IDS), TEXT_OUT.c.rank < 0).values(rank=0, status="queued")
_NOTE = (
    update(TEXT_ATTEMPT)
    .where(TEXT_ATTEMPT.c.text_id == bindparam("its_id"), TEXT_ATTEMPT.c.attempt == bindparam("its_attempt"))
    .values(outcome="accepted", sid=bindparam("new_sid"))
)
_RISE = (
    update(TEXT_OUT)
    .where(TEXT_OUT.c.id == bindparam("its_id"), TEXT_OUT.c.rank < bindparam("new_rank"))
    .values(rank=bindparam("new_rank"), status=bindparam("new_status"), error_code=bindparam("new_code"))
)


def waiting(c: Connection, *, now: datetime, limit: int, urgent: bool) -> list[Row]:
    """The next texts in line, nearest expiry first, locked; with each what its phone was sent before.

    sent_in_hour, sent_in_day, same_words: how many texts, and how many with its words in that day.
    """
    query = _URGENT if urgent else _ORDINARY
    if c.dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True, of=TEXT_OUT)
    return asked(c, query, now=now, limit=limit, hour_ago=now - restraint.A_WHILE, day_ago=now - restraint.A_LONG_WHILE)


def claim(c: Connection, found: Sequence[Row], *, now: datetime, lease: timedelta) -> list[Row]:
    """Take texts to be sent: `queued → sending`, attempt + 1, a new tag. Commit before any request."""
    claimed: list[Row] = []
    for row in found:
        taken = {
            "state": "sending",
            "attempt": row["attempt"] + 1,
            "tag": new_id(),
            "claimed_at": now,
            "lease_until": now + lease,
            "looked": 0,
        }
        claimed.append({**row, **taken})
    _write_each(c, claimed, ("state", "attempt", "tag", "claimed_at", "lease_until", "looked"))
    attempts = [
        {"clinic_id": row["clinic_id"], "text_id": row["id"], "attempt": row["attempt"], "tag": row["tag"], "claimed_at": now}
        for row in claimed
    ]
    insert_all(c, TEXT_ATTEMPT, attempts)
    return claimed


def _write_each(c: Connection, changed: Sequence[Row], columns: Sequence[str]) -> None:
    """Write some columns of many texts, each its own values."""
    if changed:
        c.execute(_writing(*columns), [{"its_id": text["id"], **{f"new_{name}": text[name] for name in columns}} for text in changed])


@cache
def _writing(*columns: str) -> Update:
    return update(TEXT_OUT).where(TEXT_OUT.c.id == bindparam("its_id")).values({name: bindparam(f"new_{name}") for name in columns})


def overdue(c: Connection, *, now: datetime, limit: int) -> list[Row]:
    """The queued texts whose time has passed."""
    return asked(c, _OVERDUE, now=now, limit=limit)


def read(c: Connection, text_ids: Iterable[str]) -> dict[str, Row]:
    """Read texts by id."""
    return {row["id"]: row for row in asked(c, _BY_ID, ids=list(text_ids))}


def end(c: Connection, ended: Sequence[Row], state: str, *, why: str, now: datetime) -> None:
    """End texts that will not go out, if this is still their attempt; their doses learn that no text came."""
    ids = [text["id"] for text in ended if fenced(c, text, {"state": state}, states=(text["state"],))]
    if not ids:
        return
    texts.close_questions_of_texts(c, ids, at=now)
    tell_doses(c, {text_id: DoseEvent(EventKind.TEXT_ENDED, now, text=text_id, why=why) for text_id in ids}, now=now)


def hand_back(c: Connection, text: Row) -> bool:
    """Put a claimed text back in the queue, if this is still its attempt: the request was certainly not processed."""
    return fenced(c, text, {"state": "queued"}, states=("sending",))


def fenced(c: Connection, text: Row, values: Mapping[str, Any], *, states: Sequence[str]) -> bool:
    """Write to a text only if it is still in one of these states and this attempt; say whether it was."""
    still = (TEXT_OUT.c.id == text["id"]) & (TEXT_OUT.c.attempt == text["attempt"]) & TEXT_OUT.c.state.in_(states)
    return c.execute(update(TEXT_OUT).where(still).values(dict(values))).rowcount == 1


def note_attempt(c: Connection, text: Row, *, outcome: str, sid: str | None = None) -> None:
    """Keep what came of an attempt as evidence, whatever became of the text."""
    mine = (TEXT_ATTEMPT.c.text_id == text["id"]) & (TEXT_ATTEMPT.c.attempt == text["attempt"])
    known = {} if sid is None else {"sid": sid}  # an id that a receipt brought is not forgotten
    c.execute(update(TEXT_ATTEMPT).where(mine).values(outcome=outcome, **known))


def in_doubt(c: Connection, *, now: datetime, settle: timedelta, limit: int) -> list[Row]:
    """The texts whose sending is in doubt and has had time to settle, oldest first."""
    settled = (TEXT_OUT.c.state == "unknown") & (TEXT_OUT.c.lease_until <= now - settle)
    query = (
        select(TEXT_OUT, CONTACT_POINT.c.phone)
        .join(CONTACT_POINT, (CONTACT_POINT.c.id == TEXT_OUT.c.contact_point_id) & (CONTACT_POINT.c.clinic_id == TEXT_OUT.c.clinic_id))
        .where(settled)
        .order_by(TEXT_OUT.c.claimed_at)
        .limit(limit)
    )
    return rows(c, query)


def standing_doubts(c: Connection) -> list[Doubt]:
    """Every doubt that stands, settled or not."""
    return [
        doubt_of(row) for row in rows(c, select(TEXT_OUT.c.id, TEXT_OUT.c.attempt, TEXT_OUT.c.looked).where(TEXT_OUT.c.state == "unknown"))
    ]


def doubt_of(text: Row) -> Doubt:
    """The doubt in which a text stands: another attempt, or another look, is another doubt."""
    return text["id"], text["attempt"], text["looked"]


def doubt(c: Connection, *, now: datetime) -> int:
    """Put into doubt every text whose lease is over and whose sender never came back."""
    late = (TEXT_OUT.c.state == "sending") & (TEXT_OUT.c.lease_until <= now)
    return c.execute(update(TEXT_OUT).where(late).values(state="unknown", looked=0)).rowcount


def owned(c: Connection, sids: Iterable[str]) -> set[str]:
    """Of these carrier's ids, the ones some text or attempt of ours owns already."""
    wanted = list(sids)
    mine = set(c.scalars(select(TEXT_OUT.c.sid).where(TEXT_OUT.c.sid.in_(wanted))))
    return mine | set(c.scalars(select(TEXT_ATTEMPT.c.sid).where(TEXT_ATTEMPT.c.sid.in_(wanted))))


def found(c: Connection, text: Row, *, sid: str, now: datetime) -> bool:
    """Record that the carrier's list shows a text in doubt. False if another attempt has begun meanwhile.

    Then nothing is kept: words prove that the text was sent, but not by which attempt, and an id noted at the wrong one
    would be no proof any more for the right one.
    """
    standing = asked(c, locked(c, _BY_ID), ids=[text["id"]])
    if not standing or standing[0]["attempt"] != text["attempt"] or standing[0]["state"] not in UNDECIDED:
        return False
    accepted_all(c, [(text, sid)], now=now)
    return True


def accepted_all(c: Connection, sent: Sequence[tuple[Row, str]], *, now: datetime) -> list[Row]:
    """Record what the carrier has, many texts at once; return those that it had taken already, under another id.

    The answer may have been long on its way: a text that waits again, is tried again or was given up meanwhile was sent all the same.
    """
    standing = {row["id"]: row for row in asked(c, locked(c, _BY_ID), ids=[text["id"] for text, _ in sent])}
    late = [(standing[text["id"]], sid) for text, sid in sent if not _is_on_its_way(standing[text["id"]], text)]
    won = [{**text, "state": "accepted", "sid": sid, "sent_at": now} for text, sid in sent if _is_on_its_way(standing[text["id"]], text)]
    _write_each(c, won, ("state", "sid", "sent_at"))
    _note_accepted(c, sent)
    ids = [text["id"] for text in won]
    c.execute(_FIRST_RANK, {"ids": ids})
    tell_doses(c, {text_id: DoseEvent(EventKind.TEXT_ACCEPTED, now, text=text_id) for text_id in ids}, now=now)
    for text, sid in late:
        proved(c, text, sid=sid, now=now)
    return [text for text, sid in late if text["sid"] not in {None, sid}]


def _is_on_its_way(standing: Row, text: Row) -> bool:
    return standing["attempt"] == text["attempt"] and standing["state"] in UNDECIDED


def _note_accepted(c: Connection, sent: Sequence[tuple[Row, str]]) -> None:
    if sent:
        c.execute(_NOTE, [{"its_id": text["id"], "its_attempt": text["attempt"], "new_sid": sid} for text, sid in sent])


def keep_receipt(c: Connection, receipt: Row) -> bool:
    """Keep a carrier's receipt, once for each (sid, status) for ever; False if it is there already."""
    return insert_once(c, DELIVERY_EVENT, receipt)


def by_receipt(c: Connection, *, sid: str, tag: str | None) -> Row | None:
    """Find the text a receipt is about: by the tag of any of its attempts, else by the carrier's id."""
    text_id = c.scalar(_OF_TAG, {"tag": tag}) if tag else None
    found = asked(c, _BY_ID, ids=[text_id]) if text_id else asked(c, _BY_SID, sid=sid)
    return found[0] if found else None


def hold(c: Connection, text: Row) -> Row:
    """Lock a text and read it as it now is. Its patient is locked before it: so does everybody who touches both."""
    people.lock(c, [text["patient_id"]] if text["patient_id"] else [])
    return asked(c, locked(c, _BY_ID), ids=[text["id"]])[0]


def withdraw_resend(c: Connection, text: Row, *, now: datetime) -> None:
    """Take back the second try at a reminder that has arrived after all."""
    again = (TEXT_OUT.c.cause == text["cause"]) & (TEXT_OUT.c.kind == "resend") & (TEXT_OUT.c.state == "queued")
    query = select(TEXT_OUT).where(TEXT_OUT.c.clinic_id == text["clinic_id"], again)
    end(c, rows(c, query), "cancelled", why="delivered", now=now)


def failed_before(c: Connection, text: Row, code: int) -> bool:
    """Whether the text before this one to the same number failed with the same code."""
    same_number = (TEXT_OUT.c.clinic_id == text["clinic_id"]) & (TEXT_OUT.c.contact_point_id == text["contact_point_id"])
    before = same_number & (TEXT_OUT.c.id != text["id"]) & (TEXT_OUT.c.created_at <= text["created_at"]) & (TEXT_OUT.c.attempt > 0)
    query = select(TEXT_OUT.c.error_code).where(before).order_by(TEXT_OUT.c.created_at.desc(), TEXT_OUT.c.id).limit(1)
    return c.scalar(query) == code


def count_failed(c: Connection, codes: Iterable[int], *, since: datetime) -> int:
    """How many of the texts sent since an instant, or refused since, failed with one of these codes."""
    refused = (TEXT_OUT.c.state == "failed") & TEXT_OUT.c.sent_at.is_(None) & (TEXT_OUT.c.claimed_at >= since)
    query = select(func.count()).where((TEXT_OUT.c.sent_at >= since) | refused, TEXT_OUT.c.error_code.in_(list(codes)))
    return int(c.scalar(query) or 0)


def newest_loss(c: Connection) -> int | None:
    """The code with which the newest text was lost of which the carrier has said what became of it; None if it came through."""
    known = TEXT_OUT.c.sent_at.is_not(None) & (TEXT_OUT.c.rank >= rank_of("sent"))
    code: int | None = c.scalar(select(TEXT_OUT.c.error_code).where(known).order_by(TEXT_OUT.c.sent_at.desc(), TEXT_OUT.c.id).limit(1))
    return code


def attempt_of(c: Connection, tag: str) -> int | None:
    """Which attempt of its text a tag belongs to."""
    attempt: int | None = c.scalar(_ATTEMPT, {"tag": tag})
    return attempt


def raise_rank(c: Connection, text: Row, *, rank: int, status: str, error_code: int | None) -> bool:
    """Let a text's status rise, never fall; say whether it did."""
    values = {"its_id": text["id"], "new_rank": rank, "new_status": status, "new_code": error_code}
    return c.execute(_RISE, values).rowcount == 1


def tell_doses(c: Connection, facts: Mapping[str, DoseEvent], *, now: datetime) -> None:
    """Let the doses that texts announce learn a fact about their text. Their patients must be locked: a reply may be at them too.

    A correction or a nudge that was sent is no announcement: the dose may never have had one.
    """
    by_dose: dict[str, list[DoseEvent]] = {}
    for text_id, dose_ids in doses.announced_by(c, facts).items():
        for dose_id in dose_ids:
            by_dose.setdefault(dose_id, []).append(facts[text_id])
    doses.learn(c, by_dose, now=now)


def proved(c: Connection, text: Row, *, sid: str, now: datetime) -> None:
    """Record what a receipt, or a late answer, proves of a text that was still being sent, in doubt, back in the queue, or given up."""
    values = {"state": "accepted", "sid": sid, "sent_at": now}
    if fenced(c, text, values, states=PROVABLE):
        tell_doses(c, {text["id"]: DoseEvent(EventKind.TEXT_ACCEPTED, now, text=text["id"])}, now=now)


def any_in_flight(c: Connection) -> bool:
    """Whether any text is being sent, or in doubt."""
    return c.execute(select(TEXT_OUT.c.id).where(TEXT_OUT.c.state.in_(UNDECIDED)).limit(1)).first() is not None
