"""What the carrier calls: verify, parse, one service call, which commits, then answer.

Nothing is believed that is not signed, and no refusal says why. Twilio signs no time, so a captured request can be replayed
for ever: the services behind take in each id once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reminders.errors import Unsigned
from reminders.web.parts import Carrier, Parts

LONGEST_BODY = 64 * 1024
MOST_FIELDS = 500
READING_SECONDS = 10  # Twilio itself gives up after 15 s
FORM = "application/x-www-form-urlencoded"
NO_WORDS = '<?xml version="1.0" encoding="UTF-8"?><Response/>'  # what we say back is a text of its own, with its own row

_SID = re.compile(r"[A-Za-z0-9]{1,40}")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,40}")
_STATUS = re.compile(r"[a-z_]{1,20}")
_ADDRESS = re.compile(r"[\x21-\x7e]{1,40}")
_CODE = re.compile(r"[0-9]{1,9}")

Form = Sequence[tuple[str, str]]


def webhooks(parts: Parts) -> APIRouter:
    """Make the routes that the carrier calls."""
    router = APIRouter(prefix="/sms")

    @router.post("/inbound")
    async def inbound(request: Request) -> Response:
        """Take in a text that somebody sent."""
        carrier = _carrier(parts)
        form = await _verified(request, carrier)
        if not _is_to_us(form, carrier):
            raise Unsigned
        now = parts.clock.now()
        await run_in_threadpool(
            parts.receive,
            parts.engine,
            sid=_field(form, "MessageSid", _SID),
            from_phone=_field(form, "From", _ADDRESS),
            to_phone=_field(form, "To", _ADDRESS),
            body=_value(form, "Body").replace("\x00", ""),  # PostgreSQL holds no NUL
            received_at=now,
            now=now,
        )
        parts.heard()
        return Response(NO_WORDS, media_type="text/xml")

    @router.post("/status")
    async def status(request: Request) -> Response:
        """Take in a receipt for a text of ours."""
        form = await _verified(request, _carrier(parts))
        code, tag = _value(form, "ErrorCode"), request.query_params.get("tag", "")
        await run_in_threadpool(
            parts.receive_status,
            parts.engine,
            sid=_field(form, "MessageSid", _SID),
            status=_field(form, "MessageStatus", _STATUS),
            tag=tag if _TAG.fullmatch(tag) else None,
            error_code=int(code) if _CODE.fullmatch(code) else None,
            now=parts.clock.now(),
        )
        parts.heard()
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return router


def _carrier(parts: Parts) -> Carrier:
    """Return the carrier; without one (the sandbox) there is nothing here, and no body is even read."""
    if parts.carrier is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return parts.carrier


async def _verified(request: Request, carrier: Carrier) -> Form:
    """Return the form of a request that this account's carrier signed. Raises Unsigned for any other."""
    body = await _body(request)
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    form = _form(body) if kind == FORM else None
    signed = carrier.is_signed(
        carrier.public_url + _target(request),
        body.decode(errors="replace") if form is None else form,
        signature=request.headers.get("X-Twilio-Signature", ""),
        signature_settings=request.headers.get("X-Twilio-Webhooks-Signature-Settings", ""),
    )
    if not signed:
        raise Unsigned
    if form is None:  # signed, but texts and receipts are forms
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if _value(form, "AccountSid") != carrier.account_sid:
        raise Unsigned
    return form


async def _body(request: Request) -> bytes:
    """Read a body of at most 64 KiB, within ten seconds."""
    body = bytearray()
    try:
        async with asyncio.timeout(READING_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LONGEST_BODY:
                    raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT) from None
    return bytes(body)


def _form(body: bytes) -> Form:
    """Read a form with all its repeats and blanks: every one of them is signed."""
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Unsigned from None


def _target(request: Request) -> str:
    """Return path and query as they were asked for; never the host, which whoever asks can choose."""
    path, query = request.scope.get("raw_path") or request.url.path.encode(), request.scope["query_string"]
    return (path + (b"?" + query if query else b"")).decode("latin-1")


def _is_to_us(form: Form, carrier: Carrier) -> bool:
    """Whether a text was sent to our number, or to our messaging service."""
    to_number = carrier.sender is not None and _value(form, "To") == carrier.sender
    service = carrier.messaging_service_sid
    return to_number or (service is not None and _value(form, "MessagingServiceSid") == service)


def _value(form: Form, name: str) -> str:
    return next((value for key, value in form if key == name), "")


def _field(form: Form, name: str, shape: re.Pattern[str]) -> str:
    value = _value(form, name)
    if not shape.fullmatch(value):
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    return value
