"""Changing a plan that goes on: its coming phases as a grid, or a taper from where it stands; the seam, before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.domain.missed_rules import span
from reminders.domain.plan import InvalidPlan, Plan, plain
from reminders.domain.rearranging import NOTHING_COMING, coming_phases, tapered, with_coming
from reminders.errors import BadFile, LedgerHeld, NotAllowed
from reminders.formats.parts import read_reason
from reminders.formats.plan_file import Draft, read_draft, write_draft
from reminders.services import approving, editing
from reminders.services.editing import Edited, Running
from reminders.web.access import person_of
from reminders.web.pages import by_field, form_of, is_part, page, see
from reminders.web.parts import Parts
from reminders.web.portal.edit_form import Grid, Read, changed, fits, grid_of, read_grid, typed_grid
from reminders.web.portal.plan_form import MOST_TIMES, STRENGTH, WAYS, fill
from reminders.web.portal.plan_pages import Builder, shown
from reminders.web.portal.plan_views import plan_view
from reminders.web.words import place

DOWN = tuple(key for key, way in WAYS.items() if way.kind == "taper" and way.by != "steps")

TOO_LONG = "what is coming is too long to be changed here: `doseline edit` changes it by a plan file"

JUST_BEHIND = timedelta(hours=12)
"""So much of what is behind stands beside what is coming, where the old times join the new."""


def edit_pages(parts: Parts) -> APIRouter:
    """Make the routes. Each is about a plan of a patient of the clinic of who asks, or about none."""
    router = APIRouter(prefix="/patients/{patient}/plans/{plan}")

    @router.get("/edit")
    def begin(request: Request, patient: str, plan: str) -> HTMLResponse:
        """Show what is coming, as a grid."""
        running = _running(parts, request, patient, plan)
        return _edit_page(parts, request, running, grid_of(coming_phases(running.document, running.today)))

    @router.post("/edit")
    async def change(request: Request, patient: str, plan: str) -> HTMLResponse:
        """Show the grid as it was typed, and what it would do."""
        form = await form_of(request)
        running = await run_in_threadpool(_running, parts, request, patient, plan)
        try:
            grid = changed(typed_grid(form), form.get("then", ""))
        except ValueError:  # nobody typed it: no page of ours lays out so large a grid
            raise HTTPException(HTTPStatus.BAD_REQUEST) from None
        return await run_in_threadpool(_edit_page, parts, request, running, grid)

    @router.get("/taper")
    def begin_taper(request: Request, patient: str, plan: str) -> HTMLResponse:
        """Show the builder of tapers, from what is taken now."""
        running = _running(parts, request, patient, plan)
        return _taper_page(parts, request, running, {})

    @router.post("/taper")
    async def preview_taper(request: Request, patient: str, plan: str) -> HTMLResponse:
        """Show what was typed, and what it comes to so far."""
        form = await form_of(request)
        running = await run_in_threadpool(_running, parts, request, patient, plan)
        return await run_in_threadpool(_taper_page, parts, request, running, form)

    @router.post("/sign")
    async def sign(request: Request, patient: str, plan: str) -> Response:
        """Store what was shown as the plan's next version, or say what is missing."""
        form = await form_of(request)
        return await run_in_threadpool(_sign, parts, request, form, patient=patient, plan=plan)

    return router


def _running(parts: Parts, request: Request, patient: str, plan: str) -> Running:
    return editing.running(parts.engine, (person_of(request).clinic_id, patient), plan, now=parts.clock.now())


def _edit_page(parts: Parts, request: Request, running: Running, grid: Grid) -> HTMLResponse:
    is_too_long = not fits(grid)
    read = Read(faults={"grid": TOO_LONG}) if is_too_long else _read(grid, running)
    faults, document = dict(read.faults), None
    if read.phases:
        try:
            document = with_coming(running.document, read.phases, running.today)
        except InvalidPlan as fault:
            faults["grid"] = fault.message
    template = "portal/plan_edit_grid.html" if is_part(request) else "portal/plan_edit.html"
    return _outcome(parts, request, running, document, template=template, grid=Grid((), ()) if is_too_long else grid, faults=faults)


def _read(grid: Grid, running: Running) -> Read:
    return read_grid(grid, running.document) if grid.rows else Read(faults={"grid": NOTHING_COMING})


