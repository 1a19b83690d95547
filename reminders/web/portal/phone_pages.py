"""The people around a patient: their numbers and codes, what they agreed to, who comes and who goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.errors import BadFile, NotAllowed, NotFound
from reminders.messaging.failure_codes import words_of
from reminders.messaging.texts import phone_words
from reminders.services import enrolling
from reminders.services.enrolling import Around, NewPerson, Person
from reminders.web.access import person_of
from reminders.web.pages import by_field, form_of, page, see
from reminders.web.parts import Parts
from reminders.web.portal.enrol_form import agreed_of, consent_of_now, field_of

TEXTS = tuple(one.name for one in fields(NewPerson) if one.name != "consent")


def phone_pages(parts: Parts) -> APIRouter:
    """Make the routes of everybody around a patient, and of what a button says of one."""
    router = APIRouter(prefix="/patients/{patient}/people")

    @router.get("")
    def people(request: Request, patient: str) -> HTMLResponse:
        """Show who is around a patient, and whether their number is proved."""
        return _people(parts, request, patient)

    @router.post("/{role}/code")
    async def send_code(request: Request, patient: str, role: str) -> Response:
        """Text a code."""
        await form_of(request)
        return await run_in_threadpool(_done, parts, request, (patient, role), enrolling.send_code)

    @router.post("/{role}/prove")
    async def prove(request: Request, patient: str, role: str) -> Response:
        """Take the code that was read out."""
        form, me = await form_of(request), person_of(request)
        typed = field_of(form, "code")
        try:
            await run_in_threadpool(
                enrolling.say_code, parts.engine, me.clinic_id, patient, role, typed=typed, by=me.name, now=parts.clock.now()
            )
        except BadFile as bad:
            return await run_in_threadpool(_people, parts, request, patient, wrong=(role, typed, by_field(bad)["code"]))
        parts.heard()
        return see(f"/patients/{patient}")

    @router.post("/{role}/end")
    async def end(request: Request, patient: str, role: str) -> Response:
        """Let somebody be around the patient no more."""
        await form_of(request)
        return await run_in_threadpool(_done, parts, request, (patient, role), enrolling.end_person)

    @router.post("/{role}/end-texts")
    async def end_texts(request: Request, patient: str, role: str) -> Response:
        """Take down that somebody wants no more texts."""
        await form_of(request)
        return await run_in_threadpool(_done, parts, request, (patient, role), enrolling.end_texts)

    return router


def person_pages(parts: Parts) -> APIRouter:
    """Make the routes of the forms: somebody new, another number, a consent given again."""
    router = APIRouter(prefix="/patients/{patient}/people")

    @router.get("/add")
    def ask_person(request: Request, patient: str) -> HTMLResponse:
        """Show the form of somebody new."""
        around = _around(parts, request, patient)
        return _form(parts, request, around, "portal/person_new.html", {})

    @router.post("/add")
    async def add(request: Request, patient: str) -> Response:
        """Add a caregiver or a proxy, whose number is texted a code."""
        form, me = await form_of(request), person_of(request)
        given = NewPerson(**{name: field_of(form, name) for name in TEXTS}, consent=agreed_of(form))
        try:
            await run_in_threadpool(enrolling.add_person, parts.engine, me.clinic_id, patient, given, by=me.name, now=parts.clock.now())
        except BadFile as bad:
            around = await run_in_threadpool(_around, parts, request, patient)
            return _form(parts, request, around, "portal/person_new.html", form, faults=by_field(bad))
        parts.heard()
        return see(f"/patients/{patient}/people")

    @router.get("/{role}/number")
    def ask_number(request: Request, patient: str, role: str) -> HTMLResponse:
        """Show the form of another number."""
        return _form_of(parts, request, patient, role, template="portal/number.html", typed={})

    @router.post("/{role}/number")
    async def number(request: Request, patient: str, role: str) -> Response:
        """Let somebody be reached at another number, which is texted a code."""
        form, me = await form_of(request), person_of(request)
        given = partial(enrolling.change_number, phone=field_of(form, "phone"), consent=agreed_of(form))
        act = partial(given, parts.engine, me.clinic_id, patient, role, by=me.name, now=parts.clock.now())
        again = partial(_form_of, parts, request, patient, role, template="portal/number.html", typed=form)
        return await run_in_threadpool(_kept, parts, patient, act, again)

    @router.get("/{role}/consent")
    def ask_consent(request: Request, patient: str, role: str) -> HTMLResponse:
        """Show the form of a consent given again."""
        return _form_of(parts, request, patient, role, template="portal/consent.html", typed={})

    @router.post("/{role}/consent")
    async def consent(request: Request, patient: str, role: str) -> Response:
        """Keep a consent given again."""
        form, me = await form_of(request), person_of(request)
        act = partial(
            enrolling.agree, parts.engine, me.clinic_id, patient, role, consent=agreed_of(form), by=me.name, now=parts.clock.now()
        )
        again = partial(_form_of, parts, request, patient, role, template="portal/consent.html", typed=form)
        return await run_in_threadpool(_kept, parts, patient, act, again)

    return router


def _done(parts: Parts, request: Request, whose: tuple[str, str], do: Callable[..., None]) -> Response:
    """Do what a button says, or say on the page why not."""
    me, (patient, role) = person_of(request), whose
    try:
        do(parts.engine, me.clinic_id, patient, role, by=me.name, now=parts.clock.now())
    except NotAllowed as refused:
        return _people(parts, request, patient, refused=str(refused))
    parts.heard()
    return see(f"/patients/{patient}/people")


def _kept(parts: Parts, patient: str, act: Callable[[], None], again: Callable[..., Response]) -> Response:
    """Keep what a form says of somebody, or show it again with what is wrong."""
    try:
        act()
    except (BadFile, NotAllowed) as refused:
        return again(faults=by_field(refused) if isinstance(refused, BadFile) else {"": str(refused)})
    parts.heard()
    return see(f"/patients/{patient}/people")


def _around(parts: Parts, request: Request, patient: str) -> Around:
    return enrolling.around(parts.engine, person_of(request).clinic_id, patient, now=parts.clock.now())


def _of(around: Around, role: str) -> Person:
    found = next((one for one in around.people if one.line.role_id == role), None)
    if found is None:
        raise NotFound
    return found


def _people(parts: Parts, request: Request, patient: str, *, wrong: tuple[str, str, str] = ("", "", ""), refused: str = "") -> HTMLResponse:
    """The page of everybody. `wrong`: whose code was not right, what was typed, and why."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refused or wrong[0] else HTTPStatus.OK
    shown = {"around": _around(parts, request, patient), "now": parts.clock.now(), "wrong": wrong, "refused": refused}
    return page(request, "portal/people_around.html", status=status, phone_words=phone_words, failure=words_of, **shown)


def _form_of(
    parts: Parts,
    request: Request,
    patient: str,
    role: str,
    *,
    template: str,
    typed: Mapping[str, Any],
    faults: Mapping[str, str] | None = None,
) -> HTMLResponse:
    around = _around(parts, request, patient)
    return _form(parts, request, around, template, typed, of=_of(around, role), faults=faults)


def _form(
    parts: Parts,
    request: Request,
    around: Around,
    template: str,
    typed: Mapping[str, Any],
    *,
    of: Person | None = None,
    faults: Mapping[str, str] | None = None,
) -> HTMLResponse:
    usual = asdict(NewPerson()) | consent_of_now(around.patient.clinic.tz, parts.clock.now())
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    shown = {"around": around, "of": of, "typed": usual | dict(typed), "faults": faults or {}}
    return page(request, template, status=status, phone_words=phone_words, **shown)
