from __future__ import annotations

import json
from collections.abc import Iterator
from socket import socket

import pytest
from typer.testing import CliRunner, Result

import reminders.commands.doctor_command
from reminders.cli import app
from reminders.services.probing import Waits
from tests.fake_twilio.server import ACCOUNT, OUR_NUMBER, TOKEN, FakeTwilio
from tests.replicas.serving import Orders, address, asked, start, stop, url_of
from tests.scheduling.wall import until

MINE = "+12025550107"


def run(*words: str) -> Result:
    """Run `doseline doctor` with these words."""
    return CliRunner().invoke(app, ["doctor", *words])


def verdicts(result: Result) -> dict[str, str]:
    """What was found, by name."""
    return {found["name"]: found["verdict"] for found in json.loads(result.stdout)["checks"]}


@pytest.fixture
def at_home(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process with the settings of a sandbox on a migrated file."""
    monkeypatch.setenv("DATABASE_URL", sqlite_url)


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    """A stand-in for Twilio, which calls back."""
    with FakeTwilio() as fake:
        fake.call_back()
        yield fake


@pytest.fixture
def public(sqlite_url: str, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket]:
    """An address, and settings under which a service there sends by the stand-in; what is waited for is brief."""
    with address() as listening:
        settings = {
            "DATABASE_URL": sqlite_url,
            "DOSELINE_TRANSPORT": "twilio",
            "PUBLIC_URL": url_of(listening),
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_API_BASE_URL": twilio.url,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": OUR_NUMBER,
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(reminders.commands.doctor_command, "WAITS", Waits(listed=5, called=5, quiet=0.5, every=0.1))
        yield listening


@pytest.mark.usefixtures("at_home")
def test_an_installation_that_is_not_running() -> None:
    """Each thing is said in a line, the fault with what to do, and the exit code asks for somebody."""
    result = run()
    lines = [line.rstrip() for line in result.stdout.splitlines()]

    assert (result.exit_code, [line.split()[0] for line in lines if line[0] != " "].count("fail")) == (1, 1)
    assert [line.split(maxsplit=2) for line in lines if "no pass yet" in line] == [["fail", "loop", "no pass yet"]]
    assert "→ start the service, or start it again; its log says what fails" in result.stdout


@pytest.mark.usefixtures("at_home")
def test_the_same_for_programs() -> None:
    """As JSON: whether all is well, and each thing with its verdict."""
    result = run("--json")

    assert (result.exit_code, json.loads(result.stdout)["ok"], verdicts(result)["loop"]) == (1, False, "fail")


def test_settings_that_are_missing_are_the_first_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings there is nothing else to look at."""
    monkeypatch.setenv("DOSELINE_TRANSPORT", "twilio")
    result = run("--json")

    assert (result.exit_code, verdicts(result)) == (1, {"settings": "fail"})


def test_a_database_that_is_away_ends_the_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be looked at is not said to be well."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    result = run("--json")

    assert (result.exit_code, verdicts(result)) == (1, {"settings": "ok", "sending": "warn", "database": "fail"})


@pytest.mark.parametrize("words", [["--live"], ["--to", MINE], ["--live", "--to", "2025550107"]])
def test_live_needs_a_phone(words: list[str]) -> None:
    """Nothing is sent to what is no number."""
    assert run(*words).exit_code == 2


@pytest.mark.usefixtures("at_home")
def test_the_sandbox_has_nothing_to_measure() -> None:
    """Nothing is sent from a sandbox."""
    result = run("--live", "--to", MINE)

    assert (result.exit_code, "DOSELINE_TRANSPORT=twilio" in result.stderr) == (1, True)


def test_a_live_account_is_measured(sqlite_url: str, twilio: FakeTwilio, public: socket) -> None:
    """With the service running, one text goes out, its list and its words are looked at, and the refused calls are counted."""
    service = start(Orders(sqlite_url, twilio.url, url_of(public)), public)
    until(lambda: asked(public, "/readyz")[0] == 200, within=30)
    result = run("--live", "--to", MINE, "--json")
    stop(service)
    found = verdicts(result)
    [message] = twilio.messages

    assert (found["list lag"], found["list words"], found["callbacks"], message.to) == ("ok", "ok", "ok", MINE)
    assert (result.exit_code, MINE[1:] in result.stdout + result.stderr, "Waiting for the list" in result.stderr) == (0, False, True)


@pytest.mark.usefixtures("public")
def test_without_the_service_no_call_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    """That nobody took the calls is a fault of the way, and said so; what the list shows is measured all the same."""
    monkeypatch.setenv("PUBLIC_URL", "http://127.0.0.1:1")
    result = run("--live", "--to", MINE, "--json")

    assert (result.exit_code, verdicts(result)["list lag"], verdicts(result)["callbacks"]) == (1, "ok", "fail")


@pytest.mark.usefixtures("public")
def test_an_account_that_refuses(twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong token is found out by trying."""
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "f" * 32)
    result = run("--live", "--to", MINE, "--json")

    assert (result.exit_code, verdicts(result)["test text"], twilio.messages) == (1, "fail", ())
