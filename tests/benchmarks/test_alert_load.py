from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from benchmarks.alert_load import BEGIN, END, PAGE, assumptions, by_arithmetic, default_panels, figures, table, written
from benchmarks.panel.behaviour import Model, Person, Slot, minutes
from benchmarks.panel.playing import FIRST, Panel, Scenario, Tally, ledgers_of, play, working_days
from db.engine import reading
from db.tables import metadata
from reminders.services.opening import in_memory

SMALL = Scenario(0.6, patients=3, days=5, seed=7)
Row = dict[str, Any]
Ledger = dict[str, list[Row]]
TABLES = ("alert", "text_out", "text_in", "dose", "dose_event", "plan", "plan_stay", "patient", "question")


@pytest.fixture(scope="module")
def small() -> Iterator[tuple[Tally, Ledger]]:
    """A panel of three over five days: what the benchmark counts, and everything in its ledger."""
    engine = in_memory()
    panel = Panel(engine, SMALL, range(SMALL.patients))
    panel.run()
    with reading(engine) as c:
        ledger = {name: [dict(row) for row in c.execute(select(metadata.tables[name])).mappings()] for name in TABLES}
    yield panel.tally(), ledger
    engine.dispose()


def test_it_counts_what_the_ledger_holds(small: tuple[Tally, Ledger]) -> None:
    """Alerts, and texts that left, are those of the ledger; there are some of each, or nothing would be shown."""
    tally, ledger = small
    alerts = Counter((alert["severity"], alert["kind"]) for alert in ledger["alert"])
    texts = Counter(text["purpose"] for text in ledger["text_out"] if text["sent_at"] is not None)

    assert (tally.alerts, tally.texts, tally.patients) == (alerts, texts, 3)
    assert {"misses", "caregivers_told"} <= {kind for _, kind in alerts}


def test_a_rate_is_of_patients_and_days(small: tuple[Tally, Ledger]) -> None:
    """The table's figures are per 100 patients a day: 15 patient-days here; and the nurse's per working day, of which there are five."""
    tally, ledger = small
    shown = figures(SMALL, tally)
    to_act_on = [alert for alert in ledger["alert"] if alert["severity"] != "info"]
    to_caregivers = [text for text in ledger["text_out"] if text["sent_at"] and text["template"].startswith("caregiver_")]

    assert shown["alerts to act on"] == pytest.approx(100 * len(to_act_on) / 15)
    assert shown["caregivers' texts"] == pytest.approx(100 * len(to_caregivers) / 15)
    assert shown["nurse minutes"] == pytest.approx(100 * tally.minutes / 3 / 5)


def test_reminders_are_answered_as_the_seed_has_it(small: tuple[Tally, Ledger]) -> None:
    """A dose is told as taken, at its reminder, exactly where its patient's draw says so."""
    _, ledger = small
    names = {patient["id"]: patient["ref"] for patient in ledger["patient"]}
    told = {event["dose_id"] for event in ledger["dose_event"] if event["kind"] == "said_taken" and not event["recalled"]}
    closed = [dose for dose in ledger["dose"] if dose["state"] not in {"open", "pending"}]
    drawn = {
        dose["id"]
        for dose in closed
        if Person(SMALL.seed, names[dose["patient_id"]], SMALL.rate).answers(Slot(dose["local_date"], dose["slot_no"]))
    }

    assert told & {dose["id"] for dose in closed} == drawn


def test_nothing_waits_for_the_nurse_after_a_sitting(small: tuple[Tally, Ledger]) -> None:
    """Each alert to act on that was raised before the last sitting was taken on by her, or closed before she came."""
    _, ledger = small
    last_sitting = max(alert["acknowledged_at"] for alert in ledger["alert"] if alert["acknowledged_by"] == "Nurse")
    older = [alert for alert in ledger["alert"] if alert["raised_at"] < last_sitting and alert["severity"] != "info"]

    assert [alert["kind"] for alert in older if not alert["acknowledged_at"] and not alert["closed_at"]] == []


