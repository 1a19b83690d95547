"""Write `docs/dosing-rules.md` from the tables that the tests beside this file run: `make rules`.

Each table stands on the page as the tests read it, under its own docstring, which says what it shows and ends with its
source. Here is only the order, the titles, and how a value reads in a cell; no number.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from reminders.domain.check_in import SignalKind
from reminders.domain.escalation import WEEKLY, CountedDose, Ladder
from reminders.domain.gate import AwaitYes, Stay, Step, StepDecision, StepFlagged
from reminders.domain.missed import TakeNow
from reminders.domain.plan import CheckInItem, Phase
from reminders.domain.supply import Want, in_words
from tests.laws import test_missed_laws

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "dosing-rules.md"
Row: TypeAlias = Sequence[Any]


@dataclass(frozen=True)
class Table:
    """A table on the page: where it is, its title, how a row reads (left out, its cells are words already), and what is code."""

    module: str
    name: str
    title: str
    headings: tuple[str, ...] = ()
    cells: Callable[[Row], Sequence[str]] | None = None
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of the page: a title, an introduction, its tables."""

    title: str
    words: str
    tables: tuple[Table, ...]


# --- how a value reads in a cell --------------------------------------------------------------------------------------


def _yes(value: bool | None, unknown: str = "not known") -> str:  # noqa: FBT001 - a cell
    return unknown if value is None else "yes" if value else "no"


def _or(words: str, otherwise: str) -> str:
    return words or otherwise


def _kinds(kinds: Sequence[SignalKind | CheckInItem]) -> str:
    return _or(", ".join(kinds), "nothing")


def _reports(reports: Sequence[tuple[int, str]]) -> str:
    return _or("; ".join(f"day {day}: {text}" for day, text in reports), "nothing")


def _decision(decision: StepDecision) -> str:
    match decision:
        case Step():
            return "the step, on its day"
        case StepFlagged():
            return "the step, on its day, flagged"
        case Stay():
            return "stays"
        case AwaitYes(urgent=True):
            return "waits for a yes, urgently"
        case AwaitYes():
            return "waits for a yes"


def _counted(dose: CountedDose) -> str:
    marks = {"silent, so as unconfirmed": dose.silent, "in no counter": dose.muted, "unverified": dose.unverified}
    return ", ".join([dose.state, *(words for words, there in marks.items() if there)])


def _rungs(ladder: Ladder) -> list[str]:
    rungs = (ladder.ask_after, ladder.caregivers_after, ladder.alert_after, ladder.urgent_after, ladder.cannot_reach_after)
    return ["never" if rung is None else str(rung) for rung in (*rungs, ladder.gap_suspend_doses)]


def _minutes(minutes: Sequence[int]) -> str:
    return _or(", ".join(map(str, minutes)), "not so")


def _at(phase: Phase) -> str:
    return " ".join(f"{dose.at:%H:%M}" for dose in phase.doses)


def _share(share: Fraction | None) -> str:
    return "0/0" if share is None else f"{share.numerator}/{share.denominator}"


WANTED = {
    Want.SHORT_OF_TAPER: "an urgent alert: the taper's end is not covered",
    Want.NEARLY_OUT: "an alert, urgent if a sudden stop can do harm",
    Want.ASK_FOR_MORE: "a text to the patient: fetch more",
}


# --- the page ---------------------------------------------------------------------------------------------------------

PLANS = (
    Table("test_shipped_profiles", "LIMITS", "What a plan is held against"),
    Table("test_shipped_profiles", "CLOCK", "How each drug reckons time"),
    Table("test_building", "FINDINGS", "What the check of a plan finds"),
    Table("test_patient_checks", "PATIENTS", "What it finds about a patient"),
    Table("test_patient_checks", "BESIDE", "What two plans of a patient are to each other"),
    Table(
        "test_shipped_profiles", "MAXIMA", "Past a maximum",
        ("profile", "mg", "at", "finding", "found", "limit", "source"),
        lambda row: (row[0], row[1], _at(row[2]), *row[4]),
    ),
    Table("test_building", "TWO_READINGS", "The two readings of a formula"),
    Table("test_building", "AFTER_DAY_30", "A fourth dose"),
    Table("test_building", "LABEL", "The label's titration"),
    Table("test_templates", "LAYOUTS", "Ready layouts of baclofen"),
    Table("test_building", "TAPERS", "Four tapers from 60 mg a day"),
    Table("test_building", "SLOTS", "Which dose of the day is lowered"),
    Table("test_building", "WAYS", "How a taper is asked for", code=("asked for by name", "asked for by amount")),
    Table("test_shipped_profiles", "LAYOUTS", "Ready layouts of the other drugs"),
    Table("test_shipped_profiles", "PREDNISOLONE", "How long prednisolone is tapered"),
    Table("test_shipped_profiles", "CUTS", "How far and how soon a day falls"),
    Table("test_shipped_profiles", "BENZODIAZEPINES", "How fast a benzodiazepine falls"),
)  # fmt: skip

