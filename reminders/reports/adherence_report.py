"""The adherence report as a value: counts first, and every share beside the counts it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reminders.domain.adherence import Adherence, percent

CAVEATS = (
    "Confirmed by text, not observed. Self-report overstates: by 17 points against electronic caps (PMC4917812).",
    "80 % is a convention, not a validated limit (studies used 67 to 95 %, PMC7379515); for a short-acting drug it can hide a whole day.",
    "No reply is not a missed dose (99DOTS Uganda: 58.4 % by patients' own calls, 99.4 % after staff had checked).",
    "Lower counts confirmed doses; upper, unanswered ones too. Doses we failed to remind of, and muted ones, are outside both.",
)
"""Printed on every report, with their sources."""


@dataclass(frozen=True)
class PlanAdherence:
    """One plan's adherence: how many doses fell due, how many came to each state, and the scores."""

    patient: str
    plan: str
    drug: str
    due: int
    states: Mapping[str, int]
    scores: Adherence

    def rows(self) -> dict[str, str | int]:
        """One row of a table, in the order of its columns; shares are percentages, or "no data"."""
        scores = self.scores
        return {
            "patient": self.patient,
            "plan": self.plan,
            "drug": self.drug,
            "due": self.due,
            "counted": scores.counted,
            "taken": self.states.get("taken", 0),
            "skipped": self.states.get("skipped", 0),
            "missed": self.states.get("missed", 0),
            "unconfirmed": self.states.get("unconfirmed", 0),
            "not_reminded": self.states.get("not_reminded", 0),
            "not_due": self.states.get("not_due", 0),
            "lower_percent": percent(scores.lower),
            "upper_percent": percent(scores.upper),
            "responded_percent": percent(scores.responded),
            "response_rate_percent": percent(scores.response_rate),
            "reach_percent": percent(scores.reach),
            "on_time_percent": percent(scores.on_time),
            "correct_days": f"{scores.days_correct}/{scores.days_scored}",
            "mg_weighted_percent": percent(scores.weighted),
            "longest_run_not_taken": scores.longest_run,
            "of_which_unconfirmed": scores.run_unconfirmed,
        }
