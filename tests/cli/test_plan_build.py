"""`doseline plan build`, `taper` and `table`: what is built, what is refused, and that the file goes through every door unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner, Result

from db.engine import reading
from db.tables import metadata
from reminders.cli import app
from reminders.formats.plan_file import read_plan
from reminders.services.records.plans import plan_of
from tests.files import Json, a_patient, an_entry, an_import_file, saved

WEEKLY = "--drug ozempic --times 09:00 --start 2026-03-02 --zone America/New_York --advance ask_provider"
WHERE = "--times 08:00,14:00,20:00 --start 2026-03-02 --zone America/New_York --advance as_prescribed"
RISE = f"--drug baclofen {WHERE} --titrate 5:20 --step 5 --every 3"
FALL = f"--drug baclofen {WHERE} --from 20/20/20"
TENTH = "--percent 10 --every 7 --round-to 5 --rounding down --floor 5"


def run(*words: str, file: Path | None = None, typed: str | None = None) -> Result:
    """Run `doseline plan` as if these words had been typed; FILE stands for the file."""
    return CliRunner().invoke(app, ["plan", *(str(file) if word == "FILE" else word for word in words)], input=typed)


def build(words: str, formula: str = RISE) -> Result:
    """Run `doseline plan build` with the usual formula and these words."""
    return run("build", *formula.split(), *words.split())


def taper(words: str, formula: str = FALL) -> Result:
    """Run `doseline plan taper` from 60 mg a day with these words."""
    return run("taper", *formula.split(), *words.split())


def amounts(result: Result) -> list[str]:
    """Each phase's amounts of a plan file that was printed, like 5/5/10."""
    return ["/".join(dose["amount"] for dose in phase["doses"]) for phase in json.loads(result.stdout)["phases"]]


def said(result: Result) -> str:
    """What stands on standard error, without the frame around it."""
    return " ".join(result.stderr.replace("│", " ").split())


# build


def test_a_fourth_dose_is_ordered_with_its_time() -> None:
    """Per dose it is at once as large as the others, on day 13 at the earliest."""
    built = build("--basis per-dose --add-slot 22:00 --other-times 06:00,12:00,18:00 --json")

    assert amounts(built)[-2:] == ["20/20/20", "20/20/20/20"]
    assert [dose["at"] for dose in json.loads(built.stdout)["phases"][-1]["doses"]] == ["06:00", "12:00", "18:00", "22:00"]


def test_a_fourth_dose_may_leave_the_others_where_they_are() -> None:
    """Without --other-times the other doses keep their times."""
    last = json.loads(build("--basis per-dose --add-slot 23:00 --json").stdout)["phases"][-1]

    assert [dose["at"] for dose in last["doses"]] == ["08:00", "14:00", "20:00", "23:00"]


def test_a_day_may_rise_in_pieces() -> None:
    """+10 mg a day in pieces of 5 mg raises two doses at a time."""
    words = f"--drug baclofen {WHERE} --titrate 5:15 --step 10 --every 7 --basis per-day --piece 5 --json"

    assert amounts(build("", words)) == ["5/5/5", "5/10/10", "10/10/15", "15/15/15"]


def test_a_weekly_drug_is_built_with_its_rhythm() -> None:
    """Doses on every seventh day, steps after four of them."""
    built = build("--titrate 0.25:0.5 --step 0.25 --every 28 --dose-every 7 --basis per-dose --json", WEEKLY)

    assert [(phase["days"], phase["every_n_days"]) for phase in json.loads(built.stdout)["phases"]] == [(28, 7), (None, 7)]


def test_a_ready_titration_is_built_and_says_what_it_rests_on() -> None:
    """The label's schedule by its name, with its sources beside it."""
    built = build("--template label --json", f"--drug baclofen {WHERE}")

    assert amounts(built) == ["5/5/5", "10/10/10", "15/15/15", "20/20/20"]
    assert "Ready layout label: 5, 10, 15, then 20 mg three times a day" in said(built)


def test_the_unclear_is_shown_to_programs_too() -> None:
    """Without --basis a program gets both readings, run by run, and no plan."""
    result = build("--json")
    answer = json.loads(result.stdout)

    assert (result.exit_code, answer["faults"][0]["path"], len(answer["readings"])) == (2, "basis", 10)
    assert answer["readings"][3] == {
        "days": [10, 12],
        "per_dose": {"amounts": ["20", "20", "20"], "per_day": "60", "so_far": "450"},
        "per_day": {"amounts": ["10", "10", "10"], "per_day": "30", "so_far": "270"},
    }


