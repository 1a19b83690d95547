"""Requests that nobody should send, made from true ones by a seeded hand, and who asks an app with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from starlette.types import ASGIApp, Message, Scope

from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN
from tests.fake_twilio.webhooks import FORM, Pairs, inbound_form, signature_of, status_form
from tests.web.serving import ANA, OLD_TOKEN, PUBLIC

INBOUND, STATUS = "/sms/inbound", "/sms/status"
STRANGER = "+12025550188"
LARGE = 64 * 1024
VALUES = [
    *(
        "",
        " ",
        "\x00",
        "1",
        "2",
        "STOP",
        "stop please",
        "taken",
        "HELP",
        "took it at 8",
        "💊" * 50,
        "\u202e1\u202c",
        "\u2028\r\n",
        "\uffff\ufffe",
    ),
    *(
        "'; DROP TABLE text_in; --",
        "%s%n%00",
        "{0}{clinic}",
        "<Response/>",
        "\u0663",
        "é" * 5000,
        "1" * 400,
        "x" * 40_000,
        "-1",
        "1e9",
        "\x1b[2J",
    ),
    *(ANA, STRANGER, OUR_NUMBER, "+1", "whatsapp:" + ANA, "24273", "SM" + "f" * 32, "SM1", "sent", "delivered", "no_such_status", "30003"),
]
NAMES = [
    "Body",
    "From",
    "To",
    "MessageSid",
    "MessageStatus",
    "ErrorCode",
    "AccountSid",
    "MessagingServiceSid",
    "SmsSid",
    "",
    "é",
    "Body\x00",
    "a" * 300,
]
TYPES = [FORM, "application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=utf-16"]
TYPES += ["APPLICATION/X-WWW-FORM-URLENCODED", "application/x-www-form-urlencoded, text/plain", "", ";", "\xff"]
BAD_BYTES = [
    b"\xff\xfe",
    b"%ff",
    b"%ED%A0%80",
    b"%",
    b"%zz",
    b"%00",
    b"\x00",
    b"&&==&",
    b"%c0%af",
    b"=",
    b"\xed\xa0\x80",
    b"%F4%90%80%80",
    b";",
]
ODD_HEADERS = [
    (b"host", b"attacker.example"),
    (b"host", b"["),
    (b"x-forwarded-host", b"doseline.example"),
    (b"x-forwarded-proto", b"http"),
    (b"content-length", b"-1"),
    (b"content-length", b"\xb2"),
    (b"content-length", b"9" * 5000),
    (b"content-encoding", b"gzip"),
    (b"transfer-encoding", b"chunked"),
    (b"x-twilio-signature", b"AAAA"),
    (b"x-twilio-webhooks-signature-settings", b"alg=HMAC-SHA256"),
    (b"x-twilio-webhooks-signature-settings", b"\xff;=;;="),
    (b"i-twilio-idempotency-token", b"\x00\xff" * 60),
    (b"expect", b"100-continue"),
    (b"x-http-method-override", b"PUT"),
    (b"cookie", b"=" * 3000),
]


@dataclass(frozen=True)
class Request:
    """A request as it comes off the wire. `kind` is how it was made; `breaks_off`: the client goes away in mid-body."""

    kind: str
    method: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    breaks_off: bool = False

    @property
    def is_signed(self) -> bool:
        """Whether it proves its sender, by the documentation's own words and none of our code, and is a form that could be read."""
        given = dict(reversed(self.headers))  # the first of each name
        kind = given.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if self.method != "POST" or self.breaks_off or kind != FORM.partition(";")[0] or len(self.body) > LARGE:
            return False
        try:
            pairs = parse_qsl(self.body.decode(), keep_blank_values=True, errors="strict")
        except ValueError:
            return False
        asked = PUBLIC + self.target.removesuffix("?")  # an empty query and none are the same to a server
        return signature_of(TOKEN, asked, pairs).encode() == given.get(b"x-twilio-signature")


