from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from reminders.cli import app
from reminders.formats.plan_file import read_plan
from tests.files import Json, a_phase, a_plan_file, changed, saved, without

FORMULA = "--drug baclofen --step 5 --every 3 --times 08:00,14:00,20:00 --start 2026-03-02 --zone America/New_York --advance as_prescribed"


def run(*words: str, file: Path | None = None, typed: str | None = None) -> Result:
    """Run `doseline` as if these words had been typed; FILE stands for the file."""
    return CliRunner().invoke(app, [str(file) if word == "FILE" else word for word in words], input=typed)


def build(*words: str, formula: str = FORMULA) -> Result:
    """Run `doseline plan build` with the usual formula and these words."""
    return run("plan", "build", *formula.split(), *words)


def amounts(plan: Json) -> list[str]:
    """Each phase's amounts of a plan file, like 5/5/10."""
    return ["/".join(dose["amount"] for dose in phase["doses"]) for phase in plan["phases"]]


# build


def test_a_titration_per_dose_is_the_label_schedule() -> None:
    """+5 mg per dose every three days: 5, 10, 15, then 20 mg three times a day, open-ended."""
    plan = json.loads(build("--titrate", "5:20", "--basis", "per-dose", "--json").stdout)

    assert amounts(plan) == ["5/5/5", "10/10/10", "15/15/15", "20/20/20"]
    assert [phase["days"] for phase in plan["phases"]] == [3, 3, 3, None]


def test_a_titration_per_day_raises_one_dose_at_a_time() -> None:
    """+5 mg per day raises the last dose of the day first, then the middle one, then the first."""
    plan = json.loads(build("--titrate", "5:20", "--basis", "per-day", "--json").stdout)

    expected = "5/5/5 5/5/10 5/10/10 10/10/10 10/10/15 10/15/15 15/15/15 15/15/20 15/20/20 20/20/20"
    assert amounts(plan) == expected.split()


def test_a_taper_to_nothing_ends() -> None:
    """A taper from 20 mg to nothing has its days for every phase, and no dose of nothing."""
    plan = json.loads(build("--taper", "20:0", "--basis", "per-dose", "--json").stdout)

    assert (plan["kind"], amounts(plan), plan["phases"][-1]["days"]) == ("taper", ["15/15/15", "10/10/10", "5/5/5"], 3)


def test_what_is_built_can_be_read(tmp_path: Path) -> None:
    """The output of a build is a plan file that the other commands take."""
    built = build("--titrate", "5:20", "--basis", "per-dose", "--label", "A, blue cap", "--json").stdout

    assert read_plan(json.loads(built)).label == "A, blue cap"
    assert run("plan", "check", "FILE", file=saved(tmp_path, built)).exit_code == 0


def test_a_build_without_basis_shows_both_readings_and_builds_nothing() -> None:
    """Five milligrams more every three days is not guessed at: the two readings stand side by side, two-fold apart on day 10."""
    result = build("--titrate", "5:20")

    assert (result.exit_code, result.stdout) == (2, "")
    row = next(line.split() for line in result.stderr.splitlines() if line.split()[:1] == ["10–12"])
    assert row == ["10–12", "20/20/20", "60", "450", "10/10/10", "30", "270"]


def test_a_build_without_basis_says_how_to_choose() -> None:
    """Who left the basis out is told the two words to choose from."""
    assert "--basis per-dose" in build("--titrate", "5:20").stderr


def test_the_table_gives_each_dose_beside_the_day() -> None:
    """Without --json the dated table shows dates, amounts by time, the day's total and the sum so far."""
    result = build("--titrate", "5:20", "--basis", "per-day")

    row = next(line.split() for line in result.stdout.splitlines() if line.split()[:1] == ["2"])
    assert " ".join(row) == "2 Thu 5 – Sat 7 Mar 4–6 5 5 10 20 105"


def test_the_table_says_amounts_in_tablets() -> None:
    """A dated table says what each amount is in tablets."""
    assert "15 mg: 1 of 10 mg and 1 of 5 mg" in build("--titrate", "5:20", "--basis", "per-dose").stdout


@pytest.mark.parametrize(
    ("words", "code"), [((), 1), (("--acknowledged", "diazepam=short course"), 0), (("--acknowledged", "aspirin=x"), 1)]
)
def test_an_interacting_medicine_blocks(tmp_path: Path, words: tuple[str, ...], code: int) -> None:
    """Beside diazepam a plan is refused, built or checked, until it is acknowledged by its name with a reason."""
    checked = run("plan", "check", str(saved(tmp_path, a_plan_file())), "--medicine", "diazepam", *words)
    built = build("--titrate", "5:20", "--basis", "per-dose", "--medicine", "diazepam", *words)

    assert (checked.exit_code, built.exit_code) == (code, code)


