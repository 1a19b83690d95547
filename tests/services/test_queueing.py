"""The queues: what waits where, what a card shows, and what a person does about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import Engine, insert, select

from db.engine import reading, writing
from db.tables import metadata
from reminders.domain.acting import StaffAction
from reminders.domain.plan import HOUR
from reminders.domain.queues import Queue
from reminders.domain.roles import StaffRole
from reminders.errors import NotAllowed, UnknownAlert
from reminders.services import queueing
from reminders.services.queueing import Card, QueuePage
from tests.files import File
from tests.ledger.rows import a_row
from tests.stage import ANA, Stage, at, patient, phase, plan

CLINIC, NURSE, PROVIDER = "harbor-clinic", "Nurse Lee", "Dr. Noor Haddad"
ROLES = {NURSE: {StaffRole.STAFF}, PROVIDER: {StaffRole.PROVIDER}}
ALERT, AUDIT, PATIENT = (metadata.tables[name] for name in ("alert", "audit", "patient"))


def rising(advance: str = "stay_unless_met") -> File:
    """Two days of 5 mg, then 10 mg."""
    return plan(phase("5/5/5", 2), phase("10/10/10"), advance=advance)


def counts(clinic: Stage) -> dict[str, tuple[int, int, int]]:
    """What each queue has, those left out that are empty."""
    found = queueing.counted(clinic.engine, CLINIC, by=NURSE)
    return {each.queue.value: (each.alerts, each.untaken, each.grave) for each in found if each.alerts}


def look(clinic: Stage, queue: Queue, *, by: str = NURSE, after: str | None = None, limit: int = 10) -> QueuePage:
    """Look at a page of a queue."""
    return queueing.page(clinic.engine, CLINIC, queue, by=by, roles=ROLES[by], now=clinic.now, after=after, limit=limit)


def the_card(clinic: Stage, queue: Queue, *, by: str = NURSE) -> Card:
    """The one card of a queue."""
    (card,) = look(clinic, queue, by=by).cards
    return card


def alert(clinic: Stage, kind: str) -> dict[str, object]:
    """The newest alert of a kind, as it is kept."""
    return [row for row in clinic.rows("alert") if row["kind"] == kind][-1]


def the_alert(clinic: Stage, kind: str) -> Card:
    """The card of the newest alert of a kind."""
    found = str(alert(clinic, kind)["id"])
    return queueing.card(clinic.engine, CLINIC, found, by=NURSE, roles=ROLES[NURSE], now=clinic.now)


def acknowledge(clinic: Stage, card: Card, *, by: str = NURSE, reason: str = "", labs_due: date | None = None) -> None:
    """Take an alert on."""
    queueing.acknowledge(clinic.engine, CLINIC, card.id, by=by, now=clinic.now, reason=reason, labs_due=labs_due)


def resolve(clinic: Stage, card: Card, *, by: str = NURSE, note: str = "called, all is well") -> Queue:
    """Close an alert with a note."""
    return queueing.resolve(clinic.engine, CLINIC, card.id, by=by, note=note, now=clinic.now)


def give_back(clinic: Stage, card: Card, *, by: str = NURSE) -> None:
    """Undo that somebody took it on."""
    queueing.give_back(clinic.engine, CLINIC, card.id, by=by, now=clinic.now)
    clinic.driver.settle()


def test_what_waits_where() -> None:
    """Each alert is counted in its queue, with those that nobody has taken on, and of them the grave ones."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.says("problem", "03-02 08:10")
        clinic.says("seizure", "03-02 08:20")
        clinic.says("qwertz asdf", "03-02 08:30")
        clinic.says("STOP", "03-02 08:40")
        assert counts(clinic) == {"signs": (2, 2, 1), "replies": (1, 1, 0), "opted-out": (1, 1, 1)}
        acknowledge(clinic, look(clinic, Queue.SIGNS).cards[0])
        assert counts(clinic)["signs"] == (2, 1, 0)


