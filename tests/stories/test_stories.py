"""Stories from enrolment to report, each line of each as it was read through."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from db.engine import reading
from db.tables import metadata
from reminders.formats.story_file import read_story
from reminders.services import supplying
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
    """In quiet hours come reminders of the slots the patient chose, answers, and what cannot wait, to who is on call too; no question."""
    at_night = {
        line["purpose"]
        for line in story[1]
        if line["kind"] == "text_out" and not 8 <= datetime.fromisoformat(line["at"]).astimezone(ZoneInfo(NEW_YORK)).hour < 21
    }
    assert at_night <= {"reminder", "late_reminder", "advice", "answer", "emergency", "staff_alert"}


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


# One patient, three policies


POLICIES = ("as_prescribed", "ask_provider", "stay_unless_met")


def test_only_the_policy_differs() -> None:
    """The three stories of the label's titration tell of one patient, who answers alike: only policy and clinic differ."""

    def of(policy: str) -> tuple[Any, list[Any]]:
        story = story_of(f"label_{policy}")
        (plan,) = story["import"]["patients"][0]["plans"]
        assert plan.pop("advance") == policy
        return story["import"], [event for event in story["events"] if "from" in event]

    assert of("as_prescribed") == of("ask_provider") == of("stay_unless_met")


@pytest.mark.parametrize(
    ("policy", "began"),
    [
        ("as_prescribed", ["03-16", "03-19", "03-22", "03-25"]),
        ("ask_provider", ["03-16", "03-19", "03-24", "03-27"]),
        ("stay_unless_met", ["03-16", "03-19", "03-24", "03-27"]),
    ],
)
def test_what_an_unmet_gate_does(policy: str, began: list[str]) -> None:
    """Two doses of the second phase were not taken. As prescribed it steps on its day; else two days later, all of it."""
    lines = told(f"label_{policy}")
    given = amounts(lines, "ana-baclofen")
    first = [min(day for day, doses in given.items() if doses == "/".join([amount] * 3)) for amount in ("5", "10", "15", "20")]

    assert (first, len(set(given.values()))) == (began, 4)


@pytest.mark.parametrize(
    ("policy", "told_as"),
    [
        ("as_prescribed", [("2026-03-21T22:00:00Z", "gate_unmet")]),
        ("ask_provider", [(f"2026-03-{day}T22:00:00Z", "plan_stays") for day in (18, 21, 26)]),
        ("stay_unless_met", [("2026-03-21T22:00:00Z", "plan_stays")]),
    ],
)
def test_the_provider_is_told_the_evening_before(policy: str, told_as: list[tuple[str, str]]) -> None:
    """Flagged, waiting for a yes, or staying: told at 6 pm of the evening before the step."""
    assert [(line["at"], line["alert"]) for line in told(f"label_{policy}") if line["kind"] == "alert"] == told_as


# A taper, out of medicine on its fourth day

TAPER_A = ["15/15/15"] * 4 + ["10/10/10"] * 4 + ["5/5/5"] * 4 + ["5/5", "5"]


@pytest.mark.parametrize(("name", "given"), [("out_on_day_4", TAPER_A), ("out_on_day_4_and_stay", ["15/15/15"] * 2 + TAPER_A)])
def test_no_cut_is_skipped_and_nothing_is_sped_up(name: str, given: list[str]) -> None:
    """Out of tablets for two hours, the taper goes on as it was signed; with a stay of two days all of it is two days later."""
    engine = empty_ledger()
    lines = [dict(line) for line in play(read_story(story_of(name)), engine=engine)]
    plan = supplying.standing(engine, "ana-taper", now=datetime.fromisoformat("2026-04-01T12:00:00Z"))

    assert list(amounts(lines, "ana-taper").values()) == given
    assert plan.outlook is not None
    assert sum(plan.outlook.left.values()) == 0  # what was counted, lost and fetched is just what was taken


def test_out_of_medicine_does_not_wait() -> None:
    """Running out is urgent in the minute it is told, with the text that names the danger; new tablets close it."""
    lines = told("out_on_day_4")
    minute = [line for line in lines if line.get("at") == "2026-03-19T18:20:00Z"]

    assert [(line["alert"], line["severity"]) for line in minute if line["kind"] == "alert"] == [("out_of_medicine", "urgent")]
    assert [line["body"][15:45] for line in minute if line["kind"] == "text_out"] == ["running out means stopping sud"]


# STOP in mid-taper


def test_stop_ends_the_texts_and_not_the_medicine() -> None:
    """One confirmation and then silence; every dose of those days is due, was not reminded, and none is called missed."""
    lines = [line for line in told("stop_in_mid_taper") if "2026-03-19T18:02" <= line.get("at", "") < "2026-03-22T14:00"]
    of_doses = {(line["local_date"], line["slot_no"]): line["state"] for line in lines if line["kind"] == "dose"}

    assert [line["purpose"] for line in lines if line["kind"] == "text_out"] == ["opt_out"]
    assert ("texts_stopped", "urgent") in alerts(lines, "ana-taper")
    assert Counter(of_doses.values()) == {"not_reminded": 8, "unconfirmed": 1}  # of the one, the reminder had left before


def test_start_takes_it_up_where_the_taper_stands() -> None:
    """The first reminder after START is of the phase that the taper has reached meanwhile, and says that its amount is new."""
    assert said([line for line in told("stop_in_mid_taper") if line.get("at", "") > "2026-03-19T18:02"], "+12025550101", "reminder")[0] == (
        "2026-03-22T18:00:00Z",
        "Sun 2:00 pm dose, new amount: 2 tablets of 5 mg",
    )


# A cross-taper


