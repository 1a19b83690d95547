"""Acting on a plan: what may be done as it stands, what it would do, and then doing it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from http import HTTPStatus
from itertools import groupby
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reminders.domain.acting import StaffAct, StaffAction
from reminders.domain.offering import UNCHANGING, WITH_REASON
from reminders.domain.plan import InvalidPlan, plain
from reminders.errors import LedgerHeld, NotAllowed
from reminders.formats.parts import read_date, read_name
from reminders.services import charting, prescribing
from reminders.web.access import person_of
from reminders.web.act_words import ACT_WORDS
from reminders.web.pages import form_of, page, see
from reminders.web.parts import Parts

if TYPE_CHECKING:
    from reminders.domain.schedule import Slot
    from reminders.services.charting import Acted
    from reminders.services.prescribing import Foreseen

LONGEST_FIELD = 400
MOST_DAYS = 366
NUMBER = re.compile(r"[0-9]{1,4}")
FIELDS = ("reason", "phase", "days", "medicine", "labs_due", "alert", "seen")


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed, and what is wrong with it, by field; `act` is None where something is."""

    fields: Mapping[str, str]
    faults: dict[str, str] = field(default_factory=dict)
    act: StaffAct | None = None


@dataclass(frozen=True, slots=True)
class DayShown:
    """A day to come, its doses by the plan as it is and as it would be, in words."""

    on: date
    before: str
    coming: str


