"""Alerts: what a person at the clinic must look at."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field
from starlette.responses import JSONResponse

from reminders.services import looking_up
from reminders.web.api.door import Caller
from reminders.web.api.routes import family, operation
from reminders.web.api.shapes import ID, AlertAnswer, AlertId, Listed, Paged
from reminders.web.api.writing import page_json, row_json

router = family("alerts")

OPEN = {"open": True, "closed": False, "all": None}


class Filtered(Paged):
    """Which page of the alerts, and of which of them."""

    is_: Annotated[Literal["open", "closed", "all"], Field(alias="is")] = "open"
    severity: Literal["info", "warning", "urgent", "emergency"] | None = None
    kind: Annotated[str | None, Field(pattern=r"^[a-z_]{1,40}$")] = None
    patient: Annotated[str | None, Field(pattern=ID)] = None
    plan: Annotated[str | None, Field(pattern=ID)] = None

    @property
    def wanted(self) -> dict[str, str]:
        """The columns by which it is asked, with their values."""
        given = {"severity": self.severity, "kind": self.kind, "patient_id": self.patient, "plan_id": self.plan}
        return {name: value for name, value in given.items() if value is not None}


@operation(router, "GET", "/alerts", Listed[AlertAnswer])
def alerts(call: Caller, asked: Annotated[Filtered, Query()]) -> JSONResponse:
    """List the alerts, newest first; open ones, unless asked for others."""
    found = looking_up.alerts(
        call.engine, call.clinic_id, wanted=asked.wanted, is_open=OPEN[asked.is_], before=asked.after, limit=asked.limit
    )
    return page_json(found)


@operation(router, "GET", "/alerts/{alert}", AlertAnswer)
def alert(call: Caller, alert: AlertId) -> JSONResponse:
    """Show an alert."""
    return JSONResponse(row_json(looking_up.alert(call.engine, call.clinic_id, alert)))
