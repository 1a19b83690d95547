"""A patient's conversation and timeline: reading, writing in one's own words, taking over and handing back."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.errors import BadFile, LedgerHeld, NotAllowed
from reminders.services import charting, conversing
from reminders.services.charting import Before, Kind
from reminders.web.access import person_of
from reminders.web.pages import by_field, form_of, is_part, page, see
from reminders.web.parts import Parts
from reminders.web.places import address_of, place_in

LONGEST_WORDS = 1000

STANDINGS: Mapping[str, str] = MappingProxyType(
    {
        "queued": "waits to be sent",
        "sending": "on its way",
        "unknown": "nobody knows yet whether it left",
        "accepted": "with the carrier",
        "sent": "with the carrier",
        "delivered": "delivered",
        "undelivered": "not delivered",
        "failed": "not delivered",
        "not_sent": "not sent",
        "expired": "not sent: its time was over",
        "cancelled": "taken back before it left",
    }
)
"""What became of a text of ours; what the carrier calls otherwise stands as it says it."""

KIND_WORDS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.TEXTS: "Texts",
        Kind.PLANS: "Plans",
        Kind.HOW_IT_GOES: "How it goes",
        Kind.ALERTS: "Alerts",
        Kind.DOSES: "Doses set right",
        Kind.ACTS: "Other acts",
    }
)


def talking_pages(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/patients/{patient}")

    @router.get("/conversation")
    def show(request: Request, patient: str) -> HTMLResponse:
        """Show the conversation, its newest texts or those before a place; or, to a page that is open, its texts alone."""
        return _conversation(parts, request, patient)

    @router.post("/conversation")
    async def write(request: Request, patient: str) -> Response:
        """Write to the patient in one's own words."""
        form = await form_of(request)
        return await run_in_threadpool(_write, parts, request, patient, form)

    @router.post("/conversation/take-over")
    def take_over(request: Request, patient: str) -> Response:
        """Take the conversation over."""
        me = person_of(request)
        conversing.take_over(parts.engine, me.clinic_id, patient, by=me.name, now=parts.clock.now())
        return see(f"/patients/{patient}/conversation")

    @router.post("/conversation/hand-back")
    def hand_back(request: Request, patient: str) -> Response:
        """Hand it back."""
        me = person_of(request)
        conversing.hand_back(parts.engine, me.clinic_id, patient, by=me.name, now=parts.clock.now())
        return see(f"/patients/{patient}/conversation")

    @router.get("/timeline")
    def timeline(request: Request, patient: str) -> HTMLResponse:
        """Show what happened, of one kind or of all, newest first, and what is to come."""
        me, kind = person_of(request), next((kind for kind in Kind if kind.value == request.query_params.get("kind")), None)
        seen = charting.timeline(parts.engine, me.clinic_id, patient, by=me.name, now=parts.clock.now(), kind=kind, before=_place(request))
        return page(request, "portal/timeline.html", line=seen, kind=kind, kinds=KIND_WORDS, place_of=address_of)

    return router


def new_key() -> str:
    """What a text is known by before it is written: a form sent twice writes it once."""
    return secrets.token_urlsafe(18)


def _place(request: Request) -> Before | None:
    try:
        return place_in(request.query_params.get("older", ""))
    except ValueError:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None


def _write(parts: Parts, request: Request, patient: str, form: Mapping[str, str]) -> Response:
    me, words = person_of(request), form.get("words", "").strip()
    try:
        conversing.write(
            parts.engine,
            me.clinic_id,
            patient,
            words[:LONGEST_WORDS],
            by=me.name,
            key=form.get("key", ""),
            takes_over=form.get("takes_over") == "yes",
            now=parts.clock.now(),
        )
    except BadFile as bad:
        return _conversation(parts, request, patient, typed=form, faults=by_field(bad))
    except (NotAllowed, LedgerHeld) as refused:
        return _conversation(parts, request, patient, typed=form, faults={"words": f"cannot be sent: {refused}"})
    return see(f"/patients/{patient}/conversation")


def _conversation(
    parts: Parts, request: Request, patient: str, *, typed: Mapping[str, str] | None = None, faults: Mapping[str, str] | None = None
) -> HTMLResponse:
    me = person_of(request)
    seen = conversing.conversation(parts.engine, me.clinic_id, patient, by=me.name, now=parts.clock.now(), before=_place(request))
    return page(
        request,
        "portal/said.html" if is_part(request) else "portal/conversation.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK,
        talk=seen,
        newest="older" not in request.query_params,
        standings=STANDINGS,
        typed=typed or {},
        faults=faults or {},
        key=new_key(),
        place_of=address_of,
    )
