"""A restored backup: its gap is relived by the carrier's lists, until the ledger is what it would have been."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from db.engine import writing
from db.tables import metadata
from reminders.clock import HandClock
from reminders.errors import NotAllowed
from reminders.messaging.sandbox import SandboxTransport
from reminders.messaging.transport import ListUnavailable, ReceivedText
from reminders.services import delivering, quarantining, reminding
from reminders.simulation.driver import Driver
from reminders.simulation.reliving import Reconciled, reconcile
from tests import backups
from tests.stage import ANA, Stage, at, patient, phase, plan

HOUR = timedelta(hours=1)
BEA = "+12025550103"
TEXT_OUT = metadata.tables["text_out"]


@pytest.fixture
def lived() -> Iterator[Stage]:
    """Ana, whose brother is told, and Bea; two days into their plans."""
    bea = patient(plan(ref="bea-baclofen"), ref="bea", name="Bea Lima", phone=BEA, caregivers=[])
    rises = plan(phase("5/5/5", 3), phase("10/10/10"))
    with Stage.on_paper(patient(rises, told=True), bea) as clinic:
        clinic.answers("03-02 08:05", "03-02 14:07", "03-02 20:03")
        clinic.run_until("03-03 10:00")
        yield clinic


def the_day(lived: Stage) -> None:
    """A day with replies, a silence, a STOP and a phone that is off for a while."""
    lived.says("1", "03-03 14:04")
    lived.says("1", "03-03 14:09", phone=BEA)
    lived.says("what?", "03-03 15:00")
    lived.says("please stop texting me", "03-03 21:00", phone=BEA)
    lived.run_until("03-04 07:30")
    lived.carrier("undelivered", 30003)
    lived.run_until("03-04 08:05")
    lived.carrier("delivered")
    lived.says("1", "03-04 08:30")
    lived.run_until("03-04 10:00")


def assert_alike(backup: Engine, lived: Stage) -> None:
    """Hold a relived ledger against the one that was never lost."""
    assert backups.dose_states(backup) == backups.dose_states(lived.engine)
    assert backups.accepted_sids(backup) == backups.accepted_sids(lived.engine)
    assert backups.opted_out(backup) == backups.opted_out(lived.engine)
    assert backups.plan_states(backup) == backups.plan_states(lived.engine)
    assert backups.alerts(backup) == backups.alerts(lived.engine)
    assert {row["sid"] for row in backups.rows(backup, "text_in")} == {row["sid"] for row in lived.rows("text_in")}


def living_on(engine: Engine, *, now: datetime, until: datetime) -> list[tuple[datetime, str, str]]:
    """Release a ledger, let it live on, and return what it sends."""
    quarantining.end(engine, by="Noor Haddad", now=now)
    clock = HandClock(now)
    carrier = SandboxTransport(clock)
    with Driver(engine, clock, carrier, lambda _: None) as driver:
        driver.run_until(until)
    return [(text.created_at, text.to, text.body) for text in carrier.kept()]


def test_a_restored_backup_becomes_the_ledger_that_was_lost(lived: Stage, engine: Engine) -> None:
    """Relived, every dose, text, phone, plan and alert stands as it stood, and nothing was sent."""
    backup = backups.back_up(lived.engine, now=lived.now, into=engine)
    before = len(lived.transport.kept())
    the_day(lived)
    kept = lived.transport.kept()

    reconciled = backups.restore(backup, backups.lists_of(lived), now=lived.now)

    assert reconciled == Reconciled(found=len(kept) - before, heard=5, unexplained={})
    assert lived.transport.kept() == kept
    assert_alike(backup, lived)


def test_a_released_ledger_goes_on_as_if_nothing_had_been_lost(lived: Stage) -> None:
    """Of what was sent in the gap nothing is sent again, and of what comes after nothing is left out."""
    backup = backups.back_up(lived.engine, now=lived.now)
    the_day(lived)
    backups.restore(backup, backups.lists_of(lived), now=lived.now)
    before, kept = lived.now, len(lived.transport.kept())

    lived.run_until("03-05 10:00")

    sent = [(text.created_at, text.to, text.body) for text in lived.transport.kept()[kept:]]
    assert living_on(backup, now=before, until=lived.now) == sent
    assert max(Counter(text.body for text in lived.transport.kept() if "dose" in text.body).values()) == 2  # the resend


def test_reliving_twice_changes_nothing(lived: Stage, engine: Engine) -> None:
    """A second time finds all that there was to find, and the counts stay."""
    backup = backups.back_up(lived.engine, now=lived.now, into=engine)
    the_day(lived)
    carrier = backups.lists_of(lived)
    first = backups.restore(backup, carrier, now=lived.now)
    quarantine = quarantining.standing(backup, now=lived.now)
    ledger = {name: backups.rows(backup, name) for name in ("dose", "dose_event", "text_out", "text_in", "alert", "plan", "question")}

    second = asyncio.run(reconcile(backup, carrier, clock=HandClock(lived.now)))

    assert (first.found > 0, second) == (True, Reconciled(0, 0, {}))
    assert {name: backups.rows(backup, name) for name in ledger} == ledger
    assert quarantining.standing(backup, now=lived.now) == quarantine


class Died(Exception):
    """The process is gone."""


class LastClock(HandClock):
    """A clock that some process looks at for the last time."""

    def __init__(self, now: datetime, looks: int) -> None:
        super().__init__(now)
        self._looks = looks

    def monotonic(self) -> float:
        """Return the seconds that passed; and at the last look nothing more."""
        self._looks -= 1
        if self._looks < 0:
            raise Died
        return super().monotonic()


@pytest.mark.parametrize("looks", [1, 3, 5, 8, 12])
def test_a_reliving_that_died_is_taken_up_again(lived: Stage, looks: int) -> None:
    """Wherever it died: the next one goes on from there."""
    backup = backups.back_up(lived.engine, now=lived.now)
    the_day(lived)
    carrier = backups.lists_of(lived)
    quarantining.begin(backup, "A backup was restored.", now=lived.now)
    with pytest.raises(Died):
        asyncio.run(reconcile(backup, carrier, clock=LastClock(lived.now, looks)))
    assert quarantining.is_held(backup)

    asyncio.run(reconcile(backup, carrier, clock=HandClock(lived.now)))

    assert_alike(backup, lived)


def test_without_the_carriers_lists_nothing_changes(lived: Stage) -> None:
    """Then the gap waits, and can be relived later."""
    backup = backups.back_up(lived.engine, now=lived.now)
    the_day(lived)
    carrier = backups.lists_of(lived)
    carrier.break_lists()
    doses = backups.dose_states(backup)
    with pytest.raises(ListUnavailable):
        backups.restore(backup, carrier, now=lived.now)
    unchanged, held = backups.dose_states(backup), quarantining.is_held(backup)
    carrier.break_lists(broken=False)

    asyncio.run(reconcile(backup, carrier, clock=HandClock(lived.now)))

    assert (unchanged, held, quarantining.is_held(backup)) == (doses, True, False)
    assert_alike(backup, lived)


@pytest.mark.parametrize("state", ["sending", "unknown", "queued"])
def test_a_text_that_was_on_its_way_when_the_backup_was_taken_is_found(lived: Stage, engine: Engine, state: str) -> None:
    """Its row says that it may have been sent; the carrier's list, that it was."""
    lived.run_until("03-03 14:00")
    now = lived.now
    backup = backups.back_up(lived.engine, now=now, into=engine)
    unsent = {"state": state, "sid": None, "sent_at": None, "rank": -1, "status": None, "lease_until": now}
    with writing(backup) as c:
        c.execute(update(TEXT_OUT).where(TEXT_OUT.c.send_at == now).values(unsent))
        c.execute(metadata.tables["text_attempt"].update().values(sid=None))
    the_day(lived)

    backups.restore(backup, backups.lists_of(lived), now=lived.now)

    assert_alike(backup, lived)


