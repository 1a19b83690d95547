"""Plans as tables on a screen. Amounts of one dose and of the whole day always stand together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from reminders.domain.finding import Finding
from reminders.domain.plan import Kind, Plan, plain
from reminders.domain.profile import DrugProfile, Severity
from reminders.domain.schedule import Slot
from reminders.domain.tablets import tablets_text
from reminders.services.building import Reading, Recipe, TableRow, TwoReadings
from reminders.services.previewing import Advised

NONE = "–"
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def plan_table(plan: Plan, rows: Iterable[TableRow], profile: DrugProfile) -> Group:
    """The dated table of a plan, a row for each phase, and what each amount is in tablets."""
    times = sorted({dose.at for phase in plan.phases for dose in phase.doses})
    table = _table(f"{plan.drug}, {plan.kind} from {plan.start:%Y-%m-%d}, {plan.zone}, {plan.advance}")
    for heading in ("phase", "dates", "days"):
        table.add_column(heading, no_wrap=True)
    for heading in (*(f"{at:%H:%M}" for at in times), f"{plan.unit} a day", "so far"):
        table.add_column(heading, justify="right")
    for row, phase in zip(rows, plan.phases, strict=True):
        every = "" if phase.every_n_days == 1 else f", every {phase.every_n_days} days"
        amounts = [plain(row.amounts[at]) if at in row.amounts else NONE for at in times]
        so_far = NONE if row.so_far is None else plain(row.so_far)
        table.add_row(str(row.phase_no), _dates(row), f"{row.days or 'open'}{every}", *amounts, plain(row.per_day), so_far)
    return Group(table, *_in_tablets(plan, profile))


def _dates(row: TableRow) -> str:
    first = f"{row.first:%a} {row.first.day} {row.first:%b}"
    return f"{first} on" if row.last is None else f"{first} – {row.last:%a} {row.last.day} {row.last:%b}"


def _in_tablets(plan: Plan, profile: DrugProfile) -> Iterator[Text]:
    for amount in sorted({dose.amount for phase in plan.phases for dose in phase.doses}):
        yield Text(f"{amount}: {tablets_text(amount, profile)}")


def readings_table(readings: Iterable[TwoReadings], recipe: Recipe) -> Table:
    """The two readings of a step, side by side."""
    sign = "+" if recipe.kind is Kind.TITRATION else "−"
    table = _table(f"{sign}{plain(recipe.step)} {recipe.unit} every {recipe.every_days} days, read in two ways")
    table.add_column("days")
    for basis in ("per dose", "per day"):
        for heading in (basis, f"{recipe.unit} a day", "so far"):
            table.add_column(heading, justify="right")
    for row in readings:
        first, last = row.days
        table.add_row(f"{first}-{last}", *_reading(row.per_dose), *_reading(row.per_day))
    return table


def _reading(reading: Reading | None) -> tuple[str, str, str]:
    if reading is None:
        return NONE, NONE, NONE
    return "/".join(plain(amount) if amount else NONE for amount in reading.amounts), plain(reading.per_day), plain(reading.so_far)


def slots_table(slots: Iterable[Slot], plan: Plan, profile: DrugProfile) -> Table:
    """Slots by local date, each with its instant."""
    table = _table(f"{plan.drug}, {plan.zone}")
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
            tablets_text(slot.amount, profile),
        )
    return table


def findings_table(findings: Iterable[Finding]) -> Table:
    """What a check found: where, what, the number found, the limit and its source."""
    table = _table(None)
    for heading in ("level", "where", "what", "found", "limit", "source"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        source = f"{finding.source} ({finding.confidence})"
        table.add_row(
            finding.level.value, finding.path, finding.message, finding.found, finding.limit, source, style=_COLOURS[finding.level]
        )
    return table


def advice_lines(advised: Advised, tz: ZoneInfo) -> Group:
    """Advice as a person reads it: the decision, its times by the patient's clock, the rule, the text."""
    lines = [Text(advised.decision.replace("_", " "), style="bold")]
    for name, at in (("until", advised.until), ("next dose", advised.next_at)):
        if at is not None:
            lines.append(Text(f"{name}: {at.astimezone(tz):%a %d %b %Y %H:%M} in {tz.key}"))
    return Group(*lines, Text(f"rule: {advised.rule}"), Text(f"text: {advised.text}"))


def _table(title: str | None) -> Table:
    return Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD)
