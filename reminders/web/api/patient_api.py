"""Patients: who they are, who and what is around them, and what was said."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import JSONResponse

from reminders.as_json.panels import roster_json
from reminders.domain.plan_state import PlanState
from reminders.errors import BadFile, Fault, NotFound
from reminders.services import looking_up, rostering
from reminders.services.rostering import Filters
from reminders.web.api.door import Caller
from reminders.web.api.routes import family, operation
from reminders.web.api.shapes import (
    CheckInsAnswer,
    InPages,
    Listed,
    Paged,
    PatientAnswer,
    PatientId,
    PatientLine,
    PlansAnswer,
    RosterAnswer,
    SearchBody,
    TextAnswer,
)
from reminders.web.api.writing import check_in_json, page_json, patient_json, row_json

router = family("patients")


class Filtered(Paged):
    """Which page of the patients, and of which of them."""

    state: Annotated[PlanState | None, Field(description="Only those with a plan in this state.")] = None


@operation(router, "GET", "/patients", Listed[PatientLine])
def patients(call: Caller, asked: Annotated[Filtered, Query()]) -> JSONResponse:
    """List the patients, in an order that means nothing, so that a walk through all of them misses none that was there."""
    state = None if asked.state is None else asked.state.value
    return page_json(looking_up.patients(call.engine, call.clinic_id, after=asked.after, state=state, limit=asked.limit))


@operation(router, "POST", "/patients/search", Listed[RosterAnswer])
def search(call: Caller, body: SearchBody) -> JSONResponse:
    """List the patients who need somebody first, or find one by name, reference or phone. It is a POST: a name stands in no address."""
    filters = Filters(body.state, body.drug, body.severity, body.text)
    try:
        found = rostering.roster(call.engine, call.clinic_id, by=call.by, filters=filters, now=call.now, after=body.after, limit=body.limit)
    except NotFound as nobodys:
        raise BadFile([Fault("after", str(nobodys))]) from nobodys
    return JSONResponse({"items": [roster_json(line) for line in found.lines], "next": found.after})


@operation(router, "GET", "/patients/{patient}", PatientAnswer)
def patient(call: Caller, patient: PatientId) -> JSONResponse:
    """Show a patient: phones, caregivers, evidence of consent, other medicines, plans."""
    found = looking_up.patient(call.engine, call.clinic_id, patient)
    around = {name: [row_json(row) for row in getattr(found, name)] for name in ("contacts", "consents", "medicines", "plans")}
    return JSONResponse({**patient_json(found.patient), **around})


@operation(router, "GET", "/patients/{patient}/plans", PlansAnswer)
def plans(call: Caller, patient: PatientId) -> JSONResponse:
    """List a patient's plans, those that are over among them."""
    return JSONResponse({"items": [row_json(row) for row in looking_up.patient(call.engine, call.clinic_id, patient).plans]})


@operation(router, "GET", "/patients/{patient}/texts", Listed[TextAnswer])
def texts(call: Caller, patient: PatientId, asked: InPages) -> JSONResponse:
    """List the texts to and from the numbers behind a patient, newest first, with what theirs were understood as."""
    return page_json(looking_up.texts(call.engine, call.clinic_id, patient, before=asked.after, limit=asked.limit))


@operation(router, "GET", "/patients/{patient}/check-ins", CheckInsAnswer)
def check_ins(call: Caller, patient: PatientId, asked: InPages) -> JSONResponse:
    """List what a patient told of how it goes, newest first, and when they were asked."""
    days, told = looking_up.check_ins(call.engine, call.clinic_id, patient, before=asked.after, limit=asked.limit)
    items = [row_json(row) for row in told.rows]
    return JSONResponse({"items": items, "next": told.then, "asked": [check_in_json(row) for row in days]})
