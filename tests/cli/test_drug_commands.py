from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from typer.testing import CliRunner, Result

from reminders import drugs
from reminders.cli import app
from tests.domain.test_drug_shelf import OURS, STRICTER
from tests.files import a_patient, a_phase, an_entry, an_import_file, saved

Said: TypeAlias = dict[str, Any]


@pytest.fixture(autouse=True)
def _shipped_again() -> Iterator[None]:
    """What a command had read beside the shipped ones is put away."""
    yield
    drugs.stock(None)


def typed(*words: str, **env: str) -> Result:
    """Run `doseline`."""
    return CliRunner().invoke(app, words, env=env)


def shown(drug: str, **env: str) -> Said:
    """What `drugs show --json` says."""
    result = typed("drugs", "show", drug, "--json", **env)
    assert result.exit_code == 0
    said: Said = json.loads(result.stdout)
    return said


def test_every_profile_is_listed() -> None:
    """For programs by key, for people as a table."""
    listed = json.loads(typed("drugs", "list", "--json").stdout)
    printed = typed("drugs", "list").stdout

    assert [one["key"] for one in listed] == list(drugs.names())
    assert [key for key in drugs.names() if key not in printed] == []


def test_a_number_is_shown_with_all_that_it_rests_on() -> None:
    """Its source, how sure it is, what a breach does, and who disagrees."""
    known = {line["field"]: line for line in shown("baclofen")["known"]}

    assert known["max_per_day"] == {
        "field": "max_per_day",
        "value": "80 mg",
        "source": "US baclofen tablets label",
        "confidence": "sourced",
        "on_breach": "error",
        "disagrees": [["100 mg", "NHS Highland"], ["100 mg", "NHS East Region"], ["100 mg", "Therapeutic Guidelines"]],
        "note": "as 20 mg four times a day",
    }


@pytest.mark.parametrize("key", drugs.names())
def test_nothing_that_a_profile_says_is_left_out(key: str) -> None:
    """Each field of the file is either shown or named as having no source; the same for people as for programs."""
    said = shown(key)
    people = "".join(typed("drugs", "show", key).stdout.split())
    fields = {line["field"].partition("[")[0].partition(".")[0] for line in said["known"]}

    assert fields & set(said["unknown"]) == set()
    assert [name for name, what in said["sources"].items() if "".join(f"{name}:{what}".split()) not in people] == []
    assert {name for line in said["known"] for name in line["source"].split("; ")} <= set(said["sources"])
    assert ("Onlyitstapersareknown" in people) == said["taper_only"]
    assert [line["field"] for line in said["known"] if line["field"] not in people] == []
    assert [source for line in said["known"] for _, source in line["disagrees"] if "".join(source.split()) not in people] == []
    assert all(line["source"] for line in said["known"])


WEEKLY = (
    "0.25 mg for 28 days, every 7 days, then 0.5 mg for 28 days, every 7 days, then 1 mg for 28 days, every 7 days, "
    "then 2 mg and on, every 7 days; 0.25 mg once a week for 4 weeks"
)


@pytest.mark.parametrize(
    ("key", "field", "value"),
    [
        ("gabapentin-ir", "missed_dose_rule", "leave it out if less than 2 h remains to the next dose"),
        ("semaglutide-ozempic", "gap_suspend", "14 d"),
        ("benzodiazepine-taper", "cut_max_percent", "25 % in 14 days"),
        ("benzodiazepine-taper", "first_cut_percent", "10 %"),
        ("metformin-ir", "withdrawal_risk", "no"),
        ("tizanidine", "max_doses_in_24h", "3"),
        ("semaglutide-ozempic", "templates[0]", f"label (titration): {WEEKLY}"),
        ("venlafaxine-xr", "templates[1]", "trials (taper from 225 mg a day): 150 mg for 7 days, then 75 mg for 7 days; 75 mg less"),
        ("gabapentin-ir", "kidney[0]", "30 to under 60 mL/min: 400 to 1400 mg a day in 2 doses"),
    ],
)  # fmt: skip
def test_values_are_written_as_people_read_them(key: str, field: str, value: str) -> None:
    """Spans, rules, percents and layouts in words."""
    assert next(line["value"] for line in shown(key)["known"] if line["field"] == field).startswith(value)


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["for people", "for programs"])
def test_an_unknown_drug_is_answered_with_the_nearest(words: list[str]) -> None:
    """And the command fails."""
    result = typed("drugs", "show", "tizanidin", *words)

    assert (result.exit_code, "'tizanidin'; nearest: tizanidine; known: " in result.output) == (1, True)


