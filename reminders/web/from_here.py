"""Whether who asks sits at this machine."""

from __future__ import annotations

from ipaddress import ip_address

from starlette.requests import Request

# What a proxy adds: behind one, the machine that asks is not the one that is seen.
FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")


def is_from_here(request: Request) -> bool:
    """Whether a request comes from this machine itself, asks it by a loopback name, and came through no proxy.

    The name matters: a page elsewhere can have its own name point to 127.0.0.1, and so read what is shown here.
    """
    peer = request.client.host if request.client else ""
    forwarded = any(name in request.headers for name in FORWARDED)
    return not forwarded and _is_loopback(peer) and (request.url.hostname == "localhost" or _is_loopback(request.url.hostname or ""))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