@pytest.mark.parametrize("words", ["diazepam", "=x", "diazepam= "])
def test_an_acknowledgement_names_its_reason(tmp_path: Path, words: str) -> None:
    """A name without a reason, or a reason without a name, acknowledges nothing."""
    assert run("plan", "check", str(saved(tmp_path, a_plan_file())), "--acknowledged", words).exit_code == 2


def test_a_plan_above_the_limits_is_shown_with_its_findings() -> None:
    """A formula that passes the largest dose ends with 1, and the finding quotes its source."""
    result = build("--titrate", "5:25", "--basis", "per-dose", "--json")

    assert result.exit_code == 1
    assert "US baclofen tablets label" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--basis", "per-dose"), "--titrate or --taper"),
        (("--titrate", "5:20", "--taper", "20:0", "--basis", "per-dose"), "--titrate or --taper"),
        (("--titrate", "5", "--basis", "per-dose"), "must be FROM:TO"),
        (("--titrate", "5:0.0", "--basis", "per-dose"), "above zero"),
        (("--titrate", "five:20", "--basis", "per-dose"), "an exact decimal"),
        (("--titrate", "5:20", "--basis", "weekly"), "must be one of per_dose, per_day"),
        (("--titrate", "5:20", "--basis", "per-dose", "--start", "2026-02-30"), "no such date"),
        (("--titrate", "5:20", "--basis", "per-dose", "--zone", "Mars"), "no such time zone"),
        (("--titrate", "5:20", "--basis", "per-dose", "--times", "14:00,08:00"), "times must rise"),
        (("--titrate", "5:20", "--basis", "per-dose", "--times", "8am"), "a local time of day"),
        (("--titrate", "5:20", "--basis", "per-dose", "--every", "0"), "--every"),
        (("--titrate", "5:20", "--basis", "per-dose", "--advance", "always"), "must be one of as_prescribed"),
    ],
)
def test_what_is_typed_wrong_is_said_with_its_option(words: tuple[str, ...], said: str) -> None:
    """A wrong option ends with 2, and the sentence says what is wanted."""
    result = build(*words)

    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize("option", ["--drug", "--step", "--every", "--times", "--start", "--zone", "--advance"])
def test_nothing_that_decides_a_dose_has_a_default(option: str) -> None:
    """Each part of a formula must be given; the advance policy too is the prescriber's choice."""
    words = FORMULA.split()
    at = words.index(option)

    result = build("--titrate", "5:20", "--basis", "per-dose", formula=" ".join(words[:at] + words[at + 2 :]))

    assert (result.exit_code, option in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--titrate", "5:22", "--basis", "per-dose"), "these steps make no plan: step: 17 is not a whole number of 5"),
        (("--titrate", "20:5", "--basis", "per-dose"), "these steps make no plan: to: a titration rises"),
        (("--titrate", "20:5"), "these steps make no plan: to: a titration rises"),
        (("--taper", "20:0", "--basis", "per-dose", "--advance", "stay_unless_met"), "these steps make no plan: advance: a taper is"),
        (("--titrate", "5:20", "--basis", "per-dose", "--drug", "aspirin"), "no drug profile is called 'aspirin'"),
        (("--titrate", "5:20", "--basis", "per-dose", "--label", "x" * 41), "label: must be 40 characters at most"),
    ],
)
def test_steps_that_make_no_plan_are_refused(words: tuple[str, ...], said: str) -> None:
    """A formula that does not come out even is refused with its reason, never bent."""
    result = build(*words)

    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr


# check


def test_a_sound_plan_is_checked_without_findings(tmp_path: Path) -> None:
    """The label schedule has nothing to find, and ends with 0."""
    result = run("plan", "check", "FILE", file=saved(tmp_path, a_plan_file()))

    assert (result.exit_code, result.stdout) == (0, "Nothing found.\n")


def test_warnings_end_with_nought(tmp_path: Path) -> None:
    """A plan with a warning only is shown with it, and ends with 0."""
    file = saved(tmp_path, a_plan_file(phases=[a_phase(3, "10"), a_phase(None, "15")]))
    result = run("plan", "check", "FILE", "--json", file=file)

    assert (result.exit_code, {finding["level"] for finding in json.loads(result.stdout)}) == (0, {"warning"})


