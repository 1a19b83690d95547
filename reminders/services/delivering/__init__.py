"""Delivering: a text is a row before it is a request, and every doubt about it is settled before it is sent again.

The carrier's create has no idempotency key, so the ledger carries the proof: an attempt number fences every write, a
random tag comes back with every receipt, and the carrier's own list settles what neither could.
"""

from __future__ import annotations

from reminders.services.delivering.patience import PATIENCE, Patience
from reminders.services.delivering.receipts import receive_status
from reminders.services.delivering.recovering import Watch, in_flight, recover
from reminders.services.delivering.sending import deliver

__all__ = ["PATIENCE", "Patience", "Watch", "deliver", "in_flight", "receive_status", "recover"]
