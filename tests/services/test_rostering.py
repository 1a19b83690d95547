"""The roster: who stands where, who is found, and what a page goes on from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from db.engine import reading, writing
from db.tables import metadata
from reminders.domain.fortnight import Trend
from reminders.domain.plan import HOUR
from reminders.domain.plan_state import PlanState
from reminders.errors import BadFile, NotAllowed, NotFound
from reminders.services import importing, rostering
from reminders.services.records import alerts, people
from reminders.services.records.alerts import Notice
from reminders.services.rostering import Filters, Roster
from tests.files import a_clinic, a_consent, an_import_file
from tests.stage import Stage, at, patient, phase, plan

CLINIC, HILL, NURSE = "harbor-clinic", "hill-clinic", "Nurse Lee"
NOW = at("03-02 12:00")
PATIENT, PLAN, ALERT = (metadata.tables[name] for name in ("patient", "plan", "alert"))


@dataclass
class Desk:
    """A clinic's roster, and what happens to its patients."""

    engine: Engine
    ids: dict[str, str] = field(default_factory=dict)

    def enrol(self, *names: str) -> None:
        """Enrol patients with a plan each; their phones end in 0110 and so on, in order."""
        for name in names:
            number = len(self.ids)
            ref = name.lower().replace(" ", "-")
            phone = f"+120255501{10 + number}"
            person = patient(plan(ref=f"{ref}-plan"), ref=ref, name=name, phone=phone, consent=a_consent(name))
            importing.import_file(self.engine, an_import_file(person), now=NOW - timedelta(days=1))
            with reading(self.engine) as c:
                self.ids[name] = c.scalars(select(PATIENT.c.id).where(PATIENT.c.name == name)).one()

    def raises(self, name: str, severity: str, hours_ago: int = 0, kind: str = "problem") -> None:
        """Raise an alert of a patient."""
        with writing(self.engine) as c:
            one = people.patients(c, [self.ids[name]])[self.ids[name]]
            since = NOW - hours_ago * HOUR
            assert alerts.raise_once(c, one, Notice(kind, severity, f"{kind} {since} {severity}", "words", clinical=False), now=since)

    def closes(self, name: str) -> None:
        """Close every alert of a patient."""
        with writing(self.engine) as c:
            for alert in alerts.open_alerts(c, patient_ids=[self.ids[name]]):
                alerts.close(c, alert, reason="seen to", by=NURSE, at=NOW)

    def becomes(self, name: str, state: str) -> None:
        """Let a patient's plan be in a state."""
        with writing(self.engine) as c:
            c.execute(update(PLAN).where(PLAN.c.patient_id == self.ids[name]).values(state=state))

    def page(self, after: str | None = None, limit: int = 25, *, by: str = NURSE, now: datetime = NOW, **filters: Any) -> Roster:  # noqa: ANN401 - as `Filters` has them
        """Look at a page."""
        return rostering.roster(self.engine, CLINIC, by=by, filters=Filters(**filters), now=now, after=after, limit=limit)

    def names(self, after: str | None = None, limit: int = 25, **filters: Any) -> list[str]:  # noqa: ANN401 - as `Filters` has them
        """Who stands on a page."""
        return [line.name for line in self.page(after, limit, **filters).lines]


@pytest.fixture
def desk(engine: Engine) -> Desk:
    """A clinic with a nurse, on each kind of database in turn."""
    return Desk(engine)