def test_a_finding_names_its_place_number_limit_and_source(tmp_path: Path) -> None:
    """A dose above the label's largest is an error with all that a prescriber needs to judge it."""
    file = saved(tmp_path, changed(a_plan_file(), "phases[3].doses[1].amount", "25"))
    result = run("plan", "check", "FILE", "--json", file=file)

    finding = json.loads(result.stdout)[0]
    kept = {key: finding[key] for key in ("level", "code", "path", "found", "limit", "source")}
    assert result.exit_code == 1
    assert kept == {
        "level": "error",
        "code": "dose_too_large",
        "path": "phases[3].doses[1].amount",
        "found": "25 mg",
        "limit": "20 mg",
        "source": "US baclofen tablets label",
    }


def test_findings_are_a_table_for_people(tmp_path: Path) -> None:
    """Without --json the findings are a table."""
    file = saved(tmp_path, changed(a_plan_file(), "phases[3].doses[1].amount", "25"))

    assert "phases[3].doses[1].amount" in run("plan", "check", "FILE", file=file).stdout


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (changed(a_plan_file(), "drug", "aspirin"), "drug"),
        (changed(a_plan_file(), "zone", "Mars"), "zone"),
        (changed(a_plan_file(), "start", "2026-02-30"), "start"),
        (changed(a_plan_file(), "phases[1].doses[0].amount", 10), "phases[1].doses[0].amount"),
        (changed(a_plan_file(), "phases[1].doses[0].amount", "7"), "phases[1].doses[0].amount"),
        (without(a_plan_file(), "advance"), "advance"),
    ],
)
def test_a_value_that_cannot_be_used_is_an_error_at_its_path(tmp_path: Path, data: object, path: str) -> None:
    """A plan file with a bad value is checked as far as it goes: an error with the value's path."""
    result = run("plan", "check", "FILE", "--json", file=saved(tmp_path, data))

    errors = [finding["path"] for finding in json.loads(result.stdout) if finding["level"] == "error"]
    assert (result.exit_code, errors) == (1, [path])


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"drug": "baclofen", "drug": "gabapentin"}'])
def test_what_is_no_plan_at_all_ends_with_two(tmp_path: Path, text: str) -> None:
    """Text that is no JSON object, or an ambiguous one, cannot be checked."""
    result = run("plan", "check", "FILE", file=saved(tmp_path, text))

    assert (result.exit_code, result.stdout) == (2, "")


def test_a_file_that_is_not_there_ends_with_two(tmp_path: Path) -> None:
    """A file that cannot be opened is named, with the reason."""
    result = run("plan", "check", "FILE", file=tmp_path / "none.json")

    assert result.exit_code == 2
    assert "none.json: No such file or directory" in " ".join(result.stderr.split("\n"))


def test_a_plan_may_come_on_standard_input() -> None:
    """A dash reads the plan from standard input, as from a build."""
    assert run("plan", "check", "-", typed=json.dumps(a_plan_file())).exit_code == 0


# slots


def test_slots_are_given_with_their_instants(tmp_path: Path) -> None:
    """Across New York's change of clocks on 8 March 2026, 08:00 stays 08:00 and moves in UTC."""
    file = saved(tmp_path, a_plan_file(phases=[a_phase(None, "5", ("08:00", "20:00"))], start="2026-03-07"))

    printed = run("plan", "slots", "FILE", "--from", "2026-03-07", "--to", "2026-03-09", "--json", file=file).stdout

    same = {"amount": "5", "unit": "mg", "phase": 1}
    assert json.loads(printed) == [
        {"local_date": "2026-03-07", "slot_no": 1, "local_time": "08:00", "due_at": "2026-03-07T13:00:00Z", **same},
        {"local_date": "2026-03-07", "slot_no": 2, "local_time": "20:00", "due_at": "2026-03-08T01:00:00Z", **same},
        {"local_date": "2026-03-08", "slot_no": 1, "local_time": "08:00", "due_at": "2026-03-08T12:00:00Z", **same},
        {"local_date": "2026-03-08", "slot_no": 2, "local_time": "20:00", "due_at": "2026-03-09T00:00:00Z", **same},
    ]


