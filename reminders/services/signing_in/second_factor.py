"""The second factor: a code of the minute from a phone (TOTP, RFC 6238), or one of the recovery codes, each good once."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime

import pyotp

from reminders.domain.signing_in import RECOVERY_CODES

ISSUER = "Doseline"
NEIGHBOURS = 1
"""A code of the step before or after is taken too: a phone's clock may be half a minute off."""

_CODE = re.compile(r"[0-9]{6}")
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is mistaken for another when read from paper


def new_secret() -> str:
    """Make what a phone and we share, 160 bits, in base 32."""
    return pyotp.random_base32()


def address_of(secret: str, login: str) -> str:
    """The otpauth address that a phone reads from the square."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def is_of_phone(code: str) -> bool:
    """Whether it looks like what a phone shows; then it is no recovery code."""
    return _CODE.fullmatch(code) is not None


def step_of(secret: str, code: str, now: datetime, *, last: int | None) -> int | None:
    """The step that a code belongs to; None if it is wrong, or not newer than the last one used: no code is good twice."""
    if not _CODE.fullmatch(code):
        return None
    try:
        step = pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=now, valid_window=NEIGHBOURS)
    except pyotp.OTPVerificationError:
        return None
    return step if last is None or step > last else None


def new_recovery_codes() -> tuple[str, ...]:
    """Make codes for the day on which the phone is gone: 50 bits each."""
    return tuple("-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(2)) for _ in range(RECOVERY_CODES))


def kept_of(code: str) -> str:
    """What is kept of a recovery code, however it was typed. It is random, so that a plain hash does not lay it open."""
    return hashlib.sha256(re.sub(r"[\s-]", "", code).lower().encode()).hexdigest()
