"""A caregiver texts "link": the text that answers carries it, and our record of that text does not."""

from __future__ import annotations

import re

import pytest

from db.engine import writing
from db.tables import metadata
from reminders.domain.caring import LINK_HOLDS
from reminders.messaging.segments import segments
from reminders.messaging.transport import SECRET, same_body
from reminders.services import caring, replying
from tests.files import a_caregiver, a_consent
from tests.services.test_caring import HOME, link, stage, whose
from tests.stage import ANA, RUI, Stage, patient, plan

PAGES = "https://doseline.clinic.test"
LINK = re.compile(rf"{PAGES}/care/([A-Za-z0-9_-]{{43}})(?= )")


def writes(s: Stage, text: str = "link", *, phone: str = RUI, pages: str | None = PAGES) -> str:
    """Let a phone text us, and let the answer leave; return what arrived last."""
    sid = f"care-{len(s.rows('text_in'))}"
    replying.receive(s.engine, sid=sid, from_phone=phone, to_phone="", body=text, received_at=s.now, now=s.now, pages=pages)
    s.driver.settle()
    return arrived(s, phone)[-1]


def arrived(s: Stage, phone: str = RUI) -> list[str]:
    """The words that arrived at a phone."""
    return [sent.body for sent in s.transport.kept() if sent.to == phone]


@pytest.mark.parametrize(("language", "text"), [("en", "Link, please"), ("es", "enlace")])
def test_the_answer_carries_the_link(language: str, text: str) -> None:
    """One segment, with until when it is good; it opens the page, and the ledger holds its hash alone."""
    with stage("03-02 08:10", patient(told=True, language=language)) as s:
        said = writes(s, text)
        (token,) = LINK.findall(said)
        holder = caring.who(s.engine, token, address=HOME, now=s.now)

        assert holder is not None
        assert (holder.line.name, holder.expires_at, segments(said).parts) == ("Rui Silva", s.now + LINK_HOLDS, 1)
        assert {"en": "Ana's page, until Mon 9 Mar", "es": "pagina de Ana hasta lun 9 mar"}[language] in said
        assert token not in str([s.rows(name) for name in ("text_out", "care_link", "audit", "text_attempt")])
        assert [row["body"] for row in s.rows("text_out") if row["template"] == "care_link"] == [said.replace(token, SECRET)]


def test_a_newer_link_puts_the_older_aside() -> None:
    """Whoever asks again, or is made one by the clinic, has one that is good."""
    with stage() as s:
        first, second = (LINK.findall(writes(s))[0] for _ in range(2))
        made = link(s)

        assert [caring.who(s.engine, token, address=HOME, now=s.now) is not None for token in (first, second, made)] == [False, False, True]


def test_it_is_known_again_in_the_carriers_list() -> None:
    """A text in doubt is found there by its words, though of the link we kept no secret."""
    with stage() as s:
        said = writes(s)
        (kept,) = [row["body"] for row in s.rows("text_out") if row["template"] == "care_link"]

        assert (same_body(kept, said), same_body(kept, said.replace("Ana", "Eva")), same_body(kept, said.replace("/care/", "/"))) == (
            True,
            False,
            False,
        )


def test_each_patient_has_a_page_of_their_own() -> None:
    """Who is told of two is sent two links."""
    berta = patient(
        plan(ref="berta-baclofen"), told=True, ref="berta", name="Berta Lund", phone="+12025550107", consent=a_consent("Berta Lund")
    )
    with stage("03-02 08:10", patient(told=True), berta) as s:
        writes(s)
        found = [LINK.findall(said)[0] for said in arrived(s) if LINK.search(said)]
        holders = [caring.who(s.engine, token, address=HOME, now=s.now) for token in found]

        assert sorted(holder.patient.name for holder in holders if holder) == ["Ana Silva", "Berta Lund"]


@pytest.mark.parametrize(("phone", "pages"), [(RUI, None), (ANA, PAGES)])
def test_no_link(phone: str, pages: str | None) -> None:
    """None where no phone could follow it safely, and none for the patient: they are told what they can write."""
    with stage() as s:
        said = writes(s, phone=phone, pages=pages)

        assert (LINK.search(said), "sorry, not understood" in said, s.rows("care_link")) == (None, True, [])


def test_none_after_stop() -> None:
    """Who ended the texts is sent nothing, and has no page."""
    with stage() as s:
        s.says("STOP", phone=RUI)
        before = len(arrived(s))
        writes(s)

        assert (len(arrived(s)), s.rows("care_link")) == (before, [])


def test_one_who_is_no_caregiver_any_more_is_sent_none() -> None:
    """The last look sees to it: between the asking and the sending the clinic may have ended it."""
    with stage() as s:
        replying.receive(s.engine, sid="SM1", from_phone=RUI, to_phone="", body="link", received_at=s.now, now=s.now, pages=PAGES)
        _end_role(s)
        s.driver.settle()

        assert (LINK.search(str(arrived(s))), s.rows("care_link"), s.rows("text_out")[-1]["state"]) == (None, [], "cancelled")


def _end_role(s: Stage) -> None:
    role = metadata.tables["contact_role"]
    his = whose(s)[1]
    with writing(s.engine) as c:
        c.execute(role.delete().where(role.c.id == his))


def test_who_made_it_is_in_the_audit() -> None:
    """The caregiver themselves, by text."""
    with stage() as s:
        writes(s)
        mine = [(row["actor"], row["action"], row["detail"]) for row in s.rows("audit") if row["subject"] == whose(s)[1]]

        assert mine == [("caregiver", "caregiver's link made", "asked for by text")]


def test_a_proxy_asks_too() -> None:
    """The one who answers for the patient has a page of the same kind."""
    otto = a_caregiver(role="proxy", ref="otto", name="Otto Berg", phone="+12025550105", consent=a_consent("Otto Berg"), alerts=None)
    with stage("03-02 08:10", patient(phone=None, caregivers=[otto])) as s:
        (token,) = LINK.findall(writes(s, phone="+12025550105"))
        holder = caring.who(s.engine, token, address=HOME, now=s.now)

        assert holder is not None
        assert holder.grant.answers
