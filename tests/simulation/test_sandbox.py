"""The sandbox that is served: its clock, its driver, and what of the loop rests beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.tables import metadata
from reminders.clock import HandClock, SandboxClock
from reminders.domain.acting import StaffAct, StaffAction
from reminders.errors import LedgerMoved, NotAllowed
from reminders.messaging.sandbox import SandboxTransport
from reminders.services import importing, sandboxing
from reminders.simulation.sandbox import FARTHEST, Rest, Sandbox
from tests.files import a_clinic, an_import_file
from tests.stage import ANA, at, empty_ledger, patient, phase, plan

CLINIC = "harbor-clinic"
START = at("03-02 00:00").astimezone(UTC)
HALF = timedelta(microseconds=500_000)


Start = Callable[[], Sandbox]


@pytest.fixture
def start(engine: Engine, own: HandClock) -> Iterator[Start]:
    """Processes that serve a sandbox, as they begin: each time another, and never two that work."""
    begun: list[Sandbox] = []

    def begin() -> Sandbox:
        clock = sandboxing.clock_of(engine, own)
        begun.append(Sandbox(engine, clock, own, SandboxTransport(clock)))
        return begun[-1]

    yield begin
    for sandbox in begun:
        sandbox.close()


@pytest.fixture
def engine() -> Iterator[Engine]:
    """A ledger with Ana, who takes 5 mg three times a day for two days, and then 10 mg."""
    engine = empty_ledger()
    people = an_import_file(patient(plan(phase("5/5/5", 2), phase("10/10/10"), advance="as_prescribed")), clinic=a_clinic())
    importing.import_file(engine, people, now=START)
    yield engine
    engine.dispose()


@pytest.fixture
def own() -> HandClock:
    """The machine's clock, half a second past a whole one."""
    return HandClock(START + HALF)


