from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from jsonschema import Draft202012Validator

from reminders.errors import BadFile
from reminders.formats.json_schema import FOLDER, SHAPES, schema_of, text_of, write_schemas
from reminders.formats.story_lines import Purpose, read_line
from reminders.messaging import texts
from tests.files import File, a_plan_file, a_story_file, an_import_file, changed, without

FILES = {"plan": a_plan_file, "import": an_import_file, "story": a_story_file}


@pytest.mark.parametrize("name", SHAPES)
def test_the_schema_in_the_package_is_the_shapes_own(name: str) -> None:
    """A schema in the package says what its shape says: `python -m reminders.formats.json_schema` writes it anew."""
    assert (FOLDER / f"{name}.schema.json").read_text("utf-8") == text_of(name)


def test_the_package_holds_no_schema_without_a_shape() -> None:
    """Every schema in the package is one of a public file."""
    assert sorted(file.name for file in FOLDER.iterdir()) == sorted(f"{name}.schema.json" for name in SHAPES)


def test_writing_the_schemas_writes_those_of_the_package(tmp_path: Path) -> None:
    """The command that writes the schemas writes them all."""
    write_schemas(tmp_path / "schemas")

    assert {file.name: file.read_text("utf-8") for file in (tmp_path / "schemas").iterdir()} == {
        f"{name}.schema.json": text_of(name) for name in SHAPES
    }


@pytest.mark.parametrize("name", SHAPES)
def test_a_schema_is_a_schema_with_a_version(name: str) -> None:
    """Each schema is valid by the draft that it names, and its `$id` carries its version."""
    schema = schema_of(name)

    Draft202012Validator.check_schema(schema)

    assert schema["$id"] == f"doseline:{name}:1"


@pytest.mark.parametrize("name", FILES)
def test_a_good_file_fits_its_schema(name: str) -> None:
    """What we read, the schema allows."""
    data = json.loads(json.dumps({"$schema": f"doseline:{name}:1", **FILES[name]()}))

    assert list(Draft202012Validator(schema_of(name)).iter_errors(data)) == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plan", without(a_plan_file(), "advance")),
        ("plan", changed(a_plan_file(), "phases[0].doses[0].amount", 5)),
        ("plan", changed(a_plan_file(), "phases[0].doses[0].amount", "1e1")),
        ("plan", changed(a_plan_file(), "note", "x")),
        ("plan", changed(a_plan_file(), "missed_dose_rule", {"max_late": "5 d", "fraction": "0.5"})),
        ("import", changed(an_import_file(), "patients[0].consent.number_verified", value=False)),
        ("import", changed(an_import_file(), "patients[0].phone", "(202) 555-0101")),
        ("story", changed(a_story_file(), "events[0]", {"at": "2026-03-03T13:00:00Z"})),
        ("story", changed(a_story_file(), "events[0].at", "2026-03-03T13:00:00")),
    ],
)
def test_a_bad_file_does_not_fit_its_schema(name: str, data: object) -> None:
    """What the shape refuses by its form, the schema refuses too."""
    assert not Draft202012Validator(schema_of(name)).is_valid(data)


def test_the_purposes_of_a_story_line_are_those_of_the_texts() -> None:
    """A story prints every purpose that a text can have, and no other."""
    assert set(get_args(Purpose)) == {purpose.value for purpose in texts.Purpose}


LINES: list[File] = [
    {
        "at": "2026-03-02T13:00:00Z",
        "kind": "text_out",
        "to": "+12025550101",
        "purpose": "reminder",
        "body": "Harbor Clinic: …",
        "doses": [{"plan": "ana-baclofen", "local_date": "2026-03-02", "slot_no": 1}],
    },
    {
        "at": "2026-03-02T13:05:00Z",
        "kind": "dose",
        "plan": "ana-baclofen",
        "local_date": "2026-03-02",
        "slot_no": 1,
        "amount": "5",
        "state": "taken",
        "taken_at": "2026-03-02T13:05:00Z",
        "reason": None,
    },
    {"at": "2026-03-02T13:05:00Z", "kind": "alert", "plan": None, "alert": "red_flag", "severity": "emergency", "to": "provider"},
    {"at": "2026-03-02T13:05:00Z", "kind": "plan", "plan": "ana-baclofen", "state": "staying", "phase": 1, "reason": None},
    {
        "kind": "summary",
        "plans": {
            "ana-baclofen": {
                **dict.fromkeys(("due", "taken", "skipped", "missed", "unconfirmed", "not_reminded", "not_due"), 9),
                "adherence": {"lower": 88.89, "upper": 88.89, "responded": None},
            }
        },
        "alerts_per_100_patient_days": 0,
    },
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["kind"])
def test_each_kind_of_story_line_is_read(line: File) -> None:
    """A line of each kind fits its shape and its schema."""
    assert read_line(line).kind == line["kind"]
    assert Draft202012Validator(schema_of("story-line")).is_valid(line)


def test_a_story_line_of_no_kind_is_refused() -> None:
    """A line must say what it is."""
    with pytest.raises(BadFile, match="must be an object whose kind is one of"):
        read_line({"kind": "text_in"})


def test_a_story_line_with_a_bad_state_is_named_by_its_path() -> None:
    """A state that no dose can have is refused at its path."""
    with pytest.raises(BadFile, match="state: must be one of"):
        read_line({**LINES[1], "state": "held"})
