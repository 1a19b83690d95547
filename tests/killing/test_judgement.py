"""Whether the judgement sees what it is there for, whatever the ledger says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.engine import make_engine
from reminders.messaging.texts import render
from tests.fake_twilio.server import OUR_NUMBER
from tests.killing.carrier import Carrier
from tests.killing.clinic import Clinic, Said
from tests.killing.judgement import Evidence, Judgement, judge
from tests.killing.lives import dice
from tests.messaging.wire import ANA, BEN

ONE = render("reminder_discreet", "en", clinic="Elm Street", when="Mon 12:57 pm")
LATE = render("late_reminder", "en", clinic="Elm Street", when="Mon 12:57 pm", amount="1 tablet of 5 mg", until="Mon 4:57 pm")
TWO = render(
    "reminder_two", "en", clinic="Elm Street", when="Mon 12:57 pm", letter="A", amount="1 tablet", letter2="B", amount2="2 half tablets"
)
LATE_A, LATE_B = (
    render("late_reminder", "en", clinic="Elm Street", when="Mon 12:57 pm", amount=f"{letter}: 1 tablet of 5 mg", until="Mon 4:57 pm")
    for letter in "AB"
)
HELP = render("help", "en", clinic="Elm Street", phone="202 555 0100")


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    """A carrier that nobody faults."""
    with Carrier() as opened:
        yield opened


def judged(carrier: Carrier, *texts: tuple[str, str]) -> Judgement:
    """Judge what the carrier accepted: Ana has one dose and asked for help, Ben two. The ledger knows nothing."""
    clinic = Clinic(make_engine("sqlite://"), carrier, "", dice(0))
    clinic.plans = {ANA: ["a"], BEN: ["b", "c"]}
    clinic.said = {ANA: Said("SM1", "HELP")}
    for phone, body in texts:
        carrier.create({"To": phone, "From": OUR_NUMBER, "Body": body, "StatusCallback": "http://127.0.0.1/?tag=t"})
    return judge(clinic, Evidence({}, [], [], [], [], {}, carrier.messages))


@pytest.mark.parametrize("texts", [[(ANA, ONE), (ANA, HELP), (BEN, TWO)], [(BEN, LATE_B), (ANA, LATE), (BEN, LATE_A), (ANA, HELP)]])
def test_what_was_due_is_neither_lost_nor_doubled(carrier: Carrier, texts: list[tuple[str, str]]) -> None:
    """Each dose is told of once, on time or late, two of them together or not, and who asked for help got it."""
    found = judged(carrier, *texts)

    assert (found.texts, found.lost, found.doubled) == (len(texts), (), ())


def test_what_never_reached_the_carrier_is_lost(carrier: Carrier) -> None:
    """The one of two late doses that nobody told of, an only reminder, and an answer."""
    found = judged(carrier, (BEN, LATE_A))

    assert [fault.splitlines()[0] for fault in found.lost] == [
        f"{ANA} was not told: the dose",
        f"{ANA} was not told: help",
        f"{BEN} was not told: B",
    ]


def test_what_reached_the_carrier_twice_is_doubled_though_its_words_differ(carrier: Carrier) -> None:
    """On time and late of one dose, both in one text and one of them again, and help that nobody asked for a second time."""
    found = judged(carrier, (ANA, ONE), (ANA, LATE), (ANA, HELP), (ANA, HELP), (BEN, TWO), (BEN, LATE_B))

    assert [fault.splitlines()[0] for fault in found.doubled] == [
        f"{ANA} was told once too often: the dose",
        f"{ANA} was told once too often: help",
        f"{BEN} was told once too often: B",
    ]


def test_what_the_ledger_does_not_know_of_is_untrue(carrier: Carrier) -> None:
    """Texts that were accepted and that no row of the ledger explains are said to be so."""
    found = judged(carrier, (ANA, ONE), (ANA, HELP), (BEN, TWO))

    assert "3 accepted texts that are none of the ledger's" in found.untrue
