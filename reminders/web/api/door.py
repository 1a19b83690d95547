"""Who may ask the API: every request brings a key, every operation has its row in `rows.py`, and a marked one is done once.

No cookie is read here, so no page of somebody else's can have a browser act: a browser adds no key by itself. That is why nothing is
asked of `Origin` here, which the pages must ask.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from threading import Lock
from typing import Annotated, Any

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from db.engine import WriterBusy
from reminders.clock import Clock
from reminders.domain.plan import InvalidPlan
from reminders.domain.roles import has_right
from reminders.errors import BadFile, DoselineError, Fault, LedgerError
from reminders.formats.json_text import read_json
from reminders.services import key_holding
from reminders.services.key_holding import Answered, Asker, Asking
from reminders.web.access import RIGHTS, SAFE, Access, holds_nul
from reminders.web.api.refusals import BadBody, refusal
from reminders.web.api.rows import API, API_ROUTES
from reminders.web.bodies import LONGEST_BODY, body_of
from reminders.web.parts import Parts

MARK = "Idempotency-Key"
LONGEST_IMPORT = 1024 * 1024
"""Bytes of an import file over the network: some seven hundred patients [our default]. A larger one is for the command line."""
BURST_SECONDS = 10
"""So much of a minute's calls may come at once [our default]."""

_MARK = re.compile(r"[\x21-\x7e]{1,255}")
_BEARER = re.compile(r"Bearer +([!-~]{1,100})", re.IGNORECASE)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Pace:
    """How often each key may ask: as many times a minute, a part of it at once. Each process counts for itself."""

    def __init__(self, a_minute: int) -> None:
        self._a_second = a_minute / 60
        self._most = max(1.0, self._a_second * BURST_SECONDS)
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = Lock()

    def wait(self, key_id: str, clock: Clock) -> int:
        """For how many seconds a key must wait; 0 where it may ask now, which then counts."""
        now = clock.monotonic()
        with self._lock:
            left, at = self._left.get(key_id, (self._most, now))
            left = min(self._most, left + (now - at) * self._a_second)
            may = left >= 1
            self._left[key_id] = (left - 1 if may else left, now)
        return 0 if may else int((1 - left) / self._a_second) + 1


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in: through which ledger, for which clinic, in whose name, and when (UTC)."""

    parts: Parts
    asker: Asker
    now: datetime

    @property
    def engine(self) -> Engine:
        """The ledger, with no more rights than the key has."""
        return self.asker.engine

    @property
    def clinic_id(self) -> str:
        """The clinic of the key: everything else is not there."""
        return self.asker.person.clinic_id

    @property
    def by(self) -> str:
        """In whose name."""
        return self.asker.person.name


async def _call_of(request: Request) -> Call:
    parts: Parts = request.app.state.parts
    return Call(parts, request.state.asker, parts.clock.now())


Caller = Annotated[Call, Depends(_call_of)]


class StrictRequest(Request):
    """A request whose body is read within bounds, and whose JSON must say one thing only."""

    longest = LONGEST_BODY

    async def body(self) -> bytes:
        """Read the body, once."""
        if not hasattr(self, "_body"):
            self._body = await body_of(self, longest=self.longest)
        return self._body

    async def json(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Read JSON as the public files are read: no key twice, no NaN."""
        try:
            return read_json(await self.body())
        except BadFile as bad:
            raise BadBody(bad.faults) from bad


class Door(APIRoute):
    """A route of the API: who asks is known, may do it, and does not ask too often, before anything else is looked at."""

    def get_route_handler(self) -> Handler:
        """Make what answers a request."""
        carry_out, path, takes_body = super().get_route_handler(), self.path, self.body_field is not None
        longest = LONGEST_IMPORT if path == "/imports" else LONGEST_BODY

        async def answer(request: Request) -> Response:
            access = API_ROUTES.get((request.method, API + path))
            if access is None:
                raise HTTPException(HTTPStatus.FORBIDDEN)
            if access is not Access.API_ANYBODY:
                request.state.asker = await _let_in(request, access)
            if holds_nul(request):
                raise BadBody([Fault("", "an address holds no NUL")])
            strict = StrictRequest(request.scope, request.receive)
            strict.longest = longest
            if takes_body and request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
                raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
            mark = None if request.method in SAFE else _mark_of(request)
            return await (carry_out(strict) if mark is None else _once(strict, mark, carry_out))

        return answer


async def _let_in(request: Request, access: Access) -> Asker:
    parts: Parts = request.app.state.parts
    token = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    asker = None if token is None else await run_in_threadpool(key_holding.who, parts.engine, token[1], now=parts.security_clock.now())
    if asker is None:
        raise HTTPException(HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    if seconds := request.app.state.pace.wait(asker.key_id, parts.security_clock):
        raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": str(seconds)})
    if access in RIGHTS and not has_right(asker.person.roles, RIGHTS[access]):
        raise HTTPException(HTTPStatus.FORBIDDEN, "this key has no role that may do this")
    return asker


def _mark_of(request: Request) -> str | None:
    marks = request.headers.getlist(MARK)
    if not marks:
        return None
    if len(marks) > 1 or not _MARK.fullmatch(marks[0]):
        raise BadBody([Fault(MARK, "must be 1 to 255 visible ASCII characters, and given once")])
    return marks[0]


async def _once(request: StrictRequest, mark: str, carry_out: Callable[[Request], Awaitable[Response]]) -> Response:
    """Carry a marked request out, unless it was before: then it is answered as it was then."""
    parts: Parts = request.app.state.parts
    asked = b"\n".join((request.method.encode(), request.url.path.encode(), request.scope["query_string"], await request.body()))
    asking = Asking(request.state.asker, mark, asked)
    before = await run_in_threadpool(key_holding.begin, parts.engine, asking, now=parts.security_clock.now())
    if before is not None:
        return _again(before)
    try:
        answer = await carry_out(request)
    except LedgerError:
        raise  # nobody can say here whether it was committed
    except (DoselineError, HTTPException, RequestValidationError, InvalidPlan, WriterBusy):
        await run_in_threadpool(key_holding.drop, parts.engine, asking)
        raise
    await run_in_threadpool(key_holding.keep, parts.engine, asking, status=answer.status_code, body=bytes(answer.body).decode())
    return answer


def _again(before: Answered) -> Response:
    if not before.is_same:
        return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, faults=[Fault(MARK, "was given with another request before")])
    if before.status is None:
        return refusal(HTTPStatus.CONFLICT, "this request is being carried out, or broke off: look whether it was done")
    return Response(before.body, before.status, {"Idempotent-Replayed": "true"}, media_type=JSONResponse.media_type)
