"""Stories from enrolment to report, each line of each as it was read through."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from db.engine import reading
from db.tables import metadata
from reminders.formats.story_file import read_story
from reminders.simulation.demo import demo_story
from reminders.simulation.story import play
from tests.builders import NEW_YORK
from tests.stage import empty_ledger
from tests.stories.telling import DEMO, NAMES, expected, story_of, told

Line = dict[str, Any]


@pytest.fixture(scope="module", params=NAMES)
def story(request: pytest.FixtureRequest) -> tuple[str, list[Line]]:
    """A story's name, and what it tells."""
    return request.param, told(request.param)


def test_every_line(story: tuple[str, list[Line]]) -> None:
    """A story tells what it told when it was last read through, line by line and field by field."""
    name, lines = story
    assert lines == expected(name)


def test_in_order_of_time(story: tuple[str, list[Line]]) -> None:
    """Lines come in order of time, the summary last."""
    *lines, last = story[1]
    assert (sorted(line["at"] for line in lines), last["kind"]) == ([line["at"] for line in lines], "summary")


def test_the_sums_are_right(story: tuple[str, list[Line]]) -> None:
    """What a summary counts is what its story told: each dose once, in the state it was last said to be in."""
    *lines, last = story[1]
    doses = {(line["plan"], line["local_date"], line["slot_no"]): line["state"] for line in lines if line["kind"] == "dose"}
    counts = {plan: Counter(state for (of, *_), state in doses.items() if of == plan) for plan in last["plans"]}
    sums = {
        plan: (found["due"], {state: count for state, count in found.items() if state not in {"due", "adherence"} and count})
        for plan, found in last["plans"].items()
    }
    assert sums == {
        plan: (count.total(), {state: n for state, n in count.items() if state not in {"open", "pending"}})
        for plan, count in counts.items()
    }


def test_nobody_is_woken(story: tuple[str, list[Line]]) -> None:
    """In quiet hours come reminders of the slots the patient chose, and answers; no nudge and no question of ours."""
    at_night = {
        line["purpose"]
        for line in story[1]
        if line["kind"] == "text_out" and not 8 <= datetime.fromisoformat(line["at"]).astimezone(ZoneInfo(NEW_YORK)).hour < 21
    }
    assert at_night <= {"reminder", "late_reminder", "advice", "answer"}


# What no webhook brings


def unconfirmed(lines: list[Line]) -> list[tuple[str, str, int]]:
    """The doses that were ever said to be unconfirmed: (plan, date, number)."""
    return [(line["plan"], line["local_date"], line["slot_no"]) for line in lines if line.get("state") == "unconfirmed"]


def test_half_an_hour_without_our_webhook() -> None:
    """Four answers come while our webhook is down, two of them just before silence would count or a dose close: all are heard in time.

    The one dose of the evening before really was not answered for, so that one false silence more would have told Ana's brother.
    """
    lines = told("webhook_off")

    assert (unconfirmed(lines), said(lines, "+12025550102", "caregiver_alert")) == ([("ana-baclofen", "2026-03-02", 3)], [])


def test_six_hours_deaf() -> None:
    """Webhook and lists down for six hours: doses close unverified, the provider is told so, and every one is amended afterwards.

    Whoever runs this is told after half an hour. Ana's brother hears nothing of it.
    """
    engine = empty_ledger()
    lines = [dict(line) for line in play(read_story(story_of("deaf_for_six_hours")), engine=engine)]
    with reading(engine) as c:
        (misses,) = c.execute(select(metadata.tables["alert"]).where(metadata.tables["alert"].c.kind == "misses")).mappings()
    unverified = {line["slot_no"] for line in lines if line.get("unverified")}
    troubles = [(line["at"][11:16], line["state"]) for line in lines if line["kind"] == "trouble"]

    assert (unverified, doses(lines, "ana-baclofen", "2026-03-03")) == ({1}, ["taken"] * 4)
    assert (troubles, said(lines, "+12025550102", "caregiver_alert")) == ([("12:30", "began"), ("18:01", "over")], [])
    assert ("Not verified: replies may be lost." in misses["words"], misses["close_reason"]) == (True, "a dose was confirmed")


# The demo


@pytest.fixture(scope="module")
def demo() -> list[Line]:
    """What the demo tells."""
    return told(DEMO)


def said(lines: list[Line], phone: str, purpose: str) -> list[tuple[str, str]]:
    """What a phone was sent for a purpose: (instant, first sentence after the clinic's name)."""
    return [
        (line["at"], line["body"].removeprefix("Harbor Clinic: ").split(". ")[0])
        for line in lines
        if line["kind"] == "text_out" and (line["to"], line["purpose"]) == (phone, purpose)
    ]


def states(lines: list[Line], plan: str) -> list[tuple[str, str, int]]:
    """What became of a plan: (date, state, phase)."""
    return [(line["at"][:10], line["state"], line["phase"]) for line in lines if line["kind"] == "plan" and line["plan"] == plan]


def alerts(lines: list[Line], plan: str) -> list[tuple[str, str]]:
    """The alerts of a plan as they were raised: (kind, severity)."""
    return [
        (line["alert"], line["severity"]) for line in lines if line["kind"] == "alert" and line["plan"] == plan and line["to"] != "backup"
    ]


