"""The reference model: what may have been sent, when, and where each dose may stand, told from plain dictionaries.

It judges the ledger by what really happened (`World`): what the carrier accepted and from whom, what people wrote, what
the clinic did. It reads tables, and calls none of the services; its numbers are those of delivery.md section 7 (I1 to I12).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select

from db.engine import reading
from db.tables import metadata
from reminders.domain.dose_state import DoseEvent, DoseState, EventKind, Standing, fold
from reminders.domain.schedule import jumped_slots, next_slot, slots_between
from reminders.messaging.transport import rank_of
from reminders.services import reporting
from reminders.services.records import plans
from tests.builders import NEW_YORK
from tests.laws.carrier_by_hand import Facts
from tests.laws.clinic_world import FINAL, HARBOR, HILL, HILL_TIMES, World
from tests.stage import ANA, RUI

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MIN_GAP: Final = 2 * HOUR
"""Baclofen's minimum gap."""
AGREED: Final = 2
"""After how many doses not confirmed Ana's brother agreed to be told."""
LOST: Final = frozenset({"undelivered", "failed", "canceled"})
INSTEAD: Final = frozenset({"skip_instead", "skip_last"})
TAKE_IT: Final = frozenset({"take_now", "take_now_last"})
PLAIN: Final = frozenset({"reminder_amount", "reminder_label", "reminder_two", "reminder_two_new", "reminder_new_amount", "late_reminder"})
"""The reminders that say "take it" with no other condition."""
LAST_WORDS: Final = frozenset({"texts_stopped", "wrong_number"})
ANNOUNCES: Final = frozenset({"reminder", "resend"})
SAID: Final = frozenset({"said_taken", "said_not_taken", "said_odd"})
MOVERS: Final = frozenset({"suspended", "restarted", "stepped back", "advanced", "moved zone", "stopped"})
"""What on record of a plan makes a slot of it not due."""
LEAVES: Final[dict[str, frozenset[str]]] = {
    "taken": frozenset({"missed"}),
    "skipped": frozenset({"taken"}),
    "missed": frozenset({"taken"}),
    "unconfirmed": frozenset({"taken", "missed", "not_reminded", "skipped"}),
    "not_reminded": frozenset({"open", "unconfirmed", "taken", "missed", "skipped"}),
    "not_due": frozenset(),
}
"""Where a final state may lead, with nobody correcting it: DESIGN.md section 8."""
BOUND: Final = timedelta(minutes=30)
OVERDUE: Final = {True: timedelta(minutes=5), False: timedelta(minutes=35)}
"""By how long after `answer_until` a dose is final: while we hear patients, and while we do not."""
SETTLED: Final = {True: timedelta(minutes=4), False: timedelta(minutes=12)}
"""How long after the last trouble nothing is in doubt any more: three minutes, and a minute of the poll's own; longer where the carrier's
list shows no words."""

_TABLES: Final = (
    "clinic",
    "patient",
    "contact_point",
    "contact_role",
    "plan",
    "plan_event",
    "dose",
    "dose_event",
    "text_out",
    "text_item",
    "text_attempt",
    "text_in",
    "question",
    "delivery_event",
    "alert",
    "audit",
    "trouble",
    "consent",
)


class Ledger:
    """All that is written, at one moment."""

    def __init__(self, engine: Engine) -> None:
        with reading(engine) as c:
            self.rows = {name: [dict(row) for row in c.execute(select(metadata.tables[name])).mappings()] for name in _TABLES}
        self.doses = self._by_id("dose")
        self.texts = self._by_id("text_out")
        self.plans = self._by_id("plan")
        self.patients = self._by_id("patient")
        self.points = self._by_id("contact_point")
        self.events: defaultdict[str, list[Facts]] = defaultdict(list)
        for event in sorted(self.rows["dose_event"], key=lambda row: row["no"]):
            self.events[event["dose_id"]].append(event)
        self.items: defaultdict[str, list[Facts]] = defaultdict(list)
        for item in self.rows["text_item"]:
            self.items[item["dose_id"]].append(item)

    def _by_id(self, name: str) -> dict[str, Facts]:
        return {row["id"]: row for row in self.rows[name]}

    def kinds(self, dose_id: str) -> set[str]:
        """The kinds of the facts that are known of a dose."""
        return {event["kind"] for event in self.events[dose_id]}

    def corrected(self, dose_id: str) -> bool:
        """Whether a person at the clinic has corrected a dose, or looked at it."""
        return "corrected" in self.kinds(dose_id)

    def announcing(self, dose_id: str) -> list[Facts]:
        """The texts that announce a dose."""
        return [self.texts[item["text_id"]] for item in self.items[dose_id] if item["kind"] in ANNOUNCES]