def test_the_gravest_first_then_the_oldest() -> None:
    """And pages go on after an alert, though it was closed since."""
    with Stage.on_paper() as clinic:
        clinic.says("problem", "03-02 08:10")
        clinic.says("seizure", "03-02 08:20")
        clinic.says("problem, again", "03-02 08:25")
        clinic.says("cannot breathe", "03-02 08:30")
        first = look(clinic, Queue.SIGNS, limit=3)
        assert [(card.severity, f"{card.raised_at:%M}") for card in first.cards] == [
            ("emergency", "20"),
            ("emergency", "30"),
            ("warning", "10"),
        ]
        assert first.after == first.cards[-1].id
        resolve(clinic, first.cards[-1])
        rest = look(clinic, Queue.SIGNS, after=first.after)
        assert ([f"{card.raised_at:%M}" for card in rest.cards], rest.after) == (["25"], None)


def test_what_nobody_thought_of_is_in_the_last_queue(sqlite_engine: Engine) -> None:
    """An alert of a kind that is new is not lost."""
    with Stage(sqlite_engine) as clinic:
        with writing(sqlite_engine) as c:
            mine = c.scalars(select(PATIENT.c.id)).one()
            c.execute(
                insert(ALERT).values(a_row(ALERT, clinic_id=CLINIC, id="new", patient_id=mine, kind="nobody_knows", awaits_yes=False))
            )
        assert (counts(clinic), the_card(clinic, Queue.OTHER).kind) == ({"other": (1, 1, 0)}, "nobody_knows")


def test_a_step_that_waits_for_a_yes() -> None:
    """Its card has the numbers of the gate, the last doses, the phase, and leads a provider to what ends it, a nurse to less."""
    with Stage.on_paper(patient(rising("ask_provider"))) as clinic:
        clinic.answers("03-02 08:05", "03-02 14:05", "03-02 20:05", "03-03 08:05")
        clinic.says("2", "03-03 14:05")
        clinic.run_until("03-03 21:00")
        card = the_card(clinic, Queue.STEPS, by=PROVIDER)
        (shown,) = card.plans
        assert card.words.startswith("The plan stays on phase 1: waits for a provider's yes")
        assert shown.gate is not None
        assert (shown.gate.met, shown.gate.confirmed, shown.gate.closed, shown.gate.needed, shown.gate.reasons) == (True, 4, 5, 4, ())
        assert (shown.panel.phase_no, shown.panel.phases, ["".join(day.marks) for day in shown.panel.weeks.days][-2:]) == (
            1,
            2,
            ["TTT", "TPo"],
        )
        assert shown.offered == (StaffAction.RESUME, StaffAction.ADVANCE, StaffAction.SUSPEND)
        assert the_card(clinic, Queue.STEPS).plans[0].offered == ()


def test_the_counts_of_a_run_of_misses() -> None:
    """How many were not taken running, and of the last nine; a queue that asks for no gate shows none."""
    with Stage.on_paper(patient(plan(advance="as_prescribed"))) as clinic:
        clinic.answers("03-02 08:05", "03-02 14:05")
        clinic.answers("03-02 20:05", "03-03 08:05", "03-03 14:05", text="2")
        clinic.run_until("03-03 23:30")
        (shown,) = the_card(clinic, Queue.MISSES).plans
        assert (shown.counts.not_taken, shown.counts.of_last_nine, shown.counts.reported_gap, shown.gate) == (3, 3, 3, None)


def test_the_counts_of_a_weekly_plan() -> None:
    """The last nine are doses, however many days they took."""
    with Stage.on_paper(patient(plan(phase("5", times=("08:00",), every=7), advance="as_prescribed"))) as clinic:
        clinic.says("seizure", "03-30 07:00")
        (shown,) = the_card(clinic, Queue.SIGNS).plans
        assert (shown.counts.not_taken, shown.counts.of_last_nine) == (3, 3)


def test_the_counts_begin_anew_with_a_restart() -> None:
    """What was missed before a provider began the plan again is not shown, as it calls nobody any more."""
    with Stage.on_paper(patient(plan(advance="as_prescribed"))) as clinic:
        clinic.answers("03-02 08:05", "03-02 14:05", text="2")
        clinic.acts("suspend", "03-02 15:00")
        clinic.acts("restart", "03-02 16:00", phase=1)
        clinic.answers("03-02 20:05", text="2")
        clinic.says("seizure", "03-03 12:00")
        (shown,) = the_card(clinic, Queue.SIGNS).plans
        assert (shown.counts.not_taken, shown.counts.of_last_nine) == (1, 1)


