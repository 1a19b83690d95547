"""`doseline plan build` and `plan taper`: from a formula or a ready layout to a plan file, or its dated table. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Annotated, TypeAlias, TypeVar

import typer
from typer.models import OptionInfo

from reminders.as_json.plans import readings_json
from reminders.commands import plan_tables
from reminders.commands.output import FAILED, UNREADABLE, JsonFlag, print_json, print_table, telling
from reminders.commands.typed import (
    DayDoses,
    FromTo,
    Strengths,
    Times,
    acknowledged_option,
    amount_option,
    choice_of,
    clock_option,
    date_option,
    day_doses,
    from_to,
    strengths_option,
    times_of_day,
    typed,
    zone_option,
)
from reminders.domain.approval import Acknowledgement
from reminders.domain.day_layout import Layout
from reminders.domain.plan import AdvancePolicy, InvalidPlan, Kind
from reminders.domain.profile import Severity
from reminders.domain.taper import Basis, Direction, PercentOf
from reminders.errors import DoselineError
from reminders.formats.plan_file import write_plan
from reminders.services.building import (
    Cuts,
    OrderedSlot,
    Percents,
    Ready,
    Recipe,
    Steps,
    check_from_before,
    doses_alike,
    draw_up,
    template_of,
    unclear,
)
from reminders.services.laying_out import USUAL_DAYS
from reminders.services.previewing import Beside, findings_of, profile_of

T = TypeVar("T")


def _amount(words: str) -> OptionInfo:
    """An option that is an exact amount above zero."""
    option: OptionInfo = typer.Option(parser=typed(amount_option), metavar="AMOUNT", help=words)
    return option


DrugOption: TypeAlias = Annotated[str, typer.Option(help="A drug's key, name or brand.")]
TimesOption: TypeAlias = Annotated[Times, typer.Option(parser=typed(times_of_day), metavar="HH:MM,...", help="Local times of the doses.")]
StartOption: TypeAlias = Annotated[date, typer.Option(parser=typed(date_option), metavar="DATE", help="The first local date.")]
ZoneOption: TypeAlias = Annotated[
    str, typer.Option(parser=typed(zone_option), metavar="ZONE", help="The patient's zone, like America/New_York.")
]
AdvanceOption: TypeAlias = Annotated[
    AdvancePolicy,
    typer.Option(parser=typed(choice_of(*AdvancePolicy)), metavar="POLICY", help=f"What an unmet gate does: {', '.join(AdvancePolicy)}."),
]
LabelOption: TypeAlias = Annotated[str | None, typer.Option(help="The patient's own name for it, from the second plan on.")]
EveryOption: TypeAlias = Annotated[int | None, typer.Option(min=1, max=366, metavar="DAYS", help="How many days each step lasts.")]
NthOption: TypeAlias = Annotated[
    int, typer.Option("--dose-every", min=1, max=366, metavar="DAYS", help="Doses on every n-th day only, like 7 for once a week.")
]
StrengthsOption: TypeAlias = Annotated[
    Strengths | None,
    typer.Option(parser=typed(strengths_option), metavar="5,10,...", help="The tablets this patient has; left out, those of the profile."),
]
UntilOption: TypeAlias = Annotated[
    int, typer.Option("--until-day", min=1, max=3660, metavar="DAY", help="Up to which day an open-ended phase is laid out.")
]
MedicineOption: TypeAlias = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Another medicine on the patient's list; as often as there are any.")
]
AcknowledgedOption: TypeAlias = Annotated[
    list[Acknowledgement] | None,
    typer.Option(
        parser=typed(acknowledged_option),
        metavar="NAME=REASON",
        help="The reason to go on beside an interacting medicine, by its name or its group's. Not stored: an import names who says it.",
    ),
]
BasisOption: TypeAlias = Annotated[
    Basis | None,
    typer.Option(
        parser=typed(choice_of(*Basis)), metavar="per-dose|per-day", help="What a step or percent changes: each dose, or the day's total."
    ),
]
FromToOption: TypeAlias = Annotated[
    FromTo | None, typer.Option(parser=typed(from_to), metavar="FROM:TO", help="Amounts per dose, in the drug's unit.")
]


def build(
    ctx: typer.Context,
    *,
    drug: DrugOption,
    titrate: FromToOption = None,
    taper: FromToOption = None,
    template: Annotated[str | None, typer.Option(help="A ready titration of the drug's profile, by its name.")] = None,
    step: Annotated[Decimal | None, _amount("How much each step changes.")] = None,
    every: EveryOption = None,
    basis: BasisOption = None,
    piece: Annotated[Decimal | None, _amount("Per day: how much one dose changes at a time; left out, the whole step.")] = None,
    add_slot: Annotated[
        time | None, typer.Option(parser=typed(clock_option), metavar="HH:MM", help="One dose more a day at the end, if ordered: its time.")
    ] = None,
    other_times: Annotated[
        Times | None,
        typer.Option(parser=typed(times_of_day), metavar="HH:MM,...", help="With --add-slot: the other doses' times from then on."),
    ] = None,
    layout: Annotated[
        Layout | None,
        typer.Option(
            parser=typed(choice_of(*Layout)),
            metavar="kept|evened",
            help="With --add-slot per day: the others stay (kept, as usual), or all are evened out, and some fall while the day rises.",
        ),
    ] = None,
    dose_every: NthOption = 1,
    times: TimesOption,
    start: StartOption,
    zone: ZoneOption,
    advance: AdvanceOption,
    label: LabelOption = None,
    strengths: StrengthsOption = None,
    until_day: UntilOption = USUAL_DAYS,
    medicine: MedicineOption = None,
    acknowledged: AcknowledgedOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Build a plan from a formula: a plan file (--json), or its dated table for a provider to approve."""
    with telling(ctx):
        which = _one_of(ctx, {"--titrate": titrate, "--taper": taper, "--template": template})
        slot = _ordered_slot(ctx, add_slot, other_times, times, layout)
        formula = {"--step": step, "--every": every}
        if template is not None:
            _refuse_beside(ctx, which, formula | {"--basis": basis, "--piece": piece, "--add-slot": slot})
            how: Steps | Ready = Ready(template)
        else:
            amounts = _given(ctx, which, titrate or taper)
            how = Steps(amounts.start, amounts.end, _given(ctx, "--step", step), _given(ctx, "--every", every), basis, piece, slot)
        recipe = Recipe(
            drug=drug,
            kind=Kind.TITRATION if taper is None else Kind.TAPER,
            how=how,
            times=times.of_day,
            start=start,
            zone=zone,
            advance=advance,
            label=label,
            nth_day=dose_every,
            strengths=strengths.sizes if strengths else None,
        )
        _show(ctx, recipe, until_day, beside_of(medicine, acknowledged), as_json=as_json)


