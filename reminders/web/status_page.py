"""The page at `/`: plans, next doses, last texts and open alerts, read-only, of the clinic of who is signed in.

Until anybody can sign in it is shown on this machine only, whole. It shortens names and numbers.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib.resources import files
from ipaddress import ip_address
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from reminders.domain.plan import PlannedDose, plain
from reminders.services import signing_in, watching
from reminders.web.dose_strip import day_words, dose_strip, looks
from reminders.web.pages import see
from reminders.web.parts import Parts

REFRESH_SECONDS = 15
# What a proxy adds: behind one, the machine that asks is not the one that is seen.
FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")


def status_page(parts: Parts) -> APIRouter:
    """Make the page's routes."""
    router = APIRouter()
    template = _environment().get_template("status.html")
    style, forms = ((files("reminders.web") / "static" / name).read_text("utf-8") for name in ("status.css", "pages.css"))

    @router.get("/")
    def page(request: Request) -> Response:
        """Show how things stand: to who is signed in at their clinic; before anybody can sign in, to this machine."""
        person = request.state.person
        if person is None and not (is_from_here(request) and not signing_in.has_begun(parts.engine)):
            return see("/sign-in")
        seen = watching.overview(parts.engine, now=parts.clock.now(), clinic_id=person.clinic_id if person else None)
        refresh = None if request.query_params.get("refresh") == "off" else REFRESH_SECONDS
        return HTMLResponse(template.render(seen=seen, transport=parts.transport, refresh=refresh, looks=looks(), person=person))

    @router.get("/static/status.css")
    def stylesheet() -> Response:
        """Give the page its looks."""
        return Response(style, media_type="text/css")

    @router.get("/static/pages.css")
    def pages_stylesheet() -> Response:
        """Give the pages with forms their looks."""
        return Response(forms, media_type="text/css")

    return router


def is_from_here(request: Request) -> bool:
    """Whether a request comes from this machine itself, asks it by a loopback name, and came through no proxy.

    The name matters: a page elsewhere can have its own name point to 127.0.0.1, and so read what is shown here.
    """
    peer = request.client.host if request.client else ""
    forwarded = any(name in request.headers for name in FORWARDED)
    return not forwarded and _is_loopback(peer) and (request.url.hostname == "localhost" or _is_loopback(request.url.hostname or ""))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@cache  # to compile a page takes longer than all else at a start
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reminders.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["dose_strip"] = dose_strip
    environment.filters.update(day=day_words, moment=_moment, doses=_doses_words, words=_words)
    return environment


def _moment(instant: datetime, zone: str) -> str:
    """Write an instant by a zone's clocks: "Wed 25 Nov, 08:00"."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%a} {day_words(local.date())}, {local:%H:%M}"


def _doses_words(doses: tuple[PlannedDose, ...]) -> str:
    """Write a day's doses: "5 mg × 3", or "5 · 5 · 10 mg" where they differ."""
    amounts = [plain(dose.amount.value) for dose in doses]
    unit = doses[0].amount.unit
    if len(set(amounts)) == 1:
        return f"{amounts[0]} {unit} × {len(amounts)}" if len(amounts) > 1 else f"{amounts[0]} {unit}"
    return f"{' · '.join(amounts)} {unit}"


def _words(code: str) -> str:
    """Write a code for people: "not_reminded" is "not reminded"."""
    return code.replace("_", " ")
