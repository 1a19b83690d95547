"""The plan builder: a form, what it comes to day by day, and the page on which a provider signs that table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders import drugs
from reminders.domain.missed_rules import in_words
from reminders.domain.plan import AdvancePolicy, CheckInItem, Kind, plain
from reminders.domain.profile import DrugProfile
from reminders.errors import BadFile, Fault, LedgerHeld
from reminders.formats.parts import read_date
from reminders.services import approving, building
from reminders.services.approving import Beside, Candidate, Looked, Signature
from reminders.web.access import person_of
from reminders.web.pages import by_field, form_of, is_part, page, see
from reminders.web.parts import Parts
from reminders.web.portal.plan_form import CHECK_IN, LABELS, MOST_TIMES, STRENGTH, WAYS, Filled, fill, profile_of, templates_of, times_of
from reminders.web.portal.plan_views import plan_view

LONGEST_DRAFT = 60_000
"""Characters of a draft that are read: a plan of 366 phases is no page any more."""

POLICIES: Mapping[AdvancePolicy, str] = {
    AdvancePolicy.ASK_PROVIDER: "Each step waits for a provider's yes",
    AdvancePolicy.STAY_UNLESS_MET: "A step happens if its conditions are met; else the plan stays",
    AdvancePolicy.AS_PRESCRIBED: "Steps happen on their day; an unmet condition is flagged",
}


@dataclass(frozen=True, slots=True)
class Builder:
    """Where a builder's form is sent, whose plan it builds, and in which ways. `fixed`: the drug, where nobody chooses it."""

    action: str
    ways: tuple[str, ...] = tuple(WAYS)
    fixed: DrugProfile | None = None


def plan_pages(parts: Parts) -> APIRouter:
    """Make the routes. Each is about a patient of the clinic of who asks, or about nobody."""
    router = APIRouter(prefix="/patients/{patient}/plans")

    @router.get("/new")
    def begin(request: Request, patient: str) -> HTMLResponse:
        """Show the form with nothing chosen but a first day."""
        who = _candidate(parts, request, patient)
        return _new_page(parts, request, who, {})

    @router.post("/new")
    async def preview(request: Request, patient: str) -> HTMLResponse:
        """Show what was typed, and what it comes to so far."""
        form = await form_of(request)
        who = await run_in_threadpool(_candidate, parts, request, patient)
        return await run_in_threadpool(_new_page, parts, request, who, form)

    @router.post("/look")
    async def look(request: Request, patient: str) -> HTMLResponse:
        """Lay the resolved table before the provider, with what they sign."""
        form = await form_of(request)
        looked = await run_in_threadpool(_look, parts, request, patient, form)
        return _look_page(request, looked, {}, {})

    @router.post("")
    async def approve(request: Request, patient: str) -> Response:
        """Store what was signed, or say what is missing."""
        form, me = await form_of(request), person_of(request)
        try:
            signature = _signature(form, me.name)
            whose = (me.clinic_id, patient)
            await run_in_threadpool(approving.approve, parts.engine, whose, _draft(form), signature, now=parts.clock.now())
        except BadFile as bad:
            looked = await run_in_threadpool(_look, parts, request, patient, form)
            return _look_page(request, looked, form, by_field(bad))
        except LedgerHeld as refused:
            looked = await run_in_threadpool(_look, parts, request, patient, form)
            return _look_page(request, looked, form, {"seal": str(refused)})
        return see(f"/patients/{patient}")

    return router


def _candidate(parts: Parts, request: Request, patient: str) -> Candidate:
    return approving.candidate(parts.engine, (person_of(request).clinic_id, patient), now=parts.clock.now())


def _new_page(parts: Parts, request: Request, who: Candidate, typed: Mapping[str, str]) -> HTMLResponse:
    typed = {"start": (who.today + timedelta(days=1)).isoformat(), **typed}
    filled = fill(typed, who.patient.zone)
    looked = None
    if filled.plan is not None and filled.recipe is not None:
        whose, before = (who.patient.clinic.id, who.patient.id), building.day_before(filled.recipe)
        looked = approving.look(parts.engine, whose, filled.plan, now=parts.clock.now(), before=before)
    builder = Builder(f"/patients/{who.patient.id}/plans/new")
    template = "portal/plan_builder.html" if is_part(request) else "portal/plan_new.html"
    values = shown(request, builder, who, typed, filled)
    return page(request, template, status=_status(request, filled), looked=looked, view=_view_of(looked), **values)