def _ordered_slot(
    ctx: typer.Context, at: time | None, other_times: Times | None, times: Times, layout: Layout | None
) -> OrderedSlot | None:
    if at is None:
        _refuse_beside(ctx, "no --add-slot", {"--other-times": other_times, "--layout": layout})
        return None
    return OrderedSlot(at, (other_times or times).of_day, layout or Layout.KEPT)


def taper(
    ctx: typer.Context,
    *,
    drug: DrugOption,
    from_: Annotated[
        DayDoses | None, typer.Option("--from", parser=typed(day_doses), metavar="20/20/20", help="The day's doses before the first cut.")
    ] = None,
    from_per_day: Annotated[Decimal | None, _amount("The day's total before the first cut, in doses alike.")] = None,
    by_amount: Annotated[
        Decimal | None, _amount("How much less a day with each cut; the largest doses first, the first of them first.")
    ] = None,
    percent: Annotated[
        Decimal | None, typer.Option(parser=typed(amount_option), metavar="PERCENT", help="How many percent less with each cut.")
    ] = None,
    template: Annotated[str | None, typer.Option(help="A ready taper of the drug's profile, by its name.")] = None,
    every: EveryOption = None,
    piece: Annotated[
        Decimal | None, _amount("By amount: how much one dose falls at a time; left out, the smallest tablet or half that comes out.")
    ] = None,
    of: Annotated[
        PercentOf | None,
        typer.Option(parser=typed(choice_of(*PercentOf)), metavar="current|original", help="What the percent is of. No default."),
    ] = None,
    basis: BasisOption = None,
    round_to: Annotated[Decimal | None, _amount("By percent: a strength, or half a scored tablet, to round to.")] = None,
    rounding: Annotated[
        Direction | None, typer.Option(parser=typed(choice_of(*Direction)), metavar="up|down", help="By percent: which way to round.")
    ] = None,
    floor: Annotated[
        Decimal | None, _amount("The lowest before nothing: a day; by percent per dose, a dose. By amount it may be left out.")
    ] = None,
    dose_every: NthOption = 1,
    times: TimesOption,
    start: StartOption,
    zone: ZoneOption,
    advance: AdvanceOption,
    label: LabelOption = None,
    strengths: StrengthsOption = None,
    medicine: MedicineOption = None,
    acknowledged: AcknowledgedOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Build a taper by amount, by percent or from a ready layout: a plan file (--json), or its dated table for a provider to approve."""
    with telling(ctx):
        which = _one_of(ctx, {"--by-amount": by_amount, "--percent": percent, "--template": template})
        before = {"--from": from_, "--from-per-day": from_per_day}
        doses = () if template is not None and not any(before.values()) else _day_before(ctx, from_, from_per_day, times)
        percents = {"--of": of, "--basis": basis, "--round-to": round_to, "--rounding": rounding}
        how: Cuts | Percents | Ready
        if template is not None:
            _refuse_beside(ctx, which, percents | {"--every": every, "--piece": piece, "--floor": floor})
            how = Ready(template, doses)
        elif by_amount is not None:
            _refuse_beside(ctx, which, percents)
            how = Cuts(doses, by_amount, _given(ctx, "--every", every), floor or Decimal(0), piece)
        else:
            _refuse_beside(ctx, which, {"--piece": piece})
            how = Percents(
                doses,
                _given(ctx, which, percent),
                _given(ctx, "--every", every),
                _given(ctx, "--round-to", round_to),
                _given(ctx, "--rounding", rounding),
                _given(ctx, "--floor", floor),
                of,
                basis,
            )
        recipe = Recipe(
            drug=drug,
            kind=Kind.TAPER,
            how=how,
            times=times.of_day,
            start=start,
            zone=zone,
            advance=advance,
            label=label,
            nth_day=dose_every,
            strengths=strengths.sizes if strengths else None,
        )
        _show(ctx, recipe, USUAL_DAYS, beside_of(medicine, acknowledged), as_json=as_json)


def _day_before(ctx: typer.Context, doses: DayDoses | None, per_day: Decimal | None, times: Times) -> tuple[Decimal, ...]:
    """The day's doses before the first cut; a total alone stands for doses alike."""
    _one_of(ctx, {"--from": doses, "--from-per-day": per_day})
    if doses is not None:
        return doses.of_day
    try:
        return doses_alike(_given(ctx, "--from-per-day", per_day), len(times.of_day))
    except InvalidPlan as fault:
        raise typer.BadParameter(f"{fault.message} with --from, like 15/15/20", ctx=ctx, param_hint="--from-per-day") from fault


def _one_of(ctx: typer.Context, options: Mapping[str, object]) -> str:
    """The one option that is given of several."""
    given = [name for name, value in options.items() if value is not None]
    if len(given) != 1:
        raise typer.BadParameter("give one of them, and only one", ctx=ctx, param_hint=" or ".join(options))
    return given[0]


def _given(ctx: typer.Context, name: str, value: T | None) -> T:
    if value is None:
        raise typer.BadParameter("is missing: it has no default", ctx=ctx, param_hint=name)
    return value


def _refuse_beside(ctx: typer.Context, which: str, options: Mapping[str, object]) -> None:
    for name, value in options.items():
        if value is not None:
            raise typer.BadParameter(f"says nothing with {which}", ctx=ctx, param_hint=name)


def beside_of(medicines: list[str] | None, acknowledged: list[Acknowledgement] | None) -> Beside:
    """What was said of the patient's other medicines."""
    return Beside(tuple(medicines or ()), tuple(acknowledged or ()))


def _show(ctx: typer.Context, recipe: Recipe, until_day: int, beside: Beside, *, as_json: bool) -> None:
    """Build the plan and print it with what a check of it finds; end with 1 where that is an error."""
    try:
        _explain_unclear(ctx, recipe, as_json=as_json)
        plan = draw_up(recipe)
    except InvalidPlan as fault:
        raise DoselineError(f"these steps make no plan: {fault}") from fault
    known = findings_of(plan, recipe.tablets, beside=beside)
    findings = (*known, *(finding for finding in check_from_before(recipe, plan) if finding not in known))
    if isinstance(recipe.how, Ready):
        print_table(plan_tables.template_line(template_of(recipe.profile, recipe.how.name)), error=True)
    if as_json:
        print_json(write_plan(plan))
    else:
        print_table(plan_tables.plan_table(plan, profile_of(plan), recipe.tablets, until_day=until_day))
    if findings:
        print_table(plan_tables.findings_table(findings), error=True)
    raise typer.Exit(FAILED if any(finding.level is Severity.ERROR for finding in findings) else 0)


def _explain_unclear(ctx: typer.Context, recipe: Recipe, *, as_json: bool) -> None:
    """Where a formula can be read in two ways show both, and build nothing."""
    how, found = recipe.how, unclear(recipe)
    if found is None or not isinstance(how, Steps | Percents):
        return
    option = f"--{found.field}"
    message = found.message.replace(": ", f": {option} ", 1).replace(") or ", f") or {option} ").replace("per_", "per-")
    if as_json:
        print_json({"error": message, "faults": [{"path": found.field, "message": message}], "readings": readings_json(found.readings)})
        raise typer.Exit(UNREADABLE)
    print_table(plan_tables.readings_table(found.readings, recipe, how), error=True)
    raise typer.BadParameter(message, ctx=ctx, param_hint=option)
