"""What holds after every service, whatever people, carriers and clinics do."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from db.engine import reading
from reminders.domain.plan import HOUR, Course
from reminders.domain.schedule import Slot, jumped_slots, next_slot, slots_between
from reminders.errors import NotAllowed
from reminders.services.records import plans
from tests.builders import FOUR, NEW_YORK
from tests.files import File
from tests.stage import ANA, Stage, patient, phase, plan

SAYINGS = (
    "1",
    "2",
    "taken",
    "skipped it",
    "took it just now",
    "missed my dose",
    "took my 8am at 8:10",
    "3",
    "yes",
    "took two",
    "all of them",
    "what?",
)
ACTS = ("stay", "resume", "step_back", "advance", "mute", "unmute", "suspend", "restart", "move_zone", "acknowledge")
ZONES = (NEW_YORK, "Europe/London", "America/Los_Angeles", "Asia/Tokyo", "Asia/Kathmandu")
FAULTS = ("delivered", "undelivered", "sent")
GAP = 2 * HOUR
"""Baclofen's minimum gap."""
MOST = Decimal(80)
"""Baclofen's daily maximum, in mg."""
STORIES = max(settings().max_examples // 8, 1)
"""Twelve by day, hundreds at night."""

PLANS: dict[str, list[File]] = {
    "rising": [plan(phase("5/5/5", 2), phase("5/5/10", 1), phase("10/10/10", 2), phase("15/15/15"))],
    "asking": [plan(phase("5/5", 1, times=("07:00", "22:30")), phase("10/10/10", 1), phase("15/15/15"), advance="ask_provider")],
    "ending": [plan(phase("10/10/10", 2), phase("5/5/5", 1), phase("-/-/5", 1), kind="taper", advance="as_prescribed")],
    "two": [
        plan(phase("5/5/5", 1), phase("10/10/10"), label="A, blue cap"),
        plan(phase("5/5", times=("10:30", "16:30")), ref="ana-second", label="B, red cap", advance="as_prescribed"),
    ],
    "most": [plan(phase("20/20/20", 1), phase("20/20/20/20", times=FOUR), advance="as_prescribed")],
}


class AnyStory(RuleBasedStateMachine):
    """Ana, her phone, her clinic and our machines, in any order."""

    @initialize(kind=st.sampled_from(sorted(PLANS)))
    def begins(self, kind: str) -> None:
        """Enrol Ana; the clocks go forward in six days."""
        self.refs = [entry["ref"] for entry in PLANS[kind]]
        self.clinic = Stage.on_paper(patient(*PLANS[kind], told=True))

    @rule(hours=st.integers(1, 15))
    def time_passes(self, hours: int) -> None:
        """Hours go by, with all that is due in them."""
        self.clinic.run_until(self.clinic.now + hours * HOUR)

    @rule(minutes=st.integers(1, 70))
    def a_while_passes(self, minutes: int) -> None:
        """A while goes by."""
        self.clinic.run_until(self.clinic.now + timedelta(minutes=minutes))

    @rule(hours=st.integers(1, 20))
    def we_are_down(self, hours: int) -> None:
        """Nothing of ours runs for hours."""
        self.clinic.outage(self.clinic.now + hours * HOUR)

    @rule(text=st.sampled_from(SAYINGS))
    def she_writes(self, text: str) -> None:
        """Ana says something."""
        self.clinic.says(text)

    @rule(status=st.sampled_from(FAULTS))
    def the_carrier(self, status: str) -> None:
        """The carrier changes its mind about her phone."""
        self.clinic.carrier(status, 30003 if status == "undelivered" else None)

    @rule(action=st.sampled_from(ACTS), which=st.integers(0, 1), zone=st.sampled_from(ZONES), chosen=st.integers(1, 3))
    def the_clinic(self, action: str, which: int, zone: str, chosen: int) -> None:
        """The clinic acts, where the plan's state permits it."""
        try:
            self.clinic.acts(action, of=self.refs[which % len(self.refs)], zone=zone, phase=chosen)
        except NotAllowed:
            return

    def teardown(self) -> None:
        """Let go of the ledger."""
        if hasattr(self, "clinic"):
            self.clinic.__exit__(None, None, None)
            self.clinic.engine.dispose()

    @invariant()
    def caches_are_true(self) -> None:
        """Both caches of what is due next are what the plans themselves say."""
        cached = {row["id"]: row["next_due_at"] for row in self.clinic.rows("plan")}
        assert cached == {one.id: plans.following(one) for one in self._plans()}
        soonest = min((at for at in cached.values() if at), default=None)
        assert [person["next_due_at"] for person in self.clinic.rows("patient")] == [soonest]

    @invariant()
    def nothing_is_left_due(self) -> None:
        """Whatever was due has been decided: the next slot lies ahead."""
        for one in self._plans():
            assert (
                one.state not in plans.ON_CLOCK
                or (slot := next_slot(one.course, one.decided_until)) is None
                or slot.due_at > self.clinic.now
            )

    @invariant()
    def every_slot_is_one_dose(self) -> None:
        """Each slot that fell due while the plan was on the clock is one dose in one state; and no dose is of no slot.

        One told as taken before it was due stands, though a new version governed by the time it would have been.
        """
        for one in self._plans():
            mine = [dose for dose in self.clinic.rows("dose") if dose["plan_id"] == one.id]
            laid_out = {slot.key for slot in slots_between(one.course, self._start(), self.clinic.now + timedelta(hours=2))}
            jumped = {slot.key for version in one.course.versions for slot in jumped_slots(version)}
            assert len({(dose["local_date"], dose["slot_no"]) for dose in mine}) == len(mine)
            early = {(dose["local_date"], dose["slot_no"]) for dose in mine if _told_early(dose)}
            assert {(dose["local_date"], dose["slot_no"]) for dose in mine} <= laid_out | jumped | early
            gone = self._off_the_clock(one.id)
            due = {
                slot.key
                for slot in slots_between(one.course, self._start(), self.clinic.now + timedelta.resolution)
                if not any(since < slot.due_at <= until or _came_too_late(one.course, slot, since) for since, until in gone)
            }
            assert due <= {(dose["local_date"], dose["slot_no"]) for dose in mine}

    @invariant()
    def announced_once(self) -> None:
        """No two texts of one kind speak of one dose."""
        spoken = Counter((item["dose_id"], item["kind"]) for item in self.clinic.rows("text_item"))
        assert all(count == 1 for count in spoken.values())

    @invariant()
    def one_text_a_minute(self) -> None:
        """Ana never has two reminders in one minute, nor two nudges."""
        sent = Counter((at, purpose) for at, purpose in self.clinic.purposes(to=ANA) if purpose in {"reminder", "follow_up"})
        assert [key for key, count in sent.items() if count > 1] == []

    @invariant()
    def reminders_keep_their_distance(self) -> None:
        """Two doses of the ingredient announced plainly, on time, are never due closer than its minimum gap."""
        plain = {item["dose_id"] for item in self._plain_items()}
        due = sorted({dose["due_at"] for dose in self.clinic.rows("dose") if dose["id"] in plain})
        assert [(a, b) for a, b in pairwise(due) if b - a < GAP] == []

    @invariant()
    def no_day_passes_its_maximum(self) -> None:
        """The doses of one slot date that were announced plainly never add up to more than the daily maximum."""
        plain = {item["dose_id"] for item in self._plain_items()}
        days: defaultdict[date, Decimal] = defaultdict(Decimal)
        for dose in self.clinic.rows("dose"):
            days[dose["local_date"]] += dose["amount"] if dose["id"] in plain else 0
        assert {day: total for day, total in days.items() if total > MOST} == {}

    @invariant()
    def nobody_is_woken(self) -> None:
        """No nudge and no question comes in the quiet hours of where she is."""
        zones = [person["zone"] for person in self.clinic.rows("patient")]
        if zones == [NEW_YORK] and not any(event["kind"] == "moved zone" for event in self.clinic.rows("plan_event")):
            asked = [at[6:] for at, purpose in self.clinic.purposes() if purpose == "follow_up"]
            assert [hour for hour in asked if not "08:00" <= hour < "21:00"] == []

    @invariant()
    def a_stay_is_told(self) -> None:
        """While we keep a plan back, an alert that is open says so, whatever else has been taken back."""
        events = sorted(self.clinic.rows("plan_event"), key=lambda event: event["at"])
        kept_by = {event["plan_id"]: event["by"] for event in events if event["kind"] == "stays"}
        told = {alert["plan_id"] for alert in self.clinic.rows("alert") if alert["closed_at"] is None and alert["stays"]}
        staying = {row["id"] for row in self.clinic.rows("plan") if row["state"] == "staying"}
        assert {plan_id for plan_id in staying if kept_by[plan_id] == "doseline"} <= told

    @invariant()
    def severity_is_that_of_the_open_alerts(self) -> None:
        """What a patient's row says of the gravest open alert is what the alerts themselves say."""
        ranks = {"emergency": 0, "urgent": 1, "warning": 2, "info": 3}
        waiting = [(ranks[alert["severity"]], alert["raised_at"]) for alert in self.clinic.rows("alert") if alert["closed_at"] is None]
        told = [(person["severity_rank"], person["grave_since"]) for person in self.clinic.rows("patient")]
        assert told == [min(waiting, default=(4, None))]

    def _plans(self) -> list[plans.StoredPlan]:
        ids = [row["id"] for row in self.clinic.rows("plan")]
        with reading(self.clinic.engine) as c:
            return list(plans.read(c, ids).values())

    def _start(self) -> datetime:
        return self.clinic.now - timedelta(days=400)

    def _off_the_clock(self, plan_id: str) -> list[tuple[datetime, datetime]]:
        """The windows in which a plan was suspended."""
        windows, since = [], None
        for event in sorted((row for row in self.clinic.rows("plan_event") if row["plan_id"] == plan_id), key=lambda row: row["at"]):
            if event["state"] == "suspended" and since is None:
                since = event["at"]
            if event["state"] != "suspended" and since is not None:
                windows.append((since, event["at"]))
                since = None
        return windows if since is None else [*windows, (since, self.clinic.now)]

    def _plain_items(self) -> list[dict[str, object]]:
        plain = {
            text["id"]
            for text in self.clinic.rows("text_out")
            if text["template"] in {"reminder_amount", "reminder_label", "reminder_new_amount"} and text["state"] == "accepted"
        }
        return [item for item in self.clinic.rows("text_item") if item["text_id"] in plain and item["kind"] == "reminder"]


AnyStory.TestCase.settings = settings(max_examples=STORIES, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck))
TestAnyStory = AnyStory.TestCase


def _told_early(dose: dict[str, Any]) -> bool:
    """Whether a dose was told as taken before it was due."""
    told = dose["taken_at"] or dose["taken_by"]
    return told is not None and told < dose["due_at"]


def _came_too_late(course: Course, slot: Slot, since: datetime) -> bool:
    """Whether a slot due at the very instant the plan left the clock is that of a version made after it had left."""
    governing = max(version.effective_at for version in course.versions if version.effective_at <= slot.due_at)
    return slot.due_at == since == governing
