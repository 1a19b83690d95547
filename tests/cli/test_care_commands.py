from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner, Result

from db.engine import reading
from db.tables import metadata
from reminders.cli import app
from reminders.clock import SystemClock
from tests.files import an_import_file, saved
from tests.stage import Stage, patient, phase, plan

TOMORROW = (SystemClock().now() + timedelta(days=2)).date().isoformat()
"""The plans begin soon after whenever this runs, so that nothing falls due meanwhile."""
RISE = (phase("5/5/5", 3), phase("10/10/10", 3), phase("15/15/15"))
WHO = ("--by", "Dr. Noor Haddad", "--reason", "as agreed")


def run(url: str, *words: str) -> Result:
    """Run a command on a ledger."""
    return CliRunner().invoke(app, list(words), env={"DATABASE_URL": url}, terminal_width=200)


def document(*phases: dict[str, Any], **changes: object) -> dict[str, Any]:
    """A plan file from the day the plan begins."""
    entry = {**plan(*(phases or RISE)), "start": TOMORROW, **changes}
    return {key: value for key, value in entry.items() if key not in {"ref", "approved_by"}}


@pytest.fixture
def enrolled(sqlite_url: str, tmp_path: Path) -> str:
    """A ledger with Ana's plan, which rises."""
    data = an_import_file(patient({**plan(*RISE), "start": TOMORROW}))
    result = run(sqlite_url, "import", str(saved(tmp_path, data, "clinic.json")))
    assert result.exit_code == 0, result.output
    return sqlite_url


def test_acting_says_how_the_plan_stands(enrolled: str) -> None:
    """What was done, and where the plan is then; for programs too."""
    stayed = run(enrolled, "act", "stay", "ana-baclofen", *WHO)
    resumed = run(enrolled, "act", "resume", "ana-baclofen", *WHO, "--json")

    assert (stayed.exit_code, stayed.stdout) == (0, "ana-baclofen is staying, on phase 1.\n")
    assert json.loads(resumed.stdout) == {"plan": "ana-baclofen", "state": "active", "phase": 1, "action": "resume", "beside": []}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("restart", "ana-baclofen", *WHO), "--phase"),
        (("slow_down", "ana-baclofen", *WHO), "--days"),
        (("move_zone", "ana-baclofen", *WHO), "--zone"),
        (("add_medicine", "ana-baclofen", *WHO), "--medicine"),
        (("remove_medicine", "ana-baclofen", *WHO), "--medicine"),
        (("remove_medicine", "ana-baclofen", "--medicine", "diazepam", *WHO), "diazepam is not on the list: nothing is"),
        (("resume", "ana-baclofen", *WHO), "this is for one that is staying"),
        (("stay", "nobody", *WHO), "there is no plan 'nobody'"),
        (("stay", "ana-baclofen"), "--by"),
        (("stop", "ana-baclofen", "--by", "Dr. Noor Haddad"), "doseline plan taper"),
        (("raise", "ana-baclofen", *WHO), "raise"),
    ],
)
def test_what_cannot_be_done_is_refused(enrolled: str, words: tuple[str, ...], said: str) -> None:
    """With what is wrong; a straight stop without a reason is shown the way to a taper."""
    result = run(enrolled, "act", *words)
    assert (result.exit_code != 0, said in " ".join(result.output.replace("│", " ").split())) == (True, True), result.output


def test_an_interacting_medicine_is_taken_on_with_a_reason(enrolled: str) -> None:
    """What was added waits among the alerts; without a reason it is refused, with one it is taken on."""
    added = run(enrolled, "act", "add_medicine", "ana-baclofen", "--medicine", "diazepam", "--by", "Dr. Noor Haddad")
    alerts = json.loads(run(enrolled, "alerts", "--json").stdout)
    silent = run(enrolled, "act", "acknowledge", "ana-baclofen", "--by", "Dr. Noor Haddad")
    said = run(enrolled, "act", "acknowledge", "ana-baclofen", *WHO)

    assert (added.exit_code, silent.exit_code != 0, said.exit_code) == (0, True, 0)
    assert "diazepam was added beside baclofen" in json.dumps(alerts)


