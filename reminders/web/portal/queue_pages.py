"""The queues: what waits for a person, in lists that they empty, which come again by themselves while they are looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.domain.queues import Queue
from reminders.errors import LedgerHeld, NotAllowed
from reminders.formats.parts import read_date
from reminders.messaging.texts import phone_words
from reminders.services import queueing
from reminders.web.access import person_of
from reminders.web.act_words import ACT_WORDS
from reminders.web.fortnight_strip import fortnight_strip, level_words
from reminders.web.pages import form_of, page, see
from reminders.web.parts import Parts

if TYPE_CHECKING:
    from reminders.services.queueing import Card, Counted, QueuePage

NAMES: Mapping[Queue, tuple[str, str, str]] = MappingProxyType(
    {
        Queue.SIGNS: (
            "Symptoms and red flags",
            "What patients report, and doses taken otherwise than planned.",
            "Nobody reports anything.",
        ),
        Queue.STEPS: ("Steps to approve", "Plans whose next step waits for a provider's yes.", "No step waits for a yes."),
        Queue.STAYS: ("Staying or suspended", "Plans kept on their step, or with nothing due.", "Every plan goes on."),
        Queue.MISSES: ("Runs of misses", "Doses not taken, or not answered about, one after another.", "No run of misses."),
        Queue.REPLIES: ("Replies to read", "Texts that only a person can read.", "Every reply was understood."),
        Queue.UNDELIVERED: ("Not delivered", "Phones that our texts do not reach.", "Our texts arrive."),
        Queue.OPTED_OUT: (
            "Ended the texts",
            "Numbers that said STOP, or are somebody else's. The medicine goes on.",
            "Nobody has ended the texts.",
        ),
        Queue.SUPPLY: ("Tablets", "Who runs out, or has run out.", "Everybody has tablets."),
        Queue.OTHER: ("Everything else", "Interactions, laboratory checks, changed times, plans set aside.", "Nothing else."),
    }
)
"""Each queue's name, what is in it, and what is said of it when it is empty."""

LONGEST_NOTE = 300
LONGEST_FIELD = 400


