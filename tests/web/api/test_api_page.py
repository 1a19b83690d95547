"""The examples of docs/api.md, each sent as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from sqlalchemy import Engine

from tests.web.api.asking import Program, ids

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
ROWS = {"PATIENT": "patient", "PLAN": "plan", "DOSE": "dose", "ALERT": "alert"}


def examples() -> list[str]:
    """Every command of the page."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_every_example_does_what_it_says(clinics: Engine, program: Program) -> None:
    """With a key, to a clinic that has such rows: each is answered, in the order of the page."""
    known = {name: ids(clinics, table)[0] for name, table in ROWS.items()} | {"KEY": str(program.key), "DOSELINE": ""}
    found = {}
    for line in examples():
        words = shlex.split(re.sub(r"\$([A-Z]+)", lambda name: known[name[1]], line))
        headers = dict(words[at + 1].split(": ") for at, word in enumerate(words) if word == "-H")
        sent = next((words[at + 1] for at, word in enumerate(words) if word == "--json"), None)
        assert (words[0], headers.pop("Authorization")) == ("curl", f"Bearer {program.key}")
        given = {name.replace("-", "_"): value for name, value in headers.items()}
        answer = program.ask("GET" if sent is None else "POST", words[-1].removeprefix("/api/v1"), sent and sent.encode(), **given)
        found[line] = answer.status_code

    assert {line: status for line, status in found.items() if status not in {200, 201}} == {}
    assert len(found) > 20
