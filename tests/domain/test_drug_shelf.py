from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from reminders import drugs
from reminders.domain.checking import check_plan
from reminders.domain.plan import Amount
from reminders.domain.profile import Approval
from reminders.drugs import BadProfile
from tests.builders import a_phase, a_plan

OURS = """
key = "ours"
name = "ours"
ingredient = "ours"
form = "tablet"
unit = "mg"
[approved]
by = "Dr. Ada Sample"
on = 2026-03-01
[sources]
"our formulary" = "the clinic's own, 2026"
[strengths]
value = ["5 mg"]
source = ["our formulary"]
confidence = "sourced"
on_breach = "error"
[withdrawal_risk]
value = false
source = ["our formulary"]
confidence = "sourced"
[min_gap]
value = "4 h"
source = ["our formulary"]
confidence = "sourced"
"""
STRICTER = OURS.replace('key = "ours"\nname = "ours"', 'key = "baclofen-tablet"\nreplaces = true\nname = "baclofen"')
SHIPPED = drugs.load("baclofen")


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Path]:
    """A directory of a clinic's own profiles, read beside the shipped ones for one test."""
    drugs.stock(tmp_path)
    yield tmp_path
    drugs.stock(None)


def test_an_empty_directory_changes_nothing(clinic: Path) -> None:
    """Other files in it are nobody's business."""
    (clinic / "notes.txt").write_text("key =", encoding="utf-8")

    assert drugs.load("baclofen") is SHIPPED


def test_a_clinics_own_drug_stands_beside_the_shipped_ones(clinic: Path) -> None:
    """It is found by its names, and says who answers for it."""
    (clinic / "ours.toml").write_text(OURS, encoding="utf-8")

    assert (drugs.load("Ours").approval, drugs.load("baclofen")) == (Approval("Dr. Ada Sample", date(2026, 3, 1)), SHIPPED)
    assert list(drugs.names()) == sorted({*drugs.names(), "ours", "tizanidine"})


def test_a_finding_names_who_approved_the_number(clinic: Path) -> None:
    """Its source is the clinic's, with the name and the day."""
    (clinic / "ours.toml").write_text(OURS, encoding="utf-8")
    found = check_plan(a_plan(a_phase("7", at="08:00"), drug="ours"), drugs.load("ours"))

    assert [finding.source for finding in found] == ["our formulary (approved by Dr. Ada Sample, 2026-03-01)"]


def test_a_clinic_may_replace_a_shipped_profile(clinic: Path) -> None:
    """Then it alone holds, under every name of its own, and the shipped one's other names lead nowhere."""
    (clinic / "baclofen.toml").write_text(STRICTER, encoding="utf-8")
    found = drugs.load("baclofen")

    assert (found.approval, found.tablets) == (Approval("Dr. Ada Sample", date(2026, 3, 1), replaces=True), (Amount(Decimal(5)),))
    with pytest.raises(drugs.UnknownDrug):
        drugs.load("Lioresal")


def test_without_the_directory_the_shipped_ones_are_back(clinic: Path) -> None:
    """What is read depends on the setting alone."""
    (clinic / "baclofen.toml").write_text(STRICTER, encoding="utf-8")
    replaced = drugs.load("baclofen")
    drugs.stock(None)

    assert (drugs.load("baclofen") is SHIPPED, replace(replaced, approval=None) == SHIPPED) == (True, False)


REFUSED = {
    "nobody approved it": (OURS.replace("[approved]", "[notes.approved]"), "ours.toml: notes.approved.value", "is missing"),
    "without an approval": (OURS[: OURS.index("[approved]")] + OURS[OURS.index("[sources]") :], "ours.toml: approved", 'by = "Dr. ..."'),
    "a shipped key": (STRICTER.replace("replaces = true\n", ""), "ours.toml: key", "or write replaces = true"),
    "nothing to replace": (OURS.replace("[approved]", "replaces = true\n[approved]", 1), "ours.toml: replaces", "take replaces out"),
    "a shipped name": (OURS.replace('name = "ours"', 'name = "Tizanidine"'), "ours.toml: name", "tizanidine goes by the name 'Tizanidine'"),
    "a shipped brand": (OURS.replace("[approved]", 'aliases = ["lioresal"]\n[approved]'), "ours.toml: aliases", "baclofen-tablet goes by"),
    "no source": (OURS.replace('source = ["our formulary"]', "", 1), "ours.toml: strengths.source", "is missing"),
    "another's source": (OURS.replace('["our formulary"]', '["NHS"]', 1), "ours.toml: strengths.source", "'NHS' is not among"),
    "not TOML": ("key", "ours.toml", "not TOML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_trusted_leaves_nothing_known(clinic: Path, name: str) -> None:
    """Nothing is loaded, a shipped one neither: who starts is told which file, where in it, and how to mend it."""
    text, path, words = REFUSED[name]
    (clinic / "ours.toml").write_text(text, encoding="utf-8")

    with pytest.raises(BadProfile) as refused:
        drugs.load("baclofen-tablet")

    assert (refused.value.path, words in refused.value.message) == (str(clinic / path), True)


def test_a_file_that_is_no_text_is_refused(clinic: Path) -> None:
    """Bytes that are no UTF-8 are not guessed at."""
    (clinic / "ours.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(BadProfile, match=r"ours\.toml: cannot be read as a text file in UTF-8"):
        drugs.names()


def test_two_own_files_of_one_name_are_refused(clinic: Path) -> None:
    """Which of the two holds would be chance."""
    for name in ("a.toml", "b.toml"):
        (clinic / name).write_text(OURS, encoding="utf-8")

    with pytest.raises(BadProfile, match=r"b\.toml: key: ours goes by the name 'ours' already"):
        drugs.names()


def test_a_directory_that_has_gone_is_refused(clinic: Path) -> None:
    """A clinic's own limits are not left out in silence."""
    clinic.rmdir()

    with pytest.raises(BadProfile, match="is no directory"):
        drugs.names()
