"""Diagnosing: what is in order with an installation and what is not, each with what to do about it. Nothing is mended here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError

from db.engine import WriterBusy, current_revision, is_current, reading, writing
from reminders import drugs
from reminders.clock import APART
from reminders.messaging.transport import Ambiguous, NotSent, Refused
from reminders.services.records import plans, probes, quarantines, troubles, watermarks

if TYPE_CHECKING:
    from sqlalchemy import Engine

STALE = timedelta(minutes=10)
DEAF = timedelta(minutes=30)
"""A list of the carrier's not read for so long: somebody should look; we cannot hear patients [our defaults]."""

FAR_APART = timedelta(seconds=5)
"""The carrier tells its time in whole seconds, and the way there takes some."""

SHOWN_WITHIN = 60
"""Seconds a settle time holds for the list besides the request's own time; twice what is measured, if that is more."""


class Verdict(StrEnum):
    """How a thing stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it stands, in a few words, and what to do about it."""

    name: str
    verdict: Verdict
    says: str
    do: str = ""


class Check(Protocol):
    """What `services.watching` says of one thing."""

    @property
    def ok(self) -> bool:
        """Whether it is so."""
        ...

    @property
    def says(self) -> str:
        """How it stands."""
        ...


class Measurement(Protocol):
    """What `services.probing` has measured."""

    @property
    def listed_after(self) -> float | None:
        """Seconds until the carrier's list showed the text."""
        ...

    @property
    def words_listed(self) -> bool | None:
        """Whether it showed its words."""
        ...

    @property
    def apart(self) -> timedelta | None:
        """How far the carrier's clock was ahead of ours."""
        ...

    @property
    def calls(self) -> tuple[int, ...]:
        """How often it called about each turn of the text's way."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How texts leave, as the settings have it.

    sends     through a carrier; else they are kept, to be looked at.
    stand_in  not the carrier itself, but what tests put in its place.
    redacts   whether the settings say that the carrier's list shows no words; http, settle: seconds.
    """

    sends: bool
    stand_in: bool = False
    public_url: str | None = None
    redacts: bool = False
    http: int = 10
    settle: int = 75


_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "database": "check DATABASE_URL and that the database runs; after an upgrade run `doseline migrate`",
        "disk": "make room on the disk of the database",
        "loop": "start the service, or start it again; its log says what fails",
        "doses": "start the service again; if doses still wait, its log says what fails",
    }
)
_INBOUND = "set the number's incoming-message webhook to POST PUBLIC_URL/sms/inbound#rc=5&rp=all"


def of_sending(sending: Sending) -> list[Finding]:
    """Look at how texts leave."""
    if not sending.sends:
        return [Finding("sending", Verdict.WARN, "sandbox: texts are kept, none is sent", "set DOSELINE_TRANSPORT=twilio for real texts")]
    stands_in = Finding("sending", Verdict.WARN, "through a stand-in: no phone gets a text", "leave TWILIO_API_BASE_URL empty")
    return [stands_in if sending.stand_in else Finding("sending", Verdict.OK, "through Twilio"), _address(sending)]


def of_drugs(directory: Path | None) -> list[Finding]:
    """Look at the clinic's own drug profiles, if it has any."""
    if directory is None:
        return []
    try:
        own = [profile for profile in drugs.all_profiles() if profile.approval is not None]
    except drugs.BadProfile as bad:
        return [Finding("drugs", Verdict.FAIL, str(bad), "mend that file: nothing starts before")]
    said = ", ".join(f"{profile.key} (approved by {profile.approval.by})" for profile in own if profile.approval is not None)
    return [Finding("drugs", Verdict.OK, f"the clinic's own: {said or 'none yet'}")]


def of_clock(apart: timedelta | None) -> Finding:
    """Compare this machine's clock with the database's; None: there is nothing to compare."""
    if apart is None:
        return Finding("clock", Verdict.OK, "this machine's own: SQLite has no other (--live holds it against the carrier's)")
    says = f"{abs(apart).total_seconds():.1f} s {'ahead of' if apart > timedelta() else 'behind'} the database's"
    if abs(apart) > APART:
        return Finding(
            "clock", Verdict.FAIL, f"{says}: nothing is claimed by this machine", "let NTP set the clock of the one that is wrong"
        )
    return Finding("clock", Verdict.OK, says)


