"""Repeated misses: three counters over the doses that fell due, and the ladder of concerns that stands on them.

*Not taken* is for the withdrawal risk, *unanswered* for "cannot reach", *not reminded* for "phone problem". Pure: who
is told, by when first, and how a text reads is decided elsewhere. Red flags, "out of medicine" and "I stopped" wait for no
count and are not here. Silence alone never suspends: only what was reported does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING

from reminders.domain.dose_state import DoseState, Standing
from reminders.domain.plan import DAY, HOUR
from reminders.domain.restraint import AN_HOUR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reminders.domain.profile import DrugProfile

REPORTED = (DoseState.MISSED, DoseState.SKIPPED)
ANSWERED = (DoseState.TAKEN, *REPORTED)
LAST = 9
"""How many of the last counted doses a share of misses, and a gate, look back on. [default]"""
URGENT_AFTER = 6
"""How many doses not taken running are urgent at the latest: 48 hours at three a day. [default]"""
MINUTE = timedelta(minutes=1)
SEVERITIES = ("emergency", "urgent", "warning", "info")
"""How grave an alert can be, the gravest first: its place here is its rank."""
NO_ALERT = len(SEVERITIES)
"""The rank of who has no open alert."""
PAUSES: Mapping[str, tuple[timedelta, ...]] = MappingProxyType(
    {
        "emergency": (10 * MINUTE, 10 * MINUTE, 20 * MINUTE, HOUR),
        "urgent": (30 * MINUTE, 30 * MINUTE, HOUR),
    }
)
"""How long an alert that cannot wait, by its severity, waits to be taken on before it is raised again: each pause in turn, the last over
and over. [default]; the first of each is its deadline."""
LEAST_APART = HOUR / AN_HOUR
"""Between two texts of alerts to one phone: so that no hour has more of them than one phone may get. [default]"""


def pause_after(severity: str, times: int) -> timedelta | None:
    """How long an alert that was raised again so many times waits before the next; None: it can wait, and has no pauses."""
    pauses = PAUSES.get(severity)
    return pauses[min(times, len(pauses) - 1)] if pauses else None


def apart(pause: timedelta) -> timedelta:
    """How long after a phone was told of alerts it is told of another, which was last raised so long ago (nothing: it is new).

    What is old waits for half of its pause: told meanwhile how many there are, the phone need not be told again. [default]
    """
    return max(LEAST_APART, pause / 2)


def overdue_words(waits: timedelta, times: int) -> str:
    """Say of an alert past its deadline how long it has waited, in whole minutes, and how often it was raised again."""
    hours, minutes = divmod(waits // MINUTE, 60)
    again = "" if not times else ", raised again once" if times == 1 else f", raised again {times} times"
    return f"overdue: waits {f'{hours} h ' if hours else ''}{minutes} min{again}"


class Concern(StrEnum):
    """What a person should look at, or be asked about."""

    ASK_WHY = "ask_why"
    ASK_SILENCE = "ask_silence"
    TELL_CAREGIVERS = "tell_caregivers"
    MISSES = "misses"
    MISSES_URGENT = "misses_urgent"
    CANNOT_REACH = "cannot_reach"
    PHONE_PROBLEM = "phone_problem"
    SUSPEND = "suspend"


@dataclass(frozen=True, slots=True)
class CountedDose:
    """One dose as the counters see it.

    silent  open past its `silent_at` with no word about it: it counts as unconfirmed would.
    muted   in no counter; unverified  it rests on silence that may be our deafness; key  the caller's own name for the dose.
    """

    due_at: datetime
    state: DoseState
    _: KW_ONLY
    silent: bool = False
    muted: bool = False
    unverified: bool = False
    key: str = ""

    @property
    def unanswered(self) -> bool:
        """Nobody said anything, and the time to do so is over."""
        return self.state is DoseState.UNCONFIRMED or (self.state is DoseState.OPEN and self.silent)

    @property
    def not_taken(self) -> bool:
        """Missed, skipped for either reason, or unanswered: the gap is the same."""
        return self.state in REPORTED or self.unanswered


def counted_dose(
    standing: Standing, due_at: datetime, *, silent_at: datetime, now: datetime, verified: bool = True, key: str = ""
) -> CountedDose:
    """See a dose as the counters do at `now`.

    A dose still open at `silent_at` counts from there on: as skipped if the patient said "not taken" and has not taken
    it since, else as unconfirmed would. `verified`: replies sent before `silent_at` have all been fetched.
    """
    past = standing.state is DoseState.OPEN and now >= silent_at
    unverified = standing.unverified or (past and not verified)
    if past and standing.answered:
        return CountedDose(due_at, DoseState.SKIPPED, muted=standing.muted, unverified=unverified, key=key)
    return CountedDose(due_at, standing.state, silent=past, muted=standing.muted, unverified=unverified, key=key)


@dataclass(frozen=True, slots=True)
class Ladder:
    """When each concern begins, in doses; None: never. The defaults are for a withdrawal-risk drug three times a day.

    alert_of_last    also at so many not taken of the last nine counted
    cannot_reach     how long a run unanswered must have lasted, from its first dose on, beside its number of doses
    phone_span       a run not reminded that spans this long, from first to last dose, is enough by itself
    suspend_after    doses reported not taken since the last taken one; None: this drug is never suspended for a gap
    """

    ask_after: int = 2
    caregivers_after: int = 2
    alert_after: int = 3
    alert_of_last: int | None = 4
    urgent_after: int | None = URGENT_AFTER
    cannot_reach_after: int = 6
    cannot_reach: timedelta = 48 * HOUR
    phone_after: int = 3
    phone_span: timedelta = DAY
    gap_suspend_doses: int | None = 6

    @classmethod
    def for_(cls, profile: DrugProfile, per_day: Fraction | int) -> Ladder:
        """Choose the default ladder for a drug at so many doses a day (less than 1: every few days).

        Below one dose a day the column of a weekly drug holds. Otherwise the numbers of three a day, but never later
        than the gap rule's own, turned into doses: its warning alerts, its suspension is urgent. [default]
        """
        suspend = _doses_in(profile.gap_suspend.value, per_day) if profile.gap_suspend else None
        if per_day < 1:
            return replace(WEEKLY, gap_suspend_doses=suspend)
        usual = cls()
        alert = min(usual.alert_after, _doses_in(profile.gap_warn.value, per_day)) if profile.gap_warn else usual.alert_after
        return replace(
            usual,
            ask_after=min(usual.ask_after, alert),
            caregivers_after=min(usual.caregivers_after, alert),
            alert_after=alert,
            urgent_after=min(URGENT_AFTER, suspend or URGENT_AFTER) if profile.withdrawal_risk.value else None,
            cannot_reach_after=_doses_in(usual.cannot_reach, per_day),
            gap_suspend_doses=suspend,
        )


def _doses_in(gap: timedelta, per_day: Fraction | int) -> int:
    return max(1, round(Fraction(gap // HOUR, 24) * per_day))


WEEKLY = Ladder(
    ask_after=1,
    caregivers_after=1,
    alert_after=2,
    alert_of_last=None,
    urgent_after=None,
    cannot_reach_after=1,
    cannot_reach=3 * DAY,
    phone_after=1,
    gap_suspend_doses=2,
)
"""The column of a weekly drug. [default]"""


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters after the last dose.

    not_taken, unanswered and not_reminded are running; of_last_nine is how many of the last nine counted were not
    taken; reported_gap is how many were reported not taken since the last taken one, silence between them left out, and
    what may have been taken back by a reply that we could not fetch.
    """

    not_taken: int
    unanswered: int
    not_reminded: int
    of_last_nine: int
    reported_gap: int


