"""Whose key it is, the clinic, and who works there."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import JSONResponse

from reminders.as_json.parts import plainly
from reminders.as_json.people import member_json
from reminders.domain.roles import StaffRole
from reminders.services import looking_up, staffing
from reminders.services.staffing import Member
from reminders.web.api.door import Caller
from reminders.web.api.routes import family, operation
from reminders.web.api.shapes import ClinicAnswer, Listed, MemberAnswer, MemberId, MeShape, NewMember

router = family("clinic")


@operation(router, "GET", "/me", MeShape)
def whoami(call: Caller) -> JSONResponse:
    """Say in whose name this key acts, at which clinic, and with which roles."""
    roles = [role.value for role in StaffRole if role in call.asker.person.roles]
    return JSONResponse({"key": call.asker.key_id, "clinic": call.clinic_id, "name": call.by, "roles": roles})


@operation(router, "GET", "/clinic", ClinicAnswer)
def clinic(call: Caller) -> JSONResponse:
    """Show the clinic."""
    row = looking_up.clinic(call.engine, call.clinic_id)
    return JSONResponse({name: plainly(row[name]) for name in ClinicAnswer.model_fields})


@operation(router, "GET", "/staff", Listed[MemberAnswer])
def staff(call: Caller) -> JSONResponse:
    """Show everybody on the clinic's list, those who left among them."""
    return JSONResponse({"items": [_member(one) for one in staffing.listed(call.engine, call.clinic_id)], "next": None})


@operation(router, "POST", "/staff", MemberAnswer, status=HTTPStatus.CREATED)
def add_member(call: Caller, body: NewMember) -> JSONResponse:
    """Put a person on the list, or give one these roles and no others."""
    member = staffing.add(call.engine, call.clinic_id, body.name, frozenset(body.roles), now=call.now, by=call.by)
    return JSONResponse(_member(member), HTTPStatus.CREATED)


@operation(router, "POST", "/staff/{member}/end", MemberAnswer)
def end_member(call: Caller, member: MemberId) -> JSONResponse:
    """Let a person decide nothing more, sign them out and end their keys. What they did keeps their name."""
    name = looking_up.member(call.engine, call.clinic_id, member).name
    return JSONResponse(_member(staffing.end(call.engine, call.clinic_id, name, now=call.now, by=call.by)))


def _member(member: Member) -> dict[str, object]:
    return {"id": member.id, **member_json(member)}
