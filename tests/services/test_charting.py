"""A patient's chart: every dose of some weeks and the slots to come, and nobody else's."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from reminders.services import charting
from reminders.services.charting import Chart
from tests.files import a_consent
from tests.stage import Stage, patient, phase, plan

CLINIC, HADDAD = "harbor-clinic", "Dr. Noor Haddad"
STEPS = (phase("5/5/5", 3), phase("10/10/10"))
BERTA: dict[str, Any] = {"ref": "berta", "name": "Berta Lund", "phone": "+12025550107", "consent": a_consent("Berta Lund")}


def the_chart(stage: Stage, ref: str = "ana", *, first: date | None = None) -> Chart:
    """A patient's chart, by their reference."""
    (row,) = (row for row in stage.rows("patient") if row["ref"] == ref)
    return charting.page(stage.engine, CLINIC, row["id"], by=HADDAD, now=stage.now, first=first).chart


def letters(chart: Chart) -> dict[str, str]:
    """The letters of each date, in order; a dot is still to come."""
    found: dict[str, str] = {}
    for cell in chart.plans[0].cells:
        day = f"{cell.local_date:%m-%d}"
        found[day] = found.get(day, "") + (cell.mark or ".")
    return found


def test_doses_behind_and_slots_ahead(engine: Engine) -> None:
    """What fell due has its letter, what is to come has none; three weeks back and two ahead are shown."""
    with Stage(engine, patient(plan(*STEPS, advance="as_prescribed"), told=True)) as stage:
        stage.answers("03-02 08:05", "03-02 14:05", "03-02 23:30")
        stage.says("2", "03-03 13:30")
        stage.run_until("03-03 13:31")
        chart = the_chart(stage)
        (mine,) = chart.plans

        assert (chart.span.first, chart.span.end) == (date(2026, 2, 10), date(2026, 3, 17))
        assert letters(chart)["03-02"] == "TTL"
        assert letters(chart)["03-03"][1:] == ".."
        assert {day for day, marks in letters(chart).items() if marks == "..."} == {f"03-{n:02}" for n in range(4, 17)}
        assert (mine.phase.number, mine.phase.starts, mine.phase.ends) == (1, date(2026, 3, 2), date(2026, 3, 5))
        assert mine.next_phase is not None
        assert mine.next_phase.starts == date(2026, 3, 5)
        assert [(line.role.value, line.name, line.after_misses) for line in chart.lines if line.role == "caregiver"] == [
            ("caregiver", "Rui Silva", 2)
        ]
        assert chart.own is not None
        assert chart.own.phone == "+12025550101"


def test_other_weeks() -> None:
    """A date in the address moves the weeks; one that no calendar of ours has shows today's."""
    with Stage.on_paper(patient(plan(*STEPS))) as stage:
        stage.run_until("03-03 12:00")
        later, odd = the_chart(stage, first=date(2026, 6, 1)), the_chart(stage, first=date(9999, 12, 30))
        marks = Counter(cell.mark for cell in later.plans[0].cells)

        assert marks == {None: 35 * 3}
        assert later.plans[0].cells[0].local_date == date(2026, 6, 1)
        assert later.plans[0].cells[-1].local_date == date(2026, 7, 5)
        assert odd.span == the_chart(stage).span
        assert the_chart(stage, first=date(2025, 1, 1)).plans[0].cells == ()


def test_nothing_comes_while_nothing_is_due() -> None:
    """A suspended plan has no slots ahead; a plan that stays has its steps, but does not say when."""
    with Stage.on_paper(patient(plan(*STEPS, advance="as_prescribed"))) as stage:
        stage.run_until("03-03 12:00")
        stage.acts("stay")
        staying = the_chart(stage).plans[0]
        stage.acts("suspend")
        suspended = the_chart(stage).plans[0]

        assert [(phase.number, phase.starts is None) for phase in staying.phases] == [(1, False), (2, True)]
        assert any(cell.mark is None for cell in staying.cells)
        assert not any(cell.mark is None for cell in suspended.cells)
        assert suspended.state == "suspended"


def test_nobody_elses() -> None:
    """Of two patients each has their own doses, alerts and evidence."""
    berta = plan(phase("20/20/20"), ref="berta-baclofen", approved_by=HADDAD)
    with Stage.on_paper(patient(plan(*STEPS, advance="as_prescribed")), patient(berta, **BERTA)) as stage:
        stage.run_until("03-04 12:00")
        ana, other = the_chart(stage), the_chart(stage, "berta")

        assert {str(cell.amount) for cell in other.plans[0].cells} == {"20"}
        assert {str(cell.amount) for cell in ana.plans[0].cells} == {"5", "10"}
        assert len(ana.alerts) == len(other.alerts) > 0
        assert not {alert.id for alert in ana.alerts} & {alert.id for alert in other.alerts}
        assert [(one.kind, one.given_by, one.phone) for one in other.consents] == [("given", "Berta Lund", "+12025550107")]


def test_what_is_known_of_medicines() -> None:
    """A medicine says what it does beside the plan, with the source; one that came off is kept; who said what of the list stands below."""
    with Stage.on_paper(patient(plan(*STEPS), medicines=["aspirin"])) as stage:
        stage.acts("add_medicine", "03-02 12:00", medicine="diazepam 5 mg", reason="sleep")
        stage.acts("acknowledge", reason="both are needed")
        stage.acts("remove_medicine", medicine="aspirin", reason="no more")
        chart = the_chart(stage)

        assert [(one.name, bool(one.does), one.removed_at is None) for one in chart.medicines] == [
            ("diazepam 5 mg", True, True),
            ("aspirin", False, False),
        ]
        assert {event.kind for event in chart.list_events} == {"medicine removed", "interaction acknowledged", "medicine added"}


def test_a_dose_that_staff_set_right() -> None:
    """It says so, and one told as odd says that too until somebody has looked."""
    with Stage.on_paper(patient(plan(*STEPS))) as stage:
        stage.says("took two", "03-02 08:10")
        odd = the_chart(stage).plans[0].cells[0]
        stage.acts("acknowledge", reason="called")
        looked = the_chart(stage).plans[0].cells[0]

        assert (odd.odd, odd.corrected) == (True, False)
        assert (looked.odd, looked.corrected) == (False, True)


@pytest.mark.parametrize("days", [0, 400])
def test_a_chart_is_bounded(days: int) -> None:
    """However long a plan runs, no more than the weeks shown are read."""
    with Stage.on_paper(patient(plan(phase("5/5/5")))) as stage:
        stage.outage(stage.now + timedelta(days=days))
        chart = the_chart(stage)

        assert len(chart.span.days) == 35
        assert {cell.local_date for cell in chart.plans[0].cells} <= set(chart.span.days)


def test_the_gravest_alert_stands_first(engine: Engine) -> None:
    """What was raised last but cannot wait is read before what has waited since yesterday."""
    with Stage(engine, patient(plan(*STEPS, advance="as_prescribed"))) as stage:
        stage.run_until("03-03 21:00")
        stage.says("I had a seizure", "03-03 21:01")
        shown = [alert.severity for alert in the_chart(stage).alerts]

        assert (shown[0], shown[1:] != [], "emergency" in shown[1:]) == ("emergency", True, False)
