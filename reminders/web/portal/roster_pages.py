"""The roster: the clinic's patients, those who need somebody first; narrowed, and searched without a name in any address."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.domain.escalation import SEVERITIES
from reminders.domain.plan_state import PlanState
from reminders.errors import BadFile
from reminders.services import rostering
from reminders.services.rostering import NONE_OPEN, Filters
from reminders.web.access import person_of
from reminders.web.dose_grid import legend
from reminders.web.fortnight_strip import fortnight_strip, level_words, trend_words
from reminders.web.pages import by_field, form_of, page, see
from reminders.web.parts import Parts

LONGEST_SEARCH = 80


def roster_pages(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/patients")

    @router.get("")
    def show(request: Request) -> HTMLResponse:
        """Show a page of the roster, narrowed by what holds no personal data: a plan's state, a drug, a severity."""
        asked = request.query_params
        return _roster(parts, request, _filters(asked), after=asked.get("after"))

    @router.post("/search")
    async def search(request: Request) -> Response:
        """Look for somebody by name or number; where nothing is typed, go to the roster that was chosen."""
        form = await form_of(request)
        filters = _filters(form, text=form.get("text", "")[:LONGEST_SEARCH])
        if not filters.text.strip():
            return see("/patients" + _query(filters))
        return await run_in_threadpool(_roster, parts, request, filters, after=form.get("after"))

    return router


def _roster(parts: Parts, request: Request, filters: Filters, *, after: str | None) -> HTMLResponse:
    me, faults, found = person_of(request), {}, None
    try:
        found = rostering.roster(parts.engine, me.clinic_id, by=me.name, filters=filters, now=parts.clock.now(), after=after)
    except BadFile as bad:
        faults = dict(by_field(bad))
    return page(
        request,
        "portal/roster.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK,
        found=found,
        filters=filters,
        faults=faults,
        is_first=after is None,
        anew=_query(filters),
        onward=_query(filters, after=found.after) if found and found.after else "",
        states=tuple(PlanState),
        drugs=rostering.drugs_known(),
        severities=(*SEVERITIES, NONE_OPEN),
        picture=fortnight_strip,
        level=level_words,
        legend=legend(),
        trend=trend_words,
    )


def _filters(given: Mapping[str, str], *, text: str = "") -> Filters:
    """Read what a roster is narrowed to. What nobody could have chosen is not chosen."""
    state, severity = given.get("state", ""), given.get("severity", "")
    return Filters(
        state=PlanState(state) if state in set(PlanState) else None,
        drug=drug if (drug := given.get("drug", "")) in dict(rostering.drugs_known()) else None,
        severity=severity if severity in {*SEVERITIES, NONE_OPEN} else None,
        text=text,
    )


def _query(filters: Filters, *, after: str | None = None) -> str:
    """Write what a roster is narrowed to into an address. What was typed is not among it."""
    chosen = {"state": filters.state and filters.state.value, "drug": filters.drug, "severity": filters.severity, "after": after}
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"?{query}" if query else ""
