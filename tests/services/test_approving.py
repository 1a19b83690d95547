"""A provider signs what they saw: the document, with a reason for each warning; what differs, or is out of date, is not stored."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from db.engine import reading
from db.tables import metadata
from reminders.domain.plan import AdvancePolicy, Amount, Kind, Plan, PlannedDose
from reminders.domain.profile import Severity
from reminders.errors import BadFile, NotAllowed, UnknownPatient
from reminders.formats.plan_file import read_plan
from reminders.services import approving
from reminders.services.approving import Beside, Looked, Signature
from reminders.services.records.plans import plan_of
from tests.builders import a_phase, a_plan, a_titration
from tests.files import File
from tests.stage import Stage, patient, phase, plan

DOCTOR = "Dr. Noor Haddad"
CUT, STEADY = "benzodiazepine-taper", AdvancePolicy.AS_PRESCRIBED
SUDDEN = (a_phase("5/5/5", 2), a_phase("20/20/20"))


def ana_without_plans(**changes: Any) -> File:  # noqa: ANN401 - values of any shape
    """Ana, who has no plan yet."""
    return {**patient(**changes), "plans": []}


def whose(clinic: Stage) -> tuple[str, str]:
    """Ana, by the ids of her clinic and of her row."""
    with reading(clinic.engine) as c:
        table = metadata.tables["patient"]
        row = c.execute(select(table.c.clinic_id, table.c.id)).one()
        return row.clinic_id, row.id


def looked(clinic: Stage, new: Plan, **more: Any) -> Looked:  # noqa: ANN401 - of a look
    """Lay a plan before the provider now."""
    return approving.look(clinic.engine, whose(clinic), new, now=clinic.now, **more)


def signed(seen: Looked, reason: str = "as agreed with Ana", **more: Any) -> Signature:  # noqa: ANN401 - of a signature
    """Dr. Haddad's signature under a look, with a reason for each warning and each interacting medicine."""
    beside = {one.key: Beside(reason, date(2026, 3, 9) if one.labs else None) for one in seen.interacting}
    return replace(Signature(DOCTOR, seen.seal, dict.fromkeys(seen.warnings, reason), beside), **more)


def approve(clinic: Stage, seen: Looked, signature: Signature) -> str:
    """Approve what was seen."""
    return approving.approve(clinic.engine, whose(clinic), seen.draft, signature, now=clinic.now)


def paths(clinic: Stage, seen: Looked, signature: Signature) -> list[str]:
    """Where an approval that is refused finds fault, and that it stores nothing."""
    with pytest.raises(BadFile) as refused:
        approve(clinic, seen, signature)
    assert clinic.rows("plan") == []
    return [fault.path for fault in refused.value.faults]


def test_what_was_shown_is_what_is_stored(engine: Engine) -> None:
    """The stored document is, letter for letter, the one that was shown, and its hash stands in the audit beside the provider's name."""
    with Stage(engine, ana_without_plans(alcohol="none")) as clinic:
        seen = looked(clinic, a_titration())
        plan_id = approve(clinic, seen, signed(seen))
        (version,), (stored,) = clinic.rows("plan_version"), clinic.rows("plan")
        audit = [row for row in clinic.rows("audit") if row["action"] == "plan version approved"]

        assert (version["document"], version["document_hash"]) == (seen.document, seen.digest)
        assert (stored["id"], stored["ref"], stored["approved_by"], stored["state"]) == (plan_id, "ana-baclofen-tablet", DOCTOR, "active")
        assert [(row["actor"], row["detail"]) for row in audit] == [(DOCTOR, seen.digest)]


def test_an_approved_plan_is_on_the_clock() -> None:
    """Its first dose is reminded of like any other's."""
    with Stage.on_paper(ana_without_plans(alcohol="none")) as clinic:
        seen = looked(clinic, a_titration())
        approve(clinic, seen, signed(seen))
        clinic.run_until("03-02 08:01")
        assert [when for when, _ in clinic.texts("reminder")] == ["03-02 08:00"]


def test_a_second_plan_of_a_drug_has_a_reference_of_its_own() -> None:
    """The first name is taken: a number follows."""
    with Stage.on_paper(patient(plan(label="A", ref="ana-baclofen-tablet", strengths=["5"]))) as clinic:
        seen = looked(clinic, a_plan(a_phase("5", at="11:00"), label="B"))
        approve(clinic, seen, signed(seen))
        assert {row["ref"] for row in clinic.rows("plan")} == {"ana-baclofen-tablet", "ana-baclofen-tablet-2"}


