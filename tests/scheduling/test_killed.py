from __future__ import annotations

import subprocess
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from tests.scheduling.enrolled import LABELS, count, due_at, enrol, shelve_another_medicine
from tests.scheduling.replica import replicas, start
from tests.scheduling.wall import NOON, until

MINUTE = timedelta(minutes=1)
LIMIT = 5


def kill_one(workers: list[subprocess.Popen[bytes]], engine: Engine) -> None:
    """Kill -9 the worker that has been at it the longest, at some moment of a pass, and start another in its place."""
    before = count(engine, "dose")
    until(lambda: count(engine, "dose") > before, within=30)
    oldest = workers.pop(0)
    oldest.kill()
    oldest.communicate()
    workers.append(start(engine.url.render_as_string(hide_password=False), NOON, limit=LIMIT))


@pytest.mark.parametrize(("workers", "kills"), [(2, 2), pytest.param(3, 60, marks=pytest.mark.night)])
def test_killed_replicas_lose_and_double_nothing(engine: Engine, workers: int, kills: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many replicas are killed in the middle of a pass, each dose is recorded once and each patient told once."""
    if engine.dialect.name == "sqlite":
        workers = 1  # a file has one server; a second is refused at its start
    another = shelve_another_medicine(monkeypatch)
    patients = 120 * kills
    enrol(engine, due_at(NOON, LABELS[0]), due_at(NOON, LABELS[1], drug=another), now=NOON - MINUTE, patients=patients)
    with replicas(workers, engine.url.render_as_string(hide_password=False), NOON, limit=LIMIT) as alive:
        for _ in range(kills):
            kill_one(alive, engine)
        cut_short = count(engine, "dose") < 2 * patients
        until(lambda: count(engine, "dose") >= 2 * patients, within=1_000)

    assert (cut_short, count(engine, "dose"), count(engine, "text_out"), count(engine, "text_item")) == (
        True,
        2 * patients,
        patients,
        2 * patients,
    )
