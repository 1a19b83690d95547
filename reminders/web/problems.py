"""Every refusal and failure as one plain shape (RFC 9457), and the table of HTTP statuses. No answer says more than its status."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from db.engine import WriterBusy
from reminders.errors import LedgerError, NotAllowed, NotFound, Unsigned

log = logging.getLogger(__name__)

STATUSES: Mapping[type[Exception], HTTPStatus] = MappingProxyType(
    {
        Unsigned: HTTPStatus.FORBIDDEN,
        NotAllowed: HTTPStatus.FORBIDDEN,
        NotFound: HTTPStatus.NOT_FOUND,
        RequestValidationError: HTTPStatus.UNPROCESSABLE_ENTITY,
        DBAPIError: HTTPStatus.SERVICE_UNAVAILABLE,
        NoConnection: HTTPStatus.SERVICE_UNAVAILABLE,
        WriterBusy: HTTPStatus.SERVICE_UNAVAILABLE,
        LedgerError: HTTPStatus.SERVICE_UNAVAILABLE,
    },
)
RETRY_SECONDS = "5"


def problem(status: HTTPStatus, headers: Mapping[str, str] | None = None, **more: object) -> JSONResponse:
    """Return an answer that says its status, and nothing of why but what is given (`detail`, `errors`)."""
    content = {"type": "about:blank", "title": status.phrase, "status": status.value, **more}
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def answer_with_problems(app: FastAPI) -> None:
    """Have an app answer every refusal and failure in that shape."""
    app.add_exception_handler(HTTPException, _refused)
    for kind in STATUSES:
        app.add_exception_handler(kind, _failed)


async def _refused(_: Request, error: Exception) -> Response:
    refusal = cast("HTTPException", error)  # it is registered for nothing else
    return problem(HTTPStatus(refusal.status_code), refusal.headers)


async def _failed(_: Request, error: Exception) -> Response:
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    if status is not HTTPStatus.SERVICE_UNAVAILABLE:
        return problem(status)
    log.warning("the ledger is away: %s", type(error).__name__)  # its words hold rows
    return problem(status, {"Retry-After": RETRY_SECONDS})