@dataclass(frozen=True, slots=True)
class Raised:
    """A concern with its cause: one alert is raised for each `cause`, and closed when the cause is gone.

    since       due instant of the first dose of the run; at  of the dose that brought the concern about.
    unverified  it rests, in part, on silence that may be our deafness: say so, and tell no caregiver.
    words       what staff read; that it is unverified is for the alert to add.
    """

    concern: Concern
    since: datetime
    count: int
    unverified: bool
    words: str
    at: datetime

    @property
    def cause(self) -> tuple[Concern, datetime]:
        """What names the concern for ever."""
        return self.concern, self.since


def counts(doses: Iterable[CountedDose]) -> Counts:
    """Count one plan's doses, given in order of due instant."""
    tally = _Tally()
    for dose in doses:
        tally.count(dose)
    return Counts(
        not_taken=len(tally.not_taken),
        unanswered=len(tally.unanswered),
        not_reminded=len(tally.not_reminded),
        of_last_nine=sum(dose.not_taken for dose in tally.last),
        reported_gap=len(tally.reported),
    )


def concerns(doses: Sequence[CountedDose], ladder: Ladder, now: datetime | None = None) -> tuple[Raised, ...]:
    """Say which concerns stand after the last of one plan's doses, given in order of due instant; the last 60 are enough.

    `now` (UTC) is what "cannot reach" measures its hours to; without it the number of doses alone decides.
    """
    return _climbed(doses, ladder, now)[-1]


def ever_raised(doses: Sequence[CountedDose], ladder: Ladder, now: datetime | None = None) -> tuple[Raised, ...]:
    """Say every concern that these doses have raised, as it was when it began.

    An alert whose cause is not among them any more was undone by a later answer. Only an alert whose run begins within
    the doses given can be judged.
    """
    first: dict[tuple[Concern, datetime], Raised] = {}
    for standing in _climbed(doses, ladder, now):
        first = {raised.cause: raised for raised in standing} | first
    return tuple(sorted(first.values(), key=lambda raised: (raised.at, raised.concern)))


