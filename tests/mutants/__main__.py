"""Plant each bug in a copy of the tree, and see the tests turn red: `python -m tests.mutants [WORDS OF ITS NAME]`.

First the same tests are run on an unchanged copy, where they must be green: what is red anyway sees nothing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reminders.clock import SystemClock
from tests.mutants.planted import PLANTED, Planted

ROOT = Path(__file__).parents[2]
FAILED = 1  # pytest's own words: some tests failed; anything else means that it could not tell
LONGEST_SECONDS = 900


def main(words: Sequence[str]) -> int:
    """Say of each bug whether it was seen, and by which test; return 0 if all were."""
    chosen = [planted for planted in PLANTED if all(word in planted.name for word in words)]
    with tempfile.TemporaryDirectory(prefix="doseline-mutants-") as folder:
        _say("no bug at all: ", end="")
        code, test, seconds = _run(_copy(Path(folder) / "unchanged"), sorted({test for planted in chosen for test in planted.tests}))
        _say(f"{'green' if code == 0 else f'NOT GREEN ({test}, exit {code})'} in {seconds:.0f} s")
        seen = sum([_is_seen(planted, _copy(Path(folder) / f"{number:02}")) for number, planted in enumerate(chosen, 1)])
    _say(f"{seen} of {len(chosen)} planted bugs were seen")
    return 0 if code == 0 and seen == len(chosen) else 1


def _is_seen(planted: Planted, tree: Path) -> bool:
    _say(f"{planted.name}: ", end="")
    file = tree / planted.file
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(planted.old, planted.new), encoding="utf-8")
    code, test, seconds = _run(tree, [*planted.tests])
    _say(f"seen in {seconds:.0f} s by {test}" if code == FAILED else f"NOT SEEN (exit {code})")
    shutil.rmtree(tree)
    return code == FAILED


def _copy(target: Path) -> Path:
    """Copy what git knows of the tree, and what it would if it were committed now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


def _run(tree: Path, tests: Sequence[str]) -> tuple[int, str, float]:
    """Run tests in a tree until one fails; return pytest's exit code, the test that failed, and the seconds it took."""
    clock = SystemClock()
    began = clock.monotonic()
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    command = ["env", f"PYTHONPATH={tree}", *command]  # before the tree that is installed
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return done.returncode, failed[1] if failed else "", clock.monotonic() - began


def _say(words: str, end: str = "\n") -> None:
    sys.stdout.write(words + end)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
