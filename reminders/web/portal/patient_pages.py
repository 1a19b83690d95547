"""The page of a patient: who they are, how each plan was taken, and what a person must look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.domain.adherence import percent
from reminders.domain.offering import offered, withheld
from reminders.domain.roles import Right, has_right
from reminders.messaging.texts import phone_words
from reminders.reports.csv_file import csv_text
from reminders.services import charting, reporting
from reminders.web.access import person_of
from reminders.web.act_words import ACT_WORDS
from reminders.web.dose_curve import DAY_WIDTH, dose_curve
from reminders.web.dose_grid import dose_grid, legend
from reminders.web.pages import page
from reminders.web.parts import Parts
from reminders.web.places import address_of
from reminders.web.portal.talking_pages import KIND_WORDS, STANDINGS, new_key

if TYPE_CHECKING:
    from reminders.domain.acting import StaffAction
    from reminders.services.charting import Chart, PlanChart
    from reminders.services.signing_in import Person
    from reminders.web.dose_curve import Curve
    from reminders.web.dose_grid import GridRow

MOVES = timedelta(days=28)
"""How far "earlier" and "later" go: a week of what was seen stays in sight."""


@dataclass(frozen=True, slots=True)
class PlanShown:
    """A plan, drawn: its curve and its grid over the same days, and what who looks may do to it, or may not for want of a role."""

    plan: PlanChart
    curve: Curve
    rows: tuple[GridRow, ...]
    confirmed: str
    offered: tuple[StaffAction, ...]
    withheld: tuple[StaffAction, ...]


def patient_pages(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/patients/{patient}")

    @router.get("")
    def show(request: Request, patient: str) -> HTMLResponse:
        """Show a patient, around today or from a date on."""
        me = person_of(request)
        first = _date(request.query_params.get("from", ""))
        seen = charting.page(parts.engine, me.clinic_id, patient, by=me.name, now=parts.clock.now(), first=first)
        chart = seen.chart
        return page(
            request,
            "portal/patient.html",
            chart=chart,
            talk=seen.conversation,
            line=seen.timeline,
            kinds=KIND_WORDS,
            standings=STANDINGS,
            typed={},
            faults={},
            key=new_key(),
            place_of=address_of,
            plans=tuple(_shown(plan, chart, me) for plan in chart.plans),
            legend=legend(),
            words=ACT_WORDS,
            earlier=chart.span.first - MOVES,
            later=chart.span.first + MOVES,
            day_width=DAY_WIDTH,
            phone_words=phone_words,
            may_prescribe=has_right(me.roles, Right.PRESCRIBE),
        )

    @router.get("/adherence.csv")
    def adherence(request: Request, patient: str) -> Response:
        """Give how far the taking matched each plan, as a file whose name says nothing of whose it is."""
        me = person_of(request)
        found = reporting.adherence_of_patient(parts.engine, me.clinic_id, patient, by=me.name)
        lines = [plan.rows() for plan in found]
        text = csv_text(list(lines[0]) if lines else ["patient", "plan", "drug"], lines)
        return Response(text, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="adherence.csv"'})

    return router


def _shown(plan: PlanChart, chart: Chart, person: Person) -> PlanShown:
    lower, upper = plan.scores.lower, plan.scores.upper
    return PlanShown(
        plan,
        dose_curve(plan.cells, chart.span.days, chart.span.today, plan.unit),
        dose_grid(plan.cells, chart.span.days, plan.unit, plan.zone),
        "no data" if lower is None else f"{percent(lower)} to {percent(upper)} %",
        tuple(action for action in offered(plan.stands, person.roles) if action in ACT_WORDS),
        tuple(action for action in withheld(plan.stands, person.roles) if action in ACT_WORDS),
    )


def _date(text: str) -> date | None:
    """Read a date of an address; none if there is none, and not found for what is no date."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None
