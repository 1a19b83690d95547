"""Two plans of one patient whose drugs interact: as if the other's drug stood on the list of medicines, for as long as its plan runs."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from reminders.domain.plan import Plan
from reminders.errors import BadFile, NotAllowed
from reminders.formats.plan_file import read_plan
from reminders.services import reconciling
from reminders.services.importing import check_import
from tests.builders import a_phase, a_plan
from tests.files import File, a_clinic, an_import_file
from tests.services.test_approving import DOCTOR, approve, looked, signed, whose
from tests.services.test_interacting import of_kind, removes, taken_until
from tests.stage import Stage, patient, phase, plan

RISE = (phase("5/5/5", 3), phase("10/10/10"))
BACLOFEN = a_plan(a_phase("5/5/5"), label="A")
REASON = {"of": "tizanidine", "by": DOCTOR, "reason": "one comes down as the other goes up"}


def on_baclofen(*phases: File, medicines: tuple[str, ...] = (), acknowledged: tuple[File, ...] = ()) -> File:
    """Ana, with a plan of baclofen."""
    mine = {**plan(*(phases or RISE), label="A"), "acknowledged": list(acknowledged)}
    return patient(mine, medicines=list(medicines), alcohol="none")


def of_tizanidine(start: str = "03-02", days: int | None = None) -> File:
    """A plan of tizanidine, once a day."""
    own = {"drug": "tizanidine", "label": "B", "strengths": ["2"], "missed_dose_rule": {"hours_before_next": "2"}}
    return {**plan(phase("2", days, times=("11:00",)), ref="ana-tizanidine", start=start, advance="as_prescribed"), **own}


def tizanidine(start: str = "03-02", days: int | None = None) -> Plan:
    """The plan itself, as it stands in such a file."""
    return read_plan({key: value for key, value in of_tizanidine(start, days).items() if key not in {"ref", "approved_by"}})


def begins(clinic: Stage, new: Plan) -> str:
    """Let a provider approve one more plan of Ana's, with all the reasons it needs; return its id."""
    seen = looked(clinic, new)
    return approve(clinic, seen, signed(seen))


def test_a_new_plan_alerts_of_what_it_does_beside_a_running_one(engine: Engine) -> None:
    """What its own profile knows nothing of, that of baclofen does: whose next gate waits for a provider. Who approved was told."""
    with Stage(engine, on_baclofen()) as clinic:
        notes = [finding.message for finding in looked(clinic, tizanidine()).notes]
        begins(clinic, tizanidine())
        (alert,) = [row for row in clinic.rows("alert") if row["kind"] == "interaction"]
        plans = {row["id"]: row["ref"] for row in clinic.rows("plan")}

        assert [note.partition(":")[0] for note in notes] == ["beside baclofen"]
        assert of_kind(clinic) == [("warning", True)]
        assert (plans[alert["plan_id"]], alert["words"].startswith("tizanidine was added beside baclofen")) == ("ana-baclofen", True)


@pytest.mark.parametrize(("acknowledged", "amount"), [(False, "5"), (True, "10")])
def test_the_running_plan_waits_for_a_provider(amount: str, *, acknowledged: bool) -> None:
    """As it does for a medicine that is put on the list."""
    with Stage.on_paper(on_baclofen()) as clinic:
        taken_until(clinic, "03-02 20:05")
        begins(clinic, tizanidine("03-20"))
        if acknowledged:
            clinic.acts("acknowledge", "03-03 07:00", alert="interaction", reason="both are low")
        taken_until(clinic, "03-04 20:05", since="03-02 20:05")
        clinic.run_until("03-05 09:00")

        assert clinic.amounts()["03-05"] == amount


def test_a_new_plan_is_not_approved_before_the_running_one_is_acknowledged(engine: Engine) -> None:
    """Its own profile knows of the other's drug: it is acknowledged by name, with a reason that is kept; the other plan needs none."""
    with Stage(engine, patient(of_tizanidine(), alcohol="none")) as clinic:
        seen = looked(clinic, BACLOFEN)
        (one,) = seen.interacting
        with pytest.raises(BadFile) as refused:
            approve(clinic, seen, signed(seen, beside={}))
        approve(clinic, seen, signed(seen, "both are low"))
        kept = [row["reason"] for row in clinic.rows("plan_event") if row["kind"] == "interaction acknowledged"]

        assert one.medicine == "tizanidine"
        assert [fault.path for fault in refused.value.faults] == [f"beside.{one.key}.reason"]
        assert (kept, of_kind(clinic)) == (["tizanidine: both are low"], [])


