"""The sandbox: the phones around a patient side by side, and a clock that can be moved. Only where texts are kept and none is sent."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, TypeAlias, get_args
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.domain.acting import StaffAct, StaffAction
from reminders.errors import DoselineError, NotAllowed, NotFound
from reminders.formats.parts import read_zone
from reminders.formats.story_file import CarrierStatus
from reminders.messaging.failure_codes import codes_of, words_of
from reminders.messaging.transport import FailureClass
from reminders.services.sandboxing import phones, ways
from reminders.services.sandboxing.phones import Room
from reminders.services.sandboxing.ways import Way
from reminders.services.signing_in import Person
from reminders.simulation.sandbox import Sandbox
from reminders.web.pages import form_of, is_part, page, see
from reminders.web.parts import Parts
from reminders.web.portal.enrol_form import ZONES
from reminders.web.words import opening

LONGEST_TEXT = 1_600  # characters: what a carrier brings at most
FILE_NAME: Final = "story.json"
WAITED: Final = 1.5  # seconds that a press of a button waits to show where it led

FAULTS: Final = (
    ("delivered", "works"),
    ("sent", "hangs: taken, and never heard of again"),
    *(
        (f"undelivered {code}", f"{code}: {words_of(code)}")
        for kind in (FailureClass.RECIPIENT_TRANSIENT, FailureClass.RECIPIENT_PERMANENT, FailureClass.OPTED_OUT, FailureClass.CONTENT)
        for code in sorted(codes_of(kind))
    ),
)
"""How a carrier can treat a phone here: what the field `fault` holds, and in words."""

WAYS: Final = (
    (Way.QUARTER, "+15 min", "A quarter of an hour"),
    (Way.EVENT, "Next event", "Until something happens to this patient"),
    (Way.NO_REPLY, "No reply", "Until the next dose closes without one"),
    (Way.DAY, "Next day", "To midnight where the patient is"),
    (Way.STEP, "End of step", "To midnight of the next step's day"),
    (Way.SPRING, "Clocks forward", "To an hour before the clocks go forward where the patient is"),
    (Way.AUTUMN, "Clocks back", "To an hour before the clocks go back where the patient is"),
)


Act: TypeAlias = Callable[[Parts, Request, str, dict[str, str]], Response]


@dataclass(frozen=True, slots=True)
class Refused:
    """What was asked for and could not be done, and what had been typed."""

    words: str
    phone: str = ""
    text: str = ""


def sandbox_pages(parts: Parts) -> APIRouter:
    """Make the routes. Each is of the clinic of who asks; without a sandbox none is there."""

    def is_there() -> None:
        if parts.sandbox is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)

    router = APIRouter(prefix="/sandbox", dependencies=[Depends(is_there)])

    @router.get("")
    def begin(request: Request) -> Response:
        """Go to the first patient's phones."""
        clinic_id = _clinic(parts, request)
        everybody = phones.everybody(parts.engine, clinic_id) if clinic_id else ()
        return see(f"/sandbox/phones/{everybody[0].id}") if everybody else page(request, "portal/sandbox_empty.html")

    @router.get("/phones/{patient}")
    def show(request: Request, patient: str) -> HTMLResponse:
        """Show the phones around a patient."""
        return _shown(parts, request, patient)

    @router.get("/story")
    def story(request: Request) -> HTMLResponse:
        """Show what of the session can be saved, what cannot, and what came of playing it again."""
        return _story_page(parts, request)

    @router.get("/story/file")
    def story_file(request: Request) -> Response:
        """Give the session as a story file."""
        told = _sandbox(parts).story(_some_clinic(parts, request))
        if told.story is None:
            return _story_page(parts, request)
        saved = {"Content-Disposition": f'attachment; filename="{FILE_NAME}"'}
        return Response(json.dumps(told.story, ensure_ascii=False, indent=2) + "\n", media_type="application/json", headers=saved)

    @router.post("/story/replay")
    def replay(request: Request) -> Response:
        """Play the session again."""
        clinic_id = _some_clinic(parts, request)
        _sandbox(parts).begin_replay(clinic_id)
        _sandbox(parts).wait_for_replay(clinic_id, WAITED)
        return see("/sandbox/story")

    for name, act in ACTS.items():
        router.post(f"/phones/{{patient}}/{name}", name=name)(_acting(parts, act))
    return router


def _acting(parts: Parts, act: Act) -> Callable[[Request, str], Awaitable[Response]]:
    """Make the route of something that is done to a patient's phones or to the clock."""

    async def route(request: Request, patient: str) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(act, parts, request, patient, form)

    return route


def _sandbox(parts: Parts) -> Sandbox:
    if parts.sandbox is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return parts.sandbox


def _clinic(parts: Parts, request: Request) -> str | None:
    """Whose sandbox it is: the clinic of who is signed in; before anybody can sign in, the first."""
    person = request.state.person
    return person.clinic_id if isinstance(person, Person) else phones.first_clinic(parts.engine)


def _some_clinic(parts: Parts, request: Request) -> str:
    clinic_id = _clinic(parts, request)
    if clinic_id is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return clinic_id


