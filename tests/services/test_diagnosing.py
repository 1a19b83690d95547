"""What is said of an installation that is in order, and of each thing that is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event

from db.engine import make_engine, writing
from reminders.messaging.transport import Ambiguous, FailureClass, NotSent, Refused
from reminders.services import diagnosing, watching
from reminders.services.diagnosing import Finding, Sending, Verdict
from reminders.services.probing import Measured
from reminders.services.records import probes, quarantines, troubles, watermarks
from reminders.services.records.troubles import Trouble
from reminders.services.reminding import record_pass
from tests.scheduling.enrolled import count

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TWILIO = Sending(sends=True, public_url="https://doseline.example")
SANDBOX = Sending(sends=False)
OK, WARN, FAIL = Verdict


def verdicts(findings: list[Finding]) -> dict[str, Verdict]:
    """How each thing stands."""
    return {found.name: found.verdict for found in findings}


def named(findings: list[Finding], name: str) -> Finding:
    """What is said of one thing."""
    return next(found for found in findings if found.name == name)


# How texts leave


@pytest.mark.parametrize(
    ("sending", "expected"),
    [
        (SANDBOX, {"sending": WARN}),
        (TWILIO, {"sending": OK, "public address": OK}),
        (Sending(sends=True, stand_in=True, public_url="http://127.0.0.1:8000"), {"sending": WARN, "public address": WARN}),
    ],
    ids=["sandbox", "twilio", "stand-in"],
)
def test_how_texts_leave(sending: Sending, expected: dict[str, Verdict]) -> None:
    """A sandbox, a stand-in and an address of this machine alone are no faults, but nobody must take them for the real thing."""
    assert verdicts(diagnosing.of_sending(sending)) == expected


# The clocks


@pytest.mark.parametrize(
    ("seconds", "verdict", "says"),
    [
        (0.3, OK, "0.3 s ahead of the database's"),
        (-2, OK, "2.0 s behind the database's"),
        (-2.1, FAIL, "2.1 s behind the database's: nothing is claimed by this machine"),
    ],
)
def test_a_clock_beside_the_databases(seconds: float, verdict: Verdict, says: str) -> None:
    """From two seconds on this machine claims nothing."""
    found = diagnosing.of_clock(timedelta(seconds=seconds))

    assert (found.verdict, found.says) == (verdict, says)


def test_a_clock_alone() -> None:
    """On SQLite there is no other clock."""
    assert diagnosing.of_clock(None).verdict is OK


# The ledger


def test_a_ledger_in_order(engine: Engine) -> None:
    """Nothing is wrong with one that is worked on, heard and takes writes; looking leaves nothing in it."""
    record_pass(engine, watching.LOOP, now=NOW)
    with writing(engine) as c:
        watermarks.advance(c, watermarks.INBOUND, to=NOW - MINUTE, now=NOW)
    found = [
        *diagnosing.of_readiness(watching.readiness(engine, now=NOW).checks),
        *diagnosing.of_ledger(engine, TWILIO, now=NOW),
    ]

    assert set(verdicts(found).values()) == {OK}
    assert (diagnosing.can_be_read(engine), count(engine, "probe")) == (None, 0)


def test_each_failed_check_has_a_remedy(sqlite_engine: Engine) -> None:
    """What a process finds wrong with itself is said with what to do."""
    found = diagnosing.of_readiness(watching.readiness(sqlite_engine, now=NOW).checks)

    assert (named(found, "loop").verdict, bool(named(found, "loop").do), named(found, "time zones").do) == (FAIL, True, "")


def test_a_database_that_is_not_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Looking for a file does not make one."""
    file = tmp_path_factory.mktemp("none") / "doseline.db"
    found = diagnosing.can_be_read(make_engine(f"sqlite:///{file}"))

    assert (found and found.says, file.exists()) == ("there is none yet", False)


def test_a_database_without_tables() -> None:
    """A database of somebody else's, or a new one, is said to have none of ours."""
    found = diagnosing.can_be_read(make_engine("sqlite://"))

    assert found == Finding("database", FAIL, "has no tables of ours", "run `doseline migrate`")


def test_a_database_of_an_older_release(sqlite_engine: Engine) -> None:
    """Tables of another release are said to be behind."""
    with writing(sqlite_engine) as c:
        c.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    found = diagnosing.can_be_read(sqlite_engine)

    assert found == Finding("database", FAIL, "is at an older migration", "run `doseline migrate`")


def test_a_database_that_does_not_answer() -> None:
    """It is said with the database's own reason."""
    found = diagnosing.can_be_read(make_engine("postgresql://nobody@127.0.0.1:1/nothing"))

    assert found is not None
    assert ("refused" in found.says, found.verdict) == (True, FAIL)


def test_a_database_that_takes_no_writes(sqlite_engine: Engine) -> None:
    """A read-only copy is found out by writing to it."""
    event.listen(sqlite_engine, "begin", lambda connection: connection.exec_driver_sql("PRAGMA query_only=ON"))
    found = named(diagnosing.of_ledger(sqlite_engine, SANDBOX, now=NOW), "writing")

    assert (found.verdict, "readonly" in found.says) == (FAIL, True)


@pytest.mark.parametrize(
    ("read", "failing", "verdict"),
    [
        (None, None, WARN),
        (1, None, OK),
        (11, None, WARN),
        (31, None, FAIL),
        (None, 31, FAIL),
        (5, 4, OK),
    ],
)
def test_how_far_patients_were_heard(sqlite_engine: Engine, read: int | None, failing: int | None, verdict: Verdict) -> None:
    """Ten minutes without a good poll is worth a look; after thirty we cannot hear patients."""
    with writing(sqlite_engine) as c:
        if read is not None:
            watermarks.advance(c, watermarks.INBOUND, to=NOW - read * MINUTE, now=NOW)
        if failing is not None:
            watermarks.failed(c, watermarks.INBOUND, now=NOW - failing * MINUTE)

    assert named(diagnosing.of_ledger(sqlite_engine, TWILIO, now=NOW), "hearing").verdict is verdict


