from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from reminders.domain.dose_state import DoseState, Standing
from reminders.domain.escalation import (
    WEEKLY,
    Concern,
    CountedDose,
    Counts,
    Ladder,
    Raised,
    apart,
    concerns,
    counted_dose,
    counts,
    ever_raised,
    overdue_words,
    pause_after,
)
from reminders.domain.plan import DAY, HOUR
from reminders.domain.profile import Confidence, DrugProfile, Sourced
from reminders.drugs import load
from tests.doses import drawn

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
THREE_A_DAY = Ladder()
HOURS = (8, 14, 20)

STATES = {
    **dict.fromkeys("TLXC", DoseState.TAKEN),
    **dict.fromkeys("RP", DoseState.SKIPPED),
    "M": DoseState.MISSED,
    "U": DoseState.UNCONFIRMED,
    "u": DoseState.UNCONFIRMED,
    "N": DoseState.NOT_REMINDED,
    "Z": DoseState.NOT_DUE,
    "z": DoseState.UNCONFIRMED,
    "o": DoseState.OPEN,
    "s": DoseState.OPEN,
    "p": DoseState.PENDING,
}


def due(slot: int) -> datetime:
    """When the n-th slot of 08/14/20 falls due, counted from 1."""
    day, number = divmod(slot - 1, 3)
    return MONDAY + timedelta(days=day, hours=HOURS[number])


def doses(letters: str, every: timedelta | None = None) -> list[CountedDose]:
    """Lay out letters as doses of 08/14/20, or one every so often."""
    return [
        CountedDose(
            MONDAY + place * every if every else due(place + 1),
            STATES[letter],
            silent=letter == "s",
            muted=letter == "z",
            unverified=letter == "u",
        )
        for place, letter in enumerate(letters.replace(" ", ""))
    ]


IN_WORDS = {
    Concern.ASK_WHY: "ask why",
    Concern.ASK_SILENCE: "ask silence",
    Concern.TELL_CAREGIVERS: "caregivers",
    Concern.MISSES: "alert",
    Concern.MISSES_URGENT: "urgent",
    Concern.CANNOT_REACH: "cannot reach",
    Concern.PHONE_PROBLEM: "phone problem",
    Concern.SUSPEND: "suspend",
}
"""Each concern as the tables write it."""


def raised_at(found: Iterable[Raised]) -> str:
    """Write concerns as the tables do: the slot at which each began, and its name."""
    slots = {due(slot): slot for slot in range(1, 61)}
    return ", ".join(f"{slots[raised.at]} {IN_WORDS[raised.concern]}" for raised in found)


FIRES = drawn("""
    #         | doses                   | raised, and at which dose
    1         | TTT TTT TTT TTT TTM UUT | 16 ask why, 16 caregivers, 17 alert
    2         | TTT ZZZ ZZT TTT         |
    3         | TTT NNN TTM             | 6 phone problem
    4         | TLR TTT TLT             |
    5         | UUU UUU                 | 2 ask silence, 2 caregivers, 3 alert, 6 cannot reach, 6 urgent
    6         | TMN UZM TTT             | 4 ask why, 4 caregivers, 6 alert
    7         | TTP PPT                 | 4 ask why, 4 caregivers, 5 alert
    8         | TMT UTM TUT             | 8 alert
    9         | TXT TTT                 |
    10        | TTU UUT                 | 4 ask silence, 4 caregivers, 5 alert
    10, later | TTT TUT                 |
    11        | ZZZ NNN                 | 6 phone problem
    12        | TTT TTo                 |
    13        | TTT TTT TTT TTT MTM TTT |
    14        | TUT TTT UTT             |
    14, later | TCT TTT CTT             |
    15        | MMM UUU MMM             | 2 ask why, 2 caregivers, 3 alert, 6 urgent, 9 suspend
""")
"""What the days of the adherence table raise on the way, three doses a day of a withdrawal-risk drug, and at which dose.

"17 alert" is an alert at the seventeenth dose. "10, later": doses 3 and 4 corrected to taken, so the alert of dose 5 is
undone. "14, later": "all" to the catch-up question.

Source: Doseline's default.
"""


