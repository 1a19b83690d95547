"""One dose in full, from its cell: what was learnt and decided with which numbers, and setting it right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.domain.dose_state import SETTABLE, DoseState, EventKind
from reminders.errors import LedgerHeld, NotAllowed
from reminders.services import charting, prescribing
from reminders.web.access import person_of
from reminders.web.dose_grid import LOOKS, words_of
from reminders.web.pages import form_of, page, see
from reminders.web.parts import Parts
from reminders.web.words import words

if TYPE_CHECKING:
    from reminders.services.charting import DoseSeen

LONGEST_REASON = 400

FACTS: Mapping[EventKind, str] = MappingProxyType(
    {
        EventKind.FELL_DUE: "fell due",
        EventKind.TEXT_ACCEPTED: "its text was handed to the carrier",
        EventKind.TEXT_DELIVERED: "its text was delivered",
        EventKind.TEXT_FAILED: "its text did not arrive",
        EventKind.TEXT_ENDED: "no text, or none any more",
        EventKind.SAID_TAKEN: "told as taken",
        EventKind.SAID_NOT_TAKEN: "told as not taken",
        EventKind.SAID_ODD: "told as two, half or vomited",
        EventKind.ADVISED_TAKE: "advised: take it now",
        EventKind.ADVISED_SKIP: "advised: leave it out",
        EventKind.CLOSED: "closed: its time for an answer was over",
        EventKind.OPTED_OUT: "texts were ended",
        EventKind.NOT_DUE: "not due any more",
        EventKind.MUTED: "muted: outside all counts",
        EventKind.CORRECTED: "set right",
    }
)
"""What can be learnt of a dose, in words."""

SET_TO: Mapping[DoseState, str] = MappingProxyType(
    {state: words(state.value) for state in SETTABLE}
    | {DoseState.UNCONFIRMED: "unconfirmed: nobody knows", DoseState.OPEN: "open: ask and wait for an answer"}
)
"""What a person may set a dose to, in words."""


def dose_pages(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/patients/{patient}/plans/{plan}")

    @router.get("/dose")
    def show(request: Request, patient: str, plan: str) -> HTMLResponse:
        """Show a dose, by its date and number; without them, ask which."""
        me, query = person_of(request), request.query_params
        if not query.keys() & {"date", "slot"}:
            return page(request, "portal/which_dose.html", seen=charting.plan_of(parts.engine, me.clinic_id, patient, plan, by=me.name))
        return _show(request, _seen(parts, request, patient, plan, query))

    @router.post("/dose")
    async def correct(request: Request, patient: str, plan: str) -> Response:
        """Set a dose right, by name and with a reason. What was known before is kept; undoing is another correction."""
        form = await form_of(request)
        return await run_in_threadpool(_correct, parts, request, form, patient=patient, plan=plan)

    return router


def _correct(parts: Parts, request: Request, form: Mapping[str, str], *, patient: str, plan: str) -> Response:
    seen, me = _seen(parts, request, patient, plan, form), person_of(request)
    state = next((state for state in SET_TO if state.value == form.get("state")), None)
    reason = form.get("reason", "").strip()[:LONGEST_REASON]
    faults = {} if state else {"state": "is one of these"}
    if not reason:
        faults["reason"] = "is needed: it stands in the record beside your name"
    if state is None or faults:
        return _show(request, seen, typed=form, faults=faults)
    cell = seen.dose.cell
    key = {"plan_ref": seen.ref, "clinic_id": me.clinic_id, "by": me.name}
    try:
        prescribing.correct(
            parts.engine, local_date=cell.local_date, slot_no=cell.number, state=state, reason=reason, now=parts.clock.now(), **key
        )
    except (NotAllowed, LedgerHeld) as refused:
        return _show(request, seen, typed=form, faults={"": str(refused)})
    return see(f"/patients/{patient}/plans/{plan}/dose?date={cell.local_date.isoformat()}&slot={cell.number}")


def _seen(parts: Parts, request: Request, patient: str, plan: str, given: Mapping[str, str]) -> DoseSeen:
    me = person_of(request)
    on, number = _slot(given)
    return charting.dose(parts.engine, me.clinic_id, patient, plan, on=on, number=number, by=me.name)


def _slot(given: Mapping[str, str]) -> tuple[date, int]:
    """Read which dose is meant; not found where that is none."""
    number = given.get("slot", "")
    if not re.fullmatch(r"[1-9][0-9]?", number):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    try:
        return date.fromisoformat(given.get("date", "")), int(number)
    except ValueError:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None


def _show(
    request: Request, seen: DoseSeen, *, typed: Mapping[str, str] | None = None, faults: Mapping[str, str] | None = None
) -> HTMLResponse:
    cell = seen.dose.cell
    return page(
        request,
        "portal/dose.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK,
        seen=seen,
        dose=seen.dose,
        words=words_of(cell, seen.dose.unit, seen.zone),
        letter=LOOKS[cell.mark],
        facts=FACTS,
        choices=SET_TO,
        typed=typed or {},
        faults=faults or {},
    )
