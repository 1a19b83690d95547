"""`doseline plan`: build, check, lay out and ask about a plan, all without storing anything."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import typer

from reminders.commands import plan_tables
from reminders.commands.output import FAILED, SCREEN, UNREADABLE, JsonFlag, instant_text, print_json, print_table, telling
from reminders.commands.typed import (
    FileArgument,
    FromTo,
    SlotName,
    Times,
    amount_option,
    choice_of,
    date_option,
    from_to,
    instant_option,
    read_file,
    slot_name,
    times_of_day,
    typed,
    zone_option,
)
from reminders.domain.finding import Finding, ours
from reminders.domain.plan import AdvancePolicy, InvalidPlan, Kind, Plan, plain
from reminders.domain.profile import Severity
from reminders.domain.schedule import Slot
from reminders.domain.taper import Basis
from reminders.errors import BadFile, DoselineError
from reminders.formats.plan_file import read_plan, write_plan
from reminders.services.building import Recipe, build_plan, table_of, two_readings
from reminders.services.previewing import advice_on, findings_of, profile_of, slots_of

app = typer.Typer(no_args_is_help=True, help="Build, check and lay out plans. Nothing is stored.")

Amounts = Annotated[FromTo | None, typer.Option(parser=typed(from_to), metavar="FROM:TO", help="Amounts per dose, in the drug's unit.")]


@app.command()
def build(
    ctx: typer.Context,
    *,
    drug: Annotated[str, typer.Option(help="A drug's key, name or brand.")],
    titrate: Amounts = None,
    taper: Amounts = None,
    step: Annotated[Decimal, typer.Option(parser=typed(amount_option), metavar="AMOUNT", help="How much each step changes.")],
    every: Annotated[int, typer.Option(min=1, max=366, metavar="DAYS", help="How many days each step lasts.")],
    basis: Annotated[
        Basis | None,
        typer.Option(
            parser=typed(choice_of(*Basis)), metavar="per-dose|per-day", help="What a step changes: each dose, or the day's total."
        ),
    ] = None,
    times: Annotated[Times, typer.Option(parser=typed(times_of_day), metavar="HH:MM,...", help="Local times of the doses.")],
    start: Annotated[date, typer.Option(parser=typed(date_option), metavar="DATE", help="The first local date.")],
    zone: Annotated[str, typer.Option(parser=typed(zone_option), metavar="ZONE", help="The patient's zone, like America/New_York.")],
    advance: Annotated[
        AdvancePolicy,
        typer.Option(
            parser=typed(choice_of(*AdvancePolicy)), metavar="POLICY", help=f"What an unmet gate does: {', '.join(AdvancePolicy)}."
        ),
    ],
    label: Annotated[str | None, typer.Option(help="The patient's own name for it, from the second plan on.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Build a plan from a formula: a plan file (--json), or its dated table for a provider to approve."""
    with telling(ctx):
        kind, amounts = _kind(ctx, titrate, taper)
        recipe = Recipe(
            drug=drug,
            kind=kind,
            from_=amounts.start,
            to=amounts.end,
            step=step,
            every_days=every,
            times=times.of_day,
            start=start,
            zone=zone,
            advance=advance,
            label=label,
        )
        plan = _built(ctx, recipe, basis)
        findings = findings_of(plan)
        if as_json:
            print_json(write_plan(plan))
        else:
            print_table(plan_tables.plan_table(plan, table_of(plan), profile_of(plan)))
        if findings:
            print_table(plan_tables.findings_table(findings), error=True)
        raise typer.Exit(_exit_code(findings))


def _kind(ctx: typer.Context, titrate: FromTo | None, taper: FromTo | None) -> tuple[Kind, FromTo]:
    if titrate is not None and taper is None:
        return Kind.TITRATION, titrate
    if taper is not None and titrate is None:
        return Kind.TAPER, taper
    raise typer.BadParameter("give one of the two, and not both", ctx=ctx, param_hint="--titrate or --taper")


