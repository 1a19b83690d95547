"""A caregiver's page behind a link: what the patient agreed that they see; and for the clinic, the making of that link."""

from __future__ import annotations

import re
from datetime import time
from http import HTTPStatus

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.domain.dose_state import DoseState
from reminders.errors import NotAllowed
from reminders.services import caring
from reminders.services.replying import on_page
from reminders.services.replying.on_page import Answer
from reminders.web.access import address_of, hold_link, holder_of, let_go, person_of
from reminders.web.pages import form_of, page, see
from reminders.web.parts import Parts
from reminders.web.portal.care_words import looks_in, words_in

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
SETTLED = frozenset({DoseState.SKIPPED, DoseState.MISSED})
"""Of these nothing is waited for: that one was given all the same can be told, and nothing invites to give it."""
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def care_pages(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter()
    _looking(router, parts)
    _telling(router, parts)

    @router.post("/patients/{patient}/caregivers/{role}/link")
    def link(request: Request, patient: str, role: str) -> HTMLResponse:
        """Make a link, shown this once."""
        me = person_of(request)
        try:
            made = caring.link(parts.engine, me.clinic_id, patient, role, by=me.name, now=parts.security_clock.now())
        except NotAllowed as refused:
            return page(request, "portal/care_link.html", status=HTTPStatus.CONFLICT, made=None, refused=str(refused))
        return page(request, "portal/care_link.html", made=made, link=f"{parts.address}/care/{made.token}", refused="")

    return router


def _looking(router: APIRouter, parts: Parts) -> None:
    @router.get("/care/{token}")
    def come(request: Request, token: str) -> Response:
        """Let who holds a good link in, and send them on to an address without it, so that no history and no screen keeps it."""
        found = TOKEN.fullmatch(token) and caring.enter(parts.engine, token, address=address_of(request), now=parts.security_clock.now())
        if not found:
            return gone(request, HTTPStatus.NOT_FOUND)
        answer = see("/care")
        hold_link(parts, answer, token)
        return answer

    @router.get("/care")
    def look(request: Request) -> HTMLResponse:
        """Show what they may see."""
        return _page(parts, request, given=request.query_params.get("given", ""))

    @router.post("/care/told/{told}/take-on")
    def take_on(request: Request, told: str) -> Response:
        """Note that they will check on the patient."""
        caring.acknowledge(parts.engine, holder_of(request), told, now=parts.clock.now())
        return see("/care")


def _telling(router: APIRouter, parts: Parts) -> None:
    @router.post("/care/doses/{dose}/gave")
    async def gave(request: Request, dose: str) -> HTMLResponse:
        """Keep that a dose was given, and show what follows."""
        form = await form_of(request)
        at = _when(form)
        if at is None:
            return await run_in_threadpool(_page, parts, request, wrong_time=dose)
        return await run_in_threadpool(_say, parts, request, dose, at)

    @router.post("/care/doses/{dose}/what-now")
    def what_now(request: Request, dose: str) -> HTMLResponse:
        """Show what the plan's rule says of a dose that was not given yet."""
        try:
            answer = on_page.what_now(parts.engine, holder_of(request), dose, now=parts.clock.now())
        except NotAllowed:
            return _page(parts, request, refused=True)
        parts.heard()
        return _page(parts, request, answer=answer)

    @router.post("/care/early")
    async def early(request: Request) -> Response:
        """Keep that the dose that is near was given already, and send the browser on: to look again is no second word."""
        form = await form_of(request)
        return await run_in_threadpool(_say_early, parts, request, form.get("slot", ""))


def gone(request: Request, status: HTTPStatus) -> HTMLResponse:
    """Say that a link is good no more, and nothing of whose it was: in both languages, for nobody knows who asks."""
    return page(request, "portal/care_gone.html", status=status, languages=[("en", words_in("en")), ("es", words_in("es"))])


def link_gone(parts: Parts, request: Request) -> HTMLResponse:
    """The same to who holds a cookie of it, which is taken away."""
    answer = gone(request, HTTPStatus.FORBIDDEN)
    let_go(parts, answer)
    return answer


def _say(parts: Parts, request: Request, dose: str, at: time | str) -> HTMLResponse:
    try:
        answer = on_page.gave(parts.engine, holder_of(request), dose, at=at, now=parts.clock.now())
    except on_page.NoSuchTime:
        return _page(parts, request, wrong_time=dose)
    except NotAllowed:
        return _page(parts, request, refused=True)
    parts.heard()
    return _page(parts, request, answer=answer)


def _say_early(parts: Parts, request: Request, slot: str) -> Response:
    try:
        answer = on_page.gave_early(parts.engine, holder_of(request), slot, now=parts.clock.now())
    except NotAllowed:
        return _page(parts, request, refused=True)
    parts.heard()
    return see(f"/care?given={answer.dose_id}")


def _when(form: dict[str, str]) -> time | str | None:
    """When it was given, as the form says; None where it says no time at all."""
    said = form.get("when", "now")
    if said in {"now", "due"}:
        return on_page.JUST_NOW if said == "now" else on_page.WHEN_DUE
    clock = form.get("at", "")
    return time.fromisoformat(clock) if CLOCK.fullmatch(clock) else None


def _page(
    parts: Parts, request: Request, *, answer: Answer | None = None, given: str = "", wrong_time: str = "", refused: bool = False
) -> HTMLResponse:
    seen = caring.page(parts.engine, holder_of(request), now=parts.clock.now())
    noted = next((dose.when for dose in seen.today or () if dose.id == given and dose.state is DoseState.TAKEN), "")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong_time else HTTPStatus.CONFLICT if refused else HTTPStatus.OK
    return page(
        request,
        "portal/care.html",
        status=status,
        seen=seen,
        t=words_in(seen.language),
        looks=looks_in(seen.language),
        settled=SETTLED,
        answer=answer,
        noted=answer.when if answer else noted,
        wrong_time=wrong_time,
        refused=refused,
    )
