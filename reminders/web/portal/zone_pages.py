"""A patient's move to another zone: its seam is shown before anybody says yes."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.errors import BadFile, LedgerHeld
from reminders.services import moving
from reminders.services.moving import SeamChanged
from reminders.web.access import person_of
from reminders.web.pages import by_field, form_of, page, see
from reminders.web.parts import Parts
from reminders.web.portal.enrol_form import ZONES, field_of

if TYPE_CHECKING:
    from reminders.services.moving import Moved

LONGEST_REASON = 400


def zone_pages(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/patients/{patient}/zone")

    @router.get("")
    def ask(request: Request, patient: str) -> HTMLResponse:
        """Ask where to."""
        return _zone_page(parts, request, patient, {"zone": "", "reason": ""}, faults={})

    @router.post("")
    async def answer(request: Request, patient: str) -> Response:
        """Show what a move would do, or do it once it was shown."""
        form = await form_of(request)
        return await run_in_threadpool(_answer, parts, request, form, patient)

    return router


def _answer(parts: Parts, request: Request, form: Mapping[str, str], patient: str) -> Response:
    me, now = person_of(request), parts.clock.now()
    typed = {"zone": field_of(form, "zone"), "reason": field_of(form, "reason").strip()[:LONGEST_REASON]}
    faults: Mapping[str, str] = {}
    if form.get("step") == "do":
        try:
            given = {"seen": form.get("seen", ""), "by": me.name, "reason": typed["reason"], "now": now}
            moving.move(parts.engine, me.clinic_id, patient, typed["zone"], **given)  # type: ignore[arg-type]  # each is what it is
        except BadFile as bad:
            faults = by_field(bad)
        except (SeamChanged, LedgerHeld) as refused:
            faults = {"": str(refused)}
        else:
            parts.heard()
            return see(f"/patients/{patient}")
    try:
        seen = moving.preview(parts.engine, me.clinic_id, patient, typed["zone"], now=now)
    except BadFile as bad:
        return _zone_page(parts, request, patient, typed, faults=by_field(bad))
    return _zone_page(parts, request, patient, typed, faults=faults, seen=seen)


def _zone_page(
    parts: Parts, request: Request, patient: str, typed: Mapping[str, str], *, faults: Mapping[str, str], seen: Moved | None = None
) -> HTMLResponse:
    who = moving.whose(parts.engine, person_of(request).clinic_id, patient)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    shown = {"patient": who, "seen": seen, "typed": typed, "faults": faults, "zones": ZONES, "now": parts.clock.now()}
    return page(request, "portal/patient_zone.html", status=status, **shown)
