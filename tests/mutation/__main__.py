"""Change the rules in one small way at a time, and see the tests turn red: `python -m tests.mutation [MODULES OF reminders/domain]`.

Mutmut makes the changes. What the tests do not see is held against docs/mutation.md: there it must stand with its reason,
and nothing may stand there that they do see.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

from mutmut.configuration import config

from reminders.clock import SystemClock
from tests.mutation.making import ROOT, Mutant, make
from tests.mutation.survivors import PAGE, listed
from tests.mutation.trying import MUTANTS, VERDICTS

TREE = ROOT / "var" / "mutation"
AT_LEAST = 90
SEEN = ("killed", "endless")  # a test that never ends is not green either


def main(modules: Sequence[str]) -> int:
    """Print what was seen, module by module, and what no reason is given for; return 0 if enough was seen and the page is true."""
    clock = SystemClock()
    began = clock.monotonic()
    mutants = make(TREE, modules)
    _say(f"{len(mutants)} mutants")
    verdicts = _tried(mutants)
    _say_each(mutants, verdicts)
    survivors = [mutant.change for mutant in mutants if verdicts[mutant.name] not in SEEN]
    share = 100 * (len(mutants) - len(survivors)) / len(mutants)
    _say(f"{len(mutants) - len(survivors)} of {len(mutants)} killed: {share:.1f} %, in {(clock.monotonic() - began) / 60:.1f} min")

    reasons = {change: why for change, why in listed(PAGE.read_text(encoding="utf-8")) if not modules or change.module in modules}
    for why, number in Counter(reasons[change] for change in survivors if change in reasons).most_common():
        _say(f"{number:4} survived: {why}")
    for change in (unexplained := [change for change in survivors if change not in reasons]):
        _say(f"\nNo test sees it, and docs/mutation.md gives no reason:\n{change}")
    for change in (outdated := reasons.keys() - set(survivors)):
        _say(f"\nIt stands in docs/mutation.md, but a test sees it, or it is no more:\n{change}")
    return 0 if share >= AT_LEAST and not unexplained and not outdated else 1


def _tried(mutants: Sequence[Mutant]) -> dict[str, str]:
    """Let the plugin try them; return what became of each, by its name."""
    (TREE / MUTANTS).write_text(json.dumps([mutant.name for mutant in mutants]), encoding="utf-8")
    # A zone of the machine that is nobody's: what asks for it gets an hour that is wrong everywhere.
    command = ["env", f"PYTHONPATH={TREE}", "TZ=Pacific/Chatham", sys.executable, "-m", "pytest", "-p", "tests.mutation.trying", *_OPTIONS]
    command += [*config().pytest_add_cli_args, *config().pytest_add_cli_args_test_selection]
    if code := subprocess.run(command, cwd=TREE, check=False).returncode:
        sys.exit(code)
    return dict(json.loads((TREE / VERDICTS).read_text(encoding="utf-8")))


# Without the words of a run of tests, and without what measures it or mixes its order.
_OPTIONS = (
    "-o",
    "addopts=",
    "--import-mode=importlib",
    "-m",
    "not night",
    "-s",
    "--assert=plain",  # nobody reads why a test was red
    *(f"-pno:{name}" for name in ("terminal", "randomly", "cov")),
)


def _say_each(mutants: Sequence[Mutant], verdicts: dict[str, str]) -> None:
    made = Counter(mutant.change.module for mutant in mutants)
    seen = Counter(mutant.change.module for mutant in mutants if verdicts[mutant.name] in SEEN)
    for module, number in made.items():
        _say(f"{module:16} {seen[module]:4} of {number:4} killed, {100 * seen[module] / number:5.1f} %")
    _say(", ".join(f"{number} {verdict}" for verdict, number in Counter(verdicts.values()).most_common()))


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