def of_readiness(checks: Mapping[str, Check]) -> list[Finding]:
    """Say what to do about what a process looks at to be ready. The clock and the troubles are said in full elsewhere."""
    return [
        Finding(name.replace("_", " "), Verdict.OK if check.ok else Verdict.FAIL, check.says, "" if check.ok else _REMEDIES.get(name, ""))
        for name, check in checks.items()
        if name not in {"clock", "troubles"}
    ]


def is_there(engine: Engine) -> bool:
    """Whether there is a database to look at: a SQLite file would be made by looking."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    return file in {None, "", ":memory:"} or Path(str(file)).exists()


def can_be_read(engine: Engine) -> Finding | None:
    """Say why a ledger cannot be looked at; None if it can."""
    do = _REMEDIES["database"]
    if not is_there(engine):
        return Finding("database", Verdict.FAIL, "there is none yet", "run `doseline migrate`, or start the service")
    try:
        if is_current(engine):
            return None
        behind = "is at an older migration" if current_revision(engine) else "has no tables of ours"
        return Finding("database", Verdict.FAIL, behind, "run `doseline migrate`")
    except (SQLAlchemyError, WriterBusy) as error:
        return Finding("database", Verdict.FAIL, f"does not answer ({_reason(error)})", do)


def of_ledger(engine: Engine, sending: Sending, *, now: datetime) -> list[Finding]:
    """Look at a ledger that can be read: whether it takes writes, how far patients were heard, and what stands in the way."""
    with reading(engine) as c:
        mark, quarantine, wrong = watermarks.read(c, watermarks.INBOUND, now=now), quarantines.standing(c), troubles.standing(c)
        used = plans.drugs_in_use(c)
    findings = [_writes(engine, now), *_without_profile(used)]
    if sending.sends:
        findings.append(_hearing(mark, now))
    if quarantine is None:
        findings.append(Finding("quarantine", Verdict.OK, "none"))
    else:
        findings.append(
            Finding("quarantine", Verdict.FAIL, f"nothing is sent: {quarantine['why']}", "see `doseline quarantine`, and the runbook")
        )
    told = [_trouble(str(row["name"]), str(row["words"])) for row in wrong if row["name"] != troubles.Trouble.QUARANTINE.value]
    return [*findings, *(told or [Finding("troubles", Verdict.OK, "none")])]


def _without_profile(used: set[str]) -> list[Finding]:
    """The plans whose drug's file is gone: their doses are not announced, for nothing says what keeps two of them apart."""
    try:
        lost = sorted(used.difference(drugs.names()))
    except drugs.BadProfile:  # said by `of_drugs`
        return []
    if not lost:
        return []
    says = f"plans are set aside, for no profile knows their drug: {', '.join(lost)}"
    return [Finding("profiles", Verdict.FAIL, says, "put the clinic's own files back, and name their directory in DOSELINE_DRUGS")]


def of_measurement(found: Measurement | NotSent | Ambiguous | Refused, sending: Sending, *, list_lag: timedelta) -> list[Finding]:
    """Say what a measurement means for the settings. `list_lag` is what we hold the list's to be."""
    match found:
        case NotSent(code):
            return [_untaken(f"the carrier did not take it (code {code}), for now", "try again in a minute")]
        case Refused(code, kind):
            return [_untaken(f"the carrier refused it (code {code}, {kind.value})", "look the code up in Twilio's error dictionary")]
        case Ambiguous(why):
            return [_untaken(f"nobody knows whether the carrier took it ({why})", "check the way to api.twilio.com, and try again")]
        case _:
            return [_listed(found.listed_after, sending, list_lag), *_worded(found, sending), *_timed(found), _called(found.calls)]


def _address(sending: Sending) -> Finding:
    url = urlsplit(sending.public_url or "")
    if url.scheme != "https":
        return Finding(
            "public address", Verdict.WARN, "on this machine alone: Twilio cannot reach it", "set PUBLIC_URL to an https address"
        )
    return Finding("public address", Verdict.OK, "https")