def test_each_warning_needs_a_reason_of_its_own() -> None:
    """A step too large and too soon: no approval while one of the reasons is missing; given, each is kept with the plan."""
    with Stage.on_paper(ana_without_plans(alcohol="none")) as clinic:
        seen = looked(clinic, a_plan(*SUDDEN))
        assert {finding.code for finding in seen.warnings.values()} == {"step_too_soon", "step_too_large"}
        missing = next(iter(seen.warnings))
        assert paths(clinic, seen, signed(seen, reasons={key: "known well" for key in seen.warnings if key != missing})) == [
            f"reasons.{missing}"
        ]
        assert paths(clinic, seen, signed(seen, reasons=dict.fromkeys(seen.warnings, " "))) == [f"reasons.{key}" for key in seen.warnings]
        approve(clinic, seen, signed(seen))
        kept = [row for row in clinic.rows("plan_event") if row["kind"] == "warning accepted"]
        assert [(row["by"], row["reason"].partition(" (")[0]) for row in kept] == [(DOCTOR, "as agreed with Ana")] * len(seen.warnings)


def test_an_error_blocks() -> None:
    """30 mg a dose: no reason makes up for it."""
    with Stage.on_paper(ana_without_plans(alcohol="none")) as clinic:
        seen = looked(clinic, a_plan(a_phase("30/30/30")))
        assert "phases[0].doses[0].amount" in paths(clinic, seen, signed(seen))


def test_another_form_of_the_ingredient_is_held_against_it() -> None:
    """Clonidine tablets beside the extended release: what the new plan does to the limits of the one that goes on blocks it."""
    two = ("08:00", "20:00")
    filled_in: File = {
        "strengths": ["0.1"],
        "missed_dose_rule": {"hours_before_next": "2"},
        "advance": "as_prescribed",
        "kind": "maintenance",
    }
    er = plan(phase("0.2/0.2", times=two), drug="clonidine-er", label="A", **filled_in)
    with Stage.on_paper(patient(er, alcohol="none")) as clinic:
        new = a_plan(a_phase("0.1/0.1", at=("11:00", "16:00")), drug="clonidine-tablet", kind=Kind.MAINTENANCE, label="B")
        assert any("with this plan" in finding.message for finding in looked(clinic, new).findings)


def test_an_interacting_medicine_is_acknowledged_by_name() -> None:
    """Diazepam beside baclofen, as the profile has it: without a reason nothing is stored; with it, the acknowledgement is kept."""
    with Stage.on_paper(ana_without_plans(alcohol="none", medicines=["diazepam"])) as clinic:
        seen = looked(clinic, a_titration())
        (one,) = seen.interacting
        assert one.medicine == "diazepam"
        assert paths(clinic, seen, signed(seen, beside={})) == [f"beside.{one.key}.reason"]
        approve(clinic, seen, signed(seen))
        kept = [row["reason"] for row in clinic.rows("plan_event") if row["kind"] == "interaction acknowledged"]
        assert kept == ["diazepam: as agreed with Ana"]


@pytest.mark.parametrize(("labs_due", "why"), [(None, "is missing"), (date(2026, 3, 1), "is past")])
def test_what_a_laboratory_checks_has_its_day(labs_due: date | None, why: str) -> None:
    """A diuretic beside baclofen: the provider gives the day of the check, and none that is past."""
    with Stage.on_paper(ana_without_plans(alcohol="none", medicines=["furosemide"])) as clinic:
        seen = looked(clinic, a_titration())
        (one,) = seen.interacting
        with pytest.raises(BadFile) as refused:
            approve(clinic, seen, signed(seen, beside={one.key: Beside("needed for the heart", labs_due)}))
        assert [fault.path for fault in refused.value.faults] == [f"beside.{one.key}.labs_due"]
        assert refused.value.faults[0].message.startswith(why)


def test_what_was_not_seen_is_not_signed() -> None:
    """Another document under the same seal, or a seal of nothing: refused, and nothing is stored."""
    with Stage.on_paper(ana_without_plans(alcohol="none")) as clinic:
        seen, other = looked(clinic, a_titration()), looked(clinic, a_plan(a_phase("10/10/10")))
        assert paths(clinic, replace(other), signed(seen)) == ["seal"]
        assert paths(clinic, seen, signed(seen, seal="")) == ["seal"]


