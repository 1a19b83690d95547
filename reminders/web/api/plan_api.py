"""A patient's plans and their doses: as they stand, as they were, as they will be; and a new version of a plan."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import JSONResponse

from reminders.as_json.edits import edited_json
from reminders.as_json.parts import plainly
from reminders.as_json.plans import table_json
from reminders.as_json.supplies import supply_json
from reminders.errors import BadFile, Fault
from reminders.formats.plan_file import write_plan
from reminders.reports.adherence_report import CAVEATS
from reminders.services import editing, looking_up, prescribing, reporting, supplying
from reminders.services.laying_out import USUAL_DAYS
from reminders.services.previewing import profile_of
from reminders.services.supplying import TallyKind
from reminders.web.api.door import Caller
from reminders.web.api.routes import family, operation
from reminders.web.api.shapes import (
    AdherencesAnswer,
    Asked,
    Between,
    Correction,
    DoseAnswer,
    DoseId,
    EditAnswer,
    EventAnswer,
    InPages,
    Listed,
    NewDocument,
    PagedBetween,
    PlanAnswer,
    PlanId,
    SignedDocument,
    SlotsAnswer,
    SupplyAnswer,
    TableAnswer,
    Tallied,
)
from reminders.web.api.writing import page_json, row_json, spans_json, version_json

router = family("plans")

LONGEST_TABLE = 3660


class UntilDay(Asked):
    """How far an open-ended phase is laid out."""

    until_day: Annotated[int, Field(ge=1, le=LONGEST_TABLE, description="Up to which day of the plan an open-ended phase is laid out.")] = (
        USUAL_DAYS
    )


class HowMany(Asked):
    """How many of them."""

    count: Annotated[int, Field(ge=1, le=1000)] = 12


@operation(router, "GET", "/plans/{plan}", PlanAnswer)
def plan(call: Caller, plan: PlanId) -> JSONResponse:
    """Show a plan: its state, the document that was signed, when each phase runs, and the hash of each version."""
    found = looking_up.plan(call.engine, call.clinic_id, plan, now=call.now)
    return JSONResponse(
        {
            **row_json(found.row),
            "phase": found.phase,
            "document": write_plan(found.signed),
            "phases": spans_json(found),
            "versions": [version_json(row) for row in found.versions],
        }
    )


@operation(router, "GET", "/plans/{plan}/table", TableAnswer)
def table(call: Caller, plan: PlanId, asked: Annotated[UntilDay, Query()]) -> JSONResponse:
    """Lay a plan out as its dated table, its stays laid in, with the tablets that it takes."""
    document = looking_up.plan(call.engine, call.clinic_id, plan, now=call.now).document
    return JSONResponse(table_json(document, profile_of(document), document.strengths or None, until_day=asked.until_day))


@operation(router, "GET", "/plans/{plan}/events", Listed[EventAnswer])
def events(call: Caller, plan: PlanId, asked: InPages) -> JSONResponse:
    """List what happened to a plan, newest first: who, when, why."""
    return page_json(looking_up.plan_events(call.engine, call.clinic_id, plan, before=asked.after, limit=asked.limit))


@operation(router, "GET", "/plans/{plan}/doses", Listed[DoseAnswer])
def doses(call: Caller, plan: PlanId, asked: Annotated[PagedBetween, Query()]) -> JSONResponse:
    """List the doses that fell due, in order, by their local dates."""
    found = looking_up.doses(call.engine, call.clinic_id, plan, first=asked.first, end=asked.end, after=asked.after, limit=asked.limit)
    return page_json(found)


@operation(router, "GET", "/plans/{plan}/slots", SlotsAnswer)
def slots(call: Caller, plan: PlanId, asked: Annotated[HowMany, Query()]) -> JSONResponse:
    """List the doses to come, as the plan lays them out now."""
    ref = looking_up.plan_ref(call.engine, call.clinic_id, plan)
    found = reporting.coming_slots(call.engine, ref, now=call.now, count=asked.count, clinic_id=call.clinic_id)
    names = ("local_date", "slot_no", "local_time", "due_at", "amount", "unit", "phase")
    return JSONResponse({"items": [{name: plainly(getattr(slot, name)) for name in names} for slot in found]})


@operation(router, "POST", "/plans/{plan}/edit/preview", EditAnswer)
def preview(call: Caller, plan: PlanId, body: NewDocument) -> JSONResponse:
    """Show what a new document would do to a plan: where it joins, and what speaks against it, with its seal. Nothing is stored."""
    ref = looking_up.plan_ref(call.engine, call.clinic_id, plan)
    edited = editing.preview(call.engine, ref, body.document.plan, now=call.now, clinic_id=call.clinic_id)
    return JSONResponse(edited_json(edited, stored=False))


@operation(router, "POST", "/plans/{plan}/edit", EditAnswer)
def edit(call: Caller, plan: PlanId, body: SignedDocument) -> JSONResponse:
    """Approve a new document as the plan's next version, in the name of the key's person, as its preview showed it under this seal.

    Where anything has changed since, it is refused. The patient is told of changed amounts.
    """
    ref = looking_up.plan_ref(call.engine, call.clinic_id, plan)
    edited = editing.approve(
        call.engine, ref, body.document.plan, by=call.by, reason=body.reason, now=call.now, clinic_id=call.clinic_id, seen=body.seal
    )
    return JSONResponse(edited_json(edited, stored=True))


@operation(router, "GET", "/plans/{plan}/adherence", AdherencesAnswer)
def adherence(call: Caller, plan: PlanId, asked: Annotated[Between, Query()]) -> JSONResponse:
    """Say how far the taking matched a plan: counts beside every share."""
    ref = looking_up.plan_ref(call.engine, call.clinic_id, plan)
    found = reporting.adherence_of_plans(call.engine, first=asked.first, end=asked.end, clinic_id=call.clinic_id)
    return JSONResponse({"items": [dict(one.rows()) for one in found if one.plan == ref], "caveats": list(CAVEATS)})


@operation(router, "GET", "/plans/{plan}/supply", SupplyAnswer)
def supply(call: Caller, plan: PlanId) -> JSONResponse:
    """Say how many tablets there are, how long they last, and what each phase to come takes."""
    ref = looking_up.plan_ref(call.engine, call.clinic_id, plan)
    return JSONResponse(supply_json(supplying.standing(call.engine, ref, now=call.now, clinic_id=call.clinic_id)))


@operation(router, "POST", "/plans/{plan}/supply", SupplyAnswer)
def count(call: Caller, plan: PlanId, body: Tallied) -> JSONResponse:
    """Keep how many tablets were counted at home, or came."""
    ref = looking_up.plan_ref(call.engine, call.clinic_id, plan)
    tablets = {entry.strength: entry.tablets for entry in body.tablets}
    if len(tablets) < len(body.tablets):
        raise BadFile([Fault("tablets", "each strength once")])
    found = supplying.say(call.engine, ref, tablets, TallyKind(body.kind), by=call.by, now=call.now, clinic_id=call.clinic_id)
    return JSONResponse(supply_json(found))


@operation(router, "GET", "/doses/{dose}", DoseAnswer)
def dose(call: Caller, dose: DoseId) -> JSONResponse:
    """Show a dose."""
    return _dose(call, dose)


@operation(router, "POST", "/doses/{dose}/correct", DoseAnswer)
def correct(call: Caller, dose: DoseId, body: Correction) -> JSONResponse:
    """Set right what is recorded of a dose, in the name of the key's person. What was recorded before is kept beside it."""
    found = looking_up.dose(call.engine, call.clinic_id, dose)
    prescribing.correct(
        call.engine,
        plan_ref=found["plan_ref"],
        local_date=found["local_date"],
        slot_no=found["slot_no"],
        state=body.state,
        by=call.by,
        reason=body.reason,
        now=call.now,
        clinic_id=call.clinic_id,
    )
    return _dose(call, dose)


def _dose(call: Caller, dose_id: str) -> JSONResponse:
    found = looking_up.dose(call.engine, call.clinic_id, dose_id)
    return JSONResponse({name: value for name, value in row_json(found).items() if name != "plan_ref"})
