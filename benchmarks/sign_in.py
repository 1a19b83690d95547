"""What the time of a refusal tells: a known name against an unknown one, a wrong password against a wrong code.

The two of each pair are tried in turn, in an order drawn by lot, so that what else the machine does falls on both alike. The peer is
a sign-in that verifies a password only where there is one, as is written first by nearly everybody: it shows that a difference
would be seen. A share near a half means that one try tells nothing; 100 pairs tell a half from 0.40 or 0.60.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).parents[1]))

from db.engine import make_engine, migrate, reading
from reminders.clock import HandClock, SystemClock
from reminders.services import signing_in
from reminders.services.records import accounts
from reminders.services.signing_in import passwords
from tests.web.serving import NOW
from tests.web.signed_in import PASSWORD, PROVIDER, Phone, an_account, two_clinics

PAIRS = 100
GUESS = "a guess at random"
APART = timedelta(minutes=4)
"""Between two tries under one name, by the ledger's clock: so that none of them is one too many."""

Try = Callable[[], object]
TIMER = SystemClock()


@dataclass(frozen=True)
class Pair:
    """The seconds of two tries of one kind each, by turns."""

    first: list[float]
    second: list[float]

    def __str__(self) -> str:
        apart = [one - other for one, other in zip(self.first, self.second, strict=True)]
        low, _, high = quantiles(apart, n=4)
        longer = sum(difference > 0 for difference in apart) / len(apart)
        return (
            f"medians {_ms(median(self.first))} and {_ms(median(self.second))} ms, apart {_ms(median(apart), sign='+')} ms "
            f"(half of the pairs: {_ms(low, sign='+')} to {_ms(high, sign='+')}); the first took longer in {longer:.2f}"
        )


def _ms(seconds: float, *, sign: str = "") -> str:
    return f"{seconds * 1000:{sign}7.2f}"


def measured(first: Try, second: Try, lot: random.Random) -> Pair:
    """Time both, 100 times each."""
    seconds: dict[Try, list[float]] = {first: [], second: []}
    for attempt in (first, second):  # the first ever makes what later ones find made
        attempt()
    for _ in range(PAIRS):
        for attempt in lot.sample((first, second), 2):
            began = TIMER.monotonic()
            attempt()
            seconds[attempt].append(TIMER.monotonic() - began)
    return Pair(seconds[first], seconds[second])


def ours(engine: Engine, clock: HandClock, login: str, password: str) -> Try:
    """A try to sign in as we do, refused."""

    def attempt() -> None:
        clock.advance(APART)
        token = signing_in.sign_in(engine, login=login, password=password, code="000000", address=f"{clock.now()}", now=clock.now())
        assert token is None

    return attempt


def peers(engine: Engine, login: str) -> Try:
    """A try that verifies a password only where there is one."""

    def attempt() -> bool:
        with reading(engine) as c:
            account = accounts.of_login(c, login)
        return account is not None and passwords.is_it(GUESS, account["password_hash"])

    return attempt


def main() -> None:
    """Measure each pair on one ledger, and say what it tells."""
    lot = random.Random(20)  # noqa: S311 - an order, and no secret
    with tempfile.TemporaryDirectory(prefix="doseline-sign-in-") as folder:
        engine, clock = make_engine(f"sqlite:///{folder}/doseline.db"), HandClock(NOW)
        migrate(engine)
        two_clinics(engine)
        known: Phone = an_account(engine, clock, PROVIDER)
        rows = {
            "known and unknown name": (ours(engine, clock, known.login, GUESS), ours(engine, clock, "nobody@harbor.example", GUESS)),
            "wrong code and wrong password": (ours(engine, clock, known.login, PASSWORD), ours(engine, clock, known.login, GUESS)),
            "the peer's known and unknown": (peers(engine, known.login), peers(engine, "nobody@harbor.example")),
        }
        for name, (first, second) in rows.items():
            sys.stdout.write(f"{name:30} {measured(first, second, lot)}\n")
            sys.stdout.flush()
        engine.dispose()


if __name__ == "__main__":
    main()
