"""Patients: who they are, who and what is around them, and what was said."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

from fastapi import Query
from pydantic import Field
from starlette.responses import JSONResponse

from reminders.as_json.edits import finding_json
from reminders.as_json.panels import roster_json
from reminders.as_json.parts import plainly
from reminders.domain.plan import plain
from reminders.domain.plan_state import PlanState
from reminders.errors import BadFile, Fault, NotFound
from reminders.formats.parts import WEAK
from reminders.services import conversing, enrolling, looking_up, rostering
from reminders.services.rostering import Filters
from reminders.web.api.door import Caller
from reminders.web.api.routes import family, operation
from reminders.web.api.shapes import (
    ChangedAnswer,
    CheckInsAnswer,
    DetailsBody,
    InPages,
    Listed,
    Paged,
    PatientAnswer,
    PatientId,
    PatientLine,
    PlansAnswer,
    RosterAnswer,
    SearchBody,
    TakenOverAnswer,
    TextAnswer,
    WordsBody,
    WrittenAnswer,
)
from reminders.web.api.writing import check_in_json, page_json, patient_json, row_json

router = family("patients")

QUIET = {"quiet_from": "quiet_hours.from", "quiet_until": "quiet_hours.until"}


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


@operation(router, "PATCH", "/patients/{patient}", ChangedAnswer)
def change(call: Caller, patient: PatientId, body: DetailsBody) -> JSONResponse:
    """Change what is known of a patient, in the name of the key's person; say what it newly means beside the plans that run."""
    try:
        found = enrolling.change_details(call.engine, call.clinic_id, patient, _typed(body), by=call.by, now=call.now)
    except BadFile as bad:
        raise BadFile(replace(fault, path=QUIET.get(fault.path, fault.path)) for fault in bad.faults) from bad
    return JSONResponse({"beside": [{"plan": one.plan, "drug": one.drug, **finding_json(one.finding)} for one in found]})


def _typed(body: DetailsBody) -> dict[str, Any]:
    """What was sent, as somebody would type it."""
    sent, typed = body.model_fields_set, dict[str, Any]()
    typed |= {name: getattr(body, name) for name in ("name", "language", "wording", "reason") if name in sent}
    if "alcohol" in sent:
        typed["alcohol"] = body.alcohol.value
    if "born" in sent:
        typed["born"] = "" if body.born is None else body.born.isoformat()
    if "kidney" in sent:
        typed["kidney_weak"] = body.kidney == WEAK
        typed["kidney"] = plain(body.kidney) if isinstance(body.kidney, Decimal) else ""
    if "quiet_hours" in sent:
        typed |= {"quiet_from": f"{body.quiet_hours.starts:%H:%M}", "quiet_until": f"{body.quiet_hours.until:%H:%M}"}
    return typed


@operation(router, "POST", "/patients/{patient}/texts", WrittenAnswer, status=HTTPStatus.CREATED)
def write(call: Caller, patient: PatientId, body: WordsBody) -> JSONResponse:
    """Text a patient in a person's own words, under the same consent, STOP and quiet hours as any text."""
    takes_over, key = body.takes_over, uuid4().hex  # sent again, it is the mark of the request that says so
    written = conversing.write(call.engine, call.clinic_id, patient, body.words, by=call.by, key=key, now=call.now, takes_over=takes_over)
    return JSONResponse({"leaves_at": plainly(written.leaves_at), "parts": written.parts}, HTTPStatus.CREATED)


@operation(router, "POST", "/patients/{patient}/take-over", TakenOverAnswer)
def take_over(call: Caller, patient: PatientId) -> JSONResponse:
    """Take a patient's conversation into the hands of the key's person. Doses, danger signs and STOP are answered as ever."""
    return JSONResponse({"until": plainly(conversing.take_over(call.engine, call.clinic_id, patient, by=call.by, now=call.now))})


@operation(router, "POST", "/patients/{patient}/hand-back", TakenOverAnswer)
def hand_back(call: Caller, patient: PatientId) -> JSONResponse:
    """Hand a conversation back to the machine, whoever had it."""
    conversing.hand_back(call.engine, call.clinic_id, patient, by=call.by, now=call.now)
    return JSONResponse({"until": None})
