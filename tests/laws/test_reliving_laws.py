"""Relived, the gap of a story gives the ledger that was never lost: as to its doses, and to what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from reminders.clock import HandClock
from reminders.domain.plan import HOUR
from reminders.messaging.sandbox import SandboxTransport
from reminders.services import delivering, quarantining
from reminders.simulation.reliving import Reconciled
from tests import backups
from tests.laws.test_service_laws import FAULTS, PLANS, SAYINGS
from tests.stage import Stage, patient

STORIES = max(settings().max_examples // 8, 1)
"""Each plays a day or more twice over, which takes most of a second."""

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Says:
    """Ana writes."""

    text: str


@dataclass(frozen=True)
class Passes:
    """Time passes, with all that is due in it."""

    minutes: int


@dataclass(frozen=True)
class Down:
    """Time passes with nothing of ours running."""

    minutes: int


@dataclass(frozen=True)
class Treats:
    """The carrier changes its mind about her phone."""

    status: str


Happening = Says | Passes | Down | Treats
calm = st.one_of(
    st.builds(Says, st.sampled_from((*SAYINGS, "stop", "START"))),
    st.builds(Passes, st.integers(5, 900)),
    st.builds(Treats, st.sampled_from(FAULTS)),
)
stormy = calm | st.builds(Down, st.integers(5, 600))


@st.composite
def stories(draw: st.DrawFn, happening: st.SearchStrategy[Happening]) -> tuple[str, list[Happening], list[Happening]]:
    """The plans, what happens before the backup is taken, and what after."""
    kind = draw(st.sampled_from(sorted(PLANS)))
    return kind, draw(st.lists(happening, max_size=6)), draw(st.lists(happening, min_size=1, max_size=8))


def live(clinic: Stage, happening: Happening) -> None:
    """Let one thing happen."""
    match happening:
        case Says(text=text):
            clinic.says(text)
        case Passes(minutes=minutes):
            clinic.run_until(clinic.now + timedelta(minutes=minutes))
        case Down(minutes=minutes):
            clinic.outage(clinic.now + timedelta(minutes=minutes))
        case Treats(status=status):
            clinic.carrier(status, 30003 if status == "undelivered" else None)


@contextmanager
def relived(kind: str, before: list[Happening], after: list[Happening]) -> Iterator[tuple[Stage, Engine, Reconciled]]:
    """Live a story, lose the ledger, restore the backup and relive its gap."""
    with Stage.on_paper(patient(*PLANS[kind], told=True)) as clinic:
        clinic.run_until(clinic.now + 9 * HOUR)
        for happening in before:
            live(clinic, happening)
        backup = backups.back_up(clinic.engine, now=clinic.now)
        for happening in after:
            live(clinic, happening)
        yield clinic, backup, backups.restore(backup, backups.lists_of(clinic), now=clinic.now)
        backup.dispose()


@settings(max_examples=STORIES)
@given(story=stories(calm))
def test_a_relived_gap_is_as_if_nothing_was_lost(story: tuple[str, list[Happening], list[Happening]]) -> None:
    """Whatever was said, sent and not sent, and whenever the backup was taken."""
    with relived(*story) as (clinic, backup, reconciled):
        assert reconciled.unexplained == {}
        assert backups.accepted_sids(backup) == backups.accepted_sids(clinic.engine)
        assert backups.dose_states(backup) == backups.dose_states(clinic.engine)
        assert backups.plan_states(backup) == backups.plan_states(clinic.engine)
        assert backups.opted_out(backup) == backups.opted_out(clinic.engine)


@settings(max_examples=STORIES)
@given(story=stories(stormy))
def test_a_released_ledger_sends_nothing_again(story: tuple[str, list[Happening], list[Happening]]) -> None:
    """Though we were down in the gap, and decided late what is relived in time: each text is ours or unexplained, and none leaves twice."""
    with relived(*story) as (clinic, backup, reconciled):
        kept = clinic.transport.kept()
        assert len(backups.accepted_sids(backup)) + sum(reconciled.unexplained.values()) == len(kept)
        assert backups.opted_out(backup) == backups.opted_out(clinic.engine)

        quarantining.end(backup, by="Noor Haddad", now=clinic.now, despite="looked at")
        clock = HandClock(clinic.now)
        again = SandboxTransport(clock)
        asyncio.run(delivering.deliver(backup, again, clock=clock))

        written = {row["sid"]: row["created_at"] for row in backups.rows(backup, "text_out") if row["sid"]}
        for text in again.kept():
            assert [sent for sent in kept if (sent.to, sent.body) == (text.to, text.body) and sent.created_at >= written[text.sid]] == []
