"""Signing in: one-time links that set an account up, passwords and codes, and the sessions that follow.

What a browser or a link holds is 256 random bits; the ledger keeps only its hash. Whatever is wrong with a try to sign in, the
answer is one and the same, and takes as long.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from db.engine import reading, writing
from reminders.domain.roles import StaffRole
from reminders.domain.signing_in import GUESSES_OF_ACCOUNT, GUESSES_OF_ADDRESS, INVITATION_HOLDS, SETUP_HOLDS
from reminders.errors import BadFile, Fault, NotFound
from reminders.formats.import_file import ClinicShape
from reminders.formats.parts import read_name, read_phone, read_zone
from reminders.services.records import accounts, enrolment, operators, staff
from reminders.services.records.accounts import Person
from reminders.services.records.audit import Entry, write_audit
from reminders.services.records.operators import Operator
from reminders.services.signing_in import passwords, second_factor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

    from reminders.services.records.ledger import Row

__all__ = [
    "Opened",
    "Operator",
    "Person",
    "SetUp",
    "account_of",
    "faults_of_clinic",
    "first_link",
    "has_begun",
    "invite",
    "kept",
    "link_for",
    "opened",
    "set_up",
    "sign_in",
    "sign_out",
    "who",
    "who_operates",
]

SETTER_UP = "setup link"
"""Who makes the first clinic, in the audit."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a one-time link is for. Without a name it makes a clinic and its first person. `otpauth`: None where the phone is kept."""

    name: str | None
    clinic: str | None
    secret: str | None

    def otpauth(self, login: str) -> str | None:
        """The address in the square that the phone reads."""
        return None if self.secret is None else second_factor.address_of(self.secret, login)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """What somebody fills in behind a one-time link. The clinic's fields, and `name`, only where the link makes one."""

    login: str
    password: str
    code: str
    name: str = ""
    clinic: str = ""
    phone: str = ""
    zone: str = ""
    prescribes: bool = False


def first_link(engine: Engine, *, now: datetime) -> str | None:
    """Make the link with which a ledger without any clinic is begun; None where there is one, or somebody who can sign in."""
    with writing(engine) as c:
        if accounts.any_account(c) or operators.any_login(c) or staff.clinics(c):
            return None
        return link_for(c, None, None, new_device=True, holds=SETUP_HOLDS, now=now)


def has_begun(engine: Engine) -> bool:
    """Whether anybody can sign in."""
    with reading(engine) as c:
        return accounts.any_account(c) or operators.any_login(c)


def invite(engine: Engine, clinic_id: str, name: str, *, by: str, new_device: bool = False, now: datetime) -> str:
    """Make a link with which somebody on a clinic's list sets their account up, or sets a new password.

    An account that is there keeps its second factor, unless `new_device` begins it anew. Raises NotFound.
    """
    with writing(engine) as c:
        member = staff.listed(c, clinic_id, [name]).get(name)
        if member is None or member.ended_at is not None:
            raise NotFound(f"nobody on the list of {clinic_id} is called {name!r}")
        fresh = new_device or accounts.of_person(c, clinic_id, member.id) is None
        write_audit(c, clinic_id, Entry(now, by, "link made", member.id, "new device" if fresh else ""))
        return link_for(c, clinic_id, member.id, new_device=fresh, holds=INVITATION_HOLDS, now=now)


def link_for(c: Connection, clinic_id: str | None, staff_id: str | None, *, new_device: bool, holds: timedelta, now: datetime) -> str:
    """Make a one-time link for somebody on a clinic's list, or for whoever begins (neither); return what stands in it."""
    token = secrets.token_urlsafe(32)
    row = {
        "token_hash": kept(token),
        "clinic_id": clinic_id,
        "staff_id": staff_id,
        "totp_secret": second_factor.new_secret(),
        "new_device": new_device,
        "created_at": now,
        "expires_at": now + holds,
    }
    accounts.invite(c, row)
    return token


def opened(engine: Engine, token: str, *, now: datetime) -> Opened | None:
    """What a one-time link is for; None where it is good no more, or never was."""
    with reading(engine) as c:
        row = accounts.invitation(c, kept(token), now)
        operator = operators.invited(c, kept(token), now)
    if operator is not None:
        return Opened(operator["name"], None, operator["link_secret"])
    return None if row is None else Opened(row["name"], row["clinic"], row["totp_secret"] if row["new_device"] else None)