def _view_of(looked: Looked | None) -> object:
    return None if looked is None else plan_view(looked.plan, looked.profile)


def _status(request: Request, filled: Filled) -> HTTPStatus:
    """A whole page with faults is refused; a part, asked for while somebody types, is an answer."""
    return HTTPStatus.UNPROCESSABLE_ENTITY if filled.faults and not is_part(request) else HTTPStatus.OK


def shown(request: Request, builder: Builder, who: Candidate, typed: Mapping[str, str], filled: Filled) -> dict[str, Any]:
    """What the builder's form shows of what was typed, and of what it comes to."""
    profile, way = builder.fixed or profile_of(typed), WAYS.get(typed.get("way", ""))
    templates = templates_of(profile, way)
    times = [*times_of(typed), *[""] * MOST_TIMES][:MOST_TIMES]
    chosen = next((template for template in templates if template.name == typed.get("template")), None)
    if chosen is not None and chosen.times and not times_of(typed):
        times = [*(f"{at:%H:%M}" for at in chosen.times), *[""] * MOST_TIMES][:MOST_TIMES]
    faults = dict(filled.faults)
    if request.method == "POST" and not is_part(request):  # who presses the button is told of each field; who still types is not
        faults |= {name: "is missing" for name in filled.missing if name not in faults}
    return {
        "builder": builder,
        "who": who,
        "typed": typed,
        "profile": profile,
        "way": way,
        "ways": {key: WAYS[key] for key in builder.ways},
        "drugs": drugs.all_profiles(),
        "templates": templates,
        "chosen": chosen,
        "times": times,
        "faults": faults,
        "missing": [LABELS.get(name, name) for name in filled.missing],
        "unclear": filled.unclear,
        "policies": [(policy.value, words, "") for policy, words in POLICIES.items() if way is None or _allowed(policy, way.kind)],
        "items": list(CheckInItem),
        "check": CHECK_IN,
        "strength": STRENGTH,
        "sizes": [] if profile is None else [plain(strength.value) for strength in profile.tablets],
        "rule": "" if profile is None or profile.missed_dose_rule is None else in_words(profile.missed_dose_rule.value),
    }


def _allowed(policy: AdvancePolicy, kind: Kind) -> bool:
    """A silent stay can use up a taper's tablets: there is none to choose."""
    return not (kind is Kind.TAPER and policy is AdvancePolicy.STAY_UNLESS_MET)


def _draft(form: Mapping[str, str]) -> str:
    return form.get("draft", "")[:LONGEST_DRAFT]


def _look(parts: Parts, request: Request, patient: str, form: Mapping[str, str]) -> Looked:
    whose = (person_of(request).clinic_id, patient)
    _candidate(parts, request, patient)  # whoever is nobody's patient here is that before all else
    try:
        return approving.look_again(parts.engine, whose, _draft(form), now=parts.clock.now())
    except BadFile:  # nobody typed it: a page of ours wrote it
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None


def _look_page(request: Request, looked: Looked, typed: Mapping[str, str], faults: Mapping[str, str]) -> HTMLResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return page(
        request,
        "portal/plan_look.html",
        status=status,
        looked=looked,
        view=plan_view(looked.plan, looked.profile),
        typed=typed,
        faults=faults,
    )


def _signature(form: Mapping[str, str], by: str) -> Signature:
    """Who signs, and what they typed: reasons at `reason_<key>`, acknowledgements at `beside_<key>` and `labs_<key>`."""
    reasons = {name.removeprefix("reason_"): typed for name, typed in form.items() if name.startswith("reason_")}
    keys = [name.removeprefix("beside_") for name in form if name.startswith("beside_")]
    beside = {key: Beside(form[f"beside_{key}"], _day(form.get(f"labs_{key}", ""), key)) for key in keys}
    return Signature(by, form.get("seal", ""), reasons, beside)


def _day(typed: str, key: str) -> date | None:
    if not typed.strip():
        return None
    try:
        return read_date(typed.strip())
    except ValueError as error:
        raise BadFile([Fault(f"beside.{key}.labs_due", str(error))]) from error