class Judge:
    """Says, after each step, what does not hold. Each law returns what breaks it, and nothing else does."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._settled = SETTLED[world.patience.bodies_listed]
        self.before: Ledger | None = None
        self.now: Ledger = Ledger(world.engine)
        self._judged = 0
        self._folded: dict[str, tuple[int, datetime]] = {}
        self._chained: dict[str, tuple[int, str]] = {}
        self._told: set[str] = set()

    def broken(self) -> list[str]:
        """What does not hold now, of all laws."""
        self.before, self.now = self.now, Ledger(self.world.engine)
        fresh = self.world.carrier.accepted[self._judged :]
        self._judged += len(fresh)
        laws = (
            self._once(),
            self._final_in_time(),
            *(self._of_a_request(request) for request in fresh),
            self._one_confirmation(),
            self._ranks(),
            self._left_a_final_state(),
            self._states(),
            self._distance(),
            self._caregivers(),
            self._chain(),
            self._every_slot(),
            self._folds(),
            self._counters(),
            self._caches(),
            self._reports(),
            self._apart(),
            self._nothing_lost(),
            self._nothing_stuck(),
        )
        return [breach for law in laws for breach in law]

    # --- I1: once -----------------------------------------------------------------------------------------------------------

    def _once(self) -> Iterator[str]:
        accepted = self.world.carrier.accepted
        spoken = Counter((item["id"], item["item"]) for request in accepted for item in request["items"])
        yield from (f"I1: {count} acceptances of {key}" for key, count in spoken.items() if count > 1)
        same_words = Counter((row["clinic_id"], row["contact_point_id"], row["body"]) for row in self.now.texts.values())
        for text_id, count in Counter(request["text_id"] for request in accepted).items():
            row = self.now.texts[text_id]
            if count > 1 and same_words[row["clinic_id"], row["contact_point_id"], row["body"]] == 1:
                yield f"I1: {count} acceptances of one {row['kind']}: {row['body']}"
        carried = Counter((request["to"], request["body"]) for request in accepted)
        written = Counter((self.now.points[row["contact_point_id"]]["phone"], row["body"]) for row in self.now.texts.values())
        yield from (
            f"I1: {carried[key]} acceptances of {key}, written {written[key]} times" for key in carried if 0 < written[key] < carried[key]
        )

    # --- I2: final in time ----------------------------------------------------------------------------------------------------

    def _final_in_time(self) -> Iterator[str]:
        world = self.world
        if world.now < world.highest:
            return
        for dose in self.now.doses.values():
            heard = world.hears() and world.hearing_since <= dose["answer_until"]
            if world.steady_since > dose["answer_until"] or dose["state"] in FINAL:
                continue
            if world.ran_until >= dose["answer_until"] + OVERDUE[heard]:
                yield f"I2: {_named(dose)} is {dose['state']} at {world.ran_until}, to be answered until {dose['answer_until']}"
        if not world.hears() and any(self._closed_unheard(dose) for dose in self.now.doses.values()):
            standing = {row["name"] for row in self.now.rows["trouble"] if row["ended_at"] is None}
            if "cannot_hear" not in standing:
                yield "I2: doses were closed unverified, and nobody was told that we cannot hear patients"

    def _closed_unheard(self, dose: Facts) -> bool:
        return bool(dose["unverified"]) and dose["answer_until"] >= self.world.hearing_since

    # --- I3, I4: what may be accepted -------------------------------------------------------------------------------------------

    def _of_a_request(self, request: Facts) -> Iterator[str]:
        for breach in (*self._in_its_time(request), *self._allowed(request), *self._wanted(request)):
            yield f"{breach}: {request['row']['kind']} at {request['at']} ({request['body']})"

    def _in_its_time(self, request: Facts) -> Iterator[str]:
        row, at = request["row"], request["at"]
        if at >= row["expires_at"]:
            yield "I3: accepted past its expiry"
        for dose in request["items"]:
            if dose["item"] in ANNOUNCES and at < dose["due_at"] - timedelta(seconds=1):
                yield "I3: before it is due"
            if dose["item"] in ANNOUNCES and row["template"] not in INSTEAD and at >= min(dose["announce_until"], dose["due_at"] + HOUR):
                yield "I3: past its announce_until"
            if dose["item"] == "nudge" and at >= dose["take_until"]:
                yield "I3: a nudge past take_until"
        if row["kind"] == "nudge" and not time(8) <= at.astimezone(request["looked"]["zones"][row["patient_id"]]).time() < time(21):
            yield "I3: a nudge in quiet hours"

    def _allowed(self, request: Facts) -> Iterator[str]:
        row, looked = request["row"], request["looked"]
        point = looked["points"][row["contact_point_id"]]
        silent = point["opted_out_at"] or point["unusable_at"] or not point["verified_at"]
        if request["to"] in looked["stopped"] and row["template"] not in LAST_WORDS:
            yield "I4: after STOP"
        elif silent and row["template"] not in LAST_WORDS:
            yield "I4: without consent"
        if request["to"] != point["phone"]:
            yield "I4: to another phone"
        if row["kind"] == "step" and row["version_no"] != looked["plans"][row["plan_id"]]["no"]:
            yield "I4: a step of another version"

    def _wanted(self, request: Facts) -> Iterator[str]:
        row, looked = request["row"], request["looked"]
        about = [looked["doses"][item["id"]] for item in request["items"] if item["item"] != "correction"]
        about += [looked["doses"][row["dose_id"]]] if row["template"] in TAKE_IT else []
        for dose in about:
            state = looked["plans"][dose["plan_id"]]["state"]
            if state in {"suspended", "muted", "stopped"}:
                yield f"I4: about a dose of a plan that is {state}"
            if (
                row["kind"] in ANNOUNCES | {"nudge"}
                and row["template"] not in INSTEAD
                and (dose["answered"] or dose["state"] in {"taken", "not_due"})
            ):
                yield "I4: about a dose that needs no text"
        if row["template"] in PLAIN:
            yield from self._too_near(request)

    def _too_near(self, request: Facts) -> Iterator[str]:
        """I7 (b): a plain reminder, though a dose was taken less than the minimum gap ago."""
        mine = {item["id"] for item in request["items"]}
        for dose in request["looked"]["doses"].values():
            taken_at = dose["taken_at"] if dose["id"] not in mine and dose["patient_id"] == request["row"]["patient_id"] else None
            due_at = min((item["due_at"] for item in request["items"] if item["item"] in ANNOUNCES), default=request["at"])
            if taken_at is not None and due_at - MIN_GAP < taken_at and taken_at > request["at"] - MIN_GAP and taken_at <= request["at"]:
                yield f"I7: a dose was taken at {taken_at}"

    def _one_confirmation(self) -> Iterator[str]:
        stops = Counter(said["phone"] for said in self.world.said.values() if said["body"] in {"STOP", "please stop texting me"})
        words = Counter(
            (request["row"]["clinic_id"], request["to"]) for request in self._accepted() if request["row"]["template"] == "texts_stopped"
        )
        yield from (f"I4: {count} confirmations of STOP to {key}" for key, count in words.items() if count > stops[key[1]])

    def _accepted(self) -> Iterable[Facts]:
        return self.world.carrier.accepted

    # --- I5: nothing falls back -----------------------------------------------------------------------------------------------

    def _ranks(self) -> Iterator[str]:
        truth = {request["sid"]: request for request in self._accepted()}
        brought: defaultdict[str, int] = defaultdict(lambda: -1)
        for receipt in self.world.carrier.brought:
            request = truth[receipt["sid"]]
            brought[request["text_id"]] = max(brought[request["text_id"]], rank_of(receipt["status"]))
        for text in self.now.texts.values():
            old = self.before.texts.get(text["id"]) if self.before else None
            if old is not None and text["rank"] < old["rank"]:
                yield f"I5: a receipt's rank fell from {old['rank']} to {text['rank']}"
            if text["rank"] < brought[text["id"]]:
                yield f"I5: rank {text['rank']} after receipts up to {brought[text['id']]}"
            if text["rank"] >= 0 and rank_of(text["status"]) != text["rank"]:
                yield f"I5: rank {text['rank']} is not that of {text['status']}"

    def _left_a_final_state(self) -> Iterator[str]:
        if self.before is None:
            return
        for old in self.before.doses.values():
            dose = self.now.doses.get(old["id"])
            if dose is None:
                yield f"I10: {_named(old)} vanished"
            elif dose["state"] != old["state"] and old["state"] in FINAL:
                yield from self._left(old, dose)

    def _left(self, old: Facts, dose: Facts) -> Iterator[str]:
        assert self.before is not None
        fresh = {event["kind"] for event in self.now.events[dose["id"]][len(self.before.events[dose["id"]]) :]}
        if "corrected" in fresh:
            if not any(row["action"] == "dose corrected" and row["subject"] == dose["id"] for row in self.now.rows["audit"]):
                yield f"I5: {_named(dose)} was corrected, and no audit event says so"
        elif dose["state"] not in LEAVES[old["state"]] and not self.now.corrected(dose["id"]):
            yield f"I5: {_named(dose)} went from {old['state']} to {dose['state']}"
        elif not fresh & (SAID | {"text_accepted", "text_delivered", "text_failed", "advised_skip"}):  # advised, because asked
            yield f"I5: {_named(dose)} went from {old['state']} to {dose['state']} by {sorted(fresh)}"

    # --- I6: what a state needs -------------------------------------------------------------------------------------------------

    def _states(self) -> Iterator[str]:
        announced = {item["id"] for request in self._accepted() for item in request["items"] if item["item"] in ANNOUNCES}
        unheard = self._unheard()
        for dose in self.now.doses.values():
            if not self.now.corrected(dose["id"]):
                for breach in self._state(dose, announced, unheard):
                    yield f"I6: {_named(dose)} {breach}"

    def _unheard(self) -> list[Facts]:
        """What people wrote that the ledger does not have: only what was written while our clock was right can be dated."""
        known = {row["sid"] for row in self.now.rows["text_in"]}
        return [said for sid, said in self.world.said.items() if sid not in known and said["sure"]]

    def _state(self, dose: Facts, announced: set[str], unheard: list[Facts]) -> Iterator[str]:
        kinds = self.now.kinds(dose["id"])
        if kinds & SAID and dose["state"] in {"pending", "unconfirmed", "not_reminded"}:
            yield f"is {dose['state']}, though somebody said something of it"
        match dose["state"]:
            case "open" | "unconfirmed" if not kinds & SAID and dose["id"] not in announced:
                yield f"is {dose['state']}, and the carrier never had a reminder of it"
            case "missed" if "said_not_taken" not in kinds:
                yield "is missed, and nobody said so"
            case "not_due":
                events = {event["kind"] for event in self.now.rows["plan_event"] if event["plan_id"] == dose["plan_id"]}
                if not events & MOVERS and dose["reason"] != "moved":
                    yield "is not due, and nothing on record says why"
            case _:
                yield from self._reach(dose)
        if dose["state"] == "unconfirmed":
            yield from self._silence(dose, unheard)

    def _reach(self, dose: Facts) -> Iterator[str]:
        """A dose that waits has a text on its way; one that was not reminded has none that left and did not fail."""
        texts = self.now.announcing(dose["id"])
        if dose["state"] == "pending" and not any(text["state"] in {"queued", "sending", "unknown"} for text in texts):
            yield f"is pending with no text on its way: {[text['state'] for text in texts]}"
        if dose["state"] == "not_reminded" and not dose["muted"]:
            arrived = [text["status"] for text in texts if text["state"] == "accepted" and text["status"] not in LOST]
            yield from (f"is not reminded ({dose['reason']}), though a text of it is {status}" for status in arrived)

    def _silence(self, dose: Facts, unheard: list[Facts]) -> Iterator[str]:
        if dose["unverified"]:
            if self.world.highest < dose["answer_until"] + BOUND:
                yield "is unconfirmed and unverified before the bound"
            return
        phone = {HARBOR: ANA, HILL: RUI}[dose["clinic_id"]]
        if any(said["phone"] == phone and said["at"] < dose["answer_until"] for said in unheard):
            yield "is unconfirmed, and a text from its phone was never fetched"

    # --- I7: the laws of distance -------------------------------------------------------------------------------------------------

    def _distance(self) -> Iterator[str]:
        plain: defaultdict[str, set[datetime]] = defaultdict(set)
        for request in self._accepted():
            if request["row"]["template"] in PLAIN:
                plain[request["row"]["patient_id"]] |= {item["due_at"] for item in request["items"] if item["item"] in ANNOUNCES}
        for dues in plain.values():
            yield from (f"I7: plain reminders for doses due at {a} and {b}" for a, b in pairwise(sorted(dues)) if b - a < MIN_GAP)
        daily: defaultdict[tuple[str, date], Decimal] = defaultdict(Decimal)
        for dose in self.now.doses.values():
            if dose["state"] != "not_due":
                daily[dose["patient_id"], dose["local_date"]] += dose["amount"]
        yield from (f"I7: {amount} mg on {day}" for (_, day), amount in daily.items() if amount > 80)

    # --- I8: caregivers -----------------------------------------------------------------------------------------------------------

    def _caregivers(self) -> Iterator[str]:
        fresh = [text for text in self.now.texts.values() if text["cause"].startswith("care:") and text["id"] not in self._told]
        self._told |= {text["id"] for text in fresh}
        for text in fresh:
            if self.now.points[text["contact_point_id"]]["phone"] != RUI or text["clinic_id"] != HARBOR:
                yield f"I8: a caregiver's text to somebody else: {text['body']}"
            elif self._not_taken(text) < AGREED:
                yield f"I8: told at {text['created_at']} of {[self._story(dose) for dose in self._of_the_run(text)]}"
        yield from (f"I8: told {count} times of {cause}" for cause, count in self._closings().items() if count > 1)

    def _closings(self) -> Counter[str]:
        closed = [text["cause"].split(":")[0] + text["cause"] for text in self.now.texts.values() if text["cause"].startswith("closed:")]
        return Counter(closed)

    def _not_taken(self, text: Facts) -> int:
        """How many of the plan's doses since the cause's first, up to its last, nobody had told as taken by when they fell silent."""
        return sum(not self._told_in_time(dose, text["created_at"]) for dose in self._of_the_run(text))

    def _of_the_run(self, text: Facts) -> list[Facts]:
        _, plan_id, since, _ = text["cause"].split(":")
        first = datetime.strptime(since, "%Y%m%dT%H%M").replace(tzinfo=text["created_at"].tzinfo)
        return [dose for dose in self.now.doses.values() if dose["plan_id"] == plan_id and first <= dose["due_at"] <= text["created_at"]]

    def _story(self, dose: Facts) -> str:
        """A dose with all that is known of it, for a failing story to be read."""
        facts = [f"{event['kind']} {event['at']:%d %H:%M:%S}" for event in self.now.events[dose["id"]]]
        marks = [name for name in ("unverified", "muted", "odd", "contradicted", "answered") if dose[name]]
        return f"{_named(dose)} {dose['state']} {marks} silent {dose['silent_at']:%d %H:%M}: {', '.join(facts)}"

    def _told_in_time(self, dose: Facts, told_at: datetime) -> bool:
        """Whether a dose counted for nothing: told as taken, not yet silent, silent for all we could hear, or not the patient's to take."""
        standings = self._standings(dose, told_at)
        if all(standing.muted or standing.state in {DoseState.NOT_DUE, DoseState.NOT_REMINDED} for standing in standings):
            return True
        if any(standing.state is DoseState.SKIPPED for standing in standings):
            return False  # on our advice too: the gap is the same
        said = [event for event in self.now.events[dose["id"]] if event["kind"] in SAID and event["at"] <= told_at]
        if not said:
            return dose["silent_at"] > told_at or self._deaf(dose, told_at)
        last = max(said, key=lambda event: (event["at"], event["no"]))
        return bool(last["kind"] != "said_not_taken" and last["at"] < dose["silent_at"])

    def _standings(self, dose: Facts, told_at: datetime) -> tuple[Standing, Standing]:
        """How a dose stood before her brother was told, and with what came at that very instant: it may have come after."""
        events = [_event(row) for row in self.now.events[dose["id"]] if row["at"] <= told_at]
        return fold(event for event in events if event.at < told_at), fold(events)

    def _deaf(self, dose: Facts, told_at: datetime) -> bool:
        """Whether Ana wrote between the dose and its silence, and the ledger had not heard it yet when her brother was told."""
        heard = {row["sid"] for row in self.now.rows["text_in"] if row["recorded_at"] <= told_at}
        between = [
            sid
            for sid, said in self.world.said.items()
            if said["phone"] == ANA and said["sure"] and dose["due_at"] <= said["at"] < dose["silent_at"]
        ]
        return not heard.issuperset(between)

    # --- I9: the chain ----------------------------------------------------------------------------------------------------------

    def _chain(self) -> Iterator[str]:
        """Follow each clinic's chain on from where it was last followed to; what was there must be there still."""
        for clinic in self.now.rows["clinic"]:
            chain = sorted((row for row in self.now.rows["audit"] if row["clinic_id"] == clinic["id"]), key=lambda row: row["no"])
            number, previous = self._chained.get(clinic["id"], (0, "0" * 64))
            if number and (len(chain) < number or chain[number - 1]["hash"] != previous):
                yield f"I9: the chain of {clinic['id']} was changed at {number}"
                continue
            for row in chain[number:]:
                number += 1
                if (row["no"], row["previous_hash"], row["hash"]) != (number, previous, _hash(previous, row)):
                    yield f"I9: the chain of {clinic['id']} breaks at {number}"
                previous = row["hash"]
            self._chained[clinic["id"]] = (number, previous)

    # --- I10: every slot -----------------------------------------------------------------------------------------------------------

    def _every_slot(self) -> Iterator[str]:
        ran = self.world.ran_until
        keys = Counter((dose["plan_id"], dose["local_date"], dose["slot_no"]) for dose in self.now.doses.values())
        yield from (f"I10: {count} doses of {key}" for key, count in keys.items() if count > 1)
        decided = next(row["decided_until"] for row in self.now.plans.values() if row["clinic_id"] == HILL)
        hill = {dose["due_at"] for dose in self.now.doses.values() if dose["clinic_id"] == HILL}
        early = {dose["due_at"] for dose in self.now.doses.values() if dose["clinic_id"] == HILL and dose["answered"]}
        yield from _differ(
            "I10: Hill's doses", _slots(self.world, HILL_TIMES, max(ran, decided)), hill - {at for at in early if at > max(ran, decided)}
        )
        for one in self._stored_plans():
            yield from self._slots_of(one, {key[1:] for key in keys if key[0] == one.id})

    def _stored_plans(self) -> list[plans.StoredPlan]:
        with reading(self.world.engine) as c:
            return list(plans.read(c, [row["id"] for row in self.now.plans.values() if row["clinic_id"] == HARBOR]).values())

    def _slots_of(self, one: plans.StoredPlan, recorded: set[tuple[Any, ...]]) -> Iterator[str]:
        """A plan's doses against its slots, by its own schedule; slots of a time in which it was suspended need none."""
        start = self.world.started - 2 * DAY
        laid_out = {slot.key for slot in slots_between(one.course, start, self.world.highest + 2 * HOUR)}
        jumped = {slot.key for version in one.course.versions for slot in jumped_slots(version)}
        early = {
            (dose["local_date"], dose["slot_no"]) for dose in self.now.doses.values() if dose["plan_id"] == one.id and dose["answered"]
        }
        if more := recorded - laid_out - jumped - early:
            yield f"I10: doses of no slot: {sorted(more)}"
        events = [row for row in self.now.rows["plan_event"] if row["plan_id"] == one.id]
        if not {event["state"] for event in events} & {"suspended", "stopped"}:
            due = {slot.key for slot in slots_between(one.course, self.world.started - DAY, one.decided_until + timedelta.resolution)}
            if lacking := {key for key in due if key >= (self.world.started.date(), 0)} - recorded - jumped:
                yield f"I10: slots without a dose: {sorted(lacking)}"

    # --- I11: reports, counters and caches -------------------------------------------------------------------------------------------

    def _folds(self) -> Iterator[str]:
        for dose in self.now.doses.values():
            events = self.now.events[dose["id"]]
            seen = (len(events), dose["changed_at"])
            if self._folded.get(dose["id"]) == seen:
                continue
            self._folded[dose["id"]] = seen
            standing = fold(_event(row) for row in events)
            cached = {
                name: dose[name] for name in ("reason", "taken_at", "taken_by", "muted", "unverified", "odd", "contradicted", "answered")
            }
            folded = {name: getattr(standing, name) for name in cached}
            if (dose["state"], cached) != (standing.state.value, folded):
                yield f"I11: {_named(dose)} is down as {dose['state']} {cached}, its events say {standing.state} {folded}"

    def _counters(self) -> Iterator[str]:
        """Three doses running not reminded, or not taken, have been told to somebody; whatever became of that since."""
        told = {(alert["plan_id"], alert["kind"]) for alert in self.now.rows["alert"]}
        for plan in self.now.plans.values():
            events = {event["state"] for event in self.now.rows["plan_event"] if event["plan_id"] == plan["id"]}
            if plan["recount_at"] is not None or events & {"suspended", "stopped"}:
                continue
            doses = sorted((dose for dose in self.now.doses.values() if dose["plan_id"] == plan["id"]), key=lambda dose: dose["due_at"])
            unreminded, not_taken = _runs(doses)
            if unreminded >= 3 and (plan["id"], "phone_problem") not in told:
                yield f"I11: {unreminded} doses running not reminded, and nobody was told"
            if not_taken >= 3 and (plan["id"], "misses") not in told:
                yield f"I11: {not_taken} doses running not taken, and nobody was told"

    def _caches(self) -> Iterator[str]:
        for one in self._stored_plans():
            slot = next_slot(one.course, one.decided_until) if one.state in plans.ON_CLOCK else None
            if one.next_due_at != (slot.due_at if slot else None):
                yield f"I11: {one.ref} is next due at {slot}, its cache says {one.next_due_at}"
        for patient in self.now.patients.values():
            soonest = min(
                (plan["next_due_at"] for plan in self.now.plans.values() if plan["patient_id"] == patient["id"] and plan["next_due_at"]),
                default=None,
            )
            if patient["next_due_at"] != soonest:
                yield f"I11: {patient['ref']} is next due at {soonest}, the cache says {patient['next_due_at']}"

    def _reports(self) -> Iterator[str]:
        for clinic_id in (HARBOR, HILL):
            mine = {plan["ref"]: plan["id"] for plan in self.now.plans.values() if plan["clinic_id"] == clinic_id}
            reported = reporting.adherence_of_plans(self.world.engine, clinic_id=clinic_id)
            if sorted(mine) != sorted(each.plan for each in reported):
                yield f"I12: the report of {clinic_id} is about {[each.plan for each in reported]}"
            for each in reported:
                doses = [dose for dose in self.now.doses.values() if dose["plan_id"] == mine[each.plan]]
                states = Counter(dose["state"] for dose in doses)
                yield from _differ(f"I11: {each.plan}'s", set(states.items()), set(each.states.items()))
                yield from _differ(
                    f"I11: {each.plan}'s scores", set(_scores(doses).items()), {(name, getattr(each.scores, name)) for name in _SCORED}
                )

    # --- I12: two clinics ---------------------------------------------------------------------------------------------------------------

    def _apart(self) -> Iterator[str]:
        owner = {
            row["id"]: row["clinic_id"] for name in ("patient", "contact_point", "plan", "dose", "text_out") for row in self.now.rows[name]
        }
        references = ("patient_id", "contact_point_id", "plan_id", "dose_id", "text_id")
        for name, rows in self.now.rows.items():
            for row in rows:
                away = [column for column in references if row.get(column) and owner[row[column]] != row["clinic_id"]]
                if away and row["clinic_id"] is not None:
                    yield f"I12: {name} refers to another clinic by {away}"
        for text in self.now.texts.values():
            if not text["body"].startswith({HARBOR: "Harbor Clinic", HILL: "Hill Clinic"}[text["clinic_id"]]):
                yield f"I12: {text['clinic_id']} writes {text['body']}"
        acted = {
            event["plan_id"] for event in self.now.rows["plan_event"] if event["by"] == "Dr. Noor Haddad" and event["kind"] != "approved"
        }
        if any(self.now.plans[plan_id]["clinic_id"] == HILL for plan_id in acted):
            yield "I12: Harbor's provider changed Hill's plan"

    # --- nothing is lost, and nothing waits for ever ----------------------------------------------------------------------------------

    def _calm_since(self) -> datetime:
        return max(self.world.disturbed_at, self.world.steady_since)

    def _nothing_lost(self) -> Iterator[str]:
        """A dose that fell due while nothing was wrong has been announced."""
        if not self.world.is_calm():
            return
        announced = {item["id"] for request in self._accepted() for item in request["items"] if item["item"] in ANNOUNCES}
        for dose in self.now.doses.values():
            calm = self._calm_since() + self._settled < dose["due_at"] and dose["due_at"] + 12 * MINUTE < self.world.ran_until
            if (
                calm
                and dose["state"] in {"pending", "not_reminded", "open", "unconfirmed"}
                and dose["id"] not in announced
                and self._may_be_texted(dose)
            ):
                yield f"lost: {_named(dose)} is {dose['state']} ({dose['reason']}), and was never announced"

    def _may_be_texted(self, dose: Facts) -> bool:
        phone = {HARBOR: ANA, HILL: RUI}[dose["clinic_id"]]
        point = next(row for row in self.now.points.values() if (row["clinic_id"], row["phone"]) == (dose["clinic_id"], phone))
        reachable = (
            not point["opted_out_at"] and not point["unusable_at"] and point["verified_at"] and phone not in self.world.carrier.blocked
        )
        return bool(reachable) and not dose["muted"]

    def _nothing_stuck(self) -> Iterator[str]:
        """What was in doubt is settled, and what waits has been sent or has ended."""
        world = self.world
        if not world.is_calm() or world.ran_until < self._calm_since() + self._settled:
            return
        for text in self.now.texts.values():
            if text["state"] in {"sending", "unknown"} and text["claimed_at"] + self._settled < world.ran_until:
                yield f"stuck: a {text['kind']} is {text['state']} since {text['claimed_at']}"
            if text["state"] == "queued" and text["send_at"] + 2 * MINUTE < world.ran_until:
                yield f"stuck: a {text['kind']} has waited since {text['send_at']}"


