"""STOP at every place in a text's way: before it is written, claimed, looked at, sent, recorded, doubted, sent again.

A morning is played once for hundreds of people at a time, each with a phone and a script of their own: what they write, and at
which of the morning's moments. The order in which things happened is counted, so that "after" has one meaning.
"""

from __future__ import annotations

import asyncio
import queue
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations_with_replacement, count, islice
from random import Random
from typing import Final

import pytest
from sqlalchemy import Engine, select

from db.engine import make_engine, reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.messaging.sandbox import CarrierFault, SandboxTransport
from reminders.messaging.transport import Outcome, Outgoing
from reminders.milestones import Milestone
from reminders.services import delivering, following_up, importing, reminding, replying
from tests.files import a_consent, an_import_file
from tests.stage import at, empty_ledger, patient, plan

LONG_CODE = "+12025550100"
TOGETHER = 400  # people in one morning

CARRIERS, WIDE, START, LATE, WRONG = "STOP", "please stop texting me", "START", "MISSED", "wrong number"
"""The carrier's own word, which it confirms itself; one that we must confirm; consent again; and two words that bring an answer."""

MOMENTS = (
    *("the evening before", "written", "claimed", "looked at", "unrecorded", "recorded", "listed", "settled"),
    *("claimed again", "looked at again", "unrecorded again", "recorded again"),
    *("nudged", "nudge claimed", "nudge looked at", "nudge unrecorded", "nudge recorded"),
)
FAULTS: Final = ("delivered", "unknown", "lost")
"""What becomes of a text: taken; taken, and the answer lost; not taken, and the answer lost, so that it is sent again."""


@dataclass(frozen=True, slots=True)
class Script:
    """What somebody writes at which moments, in order, and what the carrier does with our texts to them."""

    says: tuple[tuple[int, str], ...]
    fault: str


def every_script() -> Iterator[Script]:
    """One word, and two, at every moment; the carrier's faults in turn."""
    faults = (FAULTS[no % len(FAULTS)] for no in count())
    for word in (CARRIERS, WIDE):
        yield from (Script(((moment, word),), fault) for moment in range(len(MOMENTS)) for fault in FAULTS)
    answered = ((LATE, WIDE), (LATE, CARRIERS), (WRONG, WIDE), (WRONG, CARRIERS))
    for first, second in ((WIDE, START), (CARRIERS, START), (START, WIDE), (WIDE, CARRIERS), *answered):
        yield from (
            Script(((one, first), (two, second)), next(faults)) for one, two in combinations_with_replacement(range(len(MOMENTS)), 2)
        )


def drawn_scripts(seed: int) -> Iterator[Script]:
    """Up to four words at any moments, without end."""
    dice = Random(seed)  # noqa: S311 - a test's dice
    while True:
        moments = sorted(dice.choices(range(len(MOMENTS)), k=dice.randint(1, 4)))
        yield Script(tuple((moment, dice.choice((CARRIERS, WIDE, WIDE, START, LATE, WRONG))) for moment in moments), dice.choice(FAULTS))


def phone_of(no: int) -> str:
    """A fictional number for each person."""
    return f"+1{201 + no // 100}55501{no % 100:02}"


@lru_cache(maxsize=2)
def _enrolled(people: int) -> Engine:
    """A ledger of people due at eight, to be copied."""
    engine = empty_ledger()
    enrol(engine, people)
    return engine


def enrol(engine: Engine, people: int) -> None:
    """Enrol people, each due at eight, each with a phone of their own."""
    files = [
        patient(plan(ref=f"plan-{no}"), ref=f"person-{no}", name=f"Person {no}", phone=phone_of(no), consent=a_consent(f"Person {no}"))
        for no in range(people)
    ]
    importing.import_file(engine, an_import_file(*files), now=at("03-02 07:00"))


def copied(people: int) -> Engine:
    """A ledger of so many people, in memory."""
    engine = make_engine("sqlite://")
    source, copy = _enrolled(people).raw_connection(), engine.raw_connection()
    source.driver_connection.backup(copy.driver_connection)  # type: ignore[union-attr]
    source.close()
    copy.close()
    return engine


