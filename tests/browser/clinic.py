"""Harbor Clinic on a busy afternoon: a patient for each thing that a person must look at, and people who can sign in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import Engine

from reminders.clock import HandClock
from reminders.domain.roles import StaffRole
from reminders.services import staffing
from tests.files import File, a_caregiver, a_consent
from tests.stage import Stage, patient, phase, plan
from tests.web.signed_in import CLINIC, NURSE, PROVIDER, Phone, an_account

BEGUN, AFTERNOON = "03-01 12:00", "03-06 15:30"
FAITHFUL, SILENT, ILL, AWAY, STOPPED, ODD, SHORT = (f"+120255501{number}" for number in range(41, 48))
LABEL = (phase("5/5/5", 3), phase("10/10/10", 3), phase("15/15/15", 3), phase("20/20/20"))
"""The label's titration (US baclofen tablets label)."""

PEOPLE: Mapping[str, tuple[str, frozenset[StaffRole]]] = MappingProxyType(
    {
        "provider": (PROVIDER, frozenset({StaffRole.PROVIDER, StaffRole.ADMIN})),
        "nurse": (NURSE, frozenset({StaffRole.STAFF})),
    }
)
"""Who signs in: a provider who is the admin too, as at a small clinic, and a nurse."""


@dataclass(frozen=True)
class Harbor:
    """The clinic as it stands.

    at      the instant that its ledger has come to.
    phones  what those hold who can sign in.
    """

    at: datetime
    phones: Mapping[str, Phone]


def a_busy_afternoon(engine: Engine) -> Harbor:
    """Play five days into an empty ledger; each patient is called after what became of them."""
    with Stage(
        engine,
        _of("Faith Olsen", FAITHFUL, caregivers=[a_caregiver(phone="+12025550151")]),
        _of("Simon Still", SILENT, caregivers=[a_caregiver(ref="sister", name="Sara Still", phone="+12025550152", relationship="sister")]),
        _of("Ilse Ito", ILL),
        _of("Ada Away", AWAY),
        _of("Stan Opton", STOPPED),
        _of("Odd Nilsen", ODD),
        _of("Shirin Low", SHORT, strengths=["5"], supply=[{"strength": "5", "tablets": 20}]),
        start=BEGUN,
    ) as clinic:
        for day in range(2, 7):
            _a_day(clinic, day)
        clinic.run_until(AFTERNOON)
        at = clinic.now
    for name, roles in PEOPLE.values():
        staffing.add(engine, CLINIC, name, roles, now=at)
    an_hour_ago = HandClock(at - timedelta(hours=1))  # so that no code that a phone shows now is used up
    return Harbor(at, {who: an_account(engine, an_hour_ago, name) for who, (name, _) in PEOPLE.items()})


def _a_day(clinic: Stage, day: int) -> None:
    """Let those answer who do; on the fifth day something happens to each of the others."""
    answering = [FAITHFUL, ILL, SHORT] if day >= 5 else [FAITHFUL, ILL, SHORT, AWAY, STOPPED, ODD]
    for hour in (8, 14, 20) if day < 6 else (8, 14):
        for minute, phone in enumerate(answering, 5):
            clinic.says("1", f"03-{day:02} {hour:02}:{minute:02}", phone=phone)
        if (day, hour) == (5, 8):
            clinic.carrier("failed", 30003, phone=AWAY)
            clinic.says("STOP", "03-05 08:20", phone=STOPPED)
            clinic.says("the blue ones or the white ones?", "03-05 08:21", phone=ODD)
    if day == 5:
        clinic.says("I had a seizure", "03-05 20:30", phone=ILL)


def _of(name: str, phone: str, *, caregivers: Sequence[File] = (), **changes: object) -> File:
    ref = name.partition(" ")[0].lower()
    prescribed = {**plan(*LABEL, ref=f"{ref}-baclofen"), **changes}
    return patient(prescribed, ref=ref, name=name, phone=phone, consent=a_consent(name), caregivers=list(caregivers))
