"""Plans as tables on a screen. Amounts of one dose and of the whole day always stand together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, time
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from reminders.domain.finding import Finding
from reminders.domain.plan import Amount, Kind, Plan, plain
from reminders.domain.profile import DrugProfile, Severity, Template
from reminders.domain.schedule import Slot
from reminders.domain.tablets import in_tablets, tablets_text
from reminders.services.building import Percents, Reading, Recipe, Steps, TwoReadings
from reminders.services.laying_out import USUAL_DAYS, Dispensing, TableRow, table_of, tablets_to_dispense
from reminders.services.previewing import Advised

NONE = "–"

MOST_TIMES = 5
"""More columns of times than these do not fit on a narrow screen."""

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def plan_table(plan: Plan, profile: DrugProfile, strengths: tuple[Amount, ...] | None = None, *, until_day: int = USUAL_DAYS) -> Group:
    """The dated table of a plan, what each amount is in tablets, and the tablets to dispense."""
    title = f"{plan.drug}, {plan.kind} from {plan.start:%Y-%m-%d}, {plan.zone}, {plan.advance}"
    table = _table()
    times = sorted({dose.at for phase in plan.phases for dose in phase.doses})
    apart = len(times) <= MOST_TIMES
    for heading in ("phase", "dates", "days"):
        table.add_column(heading, no_wrap=True)
    for heading in (*((f"{at:%H:%M}" for at in times) if apart else ("each dose",)), _of_a_day(plan), "so far"):
        table.add_column(heading, justify="right", no_wrap=True)
    year = plan.start.year
    for row in table_of(plan, until_day=until_day):
        if row.first.year != year:  # a line of its own: beside the dates it would make the table too wide
            year = row.first.year
            table.add_row("", str(year), style="bold")
        amounts = [plain(row.amounts[at]) if at in row.amounts else NONE for at in times]
        table.add_row(*_when(row, plan), *(amounts if apart else _in_one(row)), plain(row.per_day), _so_far(row))
    at = () if apart else _times(plan)
    dispensed = tablets_to_dispense(plan, profile, strengths, until_day=until_day)
    return Group(
        _title(title), table, *at, *_in_tablets(plan, profile, strengths), *(() if dispensed is None else (Text(), *_dispensing(dispensed)))
    )


def _when(row: TableRow, plan: Plan) -> tuple[str, str, str]:
    nth = plan.phases[row.phase_no - 1].every_n_days
    days = f"{row.from_day}–" if row.until_day is None else _span(row.from_day, row.until_day)
    return str(row.phase_no), _dates(row), days if nth == 1 else f"{days}, every {_nth(nth)}"


def _of_a_day(plan: Plan) -> str:
    """The heading of a day's total: with doses on some days only it is not what a day takes."""
    return f"{plan.unit}/day" if all(phase.every_n_days == 1 for phase in plan.phases) else f"{plan.unit}/dosing day"


def _in_one(row: TableRow) -> tuple[str]:
    return ("/".join(map(plain, row.amounts.values())),)


def _so_far(row: TableRow) -> str:
    return NONE if row.so_far is None else plain(row.so_far)


def _times(plan: Plan) -> Iterator[Text]:
    """From which phase on the doses have which times, where the times change too often for a column each."""
    before: tuple[time, ...] = ()
    for number, phase in enumerate(plan.phases, 1):
        times = tuple(dose.at for dose in phase.doses)
        if times != before:
            yield Text(f"from phase {number} at {', '.join(f'{at:%H:%M}' for at in times)}")
        before = times


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"


