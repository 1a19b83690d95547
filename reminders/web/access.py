"""Who may ask what: every route has its row here, and a route without one is nobody's.

Who is signed in is known by a cookie that holds 256 random bits. A browser sends it with any request to us, whoever wrote the
page that made it: so what changes something is believed only where the browser says that it comes from a page of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from http import HTTPStatus
from types import MappingProxyType

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from reminders.domain.roles import Right, has_right
from reminders.services import caring, signing_in
from reminders.services.caring import Holder
from reminders.services.signing_in import Operator, Person
from reminders.web.from_here import is_from_here
from reminders.web.parts import Parts

SAFE = frozenset({"GET", "HEAD"})
AGAIN = "again"
"""What a page asks with that comes again by itself."""


class Access(Enum):
    """Who may ask. What machines call proves its caller in its own way, inside the route."""

    ANYBODY = "anybody"
    MACHINE = "a machine: each route looks who it is"
    SIGNED_IN = "whoever is signed in"
    CARE = "who cares for the clinic's patients"
    PRESCRIBE = "who prescribes"
    SANDBOX = "who cares for the clinic's patients; before anybody can sign in, this machine"
    ADMINISTER = "who says who works at the clinic"
    OPERATE = "who runs the installation, and belongs to no clinic"
    CAREGIVER = "who holds a link to a caregiver's page"
    API_ANYBODY = "any program, with a key or without"
    API_KEY = "a program with a key"
    API_CARE = "a program with the key of a provider or staff"
    API_PRESCRIBE = "a program with a provider's key"
    API_ADMINISTER = "a program with an admin's key"


ROUTES: Mapping[tuple[str, str], Access] = MappingProxyType(
    {
        ("GET", "/"): Access.ANYBODY,  # it sends on who is not signed in, or not on this machine
        ("GET", "/account"): Access.SIGNED_IN,
        ("GET", "/care"): Access.CAREGIVER,
        ("POST", "/care/doses/{dose}/gave"): Access.CAREGIVER,
        ("POST", "/care/doses/{dose}/what-now"): Access.CAREGIVER,
        ("POST", "/care/early"): Access.CAREGIVER,
        ("POST", "/care/told/{told}/take-on"): Access.CAREGIVER,
        ("GET", "/care/{token}"): Access.ANYBODY,
        ("GET", "/alerts/{alert}"): Access.CARE,
        ("POST", "/alerts/{alert}/acknowledge"): Access.CARE,  # what a provider alone may take on, the service asks
        ("POST", "/alerts/{alert}/give-back"): Access.CARE,
        ("POST", "/alerts/{alert}/resolve"): Access.CARE,
        ("GET", "/healthz"): Access.MACHINE,
        ("HEAD", "/healthz"): Access.MACHINE,
        ("GET", "/keys"): Access.ADMINISTER,
        ("POST", "/keys/add"): Access.ADMINISTER,
        ("POST", "/keys/end"): Access.ADMINISTER,
        ("GET", "/metrics"): Access.MACHINE,
        ("GET", "/patients/new"): Access.CARE,
        ("POST", "/patients/new"): Access.CARE,
        ("GET", "/patients/{patient}/details"): Access.CARE,
        ("POST", "/patients/{patient}/details"): Access.CARE,
        ("GET", "/patients/{patient}/medicines"): Access.CARE,
        ("POST", "/patients/{patient}/medicines/add"): Access.CARE,
        ("POST", "/patients/{patient}/medicines/{alert}/acknowledge"): Access.PRESCRIBE,
        ("POST", "/patients/{patient}/medicines/{medicine}/remove"): Access.CARE,
        ("GET", "/patients/{patient}/people"): Access.CARE,
        ("GET", "/patients/{patient}/people/add"): Access.CARE,
        ("POST", "/patients/{patient}/people/add"): Access.CARE,
        ("POST", "/patients/{patient}/people/{role}/code"): Access.CARE,
        ("GET", "/patients/{patient}/people/{role}/consent"): Access.CARE,
        ("POST", "/patients/{patient}/people/{role}/consent"): Access.CARE,
        ("POST", "/patients/{patient}/people/{role}/end"): Access.CARE,
        ("POST", "/patients/{patient}/people/{role}/end-texts"): Access.CARE,
        ("GET", "/patients/{patient}/people/{role}/number"): Access.CARE,
        ("POST", "/patients/{patient}/people/{role}/number"): Access.CARE,
        ("POST", "/patients/{patient}/people/{role}/prove"): Access.CARE,
        ("GET", "/patients/{patient}/zone"): Access.CARE,
        ("POST", "/patients/{patient}/zone"): Access.CARE,
        ("POST", "/patients/{patient}/plans"): Access.PRESCRIBE,
        ("POST", "/patients/{patient}/plans/look"): Access.PRESCRIBE,
        ("GET", "/patients/{patient}/plans/new"): Access.PRESCRIBE,
        ("POST", "/patients/{patient}/plans/new"): Access.PRESCRIBE,
        ("GET", "/patients"): Access.CARE,
        ("POST", "/patients/search"): Access.CARE,
        ("GET", "/patients/{patient}"): Access.CARE,
        ("GET", "/patients/{patient}/adherence.csv"): Access.CARE,
        ("GET", "/patients/{patient}/conversation"): Access.CARE,
        ("POST", "/patients/{patient}/conversation"): Access.CARE,
        ("POST", "/patients/{patient}/conversation/hand-back"): Access.CARE,
        ("POST", "/patients/{patient}/conversation/take-over"): Access.CARE,
        ("GET", "/patients/{patient}/timeline"): Access.CARE,
        ("GET", "/patients/{patient}/plans/{plan}/act"): Access.CARE,
        ("POST", "/patients/{patient}/plans/{plan}/act"): Access.CARE,  # what a provider alone may do, the service asks
        ("GET", "/patients/{patient}/plans/{plan}/dose"): Access.CARE,
        ("POST", "/patients/{patient}/plans/{plan}/dose"): Access.CARE,
        ("POST", "/patients/{patient}/caregivers/{role}/link"): Access.CARE,
        ("GET", "/patients/{patient}/plans/{plan}/edit"): Access.PRESCRIBE,
        ("POST", "/patients/{patient}/plans/{plan}/edit"): Access.PRESCRIBE,
        ("GET", "/patients/{patient}/plans/{plan}/sheet"): Access.CARE,
        ("POST", "/patients/{patient}/plans/{plan}/sign"): Access.PRESCRIBE,
        ("GET", "/patients/{patient}/plans/{plan}/taper"): Access.PRESCRIBE,
        ("POST", "/patients/{patient}/plans/{plan}/taper"): Access.PRESCRIBE,
        ("GET", "/people"): Access.ADMINISTER,
        ("POST", "/people/add"): Access.ADMINISTER,
        ("POST", "/people/end"): Access.ADMINISTER,
        ("POST", "/people/invite"): Access.ADMINISTER,
        ("GET", "/queues"): Access.CARE,
        ("GET", "/queues/count"): Access.CARE,
        ("GET", "/queues/part"): Access.CARE,
        ("GET", "/queues/{queue}"): Access.CARE,
        ("GET", "/queues/{queue}/part"): Access.CARE,
        ("GET", "/readyz"): Access.MACHINE,
        ("HEAD", "/readyz"): Access.MACHINE,
        ("GET", "/sandbox"): Access.SANDBOX,
        ("GET", "/sandbox/phones/{patient}"): Access.SANDBOX,
        ("POST", "/sandbox/phones/{patient}/carrier"): Access.SANDBOX,
        ("POST", "/sandbox/phones/{patient}/clock"): Access.SANDBOX,
        ("POST", "/sandbox/phones/{patient}/hearing"): Access.SANDBOX,
        ("POST", "/sandbox/phones/{patient}/say"): Access.SANDBOX,
        ("POST", "/sandbox/phones/{patient}/stop"): Access.SANDBOX,
        ("POST", "/sandbox/phones/{patient}/trip"): Access.SANDBOX,
        ("GET", "/sandbox/story"): Access.SANDBOX,
        ("GET", "/sandbox/story/file"): Access.SANDBOX,
        ("POST", "/sandbox/story/replay"): Access.SANDBOX,
        ("GET", "/setup/{token}"): Access.ANYBODY,
        ("POST", "/setup/{token}"): Access.ANYBODY,
        ("GET", "/sign-in"): Access.ANYBODY,
        ("POST", "/sign-in"): Access.ANYBODY,
        ("POST", "/sign-out"): Access.ANYBODY,
        ("POST", "/sign-out/everywhere"): Access.SIGNED_IN,
        ("POST", "/sms/inbound"): Access.MACHINE,
        ("POST", "/sms/probe"): Access.MACHINE,
        ("POST", "/sms/status"): Access.MACHINE,
        ("GET", "/static/{name}"): Access.ANYBODY,
        ("GET", "/system"): Access.OPERATE,
        ("POST", "/system/clinics"): Access.OPERATE,
        ("POST", "/system/invite"): Access.OPERATE,
    }
)

RIGHTS: Mapping[Access, Right] = MappingProxyType(
    {
        Access.CARE: Right.CARE,
        Access.SANDBOX: Right.CARE,
        Access.PRESCRIBE: Right.PRESCRIBE,
        Access.ADMINISTER: Right.ADMINISTER,
        Access.API_CARE: Right.CARE,
        Access.API_PRESCRIBE: Right.PRESCRIBE,
        Access.API_ADMINISTER: Right.ADMINISTER,
    }
)


OF_NO_CLINIC = frozenset({Access.OPERATE, Access.CAREGIVER})
"""What is for nobody on a clinic's list, whatever their roles."""


