"""Whom we may text, and when nobody is to be woken. Pure; which number belongs to whom is not decided here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TypeAlias
from zoneinfo import ZoneInfo

from reminders.domain.plan import DAY, HOUR
from reminders.domain.schedule import instant_of

# One nudge an hour after the dose, none in the last quarter of an hour, and for a drug taken more rarely than daily the
# next morning at ten: our defaults.
NUDGE_AFTER = HOUR
NO_NUDGE_IN_LAST = timedelta(minutes=15)
NUDGE_NEXT_DAY_AT = time(10)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local hours, `starts <= clock < ends` and usually over midnight, in which we start nothing of our own.

    21:00 to 08:00 is our default (US voice calls: 08:00 to 21:00 local). A slot the patient chose inside them is still announced.
    """

    starts: time = time(21)
    ends: time = time(8)

    def __post_init__(self) -> None:
        if self.starts == self.ends:
            raise ValueError("quiet hours end at another time than they start")

    def contains(self, instant: datetime, tz: ZoneInfo) -> bool:
        """Say whether an instant (UTC) lies in the quiet hours of a zone, by the clock on its wall."""
        clock = instant.astimezone(tz).time()
        if self.starts < self.ends:
            return self.starts <= clock < self.ends
        return clock >= self.starts or clock < self.ends

    def next_start(self, instant: datetime, tz: ZoneInfo) -> datetime:
        """The first instant (UTC) after this one at which the quiet hours start."""
        return _next_at(self.starts, instant, tz)

    def next_end(self, instant: datetime, tz: ZoneInfo) -> datetime:
        """The first instant (UTC) after this one at which the quiet hours end."""
        return _next_at(self.ends, instant, tz)


def _next_at(clock: time, instant: datetime, tz: ZoneInfo) -> datetime:
    # Three days are enough: a zone may skip one whole local date (Apia, 30 Dec 2011), never two.
    today = instant.astimezone(tz).date()
    return next(at for days in range(4) if (at := instant_of(today + timedelta(days=days), clock, tz)) > instant)


class Role(StrEnum):
    """What a phone number is to a patient: a proxy answers in their place, a caregiver is told."""

    PATIENT = "patient"
    PROXY = "proxy"
    CAREGIVER = "caregiver"


class WhyNot(StrEnum):
    """Why a number may not be texted."""

    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    UNVERIFIED = "unverified"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class ConsentStanding:
    """What is on record for one person's number. Instants UTC.

    opted_out  STOP stands on the number, for everybody behind it; verified  a code sent there came back;
    unusable   the carrier says that texts cannot reach it (a landline, an unknown number).
    """

    consented_at: datetime | None
    revoked_at: datetime | None = None
    verified: bool = False
    unusable: bool = False
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Contactable:
    """The number may be texted."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The number may not be texted, and why."""

    why: WhyNot


Contact: TypeAlias = Contactable | Refused


def may_contact(standing: ConsentStanding) -> Contact:
    """Say whether a number may be texted now. STOP comes before everything else; no consent on record, no text."""
    if standing.opted_out:
        return Refused(WhyNot.OPTED_OUT)
    if not _consents(standing):
        return Refused(WhyNot.NO_CONSENT)
    if not standing.verified:
        return Refused(WhyNot.UNVERIFIED)
    if standing.unusable:
        return Refused(WhyNot.UNUSABLE)
    return Contactable()


def _consents(standing: ConsentStanding) -> bool:
    """Consent given after a withdrawal counts again; given at the same instant it does not."""
    if standing.consented_at is None:
        return False
    return standing.revoked_at is None or standing.consented_at > standing.revoked_at


def may_nudge(now: datetime, tz: ZoneInfo, quiet: QuietHours, take_until: datetime | None) -> bool:
    """Say whether an unanswered dose may be asked about now: never in quiet hours, nor in the last 15 minutes it may be taken.

    With no last moment on record (None) there is nothing safe to urge.
    """
    if take_until is None or quiet.contains(now, tz):
        return False
    return now < take_until - NO_NUDGE_IN_LAST


def nudge_at(due_at: datetime, take_until: datetime | None, tz: ZoneInfo) -> datetime | None:
    """The instant (UTC) of a dose's one nudge; None without a last moment. Whether it may go out then, `may_nudge` says.

    An hour after it was due, half of the time left if that is shorter, the next day at ten if there is more than a day.
    """
    if take_until is None:
        return None
    window = take_until - due_at
    if window > DAY:
        return instant_of(due_at.astimezone(tz).date() + DAY, NUDGE_NEXT_DAY_AT, tz)
    return due_at + min(NUDGE_AFTER, window / 2)
