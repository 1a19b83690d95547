"""Processes killed in the midst of everything: nothing lost, nothing doubled. The long version is `make test-kill`."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from reminders.milestones import Milestone
from tests.killing.lives import TRIES, Fate, Life, at_each_milestone, at_random
from tests.killing.ordeal import Verdict, endure
from tests.killing.worker import Doom, Spans

QUICK = Spans(http=0.5, lease=1, settle=2.5, second_look=0.5, heartbeat=0.3)
BUSY_MACHINE = 3
"""How many times as long a machine with much else to do may take: the bound itself is proved on a clock moved by hand."""


def tried(database_url: str, lives: Iterator[Life], folder: Path, *, patients: int = 6) -> Verdict:
    """Go through an ordeal; its seed is drawn from the one that the run prints."""
    verdict = endure(database_url, lives, folder / "log", seed=random.randrange(1_000_000), patients=patients, spans=QUICK)  # noqa: S311 - no secret
    assert verdict.faults == (), verdict
    return verdict


def test_killed_at_each_milestone_and_at_random(database_url: str, tmp_path: Path) -> None:
    """Three processes, one killed at each milestone and ten more at random, lose and double nothing, and settle what they left."""
    verdict = tried(database_url, chain(at_each_milestone(1, longest=10), at_random(1, 10, longest=0.4, oldest=5)), tmp_path)

    assert (set(Milestone) - set(verdict.killer.died_at), verdict.killer.kills >= 22) == (set(), True), verdict


def test_a_text_in_flight_at_a_kill_is_settled_in_time(database_url: str, tmp_path: Path) -> None:
    """What a process that dies between request and record has in flight, the others settle within the bound: 165 s in production."""
    death = Life(Fate.DOOMED, 10, Doom(Milestone.SEND_BEFORE_RECORD))
    verdict = tried(database_url, iter([death]), tmp_path, patients=40)

    assert (verdict.doubted >= 1, verdict.slowest <= BUSY_MACHINE * QUICK.bound) == (True, True), verdict


def test_frozen_in_mid_send(database_url: str, tmp_path: Path) -> None:
    """Who stands still for two leases between the last look and the request, and goes on, doubles nothing."""
    frozen = [Life(Fate.FROZEN_AT, 3, Doom(milestone, nth, signal.SIGSTOP), TRIES) for milestone in SENDING for nth in (1, 3)]
    verdict = tried(database_url, iter(frozen), tmp_path, patients=20)

    assert verdict.killer.frozen_at == dict.fromkeys(SENDING, 2)


def test_asked_to_stop_in_mid_send(database_url: str, tmp_path: Path) -> None:
    """Who is asked to stop does so in time, and leaves nothing that takes more than the next process."""
    verdict = tried(database_url, (Life(Fate.ENDED, 0.2) for _ in range(6)), tmp_path, patients=20)

    assert (verdict.killer.fates, verdict.killer.kills) == ({Fate.ENDED: 6}, 0)


SENDING = (Milestone.SEND_AFTER_CLAIM_COMMIT, Milestone.SEND_BEFORE_WRITE, Milestone.SEND_AFTER_WRITE, Milestone.SEND_BEFORE_RECORD)