def test_who_needs_somebody_stands_first(desk: Desk) -> None:
    """By the gravest open alert, then by how long it is open, then by name; a lesser alert that is older changes nothing."""
    desk.enrol("Zoe Abel", "Ann Bell", "Bob Cole", "Cat Dunn", "Dan Egan", "Eve Fox")
    desk.raises("Bob Cole", "warning", 50)
    desk.raises("Cat Dunn", "urgent", 2)
    desk.raises("Dan Egan", "urgent", 30)
    desk.raises("Eve Fox", "emergency", 1)
    desk.raises("Eve Fox", "info", 90)
    page = desk.page()

    assert [(line.name, line.severity, line.days) for line in page.lines] == [
        ("Eve Fox", "emergency", 0),
        ("Dan Egan", "urgent", 1),
        ("Cat Dunn", "urgent", 0),
        ("Bob Cole", "warning", 2),
        ("Ann Bell", None, None),
        ("Zoe Abel", None, None),
    ]
    assert [alert.severity for alert in page.lines[0].alerts] == ["emergency", "info"]
    assert page.after is None


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7])
def test_pages_go_on_where_the_last_ended(desk: Desk, limit: int) -> None:
    """Each patient once, over the border between those with an alert and those without, also where names and instants are the same."""
    desk.enrol("Ann A", "Ann B", "Ann C", "Ann D", "Ann E", "Ann F")
    with writing(desk.engine) as c:
        c.execute(update(PATIENT).values(name="Ann"))
    for name in ("Ann B", "Ann C", "Ann D"):
        desk.raises(name, "urgent", 5)
    seen, after = [], None
    while True:
        page = desk.page(after, limit)
        seen += [line.patient_id for line in page.lines]
        after = page.after
        if after is None:
            break

    assert sorted(seen) == sorted(desk.ids.values())
    assert set(seen[:3]) == {desk.ids[name] for name in ("Ann B", "Ann C", "Ann D")}


def test_a_page_goes_on_though_its_last_alert_was_closed(desk: Desk) -> None:
    """The place is the alert's, not the patient's: nobody is skipped because somebody was seen to."""
    desk.enrol("Ann Bell", "Bob Cole", "Cat Dunn")
    desk.raises("Ann Bell", "urgent", 9)
    desk.raises("Bob Cole", "urgent", 5)
    desk.raises("Cat Dunn", "info", 5)
    after = desk.page(limit=1).after
    desk.closes("Ann Bell")

    assert desk.names(after) == ["Bob Cole", "Cat Dunn", "Ann Bell"]


@pytest.mark.parametrize("after", ["", "x", "a", "p", "pnobody", "anobody", "zz"])
def test_a_page_of_nobodys(desk: Desk, after: str) -> None:
    """What is asked for after nobody is not there."""
    desk.enrol("Ann Bell")
    with pytest.raises(NotFound):
        desk.page(after)


def test_another_clinics_patients_are_not_there(desk: Desk) -> None:
    """Neither in the list, nor by their name or number, nor as a place to go on from."""
    desk.enrol("Ann Bell")
    hill = a_clinic(name="Hill Clinic", staff=[{"name": "Dr. Ada Moss", "roles": ["provider"]}])
    rui = patient(
        plan(ref="rui-plan", approved_by="Dr. Ada Moss"), ref="rui", name="Rui Souza", phone="+12025550131", consent=a_consent("Rui Souza")
    )
    importing.import_file(desk.engine, an_import_file(rui, clinic=hill), now=NOW)
    theirs = rostering.roster(desk.engine, HILL, by="Dr. Ada Moss", filters=Filters(), now=NOW)

    assert [line.name for line in theirs.lines] == ["Rui Souza"]
    assert [desk.names(text=text) for text in ("rui", "0131", "+1 202 555 0131", "")] == [[], [], [], ["Ann Bell"]]
    with pytest.raises(NotFound):
        desk.page(f"p{theirs.lines[0].patient_id}")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ana", ["Ana Silva"]),
        ("SIL", ["Ana Silva"]),
        ("silva ana", ["Ana Silva"]),
        ("ana x", []),
        ("jose mu", ["José Müller-Lund"]),
        ("lund", ["José Müller-Lund"]),
        ("ilva", []),
        ("0110", ["Ana Silva"]),
        ("(202) 555-0110", ["Ana Silva"]),
        ("+1 202 555 0111", ["José Müller-Lund"]),
        ("202.555.0199", []),
        ("josé-", ["José Müller-Lund"]),
        ("777", ["Kim 777"]),
        ("%", None),
        ("a", None),
    ],
)
def test_who_is_found(desk: Desk, text: str, found: list[str] | None) -> None:
    """By the beginnings of words, in any order, with or without accents; by a number as it is written, or its last four digits."""
    desk.enrol("Ana Silva", "José Müller-Lund", "Kim 777")
    if found is None:
        with pytest.raises(BadFile) as refused:
            desk.page(text=text)
        assert [(fault.path, fault.message) for fault in refused.value.faults] == [("text", "needs at least 2 letters of a name")]
    else:
        assert desk.names(text=text) == found


