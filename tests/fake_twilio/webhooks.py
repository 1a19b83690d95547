"""What Twilio posts to us, and how it signs it: written from its documentation, without its SDK, so that neither proves itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

Pairs = list[tuple[str, str]]

FORM = "application/x-www-form-urlencoded; charset=UTF-8"


def inbound_form(*, account_sid: str, sid: str, from_phone: str, to_phone: str, body: str, service_sid: str | None = None) -> Pairs:
    """Return the form of a text that somebody sent to us."""
    pairs = [
        ("ToCountry", "US"),
        ("ToState", ""),
        ("SmsMessageSid", sid),
        ("NumMedia", "0"),
        ("ToCity", ""),
        ("FromZip", ""),
        ("SmsSid", sid),
        ("FromState", "DC"),
        ("SmsStatus", "received"),
        ("FromCity", ""),
        ("Body", body),
        ("FromCountry", "US"),
        ("To", to_phone),
        ("ToZip", ""),
        ("NumSegments", "1"),
        ("MessageSid", sid),
        ("AccountSid", account_sid),
        ("From", from_phone),
        ("ApiVersion", "2010-04-01"),
    ]
    return [*pairs, ("MessagingServiceSid", service_sid)] if service_sid else pairs


def status_form(*, account_sid: str, sid: str, from_phone: str, to_phone: str, status: str, error_code: int | None = None) -> Pairs:
    """Return the form of a receipt."""
    pairs = [
        ("SmsSid", sid),
        ("SmsStatus", status),
        ("MessageStatus", status),
        ("To", to_phone),
        ("MessageSid", sid),
        ("AccountSid", account_sid),
        ("From", from_phone),
        ("ApiVersion", "2010-04-01"),
    ]
    return pairs if error_code is None else [*pairs, ("ErrorCode", str(error_code))]


def signature_of(token: str, url: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Sign an address and a form: HMAC-SHA1 over the address and every distinct (name, value) in order, in base64."""
    signed = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def json_signature_of(token: str, url: str) -> str:
    """Sign an address whose query holds the hash of a JSON body."""
    return signature_of(token, url, [])


def post_signed(url: str, pairs: Pairs, *, token: str, idempotency_token: str = "") -> tuple[int, bytes]:
    """Post a signed form to an address on this machine; return the status and the body of the answer."""
    parts = urlsplit(url)
    headers = {
        "Content-Type": FORM,
        "X-Twilio-Signature": signature_of(token, url, pairs),
        "I-Twilio-Idempotency-Token": idempotency_token,
        "User-Agent": "TwilioProxy/1.1",
    }
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=15)
    try:
        connection.request("POST", f"{parts.path}?{parts.query}" if parts.query else parts.path, urlencode(pairs), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
