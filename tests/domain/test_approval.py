from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

import pytest

from reminders import drugs
from reminders.domain.approval import Acknowledgement, check_approval, check_approved_yet, check_interactions, check_labs
from reminders.domain.finding import Finding
from tests.builders import a_plan, utc


def in_full(found: Iterable[Finding]) -> list[tuple[str, ...]]:
    """All that findings say."""
    return [(finding.code, finding.path, finding.message, finding.found, finding.limit) for finding in found]


MIDNIGHT = [
    ("2026-03-02 04:59", None),  # still 1 March in New York
    ("2026-03-02 05:00", None),
    ("2026-03-03 04:59", None),
    ("2026-03-03 05:00", "2026-03-03"),
]


@pytest.mark.parametrize(("approved_at", "limit"), MIDNIGHT)
def test_a_plan_starts_on_the_day_of_its_approval_at_the_earliest(approved_at: str, limit: str | None) -> None:
    """The day is the patient's: what is approved late on 2 March in New York may start on 2 March, from midnight on no more."""
    words = ("start_before_approval", "start", "a plan starts on the day of its approval at the earliest", "2026-03-02", limit)

    assert in_full(check_approval(a_plan(start="2026-03-02"), utc(approved_at))) == ([] if limit is None else [words])


def test_an_approval_that_is_not_told_is_not_missed() -> None:
    """A plan file alone does not say when it was approved."""
    assert list(check_approval(a_plan(), None)) == []


@pytest.mark.parametrize(("approved_at", "early"), [("2026-03-02 12:01", True), ("2026-03-02 12:00", False), ("2026-03-02 11:59", False)])
def test_what_will_be_approved_is_not(approved_at: str, *, early: bool) -> None:
    """An approval counts from its own minute on; nobody approves anything in advance."""
    now = "2026-03-02T12:00:00+00:00"
    words = ("not_yet_approved", "approved_at", "nobody has approved it yet", utc(approved_at).isoformat(), now)

    assert in_full(check_approved_yet(utc(approved_at), datetime.fromisoformat(now))) == ([words] if early else [])


def test_the_refusal_names_the_medicine_its_effect_and_its_source() -> None:
    """Who reads why an import is refused need not look anything up."""
    (found,) = check_interactions(drugs.load("baclofen"), ["oxycodone"], [])

    assert (found.level, found.found) == ("error", "oxycodone (CNS depressants)")
    assert "slowed breathing" in found.message
    assert "US baclofen tablets label" in found.message


def test_one_acknowledgement_of_a_group_is_for_all_of_it() -> None:
    """Two medicines of one group need one reason by the group's name, and none is left over."""
    of_group = Acknowledgement("CNS depressants", "Dr. Noor Haddad", "palliative care")

    assert list(check_interactions(drugs.load("baclofen"), ["oxycodone", "diazepam"], [of_group])) == []


NOTHING = Acknowledgement("aspirin", "Dr. Noor Haddad", "agreed")
NO_SUCH = "no interacting medicine on the patient's list goes by this name"


def test_what_is_not_acknowledged_is_named_in_full() -> None:
    """The medicine with its group, what it does and by which source, and what is wanted."""
    (found,) = check_interactions(drugs.load("baclofen"), ["hydrochlorothiazide"], [])
    effect = "possible dehydration and salt imbalance (Right Baclofen Dose for Managing Pain)"

    assert in_full([found]) == [
        (
            "not_acknowledged",
            "acknowledged",
            f"{effect}: a provider acknowledges it with a typed reason before the approval",
            "hydrochlorothiazide (diuretics)",
            "who acknowledges it, and why",
        )
    ]


@pytest.mark.parametrize(
    ("medicines", "listed"),
    [([], "none"), (["oxycodone", "hydrochlorothiazide"], "oxycodone (CNS depressants), hydrochlorothiazide (diuretics)")],
)
def test_an_acknowledgement_of_nothing_is_named_in_full(medicines: list[str], listed: str) -> None:
    """Which one it is, what it names, and what there would be to acknowledge."""
    found = list(check_interactions(drugs.load("baclofen"), medicines, [NOTHING, NOTHING]))

    assert in_full(found[len(medicines) :]) == [
        ("acknowledges_nothing", f"acknowledged[{index}].of", NO_SUCH, "aspirin", listed) for index in (0, 1)
    ]


def agreed(of: str, labs_due: str | None = None) -> Acknowledgement:
    """What Dr. Haddad has acknowledged."""
    return Acknowledgement(of, "Dr. Noor Haddad", "agreed", date.fromisoformat(labs_due) if labs_due else None)


UNDATED = "electrolytes are to be checked beside it (Right Baclofen Dose for Managing Pain): the provider gives the day"


@pytest.mark.parametrize(
    ("acknowledged", "found"),
    [
        ([agreed("furosemide", "2026-03-20")], []),
        ([agreed("Diuretics", "2026-03-20")], []),
        ([agreed("diazepam"), agreed("furosemide")], [("labs_not_dated", "acknowledged[1].labs_due", UNDATED, "none", "a date")]),
        (
            [agreed("diazepam", "2026-03-20"), agreed("furosemide", "2026-03-20")],
            [
                (
                    "labs_of_nothing",
                    "acknowledged[0].labs_due",
                    "no laboratory check is known beside diazepam",
                    "2026-03-20",
                    "none",
                )
            ],
        ),
    ],
)
def test_what_a_laboratory_checks_has_its_day(acknowledged: list[Acknowledgement], found: list[tuple[str, ...]]) -> None:
    """The source names no interval: the provider's day is asked for where there is a check, and refused where there is none."""
    assert in_full(check_labs(drugs.load("baclofen"), ["furosemide", "diazepam"], acknowledged)) == found


def test_all_that_a_laboratory_checks_is_named() -> None:
    """Each of it, with a comma between."""
    baclofen = drugs.load("baclofen")
    groups = [
        replace(group, labs=replace(group.labs, value=("electrolytes", "creatinine"))) if group.labs else group
        for group in baclofen.interactions
    ]
    profile = replace(baclofen, interactions=tuple(groups))
    (found,) = check_labs(profile, ["furosemide"], [agreed("furosemide")])

    assert found.message.startswith("electrolytes, creatinine are to be checked beside it (")
