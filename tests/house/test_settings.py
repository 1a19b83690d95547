"""What is missing, half given or copied from an example stops the start, by name and with its remedy."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from reminders.errors import SettingsError
from reminders.settings import Secret, SendingPace, Settings, TransportName, load_settings

TWILIO = {
    "DOSELINE_TRANSPORT": "twilio",
    "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
    "TWILIO_AUTH_TOKEN": "0123456789abcdef0123456789abcdef",
    "TWILIO_FROM": "+12025550100",
    "PUBLIC_URL": "https://doseline.clinic.test/",
}


def refusal(environ: dict[str, str]) -> str:
    """Return the sentence with which these settings are refused."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ(environ)
    return str(caught.value)


def test_nothing_set_is_a_sandbox_on_this_machine() -> None:
    """A first start needs no setting: SQLite, the sandbox, and loopback only."""
    settings = Settings.from_environ({})

    assert (settings.database_url.reveal(), settings.transport, settings.twilio, settings.host, settings.port) == (
        "sqlite:///var/doseline.db",
        TransportName.SANDBOX,
        None,
        "127.0.0.1",
        8000,
    )


def test_twilio_with_all_it_needs_is_taken() -> None:
    """Account, token, sender and public address are enough."""
    settings = Settings.from_environ(TWILIO)

    assert settings.twilio is not None
    assert (settings.twilio.sender, settings.twilio.auth_token.reveal(), settings.public_url) == (
        "+12025550100",
        "0123456789abcdef0123456789abcdef",
        "https://doseline.clinic.test",
    )


