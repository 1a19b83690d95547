"""The demo: five patients in four zones over 45 days, from the baclofen label and the founding article, as a story file.

Ana rises per dose, and asks about late doses. Ben rises per day, falls silent, stays, goes on, and moves house. Chidi
tapers and runs out of medicine. Dana's carrier fails her, and she ends the texts. Ema is seven: her father has the phone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = 45
FIRST = date(2026, 2, 16)
"""The story as it is told: New York's clocks change on 8 March, London's on the 29th."""

PROVIDER = "Dr. N. Rivera"
CLINIC = {
    "name": "Harbor Clinic",
    "phone": "+12025550100",
    "zone": "America/New_York",
    "staff": [{"name": PROVIDER, "roles": ["provider"]}],
}
ANA, BEN, CHIDI, DANA = "+12025550111", "+12025550112", "+12025550113", "+12025550114"
BENS_SISTER, EMAS_FATHER = "+12025550122", "+12025550125"
ZONES = {
    ANA: "America/New_York",
    BEN: "America/Chicago",
    CHIDI: "Europe/London",
    DANA: "America/New_York",
    EMAS_FATHER: "America/Los_Angeles",
}
THREE = ("08:00", "14:00", "20:00")
TWO = ("08:00", "20:00")

Json = dict[str, Any]


def demo_story(first: date = FIRST, *, until: datetime | None = None) -> Json:
    """Tell the demo from a first local date on, as the JSON values of a story file; events after `until` (UTC) are left out."""
    start = _at(first, "00:00", "Europe/London")
    end = until or start + timedelta(days=DAYS)
    events = sorted((event for event in _events(first) if event["at"] < _instant(end)), key=lambda event: str(event["at"]))
    return {"start": _instant(start), "until": _instant(end), "import": _people(first), "events": events}


def _people(first: date) -> Json:
    return {
        "clinic": CLINIC,
        "patients": [
            _patient("ana", "Ana Alvarez", ANA, first, wording="amount", plans=[_rises_per_dose(first + timedelta(days=1))]),
            _patient(
                "ben",
                "Ben Brooks",
                BEN,
                first,
                wording="amount",
                plans=[_rises_per_day(first + timedelta(days=2))],
                caregivers=[_sister(first)],
            ),
            _patient("chidi", "Chidi Cole", CHIDI, first, wording="amount", plans=[_tapers(first + timedelta(days=9))]),
            _patient(
                "dana", "Dana Diaz", DANA, first, plans=[_keeps("dana-baclofen", DANA, "10", TWO, first + timedelta(days=3), days=30)]
            ),
            _patient(
                "ema",
                "Ema Evans",
                None,
                first,
                wording="amount",
                zone=ZONES[EMAS_FATHER],
                plans=[_keeps("ema-baclofen", EMAS_FATHER, "5", ("07:00", "19:00"), first + timedelta(days=2), days=28)],
                caregivers=[_father(first)],
            ),
        ],
    }


def _patient(
    ref: str,
    name: str,
    phone: str | None,
    first: date,
    *,
    plans: Sequence[Json],
    wording: str = "discreet",
    zone: str = "",
    caregivers: Sequence[Json] = (),
) -> Json:
    return {
        "ref": ref,
        "name": name,
        "phone": phone,
        "zone": zone or ZONES[phone or ""],
        "language": "en",
        "wording": wording,
        "consent": _consent(name, first) if phone else None,
        "caregivers": list(caregivers),
        "medicines": [],
        "plans": list(plans),
    }


def _consent(by: str, first: date) -> Json:
    at = _instant(_at(first - timedelta(days=3), "15:00", "America/New_York"))
    return {"by": by, "at": at, "wording_version": "2026-01", "number_verified": True}


def _sister(first: date) -> Json:
    person = {"ref": "ben-sister", "name": "Bea Brooks", "phone": BENS_SISTER, "relationship": "sister", "role": "caregiver"}
    return {**person, "consent": _consent("Bea Brooks", first), "alerts": {"after_misses": 2}}


def _father(first: date) -> Json:
    person = {"ref": "ema-father", "name": "Eli Evans", "phone": EMAS_FATHER, "relationship": "father", "role": "proxy"}
    return {**person, "consent": _consent("Eli Evans", first)}


def _plan(ref: str, phone: str, start: date, *, kind: str, advance: str, phases: Sequence[Json]) -> Json:
    place = {"drug": "baclofen", "kind": kind, "zone": ZONES[phone], "start": start.isoformat(), "advance": advance}
    return {**place, "phases": list(phases), "ref": ref, "approved_by": PROVIDER}


def _phase(days: int | None, amounts: Sequence[int], times: Sequence[str] = THREE) -> Json:
    doses = [{"at": at, "amount": str(mg), "unit": "mg"} for at, mg in zip(times, amounts, strict=True) if mg]
    return {"days": days, "every_n_days": 1, "doses": doses}


def _rises_per_dose(start: date) -> Json:
    """The label's table: 5, 10, 15, 20 mg three times a day, three days each (US baclofen tablets label)."""
    phases = [_phase(3, (5, 5, 5)), _phase(3, (10, 10, 10)), _phase(3, (15, 15, 15)), _phase(None, (20, 20, 20))]
    return _plan("ana-baclofen", ANA, start, kind="titration", advance="stay_unless_met", phases=phases)