# taper


def test_a_taper_by_amount_ends_at_nothing_or_a_floor() -> None:
    """Ten mg a day less each week, to nothing; or to a lowest day before nothing."""
    assert amounts(taper("--by-amount 10 --every 7 --json")) == ["15/15/20", "10/15/15", "10/10/10", "5/5/10", "5/5"]
    assert amounts(taper("--by-amount 20 --floor 20 --every 7 --json")) == ["10/15/15", "5/5/10"]


def test_a_taper_may_start_from_a_days_total() -> None:
    """60 mg a day in three doses is 20 mg each."""
    total = taper("--by-amount 10 --every 7 --json", f"--drug baclofen {WHERE} --from-per-day 60")

    assert total.stdout == taper("--by-amount 10 --every 7 --json").stdout


def test_a_taper_by_percent_is_built_as_it_is_read() -> None:
    """A tenth of the current day, of the original day, and a half of each dose."""
    current, original = (taper(f"{TENTH} --basis per-day --of {of} --json") for of in ("current", "original"))
    each = taper("--percent 50 --every 7 --round-to 5 --rounding down --floor 5 --basis per-dose --of current --json")

    assert (amounts(current)[5:7], amounts(original)[5:7]) == (["5/10/10", "5/5/10"], ["5/5/10", "5/5/5"])
    assert amounts(each) == ["10/10/10", "5/5/5"]


def test_a_percent_is_not_guessed_at() -> None:
    """Without --of both readings stand side by side, and nothing is built; the same without --basis."""
    of, basis = taper(TENTH), taper(f"{TENTH} --of current")

    assert [(result.exit_code, result.stdout) for result in (of, basis)] == [(2, ""), (2, "")]
    assert ["50–56", "5/5/5", "15", "1820", "–/5/5", "10", "1715"] in [line.split() for line in of.stderr.splitlines()]
    assert "--of current (what is then taken) or --of original" in said(of)
    assert "−10 % every 7 days, read in two ways" in said(basis)
    assert "--basis per-dose" in said(basis)


def test_a_reading_that_has_ended_is_nothing_to_programs() -> None:
    """Of the original, a tenth of 60 mg a day ends a week earlier than of the current."""
    last = json.loads(taper(f"{TENTH} --json").stdout)["readings"][-1]

    assert last == {"days": [64, 70], "current": {"amounts": ["0", "0", "5"], "per_day": "5", "so_far": "1925"}, "original": None}


def test_a_reading_that_makes_no_plan_says_why_to_people() -> None:
    """Beneath the two readings stands what is wrong with one of them."""
    assert "per dose: rounding: 15 would not fall" in said(taper(f"{TENTH} --of original"))


def test_the_first_cut_is_checked_from_the_day_before() -> None:
    """From 20 to 15 mg is 25 %, more than a first cut should be: a warning that the plan alone could not give."""
    words = "--drug benzodiazepine-taper --times 21:00 --start 2026-03-02 --zone America/New_York --advance ask_provider --strengths 2.5,5"
    result = taper("--from 20 --by-amount 5 --every 14", words)

    assert "phases[0] the first cut is larger than usual found 25 %, limit 10 %" in said(result)


