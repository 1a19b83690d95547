"""A quarantine from its beginning to its end: begun by a restore or a start, reconciled by reliving its gap, ended by a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.errors import NotAllowed
from reminders.services.quarantining.finding import UNEXPLAINED
from reminders.services.records import evidence, outbox, people, quarantines, senders, watermarks
from reminders.services.records.evidence import CLOCKS_DIFFER
from reminders.services.records.ledger import earliest

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from reminders.messaging.transport import ReceivedText, SentText
    from reminders.services.records.ledger import Row

TURN = timedelta(minutes=2)
"""How long whoever relives a gap has the turn; it is taken again on the way."""


class Elsewhere(NotAllowed):
    """Another process is reliving the gap: wait for it, or look again in two minutes."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A quarantine as it stands.

    since        the start of the gap; `began_at` is its end, and the start of the quarantine.
    found        texts of the carrier's list that were found to be ours; `heard` those of its other list that we had not heard.
    unexplained  the carrier's texts that the ledger, brought up to date, still lacks.
    waiting      texts that would leave if it were ended now, by purpose.
    """

    id: str
    _: KW_ONLY
    why: str
    since: datetime
    began_at: datetime
    reconciled_at: datetime | None
    found: int
    heard: int
    unexplained: int
    waiting: Mapping[str, int] = field(default_factory=dict)


def begin(engine: Engine, why: str, *, now: datetime, since: datetime | None = None) -> Quarantine:
    """Begin a quarantine, or let the one that stands go on. The gap starts when the ledger last was worked on, unless told."""
    with writing(engine) as c:
        quarantines.begin(c, why=why, since=since or evidence.gap_start(c, now=now), now=now)
        return _standing(c, now=now)[0]


def standing(engine: Engine, *, now: datetime) -> Quarantine | None:
    """The quarantine that stands, if one does."""
    with reading(engine) as c:
        return next(iter(_standing(c, now=now)), None)


def is_held(engine: Engine) -> bool:
    """Whether nothing may be decided either: a quarantine stands whose gap is not yet relived. Its time stands still until then."""
    with reading(engine) as c:
        return quarantines.is_unreconciled(c)


def settled_at(engine: Engine, quarantine: Quarantine, *, settle: timedelta, lag: timedelta) -> datetime:
    """When no request of before the quarantine can be alive any more, and the carrier's list shows all of them."""
    with reading(engine) as c:
        leases: list[datetime] = [text["lease_until"] + settle for text in evidence.in_flight(c)]
    return max([quarantine.began_at + lag, *leases])


def carriers(engine: Engine) -> set[str]:
    """The carriers that ever took a text of this ledger's: only their lists prove anything."""
    with reading(engine) as c:
        return senders.that_took(c)


def unheard(engine: Engine, received: Iterable[ReceivedText]) -> list[ReceivedText]:
    """The texts that the carrier says reached us and were not taken in, the oldest first."""
    listed = sorted(received, key=lambda text: text.received_at)  # of one instant, as the carrier has them
    with reading(engine) as c:
        known = watermarks.known(c, [text.sid for text in listed])
    return [text for text in listed if text.sid not in known]


def listen_since(engine: Engine, quarantine: Quarantine) -> datetime:
    """Since when patients may not have been heard: not later than the gap began, and earlier if we had been deaf before."""
    with reading(engine) as c:
        mark = watermarks.read(c, watermarks.INBOUND, now=quarantine.began_at)
    return earliest(quarantine.since, mark.at) or quarantine.since


def wake(engine: Engine, *, now: datetime) -> None:
    """Have every dose looked at that waited for its patient to be heard: the carrier's list is at hand now."""
    with writing(engine) as c:
        watermarks.wake(c, heard_until=now + CLOCKS_DIFFER, now=now)


def take_turn(engine: Engine, quarantine: Quarantine, *, now: datetime, again: bool = False) -> None:
    """Take the turn to relive a gap, or (`again`) keep it. Raises Elsewhere if another process has it, NotAllowed if it is over."""
    with writing(engine) as c:
        if quarantines.standing(c) is None:
            raise NotAllowed("the quarantine was ended while its gap was relived")
        if not quarantines.take_turn(c, quarantine.id, now=now, until=now + TURN, again=again):
            raise Elsewhere


def give_up_turn(engine: Engine, quarantine: Quarantine) -> None:
    """Let somebody else try."""
    with writing(engine) as c:
        quarantines.give_up_turn(c, quarantine.id)


def conclude(
    engine: Engine,
    quarantine: Quarantine,
    left: Sequence[SentText],
    *,
    found: int,
    heard: int,
    heard_until: datetime | None = None,
    now: datetime,
) -> dict[str, int]:
    """Note a gap as relived. Return how many texts are unexplained, by the patient behind their phone; "" is nobody known here.

    `heard_until`: up to there every text to us has been taken in.

    What waits for a phone with an unexplained text is not sent: whatever that text was, the person has been told something.
    """
    count = Counter(sent.to for sent in left)
    with writing(engine) as c:
        _let_go(c, evidence.queued_for(c, count), now=now)
        whose = evidence.whose(c, count)
        if heard_until is not None:
            watermarks.advance(c, watermarks.INBOUND, to=heard_until, now=now)
        quarantines.reconciled(c, quarantine.id, found=found, heard=heard, unexplained=len(left), now=now)
    by_patient: Counter[str] = Counter()
    for phone, texts in count.items():
        for ref in whose.get(phone, [""]):
            by_patient[ref] += texts
    return dict(by_patient)


def end(engine: Engine, *, by: str, now: datetime, despite: str = "") -> None:
    """End the quarantine that stands: texts leave again. By a named person.

    `despite` is the reason of a person who ends one that is not reconciled, or has unexplained texts; it is kept.

    Raises NotAllowed, and nothing has changed.
    """
    with writing(engine) as c:
        row = quarantines.standing(c)
        if row is None:
            raise NotAllowed("no quarantine stands: texts leave as they fall due")
        if row["turn_until"] is not None and now < row["turn_until"]:
            raise Elsewhere
        if not despite.strip():
            _check_ready(row)
        quarantines.end(c, row["id"], by=by, why=despite.strip() or None, now=now)


def _check_ready(row: Row) -> None:
    if row["reconciled_at"] is None:
        raise NotAllowed(
            "the gap is not reconciled: run `doseline quarantine reconcile` first, "
            "or give the reason for doing without: --unreconciled REASON"
        )
    if row["unexplained"]:
        raise NotAllowed(
            f"{row['unexplained']} texts in the gap are unexplained: `doseline quarantine reconcile` says whose. "
            "Enter again what was entered in the gap; then end it with what you found: --unreconciled REASON"
        )


def _let_go(c: Connection, waiting: Sequence[Row], *, now: datetime) -> None:
    people.lock(c, {text["patient_id"] for text in waiting if text["patient_id"]})
    outbox.end(c, waiting, "not_sent", why=UNEXPLAINED, now=now)


def _standing(c: Connection, *, now: datetime) -> list[Quarantine]:
    row = quarantines.standing(c)
    if row is None:
        return []
    names = ("id", "why", "since", "began_at", "reconciled_at", "found", "heard", "unexplained")
    return [Quarantine(**{name: row[name] for name in names}, waiting=evidence.waiting_by_purpose(c, now=now))]
