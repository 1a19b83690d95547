"""The one door to the environment: every setting, read once and checked before anything starts.

`bootstrap.py` builds the one `Settings` and hands its pieces down; no service sees it. A name given as NAME_FILE is read from
that file instead, as container secrets are. A variable that is set but empty counts as not set.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from dotenv import dotenv_values

from reminders.errors import SettingsError

E = TypeVar("E", bound=StrEnum)

# Every variable and its default; an empty default means there is none. `.env.example` lists the same names.
VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "DATABASE_URL": "sqlite:///var/doseline.db",
        "DOSELINE_DRUGS": "",
        "DOSELINE_HOST": "127.0.0.1",
        "DOSELINE_HTTP_SECONDS": "10",
        "DOSELINE_LEASE_SECONDS": "30",
        "DOSELINE_LOG_LEVEL": "info",
        "DOSELINE_PORT": "8000",
        "DOSELINE_SECOND_LOOK_SECONDS": "30",
        "DOSELINE_SETTLE_SECONDS": "75",
        "DOSELINE_TRANSPORT": "sandbox",
        "DOSELINE_TRUSTED_PROXIES": "",
        "PUBLIC_URL": "",
        "TWILIO_ACCOUNT_SID": "",
        "TWILIO_API_BASE_URL": "",
        "TWILIO_AUTH_TOKEN": "",
        "TWILIO_AUTH_TOKEN_PREVIOUS": "",
        "TWILIO_FROM": "",
        "TWILIO_MESSAGING_SERVICE_SID": "",
        "TWILIO_REDACTS": "no",
        "TWILIO_SEGMENTS_PER_SECOND": "1",
    }
)

_PLACEHOLDER = re.compile(
    r"change.?me|placeholder|replace.?me|\btodo\b|\byour[ _-](account|auth|domain|host|number|password|sid|token)|x{4,}|^<.*>$|^\.{3}$",
    re.IGNORECASE,
)
_HIGHEST_PORT = 65535
_LONGEST_SECONDS = 3600
_SLOWEST, _FASTEST = 0.1, 1000


class TransportName(StrEnum):
    """How texts leave: kept to be looked at, or sent."""

    SANDBOX = "sandbox"
    TWILIO = "twilio"


class YesNo(StrEnum):
    """Whether something is so."""

    YES = "yes"
    NO = "no"


class LogLevel(StrEnum):
    """How much is written to the log; none of it is ever about a person."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Secret:
    """A value that shows itself only when asked by name, so that no log line or traceback can hold it.

    Not a dataclass: `dataclasses.asdict` would lay it open.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself; call it only where the value is used."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioSettings:
    """What a Twilio account needs to send for us; at least one of `sender` and `messaging_service_sid` is there.

    `auth_token_previous` is accepted on webhooks while a token is rotated. `api_base_url` is a stand-in on loopback, or None.
    `segments_per_second` is what the contract lets through; `redacts`: the account's lists show no words.
    """

    account_sid: str
    auth_token: Secret
    auth_token_previous: Secret | None
    sender: str | None
    messaging_service_sid: str | None
    api_base_url: str | None
    segments_per_second: float = 1.0
    redacts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingPace:
    """The four spans, in seconds, on which "nothing lost, nothing doubled" rests; ties between them are checked here.

    A lease holds half a lease of waiting and one request: lease ≥ 2 × http. A text in doubt is looked for only when its request
    can no longer be alive: settle ≥ http + 60.
    """

    http: int = 10
    lease: int = 30
    settle: int = 75
    second_look: int = 30

    def __post_init__(self) -> None:
        if self.lease < 2 * self.http:
            raise _refusal("DOSELINE_LEASE_SECONDS", f"is {self.lease}", f"make it at least {2 * self.http}, twice DOSELINE_HTTP_SECONDS")
        if self.settle < self.http + 60:
            raise _refusal("DOSELINE_SETTLE_SECONDS", f"is {self.settle}", f"make it at least {self.http + 60}, DOSELINE_HTTP_SECONDS + 60")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that differs between one installation and another. `twilio` is there exactly when the transport is Twilio.

    `drugs`: the directory of the clinic's own drug profiles, if it has any. `trusted_proxies`: addresses and networks of the
    proxies in front, whose word is taken for who asks.
    """

    database_url: Secret
    transport: TransportName
    twilio: TwilioSettings | None
    public_url: str | None
    host: str
    port: int
    pace: SendingPace
    log_level: LogLevel
    drugs: Path | None = None
    trusted_proxies: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Where a browser reaches the pages, without a last slash."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def pages(self) -> str | None:
        """The same, where a phone can follow a link to it: by https."""
        return self.address if self.address.startswith("https:") else None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check every setting. Raises SettingsError with the variable's name and the remedy."""
        given = _Given(environ)
        transport = given.choice("DOSELINE_TRANSPORT", TransportName)
        if transport is TransportName.TWILIO:
            given.require_twilio()
        return cls(
            database_url=Secret(given.database_url()),
            transport=transport,
            twilio=given.twilio() if transport is TransportName.TWILIO else None,
            public_url=given.public_url(),
            host=given.text("DOSELINE_HOST"),
            port=given.whole("DOSELINE_PORT", most=_HIGHEST_PORT),
            pace=given.pace(),
            log_level=given.choice("DOSELINE_LOG_LEVEL", LogLevel),
            drugs=given.directory("DOSELINE_DRUGS"),
            trusted_proxies=given.networks("DOSELINE_TRUSTED_PROXIES"),
        )


