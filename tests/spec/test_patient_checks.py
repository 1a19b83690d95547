from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from reminders import drugs
from reminders.domain.checking import check_plan
from reminders.domain.finding import Alcohol, PatientFacts
from reminders.domain.patient_checks import counts_beside
from tests.builders import a_titration
from tests.doses import drawn

PATIENTS = drawn("""
    what the clinic entered             | found
    nothing out of the ordinary         |
    age 64                              |
    age 65                              | older (warning)
    weak kidneys                        | kidney (warning): US baclofen tablets label; MIMS
    kidneys 90                          |
    kidneys 80                          | kidney (warning): AJKD case algorithm, second-hand
    kidneys 79                          | kidney (warning): Vlavonou et al. 2014; kidney (warning): AJKD case algorithm, second-hand
    kidneys 29                          | kidney (warning): Vlavonou et al. 2014; kidney (warning): AJKD case algorithm, second-hand
    takes Diazepam 5 mg at night        | interaction (warning): high
    takes lisinopril                    | interaction (warning): medium
    takes tizanidine                    | interaction (warning): medium
    takes furosemide                    | interaction (warning): medium
    takes amitriptyline                 | interaction (warning): medium
    takes Lithium carbonate             | interaction (warning): low
    takes vitamin D                     |
    drinks some alcohol                 | alcohol (warning)
    not asked about alcohol             | alcohol unknown (warning)
    no indication                       | indication missing (warning)
    given for spinal cord injury        |
    given for cerebral palsy            | indication doubtful (warning)
    given for spasticity after stroke   | indication doubtful (warning)
    given for rheumatic muscle spasm    | indication doubtful (warning)
    no review                           | review missing (warning)
    review 42 days after the top dose   |
    review 43 days after the top dose   | review missing (warning)
""")
"""What the check finds about a patient with the label's titration of baclofen. It flags; it computes no dose.

Kidneys are an eGFR or creatinine clearance in mL/min, or weak without a number; where sources disagree each has its own
finding. The clinic enters the list of medicines, and asks about alcohol at the enrolment: Doseline is no interaction
checker. A review is due within 6 weeks of the day on which the top dose begins.

Source: US labels, NHS, NHS Highland, MIMS and the article (sourced); the age of 65 is Doseline's default. Beside a kidney
finding stands its own source.
"""

PLAN = a_titration()
TOP_DOSE = PLAN.start + timedelta(days=9)
WELL = PatientFacts(alcohol=Alcohol.NONE, age=40, indication="multiple sclerosis", review_on=TOP_DOSE)
SAID: dict[str, Callable[[str], PatientFacts]] = {
    "age": lambda said: replace(WELL, age=int(said)),
    "weak kidneys": lambda _: replace(WELL, kidney_flag=True),
    "kidneys": lambda said: replace(WELL, kidney=Decimal(said)),
    "takes": lambda said: replace(WELL, medicines=("paracetamol", said)),
    "drinks": lambda _: replace(WELL, alcohol=Alcohol.SOME),
    "not asked": lambda _: replace(WELL, alcohol=Alcohol.UNKNOWN),
    "no indication": lambda _: replace(WELL, indication=None),
    "given for": lambda said: replace(WELL, indication=said),
    "no review": lambda _: replace(WELL, review_on=None),
    "review": lambda said: replace(WELL, review_on=_after(said)),
    "nothing": lambda _: WELL,
}


def _after(said: str) -> date:
    return TOP_DOSE + timedelta(days=int(said.split(maxsplit=1)[0]))


def _entered(words: str) -> PatientFacts:
    key = next(key for key in SAID if words.startswith(key))
    return SAID[key](words.removeprefix(key).strip())


@pytest.mark.parametrize(("entered", "expected"), PATIENTS[1:])
def test_what_is_found_about_a_patient(entered: str, expected: str) -> None:
    """Each fact has the finding of its row, with the source of a kidney band and the severity of an interaction, and no other."""
    found = []
    for finding in check_plan(PLAN, drugs.load("baclofen"), facts=_entered(entered)):
        sure = "" if finding.confidence == "sourced" else f", {finding.confidence}"
        more = {"kidney": f": {finding.source}{sure}", "interaction": f": {finding.limit}"}.get(finding.code, "")
        found.append(f"{finding.code.replace('_', ' ')} ({finding.level}){more}")

    assert "; ".join(found) == expected


BESIDE = drawn("""
    a plan of            | another of     | on the list        | one more medicine beside it
    baclofen-tablet      | tizanidine     |                    | yes
    baclofen-tablet      | tizanidine     | vitamin D          | yes
    tizanidine           | baclofen       |                    | yes
    baclofen-tablet      | tizanidine     | Tizanidine         | no
    tizanidine           | baclofen       | vitamin D, Lioresal | no
    tizanidine           | baclofen       | BACLOFEN           | no
    baclofen-tablet      | gabapentin-ir  | gabapentin         | no
    clonidine-er         | clonidine-tablet |                  | no
""")
"""Where a patient has several plans, what each drug is to the other.

As one more medicine it is held against the other's interactions, acknowledged, and asked about from its plan's first day to
its last, like one on the list. Plans of one ingredient have their limits checked together instead.

Source: the rows on interactions are the drugs' labels' (sourced); that a plan counts like a line of the list is Doseline's default.
"""


@pytest.mark.parametrize(("mine", "other", "listed", "expected"), BESIDE[1:])
def test_what_another_plan_gives(mine: str, other: str, listed: str, expected: str) -> None:
    """By the ingredient or any name of the drug, in any case."""
    names = listed.split(", ") if listed else []

    assert ("yes" if counts_beside(drugs.load(mine), drugs.load(other), names) else "no") == expected
