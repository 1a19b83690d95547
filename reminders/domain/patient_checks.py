"""What a drug's profile says about this patient: age, kidneys, other medicines, indication, review. It computes no dose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from reminders.domain.finding import ALCOHOL, Alcohol, Finding, PatientFacts, breach, ours
from reminders.domain.plan import Kind, Plan, plain
from reminders.domain.profile import DrugProfile, Severity
from reminders.domain.schedule import phase_spans

if TYPE_CHECKING:
    from datetime import date


def check_patient(plan: Plan, profile: DrugProfile, facts: PatientFacts) -> Iterator[Finding]:
    """Yield what makes this patient a special case for this drug."""
    yield from check_special(profile, facts)
    yield from check_medicines(profile, facts.medicines)
    yield from check_alcohol(profile, facts.alcohol)
    yield from _indication(profile, facts)
    yield from _review(plan, profile, facts)


def check_special(profile: DrugProfile, facts: PatientFacts) -> Iterator[Finding]:
    """Yield what the patient's age and kidneys call for, as far as they are known. Nothing is computed of them."""
    yield from _age(profile, facts)
    yield from _kidney(profile, facts)


def _age(profile: DrugProfile, facts: PatientFacts) -> Iterator[Finding]:
    rule = profile.older_from
    if rule is not None and facts.age is not None and facts.age >= rule.value:
        message = "longer phases and a check-in in every phase are suggested"
        yield breach(rule, "older", "age", message, found=f"{facts.age} years", limit=f"{rule.value} years")


def _kidney(profile: DrugProfile, facts: PatientFacts) -> Iterator[Finding]:
    caution = profile.kidney_caution
    if facts.kidney_flag and caution is not None:
        yield breach(caution, "kidney", "kidney", caution.value, found="weak kidneys", limit="none given")
    for band in profile.kidney:
        if facts.kidney is not None and band.holds(facts.kidney):
            limit = f"{plain(band.above)} to under {plain(band.below)} mL/min"
            yield breach(band.advice, "kidney", "kidney", band.advice.value, found=f"{plain(facts.kidney)} mL/min", limit=limit)


def counts_beside(profile: DrugProfile, other: DrugProfile, listed: Iterable[str]) -> bool:
    """Whether the drug of another plan is one more medicine beside this drug.

    It is not where both are of one ingredient, whose plans are checked together, or where it stands on the patient's list already.
    """
    named = any(other.is_called(name) or name.casefold() == other.ingredient.casefold() for name in listed)
    return other.ingredient != profile.ingredient and not named


def check_medicines(profile: DrugProfile, medicines: Sequence[str]) -> Iterator[Finding]:
    """Yield what each of the patient's other medicines does beside this drug, with its source."""
    for index, medicine in enumerate(medicines):
        for group in profile.interacting(medicine):
            message = f"{group.group}: {group.effect.value}; {group.advice}"
            yield breach(group.effect, "interaction", f"medicines[{index}]", message, found=medicine, limit=group.severity)


def check_alcohol(profile: DrugProfile, alcohol: Alcohol) -> Iterator[Finding]:
    """Yield what alcohol does beside this drug, with its source, where the patient drinks some or nobody has asked."""
    for group in () if alcohol is Alcohol.NONE else profile.interacting(ALCOHOL):
        what = f"{group.group}: {group.effect.value}; {group.advice}"
        if alcohol is Alcohol.SOME:
            yield breach(group.effect, "alcohol", "alcohol", what, found=alcohol.value, limit=group.severity)
        else:
            yield breach(
                group.effect, "alcohol_unknown", "alcohol", f"ask about alcohol. {what}", found=alcohol.value, limit="none or some"
            )


def _indication(profile: DrugProfile, facts: PatientFacts) -> Iterator[Finding]:
    if not profile.indications:
        return
    if not facts.indication:
        message = "say what it is given for"
        yield ours("indication_missing", "indication", message, found="none", limit="required", level=Severity.WARNING)
        return
    stated = facts.indication.casefold()
    for indication in profile.indications:
        caution = indication.caution
        if caution is not None and any(name.casefold() in stated for name in indication.names):
            yield breach(caution, "indication_doubtful", "indication", caution.value, found=facts.indication, limit="label")


def _review(plan: Plan, profile: DrugProfile, facts: PatientFacts) -> Iterator[Finding]:
    rule = profile.review_within
    if rule is None or plan.kind is Kind.TAPER:
        return
    due = _top_phase_starts(plan) + rule.value
    if facts.review_on is None or facts.review_on > due:
        found = "none" if facts.review_on is None else facts.review_on.isoformat()
        message = f"a review within {rule.value.days} days of the top dose"
        yield breach(rule, "review_missing", "review_on", message, found=found, limit=f"by {due.isoformat()}")


def _top_phase_starts(plan: Plan) -> date:
    """The local date on which the highest day total is first reached."""
    spans = zip(phase_spans(plan), plan.phases, strict=True)
    return max(spans, key=lambda pair: (pair[1].per_day, -pair[0].phase_no))[0].starts