@pytest.mark.parametrize("name", ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM", "PUBLIC_URL"])
def test_a_missing_twilio_setting_is_named(name: str) -> None:
    """Each thing that Twilio needs is named when it is missing, with the way back to the sandbox."""
    message = refusal({given: value for given, value in TWILIO.items() if given != name})

    assert name in message
    assert "DOSELINE_TRANSPORT=sandbox" in message


def test_all_that_is_missing_is_named_at_once() -> None:
    """Nobody has to start four times to learn four names."""
    message = refusal({"DOSELINE_TRANSPORT": "twilio"})

    assert [name for name in TWILIO if name not in message] == []


def test_a_messaging_service_stands_for_a_number() -> None:
    """With a Messaging Service no number is needed."""
    given = {name: value for name, value in TWILIO.items() if name != "TWILIO_FROM"}

    settings = Settings.from_environ(given | {"TWILIO_MESSAGING_SERVICE_SID": "MG00000000000000000000000000000000"})

    assert settings.twilio is not None
    assert settings.twilio.messaging_service_sid == "MG00000000000000000000000000000000"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://localhost/doseline"),
        ("DOSELINE_TRANSPORT", "carrier-pigeon"),
        ("DOSELINE_PORT", "http"),
        ("DOSELINE_PORT", "0"),
        ("DOSELINE_PORT", "65536"),
        ("DOSELINE_PORT", "²"),
        ("DOSELINE_LOG_LEVEL", "loud"),
        ("DOSELINE_HTTP_SECONDS", "-1"),
        ("DOSELINE_LEASE_SECONDS", "19"),
        ("DOSELINE_SETTLE_SECONDS", "69"),
        ("DOSELINE_SECOND_LOOK_SECONDS", "soon"),
        ("PUBLIC_URL", "doseline.clinic.test"),
        ("PUBLIC_URL", "http://doseline.clinic.test"),
        ("PUBLIC_URL", "ftp://doseline.clinic.test"),
        ("PUBLIC_URL", "https://user:word@doseline.clinic.test"),
        ("PUBLIC_URL", "https://doseline.clinic.test/?next=1"),
        ("PUBLIC_URL", "https://doseline.clinic.test:99999"),
        ("PUBLIC_URL", "https://[::1"),
        ("TWILIO_ACCOUNT_SID", "SK00000000000000000000000000000000"),
        ("TWILIO_FROM", "2025550100"),
        ("TWILIO_FROM", "Clinic"),
        ("TWILIO_MESSAGING_SERVICE_SID", "PN00000000000000000000000000000000"),
        ("TWILIO_REDACTS", "perhaps"),
        ("TWILIO_SEGMENTS_PER_SECOND", "0"),
        ("TWILIO_SEGMENTS_PER_SECOND", "0.01"),
        ("TWILIO_SEGMENTS_PER_SECOND", "-1"),
        ("TWILIO_SEGMENTS_PER_SECOND", "1001"),
        ("TWILIO_SEGMENTS_PER_SECOND", "nan"),
        ("TWILIO_SEGMENTS_PER_SECOND", "1e2"),
        ("TWILIO_API_BASE_URL", "https://twilio.attacker.test"),
        ("TWILIO_API_BASE_URL", "http://127.0.0.1.attacker.test"),
        ("TWILIO_API_BASE_URL", "http://127.0.0.1@attacker.test"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_remedy(name: str, value: str) -> None:
    """The sentence names the variable, and says after a colon what to do."""
    variable, _, remedy = refusal(TWILIO | {name: value}).partition(": ")

    assert variable.split()[0] == name
    assert remedy


@pytest.mark.parametrize(("given", "pace"), [("1", 1.0), ("3.75", 3.75), ("0.1", 0.1), ("1000", 1000.0), ("", 1.0)])
def test_the_contracts_pace(given: str, pace: float) -> None:
    """A contract's pace is a plain number of segments a second; without one, that of a long code."""
    settings = Settings.from_environ(TWILIO | {"TWILIO_SEGMENTS_PER_SECOND": given, "TWILIO_REDACTS": "yes"})

    assert settings.twilio is not None
    assert (settings.twilio.segments_per_second, settings.twilio.redacts) == (pace, True)


@pytest.mark.parametrize("value", ["changeme", "change-me", "your-auth-token", "<token>", "xxxxxxxx", "...", "PLACEHOLDER"])
def test_a_placeholder_is_not_a_secret(value: str) -> None:
    """A value copied from an example stops the start and is not printed."""
    assert refusal(TWILIO | {"TWILIO_AUTH_TOKEN": value}) == "TWILIO_AUTH_TOKEN still holds a placeholder: set it to the real value."


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "http://localhost:9000/", "http://[::1]:9000"])
def test_loopback_may_be_plain_http(url: str) -> None:
    """A stand-in and a public address on this machine need no certificate."""
    settings = Settings.from_environ(TWILIO | {"PUBLIC_URL": url, "TWILIO_API_BASE_URL": url})

    assert settings.twilio is not None
    assert (settings.public_url, settings.twilio.api_base_url) == (url.rstrip("/"), url.rstrip("/"))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_by_psycopg(scheme: str) -> None:
    """Whatever name a host gives the scheme, the driver is psycopg 3."""
    settings = Settings.from_environ({"DATABASE_URL": f"{scheme}://doseline@localhost/doseline"})

    assert settings.database_url.reveal() == "postgresql+psycopg://doseline@localhost/doseline"


def test_a_secret_does_not_show_itself() -> None:
    """No representation of the settings holds the token, the old token or the database's password."""
    previous = "fedcba9876543210fedcba9876543210"
    settings = Settings.from_environ(
        TWILIO | {"TWILIO_AUTH_TOKEN_PREVIOUS": previous, "DATABASE_URL": "postgresql://doseline:opensesame@localhost/doseline"}
    )

    shown = f"{settings} {settings!r} {asdict(settings)} {settings.database_url}"

    assert [secret for secret in (TWILIO["TWILIO_AUTH_TOKEN"], previous, "opensesame") if secret in shown] == []