def test_whom_to_call() -> None:
    """Everybody beside the patient, each with their number, and whether a text would reach them."""
    with Stage.on_paper(patient(told=True)) as clinic:
        clinic.says("STOP", "03-02 08:40")
        phones = the_card(clinic, Queue.OPTED_OUT).phones
        assert [(phone.name, phone.phone, phone.texted) for phone in phones if phone.phone == ANA] == [("Ana Silva", ANA, False)]
        assert len(phones) == 2


def test_taken_on() -> None:
    """The name is kept, the deadline met, the card says so; and it is taken on once."""
    with Stage.on_paper() as clinic:
        clinic.says("problem", "03-02 08:10")
        acknowledge(clinic, the_card(clinic, Queue.SIGNS))
        card = the_card(clinic, Queue.SIGNS)
        assert (card.acknowledged_by, card.acknowledged_at, card.deadline_at, card.overdue) == (NURSE, clinic.now, None, None)
        with pytest.raises(NotAllowed, match="Nurse Lee has taken this alert on"):
            acknowledge(clinic, card, by=PROVIDER)


def test_given_back() -> None:
    """A slip is undone: it waits for somebody again, with a deadline from now, keeps the gate shut again, and the audit has both."""
    with Stage.on_paper() as clinic:
        clinic.says("seizure", "03-02 08:10")
        card = the_card(clinic, Queue.SIGNS)
        acknowledge(clinic, card)
        clinic.run_until("03-02 09:10")
        give_back(clinic, card)
        kept = alert(clinic, "red_flag")
        assert (kept["acknowledged_by"], kept["deadline_at"]) == (None, clinic.now + HOUR / 6)
        assert [row["action"] for row in clinic.rows("audit") if row["subject"] == card.id] == [
            "alert raised",
            "alert acknowledged",
            "alert given back",
        ]
        with pytest.raises(NotAllowed, match="nobody has taken this alert on"):
            give_back(clinic, card)


def test_given_back_it_calls_again() -> None:
    """As if it were raised now: nobody who slipped silences an alert for good."""
    with Stage.on_paper() as clinic:
        clinic.says("seizure", "03-02 08:10")
        card = the_card(clinic, Queue.SIGNS)
        acknowledge(clinic, card)
        clinic.run_until("03-02 10:00")
        silent = alert(clinic, "red_flag")["raised_again"]
        give_back(clinic, card)
        clinic.run_until("03-02 10:15")
        assert (silent, alert(clinic, "red_flag")["raised_again"]) == (0, 1)


def test_what_was_told_as_odd_is_not_given_back() -> None:
    """Taken on, its doses have been looked at and texts go on: that was more than a slip."""
    with Stage.on_paper() as clinic:
        clinic.says("took two", "03-02 08:10")
        card = the_card(clinic, Queue.SIGNS)
        assert [dose["odd"] for dose in clinic.rows("dose")] == [True]
        acknowledge(clinic, card)
        assert [dose["odd"] for dose in clinic.rows("dose")] == [False]
        assert the_card(clinic, Queue.SIGNS).kept
        with pytest.raises(NotAllowed, match="not taken back"):
            give_back(clinic, card)


def test_resolved_with_a_note() -> None:
    """Closed with the note and the name, taken on by who closed it; the audit has who and what, and not the words."""
    with Stage.on_paper() as clinic:
        clinic.says("problem", "03-02 08:10")
        card = the_card(clinic, Queue.SIGNS)
        assert resolve(clinic, card, note="called Ana: a headache") is Queue.SIGNS
        kept = alert(clinic, "problem")
        assert (kept["closed_at"], kept["close_reason"], kept["acknowledged_by"]) == (clinic.now, "called Ana: a headache", NURSE)
        ours = [(row["actor"], row["action"], row["detail"]) for row in clinic.rows("audit") if row["subject"] == card.id][-1]
        assert ours == (NURSE, "alert closed", "resolved with a note")
        assert not any("headache" in str(row) for row in clinic.rows("audit"))
        assert counts(clinic) == {}


