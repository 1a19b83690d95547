"""However a text reaches us, and whenever its dose was closed meanwhile, it comes to the same in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.dose_state import DoseState
from reminders.messaging.sandbox import SandboxTransport
from reminders.messaging.transport import ReceivedText
from reminders.services import delivering, escalating, following_up, polling, replying
from tests.stage import ANA, Stage, at, copied

DUE, SILENT, CLOSES = at("03-02 08:00"), at("03-02 12:00"), at("03-02 14:00")
END = at("03-02 20:00")
MINUTE = timedelta(minutes=1)
BOUND = timedelta(minutes=30)
SAID = ("1", "2", "taken", "took my 8am at 8:10", "took my 8am just now", "did not take my 8am", "took two", "half of it", "what?")

TALES = max(settings().max_examples // 3, 1)
"""Each tale plays some hours of services twice."""

Step = tuple[datetime, str]
SAYS = "she writes"

minutes = st.integers(1, 11 * 60).map(lambda after: DUE + after * MINUTE)
near_a_boundary = st.builds(
    lambda edge, off: edge + off * MINUTE, st.sampled_from((SILENT, CLOSES, SILENT + BOUND, CLOSES + BOUND)), st.integers(-2, 2)
)
moments = minutes | near_a_boundary
steps = st.tuples(moments, st.sampled_from(("poll", "a poll that fails", "webhook", "close")))


@lru_cache(maxsize=1)
def _announced() -> Engine:
    """A ledger in which Ana's dose of eight o'clock was announced, and everything heard until then."""
    with Stage.on_paper(start="03-02 07:00") as stage:
        stage.run_until(DUE)
        stage.hears(webhook=True)
        return copied(stage.engine)


class World:
    """Ana's dose of eight o'clock, announced; nothing is announced after it. She writes one text, which the carrier's list shows."""

    def __init__(self) -> None:
        self.engine, self.clock = copied(_announced()), HandClock(DUE)
        self.carrier = SandboxTransport(self.clock)

    def play(self, text: str, said_at: datetime, then: Sequence[Step]) -> dict[str, Any]:
        """Let her write, and the rest happen in order of time; then let us hear everything, and say how the dose stands."""
        for moment, what in sorted([*then, (said_at, SAYS)], key=lambda step: (step[0], step[1] != SAYS)):
            self.clock.advance_to(moment)
            if what == SAYS:
                self.carrier.leave(ReceivedText("SM1", ANA, "", text, said_at))
            elif what == "close":
                self._close()
            elif what != "webhook":
                self._poll(works=what == "poll")
            elif moment >= said_at:
                replying.receive(self.engine, sid="SM1", from_phone=ANA, to_phone="", body=text, received_at=said_at, now=moment)
        self.clock.advance_to(END)
        self._poll(works=True)
        self._close()
        return self._dose()

    def _close(self) -> None:
        following_up.follow_up(self.engine, now=self.clock.now())
        escalating.escalate(self.engine, now=self.clock.now())

    def _poll(self, *, works: bool) -> None:
        self.carrier.break_lists(broken=not works)
        status = delivering.receive_status
        asyncio.run(polling.poll(self.engine, self.carrier, receive=replying.receive, receive_status=status, now=self.clock.now()))

    def _dose(self) -> dict[str, Any]:
        doses = metadata.tables["dose"]
        names = ("state", "reason", "taken_at", "taken_by", "odd", "contradicted", "answered", "unverified")
        with reading(self.engine) as c:
            query = select(*(doses.c[name] for name in names)).where(doses.c.due_at == DUE)
            return dict(c.execute(query).mappings().one())


def played(text: str, said_at: datetime, *then: Step) -> dict[str, Any]:
    """Play it in a world of its own."""
    world = World()
    try:
        return world.play(text, said_at, then)
    finally:
        world.engine.dispose()


@settings(max_examples=TALES)
@given(st.sampled_from(SAID), moments, st.lists(steps, max_size=8))
def test_any_order_of_poll_webhook_close_and_bound(text: str, said_at: datetime, then: list[Step]) -> None:
    """A text taken in by webhook at once, later, or by a poll, before or after its dose was closed, verified or not: one state."""
    assert played(text, said_at, *then) == played(text, said_at, (said_at, "webhook"))


@settings(max_examples=TALES)
@given(st.lists(steps, max_size=8))
def test_nothing_is_unverified_once_everything_was_heard(then: list[Step]) -> None:
    """The mark lasts as long as we are deaf. A dose nobody speaks of is unconfirmed in the end, whatever happened on the way."""
    found = played("what?", END, *then)

    assert (found["state"], found["unverified"]) == (DoseState.UNCONFIRMED.value, False)