def test_a_layout_that_follows_nothing_needs_no_start() -> None:
    """A drug whose plan is the taper begins with its first phase."""
    words = "--drug prednisolone-polymyalgia --times 09:00 --start 2026-03-02 --zone America/New_York --advance ask_provider"
    result = run("taper", *words.split(), "--template", "4 weeks a step", "--json")

    assert amounts(result)[:4] == ["15", "12.5", "10", "9"]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("--every 7", "--by-amount or --percent or --template"),
        ("--by-amount 10 --template A", "--by-amount or --percent or --template"),
        ("--by-amount 10", "--every"),
        ("--by-amount 10 --every 7 --of current", "--of: says nothing with --by-amount"),
        ("--by-amount -10 --every 7", "an exact decimal"),
        ("--by-amount NaN --every 7", "an exact decimal"),
        ("--by-amount 1e3 --every 7", "an exact decimal"),
        ("--template A --every 7", "--every: says nothing with --template"),
        ("--percent 10 --every 7 --piece 5", "--piece: says nothing with --percent"),
        ("--percent 10 --every 7 --round-to 5 --rounding down", "--floor: is missing"),
        ("--percent 10 --every 7 --round-to 5 --floor 5", "--rounding: is missing"),
        ("--percent 10 --every 7 --rounding up --floor 5", "--round-to: is missing"),
        ("--percent 10 --every 7 --round-to 5 --rounding sideways --floor 5", "must be one of up, down"),
        ("--percent Infinity --every 7", "an exact decimal"),
        ("--template A --from-per-day 60", "--from or --from-per-day"),
        ("--template A --from 20/x/20", "an exact decimal"),
        ("--template A --strengths 5;10", "an exact decimal"),
    ],
)
def test_what_is_typed_wrong_is_said_with_its_option(words: str, wanted: str) -> None:
    """A wrong, missing or idle option ends with 2, and the sentence says what is wanted."""
    result = taper(words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert wanted in said(result)


@pytest.mark.parametrize("words", ["", "--from-per-day 50"])
def test_a_start_that_says_too_little_is_refused(words: str) -> None:
    """No doses, or a total that makes no doses alike, are not guessed at."""
    result = taper(f"--by-amount 10 --every 7 {words}", f"--drug baclofen {WHERE}")

    assert (result.exit_code, "--from" in said(result)) == (2, True)


@pytest.mark.parametrize("words", ["--layout evened", "--other-times 06:00,12:00,18:00"])
def test_what_belongs_to_a_fourth_dose_is_not_said_without_one(words: str) -> None:
    """An order that says nothing is a slip of the pen."""
    result = build(f"--basis per-day {words}")

    assert (result.exit_code, "says nothing with no --add-slot" in said(result)) == (2, True)


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("--by-amount 25 --every 7", "cut"),
        ("--by-amount 10 --floor 60 --every 7", "floor"),
        ("--by-amount 0.01 --every 7", "step"),
        ("--by-amount 10 --every 7 --dose-every 2", "phases[0].days"),
        ("--by-amount 10 --every 7 --advance stay_unless_met", "advance"),
        (f"{TENTH} --of current --basis per-day --round-to 7 --floor 7", "round_to"),
        (f"{TENTH} --of current --basis per-day --rounding up", "rounding"),
        ("--percent 100 --every 7 --round-to 5 --rounding up --floor 5 --of current --basis per-day", "percent"),
        ("--template Z", "template"),
        ("--template A --from 15/15/15", "from"),
        ("--template A --from 10/25/25", "phases[0].doses[0].amount"),
    ],
)
def test_a_taper_that_makes_no_plan_is_refused_at_its_path(words: str, path: str) -> None:
    """A taper that rises, does not come out or cannot be made is refused with its path, and nothing is printed as a plan."""
    result = taper(f"{words} --json")

    assert (result.exit_code, [fault["path"] for fault in json.loads(result.stdout)["faults"]]) == (1, [path])


# table


def test_a_table_for_programs_gives_everything() -> None:
    """Dates, days, doses in tablets, the day, the sum so far, and the tablets to dispense by phase and in all."""
    table = json.loads(run("table", "-", "--json", typed=taper("--template A --json").stdout).stdout)

    assert table["rows"][3] == {
        "phase": 4,
        "from": "2026-03-14",
        "to": "2026-03-14",
        "from_day": 13,
        "to_day": 13,
        "days": 1,
        "every_n_days": 1,
        "doses": [{"at": at, "amount": "5", "tablets": [{"count": "1", "strength": "5"}]} for at in ("14:00", "20:00")],
        "per_day": "10",
        "so_far": "370",
    }
    assert table["dispense"]["phases"][0] == {"phase": 1, "tablets": [{"strength": "10", "count": 12}, {"strength": "5", "count": 12}]}
    assert table["dispense"]["in_all"] == [{"strength": "10", "count": 24}, {"strength": "5", "count": 27}]


def test_a_table_counts_the_tablets_the_patient_has() -> None:
    """With 10 mg tablets only, 5 mg is half of one; 7 mg cannot be made of them, and says so."""
    file = taper("--template A --json").stdout
    table = json.loads(run("table", "-", "--strengths", "10", "--json", typed=file).stdout)

    assert table["rows"][4]["doses"][0]["tablets"] == [{"count": "0.5", "strength": "10"}]
    assert table["dispense"]["in_all"] == [{"strength": "10", "count": 38}]


