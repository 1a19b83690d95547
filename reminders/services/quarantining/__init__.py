"""Quarantining: a ledger that may not know what was sent sends nothing, until its gap was relived and a person has said so.

`doseline restore` begins a quarantine, and so does a start at which the carrier's list has what no row explains. The gap is
relived (`simulation.reliving`): production's services on a clock moved by hand, with the carrier's lists for a carrier.
"""

from __future__ import annotations

from reminders.services.quarantining.finding import Finder
from reminders.services.quarantining.standing import (
    Elsewhere,
    Quarantine,
    begin,
    carriers,
    conclude,
    end,
    give_up_turn,
    is_held,
    listen_since,
    settled_at,
    standing,
    take_turn,
    unheard,
    wake,
)
from reminders.services.quarantining.starting import UNCHECKED, Caution, StartCheck

__all__ = [
    "UNCHECKED",
    "Caution",
    "Elsewhere",
    "Finder",
    "Quarantine",
    "StartCheck",
    "begin",
    "carriers",
    "conclude",
    "end",
    "give_up_turn",
    "is_held",
    "listen_since",
    "settled_at",
    "standing",
    "take_turn",
    "unheard",
    "wake",
]
