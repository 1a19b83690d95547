"""What was played in the sandbox, saved as a story file and played again: the same texts, the same doses; and what it cannot tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from db.engine import writing
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.acting import StaffAct, StaffAction
from reminders.domain.approval import Acknowledgement
from reminders.domain.dose_state import DoseState
from reminders.domain.roles import StaffRole
from reminders.errors import NotAllowed
from reminders.formats.story_file import read_story
from reminders.messaging.sandbox import SandboxTransport
from reminders.services import importing, prescribing, sandboxing, staffing
from reminders.services.records import approved, medicines
from reminders.services.records.approved import Approval
from reminders.simulation.sandbox import Sandbox
from reminders.simulation.story import play
from tests.builders import a_titration
from tests.files import Json, a_clinic, a_patient, a_plan_file, an_import_file
from tests.stage import ANA, at, empty_ledger, patient, phase, plan

CLINIC = "harbor-clinic"
PROVIDER = "Dr. Noor Haddad"
START = at("03-02 00:00").astimezone(UTC)
RISES = plan(phase("5/5/5", 2), phase("10/10/10"), advance="as_prescribed")


class Played:
    """A sandbox somebody plays with. Times are New York's."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.own = engine, HandClock(START + timedelta(microseconds=300_000))
        clock = sandboxing.clock_of(engine, self.own)
        self.sandbox = Sandbox(engine, clock, self.own, SandboxTransport(clock))

    def until(self, clock: str) -> None:
        """Move the clock."""
        self.sandbox.move(at(clock))
        assert self.sandbox.wait(60)

    def says(self, clock: str, text: str) -> None:
        """Let Ana answer at a time."""
        self.until(clock)
        self.sandbox.says(CLINIC, ANA, text)

    def acts(self, action: StaffAction, *, zone: str | None = None) -> None:
        """Let Dr. Haddad act on Ana's plan."""
        self.sandbox.acts(StaffAct(self.sandbox.now, action, "ana-baclofen", PROVIDER, "as agreed", zone=zone), clinic_id=CLINIC)

    def story(self) -> Json:
        """The story file, as it is read again from its own words."""
        told = self.sandbox.story(CLINIC)
        assert told.story is not None, told.lacking
        return json.loads(json.dumps(told.story))


@pytest.fixture
def engine() -> Iterator[Engine]:
    """A ledger with Ana and her brother."""
    engine = empty_ledger()
    importing.import_file(engine, an_import_file(patient(RISES, told=True), clinic=a_clinic()), now=START)
    yield engine
    engine.dispose()


@pytest.fixture
def played(engine: Engine) -> Iterator[Played]:
    """Ana's first days, with an answer, a question, a phone that is off, deafness, a trip and silence."""
    played = Played(engine)
    yield played
    played.sandbox.close()


def a_session(played: Played) -> None:
    """Play everything that the page has."""
    played.says("03-02 08:05", "1")
    played.says("03-02 14:40", "missed my 2pm")
    played.sandbox.treats(CLINIC, ANA, status="undelivered", code=30003)
    played.until("03-02 21:00")
    played.sandbox.treats(CLINIC, ANA, status="delivered", code=None)
    played.says("03-03 08:10", "took two")
    played.acts(StaffAction.ACKNOWLEDGE)
    played.sandbox.hears(webhook=False, lists=True)
    played.says("03-03 14:10", "1")
    played.sandbox.hears(webhook=True, lists=True)
    played.acts(StaffAction.MOVE_ZONE, zone="Europe/London")
    played.until("03-06 12:00")


def test_a_saved_session_plays_the_same(played: Played) -> None:
    """The same texts at the same minutes, and every dose in the same state."""
    a_session(played)
    compared = played.sandbox.replay(CLINIC)

    assert (compared.differences, compared.texts > 10, compared.doses > 8) == ((), True, True)


def test_it_is_a_story_file_like_any_other(played: Played) -> None:
    """`doseline simulate` reads it and plays it; what was done stands in it in order, and nothing is said to be lacking."""
    a_session(played)
    told = played.story()
    kinds = [next(key for key in event if key != "at") for event in told["events"]]
    lines = list(play(read_story(told)))

    assert kinds == ["from", "from", "carrier", "carrier", "from", "staff", "hearing", "from", "hearing", "staff"]
    assert (told["$schema"], lines[-1]["kind"], played.sandbox.story(CLINIC).lacking) == ("doseline:story:1", "summary", ())


@pytest.mark.parametrize("reason", ["short course: until Friday", "as she needs (labs by nobody yet)"])
def test_what_was_agreed_at_the_enrolment_is_told(reason: str) -> None:
    """The patient's own quiet hours, and what a provider acknowledged beside the plan, with the day of a laboratory check."""
    hours = {"from": "19:30", "until": "10:00"}
    known = [{"of": "diazepam", "by": PROVIDER, "reason": reason}]
    known += [{"of": "diuretics", "by": PROVIDER, "reason": reason, "labs_due": "2026-03-03"}]
    engine = empty_ledger()
    ana = patient({**RISES, "acknowledged": known}, medicines=["diazepam", "furosemide"], quiet_hours=hours)
    importing.import_file(engine, an_import_file(ana, clinic=a_clinic()), now=START)
    played = Played(engine)
    played.says("03-02 08:05", "1")
    played.until("03-04 12:00")
    (told,) = played.story()["import"]["patients"]
    compared = played.sandbox.replay(CLINIC)
    played.sandbox.close()
    engine.dispose()

    assert (told["quiet_hours"], sorted(told["plans"][0]["acknowledged"], key=lambda one: str(one["of"]))) == (hours, known)
    assert (compared.differences, compared.texts > 5) == ((), True)


