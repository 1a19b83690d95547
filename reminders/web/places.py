"""A place in a long list, as it stands in an address: an instant, a letter and an id of a row. It says nothing of anybody."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from reminders.services.charting import Before

_FORM = re.compile(r"([0-9]{1,17})\.([a-z])\.([A-Za-z0-9_-]{1,40})")
_START = datetime(1970, 1, 1, tzinfo=UTC)


def address_of(place: Before) -> str:
    """Write a place for an address."""
    return f"{(place.at - _START) // timedelta.resolution}.{place.source}.{place.id}"


def place_in(text: str) -> Before | None:
    """Read a place of an address; None if there is none. Raises ValueError for what is none."""
    if not text:
        return None
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("no such place")
    return Before(_START + int(found[1]) * timedelta.resolution, found[2], found[3])
