from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from reminders.clock import HandClock
from reminders.messaging.sandbox import CarrierFault, SandboxTransport, sid_of
from reminders.messaging.transport import (
    Accepted,
    Ambiguous,
    FailureClass,
    ListUnavailable,
    NotSent,
    Outcome,
    Outgoing,
    Receipt,
    ReceivedText,
    Refused,
    SentText,
    Transport,
)

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ANA, BEN = "+12025550111", "+12025550112"


def sending(transport: Transport, *, to: str = ANA, tag: str = "t1", body: str = "Wed 12:00 pm: time for 1 tablet.") -> Outcome:
    """Send one text."""
    return asyncio.run(transport.send(Outgoing(to, body, tag, 3600)))


@pytest.fixture
def clock() -> HandClock:
    """A clock at noon."""
    return HandClock(NOON)


@pytest.fixture
def sandbox(clock: HandClock) -> SandboxTransport:
    """A sandbox without faults."""
    return SandboxTransport(clock)


def test_a_sent_text_is_kept(sandbox: SandboxTransport) -> None:
    """The sandbox keeps what was sent, with the time it was."""
    sending(sandbox)

    assert sandbox.kept() == (SentText(sid_of("t1"), ANA, "Wed 12:00 pm: time for 1 tablet.", "delivered", NOON),)


def test_the_same_tag_gives_the_same_id(clock: HandClock) -> None:
    """A story told twice gives the same ids, in the shape of Twilio's."""
    outcomes = [sending(SandboxTransport(clock)) for _ in range(2)]

    assert outcomes == [Accepted("SM628b49d96dcde97a430dd4f597705899")] * 2


def test_texts_are_delivered_at_once(sandbox: SandboxTransport) -> None:
    """Unless a fault says otherwise, the receipts of a text are ready as soon as it is accepted."""
    sending(sandbox)

    assert sandbox.take_receipts() == (Receipt(sid_of("t1"), "delivered", "t1"),)


def test_receipts_are_handed_over_once(sandbox: SandboxTransport) -> None:
    """Receipts taken are not taken again."""
    sending(sandbox)
    sandbox.take_receipts()

    assert sandbox.take_receipts() == ()


@pytest.mark.parametrize(
    ("fault", "outcome", "statuses"),
    [
        (CarrierFault("undelivered", 30003), Accepted(sid_of("t1")), ["undelivered"]),
        (CarrierFault("failed", 30006), Accepted(sid_of("t1")), ["failed"]),
        (CarrierFault("sent"), Accepted(sid_of("t1")), ["sent"]),
        (CarrierFault("queued"), Accepted(sid_of("t1")), []),
        (CarrierFault("refused", 21610), Refused(21610, FailureClass.OPTED_OUT), []),
        (CarrierFault("refused", 30022), NotSent(30022), []),
        (CarrierFault("unknown"), Ambiguous("sandbox: unknown"), []),
        (CarrierFault("lost"), Ambiguous("sandbox: lost"), []),
        (CarrierFault("delivered"), Accepted(sid_of("t1")), ["delivered"]),
    ],
)
def test_a_carrier_does_what_its_fault_says(sandbox: SandboxTransport, fault: CarrierFault, outcome: Outcome, statuses: list[str]) -> None:
    """Each fault has its outcome and its receipts."""
    sandbox.set_fault(ANA, fault)

    assert (sending(sandbox), [receipt.status for receipt in sandbox.take_receipts()]) == (outcome, statuses)


def test_a_receipt_of_failure_carries_its_code(sandbox: SandboxTransport) -> None:
    """The code that a fault names comes with the last receipt."""
    sandbox.set_fault(ANA, CarrierFault("undelivered", 30003))
    sending(sandbox)

    assert sandbox.take_receipts()[-1] == Receipt(sid_of("t1"), "undelivered", "t1", 30003)


def test_a_fault_is_one_phones_alone(sandbox: SandboxTransport) -> None:
    """A fault on one phone leaves the others alone."""
    sandbox.set_fault(ANA, CarrierFault("refused", 21610))

    assert sending(sandbox, to=BEN) == Accepted(sid_of("t1"))


def test_a_fault_can_be_mended(sandbox: SandboxTransport) -> None:
    """A fault lasts until the phone is told to be well."""
    sandbox.set_fault(ANA, CarrierFault("refused", 21610))
    sandbox.set_fault(ANA, CarrierFault())

    assert sending(sandbox) == Accepted(sid_of("t1"))


def test_no_fault_has_an_unknown_name() -> None:
    """A misspelt carrier status is refused, with the ones there are."""
    with pytest.raises(ValueError, match="'bounced'; one of delivered, undelivered"):
        CarrierFault("bounced")


@pytest.mark.parametrize(("status", "listed"), [("unknown", 1), ("lost", 0)])
def test_the_list_settles_what_was_in_doubt(sandbox: SandboxTransport, status: str, listed: int) -> None:
    """Two faults look the same to the sender; the list tells them apart."""
    sandbox.set_fault(ANA, CarrierFault(status))
    sending(sandbox)

    assert len(asyncio.run(sandbox.sent_to(ANA, since=NOON))) == listed


def test_the_list_is_of_one_phone_since_an_instant(sandbox: SandboxTransport, clock: HandClock) -> None:
    """Only what one phone was sent, from the instant on."""
    for minute, (to, tag) in enumerate([(ANA, "t1"), (BEN, "t2"), (ANA, "t3")]):
        clock.advance_to(NOON + timedelta(minutes=minute))
        sending(sandbox, to=to, tag=tag)

    found = asyncio.run(sandbox.sent_to(ANA, since=NOON + timedelta(minutes=1)))

    assert [text.sid for text in found] == [sid_of("t3")]


def test_all_that_was_sent_is_listed_since_an_instant(sandbox: SandboxTransport, clock: HandClock) -> None:
    """Texts to every phone, oldest first."""
    for minute, (to, tag) in enumerate([(ANA, "t1"), (BEN, "t2"), (ANA, "t3")]):
        clock.advance_to(NOON + timedelta(minutes=minute))
        sending(sandbox, to=to, tag=tag)

    found = asyncio.run(sandbox.sent(since=NOON + timedelta(minutes=1)))

    assert [text.sid for text in found] == [sid_of("t2"), sid_of("t3")]


def test_what_was_left_is_received(sandbox: SandboxTransport) -> None:
    """A text that no webhook brought is listed from its own instant on."""
    early, late = (ReceivedText(f"SM{number}", ANA, BEN, "1", NOON + timedelta(minutes=number)) for number in range(2))
    sandbox.leave(early)
    sandbox.leave(late)

    assert asyncio.run(sandbox.received(since=NOON + timedelta(minutes=1))) == (late,)


def test_lists_fail_while_they_are_broken(sandbox: SandboxTransport) -> None:
    """Broken lists say nothing, also not that nothing was sent; mended, they say all."""
    sending(sandbox)
    sandbox.break_lists()

    for read in (sandbox.sent_to(ANA, since=NOON), sandbox.sent(since=NOON), sandbox.received(since=NOON)):
        with pytest.raises(ListUnavailable):
            asyncio.run(read)

    sandbox.break_lists(broken=False)

    assert len(asyncio.run(sandbox.sent(since=NOON))) == 1


def test_it_can_be_closed_like_any_transport(sandbox: SandboxTransport) -> None:
    """Closing lets go of nothing, and says so by doing nothing."""
    transport: Transport = sandbox
    asyncio.run(transport.aclose())

    assert transport.name == "sandbox"