_SCORED: Final = ("counted", "taken", "unconfirmed", "not_reminded", "outside", "unfinished")


def _scores(doses: Iterable[Facts]) -> dict[str, int]:
    """The counts of a report, from the doses themselves."""
    due = [dose for dose in doses if not dose["muted"]]
    states = Counter(dose["state"] for dose in due)
    muted = sum(bool(dose["muted"]) for dose in doses)
    return {
        "counted": sum(states[name] for name in ("taken", "skipped", "missed", "unconfirmed")),
        "taken": states["taken"],
        "unconfirmed": states["unconfirmed"],
        "not_reminded": states["not_reminded"],
        "outside": states["not_due"] + muted,
        "unfinished": states["pending"] + states["open"],
    }


def _runs(doses: Iterable[Facts]) -> tuple[int, int]:
    """How many of the last doses running were not reminded, and how many surely not taken."""
    unreminded = not_taken = 0
    for dose in doses:
        if dose["muted"] or dose["state"] in {"not_due", "pending"}:
            continue
        unreminded = unreminded + 1 if dose["state"] == "not_reminded" else 0
        if dose["state"] in {"skipped", "missed", "unconfirmed"}:
            not_taken += 1
        elif dose["state"] == "taken":
            not_taken = 0
    return unreminded, not_taken