def set_up(engine: Engine, token: str, given: SetUp, *, now: datetime) -> tuple[str, ...] | None:
    """Set an account up by a one-time link, which is good no more then; return its recovery codes, to be shown this once.

    None where the link is not good. Raises BadFile with what is wrong, each with its field; the link stays good then.
    """
    login = given.login.strip().casefold()
    with reading(engine) as c:
        row, operator = accounts.invitation(c, kept(token), now), operators.invited(c, kept(token), now)
    if operator is not None:
        return _set_up_operator(engine, operator, given, login, now)
    if row is None:
        return None
    with reading(engine) as c:
        faults = [*_faults_of_person(c, row, given, login), *(faults_of_clinic(given) if row["clinic_id"] is None else ())]
        step, wrong = _step(c, row, given, now)
    if faults or wrong:
        raise BadFile([*faults, *wrong])
    password_hash = passwords.hashed(given.password)  # outside of any transaction: it takes tenths of a second
    codes = second_factor.new_recovery_codes()
    with writing(engine) as c:
        if not accounts.use_invitation(c, kept(token)):
            return None
        if _is_taken(c, login, but=row["staff_id"]):  # by somebody else, at the same moment
            raise BadFile([_taken()])
        clinic_id, staff_id = (row["clinic_id"], row["staff_id"]) if row["clinic_id"] else _first_person(c, given, now)
        if step is None and not accounts.use_recovery_code(c, clinic_id, staff_id, second_factor.kept_of(given.code)):
            raise BadFile([_wrong_code()])
        account = {"clinic_id": clinic_id, "staff_id": staff_id, "login": login, "password_hash": password_hash}
        secret = {"totp_secret": row["totp_secret"]} if row["new_device"] else {}
        counted = {} if step is None else {"totp_step": step}
        accounts.put(c, account | secret | counted, map(second_factor.kept_of, codes), at=now)
    return codes


def _set_up_operator(engine: Engine, row: Row, given: SetUp, login: str, now: datetime) -> tuple[str, ...] | None:
    """Set up how a system admin signs in; what they had before is good no more."""
    about = {"staff_id": row["id"], "name": row["name"], "clinic": second_factor.ISSUER}
    with reading(engine) as c:
        faults = list(_faults_of_person(c, about, given, login))
    step = second_factor.step_of(row["link_secret"], given.code.strip(), now, last=None)
    if faults or step is None:
        raise BadFile([*faults, *([_wrong_code()] if step is None else [])])
    password_hash = passwords.hashed(given.password)
    codes = second_factor.new_recovery_codes()
    with writing(engine) as c:
        if _is_taken(c, login, but=row["id"]):
            raise BadFile([_taken()])
        hashes = map(second_factor.kept_of, codes)
        return codes if operators.put(c, row, login=login, password_hash=password_hash, step=step, recovery=hashes, at=now) else None


def _is_taken(c: Connection, login: str, *, but: str | None) -> bool:
    return accounts.is_taken(c, login, but=but) or operators.is_taken(c, login, but=but)


def _faults_of_person(c: Connection, row: Row, given: SetUp, login: str) -> Iterator[Fault]:
    try:
        read_name(login)
    except ValueError as error:
        yield Fault("login", str(error))
    else:
        if _is_taken(c, login, but=row["staff_id"]):
            yield _taken()
    about = (login, row["name"] or given.name, row["clinic"] or given.clinic)
    if words := passwords.fault(given.password, about=about):
        yield Fault("password", words)


def faults_of_clinic(given: SetUp) -> Iterator[Fault]:
    """What is wrong with a clinic that is to be made, and with the name of its first person, each with its field."""
    checks: tuple[tuple[str, str, Callable[[str], object]], ...] = (
        ("name", given.name, read_name),
        ("clinic", given.clinic, read_name),
        ("phone", given.phone, read_phone),
        ("zone", given.zone, read_zone),
    )
    for field, value, read in checks:
        try:
            read(value)
        except ValueError as error:
            yield Fault(field, str(error))


def _step(c: Connection, row: Row, given: SetUp, now: datetime) -> tuple[int | None, list[Fault]]:
    """The step of the code that was given, of the new phone or of the one that is kept; None for a recovery code."""
    account = None if row["staff_id"] is None else accounts.of_person(c, row["clinic_id"], row["staff_id"])
    secret, last = (row["totp_secret"], None) if row["new_device"] or account is None else (account["totp_secret"], account["totp_step"])
    step = second_factor.step_of(secret, given.code.strip(), now, last=last)
    may_recover = not row["new_device"] and "-" in given.code
    return step, [] if step is not None or may_recover else [_wrong_code()]


