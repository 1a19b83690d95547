"""The page at `/`: plans, next doses, last texts and open alerts, read-only, of the clinic of who is signed in.

Until anybody can sign in it is shown on this machine only, whole. It shortens names and numbers.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from reminders.services import watching
from reminders.web.access import is_open_here
from reminders.web.dose_strip import looks
from reminders.web.pages import page, see
from reminders.web.parts import Parts

REFRESH_SECONDS = 15


def status_page(parts: Parts) -> APIRouter:
    """Make the page's routes."""
    router = APIRouter()

    @router.get("/")
    def overview(request: Request) -> Response:
        """Show how things stand: to who is signed in at their clinic; before anybody can sign in, to this machine."""
        if request.state.operator is not None:
            return see("/system")
        person = request.state.person
        if person is None and not is_open_here(parts, request):
            return see("/sign-in")
        seen = watching.overview(parts.engine, now=parts.clock.now(), clinic_id=person.clinic_id if person else None)
        refresh = None if request.query_params.get("refresh") == "off" else REFRESH_SECONDS
        return page(request, "status.html", seen=seen, refresh=refresh, looks=looks())

    return router
