"""What a named person at a clinic does to a plan, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class StaffAction(StrEnum):
    """What a named person at the clinic does to a plan; a medicine goes on the list of its patient, or off it."""

    STAY = "stay"
    RESUME = "resume"
    STEP_BACK = "step_back"
    ADVANCE = "advance"
    SLOW_DOWN = "slow_down"
    MUTE = "mute"
    UNMUTE = "unmute"
    SUSPEND = "suspend"
    RESTART = "restart"
    STOP = "stop"
    ACKNOWLEDGE = "acknowledge"
    MOVE_ZONE = "move_zone"
    ADD_MEDICINE = "add_medicine"
    REMOVE_MEDICINE = "remove_medicine"


@dataclass(frozen=True, slots=True)
class StaffAct:
    """The clinic acts on a plan. `phase` counts from 1; `alert` names the kind of alert, None: all of the plan's open ones.

    `days`: by how many each phase is longer from now on. `labs_due`: by which day a laboratory is to check what was acknowledged.
    """

    at: datetime
    action: StaffAction
    plan: str
    by: str
    reason: str = ""
    phase: int | None = None
    zone: str | None = None
    alert: str | None = None
    days: int | None = None
    medicine: str | None = None
    labs_due: date | None = None
