"""Kill real processes while they send, and count what was lost or doubled: `python -m tests.killing [KILLS]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from random import SystemRandom

from reminders.clock import SystemClock
from reminders.milestones import Milestone
from tests.databases import migrated, postgres_database, running_postgres
from tests.killing.killer import STOPPING_SECONDS
from tests.killing.lives import at_each_milestone, at_random
from tests.killing.ordeal import Verdict, endure

DATABASES = ("sqlite", "postgresql")
EACH_MILESTONE = 25
TOLD_SECONDS = 10


def main() -> int:
    """Put each database through its ordeal; return 0 if nothing was lost and nothing doubled."""
    asked = argparse.ArgumentParser(prog="make test-kill", description=__doc__)
    asked.add_argument("kills", type=int, nargs="?", default=300, help="by kill -9, at random, on each database")
    asked.add_argument("--each-milestone", type=int, default=EACH_MILESTONE, help="further kills at each of the milestones")
    asked.add_argument("--database", choices=DATABASES, action="append", help="one of them only")
    asked.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000), help="to do the same again")
    given = asked.parse_args()
    found = [_try(name, given.kills, given.each_milestone, given.seed) for name in given.database or DATABASES]
    return 0 if all(found) else 1


def _try(database: str, kills: int, each: int, seed: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="doseline-kill-") as folder, _database(database, Path(folder)) as url:
        lives = chain(at_each_milestone(seed, each), at_random(seed, kills))
        log = Path(folder) / "log"
        verdict = endure(url, lives, log, seed=seed, tell=_progress(database))
        _say(f"{verdict}\n")
        missed = [milestone for milestone in Milestone if verdict.died_at[milestone] < each]
        for fault in (*verdict.judgement.faults, *(f"nobody died often enough at {milestone}" for milestone in missed)):
            _say(f"  {fault}\n")
        _say(f"  {_details(verdict)}; {len(_complaints(log))} complaints in the log\n")
        return not verdict.judgement.faults and not missed and verdict.slowest_end <= STOPPING_SECONDS


@contextmanager
def _database(name: str, folder: Path) -> Iterator[str]:
    if name == "sqlite":
        yield migrated(f"sqlite:///{folder / 'doseline.db'}")
        return
    with running_postgres() as server, postgres_database(server) as url:
        yield migrated(url)


def _progress(database: str) -> Callable[[int], None]:
    clock = SystemClock()
    began = told = clock.monotonic()

    def tell(kills: int) -> None:
        nonlocal told
        if clock.monotonic() - told >= TOLD_SECONDS:
            told = clock.monotonic()
            _say(f"  {database}: {kills} kills in {told - began:.0f} s\n")

    return tell


def _details(verdict: Verdict) -> str:
    fates = ", ".join(f"{times} {fate}" for fate, times in sorted(verdict.fates.items()))
    return (
        f"{fates}; {sum(verdict.died_at.values())} at milestones; slowest stop {verdict.slowest_end:.1f} s; {verdict.seconds:.0f} s in all"
    )


def _complaints(log: Path) -> list[str]:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return [line for line in lines if " ERROR " in line]


def _say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
