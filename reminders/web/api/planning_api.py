"""Building, checking and laying out a plan; and laying it before a provider, who signs what was laid out.

What is built or checked alone asks no ledger. What is approved is the draft of a look, with the look's seal: the very document that was
shown, for a patient of whom nothing more is known since.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.responses import JSONResponse

from reminders.as_json.parts import plainly
from reminders.as_json.plans import readings_json, table_json
from reminders.domain.finding import Finding, PatientFacts
from reminders.domain.plan import Amount, InvalidPlan, Plan, PlannedDose
from reminders.errors import BadFile, Fault
from reminders.formats.import_file import AcknowledgementShape
from reminders.formats.parts import WEAK, DateText, InstantText, KidneyText, Name, ReasonGiven
from reminders.formats.plan_file import DoseShape, PlanShape, write_plan
from reminders.formats.shape import Shape
from reminders.services import approving, building, previewing
from reminders.services.approving import Beside, Looked, Signature
from reminders.services.building import Recipe
from reminders.services.laying_out import USUAL_DAYS
from reminders.web.api.door import Caller
from reminders.web.api.formulas import RecipeBody
from reminders.web.api.routes import family, operation
from reminders.web.api.shapes import FindingAnswer, FindingsAnswer, Id, PatientId, Seal, TableAnswer

router = family("planning")

LONGEST_TABLE = 3660
MOST_MEDICINES = 100
MOST_REASONS = 200
LONGEST_DRAFT = 60_000
KEY = r"^[0-9a-f]{12}$"


class ReadingAnswer(Shape):
    """A run of days of one reading: the amounts of a day, their sum, and the sum of everything so far."""

    amounts: list[str]
    per_day: str
    so_far: str


class TwoReadings(Shape):
    """The same days by the two readings of a formula; null where a reading has ended, or makes no plan."""

    days: list[int]
    per_dose: ReadingAnswer | None = None
    per_day: ReadingAnswer | None = None
    current: ReadingAnswer | None = None
    original: ReadingAnswer | None = None


class UnclearAnswer(Shape):
    """What a formula leaves open: nothing was built."""

    field: str
    message: str
    readings: list[TwoReadings]


class BuiltAnswer(Shape):
    """A plan that was built, as a plan file, with its dated table and what a check finds; `unclear` alone, where its formula is."""

    document: PlanShape | None
    table: TableAnswer | None
    findings: list[FindingAnswer]
    unclear: UnclearAnswer | None


class TableBody(Shape):
    """A plan to be laid out."""

    document: PlanShape
    until_day: Annotated[int, Field(ge=1, le=LONGEST_TABLE)] = USUAL_DAYS


class CheckBody(Shape):
    """A plan to be checked, and what is known of who takes it."""

    document: PlanShape
    approved_at: InstantText | None = None
    medicines: Annotated[tuple[Name, ...], Field(strict=False, max_length=MOST_MEDICINES)] = ()
    acknowledged: Annotated[tuple[AcknowledgementShape, ...], Field(strict=False, max_length=MOST_MEDICINES)] = ()
    age: Annotated[int, Field(ge=0, le=130)] | None = None
    kidney: KidneyText | None = None


class LookBody(Shape):
    """A plan for a patient, and for a taper the doses of the day before it."""

    document: PlanShape
    before: Annotated[tuple[DoseShape, ...], Field(strict=False, max_length=24)] = ()


class KeyedFinding(FindingAnswer):
    """A finding; a warning has the key under which its reason is given."""

    key: str | None


class InteractingAnswer(Shape):
    """A medicine on the list that is acknowledged under this key, and what a laboratory is to check beside it."""

    key: str
    medicine: str
    effects: list[str]
    labs: list[str]


class LookAnswer(Shape):
    """A plan as it would be approved now. `hash`: of the document, as the audit would have it; `draft` and `seal` go into the approval."""

    hash: str
    draft: str
    seal: str
    table: TableAnswer
    findings: list[KeyedFinding]
    interacting: list[InteractingAnswer]


class BesideBody(Shape):
    """Why to go on beside an interacting medicine, and by which day a laboratory checks."""

    reason: ReasonGiven
    labs_due: DateText | None = None


class ApprovalBody(Shape):
    """What a look gave, signed: a reason for each warning and each interacting medicine, by key."""

    draft: Annotated[str, Field(max_length=LONGEST_DRAFT)]
    seal: Seal
    reasons: Annotated[dict[Annotated[str, Field(pattern=KEY)], ReasonGiven], Field(max_length=MOST_REASONS)] = Field(default_factory=dict)
    beside: Annotated[dict[Annotated[str, Field(pattern=KEY)], BesideBody], Field(max_length=MOST_REASONS)] = Field(default_factory=dict)


class ApprovedAnswer(Shape):
    """The plan that was stored."""

    plan: Id


@operation(router, "POST", "/plans/build", BuiltAnswer)
def build(_: Caller, body: RecipeBody) -> JSONResponse:
    """Build a plan from a formula or a ready layout: its document, its dated table, and what a check finds. Nothing is stored."""
    recipe = body.recipe
    unclear = building.unclear(recipe)
    if unclear is not None:
        told = {"field": unclear.field, "message": unclear.message, "readings": readings_json(unclear.readings)}
        return JSONResponse({"document": None, "table": None, "findings": [], "unclear": told})
    plan = _drawn_up(recipe)
    known = previewing.findings_of(plan, recipe.tablets)
    found = (*known, *(finding for finding in building.check_from_before(recipe, plan) if finding not in known))
    table = table_json(plan, previewing.profile_of(plan), recipe.tablets, until_day=USUAL_DAYS)
    return JSONResponse({"document": write_plan(plan), "table": table, "findings": [_finding(one) for one in found], "unclear": None})


def _drawn_up(recipe: Recipe) -> Plan:
    try:
        return building.draw_up(recipe)
    except InvalidPlan as fault:
        raise BadFile([Fault(f"formula.{fault.path}" if fault.path else "formula", fault.message)]) from fault


@operation(router, "POST", "/plans/check", FindingsAnswer)
def check(_: Caller, body: CheckBody) -> JSONResponse:
    """Check a plan against its drug's profile and what is known of who takes it. Nothing is stored."""
    weak = body.kidney == WEAK
    facts = PatientFacts(age=body.age, kidney=body.kidney if isinstance(body.kidney, Decimal) else None, kidney_flag=weak)
    beside = previewing.Beside(body.medicines, tuple(shape.acknowledgement for shape in body.acknowledged), facts)
    plan = body.document.plan
    found = previewing.findings_of(plan, plan.strengths or None, approved_at=body.approved_at, beside=beside)
    return JSONResponse({"items": [_finding(finding) for finding in found]})