def rows(engine: Engine, table: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    with reading(engine) as c:
        return [dict(row) for row in c.execute(select(metadata.tables[table])).mappings()]


def texts(engine: Engine) -> list[tuple[datetime, str]]:
    """What left, and when."""
    found = [(row["sent_at"], row["purpose"]) for row in rows(engine, "text_out") if row["sent_at"] is not None]
    return sorted(found, key=str)


def moved(sandbox: Sandbox, to: datetime) -> None:
    """Move the clock, and wait until it is there."""
    sandbox.move(to)
    assert sandbox.wait(30)


def test_until_it_is_taken_over_it_is_the_machines(own: HandClock) -> None:
    """A sandbox nobody has played with runs on the machine's clock, to the microsecond."""
    assert SandboxClock(own).now() == own.now()


def test_a_moved_clock_shows_whole_seconds_and_runs_on() -> None:
    """What happens by it can be written in a story file, second by second."""
    own = HandClock(START + HALF)
    clock = SandboxClock(own, timedelta(hours=1))
    before = clock.now()
    own.advance(timedelta(seconds=1))

    assert (before, clock.now()) == (START + timedelta(hours=1), START + timedelta(hours=1, seconds=1))


def test_a_clock_is_not_set_back(own: HandClock) -> None:
    """Forward only: what has happened stays behind it."""
    clock = SandboxClock(own, timedelta(hours=1))

    with pytest.raises(ValueError, match="not set back"):
        clock.set_ahead(timedelta(minutes=59))


def test_what_falls_due_on_the_way_happens_at_its_own_instant(engine: Engine, start: Start) -> None:
    """A day in one move: three reminders, each at its time."""
    sandbox = start()
    moved(sandbox, at("03-02 20:30"))

    assert [sent for sent, purpose in texts(engine) if purpose == "reminder"] == [at("03-02 08:00"), at("03-02 14:00"), at("03-02 20:00")]


def test_it_stands_where_it_was_moved_to(own: HandClock, start: Start) -> None:
    """However long the way took; and then it runs with the machine's."""
    sandbox = start()
    moved(sandbox, at("03-02 09:00"))
    there = sandbox.now
    own.advance(timedelta(seconds=30))

    assert there - at("03-02 09:00") <= timedelta(seconds=1)
    assert sandbox.now - there == timedelta(seconds=30)


def test_a_restart_keeps_it(start: Start) -> None:
    """How far it is ahead is a row."""
    moved(start(), at("03-03 09:00"))
    again = start()

    assert (again.is_moved, again.now - at("03-03 09:00") <= timedelta(seconds=1)) == (True, True)


def test_between_moves_a_tick_carries_the_ledger(engine: Engine, own: HandClock, start: Start) -> None:
    """The clock runs on, and what falls due happens at its instant, not at the tick's."""
    sandbox = start()
    moved(sandbox, at("03-02 07:59"))
    own.advance(timedelta(minutes=3))
    sandbox.tick()

    assert texts(engine) == [(at("03-02 08:00"), "reminder")]


def test_what_fell_due_while_nobody_served_is_lived_through(engine: Engine, own: HandClock, start: Start) -> None:
    """A laptop that was closed for a night is no outage of a clinic's: each reminder has its own time."""
    moved(start(), at("03-02 07:00"))
    own.advance(timedelta(hours=8))
    start().tick()

    assert [sent for sent, purpose in texts(engine) if purpose == "reminder"] == [at("03-02 08:00"), at("03-02 14:00")]


def test_nothing_is_driven_until_it_is_taken_over(engine: Engine, own: HandClock, start: Start) -> None:
    """An ordinary sandbox is the loop's, as production is."""
    own.advance(timedelta(hours=9))

    assert (start().tick(), texts(engine)) == (0, [])


def test_a_reply_is_taken_in_and_answered(engine: Engine, start: Start) -> None:
    """Ana's "1" on the sandbox's phone: the dose is taken, at the sandbox's time."""
    sandbox = start()
    moved(sandbox, at("03-02 08:05"))
    sandbox.says(CLINIC, ANA, "1")

    assert [(dose["state"], dose["taken_at"] - at("03-02 08:05") <= timedelta(seconds=1)) for dose in rows(engine, "dose")] == [
        ("taken", True)
    ]


def test_to_play_is_to_take_it_over(engine: Engine, own: HandClock, start: Start) -> None:
    """A first reply moves no clock, but from then on the driver carries the ledger, in whole seconds that fall behind nothing."""
    sandbox = start()
    sandbox.says(CLINIC, ANA, "HELP")
    heard = rows(engine, "text_in")[0]["received_at"]

    assert isinstance(heard, datetime)
    assert (sandbox.is_moved, heard.microsecond, heard >= own.now() - HALF) == (True, 0, True)


def test_what_the_loop_does_rests_once_it_is_taken_over(start: Start) -> None:
    """Never two at the ledger."""
    sandbox = start()
    work = sandbox.unless_moved(lambda: 7)
    before = work()
    moved(sandbox, at("03-02 01:00"))

    assert (before, work(), start().unless_moved(lambda: 7)()) == (7, 0, 0)


def test_to_rest_waits_for_what_is_at_work() -> None:
    """A delivery in hand ends before the driver begins."""
    rest, begun, ends = Rest(), Event(), Event()
    order: list[str] = []

    def deliver() -> int:
        begun.set()
        assert ends.wait(10)
        order.append("delivered")
        return 1

    at_work = Thread(target=rest.unless_resting(deliver))
    at_work.start()
    assert begun.wait(10)

    def begin() -> None:
        rest.begin()
        order.append("rests")

    resting = Thread(target=begin)
    resting.start()
    resting.join(0.05)
    waits = resting.is_alive()
    ends.set()
    resting.join(10)
    at_work.join(10)

    assert (waits, order) == (True, ["delivered", "rests"])


def test_nothing_else_is_done_while_a_move_goes_on(start: Start) -> None:
    """Neither a tick nor another move nor a reply comes in between."""
    sandbox = start()
    inside: list[object] = []

    def once(_: object) -> bool:
        inside.append(sandbox.tick())
        inside.append(sandbox.between(lambda: 7)())
        return True

    sandbox.move(at("03-02 09:00"), until=once)
    assert sandbox.wait(30)

    assert inside[:2] == [0, 0]


def test_a_move_ends_where_something_was_waited_for(engine: Engine, start: Start) -> None:
    """The next event: the clock stands at the first reminder, not at the end of the way."""
    sandbox = start()
    sandbox.move(at("03-04 00:00"), until=lambda line: line["kind"] == "text_out")
    assert sandbox.wait(30)

    assert sandbox.now - at("03-02 08:00") <= timedelta(seconds=1)
    assert texts(engine) == [(at("03-02 08:00"), "reminder")]


@pytest.mark.parametrize("span", [timedelta(), timedelta(hours=-1), FARTHEST + timedelta(days=1)])
def test_it_goes_forward_only_and_not_too_far(start: Start, span: timedelta) -> None:
    """Neither back, nor on the spot, nor years ahead."""
    sandbox = start()

    with pytest.raises(NotAllowed, match="forward only"):
        sandbox.move(sandbox.now + span)


def test_nothing_is_moved_while_a_gap_waits(engine: Engine, own: HandClock) -> None:
    """A ledger in quarantine decides nothing, in the sandbox too."""
    clock = sandboxing.clock_of(engine, own)
    sandbox = Sandbox(engine, clock, own, SandboxTransport(clock), permits=lambda: False)

    with pytest.raises(NotAllowed, match="relived"):
        sandbox.move(at("03-02 09:00"))
    with pytest.raises(NotAllowed, match="relived"):
        sandbox.says(CLINIC, ANA, "1")
    sandbox.close()


def test_an_act_is_kept_for_the_story(engine: Engine, start: Start) -> None:
    """What staff did stands in no other row as it was said."""
    sandbox = start()
    moved(sandbox, at("03-02 09:00"))
    act = StaffAct(sandbox.now, StaffAction.MOVE_ZONE, "ana-baclofen", "Dr. Noor Haddad", "a trip", zone="Europe/London")
    sandbox.acts(act, clinic_id=CLINIC)
    kept = sandboxing.kept(engine)[0].event["staff"]

    assert kept == {"action": "move_zone", "plan": "ana-baclofen", "by": "Dr. Noor Haddad", "reason": "a trip", "zone": "Europe/London"}


def test_a_phone_switched_off_stays_off_after_a_restart(engine: Engine, start: Start) -> None:
    """How the carrier treats a phone, and what reaches us, is part of the sandbox."""
    sandbox = start()
    sandbox.treats(CLINIC, ANA, status="undelivered", code=30003)
    sandbox.hears(webhook=False, lists=True)
    again = start()
    moved(again, at("03-02 08:30"))

    assert (again.fault_of(ANA), again.hearing) == ("undelivered 30003", (False, True))
    assert {row["status"] for row in rows(engine, "text_out") if row["sent_at"] is not None} == {"undelivered"}


def test_a_text_that_no_webhook_brings_is_found_in_the_list_even_after_a_restart(engine: Engine, start: Start) -> None:
    """It waits at the carrier, and is heard, at its own time, when the lists work again."""
    sandbox = start()
    moved(sandbox, at("03-02 08:05"))
    sandbox.hears(webhook=False, lists=False)
    sandbox.says(CLINIC, ANA, "1")
    before = rows(engine, "text_in")
    again = start()
    again.hears(webhook=True, lists=True)
    moved(again, at("03-02 08:10"))

    assert (before, [row["body"] for row in rows(engine, "text_in")], [row["state"] for row in rows(engine, "dose")]) == (
        [],
        ["1"],
        ["taken"],
    )


def test_a_ledger_that_was_played_with_never_meets_a_carrier(engine: Engine, start: Start) -> None:
    """Its times are its own: to serve it with a carrier is refused, with words that say what to do."""
    sandboxing.refuse_if_moved(engine)
    moved(start(), at("03-02 01:00"))

    with pytest.raises(LedgerMoved, match="DATABASE_URL"):
        sandboxing.refuse_if_moved(engine)


def test_a_process_that_died_on_the_way_goes_on_where_it_was(engine: Engine, own: HandClock, start: Start) -> None:
    """Its target was written before it went: what it had not lived through yet is lived through, each at its own instant."""
    moved(start(), at("03-02 09:00"))
    with writing(engine) as c:
        clock = metadata.tables["sandbox_clock"]
        c.execute(clock.update().values(ahead_seconds=int((at("03-02 21:00") - own.now()).total_seconds())))
    start().tick()

    assert [sent for sent, purpose in texts(engine) if purpose == "reminder"] == [at("03-02 08:00"), at("03-02 14:00"), at("03-02 20:00")]
