"""Every example of `docs/files.md`, run."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reminders.cli import app
from reminders.domain.profile import DrugProfile, Template, TemplatePhase
from reminders.drugs.shelf import shelved
from reminders.formats.import_file import read_import
from reminders.formats.plan_file import read_plan
from reminders.formats.story_file import read_story
from reminders.formats.story_lines import read_line
from tests.files import Json, changed, saved

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\S+) (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES: dict[str, Json] = {name: json.loads(text) for language, name, text in BLOCKS if language == "json" and name != "story-lines"}
COMMANDS = [(name, *text.split("\n", 1)) for language, name, text in BLOCKS if language == "console"]


def the_file(name: str) -> Json:
    """The file that an example is about, spoilt as its name says."""
    example = json.loads(json.dumps(EXAMPLES[name.split("-", 1)[0]]))
    match name:
        case "import-with-a-bad-phone":
            return changed(example, "patients[0].phone", "555-0101")
        case "plan-with-an-odd-dose":
            return changed(example, "phases[1].doses[2].amount", "7")
        case _:
            return example


@pytest.mark.parametrize(("name", "read"), [("plan", read_plan), ("import", read_import), ("story", read_story)])
def test_the_example_of_a_file_can_be_read(name: str, read: Callable[[object], object]) -> None:
    """The page's example of each file has no fault."""
    assert read(EXAMPLES[name])


def test_the_example_of_a_storys_lines_can_be_read() -> None:
    """Each of the page's lines has the shape of its kind."""
    (lines,) = (text.splitlines() for language, name, text in BLOCKS if (language, name) == ("json", "story-lines"))

    assert {read_line(json.loads(line)).kind for line in lines} == {"plan", "dose", "text_out", "alert", "summary"}


@pytest.mark.parametrize(("name", "command", "printed"), COMMANDS)
def test_the_example_of_a_command_prints_what_it_says(name: str, command: str, printed: str, tmp_path: Path, sqlite_url: str) -> None:
    """Each of the page's commands, run on the page's file, prints exactly what the page says."""
    file = saved(tmp_path, the_file(name))
    arguments = [str(file) if word == "FILE" else word for word in shlex.split(command)[2:]]

    result = CliRunner().invoke(app, arguments, env={"DATABASE_URL": sqlite_url})

    assert json.loads(result.stdout) == json.loads(printed)


def test_the_example_of_a_drug_profile_stands_on_the_shelf(tmp_path: Path) -> None:
    """Put into a clinic's directory as it is, the page's profile is read beside the shipped ones."""
    (tmp_path / "ourdrug.toml").write_text(next(text for _, name, text in BLOCKS if name == "profile"), encoding="utf-8")

    assert [profile.key for profile in shelved(tmp_path) if profile.approval] == ["ourdrug-tablet"]


def test_the_page_names_every_field_of_a_drug_profile() -> None:
    """No field that a profile may have is left out of the page."""
    names = {field.name for shape in (DrugProfile, Template, TemplatePhase) for field in fields(shape)} - {"approval"}

    assert {name for name in names if f"`{name}`" not in PAGE} == set()


def test_the_page_names_every_key_of_every_shape() -> None:
    """No key of a public file is left out of the page."""
    schemas = Path(__file__).parents[2] / "reminders" / "formats" / "schemas"
    keys = {key for file in schemas.iterdir() for key in keys_of(json.loads(file.read_text("utf-8")))}

    assert {key for key in keys if not re.search(rf"[`\".]{re.escape(key)}[`\":]", PAGE)} == set()


def keys_of(schema: Json) -> set[str]:
    """Every key that a schema allows anywhere."""
    if isinstance(schema, dict):
        here = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
        return here.union(*(keys_of(value) for value in schema.values()))
    return set().union(*map(keys_of, schema)) if isinstance(schema, list) else set()