def queue_pages(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.get("/queues")
    def queues(request: Request) -> HTMLResponse:
        """Show every queue, and how much waits in it."""
        return _queues(parts, request, "portal/queues.html")

    @router.get("/queues/count")
    def count(request: Request) -> HTMLResponse:
        """Give the number of open alerts, for the top of every page."""
        return _queues(parts, request, "portal/queue_count.html")

    @router.get("/queues/part")
    def part(request: Request) -> Response:
        """Give what of the queues may have changed, if it has."""
        return _if_new(request, _queues(parts, request, "portal/queues_part.html"))

    @router.get("/queues/{queue}")
    def one(request: Request, queue: str) -> HTMLResponse:
        """Show a queue, a page at a time."""
        return _queue(parts, request, queue, "portal/queue.html")

    @router.get("/queues/{queue}/part")
    def part_of_one(request: Request, queue: str) -> Response:
        """Give what of a queue may have changed, if it has."""
        return _if_new(request, _queue(parts, request, queue, "portal/queue_part.html"))

    return router


def alert_pages(parts: Parts) -> APIRouter:
    """Make the routes of one alert, and of what is done about it."""
    router = APIRouter(prefix="/alerts/{alert}")

    @router.get("")
    def show(request: Request, alert: str) -> HTMLResponse:
        """Show an alert, open or closed, with what may be said and done about it."""
        return _alert(parts, request, alert)

    @router.post("/acknowledge")
    async def acknowledge(request: Request, alert: str) -> Response:
        """Take an alert on."""
        typed, faults, labs_due = _read_acknowledgement(await form_of(request))
        act = partial(queueing.acknowledge, reason=typed["reason"], labs_due=labs_due)
        return await run_in_threadpool(_attend, parts, request, alert, act, Typed(typed, faults))

    @router.post("/give-back")
    async def give_back(request: Request, alert: str) -> Response:
        """Undo that somebody has taken an alert on."""
        return await run_in_threadpool(_attend, parts, request, alert, queueing.give_back, Typed({}, {}))

    @router.post("/resolve")
    async def resolve(request: Request, alert: str) -> Response:
        """Close an alert with a note."""
        note = (await form_of(request)).get("note", "").strip()
        act = partial(queueing.resolve, note=note)
        return await run_in_threadpool(_attend, parts, request, alert, act, Typed({"note": note}, _wrong_with(note)))

    return router


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into a form about an alert, and what is wrong with it, by field; under no field what is refused as a whole."""

    fields: Mapping[str, str]
    faults: dict[str, str]


def _read_acknowledgement(form: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str], date | None]:
    typed = {name: form.get(name, "").strip()[:LONGEST_FIELD] for name in ("reason", "labs_due")}
    try:
        return typed, {}, read_date(typed["labs_due"]) if typed["labs_due"] else None
    except ValueError as wrong:
        return typed, {"labs_due": str(wrong)}, None


def _wrong_with(note: str) -> dict[str, str]:
    if len(note) > LONGEST_NOTE:
        return {"note": f"must have at most {LONGEST_NOTE} characters"}
    return {} if note else {"note": "is needed: it stands in the record beside your name"}


def _attend(parts: Parts, request: Request, alert: str, act: Callable[..., object], typed: Typed) -> Response:
    """Do something about an alert and go to its queue; where it is refused, say so beside what was typed."""
    seen, me = _card(parts, request, alert), person_of(request)
    if not typed.faults:
        try:
            act(parts.engine, me.clinic_id, alert, by=me.name, now=parts.clock.now())
        except (NotAllowed, LedgerHeld) as refused:
            typed.faults[""] = str(refused)
    return _alert(parts, request, alert, typed) if typed.faults else see(f"/queues/{seen.queue.value}")


def _alert(parts: Parts, request: Request, alert: str, typed: Typed | None = None) -> HTMLResponse:
    said = typed or Typed({}, {})
    status = HTTPStatus.UNPROCESSABLE_ENTITY if said.faults else HTTPStatus.OK
    card = _card(parts, request, alert)
    return page(request, "portal/alert.html", status=status, card=card, typed=said.fields, faults=said.faults, **_WORDS)


def _card(parts: Parts, request: Request, alert: str) -> Card:
    me = person_of(request)
    return queueing.card(parts.engine, me.clinic_id, alert, by=me.name, roles=me.roles, now=parts.clock.now())


def _queues(parts: Parts, request: Request, template: str) -> HTMLResponse:
    me = person_of(request)
    counted = queueing.counted(parts.engine, me.clinic_id, by=me.name)
    return page(request, template, counted=counted, seen=_mark(counted), **_WORDS)


def _queue(parts: Parts, request: Request, name: str, template: str) -> HTMLResponse:
    if name not in set(Queue):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    me, after = person_of(request), request.query_params.get("after")
    found = queueing.page(parts.engine, me.clinic_id, Queue(name), by=me.name, roles=me.roles, now=parts.clock.now(), after=after)
    counted = queueing.counted(parts.engine, me.clinic_id, by=me.name)
    return page(request, template, found=found, counted=counted, seen=_mark(counted, found), start=after or "", **_WORDS)


def _mark(counted: tuple[Counted, ...], found: QueuePage | None = None) -> str:
    """What is shown, in short: a page that comes again says by it what it has, and is given nothing if that is still so.

    Of a card it is all but what ticks by itself, the minutes that it is overdue.
    """
    shown = [(card.id, card.words, card.acknowledged_by, card.overdue is None, card.plans) for card in found.cards] if found else []
    return hashlib.sha256(repr((counted, shown)).encode()).hexdigest()[:16]


def _if_new(request: Request, answer: HTMLResponse) -> Response:
    """Give a part, or nothing if the page has it already: what somebody reads, or has the focus in, stays as it is."""
    mark = request.query_params.get("seen", "")
    is_same = bool(mark) and f'data-seen="{mark}"'.encode() in bytes(answer.body)
    return Response(status_code=HTTPStatus.NO_CONTENT) if is_same else answer


_WORDS: Mapping[str, Any] = MappingProxyType(
    {"names": NAMES, "acts": ACT_WORDS, "phone_words": phone_words, "picture": fortnight_strip, "level": level_words}
)