def test_a_text_that_never_left_waits_to_be_released_while_it_is_of_use(lived: Stage) -> None:
    """What was due when the machine was gone, and can still be sent, is sent once a person says so; what is too late is not."""
    backup = backups.back_up(lived.engine, now=lived.now)
    lost = SandboxTransport(HandClock(lived.now))
    now = lived.now + timedelta(hours=4, minutes=20)  # 14:20: nothing was sent since ten

    reconciled = backups.restore(backup, lost, now=now)

    standing = quarantining.standing(backup, now=now)
    assert (reconciled.found, standing and dict(standing.waiting)) == (0, {"reminder": 2})
    sent = living_on(backup, now=now, until=now)
    assert sorted(to for _, to, _ in sent) == [ANA, BEA]


def edited(lived: Stage) -> tuple[Engine, Reconciled]:
    """A backup of before Ana's plan was suspended: the relived ledger does not know why she was told to take nothing."""
    backup = backups.back_up(lived.engine, now=lived.now)
    lived.acts("suspend", "03-03 13:30")
    lived.run_until("03-03 14:20")
    return backup, backups.restore(backup, backups.lists_of(lived), now=lived.now)


def test_a_plan_edited_in_the_gap_is_left_to_a_person(lived: Stage) -> None:
    """What was sent under the edited plan is unexplained: counted, its patient named by reference, and nothing is released in silence."""
    backup, reconciled = edited(lived)

    assert reconciled.unexplained == {"ana": 1}
    with pytest.raises(NotAllowed, match="1 texts in the gap are unexplained"):
        quarantining.end(backup, by="Noor Haddad", now=lived.now)
    standing = quarantining.standing(backup, now=lived.now)
    assert standing
    assert standing.unexplained == 1

    quarantining.end(backup, by="Noor Haddad", now=lived.now, despite="suspended her again")
    ended = backups.rows(backup, "quarantine")
    assert [(row["ended_by"], row["ended_why"]) for row in ended] == [("Noor Haddad", "suspended her again")]