@dataclass(frozen=True, slots=True)
class Handed:
    """A text given to the carrier: when in the order of things, and when its round of sending had looked at it for the last time."""

    no: int
    looked: int
    to: str
    text_id: str


class Carrier(SandboxTransport):
    """A carrier that notes what it was given, and when."""

    def __init__(self, clock: HandClock, order: Callable[[], int]) -> None:
        super().__init__(clock)
        self.handed: list[Handed] = []
        self.looked = 0
        self._order = order

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Note a text, and treat it as its phone's fault says."""
        self.handed.append(Handed(self._order(), self.looked, outgoing.to, outgoing.text_id))
        return await super().send(outgoing)


@dataclass
class Morning:
    """A morning of many people. `heard`: (when in the order of things, word) of each phone, once it was committed."""

    scripts: Sequence[Script]
    clock: HandClock = field(default_factory=lambda: HandClock(at("03-02 07:59")))
    heard: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._numbers, self._moments = count(1), 0
        self.watch = delivering.Watch()
        self.engine, self.carrier = copied(len(self.scripts)), Carrier(self.clock, self._order)
        for no, script in enumerate(self.scripts):
            self.carrier.set_fault(phone_of(no), CarrierFault(script.fault))

    def play(self) -> None:
        """Let the morning pass."""
        self._moment()
        self.clock.advance_to(at("03-02 08:00"))
        reminding.remind_due(self.engine, now=self.clock.now(), limit=TOGETHER)
        self._moment()
        self._round()
        self._recover("08:02", "08:03")
        self._round()
        self._recover("08:20", "08:21")
        self.clock.advance_to(at("03-02 09:00"))
        following_up.follow_up(self.engine, now=self.clock.now())
        self._moment()
        self._round()
        self._recover("09:05", "09:06")
        self._deliver(lambda _: None)
        self.clock.advance_to(at("03-02 14:00"))
        reminding.remind_due(self.engine, now=self.clock.now(), limit=TOGETHER)
        self._deliver(lambda _: None)
        assert self._moments == len(MOMENTS)

    def _order(self) -> int:
        return next(self._numbers)

    def _moment(self) -> None:
        """Let everybody write what their script has for this moment, and nothing else happen meanwhile."""
        for no, script in enumerate(self.scripts):
            for word in (word for moment, word in script.says if moment == self._moments):
                self._says(phone_of(no), word)
        self._moments += 1

    def _says(self, phone: str, word: str) -> None:
        now, sid = self.clock.now(), f"SM{self._order()}"
        replying.receive(self.engine, sid=sid, from_phone=phone, to_phone=LONG_CODE, body=word, received_at=now, now=now)
        self.heard.setdefault(phone, []).append((self._order(), word))

    def _round(self) -> None:
        """Send what waits; the moments in it are after the claim, after the last look, before the record, and after it."""
        places = {Milestone.SEND_AFTER_CLAIM_COMMIT, Milestone.SEND_BEFORE_WRITE, Milestone.SEND_BEFORE_RECORD}

        def passing(milestone: Milestone) -> None:
            if milestone is Milestone.SEND_BEFORE_WRITE and milestone in places:
                self.carrier.looked = self._order()
            if milestone in places:  # each once, though many texts pass it
                places.remove(milestone)
                self._moment()

        self._deliver(passing)
        self._moment()

    def _recover(self, *times: str) -> None:
        """Settle what is in doubt; the first time of all, a moment lies between the look at the carrier's list and the decision."""
        for instant in (self.clock.now(), *(at(f"03-02 {time}") for time in times)):  # who recovers was at work all the while
            self.clock.advance_to(instant)
            recovering = delivering.recover(
                self.engine, self.carrier, clock=self.clock, watch=self.watch, limit=10 * TOGETHER, passing=self._listed
            )
            asyncio.run(recovering)
            self._listed(Milestone.RECOVER_BEFORE_COMMIT)
        if self._moments == MOMENTS.index("settled"):
            self._moment()

    def _listed(self, milestone: Milestone) -> None:
        if milestone is Milestone.RECOVER_AFTER_LIST and self._moments == MOMENTS.index("listed"):
            self._moment()

    def _deliver(self, passing: Callable[[Milestone], None]) -> None:
        asyncio.run(delivering.deliver(self.engine, self.carrier, clock=self.clock, limit=10 * TOGETHER, passing=passing))


