"""Approved plans of known patients: what is known of a patient that speaks about a plan, and how one is stored with its approval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from reminders import drugs
from reminders.domain.approval import Acknowledgement, check_approval, check_interactions, check_labs
from reminders.domain.checking import check_plan
from reminders.domain.cut_checks import check_cuts_from
from reminders.domain.finding import Finding, PatientFacts, is_alcohol
from reminders.domain.patient_checks import check_alcohol, check_medicines, check_special, counts_beside
from reminders.domain.profile import Severity
from reminders.services.records import interacting, medicines, people, plans

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

    from reminders.domain.plan import Plan, PlannedDose
    from reminders.domain.profile import DrugProfile


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved a plan, when (UTC; None: as it is stored), and what they acknowledged beside it."""

    by: str
    at: datetime | None = None
    acknowledged: tuple[Acknowledgement, ...] = ()


def store(c: Connection, whose: tuple[str, str], plan: Plan, approval: Approval, *, ref: str, now: datetime) -> str:
    """Store an approved plan of a clinic's patient (both by id), with what was acknowledged for it; return its id."""
    clinic_id, patient_id = whose
    plan_id = plans.add_plan(
        c,
        clinic_id=clinic_id,
        patient_id=patient_id,
        ref=ref,
        plan=plan,
        ingredient=drugs.load(plan.drug).ingredient,
        approved_by=approval.by,
        approved_at=approval.at,
        at=now,
    )
    interacting.keep(c, plans.read(c, [plan_id])[plan_id], approval.acknowledged, now=now)
    return plan_id


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a patient beside a plan: their other plans, the list of medicines, and age, kidneys and alcohol on a day."""

    others: tuple[Plan, ...]
    listed: tuple[str, ...]
    facts: PatientFacts

    def given(self, profile: DrugProfile) -> tuple[str, ...]:
        """What the other plans give beside a drug, each ingredient once."""
        others = [drugs.load(other.drug) for other in self.others]
        return tuple(dict.fromkeys(other.ingredient for other in others if counts_beside(profile, other, self.listed)))

    def taken(self, profile: DrugProfile) -> tuple[str, ...]:
        """All that is taken beside a drug, by name: what is on the list, and what the other plans give."""
        return (*self.listed, *self.given(profile))


def known_of(c: Connection, patient_id: str, *, on: date, but: str | None = None) -> Known:
    """Read what is known of a patient on a date. `but`: the plan, by id, that is looked at, and so is none of the others."""
    theirs = plans.of_patients(c, [patient_id]).get(patient_id, [])
    others = tuple(mine.course.current.plan for mine in theirs if mine.id != but)
    listed = tuple(medicine.name for medicine in medicines.of_patients(c, {patient_id}).get(patient_id, ()))
    return Known(others, listed, people.facts_of(c, patient_id, on=on))


def check_first(plan: Plan, known: Known, *, now: datetime, before: tuple[PlannedDose, ...] = ()) -> tuple[Finding, ...]:
    """Check a plan that is to be approved now beside what is known of its patient; errors first.

    `before`: the doses of the day before its first phase, for a taper. What nobody has acknowledged yet is no finding of
    these: see `check_acknowledged`. Raises UnknownDrug.
    """
    profile = drugs.load(plan.drug)
    found = [
        *check_approval(plan, now),
        *check_plan(plan, profile, others=known.others, is_alike=drugs.alike(profile)),
        *_of_other_forms(plan, profile, known.others),
        *check_beside(profile, known),
        *_beside_theirs(profile, known),
    ]
    found += [finding for finding in check_cuts_from(plan, profile, before) if finding not in found]
    return tuple(sorted(found, key=lambda finding: finding.level is not Severity.ERROR))


def check_beside(profile: DrugProfile, known: Known) -> Iterator[Finding]:
    """Yield what the patient's other medicines and plans, alcohol, age and kidneys call for with a drug."""
    yield from check_medicines(profile, known.listed)
    yield from (replace(finding, path="") for finding in check_medicines(profile, known.given(profile)))
    if not any(map(is_alcohol, known.listed)):  # else it was told of as one of them
        yield from check_alcohol(profile, known.facts.alcohol)
    yield from check_special(profile, known.facts)


def check_acknowledged(profile: DrugProfile, known: Known, acknowledged: Sequence[Acknowledgement]) -> Iterator[Finding]:
    """Yield an error for each interacting medicine that nobody acknowledged as it must be, with the day of its laboratory check."""
    yield from check_interactions(profile, known.taken(profile), acknowledged)
    yield from check_labs(profile, known.taken(profile), acknowledged)


def _beside_theirs(profile: DrugProfile, known: Known) -> Iterator[Finding]:
    """What the drug does beside those of the other plans, as their profiles say: their own may know of it what this one does not."""
    for other in known.others:
        of = drugs.load(other.drug)
        if counts_beside(of, profile, known.listed):
            for finding in check_medicines(of, [profile.ingredient]):
                yield replace(finding, path="", message=f"beside {of.name}: {finding.message}")


def _of_other_forms(plan: Plan, profile: DrugProfile, others: Sequence[Plan]) -> Iterator[Finding]:
    """What this plan does to the limits of those of another form of its ingredient."""
    for other in others:
        of = drugs.load(other.drug)
        yield from (
            replace(finding, path="", message=f"{of.name} ({of.form}): {finding.message}, with this plan")
            for finding in spoilt(other, plan, profile)
        )


def spoilt(other: Plan, plan: Plan, profile: DrugProfile) -> Iterator[Finding]:
    """Yield what a plan does to the limits of one of another form of its ingredient, which was checked without it; none for others."""
    if not drugs.alike(profile)(other) or profile.is_called(other.drug):
        return
    of = drugs.load(other.drug)
    alone, together = (check_plan(other, of, others=beside, is_alike=drugs.alike(of)) for beside in ((), (plan,)))
    yield from (finding for finding in together if finding not in alone and not finding.code.startswith("label"))
