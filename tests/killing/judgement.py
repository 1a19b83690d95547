"""The judgement: what the carrier accepted, which is the truth, against the ledger and against what should have been."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import Connection, select

from db.engine import reading
from db.tables import metadata
from tests.killing.clinic import HELP, THE_DOSE

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.fake_twilio.server import Message
    from tests.killing.clinic import Clinic

Row = Mapping[str, Any]

HELP_WORDS = " dose texts. Call "
LETTER = re.compile(r"\b([A-C]):? \d")
"""A dose of one who has several, in a text: its letter, and how many tablets."""
KNOWN = ("id", "kind", "state", "attempt", "claimed_at", "looked", "doubts", "sid", "status", "created_at", "cause")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found: how many texts the carrier accepted, and each fault in words.

    lost, doubled  what somebody should have been told and was not, or was told more than once: by the carrier's own texts alone.
    untrue         where the ledger says otherwise.
    """

    texts: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    untrue: tuple[str, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that is wrong."""
        return (*self.lost, *self.doubled, *self.untrue)


@dataclass
class Evidence:
    """The ledger at the end, and what the carrier accepted."""

    texts: dict[str, Row]
    attempts: list[Row]
    items: list[Row]
    doses: list[Row]
    heard: list[Row]
    phones: dict[str, str]
    accepted: Sequence[Message]

    def text_of(self, message: Message) -> Row | None:
        """The text that a message was, by the tag in its callback address."""
        [tag] = parse_qs(urlsplit(message.status_callback or "").query)["tag"]
        return self._of_tag.get(tag)

    @cached_property
    def _of_tag(self) -> dict[str, Row]:
        return {one["tag"]: self.texts[one["text_id"]] for one in self.attempts}


def gathered(engine: Engine, accepted: Sequence[Message]) -> Evidence:
    """Read the ledger."""
    with reading(engine) as c:
        return Evidence(
            texts={row["id"]: row for row in _all(c, "text_out")},
            attempts=_all(c, "text_attempt"),
            items=_all(c, "text_item"),
            doses=_all(c, "dose"),
            heard=_all(c, "text_in"),
            phones={row["id"]: row["phone"] for row in _all(c, "contact_point")},
            accepted=accepted,
        )


def judge(clinic: Clinic, evidence: Evidence) -> Judgement:
    """Hold what the carrier accepted against what should have been, and the ledger against both."""
    told: dict[str, Counter[str]] = {phone: Counter() for phone in clinic.plans}
    for message in evidence.accepted:
        told[message.to].update(_told(message.body))
    due = {phone: clinic.due_to(phone) for phone in clinic.plans}
    return Judgement(
        texts=len(evidence.accepted),
        lost=tuple(_faults(evidence, "was not told", {phone: due[phone] - told[phone] for phone in due})),
        doubled=tuple(_faults(evidence, "was told once too often", {phone: told[phone] - due[phone] for phone in due})),
        untrue=tuple(_untrue(clinic, evidence)),
    )


def _told(body: str) -> list[str]:
    """What a text tells: the help that was asked for, or the doses by their letters, or the one dose there is."""
    return [HELP] if HELP_WORDS in body else LETTER.findall(body) or [THE_DOSE]


def _faults(evidence: Evidence, what: str, found: Mapping[str, Counter[str]]) -> Iterator[str]:
    for phone, told in found.items():
        for one in told.elements():
            yield f"{phone} {what}: {one}{_story(evidence, phone)}"


def _all(c: Connection, table: str) -> list[Row]:
    return [dict(row) for row in c.execute(select(metadata.tables[table])).mappings()]


def _untrue(clinic: Clinic, evidence: Evidence) -> Iterator[str]:
    """Where the ledger says what is not so."""
    yield from _untrue_texts(evidence)
    yield from _untrue_doses(clinic, evidence)
    if sorted(text["sid"] for text in evidence.heard) != sorted(said.sid for said in clinic.said.values()):
        yield f"{len(evidence.heard)} texts heard of {len(clinic.said)}"


def _untrue_texts(evidence: Evidence) -> Iterator[str]:
    """Each text is one that the carrier accepted, and has its id; and the other way round."""
    sids = {message.sid: text["id"] for message in evidence.accepted if (text := evidence.text_of(message))}
    if len(sids) != len(evidence.accepted):
        yield f"{len(evidence.accepted) - len(sids)} accepted texts that are none of the ledger's"
    for text in evidence.texts.values():
        if text["state"] != "accepted":
            yield f"text {text['id']} ended {text['state']}{_story(evidence, evidence.phones[text['contact_point_id']])}"
        elif sids.get(text["sid"]) != text["id"]:
            yield f"text {text['id']} has the carrier's id {text['sid']}, which is that of {sids.get(text['sid'])}"


def _untrue_doses(clinic: Clinic, evidence: Evidence) -> Iterator[str]:
    """Each plan has its one dose, in one reminder, and in the state that was told."""
    announced = Counter(item["dose_id"] for item in evidence.items if item["kind"] == "reminder")
    for dose in evidence.doses:
        if announced[dose["id"]] != 1:
            yield f"dose {dose['id']} is in {announced[dose['id']]} reminders"
    if sorted(dose["plan_id"] for dose in evidence.doses) != sorted(plan for plans in clinic.plans.values() for plan in plans):
        yield f"{len(evidence.doses)} doses recorded of {clinic.doses}"
    states = {dose["plan_id"]: dose["state"] for dose in evidence.doses}
    for phone, plans in clinic.plans.items():
        found = {states.get(plan) for plan in plans}
        told = "taken" if phone in clinic.said and clinic.said[phone].words == "1" else "open"
        if found != {told}:
            yield f"{phone}'s doses are {found}, and told {told}{_story(evidence, phone)}"


def _story(evidence: Evidence, phone: str) -> str:
    """Everything that is known of a phone's texts, for whoever must find out what went wrong."""
    mine = [text for text in evidence.texts.values() if evidence.phones[text["contact_point_id"]] == phone]
    tries = {text["id"]: [one for one in evidence.attempts if one["text_id"] == text["id"]] for text in mine}
    lines = [f"accepted {one.created_at} {one.sid} {one.body!r}" for one in evidence.accepted if one.to == phone]
    for text in mine:
        lines.append("text " + " ".join(f"{name}={text[name]}" for name in KNOWN))
        lines += [
            f"  try {one['attempt']} {one['claimed_at']} tag={one['tag']} sid={one['sid']} {one['outcome']}" for one in tries[text["id"]]
        ]
    lines += [
        f"heard {text['received_at']} {text['body']!r}" for text in evidence.heard if evidence.phones.get(text["contact_point_id"]) == phone
    ]
    return "".join(f"\n    {line}" for line in lines)