def _slots(world: World, times: Iterable[str], until: datetime) -> set[datetime]:
    """When a plan of the same times every day is due, from the day the world began."""
    zone = ZoneInfo(NEW_YORK)
    first = world.started.astimezone(zone).date()
    days = range((until.astimezone(zone).date() - first).days + 1)
    local = {datetime.combine(first + timedelta(days=day), time.fromisoformat(clock), tzinfo=zone) for day in days for clock in times}
    due = {at.astimezone(UTC) for at in local}
    return {at for at in due if world.started <= at <= until}


def _differ(what: str, expected: set[Any], actual: set[Any]) -> Iterator[str]:
    if expected != actual:
        yield f"{what}: lacks {sorted(expected - actual)}, has {sorted(actual - expected)}"


def _event(row: Facts) -> DoseEvent:
    names = ("taken_at", "taken_by", "why", "by", "recalled", "verified")
    state = DoseState(row["state"]) if row["state"] else None
    return DoseEvent(EventKind(row["kind"]), row["at"], text=row["text_id"], state=state, **{name: row[name] for name in names})


def _hash(previous: str, row: Facts) -> str:
    """What an event's hash must be, by the chain's own description."""
    parts = (previous, str(row["no"]), row["at"].isoformat(), row["actor"], row["action"], row["subject"], row["detail"])
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _named(dose: Facts) -> str:
    return f"{dose['clinic_id']} {dose['local_date']}/{dose['slot_no']}"