def _writes(engine: Engine, now: datetime) -> Finding:
    tag = f"doctor-{uuid4().hex}"
    try:
        with writing(engine) as c:
            probes.begin(c, tag, now=now)
        with writing(engine) as c:
            probes.forget(c, tag)
    except (SQLAlchemyError, WriterBusy) as error:
        do = "check its disk, its rights, and that it is not a read-only copy"
        return Finding("writing", Verdict.FAIL, f"the database takes no writes ({_reason(error)})", do)
    return Finding("writing", Verdict.OK, "the database takes writes")


def _reason(error: Exception) -> str:
    """The first line of what the database itself says; it holds no row."""
    return str(getattr(error, "orig", error)).partition("\n")[0]


def _hearing(mark: watermarks.Mark, now: datetime) -> Finding:
    known = "never read" if mark.at is None else f"last read {_minutes(now - mark.at)} ago"
    since = [now - at for at in (mark.at, mark.failing_since) if at is not None]
    says, do = f"the carrier's list of replies was {known}", "see the runbook, 'We cannot hear patients'"
    if any(span > DEAF for span in since):
        return Finding("hearing", Verdict.FAIL, says, do)
    if mark.at is None:
        return Finding("hearing", Verdict.WARN, says, "wait two minutes with the service running, and look again")
    late = now - mark.at > STALE
    return Finding("hearing", Verdict.WARN if late else Verdict.OK, says, do if late else "")


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} min"


def _trouble(name: str, words: str) -> Finding:
    return Finding(f"trouble {name}", Verdict.FAIL, words, "see the runbook, 'Troubles'")


def _untaken(says: str, do: str) -> Finding:
    return Finding("test text", Verdict.FAIL, says, do)


def _listed(after: float | None, sending: Sending, list_lag: timedelta) -> Finding:
    if after is None:
        do = "set DOSELINE_SETTLE_SECONDS=600, and measure again later"
        return Finding("list lag", Verdict.FAIL, "the carrier's list did not show the text within two minutes", do)
    needed = sending.http + max(SHOWN_WITHIN, math.ceil(2 * after))
    says = f"the carrier's list showed the text after {after:.1f} s"
    if sending.settle < needed:
        return Finding("list lag", Verdict.FAIL, says, f"set DOSELINE_SETTLE_SECONDS={needed} at least: it is {sending.settle}")
    if 2 * after > list_lag.total_seconds():
        do = f"polls allow the list {list_lag.total_seconds():.0f} s, which leaves little room: tell the maintainers"
        return Finding("list lag", Verdict.WARN, says, do)
    return Finding("list lag", Verdict.OK, f"{says}; DOSELINE_SETTLE_SECONDS={sending.settle} is enough")


def _worded(found: Measurement, sending: Sending) -> Iterator[Finding]:
    if found.words_listed is None:
        return
    if found.words_listed and sending.redacts:
        do = "set TWILIO_REDACTS=no, so that a text in doubt can be found by its words"
        yield Finding("list words", Verdict.WARN, "the list shows the words, though TWILIO_REDACTS says that it does not", do)
    elif found.words_listed:
        yield Finding("list words", Verdict.OK, "the list shows the words: a text in doubt is found by them")
    elif sending.redacts:
        yield Finding("list words", Verdict.OK, "the list shows no words, as TWILIO_REDACTS says: a text in doubt is not sent again")
    else:
        do = "set TWILIO_REDACTS=yes: a text in doubt is then proved by its receipt or not at all, and what is not proved is not sent again"
        yield Finding("list words", Verdict.FAIL, "the list shows no words (message redaction): no text in doubt can be found by them", do)


def _timed(found: Measurement) -> Iterator[Finding]:
    if found.apart is None:
        return
    says = f"the carrier's clock is {abs(found.apart).total_seconds():.0f} s {'ahead of' if found.apart > timedelta() else 'behind'} ours"
    far = abs(found.apart) > FAR_APART
    yield Finding("carrier's clock", Verdict.WARN if far else Verdict.OK, says, "let NTP set this machine's clock" if far else "")


def _called(calls: tuple[int, ...]) -> Finding:
    if not calls:
        do = "the service must run on this database, PUBLIC_URL must lead to it, and the proxy must let POST /sms/probe through"
        return Finding("callbacks", Verdict.FAIL, "no call about the text reached the service", do)
    tries = max(calls)
    again = "did not call again" if tries == 1 else f"called {tries} times"
    return Finding("callbacks", Verdict.OK, f"{len(calls)} receipts were refused with 503, and the carrier {again} (its default)", _INBOUND)
