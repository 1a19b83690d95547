"""The load of an ordeal: patients with doses due this very minute, enrolled as time goes on, of whom some answer their reminder."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from threading import Event, Lock

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from db.backup import LOCKED
from reminders.clock import SystemClock
from reminders.domain.plan import Plan
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, Message
from tests.fake_twilio.webhooks import inbound_form
from tests.killing.carrier import Carrier
from tests.scheduling.enrolled import LABELS, due_at, enrol
from tests.scheduling.wall import until

WORDS = ("1", "HELP")
"""What patients say: that a dose was taken, which brings no answer, and what brings one."""
TALKING, REPEATED, TWO_DOSES, NO_RECEIPTS = 0.3, 0.2, 0.25, 0.4
"""The shares of patients who say something, of what they say that the carrier brings twice, of batches with two doses, of phones
of which no receipt comes."""
LATE = "sorry, late:"
"""In each reminder that comes a minute after its dose, or later."""
HELP, THE_DOSE = "help", "the dose"
TALKERS = 4
EVERY = 0.15
"""Seconds from one patient to the next, beside those who are enrolled before each life."""
ENTERING_SECONDS = 60
MOST_TRIES = 1_000
TAKEN = 2
"""An answer of 2xx."""
AREAS = range(201, 1000)
"""Every area code that is not 200: each has a hundred numbers that belong to nobody."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said: the carrier's id of it, and the words."""

    sid: str
    words: str


def phone_of(number: int) -> str:
    """The number of the n-th patient: fictional, and nobody else's in this ordeal."""
    return f"+1{AREAS[number // 100]}55501{number % 100:02}"


def zone_at_noon(now: datetime) -> str:
    """A zone in which it is about noon now, so that no window of an ordeal is cut short by a night."""
    return f"Etc/GMT{now.hour - 12:+}"


class Clinic:
    """Who is enrolled, and who said what: what an ordeal should have brought about."""

    def __init__(self, engine: Engine, carrier: Carrier, webhook: str, draw: Random) -> None:
        self._engine, self._carrier, self._webhook, self._draw = engine, carrier, webhook, draw
        self._clock = SystemClock()
        self._zone = zone_at_noon(self._clock.now())
        self._enrolling = Lock()
        self._bound_to_say: dict[str, str] = {}
        self._saying: deque[Future[None]] = deque()
        self.plans: dict[str, list[str]] = {}
        """The plans of each phone's patient, each with one dose due: all in one text, or if they are late, in one each."""
        self.said: dict[str, Said] = {}
        """What was said from each phone."""

    def due_to(self, phone: str) -> Counter[str]:
        """What a phone is to be told, each once: of its dose, or of each by its letter; and the help it asked for."""
        plans = len(self.plans[phone])
        doses = [THE_DOSE] if plans == 1 else [label[0] for label in LABELS[:plans]]
        return Counter(doses) + Counter([HELP] if phone in self.said and self.said[phone].words == "HELP" else [])

    @property
    def doses(self) -> int:
        """How many doses are to be recorded."""
        return sum(len(plans) for plans in self.plans.values())

    @property
    def heard(self) -> bool:
        """Whether all that was said has been taken in."""
        while self._saying and self._saying[0].done():
            self._saying.popleft().result()
        return not self._saying

    def enrol_one_of_each(self) -> None:
        """Enrol a few of whom each says another of the words."""
        self._bound_to_say = {phone_of(len(self.plans) + number): words for number, words in enumerate(WORDS)}
        self.enrol(len(WORDS))

    def enrol(self, patients: int) -> None:
        """Enrol some more, with one dose or two due this minute."""
        with self._enrolling:
            first = len(self.plans)
            phones = [phone_of(number) for number in range(first, first + patients)]
            for phone in phones:
                if self._draw.random() < NO_RECEIPTS:
                    self._carrier.tell_nothing_of(phone)
            minute = self._clock.now().replace(second=0, microsecond=0)
            plans = [due_at(minute, LABELS[0], zone=self._zone)]
            if self._draw.random() < TWO_DOSES:
                plans.append(due_at(minute, LABELS[1], drug="another-tablet", zone=self._zone))
            before = minute - timedelta(minutes=1)
            made = self._entered(*plans, now=before, phones=phones)
            self.plans |= {phone: made[number * len(plans) :][: len(plans)] for number, phone in enumerate(phones)}

    def _entered(self, *plans: Plan, now: datetime, phones: list[str]) -> list[str]:
        """Enter patients, and again where SQLite is not to be had in its five seconds, as people press a button again.

        A process is frozen as a whole, and another thread of it may just be writing: until it is thawed nobody else writes, and
        then it may be the next one's turn. Nothing was stored: it is the transaction's beginning that is refused.
        """
        made = list[str]()

        def are_entered() -> bool:
            try:
                made.extend(enrol(self._engine, *plans, now=now, patients=len(phones), zone=self._zone, phones=phones))
            except OperationalError as error:
                if getattr(error.orig, "sqlite_errorname", None) not in LOCKED:
                    raise
            return bool(made)

        until(are_entered, within=ENTERING_SECONDS)
        return made

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Enrol one patient after another, so that whoever waits for something to do does not wait for long."""
        over = Event()

        def fill() -> None:
            while not over.wait(EVERY):
                self.enrol(1)

        with ThreadPoolExecutor(1) as hands:
            filled = hands.submit(fill)
            try:
                yield
            finally:
                over.set()
                filled.result()

    @contextmanager
    def talking(self) -> Iterator[None]:
        """Let patients say something when their reminder comes; at the end, wait until all of it was taken in."""
        over = Event()
        with ThreadPoolExecutor(TALKERS) as talkers, ThreadPoolExecutor(1) as ears:
            listened = ears.submit(self._listen, talkers, over)
            try:
                yield
            finally:
                over.set()
                listened.result()

    def _listen(self, talkers: ThreadPoolExecutor, over: Event) -> None:
        while not over.wait(0.05):
            for message in self._carrier.fresh():
                words = self._words_on(message)
                if words and message.to not in self.said:
                    self.said[message.to] = said = Said(f"SMa{len(self.said):031x}", words)
                    again = self._draw.random() < REPEATED
                    self._saying.append(talkers.submit(self._say, message.to, said, times=2 if again else 1))

    def _words_on(self, message: Message) -> str | None:
        """What somebody says to a text, if anything. Two doses that are told late come in two texts: a bare "1" would ask which."""
        words = self._draw.choice(WORDS) if self._draw.random() < TALKING else None
        if LATE in message.body and len(self.plans.get(message.to, ())) != 1:  # or one whom we have only just entered
            return None
        return self._bound_to_say.get(message.to, words)

    def _say(self, phone: str, said: Said, *, times: int) -> None:
        """Say something, as a carrier brings it that tries again until it is taken."""
        self._carrier.account.take_in(from_phone=phone, to_phone=OUR_NUMBER, body=said.words, sid=said.sid)
        pairs = inbound_form(account_sid=ACCOUNT, sid=said.sid, from_phone=phone, to_phone=OUR_NUMBER, body=said.words)
        pause, tries = Event(), MOST_TRIES
        while times and tries:
            times -= self._carrier.poster.post(self._webhook, pairs).answer // 100 == TAKEN
            tries -= 1
            pause.wait(0.05)