@pytest.mark.parametrize(
    ("drug", "medicine", "level", "said"),
    [
        ("baclofen-tablet", "diazepam", "warning", "CNS depressants: more sedation"),
        ("tizanidine", "ciprofloxacin", "contraindicated, and nothing is stopped by it", "contraindicated with tizanidine; do not give"),
    ],
)
def test_who_adds_a_medicine_sees_at_once_what_it_does(
    sqlite_url: str, tmp_path: Path, *, drug: str, medicine: str, level: str, said: str
) -> None:
    """With its source, on the screen and for programs; the plan goes on as it was."""
    of = {"drug": drug, "missed_dose_rule": {"hours_before_next": "2"}, "strengths": ["5"]}
    run(sqlite_url, "import", str(saved(tmp_path, an_import_file(patient({**plan(), **of, "start": TOMORROW})), "clinic.json")))
    add = ("act", "add_medicine", "ana-baclofen", *WHO, "--medicine", medicine)
    shown = run(sqlite_url, *add)
    run(sqlite_url, "act", "remove_medicine", "ana-baclofen", *WHO, "--medicine", medicine)
    written = json.loads(run(sqlite_url, *add, "--json").stdout)
    (beside,) = written["beside"]

    assert shown.stdout.startswith(f"ana-baclofen is active, on phase 1.\nana-baclofen: {level}"), shown.output
    assert (said in shown.stdout, "label" in shown.stdout, written["state"]) == (True, True, "active")
    assert (beside["plan"], said in beside["message"], "label" in beside["source"]) == ("ana-baclofen", True, True)


def test_an_edit_is_shown_before_it_is_stored(enrolled: str, tmp_path: Path) -> None:
    """Without --by nothing is stored; with it the next version is."""
    file = str(saved(tmp_path, document(RISE[0], phase("10/10/10"))))
    shown = json.loads(run(enrolled, "edit", "ana-baclofen", file, "--json").stdout)
    again = json.loads(run(enrolled, "edit", "ana-baclofen", file, *WHO, "--json").stdout)
    third = json.loads(run(enrolled, "edit", "ana-baclofen", file, "--json").stdout)

    assert [(one["version"], one["stored"]) for one in (shown, again, third)] == [(2, False), (2, True), (3, False)]


def test_an_edit_shows_old_and_new_side_by_side(enrolled: str, tmp_path: Path) -> None:
    """Each dose around the join, as it was and as it would be."""
    later = phase("5/5/5", 3, times=("09:00", "15:00", "21:00"))
    result = run(enrolled, "edit", "ana-baclofen", str(saved(tmp_path, document(later, phase("10/10/10")))))

    assert (result.exit_code, "nothing is stored yet" in result.stdout, "as it would be" in result.stdout, "09:00" in result.stdout) == (
        0,
        True,
        True,
        True,
    )


def test_a_plan_past_the_maximum_is_refused(enrolled: str, tmp_path: Path) -> None:
    """With the number, the limit and the source; nothing is stored."""
    file = str(saved(tmp_path, document(phase("30/30/30"))))
    result = run(enrolled, "edit", "ana-baclofen", file, *WHO)
    assert (result.exit_code != 0, "20 mg" in result.output, "label" in result.output) == (True, True, True), result.output


@pytest.fixture
def remembered(sqlite_url: str, sqlite_engine: Engine) -> str:
    """A ledger in which Ana said nothing about the first dose of March the 2nd."""
    with Stage(sqlite_engine) as clinic:
        clinic.run_until("03-02 23:00")
    return sqlite_url


def test_a_dose_is_set_right(remembered: str, sqlite_engine: Engine) -> None:
    """What a nurse heard on the phone is kept, with her name; what was recorded before stays beside it."""
    result = run(remembered, "correct", "ana-baclofen", "2026-03-02/1", "taken", "--by", "Nurse Lee", "--reason", "told on the phone")
    with reading(sqlite_engine) as c:
        dose = c.execute(select(metadata.tables["dose"]).where(metadata.tables["dose"].c.slot_no == 1)).mappings().one()
        told = (
            c.execute(select(metadata.tables["dose_event"].c.by).where(metadata.tables["dose_event"].c.kind == "corrected")).scalars().all()
        )

    assert (result.exit_code, result.stdout) == (0, "ana-baclofen: dose 1 of Mon 02 Mar 2026 is taken.\n")
    assert (dose["state"], told) == ("taken", ["Nurse Lee"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("2026-03-02/9", "taken", *WHO), "there is no dose 9 of 2026-03-02"),
        (("2026-03-02", "taken", *WHO), "2026-03-02"),
        (("2026-03-02/1", "pending", *WHO), "one of taken, skipped"),
        (("2026-03-02/1", "taken", "--by", "Nurse Lee", "--reason", " "), "needs its reason"),
    ],
)
def test_what_cannot_be_set_right_is_refused(remembered: str, words: tuple[str, ...], said: str) -> None:
    """An unknown dose, a state that only time gives, no reason."""
    result = run(remembered, "correct", "ana-baclofen", *words)
    assert (result.exit_code != 0, said in " ".join(result.output.replace("│", " ").split())) == (True, True), result.output
