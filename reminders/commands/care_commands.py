"""`doseline act`, `correct` and `edit`: what a named person at the clinic does to a plan or a dose, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from reminders.as_json.edits import edited_json, finding_json
from reminders.commands.ledger import now_of, the_ledger
from reminders.commands.output import SCREEN, JsonFlag, print_json, print_table, telling
from reminders.commands.typed import FileArgument, SlotName, choice_of, date_option, read_file, slot_name, typed
from reminders.domain.acting import StaffAct, StaffAction
from reminders.domain.dose_state import SETTABLE, DoseState
from reminders.domain.profile import Severity
from reminders.domain.schedule import Slot
from reminders.errors import NotAllowed
from reminders.formats.plan_file import read_plan
from reminders.services import editing, prescribing
from reminders.services.editing import Edited

PlanArgument = Annotated[str, typer.Argument(metavar="PLAN", help="The plan, by its reference.")]
ByOption = Annotated[str, typer.Option("--by", help="Who decides it: a person's name.", metavar="NAME")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why. Kept with the event.", metavar="WORDS")]
CONTRAINDICATED = "contraindicated, and nothing is stopped by it: decide now"
NEEDED = {
    StaffAction.RESTART: "phase",
    StaffAction.MOVE_ZONE: "zone",
    StaffAction.SLOW_DOWN: "days",
    StaffAction.ADD_MEDICINE: "medicine",
    StaffAction.REMOVE_MEDICINE: "medicine",
}


def act(
    ctx: typer.Context,
    action: Annotated[StaffAction, typer.Argument(metavar="ACTION", help=", ".join(action.value for action in StaffAction))],
    plan: PlanArgument,
    *,
    by: ByOption,
    reason: ReasonOption = "",
    phase: Annotated[int | None, typer.Option(min=1, help="With restart: the phase to begin at, from 1.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=366, help="With slow_down: by how many days each phase is longer.")] = None,
    zone: Annotated[str | None, typer.Option(help="With move_zone: where the patient's clocks are, like Europe/London.")] = None,
    alert: Annotated[str | None, typer.Option(help="With acknowledge: only this kind of alert.")] = None,
    medicine: Annotated[
        str | None, typer.Option(help="With add_medicine, remove_medicine: what goes on the patient's list, or off it.")
    ] = None,
    labs_due: Annotated[
        date | None, typer.Option(parser=typed(date_option), metavar="DATE", help="With acknowledge: by when a laboratory checks.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Act on a plan, as a named person: keep it back, let it go on, slow it down, suspend, restart, stop it, take its alerts on."""
    given = {"phase": phase, "zone": zone, "days": days, "medicine": medicine}
    with telling(ctx):
        wanted = NEEDED.get(action)
        if wanted is not None and given[wanted] is None:
            raise typer.BadParameter(f"{action.value} needs it", ctx=ctx, param_hint=f"--{wanted}")
        with the_ledger() as engine:
            now = now_of(engine)
            done = StaffAct(
                now,
                action,
                plan,
                reason=reason,
                by=by,
                phase=phase,
                zone=zone,
                alert=alert,
                days=days,
                medicine=medicine,
                labs_due=labs_due,
            )
            try:
                after = prescribing.act(engine, done, now=now)
            except NotAllowed as refused:
                raise NotAllowed(f"{refused}{_instead(action)}") from refused
    if as_json:
        beside = [{"plan": ref, **finding_json(finding), "source": finding.source} for ref, finding in after.beside]
        print_json({"plan": plan, "state": after.state.value, "phase": after.phase, "action": action.value, "beside": beside})
        return
    SCREEN.print(Text(f"{plan} is {after.state.value}, on phase {after.phase}."))
    for ref, finding in after.beside:
        SCREEN.print(Text(f"{ref}: {CONTRAINDICATED if finding.level is Severity.ERROR else finding.level}: {finding}"), soft_wrap=True)


def _instead(action: StaffAction) -> str:
    if action is not StaffAction.STOP:
        return ""
    return ". Lay a taper out with `doseline plan taper` (`doseline drugs show` names the ready layouts), and give it with `doseline edit`"