def test_who_resolves_what_another_took_on() -> None:
    """The name of who took it on stays."""
    with Stage.on_paper() as clinic:
        clinic.says("problem", "03-02 08:10")
        card = the_card(clinic, Queue.SIGNS)
        acknowledge(clinic, card, by=PROVIDER)
        resolve(clinic, card)
        assert alert(clinic, "problem")["acknowledged_by"] == PROVIDER


def test_resolving_what_was_told_as_odd_looks_at_it() -> None:
    """Else announcements would wait for ever for somebody who has looked already."""
    with Stage.on_paper() as clinic:
        clinic.says("took two", "03-02 08:10")
        resolve(clinic, the_card(clinic, Queue.SIGNS))
        assert [dose["odd"] for dose in clinic.rows("dose")] == [False]


def announced(clinic: Stage) -> Card:
    """A problem of the evening before a step, taken on by a slip; the gate is then met, and the step announced."""
    clinic.answers(*(f"03-0{day} {hour}:05" for day, hours in ((2, ("08", "14", "20")), (3, ("08", "14"))) for hour in hours))
    clinic.says("problem", "03-03 17:50")
    card = the_alert(clinic, "problem")
    acknowledge(clinic, card)
    clinic.run_until("03-03 18:02")
    assert [at for at, _ in clinic.texts("step_notice")] == ["03-03 18:00"]
    return card


def test_what_let_a_step_come_is_not_given_back(engine: Engine) -> None:
    """Open again, it would keep nothing back, for the gate is not asked twice: the plan is kept back by a person, and then it is."""
    with Stage(engine, patient(rising())) as clinic:
        card = announced(clinic)
        kept = the_alert(clinic, "problem").kept
        with pytest.raises(NotAllowed, match="keep the plan back"):
            give_back(clinic, card)
        clinic.acts("stay", by=NURSE)
        give_back(clinic, card)
        clinic.run_until("03-04 08:00")
        assert ("ana-baclofen" in kept, the_alert(clinic, "problem").acknowledged_by) == (True, None)
        assert clinic.amounts()["03-04"] == "5"


def test_given_back_once_the_step_has_begun() -> None:
    """Then there is nothing to keep back: it calls again, and the gate of the step after that is shut by it."""
    with Stage.on_paper(patient(rising())) as clinic:
        card = announced(clinic)
        clinic.run_until("03-04 08:00")
        give_back(clinic, card)
        assert (the_alert(clinic, "problem").acknowledged_by, clinic.amounts()["03-04"]) == (None, "10")


def test_a_step_as_prescribed_waits_for_no_alert() -> None:
    """It would have been announced with the alert open, too."""
    with Stage.on_paper(patient(rising("as_prescribed"))) as clinic:
        give_back(clinic, announced(clinic))
        assert the_alert(clinic, "problem").acknowledged_by is None


def odd_ones(clinic: Stage) -> list[int]:
    """Which doses were told as odd and wait for somebody to look."""
    return [dose["slot_no"] for dose in clinic.rows("dose") if dose["odd"]]


def told_twice(clinic: Stage) -> tuple[Card, Card]:
    """Ana took two of her first dose, which a nurse takes on, and then threw up her second: the alerts of both."""
    clinic.says("took two", "03-02 08:10")
    first = the_alert(clinic, "took_more")
    clinic.run_until("03-02 09:00")
    acknowledge(clinic, first)
    clinic.says("I threw up", "03-02 14:05")
    return first, the_alert(clinic, "took_less")


def test_what_was_told_since_waits_for_its_own_look(engine: Engine) -> None:
    """A note on the alert of the morning says nothing of the afternoon's, which nobody has read: the next dose waits for a person."""
    with Stage(engine, patient()) as clinic:
        first, second = told_twice(clinic)
        resolve(clinic, first, note="called Ana at nine")
        waiting = odd_ones(clinic)
        clinic.run_until("03-02 20:00")
        asked = clinic.texts()[-1][1]
        acknowledge(clinic, second)
        assert (waiting, odd_ones(clinic)) == ([2], [])
        assert asked.startswith("before you take your Mon 8:00 pm dose, please call")
        assert [(row["kind"], row["by"], row["why"]) for row in clinic.rows("dose_event") if row["kind"] == "corrected"] == [
            ("corrected", NURSE, "looked at"),
            ("corrected", NURSE, "looked at"),
        ]