def load_settings(environ: Mapping[str, str] | None = None, *, env_file: Path = Path(".env")) -> Settings:
    """Read the settings of this process: its environment (or the one given) first, then `.env` for what that leaves out.

    Raises SettingsError with the variable's name and the remedy.
    """
    return Settings.from_environ(_environment(environ, env_file))


def load_drugs_directory(environ: Mapping[str, str] | None = None, *, env_file: Path = Path(".env")) -> Path | None:
    """Read where a clinic's own drug profiles are, as `load_settings` does, and nothing else: what asks no ledger needs no more.

    Raises SettingsError with the variable's name and the remedy.
    """
    return _Given(_environment(environ, env_file)).directory("DOSELINE_DRUGS")


def _environment(environ: Mapping[str, str] | None, env_file: Path) -> dict[str, str]:
    set_here = {name: value for name, value in (os.environ if environ is None else environ).items() if value}
    written = dotenv_values(env_file, interpolate=False, encoding="utf-8")
    # A name counts in either of its two forms: TWILIO_AUTH_TOKEN_FILE in the environment puts aside TWILIO_AUTH_TOKEN in the file.
    aside = {name.removesuffix("_FILE") for name in set_here}
    return {name: value for name, value in written.items() if value and name.removesuffix("_FILE") not in aside} | set_here