@operation(router, "POST", "/plans/table", TableAnswer)
def table(_: Caller, body: TableBody) -> JSONResponse:
    """Lay a plan out as its dated table, with the tablets that it takes. Nothing is stored."""
    plan = body.document.plan
    return JSONResponse(table_json(plan, previewing.profile_of(plan), plan.strengths or None, until_day=body.until_day))


@operation(router, "POST", "/patients/{patient}/plans/look", LookAnswer)
def look(call: Caller, patient: PatientId, body: LookBody) -> JSONResponse:
    """Lay a plan of a patient before a provider: what a check finds beside all that is known of them. Nothing is stored."""
    before = tuple(PlannedDose(dose.at, Amount(dose.amount, dose.unit)) for dose in body.before)
    return JSONResponse(_looked(approving.look(call.engine, (call.clinic_id, patient), body.document.plan, now=call.now, before=before)))


@operation(router, "POST", "/patients/{patient}/plans", ApprovedAnswer, status=HTTPStatus.CREATED)
def approve(call: Caller, patient: PatientId, body: ApprovalBody) -> JSONResponse:
    """Approve what was looked at, in the name of the key's person: the plan begins, and its hash is in the audit."""
    beside = {key: Beside(said.reason, said.labs_due) for key, said in body.beside.items()}
    signature = Signature(call.by, body.seal, body.reasons, beside)
    try:
        plan_id = approving.approve(call.engine, (call.clinic_id, patient), body.draft, signature, now=call.now)
    except BadFile as bad:
        raise BadFile(replace(fault, path=fault.path or "draft") for fault in bad.faults) from bad
    return JSONResponse({"plan": plan_id}, HTTPStatus.CREATED)


def _looked(found: Looked) -> dict[str, object]:
    keys = {str(finding): key for key, finding in found.warnings.items()}
    return {
        "hash": found.digest,
        "draft": found.draft,
        "seal": found.seal,
        "table": table_json(found.plan, found.profile, found.plan.strengths or None, until_day=USUAL_DAYS),
        "findings": [{**_finding(finding), "key": keys.get(str(finding))} for finding in found.findings],
        "interacting": [
            {
                "key": one.key,
                "medicine": one.medicine,
                "effects": [f"{group.effect.value} ({group.effect.source})" for group in one.groups],
                "labs": list(one.labs),
            }
            for one in found.interacting
        ],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {name: plainly(getattr(finding, name)) for name in FindingAnswer.model_fields}
