"""An ordeal: workers on one database, killed again and again while texts go out, and the judgement of what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from sqlalchemy import Engine, func, select

from db.engine import make_engine, reading
from db.tables import metadata
from reminders.clock import SystemClock
from tests.killing.carrier import Carrier, a_carrier
from tests.killing.clinic import Clinic
from tests.killing.judgement import Judgement, gathered, judge
from tests.killing.killer import STOPPING_SECONDS, Killer
from tests.killing.lives import Life, dice
from tests.killing.nursery import Nursery, address, nursery
from tests.killing.watcher import Watcher
from tests.killing.worker import SPANS, Orders, Spans

WORKERS = 3
LOOK = 0.05
PATIENCE = 15
"""How many times the bound the last workers may take without anything getting done, on a machine that may have much else to do."""
TEXT, DOSE = metadata.tables["text_out"], metadata.tables["dose"]
IN_HAND = select(func.count()).select_from(TEXT).where(TEXT.c.state.in_(("queued", "sending", "unknown")))
RECORDED = select(func.count()).select_from(DOSE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an ordeal showed.

    killer   what it counted.
    doubted  how many tries at sending were in doubt; `slowest`: how many seconds the longest doubt lasted.
    """

    database: str
    seed: int
    judgement: Judgement
    killer: Killer
    doubted: int
    slowest: float
    seconds: float

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that is wrong: what the judgement found, and workers that died of themselves or would not stop."""
        found = list(self.judgement.faults)
        if self.killer.died_unasked:
            found.append(f"{self.killer.died_unasked} workers died of themselves")
        if self.killer.slowest_end > STOPPING_SECONDS:
            found.append(f"a worker that was asked to stop took {self.killer.slowest_end:.1f} s")
        return tuple(found)

    def __str__(self) -> str:
        found = self.judgement
        return (
            f"kills {self.killer.kills} ({self.database}): texts {found.texts}, lost {len(found.lost)}, doubled {len(found.doubled)}, "
            f"in doubt resolved {self.doubted}, slowest settled {self.slowest:.1f} s, seed {self.seed}"
        )


@dataclass(frozen=True, slots=True)
class Theatre:
    """A clinic, its carrier, and where workers come from."""

    engine: Engine
    carrier: Carrier
    clinic: Clinic
    workers: Nursery
    spans: Spans

    def undone(self) -> int:
        """How much is left: doses not recorded, each of which will be a text in hand; those to send or in doubt; what nobody heard."""
        with reading(self.engine) as c:
            in_hand, recorded = c.scalar(IN_HAND) or 0, c.scalar(RECORDED) or 0
        return in_hand + 2 * (self.clinic.doses - recorded) + (not self.clinic.heard)

    def wait(self) -> None:
        """Give the workers time as long as less and less is left to do; what is still undone then is lost, as the judgement says."""
        clock, pause = SystemClock(), Event()
        left, since = self.undone(), clock.monotonic()
        while left and clock.monotonic() - since < PATIENCE * self.spans.bound:
            pause.wait(LOOK)
            if (now_left := self.undone()) < left:
                left, since = now_left, clock.monotonic()


@contextmanager
def a_theatre(database_url: str, log: Path, *, seed: int, spans: Spans) -> Iterator[Theatre]:
    """Open a clinic on an empty database, in which a first worker has served a patient of each kind.

    What the workers complain of is written to the log.
    """
    with _engine_on(database_url) as engine, address() as (listening, public_url), a_carrier(seed) as carrier:
        clinic = Clinic(engine, carrier, f"{public_url}/sms/inbound", dice(seed))
        with nursery(Orders(database_url, carrier.url, public_url, log, spans), listening) as workers:
            theatre = Theatre(engine, carrier, clinic, workers, spans)
            with clinic.talking():
                clinic.enrol_one_of_each()
                theatre.wait()
            workers.begin()
            yield theatre


def endure(
    database_url: str,
    lives: Iterator[Life],
    log: Path,
    *,
    seed: int,
    workers: int = WORKERS,
    patients: int = 3,
    spans: Spans = SPANS,
    tell: Callable[[int], object] = bool,
) -> Verdict:
    """Let workers on an empty database live and die, then a few undisturbed, and judge what they leave. The carrier is at fault throughout.

    So many patients are enrolled before each life, and more in between.
    """
    clock = SystemClock()
    began = clock.monotonic()
    with a_theatre(database_url, log, seed=seed, spans=spans) as theatre:
        clinic, watcher = theatre.clinic, Watcher(theatre.engine)
        killer = Killer(theatre.workers, freeze=2 * spans.lease, before_each=lambda: clinic.enrol(patients), tell=tell)
        with watcher.watching(), theatre.carrier.at_fault(seed, spans):
            with clinic.talking():
                with clinic.filling():
                    killer.run(lives, workers=workers)
                last = [theatre.workers.bear() for _ in range(workers)]
                theatre.wait()
            theatre.wait()  # for what was said at the very last
            for worker in last:
                killer.end(worker)
        return Verdict(
            theatre.engine.dialect.name,
            seed,
            judge(clinic, gathered(theatre.engine, theatre.carrier.messages)),
            killer,
            watcher.doubted,
            watcher.slowest,
            clock.monotonic() - began,
        )


@contextmanager
def _engine_on(url: str) -> Iterator[Engine]:
    engine = make_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()
