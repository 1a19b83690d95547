"""Whole replicas on one PostgreSQL, and what the stand-in for Twilio accepted from them all."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from socket import socket

import pytest

from tests.replicas.conftest import Site
from tests.replicas.due import accepted, fall_due, once_each, rows, standing, told
from tests.replicas.serving import address, asked, start, stop
from tests.scheduling.enrolled import count
from tests.scheduling.wall import until

LONG = (pytest.mark.night, pytest.mark.timeout(7200))


@pytest.mark.parametrize("ahead", [7200, -2.5, pytest.param(-7200, marks=pytest.mark.night), pytest.param(2.5, marks=pytest.mark.night)])
def test_a_replica_whose_clock_is_wrong_leaves_the_work_to_the_others(site: Site, ahead: float) -> None:
    """It claims nothing, says so, and from thirty seconds on is not ready; a right one does all the work, once."""
    due = fall_due(site.engine, 150)
    with address() as its_own:
        wrong = start(replace(site.orders, ahead=ahead), its_own)
        until(lambda: standing(site.engine), within=30)
        until(lambda: "last pass" in its_loop(its_own), within=30)
        alone = count(site.engine, "dose"), len(site.twilio.messages), asked(its_own, "/readyz")[0]
        right = site.start()
        until(lambda: accepted(site.engine) == len(due), within=60)
        still = standing(site.engine)
        stop(right)
        stop(wrong)

    assert (alone, len(still)) == ((0, 0, 503 if abs(ahead) > 30 else 200), 1)
    assert (told(site.twilio), rows(site.engine)) == (Counter(due), once_each(len(due)))


def its_loop(listening: socket) -> str:
    """What a replica says of its own loop."""
    return str(json.loads(asked(listening, "/readyz")[1])["checks"]["loop"]["says"])


@dataclass(frozen=True)
class Rolling:
    """So many replicas, ended and started again so often while so many patients' doses are worked off, so many a second."""

    replicas: int
    restarts: int
    patients: int
    pace: float


@pytest.mark.parametrize("rolling", [Rolling(3, 4, 1_000, 200), pytest.param(Rolling(5, 100, 50_000, 300), marks=LONG)], ids=["3", "5"])
def test_a_rolling_restart_loses_and_doubles_nothing(site: Site, rolling: Rolling) -> None:
    """Replicas ended and started one after the other while their work drains: each dose recorded once, each patient texted once."""
    due = fall_due(site.engine, rolling.patients)
    site.twilio.call_back()
    orders = replace(site.orders, pace=rolling.pace)
    at_work = [site.start(orders) for _ in range(rolling.replicas)]
    in_the_middle = 0
    for no in range(rolling.restarts):
        until(partial(site.has_accepted, rolling.patients * (no + 1) // (rolling.restarts + 1)), within=3_000)
        in_the_middle += not site.has_accepted(rolling.patients)
        stop(at_work.pop(0))
        at_work.append(site.start(orders))
    until(lambda: accepted(site.engine) >= rolling.patients, within=3_000)
    for process in at_work:
        stop(process)

    assert in_the_middle >= rolling.restarts // 2  # the machine may be too busy to start them in time
    assert (told(site.twilio), rows(site.engine)) == (Counter(due), once_each(rolling.patients))
