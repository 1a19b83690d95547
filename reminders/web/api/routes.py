"""How an operation is declared: what it gives, and under which name it is described."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse

from reminders.web.api.door import Door


def family(tag: str) -> APIRouter:
    """Make the router of one family of resources."""
    return APIRouter(route_class=Door, tags=[tag], default_response_class=JSONResponse)


def operation(
    router: APIRouter,
    method: str,
    path: str,
    gives: type[BaseModel],
    *,
    status: HTTPStatus = HTTPStatus.OK,
    reads: type[BaseModel] | None = None,
    also: dict[str, Any] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare what a function does for a method and a path.

    reads  the shape of its body, where the function takes the raw values and a service names every fault of theirs at once.
    also   further media types of the answer.
    """
    answer: dict[str, Any] = {"model": gives, "description": "Done." if method != "GET" else "Found."}
    if also:
        answer["content"] = also
    extra = None if reads is None else {"requestBody": {"content": {"application/json": {"schema": {"$ref": reference(reads)}}}}}
    return router.api_route(
        path, methods=[method], status_code=status, responses={status: answer}, response_model=None, openapi_extra=extra
    )


def reference(shape: type[BaseModel]) -> str:
    """Where a shape stands in the description."""
    return f"#/components/schemas/{shape.__name__}"
