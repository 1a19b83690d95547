"""The conversation and the timeline in the portal."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from httpx2 import Response
from sqlalchemy import Engine

from reminders.services import replying
from reminders.web.places import address_of, place_in
from tests.web.portal.anas_page import LATER, Portal, addresses, an_afternoon, portal_of, said
from tests.web.serving import ANA
from tests.web.signed_in import HILL, NURSE, THEIRS, faults


@pytest.fixture
def nurse(sqlite_engine: Engine) -> Portal:
    """Nurse Lee's browser, on the first afternoon of Ana's plan."""
    return portal_of(an_afternoon(sqlite_engine), NURSE)


def writes(portal: Portal, words: str, **fields: str) -> Response:
    """Fill the form in as it stands on the page, and send it."""
    page = portal.client.get(f"/patients/{portal.patient}/conversation").text
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key is not None
    return portal.client.post(f"/patients/{portal.patient}/conversation", data={"key": key[1], "words": words, **fields})


def test_writing(nurse: Portal) -> None:
    """What was written goes out once, stands on the page with its author, and the conversation is hers if she says so."""
    sent = writes(nurse, "Please call us about the dizziness.", takes_over="yes")
    page = said(nurse.client.get(sent.headers["Location"]))

    assert sent.status_code == 303
    assert [row["body"] for row in nurse.rows("text_out") if row["kind"] == "staff"] == [
        "Harbor Clinic: Please call us about the dizziness."
    ]
    assert "Please call us about the dizziness. Mon 2 Mar, 14:" in page
    assert ", Nurse Lee: waits to be sent" in page
    assert "Nurse Lee has this conversation in hand until" in page


def test_what_is_wrong_with_the_words(nurse: Portal) -> None:
    """Words that would answer for a dose come back as they were typed, with what is wrong; nothing is written."""
    answer = writes(nurse, "Reply 1 if <b>better</b>")

    assert answer.status_code == 422
    assert "asks for an answer that would be taken for one to another text" in faults(answer.text)["words"]
    assert "Reply 1 if &lt;b&gt;better&lt;/b&gt;</textarea>" in answer.text
    assert [row for row in nurse.rows("text_out") if row["kind"] == "staff"] == []


def test_who_may_not_be_texted(nurse: Portal) -> None:
    """After STOP there is no form, and what is sent all the same is refused in words."""
    replying.receive(nurse.engine, sid="SM2", from_phone=ANA, to_phone="", body="STOP", received_at=LATER, now=LATER)
    page = nurse.client.get(f"/patients/{nurse.patient}/conversation")
    sent = nurse.client.post(f"/patients/{nurse.patient}/conversation", data={"key": "k" * 24, "words": "Please call us."})

    assert "<textarea" not in page.text
    assert "cannot be written to: ended the texts (STOP)." in said(page)
    assert sent.status_code == 422
    assert [row for row in nurse.rows("text_out") if row["kind"] == "staff"] == []


def test_taking_over_and_handing_back(nurse: Portal) -> None:
    """Two buttons, and what stands between them."""
    at = f"/patients/{nurse.patient}/conversation"
    nurse.client.post(f"{at}/take-over", headers={"Content-Type": "application/x-www-form-urlencoded"})
    held = said(nurse.client.get(at))
    nurse.client.post(f"{at}/hand-back")
    back = said(nurse.client.get(at))

    assert "has this conversation in hand" in held
    assert "has this conversation in hand" not in back
    assert [(row["by"], row["ended_by"]) for row in nurse.rows("takeover")] == [(NURSE, NURSE)]


def test_what_a_reply_was_read_as(nurse: Portal) -> None:
    """Each reply says what it was taken for; one that was not understood says so."""
    replying.receive(nurse.engine, sid="SM2", from_phone=ANA, to_phone="", body="blue elephants", received_at=LATER, now=LATER)
    page = said(nurse.client.get(f"/patients/{nurse.patient}/conversation"))

    assert re.search(r"seizure Mon 2 Mar, 14:05: read as red flag", page)
    assert re.search(r"blue elephants Mon 2 Mar, 14:05: .*?not (all of it )?understood", page)


def test_a_page_that_is_open_asks_for_the_texts_alone(nurse: Portal) -> None:
    """And keeps nobody signed in by that."""
    at = f"/patients/{nurse.patient}/conversation"
    part = nurse.client.get(f"{at}?again=1", headers={"HX-Request": "true"})

    assert f'hx-get="{at}?again=1"' in nurse.client.get(at).text
    assert "<html" not in part.text
    assert "seizure" in part.text
    assert f'hx-get="{at}' not in nurse.client.get(f"{at}?older=9999999999999999.t.z").text


@pytest.mark.parametrize(
    "path", ["conversation", "timeline", "timeline?kind=alerts", "timeline?kind=nonsense", "conversation?older=9999999999999999.t.z"]
)
def test_no_address_says_anything_of_anybody(nurse: Portal, path: str) -> None:
    """Addresses hold ids and places in time."""
    page = nurse.client.get(f"/patients/{nurse.patient}/{path}")

    assert page.status_code == 200
    assert not {
        address for address in addresses(page.text) if any(word in address.lower() for word in ("ana", "silva", "2025550", "baclofen"))
    }


@pytest.mark.parametrize("path", ["conversation", "timeline"])
def test_nobody_elses(nurse: Portal, path: str) -> None:
    """Another clinic finds nothing there, and changes nothing."""
    theirs = portal_of(nurse.engine, THEIRS, clinic=HILL)
    at = f"/patients/{theirs.patient}/{path}"
    posts = [
        theirs.client.post(f"/patients/{theirs.patient}/conversation{end}", data={"key": "k" * 24, "words": "x"})
        for end in ("", "/take-over", "/hand-back")
    ]

    assert theirs.client.get(at).status_code == 404
    assert [answer.status_code for answer in posts] == [404, 404, 404]
    assert nurse.rows("takeover") == []


@pytest.mark.parametrize("place", ["x", "1.t", "1.T.x", "9" * 18 + ".t.x", "1.t.x/y", "-1.t.x", "1.t." + "x" * 41])
def test_no_place(nurse: Portal, place: str) -> None:
    """What is no place in time is no page."""
    for path in ("conversation", "timeline"):
        assert nurse.client.get(f"/patients/{nurse.patient}/{path}", params={"older": place}).status_code == 404


def test_a_place_in_an_address() -> None:
    """It reads as it was written, to the microsecond."""
    place = place_in("1772478300000001.l.0000000012")

    assert place is not None
    assert place.at == LATER + timedelta(microseconds=1)
    assert address_of(place) == "1772478300000001.l.0000000012"
    assert place_in("") is None


def test_a_timeline(nurse: Portal) -> None:
    """What happened, by kind; what is to come stands above all of it only."""
    every = said(nurse.client.get(f"/patients/{nurse.patient}/timeline"))
    alerts = said(nurse.client.get(f"/patients/{nurse.patient}/timeline?kind=alerts"))

    assert "emergency alert: Danger sign in a text: seizure" in every
    assert "baclofen: approved" in every
    assert "To come" in every
    assert "baclofen: approved" not in alerts
    assert "To come" not in alerts
