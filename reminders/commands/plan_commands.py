"""`doseline plan`: build, check, lay out and ask about a plan, all without storing anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import typer

from reminders.as_json.parts import instant_text
from reminders.as_json.plans import table_json
from reminders.commands import plan_tables
from reminders.commands.output import FAILED, SCREEN, UNREADABLE, JsonFlag, print_json, print_table, telling
from reminders.commands.plan_build_commands import AcknowledgedOption, MedicineOption, StrengthsOption, UntilOption, beside_of, build, taper
from reminders.commands.typed import FileArgument, SlotName, Strengths, date_option, instant_option, read_file, slot_name, typed
from reminders.domain.finding import Finding, PatientFacts, ours
from reminders.domain.plan import Amount, Plan, plain
from reminders.domain.profile import Severity
from reminders.domain.schedule import Slot
from reminders.errors import BadFile
from reminders.formats.parts import WEAK, read_kidney
from reminders.formats.plan_file import read_plan
from reminders.services.laying_out import USUAL_DAYS
from reminders.services.previewing import advice_on, findings_of, profile_of, slots_of

app = typer.Typer(no_args_is_help=True, help="Build, check and lay out plans. Nothing is stored.")


@dataclass(frozen=True, slots=True)
class Kidney:
    """What was said of the kidneys: mL/min, or that they are weak."""

    function: Decimal | None = None
    is_weak: bool = False


def kidney_option(text: str) -> Kidney:
    """Read --kidney. Raises ValueError."""
    said = read_kidney(text)
    return Kidney(is_weak=True) if said == WEAK else Kidney(said)


app.command()(build)
app.command()(taper)


@app.command()
def table(
    ctx: typer.Context,
    file: FileArgument,
    *,
    strengths: StrengthsOption = None,
    until_day: UntilOption = USUAL_DAYS,
    as_json: JsonFlag = False,
) -> None:
    """Lay a plan file out as its dated table, with the tablets that it takes."""
    with telling(ctx):
        plan = read_plan(read_file(file))
        profile = profile_of(plan)
        own = _own(plan, strengths)
        if as_json:
            print_json(table_json(plan, profile, own, until_day=until_day))
        else:
            print_table(plan_tables.plan_table(plan, profile, own, until_day=until_day))


@app.command()
def check(
    ctx: typer.Context,
    file: FileArgument,
    *,
    strengths: StrengthsOption = None,
    approved_at: Annotated[
        datetime | None, typer.Option(parser=typed(instant_option), metavar="INSTANT", help="When it was approved: 2026-03-02T16:40:00Z.")
    ] = None,
    medicine: MedicineOption = None,
    acknowledged: AcknowledgedOption = None,
    age: Annotated[int | None, typer.Option(min=0, max=130, help="The patient's age in years.")] = None,
    kidney: Annotated[
        Kidney | None, typer.Option(parser=typed(kidney_option), metavar="ML_PER_MIN", help="Kidney function in mL/min, or weak.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a plan file. Ends with 0 (nothing, or warnings), 1 (errors) or 2 (not to be read as a plan at all)."""
    with telling(ctx, bad_file=UNREADABLE):
        kidneys = kidney or Kidney()
        facts = PatientFacts(age=age, kidney=kidneys.function, kidney_flag=kidneys.is_weak)
        beside = replace(beside_of(medicine, acknowledged), facts=facts)
        findings = _findings(read_file(file), lambda plan: findings_of(plan, _own(plan, strengths), approved_at=approved_at, beside=beside))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    elif findings:
        print_table(plan_tables.findings_table(findings))
    else:
        SCREEN.print("Nothing found.")
    raise typer.Exit(_exit_code(findings))


def _findings(data: object, found_in: Callable[[Plan], tuple[Finding, ...]]) -> tuple[Finding, ...]:
    """A plan file's findings; a value in it that cannot be used is an error too. Raises BadFile if the whole is no plan."""
    try:
        return found_in(read_plan(data))
    except BadFile as bad:
        if any(not fault.path for fault in bad.faults):
            raise
        return tuple(ours("bad_value", fault.path, fault.message, found="", limit="") for fault in bad.faults)


def _own(plan: Plan, strengths: Strengths | None) -> tuple[Amount, ...] | None:
    """The tablets that were given, in the plan's unit; else those that the plan says this patient has."""
    return plan.strengths or None if strengths is None else tuple(Amount(size, plan.unit) for size in strengths.sizes)


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
