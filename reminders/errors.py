"""Every error of Doseline that a caller cannot go on from. What can be expected is returned as a value, not raised.

    DoselineError
    ├── SettingsError            a setting is missing, half given, or a placeholder
    ├── BadFile                  a plan, import or story file has faults, each with its path
    ├── NotFound                 a thing asked for by name is not there
    │   ├── UnknownPlan
    │   ├── UnknownPatient
    │   └── UnknownAlert
    ├── NotAllowed               this person, or this state, does not permit it
    │   └── MayNot               it is not this person's to do
    ├── LedgerError
    │   ├── LedgerBehind         the database is not at the newest migration
    │   ├── LedgerBusy           another process holds this SQLite file
    │   ├── LedgerDown           the database does not answer
    │   ├── LedgerMoved          the sandbox's clock was taken over: its times are not the world's
    │   └── LedgerHeld           a restored ledger does not know yet what became of its gap
    └── Unsigned                 a webhook's signature does not prove its sender

An error's docstring is its default message. Exit codes and HTTP statuses are tables at the edges, not attributes here.
A plan that cannot exist is `domain.plan.InvalidPlan`, which the standard library's ValueError is enough for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from inspect import cleandoc


class DoselineError(Exception):
    """Doseline cannot go on with this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or cleandoc(type(self).__doc__ or "").partition("\n")[0])


class SettingsError(DoselineError):
    """A setting is missing or cannot be used."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a file: where (a path such as `patients[0].phone`, empty for the whole) and what.

    Where a limit was broken: the number found, the limit and the source it rests on, which the message says as well.
    """

    path: str
    message: str
    found: str = field(default="", compare=False)
    limit: str = field(default="", compare=False)
    source: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class BadFile(DoselineError):
    """The file has faults; nothing of it was stored."""

    def __init__(self, faults: Iterable[Fault], message: str | None = None) -> None:
        self.faults = tuple(faults)
        super().__init__(message or "\n".join(map(str, self.faults)))


class NotFound(DoselineError):
    """There is nothing of that name here."""


class UnknownPlan(NotFound):
    """There is no such plan in this clinic."""


class UnknownPatient(NotFound):
    """There is no such patient in this clinic."""


class UnknownAlert(NotFound):
    """There is no such alert in this clinic."""


class NotAllowed(DoselineError):
    """This is not allowed here, or not now."""


class MayNot(NotAllowed):
    """Nobody with this name may do this here."""


class LedgerError(DoselineError):
    """The database cannot be used."""


class LedgerBehind(LedgerError):
    """The database is not at the newest migration; run `doseline migrate`."""


class LedgerBusy(LedgerError):
    """Another Doseline process holds this database file; stop it first."""


class LedgerDown(LedgerError):
    """The database does not answer."""


class LedgerMoved(LedgerError):
    """This ledger was played with in the sandbox, on a clock of its own: point DATABASE_URL at another, or DOSELINE_TRANSPORT=sandbox."""


class LedgerHeld(LedgerError):
    """The ledger is in quarantine and its gap is not relived yet; run `doseline quarantine reconcile`."""


class Unsigned(DoselineError):
    """The request's signature does not prove that it comes from the carrier."""
