"""The places in a text's and a dose's way at which a process may die, and still nothing is lost or doubled.

Services call `passing` at each of them. It does nothing, but in tests that kill a process at exactly that place.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias


class Milestone(StrEnum):
    """Where a process is, in the middle of what must be done whole or not at all."""

    BATCH_CLAIMED = "pass.claimed"
    BATCH_BEFORE_COMMIT = "pass.before_commit"
    BATCH_AFTER_COMMIT = "pass.after_commit"
    SEND_BEFORE_CLAIM_COMMIT = "send.before_claim_commit"
    SEND_AFTER_CLAIM_COMMIT = "send.after_claim_commit"
    SEND_BEFORE_WRITE = "send.before_write"
    SEND_AFTER_WRITE = "send.after_write"
    SEND_BEFORE_RECORD = "send.before_record"
    RECOVER_AFTER_LIST = "recover.after_list"
    RECOVER_BEFORE_COMMIT = "recover.before_commit"
    INBOUND_BEFORE_COMMIT = "inbound.before_commit"
    INBOUND_AFTER_COMMIT = "inbound.after_commit"


Passing: TypeAlias = Callable[[Milestone], None]


def unmarked(_: Milestone) -> None:
    """Go on: nobody watches."""
