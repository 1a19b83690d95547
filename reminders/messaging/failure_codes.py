"""What a carrier's error code calls for: one table, of Twilio's codes, the same for a refused request and for a receipt.

Codes change, and the HTTP status of an answer is looked at first (`messaging/twilio.py`). A code that is not here is
`UNKNOWN`: do not send again, count it, show it.

Source: Twilio, Error and Warning Dictionary; `30034` and `30036` also Twilio's messaging log pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reminders.messaging.transport import FailureClass

CODES: Mapping[FailureClass, Mapping[int, str]] = MappingProxyType(
    {
        FailureClass.NOT_SENT: {
            14107: "more texts a second than this sender may",
            20429: "too many requests",
            30022: "more texts a second than this campaign may",
            63018: "more texts a second than this channel may",
        },
        FailureClass.RECIPIENT_PERMANENT: {
            21211: "not a valid number",
            21217: "not a number that can be dialled",
            21421: "not a valid number",
            21614: "not a mobile number",
            30005: "no such handset",
            30006: "a landline, or a carrier that cannot be reached",
        },
        FailureClass.OPTED_OUT: {
            21610: "the number has opted out",
        },
        FailureClass.RECIPIENT_TRANSIENT: {
            30003: "the handset is off or out of reach",
            30008: "the carrier does not say why",
            30017: "the carrier's network is congested",
        },
        FailureClass.CONTENT: {
            21617: "longer than 1,600 characters",
            21618: "a body that cannot be sent",
            30004: "blocked",
            30007: "filtered by the carrier",
        },
        FailureClass.EXPIRED: {
            30036: "its validity period ended in the queue",
        },
        FailureClass.OVERFLOW: {
            21611: "the sender's queue is full",
            30001: "the sender's queue is full",
        },
        FailureClass.ACCOUNT: {
            20003: "the account or its token is not accepted",
            21408: "no permission to send to that country",
            21603: "no sender given",
            21606: "the sender is not ours, or cannot send texts",
            21608: "a trial account sends to verified numbers only",
            21703: "the messaging service has no number",
            21704: "the messaging service has no number for this",
            21705: "no such messaging service",
            21712: "the number is not in the messaging service",
            30002: "the account is suspended",
            30023: "the carrier's daily cap is reached",
            30027: "the carrier's daily cap is reached",
            30032: "the toll-free number is not verified",
            30034: "the number is not registered for 10DLC",
            63038: "the account's daily limit is reached",
        },
    },
)

_CLASSES = {code: kind for kind, codes in CODES.items() for code in codes}
_WORDS = {code: words for codes in CODES.values() for code, words in codes.items()}


def class_of(code: int | None) -> FailureClass:
    """Return what an error code calls for; `UNKNOWN` for none, and for one that is not in the table."""
    return _CLASSES.get(code, FailureClass.UNKNOWN) if code is not None else FailureClass.UNKNOWN


def codes_of(kind: FailureClass) -> frozenset[int]:
    """Return the codes that call for one thing."""
    return frozenset(CODES.get(kind, ()))


def words_of(code: int) -> str:
    """Say a code in a few words for staff, without the number it happened to."""
    return _WORDS.get(code, f"carrier's code {code}")