def correct(
    ctx: typer.Context,
    plan: PlanArgument,
    dose: Annotated[SlotName, typer.Argument(parser=typed(slot_name), metavar="DATE/NO", help="The dose, like 2026-03-02/1.")],
    state: Annotated[
        DoseState, typer.Argument(parser=typed(choice_of(*SETTABLE)), metavar="STATE", help=", ".join(state.value for state in SETTABLE))
    ],
    *,
    by: ByOption,
    reason: Annotated[str, typer.Option("--reason", help="How it is known. Kept with the dose.", metavar="WORDS")],
    as_json: JsonFlag = False,
) -> None:
    """Set right what is recorded of a dose, as a named person with a reason. What was recorded before is kept beside it."""
    with telling(ctx):
        if not reason.strip():
            raise NotAllowed("a correction needs its reason")
        with the_ledger() as engine:
            now, (day, number) = now_of(engine), (dose.local_date, dose.number)
            prescribing.correct(engine, plan_ref=plan, local_date=day, slot_no=number, state=state, by=by, reason=reason, now=now)
    if as_json:
        print_json({"plan": plan, "local_date": day.isoformat(), "slot_no": number, "state": state.value})
    else:
        SCREEN.print(Text(f"{plan}: dose {number} of {day:%a %d %b %Y} is {state.value}."))


def edit(
    ctx: typer.Context,
    plan: PlanArgument,
    file: FileArgument,
    *,
    by: Annotated[
        str | None, typer.Option("--by", help="Who approves it: a person's name. Left out, nothing is stored.", metavar="NAME")
    ] = None,
    reason: ReasonOption = "",
    as_json: JsonFlag = False,
) -> None:
    """Show what a new plan file would do to a plan: where it joins, and what speaks against it. With --by and --reason it is stored."""
    with telling(ctx):
        document = read_plan(read_file(file))
        with the_ledger() as engine:
            now = now_of(engine)
            edited = (
                editing.preview(engine, plan, document, now=now)
                if by is None
                else editing.approve(engine, plan, document, by=by, reason=reason, now=now)
            )
    if as_json:
        print_json(edited_json(edited, stored=by is not None))
        return
    for line in _lines(edited, document.tz, stored=by is not None):
        SCREEN.print(Text(line), soft_wrap=True)
    print_table(_table(edited, document.tz))


def _lines(edited: Edited, tz: tzinfo, *, stored: bool) -> Iterator[str]:
    yield f"{edited.plan}, version {edited.version}" + (
        "." if stored else ": nothing is stored yet. Give --by NAME and --reason WORDS to approve it."
    )
    if edited.first is None:
        yield "It has no dose left."
    else:
        gap = "" if edited.gap is None else f", {_hours(edited)} after the last one"
        yield f"Its first dose is {_when(edited.first.due_at, tz)}{gap}."
    if edited.problems:
        yield f"Look at the join: {edited.problems}."
    for finding in edited.findings:
        yield f"{finding.level}: {finding.path}: {finding}"
    if edited.supply is not None and edited.supply.runs_out is not None:
        yield f"The tablets run out on {edited.supply.runs_out.local_date:%a %d %b %Y}."


def _hours(edited: Edited) -> str:
    minutes = 0 if edited.gap is None else round(edited.gap.total_seconds() / 60)
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def _table(edited: Edited, tz: tzinfo) -> Table:
    """The doses around the join, by the old way and by the new."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("due", "as it was", "as it would be"):
        table.add_column(name, no_wrap=True)
    old, new = ({slot.due_at: slot for slot in slots} for slots in (edited.before, edited.after))
    jumped = {slot.due_at for slot in edited.jumped}
    for due_at in sorted(old.keys() | new.keys() | jumped):
        after = _amount(new.get(due_at)) or ("not due" if due_at in jumped else "–")
        changed = _amount(old.get(due_at)) != _amount(new.get(due_at))
        table.add_row(_when(due_at, tz), _amount(old.get(due_at)) or "–", after, style="bold" if changed else "")
    return table


def _amount(slot: Slot | None) -> str:
    return "" if slot is None else str(slot.amount)


def _when(instant: datetime, tz: tzinfo) -> str:
    return f"{instant.astimezone(tz):%a %d %b %H:%M}"
