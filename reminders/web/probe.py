"""The address that refuses what the carrier calls, on purpose: `doseline doctor --live` asks how often it tries again."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from reminders.services import probing
from reminders.web.parts import Parts
from reminders.web.webhooks import STATUS, carrier_of, field_of, tag_of, token_of, verified


def probe(parts: Parts) -> APIRouter:
    """Make the route. It keeps each signed call about a probe of ours, and answers 503; to calls about none it says nothing."""
    router = APIRouter(prefix="/sms")

    @router.post("/probe")
    async def refuse(request: Request) -> Response:
        """Keep a call, and refuse it."""
        form = await verified(request, carrier_of(parts))
        known = await run_in_threadpool(
            probing.note_call,
            parts.engine,
            tag=tag_of(request) or "",
            status=field_of(form, "MessageStatus", STATUS),
            token=token_of(request),
            now=parts.clock.now(),
        )
        return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE if known else HTTPStatus.NO_CONTENT)

    return router
