"""A database that goes away while texts go out: cut off, or fallen silent with everything in it."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from os import dup
from threading import Event

import pytest
from sqlalchemy import Engine

from db.engine import make_engine
from tests.replicas.between import Wire
from tests.replicas.conftest import Site
from tests.replicas.due import accepted, fall_due, once_each, rows, told
from tests.replicas.serving import PRODUCTION, QUICK, Spans, asked, stop
from tests.scheduling.enrolled import column
from tests.scheduling.wall import until

LONG = (pytest.mark.night, pytest.mark.timeout(7200))
PACE = 100.0
BACK = 30.0
"""Seconds after its return within which the work must go on."""

STRANGER = f"+1{299}5550100"  # of an area code that no patient here has


@dataclass(frozen=True)
class Absence:
    """How a database goes away, and what Twilio may get of a webhook meanwhile (0, -1: no answer in time)."""

    begin: Callable[[Wire], AbstractContextManager[None]]
    answers: set[int]


@dataclass(frozen=True)
class Outages:
    """How long the database is away, in seconds, again and again, while so many patients are texted."""

    lasting: tuple[float, ...]
    patients: int
    spans: Spans


CUT, STALLED = Absence(Wire.cut, {503}), Absence(Wire.stalled, {0, -1, 200, 503})
DAY = Outages((3,), 400, QUICK)
NIGHT = Outages((10, 60, 31, 17, 44, 12, 25, 53), 2_000, PRODUCTION)


@pytest.mark.parametrize("outages", [DAY, pytest.param(NIGHT, marks=LONG)], ids=["day", "night"])
@pytest.mark.parametrize("absence", [CUT, STALLED], ids=["cut", "stalled"])
def test_a_database_that_goes_away_loses_and_doubles_nothing(site: Site, absence: Absence, outages: Outages) -> None:
    """Meanwhile webhooks are refused, to be brought again, and the process lives; the work goes on within 30 s of its return."""
    numbers = range(len(outages.lasting))
    with Wire(site.orders.database_url) as wire, ThreadPoolExecutor(1) as carrier:
        due = fall_due(site.engine, outages.patients)
        replica = site.start(replace(site.orders, database_url=wire.url, pace=PACE, spans=outages.spans))
        said = []
        for no in numbers:
            until(partial(site.has_accepted, len(site.twilio.messages) + 30), within=60)
            with absence.begin(wire):
                said.append(carrier.submit(say, site, no))
                Event().wait(outages.lasting[no])
                assert asked(site.listening, "/healthz", within=2)[0] == 200
            until(partial(site.has_accepted, len(site.twilio.messages) + 1), within=BACK)
        heard = {one.result() for one in said}
        again = {say(site, no) for no in numbers}
        until(lambda: accepted(site.engine) == outages.patients, within=2 * outages.spans.bound + 60)
        stop(replica)

    assert (heard <= absence.answers, again) == (True, {200})
    assert (told(site.twilio), rows(site.engine)) == (Counter(due), once_each(outages.patients))
    assert column(site.engine, "text_in", "sid") == [sid_of(no) for no in numbers]


def sid_of(no: int) -> str:
    """The id of a text that somebody sends."""
    return f"SM{'e' * 28}{no:04}"


def say(site: Site, no: int) -> int:
    """Let a text come in, from a number that nobody knows; return the answer's HTTP status."""
    return site.twilio.say(f"{site.orders.public_url}/sms/inbound", from_phone=STRANGER, body="hello", sid=sid_of(no))[0]


def test_a_server_that_is_gone_without_a_word_is_given_up_in_seconds(postgres_engine: Engine) -> None:
    """The system would wait a quarter of an hour for what was sent, and two hours for an answer; no chore may hang for so long."""
    with Wire(postgres_engine.url.render_as_string(hide_password=False)) as wire:
        engine = make_engine(wire.url)
        with engine.connect() as connection:
            descriptor = connection.connection.driver_connection.fileno()  # type: ignore[union-attr]  # psycopg's own
            with socket.socket(fileno=dup(descriptor)) as near:
                names = (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
                sent, silent, between, tries = (near.getsockopt(socket.IPPROTO_TCP, name) for name in names)
        engine.dispose()

    assert (sent, silent + between * tries) == (15_000, 19)
