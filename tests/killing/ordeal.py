"""An ordeal: workers on one database, killed again and again while texts go out, and the judgement of what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from sqlalchemy import Engine, Select, func, select

from db.engine import make_engine, reading
from db.tables import metadata
from reminders.clock import SystemClock
from reminders.milestones import Milestone
from tests.killing.carrier import a_faulty_carrier
from tests.killing.clinic import Clinic
from tests.killing.judgement import Judgement, gathered, judge
from tests.killing.killer import Killer
from tests.killing.lives import Life, dice
from tests.killing.nursery import address, start
from tests.killing.watcher import Watcher
from tests.killing.worker import SPANS, Doom, Orders, Spans
from tests.scheduling.wall import until

WORKERS = 3
TEXT, DOSE = metadata.tables["text_out"], metadata.tables["dose"]
IN_HAND = select(func.count()).select_from(TEXT).where(TEXT.c.state.in_(("queued", "sending", "unknown")))
RECORDED = select(func.count()).select_from(DOSE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an ordeal showed. `slowest`: how many seconds the longest doubt lasted, `slowest_end` the longest stop."""

    database: str
    seed: int
    kills: int
    judgement: Judgement
    fates: Counter[str]
    died_at: Counter[Milestone]
    doubted: int
    slowest: float
    slowest_end: float
    seconds: float

    def __str__(self) -> str:
        found = self.judgement
        return (
            f"kills {self.kills} ({self.database}): texts {found.texts}, lost {len(found.lost)}, doubled {len(found.doubled)}, "
            f"in doubt resolved {self.doubted}, slowest settled {self.slowest:.1f} s, seed {self.seed}"
        )


def endure(
    database_url: str,
    lives: Iterator[Life],
    log: Path,
    *,
    seed: int,
    patients: int = 6,
    spans: Spans = SPANS,
    tell: Callable[[int], object] = bool,
) -> Verdict:
    """Let workers on an empty database live and die, then a few undisturbed, and judge what they leave.

    So many patients are enrolled before each life. What the workers complain of is written to the log.
    """
    clock = SystemClock()
    began = clock.monotonic()
    with _engine_on(database_url) as engine, address() as (listening, public_url), a_faulty_carrier(seed, spans) as twilio:
        orders = Orders(database_url, twilio.url, public_url, log, spans)
        clinic = Clinic(engine, twilio, f"{public_url}/sms/inbound", dice(seed))
        watcher = Watcher(engine)

        def begin(doom: Doom | None = None) -> ForkServerProcess:
            return start(replace(orders, doom=doom), listening)

        killer = Killer(begin, freeze=2 * spans.lease, before_each=lambda: clinic.enrol(patients), tell=tell)
        with watcher.watching():
            with clinic.talking():
                killer.run(lives, workers=WORKERS)
                last = [begin() for _ in range(WORKERS)]
                _wait(lambda: clinic.doses.keys() <= {message.to for message in twilio.messages}, spans)
            _wait(lambda: _count(engine, RECORDED) >= len(clinic.plans) and not _count(engine, IN_HAND), spans)
        for worker in last:
            killer.end(worker)
        return Verdict(
            engine.dialect.name,
            seed,
            killer.kills,
            judge(clinic, gathered(engine, twilio.messages)),
            killer.fates,
            killer.died_at,
            watcher.doubted,
            watcher.slowest,
            killer.slowest_end,
            clock.monotonic() - began,
        )


@contextmanager
def _engine_on(url: str) -> Iterator[Engine]:
    engine = make_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _count(engine: Engine, query: Select[int]) -> int:
    with reading(engine) as c:
        return c.scalar(query) or 0


def _wait(true: Callable[[], bool], spans: Spans) -> None:
    """Give the last ones time; what is still undone then is lost, which the judgement says."""
    with suppress(AssertionError):
        until(true, within=3 * spans.bound + 30)