@pytest.mark.parametrize("row", FIRES[1:], ids=lambda row: f"vector {row[0]}")
def test_what_the_vectors_raise(row: tuple[str, ...]) -> None:
    """Each vector raises exactly what is drawn, at exactly that slot."""
    assert raised_at(ever_raised(doses(row[1]), THREE_A_DAY)) == row[2], f"vector {row[0]}"


LADDER = drawn("""
    doses         | three a day, withdrawal risk                         | weekly
    M             |                                                      | ask why, caregivers
    U             |                                                      | ask silence, caregivers, cannot reach
    N             |                                                      | phone problem
    MU            | ask why, caregivers                                  | ask why, caregivers, alert, cannot reach
    UU            | ask silence, caregivers                              | ask silence, caregivers, alert, cannot reach
    MM            | ask why, caregivers                                  | ask why, caregivers, alert, suspend
    RPM           | ask why, caregivers, alert                           | ask why, caregivers, alert, suspend
    UUM           | ask silence, caregivers, alert                       | ask silence, caregivers, alert
    MTMTMTM       | alert                                                | ask why, caregivers
    MTTTTTTTMTMTM |                                                      | ask why, caregivers
    MMMMM         | ask why, caregivers, alert                           | ask why, caregivers, alert, suspend
    MMMMMM        | ask why, caregivers, alert, urgent, suspend          | ask why, caregivers, alert, suspend
    UUUUUU        | ask silence, caregivers, alert, urgent, cannot reach | ask silence, caregivers, alert, cannot reach
    UUUUUUUUUUUU  | ask silence, caregivers, alert, urgent, cannot reach | ask silence, caregivers, alert, cannot reach
    UUUUUR        | ask silence, caregivers, alert, urgent               | ask silence, caregivers, alert
    NN            |                                                      | phone problem
    NNN           | phone problem                                        | phone problem
    NNoN          |                                                      | phone problem
    MMMT          |                                                      |
""")
"""Which concerns stand after the last dose.

Two not taken running ask the patient, and tell the caregivers who agreed; three running, or four of the last nine
counted, alert the provider; six are urgent, and suspend if all were reported. Silence alone never suspends. The first
doses of a run decide which question is asked; there is one a run.

*Ask why* and *ask silence*: the patient is asked for the reason, or whether the doses were taken. *Caregivers*: those who
agreed are told. *Alert* and *urgent*: the provider. *Cannot reach* and *phone problem*: somebody phones. *Suspend*: the
plan stops until a named provider restarts it.

Source: Doseline's default. (A phone call after 48 hours without a reply is WelTel's practice; sourced.)
"""


@pytest.mark.parametrize("row", LADDER[1:], ids=lambda row: row[0])
@pytest.mark.parametrize(("ladder", "every", "column"), [(THREE_A_DAY, None, 1), (WEEKLY, 7 * DAY, 2)], ids=["three a day", "weekly"])
def test_the_ladder(row: tuple[str, ...], ladder: Ladder, every: timedelta | None, column: int) -> None:
    """Each run raises what its rung says, by cadence."""
    standing = ", ".join(IN_WORDS[raised.concern] for raised in concerns(doses(row[0], every), ladder))

    assert standing == row[column], f"{row[0]}, {LADDER[0][column]}"


COUNTERS = drawn("""
    doses       | not taken | unanswered | not reminded | of last nine | reported gap
    MRPU        | 4         | 1          | 0            | 4            | 3
    MMZ         | 2         | 0          | 0            | 2            | 2
    MMN         | 2         | 0          | 1            | 2            | 2
    MMz         | 2         | 0          | 0            | 2            | 2
    MMo         | 2         | 0          | 0            | 2            | 2
    MMp         | 2         | 0          | 0            | 2            | 2
    MMs         | 3         | 1          | 0            | 3            | 2
    MMT         | 0         | 0          | 0            | 2            | 0
    UZU         | 2         | 2          | 0            | 2            | 0
    UNU         | 2         | 2          | 0            | 2            | 0
    UzU         | 2         | 2          | 0            | 2            | 0
    UMU         | 3         | 1          | 0            | 3            | 1
    UT          | 0         | 0          | 0            | 1            | 0
    NZN         | 0         | 0          | 2            | 0            | 0
    NzN         | 0         | 0          | 2            | 0            | 0
    NpN         | 0         | 0          | 2            | 0            | 0
    NT          | 0         | 0          | 0            | 0            | 0
    NP          | 1         | 0          | 0            | 1            | 1
    NU          | 1         | 1          | 0            | 1            | 0
    No          | 0         | 0          | 0            | 0            | 0
    Ns          | 1         | 1          | 0            | 1            | 0
    MUNUM       | 4         | 0          | 0            | 4            | 2
    MMMMMMMMMMM | 11        | 0          | 0            | 9            | 11
""")
"""The counters after the last dose. Beside the letters of adherence: s open past its silent time, p pending, z muted.

Not due, muted and not reminded neither count nor reset what was not taken or not answered; silence between two reports
neither adds to the reported gap nor ends it; an answer, or proof that a text left, ends a run not reminded.

Source: Doseline's default.
"""