MISSED = (
    Table("test_missed_dose", "LAST_MOMENT", "The last moment to take it"),
    Table("test_missed_dose", "ASKED_AT", "What a patient who asks is told"),
    Table("test_missed_dose", "ACROSS_A_STEP", "Across a step"),
    Table("test_missed_dose", "LAST_OF_ALL", "The last dose before a stop"),
    Table(
        "test_missed_dose", "ONCE_A_WEEK", "Once a week",
        ("asked", "answer"), lambda row: (row[0], "take now" if row[2] is TakeNow else "skip"),
    ),
    Table("test_missed_dose", "REMINDER_OF", "Before every reminder"),
    Table("test_missed_dose", "LATER_START", "After “not before”"),
)  # fmt: skip

TIMES = (
    Table("test_four_times", "FOUR_TIMES", "The four times"),
    Table(
        "test_four_times", "OFFERED", "By when a reminded dose is taken",
        ("rule", "by"), lambda row: (row[0], row[2]),
    ),
    Table(
        "test_four_times", "ROOM", "Room for another plan",
        ("rule", "take until"), lambda row: (row[0], row[2] or "a person is asked"),
    ),
)  # fmt: skip

GATE = (
    Table(
        "test_gate", "REQUIRED", "How many doses must be confirmed",
        ("closed doses", "confirmed"), lambda row: [str(cell) for cell in row],
    ),
    Table("test_gate", "GATES", "The doses of a gate", code=("before", "phase")),
    Table(
        "test_gate", "CONDITIONS", "The other conditions",
        ("condition", "gate"), lambda row: (row[0], _or("; ".join(row[2]), "met")),
    ),
)  # fmt: skip

POLICIES = (
    Table(
        "test_gate", "POLICIES", "What a policy makes of a gate",
        ("policy", "plan", "tablets last through a stay", "gate met", "gate unmet"),
        lambda row: (row[0], row[1], _yes(row[2]), _decision(row[3]), _decision(row[4])),
        ("policy",),
    ),
    Table(
        "test_gate", "OVERTURNS", "What overturns an announced step",
        ("news", "step"), lambda row: (row[0], f"overturned: {'; '.join(row[2])}" if row[2] else "stands"),
    ),
    Table("test_gate", "RESUMED", "What a stay shifts"),
)  # fmt: skip

CHECK_INS = (
    Table(
        "test_check_in", "DAYS", "On which days",
        ("plan", "asks on day"), lambda row: (row[0], _or(", ".join(str(day - 1) for day in row[2]), "never")),
    ),
    Table("test_check_in", "ITEMS", "What is asked", ("on", "asked"), lambda row: (row[0], _kinds(row[2]))),
    Table(
        "test_check_in", "CALLS", "What calls for a look",
        ("told", "answers", "calls for"), lambda row: (row[0], _reports(row[1]), _kinds(row[2])),
    ),
    Table(
        "test_check_in", "BESIDE", "Beside another medicine",
        ("medicine", "asked on day"), lambda row: (row[0], _or(", ".join(str(day - 1) for day in row[4]), "never")),
    ),
    Table(
        "test_check_in", "ASKED_BESIDE", "What another medicine has asked",
        ("medicine", "asked"), lambda row: (row[0], _kinds([row[1]])),
    ),
    Table("test_check_in", "HIGHER", "Dizziness beside an antihypertensive", ("told", "calls for"), lambda row: (row[0], _kinds(row[3]))),
    Table("test_check_in", "TAPERING", "Stiffness on a taper", ("answer", "calls for"), lambda row: (row[0], _kinds(row[1]))),
)  # fmt: skip

