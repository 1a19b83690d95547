"""A patient's list of other medicines: what goes on it, what comes off, and what a provider takes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.domain.roles import Right, has_right
from reminders.errors import BadFile, LedgerHeld
from reminders.services import reconciling
from reminders.web.access import person_of
from reminders.web.pages import by_field, form_of, page, see
from reminders.web.parts import Parts

LONGEST_FIELD = 300


def medicine_pages(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/patients/{patient}/medicines")

    @router.get("")
    def medicines(request: Request, patient: str) -> HTMLResponse:
        """Show the list, with what each medicine does beside each plan."""
        return _medicines(parts, request, patient)

    @router.post("/add")
    async def add(request: Request, patient: str) -> Response:
        """Put a medicine on it."""
        typed, who = await _typed(request, "name", "reason"), person_of(request)
        act = partial(
            reconciling.add,
            parts.engine,
            who.clinic_id,
            patient,
            name=typed["name"],
            reason=typed["reason"],
            by=who.name,
            now=parts.clock.now(),
        )
        return await run_in_threadpool(_done, parts, request, patient, act, ("add", typed))

    @router.post("/{medicine}/remove")
    async def remove(request: Request, patient: str, medicine: str) -> Response:
        """Take one off it."""
        typed, who = await _typed(request, "reason"), person_of(request)
        act = partial(
            reconciling.remove, parts.engine, who.clinic_id, patient, medicine, reason=typed["reason"], by=who.name, now=parts.clock.now()
        )
        return await run_in_threadpool(_done, parts, request, patient, act, (medicine, typed))

    @router.post("/{alert}/acknowledge")
    async def acknowledge(request: Request, patient: str, alert: str) -> Response:
        """Take on that one interacts."""
        typed, who = await _typed(request, "reason", "labs_due"), person_of(request)
        act = partial(reconciling.acknowledge, parts.engine, who.clinic_id, patient, alert, **typed, by=who.name, now=parts.clock.now())
        return await run_in_threadpool(_done, parts, request, patient, act, (alert, typed))

    return router


async def _typed(request: Request, *names: str) -> dict[str, str]:
    form = await form_of(request)
    return {name: form.get(name, "").strip()[:LONGEST_FIELD] for name in names}


def _done(parts: Parts, request: Request, patient: str, act: Callable[[], None], form: tuple[str, Mapping[str, str]]) -> Response:
    """Do what a form says, or show the list again with what is wrong beside its field. `form`: which one, and what was typed."""
    try:
        act()
    except (BadFile, LedgerHeld) as refused:
        faults = by_field(refused) if isinstance(refused, BadFile) else {"": str(refused)}
        return _medicines(parts, request, patient, form=form, faults=faults)
    parts.heard()
    return see(f"/patients/{patient}/medicines")


def _medicines(
    parts: Parts,
    request: Request,
    patient: str,
    *,
    form: tuple[str, Mapping[str, str]] = ("", {}),
    faults: Mapping[str, str] | None = None,
) -> HTMLResponse:
    me = person_of(request)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    shown = {
        "listed": reconciling.standing(parts.engine, me.clinic_id, patient),
        "faulty": form[0],
        "typed": form[1],
        "faults": faults or {},
    }
    return page(request, "portal/medicines.html", status=status, prescribes=has_right(me.roles, Right.PRESCRIBE), **shown)
