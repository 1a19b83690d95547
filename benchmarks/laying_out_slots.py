"""How long laying out ten years of doses takes, beside python-dateutil's rrule on the same doses in the same run.

Both must give the same instants, or the figures mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from time import perf_counter
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, rrule

from reminders.domain.plan import AdvancePolicy, Amount, Course, Kind, Phase, Plan, PlannedDose
from reminders.domain.schedule import next_slot, slots_between

ZONE = ZoneInfo("America/New_York")
TIMES = (time(8), time(14), time(20))
FROM, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
ROUNDS = 5


def course() -> Course:
    """Three doses a day without end."""
    doses = tuple(PlannedDose(at, Amount(Decimal(5))) for at in TIMES)
    plan = Plan("baclofen-tablet", Kind.MAINTENANCE, ZONE.key, date(2026, 1, 1), AdvancePolicy.AS_PRESCRIBED, (Phase(doses),))
    return Course.of(plan, FROM)


def by_rrule() -> tuple[datetime, ...]:
    """The same doses as local times of a recurrence rule, then made instants."""
    first, last = (instant.replace(tzinfo=None) for instant in (FROM, UNTIL))  # rrule counts in wall time
    rule = rrule(DAILY, dtstart=first, until=last, byhour=[at.hour for at in TIMES], byminute=0, bysecond=0)
    return tuple(instant for instant in (local.replace(tzinfo=ZONE).astimezone(UTC) for local in rule) if instant < UNTIL)


def by_doseline() -> tuple[datetime, ...]:
    """The doses as slots of a plan."""
    return tuple(slot.due_at for slot in slots_between(course(), FROM, UNTIL))


def seconds(work: Callable[[], object]) -> float:
    """The best of a few rounds: what the machine can do when it is not doing something else."""
    took = []
    for _ in range(ROUNDS):
        began = perf_counter()
        work()
        took.append(perf_counter() - began)
    return min(took)


def main() -> None:
    """Compare, then print microseconds a slot."""
    ours, theirs = by_doseline(), by_rrule()
    if ours != theirs:
        raise SystemExit(f"the two do not agree: {len(ours)} slots and {len(theirs)}")
    ends = course()
    print(f"{len(ours)} doses in ten years, New York, best of {ROUNDS} rounds")
    print(f"  python-dateutil rrule   {seconds(by_rrule) / len(theirs) * 1e6:8.2f} µs a dose")
    print(f"  Doseline slots_between  {seconds(by_doseline) / len(ours) * 1e6:8.2f} µs a dose, with its amount, number and phase")
    print(f"  Doseline next_slot      {seconds(lambda: next_slot(ends, UNTIL)) * 1e6:8.2f} µs, ten years on")


if __name__ == "__main__":
    main()
