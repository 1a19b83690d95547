"""The page at `/`: plans, next doses, last texts and open alerts, read-only, of the clinic of who is signed in.

Until anybody can sign in it is shown on this machine only, whole. It shortens names and numbers.
"""

from __future__ import annotations

from ipaddress import ip_address

from fastapi import APIRouter, Request
from starlette.responses import Response

from reminders.services import signing_in, watching
from reminders.web.dose_strip import looks
from reminders.web.pages import page, see
from reminders.web.parts import Parts

REFRESH_SECONDS = 15
# What a proxy adds: behind one, the machine that asks is not the one that is seen.
FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")


def status_page(parts: Parts) -> APIRouter:
    """Make the page's routes."""
    router = APIRouter()

    @router.get("/")
    def overview(request: Request) -> Response:
        """Show how things stand: to who is signed in at their clinic; before anybody can sign in, to this machine."""
        person = request.state.person
        if person is None and not (is_from_here(request) and not signing_in.has_begun(parts.engine)):
            return see("/sign-in")
        seen = watching.overview(parts.engine, now=parts.clock.now(), clinic_id=person.clinic_id if person else None)
        refresh = None if request.query_params.get("refresh") == "off" else REFRESH_SECONDS
        return page(request, "status.html", seen=seen, refresh=refresh, looks=looks())

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