class LinkGone(Exception):
    """What the browser holds of a link to a caregiver's page is good no more."""


class SignInFirst(Exception):
    """Nobody is signed in: a page sends them to sign in, anything else is refused."""


def guarding(parts: Parts) -> Callable[[Request], Awaitable[None]]:
    """Make what every route asks first."""

    async def guard(request: Request) -> None:
        access = ROUTES.get((request.method, getattr(request.scope.get("route"), "path", "")))
        if access is None:
            raise HTTPException(HTTPStatus.FORBIDDEN)
        if access is Access.MACHINE:
            return
        if access is not Access.ANYBODY and holds_nul(request):  # what anybody may open, a link, is looked up by its hash
            raise HTTPException(HTTPStatus.NOT_FOUND)
        if request.method not in SAFE and not is_from_our_page(request):
            raise HTTPException(HTTPStatus.FORBIDDEN)
        if access is Access.CAREGIVER:
            request.state.holder = await _holder(parts, request)
            return
        await _see_who_it_is(parts, request, access)

    return guard


def holds_nul(request: Request) -> bool:
    """Whether an address has a NUL in it, by which PostgreSQL finds nothing, but fails."""
    return "\x00" in request.scope["path"] or any("\x00" in value for _, value in request.query_params.multi_items())


async def _see_who_it_is(parts: Parts, request: Request, access: Access) -> None:
    """Note who is signed in, and let nobody go on for whom it is not."""
    request.state.person = await _person(parts, request)
    request.state.operator = None if request.state.person else await _operator(parts, request)
    if access is Access.ANYBODY or (access is Access.OPERATE and request.state.operator is not None):
        return
    if request.state.operator is not None:
        raise HTTPException(HTTPStatus.FORBIDDEN)
    if access is Access.SANDBOX and request.state.person is None and await run_in_threadpool(is_open_here, parts, request):
        return
    if request.state.person is None:
        raise SignInFirst
    if not is_let_in(request.state.person, access):
        raise HTTPException(HTTPStatus.FORBIDDEN)