def doses(lines: list[Line], plan: str, day: str) -> list[str]:
    """The last word on each dose of a date, in order."""
    found = {
        line["slot_no"]: line["state"] for line in lines if line["kind"] == "dose" and (line["plan"], line["local_date"]) == (plan, day)
    }
    return [state for _, state in sorted(found.items())]


def test_the_demo_is_the_packaged_one() -> None:
    """The story in this folder is the demo as the package tells it."""
    assert story_of(DEMO) == demo_story()


def test_ana_takes_and_then_skips(demo: list[Line]) -> None:
    """Ana asks about her 8 am dose twice: at 11:40 she may take it, at 12:20 she leaves it out."""
    assert said(demo, "+12025550111", "advice") == [
        ("2026-02-21T16:40:00Z", "you can take the Sat 8:00 am dose until Sat 12:00 pm; after that skip it"),
        ("2026-02-24T17:20:00Z", "leave out the Tue 8:00 am dose: the next one is too near"),
    ]


def test_ana_steps_up_on_time(demo: list[Line]) -> None:
    """Ana answers the question before her first step, and rises every three days."""
    assert states(demo, "ana-baclofen")[1:] == [("2026-02-20", "active", 2), ("2026-02-23", "active", 3), ("2026-02-26", "active", 4)]


def test_ben_falls_silent(demo: list[Line]) -> None:
    """Three silent doses in a row: Ben is asked, his sister is told, the provider is alerted, and the plan stays."""
    assert (alerts(demo, "ben-baclofen"), said(demo, "+12025550122", "caregiver_alert")[0]) == (
        [("caregivers_told", "info"), ("misses", "warning")],
        ("2026-02-26T00:00:00Z", "Ben has not confirmed the last 2 doses"),
    )


def test_ben_goes_on(demo: list[Line]) -> None:
    """Ben's plan stays on its third phase until his provider resumes it, then rises to its last; there it moves with him."""
    after = states(demo, "ben-baclofen")
    stayed = after.index(next(state for state in after if state[1] == "staying"))
    assert [(state, phase) for _, state, phase in after[stayed:]] == [
        ("staying", 3),
        ("active", 3),
        ("active", 4),
        ("active", 5),
        ("active", 6),
        ("active", 6),
    ]


def test_ben_moves(demo: list[Line]) -> None:
    """Ben moves an hour east mid-plan: every dose of the day he moves is due once, at its hour there."""
    reminded = [
        datetime.fromisoformat(line["at"]).astimezone(ZoneInfo(NEW_YORK)).strftime("%H:%M")
        for line in demo
        if line["kind"] == "text_out"
        and line["purpose"] == "reminder"
        and {"plan": "ben-baclofen", "local_date": "2026-03-15"}
        in [{key: dose[key] for key in ("plan", "local_date")} for dose in line["doses"]]
    ]
    assert reminded == ["08:00", "14:00", "20:00"]


def test_chidi_completes(demo: list[Line]) -> None:
    """Chidi runs out on day five, which is urgent at once; with a new supply he tapers to the end."""
    urgent = [line for line in demo if line["kind"] == "alert" and line["alert"] == "out_of_medicine"]
    assert ([(line["plan"], line["severity"]) for line in urgent], states(demo, "chidi-taper")[-1]) == (
        [("chidi-taper", "urgent")],
        ("2026-03-10", "completed", 5),
    )


def test_undelivered_is_not_missed(demo: list[Line]) -> None:
    """Dana's carrier fails one morning: that dose was not reminded, and is nobody's miss."""
    assert doses(demo, "dana-baclofen", "2026-02-24") == ["not_reminded", "taken"]


def test_dana_ends_the_texts(demo: list[Line]) -> None:
    """Dana stops the texts, not the medicine: one confirmation, an urgent alert, and no text until she starts them again."""
    between = [
        line
        for line in demo
        if line["kind"] == "text_out" and line["to"] == "+12025550114" and "2026-03-10T11:45" < line["at"] < "2026-03-16T11:30"
    ]
    assert ([line["purpose"] for line in between], ("texts_stopped", "urgent") in alerts(demo, "dana-baclofen")) == (["opt_out"], True)


def test_emas_father_answers(demo: list[Line]) -> None:
    """Ema is seven: every text goes to her father, and what he answers is hers."""
    to = {line["to"] for line in demo if line["kind"] == "text_out" and any(dose["plan"] == "ema-baclofen" for dose in line["doses"])}
    assert (to, doses(demo, "ema-baclofen", "2026-02-19")) == ({"+12025550125"}, ["taken", "taken"])


def test_the_clocks_change(demo: list[Line]) -> None:
    """New York's clocks go forward on 8 March; Ana's doses stay at 8, 2 and 8."""
    due = [
        line["at"]
        for line in demo
        if line["kind"] == "text_out"
        and line["to"] == "+12025550111"
        and line["purpose"] == "reminder"
        and "2026-03-07T12" < line["at"] < "2026-03-09T12"
    ]
    assert [at[11:16] for at in due] == ["13:00", "19:00", "01:00", "12:00", "18:00", "00:00"]