def test_a_clinics_own_profile_is_shown_with_who_approved_it(tmp_path: Path) -> None:
    """Whichever command asks, it stands in place of the shipped one and says who answers for it."""
    (tmp_path / "baclofen.toml").write_text(STRICTER, encoding="utf-8")
    said = shown("baclofen", DOSELINE_DRUGS=str(tmp_path))
    people = typed("drugs", "show", "baclofen", DOSELINE_DRUGS=str(tmp_path)).stdout

    assert said["approved"] == {"by": "Dr. Ada Sample", "on": "2026-03-01", "replaces": True}
    assert "Approved by Dr. Ada Sample, 2026-03-01, replaces the shipped one" in people
    assert {line["source"] for line in said["known"]} == {"our formulary (approved by Dr. Ada Sample, 2026-03-01)"}


@pytest.mark.parametrize("command", [("drugs", "list"), ("plan", "check", "{plan}"), ("serve",)])
def test_no_command_goes_on_beside_a_bad_file(tmp_path: Path, sqlite_url: str, command: tuple[str, ...]) -> None:
    """The file, the path in it and how to mend it are said; what asks for no drug still runs."""
    (tmp_path / "ours.toml").write_text(OURS.replace("[approved]", "[notes.who]"), encoding="utf-8")
    plan = tmp_path / "plan.json"
    plan.write_text(typed(*BUILT, "--json").stdout, encoding="utf-8")
    env = {"DOSELINE_DRUGS": str(tmp_path), "DATABASE_URL": sqlite_url}
    result = typed(*(word.format(plan=plan) for word in command), **env)

    assert (result.exit_code, "ours.toml: notes.who.value: is missing" in result.output) == (1, True)
    assert typed("plan", "--help", **env).exit_code == 0


BUILT = (
    "plan", "build", "--drug", "baclofen", "--titrate", "5:20", "--step", "5", "--every", "3", "--basis", "per-dose",
    "--times", "08:00,14:00,20:00", "--start", "2026-03-02", "--zone", "America/New_York", "--advance", "ask_provider",
)  # fmt: skip


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """With the variable's name and the remedy."""
    result = typed("drugs", "list", DOSELINE_DRUGS=str(tmp_path / "none"))

    assert (result.exit_code, "DOSELINE_DRUGS names" in result.output, "create that directory" in result.output) == (1, True, True)


def test_the_doctor_misses_the_file_of_a_plan_that_goes_on(tmp_path: Path, sqlite_url: str) -> None:
    """A plan of a drug that only the clinic's file knew: without the directory nothing is announced, and the doctor says why."""
    (tmp_path / "ours.toml").write_text(OURS, encoding="utf-8")
    file = saved(tmp_path, an_import_file(a_patient(plans=[an_entry(drug="ours", phases=[a_phase(None, "5", ("08:00",))])])))
    stored = typed("import", str(file), DOSELINE_DRUGS=str(tmp_path), DATABASE_URL=sqlite_url)
    seen = []
    for directory in (str(tmp_path), ""):
        checks = json.loads(typed("doctor", "--json", DOSELINE_DRUGS=directory, DATABASE_URL=sqlite_url).stdout)["checks"]
        seen.append([check["says"] for check in checks if check["name"] == "profiles"])

    assert (stored.exit_code, seen) == (0, [[], ["plans are set aside, for no profile knows their drug: ours"]])


def test_the_doctor_looks_at_the_clinics_own_files(tmp_path: Path, sqlite_url: str) -> None:
    """A file in order is named with who approved it, a bad one with its fault; without a directory there is nothing to look at."""
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "ours.toml").write_text(OURS, encoding="utf-8")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "ours.toml").write_text("key", encoding="utf-8")
    seen = []
    for directory in (str(tmp_path / "good"), str(tmp_path / "bad"), ""):
        checks = json.loads(typed("doctor", "--json", DOSELINE_DRUGS=directory, DATABASE_URL=sqlite_url).stdout)["checks"]
        seen.append([(check["verdict"], check["says"].split(": ")[1]) for check in checks if check["name"] == "drugs"])

    assert seen == [[("ok", "ours (approved by Dr. Ada Sample)")], [("fail", "not TOML")], []]
