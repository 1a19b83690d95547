"""The queues' pages: what waits, what comes again by itself, and what is said of an alert."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from db.engine import reading
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.acting import StaffAct, StaffAction
from reminders.domain.queues import Queue
from reminders.services import prescribing, reminding, replying
from reminders.web.portal.queue_pages import NAMES
from tests.web.serving import ANA, NOW
from tests.web.signed_in import ADMIN, CLINIC, HILL, NURSE, PROVIDER, THEIRS, faults, signed_in, two_clinics

ALERT = metadata.tables["alert"]


@dataclass
class Desk:
    """A browser at the queues, and a patient who texts."""

    engine: Engine
    client: TestClient
    texts: int = 0

    def hears(self, body: str) -> None:
        """Let Ana text."""
        self.texts += 1
        replying.receive(self.engine, sid=f"SM{self.texts}", from_phone=ANA, to_phone="", body=body, received_at=NOW, now=NOW)

    def alert(self, kind: str) -> dict[str, object]:
        """An alert of a kind, as it is kept."""
        with reading(self.engine) as c:
            return dict(c.execute(select(ALERT).where(ALERT.c.kind == kind)).mappings().one())

    def path(self, kind: str, act: str = "") -> str:
        """Where an alert of a kind is, or is attended to."""
        return f"/alerts/{self.alert(kind)['id']}{act}"


@pytest.fixture
def desk(sqlite_engine: Engine) -> Desk:
    """A nurse at the queues."""
    two_clinics(sqlite_engine)
    reminding.remind_due(sqlite_engine, now=NOW)
    return Desk(sqlite_engine, signed_in(sqlite_engine, HandClock(NOW), NURSE))


def mark_of(html: str) -> str:
    """What a part says it shows."""
    found = re.search(r'data-seen="(\w+)"', html)
    assert found is not None
    return found[1]


def test_an_empty_clinic_is_told_kindly(desk: Desk) -> None:
    """Every queue has its words for nothing, and the badge is not there."""
    shown = desk.client.get("/queues").text

    assert "Nothing waits for anybody. Well done." in shown
    assert [queue for queue in Queue if NAMES[queue][0] not in shown or NAMES[queue][2] not in shown] == []
    assert desk.client.get("/queues/count?again=1").text.strip() == ""
    assert [NAMES[queue][2] in desk.client.get(f"/queues/{queue.value}").text for queue in Queue] == [True] * len(Queue)


def test_the_badge_counts_what_is_open(desk: Desk) -> None:
    """For the top of every page, in words too."""
    desk.hears("seizure")
    desk.hears("qwertz")

    assert '<span class="count">2<span class="hidden"> open alerts</span></span>' in desk.client.get("/queues/count?again=1").text


def test_a_card_has_what_it_rests_on(desk: Desk) -> None:
    """Why, the numbers, the doses, the step, whom to call, and where the acts are."""
    desk.hears("problem")
    shown = desk.client.get("/queues/signs").text

    for told in (
        "Ana Silva",
        "The patient reports a problem.",
        "step 1 of",
        "0 not taken, 0 unanswered",
        f'href="tel:{ANA}"',
        "202 555 0101",
    ):
        assert told in shown
    assert re.search(r'href="/patients/\w{32}/plans/\w{32}/act\?action=stay"', shown)


def test_a_part_comes_again_only_when_something_changed(desk: Desk) -> None:
    """What somebody reads stays as it is; a new alert arrives without reloading, and says what it has by a mark of its own."""
    desk.hears("problem")
    for page, part in (("/queues", "/queues/part"), ("/queues/signs", "/queues/signs/part")):
        mark = mark_of(desk.client.get(page).text)
        assert f'hx-get="{part}?again=1&amp;seen={mark}"' in desk.client.get(page).text
        assert [desk.client.get(f"{part}?again=1&seen={seen}").status_code for seen in (mark, "0" * 16, "")] == [204, 200, 200]
    marks = {part: mark_of(desk.client.get(part).text) for part in ("/queues/part", "/queues/signs/part")}
    desk.hears("seizure")
    for part, mark in marks.items():
        answer = desk.client.get(f"{part}?again=1&seen={mark}")
        assert (answer.status_code, "<html" in answer.text, 'role="status">2 open alerts' in answer.text) == (200, False, True)


def test_taken_on_from_the_queue(desk: Desk) -> None:
    """A button without a script: the name stands beside it, and whoever slipped gives it back."""
    desk.hears("problem")
    answer = desk.client.post(desk.path("problem", "/acknowledge"), data={"reason": ""})
    taken = desk.alert("problem")["acknowledged_by"]
    shown = desk.client.get("/queues/signs").text
    desk.client.post(desk.path("problem", "/give-back"), data={})

    assert (answer.status_code, answer.headers["Location"], taken, "Nurse Lee looks after it" in shown) == (
        303,
        "/queues/signs",
        NURSE,
        True,
    )
    assert desk.alert("problem")["acknowledged_by"] is None


def test_closed_with_a_note(desk: Desk) -> None:
    """It leaves its queue, and is kept with the note; its own page still shows it."""
    desk.hears("problem")
    path = desk.path("problem")
    answer = desk.client.post(f"{path}/resolve", data={"note": "called: a headache, gone"})
    kept = desk.alert("problem")

    assert (answer.headers["Location"], kept["close_reason"], kept["acknowledged_by"]) == (
        "/queues/signs",
        "called: a headache, gone",
        NURSE,
    )
    assert "Nobody reports anything." in desk.client.get("/queues/signs").text
    assert "Closed: called: a headache, gone" in desk.client.get(path).text


@pytest.mark.parametrize(
    ("note", "fault"),
    [
        ("", "What was done is needed: it stands in the record beside your name."),
        ("  ", "What was done is needed: it stands in the record beside your name."),
        ("<b>" + "x" * 300, "What was done must have at most 300 characters."),
    ],
    ids=["none", "spaces", "too long"],
)
def test_what_was_typed_stays(desk: Desk, note: str, fault: str) -> None:
    """Beside what is wrong with it; nothing is closed, and nothing typed is taken for markup."""
    desk.hears("problem")
    answer = desk.client.post(desk.path("problem", "/resolve"), data={"note": note})

    assert (answer.status_code, faults(answer.text), desk.alert("problem")["closed_at"]) == (422, {"note": fault}, None)
    assert note.strip().replace("<b>", "&lt;b&gt;") in answer.text


def test_what_is_refused_is_said(desk: Desk) -> None:
    """Another was faster: the page says so, in place of an error."""
    desk.hears("problem")
    path = desk.path("problem")
    desk.client.post(f"{path}/resolve", data={"note": "called"})
    answers = [desk.client.post(f"{path}/{act}", data={"note": "again"}) for act in ("acknowledge", "give-back", "resolve")]

    assert [(answer.status_code, "This alert has been closed." in answer.text) for answer in answers] == [(422, True)] * 3


def test_a_date_that_is_none(desk: Desk) -> None:
    """It is said beside the field where one stands, and changes nothing."""
    desk.hears("problem")
    answer = desk.client.post(desk.path("problem", "/acknowledge"), data={"labs_due": "tomorrow"})

    assert (answer.status_code, desk.alert("problem")["acknowledged_by"]) == (422, None)


def test_no_such_queue(desk: Desk) -> None:
    """Nor its part."""
    assert [desk.client.get(path).status_code for path in ("/queues/nonsense", "/queues/nonsense/part", "/queues/Signs")] == [404] * 3


def test_pages_of_a_queue(desk: Desk) -> None:
    """Ten a page; the next one is told by the last alert's own id."""
    for _ in range(11):
        desk.hears("problem")
    first = desk.client.get("/queues/signs").text
    onward = re.search(r'rel="next" href="(/queues/signs\?after=\w{32})"', first)
    assert onward is not None
    second = desk.client.get(onward[1]).text

    assert [html.count('<li class="card severity-') for html in (first, second)] == [10, 1]
    assert f"/queues/signs/part?again=1&amp;seen={mark_of(second)}&amp;after=" in second