@pytest.mark.parametrize("row", COUNTERS[1:], ids=lambda row: row[0])
def test_the_counters(row: tuple[str, ...]) -> None:
    """Each dose counts, resets, or does neither."""
    assert counts(doses(row[0])) == Counts(*(int(cell) for cell in row[1:]))


# --- causes, and what undoes them -------------------------------------------------------------------------------------


def test_one_cause_for_a_run_however_long() -> None:
    """A run that grows keeps its cause, the first dose of the run, and its slot."""
    three, five = (next(r for r in concerns(doses(run), THREE_A_DAY) if r.concern is Concern.MISSES) for run in ("TMMM", "TMMMMM"))

    assert (five.cause, five.at, three.count, five.count) == (three.cause, three.at, 3, 5)


def test_a_spell_of_scattered_misses_has_one_cause() -> None:
    """As long as four of the last nine stay not taken, the alert is the same, though the window moves on."""
    spell = ever_raised(doses("MTMTMTMTMTMTMTM"), THREE_A_DAY)

    assert [raised.cause for raised in spell] == [(Concern.MISSES, due(1))]


def test_a_miss_after_the_spell_is_a_new_cause() -> None:
    """Three running, one taken, one missed: four of the last nine again, since the new miss."""
    spells = [r.cause for r in ever_raised(doses("MMMTM"), THREE_A_DAY) if r.concern is Concern.MISSES]

    assert spells == [(Concern.MISSES, due(1)), (Concern.MISSES, due(5))]


def test_a_run_inside_a_spell_is_the_same_cause() -> None:
    """Scattered misses that become a run do not alert twice."""
    spell = [r.cause for r in ever_raised(doses("MTMTMTMMM"), THREE_A_DAY) if r.concern is Concern.MISSES]

    assert spell == [(Concern.MISSES, due(1))]


def test_a_later_answer_undoes_the_cause() -> None:
    """When slots 3 and 4 turn out to have been taken, no alert of theirs has a cause any more."""
    before, after = (ever_raised(doses(run), THREE_A_DAY) for run in ("TTUUUT", "TTTTUT"))

    assert ([raised.concern for raised in before], after) == ([Concern.ASK_SILENCE, Concern.TELL_CAREGIVERS, Concern.MISSES], ())


def test_what_staff_read() -> None:
    """The words say how many, and how much of it is only silence."""
    words = {raised.concern: raised.words for raised in concerns(doses("NNNMTUTUTU"), THREE_A_DAY)}

    assert words == {Concern.MISSES: "4 of the last 9 doses not taken, 3 of them unconfirmed"}


SAID = (
    ("MUU", THREE_A_DAY, "3 doses running not taken, 2 of them unconfirmed"),
    ("MU", THREE_A_DAY, "2 doses running not taken, 1 of them unconfirmed"),
    ("UUUUUU", THREE_A_DAY, "6 doses running without an answer"),
    ("NNN", THREE_A_DAY, "3 doses running not reminded"),
    ("MMMMUMM", THREE_A_DAY, "6 doses reported not taken since the last one taken"),
    ("M", WEEKLY, "1 dose running not taken"),
)
"""What staff read of the newest concern.

Source: Doseline's default.
"""


@pytest.mark.parametrize(("run", "ladder", "words"), SAID)
def test_each_concern_in_words(run: str, ladder: Ladder, words: str) -> None:
    """Each concern names its counter: not taken, without an answer, not reminded, or reported."""
    assert concerns(doses(run), ladder)[-1].words == words


