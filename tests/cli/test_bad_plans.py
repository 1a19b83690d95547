"""Every kind of bad plan, at each of its doors: what is said, with number, limit, source and path; and nothing stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner, Result

from db.engine import reading
from db.tables import metadata
from reminders.cli import app
from tests.files import File, a_patient, a_phase, a_plan_file, an_entry, an_import_file, changed, saved

LABEL = "US baclofen tablets label"
KNOWN = "baclofen-tablet"


@dataclass(frozen=True)
class Bad:
    """A bad plan: how a good one is spoilt, and what must be said of it."""

    spoil: Callable[[File], File]
    path: str
    found: str
    limit: str
    source: str = "Doseline"
    level: str = "error"
    approved_at: str | None = None


def put(path: str, value: object) -> Callable[[File], File]:
    """Spoil a plan at one place."""
    return lambda plan: changed(plan, path, value)


def like(**parts: object) -> Callable[[File], File]:
    """Spoil a plan by other parts."""
    return lambda plan: {**plan, **parts}


RISING = {"kind": "taper", "advance": "as_prescribed", "phases": [a_phase(7, "10"), a_phase(7, "15"), a_phase(7, "5")]}
FIVE_A_DAY = ("06:00", "10:00", "14:00", "18:00", "22:00")

BAD: dict[str, Bad] = {
    "a dose over the maximum": Bad(put("phases[3].doses[1].amount", "25"), "phases[3].doses[1].amount", "25 mg", "20 mg", LABEL),
    "a day over the maximum": Bad(put("phases[3]", a_phase(None, "20", FIVE_A_DAY)), "phases[3]", "100 mg a day", "80 mg", LABEL),
    "a taper that rises": Bad(like(**RISING), "phases[1]", "30 mg to 45 mg a day", "never up"),
    "an amount the strengths cannot make": Bad(
        put("phases[1].doses[0].amount", "7"), "phases[1].doses[0].amount", "7 mg", "5 mg, 10 mg, 20 mg", LABEL
    ),
    "a phase of no days": Bad(put("phases[1].days", 0), "phases[1].days", "0", "1 or more", ""),
    "a phase of less than none": Bad(put("phases[1].days", -3), "phases[1].days", "-3", "1 or more", ""),
    "a start before its approval": Bad(like(), "start", "2026-03-02", "2026-03-05", approved_at="2026-03-05T12:00:00Z"),
    "an unknown drug": Bad(put("drug", "aspirin"), "drug", "aspirin", KNOWN, ""),
    "an unknown zone": Bad(put("zone", "Mars/Olympus"), "zone", "Mars/Olympus", "IANA", ""),
    "a negative amount": Bad(put("phases[0].doses[0].amount", "-5"), "phases[0].doses[0].amount", "-5", "exact decimal", ""),
    "an amount of nothing": Bad(put("phases[0].doses[0].amount", "0"), "phases[0].doses[0].amount", "", "above zero", ""),
    "an amount that is no number": Bad(put("phases[0].doses[0].amount", "NaN"), "phases[0].doses[0].amount", "NaN", "exact decimal", ""),
    "an amount without end": Bad(
        put("phases[0].doses[0].amount", "Infinity"), "phases[0].doses[0].amount", "Infinity", "exact decimal", ""
    ),
    "a step sooner than the profile allows": Bad(put("phases[1].days", 2), "phases[1].days", "2 days", "3 days", LABEL, "warning"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_check_says_what_is_bad(name: str, tmp_path: Path) -> None:
    """A check of the plan file names the path, the number, the limit and the source, and ends with 1 for an error, 0 for a warning."""
    bad = BAD[name]
    when = ("--approved-at", bad.approved_at) if bad.approved_at else ()
    file = saved(tmp_path, bad.spoil(a_plan_file()))
    result = CliRunner().invoke(app, ["plan", "check", str(file), *when, "--json"])

    finding = next(finding for finding in json.loads(result.stdout) if finding["path"] == bad.path)
    said = f"{finding['message']} {finding['found']} {finding['limit']} {finding['source']}"
    assert (result.exit_code, finding["level"]) == (1 if bad.level == "error" else 0, bad.level)
    assert [words for words in (bad.found, bad.limit, bad.source) if words not in said] == []


@pytest.mark.parametrize("name", BAD)
def test_an_import_refuses_or_flags_what_is_bad(name: str, tmp_path: Path, sqlite_url: str, sqlite_engine: Engine) -> None:
    """An import names the same, with the plan's place in the file; for an error nothing is stored, a warning is told."""
    bad = BAD[name]
    approved = {"approved_at": bad.approved_at} if bad.approved_at else {}
    data = an_import_file(a_patient(plans=[bad.spoil(an_entry(**approved))]))
    result = CliRunner().invoke(app, ["import", str(saved(tmp_path, data)), "--json"], env={"DATABASE_URL": sqlite_url})

    answer = json.loads(result.stdout)
    told = answer["faults" if bad.level == "error" else "warnings"]
    said = next(fault["message"] for fault in told if fault["path"] == f"patients[0].plans[0].{bad.path}")
    assert (result.exit_code, stored(sqlite_engine)) == ((1, 0) if bad.level == "error" else (0, 1))
    assert [words for words in (bad.found, bad.limit, bad.source) if words not in said] == []


