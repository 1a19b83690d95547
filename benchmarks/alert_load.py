"""How much a panel of patients calls for: alerts, caregivers' texts and a nurse's minutes, at the published rates of answering.

The services are the running ones, on a clock moved by hand; `benchmarks/panel/` says what the simulated people do. Its peer is
the arithmetic of the gate alone, without the question of the evening before. `--write` puts the tables into docs/alert-load.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from math import comb
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.panel import behaviour
from benchmarks.panel.behaviour import RATES, USUAL, Model
from benchmarks.panel.playing import DAYS, FIRST, GATES, Scenario, Tally, ledgers_of, play, working_days
from reminders.clock import SystemClock

PAGE = Path(__file__).parents[1] / "docs" / "alert-load.md"
BEGIN, END = "<!-- what follows is written by benchmarks/alert_load.py --write -->", "<!-- end of what is written -->"
ACT, INFO = ("emergency", "urgent", "warning"), "info"
URGENT = ("emergency", "urgent")
COLUMNS = (
    "answered",
    "silence",
    "policy",
    "alerts to act on",
    "of them urgent",
    "for information",
    "patients called",
    "caregivers' texts",
    "all texts",
    "three gates, no stay",
    "nurse minutes",
)
Json = dict[str, Any]


def default_panels(patients: int, days: int, seed: int, rates: Sequence[float] = RATES) -> list[Scenario]:
    """Each rate with silence spread evenly; at the usual rate also unevenly, and under the policy that steps regardless."""
    even = [Scenario(rate, patients=patients, days=days, seed=seed) for rate in rates]
    usual = [one for one in even if one.rate == USUAL]
    return [*even, *(replace(one, model=Model.UNEVEN) for one in usual), *(replace(one, advance="as_prescribed") for one in usual)]


def played(scenarios: Sequence[Scenario], *, processes: int) -> list[Tally]:
    """Play panels, each ledger in a process of its own, and say how far it is."""
    parts = [part for scenario in scenarios for part in ledgers_of(scenario)]
    tallies = {scenario: Tally() for scenario in scenarios}
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for done, ((scenario, _), tally) in enumerate(zip(parts, pool.map(play, *zip(*parts, strict=True)), strict=True), start=1):
            tallies[scenario] += tally
            print(f"\r{done} of {len(parts)} ledgers played", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return list(tallies.values())


def per_100_a_day(count: int, tally: Tally, scenario: Scenario) -> float:
    """Per 100 patients and day."""
    return 100 * count / tally.patients / scenario.days


def alerts_of(tally: Tally, severities: Iterable[str]) -> int:
    """How many alerts there were of some severities."""
    wanted = set(severities)
    return sum(count for (severity, _), count in tally.alerts.items() if severity in wanted)


def figures(scenario: Scenario, tally: Tally) -> Json:
    """What the table shows of a panel, unrounded; by the names of its columns."""
    texts = tally.texts["caregiver_alert"]
    counts = (alerts_of(tally, ACT), alerts_of(tally, URGENT), alerts_of(tally, [INFO]), tally.calls, texts, tally.texts.total())
    rates = (per_100_a_day(count, tally, scenario) for count in counts)
    minutes = 100 * tally.minutes / tally.patients / max(working_days(scenario.days), 1)
    values = (scenario.rate, scenario.model.value, scenario.advance, *rates, tally.passed / tally.patients, minutes)
    return dict(zip(COLUMNS, values, strict=True))


def table(found: Sequence[tuple[Scenario, Tally]]) -> str:
    """The panels as a table in Markdown."""
    return _markdown(COLUMNS, [_row(figures(scenario, tally)) for scenario, tally in found])


def _row(shown: Json) -> list[str]:
    percents = {"answered", "three gates, no stay"}
    return [value if isinstance(value, str) else f"{value:.0%}" if name in percents else f"{value:.1f}" for name, value in shown.items()]


def kinds_table(found: Sequence[tuple[Scenario, Tally]]) -> str:
    """The alerts of each kind, per 100 patients and day, a panel to a column."""
    kinds = sorted({kind for _, tally in found for kind in tally.alerts})
    heads = [f"{scenario.rate:.0%} {_but(scenario)}".strip() for scenario, _ in found]
    rows = [[kind, severity, *(f"{per_100_a_day(t.alerts[severity, kind], t, s):.1f}" for s, t in found)] for severity, kind in kinds]
    return _markdown(("alert", "severity", *heads), rows)


def _but(scenario: Scenario) -> str:
    return (
        scenario.model.value
        if scenario.model is not Model.INDEPENDENT
        else ""
        if scenario.advance == "stay_unless_met"
        else scenario.advance
    )


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def by_arithmetic(rate: float, gates: int = GATES) -> float:
    """The share that would pass every gate if answers to reminders were all there was: 8 of 9, each time."""
    eight_of_nine = sum(comb(9, k) * rate**k * (1 - rate) ** (9 - k) for k in (8, 9))
    return float(eight_of_nine**gates)


def assumptions(scenarios: Sequence[Scenario]) -> str:
    """What the panel rests on, as a list in Markdown, from the numbers that are run."""
    one, b = scenarios[0], behaviour
    return "\n".join(
        f"- {line}"
        for line in (
            f"{one.patients} patients, {one.days} days from Monday {FIRST:%d %B %Y}, seed {one.seed}.",
            "Baclofen by its label: 5, 10, 15, 20 mg three times a day, three days each, the last without end.",
            "One caregiver each, who agreed to be told after two doses that were not confirmed.",
            f"Of the doses nobody answers for {b.TAKEN_IN_SILENCE:.0%} were taken all the same. A nudge brings no answer.",
            "Our questions (before a step, about a silence, why) are answered as often as a reminder, and truly.",
            f"Uneven: each patient's own rate is drawn from a beta distribution of the same mean, whose parameters add up to {b.SPREAD:g}.",
            f"One nurse, Monday to Friday at {', '.join(f'{at:%H:%M}' for at in b.SITTINGS)}, calls each patient with anything to act on.",
            "She reaches them, notes which of the unknown doses were taken, and lets a plan that stays go on.",
            f"It takes her {b.FIRST_MINUTES} minutes a patient, {b.FURTHER_MINUTES} more for each further alert of the same patient.",
        )
    )


def page_part(found: Sequence[tuple[Scenario, Tally]]) -> str:
    """What `--write` puts into the page."""
    scenarios = [scenario for scenario, _ in found]
    per_100 = "Per 100 patients a day; nurse minutes per 100 patients a *working* day."
    able = f"{behaviour.WORKING_MINUTES} minutes are enough for as many patients: {_panels_of_one_nurse(found)}."
    return "\n\n".join((BEGIN, assumptions(scenarios), per_100, table(found), able, kinds_table(found), _arithmetic(scenarios), END))


def _panels_of_one_nurse(found: Sequence[tuple[Scenario, Tally]]) -> str:
    return ", ".join(
        f"{100 * behaviour.WORKING_MINUTES / max(figures(s, t)['nurse minutes'], 1):.0f} at {s.rate:.0%} {_but(s)}".strip()
        for s, t in found
    )


def _arithmetic(scenarios: Sequence[Scenario]) -> str:
    shares = ", ".join(f"{by_arithmetic(rate):.0%} at {rate:.0%}" for rate in dict.fromkeys(one.rate for one in scenarios))
    return f"By the arithmetic of answers to reminders alone, three gates would be passed by {shares}."


def written(page: str, part: str) -> str:
    """The page with its written part replaced."""
    before, rest = page.split(BEGIN)
    return before + part + rest.split(END)[1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Play the panels and print the tables."""
    options = _options(arguments)
    clock = SystemClock()
    began = clock.monotonic()
    scenarios = default_panels(options.patients, options.days, options.seed, options.rate or RATES)
    found = list(zip(scenarios, played(scenarios, processes=options.processes), strict=True))
    if options.json:
        print(json.dumps([{**asdict(s), **figures(s, t), "alerts": _named(t.alerts), "texts": dict(t.texts)} for s, t in found], indent=2))
    else:
        print(page_part(found).removeprefix(BEGIN).removesuffix(END).strip())
        print(f"\nplayed in {clock.monotonic() - began:.0f} s")
    if options.write:
        PAGE.write_text(written(PAGE.read_text("utf-8"), page_part(found)), "utf-8")


def _named(alerts: Counter[tuple[str, str]]) -> dict[str, int]:
    return {f"{kind} ({severity})": count for (severity, kind), count in sorted(alerts.items())}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--rate", type=float, action="append", help="the share of reminders answered; may be given several times")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--write", action="store_true", help=f"write the tables into docs/{PAGE.name}")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
