"""The judgement: what the carrier accepted, which is the truth, against the ledger and against what should have been."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import Connection, select

from db.engine import reading
from db.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.fake_twilio.server import Message
    from tests.killing.clinic import Clinic

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found: how many texts there should be, and each fault in words."""

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
    return Judgement(
        texts=sum(clinic.texts_to(phone) for phone in clinic.doses),
        lost=tuple(_lost(clinic, evidence)),
        doubled=tuple(_doubled(evidence)),
        untrue=tuple(_untrue(clinic, evidence)),
    )


def _all(c: Connection, table: str) -> list[Row]:
    return [dict(row) for row in c.execute(select(metadata.tables[table])).mappings()]


def _lost(clinic: Clinic, evidence: Evidence) -> Iterator[str]:
    """Texts that never reached the carrier: one reminder for each phone, and one answer for each that was said."""
    got = Counter(message.to for message in evidence.accepted)
    for phone in clinic.doses:
        wanted = clinic.texts_to(phone)
        if got[phone] < wanted:
            yield f"{phone} got {got[phone]} texts of {wanted}: {_story(evidence, phone)}"
    announced = Counter(item["dose_id"] for item in evidence.items if item["kind"] == "reminder")
    for dose in evidence.doses:
        if dose["state"] not in {"open", "taken"} or announced[dose["id"]] != 1:
            yield f"dose {dose['id']} is {dose['state']} ({dose['reason']}), in {announced[dose['id']]} reminders"


def _doubled(evidence: Evidence) -> Iterator[str]:
    """Texts that reached the carrier twice: by their words alone, and by the ledger's tags."""
    for (phone, body), times in Counter((message.to, message.body) for message in evidence.accepted).items():
        if times > 1:
            yield f"{phone} got {body!r} {times} times: {_story(evidence, phone)}"
    texts = Counter(text["id"] for message in evidence.accepted if (text := evidence.text_of(message)))
    for text_id, times in texts.items():
        if times > 1:
            yield f"text {text_id} was accepted {times} times"


def _untrue(clinic: Clinic, evidence: Evidence) -> Iterator[str]:
    """Where the ledger says what is not so."""
    sids = {message.sid: text["id"] for message in evidence.accepted if (text := evidence.text_of(message))}
    for text in evidence.texts.values():
        if text["state"] != "accepted":
            yield f"text {text['id']} ended {text['state']}: {_story(evidence, evidence.phones[text['contact_point_id']])}"
        elif sids.get(text["sid"]) != text["id"]:
            yield f"text {text['id']} has the carrier's id {text['sid']}, which is that of {sids.get(text['sid'])}"
    if sorted(dose["plan_id"] for dose in evidence.doses) != sorted(clinic.plans):
        yield f"{len(evidence.doses)} doses recorded of {len(clinic.plans)}"
    if sorted(text["sid"] for text in evidence.heard) != sorted(said.sid for said in clinic.said.values()):
        yield f"{len(evidence.heard)} texts heard of {len(clinic.said)}"
    taken = sum(dose["state"] == "taken" for dose in evidence.doses)
    if taken != clinic.taken:
        yield f"{taken} doses taken of {clinic.taken}"


def _story(evidence: Evidence, phone: str) -> str:
    """Everything that is known of a phone's texts, for whoever must find out what went wrong."""
    lines = [
        f"\n    accepted {message.created_at} {message.sid} {message.status_callback}"
        for message in evidence.accepted
        if message.to == phone
    ]
    for text in evidence.texts.values():
        if evidence.phones[text["contact_point_id"]] == phone:
            known = ("id", "kind", "state", "attempt", "claimed_at", "lease_until", "looked", "sid", "status", "sent_at", "created_at")
            lines.append("\n    text " + " ".join(f"{name}={text[name]}" for name in known))
            lines += [
                f"\n      try {one['attempt']} {one['claimed_at']} tag={one['tag']} sid={one['sid']} {one['outcome']}"
                for one in evidence.attempts
                if one["text_id"] == text["id"]
            ]
    return "".join(lines)