# --- silence that may be our deafness ---------------------------------------------------------------------------------


@pytest.mark.parametrize("run", ["uu", "Mu", "uuuuu"])
def test_nothing_unverified_reaches_a_caregiver(run: str) -> None:
    """Doses closed while replies could not be fetched do not count towards telling a caregiver."""
    assert Concern.TELL_CAREGIVERS not in {raised.concern for raised in concerns(doses(run), THREE_A_DAY)}


def test_a_caregiver_is_told_of_what_is_verified_in_the_run() -> None:
    """Two verified doses are enough; the count is theirs, the cause is the run's, so that no second text follows."""
    told = next(raised for raised in concerns(doses("uMU"), THREE_A_DAY) if raised.concern is Concern.TELL_CAREGIVERS)

    assert (told.since, told.count, told.unverified) == (due(1), 2, False)


def test_the_provider_is_told_that_a_run_is_unverified() -> None:
    """A run that rests on unverified doses alerts the provider, and says so."""
    alert = next(raised for raised in concerns(doses("uMu"), THREE_A_DAY) if raised.concern is Concern.MISSES)

    assert (alert.count, alert.unverified) == (3, True)


def test_an_unverified_gap_suspends_nothing() -> None:
    """Of a dose told as not taken we may not have heard that it was taken since: until we know, it ends no plan."""
    run = [CountedDose(due(n), DoseState.SKIPPED, unverified=n == 6) for n in range(1, 7)]
    heard = [*run[:-1], CountedDose(due(6), DoseState.SKIPPED)]

    assert [Concern.SUSPEND in {raised.concern for raised in concerns(found, THREE_A_DAY)} for found in (run, heard)] == [False, True]


# --- time -------------------------------------------------------------------------------------------------------------

CANNOT_REACH = (
    ("six of 08/14/20, at 46 hours", THREE_A_DAY, "ssssss", None, 46 * HOUR, False),
    ("six of 08/14/20, at 48 hours", THREE_A_DAY, "ssssss", None, 48 * HOUR, True),
    ("two, five days apart", THREE_A_DAY, "sZZZZZZZZZZZZZZs", None, 130 * HOUR, False),
    ("one weekly, after a day", WEEKLY, "s", 7 * DAY, DAY, False),
    ("one weekly, after three days", WEEKLY, "s", 7 * DAY, 3 * DAY, True),
)
"""“Cannot reach”: unanswered running for 48 hours and as many doses as they hold; a weekly drug, three days.

s is a dose open past its silent time, Z one that was not due.

Source: a call after 48 hours without a reply is WelTel's practice (sourced); the count is Doseline's default.
"""


@pytest.mark.parametrize(("words", "ladder", "run", "every", "after", "stands"), CANNOT_REACH, ids=[row[0] for row in CANNOT_REACH])
def test_cannot_reach(words: str, ladder: Ladder, run: str, every: timedelta | None, after: timedelta, *, stands: bool) -> None:
    """Nobody is beyond reach before the time is over, nor for doses that lie apart; nor was anybody ever."""
    laid_out = doses(run, every)
    now = laid_out[0].due_at + after
    found = [Concern.CANNOT_REACH in {raised.concern for raised in look(laid_out, ladder, now)} for look in (concerns, ever_raised)]

    assert found == [stands, stands], words


def test_a_day_without_a_reminder_is_a_phone_problem() -> None:
    """Once a day, two reminders that did not arrive span 24 hours: no third is waited for."""
    found = [raised.concern for raised in concerns(doses("NN", DAY), THREE_A_DAY)]

    assert found == [Concern.PHONE_PROBLEM]


