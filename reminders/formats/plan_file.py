"""The plan file: a `Plan` as JSON, and back. The same shape is kept in the ledger and stands inside import files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal, TypeAlias, assert_never

from pydantic import Field, Tag, model_validator

from reminders.domain.missed import AskProviderRule, Beyond, Boundary, Fraction, HoursBeforeNext, MaxLate, MissedDoseRule
from reminders.domain.plan import AdvancePolicy, Amount, CheckInItem, CheckIns, Kind, Phase, Plan, PlannedDose, Unit, plain
from reminders.formats.json_text import read_json
from reminders.formats.parts import (
    AmountText,
    ClockText,
    DateText,
    DurationText,
    FractionText,
    HoursText,
    Name,
    Word,
    ZoneText,
    duration_text,
    hours_text,
)
from reminders.formats.shape import Shape, by_key, read

# Enums are given as their text: pydantic's strictness would ask for members.
UnitText = Annotated[Unit, Field(strict=False)]
KindText = Annotated[Kind, Field(strict=False)]
ItemText = Annotated[CheckInItem, Field(strict=False)]
AdvanceText = Annotated[AdvancePolicy, Field(strict=False)]
BoundaryText = Annotated[Boundary, Field(strict=False)]
BeyondText = Annotated[Beyond, Field(strict=False)]


class HoursBeforeNextShape(Shape):
    """Leave the dose out if less than this remains to the next one: a number of hours, or a duration."""

    hours_before_next: HoursText
    at_limit: BoundaryText = Boundary.TAKE

    @property
    def rule(self) -> MissedDoseRule:
        """The rule it says."""
        return HoursBeforeNext(self.hours_before_next, self.at_limit)


class MaxLateShape(Shape):
    """Take the dose if it is at most so late, and at least `min_gap` before the next; `beyond` says what holds past that."""

    max_late: DurationText
    min_gap: DurationText | None = None
    at_limit: BoundaryText = Boundary.TAKE
    beyond: BeyondText = Beyond.SKIP

    @property
    def rule(self) -> MissedDoseRule:
        """The rule it says."""
        return MaxLate(self.max_late, self.min_gap, self.at_limit, self.beyond)


class FractionShape(Shape):
    """Take the dose up to this part of the time to the next one."""

    fraction: FractionText
    at_limit: BoundaryText = Boundary.TAKE

    @property
    def rule(self) -> MissedDoseRule:
        """The rule it says."""
        return Fraction(self.fraction, self.at_limit)


class AskProviderShape(Shape):
    """No rule answers: the patient calls the clinic."""

    ask_provider: Literal[True]

    @property
    def rule(self) -> MissedDoseRule:
        """The rule it says."""
        return AskProviderRule()


RuleShape: TypeAlias = Annotated[
    Annotated[HoursBeforeNextShape, Tag("<hours_before_next>")]
    | Annotated[MaxLateShape, Tag("<max_late>")]
    | Annotated[FractionShape, Tag("<fraction>")]
    | Annotated[AskProviderShape, Tag("<ask_provider>")],
    by_key(
        ("hours_before_next", "max_late", "fraction", "ask_provider"),
        "must be an object with exactly one of hours_before_next, max_late, fraction or ask_provider",
    ),
]


class DoseShape(Shape):
    """One slot of a phase's day."""

    at: ClockText
    amount: AmountText
    unit: UnitText


