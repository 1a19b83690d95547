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

from reminders.errors import BadFile
from reminders.web.bodies import MOST_FIELDS, body_of

FORM = "application/x-www-form-urlencoded"


@cache  # to compile a page takes longer than all else at a start
def environment() -> Environment:
    """The templates, which escape everything."""
    return Environment(
        loader=PackageLoader("reminders.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def page(request: Request, template: str, *, status: HTTPStatus = HTTPStatus.OK, **values: object) -> HTMLResponse:
    """Show a page, with who is signed in."""
    person = getattr(request.state, "person", None)
    return HTMLResponse(environment().get_template(template).render(person=person, **values), status)


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
