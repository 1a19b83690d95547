"""What the carrier calls: verify, parse, one service call, which commits, then answer.

Nothing is believed that is not signed, and no refusal says why. Twilio signs no time, so a captured request can be replayed
for ever: the services behind take in each id once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reminders.errors import Unsigned
from reminders.messaging.opting_words import CARRIERS_WORDS
from reminders.web.bodies import MOST_FIELDS, body_of
from reminders.web.counting import OUTCOME, Counts, Outcome
from reminders.web.parts import Carrier, Parts

LONGEST_TEXT = 4_096  # letters; Twilio brings 1,600 at most
FORM = "application/x-www-form-urlencoded"
XML = '<?xml version="1.0" encoding="UTF-8"?>'
NO_WORDS = f"{XML}<Response/>"  # what we say back is a text of its own, with its own row; but to strangers, who have none
SINGLE = ("AccountSid", "Body", "ErrorCode", "From", "MessageSid", "MessageStatus", "MessagingServiceSid", "OptOutType", "To")
"""What we read of a form. Given twice, nobody could say which is meant."""

_SID = re.compile(r"[A-Za-z0-9]{1,34}")  # no longer than a true one: the signature does not say where a value ends
_TAG = re.compile(r"[A-Za-z0-9_-]{1,40}")
STATUS = re.compile(r"[a-z_]{1,20}")
_ADDRESS = re.compile(  # ITU-T E.164, a short code, or a name of a sender
    r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 &._+*-]{1,11}"
)
_TOKEN = re.compile(r"[\x21-\x7e]{1,80}")
_CODE = re.compile(r"[0-9]{1,9}")

Form = Sequence[tuple[str, str]]


BECAME = {"repeated": Outcome.REPEATED, "unknown": Outcome.UNKNOWN}


def webhooks(parts: Parts, counts: Counts) -> APIRouter:
    """Make the routes that the carrier calls. `counts` hears what became of each."""
    router = APIRouter(prefix="/sms")

    @router.post("/inbound")
    async def inbound(request: Request) -> Response:
        """Take in a text that somebody sent."""
        carrier = carrier_of(parts)
        form = await verified(request, carrier)
        if not _is_to_us(form, carrier):
            raise Unsigned
        now = parts.clock.now()
        words = await run_in_threadpool(
            parts.receive,
            parts.engine,
            sid=field_of(form, "MessageSid", _SID),
            from_phone=field_of(form, "From", _ADDRESS),
            to_phone=field_of(form, "To", _ADDRESS),
            body=_words(form),
            received_at=now,
            now=now,
            token=token_of(request),
            carriers_word=_carriers_word(form),
            repeated=lambda: _became(request, Outcome.REPEATED),
        )
        parts.heard()
        if words is not None and OUTCOME not in request.scope:
            counts.answer()
        return Response(_twiml(words), media_type="text/xml")

    @router.post("/status")
    async def status(request: Request) -> Response:
        """Take in a receipt for a text of ours."""
        form = await verified(request, carrier_of(parts))
        code = value_of(form, "ErrorCode")
        became = await run_in_threadpool(
            parts.receive_status,
            parts.engine,
            sid=field_of(form, "MessageSid", _SID),
            status=field_of(form, "MessageStatus", STATUS),
            tag=tag_of(request),
            error_code=int(code) if _CODE.fullmatch(code) else None,
            now=parts.clock.now(),
            token=token_of(request),
        )
        parts.heard()
        _became(request, BECAME.get(became or "", Outcome.ACCEPTED))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return router


def carrier_of(parts: Parts) -> Carrier:
    """Return the carrier; without one (the sandbox) there is nothing here, and no body is even read."""
    if parts.carrier is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return parts.carrier


async def verified(request: Request, carrier: Carrier) -> Form:
    """Return the form of a request that this account's carrier signed. Raises Unsigned for any other."""
    body = await body_of(request)
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    form = _form(request, body) if kind == FORM else None
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
    names = [name for name, _ in form]
    if any(names.count(name) > 1 for name in SINGLE):
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    if value_of(form, "AccountSid") != carrier.account_sid:
        raise Unsigned
    return form


def _form(request: Request, body: bytes) -> Form:
    """Read a form with all its repeats and blanks: every one of them is signed. What is not UTF-8, nobody can have signed."""
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        _became(request, Outcome.MALFORMED)
        raise Unsigned from None


def _target(request: Request) -> str:
    """Return path and query as they were asked for; never the host, which whoever asks can choose."""
    path, query = request.scope.get("raw_path") or request.url.path.encode(), request.scope["query_string"]
    return (path + (b"?" + query if query else b"")).decode("latin-1")


def _is_to_us(form: Form, carrier: Carrier) -> bool:
    """Whether a text was sent to our number, or to our messaging service."""
    to_number = carrier.sender is not None and value_of(form, "To") == carrier.sender
    service = carrier.messaging_service_sid
    return to_number or (service is not None and value_of(form, "MessagingServiceSid") == service)


def value_of(form: Form, name: str) -> str:
    """Return a field of a form; empty if it is not there."""
    return next((value for key, value in form if key == name), "")


def field_of(form: Form, name: str, shape: re.Pattern[str]) -> str:
    """Return a field that must have a shape; what has another is answered with 400."""
    value = value_of(form, name)
    if not shape.fullmatch(value):
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    return value


def _words(form: Form) -> str:
    words = value_of(form, "Body")
    if len(words) > LONGEST_TEXT:
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    return words.replace("\x00", "")  # PostgreSQL holds no NUL


def _carriers_word(form: Form) -> str:
    """Return as what the carrier itself took a text, by a keyword set up there; empty where it says nothing of it."""
    word = value_of(form, "OptOutType").upper()
    return word if word in CARRIERS_WORDS else ""


def tag_of(request: Request) -> str | None:
    """Return the tag of an attempt; what is none of ours is none."""
    tags = request.query_params.getlist("tag")
    if len(tags) > 1:
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    return tags[0] if tags and _TAG.fullmatch(tags[0]) else None


def token_of(request: Request) -> str | None:
    """Return the carrier's mark of one request and its repeats, if it is there."""
    token = request.headers.get("I-Twilio-Idempotency-Token", "")
    return token if _TOKEN.fullmatch(token) else None


def _became(request: Request, outcome: Outcome) -> None:
    request.scope[OUTCOME] = outcome


def _twiml(words: str | None) -> str:
    return NO_WORDS if words is None else f"{XML}<Response><Message>{escape(words)}</Message></Response>"
