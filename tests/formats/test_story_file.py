from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reminders.domain.acting import StaffAct, StaffAction
from reminders.errors import BadFile
from reminders.formats.story_file import CarrierChange, DeskAct, HearingChange, Outage, StoryEvent, TextIn, read_story
from tests.files import File, a_patient, a_story_file, changed, without

AT = "2026-03-03T13:00:00Z"
AT_VALUE = datetime(2026, 3, 3, 13, tzinfo=UTC)


def paths_of(data: object) -> list[str]:
    """Read a bad story file; return the paths of its faults."""
    with pytest.raises(BadFile) as caught:
        read_story(data)
    return [fault.path for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("written", "event"),
    [
        ({"at": AT, "from": "+12025550101", "text": "taken"}, TextIn(AT_VALUE, "+12025550101", "taken")),
        ({"at": AT, "from": "+12025550101", "text": ""}, TextIn(AT_VALUE, "+12025550101", "")),
        (
            {"at": AT, "carrier": {"to": "+12025550101", "status": "undelivered", "code": 30003}},
            CarrierChange(AT_VALUE, "+12025550101", "undelivered", 30003),
        ),
        ({"at": AT, "carrier": {"to": "+12025550101", "status": "delivered"}}, CarrierChange(AT_VALUE, "+12025550101", "delivered")),
        (
            {"at": AT, "staff": {"action": "stay", "plan": "ana-baclofen", "by": "Dr. Noor Haddad", "reason": "drowsy"}},
            StaffAct(AT_VALUE, StaffAction.STAY, "ana-baclofen", by="Dr. Noor Haddad", reason="drowsy"),
        ),
        (
            {"at": AT, "staff": {"action": "restart", "plan": "ana-baclofen", "reason": "was ill", "phase": 1, "by": "Dr. Noor Haddad"}},
            StaffAct(AT_VALUE, StaffAction.RESTART, "ana-baclofen", reason="was ill", by="Dr. Noor Haddad", phase=1),
        ),
        (
            {
                "at": AT,
                "staff": {
                    "action": "move_zone",
                    "plan": "ana-baclofen",
                    "by": "Dr. Noor Haddad",
                    "reason": "moved",
                    "zone": "Europe/London",
                },
            },
            StaffAct(AT_VALUE, StaffAction.MOVE_ZONE, "ana-baclofen", by="Dr. Noor Haddad", reason="moved", zone="Europe/London"),
        ),
        (
            {"at": AT, "staff": {"action": "acknowledge", "plan": "ana-baclofen", "by": "Dr. Noor Haddad", "alert": "misses"}},
            StaffAct(AT_VALUE, StaffAction.ACKNOWLEDGE, "ana-baclofen", by="Dr. Noor Haddad", alert="misses"),
        ),
        (
            {
                "at": AT,
                "staff": {
                    "action": "remove_medicine",
                    "plan": "ana-baclofen",
                    "by": "Dr. Noor Haddad",
                    "reason": "course over",
                    "medicine": "diazepam",
                },
            },
            StaffAct(
                AT_VALUE, StaffAction.REMOVE_MEDICINE, "ana-baclofen", by="Dr. Noor Haddad", reason="course over", medicine="diazepam"
            ),
        ),
        (
            {"at": AT, "desk": {"patient": "ana", "by": "Nurse Lee", "text": "Please call us.", "takes_over": True}},
            DeskAct(AT_VALUE, "ana", "Nurse Lee", "Please call us.", takes_over=True),
        ),
        (
            {"at": AT, "desk": {"patient": "ana", "by": "Nurse Lee", "takes_over": False}},
            DeskAct(AT_VALUE, "ana", "Nurse Lee", takes_over=False),
        ),
        ({"at": AT, "outage": {"until": "2026-03-03T15:00:00Z"}}, Outage(AT_VALUE, datetime(2026, 3, 3, 15, tzinfo=UTC))),
        ({"at": AT, "hearing": {"webhook": False}}, HearingChange(AT_VALUE, webhook=False)),
        ({"at": AT, "hearing": {"webhook": True, "lists": False}}, HearingChange(AT_VALUE, webhook=True, lists=False)),
    ],
)
def test_an_event_says_what_it_says(written: File, event: StoryEvent) -> None:
    """Each form of event becomes the event of that name."""
    assert read_story(a_story_file(written)).events == (event,)


def test_events_come_in_order_of_time() -> None:
    """Events may stand in any order; those of one instant keep theirs."""
    texts = [("2026-03-04T13:00:00Z", "c"), (AT, "a"), (AT, "b")]
    events = [{"at": at, "from": "+12025550101", "text": text} for at, text in texts]

    assert [event.text for event in read_story(a_story_file(*events)).events if isinstance(event, TextIn)] == ["a", "b", "c"]