def _story_page(parts: Parts, request: Request) -> HTMLResponse:
    clinic_id, sandbox = _some_clinic(parts, request), _sandbox(parts)
    if is_part(request):
        return page(request, "portal/sandbox_replay.html", replay=sandbox.replay_of(clinic_id))
    told = sandbox.story(clinic_id)
    return page(request, "portal/sandbox_story.html", told=told, replay=sandbox.replay_of(clinic_id), file_name=FILE_NAME)


def _room(parts: Parts, request: Request, patient: str) -> tuple[str, Room]:
    """The clinic, and the phones around one of its patients; 404 for anybody else's."""
    clinic_id = _clinic(parts, request)
    if clinic_id is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    try:
        return clinic_id, phones.room(parts.engine, clinic_id, patient, now=parts.clock.now())
    except NotFound:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None


def _shown(parts: Parts, request: Request, patient: str, refused: Refused | None = None) -> HTMLResponse:
    _, room = _room(parts, request, patient)
    sandbox = _sandbox(parts)
    template = "portal/sandbox_room.html" if is_part(request) else "portal/sandbox.html"
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
    return page(
        request,
        template,
        status=status,
        part=is_part(request),
        room=room,
        now=sandbox.now,
        move=sandbox.move_on,
        ways=WAYS,
        faults=FAULTS,
        fault_of={phone.id: sandbox.fault_of(phone.number) for phone in room.phones},
        hearing=sandbox.hearing,
        zones=ZONES,
        refused=refused,
    )


def _say(parts: Parts, request: Request, patient: str, form: dict[str, str]) -> Response:
    clinic_id, room = _room(parts, request, patient)
    phone, text = room.phone(form.get("phone", "")), form.get("text", "").strip()
    if phone is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    if not text or len(text) > LONGEST_TEXT:
        words = f"is longer than {LONGEST_TEXT} characters" if text else "is empty: write what the phone is to say"
        return _shown(parts, request, patient, Refused(f"The text {words}.", phone.id, text))
    return _done(parts, request, patient, lambda: _sandbox(parts).says(clinic_id, phone.number, text))


def _move(parts: Parts, request: Request, patient: str, form: dict[str, str]) -> Response:
    clinic_id, _ = _room(parts, request, patient)
    try:
        way = Way(form.get("way", ""))
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None
    sandbox = _sandbox(parts)

    def go() -> None:
        ahead = ways.way_ahead(parts.engine, clinic_id, patient, way, now=sandbox.now)
        sandbox.move(ahead.to, until=ahead.until)
        sandbox.wait(WAITED)

    return _done(parts, request, patient, go)


def _stop(parts: Parts, request: Request, patient: str, _: dict[str, str]) -> Response:
    _room(parts, request, patient)

    def go() -> None:
        _sandbox(parts).stop()
        _sandbox(parts).wait(WAITED)

    return _done(parts, request, patient, go)


def _trip(parts: Parts, request: Request, patient: str, form: dict[str, str]) -> Response:
    clinic_id, room = _room(parts, request, patient)
    sandbox = _sandbox(parts)
    try:
        zone = read_zone(form.get("zone", ""))
    except ValueError:
        return _shown(parts, request, patient, Refused("There is no such time zone."))

    def go() -> None:
        if not room.plans:
            raise NotAllowed("this patient has no plan whose times could move")
        by = person.name if isinstance(person := request.state.person, Person) else phones.somebody(parts.engine, clinic_id)
        plan = next((plan.ref for plan in room.plans if plan.is_live), room.plans[0].ref)
        act = StaffAct(sandbox.now, StaffAction.MOVE_ZONE, plan, by, f"a trip to {ZoneInfo(zone).key}", zone=zone)
        sandbox.acts(act, clinic_id=clinic_id)

    return _done(parts, request, patient, go)


def _carrier(parts: Parts, request: Request, patient: str, form: dict[str, str]) -> Response:
    clinic_id, room = _room(parts, request, patient)
    phone, fault = room.phone(form.get("phone", "")), form.get("fault", "")
    if phone is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    if fault not in dict(FAULTS):
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    said, _, code = fault.partition(" ")
    status: CarrierStatus = next(known for known in get_args(CarrierStatus) if known == said)
    treats = _sandbox(parts).treats
    return _done(parts, request, patient, lambda: treats(clinic_id, phone.number, status=status, code=int(code) if code else None))


def _hearing(parts: Parts, request: Request, patient: str, form: dict[str, str]) -> Response:
    _room(parts, request, patient)
    webhook, lists = form.get("webhook") == "yes", form.get("lists") == "yes"
    return _done(parts, request, patient, lambda: _sandbox(parts).hears(webhook=webhook, lists=lists))


def _done(parts: Parts, request: Request, patient: str, work: Callable[[], None]) -> Response:
    """Do something, and show the phones; or why it could not be done."""
    try:
        work()
    except NotFound:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None
    except DoselineError as refused:
        return _shown(parts, request, patient, Refused(f"{opening(str(refused))}."))
    return see(f"/sandbox/phones/{patient}")


ACTS: Final[Mapping[str, Act]] = MappingProxyType(
    {"say": _say, "clock": _move, "stop": _stop, "trip": _trip, "carrier": _carrier, "hearing": _hearing}
)
"""What can be done here, by the end of its path."""
