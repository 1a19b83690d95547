"""The stories of this folder, and what each told when it was last read through.

`NAME.json` is a story file, `NAME.lines.jsonl` what it prints. To write the lines anew after a change that was meant:
`python -m tests.stories.telling`, and read the difference.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reminders.formats.story_file import read_story
from reminders.simulation.story import play
from tests.stage import empty_ledger

FOLDER = Path(__file__).parent
DEMO = "demo"
NAMES = tuple(sorted(file.stem for file in FOLDER.glob("*.json") if file.stem != DEMO))


def story_of(name: str) -> Any:  # noqa: ANN401 - JSON values
    """The values of a story file."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def told(name: str) -> list[dict[str, Any]]:
    """What a story tells, played in memory."""
    return [dict(line) for line in play(read_story(story_of(name)), engine=empty_ledger())]


def expected(name: str) -> list[dict[str, Any]]:
    """What a story is to tell."""
    return [json.loads(line) for line in (FOLDER / f"{name}.lines.jsonl").read_text("utf-8").splitlines()]


def _write() -> None:
    for name in NAMES:
        lines = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in told(name))
        (FOLDER / f"{name}.lines.jsonl").write_text(lines, "utf-8")


if __name__ == "__main__":
    _write()