def test_a_story_keeps_its_import_as_it_stood() -> None:
    """The import within a story is handed on as the JSON values that it was."""
    data = a_story_file()

    assert read_story(data).enrolment == data["import"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("start", "2026-03-01"),
        ("until", "2026-03-01T12:00:00Z"),
        ("import.clinic.zone", "Nowhere"),
        ("import.patients[0].plans[0].phases[0].doses[0].amount", 5),
        ("import.patients[0].caregivers[0].phone", "+12025550101"),
        ("events[0]", {"at": AT}),
        ("events[0]", {"at": AT, "from": "+12025550101", "text": "1", "outage": {"until": AT}}),
        ("events[0]", "taken"),
        ("events[0].from", "Ana"),
        ("events[0].text", 1),
        ("events[0].at", "noon"),
        ("events[0].at", "2026-02-28T12:00:00Z"),
        ("events[0].at", "2026-03-15T12:00:01Z"),
        ("events[0].note", "x"),
    ],
)
def test_a_bad_value_is_named_by_its_path(path: str, value: object) -> None:
    """A value that cannot be used is the one fault, at its own path."""
    assert paths_of(changed(a_story_file(), path, value)) == [path]


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ({"carrier": {"to": "+12025550101", "status": "lost"}}, "events[0].carrier.status"),
        ({"carrier": {"to": "+12025550101", "status": "failed", "code": 0}}, "events[0].carrier.code"),
        ({"carrier": {"to": "Ana", "status": "failed"}}, "events[0].carrier.to"),
        ({"staff": {"action": "hold", "plan": "ana-baclofen", "by": "Dr. Noor Haddad"}}, "events[0].staff.action"),
        ({"staff": {"action": "stay", "plan": "ben-baclofen", "by": "Dr. Noor Haddad"}}, "events[0].staff.plan"),
        ({"staff": {"action": "restart", "plan": "ana-baclofen", "by": "Dr. Noor Haddad"}}, "events[0].staff"),
        ({"staff": {"action": "restart", "plan": "ana-baclofen", "by": "Dr. Noor Haddad", "phase": 0}}, "events[0].staff.phase"),
        ({"staff": {"action": "stay", "plan": "ana-baclofen"}}, "events[0].staff.by"),
        ({"staff": {"action": "move_zone", "plan": "ana-baclofen", "by": "Dr. Noor Haddad"}}, "events[0].staff"),
        ({"staff": {"action": "add_medicine", "plan": "ana-baclofen", "by": "Dr. Noor Haddad"}}, "events[0].staff"),
        (
            {"staff": {"action": "add_medicine", "plan": "ana-baclofen", "by": "Dr. Noor Haddad", "medicine": ""}},
            "events[0].staff.medicine",
        ),
        (
            {"staff": {"action": "remove_medicine", "plan": "ana-baclofen", "by": "Dr. Noor Haddad", "reason": "course over"}},
            "events[0].staff",
        ),
        (
            {"staff": {"action": "remove_medicine", "plan": "ana-baclofen", "by": "Dr. Noor Haddad", "medicine": "diazepam"}},
            "events[0].staff",
        ),
        ({"staff": {"action": "move_zone", "plan": "ana-baclofen", "by": "Dr. Noor Haddad", "zone": "Mars"}}, "events[0].staff.zone"),
        ({"desk": {"patient": "nobody", "by": "Nurse Lee", "takes_over": True}}, "events[0].desk.patient"),
        ({"desk": {"patient": "ana", "by": "Nurse Lee", "text": ""}}, "events[0].desk.text"),
        ({"desk": {"patient": "ana", "by": "Nurse Lee"}}, "events[0].desk"),
        ({"desk": {"patient": "ana", "by": "Nurse Lee", "text": "Call us.", "takes_over": False}}, "events[0].desk"),
        ({"outage": {"until": AT}}, "events[0].outage.until"),
        ({"outage": {}}, "events[0].outage.until"),
        ({"hearing": {}}, "events[0].hearing"),
        ({"hearing": {"lists": "off"}}, "events[0].hearing.lists"),
    ],
)
def test_a_bad_event_is_named_by_its_path(event: File, path: str) -> None:
    """An event's own faults are named inside it, whichever form it has."""
    assert paths_of(a_story_file({"at": AT, **event})) == [path]


@pytest.mark.parametrize(
    "path", ["start", "until", "import", "events", "import.patients[0].consent", "import.patients[0].plans[0].advance"]
)
def test_what_is_missing_is_named_by_its_path(path: str) -> None:
    """A story says when it starts and ends, with whom, and what happens."""
    assert paths_of(without(a_story_file(), path)) == [path]


def test_duplicates_in_the_import_are_named_inside_the_story() -> None:
    """What an import file may not hold, a story's may not either."""
    data = a_story_file()
    data["import"]["patients"].append(a_patient(phone="+12025550103", plans=[]))

    assert paths_of(data) == ["import.patients[1].ref"]


@pytest.mark.parametrize("data", [None, [], "story"])
def test_a_file_that_is_no_object_is_refused(data: object) -> None:
    """What is no JSON object is one fault, of the whole file."""
    assert paths_of(data) == [""]
