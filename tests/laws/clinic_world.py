"""Two clinics, the people on their phones, a carrier and any number of processes, on one clock moved by hand.

Nothing here judges: it lets things happen, and keeps in plain dictionaries what really happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, select, update

from db.engine import reading, writing
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.acting import StaffAct, StaffAction
from reminders.domain.dose_state import DoseState
from reminders.messaging.transport import Outgoing, ReceivedText
from reminders.milestones import Milestone
from reminders.services import delivering, escalating, following_up, importing, polling, prescribing, rehearsing, reminding, replying
from reminders.services.delivering import Patience, Watch
from reminders.services.rehearsing import Work
from tests.builders import NEW_YORK
from tests.files import File, a_clinic, a_consent, an_import_file
from tests.laws.carrier_by_hand import CarrierByHand, Facts, Fate, Wire
from tests.laws.lives import Life
from tests.stage import ANA, RUI, YEAR, at, patient, phase, plan

PLANS: Final[dict[str, list[File]]] = {
    "rising": [plan(phase("5/5/5", 2), phase("5/5/10", 1), phase("10/10/10", 2), phase("15/15/15"))],
    "asking": [plan(phase("5/5", 1, times=("07:00", "22:30")), phase("10/10/10", 1), phase("15/15/15"), advance="ask_provider")],
    "ending": [plan(phase("10/10/10", 1), phase("5/5/5", 1), phase("-/-/5", 1), kind="taper", advance="as_prescribed")],
    "two": [
        plan(phase("5/5/5", 1), phase("10/10/10"), label="A, blue cap", advance="as_prescribed"),
        plan(phase("5/5", times=("10:30", "16:30")), ref="ana-second", label="B, red cap", advance="as_prescribed"),
    ],
}
HILL_TIMES: Final = ("01:30", "08:00")
"""When the other clinic's patient is due, every day, in an hour that comes twice too: nobody ever changes that plan."""

HARBOR, HILL = "harbor-clinic", "hill-clinic"
STAND: Final = 45.0
"""For how many seconds a sender may stand still before its request and still send: longer is what the protocol does not survive."""
HEARTBEAT, MINUTE = timedelta(seconds=15), timedelta(minutes=1)
SECOND = timedelta(seconds=1)
MOST_PASSES = 80

_TEXT, _DOSE, _ITEM, _PLAN = (metadata.tables[name] for name in ("text_out", "dose", "text_item", "plan"))
_VERSION, _POINT, _IN, _MARK = (metadata.tables[name] for name in ("plan_version", "contact_point", "text_in", "watermark"))
_PATIENT = metadata.tables["patient"]

_WAITING = select(  # made once: it is asked some thousand times
    select(func.count()).where(_DOSE.c.unheard_until.is_not(None)).scalar_subquery(),
    select(func.count()).where(_MARK.c.failing_since.is_not(None)).scalar_subquery(),
    select(func.count()).where(_TEXT.c.state == "unknown").scalar_subquery(),
    select(func.min(_TEXT.c.lease_until)).where(_TEXT.c.state == "sending").scalar_subquery(),
)
CHORES: Final = ("receipts", "poll", "remind", "follow up", "escalate", "deliver", "recover")
"""What is done again and again, in the order in which one brings about the next."""


class Stuck(AssertionError):
    """The same instant goes on for ever: something stays due."""