def is_open_here(parts: Parts, request: Request) -> bool:
    """Whether it may be asked without anybody signed in: on this machine itself, before anybody can."""
    return is_from_here(request) and not signing_in.has_begun(parts.engine)


def is_let_in(person: Person, access: Access) -> bool:
    """Whether who is signed in may ask what is for these."""
    return access not in OF_NO_CLINIC and (access not in RIGHTS or has_right(person.roles, RIGHTS[access]))


def is_from_our_page(request: Request) -> bool:
    """Whether the browser says that a page of ours made this request. What says nothing of it is no browser of today, and is refused."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin", "")
    return bool(origin) and origin.partition("://")[2] == request.headers.get("Host", "")


async def _person(parts: Parts, request: Request) -> Person | None:
    token = request.cookies.get(cookie_name(parts))
    if not token:
        return None
    by_itself = AGAIN in request.query_params  # else a page left open would keep somebody signed in who has gone
    return await run_in_threadpool(signing_in.who, parts.engine, token, now=parts.security_clock.now(), is_use=not by_itself)


async def _operator(parts: Parts, request: Request) -> Operator | None:
    token = request.cookies.get(cookie_name(parts))
    if not token:
        return None
    by_itself = AGAIN in request.query_params
    return await run_in_threadpool(signing_in.who_operates, parts.engine, token, now=parts.security_clock.now(), is_use=not by_itself)


def operator_of(request: Request) -> Operator:
    """Who runs the installation, on a route that is for nobody else."""
    operator = request.state.operator
    if not isinstance(operator, Operator):
        raise SignInFirst
    return operator


async def _holder(parts: Parts, request: Request) -> Holder:
    token = request.cookies.get(care_cookie(parts), "")
    found = await run_in_threadpool(caring.who, parts.engine, token, address=address_of(request), now=parts.security_clock.now())
    if found is None:
        raise LinkGone
    return found


def holder_of(request: Request) -> Holder:
    """Who holds a link to a caregiver's page, on a route that is for nobody else."""
    holder = request.state.holder
    if not isinstance(holder, Holder):
        raise LinkGone
    return holder