def stored(engine: Engine) -> int:
    """Count the patients in a ledger."""
    with reading(engine) as c:
        return c.scalar(select(func.count()).select_from(metadata.tables["patient"])) or 0


def test_an_approval_to_come_is_none(tmp_path: Path, sqlite_url: str, sqlite_engine: Engine) -> None:
    """A plan that says it will be approved is not approved: refused with both instants, and nothing stored."""
    data = an_import_file(a_patient(plans=[an_entry(approved_at="2999-01-01T00:00:00Z", start="2999-01-02")]))
    result = CliRunner().invoke(app, ["import", str(saved(tmp_path, data)), "--json"], env={"DATABASE_URL": sqlite_url})

    (fault,) = json.loads(result.stdout)["faults"]
    assert (result.exit_code, fault["path"], stored(sqlite_engine)) == (1, "patients[0].plans[0].approved_at", 0)
    assert "nobody has approved it yet: found 2999-01-01T00:00:00+00:00, limit 20" in fault["message"]


def test_an_approval_is_kept_as_it_was_given(tmp_path: Path, sqlite_url: str, sqlite_engine: Engine) -> None:
    """What the file says of when a plan was approved is what the ledger says."""
    data = an_import_file(a_patient(plans=[an_entry(approved_at="2026-02-28T15:00:00Z")]))
    CliRunner().invoke(app, ["import", str(saved(tmp_path, data))], env={"DATABASE_URL": sqlite_url})

    with reading(sqlite_engine) as c:
        assert f"{c.scalar(select(metadata.tables['plan_version'].c.approved_at)):%Y-%m-%d %H:%M}" == "2026-02-28 15:00"


# The builder's own doors

GOOD = "--drug baclofen --times 08:00,14:00,20:00 --start 2026-03-02 --zone America/New_York --advance as_prescribed"
UP = f"build {GOOD} --step 5 --every 3 --basis per-dose"
DOWN = f"taper {GOOD} --from 20/20/20"

TYPED: dict[str, tuple[str, int, str]] = {
    "a dose over the maximum": (
        f"{UP} --titrate 5:25",
        1,
        f"phases[4].doses[0].amount above the largest single dose found 25 mg, limit 20 mg; {LABEL}",
    ),
    "a day over the maximum": (
        f"build {GOOD} --titrate 20:30 --step 10 --every 3 --basis per-dose",
        1,
        f"100 mg (Therapeutic Guidelines) found 90 mg a day, limit 80 mg; {LABEL} (sourced)",
    ),
    "a taper that rises": (f"{UP} --taper 5:20", 1, "these steps make no plan: to: a taper falls: 5 to 20 does not"),
    "a percent taper that rises": (
        f"{DOWN} --percent 10 --of current --basis per-day --every 7 --round-to 20 --rounding up --floor 20",
        1,
        "rounding: 60 would not fall: 10 % of the current less, 54, is 60 when rounded up to 20",
    ),
    "a ready taper that rises": (
        f"{DOWN.replace('20/20/20', '10/25/25')} --template A",
        1,
        "phases[0].doses[0].amount: a taper never goes back up: found 15 mg at 08:00, limit 10 mg, what was taken before (Doseline)",
    ),
    "a floor that rises": (f"{DOWN} --by-amount 10 --every 7 --floor 70", 1, "floor: a taper falls: 60 to 70 a day does not"),
    "an amount the strengths cannot make": (
        f"build {GOOD} --titrate 7:14 --step 7 --every 3 --basis per-dose",
        1,
        "phases[0].doses[0].amount cannot be made from these tablets found 7 mg, limit 5 mg, 10 mg, 20 mg; US baclofen tablets label",
    ),
    "an amount the patient's tablets cannot make": (
        f"{DOWN} --by-amount 5 --every 7 --strengths 20",
        1,
        "phases[0].doses[0].amount cannot be made from these tablets found 15 mg, limit 20 mg",
    ),
    "a phase of no days": (f"build {GOOD} --titrate 5:20 --step 5 --every 0 --basis per-dose", 2, "--every"),
    "an unknown drug": (f"{UP} --titrate 5:20 --drug aspirin", 1, "no drug profile is called 'aspirin'"),
    "an unknown zone": (f"{UP} --titrate 5:20 --zone Mars", 2, 'no such time zone: "Mars"'),
    "a negative number": (f"{DOWN} --by-amount -10 --every 7", 2, "must be an exact decimal"),
    "no number": (f"{UP} --titrate NaN:20", 2, "must be an exact decimal"),
    "a number without end": (f"{DOWN} --percent Infinity --every 7", 2, "must be an exact decimal"),
    "a step sooner than the profile allows": (
        f"build {GOOD} --titrate 5:20 --step 5 --every 2 --basis per-dose",
        0,
        f"phases[0].days a short phase on the way up found 2 days, limit 3 days; {LABEL}",
    ),
}


@pytest.mark.parametrize("name", TYPED)
def test_the_builder_refuses_or_flags_what_is_bad(name: str) -> None:
    """What is typed is refused, or built and flagged, with the same words as a file; the builder stores nothing in any case."""
    words, code, said = TYPED[name]
    result: Result = CliRunner().invoke(app, ["plan", *words.split()])

    assert result.exit_code == code
    assert said in " ".join(result.stderr.replace("│", " ").split())
