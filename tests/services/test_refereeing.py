"""The referee between replicas: a real PostgreSQL's clock, and walls that are set beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from db.engine import make_engine, reading, time_of
from reminders.clock import SystemClock
from reminders.services import refereeing
from reminders.services.records import troubles
from reminders.services.refereeing import Referee
from tests.scheduling.wall import Wall

SECOND = timedelta(seconds=1)
HOURS = timedelta(hours=2)


def a_wall(ahead: timedelta = timedelta()) -> Wall:
    """A clock that is set so far ahead of the machine's, which is the database's too."""
    return Wall(SystemClock().now() + ahead)


def is_now(read: Callable[[], datetime]) -> bool:
    """Whether a clock shows the machine's time to the second; what it takes to read it on a busy machine is no fault of the clock."""
    before, shown, after = SystemClock().now(), read(), SystemClock().now()
    off = SECOND + after - before
    return before - off < shown < after + off


def standing(engine: Engine) -> list[str]:
    """The names of the troubles that are not over."""
    with reading(engine) as c:
        return [str(row["name"]) for row in troubles.standing(c)]


def test_the_database_has_a_clock_of_its_own(postgres_engine: Engine) -> None:
    """It is read anew each time, not once a transaction, and is aware, in UTC."""
    first, second = time_of(postgres_engine), time_of(postgres_engine)

    assert (first is not None and second is not None and first < second, first and first.utcoffset()) == (True, timedelta())


def test_a_file_has_no_clock(sqlite_engine: Engine) -> None:
    """SQLite runs on this machine: there is nothing to compare."""
    assert time_of(sqlite_engine) is None


def test_a_process_on_a_file_goes_by_its_own_clock(sqlite_engine: Engine) -> None:
    """On SQLite every clock is right."""
    wall = a_wall(HOURS)
    referee = Referee(sqlite_engine, wall)

    assert (referee.agrees(), referee.apart(), referee.now() - wall.now() < SECOND) == (True, None, True)


@pytest.mark.parametrize("sign", [1, -1], ids=["ahead", "behind"])
@pytest.mark.parametrize(("apart", "claims"), [(0.0, True), (1.9, True), (2.1, False), (30.0, False), (7200.0, False)])
def test_two_seconds_are_the_limit(postgres_engine: Engine, apart: float, claims: bool, sign: int) -> None:  # noqa: FBT001 - a parameter
    """A clock that differs from the database's by more than two seconds, either way, claims nothing."""
    referee = Referee(postgres_engine, a_wall(sign * apart * SECOND))

    assert referee.agrees() is claims


def test_how_far_apart_is_said_with_its_sign(postgres_engine: Engine) -> None:
    """Ahead of the database is more than nothing, behind it less."""
    ahead, behind = (Referee(postgres_engine, a_wall(by)).apart() for by in (HOURS, -HOURS))

    assert ahead is not None
    assert behind is not None
    assert (abs(ahead - HOURS) < SECOND / 10, abs(behind + HOURS) < SECOND / 10) == (True, True)


class Passing(Wall):
    """A clock on which time can be let pass, for its steady seconds and the database too."""

    passed = 0.0

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.passed += seconds
        self.move(timedelta(seconds=seconds))

    def monotonic(self) -> float:
        """Return the machine's steady seconds and those let pass."""
        return super().monotonic() + self.passed

    def answering_after(self, before: float, after: float) -> Callable[[Engine], datetime | None]:
        """A way to ask a database its time that takes so many seconds to get there, and so many to get back."""

        def slowly(engine: Engine) -> datetime | None:
            self.pass_by(before)
            at = time_of(engine)
            told = at and at + timedelta(seconds=self.passed)
            self.pass_by(after)
            return told

        return slowly


@pytest.mark.parametrize(("ahead", "there", "back"), [(0.9, 0, 1.6), (-0.9, 1.6, 0), (1.9, 0.8, 0.8)])
def test_the_way_to_the_database_and_back_is_allowed_for(postgres_engine: Engine, ahead: float, there: float, back: float) -> None:
    """A clock is not held to be wrong for the time that the question took."""
    wall = Passing(SystemClock().now() + ahead * SECOND)

    assert Referee(postgres_engine, wall, time_of=wall.answering_after(there, back)).agrees()


def test_an_answer_that_took_too_long_proves_nothing(postgres_engine: Engine) -> None:
    """A database whose clock is read in seven seconds says nothing about two: nothing is claimed, and no clock is called wrong."""
    wall = Passing(SystemClock().now())
    referee = Referee(postgres_engine, wall, time_of=wall.answering_after(0, 7))

    assert (referee.agrees(), standing(postgres_engine)) == (False, [])