ESCALATION = (
    Table("test_escalation", "COUNTERS", "The counters", code=("doses",)),
    Table("test_escalation", "LADDER", "The ladder", code=("doses",)),
    Table("test_escalation", "FIRES", "What is raised on the way", code=("doses",)),
    Table(
        "test_escalation", "LADDERS", "The ladder of a plan",
        ("plan", "ask why", "caregivers", "alert", "urgent", "cannot reach", "suspended, when reported"),
        lambda row: (row[0], *_rungs(row[3])),
    ),
    Table("test_shipped_profiles", "LADDERS", "The ladder of each drug"),
    Table(
        "test_escalation", "CANNOT_REACH", "Cannot reach",
        ("doses without an answer", "letters", "stands"), lambda row: (row[0], row[2], _yes(row[5])), ("letters",),
    ),
    Table(
        "test_escalation", "SEEN", "A dose as the counters see it",
        ("dose", "at", "counted as"), lambda row: (row[0], "12:00" if row[2] == 0 else "a minute before", _counted(row[3])),
    ),
    Table(
        "test_escalation", "SAID", "What staff read",
        ("doses", "ladder", "words"), lambda row: (row[0], "weekly" if row[1] == WEEKLY else "three a day", row[2]), ("doses",),
    ),
    Table(
        "test_escalation", "RAISED_AGAIN", "Until somebody takes it on",
        ("severity", "minutes after it was raised"), lambda row: (row[0], _minutes(row[1])),
    ),
    Table("test_escalation", "TOLD_APART", "Texts of alerts to one phone", ("last raised", "apart"), lambda row: tuple(map(str, row))),
    Table(
        "test_escalation", "OVERDUE", "What nobody took on in time",
        ("waits", "raised again", "words"), lambda row: (str(row[0]), str(row[1]), row[2]),
    ),
)  # fmt: skip

SUPPLY = (
    Table("test_supply", "COUNTABLE", "Which tablets are counted", ("tablets", "counted"), lambda row: (row[0], row[4] or "yes")),
    Table(
        "test_supply", "ON_HAND", "What is on hand",
        ("rule", "told and taken", "left"), lambda row: (row[0], row[1], in_words(row[2])), ("told and taken",),
    ),
    Table(
        "test_supply", "LASTS", "How long tablets last",
        ("plan", "tablets", "runs out on", "missing"),
        lambda row: (row[0], str(row[2]), "never" if row[3] is None else f"{row[3].day} {row[3]:%B}", str(row[4] or "–")),
    ),
    Table("test_supply", "STAYED", "A taper that stays", ("days stayed", "tablets needed"), lambda row: [str(cell) for cell in row]),
    Table(
        "test_supply", "ENOUGH", "Enough for a step",
        ("step to", "tablets", "enough"), lambda row: (row[0], str(row[2]), _yes(row[3])),
    ),
    Table(
        "test_supply", "WANTS", "What it calls for",
        ("tablets", "calls for"), lambda row: (row[0], _or(", ".join(WANTED[want] for want in Want if want in row[3]), "nothing")),
    ),
)  # fmt: skip

SECTIONS = (
    Section(
        "The letters", "Tables of doses write what became of each dose as a letter.",
        (
            Table("test_adherence", "LETTERS", "What the letters mean", code=("letter",)),
            Table(
                "test_adherence", "MARKS", "Which letter a dose gets",
                ("the dose was", "letter"), lambda row: (row[0], row[2]), ("letter",),
            ),
        ),
    ),
    Section(
        "Plans", "Doseline lays a plan out, checks it and flags; a provider approves the dated table. Bare amounts are mg.",
        PLANS,
    ),
    Section("A missed dose", "Take it late, leave it out, or ask: never two, and a late dose never moves the next one.", MISSED),
    Section("The four times of a dose", "A dose has four times, not one window.", TIMES),
    Section("The gate before a step", "The conditions that should hold before the next phase begins, up or down.", GATE),
    Section("Steps", "What becomes of a step. No step goes up, restarts or speeds up without a provider.", POLICIES),
    Section(
        "Who decides", "Every act has a name under it, of somebody on the clinic's list.",
        (
            Table(
                "test_roles", "MAY", "Who may do what",
                ("act", "provider", "staff", "admin"), lambda row: (row[0].replace("_", " "), *map(_yes, row[1:])),
            ),
        ),
    ),
    Section(
        "When a plan changes", "A new version, a move to another zone and a restart join the old doses to the new at one point.",
        (Table("test_seams", "SEAMS", "Where the old doses join the new"),),
    ),
    Section(
        "Check-ins", "A plan can ask how it goes. An answer can leave a gate unmet and ask a person to look; it never changes a dose.",
        CHECK_INS,
    ),
    Section("Tablets at home", "Tablets are reckoned where somebody keeps count; a doubt counts against them.", SUPPLY),
    Section(
        "Repeated misses", "Three counters, and what they raise: not taken, unanswered, not reminded. Silence alone never suspends.",
        ESCALATION,
    ),
    Section(
        "Restraint", "A guard behind all others, should one of them fail.",
        (
            Table(
                "test_restraint", "TEXTS", "How often one phone is texted",
                ("in the last hour", "in the last day", "the same words", "too much", "too much, if urgent"),
                lambda row: [_yes(cell) if isinstance(cell, bool) else str(cell) for cell in row],
            ),
        ),
    ),
    Section(
        "The states of a dose", "A dose stands where all that was sent, said and proved puts it, in whatever order receipts come.",
        (Table("test_transitions", "TRANSITIONS", "What each event does"),),
    ),
    Section(
        "Adherence", "How taking matched the plan, from the letters above.",
        (
            Table("test_adherence", "VECTORS", "How much was taken", code=("doses",)),
            Table("test_adherence", "MEASURES", "How much was on time", code=("doses",)),
            Table(
                "test_adherence", "PERCENTAGES", "How a share prints",
                ("share", "prints"), lambda row: (_share(row[0]), row[1]),
            ),
        ),
    ),
)  # fmt: skip

