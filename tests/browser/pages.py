"""Every page there is, from the table of the routes: who looks at it here, and at whose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from sqlalchemy import Engine, select

from db.engine import reading
from db.tables import metadata
from reminders.domain.caring import Grant, Sees
from reminders.domain.roles import StaffRole
from reminders.services import caring, key_holding, queueing, signing_in
from reminders.web.access import ROUTES, Access
from tests.browser.clinic import BUSY, Harbor
from tests.browser.visiting import WIDE, Visit, Visits
from tests.web.signed_in import CLINIC, NURSE

Fields = Callable[[Engine, Harbor], Mapping[str, str]]


def _nothing(_: Engine, __: Harbor) -> Mapping[str, str]:
    return {}


def _a_link(engine: Engine, harbor: Harbor) -> Mapping[str, str]:
    return {"token": signing_in.invite(engine, CLINIC, NURSE, new_device=True, by="command line", now=harbor.at)}


def _silent(engine: Engine, _: Harbor) -> Mapping[str, str]:
    """Simon, who falls silent, and his plan."""
    patient, plan = metadata.tables["patient"], metadata.tables["plan"]
    with reading(engine) as c:
        query = select(patient.c.id, plan.c.id).join(plan, plan.c.patient_id == patient.c.id).where(patient.c.name == "Simon Still")
        return dict(zip(("patient", "plan"), c.execute(query).one(), strict=True))


def _own_number(engine: Engine, harbor: Harbor) -> Mapping[str, str]:
    """Simon, and his own number."""
    roles, patient = metadata.tables["contact_role"], _silent(engine, harbor)["patient"]
    with reading(engine) as c:
        return {"patient": patient, "role": c.execute(select(roles.c.id).where(roles.c.patient_id == patient)).scalars().first() or ""}


def _an_alert(engine: Engine, _: Harbor) -> Mapping[str, str]:
    """The oldest alert that is open."""
    alert = metadata.tables["alert"]
    with reading(engine) as c:
        return {
            "alert": c.execute(select(alert.c.id).where(alert.c.closed_at.is_(None)).order_by(alert.c.raised_at)).scalars().first() or ""
        }


def _a_full_queue(engine: Engine, _: Harbor) -> Mapping[str, str]:
    """The queue with most to do."""
    counted = queueing.counted(engine, CLINIC, by=NURSE)
    return {"queue": max(counted, key=lambda each: each.alerts).queue.value}


def _a_caregivers_link(engine: Engine, harbor: Harbor) -> Mapping[str, str]:
    """A link of somebody who sees all there is to see, and answers."""
    roles = metadata.tables["contact_role"]
    with reading(engine) as c:
        row = c.execute(select(roles.c.patient_id, roles.c.id).where(roles.c.role == "caregiver").order_by(roles.c.name.desc())).first()
    assert row is not None
    grant, at = Grant(Sees.STRIP, answers=True), harbor.at
    caring.agree(engine, CLINIC, *row, grant, agreed_by="the patient", agreed_at=at, by=NURSE, now=at)
    return {"token": caring.link(engine, CLINIC, *row, by=NURSE, now=at).token}


def _a_key(engine: Engine, harbor: Harbor) -> Mapping[str, str]:
    """A key of a nurse's stands in the list."""
    key_holding.make(engine, CLINIC, NURSE, "hospital system", {StaffRole.STAFF}, by=key_holding.OPERATOR, now=harbor.at)
    return {}


@dataclass(frozen=True)
class Page:
    """A page of the portal.

    who     who looks at it; None if nobody is signed in.
    fields  what stands in the fields of its path.
    query   what it is asked with.
    at      the path under which it stands, if that is not the one by which it is asked.
    """

    who: str | None = "provider"
    fields: Fields = _nothing
    query: str = ""
    at: str | None = None


PAGES: Mapping[str, Page] = MappingProxyType(
    {
        "/": Page(query="?refresh=off"),
        "/account": Page("nurse"),
        "/patients/{patient}/plans/{plan}/edit": Page(fields=_silent),
        "/patients/{patient}/plans/{plan}/taper": Page(fields=_silent),
        "/patients/{patient}/plans/{plan}/sheet": Page("nurse", _silent),
        "/patients/{patient}/plans/new": Page(fields=_silent),
        "/patients/new": Page("nurse"),
        "/patients/{patient}": Page(fields=_silent),
        "/patients/{patient}/details": Page("nurse", _silent),
        "/patients/{patient}/medicines": Page(fields=_silent),
        "/patients/{patient}/people": Page("nurse", _silent),
        "/patients/{patient}/people/add": Page("nurse", _silent),
        "/patients/{patient}/people/{role}/consent": Page("nurse", _own_number),
        "/patients/{patient}/people/{role}/number": Page("nurse", _own_number),
        "/patients/{patient}/zone": Page("nurse", _silent),
        "/patients/{patient}/conversation": Page("nurse", _silent),
        "/patients/{patient}/timeline": Page(fields=_silent),
        "/patients/{patient}/plans/{plan}/act": Page("nurse", _silent, "?action=mute"),
        "/patients/{patient}/plans/{plan}/dose": Page(fields=_silent, query=f"?date={BUSY.isoformat()}&slot=1"),
        "/alerts/{alert}": Page("nurse", _an_alert),
        "/patients": Page("nurse"),
        "/queues": Page("nurse"),
        "/queues/{queue}": Page("nurse", _a_full_queue),
        "/care/{token}": Page(None, _a_caregivers_link, at="/care"),
        "/keys": Page(fields=_a_key),
        "/people": Page(),
        "/sandbox/phones/{patient}": Page(fields=_silent),
        "/sandbox/story": Page(),
        "/setup/{token}": Page(None, _a_link),
        "/sign-in": Page(None),
        "/system": Page("operator"),
    }
)

NO_PAGES: frozenset[str] = frozenset(
    {
        "/patients/{patient}/adherence.csv",
        "/care",  # comes by its link
        "/sandbox",  # goes on to the first patient's
        "/queues/count",
        "/queues/part",
        "/queues/{queue}/part",
        "/sandbox/story/file",
        "/static/{name}",
    }
)
"""What a browser gets that nobody looks at: files, and parts of a page."""


def declared() -> set[str]:
    """The paths of all that a browser can get, by the table of who may ask."""
    return {path for (method, path), access in ROUTES.items() if method == "GET" and access is not Access.MACHINE}


def opened(visits: Visits, path: str, ledger: Engine, harbor: Harbor, *, width: int = WIDE, script: bool = True) -> Visit:
    """A page of the list, once it has come."""
    page = PAGES[path]
    visit = visits.visit(page.who, width=width, script=script)
    asked = path.format(**page.fields(ledger, harbor))
    come(visit, asked + page.query, at=page.at or asked)
    return visit


def come(visit: Visit, address: str, *, at: str) -> None:
    """Go to a page, and see that it is that page which came: who is not signed in is led to a sound one, where nothing is amiss."""
    answer = visit.page.goto(address)
    assert answer is not None
    came = urlsplit(answer.url).path, answer.headers["content-type"]
    assert came == (at, "text/html; charset=utf-8"), f"{came} came, not {at}"
