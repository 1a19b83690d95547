from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from reminders.messaging.failure_codes import CODES, class_of, words_of
from reminders.messaging.transport import RANKS, FailureClass, rank_of, same_body, validity_of

NOW = datetime(2026, 11, 25, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        (timedelta(minutes=60), 3600),
        (timedelta(seconds=90, milliseconds=999), 90),
        (timedelta(seconds=59), 60),
        (timedelta(minutes=-5), 60),
        (timedelta(hours=10), 36_000),
        (timedelta(days=5), 36_000),
    ],
)
def test_a_text_may_wait_until_it_is_of_no_use(left: timedelta, seconds: int) -> None:
    """A carrier may keep a text for what is left of its use, within the bounds Twilio takes and advises."""
    assert validity_of(NOW, NOW + left) == seconds


def test_receipts_have_one_highest_rank_in_any_order() -> None:
    """All orders of the same receipts end in one state, and delivered beats undelivered."""
    orders = permutations(["queued", "sending", "sent", "undelivered", "delivered"])

    assert {max(order, key=rank_of) for order in orders} == {"delivered"}


def test_a_status_nobody_knows_has_no_rank() -> None:
    """A status that Twilio may add one day moves nothing."""
    assert (rank_of("read"), min(RANKS.values())) == (-1, 0)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (20429, FailureClass.NOT_SENT),
        (30022, FailureClass.NOT_SENT),
        (21211, FailureClass.RECIPIENT_PERMANENT),
        (30005, FailureClass.RECIPIENT_PERMANENT),
        (30006, FailureClass.RECIPIENT_PERMANENT),
        (21610, FailureClass.OPTED_OUT),
        (30003, FailureClass.RECIPIENT_TRANSIENT),
        (30008, FailureClass.RECIPIENT_TRANSIENT),
        (30007, FailureClass.CONTENT),
        (30036, FailureClass.EXPIRED),
        (30001, FailureClass.OVERFLOW),
        (20003, FailureClass.ACCOUNT),
        (63038, FailureClass.ACCOUNT),
        (99999, FailureClass.UNKNOWN),
        (None, FailureClass.UNKNOWN),
    ],
)
def test_a_code_has_a_class(code: int | None, kind: FailureClass) -> None:
    """Each error code calls for one thing, and a code nobody knows calls for no second try."""
    assert class_of(code) is kind


def test_no_code_stands_in_two_classes() -> None:
    """A code in two classes would be treated by the luck of their order."""
    listed = [code for codes in CODES.values() for code in codes]

    assert sorted(set(listed)) == sorted(listed)


@pytest.mark.parametrize(("code", "words"), [(30003, "the handset is off or out of reach"), (99999, "carrier's code 99999")])
def test_a_code_can_be_said_to_staff(code: int, words: str) -> None:
    """Staff read words, or at least the number to look up."""
    assert words_of(code) == words


@pytest.mark.parametrize(
    ("theirs", "same"),
    [
        ("It's time, Wed 8:00 AM - take 1.", True),
        ("It’s time, Wed 8:00 AM – take 1.", True),
        ("It's  time,\nWed 8:00 AM - take 1. ", True),
        ("It's time, Thu 8:00 AM - take 1.", False),
        ("It's time, Wed 8:00 PM - take 1.", False),
    ],
)
def test_bodies_are_compared_past_smart_encoding(theirs: str, *, same: bool) -> None:
    """What a carrier changes on the way does not hide a text of ours; another weekday or hour does."""
    assert same_body("It's time, Wed 8:00 AM - take 1.", theirs) is same
