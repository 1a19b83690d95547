"""Harbor Clinic on a busy afternoon: a patient for each thing that a person must look at, and people who can sign in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from types import MappingProxyType

from sqlalchemy import Engine

from reminders.clock import HandClock
from reminders.domain.roles import StaffRole
from reminders.services import staffing
from tests.files import File, a_caregiver, a_consent
from tests.stage import YEAR, Stage, at, patient, phase, plan
from tests.web.signed_in import CLINIC, NURSE, PROVIDER, Phone, an_account, an_operator

BUSY = date(YEAR, 3, 6)
EVENTFUL = BUSY - timedelta(days=1)
EVERYBODY = FAITHFUL, SILENT, ILL, AWAY, STOPPED, ODD, SHORT = tuple(f"+120255501{number}" for number in range(41, 48))
LABEL = (phase("5/5/5", 3), phase("10/10/10", 3), phase("15/15/15", 3), phase("20/20/20"))
"""The label's titration (US baclofen tablets label)."""

PEOPLE: Mapping[str, tuple[str, frozenset[StaffRole]]] = MappingProxyType(
    {
        "provider": (PROVIDER, frozenset({StaffRole.PROVIDER, StaffRole.ADMIN})),
        "nurse": (NURSE, frozenset({StaffRole.STAFF})),
        "clerk": ("Kim Park", frozenset({StaffRole.STAFF})),
        "temp": ("Jo Temp", frozenset({StaffRole.STAFF})),
        "idler": ("Lou Late", frozenset({StaffRole.STAFF})),
    }
)
"""Who signs in: a provider who is the admin too, as at a small clinic; a nurse; and three who come for one test each."""


@dataclass(frozen=True)
class Harbor:
    """The clinic as it stands.

    at      the instant that its ledger has come to.
    phones  what those hold who can sign in.
    """

    at: datetime
    phones: Mapping[str, Phone]


def a_busy_afternoon(engine: Engine, *, quiet_days: int = 0) -> Harbor:
    """Play five days into an empty ledger, after so many on which all went well; each patient is called after what became of them."""
    first = BUSY - timedelta(days=quiet_days + 4)
    of = partial(_of, first)
    with Stage(
        engine,
        of("Faith Olsen", FAITHFUL, caregivers=[a_caregiver(phone="+12025550151")]),
        of("Simon Still", SILENT, caregivers=[a_caregiver(ref="sister", name="Sara Still", phone="+12025550152", relationship="sister")]),
        of("Ilse Ito", ILL),
        of("Ada Away", AWAY),
        of("Stan Opton", STOPPED),
        of("Odd Nilsen", ODD),
        of("Shirin Low", SHORT, strengths=["5"], supply=[{"strength": "5", "tablets": 20 + 6 * quiet_days}]),
        start=_at(first, "00:00"),
    ) as clinic:
        for day in range(quiet_days + 5):
            _a_day(clinic, first + timedelta(days=day))
        clinic.run_until(_at(BUSY, "15:30"))
        at = clinic.now
    for name, roles in PEOPLE.values():
        staffing.add(engine, CLINIC, name, roles, now=at)
    an_hour_ago = HandClock(at - timedelta(hours=1))  # so that no code that a phone shows now is used up
    phones = {who: an_account(engine, an_hour_ago, name) for who, (name, _) in PEOPLE.items()}
    return Harbor(at, phones | {"operator": an_operator(engine, an_hour_ago)})


def _a_day(clinic: Stage, day: date) -> None:
    """Let those answer who do; on the day before the last something happens to each of the others."""
    answering = {*EVERYBODY} if day < EVENTFUL else {FAITHFUL, ILL, SHORT}
    answering -= {SILENT} if day >= EVENTFUL - timedelta(days=2) else set()
    for hour in (8, 14) if day == BUSY else (8, 14, 20):
        for minute, phone in enumerate(sorted(answering), 5):
            clinic.says("1", _at(day, f"{hour:02}:{minute:02}"), phone=phone)
        if (day, hour) == (EVENTFUL, 8):
            clinic.carrier("failed", 30003, phone=AWAY)
            clinic.says("STOP", _at(day, "08:20"), phone=STOPPED)
            clinic.says("the blue ones or the white ones?", _at(day, "08:21"), phone=ODD)
    if day == EVENTFUL:
        clinic.says("I had a seizure", _at(day, "20:30"), phone=ILL)


def _at(day: date, clock: str) -> datetime:
    return at(f"{day:%m-%d} {clock}")


def _of(start: date, name: str, phone: str, *, caregivers: Sequence[File] = (), **changes: object) -> File:
    ref = name.partition(" ")[0].lower()
    prescribed = {**plan(*LABEL, ref=f"{ref}-baclofen", start=f"{start:%m-%d}"), **changes}
    return patient(prescribed, ref=ref, name=name, phone=phone, consent=a_consent(name), caregivers=list(caregivers))
