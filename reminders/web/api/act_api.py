"""Acts on a plan: each has its own operation, with the fields that it needs and the right that it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import Query
from starlette.responses import JSONResponse

from reminders.as_json.edits import finding_json, slot_json
from reminders.domain.acting import StaffAct, StaffAction
from reminders.services import looking_up, prescribing
from reminders.services.prescribing import After, Foreseen
from reminders.web.api.door import Caller
from reminders.web.api.routes import family, operation
from reminders.web.api.shapes import (
    AcknowledgeBody,
    ActAnswer,
    ActBody,
    AddMedicineBody,
    MoveZoneBody,
    PlanId,
    ReasonedBody,
    Rehearsed,
    RemoveMedicineBody,
    RestartBody,
    SlowDownBody,
)

router = family("acts")

Body = ActBody | ReasonedBody
ACTS: Mapping[StaffAction, tuple[type[Body], str]] = MappingProxyType(
    {
        StaffAction.STAY: (ActBody, "Keep the next step back: the phase goes on."),
        StaffAction.RESUME: (ActBody, "Go on after a stay."),
        StaffAction.STEP_BACK: (ReasonedBody, "Go back to the phase before, from the next dose on."),
        StaffAction.ADVANCE: (ReasonedBody, "Say yes to the next step, or take it sooner than planned: from tomorrow."),
        StaffAction.SLOW_DOWN: (SlowDownBody, "Let this phase and each to come that has an end last longer."),
        StaffAction.MUTE: (ActBody, "Doses go on elsewhere, in a hospital say: no texts, nothing counted."),
        StaffAction.UNMUTE: (ActBody, "Text again, and count."),
        StaffAction.SUSPEND: (ReasonedBody, "Nothing is to be taken until a restart; the patient is told."),
        StaffAction.RESTART: (RestartBody, "Begin again after a suspension, at a chosen phase."),
        StaffAction.STOP: (ReasonedBody, "End the plan at once. For a drug that must not be stopped suddenly, think of a taper."),
        StaffAction.ACKNOWLEDGE: (AcknowledgeBody, "Take the plan's open alerts on."),
        StaffAction.MOVE_ZONE: (MoveZoneBody, "Let the patient's times follow them to another zone, joined at a seam."),
        StaffAction.ADD_MEDICINE: (AddMedicineBody, "Put another medicine on the list of the plan's patient."),
        StaffAction.REMOVE_MEDICINE: (RemoveMedicineBody, "Take a medicine off the list of the plan's patient."),
    }
)


def _acting(action: StaffAction, body: type[Body], words: str) -> Callable[..., JSONResponse]:
    def act(call: Caller, plan: PlanId, asked: Annotated[Rehearsed, Query()], body: Body) -> JSONResponse:
        return _carry_out(call, plan, action, body, dry_run=asked.dry_run)

    act.__name__, act.__doc__ = f"act_{action.value}", words
    act.__annotations__["body"] = body
    return act


def _carry_out(call: Caller, plan: str, action: StaffAction, body: Body, *, dry_run: bool) -> JSONResponse:
    ref = looking_up.plan_ref(call.engine, call.clinic_id, plan)
    given = {name: getattr(body, name) for name in type(body).model_fields}
    act = StaffAct(call.now, action, ref, call.by, **given)
    if not dry_run:
        return JSONResponse(_stands(plan, action, prescribing.act(call.engine, act, now=call.now, clinic_id=call.clinic_id)))
    seen = prescribing.foresee(call.engine, act, now=call.now, clinic_id=call.clinic_id)
    return JSONResponse({**_stands(plan, action, seen.after), "done": False, "foreseen": _foreseen(seen)})


def _stands(plan: str, action: StaffAction, after: After) -> dict[str, object]:
    beside = [{"plan": ref, **finding_json(finding), "source": finding.source} for ref, finding in after.beside]
    stands = {"state": after.state.value, "phase": after.phase, "beside": beside}
    return {"done": True, "plan": plan, "action": action.value, **stands, "foreseen": None}


def _foreseen(seen: Foreseen) -> dict[str, object]:
    return {
        "as_it_was": [slot_json(slot) for slot in seen.before],
        "as_it_would_be": [slot_json(slot) for slot in seen.coming],
        "texts": [{"to": to, "body": body} for to, body in seen.texts],
        "raised": list(seen.raised),
        "closed": list(seen.closed),
    }


for _action, (_body, _words) in ACTS.items():
    _path = f"/plans/{{plan}}/acts/{_action.value.replace('_', '-')}"
    operation(router, "POST", _path, ActAnswer)(_acting(_action, _body, _words))
