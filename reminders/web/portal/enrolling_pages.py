"""Enrolling a patient, and changing what is known of one: forms that keep what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.errors import BadFile
from reminders.services import enrolling
from reminders.services.enrolling import Details, NewPatient
from reminders.web.access import person_of
from reminders.web.pages import by_field, form_of, page, see
from reminders.web.parts import Parts
from reminders.web.portal.enrol_form import WORDINGS, ZONES, agreed_of, consent_of_now, consent_typed, field_of

TEXTS = tuple(one.name for one in fields(NewPatient) if one.name not in {"consent", "kidney_weak", "has_proxy"})
DETAILS = tuple(one.name for one in fields(Details) if one.name != "kidney_weak")
SHOWN = "was_"
"""Before the name of a field: what stood in it when the page was opened."""


def new_patient_pages(parts: Parts) -> APIRouter:
    """Make the routes of a new patient."""
    router = APIRouter(prefix="/patients/new")

    @router.get("")
    def ask(request: Request) -> HTMLResponse:
        """Show the empty form, with what is usual at the clinic."""
        clinic = enrolling.clinic(parts.engine, person_of(request).clinic_id)
        usual = asdict(NewPatient(zone=clinic.zone)) | consent_of_now(clinic.tz, parts.clock.now())
        return _new_page(request, usual, {})

    @router.post("")
    async def enrol(request: Request) -> Response:
        """Enrol a patient; then the code that proves the number is asked for."""
        form, me = await form_of(request), person_of(request)
        given = NewPatient(
            **{name: field_of(form, name) for name in TEXTS},
            kidney_weak=form.get("kidney_weak") == "yes",
            has_proxy=form.get("has_proxy") == "yes",
            consent=agreed_of(form),
        )
        try:
            patient = await run_in_threadpool(enrolling.enrol, parts.engine, me.clinic_id, given, by=me.name, now=parts.clock.now())
        except BadFile as bad:
            return _new_page(request, asdict(given) | consent_typed(form), by_field(bad))
        parts.heard()  # the code is to leave at once: somebody waits for it
        return see(f"/patients/{patient}/people")

    return router


def details_pages(parts: Parts) -> APIRouter:
    """Make the routes of a patient's details."""
    router = APIRouter(prefix="/patients/{patient}/details")

    @router.get("")
    def ask(request: Request, patient: str) -> HTMLResponse:
        """Show what is known of a patient, and what it says beside their plans."""
        return _details_page(parts, request, patient)

    @router.post("")
    async def change(request: Request, patient: str) -> Response:
        """Change it. What it newly says beside a plan is shown at once."""
        form, me = await form_of(request), person_of(request)
        given, shown = _details_of(form), _details_of(form, SHOWN)
        try:
            found = await run_in_threadpool(
                enrolling.change_details, parts.engine, me.clinic_id, patient, asdict(given), shown=shown, by=me.name, now=parts.clock.now()
            )
        except BadFile as bad:
            return await run_in_threadpool(_details_page, parts, request, patient, sent=(given, shown), faults=by_field(bad))
        return see(f"/patients/{patient}/details#beside" if found else f"/patients/{patient}")

    return router


def _new_page(request: Request, typed: Mapping[str, Any], faults: Mapping[str, str]) -> HTMLResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return page(request, "portal/patient_new.html", status=status, typed=typed, faults=faults, zones=ZONES, wordings=WORDINGS)


def _details_of(form: Mapping[str, str], before: str = "") -> Details:
    texts = {name: field_of(form, before + name) for name in DETAILS}
    return Details(**texts, kidney_weak=form.get(f"{before}kidney_weak") == "yes")


def _details_page(
    parts: Parts,
    request: Request,
    patient: str,
    *,
    sent: tuple[Details, Details] | None = None,
    faults: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """`sent`: what was typed, and what stood there then. What has come between is told here, as it is what the next try stands on."""
    standing = enrolling.details(parts.engine, person_of(request).clinic_id, patient, now=parts.clock.now())
    typed, since = enrolling.taken_up(*sent, standing.details) if sent else (standing.details, [])
    told = {**(faults or {}), **{fault.path: fault.message for fault in since}}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if told else HTTPStatus.OK
    shown = {"standing": standing, "typed": typed, "faults": told, "before": SHOWN, "wordings": WORDINGS}
    return page(request, "portal/patient_details.html", status=status, **shown)
