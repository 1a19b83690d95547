"""The description and the API agree, and nothing that is sent makes it fail: Schemathesis, over every operation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from schemathesis.core.failures import Failure, FailureGroup, ServerError
from schemathesis.openapi.checks import JsonSchemaError, UndefinedStatusCode
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from reminders.web.access import Access
from reminders.web.api.rows import API, API_ROUTES
from tests.web.api.fuzzed import Target, a_target, ask

OPERATIONS = sorted(
    f"{method} {path.removeprefix(API)}" for (method, path), access in API_ROUTES.items() if access is not Access.API_ANYBODY
)


@pytest.fixture(scope="module")
def target(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Target:
    """An app with two clinics."""
    return a_target(sqlite_template, tmp_path_factory.mktemp("fuzzed"))


def test_the_description_is_whole(target: Target) -> None:
    """It is valid OpenAPI 3.1, and describes every operation that there is, and no other."""
    assert sorted(target.operations) == OPERATIONS


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_answers_as_described(target: Target, name: str) -> None:
    """Whatever is sent: no 5xx, no answer that is not described, nothing taken that the description excludes, nothing without a key."""
    assert ask(target, target.operations[name]) > 0


class Spoilt:
    """An app that answers one path as no description says."""

    def __init__(self, app: ASGIApp, path: str, status: int, body: bytes) -> None:
        self.app, self.path, self.status, self.body = app, path, status, body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, but for those to the one path that bring a key."""
        brings_key = any(name == b"authorization" for name, _ in scope.get("headers", ()))
        if scope["type"] == "http" and scope["path"] == self.path and scope["method"] == "GET" and brings_key:
            await Response(self.body, self.status, media_type="application/json")(scope, receive, send)
        else:
            await self.app(scope, receive, send)


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [(500, b"{}", ServerError), (200, b'{"key": 1}', JsonSchemaError), (418, b"{}", UndefinedStatusCode)],
    ids=["a 5xx", "an answer of another shape", "a status that is not described"],
)
def test_a_planted_fault_is_found(target: Target, status: int, body: bytes, found: type[Failure]) -> None:
    """The test above can fail: each of these, planted, turns it red."""
    spoilt = replace(target, app=Spoilt(target.app, f"{API}/me", status, body))
    with pytest.raises(FailureGroup) as caught:
        ask(spoilt, spoilt.operations["GET /me"], examples=5)

    assert found in {type(failure) for failure in caught.value.exceptions}
