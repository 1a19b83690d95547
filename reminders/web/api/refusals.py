"""Why the API refuses, as problems (RFC 9457): what is wrong at which path, and the limit and source where a figure was broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reminders.as_json.parts import fault_json
from reminders.domain.plan import InvalidPlan
from reminders.errors import BadFile, Fault, MayNot, NotAllowed, NotFound
from reminders.formats.shape import Shape, faults_in
from reminders.web.problems import answer_with_problems, problem


class ErrorShape(Shape):
    """One thing wrong in what was sent: where, and what. Where a limit was broken: the number found, the limit, and its source."""

    path: str
    message: str
    found: str | None = None
    limit: str | None = None
    source: str | None = None


class Problem(Shape):
    """Why a request was refused. Nothing was changed by it."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[ErrorShape] | None = Field(default=None)


class BadBody(HTTPException):
    """What was sent cannot be used."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY)


def refusal(status: HTTPStatus, detail: str = "", *, faults: Sequence[Fault] = (), headers: dict[str, str] | None = None) -> JSONResponse:
    """Answer that a request is refused, and why."""
    more: dict[str, object] = {"detail": detail} if detail else {}
    if faults:
        more["errors"] = [fault_json(fault) for fault in faults]
    return problem(status, headers, **more)


def answer_with_reasons(api: FastAPI) -> None:
    """Have the API say why it refuses; what the ledger cannot do is told as everywhere."""
    answer_with_problems(api)
    for kind, answer in (
        (HTTPException, _refused),
        (RequestValidationError, _misread),
        (BadFile, _bad),
        (InvalidPlan, _no_plan),
        (NotFound, _not_there),
        (MayNot, _not_theirs),
        (NotAllowed, _not_now),
        (Exception, _failed),
    ):
        api.add_exception_handler(kind, answer)


async def _refused(_: Request, error: Exception) -> Response:
    if isinstance(error, BadBody):
        return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, faults=error.faults)
    said = cast("HTTPException", error)
    status = HTTPStatus(said.status_code)
    return refusal(status, said.detail if said.detail != status.phrase else "", headers=dict(said.headers or {}))


async def _misread(_: Request, error: Exception) -> Response:
    """A path that no id can have leads nowhere; anything else is said with its place in the body or the query."""
    details = cast("Sequence[dict[str, Any]]", cast("RequestValidationError", error).errors())
    if any(detail["loc"][0] == "path" for detail in details):
        return refusal(HTTPStatus.NOT_FOUND)
    placed = [cast("ErrorDetails", {**detail, "loc": tuple(detail["loc"][1:])}) for detail in details]
    return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, faults=faults_in(placed))


async def _bad(_: Request, error: Exception) -> Response:
    return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, faults=cast("BadFile", error).faults)


async def _no_plan(_: Request, error: Exception) -> Response:
    fault = cast("InvalidPlan", error)
    return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, faults=[Fault(fault.path, fault.message)])


async def _not_there(_: Request, error: Exception) -> Response:
    return refusal(HTTPStatus.NOT_FOUND, str(error))


async def _not_theirs(_: Request, error: Exception) -> Response:
    return refusal(HTTPStatus.FORBIDDEN, str(error))


async def _not_now(_: Request, error: Exception) -> Response:
    return refusal(HTTPStatus.CONFLICT, str(error))


async def _failed(_: Request, __: Exception) -> Response:
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR)  # the outermost layer writes kind and place into the log