def _rises_per_day(start: date) -> Json:
    """The other reading of "5 mg every three days": 5 mg a day, the night dose first."""
    rises = ((5, 5, 5), (5, 5, 10), (5, 10, 10), (10, 10, 10), (10, 10, 15))
    phases = [*(_phase(3, amounts) for amounts in rises), _phase(None, (10, 15, 15))]
    return _plan("ben-baclofen", BEN, start, kind="titration", advance="stay_unless_met", phases=phases)


def _tapers(start: date) -> Json:
    """From 60 mg a day to nothing over 14 days (UK and Canadian product texts: one to two weeks or more)."""
    cuts = ((4, (15, 15, 15)), (4, (10, 10, 10)), (4, (5, 5, 5)), (1, (0, 5, 5)), (1, (0, 0, 5)))
    return _plan("chidi-taper", CHIDI, start, kind="taper", advance="as_prescribed", phases=[_phase(days, mg) for days, mg in cuts])


def _keeps(ref: str, phone: str, mg: str, times: Sequence[str], start: date, *, days: int | None = None) -> Json:
    return _plan(ref, phone, start, kind="maintenance", advance="as_prescribed", phases=[_phase(days, (int(mg),) * len(times), times)])


def _events(first: date) -> Iterator[Json]:
    yield from _ana(first + timedelta(days=1))
    yield from _ben(first + timedelta(days=2))
    yield from _chidi(first + timedelta(days=9))
    yield from _dana(first + timedelta(days=3))
    yield from _ema(first + timedelta(days=2))


Silence = set[tuple[int, str]]
"""Doses nobody answers for: (day of the plan from 1, local time)."""


def _answers(
    phone: str, start: date, *, days: range, times: Sequence[str], but: Silence, words: Sequence[str] = ("1",), zone: str = ""
) -> Iterator[Json]:
    """Somebody who answers every reminder within a quarter of an hour, but for the doses named."""
    for day in days:
        for no, at in enumerate(times):
            if (day, at) not in but:
                said = words[(day * len(times) + no) % len(words)]
                yield _says(phone, _local(start, day, at, zone or ZONES[phone]) + timedelta(minutes=3 + (day * 5 + no * 4) % 12), said)


def _ana(start: date) -> Iterator[Json]:
    silent = {(3, "14:00"), (5, "08:00"), (8, "08:00"), (21, "20:00"), (30, "08:00")}
    yield from _answers(ANA, start, days=range(1, 46), times=THREE, but=silent, words=("1", "1", "taken", "1", "done"))
    yield _says(ANA, _local(start, 3, "18:04", ZONES[ANA]), "1")  # the catch-up question before the first step: all taken
    yield _says(ANA, _local(start, 5, "11:40", ZONES[ANA]), "missed my 8am")
    yield _says(ANA, _local(start, 5, "11:46", ZONES[ANA]), "ok took it now")
    yield _says(ANA, _local(start, 8, "12:20", ZONES[ANA]), "missed my 8am")
    yield _says(ANA, _local(start, 30, "14:20", ZONES[ANA]), "took my 8am at 8:30")


