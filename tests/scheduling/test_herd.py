from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from db.engine import reading
from db.tables import metadata
from tests.scheduling.enrolled import LABELS, count, due_at, enrol, shelve_another_medicine
from tests.scheduling.replica import replicas
from tests.scheduling.wall import NOON, until

MINUTE = timedelta(minutes=1)
TEXT = metadata.tables["text_out"]


@pytest.mark.parametrize("patients", [1_000, pytest.param(20_000, marks=pytest.mark.night)])
def test_a_herd_is_told_once(postgres_engine: Engine, patients: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two replicas that meet many patients at one minute, half with two medicines, record each dose once and tell each patient once."""
    another = shelve_another_medicine(monkeypatch)
    one, two = due_at(NOON, LABELS[0]), due_at(NOON, LABELS[1], drug=another)
    enrol(postgres_engine, one, now=NOON - MINUTE, patients=patients // 2)
    enrol(postgres_engine, one, two, now=NOON - MINUTE, patients=patients // 2)
    doses = patients // 2 * 3
    with replicas(2, postgres_engine.url.render_as_string(hide_password=False), NOON):
        until(lambda: count(postgres_engine, "dose") == doses, within=3_000)
    with reading(postgres_engine) as connection:
        told = connection.execute(select(func.count(func.distinct(TEXT.c.patient_id))).select_from(TEXT)).scalar_one()
    texts, items, left = (
        count(postgres_engine, "text_out"),
        count(postgres_engine, "text_item"),
        count(postgres_engine, "plan", next_due_at=NOON),
    )

    assert (told, texts, items, left) == (patients, patients, doses, 0)
