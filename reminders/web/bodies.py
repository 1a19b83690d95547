"""Reading what a caller sends: never more than 64 KiB (an import: 1 MiB), and never for long."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

LONGEST_BODY = 64 * 1024
LONG_NUMBER = 18  # digits; whoever declares so long a length need not be believed to the letter
MOST_FIELDS = 500
READING_SECONDS = 10  # Twilio itself gives up after 15 s

_NUMBER = re.compile(r"[0-9]+")


async def body_of(request: Request, *, longest: int = LONGEST_BODY) -> bytes:
    """Read a body of at most 64 KiB, or what is said to be the longest, within ten seconds."""
    declared = request.headers.get("Content-Length", "")
    if _NUMBER.fullmatch(declared) and (len(declared) > LONG_NUMBER or int(declared) > longest):
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    body = bytearray()
    try:
        async with asyncio.timeout(READING_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > longest:
                    raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT) from None
    except ClientDisconnect:  # nobody is there to be answered, but it is no fault of ours
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None
    return bytes(body)