SILENT_AT = MONDAY + 12 * HOUR
SEEN = (
    ("open, before", Standing(DoseState.OPEN), -1, CountedDose(due(1), DoseState.OPEN)),
    ("open, from there on", Standing(DoseState.OPEN), 0, CountedDose(due(1), DoseState.OPEN, silent=True)),
    ("“not taken”, and not since", Standing(DoseState.OPEN, answered=True), 0, CountedDose(due(1), DoseState.SKIPPED)),
    ("“not taken”, and still time", Standing(DoseState.OPEN, answered=True), -1, CountedDose(due(1), DoseState.OPEN)),
    (
        "skipped unverified",
        Standing(DoseState.SKIPPED, unverified=True, answered=True),
        0,
        CountedDose(due(1), DoseState.SKIPPED, unverified=True),
    ),
    ("closed unverified", Standing(DoseState.UNCONFIRMED, unverified=True), 0, CountedDose(due(1), DoseState.UNCONFIRMED, unverified=True)),
    ("muted", Standing(DoseState.OPEN, muted=True), 0, CountedDose(due(1), DoseState.OPEN, silent=True, muted=True)),
    ("“not taken” while muted", Standing(DoseState.OPEN, answered=True, muted=True), 0, CountedDose(due(1), DoseState.SKIPPED, muted=True)),
    ("taken", Standing(DoseState.TAKEN, answered=True), 0, CountedDose(due(1), DoseState.TAKEN)),
)
"""How a dose of 08:00 whose silence counts from 12:00 on is counted, at 12:00 or a minute before.

Source: Doseline's default.
"""


@pytest.mark.parametrize(("words", "standing", "minutes", "expected"), SEEN, ids=[row[0] for row in SEEN])
def test_a_dose_as_the_counters_see_it(words: str, standing: Standing, minutes: int, expected: CountedDose) -> None:
    """An open dose counts from its silent time on, as what was said of it."""
    assert counted_dose(standing, due(1), silent_at=SILENT_AT, now=SILENT_AT + timedelta(minutes=minutes)) == expected, words


@pytest.mark.parametrize("answered", [False, True], ids=["silent", "told as not taken"])
def test_a_dose_is_counted_under_its_callers_name(*, answered: bool) -> None:
    """Whoever asks finds the dose again by its own name for it, whatever was said of it."""
    seen = counted_dose(Standing(DoseState.OPEN, answered=answered), due(1), silent_at=SILENT_AT, now=SILENT_AT, key="dose 7")

    assert seen.key == "dose 7"


@pytest.mark.parametrize("answered", [False, True], ids=["silent", "told as not taken"])
@pytest.mark.parametrize("minutes", [-1, 0])
def test_silence_is_unverified_until_replies_are_fetched(minutes: int, *, answered: bool) -> None:
    """A dose that goes silent while replies cannot be fetched is counted, and marked."""
    now = SILENT_AT + timedelta(minutes=minutes)

    standing = Standing(DoseState.OPEN, answered=answered)

    assert counted_dose(standing, due(1), silent_at=SILENT_AT, now=now, verified=False).unverified is (minutes == 0)


# --- which ladder -----------------------------------------------------------------------------------------------------


def profile(*, warn: timedelta | None, suspend: timedelta | None, withdrawal: bool = True) -> DrugProfile:
    """A drug with such a gap rule."""
    spans = [Sourced(span, "Doseline", Confidence.DEFAULT) if span else None for span in (warn, suspend)]
    risk = Sourced(withdrawal, "Doseline", Confidence.DEFAULT)
    return replace(load("baclofen-tablet"), gap_warn=spans[0], gap_suspend=spans[1], withdrawal_risk=risk)


BACLOFEN = profile(warn=24 * HOUR, suspend=48 * HOUR)
LADDERS = (
    ("baclofen, three a day", BACLOFEN, 3, THREE_A_DAY),
    ("baclofen, four a day", BACLOFEN, 4, replace(THREE_A_DAY, cannot_reach_after=8, gap_suspend_doses=8)),
    (
        "pregabalin, twice a day",
        BACLOFEN,
        2,
        replace(THREE_A_DAY, alert_after=2, urgent_after=4, cannot_reach_after=4, gap_suspend_doses=4),
    ),
    (
        "venlafaxine, daily",
        profile(warn=2 * DAY, suspend=5 * DAY),
        1,
        replace(THREE_A_DAY, alert_after=2, urgent_after=5, cannot_reach_after=2, gap_suspend_doses=5),
    ),
    (
        "benzodiazepine, daily",
        profile(warn=DAY, suspend=3 * DAY),
        1,
        replace(
            THREE_A_DAY,
            ask_after=1,
            caregivers_after=1,
            alert_after=1,
            urgent_after=3,
            cannot_reach_after=2,
            gap_suspend_doses=3,
        ),
    ),
    (
        "suspends after two weeks, daily",
        profile(warn=None, suspend=14 * DAY),
        1,
        replace(THREE_A_DAY, cannot_reach_after=2, gap_suspend_doses=14),
    ),
    ("no gap rule, three a day", profile(warn=None, suspend=None), 3, replace(THREE_A_DAY, gap_suspend_doses=None)),
    (
        "no withdrawal risk, three a day",
        profile(warn=None, suspend=None, withdrawal=False),
        3,
        replace(THREE_A_DAY, urgent_after=None, gap_suspend_doses=None),
    ),
    ("weekly injection", profile(warn=7 * DAY, suspend=14 * DAY, withdrawal=False), Fraction(1, 7), WEEKLY),
    ("every third day, no gap rule", profile(warn=None, suspend=None), Fraction(1, 3), replace(WEEKLY, gap_suspend_doses=None)),
)
"""The ladder a plan starts with, by its drug's gap rule and its doses a day: after how many doses each concern begins.

Source: Doseline's default, editable per plan.
"""