def test_a_medicine_from_before_the_plan_is_told() -> None:
    """It was listed after the enrolment, and is acknowledged with the plan that came then."""
    engine = empty_ledger()
    importing.import_file(engine, an_import_file(patient(plans=[]), clinic=a_clinic()), now=START)
    approval = Approval(PROVIDER, None, (Acknowledgement("diazepam", PROVIDER, "short course"),))
    with writing(engine) as c:
        ana = c.execute(select(metadata.tables["patient"].c.id)).scalar_one()
        medicines.add(c, CLINIC, ana, ["diazepam"], at=START + timedelta(minutes=1))
        approved.store(c, (CLINIC, ana), a_titration(), approval, ref="ana-baclofen", now=START + timedelta(minutes=2))
    played = Played(engine)
    played.until("03-03 12:00")
    (told,) = played.story()["import"]["patients"]
    played.sandbox.close()
    engine.dispose()

    assert (told["medicines"], [one["of"] for one in told["plans"][0]["acknowledged"]]) == (["diazepam"], ["diazepam"])


def test_a_difference_is_named(played: Played) -> None:
    """A text or a dose that comes out otherwise when it is played again is told of: else "the same" would mean nothing."""
    a_session(played)
    with writing(played.engine) as c:
        dose, text = metadata.tables["dose"], metadata.tables["text_out"]
        c.execute(dose.update().where(dose.c.local_date == date(2026, 3, 2), dose.c.slot_no == 1).values(state="missed"))
        c.execute(text.update().where(text.c.body.contains("Mon 8:00 am")).values(body="something else"))
    found = played.sandbox.replay(CLINIC).differences

    assert "dose 1 of 2026-03-02, ana-baclofen: missed here, taken when played again" in found
    assert [difference for difference in found if difference.endswith("only here: something else")]


def test_a_clinic_that_began_with_a_story_goes_on_with_it() -> None:
    """The demo's clinic: its days before the sandbox, and what was played then, are one story."""
    engine = empty_ledger()
    told = {
        "start": "2026-03-02T05:00:00Z",
        "until": "2026-03-03T05:00:00Z",
        "import": an_import_file(patient(RISES), clinic=a_clinic()),
        "events": [{"at": "2026-03-02T13:05:00Z", "from": ANA, "text": "1"}],
    }
    for _ in play(read_story(told), engine=engine, clinic_id=CLINIC):
        pass
    until = datetime(2026, 3, 3, 5, tzinfo=UTC)
    sandboxing.began_with(engine, CLINIC, told, until=until)
    played = Played(engine)
    played.own.advance_to(until)
    played.says("03-03 08:05", "2")
    played.until("03-04 00:00")
    saved, compared = played.story(), played.sandbox.replay(CLINIC)
    played.sandbox.close()
    engine.dispose()

    assert [event["text"] for event in saved["events"]] == ["1", "2"]
    assert (compared.differences, compared.doses, saved["start"]) == ((), 6, "2026-03-02T05:00:00Z")


def test_what_a_story_cannot_say_is_said_in_words(played: Played) -> None:
    """A dose that was set right, and somebody who came to work here: the story is saved, and says that they are missing."""
    played.until("03-02 21:00")
    now = played.sandbox.now
    prescribing.correct(
        played.engine,
        plan_ref="ana-baclofen",
        local_date=date(2026, 3, 2),
        slot_no=1,
        state=DoseState.TAKEN,
        by=PROVIDER,
        reason="she called",
        now=now,
    )
    staffing.add(played.engine, CLINIC, "Nurse Kim", {StaffRole.STAFF}, now=now)

    assert played.sandbox.story(CLINIC).lacking == ("dose corrected", "staff listed")


def test_a_patient_who_came_midway_has_no_story(played: Played) -> None:
    """A story enrols everybody at its start: where doses fell due before, there is none, and it says since when."""
    played.until("03-02 21:00")
    late = a_patient(ref="eva", name="Eva Diaz", phone="+12025550140", caregivers=[], plans=[a_plan_file(ref="eva", approved_by=PROVIDER)])
    importing.import_file(played.engine, an_import_file(late), now=played.sandbox.now)
    told = played.sandbox.story(CLINIC)

    assert (told.story, "when 3 doses had fallen due already" in told.lacking[0]) == (None, True)
    with pytest.raises(NotAllowed, match="no story to play"):
        played.sandbox.replay(CLINIC)


def test_without_a_plan_there_is_nothing_to_tell() -> None:
    """An empty clinic says so."""
    engine = empty_ledger()
    importing.import_file(engine, an_import_file(patient(plans=[]), clinic=a_clinic()), now=START)
    played = Played(engine)
    told = played.sandbox.story(CLINIC)
    played.sandbox.close()
    engine.dispose()

    assert (told.story, "no plan yet" in told.lacking[0]) == (None, True)


def test_somebody_nobody_may_text_is_left_out(engine: Engine, played: Played) -> None:
    """An import needs consent and a proved number: whose is missing cannot be told, and the words say so."""
    eva = a_patient(ref="eva", name="Eva Diaz", phone="+12025550140", caregivers=[], plans=[])
    importing.import_file(engine, an_import_file(eva), now=START)
    with writing(engine) as c:
        point = metadata.tables["contact_point"]
        c.execute(point.update().where(point.c.phone == "+12025550140").values(verified_at=None))
    told = played.sandbox.story(CLINIC)

    assert told.story is not None
    assert ([person["ref"] for person in told.story["import"]["patients"]], told.lacking) == (
        ["ana"],
        ("a patient without consent on record, or without a verified number",),
    )
