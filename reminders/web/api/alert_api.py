"""Alerts: what a person at the clinic must look at."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import Field
from starlette.responses import JSONResponse

from reminders.as_json.panels import card_json
from reminders.as_json.parts import plainly
from reminders.domain.queues import Queue
from reminders.services import looking_up, queueing
from reminders.web.api.door import Call, Caller
from reminders.web.api.routes import family, operation
from reminders.web.api.shapes import (
    ID,
    AlertAnswer,
    AlertId,
    Asked,
    CardAnswer,
    Listed,
    Paged,
    QueueCount,
    QueuesAnswer,
    ResolveBody,
    TakeOnBody,
)
from reminders.web.api.writing import page_json

router = family("alerts")

OPEN = {"open": True, "closed": False, "all": None}


QueueName = Annotated[Queue, Path(alias="queue", description="Which queue.")]


class InQueue(Asked):
    """Which page of a queue."""

    after: Annotated[str | None, Field(pattern=ID, description="The `next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=50, description="How many at most.")] = 10


class Filtered(Paged):
    """Which page of the alerts, and of which of them."""

    is_: Annotated[Literal["open", "closed", "all"], Field(alias="is")] = "open"
    severity: Literal["info", "warning", "urgent", "emergency"] | None = None
    kind: Annotated[str | None, Field(pattern=r"^[a-z_]{1,40}$")] = None
    patient: Annotated[str | None, Field(pattern=ID)] = None
    plan: Annotated[str | None, Field(pattern=ID)] = None

    @property
    def wanted(self) -> dict[str, str]:
        """The columns by which it is asked, with their values."""
        given = {"severity": self.severity, "kind": self.kind, "patient_id": self.patient, "plan_id": self.plan}
        return {name: value for name, value in given.items() if value is not None}


@operation(router, "GET", "/alerts", Listed[AlertAnswer])
def alerts(call: Caller, asked: Annotated[Filtered, Query()]) -> JSONResponse:
    """List the alerts, newest first; open ones, unless asked for others."""
    found = looking_up.alerts(
        call.engine, call.clinic_id, wanted=asked.wanted, is_open=OPEN[asked.is_], before=asked.after, limit=asked.limit
    )
    return page_json(found)


@operation(router, "GET", "/alerts/{alert}", CardAnswer)
def alert(call: Caller, alert: AlertId) -> JSONResponse:
    """Show an alert with what it rests on: the numbers, the plans it is about, whom to call, and what keeps it open."""
    return _card(call, alert)


@operation(router, "POST", "/alerts/{alert}/acknowledge", CardAnswer)
def acknowledge(call: Caller, alert: AlertId, body: TakeOnBody) -> JSONResponse:
    """Take an alert on, in the name of the key's person: it is not raised again."""
    queueing.acknowledge(call.engine, call.clinic_id, alert, by=call.by, now=call.now, reason=body.reason, labs_due=body.labs_due)
    return _card(call, alert)


@operation(router, "POST", "/alerts/{alert}/give-back", CardAnswer)
def give_back(call: Caller, alert: AlertId) -> JSONResponse:
    """Undo a slip: nobody has taken the alert on."""
    queueing.give_back(call.engine, call.clinic_id, alert, by=call.by, now=call.now)
    return _card(call, alert)


@operation(router, "POST", "/alerts/{alert}/resolve", CardAnswer)
def resolve(call: Caller, alert: AlertId, body: ResolveBody) -> JSONResponse:
    """Close an alert with a note, once what it tells of stands no more."""
    queueing.resolve(call.engine, call.clinic_id, alert, by=call.by, note=body.note, now=call.now)
    return _card(call, alert)


@operation(router, "GET", "/queues", QueuesAnswer)
def queues(call: Caller) -> JSONResponse:
    """Count the alerts that wait, queue by queue."""
    found = queueing.counted(call.engine, call.clinic_id, by=call.by)
    return JSONResponse({"items": [{name: plainly(getattr(one, name)) for name in QueueCount.model_fields} for one in found]})


@operation(router, "GET", "/queues/{queue}", Listed[CardAnswer])
def queue(call: Caller, queue: QueueName, asked: Annotated[InQueue, Query()]) -> JSONResponse:
    """List a queue, the gravest first and of those the oldest, each alert with what it rests on."""
    roles = call.asker.person.roles
    found = queueing.page(call.engine, call.clinic_id, queue, by=call.by, roles=roles, now=call.now, after=asked.after, limit=asked.limit)
    return JSONResponse({"items": [card_json(card) for card in found.cards], "next": found.after})


def _card(call: Call, alert: str) -> JSONResponse:
    return JSONResponse(
        card_json(queueing.card(call.engine, call.clinic_id, alert, by=call.by, roles=call.asker.person.roles, now=call.now))
    )
