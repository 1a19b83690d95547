"""Signing in and out, and setting an account up behind a one-time link."""

from __future__ import annotations

import re
from http import HTTPStatus

import segno
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.errors import BadFile
from reminders.services import signing_in
from reminders.services.signing_in import Opened, SetUp
from reminders.web.access import address_of, cookie_name, let_in, let_out, person_of
from reminders.web.pages import by_field, form_of, page, see
from reminders.web.parts import Parts
from reminders.web.portal.enrol_form import ZONES

LONGEST_FIELD = 200
"""Characters of a field that are looked at: a password is 128 at most."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def sign_in_pages(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.get("/sign-in")
    def ask(request: Request) -> Response:
        """Ask who it is."""
        if request.state.person is not None or request.state.operator is not None:
            return see("/")
        return page(request, "sign_in.html", login="", refused=False)

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        """Let somebody in; whatever is wrong, the answer is the same."""
        form = await form_of(request)
        token = await run_in_threadpool(
            signing_in.sign_in,
            parts.engine,
            login=_field(form, "login"),
            password=_field(form, "password"),
            code=_field(form, "code"),
            address=address_of(request),
            now=parts.security_clock.now(),
        )
        if token is None:
            return page(request, "sign_in.html", status=HTTPStatus.FORBIDDEN, login=_field(form, "login"), refused=True)
        await _leave(parts, request)  # what the browser held before is good no more
        answer = see("/")
        let_in(parts, answer, token)
        return answer

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        """Let somebody out."""
        return await _out(parts, request, everywhere=False)

    @router.post("/sign-out/everywhere")
    async def sign_out_everywhere(request: Request) -> Response:
        """Let somebody out, wherever they are signed in."""
        return await _out(parts, request, everywhere=True)

    @router.get("/account")
    def account(request: Request) -> HTMLResponse:
        """Show how somebody signs in."""
        login, codes = signing_in.account_of(parts.engine, person_of(request))
        return page(request, "account.html", login=login, codes=codes)

    return router


def setup_pages(parts: Parts) -> APIRouter:
    """Make the routes behind a one-time link."""
    router = APIRouter()

    @router.get("/setup/{token}")
    def begin(request: Request, token: str) -> HTMLResponse:
        """Show what is to be filled in behind a one-time link."""
        return _setup_page(request, _opened(parts, token), {}, {})

    @router.post("/setup/{token}")
    async def set_up(request: Request, token: str) -> HTMLResponse:
        """Set an account up, and show its recovery codes, this once."""
        form = await form_of(request)
        seen = await run_in_threadpool(_opened, parts, token)
        try:
            codes = await run_in_threadpool(signing_in.set_up, parts.engine, token, _given(form), now=parts.security_clock.now())
        except BadFile as bad:
            return _setup_page(request, seen, form, dict(by_field(bad)))
        if codes is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return page(request, "set_up.html", codes=codes, login=_field(form, "login").strip().casefold())

    return router


async def _out(parts: Parts, request: Request, *, everywhere: bool) -> Response:
    await _leave(parts, request, everywhere=everywhere)
    answer = see("/sign-in")
    let_out(parts, answer)
    return answer


async def _leave(parts: Parts, request: Request, *, everywhere: bool = False) -> None:
    token = request.cookies.get(cookie_name(parts))
    if token:
        await run_in_threadpool(signing_in.sign_out, parts.engine, token, everywhere=everywhere, now=parts.security_clock.now())


def _opened(parts: Parts, token: str) -> Opened:
    seen = signing_in.opened(parts.engine, token, now=parts.security_clock.now()) if _TOKEN.fullmatch(token) else None
    if seen is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return seen


def _setup_page(request: Request, seen: Opened, form: dict[str, str], faults: dict[str, str]) -> HTMLResponse:
    """Show the form with what was typed, but the password and the code, and what is wrong beside each field."""
    typed = {name: _field(form, name) for name in ("login", "name", "clinic", "phone", "zone", "prescribes")}
    address = seen.otpauth(typed["login"] or seen.name or "Doseline")
    square = None if address is None else segno.make(address, error="m").svg_inline(scale=4, border=2, light="#fff", title="")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return page(request, "setup.html", status=status, seen=seen, typed=typed, faults=faults, square=square, zones=ZONES)


def _given(form: dict[str, str]) -> SetUp:
    texts = {name: _field(form, name) for name in ("login", "password", "code", "name", "clinic", "phone", "zone")}
    return SetUp(**texts, prescribes=_field(form, "prescribes") == "yes")


def _field(form: dict[str, str], name: str) -> str:
    return form.get(name, "")[:LONGEST_FIELD]