def test_the_sandbox_hears_nobody(sqlite_engine: Engine) -> None:
    """Nothing is said of a list that no carrier keeps."""
    assert "hearing" not in verdicts(diagnosing.of_ledger(sqlite_engine, SANDBOX, now=NOW))


def test_what_stands_in_the_way_is_said_in_its_own_words(sqlite_engine: Engine) -> None:
    """A quarantine and each trouble are faults; a quarantine is said once."""
    with writing(sqlite_engine) as c:
        quarantines.begin(c, why="A backup was restored.", since=NOW, now=NOW)
        troubles.begin(c, Trouble.CLOCK, "the clock of web-1 is wrong", now=NOW, of="web-1")
    found = diagnosing.of_ledger(sqlite_engine, SANDBOX, now=NOW)

    assert [(one.name, one.verdict, one.says) for one in found if one.name != "writing"] == [
        ("quarantine", FAIL, "nothing is sent: A backup was restored."),
        ("trouble clock web-1", FAIL, "the clock of web-1 is wrong"),
    ]


# What was measured


LAG = timedelta(seconds=60)
GOOD = Measured(1.2, words_listed=True, apart=timedelta(), calls=(1, 1))


def test_an_account_as_we_hold_it_to_be() -> None:
    """A list that shows a text in seconds, in its words, and a carrier that does not call again: nothing to set, but the webhook."""
    found = diagnosing.of_measurement(GOOD, TWILIO, list_lag=LAG)

    assert verdicts(found) == {"list lag": OK, "list words": OK, "carrier's clock": OK, "callbacks": OK}
    assert named(found, "callbacks").says == "2 receipts were refused with 503, and the carrier did not call again (its default)"


@pytest.mark.parametrize(
    ("after", "settle", "verdict", "do"),
    [
        (30.0, 75, OK, ""),
        (30.5, 75, WARN, "polls allow the list 60 s, which leaves little room: tell the maintainers"),
        (33.0, 75, FAIL, "set DOSELINE_SETTLE_SECONDS=76 at least: it is 75"),
        (33.0, 76, WARN, "polls allow the list 60 s, which leaves little room: tell the maintainers"),
        (None, 75, FAIL, "set DOSELINE_SETTLE_SECONDS=600, and measure again later"),
    ],
)
def test_a_list_that_lags(after: float | None, settle: int, verdict: Verdict, do: str) -> None:
    """A text in doubt may be looked for only when the list must show it: the request's time, and twice the lag."""
    sending = Sending(sends=True, settle=settle)
    found = diagnosing.of_measurement(Measured(after, None, None, (1,)), sending, list_lag=LAG)

    assert (found[0].verdict, found[0].do) == (verdict, do)


@pytest.mark.parametrize(
    ("listed", "redacts", "verdict", "names"),
    [(True, False, OK, ""), (False, True, OK, ""), (False, False, FAIL, "TWILIO_REDACTS=yes"), (True, True, WARN, "TWILIO_REDACTS=no")],
)
def test_a_list_with_and_without_words(listed: bool, redacts: bool, verdict: Verdict, names: str) -> None:  # noqa: FBT001 - parameters
    """Without words no text in doubt can be found by them: the settings must say so."""
    sending = Sending(sends=True, redacts=redacts)
    found = named(diagnosing.of_measurement(Measured(1.0, listed, timedelta(), (1,)), sending, list_lag=LAG), "list words")

    assert (found.verdict, found.do.startswith(f"set {names}") if names else found.do == "") == (verdict, True)


@pytest.mark.parametrize(("seconds", "verdict"), [(-1, OK), (5, OK), (6, WARN), (-3600, WARN)])
def test_a_clock_beside_the_carriers(seconds: int, verdict: Verdict) -> None:
    """On one machine the carrier's clock is the only other there is."""
    measured = Measured(1.0, words_listed=True, apart=timedelta(seconds=seconds), calls=(1,))

    assert named(diagnosing.of_measurement(measured, TWILIO, list_lag=LAG), "carrier's clock").verdict is verdict


def test_a_carrier_that_calls_again() -> None:
    """How often it called is said, where it was more than once."""
    found = diagnosing.of_measurement(Measured(1.0, words_listed=True, apart=timedelta(), calls=(3, 1)), TWILIO, list_lag=LAG)

    assert "called 3 times" in named(found, "callbacks").says


def test_a_carrier_that_reaches_nobody() -> None:
    """Not one call is a fault of the way here, not a fact about the carrier."""
    found = diagnosing.of_measurement(Measured(1.0, words_listed=True, apart=timedelta(), calls=()), TWILIO, list_lag=LAG)

    assert named(found, "callbacks").verdict is FAIL


@pytest.mark.parametrize("outcome", [NotSent(20429, 5.0), Refused(20003, FailureClass.ACCOUNT), Ambiguous("HTTP 500")])
def test_a_text_that_was_not_taken(outcome: NotSent | Refused | Ambiguous) -> None:
    """Nothing was measured, and what the carrier said is a fault with a remedy."""
    [found] = diagnosing.of_measurement(outcome, TWILIO, list_lag=LAG)

    assert (found.verdict, bool(found.do)) == (FAIL, True)


def test_looking_keeps_no_probe(engine: Engine) -> None:
    """The row written to see whether writes are taken is taken away again."""
    with writing(engine) as c:
        probes.begin(c, "mine", now=NOW)
    diagnosing.of_ledger(engine, SANDBOX, now=NOW)

    assert count(engine, "probe") == 1
