"""How fast the sender may go, and when it rests: what a carrier did not take of one text, it will not take of the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from random import SystemRandom
from typing import TYPE_CHECKING, TypeGuard, assert_never

from reminders.messaging.failure_codes import class_of
from reminders.messaging.pacing import Pace
from reminders.messaging.segments import segments
from reminders.messaging.transport import Accepted, FailureClass, NotSent, Outcome, Refused
from reminders.services.records import outbox, senders, troubles
from reminders.services.records.troubles import Trouble

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reminders.services.records.ledger import Row

REST = timedelta(seconds=1)
LONGEST_REST = timedelta(seconds=60)
LONGEST_ASKED = timedelta(hours=1)
"""The longest rest a carrier may ask of us: beyond it somebody should look, and one text an hour does no harm [our default]."""
BREAKER = timedelta(minutes=1)
TRYING = timedelta(seconds=30)
"""How long the one that is tried after a rest may take, or its process be dead, before another is [our default]."""
AWAKE = timedelta(seconds=15)
"""A carrier that took a text so lately will take more; after longer, one goes first and alone [our default]."""
QUIET = timedelta(minutes=5)
"""How long the account must have given no trouble for it to be over [our default]."""

SENDERS = frozenset({FailureClass.ACCOUNT, FailureClass.OVERFLOW})
"""The failures that are the sender's and no text's."""

_dice = SystemRandom()


def in_line(c: Connection, name: str, *, pace: Pace | None, now: datetime, limit: int) -> tuple[list[Row], bool]:
    """The texts that may leave now, in order, urgent ones first; and whether one must go alone before the others."""
    sender = senders.hold(c, name)
    if _rests(sender, now):
        return [], False
    room = 1 if sender["refusals"] else limit  # after a rest one is tried, to see whether the carrier takes it
    found = outbox.waiting(c, now=now, limit=room, urgent=True)
    found += outbox.waiting(c, now=now, limit=room - len(found), urgent=False) if len(found) < room else []
    alone = sender["taken_at"] is None or now - sender["taken_at"] > AWAKE
    leaving = found if pace is None else _paced(c, sender, pace, found, now)
    if leaving and sender["refusals"]:
        senders.rests(c, name, until=now + TRYING, refusals=sender["refusals"])  # the other processes wait for what comes of this one
    return leaving, alone


def is_the_senders(outcome: Outcome) -> TypeGuard[NotSent | Refused]:
    """Whether what came of a text will come of the next one too."""
    return isinstance(outcome, NotSent) or (isinstance(outcome, Refused) and outcome.kind in SENDERS)


def learn(c: Connection, name: str, outcomes: Sequence[Outcome], *, claimed_at: datetime | None = None, now: datetime) -> None:
    """Let the sender rest if the carrier would not take what it was given, or note that it takes texts again.

    claimed_at  when the texts were claimed: what waits for them alone waits no longer.
    """
    if claimed_at is not None:
        senders.end_rest(c, name, until=claimed_at + TRYING)
    if any(isinstance(outcome, Accepted) for outcome in outcomes):
        senders.took(c, name, at=now)
        troubles.end(c, Trouble.ACCOUNT, now=now, quiet_for=QUIET)
        _wake(c, senders.hold(c, name), now=now)
    refused = [outcome for outcome in outcomes if is_the_senders(outcome)]
    if refused:
        _rest(c, senders.hold(c, name), refused, now=now)


def learn_of_loss(c: Connection, why: NotSent | Refused, *, now: datetime) -> None:
    """Let every sender rest after a text was taken, and then lost for no reason of its own: a receipt does not say whose it was."""
    for name in senders.names(c):
        _rest(c, senders.hold(c, name), [why], now=now)


def _rest(c: Connection, sender: Row, refused: Sequence[NotSent | Refused], *, now: datetime) -> None:
    refusals = sender["refusals"] + 1
    until = max(now + _how_long(outcome, refusals) for outcome in refused)
    senders.rests(c, sender["name"], until=max(until, sender["rests_until"]) if _rests(sender, now) else until, refusals=refusals)
    _tell(c, refused, now=now)


def _wake(c: Connection, sender: Row, *, now: datetime) -> None:
    """End a sender's rest, but not one that began while its texts were on their way; nor go on at full pace while what is taken is lost."""
    if not sender["refusals"] or _rests(sender, now):
        return
    if _is_lost_later(c):
        senders.rests(c, sender["name"], until=now + BREAKER, refusals=sender["refusals"])
    else:
        senders.wakes(c, sender["name"])


def _is_lost_later(c: Connection) -> bool:
    """Whether the carrier takes texts only to lose them, for the account's sake: until one has come through, or long not been told of."""
    in_trouble = any(row["name"] == Trouble.ACCOUNT.value for row in troubles.standing(c))
    return in_trouble and class_of(outbox.newest_loss(c)) in SENDERS


def _tell(c: Connection, refused: Iterable[NotSent | Refused], *, now: datetime) -> None:
    """The account, or the number we send from, is not in order: whoever runs this must act."""
    for outcome in refused:
        if isinstance(outcome, Refused):
            words = (
                f"The carrier does not take our texts (code {outcome.code}). One is tried each minute; the others wait until they expire."
            )
            troubles.begin(c, Trouble.ACCOUNT, words, now=now)
            return


def _rests(sender: Row, now: datetime) -> bool:
    """Whether a sender rests. One that would rest for longer than any rest had its clock set back."""
    return sender["rests_until"] is not None and now < sender["rests_until"] <= now + LONGEST_ASKED


def _how_long(outcome: NotSent | Refused, refusals: int) -> timedelta:
    """How long to rest: a minute for the account's trouble, else up to 1 s, 2 s, 4 s … 60 s; and what the carrier asks at the least.

    Up to: so that several senders, refused together, do not come back together.
    """
    match outcome:
        case Refused(retry_after=asked):
            return max(BREAKER, _asked(asked or 0))
        case NotSent(retry_after=asked):
            doublings: int = min(refusals - 1, 6)
            return max(_dice.random() * min(REST * (1 << doublings), LONGEST_REST), _asked(asked or 0))
        case _ as unreachable:
            assert_never(unreachable)


def _asked(seconds: float) -> timedelta:
    return min(timedelta(seconds=seconds), LONGEST_ASKED)


def _paced(c: Connection, sender: Row, pace: Pace, found: Sequence[Row], now: datetime) -> list[Row]:
    """Of the texts in line, those the contract lets through now; what they cost is written down before they leave."""
    bucket = senders.bucket_of(sender)
    leaving: list[Row] = []
    for urgent in (True, False):
        line = [text for text in found if text["urgent"] == urgent]
        count, bucket = pace.fit(bucket, [segments(text["body"]).parts for text in line], now, urgent=urgent)
        leaving += line[:count]
    if leaving:
        senders.paced(c, sender["name"], bucket)
    return leaving