def test_who_has_an_unexplained_text_is_not_told_what_still_waits(lived: Stage) -> None:
    """Her reminder of two o'clock could still be sent, and would contradict what she was told at half past one."""
    backup, _ = edited(lived)
    waiting = [row["state"] for row in backups.rows(backup, "text_out") if row["send_at"] == at("03-03 14:00") and row["sid"] is None]

    quarantining.end(backup, by="Noor Haddad", now=lived.now, despite="looked at")
    again = SandboxTransport(HandClock(lived.now))
    asyncio.run(delivering.deliver(backup, again, clock=HandClock(lived.now)))

    assert (waiting, again.kept()) == (["not_sent"], ())


def test_two_do_not_relive_one_gap_at_once(lived: Stage) -> None:
    """Who comes second is told so; a process that died in it holds nobody up for long."""
    backup = backups.back_up(lived.engine, now=lived.now)
    carrier = backups.lists_of(lived)
    quarantine = quarantining.begin(backup, "A backup was restored.", now=lived.now)
    quarantining.take_turn(backup, quarantine, now=lived.now)

    with pytest.raises(quarantining.Elsewhere):
        asyncio.run(reconcile(backup, carrier, clock=HandClock(lived.now + timedelta(seconds=119))))
    with pytest.raises(quarantining.Elsewhere):
        quarantining.end(backup, by="Noor Haddad", now=lived.now, despite="in a hurry")
    asyncio.run(reconcile(backup, carrier, clock=HandClock(lived.now + timedelta(seconds=120))))

    assert not quarantining.is_held(backup)


def test_a_gap_is_relived_when_nothing_can_be_on_its_way_any_more(lived: Stage) -> None:
    """A text claimed just before could still reach the carrier, and be looked for in vain."""
    backup = backups.back_up(lived.engine, now=lived.now)
    reminding.remind_due(backup, now=lived.now + 4 * HOUR)
    with writing(backup) as c:
        claimed = {"state": "sending", "claimed_at": lived.now, "lease_until": lived.now + timedelta(seconds=30), "attempt": 1}
        c.execute(update(TEXT_OUT).where(TEXT_OUT.c.state == "queued").values(claimed))
    quarantining.begin(backup, "A backup was restored.", now=lived.now)

    with pytest.raises(NotAllowed, match="reconcile again in 106 s"):
        asyncio.run(reconcile(backup, lived.transport, clock=HandClock(lived.now)))


def test_without_a_quarantine_there_is_nothing_to_relive(lived: Stage) -> None:
    """A ledger in use is never gone through again."""
    with pytest.raises(NotAllowed, match="no quarantine stands"):
        asyncio.run(reconcile(lived.engine, lived.transport, clock=HandClock(lived.now)))


def test_the_sandbox_proves_nothing_of_what_another_carrier_sent(lived: Stage) -> None:
    """Its lists are empty, and would have everything in the gap sent again."""
    backup = backups.back_up(lived.engine, now=lived.now)
    with writing(backup) as c:
        c.execute(update(metadata.tables["sender"]).values(name="twilio"))
    quarantining.begin(backup, "A backup was restored.", now=lived.now)

    with pytest.raises(NotAllowed, match="texts of this ledger left by twilio"):
        asyncio.run(reconcile(backup, SandboxTransport(lived.clock), clock=lived.clock))
    assert quarantining.is_held(backup)


def test_a_backup_taken_while_we_were_deaf(lived: Stage) -> None:
    """Her dose waited for her to be heard when the backup was taken; the carrier's list has what she said."""
    lived.hears("03-03 13:00", webhook=False, lists=False)
    lived.says("1", "03-03 14:10")
    lived.run_until("03-03 20:10")  # past the time of the two o'clock dose, which waits half an hour for the list
    waiting = [row["unheard_until"] for row in lived.rows("dose") if row["unheard_until"]]
    backup = backups.back_up(lived.engine, now=lived.now)
    lived.hears("03-03 20:15", webhook=True, lists=True)
    lived.run_until("03-04 10:00")

    backups.restore(backup, lived.transport, now=lived.now)

    assert len(waiting) > 0
    assert backups.dose_states(backup) == backups.dose_states(lived.engine)


class Poisoned(SandboxTransport):
    """A carrier one of whose replies nothing of ours can read."""

    async def received(self, *, since: datetime) -> tuple[ReceivedText, ...]:
        """List the replies, the second of them without words."""
        replies = list(await super().received(since=since))
        replies[1] = replace(replies[1], body=None)  # type: ignore[arg-type]  # no such text should come; one that does holds nobody up
        return tuple(replies)


def test_a_reply_that_cannot_be_read_holds_nobody_up(lived: Stage) -> None:
    """The gap is relived without it; the next poll tries it again, as the list was not read to its end."""
    backup = backups.back_up(lived.engine, now=lived.now)
    the_day(lived)
    poisoned = Poisoned(lived.clock)
    for text in asyncio.run(backups.lists_of(lived).received(since=lived.now - 24 * HOUR)):
        poisoned.leave(text)

    assert backups.restore(backup, poisoned, now=lived.now).heard == 4
    assert [row["at"] for row in backups.rows(backup, "watermark")] == []
