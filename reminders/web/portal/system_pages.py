"""The installation, for who runs it: what is wrong, what works, and its clinics by numbers. No patient is to be seen from here."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse

from reminders.errors import BadFile, DoselineError
from reminders.formats.parts import read_name
from reminders.services import watching
from reminders.services.signing_in import operating
from reminders.web.access import operator_of
from reminders.web.pages import by_field, form_of, page
from reminders.web.parts import Parts
from reminders.web.portal.enrol_form import ZONES

FIELDS = ("clinic", "phone", "zone", "name")


def system_pages(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/system")

    @router.get("")
    def installation(request: Request) -> HTMLResponse:
        """Show how the installation stands."""
        return _page(parts, request)

    @router.post("/clinics")
    async def make_clinic(request: Request) -> HTMLResponse:
        """Make a clinic, and a one-time link for its first admin, shown this once."""
        form, me = await form_of(request), operator_of(request)
        given = {name: form.get(name, "").strip() for name in FIELDS}
        named = {"clinic": given["clinic"], "phone": given["phone"], "zone": given["zone"], "admin": given["name"]}
        try:
            token = await run_in_threadpool(operating.make_clinic, parts.engine, **named, by=me.name, now=parts.security_clock.now())
        except BadFile as bad:
            return await run_in_threadpool(_page, parts, request, typed=given, faults=dict(by_field(bad)))
        link = (f"{given['name']} at {given['clinic']}", f"{parts.address}/setup/{token}")
        return await run_in_threadpool(_page, parts, request, link=link)

    @router.post("/invite")
    async def invite(request: Request) -> HTMLResponse:
        """Put another system admin on the list, with a one-time link, shown this once."""
        form, me = await form_of(request), operator_of(request)
        try:
            name = read_name(form.get("admin", "").strip())
            token = await run_in_threadpool(operating.add, parts.engine, name, by=me.name, now=parts.security_clock.now())
        except (ValueError, DoselineError) as refused:
            faults = {"admin": str(refused)}
            return await run_in_threadpool(_page, parts, request, typed={"admin": form.get("admin", "")}, faults=faults)
        return await run_in_threadpool(_page, parts, request, link=(name, f"{parts.address}/setup/{token}"))

    return router


def _page(
    parts: Parts,
    request: Request,
    *,
    typed: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
    link: tuple[str, str] | None = None,
) -> HTMLResponse:
    now = parts.clock.now()
    ready = parts.readiness() if parts.readiness else watching.readiness(parts.engine, now=now)
    return page(
        request,
        "portal/system.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK,
        seen=operating.installation(parts.engine, now=now),
        ready=ready,
        zones=ZONES,
        typed={name: (typed or {}).get(name, "") for name in (*FIELDS, "admin")},
        faults=faults or {},
        link=link,
    )