class World:
    """Everything that is outside the services, and the way they are called.

    said           what people wrote, by sid: phone, body, at (the carrier's clock), and whether our clock was right then.
    disturbed_at   when anything last went wrong, or anybody acted: after that, all must go as it should.
    steady_since   since when time has passed with every chore done in it; ran_until  up to where.
    behind         how far our clock lags behind the carrier's; highest  the latest instant our clock has shown.
    overtaking     what happens, once, between the claim of a step's notice and its last look.
    """

    def __init__(self, engine: Engine, kind: str, start: str, *, redacted: bool = False) -> None:
        """Enrol Ana at one clinic, and her brother, who is told about her, at another under her references.

        `start` is a local time of New York; `redacted`: the carrier's lists show no words.
        """
        self.engine, self.kind = engine, kind
        self.clock = HandClock(at(start))
        self.patience = Patience(bodies_listed=not redacted)
        self._watch = Watch()
        self.started = self.clock.now()
        self.behind = timedelta()
        self.highest = self.started
        self.carrier = CarrierByHand(now=self.true_now, redacted=redacted)
        self.webhook_up = self.receipts_prompt = True
        self.said: dict[str, Facts] = {}
        self.acts: list[Facts] = []
        self.held: list[Life] = []
        self.overtaking: Callable[[], None] | None = None
        self.disturbed_at = self.steady_since = self.ran_until = self.started
        self.hearing_since = self.started
        self._recovered_at = self._polled_at = self.started - MINUTE
        self._lives = self._read = 0
        day = start.split(maxsplit=1)[0]
        plans = [{**each, "start": f"{YEAR}-{day}"} for each in PLANS[kind]]
        importing.import_file(engine, an_import_file(patient(*plans, told=True)), now=self.now)
        importing.import_file(engine, _hill(day), now=self.now)
        self.do("poll")

    @property
    def now(self) -> datetime:
        """What our clock shows."""
        return self.clock.now()

    def true_now(self) -> datetime:
        """What the carrier's clock shows."""
        return self.clock.now() + self.behind

    # --- time -------------------------------------------------------------------------------------------------------------

    def run(self, until: datetime) -> None:
        """Let time pass, with every chore done at each moment at which it has anything to do."""
        while (moment := self.settle()) is not None and moment <= until:
            self.clock.advance_to(max(moment, self.now + SECOND))
        self.clock.advance_to(until)
        self.settle()
        self.ran_until = self.now
        self.highest = max(self.highest, self.now)

    def sleep(self, until: datetime) -> None:
        """Let time pass with nothing of ours running."""
        self.clock.advance_to(until)
        self._watch = Watch()
        self._broken_off()

    def doze(self, by: timedelta) -> None:
        """Let the whole machine sleep: on waking its clock is right, and its monotonic one has not moved."""
        self.clock.jump(self.now + by)
        self._broken_off()

    def set_clock(self, behind: timedelta) -> None:
        """Set our clock so that it lags behind the carrier's; zero sets it right."""
        truth = self.true_now()
        self.behind = behind
        self.clock.jump(truth - behind)
        self._broken_off()

    def _broken_off(self) -> None:
        self.disturb()
        self.highest = max(self.highest, self.now)
        self.steady_since = self.hearing_since = self.now
        self.ran_until = min(self.ran_until, self.now)

    def disturb(self) -> None:
        """Note that something is not as it should be."""
        self.disturbed_at = max(self.disturbed_at, self.now)

    # --- what our processes do ----------------------------------------------------------------------------------------------

    def settle(self) -> datetime | None:
        """Do every chore that has anything to do now, until none has; return when one has again."""
        for _ in range(MOST_PASSES):
            moments = self._moments()
            due = [name for name in CHORES if name in moments and moments[name] <= self.now]
            if not due:
                return min(moments.values(), default=None)
            for name in due:
                self.do(name)
        raise Stuck(f"{self._moments()} at {self.now}")

    def do(self, name: str, life: Life | None = None) -> bool:
        """Let one process do one chore; say whether it came to its end."""
        life = life or self.life()
        done = life.live(self._works(life)[name])
        self._after(life)
        if name == "recover":
            self._recovered_at = self.now
        if name == "poll":
            self._polled_at = self.now
        return done

    def life(self, **where: Any) -> Life:  # noqa: ANN401 - where it ends or is held, as `Life` has it
        """A process, as good as any other."""
        self._lives += 1
        return Life(f"life-{self._lives}", self._passed, **where)

    def go_on(self, life: Life, *, dead: bool) -> None:
        """Let a held process go on, or die where it stands: one that has stood too long before its request only dies."""
        self.held.remove(life)
        assert life.since is not None
        too_long = life.held_at is Milestone.SEND_BEFORE_WRITE and self.clock.monotonic() - life.since[0] > STAND
        self.disturb()
        life.go_on(dead=dead or too_long)
        self._after(life)

    def go_on_all(self, *, dead: bool) -> None:
        """Let every held process go on, or die where it stands."""
        for life in [*self.held]:
            self.go_on(life, dead=dead)

    def close(self) -> None:
        """End every process that is held."""
        self.go_on_all(dead=True)

    def _after(self, life: Life) -> None:
        if life.held_at is not None:
            life.since = (self.clock.monotonic(), self.now)
            self.held.append(life)
        if life.dead:
            self._watch = Watch()
        if life.held_at is not None or life.dead:
            self.disturb()

    def _works(self, life: Life) -> Mapping[str, Callable[[], object]]:
        wire, now, engine = self._wire(life), self.now, self.engine
        clock, watch, patience = self.clock, self._watch, self.patience
        return {
            "receipts": self.bring_all,
            "poll": lambda: asyncio.run(
                polling.poll(engine, wire, receive=replying.receive, receive_status=delivering.receive_status, now=now)
            ),
            "remind": lambda: reminding.remind_due(engine, now=now, passing=life.passing),
            "follow up": lambda: following_up.follow_up(engine, now=now),
            "escalate": lambda: escalating.escalate(engine, now=now),
            "deliver": lambda: asyncio.run(delivering.deliver(engine, wire, clock=clock, patience=patience, passing=life.passing)),
            "recover": lambda: asyncio.run(
                delivering.recover(engine, wire, clock=clock, watch=watch, patience=patience, passing=life.passing)
            ),
        }

    def _passed(self, life: Life, milestone: Milestone) -> None:
        if milestone is Milestone.SEND_AFTER_CLAIM_COMMIT:
            overtaking = self.overtaking
            if overtaking is not None and self._is_sending("step"):
                self.overtaking = None
                overtaking()
            life.looked = self.standing()

    def _is_sending(self, kind: str) -> bool:
        with reading(self.engine) as c:
            return c.execute(select(_TEXT.c.id).where(_TEXT.c.state == "sending", _TEXT.c.kind == kind)).first() is not None

    def _wire(self, life: Life) -> Wire:
        def looks(outgoing: Outgoing) -> Facts:
            with reading(self.engine) as c:
                row = c.execute(select(_TEXT).where(_TEXT.c.id == outgoing.text_id)).mappings().one()
                about = select(_ITEM.c.kind.label("item"), _DOSE).join(_DOSE, _DOSE.c.id == _ITEM.c.dose_id)
                items = c.execute(about.where(_ITEM.c.text_id == outgoing.text_id)).mappings().all()
            checked_at = life.since[1] if life.since and life.holds_at is Milestone.SEND_BEFORE_WRITE else self.now
            return {"at": checked_at, "row": dict(row), "items": [dict(item) for item in items], "looked": life.looked}

        return Wire(self.carrier, looks=looks, meanwhile=self._meanwhile)

    def _meanwhile(self, fate: Fate, asked: Facts) -> None:
        if fate is not Fate.ACCEPTED or asked["sid"] is None or self.carrier.ending != "delivered":
            self.disturb()
        if fate is Fate.ANSWER_LATE:
            self.clock.advance(timedelta(seconds=9))
        if fate is Fate.MACHINE_SLEEPS:
            self.doze(timedelta(hours=2))
        if fate is Fate.RECEIPT_FIRST:
            for receipt in [each for each in self.carrier.waiting if each["sid"] == asked["sid"]]:
                self.bring(receipt)

    # --- what comes in ------------------------------------------------------------------------------------------------------

    def bring(self, receipt: Facts) -> None:
        """Bring one receipt, for the first time or again."""
        if receipt in self.carrier.waiting:
            self.carrier.waiting.remove(receipt)
            self.carrier.brought.append(receipt)
        delivering.receive_status(
            self.engine, sid=receipt["sid"], status=receipt["status"], tag=receipt["tag"], error_code=receipt["code"], now=self.now
        )

    def bring_all(self) -> None:
        """Bring every receipt that waits."""
        for receipt in [*self.carrier.waiting]:
            self.bring(receipt)

    def says(self, phone: str, body: str, life: Life | None = None) -> None:
        """Let somebody write to us."""
        text = ReceivedText(f"IN{len(self.said) + 1:05}", phone, "", body, self.true_now())
        self.said[text.sid] = {"phone": phone, "body": body, "at": text.received_at, "sure": self.behind == timedelta(), "text": text}
        self.carrier.hears(text)
        self.disturb()
        if self.webhook_up:
            self.hear(text, life)

    def hear(self, text: ReceivedText, life: Life | None = None) -> None:
        """Let the webhook bring a text, for the first time or again."""
        life, now = life or self.life(), self.now
        life.live(
            lambda: replying.receive(
                self.engine,
                sid=text.sid,
                from_phone=text.from_phone,
                to_phone=text.to_phone,
                body=text.body,
                received_at=now,
                now=now,
                passing=life.passing,
            )
        )
        self._after(life)

    def act(self, action: str, of: str, *, phase: int, zone: str) -> None:
        """Let Dr. Haddad act on a plan of Harbor Clinic. Raises NotAllowed."""
        staff_act = StaffAct(self.now, StaffAction(action), of, reason="as agreed", by="Dr. Noor Haddad", phase=phase, zone=zone)
        prescribing.act(self.engine, staff_act, now=self.now, clinic_id=HARBOR)
        self.acts.append({"at": self.now, "action": action, "plan": of})
        self.disturb()

    def set_lists(self, *, broken: bool, lag: timedelta) -> None:
        """Let the carrier's lists fail, or work with so much lag."""
        self.carrier.lists_broken, self.carrier.lag = broken, lag
        self.hearing_since = self.now
        self.disturb()

    def mend(self) -> None:
        """Let everything work again; whoever is held is ended."""
        self.close()
        self.carrier.fates.clear()
        self.carrier.ending = "delivered"
        self.webhook_up = self.receipts_prompt = True
        if self.behind:
            self.set_clock(timedelta())
        if self.carrier.lists_broken:
            self.set_lists(broken=False, lag=self.carrier.lag)

    def reach_everybody(self) -> None:
        """Let everybody be texted again, and every plan be active, as far as people can bring that about."""
        with writing(self.engine) as c:
            c.execute(update(_POINT).values(verified_at=self.now, unusable_at=None))
            silent = c.scalars(select(_POINT.c.phone).where(_POINT.c.opted_out_at.is_not(None)).distinct()).all()
            quiet = c.execute(select(_PLAN.c.ref, _PLAN.c.state).where(_PLAN.c.clinic_id == HARBOR)).all()
        for phone in {*silent, *self.carrier.blocked}:
            self.says(phone, "START")
        for ref, state in quiet:
            if state in AGAIN:
                self.act(AGAIN[state], ref, phase=1, zone=NEW_YORK)

    def correct(self, of: str, which: int, state: DoseState) -> None:
        """Let Dr. Haddad correct one of a plan's doses."""
        with reading(self.engine) as c:
            mine = select(_DOSE.c.local_date, _DOSE.c.slot_no).join(_PLAN, _PLAN.c.id == _DOSE.c.plan_id).where(_PLAN.c.ref == of)
            doses = c.execute(mine.order_by(_DOSE.c.due_at)).all()
        if doses:
            day, number = doses[which % len(doses)]
            prescribing.correct(
                self.engine,
                plan_ref=of,
                local_date=day,
                slot_no=number,
                state=state,
                by="Dr. Noor Haddad",
                reason="called",
                now=self.now,
                clinic_id=HARBOR,
            )
            self.disturb()

    # --- what is known --------------------------------------------------------------------------------------------------------

    def come_to_next_dose(self) -> None:
        """Let time pass to the very instant at which anybody's next dose is due, with nothing done about it yet."""
        known = rehearsing.next_moments(self.engine)
        due_at = max(known.get(Work.REMIND, self.now), self.now)
        if due_at > self.now:
            self.run(due_at - SECOND)
            self.clock.advance_to(due_at)

    def news(self) -> list[str]:
        """What was asked of the carrier since this was last called, for a failing story to be read."""
        fresh, self._read = self.carrier.requests[self._read :], len(self.carrier.requests)
        lines = [
            f"  {each['at']:%m-%d %H:%M:%S} {each['fate'].value} {each['row']['kind']} to {each['to']}: {each['body']}" for each in fresh
        ]
        return [f"{self.now:%m-%d %H:%M:%S} (since {self.disturbed_at:%H:%M:%S} calm)", *lines]

    def taken_in(self) -> set[str]:
        """The ids of the texts that the ledger has."""
        with reading(self.engine) as c:
            return set(c.scalars(select(_IN.c.sid)))

    def stopped(self) -> set[str]:
        """The phones whose last word about texts, of those taken in, was that they want none."""
        words = [(sid, said) for sid, said in self.said.items() if _is_stop(said["body"]) is not None]
        known = self.taken_in() if words else set()
        last = {said["phone"]: said for sid, said in sorted(words, key=lambda each: each[1]["at"]) if sid in known}
        return {phone for phone, said in last.items() if _is_stop(said["body"]) and said["sure"]}

    def hears(self) -> bool:
        """Whether every text to us arrives, by one way or the other."""
        return not self.carrier.lists_broken

    def is_calm(self) -> bool:
        """Whether nothing is wrong now: then all that is to come must go as it should."""
        troubled = self.carrier.fates or self.carrier.lists_broken or self.held or self.carrier.ending != "delivered"
        return not troubled and self.webhook_up and self.receipts_prompt and self.now >= self.highest and self.behind == timedelta()

    def standing(self) -> Facts:
        """What a sender that looks now can know: phones, zones, plans, and the doses of the last two days."""
        with reading(self.engine) as c:
            points = c.execute(select(_POINT)).mappings().all()
            newest = select(_VERSION.c.plan_id, func.max(_VERSION.c.no).label("no")).group_by(_VERSION.c.plan_id).subquery()
            plans = c.execute(select(_PLAN.c.id, _PLAN.c.state, newest.c.no).join(newest, newest.c.plan_id == _PLAN.c.id)).mappings().all()
            zones = c.execute(select(_PATIENT.c.id, _PATIENT.c.zone)).all()
            doses = c.execute(select(_DOSE).where(_DOSE.c.due_at > self.now - timedelta(days=2))).mappings().all()
        return {
            "at": self.now,
            "stopped": self.stopped(),
            "zones": {row.id: ZoneInfo(row.zone) for row in zones},
            "points": {row["id"]: dict(row) for row in points},
            "plans": {row["id"]: dict(row) for row in plans},
            "doses": {row["id"]: dict(row) for row in doses},
        }

    def _moments(self) -> dict[str, datetime]:
        """When each chore next has anything to do."""
        moments = {work.value: moment for work, moment in rehearsing.next_moments(self.engine).items()}
        with reading(self.engine) as c:
            waits, failing, doubts, lease_until = c.execute(_WAITING).one()
        if doubts or lease_until:
            looks_at = self._recovered_at + self._often(HEARTBEAT)
            moments["recover"] = looks_at if doubts else max(lease_until, looks_at)
        if waits or failing or self._unfetched():
            moments["poll"] = self._polled_at + self._often(MINUTE)
        if self.receipts_prompt and self.carrier.waiting:
            moments["receipts"] = self.now
        return moments

    def _often(self, span: timedelta) -> timedelta:
        """How often to try: with the lists down nothing comes of it, and a test has no time for that."""
        return 5 * MINUTE if self.carrier.lists_broken else span

    def _unfetched(self) -> bool:
        return bool(self.said.keys() - self.taken_in()) if self.said else False


def _hill(start: str) -> File:
    """Rui, at a clinic that knows nothing of the other: his references are those of the other's patient."""
    mine = plan(phase("5/5", times=HILL_TIMES), advance="as_prescribed", start=start)
    rui = patient(mine, name="Rui Silva", phone=RUI, consent=a_consent("Rui Silva"))
    return an_import_file(rui, clinic=a_clinic(name="Hill Clinic", phone="+12025550110"))


def _is_stop(body: str) -> bool | None:
    """Whether somebody wants no more texts, or wants them again; None: it says nothing of that."""
    return {"STOP": True, "please stop texting me": True, "START": False}.get(body)


PHONES: Final = (ANA, RUI)
AGAIN: Final = {"suspended": "restart", "muted": "unmute"}
"""By what act a plan's doses are announced again."""
FINAL: Final = frozenset(state.value for state in DoseState if state not in {DoseState.PENDING, DoseState.OPEN})
