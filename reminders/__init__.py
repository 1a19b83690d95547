"""Doseline: texts patients their doses while a drug is being stepped up, kept or tapered off."""

from __future__ import annotations

import zoneinfo

# The rules of time zones are those of the pinned tzdata package, the same on every machine: a machine's own may be years old,
# and two replicas that disagree about a clock change would disagree about a dose.
zoneinfo.reset_tzpath(())