def address_of(request: Request) -> str:
    """Whose tries a wrong guess is counted with."""
    return request.client.host if request.client else ""


def person_of(request: Request) -> Person:
    """Who is signed in, on a route that is for nobody else."""
    person = request.state.person
    if not isinstance(person, Person):
        raise SignInFirst
    return person


def cookie_name(parts: Parts) -> str:
    """What the cookie is called. The prefix binds it to this very host, over https; plain http is for this machine alone."""
    return "__Host-doseline" if parts.is_https else "doseline"


def let_in(parts: Parts, response: Response, token: str) -> None:
    """Have the browser hold what it is known by, until it closes; no script can read it."""
    response.set_cookie(cookie_name(parts), token, path="/", secure=parts.is_https, httponly=True, samesite="lax")


def let_out(parts: Parts, response: Response) -> None:
    """Have the browser forget it."""
    response.delete_cookie(cookie_name(parts), path="/", secure=parts.is_https, httponly=True, samesite="lax")


def care_cookie(parts: Parts) -> str:
    """What the cookie of a caregiver's page is called. It is sent with that page's requests only."""
    return "__Secure-doseline-care" if parts.is_https else "doseline-care"


def hold_link(parts: Parts, response: Response, token: str) -> None:
    """Have the browser hold a link, until it closes; no script can read it."""
    response.set_cookie(care_cookie(parts), token, path="/care", secure=parts.is_https, httponly=True, samesite="lax")


def let_go(parts: Parts, response: Response) -> None:
    """Have the browser forget a link."""
    response.delete_cookie(care_cookie(parts), path="/care", secure=parts.is_https, httponly=True, samesite="lax")