@pytest.mark.parametrize(
    ("first", "to", "dates"),
    [
        ("2026-03-01", "2026-03-03", ["2026-03-02"]),
        ("2026-03-02", "2026-03-02", []),
        ("2026-02-01", "2026-03-02", []),
        ("2026-03-03", "2026-03-20", ["2026-03-03", "2026-03-04"]),
    ],
)
def test_slots_are_those_of_a_half_open_run_of_dates(tmp_path: Path, first: str, to: str, dates: list[str]) -> None:
    """The last date is not included, and before and after the plan there are no slots."""
    file = saved(tmp_path, a_plan_file(kind="taper", advance="as_prescribed", phases=[a_phase(3, "5", ("08:00",))]))

    printed = run("plan", "slots", "FILE", "--from", first, "--to", to, "--json", file=file).stdout

    assert [slot["local_date"] for slot in json.loads(printed)] == dates


def test_slots_are_a_table_for_people(tmp_path: Path) -> None:
    """Without --json each slot is a row, its amount in tablets too."""
    file = saved(tmp_path, a_plan_file(phases=[a_phase(None, "15", ("08:00",))]))

    printed = run("plan", "slots", "FILE", "--from", "2026-03-02", "--to", "2026-03-03", file=file).stdout

    rows = [" ".join(line.split()) for line in printed.splitlines()]
    assert "Mon 2026-03-02 1 08:00 2026-03-02 13:00 15 mg 1 1 of 10 mg and 1 of 5 mg" in rows


def test_slots_of_a_window_that_runs_backwards_are_refused(tmp_path: Path) -> None:
    """A window ends where it begins, or later."""
    result = run("plan", "slots", "FILE", "--from", "2026-03-03", "--to", "2026-03-02", file=saved(tmp_path, a_plan_file()))

    assert (result.exit_code, "--to" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "words", [("slots", "--from", "2026-03-02", "--to", "2026-03-03"), ("missed", "--slot", "2026-03-02/1", "--at", "2026-03-02T14:00:00Z")]
)
@pytest.mark.parametrize(("path", "value"), [("zone", "Mars"), ("drug", "aspirin"), ("phases[0].doses[0].amount", "five")])
def test_a_bad_plan_is_refused_by_its_path(tmp_path: Path, words: tuple[str, ...], path: str, value: str) -> None:
    """A plan file with a bad value has no slots and no advice: exit 1, and the value's path."""
    file = saved(tmp_path, changed(a_plan_file(), path, value))

    result = run("plan", words[0], "FILE", *words[1:], "--json", file=file)

    assert (result.exit_code, [fault["path"] for fault in json.loads(result.stdout)["faults"]]) == (1, [path])


def test_faults_are_told_in_words_to_people(tmp_path: Path) -> None:
    """Without --json faults are lines on standard error, each with its path."""
    file = saved(tmp_path, changed(changed(a_plan_file(), "zone", "Mars"), "kind", "x"))

    result = run("plan", "slots", "FILE", "--from", "2026-03-02", "--to", "2026-03-03", file=file)

    assert result.stdout == ""
    assert [line.partition(":")[0].strip() for line in result.stderr.splitlines()] == ["The file cannot be used", "kind", "zone"]


# missed


def missed(folder: Path, slot: str, at: str, **plan: object) -> Json:
    """Ask what to do about a slot of a plan at an instant."""
    result = run("plan", "missed", "FILE", "--slot", slot, "--at", at, "--json", file=saved(folder, a_plan_file(**plan)))
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("slot", "at", "decision", "until"),
    [
        ("2026-03-03/1", "2026-03-03T13:00:00Z", "take_now", "2026-03-03T17:00:00Z"),
        ("2026-03-03/1", "2026-03-03T17:00:00Z", "take_now", "2026-03-03T17:00:00Z"),
        ("2026-03-03/1", "2026-03-03T17:00:01Z", "skip", None),
        ("2026-03-03/1", "2026-03-03T12:59:59Z", "too_soon", "2026-03-03T13:00:00Z"),
        ("2026-03-03/3", "2026-03-04T06:00:00-05:00", "take_now", "2026-03-04T11:00:00Z"),
        ("2026-03-03/3", "2026-03-04T06:00:01-05:00", "skip", None),
    ],
)
def test_the_shipped_rule_is_two_hours_to_the_next_dose(tmp_path: Path, slot: str, at: str, decision: str, until: str | None) -> None:
    """Exactly two hours before the next dose is still a take, a second later a skip (NHS)."""
    answer = missed(tmp_path, slot, at)

    assert (answer["decision"], answer["until"]) == (decision, until)