@pytest.mark.parametrize("act", [acknowledge, resolve])
def test_each_look_is_at_what_its_alert_tells_of(act: Callable[..., object]) -> None:
    """Of two that wait, one is seen to: the dose of the other waits on, in whatever order they are taken on."""
    with Stage.on_paper() as clinic:
        clinic.says("took two", "03-02 08:10")
        clinic.says("I threw up", "03-02 14:05")
        act(clinic, the_alert(clinic, "took_less"))
        left = odd_ones(clinic)
        act(clinic, the_alert(clinic, "took_more"))
        assert (left, odd_ones(clinic)) == ([1], [])


def test_a_dose_told_of_twice_waits_for_both() -> None:
    """Two and thrown up, told of one dose in two texts: who reads the first has not read the second."""
    with Stage.on_paper() as clinic:
        clinic.says("took two", "03-02 08:10")
        clinic.says("I threw up", "03-02 08:20")
        acknowledge(clinic, the_alert(clinic, "took_more"))
        left = odd_ones(clinic)
        acknowledge(clinic, the_alert(clinic, "took_less"))
        assert (left, odd_ones(clinic)) == ([1], [])


def test_an_act_on_alerts_looks_at_what_it_takes_on() -> None:
    """Not at what another kind of alert tells of, nor at another plan's."""
    other = plan(phase("300", times=["11:00"]), ref="up", drug="gabapentin-ir", strengths=["300"], label="B, white")
    reason = {"of": "gabapentin", "by": PROVIDER, "reason": "low doses of both"}
    with Stage.on_paper(patient(plan(label="A, blue", acknowledged=[reason]), other)) as clinic:
        told_twice(clinic)
        clinic.acts("acknowledge", alert="took_more")
        of_another_kind = odd_ones(clinic)
        clinic.acts("acknowledge", of="up")
        of_another_plan = odd_ones(clinic)
        clinic.acts("acknowledge")
        assert (of_another_kind, of_another_plan, odd_ones(clinic)) == ([2], [2], [])


@pytest.mark.parametrize("note", ["", "  "])
def test_no_note_no_close(note: str) -> None:
    """An alert that nobody says a word about stays open."""
    with Stage.on_paper() as clinic:
        clinic.says("problem", "03-02 08:10")
        with pytest.raises(NotAllowed, match="with a note"):
            resolve(clinic, the_card(clinic, Queue.SIGNS), note=note)
        assert counts(clinic) == {"signs": (1, 1, 0)}


@pytest.mark.parametrize("act", [acknowledge, give_back, resolve])
def test_what_is_closed_stays_as_it_is(act: Callable[..., object]) -> None:
    """Another was faster: the second is told so, and changes nothing."""
    with Stage.on_paper() as clinic:
        clinic.says("problem", "03-02 08:10")
        card = the_card(clinic, Queue.SIGNS)
        resolve(clinic, card, note="called")
        before = clinic.rows("alert")
        with pytest.raises(NotAllowed, match="has been closed"):
            act(clinic, card)
        assert clinic.rows("alert") == before


def test_a_stay_is_not_closed_by_a_note() -> None:
    """While the plan stays somebody must know; it closes when a provider lets the plan go on."""
    with Stage.on_paper(patient(rising("ask_provider"))) as clinic:
        clinic.answers("03-02 08:05", "03-02 14:05", "03-02 20:05", "03-03 08:05", "03-03 14:05", "03-03 20:05")
        card = the_card(clinic, Queue.STEPS)
        with pytest.raises(NotAllowed, match="still stays"):
            resolve(clinic, card)
        acknowledge(clinic, card)
        assert (card.why_open != "", counts(clinic)) == (True, {"steps": (1, 0, 0)})
        clinic.acts("advance")
        assert counts(clinic) == {}


def test_a_suspension_is_not_closed_by_a_note() -> None:
    """A patient who takes nothing is nobody's to forget."""
    with Stage.on_paper(patient(plan(advance="as_prescribed"))) as clinic:
        clinic.answers(*(f"03-0{day} {hour}:05" for day in (2, 3) for hour in ("08", "14", "20")), text="2")
        clinic.run_until("03-04 09:00")
        (card,) = (card for card in look(clinic, Queue.STAYS).cards if card.kind == "suspended")
        with pytest.raises(NotAllowed, match="still suspended"):
            resolve(clinic, card)
        clinic.acts("restart", phase=1)
        assert "stays" not in counts(clinic)


