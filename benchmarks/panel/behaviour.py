"""What the simulated people do: who takes a dose, who answers what, and what the nurse does with what is raised.

Every draw is named by the seed, the patient and what it is about, so that the same seed tells the same story whatever
order things happen in. No figure here is a claim about patients: each is an assumption, with what it leans on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from random import Random

RATES = (0.58, 0.70, 0.86, 0.95)
"""Shares of reminders answered. 58: 99DOTS Uganda (PLOS Digital Health 2023, e0000138). 86: EpxMedTracking (JMIR Research
Protocols 2017, e87). 70 and 95 lie between and above; no source."""
USUAL = 0.86
TAKEN_IN_SILENCE = 0.90
"""Of the doses nobody answered for, so many were taken. 99DOTS Uganda found about 98.6 % once staff had asked (58.4 to 99.4);
less here, because what people say of themselves is too good by 17 points (PMC4917812)."""
SPREAD = 2.0
"""How alike the patients of the uneven model are: their own rates are drawn from a beta distribution whose parameters add up
to this. At 86 % one in twelve answers less than every other text, half nearly all, and a fifth owes 70 % of the silence. Our assumption."""
ANSWERS_AFTER = timedelta(minutes=10)
SITTINGS = (time(9), time(12), time(15))
"""When the nurse works the list, Monday to Friday: nothing waits longer than the four clinic hours it may."""
FIRST_MINUTES, FURTHER_MINUTES = 8, 2
"""What a patient on the list costs the nurse at a sitting: a call and a note; and each further alert of the same patient."""
WORKING_MINUTES = 360
"""What one nurse can give to the list on a working day: six hours."""

REASONS = {"1": 0.303, "2": 0.174, "3": 0.184, "4": 0.266, "5": 0.073}
"""Why a dose was not taken (EpxMedTracking, 109 reported misses): forgot, felt sick, out of medicine, felt better, other."""


class Model(StrEnum):
    """How silence is spread. independent: over everybody and every dose alike; uneven: most of it falls to a few people."""

    INDEPENDENT = "independent"
    UNEVEN = "uneven"


@dataclass(frozen=True, slots=True)
class Slot:
    """One dose as its patient knows it."""

    on: date
    no: int


@dataclass(frozen=True, slots=True)
class Person:
    """A patient: what they do is fixed by the seed, whatever we text them."""

    seed: int
    ref: str
    rate: float
    model: Model = Model.INDEPENDENT

    @property
    def own_rate(self) -> float:
        """The share of texts that this patient answers."""
        if self.model is Model.INDEPENDENT or not 0 < self.rate < 1:
            return self.rate
        return self._draw("own rate").betavariate(SPREAD * self.rate, SPREAD * (1 - self.rate))

    def answers(self, what: object) -> bool:
        """Whether this patient answers a text."""
        return self._draw(what).random() < self.own_rate

    def takes(self, slot: Slot) -> bool:
        """Whether this patient takes a dose: each one answered for, and most of the others."""
        return self.answers(slot) or self._draw(("silent", slot)).random() < TAKEN_IN_SILENCE

    def reply(self, kind: str, slots: Sequence[Slot], *, nudge: bool, asked_on: date) -> str | None:
        """What comes back to a question about some doses; None: nothing. Answers are true, and a nudge brings none.

        That is the cautious reading of a published rate: it counts the doses answered for at all.
        """
        if kind == "dose":
            return "1" if not nudge and self.answers(slots[-1]) else None
        if kind not in {"catch_up", "silence", "why_not_taken"} or not self.answers((kind, asked_on)):
            return None
        if kind == "why_not_taken":
            return self._reason(asked_on)
        taken = sum(self.takes(slot) for slot in slots)
        return "1" if taken == len(slots) else "3" if taken == 0 and kind == "silence" else "2"

    def _reason(self, asked_on: date) -> str:
        return self._draw(("reason", asked_on)).choices(list(REASONS), list(REASONS.values()))[0]

    def _draw(self, what: object) -> Random:
        return Random(f"{self.seed} {self.ref} {what}")  # noqa: S311 - a simulation


def minutes(alerts_of_patients: Sequence[int]) -> int:
    """What a sitting costs the nurse, given how many alerts each patient on the list has."""
    return sum(FIRST_MINUTES + FURTHER_MINUTES * (alerts - 1) for alerts in alerts_of_patients)
