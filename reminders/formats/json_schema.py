"""The JSON Schemas of the public files, written from their shapes: `python -m reminders.formats.json_schema`.

They say what a file may look like. That a drug is known, a date exists and refs differ, only reading it can say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel

from reminders.formats.import_file import ImportFile
from reminders.formats.plan_file import PlanFile
from reminders.formats.story_file import StoryFile
from reminders.formats.story_lines import StoryLine

FOLDER = Path(__file__).parent / "schemas"
VERSION = 1

SHAPES: Mapping[str, type[BaseModel]] = MappingProxyType(
    {"plan": PlanFile, "import": ImportFile, "story": StoryFile, "story-line": StoryLine}
)


def schema_of(name: str) -> dict[str, object]:
    """Make the JSON Schema (2020-12) of one kind of file. Its `$id` is a name, not an address to fetch."""
    written = SHAPES[name].model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"doseline:{name}:{VERSION}"}
    return head | {key: _untitled(value) for key, value in written.items()}


def _untitled(value: object) -> object:
    """Leave out pydantic's titles: they repeat the keys."""
    if isinstance(value, dict):
        return {key: _untitled(inner) for key, inner in value.items() if not (key == "title" and isinstance(inner, str))}
    return [_untitled(inner) for inner in value] if isinstance(value, list) else value


def text_of(name: str) -> str:
    """Write a schema as it is kept in the package."""
    return json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path = FOLDER) -> None:
    """Write every schema into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SHAPES:
        (folder / f"{name}.schema.json").write_text(text_of(name), "utf-8")


if __name__ == "__main__":
    write_schemas()