def test_advice_names_the_next_dose_rule_and_text(tmp_path: Path) -> None:
    """An answer carries the next dose, the rule in words, and the text a patient would get."""
    answer = missed(tmp_path, "2026-03-03/1", "2026-03-03T17:20:00Z")

    assert answer == {
        "decision": "skip",
        "until": None,
        "next_at": "2026-03-03T19:00:00Z",
        "rule": "leave it out if less than 2 h remains to the next dose",
        "text": "Your clinic: leave out the Tue 8:00 am dose: the next one is too near. "
        "Take only your next dose, Tue 2:00 pm. Do not double.",
    }


def test_the_plans_own_rule_goes_first(tmp_path: Path) -> None:
    """A plan that says two hours late at most is not answered by its drug's rule."""
    answer = missed(tmp_path, "2026-03-03/1", "2026-03-03T15:00:01Z", missed_dose_rule={"max_late": "2 h", "beyond": "ask"})

    assert answer["decision"] == "ask_provider"


def test_the_last_dose_of_a_plan_has_no_next(tmp_path: Path) -> None:
    """The last dose before a stop may be two hours late, and nothing follows it."""
    answer = missed(tmp_path, "2026-03-04/3", "2026-03-05T03:00:00Z", kind="taper", advance="as_prescribed", phases=[a_phase(3, "5")])

    assert (answer["decision"], answer["until"], answer["next_at"]) == ("take_now", "2026-03-05T03:00:00Z", None)


def test_advice_is_told_in_words_to_people(tmp_path: Path) -> None:
    """Without --json the times are the patient's own."""
    file = saved(tmp_path, a_plan_file())

    printed = run("plan", "missed", "FILE", "--slot", "2026-03-03/1", "--at", "2026-03-03T14:00:00Z", file=file).stdout

    assert printed.splitlines()[:2] == ["take now", "until: Tue 03 Mar 2026 12:00 in America/New_York"]


@pytest.mark.parametrize(
    ("slot", "said"),
    [("2026-03-03/4", "that date has slots 1 to 3"), ("2026-03-01/1", "that date has none"), ("2026-03-03/9999", "slots 1 to 3")],
)
def test_a_slot_that_the_plan_has_not_is_refused(tmp_path: Path, slot: str, said: str) -> None:
    """Advice is about a slot of the plan."""
    result = run("plan", "missed", "FILE", "--slot", slot, "--at", "2026-03-03T14:00:00Z", file=saved(tmp_path, a_plan_file()))

    assert (result.exit_code, said in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("slot", "at"),
    [
        ("2026-03-03", "2026-03-03T14:00:00Z"),
        ("2026-03-03/0", "2026-03-03T14:00:00Z"),
        ("2026-03-03/1", "2026-03-03T14:00:00"),
        ("2026-03-03/1", "noon"),
    ],
)
def test_a_slot_or_instant_typed_wrong_ends_with_two(tmp_path: Path, slot: str, at: str) -> None:
    """A slot is DATE/NO, an instant has its zone."""
    assert run("plan", "missed", "FILE", "--slot", slot, "--at", at, file=saved(tmp_path, a_plan_file())).exit_code == 2


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ((), []),
        (("--age", "64", "--kidney", "90"), []),
        (("--age", "65"), ["older"]),
        (("--kidney", "weak"), ["kidney"]),
        (("--kidney", "45"), ["kidney", "kidney"]),
    ],
    ids=["nothing said", "ordinary", "65", "weak", "45"],
)
def test_check_flags_age_and_kidneys(tmp_path: Path, words: tuple[str, ...], codes: list[str]) -> None:
    """What is said of the patient is held against the drug's profile, and only warns."""
    result = CliRunner().invoke(app, ["plan", "check", str(saved(tmp_path, a_plan_file())), *words, "--json"])

    assert (result.exit_code, [found["code"] for found in json.loads(result.stdout) if found["code"] in {"older", "kidney"}]) == (0, codes)


@pytest.mark.parametrize("words", [("--age", "-1"), ("--age", "131"), ("--kidney", "0"), ("--kidney", "good"), ("--kidney", "1e3")])
def test_check_refuses_what_no_age_or_kidney_is(tmp_path: Path, words: tuple[str, ...]) -> None:
    """It ends with 2, and names the option."""
    result = CliRunner().invoke(app, ["plan", "check", str(saved(tmp_path, a_plan_file())), *words])

    assert (result.exit_code, words[0] in result.output) == (2, True)