def _outcome(
    parts: Parts, request: Request, running: Running, document: Plan | None, *, template: str, faults: dict[str, str], **values: object
) -> HTMLResponse:
    """A page with what a document would do, or why it cannot be."""
    edited, refused = _previewed(parts, running, document)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults and request.method == "POST" and not is_part(request) else HTTPStatus.OK
    return page(
        request,
        template,
        status=status,
        running=running,
        faults=faults,
        typed=values.pop("typed", {}),
        **_shown(running, document, edited, refused, now=parts.clock.now()),
        **values,
    )


def _previewed(parts: Parts, running: Running, document: Plan | None) -> tuple[Edited | None, list[str]]:
    if document is None:
        return None, []
    try:
        return editing.preview(parts.engine, running.plan.ref, document, now=parts.clock.now(), clinic_id=running.plan.clinic_id), []
    except BadFile as bad:
        return None, [f"{place(fault.path)}: {fault.message}" for fault in bad.faults]
    except NotAllowed as refused:
        return None, [str(refused)]


def _shown(running: Running, document: Plan | None, edited: Edited | None, refused: list[str], *, now: datetime) -> dict[str, object]:
    gap = None if edited is None or edited.gap is None else span(_whole_minutes(edited.gap))
    return {
        "document": document,
        "edited": edited,
        "refused": refused,
        "gap": gap,
        "since": now - JUST_BEHIND,
        "draft": "" if document is None else write_draft(Draft(document)),
        "view": None if document is None else plan_view(document, running.plan.profile),
    }


def _whole_minutes(gap: timedelta) -> timedelta:
    return timedelta(minutes=gap // timedelta(minutes=1))


def _now_taken(running: Running) -> dict[str, str]:
    """The builder's fields as the plan stands: its doses, their times, its label and tablets; how to go on nobody has said yet."""
    plan, doses = running.document, running.doses
    typed = {f"time{number}": f"{dose.at:%H:%M}" for number, dose in enumerate(doses[:MOST_TIMES], 1)}
    typed["from"] = "/".join(plain(dose.amount.value) for dose in doses)
    typed["start"] = max(running.today + timedelta(days=1), plan.start).isoformat()
    return typed | {"label": plan.label or ""} | {f"{STRENGTH}{plain(size.value)}": "yes" for size in plan.strengths}


def _taper_page(parts: Parts, request: Request, running: Running, typed: Mapping[str, str]) -> HTMLResponse:
    as_it_stands = {} if "start" in typed else _now_taken(running)  # once those fields were shown, what stands in them is typed
    typed = {**as_it_stands, **typed, "drug": running.plan.profile.key}
    filled = fill(typed, running.document.zone)
    faults, document = dict(filled.faults), None
    if filled.plan is not None:
        kept = filled.plan.check_ins or running.document.check_ins
        try:
            document = tapered(running.document, replace(filled.plan, check_ins=kept), running.today)
        except InvalidPlan as fault:
            faults[fault.path] = fault.message
    who = approving.candidate(parts.engine, (running.plan.clinic_id, running.patient.id), now=parts.clock.now())
    builder = Builder(f"/patients/{running.patient.id}/plans/{running.plan.id}/taper", DOWN, running.plan.profile)
    values = shown(request, builder, who, typed, filled)
    faults = {**values.pop("faults"), **faults}
    template = "portal/plan_builder.html" if is_part(request) else "portal/plan_taper.html"
    return _outcome(parts, request, running, document, template=template, faults=faults, looked=None, **values)


def _sign(parts: Parts, request: Request, form: Mapping[str, str], *, patient: str, plan: str) -> Response:
    running, me = _running(parts, request, patient, plan), person_of(request)
    try:
        document = read_draft(form.get("draft", "")).plan
    except BadFile:  # nobody typed it: a page of ours wrote it
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None
    faults = _refused(parts, running, document, form, by=me.name)
    if not faults:
        return see(f"/patients/{patient}")
    return _outcome(parts, request, running, document, template="portal/plan_edit_sign.html", faults=faults, typed=form)


def _refused(parts: Parts, running: Running, document: Plan, form: Mapping[str, str], *, by: str) -> dict[str, str]:
    """Store a document as the next version; or say why not, by field."""
    ref, clinic_id, now = running.plan.ref, running.plan.clinic_id, parts.clock.now()
    typed = form.get("reason", "").strip()
    try:
        reason = read_reason(typed)
    except ValueError as error:
        return {"reason": str(error) if typed else "is needed: it stands in the record beside the change"}
    try:
        editing.approve(parts.engine, ref, document, by=by, reason=reason, now=now, clinic_id=clinic_id, seen=form.get("seal", ""))
    except BadFile as bad:
        return dict(by_field(bad))
    except (NotAllowed, LedgerHeld) as refused:
        return {"seal": str(refused)}
    return {}