def test_who_passes_three_gates() -> None:
    """Who answers everything reaches the fourth phase without a stay; who answers nothing does not, and calls for the nurse."""
    rates = (1.0, 0.0)
    always, never = (play(*ledgers_of(Scenario(rate, patients=1, days=10))[0]) for rate in rates)

    assert (always.passed, always.calls, always.alerts) == (1, 0, Counter())
    assert (never.passed, never.calls > 0) == (0, True)


def test_the_same_seed_tells_the_same() -> None:
    """Played twice a panel comes to the same, another seed to something else."""
    first, again, other = (play(*ledgers_of(Scenario(0.6, patients=2, days=3, seed=seed))[0]) for seed in (7, 7, 8))

    assert first == again
    assert first != other


@pytest.mark.parametrize(("alerts", "cost"), [([], 0), ([1], 8), ([3], 12), ([1, 1], 16), ([2, 1], 18)])
def test_what_a_sitting_costs(alerts: list[int], cost: int) -> None:
    """Eight minutes a patient, and two for each further alert of the same."""
    assert minutes(alerts) == cost


def test_silence_is_uneven_in_people_and_even_in_sum() -> None:
    """The uneven model keeps the rate of the whole; one in twelve answers less than every other text."""
    people = [Person(1, f"p{number}", 0.86, Model.UNEVEN).own_rate for number in range(4000)]

    assert sum(people) / len(people) == pytest.approx(0.86, abs=0.01)
    assert sum(rate < 0.5 for rate in people) / len(people) == pytest.approx(1 / 12, abs=0.015)


def test_a_panel_is_shared_out_whole() -> None:
    """Each patient is on one ledger."""
    numbers = [number for _, part in ledgers_of(Scenario(0.5, patients=95)) for number in part]

    assert numbers == list(range(95))


def test_the_arithmetic_of_the_gate() -> None:
    """At 86 % eight of nine is reached in 63 % of phases, three times running in a quarter."""
    assert [round(by_arithmetic(0.86, gates=gates), 3) for gates in (1, 3)] == [0.634, 0.255]


def test_the_page_is_of_this_benchmark() -> None:
    """The page's table has the columns of the benchmark, a row for each panel that it plays, and the assumptions that it runs by."""
    page = PAGE.read_text("utf-8")
    patients, days, seed = map(int, re.findall(r"^- (\d+) patients, (\d+) days .* seed (\d+)\.$", page, re.MULTILINE)[0])
    panels = default_panels(patients, days, seed)
    lines = table([(panel, Tally(patients=1)) for panel in panels]).splitlines()
    beginnings = [" | ".join(line.split(" | ")[:3]) for line in lines[2:]]

    assert lines[0] in page
    assert [beginning for beginning in beginnings if beginning not in page] == []
    assert assumptions(panels) in page
    assert [(panel.rate, panel.model.value, panel.advance) for panel in panels[4:]] == [
        (0.86, "uneven", "stay_unless_met"),
        (0.86, "independent", "as_prescribed"),
    ]


def test_only_its_part_of_the_page_is_written() -> None:
    """What stands around the tables is left as it was."""
    assert written(f"before {BEGIN} old {END} after", f"{BEGIN} new {END}") == f"before {BEGIN} new {END} after"


def test_working_days() -> None:
    """Twelve days from a Monday hold ten."""
    assert [working_days(days) for days in (1, 5, 7, 12)] == [1, 5, 5, 10]


def test_reasons_are_drawn_as_published() -> None:
    """Of 109 reported misses 30 in a hundred were forgotten: about as many are said to have been."""
    people = [Person(1, f"p{number}", 1.0) for number in range(2000)]
    said = Counter(person.reply("why_not_taken", [], nudge=False, asked_on=FIRST) for person in people)

    assert said["1"] / len(people) == pytest.approx(0.303, abs=0.03)
    assert set(said) == set("12345")
