"""The keys with which programs ask the API: for the clinic's admin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.domain.roles import StaffRole
from reminders.errors import BadFile, Fault, NotAllowed, NotFound
from reminders.formats.parts import read_name
from reminders.services import key_holding, staffing
from reminders.services.key_holding import KEY_HOLDS, KEY_HOLDS_LONGEST, Key
from reminders.web.access import person_of
from reminders.web.pages import by_field, form_of, page, see
from reminders.web.parts import Parts

_DAYS = re.compile(r"[0-9]{1,3}")
_ID = re.compile(r"[0-9a-f]{32}")
_NOTHING: Mapping[str, str] = MappingProxyType({})


def key_pages(parts: Parts) -> APIRouter:
    """Make the routes. Each shows and changes the keys of the clinic of who asks, and no other's."""
    router = APIRouter(prefix="/keys")

    @router.get("")
    def keys(request: Request) -> HTMLResponse:
        """Show every key, those that are over among them."""
        return _keys(parts, request)

    @router.post("/add")
    async def add(request: Request) -> Response:
        """Make a key, shown this once."""
        form = await form_of(request)
        try:
            made = await run_in_threadpool(_make, parts, request, form)
        except BadFile as bad:
            return await run_in_threadpool(_keys, parts, request, typed=form, faults=by_field(bad))
        return await run_in_threadpool(_keys, parts, request, made=made)

    @router.post("/end")
    async def end(request: Request) -> Response:
        """Let a key open nothing more."""
        form, me, now = await form_of(request), person_of(request), parts.security_clock.now()
        key = form.get("key", "")
        try:
            await run_in_threadpool(key_holding.end, parts.engine, me.clinic_id, key if _ID.fullmatch(key) else "", by=me.name, now=now)
        except (NotFound, NotAllowed) as refused:
            return await run_in_threadpool(_keys, parts, request, refused=str(refused))
        return see("/keys")

    return router


def _make(parts: Parts, request: Request, form: Mapping[str, str]) -> tuple[Key, str]:
    """Make a key of what was filled in. Raises BadFile with what is wrong, by field."""
    me, roles = person_of(request), {role for role in StaffRole if form.get(role.value) == "yes"}
    if faults := tuple(_faults(form, roles)):
        raise BadFile(faults)
    name, holder, holds = form["name"].strip(), form.get("holder", ""), timedelta(days=int(form["days"]))
    try:
        return key_holding.make(parts.engine, me.clinic_id, holder, name, roles, by=me.name, now=parts.security_clock.now(), holds=holds)
    except NotFound:
        raise BadFile([Fault("holder", "is nobody on the list: choose a person")]) from None
    except NotAllowed as refused:
        raise BadFile([Fault("roles", str(refused))]) from refused


def _faults(form: Mapping[str, str], roles: set[StaffRole]) -> Iterator[Fault]:
    try:
        read_name(form.get("name", "").strip())
    except ValueError as error:
        yield Fault("name", str(error))
    if not roles:
        yield Fault("roles", "choose one at least")
    days = form.get("days", "")
    if not _DAYS.fullmatch(days) or not 1 <= int(days) <= KEY_HOLDS_LONGEST.days:
        yield Fault("days", f"must be a whole number from 1 to {KEY_HOLDS_LONGEST.days}")


def _keys(
    parts: Parts,
    request: Request,
    *,
    typed: Mapping[str, str] = _NOTHING,
    faults: Mapping[str, str] = _NOTHING,
    refused: str = "",
    made: tuple[Key, str] | None = None,
) -> HTMLResponse:
    clinic_id = person_of(request).clinic_id
    known = key_holding.listed(parts.engine, clinic_id)
    members = [member for member in staffing.listed(parts.engine, clinic_id) if member.ended_at is None]
    return page(
        request,
        "portal/keys.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if faults or refused else HTTPStatus.OK,
        keys=known,
        members=members,
        roles=list(StaffRole),
        typed={"days": str(KEY_HOLDS.days), **typed},
        faults=faults,
        refused=refused,
        made=made,
        now=parts.security_clock.now(),
    )
