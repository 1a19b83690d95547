"""Who works at the clinic: for its admin."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.domain.roles import StaffRole
from reminders.errors import NotAllowed, NotFound
from reminders.formats.parts import read_name
from reminders.services import signing_in, staffing
from reminders.web.access import person_of
from reminders.web.pages import form_of, page, see
from reminders.web.parts import Parts


def people_pages(parts: Parts) -> APIRouter:
    """Make the routes. Each asks and changes the list of the clinic of who asks, and no other's."""
    router = APIRouter(prefix="/people")

    @router.get("")
    def people(request: Request) -> HTMLResponse:
        """Show everybody on the list."""
        return _people(parts, request)

    @router.post("/add")
    async def add(request: Request) -> Response:
        """Put a person on the list, or give one these roles."""
        form, me = await form_of(request), person_of(request)
        roles = {role for role in StaffRole if form.get(role.value) == "yes"}
        try:
            name = read_name(form.get("name", "").strip())
            await run_in_threadpool(staffing.add, parts.engine, me.clinic_id, name, roles, by=me.name, now=parts.clock.now())
        except (ValueError, NotAllowed) as refused:
            return await run_in_threadpool(_people, parts, request, typed=form, fault=str(refused))
        return see("/people")

    @router.post("/end")
    async def end(request: Request) -> Response:
        """Let a person decide nothing more, and sign them out."""
        form, me = await form_of(request), person_of(request)
        try:
            await run_in_threadpool(staffing.end, parts.engine, me.clinic_id, form.get("name", ""), by=me.name, now=parts.clock.now())
        except (NotFound, NotAllowed) as refused:
            return await run_in_threadpool(_people, parts, request, fault=str(refused))
        return see("/people")

    @router.post("/invite")
    async def invite(request: Request) -> Response:
        """Make a one-time link for a person, shown this once."""
        form, me = await form_of(request), person_of(request)
        name, new_device = form.get("name", ""), form.get("new_device") == "yes"
        try:
            token = await run_in_threadpool(
                signing_in.invite, parts.engine, me.clinic_id, name, new_device=new_device, by=me.name, now=parts.security_clock.now()
            )
        except NotFound as refused:
            return await run_in_threadpool(_people, parts, request, fault=str(refused))
        return await run_in_threadpool(_people, parts, request, link=(name, f"{parts.address}/setup/{token}"))

    return router


def _people(
    parts: Parts, request: Request, *, typed: dict[str, str] | None = None, fault: str = "", link: tuple[str, str] | None = None
) -> HTMLResponse:
    members = staffing.listed(parts.engine, person_of(request).clinic_id)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK
    roles = list(StaffRole)
    return page(request, "people.html", status=status, members=members, roles=roles, typed=typed or {}, fault=fault, link=link)