def test_the_monitoring_begins_with_the_other_plan() -> None:
    """Drowsiness and weakness are asked about on the second day of a muscle relaxant: of the day it begins, not of its approval."""
    with Stage.on_paper(on_baclofen(phase("5/5/5"))) as clinic:
        begins(clinic, tizanidine("03-06"))
        clinic.run_until("03-12 23:00")

        assert [when[:5] for when, _ in clinic.texts("check_in")] == ["03-07"]


def test_a_plan_that_is_stopped_closes_its_alert_and_ends_its_monitoring(engine: Engine) -> None:
    """There is nothing beside the other any more."""
    with Stage(engine, on_baclofen(phase("5/5/5"))) as clinic:
        begins(clinic, tizanidine("03-06"))
        clinic.acts("stop", "03-06 07:00", of="ana-tizanidine", reason="too sleepy")
        clinic.run_until("03-12 23:00")
        closed = [row["close_reason"] for row in clinic.rows("alert") if row["kind"] == "interaction"]

        assert (closed, clinic.texts("check_in")) == (["tizanidine is over: too sleepy"], [])


def test_a_plan_that_comes_to_its_end_closes_its_alert() -> None:
    """By itself, as the last dose is behind it; no dose of the other changes by it."""
    with Stage.on_paper(on_baclofen(phase("5/5/5"))) as clinic:
        begins(clinic, tizanidine(days=1))
        clinic.answers("03-02 11:05")
        clinic.run_until("03-06 23:00")
        closed = [row["close_reason"] for row in clinic.rows("alert") if row["kind"] == "interaction"]

        assert closed == ["tizanidine is over: completed"]
        assert {row["state"] for row in clinic.rows("plan")} == {"active", "completed"}


def test_what_stands_on_the_list_by_its_name_is_not_told_of_twice() -> None:
    """It was acknowledged as it was listed; off the list, its plan still gives it, and it is asked about as long as that runs."""
    with Stage.on_paper(on_baclofen(phase("5/5/5"), medicines=("Tizanidine",), acknowledged=(REASON,))) as clinic:
        begins(clinic, tizanidine())
        alerted = of_kind(clinic)
        removes(clinic, "Tizanidine", reason="it is a plan of ours now")
        clinic.run_until("03-05 23:00")

        assert alerted == []
        assert [when[:5] for when, _ in clinic.texts("check_in")] == ["03-03"]


def test_plans_of_one_ingredient_are_not_each_others_medicine() -> None:
    """Their limits are checked together instead."""
    with Stage.on_paper(on_baclofen(phase("5/5/5"))) as clinic:
        seen = looked(clinic, a_plan(a_phase("5", at="11:00"), label="B"))

        assert (seen.interacting, seen.notes) == ((), ())


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("acknowledged", "paths"), [([], ["patients[0].plans[{}].acknowledged"]), ([REASON], []), ([{**REASON, "of": "muscle relaxants"}], [])]
)
def test_an_import_of_both_acknowledges_the_one(acknowledged: list[File], paths: list[str], order: int) -> None:
    """In whichever order they stand."""
    both = [{**plan(phase("5/5/5"), label="A"), "acknowledged": acknowledged}, of_tizanidine()][::order]
    try:
        checked = check_import(an_import_file(patient(*both, alcohol="none"), clinic=a_clinic()))
        found = [fault.path for fault in checked.warnings if fault.path.endswith("drug")]
        refused: list[str] = []
    except BadFile as bad:
        found, refused = [], [fault.path for fault in bad.faults]
    at = [one["drug"] for one in both].index("baclofen-tablet")

    assert refused == [path.format(at) for path in paths]
    assert found == ([] if paths else [f"patients[0].plans[{at}].drug"])


def test_the_list_shows_what_another_plan_gives() -> None:
    """With what it does, what waits because of it, and by which plan: it comes off as that plan ends, not from the list."""
    with Stage.on_paper(on_baclofen(phase("5/5/5"))) as clinic:
        begins(clinic, tizanidine())
        standing = reconciling.standing(clinic.engine, *whose(clinic))
        shown = [
            (one.medicine.name, one.medicine.plan, [effect.plan for effect in one.effects], len(one.waiting)) for one in standing.listed
        ]
        with pytest.raises(NotAllowed, match="not on the list"):
            removes(clinic, "tizanidine")

        assert ("tizanidine", "ana-tizanidine", ["ana-baclofen"], 1) in shown
        assert [one.medicine.name for one in standing.listed if one.medicine.plan is None] == []