def test_a_plan_file_has_the_table_of_its_build() -> None:
    """Laid out from its file, a plan has the same table for people as when it was built."""
    words = "--basis per-day --until-day 30"

    assert run("table", "-", "--until-day", "30", typed=build(f"{words} --json").stdout).stdout == build(words).stdout


def test_what_is_not_made_of_tablets_has_none_to_dispense() -> None:
    """A weekly injection has a table without tablets."""
    table = json.loads(run("table", "-", "--json", typed=build("--template label --json", WEEKLY).stdout).stdout)

    assert (table["dispense"], table["rows"][0]["doses"][0]["tablets"]) == (None, None)


NARROW = 80

SHOWN = [
    ("build", f"{RISE} --basis per-day"),
    ("build", f"{RISE} --basis per-day --add-slot 22:00"),
    ("build", f"{RISE} --basis per-day --add-slot 22:00 --other-times 06:00,12:00,18:00"),
    ("build", f"{WEEKLY} --template label"),
    ("taper", f"{FALL} --template D"),
    ("taper", f"{FALL} --by-amount 5 --every 28"),
]


@pytest.mark.parametrize(("command", "words"), SHOWN)
def test_a_table_fits_a_narrow_screen(command: str, words: str) -> None:
    """Eighty columns are enough for any table of four doses a day, so that nothing is cut or broken on a screen."""
    lines = run(command, *words.split()).stdout.splitlines()

    assert max(map(len, lines)) <= NARROW


def test_a_table_of_many_times_has_them_beneath() -> None:
    """Where the times change with a fourth dose, each day stands in one column and its times beneath."""
    shown = build("--basis per-day --add-slot 22:00 --other-times 06:00,12:00,18:00").stdout

    assert "from phase 11 at 06:00, 12:00, 18:00, 22:00" in shown
    assert ["12", "Sat", "4", "–", "Mon", "6", "Apr", "34–36", "20/20/20/10", "70", "1530"] in [line.split() for line in shown.splitlines()]


def test_a_table_says_the_year_where_it_changes() -> None:
    """A taper over New Year has the new year on a line of its own, before the phase that begins in it."""
    lines = [line.split() for line in taper("--by-amount 15 --every 31 --start 2026-11-20").stdout.splitlines()]
    year = lines.index(["2027"])

    assert [line[:7] for line in (lines[year - 1], lines[year + 1])] == [
        ["2", "Mon", "21", "Dec", "–", "Wed", "20"],
        ["3", "Thu", "21", "Jan", "–", "Sat", "20"],
    ]


def test_a_table_gives_the_tablets_to_dispense() -> None:
    """The tablets by strength, phase by phase and in all."""
    rows = [line.split() for line in taper("--template A").stdout.splitlines()]

    assert ["phase", "of", "10", "mg", "of", "5", "mg"] in rows
    assert ["in", "all", "24", "27"] in rows


# One file through every door


FILES = {
    "a titration": ("build", f"{RISE} --basis per-day --add-slot 23:00"),
    "a weekly one": (
        "build",
        f"{WEEKLY} --template label",
    ),
    "a taper by amount": ("taper", f"{FALL} --by-amount 5 --every 7"),
    "a taper by percent": ("taper", f"{FALL} {TENTH} --basis per-day --of current"),
    "a ready taper": ("taper", f"{FALL} --template C"),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_built_goes_through_every_door_unchanged(name: str, tmp_path: Path, sqlite_url: str, sqlite_engine: Engine) -> None:
    """The printed plan is checked, laid out and imported as it is, and the ledger gives the same plan back."""
    command, words = FILES[name]
    built: Json = json.loads(run(command, *words.split(), "--json").stdout)
    whole = an_import_file(a_patient(plans=[an_entry(**built)]))

    checked, laid = (run(what, "FILE", "--json", file=saved(tmp_path, built)) for what in ("check", "table"))
    stored = CliRunner().invoke(app, ["import", str(saved(tmp_path, whole, "import.json"))], env={"DATABASE_URL": sqlite_url})

    assert (checked.exit_code, laid.exit_code, stored.exit_code) == (0, 0, 0), stored.output
    with reading(sqlite_engine) as c:
        assert plan_of(c.scalar(select(metadata.tables["plan_version"].c.document)) or "") == read_plan(built)