def test_who_is_found_by_the_number_of_somebody_beside_them(engine: Engine) -> None:
    """A brother calls: whose brother he is, is what the clinic wants to know."""
    with Stage(engine, patient(told=True)) as clinic:
        found = rostering.roster(engine, CLINIC, by=NURSE, filters=Filters(text="202 555 0102"), now=clinic.now)

    assert [line.name for line in found.lines] == ["Ana Silva"]


def test_narrowed(desk: Desk) -> None:
    """By a plan's state, a drug, the severity, or none open; together with each other and with a search."""
    desk.enrol("Ann Bell", "Bob Cole", "Cat Dunn")
    desk.becomes("Bob Cole", "suspended")
    desk.raises("Bob Cole", "urgent")
    desk.raises("Cat Dunn", "info")
    found = [
        desk.names(state=PlanState.SUSPENDED),
        desk.names(state=PlanState.ACTIVE),
        desk.names(drug="baclofen-tablet"),
        desk.names(drug="tizanidine"),
        desk.names(severity="urgent"),
        desk.names(severity="none"),
        desk.names(state=PlanState.ACTIVE, severity="info"),
        desk.names(state=PlanState.ACTIVE, text="bo"),
        desk.names(state=PlanState.SUSPENDED, text="bo"),
    ]

    assert found == [
        ["Bob Cole"],
        ["Cat Dunn", "Ann Bell"],
        ["Bob Cole", "Cat Dunn", "Ann Bell"],
        [],
        ["Bob Cole"],
        ["Ann Bell"],
        ["Cat Dunn"],
        [],
        ["Bob Cole"],
    ]


def test_which_plans_stand_beside_a_patient(desk: Desk) -> None:
    """Those that are not over; of who has none, the last one, so that nobody's line is empty who ever had one."""
    desk.enrol("Ann Bell", "Bob Cole")
    desk.becomes("Bob Cole", "stopped")

    assert [[panel.state for panel in line.panels] for line in desk.page().lines] == [[PlanState.ACTIVE], [PlanState.STOPPED]]


def test_only_who_cares_sees_it(desk: Desk) -> None:
    """Somebody who is on no list sees nobody."""
    desk.enrol("Ann Bell")
    with pytest.raises(NotAllowed):
        desk.page(by="Somebody Else")


def test_two_weeks_by_their_letters() -> None:
    """What each dose came to, day by day, with the level and the phase; the trend once there are two windows."""
    with Stage.on_paper(patient(plan(phase("5/5/5", 3), phase("10/10/10"), advance="as_prescribed"))) as clinic:
        clinic.answers(*(f"03-{day:02} {hour}:05" for day in range(2, 17) for hour in ("08", "14", "20")))
        clinic.says("2", "03-17 08:05")
        clinic.run_until("03-17 12:00")
        (line,) = rostering.roster(clinic.engine, CLINIC, by=NURSE, filters=Filters(), now=clinic.now).lines
        (panel,) = line.panels
        letters = ["".join(day.marks) for day in panel.weeks.days]
        assert (letters[0], letters[12], panel.phase_no, panel.phases) == ("TTT", "TTT", 2, 2)
        assert (panel.weeks.last.taken, panel.weeks.last.counted, panel.weeks.before.counted, panel.weeks.trend) == (39, 39, 6, None)
        clinic.run_until("03-24 12:00")
        (line,) = rostering.roster(clinic.engine, CLINIC, by=NURSE, filters=Filters(), now=clinic.now).lines
        assert line.panels[0].weeks.trend is Trend.DOWN
