"""What the acts of staff are called on a page, and what each means, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from reminders.domain.acting import StaffAction

_A = StaffAction


@dataclass(frozen=True, slots=True)
class ActWords:
    """An act by its name, what it does, and what was done once it is; `grave`: it takes something away."""

    name: str
    does: str
    done: str
    grave: bool = False


ACT_WORDS: Mapping[StaffAction, ActWords] = MappingProxyType(
    {
        _A.ACKNOWLEDGE: ActWords(
            "Take the alerts on",
            "Says that you look after what the plan's open alerts tell of; nothing else changes.",
            "You look after it now",
        ),
        _A.STAY: ActWords(
            "Stay on this step", "Doses go on as they are. No further step comes until a provider lets the plan go on.", "The plan stays"
        ),
        _A.RESUME: ActWords(
            "Go on", "Ends the stay. What is left of the step is taken, and all that follows has shifted as a block.", "The plan goes on"
        ),
        _A.STEP_BACK: ActWords(
            "Step back",
            "Goes back to the step before, from the next dose on. It runs its own days again, and then this one does.",
            "Stepped back",
        ),
        _A.ADVANCE: ActWords(
            "Next step", "The next step begins tomorrow, sooner than planned or after it waited for a yes.", "The next step comes"
        ),
        _A.SLOW_DOWN: ActWords(
            "Slow down", "This step and every one to come that has an end lasts so many days more. Amounts stay.", "Slowed down"
        ),
        _A.MUTE: ActWords(
            "Mute", "Doses go on elsewhere, in a hospital say: no texts are sent, and nothing is counted until you unmute.", "Muted"
        ),
        _A.UNMUTE: ActWords("Unmute", "Texts and counting begin again with the next dose.", "Texts are on again"),
        _A.RESTART: ActWords("Restart", "Begins again after the suspension, at the step you choose.", "Restarted"),
        _A.SUSPEND: ActWords(
            "Suspend",
            "Nothing is due until a provider restarts the plan. The patient is told to call before the next dose.",
            "Suspended",
            grave=True,
        ),
        _A.STOP: ActWords(
            "Stop",
            "Ends the plan for good, at once. What comes after is a new plan. For some drugs a sudden stop does harm.",
            "Stopped",
            grave=True,
        ),
        _A.ADD_MEDICINE: ActWords(
            "Add a medicine", "Puts a medicine on the patient's list, and looks what it does beside each plan.", "It is on the list"
        ),
        _A.REMOVE_MEDICINE: ActWords(
            "Take a medicine off",
            "Takes a medicine off the patient's list. What was asked because of it is asked no more.",
            "It is off the list",
        ),
    }
)
"""All but a move to another zone, which is a change of the patient and has a page of its own."""
