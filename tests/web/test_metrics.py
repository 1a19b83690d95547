from __future__ import annotations

import re
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine
from starlette.testclient import TestClient

from db.engine import make_engine, writing
from reminders.clock import HandClock
from reminders.services.records import troubles
from reminders.services.records.troubles import Trouble
from reminders.services.replying import receive
from reminders.web.counting import Outcome
from tests.web.clinic import HER_NAMES, HER_NUMBERS, MORNING, a_morning, opened
from tests.web.serving import NOW, Heard, a_carrier, a_text, asking, post, some_parts

Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(client: TestClient) -> Samples:
    """Read the figures as a scraper does: name, values of the labels in the order of their names, and the value."""
    answer = client.get("/metrics")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; version=1.0.0; charset=utf-8")
    found = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {(sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value for sample in found}


def test_webhooks_are_counted_by_path_and_outcome(sqlite_engine: Engine) -> None:
    """Each counter is there from the first, at nought, and rises by one."""
    client = asking(some_parts(Heard(answer="hello"), carrier=a_carrier(), engine=sqlite_engine))
    before = samples(client)
    post(client, "/sms/inbound", a_text())
    post(client, "/sms/inbound", a_text(), token="f" * 32)
    after = samples(client)
    rose = {key: after[key] - before[key] for key in before if after[key] != before[key]}

    assert rose == {
        ("doseline_webhooks_total", ("accepted", "inbound")): 1,
        ("doseline_webhooks_total", ("unsigned", "inbound")): 1,
        ("doseline_strangers_answered_total", ()): 1,
    }
    assert len([key for key in before if key[0] == "doseline_webhooks_total"]) == 2 * len(Outcome)


def test_the_ledgers_figures_are_read_when_they_are_asked_for(sqlite_engine: Engine) -> None:
    """Gauges show the ledger as it is now, ages in seconds."""
    opened(sqlite_engine)
    clock = HandClock(MORNING)
    client = asking(some_parts(engine=sqlite_engine, clock=clock))
    before = samples(client)
    a_morning(sqlite_engine)
    with writing(sqlite_engine) as c:
        troubles.begin(c, Trouble.CLOCK, "a clock is off", now=MORNING, of="host-1")
    clock.advance(timedelta(seconds=30))
    after = samples(client)

    assert (before["doseline_oldest_overdue_dose_seconds", ()], after["doseline_oldest_overdue_dose_seconds", ()]) == (5 * 3600 + 300, 0)
    assert (before["doseline_texts_lately", ("accepted",)], after["doseline_texts_lately", ("accepted",)]) == (0, 1)
    assert (before["doseline_trouble", ("clock",)], after["doseline_trouble", ("clock",)]) == (0, 1)
    assert after["doseline_ledger_answers", ()] == 1


def test_without_the_ledger_the_counters_still_stand() -> None:
    """A database that is away is a figure too, and hides no other."""
    client = asking(some_parts(engine=make_engine("postgresql://nobody@127.0.0.1:1/nothing"), carrier=a_carrier()))
    post(client, "/sms/inbound", a_text())
    found = samples(client)

    assert (found["doseline_ledger_answers", ()], found["doseline_webhooks_total", ("accepted", "inbound")]) == (0, 1)
    assert not any(name.startswith("doseline_trouble") for name, _ in found)


def test_no_figure_tells_of_a_person(sqlite_engine: Engine) -> None:
    """No name, number, reference or word of a text is in any line."""
    opened(sqlite_engine)
    a_morning(sqlite_engine)
    receive(sqlite_engine, sid="SM1", from_phone="+12025550101", to_phone="", body="canary", received_at=MORNING, now=MORNING)
    client = asking(some_parts(engine=sqlite_engine, clock=HandClock(MORNING), carrier=a_carrier()))
    post(client, "/sms/inbound?canary=canary", a_text("canary"))
    text = client.get("/metrics").text

    assert [secret for secret in (*HER_NAMES, *HER_NUMBERS, "ana", "canary", "Harbor") if re.search(rf"\b{secret}\b", text)] == []


def test_every_app_counts_for_itself(sqlite_engine: Engine) -> None:
    """Two apps in one process share no counter, and none is in the library's own registry."""
    one, other = (asking(some_parts(engine=sqlite_engine, carrier=a_carrier())) for _ in range(2))
    post(one, "/sms/inbound", a_text())
    key = "doseline_webhooks_total", ("accepted", "inbound")

    assert (samples(one)[key], samples(other)[key]) == (1, 0)
    assert [family.name for family in REGISTRY.collect() if family.name.startswith("doseline")] == []


@pytest.mark.parametrize(
    ("host", "peer", "headers"),
    [
        ("doseline.example", "127.0.0.1", {}),
        ("127.0.0.1", "10.0.0.9", {}),
        ("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "10.0.0.9"}),
    ],
    ids=["another name", "another machine", "through a proxy"],
)
def test_the_figures_are_for_this_machine_only(sqlite_engine: Engine, host: str, peer: str, headers: dict[str, str]) -> None:
    """Asked from elsewhere, they are not shown."""
    answer = asking(some_parts(engine=sqlite_engine), host=host, peer=peer).get("/metrics", headers=headers)

    assert (answer.status_code, set(answer.json())) == (403, {"type", "title", "status"})


def test_the_watermarks_age_is_there_once_there_is_a_watermark(sqlite_engine: Engine) -> None:
    """A list that was never read has no age rather than a false one."""
    client = asking(some_parts(engine=sqlite_engine))
    with writing(sqlite_engine) as c:
        c.exec_driver_sql(
            "INSERT INTO watermark (name, at) VALUES ('inbound', ?), ('outbound', NULL)",
            (f"{NOW - timedelta(minutes=3):%Y-%m-%d %H:%M:%S}",),
        )
    found = {key: value for key, value in samples(client).items() if key[0] == "doseline_watermark_age_seconds"}

    assert found == {("doseline_watermark_age_seconds", ("inbound",)): 180}
