from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.types import Message, Receive, Scope, Send

from db.engine import make_engine
from reminders.services.reminding import record_pass
from reminders.web.guard import HEADERS, Guard
from tests.web.serving import NOW, Heard, a_carrier, asking, post, some_parts

ROUTES = [
    "/",
    "/healthz",
    "/metrics",
    "/readyz",
    "/setup/none",
    "/sign-in",
    "/sms/inbound",
    "/sms/probe",
    "/sms/status",
    "/static/status.css",
]


@pytest.mark.parametrize("path", [*ROUTES, "/nothing", "/docs", "/openapi.json"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_keeps_a_browser_in_check(sqlite_engine: Engine, method: str, path: str) -> None:
    """Each route, each refusal and each unknown path carries every header."""
    answer = asking(some_parts(engine=sqlite_engine, carrier=a_carrier())).request(method, path)
    kept = {"Cache-Control": "no-cache"} if answer.status_code == 200 and path.startswith("/static/") else {}

    assert {name: answer.headers[name] for name in HEADERS} == {**HEADERS, **kept}


def test_the_policy_allows_nothing_that_is_not_named() -> None:
    """Only scripts, styles and pictures of ours load, none that stands within a page runs, no form goes elsewhere, nobody frames us."""
    rules = dict(rule.strip().split(" ", 1) for rule in HEADERS["Content-Security-Policy"].split(";"))

    assert rules == {
        "default-src": "'none'",
        "script-src": "'self'",
        "connect-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }


def test_an_error_nobody_expected_carries_the_headers_too() -> None:
    """A fault of ours is no hole in the policy."""
    heard = Heard(fails=RuntimeError())
    answer = post(asking(some_parts(heard, carrier=a_carrier())), "/sms/status", [])

    assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_can_be_asked_by_head(sqlite_engine: Engine, path: str) -> None:
    """A balancer may ask for the head alone."""
    record_pass(sqlite_engine, "build", now=NOW)

    assert asking(some_parts(engine=sqlite_engine)).head(path).status_code == 200


def test_alive_means_that_it_answers() -> None:
    """Alive looks at nothing: not even a database that is away."""
    away = some_parts(engine=make_engine("postgresql://nobody@127.0.0.1:1/nothing"))

    assert asking(away).get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(("age", "status"), [(timedelta(seconds=44), 200), (timedelta(seconds=46), 503)])
def test_ready_means_that_the_loop_is_alive(sqlite_engine: Engine, age: timedelta, status: int) -> None:
    """A loop that has not finished a pass for 45 s makes the process unfit."""
    record_pass(sqlite_engine, "build", now=NOW - age)

    assert asking(some_parts(engine=sqlite_engine)).get("/readyz").status_code == status


def test_what_was_looked_at_is_said(sqlite_engine: Engine) -> None:
    """Each check says whether it holds, and how it stands."""
    found = asking(some_parts(engine=sqlite_engine)).get("/readyz").json()

    assert (found["ok"], found["checks"]["loop"], found["checks"]["database"]) == (
        False,
        {"ok": False, "says": "no pass yet"},
        {"ok": True, "says": "answers"},
    )


def test_the_page_without_its_database_is_a_503() -> None:
    """The page fails as everything does: plainly."""
    away = some_parts(engine=make_engine("postgresql://nobody@127.0.0.1:1/nothing"))
    answer = asking(away).get("/")

    assert (answer.status_code, answer.json()["title"]) == (503, "Service Unavailable")


def test_the_apps_life_is_what_it_is_given() -> None:
    """What must live as long as the app, a sender's connections say, is opened and closed around it."""
    life: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        life.append("opened")
        yield
        life.append("closed")

    with asking(replace(some_parts(), lifespan=lifespan)) as client:
        client.get("/healthz")
        life.append("asked")

    assert life == ["opened", "asked", "closed"]


def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    """An error in the middle of an answer ends it; there is no second head."""
    sent: list[MutableMapping[str, Any]] = []

    async def breaks_off(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Guard(breaks_off)({"type": "http", "method": "GET", "path": "/"}, receive, send))

    assert [message["type"] for message in sent] == ["http.response.start"]