def test_the_time_is_the_databases(postgres_engine: Engine) -> None:
    """Whatever its own clock shows, a process is told the database's time, and it goes on between two looks."""
    referee = Referee(postgres_engine, a_wall(HOURS))
    first, second = referee.now(), referee.now()

    assert (is_now(referee.now), second > first) == (True, True)


@pytest.mark.parametrize("by", [HOURS, -HOURS], ids=["on", "back"])
def test_a_wall_moved_between_two_looks_moves_nothing(postgres_engine: Engine, by: timedelta) -> None:
    """A clock that jumps after it was compared does not carry the agreed time with it."""
    wall = a_wall()
    referee = Referee(postgres_engine, wall)
    assert referee.agrees()
    wall.move(by)

    assert is_now(referee.now)


def test_a_wrong_clock_is_told_of_until_it_is_right(postgres_engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """The trouble names the process and begins and ends in the log; the words say what is wrong and what follows."""
    wall = a_wall(3.5 * SECOND)
    referee = Referee(postgres_engine, wall, who="web-1")
    with caplog.at_level(logging.WARNING):
        referee.agrees()
        during = standing(postgres_engine)
        wall.move(-3.5 * SECOND)
        referee.agrees()

    assert (during, standing(postgres_engine)) == (["clock web-1"], [])
    assert caplog.messages == [
        "trouble: clock web-1: the clock of web-1 is 3.5 s ahead of the database's: it claims nothing until they agree again",
        "over: clock web-1",
    ]


def test_one_right_clock_does_not_hide_a_wrong_one(postgres_engine: Engine) -> None:
    """The trouble of one process is not ended by another's right clock, nor by another's wrong one."""
    wrong = Referee(postgres_engine, a_wall(HOURS), who="web-1")
    right = Referee(postgres_engine, a_wall(), who="web-2")
    also_wrong = Referee(postgres_engine, a_wall(-HOURS), who="web-3")
    found = [referee.agrees() for referee in (wrong, right, also_wrong, right)]

    assert (found, standing(postgres_engine)) == ([False, True, False, True], ["clock web-1", "clock web-3"])


def test_the_trouble_of_a_process_that_is_gone_is_forgotten_by_the_others(
    postgres_engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong clock is told of again and again while its process lives: two minutes of silence, and it is gone."""
    wrong = Referee(postgres_engine, a_wall(HOURS), who="web-1")
    wrong.agrees()
    monkeypatch.setattr(refereeing, "GONE", timedelta())
    Referee(postgres_engine, a_wall(), who="web-2").agrees()

    assert (standing(postgres_engine), caplog.messages[-1]) == ([], "over: clock web-1 is no more")


def test_a_process_that_lives_keeps_its_trouble_alive(postgres_engine: Engine) -> None:
    """While a clock is wrong, its trouble is seen anew every quarter of a minute at most, not at each look."""
    wall = Passing(SystemClock().now() + HOURS)
    referee = Referee(postgres_engine, wall, who="web-1", time_of=wall.answering_after(0, 0))
    seen = []
    for seconds in (0, 5, 20):
        wall.pass_by(seconds)
        referee.agrees()
        with reading(postgres_engine) as c:
            seen.append(troubles.standing(c)[0]["seen_at"])

    assert (seen[0] == seen[1], seen[1] < seen[2]) == (True, True)


def test_two_processes_of_one_host_have_two_names(postgres_engine: Engine) -> None:
    """Who a process is, is a name nobody else has, short enough for the ledger."""
    names = {Referee(postgres_engine, a_wall()).who for _ in range(20)}

    assert (len(names), max(map(len, names)) <= 33) == (20, True)


def test_a_database_that_cannot_be_asked_claims_nothing() -> None:
    """The error is the caller's to see: there was nothing to claim from either."""
    away = make_engine("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(Exception, match="connection"):
        Referee(away, a_wall()).agrees()


def test_a_trouble_that_cannot_be_noted_still_claims_nothing(
    postgres_engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong clock beside a database that takes no writes: nothing is claimed, and the log says so."""
    monkeypatch.setattr(refereeing, "writing", refusing)

    assert (Referee(postgres_engine, a_wall(HOURS), who="web-1").agrees(), len(caplog.messages)) == (False, 1)
    assert "web-1 is 7200.0 s ahead" in caplog.text


def refusing(_: Engine) -> None:
    """Take no writes."""
    raise RuntimeError("planted")


def test_work_is_done_only_while_the_clocks_agree(postgres_engine: Engine) -> None:
    """Work behind the referee does nothing, and says nought, while its process's clock is wrong."""
    wall = a_wall()
    turns = iter([7, 8])
    work = Referee(postgres_engine, wall).guarding(lambda: next(turns))
    amounts = []
    for by in (0 * HOURS, HOURS, -HOURS):
        wall.move(by)
        amounts.append(work())

    assert amounts == [7, 0, 8]
