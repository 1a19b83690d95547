"""The web, put together from its parts. It parses, asks one service and renders; it decides nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from fastapi import Depends, FastAPI, Request
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from reminders.services import watching
from reminders.web.access import SAFE, LinkGone, SignInFirst, guarding
from reminders.web.api import api_app
from reminders.web.api.rows import API
from reminders.web.counting import Counted, Counts
from reminders.web.guard import Guard
from reminders.web.metrics import metrics
from reminders.web.pages import is_part, see
from reminders.web.parts import Parts
from reminders.web.people_pages import people_pages
from reminders.web.portal import portal
from reminders.web.portal.care_pages import link_gone
from reminders.web.probe import probe
from reminders.web.problems import answer_with_problems, problem
from reminders.web.sign_in_pages import setup_pages, sign_in_pages
from reminders.web.static_files import static_files
from reminders.web.status_page import status_page
from reminders.web.webhooks import webhooks

ANSWERING_SECONDS = 4
"""For how long a process that was asked to stop still answers who has called already. What is being sent ends after that, in ten more."""

UVICORN: dict[str, Any] = {
    "log_config": None,
    "server_header": False,
    "proxy_headers": False,
    "timeout_graceful_shutdown": ANSWERING_SECONDS,  # else one slow caller, or one that keeps calling, keeps it for ever
}
"""How the app is served."""


def create_app(parts: Parts) -> FastAPI:
    """Make the app. It publishes no description of itself, and loads nothing from elsewhere."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with parts.lifespan():
            yield

    counts = Counts()
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # a redirection would take its address from the Host header
        lifespan=lifespan,
        dependencies=[Depends(guarding(parts))],
        middleware=[Middleware(Guard), Middleware(Counted, counts=counts), *_believing(parts.trusted_proxies)],
    )
    answer_with_problems(app)
    app.add_exception_handler(SignInFirst, _sign_in_first)
    app.add_exception_handler(LinkGone, lambda request, _: link_gone(parts, request))
    app.state.counts = counts
    app.state.transport = parts.transport
    app.state.sandbox = parts.sandbox
    app.include_router(webhooks(parts, counts))
    app.include_router(probe(parts))
    app.include_router(metrics(parts, counts))
    app.include_router(status_page(parts))
    app.include_router(sign_in_pages(parts))
    app.include_router(setup_pages(parts))
    app.include_router(people_pages(parts))
    app.mount(API, api_app(parts))
    app.include_router(static_files())
    for router in portal(parts):
        app.include_router(router)

    @app.head("/healthz", include_in_schema=False)
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the process answers. Looks at nothing."""
        return {"status": "ok"}

    @app.head("/readyz", include_in_schema=False)
    @app.get("/readyz")
    def readyz() -> JSONResponse:
        """Say whether the process is fit to serve, and what was looked at."""
        found = parts.readiness() if parts.readiness else watching.readiness(parts.engine, now=parts.clock.now())
        return JSONResponse(asdict(found), HTTPStatus.OK if found.ok else HTTPStatus.SERVICE_UNAVAILABLE)

    return app


def _believing(proxies: tuple[str, ...]) -> list[Middleware]:
    """Take the proxies' word for who asks, and nobody else's: the last address in line that is none of theirs."""
    return [Middleware(ProxyHeadersMiddleware, trusted_hosts=list(proxies))] if proxies else []


async def _sign_in_first(request: Request, _: Exception) -> Response:
    """Send who looks at a page to sign in; refuse anything else, which would be lost on the way."""
    if is_part(request):  # a page that asks again by itself goes as a whole, else the form would stand in a corner of it
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": "/sign-in"})
    return see("/sign-in") if request.method in SAFE else problem(HTTPStatus.UNAUTHORIZED)