@pytest.mark.parametrize(("words", "drug", "per_day", "expected"), LADDERS, ids=[row[0] for row in LADDERS])
def test_the_ladder_a_drug_starts_with(words: str, drug: DrugProfile, per_day: Fraction | int, expected: Ladder) -> None:
    """A ladder follows the drug's cadence, and never waits longer than its gap rule."""
    assert Ladder.for_(drug, per_day) == expected, words


# --- until somebody takes it on ---------------------------------------------------------------------------------------

MINUTES = timedelta(minutes=1)
RAISED_AGAIN = (
    ("emergency", (10, 20, 40, 100, 160)),
    ("urgent", (30, 60, 120, 180, 240)),
    ("warning", ()),
    ("info", ()),
)
"""How many minutes after it was raised an alert that nobody takes on is raised again, by its severity; then every hour. A warning goes to
the backup once, after four clinic hours; an information to nobody.

Source: Doseline's default; the first of each is its deadline.
"""


@pytest.mark.parametrize(("severity", "expected"), RAISED_AGAIN, ids=[row[0] for row in RAISED_AGAIN])
def test_what_nobody_takes_on_is_raised_again(severity: str, expected: tuple[int, ...]) -> None:
    """Each time, the pause is that of how often it was raised again before; there is no last time."""
    pauses = [pause_after(severity, times) for times in range(5)]
    minutes = [sum((pause // MINUTES for pause in pauses[: place + 1] if pause), 0) for place, pause in enumerate(pauses) if pause]

    assert tuple(minutes) == expected
    assert pause_after(severity, 100) == (HOUR if expected else None)


TOLD_APART = ((0, 3), (10, 5), (20, 10), (30, 15), (60, 30))
"""How many minutes after its last text of alerts the on-call phone is texted of one that is new (0), or that was last raised so many
minutes ago. What is new waits until then; what is old has been told meanwhile, with all others that wait, and is not told again.

Source: Doseline's default; three minutes are twenty texts an hour.
"""


@pytest.mark.parametrize(("pause", "expected"), TOLD_APART)
def test_one_phone_is_told_of_many_alerts_at_once(pause: int, expected: int) -> None:
    """Half of the pause, and three minutes at least."""
    assert apart(pause * MINUTES) == expected * MINUTES


OVERDUE = (
    (timedelta(minutes=10), 0, "overdue: waits 10 min"),
    (timedelta(minutes=10, seconds=59), 1, "overdue: waits 10 min, raised again once"),
    (timedelta(minutes=60), 2, "overdue: waits 1 h 0 min, raised again 2 times"),
    (timedelta(days=2, minutes=5), 49, "overdue: waits 48 h 5 min, raised again 49 times"),
)
"""How the list of alerts says that nobody has taken one on in time: how long it has waited since it was raised, and how often it was
raised again.

Source: Doseline's default.
"""


@pytest.mark.parametrize(("waits", "times", "words"), OVERDUE)
def test_how_an_alert_says_that_it_is_overdue(waits: timedelta, times: int, words: str) -> None:
    """How long nobody has taken it on, in whole minutes, and how often it was raised again."""
    assert overdue_words(waits, times) == words
