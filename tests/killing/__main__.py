"""Kill real processes while they send, and count what was lost or doubled: `python -m tests.killing [KILLS]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom

from reminders.clock import SystemClock
from reminders.milestones import Milestone
from tests.databases import migrated, postgres_database, running_postgres
from tests.killing.lives import Life, at_each_milestone, at_random
from tests.killing.ordeal import WORKERS, Verdict, endure

DATABASES = ("sqlite", "postgresql")
EACH_MILESTONE = 25
AT_ONCE = 1_000
"""The most kills on one database before a new one is begun: an hour after a dose its patient is asked about it once more."""
TOLD_SECONDS = 10
MOST_COMPLAINTS = 5


def main() -> int:
    """Put each database through its ordeals; return 0 if nothing was lost and nothing doubled."""
    asked = argparse.ArgumentParser(prog="make test-kill", description=__doc__)
    asked.add_argument("kills", type=int, nargs="?", default=300, help="by kill -9, at random, on each database")
    asked.add_argument("--each-milestone", type=int, default=EACH_MILESTONE, help="further kills at each of the milestones")
    asked.add_argument("--database", choices=DATABASES, action="append", help="one of them only")
    asked.add_argument("--workers", type=int, default=WORKERS, help="alive at a time; a large machine has room for more")
    asked.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000), help="to do the same again")
    given = asked.parse_args()
    found = [_try(name, given) for name in given.database or DATABASES]
    return 0 if all(found) else 1


def _try(database: str, given: argparse.Namespace) -> bool:
    """Let workers die at each milestone, then at random, a number at a time, each time on an empty database."""
    first = _endure(database, at_each_milestone(given.seed, given.each_milestone), given)
    missed = [milestone for milestone in Milestone if first.killer.died_at[milestone] < given.each_milestone]
    for milestone in missed:
        _say(f"  nobody died often enough at {milestone}\n")
    rounds = [at_random(given.seed + done, min(AT_ONCE, given.kills - done)) for done in range(0, given.kills, AT_ONCE)]
    verdicts = [first, *(_endure(database, lives, given) for lives in rounds)]
    _say(f"{database}: {sum(one.killer.kills for one in verdicts)} kills in all, {sum(len(one.faults) for one in verdicts)} faults\n\n")
    return not missed and not any(one.faults for one in verdicts)


def _endure(database: str, lives: Iterator[Life], given: argparse.Namespace) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="doseline-kill-") as folder, _database(database, Path(folder)) as url:
        log = Path(folder) / "log"
        verdict = endure(url, lives, log, seed=given.seed, workers=given.workers, tell=_progress(database))
        _say(f"{verdict}\n")
        for fault in verdict.faults:
            _say(f"  {fault}\n")
        complaints = _complaints(log)
        _say(f"  {_details(verdict)}; {complaints.total()} complaints in the log\n")
        for words, times in complaints.most_common(MOST_COMPLAINTS):
            _say(f"    {times} times: {words}\n")
        return verdict


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
    killer = verdict.killer
    fates = ", ".join(f"{times} {fate}" for fate, times in sorted(killer.fates.items()))
    met = f"{killer.died_at.total()} died and {killer.frozen_at.total()} froze at their milestone"
    return f"{fates}; {met}; slowest stop {killer.slowest_end:.1f} s; {verdict.seconds:.0f} s in all"


def _complaints(log: Path) -> Counter[str]:
    """What workers wrote of errors, without when, and who."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return Counter(line.partition(" ERROR ")[2] for line in lines if " ERROR " in line)


def _say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
