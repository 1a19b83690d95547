"""What the pages share: their templates, their forms, and who is sent where."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from urllib.parse import parse_qsl

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from reminders.domain.plan import plain
from reminders.errors import BadFile
from reminders.services.signing_in import Person
from reminders.simulation.sandbox import Sandbox
from reminders.web.access import ROUTES, Access, is_let_in
from reminders.web.bodies import MOST_FIELDS, body_of
from reminders.web.dose_strip import day_words, dose_strip
from reminders.web.words import doses_words, far, moment, opening, place, reading, words

FORM = "application/x-www-form-urlencoded"

PLACES = (
    ("/queues", "To do"),
    ("/patients", "Patients"),
    ("/", "Overview"),
    ("/sandbox", "Sandbox"),
    ("/people", "People"),
    ("/keys", "Keys"),
    ("/system", "System"),
)
"""What stands at the top of each page, for whom it is."""

OPEN_HERE = frozenset({"/", "/sandbox"})
"""What is shown on this machine before anybody can sign in."""


@cache  # to compile a page takes longer than all else at a start
def environment() -> Environment:
    """The templates, which escape everything."""
    templates = Environment(
        loader=PackageLoader("reminders.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.globals["dose_strip"] = dose_strip
    templates.filters.update(
        day=day_words, moment=moment, doses=doses_words, far=far, opening=opening, words=words, place=place, plain=plain, reading=reading
    )
    return templates


def page(request: Request, template: str, *, status: HTTPStatus = HTTPStatus.OK, **values: object) -> HTMLResponse:
    """Show a page, or the part of one that its template is, with who is signed in and where they may go."""
    person, sandbox = getattr(request.state, "person", None), request.app.state.sandbox
    shell = {
        "person": person,
        "operator": getattr(request.state, "operator", None),
        "places": places_of(person, request.url.path, sandbox),
        "here": request.url.path,
        "transport": request.app.state.transport,
        "simulated_at": sandbox.now if sandbox is not None and sandbox.is_moved else None,
        "ahead": sandbox.ahead if sandbox is not None else None,
    }
    return HTMLResponse(environment().get_template(template).render(**shell, **values), status)


def is_part(request: Request) -> bool:
    """Whether a page that is open asks for a part of itself."""
    return "HX-Request" in request.headers


def places_of(person: Person | None, here: str, sandbox: Sandbox | None) -> tuple[tuple[str, str], ...]:
    """Where somebody may go from a page: paths and their words. What has no route yet, or no sandbox to play with, is no place."""
    there = {path: access for path, _ in PLACES if (access := ROUTES.get(("GET", path))) and (sandbox or access is not Access.SANDBOX)}
    if person is None:  # whoever is shown these without signing in sits at this machine, and nobody can sign in yet
        is_open = sandbox is not None and (here == "/" or here.startswith("/sandbox"))
        return tuple((path, name) for path, name in PLACES if is_open and path in OPEN_HERE)
    return tuple((path, name) for path, name in PLACES if path in there and is_let_in(person, there[path]))


def see(path: str) -> RedirectResponse:
    """Send a browser on to another page of ours, by its path: never by an address that somebody gave."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


def by_field(bad: BadFile) -> Mapping[str, str]:
    """What is wrong with a form, by field."""
    return {fault.path: fault.message for fault in bad.faults}


async def form_of(request: Request) -> dict[str, str]:
    """Read a form: each field once, of plain text. A field given twice, or what is no form, is refused."""
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != FORM:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    try:
        pairs = parse_qsl((await body_of(request)).decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None
    form = dict(pairs)
    if len(form) < len(pairs) or any("\x00" in value for value in form.values()):  # PostgreSQL holds no NUL
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    return form
