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
        given = Details(**{name: field_of(form, name) for name in DETAILS}, kidney_weak=form.get("kidney_weak") == "yes")
        try:
            found = await run_in_threadpool(
                enrolling.change_details, parts.engine, me.clinic_id, patient, given, by=me.name, now=parts.clock.now()
            )
        except BadFile as bad:
            return await run_in_threadpool(_details_page, parts, request, patient, typed=asdict(given), faults=by_field(bad))
        return see(f"/patients/{patient}/details#beside" if found else f"/patients/{patient}")

    return router


def _new_page(request: Request, typed: Mapping[str, Any], faults: Mapping[str, str]) -> HTMLResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return page(request, "portal/patient_new.html", status=status, typed=typed, faults=faults, zones=ZONES, wordings=WORDINGS)


def _details_page(
    parts: Parts, request: Request, patient: str, *, typed: Mapping[str, Any] | None = None, faults: Mapping[str, str] | None = None
) -> HTMLResponse:
    standing = enrolling.details(parts.engine, person_of(request).clinic_id, patient, now=parts.clock.now())
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    shown = {"standing": standing, "typed": typed or asdict(standing.details), "faults": faults or {}, "wordings": WORDINGS}
    return page(request, "portal/patient_details.html", status=status, **shown)