class PhaseShape(Shape):
    """A run of days on the same amounts; `days` is null where it is open-ended."""

    days: Annotated[int, Field(ge=1)] | None
    every_n_days: Annotated[int, Field(ge=1, le=366)] = 1
    doses: Annotated[tuple[DoseShape, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _can_be_laid_out(self) -> PhaseShape:
        _ = self.phase
        return self

    @cached_property
    def phase(self) -> Phase:
        """The phase as a value of the domain. Raises InvalidPlan."""
        doses = tuple(PlannedDose(dose.at, Amount(dose.amount, dose.unit)) for dose in self.doses)
        return Phase(doses, self.days, self.every_n_days)


class CheckInsShape(Shape):
    """What the patient is asked on the days of a check-in; `closely`: daily for three days after each change."""

    items: Annotated[tuple[ItemText, ...], Field(strict=False, min_length=1)]
    closely: bool = False

    @model_validator(mode="after")
    def _asks_each_once(self) -> CheckInsShape:
        _ = self.check_ins
        return self

    @property
    def check_ins(self) -> CheckIns:
        """The check-ins as a value of the domain. Raises InvalidPlan."""
        return CheckIns(self.items, self.closely)


class PlanShape(Shape):
    """What was prescribed: a drug, and phases whose amounts are resolved."""

    drug: Name
    kind: KindText
    zone: ZoneText
    start: DateText
    advance: AdvanceText
    label: Word | None = None
    phases: Annotated[tuple[PhaseShape, ...], Field(strict=False, min_length=1)]
    missed_dose_rule: RuleShape | None = None
    strengths: Annotated[tuple[AmountText, ...], Field(strict=False, min_length=1)] | None = None
    check_ins: CheckInsShape | None = None

    @model_validator(mode="after")
    def _can_exist(self) -> PlanShape:
        _ = self.plan
        return self

    @cached_property
    def plan(self) -> Plan:
        """The plan as a value of the domain. Raises InvalidPlan."""
        return Plan(
            drug=self.drug,
            kind=self.kind,
            zone=self.zone,
            start=self.start,
            advance=self.advance,
            phases=tuple(phase.phase for phase in self.phases),
            label=self.label,
            missed_dose_rule=self.missed_dose_rule.rule if self.missed_dose_rule else None,
            strengths=tuple(Amount(strength, self.phases[0].doses[0].unit) for strength in self.strengths or ()),
            check_ins=self.check_ins.check_ins if self.check_ins else None,
        )


class PlanFile(PlanShape):
    """A plan file, version 1."""

    format: Annotated[Literal["doseline:plan:1"] | None, Field(alias="$schema")] = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan that nobody has approved yet, with the doses of the day before its first phase, where a taper has one."""

    plan: Plan
    before: tuple[PlannedDose, ...] = ()


class DraftShape(Shape):
    """A draft as it travels from a look at it to its approval."""

    plan: PlanShape
    before: Annotated[tuple[DoseShape, ...], Field(strict=False)] = ()


def read_draft(text: str) -> Draft:
    """Read a draft's text. Raises BadFile where it is none."""
    shape = read(DraftShape, read_json(text))
    return Draft(shape.plan.plan, tuple(PlannedDose(dose.at, Amount(dose.amount, dose.unit)) for dose in shape.before))


def write_draft(draft: Draft) -> str:
    """Write a draft as canonical JSON; `read_draft` gives the same draft back."""
    return canonical({"plan": write_plan(draft.plan), "before": [_dose(dose) for dose in draft.before]})


def canonical(values: object) -> str:
    """Write JSON values in the one way in which they are hashed."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def read_plan(data: object) -> Plan:
    """Read the plan of a plan file's JSON values. Raises BadFile with every fault and its path."""
    return read(PlanFile, data).plan


def write_plan(plan: Plan) -> dict[str, object]:
    """Write a plan as the JSON values of a plan file; `read_plan` gives the same plan back."""
    written: dict[str, object] = {
        "drug": plan.drug,
        "kind": plan.kind.value,
        "zone": plan.zone,
        "start": plan.start.isoformat(),
        "advance": plan.advance.value,
    }
    if plan.label is not None:
        written["label"] = plan.label
    written["phases"] = [_phase(phase) for phase in plan.phases]
    if plan.missed_dose_rule is not None:
        written["missed_dose_rule"] = write_rule(plan.missed_dose_rule)
    if plan.strengths:
        written["strengths"] = [plain(strength.value) for strength in plan.strengths]
    if plan.check_ins is not None:
        closely = {"closely": True} if plan.check_ins.closely else {}
        written["check_ins"] = {"items": [item.value for item in plan.check_ins.items], **closely}
    return written


def _phase(phase: Phase) -> dict[str, object]:
    return {"days": phase.days, "every_n_days": phase.every_n_days, "doses": [_dose(dose) for dose in phase.doses]}


def _dose(dose: PlannedDose) -> dict[str, object]:
    return {"at": f"{dose.at:%H:%M}", "amount": plain(dose.amount.value), "unit": dose.amount.unit.value}


def write_rule(rule: MissedDoseRule) -> dict[str, object]:
    """Write a missed-dose rule; what is as usual is left out."""
    match rule:
        case HoursBeforeNext(gap, at_limit):
            return {"hours_before_next": hours_text(gap)} | _at_limit(at_limit)
        case MaxLate(late, min_gap, at_limit, beyond):
            return {"max_late": duration_text(late)} | _min_gap(min_gap) | _at_limit(at_limit) | _beyond(beyond)
        case Fraction(of_gap, at_limit):
            return {"fraction": plain(of_gap)} | _at_limit(at_limit)
        case AskProviderRule():
            return {"ask_provider": True}
        case _ as unreachable:
            assert_never(unreachable)


def _min_gap(min_gap: timedelta | None) -> dict[str, object]:
    return {} if min_gap is None else {"min_gap": duration_text(min_gap)}


def _at_limit(at_limit: Boundary) -> dict[str, object]:
    return {} if at_limit is Boundary.TAKE else {"at_limit": at_limit.value}


def _beyond(beyond: Beyond) -> dict[str, object]:
    return {} if beyond is Beyond.SKIP else {"beyond": beyond.value}
