"""What somebody types, as an import file would have it; and a file's faults, as those of a form's fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from reminders.errors import Fault
from reminders.formats.parts import MOST_KIDNEY, WEAK, read_instant, typed_phone

if TYPE_CHECKING:
    from reminders.services.records.people import Clinic

File = dict[str, object]

NO_PHONE = "is no phone number: give all its digits, like 202 555 0101, and begin one of another country with +"
NO_DATE = "must be a date"
NO_TIME = "must be a time of day, like 21:00"
NO_KIDNEY = f"must be a number in mL/min up to {MOST_KIDNEY}, like 45"
NO_INSTANT = "must be a day and a time of day"
IN_PLAIN_WORDS: Mapping[str, str] = {
    "phone": NO_PHONE,
    "born": NO_DATE,
    "kidney": NO_KIDNEY,
    "consent_at": NO_INSTANT,
    "quiet_from": NO_TIME,
    "quiet_until": NO_TIME,
}
"""What is wrong with what a person typed, where a file's words are for who writes files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """Evidence of a consent, as it was typed. `at`: the clinic's wall clock, like 2026-03-02T09:05; `by`: empty for who has the phone."""

    by: str = ""
    how: str = ""
    at: str = ""
    wording: str = ""

    def as_file(self, clinic: Clinic, whose: str) -> File:
        """The consent, as a file would have it. That the number is proved is not said here: the code that comes back says it."""
        said = {"by": self.by.strip() or whose, "at": _instant(self.at, clinic.tz), "wording_version": self.wording.strip()}
        return {**said, "how": self.how or None, "number_verified": True}

    def faults(self, clinic: Clinic, now: datetime) -> Iterator[Fault]:
        """What a file may leave out, and a person at the clinic may not."""
        if not self.how:
            yield Fault("consent_how", "is missing: without a consent on record, no text")
        with suppress(ValueError):  # what is no instant is the shape's to say
            if read_instant(_instant(self.at, clinic.tz)) > now:
                yield Fault("consent_at", "is in the future")


NOT_SAID = Agreed()


def _instant(typed: str, tz: ZoneInfo) -> str:
    try:
        local = datetime.fromisoformat(typed.strip())
        return typed if local.tzinfo else f"{local.replace(tzinfo=tz).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError):  # none, or past the last year there is: the shape's to say
        return typed


def phone_of(typed: str, clinic: Clinic) -> str:
    """A number as a file would have it, of the clinic's country unless it says otherwise."""
    return typed_phone(typed.strip(), beside=clinic.phone)


def kidney_of(typed: str, *, weak: bool) -> str | None:
    """A kidney function as a file would have it; None: not known. A number says more than that they are weak."""
    return typed.strip() or (WEAK if weak else None)


def medicines_of(typed: str) -> list[str]:
    """The medicines of a list, one a line."""
    return [line.strip() for line in typed.splitlines() if line.strip()]


def born_later(born: date | None, clinic: Clinic, now: datetime) -> Iterator[Fault]:
    """What is wrong with a birth that is still to come."""
    if born is not None and born > now.astimezone(clinic.tz).date():
        yield Fault("born", "is in the future")


def by_fields(faults: Iterable[Fault], fields: Mapping[str, str]) -> list[Fault]:
    """Say a file's faults as those of a form: each at the field of the longest path that it stands under, one a field."""
    found: dict[str, Fault] = {}
    for fault in faults:
        path = next((path for path in sorted(fields, key=len, reverse=True) if fault.path.startswith(path)), "")
        field = fields.get(path, "")
        place = fault.path[len(path) :]
        words = IN_PLAIN_WORDS.get(field, fault.message)
        found.setdefault(field, Fault(field, f"line {int(place[1:-1]) + 1}: {words}" if place.startswith("[") else words))
    return list(found.values())