def test_an_interacting_medicine_is_a_providers() -> None:
    """Neither taken on nor closed by a nurse; by a provider with a reason, and then it is kept."""
    with Stage.on_paper(patient(rising())) as clinic:
        clinic.acts("add_medicine", "03-02 09:00", medicine="tizanidine", by=NURSE)
        card = the_card(clinic, Queue.OTHER)
        assert card.by_reason
        with pytest.raises(NotAllowed):
            acknowledge(clinic, card, by=NURSE, reason="as discussed")
        with pytest.raises(NotAllowed):
            resolve(clinic, card, by=NURSE)
        with pytest.raises(NotAllowed, match="with a reason"):
            acknowledge(clinic, card, by=PROVIDER)
        acknowledge(clinic, card, by=PROVIDER, reason="low dose, seen weekly")
        with pytest.raises(NotAllowed, match="not taken back"):
            give_back(clinic, card, by=PROVIDER)
        resolve(clinic, card, by=NURSE)


@pytest.mark.parametrize("act", [acknowledge, give_back, resolve])
@pytest.mark.parametrize("by", ["Kim Park", "Somebody Else"])
def test_only_who_cares_attends_to_alerts(act: Callable[..., object], by: str) -> None:
    """Neither an admin nor a name on no list; nothing has changed then."""
    with Stage.on_paper() as clinic:
        clinic.says("problem", "03-02 08:10")
        card, before = the_card(clinic, Queue.SIGNS), clinic.rows("alert")
        with pytest.raises(NotAllowed):
            act(clinic, card, by=by)
        with pytest.raises(NotAllowed):
            queueing.counted(clinic.engine, CLINIC, by=by)
        assert clinic.rows("alert") == before


def test_another_clinics_alert_is_not_there() -> None:
    """Neither to be seen nor to be attended to, nor as a place to go on from."""
    with Stage.on_paper() as clinic:
        clinic.says("problem", "03-02 08:10")
        card = the_card(clinic, Queue.SIGNS)
        with writing(clinic.engine) as c:
            for name in ("clinic", "staff", "staff_role"):
                table = metadata.tables[name]
                c.execute(insert(table).values(a_row(table, **({"id": "one"} if name == "clinic" else {"clinic_id": "one"}), role="staff")))
        with pytest.raises(UnknownAlert):
            queueing.card(clinic.engine, "one", card.id, by="one", roles=set(), now=clinic.now)
        with pytest.raises(UnknownAlert):
            queueing.resolve(clinic.engine, "one", card.id, by="one", note="seen", now=clinic.now)
        empty = queueing.page(clinic.engine, "one", Queue.SIGNS, by="one", roles=set(), now=clinic.now, after=card.id)
        assert (empty.cards, [each.alerts for each in queueing.counted(clinic.engine, "one", by="one")]) == ((), [0] * len(Queue))


def test_what_fell_due_before_is_decided_first() -> None:
    """The dose that was due while nobody ran anything is announced under the alert that stood, not under its absence."""
    with Stage.on_paper() as clinic:
        clinic.says("problem", "03-02 08:10")
        card = the_card(clinic, Queue.SIGNS)
        clinic.clock.advance_to(at("03-02 14:01"))
        resolve(clinic, card)
        assert len(clinic.rows("dose")) == 2


def test_both_databases_agree(engine: Engine) -> None:
    """Counting and paging on each kind of database."""
    with Stage(engine) as clinic:
        clinic.says("problem", "03-02 08:10")
        clinic.says("seizure", "03-02 08:20")
        clinic.says("STOP", "03-02 08:40")
        first = look(clinic, Queue.SIGNS, limit=1)
        rest = look(clinic, Queue.SIGNS, after=first.after)
        assert ([card.kind for card in (*first.cards, *rest.cards)], counts(clinic)) == (
            ["red_flag", "problem"],
            {"signs": (2, 2, 1), "opted-out": (1, 1, 1)},
        )
        resolve(clinic, rest.cards[0])
        with reading(engine) as c:
            assert c.execute(select(PATIENT.c.severity_rank)).scalar_one() == 0