# --- what must hold ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ended:
    """A time for which STOP stood on a phone: from the commit of the word that began it, up to the commit of a START."""

    began: int
    until: float
    word: str


def endings(heard: Sequence[tuple[int, str]]) -> list[Ended]:
    """The times for which STOP stood, of what a phone wrote in order."""
    found: list[Ended] = []
    stood: tuple[int, str] | None = None
    for no, word in heard:
        if word in {CARRIERS, WIDE} and stood is None:
            stood = (no, word)
        elif word == START and stood is not None:
            found.append(Ended(stood[0], no, stood[1]))
            stood = None
    return [*found, Ended(stood[0], float("inf"), stood[1])] if stood else found


@dataclass
class Tally:
    """What was counted: people, words that ended texts, texts handed over, and those already looked at when STOP was committed."""

    people: int = 0
    stops: int = 0
    handed: int = 0
    in_flight: int = 0
    wrong: list[str] = field(default_factory=list)

    def take(self, phone: str, heard: Sequence[tuple[int, str]], handed: Sequence[Handed], last_words: set[str], told: str) -> None:
        """Check one phone: nothing after STOP but what had been looked at before it, and one confirmation where it is ours to give."""
        times = endings(heard)
        self.people, self.stops, self.handed = self.people + 1, self.stops + len(times), self.handed + len(handed)
        for time in times:
            since = [text for text in handed if time.began < text.no < time.until and text.text_id not in last_words]
            flying = [text for text in since if text.looked < time.began]
            self.in_flight += len(flying)
            if len(since) > len(flying):
                self.wrong.append(f"{phone} {told}: sent after STOP")
        confirmed = len({text.text_id for text in handed if text.text_id in last_words})
        ours = sum(time.word == WIDE for time in times)
        if confirmed > ours or (len(times) == 1 and confirmed != ours):
            self.wrong.append(f"{phone} {told}: {confirmed} confirmations, {ours} were ours to give")


def confirmations(engine: Engine) -> set[str]:
    """The ids of the texts that confirm an end of texts."""
    text = metadata.tables["text_out"]
    with reading(engine) as c:
        return set(c.scalars(select(text.c.id).where(text.c.template == "texts_stopped")))


def played(scripts: Iterator[Script], people: int) -> Tally:
    """Play the scripts of so many people, some hundreds a morning."""
    tally = Tally()
    while chunk := list(islice(scripts, min(TOGETHER, people - tally.people))):
        morning = Morning(chunk)
        morning.play()
        last_words = confirmations(morning.engine)
        for no, script in enumerate(chunk):
            mine = [text for text in morning.carrier.handed if text.to == phone_of(no)]
            told = f"{script.fault}: " + ", ".join(f"{word} when {MOMENTS[moment]}" for moment, word in script.says)
            tally.take(phone_of(no), morning.heard.get(phone_of(no), []), mine, last_words, told)
        morning.engine.dispose()
    return tally


@pytest.mark.timeout(600)  # half a minute on an idle core; a full machine is not a fault of the code
def test_nothing_is_sent_after_stop() -> None:
    """At whichever moment STOP is committed, nothing looked at after it leaves, but the one confirmation where it is ours to give."""
    scripts = list(every_script())
    tally = played(iter(scripts), len(scripts))

    assert tally.wrong == []
    assert (tally.people, len(set(scripts))) == (1326, 1326)
    assert (tally.stops > 1000, tally.handed > 2000, tally.in_flight > 0) == (True, True, True), tally


@pytest.mark.night
@pytest.mark.timeout(7200)
def test_nothing_is_sent_after_stop_in_twenty_thousand_mornings() -> None:
    """Up to four words each at any moments, drawn anew each night; the run's printed seed draws them again."""
    tally = played(drawn_scripts(random.getrandbits(32)), 20_000)

    assert (tally.people, tally.wrong) == (20_000, [])


# --- truly at once ----------------------------------------------------------------------------------------------------------------

AT_ONCE = 240
UNEVEN = 0.06
"""Seconds, at most, that a sender dawdles between claim and last look: as long as a few texts of people's take."""