@dataclass
class Fuzzer:
    """Makes requests, each from a true one; the same seed makes the same. Sids are new ones, so that a true one would be taken in."""

    seed: int
    made: int = 0
    rng: Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)  # noqa: S311 - it has to be repeatable

    def next(self) -> Request:
        """Make the next request, in one of the ways below."""
        self.made += 1
        ways: list[Callable[[], Request]] = [self._encoding, self._type, self._json, self._header, self._target, self._method, self._cut]
        ways += [*[self._bytes] * 6, *[self._signature] * 2, self._other_path, self._signed_garbage]
        return self._size() if self.made % 40 == 0 else self.rng.choice(ways)()

    def true(self) -> Request:
        """Make a request that is in order."""
        sid = f"SM{self.seed}x{self.made}"
        if self.rng.random() < 0.5:
            phone, body = self.rng.choice([ANA, ANA, STRANGER]), self.rng.choice(["1", "2", "STOP", "took it", "¿qué?"])
            pairs = inbound_form(account_sid=ACCOUNT, sid=sid, from_phone=phone, to_phone=OUR_NUMBER, body=body)
            return signed("true", INBOUND, pairs)
        status = self.rng.choice(["sent", "delivered", "undelivered", "failed"])
        pairs = status_form(account_sid=ACCOUNT, sid=sid, from_phone=OUR_NUMBER, to_phone=ANA, status=status, error_code=30003)
        return signed("true", f"{STATUS}?tag=t{self.made}", pairs)

    def _bytes(self) -> Request:
        """Change, drop, double or move some bytes."""
        request, rng = self.true(), self.rng
        body = bytearray(request.body)
        for _ in range(rng.choice([1, 1, 1, 2, 5, 40])):
            at = rng.randrange(len(body) + 1)
            match rng.randrange(5):
                case 0:
                    body[at : at + 1] = bytes([rng.randrange(256)])
                case 1:
                    del body[at : at + rng.randrange(1, 20)]
                case 2:
                    body[at:at] = body[at : at + rng.randrange(1, 20)]
                case 3:
                    body[at:at] = rng.randbytes(rng.randrange(1, 8))
                case _:
                    body[at : at + 1] = rng.choice([b"&", b"=", b"+", b"%20", b"%26", b"%3D", b"a"])
        return replace(request, kind="bytes", body=bytes(body))

    def _encoding(self) -> Request:
        """Put what is no UTF-8, or no form, somewhere; or write all of it in another encoding."""
        request, rng = self.true(), self.rng
        if rng.random() < 0.2:
            return replace(request, kind="encoding", body=request.body.decode().encode(rng.choice(["utf-16", "utf-32", "utf-8-sig"])))
        at = rng.randrange(len(request.body) + 1)
        return replace(request, kind="encoding", body=request.body[:at] + rng.choice(BAD_BYTES) + request.body[at:])

    def _signature(self) -> Request:
        """Give a true request a signature that is not its own."""
        request, rng = self.true(), self.rng
        own = dict(request.headers)[b"x-twilio-signature"]
        at = rng.randrange(len(own))
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
        wrong = [b"", own[:-1], own + b"=", own[:at] + bytes([own[at] ^ 1]) + own[at + 1 :], own.swapcase(), b"\xff" * 28, own * 200]
        wrong += [rng.randbytes(28), signature_of(OLD_TOKEN, PUBLIC + request.target, pairs).encode()]
        wrong += [
            signature_of(TOKEN, "http://attacker.example" + request.target, pairs).encode(),
            signature_of(TOKEN, PUBLIC + request.target, []).encode(),
        ]
        return with_header(replace(request, kind="signature"), b"x-twilio-signature", rng.choice(wrong))

    def _type(self) -> Request:
        """Say that a true form is something else."""
        return with_header(replace(self.true(), kind="type"), b"content-type", self.rng.choice(TYPES).encode("latin-1"))

    def _json(self) -> Request:
        """Send JSON, with or without the hash of its body, and with every signature there could be."""
        rng, request = self.rng, self.true()
        body = (
            json.dumps(dict(parse_qsl(request.body.decode()))).encode()
            if rng.random() < 0.7
            else rng.choice([b"{", b"[]", b"\xff", b"", b"NaN"])
        )
        digest = rng.choice([hashlib.sha256(body).hexdigest(), "0" * 64, "", "x"])
        target = request.target if rng.random() < 0.4 else f"{request.target.partition('?')[0]}?bodySHA256={digest}"
        signature = signature_of(TOKEN, PUBLIC + target, []) if rng.random() < 0.7 else "AAAA"
        kind = rng.choice(["application/json", "application/json; charset=utf-16", "text/json"])
        return Request("json", "POST", target, ((b"content-type", kind.encode()), (b"x-twilio-signature", signature.encode())), body)

    def _header(self) -> Request:
        """Add headers that should change nothing, before or after the true ones."""
        request, odd = self.rng.choice([self.true, self._signature])(), tuple(self.rng.sample(ODD_HEADERS, self.rng.randrange(1, 4)))
        return replace(request, kind="header", headers=(*odd, *request.headers) if self.rng.random() < 0.5 else (*request.headers, *odd))

    def _target(self) -> Request:
        """Ask by another path or query than was signed."""
        request, rng = self.true(), self.rng
        more = [
            "?",
            "&tag=b",
            "?tag=%ff",
            "?bodySHA256=",
            "#a",
            "/",
            "//",
            "/../status",
            "%00",
            "?" + "a" * 3000,
            "?tag=" + quote("💊"),
            "%2f",
            ";a=b",
            "[",
        ]
        return replace(request, kind="target", target=request.target + rng.choice(more))

    def _size(self) -> Request:
        """Be as large as may be, or larger, in bytes or in fields; some of it signed."""
        rng, room = self.rng, self.rng.choice([LARGE - 300, LARGE, LARGE + 1, 2 * LARGE])
        if rng.random() < 0.5:
            pairs: Pairs = [("AccountSid", ACCOUNT), ("Body", "x" * room)]
        else:
            pairs = [("AccountSid", ACCOUNT), *(("a", str(number)) for number in range(rng.choice([490, 500, 600, 5000])))]
        return replace(signed("size", rng.choice([INBOUND, STATUS]), pairs))

    def _method(self) -> Request:
        """Ask by another method."""
        return replace(
            self.true(), kind="method", method=self.rng.choice(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", ""])
        )

    def _cut(self) -> Request:
        """Go away in the middle."""
        return replace(self.true(), kind="cut", breaks_off=True)

    def _other_path(self) -> Request:
        """Bring what was signed for one path to another."""
        request = self.true()
        return replace(request, kind="other path", target=STATUS if request.target == INBOUND else INBOUND)

    def _signed_garbage(self) -> Request:
        """Sign truly what no carrier would say: odd values, names missing, given twice or unknown."""
        rng, request = self.rng, self.true()
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
        for _ in range(rng.choice([1, 1, 2, 4, 9])):
            at = rng.randrange(len(pairs))
            match rng.randrange(5):
                case 0 | 1 | 2:
                    pairs[at] = (pairs[at][0], rng.choice(VALUES))
                case 3:
                    pairs.insert(at, (rng.choice(NAMES), rng.choice(VALUES)))
                case _ if len(pairs) > 1:
                    del pairs[at]
        target = (
            request.target if rng.random() < 0.8 else rng.choice([STATUS, STATUS + "?tag=%ff", STATUS + "?tag=a&tag=b", INBOUND + "?x=%00"])
        )
        return signed("signed garbage", target, pairs)


def signed(kind: str, target: str, pairs: Pairs) -> Request:
    """A form that was truly signed."""
    signature = signature_of(TOKEN, PUBLIC + target, pairs).encode()
    return Request(kind, "POST", target, ((b"content-type", FORM.encode()), (b"x-twilio-signature", signature)), urlencode(pairs).encode())


def with_header(request: Request, name: bytes, value: bytes) -> Request:
    """The same request with another value of a header."""
    return replace(request, headers=tuple((each, value if each == name else given) for each, given in request.headers))


async def ask(app: ASGIApp, request: Request) -> int:
    """Ask an app as a server would, the body in two pieces; return the status of its one answer."""
    path, _, query = request.target.partition("?")
    half = len(request.body) // 2
    coming: list[Message] = [{"type": "http.request", "body": request.body[:half], "more_body": True}]
    coming.append(
        {"type": "http.disconnect"} if request.breaks_off else {"type": "http.request", "body": request.body[half:], "more_body": False}
    )
    sent: list[MutableMapping[str, Any]] = []
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), *request.headers] if b"host" not in dict(request.headers) else list(request.headers),
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
    }

    async def receive() -> Message:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    [status] = [int(message["status"]) for message in sent if message["type"] == "http.response.start"]
    return status