HEAD = """\
# The dosing rules

Everything on this page is a table that Doseline's tests run (`tests/spec/`): a row that the software does not follow fails
them. The page is written from those tables by `make rules`; nobody edits it by hand.

A patient's approved plan comes before anything here. Doseline lays out, checks, reminds and flags. It never computes,
raises, restarts or speeds up a dose by itself, and it authorises no treatment: a clinician holds a drug's profile against
the current label before it is switched on.

Each table names its source, and how sure it is:

- *sourced*: the source beside it says so
- *second-hand*: a secondary page quotes it; confirm it in the primary source before clinical use
- *default*: Doseline's own choice, which a clinic may change; no clinical source claims it
"""

LAWS = "What holds of the missed-dose rule for every plan, whatever a patient does, tried on thousands of made-up lives:"


def page() -> str:
    """Return the whole page."""
    contents = "\n".join(f"{number}. [{section.title}](#{_anchor(section.title)})" for number, section in enumerate(SECTIONS, 1))
    return "\n".join([HEAD, f"{contents}\n", *(_section(section) for section in SECTIONS)])


def documented(source: str) -> dict[str, str]:
    """Find the constants of a module that have a docstring below them, in order."""
    body = ast.parse(source).body
    return {
        target.id: below.value.value
        for here, below in pairwise(body)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
        for target in (here.targets if isinstance(here, ast.Assign) else [here.target] if isinstance(here, ast.AnnAssign) else [])
        if isinstance(target, ast.Name)
    }


def told(table: Table) -> tuple[str, str]:
    """Return what a table's docstring says it shows, and its source."""
    words, _, source = documented((HERE / f"{table.module}.py").read_text(encoding="utf-8"))[table.name].partition("\n\nSource: ")
    return words, " ".join(source.split())


def _section(section: Section) -> str:
    parts = [f"## {section.title}", section.words, *(_table(table) for table in section.tables)]
    if section.tables is MISSED:
        parts.append("\n".join(["### What always holds", "", LAWS, "", *_laws()]))
    return "\n\n".join(parts) + "\n"


def _laws() -> Iterator[str]:
    for name, law in vars(test_missed_laws).items():
        if name.startswith("test_"):
            yield f"- {law.__doc__}"


def _table(table: Table) -> str:
    words, source = told(table)
    rows = getattr(import_module(f"tests.spec.{table.module}"), table.name)
    headings, rows = (rows[0], rows[1:]) if table.cells is None else (table.headings, rows)
    lines = [
        _line([_escaped(heading) for heading in headings]),
        _line(["---"] * len(headings)),
        *(_line(_cells(table, headings, row)) for row in rows),
    ]
    return "\n".join([f"### {table.title}", "", words, "", *lines, "", f"*Source: {source}*"])


def _cells(table: Table, headings: Sequence[str], row: Row) -> Iterator[str]:
    cells = row if table.cells is None else table.cells(row)
    for place, (heading, cell) in enumerate(zip(headings, cells, strict=True)):
        if heading in table.code and cell not in {"", "–"}:
            yield f"`{cell}`"
        else:
            yield _escaped(cell) if cell or not place else "nothing"


def _escaped(cell: str) -> str:
    """Escape what Markdown would read as its own, and keep a number and its unit on one line."""
    together = re.sub(r"(?<=\d) (?=(?:mg|mL|h|d)\b)", "\N{NO-BREAK SPACE}", cell.replace("_", " "))
    return re.sub(r"([\\`*<|~\[\]])", r"\\\1", together)


def _line(cells: Iterator[str] | Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