class _Given:
    """The variables as given, each read through its own check."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str) -> str:
        """Return a variable's value, its file's content, or its default; empty when there is none of them."""
        value = self._environ.get(name, "").strip()
        file = self._environ.get(f"{name}_FILE", "").strip()
        if value and file:
            raise SettingsError(f"{name} and {name}_FILE are both set: keep one of them.")
        return _content(name, Path(file)) if file else value or VARIABLES[name]

    def real(self, name: str) -> str:
        """Return a value that somebody wrote, not one copied from an example."""
        value = self.text(name)
        if _PLACEHOLDER.search(value):
            raise SettingsError(f"{name} still holds a placeholder: set it to the real value.")
        return value

    def directory(self, name: str) -> Path | None:
        """Return a directory that is there, None if none is named."""
        value = self.text(name)
        if value and not Path(value).is_dir():
            raise _refusal(name, f"names {value}, which is no directory", "create that directory, correct its name, or leave it out")
        return Path(value) if value else None

    def whole(self, name: str, *, most: int) -> int:
        """Return a whole number from 1 to `most`."""
        value = self.text(name)
        if not re.fullmatch(r"[0-9]{1,9}", value) or not 1 <= int(value) <= most:
            raise _refusal(name, f"is {value!r}", f"set it to a whole number from 1 to {most}")
        return int(value)

    def networks(self, name: str) -> tuple[str, ...]:
        """Return addresses and networks as they were written, by comma. Never everybody: whoever asks could then say who asks."""
        found = tuple(part.strip() for part in self.text(name).split(",") if part.strip())
        for part in found:
            try:
                everybody = ip_network(part).prefixlen == 0
            except ValueError:
                everybody = True
            if everybody:
                raise _refusal(
                    name, f"names {part!r}", "list the proxies' own addresses or networks by comma, such as 127.0.0.1, 172.18.0.0/16"
                )
        return found

    def choice(self, name: str, kind: type[E]) -> E:
        """Return the member of an enum whose value is written."""
        value = self.text(name)
        try:
            return kind(value)
        except ValueError:
            raise _refusal(name, f"is {value!r}", f"set it to one of: {', '.join(kind)}") from None

    def matching(self, name: str, pattern: str, remedy: str) -> str | None:
        """Return the value if it has the right shape, None if there is none."""
        value = self.real(name)
        if value and not re.fullmatch(pattern, value):
            raise _refusal(name, "has the wrong shape", remedy)
        return value or None

    def database_url(self) -> str:
        """Return where the ledger is: SQLite or PostgreSQL, by psycopg 3."""
        value = self.real("DATABASE_URL")
        scheme = value.partition(":")[0]
        if scheme in {"postgres", "postgresql"}:
            return f"postgresql+psycopg:{value.partition(':')[2]}"
        if scheme not in {"sqlite", "postgresql+psycopg"}:
            raise _refusal("DATABASE_URL", f"begins with {scheme!r}", "use sqlite:///path or postgresql+psycopg://user:password@host/name")
        return value

    def public_url(self) -> str | None:
        """Return the address that Twilio signs, without its last slash: https, or http on loopback."""
        value = self.real("PUBLIC_URL")
        if not value:
            return None
        remedy = "set it to the https address patients' carrier reaches, such as https://doseline.clinic.org, without query or password"
        url = _split("PUBLIC_URL", value, remedy)
        if url.scheme == "http" and not _is_loopback(url):
            raise _refusal("PUBLIC_URL", "is plain http on a public host", remedy)
        if url.query or url.fragment or url.username or url.password:
            raise _refusal("PUBLIC_URL", "carries a query, a fragment or a password", remedy)
        return value.rstrip("/")

    def stand_in(self) -> str | None:
        """Return the address of a stand-in for Twilio, which only loopback may hold: nothing else may receive patients' texts."""
        value = self.text("TWILIO_API_BASE_URL")
        if not value:
            return None
        remedy = "leave it out, or set it to a stand-in on loopback such as http://127.0.0.1:9000"
        if not _is_loopback(_split("TWILIO_API_BASE_URL", value, remedy)):
            raise _refusal("TWILIO_API_BASE_URL", "is not on loopback", remedy)
        return value.rstrip("/")

    def require_twilio(self) -> None:
        """Name in one sentence everything that sending through Twilio still lacks."""
        missing = [name for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL") if not self.text(name)]
        if not self.text("TWILIO_FROM") and not self.text("TWILIO_MESSAGING_SERVICE_SID"):
            missing.append("TWILIO_FROM (or TWILIO_MESSAGING_SERVICE_SID)")
        if missing:
            raise SettingsError(
                f"DOSELINE_TRANSPORT is twilio, but {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set: "
                "set them in the environment or in .env (see .env.example), or set DOSELINE_TRANSPORT=sandbox."
            )

    def twilio(self) -> TwilioSettings:
        """Return the account's settings; `require_twilio` has found nothing missing."""
        account = self.matching("TWILIO_ACCOUNT_SID", "AC[0-9A-Za-z]+", "copy the Account SID, which begins with AC, from Twilio's console")
        previous = self.real("TWILIO_AUTH_TOKEN_PREVIOUS")
        return TwilioSettings(
            account_sid=account or "",
            auth_token=Secret(self.real("TWILIO_AUTH_TOKEN")),
            auth_token_previous=Secret(previous) if previous else None,
            sender=self.matching("TWILIO_FROM", r"\+[1-9][0-9]{6,14}|[0-9]{3,8}", "write a number as +12025550100, or a short code"),
            messaging_service_sid=self.matching("TWILIO_MESSAGING_SERVICE_SID", "MG[0-9A-Za-z]+", "copy the SID that begins with MG"),
            api_base_url=self.stand_in(),
            segments_per_second=self.pace_of_contract(),
            redacts=self.choice("TWILIO_REDACTS", YesNo) is YesNo.YES,
        )

    def pace_of_contract(self) -> float:
        """Return the segments a second that the sender's contract lets through: 0.1 to 1000."""
        value = self.text("TWILIO_SEGMENTS_PER_SECOND")
        if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,2})?", value) or not _SLOWEST <= float(value) <= _FASTEST:
            raise _refusal("TWILIO_SEGMENTS_PER_SECOND", f"is {value!r}", f"set it to a number from {_SLOWEST} to {_FASTEST}, such as 3.75")
        return float(value)

    def pace(self) -> SendingPace:
        """Return the spans of sending, their ties checked."""
        return SendingPace(
            http=self.whole("DOSELINE_HTTP_SECONDS", most=_LONGEST_SECONDS),
            lease=self.whole("DOSELINE_LEASE_SECONDS", most=_LONGEST_SECONDS),
            settle=self.whole("DOSELINE_SETTLE_SECONDS", most=_LONGEST_SECONDS),
            second_look=self.whole("DOSELINE_SECOND_LOOK_SECONDS", most=_LONGEST_SECONDS),
        )


def _refusal(name: str, fault: str, remedy: str) -> SettingsError:
    return SettingsError(f"{name} {fault}: {remedy}.")


def _content(name: str, file: Path) -> str:
    try:
        content = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _refusal(f"{name}_FILE", f"names {file}, which cannot be read", "create that file, or correct its name") from error
    if not content:
        raise _refusal(f"{name}_FILE", f"names {file}, which is empty", f"write the value of {name} into it")
    return content


def _split(name: str, value: str, remedy: str) -> SplitResult:
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        raise _refusal(name, "is not an address", remedy) from None
    if url.scheme not in {"http", "https"} or not url.hostname or port == 0:
        raise _refusal(name, "is not an http or https address", remedy)
    return url


def _is_loopback(url: SplitResult) -> bool:
    host = url.hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
