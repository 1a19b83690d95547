"""The API for programs, under `/api/v1`: what the portal can do, asked with a key, in the shapes of the public files."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from reminders.web.api import (
    act_api,
    alert_api,
    clinic_api,
    drug_api,
    export_api,
    import_api,
    patient_api,
    plan_api,
    planning_api,
)
from reminders.web.api.describing import description_of
from reminders.web.api.door import Door, Pace
from reminders.web.api.refusals import answer_with_reasons
from reminders.web.parts import Parts

FAMILIES = (clinic_api, patient_api, plan_api, act_api, planning_api, alert_api, drug_api, export_api, import_api)


def api_app(parts: Parts) -> FastAPI:
    """Make the API, to be mounted at `door.PREFIX`. It alone is described; no page of its own shows the description."""
    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    api.state.parts, api.state.pace = parts, Pace(parts.calls_a_minute)
    api.router.route_class = Door
    answer_with_reasons(api)
    for family in FAMILIES:
        api.include_router(family.router)

    @api.get("/openapi.json", include_in_schema=False)
    async def description(_: Request) -> JSONResponse:
        """Describe the API, as OpenAPI 3.1."""
        return JSONResponse(description_of(api))

    return api
