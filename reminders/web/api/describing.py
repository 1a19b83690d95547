"""The description of the API, as OpenAPI 3.1: what FastAPI reads from the routes, with every refusal, and the shapes of the public files.

It holds nobody's data, and what it says can be read in the source: anybody may have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from reminders.formats.import_file import ImportFile, PatientShape
from reminders.web.access import RIGHTS, SAFE, Access
from reminders.web.api.door import MARK
from reminders.web.api.refusals import Problem
from reminders.web.api.routes import reference
from reminders.web.api.rows import API, API_ROUTES

VERSION = "1"
ABOUT = (
    "What the portal of a clinic can do, for programs. A key acts in the name of a person on the clinic's list, with at most their roles; "
    "what belongs to another clinic is not there. Nothing is changed by a request that is refused. Ids mean nothing; instants are in UTC; "
    "amounts are exact decimals as text."
)
REFUSALS = {
    HTTPStatus.UNAUTHORIZED: "No key, or one that opens nothing.",
    HTTPStatus.FORBIDDEN: "The key has no role that may do this.",
    HTTPStatus.NOT_FOUND: "It is not there, at this clinic.",
    HTTPStatus.REQUEST_TIMEOUT: "The body took too long to come.",
    HTTPStatus.CONFLICT: "Not as things stand now: the detail says why. Or the same request is being carried out.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not JSON.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "What was sent cannot be used: each fault has its path, and where a limit was broken its source.",
    HTTPStatus.TOO_MANY_REQUESTS: "This key asks too often: wait as long as Retry-After says.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The ledger is away, or held: try again.",
}
"""Every refusal that an operation can give. 500 stands in none: it would be a fault of ours."""


def description_of(api: FastAPI) -> dict[str, Any]:
    """Make the description, once."""
    if api.openapi_schema is None:
        api.openapi_schema = _described(api)
    return api.openapi_schema


def _described(api: FastAPI) -> dict[str, Any]:
    described = get_openapi(
        title="Doseline",
        version=VERSION,
        description=ABOUT,
        routes=api.routes,
        servers=[{"url": API}],
        separate_input_output_schemas=False,
    )
    shapes = models_json_schema(
        [(shape, "validation") for shape in (Problem, ImportFile, PatientShape)], ref_template="#/components/schemas/{model}"
    )[1]
    parts = described["components"]
    parts["schemas"] = {name: _untitled(shape) for name, shape in sorted((parts["schemas"] | shapes["$defs"]).items())}
    parts["responses"] = {_name(status): _refusal(status, words) for status, words in REFUSALS.items()}
    parts["parameters"] = {"Mark": _mark()}
    parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "A key, as an admin made it."}}
    described["security"] = [{"key": []}]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            _complete(operation, method.upper(), path)
    return described


def _complete(operation: dict[str, Any], method: str, path: str) -> None:
    """Say what refuses an operation, and how it is marked."""
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(_untitled(parameter["schema"]))
    if method not in SAFE:
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/Mark"})
    if "requestBody" in operation:
        operation["requestBody"] = {"required": True, "content": _untitled(operation["requestBody"]["content"])}
    refused = {_number(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in _refusals(operation, method, path)}
    operation["responses"] = dict(sorted((operation["responses"] | refused).items()))


def _refusals(operation: dict[str, Any], method: str, path: str) -> Iterator[HTTPStatus]:
    yield from (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
    if API_ROUTES.get((method, API + path), Access.API_KEY) in RIGHTS:
        yield HTTPStatus.FORBIDDEN
    if "{" in path:
        yield HTTPStatus.NOT_FOUND
    if method not in SAFE:
        yield HTTPStatus.CONFLICT
    if "requestBody" in operation:
        yield from (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def _refusal(status: HTTPStatus, words: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": words, "content": {"application/problem+json": {"schema": {"$ref": reference(Problem)}}}}
    if status is HTTPStatus.UNAUTHORIZED:
        answer["headers"] = {"WWW-Authenticate": {"required": True, "schema": {"type": "string", "const": "Bearer"}}}
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        answer["headers"] = {"Retry-After": {"required": True, "schema": {"type": "string", "pattern": "^[0-9]+$"}}}
    return answer


def _mark() -> dict[str, Any]:
    words = (
        "The caller's own mark of this request, never used before. Sent again with it, it is not carried out again, and answered as before."
    )
    return {
        "name": MARK,
        "in": "header",
        "required": False,
        "description": words,
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    }


def _name(status: HTTPStatus) -> str:
    return status.name.title().replace("_", "")


def _number(status: HTTPStatus) -> str:
    return str(status.value)


def _without_null(shape: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is not needed is left out: no address can say null."""
    forms = [form for form in shape.get("anyOf", ()) if form != {"type": "null"}]
    return {key: value for key, value in shape.items() if key != "anyOf"} | forms[0] if len(forms) == 1 else shape


def _untitled(value: Any) -> Any:  # noqa: ANN401 - whatever a schema holds
    """Leave out pydantic's titles: they repeat the names."""
    if isinstance(value, dict):
        return {key: _untitled(inner) for key, inner in value.items() if not (key == "title" and isinstance(inner, str))}
    return [_untitled(inner) for inner in value] if isinstance(value, list) else value