def test_a_provider_takes_an_interaction_on(desk: Desk) -> None:
    """With a reason, beside the field; a nurse is told that only a provider may."""
    prescribing.act(desk.engine, StaffAct(NOW, StaffAction.ADD_MEDICINE, "ana-baclofen", NURSE, medicine="tizanidine"), now=NOW)
    path = desk.path("interaction")
    refused = desk.client.post(f"{path}/acknowledge", data={"reason": "as discussed"})
    provider = signed_in(desk.engine, HandClock(NOW), PROVIDER)
    without = provider.post(f"{path}/acknowledge", data={"reason": ""})
    done = provider.post(f"{path}/acknowledge", data={"reason": "low dose"})

    assert (refused.status_code, "only provider may" in refused.text, 'value="as discussed"' in refused.text) == (422, True, True)
    assert '<div class="card refused" role="alert"><p>Nurse Lee ' in refused.text
    assert (without.status_code, "is acknowledged with a reason" in without.text, done.status_code) == (422, True, 303)


def test_another_clinics_alert_is_nobodys(desk: Desk) -> None:
    """Not to be seen, counted, or attended to."""
    desk.hears("problem")
    path = desk.path("problem")
    theirs = signed_in(desk.engine, HandClock(NOW), THEIRS, clinic=HILL)
    before = desk.alert("problem")
    answers = [
        theirs.get(path),
        *(theirs.post(f"{path}/{act}", data={"note": "seen", "reason": "seen"}) for act in ("acknowledge", "give-back", "resolve")),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert ("Ana" in theirs.get("/queues/signs").text, theirs.get("/queues/count").text.strip(), desk.alert("problem")) == (
        False,
        "",
        before,
    )


def test_an_admin_has_no_queues(desk: Desk) -> None:
    """Who says who works here decides nothing about a patient."""
    client = signed_in(desk.engine, HandClock(NOW), ADMIN, clinic=CLINIC)

    assert [client.get(path).status_code for path in ("/queues", "/queues/count", "/queues/part", "/queues/signs")] == [403] * 4