class Rush:
    """Reminders are written, two senders send, and people write STOP, all at once, on one database.

    A third of the people write as soon as their reminder is claimed, while the last look is taken; a third as soon as it is
    written; a third when nobody of the others wants to. Four are heard at a time.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.clock, self.order = HandClock(at("03-02 08:00")), count(1).__next__
        self.heard: dict[str, list[tuple[int, str]]] = {}
        self.carriers = [Carrier(self.clock, self.order) for _ in range(2)]
        self._numbers = {phone_of(no): no for no in range(AT_ONCE)}
        self._line: queue.PriorityQueue[tuple[int, str]] = queue.PriorityQueue()
        self._called: set[str] = set()
        self._calling = threading.Lock()
        self._stopped = threading.Event()

    def play(self) -> None:
        """Let all of it happen; then let what still waits leave."""
        for no in range(2, AT_ONCE, 3):
            self._line.put((2, phone_of(no)))
        with ThreadPoolExecutor(7) as pool:
            people = [pool.submit(self._stop, AT_ONCE // 4) for _ in range(4)]
            machines = [pool.submit(self._remind), *(pool.submit(self._send, carrier) for carrier in self.carriers)]
            try:
                for done in people:
                    done.result()
            finally:
                self._stopped.set()
            for done in machines:
                done.result()
        self._send(self.carriers[0])

    def _remind(self) -> None:
        while reminding.remind_due(self.engine, now=self.clock.now(), limit=5):
            self._call({"queued", "sending", "accepted"}, third=1)

    def _send(self, carrier: Carrier) -> None:
        """Send a few at a time, in uneven steps. What is committed before a last look begins must be seen by it."""
        dice, never = Random(AT_ONCE), threading.Event()  # noqa: S311 - a test's dice

        def passing(milestone: Milestone) -> None:
            if milestone is Milestone.SEND_AFTER_CLAIM_COMMIT:
                self._call({"sending"}, third=0)
                never.wait(dice.random() * UNEVEN)
                carrier.looked = self.order()
            if milestone is Milestone.SEND_BEFORE_WRITE:
                never.wait(dice.random() * UNEVEN / 5)

        while True:
            over = self._stopped.is_set()
            if not asyncio.run(delivering.deliver(self.engine, carrier, clock=self.clock, limit=6, passing=passing)) and over:
                return

    def _call(self, states: set[str], *, third: int) -> None:
        """Let the people of this third write now whose reminder has come so far, each once."""
        text, point = metadata.tables["text_out"], metadata.tables["contact_point"]
        query = select(point.c.phone).join(text, text.c.contact_point_id == point.c.id)
        with reading(self.engine) as c:
            found = set(c.scalars(query.where(text.c.kind == "reminder", text.c.state.in_(states))))
        with self._calling:
            fresh = {phone for phone in found - self._called if self._numbers[phone] % 3 == third}
            self._called |= fresh
        for phone in fresh:
            self._line.put((third, phone))

    def _stop(self, times: int) -> None:
        now = self.clock.now()
        for _ in range(times):
            _, phone = self._line.get(timeout=60)
            word = self._word(phone)
            replying.receive(self.engine, sid=f"SM{phone}", from_phone=phone, to_phone=LONG_CODE, body=word, received_at=now, now=now)
            self.heard[phone] = [(self.order(), word)]

    def _word(self, phone: str) -> str:
        return WIDE if self._numbers[phone] // 3 % 2 else CARRIERS


@pytest.mark.timeout(600)
def test_stop_beside_reminding_and_two_senders(engine: Engine) -> None:
    """With real threads on a real database: nothing claimed after a STOP's commit leaves, and each confirmation of ours leaves once."""
    enrol(engine, AT_ONCE)
    rush = Rush(engine)
    rush.play()
    handed, last_words, tally = [text for carrier in rush.carriers for text in carrier.handed], confirmations(engine), Tally()
    for phone, heard in rush.heard.items():
        tally.take(phone, heard, [text for text in handed if text.to == phone], last_words, "at once")

    assert (tally.wrong, tally.people, tally.stops) == ([], AT_ONCE, AT_ONCE), tally
    assert len([text for text in handed if text.text_id in last_words]) == AT_ONCE // 2
