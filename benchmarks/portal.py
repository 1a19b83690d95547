"""How long the portal's pages take with 100,000 patients in one clinic on PostgreSQL, against the bare statements of each page.

Each page is asked as a browser asks it, signed in, session and all, through the app in this process; then the very statements that
it sent, with the same values, by psycopg alone, which makes no page of them. Beside the time on the wall stands what this process computed
in it: on a machine that has other work the first grows with that, the second hardly. What PostgreSQL computes comes on top of it.

`--patients` and `--database` (one already filled by this, to look again) are for a quicker look.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from os import getloadavg
from pathlib import Path
from time import process_time

import psycopg
from httpx2 import Response
from sqlalchemy import Engine, event
from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parents[1]))

from db.engine import make_engine, migrate
from reminders.clock import HandClock, SystemClock
from tests.databases import postgres_database, running_postgres
from tests.many_patients import CLINIC, NOW, PROVIDER, seed
from tests.web.signed_in import a_browser, an_account, signing_in_as

PATIENTS, TIMES = 100_000, 31
TARGET_MS = 150
CLOCK = SystemClock()
Statement = tuple[str, object]


def main() -> None:
    """Print what each page takes."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--patients", type=int, default=PATIENTS)
    given.add_argument("--database", help="the address of a PostgreSQL that was filled by this before")
    options = given.parse_args()
    with filled(options.database, options.patients) as engine:
        print(f"{options.patients:,} patients; medians of {TIMES}; load of this machine {getloadavg()[0]:.1f}")
        for name, ask in pages(engine).items():
            told(name, engine, ask)


@contextmanager
def filled(address: str | None, patients: int) -> Iterator[Engine]:
    """A clinic of so many patients."""
    if address is not None:
        yield make_engine(address)
        return
    with running_postgres() as server, postgres_database(server) as fresh:
        engine = make_engine(fresh)
        migrate(engine)
        began = CLOCK.monotonic()
        seed(engine, patients)
        print(f"filled in {CLOCK.monotonic() - began:.0f} s")
        yield engine
        engine.dispose()


def pages(engine: Engine) -> dict[str, Callable[[], Response]]:
    """How each page is asked for, by name."""
    client, found = provider(engine), a_patient(engine)

    def search(**form: str) -> Callable[[], Response]:
        return lambda: client.post("/patients/search", data=form)

    def get(path: str) -> Callable[[], Response]:
        return lambda: client.get(path)

    return {
        "roster, first page": get("/patients"),
        "roster, in the middle": get(f"/patients?after=p{found['middle']}"),
        "roster, suspended (1 %)": get("/patients?state=suspended"),
        "roster, staying (6 %)": get("/patients?state=staying"),
        "roster, active (80 %)": get("/patients?state=active"),
        "roster, suspended, and a drug": get("/patients?state=suspended&drug=tizanidine"),
        "roster, urgent": get("/patients?severity=urgent"),
        "search, a name in full": search(text=found["name"]),
        "search, two letters (a fifth)": search(text="ma"),
        "search, two letters, suspended": search(text="ma", state="suspended"),
        "search, last four digits": search(text="0123"),
        "search, nobody": search(text="nobody"),
        "queues": get("/queues"),
        "queue of misses": get("/queues/misses"),
        "queue of stays, with gates": get("/queues/stays"),
        "queue of signs": get("/queues/signs"),
        "badge": get("/queues/count?again=1"),
        "patient": get(f"/patients/{found['gravest']}"),
    }


def provider(engine: Engine) -> TestClient:
    """A browser in which the clinic's provider is signed in; an account of an earlier look is set aside."""
    clock = HandClock(NOW)
    with engine.begin() as c:
        for table in ("web_session", "recovery_code", "account", "invitation"):
            c.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - the four words above
    phone = an_account(engine, clock, PROVIDER, clinic=CLINIC)
    client = a_browser(engine, clock)
    assert signing_in_as(client, phone, clock).status_code == 303  # noqa: PLR2004 - it sends them on
    clock.advance(timedelta(seconds=1))
    return client


def a_patient(engine: Engine) -> dict[str, str]:
    """The gravest patient; one in the middle of those without an alert; and a name."""
    order = "SELECT id, name FROM patient WHERE severity_rank"
    with engine.connect() as c:
        (gravest, _) = c.exec_driver_sql(f"{order} < 4 ORDER BY severity_rank, grave_since LIMIT 1").one()
        half = c.exec_driver_sql("SELECT count(*) / 2 FROM patient WHERE severity_rank = 4").scalar_one()
        (middle, name) = c.exec_driver_sql(f"{order} = 4 ORDER BY name, id OFFSET {half} LIMIT 1").one()
    return {"gravest": gravest, "middle": middle, "name": name}


def told(name: str, engine: Engine, ask: Callable[[], Response]) -> None:
    """Print a page's median, and its statements' by themselves."""
    with listening(engine) as sent:
        assert ask().status_code == 200, name  # noqa: PLR2004 - it is shown
    statements = tuple(sent)
    asked = [timed(ask) for _ in range(TIMES)]
    ours, computed = (statistics.median(each) for each in zip(*asked, strict=True))
    with psycopg.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        bare = statistics.median(timed(lambda: read(connection, statements))[0] for _ in range(TIMES))
    verdict = "" if ours <= TARGET_MS else f"   OVER {TARGET_MS} ms"
    print(f"{name:32} {ours:6.1f} ms, computing {computed:6.1f}; its {len(statements):2} statements alone {bare:6.1f} ms{verdict}")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """How many milliseconds something takes, and how many of them this process computes."""
    began, used = CLOCK.monotonic(), process_time()
    work()
    return (CLOCK.monotonic() - began) * 1000, (process_time() - used) * 1000


def read(connection: psycopg.Connection, statements: tuple[Statement, ...]) -> None:
    """Send statements as they are, and fetch what they give."""
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        for statement, values in statements:
            cursor.execute(statement, values)  # type: ignore[call-overload]  # SQLAlchemy's own words, not a literal's
            if cursor.description:
                cursor.fetchall()


@contextmanager
def listening(engine: Engine) -> Iterator[list[Statement]]:
    """Keep what is sent meanwhile."""
    sent: list[Statement] = []

    def keep(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        sent.append((statement, values))

    event.listen(engine, "before_cursor_execute", keep)
    yield sent
    event.remove(engine, "before_cursor_execute", keep)


if __name__ == "__main__":
    main()