def _climbed(doses: Iterable[CountedDose], ladder: Ladder, now: datetime | None) -> list[tuple[Raised, ...]]:
    tally = _Tally()
    steps: list[tuple[Raised, ...]] = [()]
    for dose in doses:
        tally.count(dose)
        began = {raised.cause: raised.at for raised in steps[-1]}
        standing = _standing(tally, ladder, dose.due_at, now)
        steps.append(tuple(replace(raised, at=began.get(raised.cause, raised.at)) for raised in standing))
    return steps


@dataclass(slots=True)
class _Tally:
    """The runs up to here, oldest dose first, and the last counted doses."""

    not_taken: list[CountedDose] = field(default_factory=list)
    unanswered: list[CountedDose] = field(default_factory=list)
    not_reminded: list[CountedDose] = field(default_factory=list)
    reported: list[CountedDose] = field(default_factory=list)
    last: deque[CountedDose] = field(default_factory=lambda: deque(maxlen=LAST))
    misses_since: datetime | None = None
    misses_over: datetime | None = None

    def count(self, dose: CountedDose) -> None:
        if dose.muted:
            return
        if dose.state is DoseState.NOT_REMINDED:
            self.not_reminded.append(dose)
        elif dose.state in ANSWERED or dose.state is DoseState.OPEN or dose.unanswered:  # an answer, or proof that a text left
            self.not_reminded.clear()
        if dose.state is DoseState.TAKEN:
            self.not_taken.clear()
            self.reported.clear()
        if dose.state in ANSWERED:
            self.unanswered.clear()
        if dose.state in REPORTED and not dose.unverified:
            self.reported.append(dose)
        if dose.unanswered:
            self.unanswered.append(dose)
        if dose.not_taken:
            self.not_taken.append(dose)
        if dose.not_taken or dose.state is DoseState.TAKEN:
            self.last.append(dose)

    def misses(self, ladder: Ladder, at: datetime) -> tuple[datetime, list[CountedDose]] | None:
        """Say which doses call for the provider, and since which one: a spell keeps its first dose until it is over."""
        evidence = self.not_taken if len(self.not_taken) >= ladder.alert_after else self._often(ladder)
        if not evidence:
            self.misses_over = at if self.misses_since else self.misses_over
            self.misses_since = None
            return None
        if self.misses_since is None:
            self.misses_since = next(dose.due_at for dose in evidence if self.misses_over is None or dose.due_at > self.misses_over)
        return self.misses_since, evidence

    def _often(self, ladder: Ladder) -> list[CountedDose]:
        among = [dose for dose in self.last if dose.not_taken]
        return among if ladder.alert_of_last is not None and len(among) >= ladder.alert_of_last else []


def _standing(tally: _Tally, ladder: Ladder, at: datetime, now: datetime | None) -> Iterator[Raised]:
    run, silence, unreminded, reported = tally.not_taken, tally.unanswered, tally.not_reminded, tally.reported
    if len(run) >= ladder.ask_after:
        first = run[: ladder.ask_after]  # one question a run: later doses do not change which
        yield _raised(Concern.ASK_SILENCE if all(dose.unanswered for dose in first) else Concern.ASK_WHY, run, at)
    if len(heard := [dose for dose in run if not dose.unverified]) >= ladder.caregivers_after:
        yield _raised(Concern.TELL_CAREGIVERS, heard, at, since=run[0].due_at)
    if found := tally.misses(ladder, at):
        yield _raised(Concern.MISSES, found[1], at, since=found[0], often=found[1] is not run)
    if ladder.urgent_after is not None and len(run) >= ladder.urgent_after:
        yield _raised(Concern.MISSES_URGENT, run, at)
    if len(silence) >= ladder.cannot_reach_after and (now is None or now - silence[0].due_at >= ladder.cannot_reach):
        yield _raised(Concern.CANNOT_REACH, silence, at)
    if unreminded and (len(unreminded) >= ladder.phone_after or unreminded[-1].due_at - unreminded[0].due_at >= ladder.phone_span):
        yield _raised(Concern.PHONE_PROBLEM, unreminded, at)
    if ladder.gap_suspend_doses is not None and len(reported) >= ladder.gap_suspend_doses:
        yield _raised(Concern.SUSPEND, reported, at)


_WORDS = {
    Concern.CANNOT_REACH: "running without an answer",
    Concern.PHONE_PROBLEM: "running not reminded",
    Concern.SUSPEND: "reported not taken since the last one taken",
}


def _raised(concern: Concern, doses: Sequence[CountedDose], at: datetime, *, since: datetime | None = None, often: bool = False) -> Raised:
    words = f"{len(doses)} dose{'s' if len(doses) > 1 else ''} {_WORDS.get(concern, 'running not taken')}"
    if often:
        words = f"{len(doses)} of the last {LAST} doses not taken"
    if concern not in _WORDS and (silent := sum(dose.unanswered for dose in doses)):
        words += f", {silent} of them unconfirmed"
    unverified = any(dose.unverified for dose in doses)
    return Raised(concern, since or doses[0].due_at, len(doses), unverified, words, at)