def _ben(start: date) -> Iterator[Json]:
    silent = {(8, "08:00"), (8, "14:00"), (8, "20:00"), (25, "14:00")}
    yield from _answers(BEN, start, days=range(1, 26), times=THREE, but=silent, words=("1", "yes, taken", "1"))
    yield _says(BEN, _local(start, 9, "09:30", ZONES[BEN]), "3")  # to the question about the silence: none taken
    yield _says(BENS_SISTER, _local(start, 8, "18:20", ZONES[BEN]), "1")
    called = {"action": "acknowledge", "plan": "ben-baclofen", "reason": "called: he was travelling, no symptoms", "by": PROVIDER}
    yield {"at": _instant(_local(start, 9, "10:15", ZONES[BEN])), "staff": called}
    resumes = {"action": "resume", "plan": "ben-baclofen", "reason": "taking it again for two days", "by": PROVIDER}
    yield {"at": _instant(_local(start, 11, "10:00", ZONES[BEN])), "staff": resumes}
    moves = {"action": "move_zone", "plan": "ben-baclofen", "zone": "America/New_York", "reason": "moved to his sister's", "by": PROVIDER}
    yield {"at": _instant(_local(start, 26, "07:00", ZONES[BEN])), "staff": moves}
    yield from _answers(BEN, start, days=range(26, 46), times=THREE, but={(33, "20:00")}, zone="America/New_York")


def _chidi(start: date) -> Iterator[Json]:
    silent = {(5, "14:00"), (5, "20:00"), (13, "08:00"), (14, "08:00"), (14, "14:00")}
    yield from _answers(CHIDI, start, days=range(1, 15), times=THREE, but=silent, words=("1", "1", "Taken, thanks"))
    yield _says(CHIDI, _local(start, 5, "14:25", ZONES[CHIDI]), "I have run out of tablets")
    seen = {"action": "acknowledge", "plan": "chidi-taper", "reason": "emergency supply arranged at his pharmacy", "by": PROVIDER}
    yield {"at": _instant(_local(start, 5, "14:50", ZONES[CHIDI])), "staff": seen}
    yield _says(CHIDI, _local(start, 5, "16:40", ZONES[CHIDI]), "got my refill, 40 tablets")
    yield _says(CHIDI, _local(start, 5, "16:45", ZONES[CHIDI]), "took my 2pm now")
    yield _says(CHIDI, _local(start, 5, "20:10", ZONES[CHIDI]), "1")


def _dana(start: date) -> Iterator[Json]:
    silent = {(6, "08:00"), *((day, at) for day in range(20, 26) for at in TWO)}
    yield from _answers(DANA, start, days=range(1, 31), times=TWO, but=silent)
    off = {"to": DANA, "status": "undelivered", "code": 30003}
    yield {"at": _instant(_local(start, 6, "07:30", ZONES[DANA])), "carrier": off}
    yield {"at": _instant(_local(start, 6, "09:30", ZONES[DANA])), "carrier": {"to": DANA, "status": "delivered"}}
    yield _says(DANA, _local(start, 20, "07:45", ZONES[DANA]), "please stop texting me")
    yield _says(DANA, _local(start, 26, "07:30", ZONES[DANA]), "START")


def _ema(start: date) -> Iterator[Json]:
    times = ("07:00", "19:00")
    yield from _answers(
        EMAS_FATHER, start, days=range(1, 29), times=times, but={(10, "19:00"), (18, "07:00")}, words=("1", "she took it", "1")
    )
    yield _says(EMAS_FATHER, _local(start, 18, "09:10", ZONES[EMAS_FATHER]), "she threw up her tablet")
    seen = {"action": "acknowledge", "plan": "ema-baclofen", "reason": "spoke to her father: a stomach bug, go on as usual", "by": PROVIDER}
    yield {"at": _instant(_local(start, 18, "10:00", ZONES[EMAS_FATHER])), "staff": seen}


def _says(phone: str, at: datetime, text: str) -> Json:
    return {"at": _instant(at), "from": phone, "text": text}


def _local(start: date, day: int, at: str, zone: str) -> datetime:
    return _at(start + timedelta(days=day - 1), at, zone)


def _at(day: date, at: str, zone: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(at), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
