"""The lists in which alerts wait for a person: each alert is in one of them, until somebody has seen to it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Queue(StrEnum):
    """A list of alerts of a kind, as they stand in an address; in the order in which they are shown."""

    SIGNS = "signs"
    STEPS = "steps"
    STAYS = "stays"
    MISSES = "misses"
    REPLIES = "replies"
    UNDELIVERED = "undelivered"
    OPTED_OUT = "opted-out"
    SUPPLY = "supply"
    OTHER = "other"


KINDS: Mapping[Queue, frozenset[str]] = MappingProxyType(
    {
        Queue.SIGNS: frozenset(
            {
                *("red_flag", "self_harm", "breathing", "problem", "symptoms", "severe", "persistent", "too_high", "too_low"),
                *("stiff_on_taper", "fluids_lost", "stiffness", "blood_pressure", "spasms", "ticks"),
                *("took_more", "took_less", "took_when_not_due", "took_unknown", "stopped_taking", "wants_to_stop"),
                *("ask_provider", "unsure", "call_me", "slower", "felt_better"),
            }
        ),
        Queue.STEPS: frozenset(),
        Queue.STAYS: frozenset({"plan_stays", "gate_unmet", "suspended"}),
        Queue.MISSES: frozenset({"misses", "misses_urgent", "some_missed", "reason_given", "cannot_reach", "caregivers_told"}),
        Queue.REPLIES: frozenset({"unreadable", "unread_words", "which_dose", "contradiction"}),
        Queue.UNDELIVERED: frozenset({"phone_problem", "number_unusable", "sender_refused", "texts_held"}),
        Queue.OPTED_OUT: frozenset({"texts_stopped", "wrong_number"}),
        Queue.SUPPLY: frozenset({"out_of_medicine", "low_on_medicine", "supply_low", "supply_short", "refill", "tablets_left"}),
        Queue.OTHER: frozenset({"interaction", "labs_due", "seam", "dose_moved", "plan_set_aside"}),
    }
)
"""Which kinds of alert wait where. A step that waits for a yes is in its own queue, whatever kind of alert tells of it; a kind that
stands nowhere here is in the last, so that none is lost."""

_WHERE = {kind: queue for queue, kinds in KINDS.items() for kind in kinds}


def queue_of(kind: str, *, awaits_yes: bool) -> Queue:
    """Say in which queue an alert waits."""
    return Queue.STEPS if awaits_yes else _WHERE.get(kind, Queue.OTHER)