def _first_person(c: Connection, given: SetUp, now: datetime) -> tuple[str, str]:
    """Make the first clinic, and list its first person: its admin, and its provider if they prescribe."""
    clinic_id = enrolment.short_name(given.clinic)
    clinic = ClinicShape(name=given.clinic, phone=given.phone, zone=given.zone)
    enrolment.claim_clinic(c, clinic_id, clinic, simulated=False, at=now)
    roles = {StaffRole.ADMIN} | ({StaffRole.PROVIDER} if given.prescribes else set())
    staff.add(c, clinic_id, given.name, roles, by=SETTER_UP, at=now)
    return clinic_id, staff.listed(c, clinic_id, [given.name])[given.name].id


def _taken() -> Fault:
    return Fault("login", "somebody signs in by this name already: take another")


def _wrong_code() -> Fault:
    return Fault("code", "is not the code of this minute: read it from the phone again")


def sign_in(engine: Engine, *, login: str, password: str, code: str, address: str, now: datetime) -> str | None:
    """Sign somebody in: return what their browser is to hold; None where anything at all is wrong, or there were too many tries."""
    login = login.strip().casefold()
    name_key, address_key = kept(f"name {login}"), kept(f"address {address}")
    with writing(engine) as c:
        may = accounts.count_try(c, name_key, now, most=GUESSES_OF_ACCOUNT)
        may = accounts.count_try(c, address_key, now, most=GUESSES_OF_ADDRESS) and may
        account = accounts.of_login(c, login)
        operator = operators.of_login(c, login)
    known = account or operator
    if not may or not passwords.is_it(password, known["password_hash"] if known else None) or known is None:
        return None
    if account is None:
        return _let_operator_in(engine, known, code, name_key, now)
    whose = account["clinic_id"], account["staff_id"]
    step = second_factor.step_of(account["totp_secret"], code.strip(), now, last=account["totp_step"])
    if step is None and second_factor.is_of_phone(code.strip()):
        return None  # without a further write, whose time would tell that the password was right
    token = secrets.token_urlsafe(32)
    with writing(engine) as c:
        if step is not None:
            used = accounts.use_step(c, *whose, step)
        else:
            used = accounts.use_recovery_code(c, *whose, second_factor.kept_of(code))
        if not used:
            return None
        accounts.forget_tries(c, name_key)
        accounts.begin_session(c, kept(token), *whose, at=now)
    return token


def _let_operator_in(engine: Engine, operator: Row, code: str, name_key: str, now: datetime) -> str | None:
    step = second_factor.step_of(operator["totp_secret"], code.strip(), now, last=operator["totp_step"])
    if step is None and second_factor.is_of_phone(code.strip()):
        return None
    token = secrets.token_urlsafe(32)
    with writing(engine) as c:
        if step is not None:
            used = operators.use_step(c, operator["id"], step)
        else:
            used = operators.use_recovery_code(c, operator, second_factor.kept_of(code))
        if not used:
            return None
        accounts.forget_tries(c, name_key)
        operators.begin_session(c, operator, kept(token), at=now)
    return token


def who(engine: Engine, token: str, *, now: datetime, is_use: bool = True) -> Person | None:
    """Who holds this in their browser; None where the session is over, or the person has left.

    A look that no person took (not `is_use`) makes no session live longer.
    """
    with reading(engine) as c:
        found = accounts.session(c, kept(token), now)
    if found is None:
        return None
    person, is_old = found
    if is_old and is_use:
        with writing(engine) as c:
            accounts.note_use(c, kept(token), now)
    return person


def who_operates(engine: Engine, token: str, *, now: datetime, is_use: bool = True) -> Operator | None:
    """The same of a system admin, who is nobody at any clinic."""
    with reading(engine) as c:
        found = operators.session(c, kept(token), now)
    if found is None:
        return None
    operator, is_old = found
    if is_old and is_use:
        with writing(engine) as c:
            operators.note_use(c, kept(token), now)
    return operator


def sign_out(engine: Engine, token: str, *, everywhere: bool = False, now: datetime) -> None:
    """End a session, and with `everywhere` all of the person's. It is no error if it is over already."""
    with writing(engine) as c:
        found = accounts.session(c, kept(token), now)
        accounts.end_session(c, kept(token))
        operators.end_session(c, kept(token))
        if found is not None and everywhere:
            accounts.end_sessions(c, found[0].clinic_id, found[0].staff_id)


def account_of(engine: Engine, person: Person) -> tuple[str, int]:
    """The name by which a person signs in, and how many recovery codes they have left."""
    with reading(engine) as c:
        row = accounts.of_person(c, person.clinic_id, person.staff_id)
        return row["login"] if row else "", accounts.recovery_codes_left(c, person.clinic_id, person.staff_id)


def kept(token: str) -> str:
    """What is kept of what a browser or a link holds, and of a name or address that is counted."""
    return hashlib.sha256(token.encode()).hexdigest()
