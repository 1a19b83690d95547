"""Strategies: zones, instants around every kind of clock change, plans, and courses of several versions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

from reminders.domain.plan import AdvancePolicy, Amount, Course, Kind, Phase, Plan, PlannedDose, Version

ZONES = tuple(sorted(available_timezones()))

# One for each kind of clock: whole, half and odd hours, both hemispheres, gaps at midnight, Ramadan, a skipped day.
ODD_ZONES = (
    "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia", "America/St_Johns", "Atlantic/Azores",
    "America/Santiago", "America/Havana", "Africa/Casablanca", "Asia/Tehran", "Asia/Kolkata", "Europe/Dublin", "Antarctica/Troll", "UTC",
)  # fmt: skip

FIRST, LAST = datetime(2010, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

MINUTE = timedelta(minutes=1)


@cache
def clock_changes(zone: str) -> tuple[datetime, ...]:
    """The instants, to the hour before, at which a zone's offset changed between 2010 and 2027; rising."""
    tz = ZoneInfo(zone)
    days = [FIRST + timedelta(days=day) for day in range((LAST - FIRST).days + 1)]
    changed = [day for day in days[:-1] if _offset(day, tz) != _offset(day + timedelta(days=1), tz)]
    return tuple(_hour_before_change(day, tz) for day in changed)


def _offset(instant: datetime, tz: ZoneInfo) -> timedelta | None:
    return instant.astimezone(tz).utcoffset()


def _hour_before_change(day: datetime, tz: ZoneInfo) -> datetime:
    hours = [day + timedelta(hours=hour) for hour in range(24)]
    return max(hour for hour in hours if _offset(hour, tz) == _offset(day, tz))


def zones() -> st.SearchStrategy[str]:
    """Draw a zone, the odd ones first."""
    return st.sampled_from(ODD_ZONES) | st.sampled_from(ZONES)


def instants(zone: str = "UTC") -> st.SearchStrategy[datetime]:
    """Draw an instant of whole minutes, for the most part within three days of a clock change of the zone."""
    anywhere = st.integers(0, (LAST - FIRST) // MINUTE - 50000).map(lambda minutes: FIRST + minutes * MINUTE)
    if not clock_changes(zone):
        return anywhere
    near = st.builds(
        lambda change, minutes: change + timedelta(minutes=minutes), st.sampled_from(clock_changes(zone)), st.integers(-4320, 4320)
    )
    return near | near | anywhere


amounts = st.sampled_from([Amount(Decimal(value)) for value in ("2.5", "5", "10", "15", "20")])
wall_times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 45, 59])) | st.sampled_from(
    [time(0, 0), time(0, 30), time(1, 30), time(2, 0), time(2, 30), time(3, 0), time(23, 59)]
)


@st.composite
def phases(draw: st.DrawFn, *, open_ended: bool) -> Phase:
    """Draw a phase of one to five doses a day, every day or every few days."""
    at = sorted(draw(st.sets(wall_times, min_size=1, max_size=5)))
    days = None if open_ended else draw(st.integers(1, 9))
    return Phase(tuple(PlannedDose(t, draw(amounts)) for t in at), days, draw(st.sampled_from([1, 1, 1, 2, 3, 7])))


@st.composite
def plans(draw: st.DrawFn, *, zone: str | None = None, start: date | None = None) -> Plan:
    """Draw a plan of one to four phases that starts near a clock change of its zone; the last phase may be open."""
    zone = zone or draw(zones())
    start = start or (draw(instants(zone)).date() - timedelta(days=draw(st.integers(0, 5))))
    closed = draw(st.lists(phases(open_ended=False), max_size=3))
    last = draw(phases(open_ended=draw(st.booleans())))
    return Plan("baclofen-tablet", Kind.TITRATION, zone, start, AdvancePolicy.AS_PRESCRIBED, (*closed, last))


@st.composite
def courses(draw: st.DrawFn) -> Course:
    """Draw a course of one to three versions in any zones, some with jumped slots and used numbers, perhaps stopped."""
    plan = draw(plans())
    effective_at = datetime.combine(plan.start, time.min, tzinfo=UTC) - timedelta(days=draw(st.integers(0, 2)))
    versions = [Version(plan, effective_at)]
    for no in range(2, draw(st.integers(1, 3)) + 1):
        effective_at += timedelta(minutes=draw(st.integers(1, 9000)))
        first_at = draw(st.none() | st.integers(1, 2000).map(MINUTE.__mul__).map(effective_at.__add__))
        used = tuple((effective_at.date() + timedelta(days=offset), 3) for offset in draw(st.sets(st.integers(-1, 1))))
        versions.append(Version(draw(plans(start=plan.start)), effective_at, no, first_at, tuple(sorted(used))))
    ended_at = draw(st.none() | st.integers(0, 20000).map(MINUTE.__mul__).map(versions[0].effective_at.__add__))
    return Course(tuple(versions), ended_at)


def windows_of(course: Course, ends: int = 2) -> st.SearchStrategy[list[datetime]]:
    """Draw so many rising instants in the first weeks of a course, some of them on a slot's minute or a version's first."""
    first = course.versions[0].effective_at
    marks = [mark for version in course.versions for mark in (version.effective_at, version.first_at or first)]
    anywhere = st.integers(-3000, 40000).map(lambda minutes: first + minutes * MINUTE)
    return st.lists(anywhere | st.sampled_from(marks), min_size=ends, max_size=ends).map(sorted)
