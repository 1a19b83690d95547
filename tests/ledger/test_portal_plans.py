"""How PostgreSQL reads what the portal's pages ask for: by an index, and no more of a table than a page needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from reminders.domain.plan_state import PlanState
from reminders.domain.queues import Queue
from reminders.domain.roles import StaffRole
from reminders.services import charting, queueing, rostering
from reminders.services.rostering import Filters
from tests.many_patients import CLINIC, NOW, NURSE, seed

FEW, DAY, NIGHT = 3_000, 10_000, 100_000
MOST_READ = 0.1
"""What share of a large table's rows one step may pass, however it finds them, where there are as many as at night."""

OURS = {"asked_by": "a test"}
"""Marks what no page asks."""

Work = Callable[[Engine], object]


def roster(after: str | None = None, **filters: Any) -> Work:  # noqa: ANN401 - as `Filters` has them
    """Look at a page of the roster."""
    return lambda engine: rostering.roster(engine, CLINIC, by=NURSE, filters=Filters(**filters), now=NOW, after=after)


def queue(which: Queue) -> Work:
    """Look at a page of a queue."""
    return lambda engine: queueing.page(engine, CLINIC, which, by=NURSE, roles={StaffRole.STAFF}, now=NOW)


def from_the_middle(engine: Engine) -> object:
    """Go on in the middle of those without an alert."""
    with engine.connect().execution_options(**OURS) as c:
        half = "SELECT id FROM patient WHERE severity_rank = 4 ORDER BY name, id OFFSET (SELECT count(*) / 2 FROM patient) LIMIT 1"
        middle = c.exec_driver_sql(half).scalar_one()
    return roster(f"p{middle}")(engine)


def from_the_grave(engine: Engine) -> object:
    """Go on after the first page of those with an alert."""
    first = rostering.roster(engine, CLINIC, by=NURSE, filters=Filters(), now=NOW)
    return roster(first.after)(engine)


def patient(engine: Engine) -> object:
    """Look at the gravest patient."""
    first = rostering.roster(engine, CLINIC, by=NURSE, filters=Filters(), now=NOW, limit=1)
    return charting.page(engine, CLINIC, first.lines[0].patient_id, by=NURSE, now=NOW)


PAGES: Mapping[str, Work] = {
    "first": roster(),
    "second": from_the_grave,
    "middle": from_the_middle,
    "suspended": roster(state=PlanState.SUSPENDED),
    "staying": roster(state=PlanState.STAYING),
    "active": roster(state=PlanState.ACTIVE),
    "nobody's state": roster(state=PlanState.APPROVED),
    "drug": roster(drug="gabapentin-ir"),
    "drug of nobody": roster(drug="pregabalin"),
    "suspended, and a drug": roster(state=PlanState.SUSPENDED, drug="tizanidine"),
    "urgent": roster(severity="urgent"),
    "none open": roster(severity="none"),
    "urgent, and staying": roster(severity="urgent", state=PlanState.STAYING),
    "a name": roster(text="ana marsh"),
    "two letters": roster(text="ma"),
    "two letters, and suspended": roster(text="ma", state=PlanState.SUSPENDED),
    "nobody": roster(text="qqq"),
    "a reference": roster(text="mrn-77"),
    "a number": roster(text="+1 202 555 0100 0012"),
    "four digits": roster(text="0012"),
    "counts": lambda engine: queueing.counted(engine, CLINIC, by=NURSE),
    **{f"queue of {which.value}": queue(which) for which in Queue},
    "patient": patient,
}


AT_NIGHT_ONLY = {"queue of signs", "queue of misses", "queue of other"}
"""What means hundreds of some thousand patients: of so few PostgreSQL rightly reads all, some hundred blocks, instead of picking."""


@contextmanager
def explained(engine: Engine) -> Iterator[list[str]]:
    """Keep, of each statement sent meanwhile, where its plan reads a large table from end to end, or more rows than a page needs."""
    found: list[str] = []
    with engine.connect() as c:
        known = c.exec_driver_sql("SELECT relname, reltuples::int FROM pg_class WHERE relkind = 'r'")
        rows = {str(name): int(number) for name, number in known}
    large = {name for name, number in rows.items() if number >= rows["patient"]}

    def explain(connection: Any, _cursor: object, statement: str, values: Any, *_: object) -> None:  # noqa: ANN401 - the driver's
        if not statement.startswith("SELECT") or OURS.items() <= connection.get_execution_options().items():
            return
        with connection.engine.connect() as other:
            raw = other.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values).scalar_one()
        plan = json.loads(raw) if isinstance(raw, str) else raw
        for node in nodes(plan[0]["Plan"]):
            table, read = node.get("Relation Name"), passed(node)
            if table in large and (node["Node Type"] == "Seq Scan" or (rows["patient"] >= NIGHT and read > MOST_READ * rows[table])):
                found.append(f"{node['Node Type']} {table} {read}: {' '.join(statement.split())[:400]}")

    event.listen(engine, "before_cursor_execute", explain)
    yield found
    event.remove(engine, "before_cursor_execute", explain)


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every step of a plan."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def passed(node: Mapping[str, Any]) -> float:
    """How many rows a step has passed, those among them that it threw away."""
    thrown = (
        node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0) + node.get("Rows Removed by Join Filter", 0)
    )
    return float((node["Actual Rows"] + thrown) * node["Actual Loops"])


def read_too_much(engine: Engine, pages: Mapping[str, Work] = PAGES) -> dict[str, list[str]]:
    """By page, what is read from end to end, or beyond what a page needs."""
    found = {}
    for name, work in pages.items():
        with explained(engine) as told:
            work(engine)
        if told:
            found[name] = told
    return found


@pytest.mark.timeout(600)  # to fill a clinic takes its time where others work too
def test_no_page_reads_a_whole_table(postgres_engine: Engine) -> None:
    """Each statement of each page finds its rows by an index; as PostgreSQL plans and runs it, with its own settings."""
    seed(postgres_engine, DAY)

    assert read_too_much(postgres_engine, {name: work for name, work in PAGES.items() if name not in AT_NIGHT_ONLY}) == {}


@pytest.mark.timeout(600)
def test_a_page_that_reads_a_whole_table_is_found(postgres_engine: Engine) -> None:
    """Without the index of those who have no alert, the roster is."""
    seed(postgres_engine, FEW)
    with postgres_engine.begin() as c:
        c.exec_driver_sql("DROP INDEX ix_patient_calm")
    with explained(postgres_engine) as found:
        roster(severity="none")(postgres_engine)

    assert [told.split()[:3] for told in found] == [["Seq", "Scan", "patient"]]


@pytest.mark.night
@pytest.mark.timeout(3600)
def test_no_page_reads_a_whole_table_of_a_hundred_thousand(postgres_engine: Engine) -> None:
    """The same with as many patients as the pages are made for."""
    seed(postgres_engine, NIGHT)

    assert read_too_much(postgres_engine) == {}