def test_a_look_that_is_out_of_date_signs_nothing() -> None:
    """A medicine comes on the list, or the first day has passed, between the look and the approval."""
    with Stage.on_paper(patient(plan(label="A"), alcohol="none")) as clinic:
        seen = looked(clinic, a_plan(a_phase("300/300/300"), drug="gabapentin-ir", label="B"))
        clinic.acts("add_medicine", "03-02 10:00", medicine="morphine")
        with pytest.raises(BadFile, match="look at it once more"):
            approve(clinic, seen, signed(seen))
        later = looked(clinic, a_plan(a_phase("300/300/300"), drug="gabapentin-ir", label="B"))
        clinic.run_until("03-03 10:00")
        with pytest.raises(BadFile, match="look at it once more"):
            approve(clinic, later, signed(later))


def test_the_day_before_a_taper_is_held_against_its_first_cut() -> None:
    """From 40 mg a day to 20 at once: seen only with the day before, and that day travels with the draft."""
    with Stage.on_paper(ana_without_plans(alcohol="none")) as clinic:
        taper = a_plan(a_phase("20", 28, at="08:00"), a_phase("10", 28, at="08:00"), kind=Kind.TAPER, drug=CUT, advance=STEADY)
        forty = (PlannedDose(time(8), Amount(Decimal(40))),)
        alone, told = looked(clinic, taper), looked(clinic, taper, before=forty)
        first = {finding.path for finding in told.findings if finding not in alone.findings}
        again = approving.look_again(clinic.engine, whose(clinic), told.draft, now=clinic.now)
        assert (first, told.seal != alone.seal, again) == ({"phases[0]"}, True, told)


def test_who_does_not_prescribe_approves_nothing() -> None:
    """A nurse, and a stranger."""
    with Stage.on_paper(ana_without_plans(alcohol="none")) as clinic:
        seen = looked(clinic, a_titration())
        for name in ("Nurse Lee", "Nobody"):
            with pytest.raises(NotAllowed):
                approve(clinic, seen, signed(seen, by=name))
        assert clinic.rows("plan") == []


def test_a_patient_of_another_clinic_is_nobody() -> None:
    """By an id of another clinic, or of nobody, nothing is looked at or stored."""
    with Stage.on_paper(ana_without_plans(alcohol="none")) as clinic:
        seen = looked(clinic, a_titration())
        clinic_id, patient_id = whose(clinic)
        for stranger in (("another-clinic", patient_id), (clinic_id, "nobody")):
            with pytest.raises(UnknownPatient):
                approving.look(clinic.engine, stranger, a_titration(), now=clinic.now)
            with pytest.raises((UnknownPatient, NotAllowed)):
                approving.approve(clinic.engine, stranger, seen.draft, signed(seen), now=clinic.now)
        assert clinic.rows("plan") == []


def test_a_text_that_is_no_draft() -> None:
    """What is no draft is refused with its faults, and no error of ours."""
    with Stage.on_paper(ana_without_plans(alcohol="none")) as clinic:
        for text in ("", "[]", "{", '{"plan": {}}', '{"plan": 1, "before": [{"at": "8"}]}'):
            with pytest.raises(BadFile):
                approving.look_again(clinic.engine, whose(clinic), text, now=clinic.now)


TABLES = max(settings().max_examples // 4, 1)
"""As many as the profile has, by a share: each is signed and stored in a ledger."""

amounts = st.lists(st.sampled_from([5, 10, 15, 20]), min_size=1, max_size=4)


@settings(max_examples=TABLES)
@given(st.lists(st.tuples(amounts, st.integers(1, 9)), min_size=1, max_size=5), st.integers(0, 30))
def test_what_is_stored_equals_what_was_shown(rows: list[tuple[list[int], int]], start_in: int) -> None:
    """Whatever table a provider signs: the stored plan is the very one whose table they saw, or nothing is stored."""
    of_day = ("06:00", "11:00", "16:00", "21:00")
    phases = [a_phase("/".join(map(str, day)), days, at=of_day[: len(day)]) for day, days in rows]
    new = a_plan(*phases[:-1], replace(phases[-1], days=None), start=f"2026-03-{2 + start_in % 28:02}")
    with Stage.on_paper(ana_without_plans(alcohol="none")) as clinic:
        seen = looked(clinic, new)
        shown = read_plan(json.loads(seen.document))
        if any(finding.level is Severity.ERROR for finding in seen.findings):
            paths(clinic, seen, signed(seen))
            return
        approve(clinic, seen, signed(seen))
        (version,) = clinic.rows("plan_version")
        assert plan_of(version["document"]) == shown == new
