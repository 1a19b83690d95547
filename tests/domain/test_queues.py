"""In which list an alert waits."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from reminders.domain.check_in import SignalKind
from reminders.domain.queues import KINDS, Queue, queue_of
from reminders.services.escalating import CAREGIVER
from reminders.services.escalating import KINDS as CONCERNS
from reminders.services.records.supplies import ALERTS

ROOT = Path(__file__).parents[2]


def kinds_in_the_code() -> set[str]:
    """Every kind of alert that is written out where a notice is made, or told by text."""
    calls = [
        node
        for file in (ROOT / "reminders").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Notice", "_tell"}
    ]
    words = [argument.value for call in calls for argument in call.args[:2] if isinstance(argument, ast.Constant)]
    return {word for word in words if isinstance(word, str)} - {"info", "warning", "urgent", "emergency"}


def kinds_in_stories() -> set[str]:
    """Every kind of alert that a story of ours tells of."""
    lines = [
        json.loads(line) for file in (ROOT / "tests" / "stories").glob("*.jsonl") for line in file.read_text(encoding="utf-8").splitlines()
    ]
    return {line["alert"] for line in lines if line.get("kind") == "alert"}


def test_every_kind_has_its_queue() -> None:
    """No kind is in the last queue because nobody thought of it; and none is in two."""
    known = {*kinds_in_the_code(), *kinds_in_stories(), *(kind.alert for kind in CONCERNS.values()), CAREGIVER}
    known |= {*map(str, SignalKind), *ALERTS.values()} - {"alcohol none"}
    told = [kind for kinds in KINDS.values() for kind in kinds]

    assert sorted(kind for kind in known if kind not in told and " " not in kind) == []
    assert len(told) == len(set(told))


@pytest.mark.parametrize(
    ("kind", "awaits_yes", "queue"),
    [
        ("red_flag", False, Queue.SIGNS),
        ("plan_stays", False, Queue.STAYS),
        ("plan_stays", True, Queue.STEPS),
        ("some_missed", True, Queue.STEPS),
        ("some_missed", False, Queue.MISSES),
        ("what nobody thought of", False, Queue.OTHER),
    ],
)
def test_where_an_alert_waits(kind: str, awaits_yes: bool, queue: Queue) -> None:  # noqa: FBT001 - what is asked
    """By its kind, but for a step that waits for a yes; what nobody thought of is not lost."""
    assert queue_of(kind, awaits_yes=awaits_yes) is queue
