"""What is installed is pinned by version and by hash, and the pins hold no download address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.txt", "requirements-dev.txt"]
SOURCES = ["requirements.in", "requirements-build.in", "requirements-dev.in"]
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]*)(\[[a-z,-]+\])?==[^ ]+( ; .+)? \\")
HASH = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?")
COMMENT = re.compile(r" *#.*|")


def lines_of(name: str) -> list[str]:
    """Return the lines of a file at the top of the repository."""
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


def names_in(source: str) -> set[str]:
    """Return the packages a source file asks for, by the names the pins use."""
    asked = [re.match(r"[A-Za-z0-9._-]+", line) for line in lines_of(source) if line[:1] not in {"", "#", "-"}]
    return {match.group().lower().replace("_", "-") for match in asked if match}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_pin_file_holds_pins_hashes_and_comments(lock: str) -> None:
    """No line is an option, a path or anything else that could say where to download from."""
    assert [line for line in lines_of(lock) if not any(kind.fullmatch(line) for kind in (PIN, HASH, COMMENT))] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    """What arrives is compared with what was pinned."""
    lines = lines_of(lock)

    assert [line for line, after in zip(lines, [*lines[1:], ""], strict=True) if PIN.fullmatch(line) and not HASH.fullmatch(after)] == []


@pytest.mark.parametrize("name", [*LOCKS, *SOURCES])
def test_no_address_is_written(name: str) -> None:
    """No registry, mirror or folder of the machine that pinned is named, not even in a comment."""
    assert [line for line in lines_of(name) if re.search(r"://|index-url|find-links|(^|\s)/\w", line)] == []


@pytest.mark.parametrize(("source", "lock"), [(s, LOCKS[1]) for s in SOURCES] + [(s, LOCKS[0]) for s in SOURCES[:2]])
def test_what_is_asked_for_is_pinned(source: str, lock: str) -> None:
    """Every direct dependency has its pin; `make lock` was run."""
    pinned = {match.group("name") for match in map(PIN.fullmatch, lines_of(lock)) if match}

    assert names_in(source) - pinned == set()


def test_run_time_and_development_agree() -> None:
    """What is tested is what runs: every run-time pin stands unchanged among the development pins."""
    run_time, development = ({line for line in lines_of(lock) if PIN.fullmatch(line)} for lock in LOCKS)

    assert run_time - development == set()
