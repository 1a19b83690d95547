"""Reminding under a referee: asked only while this process's clock agrees with it, and told the referee's time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from reminders.scheduling.plan_jobs import Reminding

Ledger = TypeVar("Ledger")

MARGIN = timedelta(milliseconds=1)


class Referee(Protocol):
    """The time that all replicas share: `services.refereeing.Referee`."""

    def now(self) -> datetime:
        """Return the instant, aware, in UTC."""
        ...

    def agrees(self) -> bool:
        """Whether this process may claim."""
        ...


class Refereed(Generic[Ledger]):
    """Another `Reminding`, which claims nothing while the clocks differ: the job comes again with the next build.

    APScheduler knocks by this machine's clock, which may be up to two seconds early by the referee's. Then nobody is due yet,
    and the knock would be lost until the next heartbeat: it waits (`pause`, in seconds) until the referee's clock is there too.
    """

    def __init__(self, reminding: Reminding[Ledger], referee: Referee, *, pause: Callable[[float], object]) -> None:
        self._reminding, self._referee, self._pause = reminding, referee, pause

    def due_minutes(self, ledger: Ledger, /, *, now: datetime, until: datetime) -> Iterable[datetime]:
        """Return the distinct minutes at which a dose is due: when to knock is this machine's affair."""
        return self._reminding.due_minutes(ledger, now=now, until=until)

    def remind_due(self, ledger: Ledger, /, *, now: datetime, limit: int) -> int:
        """Record what fell due by the referee's clock for the next patients in line; return how many patients."""
        if not self._referee.agrees():
            return 0
        asked_at = self._referee.now()
        claimed = self._reminding.remind_due(ledger, now=asked_at, limit=limit)
        if claimed or asked_at >= now:
            return claimed
        self._pause((max(now - self._referee.now(), timedelta()) + MARGIN).total_seconds())
        return self._reminding.remind_due(ledger, now=self._referee.now(), limit=limit) if self._referee.agrees() else 0

    def remind_singly(self, ledger: Ledger, /, *, now: datetime, limit: int) -> int:
        """The same, one transaction a patient."""
        return self._reminding.remind_singly(ledger, now=self._referee.now(), limit=limit) if self._referee.agrees() else 0