def _nth(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number // 10 % 10 != 1 else "th"
    return f"{number}{ending}"


def _dates(row: TableRow) -> str:
    first, last = row.first, row.last
    if last is None:
        return f"{_date(first)} on"
    if first == last:
        return _date(first)
    alike = (first.year, first.month) == (last.year, last.month)
    return f"{first:%a} {first.day} – {_date(last)}" if alike else f"{_date(first)} – {_date(last)}"


def _date(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def _in_tablets(plan: Plan, profile: DrugProfile, strengths: tuple[Amount, ...] | None) -> Iterator[Text]:
    for amount in sorted({dose.amount for phase in plan.phases for dose in phase.doses}):
        if in_tablets(amount, profile, strengths) is not None:
            yield Text(f"{amount}: {tablets_text(amount, profile, strengths)}")


def _dispensing(dispensed: Dispensing) -> tuple[Text, Table]:
    """The tablets to dispense, phase by phase and in all; two halves are one tablet, so that phases may add up to more."""
    table = _table()
    table.add_column("phase", no_wrap=True)
    for strength in dispensed.in_all:
        table.add_column(f"of {strength}", justify="right", no_wrap=True)
    for name, counts in (*((str(number), counts) for number, counts in enumerate(dispensed.phases, 1)), ("in all", dispensed.in_all)):
        table.add_row(name, *(str(counts.get(strength, NONE)) for strength in dispensed.in_all), style="bold" if name == "in all" else "")
    return _title("Tablets to dispense" + ("" if dispensed.until_day is None else f", to day {dispensed.until_day}")), table


def readings_table(readings: TwoReadings, recipe: Recipe, how: Steps | Percents) -> Group:
    """The two readings of a formula, side by side, and why one of them makes no plan."""
    table = _table()
    table.add_column("days", no_wrap=True)
    for name in readings.names:
        for heading in (name, f"{recipe.unit}/day", "so far"):
            table.add_column(heading, justify="right", no_wrap=True)
    for run in readings.runs:
        table.add_row(_span(*run.days), *_reading(run.left), *_reading(run.right))
    faults = [Text(f"{name}: {fault}") for name, fault in zip(readings.names, readings.faults, strict=True) if fault is not None]
    return Group(_title(f"{_formula(recipe, how)}, read in two ways"), table, *faults)


def _formula(recipe: Recipe, how: Steps | Percents) -> str:
    """A formula as it is spoken: +5 mg, or −10 %, every so many days."""
    change = f"{plain(how.percent)} %" if isinstance(how, Percents) else f"{plain(how.step)} {recipe.unit}"
    return f"{'+' if recipe.kind is Kind.TITRATION else '−'}{change} every {how.every_days} days"


def _reading(reading: Reading | None) -> tuple[str, str, str]:
    if reading is None:
        return NONE, NONE, NONE
    return "/".join(plain(amount) if amount else NONE for amount in reading.amounts), plain(reading.per_day), plain(reading.so_far)


def slots_table(slots: Iterable[Slot], plan: Plan, profile: DrugProfile) -> Group:
    """Slots by local date, each with its instant."""
    table = _table()
    for heading in ("date", "no.", "local time", "due (UTC)", "amount", "phase", "tablets"):
        table.add_column(heading)
    for slot in slots:
        table.add_row(
            f"{slot.local_date:%a %Y-%m-%d}",
            str(slot.number),
            f"{slot.local_time:%H:%M}",
            f"{slot.due_at:%Y-%m-%d %H:%M}",
            str(slot.amount),
            str(slot.phase_no),
            tablets_text(slot.amount, profile, plan.strengths),
        )
    return Group(_title(f"{plan.drug}, {plan.zone}"), table)


def findings_table(findings: Iterable[Finding]) -> Table:
    """What a check found: where and what, and beneath it the number found, the limit and its source."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        said = Text.assemble((finding.path, "bold"), f" {finding.message}\n{_measured(finding)}")
        table.add_row(Text(finding.level.value, style=_COLOURS[finding.level]), said)
    return table


def _measured(finding: Finding) -> str:
    numbers = f"found {finding.found}, limit {finding.limit}; " if finding.found or finding.limit else ""
    second = "; needs a second person's yes" if finding.second_confirmation else ""
    return f"{numbers}{finding.source} ({finding.confidence}){second}"


def advice_lines(advised: Advised, tz: ZoneInfo) -> Group:
    """Advice as a person reads it: the decision, its times by the patient's clock, the rule, the text."""
    lines = [Text(advised.decision.replace("_", " "), style="bold")]
    for name, at in (("until", advised.until), ("next dose", advised.next_at)):
        if at is not None:
            lines.append(Text(f"{name}: {at.astimezone(tz):%a %d %b %Y %H:%M} in {tz.key}"))
    return Group(*lines, Text(f"rule: {advised.rule}"), Text(f"text: {advised.text}"))


def template_line(template: Template) -> Text:
    """What a ready layout rests on."""
    basis = template.basis
    note = f"; {basis.note}" if basis.note else ""
    return Text(f"Ready layout {template.name}: {basis.value}{note} ({basis.source}; {basis.confidence}).")


def _title(words: str) -> Text:
    """A title as a line of its own: a table's would be broken to the width of the table."""
    return Text(words, style="italic")


def _table() -> Table:
    return Table(header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
