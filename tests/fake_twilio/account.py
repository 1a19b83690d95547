"""What an account of Twilio's holds: the messages it accepted, those that people sent to it, and who opted out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from threading import Lock
from urllib.parse import urlencode

from reminders.clock import Clock
from reminders.messaging.segments import segments

LARGEST_PAGE = 1_000
OUT_WORDS = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"})
IN_WORDS = frozenset({"START", "YES", "UNSTOP"})
RANKS = {"queued": 0, "accepted": 0, "sending": 1, "sent": 2, "undelivered": 3, "failed": 3, "delivered": 4}


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was accepted, or (`direction` inbound) that somebody sent to us."""

    sid: str
    to: str
    from_phone: str
    service_sid: str | None
    body: str
    status: str
    status_callback: str | None
    validity: int
    created_at: datetime
    error_code: int | None = None
    sent_at: datetime | None = None
    direction: str = "outbound-api"


class Refusal(Exception):
    """Twilio says no, with a code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


class Account:
    """The truth about one account. Any thread may use it.

    opted_out            numbers that are sent nothing more: 21610.
    visible_after        how long a new message is missing from the lists.
    redacted             whether lists keep bodies to themselves.
    segments_per_second  what each sender's queue lets through; without it nothing waits, and no validity ends.
    """

    def __init__(self, clock: Clock, *, number: str, page_size: int) -> None:
        self._clock, self._number, self._page_size = clock, number, page_size
        self._lock = Lock()
        self._messages: dict[str, Message] = {}
        self._order: list[str] = []
        self._order_of: dict[str, list[str]] = defaultdict(list)
        self._accepted: list[str] = []
        self._said = 0
        self._queue_free_at: dict[str, float] = {}
        self.opted_out: set[str] = set()
        self.visible_after = timedelta()
        self.redacted = False
        self.segments_per_second: float | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        """Every message accepted so far, oldest first."""
        with self._lock:
            return tuple(self._messages[sid] for sid in self._accepted)

    @property
    def said(self) -> tuple[Message, ...]:
        """Every text that people sent so far, oldest first."""
        with self._lock:
            return tuple(message for sid in self._order if (message := self._messages[sid]).direction == "inbound")

    def accepted(self) -> Counter[tuple[str, str]]:
        """Count what was accepted, by phone and body."""
        return Counter((message.to, message.body) for message in self.messages)

    def doubled(self) -> dict[tuple[str, str], int]:
        """Return what was accepted more than once, by phone and body, and how often."""
        return {text: times for text, times in self.accepted().items() if times > 1}

    def most_segments_in(self, span: timedelta = timedelta(seconds=1)) -> int:
        """Return the largest number of segments accepted in any span of time."""
        most = held = oldest = 0
        messages = self.messages
        for message in messages:
            held += segments_of(message.body)
            while messages[oldest].created_at <= message.created_at - span:
                held -= segments_of(messages[oldest].body)
                oldest += 1
            most = max(most, held)
        return most

    def accept(self, form: dict[str, str]) -> Message:
        """Accept a message. Raises Refusal, with Twilio's code, for one that Twilio would not take."""
        _check(form)
        with self._lock:
            if form["To"] in self.opted_out:
                raise Refusal(21610)
            message = Message(
                sid=f"SM{len(self._accepted) + 1:032x}",
                to=form["To"],
                from_phone=form.get("From", self._number),
                service_sid=form.get("MessagingServiceSid"),
                body=form["Body"],
                status="accepted" if "MessagingServiceSid" in form else "queued",
                status_callback=form.get("StatusCallback"),
                validity=int(form.get("ValidityPeriod", "36000")),
                created_at=self._clock.now(),
            )
            self._accepted.append(message.sid)
            self._keep(message)
        return message

    def take_in(self, *, from_phone: str, to_phone: str, body: str, sid: str | None = None, service_sid: str | None = None) -> Message:
        """Keep a text that somebody sent; a body that is one of the carrier's own words opts its number out, or in again."""
        word, now = body.strip().upper(), self._clock.now()
        with self._lock:
            self._said += 1
            message = Message(
                sid=sid or f"SMf{self._said:031x}",
                to=to_phone,
                from_phone=from_phone,
                service_sid=service_sid,
                body=body,
                status="received",
                status_callback=None,
                validity=0,
                created_at=now,
                sent_at=now,
                direction="inbound",
            )
            self._keep(message)
            if word in OUT_WORDS:
                self.opted_out.add(from_phone)
            elif word in IN_WORDS:
                self.opted_out.discard(from_phone)
        return message

    def reply(self, to: str, body: str, *, from_phone: str, service_sid: str | None = None) -> None:
        """Send what a webhook's own answer says, in Twilio's name for it; no request of the API's, and nothing to an opted-out number."""
        now = self._clock.now()
        with self._lock:
            if to not in self.opted_out:
                self._said += 1
                sid = f"SMe{self._said:031x}"
                self._keep(
                    Message(sid, to, from_phone, service_sid, body, "sent", None, 36000, now, sent_at=now, direction="outbound-reply")
                )

    @property
    def replies(self) -> tuple[Message, ...]:
        """Every text that a webhook's answer had sent so far, oldest first."""
        with self._lock:
            return tuple(message for sid in self._order if (message := self._messages[sid]).direction == "outbound-reply")

    def move(self, sid: str, status: str, error_code: int | None = None) -> Message:
        """Let a message come to a status, unless it is further already."""
        with self._lock:
            message = self._messages[sid]
            if RANKS.get(status, 9) > RANKS.get(message.status, 0):
                message = replace(message, status=status, error_code=error_code, sent_at=message.sent_at or self._clock.now())
                self._messages[sid] = message
            return message

    def queued_for(self, message: Message) -> float | None:
        """Put a message in its sender's queue; return the seconds it waits there, or None if its validity ends first."""
        if self.segments_per_second is None:
            return 0
        with self._lock:
            now = self._clock.monotonic()
            starts = max(now, self._queue_free_at.get(message.from_phone, now))
            if starts - now > message.validity:
                return None
            self._queue_free_at[message.from_phone] = starts + segments_of(message.body) / self.segments_per_second
            return starts - now

    def find(self, sid: str) -> Message | None:
        """Return the message with an id, as a list shows it."""
        with self._lock:
            message = self._messages.get(sid)
            return self._shown(message) if message else None

    def listed(self, query: dict[str, str]) -> tuple[list[Message], str | None]:
        """Return a page of messages, newest first, and the query of the next page, if there is one.

        A page's token is a place in the list, so that messages which come meanwhile move nothing.
        """
        size = min(int(query.get("PageSize", "50")), self._page_size, LARGEST_PAGE)
        with self._lock:
            order = self._order_of[query["To"]] if "To" in query else self._order
            page: list[Message] = []
            last = int(query.get("PageToken", str(len(order))))
            for place, message in self._backwards(order, last, query):
                if len(page) == size:
                    following = {"PageSize": str(size), "Page": str(int(query.get("Page", "0")) + 1), "PageToken": str(place + 1)}
                    return page, urlencode(query | following)
                page.append(self._shown(message))
        return page, None

    def _backwards(self, order: list[str], last: int, query: dict[str, str]) -> Iterator[tuple[int, Message]]:
        visible = self._clock.now() - self.visible_after
        for place in range(last - 1, -1, -1):
            message = self._messages[order[place]]
            if message.created_at <= visible and _is_asked_for(message, query):
                yield place, message

    def _keep(self, message: Message) -> None:
        self._messages[message.sid] = message
        self._order.append(message.sid)
        self._order_of[message.to].append(message.sid)

    def _shown(self, message: Message) -> Message:
        return replace(message, body="") if self.redacted else message


@lru_cache(maxsize=100_000)
def segments_of(body: str) -> int:
    """Count the segments of a body."""
    return segments(body).parts


def _check(form: dict[str, str]) -> None:
    if not form.get("To"):
        raise Refusal(21604)
    if not form.get("From") and not form.get("MessagingServiceSid"):
        raise Refusal(21603)
    if not form.get("Body"):
        raise Refusal(21602)
    if not 1 <= int(form.get("ValidityPeriod", "36000")) <= 36_000:
        raise Refusal(20001)


def _is_asked_for(message: Message, query: dict[str, str]) -> bool:
    """Whether a message passes the list's filters; who asks by day does not find what has not been sent yet."""
    if query.get("From") not in {None, message.from_phone}:
        return False
    on, since, until = (query.get(name, "")[:10] for name in ("DateSent", "DateSent>", "DateSent<"))
    if not (on or since or until):
        return True
    day = message.sent_at.date().isoformat() if message.sent_at else ""
    return bool(day) and (not on or day == on) and (not since or day >= since) and (not until or day <= until)