def test_a_file_may_hold_the_value(tmp_path: Path) -> None:
    """NAME_FILE is read instead of NAME, without its last line end, as container secrets are given."""
    file = tmp_path / "token"
    file.write_text("0123456789abcdef0123456789abcdef\n", encoding="utf-8")

    settings = Settings.from_environ(TWILIO | {"TWILIO_AUTH_TOKEN": "", "TWILIO_AUTH_TOKEN_FILE": str(file)})

    assert settings.twilio is not None
    assert settings.twilio.auth_token == Secret("0123456789abcdef0123456789abcdef")


@pytest.mark.parametrize("content", [None, ""], ids=["missing", "empty"])
def test_a_file_that_holds_nothing_stops_the_start(content: str | None, tmp_path: Path) -> None:
    """A secret that was not mounted is said loudly, not read as empty."""
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    assert refusal(TWILIO | {"TWILIO_AUTH_TOKEN": "", "TWILIO_AUTH_TOKEN_FILE": str(file)}).startswith("TWILIO_AUTH_TOKEN_FILE names ")


def test_a_value_and_its_file_are_one_too_many(tmp_path: Path) -> None:
    """Two sources for one setting are not chosen between."""
    assert refusal({"DATABASE_URL": "sqlite://", "DATABASE_URL_FILE": str(tmp_path / "url")}) == (
        "DATABASE_URL and DATABASE_URL_FILE are both set: keep one of them."
    )


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """What `.env` says counts only where the environment says nothing."""
    file = tmp_path / ".env"
    file.write_text("DOSELINE_PORT=8001\nDOSELINE_HOST=192.0.2.1\nDOSELINE_LOG_LEVEL=debug\n", encoding="utf-8")

    settings = load_settings({"DOSELINE_PORT": "8002", "DOSELINE_LOG_LEVEL": ""}, env_file=file)

    assert (settings.port, settings.host, settings.log_level) == (8002, "192.0.2.1", "debug")


def test_a_secret_file_in_the_environment_wins_over_a_value_in_the_file(tmp_path: Path) -> None:
    """Either form of a name in the environment puts aside both forms in `.env`."""
    secret = tmp_path / "url"
    secret.write_text("sqlite:///secret.db", encoding="utf-8")
    file = tmp_path / ".env"
    file.write_text("DATABASE_URL=sqlite:///written.db\n", encoding="utf-8")

    assert load_settings({"DATABASE_URL_FILE": str(secret)}, env_file=file).database_url == Secret("sqlite:///secret.db")


def test_a_dollar_in_the_file_is_a_dollar(tmp_path: Path) -> None:
    """A password in `.env` is taken as written, not as a shell would read it."""
    file = tmp_path / ".env"
    file.write_text("DATABASE_URL=postgresql://doseline:pa${HOME}ss@localhost/doseline\n", encoding="utf-8")

    assert "pa${HOME}ss" in load_settings({}, env_file=file).database_url.reveal()


def test_the_defaults_settle_a_killed_text_within_three_minutes() -> None:
    """Lease, settle time, second look and two wake-ups of 15 s make 165 s."""
    pace = SendingPace()

    assert pace.lease + pace.settle + pace.second_look + 2 * 15 == 165


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ()),
        ("127.0.0.1", ("127.0.0.1",)),
        (" 127.0.0.1 ,172.18.0.0/16, ", ("127.0.0.1", "172.18.0.0/16")),
        ("::1,fd00::/8", ("::1", "fd00::/8")),
    ],
)
def test_proxies(written: str, read: tuple[str, ...]) -> None:
    """Addresses and networks, by comma."""
    assert Settings.from_environ({"DOSELINE_TRUSTED_PROXIES": written}).trusted_proxies == read


@pytest.mark.parametrize("written", ["*", "0.0.0.0/0", "::/0", "proxy", "127.0.0.1 10.0.0.1", "10.0.0.1/8", "10.0.0.1:80", "127.0.0.1,*"])
def test_no_proxy_is_everybody(written: str) -> None:
    """Nor a name, nor a slip of the pen, that would quietly trust nobody or somebody else."""
    assert "DOSELINE_TRUSTED_PROXIES" in refusal({"DOSELINE_TRUSTED_PROXIES": written})
