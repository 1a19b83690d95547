"""What a check finds, as what is wrong with a document: the figures stay beside the words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reminders.errors import Fault

if TYPE_CHECKING:
    from reminders.domain.finding import Finding


def fault_of(finding: Finding, path: str | None = None) -> Fault:
    """The fault that a finding is, at its path, or at the one given: what was found, the limit, and the source."""
    where = finding.path if path is None else path
    return Fault(where, str(finding), finding.found, finding.limit, finding.source)
