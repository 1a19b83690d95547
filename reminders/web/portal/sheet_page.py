"""The plan sheet: a page for paper, in the patient's language or in another that is asked for."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from reminders.messaging.texts import phone_words
from reminders.reports.plan_sheet import LANGUAGES, About, plan_sheet
from reminders.services import editing
from reminders.web.access import person_of
from reminders.web.pages import page
from reminders.web.parts import Parts

NAMES = {"en": "English", "es": "Español"}


def sheet_page(parts: Parts) -> APIRouter:
    """Make the route."""
    router = APIRouter(prefix="/patients/{patient}/plans/{plan}")

    @router.get("/sheet")
    def sheet(request: Request, patient: str, plan: str) -> HTMLResponse:
        """Show the sheet of a plan that is not over."""
        running = editing.running(parts.engine, (person_of(request).clinic_id, patient), plan, now=parts.clock.now())
        who, stored, asked = running.patient, running.plan, request.query_params.get("in", "")
        about = About(who.name, who.clinic.name, phone_words(who.clinic.phone), running.today)
        language = asked if asked in LANGUAGES else who.language
        written = plan_sheet(about, stored.plan, stored.profile, rule=stored.rule, state=stored.state, language=language)
        others = [(code, name) for code, name in NAMES.items() if code != written.language]
        return page(request, "portal/sheet.html", sheet=written, others=others, patient=who.id)

    return router