def acting_pages(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/patients/{patient}/plans/{plan}")

    @router.get("/act")
    def ask(request: Request, patient: str, plan: str) -> HTMLResponse:
        """Show what may be done to a plan; with an action, what it would do."""
        seen = _seen(parts, request, patient, plan)
        action = _action(request.query_params.get("action", ""))
        if action not in seen.offered:
            return _choices(request, seen)
        fields = dict.fromkeys(FIELDS, "")
        typed = Typed(fields) if action in WITH_REASON | UNCHANGING else _read(parts, request, seen, action, fields)
        return _act_page(parts, request, seen, action, typed)

    @router.post("/act")
    async def act(request: Request, patient: str, plan: str) -> Response:
        """Show what an act would do, or do it, once it was shown."""
        form = await form_of(request)
        return await run_in_threadpool(_answer, parts, request, form, patient=patient, plan=plan)

    return router


def _answer(parts: Parts, request: Request, form: Mapping[str, str], *, patient: str, plan: str) -> Response:
    seen, action = _seen(parts, request, patient, plan), _action(form.get("action", ""))
    if action not in seen.offered:
        return _choices(request, seen, status=HTTPStatus.UNPROCESSABLE_ENTITY, refused=_why_not(request, seen, action))
    typed = _read(parts, request, seen, action, {name: form.get(name, "").strip()[:LONGEST_FIELD] for name in FIELDS})
    shown = action in UNCHANGING or form.get("step") == "do"
    if typed.act is None or not shown:
        return _act_page(parts, request, seen, action, typed)
    mark = None if action in UNCHANGING else typed.fields["seen"]
    try:
        prescribing.act(parts.engine, typed.act, now=parts.clock.now(), clinic_id=person_of(request).clinic_id, seen=mark)
    except (NotAllowed, LedgerHeld, InvalidPlan) as refused:
        typed.faults[""] = str(refused)
        return _act_page(parts, request, seen, action, typed)
    return see(f"/patients/{patient}")


def _seen(parts: Parts, request: Request, patient: str, plan: str) -> Acted:
    me = person_of(request)
    return charting.to_act_on(parts.engine, me.clinic_id, patient, plan, by=me.name, roles=me.roles, now=parts.clock.now())


def _action(code: str) -> StaffAction | None:
    return StaffAction(code) if code in ACT_WORDS else None


def _why_not(request: Request, seen: Acted, action: StaffAction | None) -> str:
    if action is not None and action in seen.withheld:
        return f"{ACT_WORDS[action].name}: you are {', '.join(sorted(person_of(request).roles))}, and only a provider may"
    return "That cannot be done to this plan as it stands now"


def _read(parts: Parts, request: Request, seen: Acted, action: StaffAction, fields: Mapping[str, str]) -> Typed:
    """Read what was typed for an act."""
    typed = Typed(fields)
    values: dict[str, Any] = {}
    for name, reader in READERS.get(action, {}).items():
        try:
            values[name] = reader(fields[name], seen)
        except ValueError as wrong:
            typed.faults[name] = str(wrong)
    if action in WITH_REASON and not fields["reason"]:
        typed.faults["reason"] = "is needed: it stands in the record beside what you did"
    if typed.faults:
        return typed
    act = StaffAct(parts.clock.now(), action, seen.ref, person_of(request).name, fields["reason"], **values)
    return Typed(fields, typed.faults, act)


def _phase(text: str, seen: Acted) -> int:
    if not NUMBER.fullmatch(text) or not 1 <= int(text) <= len(seen.phases):
        raise ValueError(f"is one of 1 to {len(seen.phases)}")
    return int(text)


def _days(text: str, _: Acted) -> int:
    if not NUMBER.fullmatch(text) or not 1 <= int(text) <= MOST_DAYS:
        raise ValueError(f"is a whole number from 1 to {MOST_DAYS}")
    return int(text)


def _medicine(text: str, _: Acted) -> str:
    return read_name(text)


def _listed(text: str, seen: Acted) -> str:
    if text not in seen.medicines:
        raise ValueError("is not on the list")
    return text


def _labs_due(text: str, _: Acted) -> date | None:
    return read_date(text) if text else None


def _alert(text: str, seen: Acted) -> str | None:
    if text and text not in {alert.kind for alert in seen.alerts}:
        raise ValueError("is not open any more")
    return text or None


READERS: Mapping[StaffAction, Mapping[str, Callable[[str, Acted], object]]] = {
    StaffAction.RESTART: {"phase": _phase},
    StaffAction.SLOW_DOWN: {"days": _days},
    StaffAction.ADD_MEDICINE: {"medicine": _medicine},
    StaffAction.REMOVE_MEDICINE: {"medicine": _listed},
    StaffAction.ACKNOWLEDGE: {"alert": _alert, "labs_due": _labs_due},
}


def _choices(request: Request, seen: Acted, *, status: HTTPStatus = HTTPStatus.OK, refused: str = "") -> HTMLResponse:
    return page(request, "portal/acts.html", status=status, seen=seen, words=ACT_WORDS, refused=refused)


def _act_page(parts: Parts, request: Request, seen: Acted, action: StaffAction, typed: Typed) -> HTMLResponse:
    """Show an act's form; once it is filled in well, what it would do."""
    foreseen, faults = None, typed.faults
    if typed.act is not None and action not in UNCHANGING:
        try:
            foreseen = prescribing.foresee(parts.engine, typed.act, now=parts.clock.now(), clinic_id=person_of(request).clinic_id)
        except (NotAllowed, LedgerHeld, InvalidPlan) as refused:
            faults = {"": str(refused), **faults}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    days = days_of(foreseen) if foreseen else ()
    changed = any(day.before != day.coming for day in days)
    values = {"seen": seen, "action": action, "words": ACT_WORDS[action], "typed": typed.fields, "faults": faults}
    needs = {"reason": action in WITH_REASON, "look": action not in UNCHANGING}
    return page(request, "portal/act.html", status=status, **values, foreseen=foreseen, days=days, changed=changed, needs=needs)


def days_of(foreseen: Foreseen) -> tuple[DayShown, ...]:
    """Lay the days to come side by side, as they are and as they would be."""
    before, coming = _by_day(foreseen.before), _by_day(foreseen.coming)
    return tuple(DayShown(day, before.get(day, "none"), coming.get(day, "none")) for day in sorted(before.keys() | coming.keys()))


def _by_day(slots: Iterable[Slot]) -> dict[date, str]:
    ordered = sorted(slots, key=lambda slot: (slot.local_date, slot.due_at))
    return {
        day: ", ".join(f"{slot.local_time:%H:%M} {plain(slot.amount.value)} {slot.amount.unit}" for slot in group)
        for day, group in groupby(ordered, key=lambda slot: slot.local_date)
    }