def _built(ctx: typer.Context, recipe: Recipe, basis: Basis | None) -> Plan:
    """Build the plan; without a basis show what the step could mean, and build nothing."""
    try:
        if basis is None:
            print_table(plan_tables.readings_table(two_readings(recipe), recipe), error=True)
            message = "say what a step changes: --basis per-dose (every dose of the day) or --basis per-day (the day's total)"
            raise typer.BadParameter(message, ctx=ctx, param_hint="--basis")
        plan = build_plan(recipe, basis)
    except InvalidPlan as fault:
        raise DoselineError(f"these steps make no plan: {fault}") from fault
    return read_plan(write_plan(plan))  # what is printed can be read: a label, for one, must fit a text


@app.command()
def check(ctx: typer.Context, file: FileArgument, *, as_json: JsonFlag = False) -> None:
    """Check a plan file. Ends with 0 (nothing, or warnings), 1 (errors) or 2 (not to be read as a plan at all)."""
    with telling(ctx, bad_file=UNREADABLE):
        findings = _findings(read_file(file))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    elif findings:
        print_table(plan_tables.findings_table(findings))
    else:
        SCREEN.print("Nothing found.")
    raise typer.Exit(_exit_code(findings))


def _findings(data: object) -> tuple[Finding, ...]:
    """A plan file's findings; a value in it that cannot be used is an error too. Raises BadFile if the whole is no plan."""
    try:
        return findings_of(read_plan(data))
    except BadFile as bad:
        if any(not fault.path for fault in bad.faults):
            raise
        return tuple(ours("bad_value", fault.path, fault.message, found="", limit="") for fault in bad.faults)


def _exit_code(findings: tuple[Finding, ...]) -> int:
    return FAILED if any(finding.level is Severity.ERROR for finding in findings) else 0


@app.command()
def slots(
    ctx: typer.Context,
    file: FileArgument,
    *,
    from_: Annotated[date, typer.Option("--from", parser=typed(date_option), metavar="DATE", help="The first local date.")],
    to: Annotated[date, typer.Option("--to", parser=typed(date_option), metavar="DATE", help="The local date to stop before.")],
    as_json: JsonFlag = False,
) -> None:
    """List the slots of a plan file whose local date lies in --from <= date < --to, with the instants at which they are due."""
    with telling(ctx):
        if to < from_:
            raise typer.BadParameter("must not be earlier than --from", ctx=ctx, param_hint="--to")
        plan = read_plan(read_file(file))
        found = slots_of(plan, from_, to)
        if as_json:
            print_json([_slot_json(slot) for slot in found])
        else:
            print_table(plan_tables.slots_table(found, plan, profile_of(plan)))


def _slot_json(slot: Slot) -> dict[str, object]:
    return {
        "local_date": slot.local_date.isoformat(),
        "slot_no": slot.number,
        "local_time": f"{slot.local_time:%H:%M}",
        "due_at": instant_text(slot.due_at),
        "amount": plain(slot.amount.value),
        "unit": slot.amount.unit.value,
        "phase": slot.phase_no,
    }


@app.command()
def missed(
    ctx: typer.Context,
    file: FileArgument,
    *,
    slot: Annotated[SlotName, typer.Option(parser=typed(slot_name), metavar="DATE/NO", help="The slot asked about, like 2026-03-02/1.")],
    at: Annotated[
        datetime, typer.Option(parser=typed(instant_option), metavar="INSTANT", help="When, with its zone: 2026-03-02T16:40:00Z.")
    ],
    as_json: JsonFlag = False,
) -> None:
    """Say what the missed-dose rule answers about a slot at an instant, if no dose of the plan has been taken."""
    with telling(ctx):
        plan = read_plan(read_file(file))
        advised = advice_on(plan, slot.local_date, slot.number, now=at)
        if as_json:
            instants = {"until": _or_null(advised.until), "next_at": _or_null(advised.next_at)}
            print_json({"decision": advised.decision, **instants, "rule": advised.rule, "text": advised.text})
        else:
            SCREEN.print(plan_tables.advice_lines(advised, plan.tz), soft_wrap=True)


def _or_null(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)
