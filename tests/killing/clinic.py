"""The load of an ordeal: patients with doses due this very minute, enrolled as time goes on, of whom some answer their reminder."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from threading import Event, Lock, Thread

from sqlalchemy import Engine

from reminders.clock import SystemClock
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, FakeTwilio
from tests.fake_twilio.webhooks import inbound_form
from tests.killing.carrier import tell_nothing_of
from tests.scheduling.enrolled import LABELS, due_at, enrol

WORDS = ("1", "HELP")
"""What patients say: that a dose was taken, which brings no answer, and what brings one."""
TALKING, REPEATED, TWO_DOSES, NO_RECEIPTS = 0.3, 0.2, 0.25, 0.4
"""The shares of patients who say something, of what they say that the carrier brings twice, of batches with two doses, of phones
of which no receipt comes."""
TALKERS = 4
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

    def __init__(self, engine: Engine, twilio: FakeTwilio, webhook: str, draw: Random) -> None:
        self._engine, self._twilio, self._webhook, self._draw = engine, twilio, webhook, draw
        self._clock = SystemClock()
        self._zone = zone_at_noon(self._clock.now())
        self._enrolling = Lock()
        self._over = Event()
        self._seen = 0
        self.doses: dict[str, int] = {}
        """How many doses each phone is to be reminded of, all in one text."""
        self.said: dict[str, Said] = {}
        """What was said from each phone."""
        self.plans: list[str] = []

    @property
    def taken(self) -> int:
        """How many doses were told as taken."""
        return sum(self.doses[phone] for phone, said in self.said.items() if said.words == "1")

    def texts_to(self, phone: str) -> int:
        """How many texts a phone should get: its reminder, and the answer to what it said if that brings one."""
        return 1 + (phone in self.said and self.said[phone].words == "HELP")

    def enrol(self, patients: int) -> None:
        """Enrol some more, with one dose or two due this minute."""
        with self._enrolling:
            first = len(self.doses)
            phones = [phone_of(number) for number in range(first, first + patients)]
            for phone in phones:
                if self._draw.random() < NO_RECEIPTS:
                    tell_nothing_of(self._twilio, phone)
            minute = self._clock.now().replace(second=0, microsecond=0)
            plans = [due_at(minute, LABELS[0], zone=self._zone)]
            if self._draw.random() < TWO_DOSES:
                plans.append(due_at(minute, LABELS[1], drug="another-tablet", zone=self._zone))
            before = minute - timedelta(minutes=1)
            self.plans += enrol(self._engine, *plans, now=before, patients=patients, zone=self._zone, phones=phones)
            self.doses |= dict.fromkeys(phones, len(plans))

    @contextmanager
    def talking(self) -> Iterator[None]:
        """Let patients say something when their reminder comes; at the end, wait until all of it was taken in."""
        with ThreadPoolExecutor(TALKERS) as talkers:
            listening = Thread(target=self._listen, args=[talkers])
            listening.start()
            try:
                yield
            finally:
                self._over.set()
                listening.join()

    def _listen(self, talkers: ThreadPoolExecutor) -> None:
        while not self._over.wait(0.1):
            messages = self._twilio.messages
            for message in messages[self._seen :]:
                if message.to not in self.said and self._draw.random() < TALKING:
                    self.said[message.to] = said = Said(f"SMa{len(self.said):031x}", self._draw.choice(WORDS))
                    talkers.submit(self._say, message.to, said, times=2 if self._draw.random() < REPEATED else 1)
            self._seen = len(messages)

    def _say(self, phone: str, said: Said, *, times: int) -> None:
        """Say something, as a carrier brings it that tries again until it is taken."""
        self._twilio.account.take_in(from_phone=phone, to_phone=OUR_NUMBER, body=said.words, sid=said.sid)
        pairs = inbound_form(account_sid=ACCOUNT, sid=said.sid, from_phone=phone, to_phone=OUR_NUMBER, body=said.words)
        pause, tries = Event(), MOST_TRIES
        while times and tries:
            times -= self._twilio.poster.post(self._webhook, pairs).answer // 100 == TAKEN
            tries -= 1
            pause.wait(0.05)