def test_every_text_says_which_of_two() -> None:
    """While both medicines go on, each text about a dose names A or B, and doses due together travel in one text."""
    lines = [line for line in told("cross_taper") if line["kind"] == "text_out" and line["at"] < "2026-03-23"]
    reminded = [line["at"] for line in lines if line["purpose"] == "reminder"]

    assert [line["body"] for line in lines if not re.search(r"\([AB]\)|\bA\b.*\bB\b|, [AB], ", line["body"])] == []
    assert len(reminded) == len(set(reminded))


def test_an_answer_reaches_its_dose() -> None:
    """A "1" is both, "A" and "B" are one each, "2" is neither: what was told of each day."""
    lines = told("cross_taper")
    days = [f"2026-03-{day}" for day in range(16, 23)]

    assert [doses(lines, "ana-gabapentin", day) for day in days] == [["taken"] * count for count in (1, 2, 3, 3, 3, 3, 3)]
    assert [doses(lines, "ana-pregabalin", day) for day in days] == [*[["taken"] * 2] * 4, ["skipped", "taken"], ["taken"], ["taken"]]


# A seizure at three in the morning


def test_a_red_flag_waits_for_no_morning() -> None:
    """At two past three: the emergency text, and no word about a dose; an emergency for the provider, ten minutes later for the backup.

    Whoever is on call is texted at once, and again until the provider has taken it on, at twenty to four.
    """
    lines = told("seizure_at_three")
    night = [line for line in lines if "2026-03-18T04:00" < line.get("at", "") < "2026-03-18T12:00"]

    assert [(line["at"], line["to"][-2:], line["purpose"]) for line in night if line["kind"] == "text_out"] == [
        ("2026-03-18T07:02:00Z", "01", "emergency"),
        ("2026-03-18T07:02:00Z", "09", "staff_alert"),
        ("2026-03-18T07:12:00Z", "09", "staff_alert"),
        ("2026-03-18T07:22:00Z", "09", "staff_alert"),
    ]
    assert [(line["at"], line["severity"], line["to"]) for line in night if line["kind"] == "alert" and line["alert"] == "red_flag"] == [
        ("2026-03-18T07:02:00Z", "emergency", "provider"),
        ("2026-03-18T07:12:00Z", "emergency", "backup"),
    ]


def test_no_seizure_is_told_at_lower_urgency() -> None:
    """A "no seizure today, all fine" is a warning, is told that nobody watches at night, and confirms no dose."""
    minute = [line for line in told("seizure_at_three") if line.get("at") == "2026-03-20T02:30:00Z"]

    assert [(line["alert"], line["severity"]) for line in minute if line["kind"] == "alert"] == [("red_flag", "warning")]
    assert [line["kind"] for line in minute if line["kind"] not in {"alert", "text_out"}] == []
    assert [line["body"][15:37] for line in minute if line["kind"] == "text_out"] == ["nobody reads texts her"]


# A weekly medicine


def test_a_weekly_dose_four_days_late() -> None:
    """Until five days are over it may be taken, and the next comes on its usual day; a minute later it is left out."""
    lines = told("weekly_four_days_late")

    assert said(lines, "+12025550101", "advice") == [
        ("2026-03-27T14:00:00Z", "you can take the Mon 23 Mar dose until Sat 9:00 am; after that skip it"),
        ("2026-04-11T13:01:00Z", "leave out the Mon 6 Apr dose: the next one is too near"),
    ]
    assert [at for at, _ in said(lines, "+12025550101", "reminder")] == [
        f"2026-{day}T13:00:00Z" for day in ("03-16", "03-23", "03-30", "04-06", "04-13")
    ]


def test_never_two_within_48_hours() -> None:
    """Between two injections there are 48 hours or more."""
    taken = sorted({datetime.fromisoformat(line["taken_at"]) for line in told("weekly_four_days_late") if line.get("taken_at")})

    assert len(taken) == 4
    assert min(later - earlier for earlier, later in pairwise(taken)) >= timedelta(hours=48)


def test_a_weekly_dose_is_chased_on_its_second_day() -> None:
    """Asked about on day 2, and "cannot reach" on day 4: a week is not waited for."""
    lines = [line for line in told("weekly_four_days_late") if "2026-03-24" < line.get("at", "") < "2026-03-27"]

    assert [(line["at"][8:16], line.get("purpose") or line["alert"]) for line in lines if line["kind"] in {"text_out", "alert"}] == [
        ("24T13:00", "question"),
        ("24T14:00", "follow_up"),
        ("26T13:00", "cannot_reach"),
        ("26T17:00", "cannot_reach"),
    ]


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


def amounts(lines: list[Line], plan: str) -> dict[str, str]:
    """The amounts of each date's doses, in order of their slots: {"03-16": "5/5/5"}."""
    found = {(line["local_date"][5:], line["slot_no"]): line["amount"] for line in lines if line["kind"] == "dose" and line["plan"] == plan}
    return {
        day: "/".join(amount for (date, _), amount in sorted(found.items()) if date == day) for day in sorted({day for day, _ in found})
    }


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


# A person in the conversation


def test_what_a_person_has_in_hand() -> None:
    """Of four texts that the machine does not understand the two in the middle are the nurse's, who has them in hand; "1" is the dose's."""
    lines = told("in_a_persons_hands")

    assert [(line["severity"], line["to"]) for line in lines if line.get("alert") == "unreadable"] == [
        ("info", "clinic"),
        ("warning", "Nurse Lee"),
        ("warning", "Nurse Lee"),
        ("info", "clinic"),
    ]
    assert [line["at"][11:16] for line in lines if line.get("purpose") == "menu"] == ["19:02", "19:30"]
    assert [line["at"][11:16] for line in lines if line.get("state") == "taken"] == ["13:05", "19:15"]
