"""A story as a person would read it: each phone's conversation, each plan's doses as a grid, the alerts, the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reminders.domain.acting import StaffAct, StaffAction
from reminders.domain.adherence import Mark, percent
from reminders.formats.story_file import CarrierChange, DeskAct, HearingChange, Outage, TextIn
from reminders.reports.adherence_report import CAVEATS
from reminders.services import reporting

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reminders.formats.story_file import StoryEvent
    from reminders.services.records.history import DoseLine
    from reminders.services.rehearsing import Line

MARKS: Mapping[Mark, tuple[str, str]] = MappingProxyType(
    {
        Mark.T: ("green", "taken on time"),
        Mark.L: ("green4", "taken late, within the rule"),
        Mark.X: ("orange3", "taken later than the rule"),
        Mark.C: ("dark_cyan", "taken, told afterwards"),
        Mark.R: ("blue", "left out, as advised"),
        Mark.P: ("magenta", "skipped by the patient"),
        Mark.M: ("red", "missed, as told"),
        Mark.U: ("yellow", "unconfirmed"),
        Mark.N: ("bright_black", "not reminded"),
        Mark.Z: ("bright_black", "not due, or muted"),
        Mark.o: ("white", "still open"),
    }
)
PICTURED = 2
SEVERITIES = {"emergency": "bold red", "urgent": "red", "warning": "yellow", "info": "dim"}


@dataclass(frozen=True)
class Entry:
    """One line of a conversation: who (`us`, `them`, or what else happened), what, and whether it is everyday.

    at is in the zone of the phone as it then was; purpose is that of a text of ours.
    """

    at: datetime
    who: str
    text: str
    everyday: bool = False
    purpose: str = ""


@dataclass
class Telling:
    """Gathers what a story tells, and prints it."""

    engine: Engine
    people: dict[str, str] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)
    phones_of: dict[str, list[str]] = field(default_factory=dict)
    talks: dict[str, list[Entry]] = field(default_factory=dict)
    alerts: list[Line] = field(default_factory=list)
    plans: list[Line] = field(default_factory=list)
    troubles: list[Line] = field(default_factory=list)
    acts: list[tuple[datetime, str]] = field(default_factory=list)
    summary: Line = field(default_factory=dict)

    def introduce(self, enrolment: Any) -> None:  # noqa: ANN401 - the JSON values of an import file, checked before
        """Learn whose phone is whose, and in which zone they live."""
        clinic = enrolment["clinic"]
        if on_call := clinic.get("on_call"):
            self.people[on_call["phone"]], self.zones[on_call["phone"]] = f"on call at {clinic['name']}", clinic["zone"]
        for patient in enrolment["patients"]:
            phones = [patient["phone"], *(person["phone"] for person in patient.get("caregivers", ()))]
            self.phones_of.update({plan["ref"]: phones for plan in patient.get("plans", ())})
            if patient["phone"]:
                self.people[patient["phone"]], self.zones[patient["phone"]] = patient["name"], patient["zone"]
            for person in patient.get("caregivers", ()):
                self.people[person["phone"]] = f"{person['name']}, {person['relationship']} of {patient['name']} ({person['role']})"
                self.zones[person["phone"]] = patient["zone"]

    def hears(self, event: StoryEvent) -> None:
        """Note what people do."""
        match event:
            case TextIn(at=at, phone=phone, text=text):
                self._add(phone, Entry(at, "them", text, everyday=_everyday(text)))
            case StaffAct(at=at, action=action, plan=plan, reason=reason, by=by):
                listed = dict.fromkeys((StaffAction.ADD_MEDICINE, StaffAction.REMOVE_MEDICINE), f": {event.medicine}")
                what = {StaffAction.MOVE_ZONE: f" to {event.zone}", **listed}.get(action, "")
                self._move(plan, event.zone)
                self.acts.append((at, f"{by}: {action.value.replace('_', ' ')} {plan}{what} ({reason})"))
            case DeskAct(at=at, patient=patient, by=by):
                did = ["writes"] if event.text else []
                did += {True: ["takes the conversation over"], False: ["hands the conversation back"], None: []}[event.takes_over]
                self.acts.append((at, f"{by}: {' and '.join(did)} ({patient})"))
            case CarrierChange(at=at, phone=phone, status=status, code=code):
                self._add(phone, Entry(at, "carrier", f"from here on: {status}{f' ({code})' if code else ''}"))
            case Outage(at=at, until=until):
                self.acts.append((at, f"outage until {until:%d %b %H:%M} UTC"))
            case HearingChange(at=at):
                ways = {"our webhook": event.webhook, "the carrier's lists": event.lists}
                self.acts.append((at, ", ".join(f"{way} {'on' if works else 'off'}" for way, works in ways.items() if works is not None)))

    def sees(self, line: Line) -> None:
        """Note what Doseline does."""
        match line["kind"]:
            case "text_out":
                self._add(line["to"], Entry(_instant(line["at"]), "us", line["body"], _everyday_text(line), line["purpose"]))
            case "alert":
                self.alerts.append(line)
            case "plan":
                self.plans.append(line)
            case "trouble":
                self.troubles.append(line)
            case "summary":
                self.summary = line
            case _:
                pass

    def print_on(self, console: Console) -> None:
        """Print it all."""
        for phone, talk in self.talks.items():
            console.print()
            self._print_heading(console, phone)
            for text in _conversation(talk):
                console.print(Padding(text, (0, 0, 0, 2)))
        self._print_doses(console)
        self._print_alerts(console)
        self._print_report(console)

    def _add(self, phone: str, entry: Entry) -> None:
        self.talks.setdefault(phone, []).append(replace(entry, at=entry.at.astimezone(ZoneInfo(self._zone(phone)))))

    def _zone(self, phone: str) -> str:
        return self.zones.get(phone, "UTC")

    def _move(self, plan: str, zone: str | None) -> None:
        """From here on the phones behind a plan show their times in another zone."""
        if zone is not None:
            self.zones.update(dict.fromkeys(self.phones_of.get(plan, ()), zone))

    def print_picture(self, console: Console) -> None:
        """Print what fits on a page: for the first phones that were advised or alarmed, that day; the doses; the alerts."""
        shown = 0
        for phone, talk in self.talks.items():
            telling = next((entry for entry in talk if entry.purpose in {"advice", "caregiver_alert"}), None)
            if telling is not None and shown < PICTURED:
                shown += 1
                self._print_heading(console, phone)
                for text in _day([entry for entry in talk if entry.at.date() == telling.at.date()]):
                    console.print(Padding(text, (0, 0, 0, 2)))
                console.print()
        self._print_doses(console)
        self._print_alerts(console)

    def _print_heading(self, console: Console, phone: str) -> None:
        where = f"   {phone}, times in {self.talks[phone][0].at.tzinfo}"
        console.print(Text.assemble((self.people.get(phone, phone), "bold"), (where, "dim")))

    def _print_doses(self, console: Console) -> None:
        lines = reporting.dose_lines(self.engine)
        console.print(Text("\nDoses, a column a day and a row a slot", style="bold"))
        for ref, group in groupby(lines, key=lambda line: line.plan):
            console.print(Text(f"\n  {ref}", style="bold"))
            for row in _grid(list(group)):
                console.print(Padding(row, (0, 0, 0, 2)), no_wrap=True, crop=False, overflow="ignore")
        used = {line.mark for line in lines}
        key = Text("\n  ")
        for mark, (style, words) in MARKS.items():
            if mark in used:
                key.append_text(Text.assemble((mark.value, style), f" {words}   "))
        console.print(key)

    def _print_alerts(self, console: Console) -> None:
        console.print(Text("\nAlerts, and what the clinic did", style="bold"))
        told = [(_instant(alert["at"]), _alert(alert)) for alert in self.alerts]
        told += [(at, Text(words, style="green")) for at, words in self.acts]
        told += [(_instant(trouble["at"]), _trouble(trouble)) for trouble in self.troubles]
        told += [(_instant(plan["at"]), _plan(plan)) for plan in self.plans if plan["reason"] or plan["state"] != "active"]
        for at, text in sorted(told, key=lambda one: one[0]):
            console.print(Padding(Text.assemble((f"{at:%a %d %b %H:%M}Z  ", "dim"), text), (0, 0, 0, 2)))

    def _print_report(self, console: Console) -> None:
        console.print(Text("\nAdherence", style="bold"))
        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in ("plan", "due", "taken", "skipped", "missed", "silent", "unsent", "lower", "upper"):
            table.add_column(name, justify="left" if name == "plan" else "right", no_wrap=True)
        for plan in reporting.adherence_of_plans(self.engine):
            states = [str(plan.states.get(state, 0)) for state in ("taken", "skipped", "missed", "unconfirmed", "not_reminded")]
            shares = [_share(percent(share)) for share in (plan.scores.lower, plan.scores.upper)]
            table.add_row(plan.plan, str(plan.due), *states, *shares)
        console.print(Padding(table, (0, 0, 0, 2)))
        for caveat in CAVEATS:
            console.print(Padding(Text(caveat, style="dim"), (0, 0, 0, 2)))
        if self.summary:
            console.print(Text(f"\n  Alerts for the clinic: {self.summary['alerts_per_100_patient_days']} per 100 patients a day."))


def _everyday_text(line: Line) -> bool:
    return line["purpose"] == "reminder" and "new amount" not in line["body"] and "not before" not in line["body"]


def _share(text: str) -> str:
    return text if text == "no data" else f"{text}%"


def _everyday(text: str) -> bool:
    return text.strip().lower().rstrip(".!") in {"1", "taken", "done", "yes", "yes, taken", "taken, thanks", "she took it"}


def _conversation(talk: Sequence[Entry]) -> Iterator[Text]:
    """A conversation by days; days on which every reminder was answered are told in a line."""
    days = [(day, list(entries)) for day, entries in groupby(sorted(talk, key=lambda entry: entry.at), key=lambda entry: entry.at.date())]
    for routine, run in groupby(days, key=lambda day: _routine(day[1])):
        if routine:
            yield _in_a_line(list(run))
        else:
            for _, entries in run:
                yield from _day(entries)


def _routine(entries: Sequence[Entry]) -> bool:
    ours, theirs = [entry for entry in entries if entry.who == "us"], [entry for entry in entries if entry.who == "them"]
    return all(entry.everyday for entry in entries) and len(ours) == len(theirs)


def _in_a_line(run: Sequence[tuple[date, list[Entry]]]) -> Text:
    first, last = run[0][0], run[-1][0]
    count = sum(1 for _, entries in run for entry in entries if entry.who == "us")
    when = f"{first:%a %d %b}" if first == last else f"{first:%a %d %b} to {last:%a %d %b}"
    return Text(f"{when}: {count} reminders, each answered", style="dim")


def _day(entries: Iterable[Entry]) -> Iterator[Text]:
    for entry in entries:
        at = f"{entry.at:%a %d %b %H:%M}  "
        if entry.who == "us":
            yield Text.assemble((at, "dim"), ("→ ", "cyan"), entry.text)
        elif entry.who == "them":
            yield Text.assemble((at, "dim"), ("← ", "green"), (entry.text, "green"))
        else:
            yield Text.assemble((at, "dim"), (f"* {entry.who} {entry.text}", "red"))


def _grid(lines: Sequence[DoseLine]) -> Iterator[Text]:
    """The doses of a plan: a heading of days, then a row a slot."""
    first, last = min(line.local_date for line in lines), max(line.local_date for line in lines)
    days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
    by_slot = {(line.local_date, line.slot_no): line for line in lines}
    yield Text("     " + _heading(days), style="dim")
    for slot_no in sorted({line.slot_no for line in lines}):
        row = Text.assemble((f"{slot_no:>3}  ", "dim"))
        for day in days:
            dose = by_slot.get((day, slot_no))
            row.append(dose.mark.value if dose else " ", style=MARKS[dose.mark][0] if dose else "")
        yield row


def _heading(days: Sequence[date]) -> str:
    """The date of every Monday above its column, where there is room for it."""
    heading = ""
    for column, day in enumerate(days):
        if day.weekday() == 0 and len(heading) <= column:
            heading = heading.ljust(column) + f"{day:%d %b} "
    return heading.rstrip()


def _alert(alert: Line) -> Text:
    style = SEVERITIES[alert["severity"]]
    about = alert["plan"] or ""
    return Text.assemble((f"{alert['severity']}: {alert['alert'].replace('_', ' ')}", style), f"  {about}  → {alert['to']}")


def _trouble(trouble: Line) -> Text:
    over = trouble["state"] == "over"
    words = f"{'over' if over else 'trouble'}: {trouble['trouble'].replace('_', ' ')}"
    return Text.assemble((words, "green" if over else "red"), "  → operator")


def _plan(plan: Line) -> Text:
    return Text.assemble(
        (f"{plan['plan']} is {plan['state']}", "bold"), f", phase {plan['phase']}", f": {plan['reason']}" if plan["reason"] else ""
    )


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
