"""People of two clinics who can sign in, as browsers do: with what a page of ours would send."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

import pyotp
from httpx2 import Response
from sqlalchemy import Engine
from starlette.testclient import TestClient

from reminders.clock import HandClock, SandboxClock
from reminders.domain.roles import StaffRole
from reminders.messaging.sandbox import SandboxTransport
from reminders.services import importing, signing_in, staffing
from reminders.services.signing_in import SetUp, operating
from reminders.simulation.sandbox import Sandbox
from tests.files import a_clinic, a_patient, an_import_file
from tests.web.serving import NOW, asking, some_parts

CLINIC, HILL = "harbor-clinic", "hill-clinic"
PASSWORD = "gravel otter lantern sixpence"
OPERATOR = "Pat Quinn"
OURS = {"Sec-Fetch-Site": "same-origin"}
ADMIN, PROVIDER, NURSE, THEIRS = "Kim Park", "Dr. Noor Haddad", "Nurse Lee", "Dr. Ada Moss"


def two_clinics(engine: Engine) -> None:
    """Harbor Clinic with an admin, a provider and a nurse; and Hill Clinic, whose provider is its admin too."""
    importing.import_file(engine, an_import_file(), now=NOW)
    staffing.add(engine, CLINIC, ADMIN, {StaffRole.ADMIN}, now=NOW)
    hill = a_clinic(name="Hill Clinic", phone="+12025550110", staff=[{"name": THEIRS, "roles": ["admin", "provider"]}])
    theirs = a_patient(ref="rui", name="Rui Souza", phone="+12025550131", caregivers=[], plans=[])
    importing.import_file(engine, an_import_file(theirs, clinic=hill), now=NOW)


@dataclass
class Phone:
    """An authenticator app and a list of recovery codes."""

    secret: str
    login: str
    recovery: list[str] = field(default_factory=list)

    def code(self, clock: HandClock) -> str:
        """The code that it shows now."""
        return pyotp.TOTP(self.secret).at(clock.now())


def an_account(engine: Engine, clock: HandClock, name: str, *, clinic: str = CLINIC, login: str = "") -> Phone:
    """Let somebody on a list set their account up."""
    token = signing_in.invite(engine, clinic, name, by="command line", now=clock.now())
    return set_up_behind(engine, clock, token, login or f"{name.rsplit(maxsplit=1)[-1].lower()}@{clinic}.example")


def an_operator(engine: Engine, clock: HandClock, name: str = OPERATOR) -> Phone:
    """Let a system admin set up how they sign in."""
    token = operating.add(engine, name, by="command line", now=clock.now())
    return set_up_behind(engine, clock, token, f"{name.partition(' ')[0].lower()}@system.example")


def set_up_behind(engine: Engine, clock: HandClock, token: str, login: str) -> Phone:
    """Set an account up behind a one-time link that begins a new phone."""
    seen = signing_in.opened(engine, token, now=clock.now())
    assert seen is not None
    phone = Phone(seen.secret or "", login)
    codes = signing_in.set_up(engine, token, SetUp(login=phone.login, password=PASSWORD, code=phone.code(clock)), now=clock.now())
    assert codes is not None
    phone.recovery += codes
    clock.advance(timedelta(seconds=60))  # the code of the minute is used up
    return phone


def a_browser(engine: Engine, clock: HandClock, *, peer: str = "127.0.0.1") -> TestClient:
    """A browser on a page of ours, served with a sandbox."""
    moved = SandboxClock(clock)
    sandbox = Sandbox(engine, moved, clock, SandboxTransport(moved))
    client = asking(some_parts(engine=engine, clock=moved, sandbox=sandbox, own_clock=clock), peer=peer)
    client.headers.update(OURS)
    return client


def signing_in_as(client: TestClient, phone: Phone, clock: HandClock, *, password: str = PASSWORD, code: str | None = None) -> Response:
    """Fill the form in, and send it."""
    shown = phone.code(clock) if code is None else code
    return client.post("/sign-in", data={"login": phone.login, "password": password, "code": shown})


def signed_in(engine: Engine, clock: HandClock, name: str, *, clinic: str = CLINIC) -> TestClient:
    """A browser in which somebody is signed in."""
    client = a_browser(engine, clock)
    phone = an_account(engine, clock, name, clinic=clinic)
    assert signing_in_as(client, phone, clock).status_code == 303
    return client


def faults(html: str) -> dict[str, str]:
    """What a page says is wrong, by field."""
    return dict(re.findall(r'<p class="fault" id="(\w+)-fault">(.*?)</p>', html))
