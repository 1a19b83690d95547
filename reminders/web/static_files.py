"""Styles and scripts, ours and the two of others, read once. Nothing is loaded from elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from types import MappingProxyType

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

KINDS: Mapping[str, str] = MappingProxyType({"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"})
"""What is given out, by the end of its name, and as what."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file, its kind, and the mark by which a browser asks whether it is still the same."""

    content: bytes
    kind: str
    mark: str


def static_files() -> APIRouter:
    """Make the one route."""
    router = APIRouter()

    @router.get("/static/{name}")
    def static_file(request: Request, name: str) -> Response:
        """Give a file by its name, or say that it is still the same."""
        found = all_files().get(name)
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        kept = {"Cache-Control": "no-cache", "ETag": found.mark}  # kept, and asked about each time: after an upgrade nobody sees old looks
        if request.headers.get("If-None-Match") == found.mark:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=kept)
        return Response(found.content, headers=kept, media_type=found.kind)

    return router


@cache
def all_files() -> Mapping[str, StaticFile]:
    """Read what there is, by name."""
    room = files("reminders.web") / "static"
    there = [*room.iterdir(), *(room / "vendor").iterdir()]
    return {file.name: _read(file.read_bytes(), KINDS[end]) for file in there if (end := file.name.rpartition(".")[2]) in KINDS}


def _read(content: bytes, kind: str) -> StaticFile:
    return StaticFile(content, kind, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
