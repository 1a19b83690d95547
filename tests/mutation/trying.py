"""A plugin of pytest: in place of the one run of the tests, one for each mutant, of the tests that reach it, until one is red.

The tests are collected once, and each run is a fork of that, which nothing of another run can reach. A test may take ten
times its own CPU time, and a second; a busy machine ends none.
"""

from __future__ import annotations

import gc
import json
import mmap
import os
import signal
import struct
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from time import process_time

import pytest
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.format_utils import mangled_name_from_mutant_name
from pluggy import PluggyTeardownRaisedWarning

MUTANTS, VERDICTS, MEASURED = Path("mutants.json"), Path("verdicts.json"), "measured-{}.json"
CORES = os.cpu_count() or 1
GREEN, ENDLESS, BROKEN = -1, -2, -3  # how a fork ended; from 0 on, the number of the test that was red
QUICK = 0.05  # seconds


class Red(BaseException):
    """A test failed: what is left of its run, and a report of it, would only take time."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> None:
    """End the run at the first test that is red."""
    if call.excinfo is not None and not isinstance(call.excinfo.value, pytest.skip.Exception):
        raise Red


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Try every mutant named in mutants.json, and write into verdicts.json what became of it.

    killed, or survived; endless: a test took far more than its time; unreached: by no test; broken: neither red nor green.
    """
    gc.freeze()
    tests, seconds = _measured(session.items)
    names: list[str] = json.loads(MUTANTS.read_text(encoding="utf-8"))
    verdicts = dict.fromkeys(names, "unreached")
    reached = (name for name in names if tests[mangled_name_from_mutant_name(name)])
    trials = ((name, _trial(name, session.items, tests[mangled_name_from_mutant_name(name)], seconds)) for name in reached)
    for number, (name, end) in enumerate(_forked(trials), 1):
        verdicts[name] = {GREEN: "survived", ENDLESS: "endless", BROKEN: "broken"}.get(end, "killed")
        if end >= 0 and seconds[end] <= QUICK:  # it may well see the next mutant of this function too
            of_function = tests[mangled_name_from_mutant_name(name)]
            of_function.insert(0, of_function.pop(of_function.index(end)))
        if number % 100 == 0:
            _say(f"{number} of {len(names)} tried, {Counter(verdicts.values())['survived']} survived")
            VERDICTS.write_text(json.dumps(verdicts), encoding="utf-8")
    VERDICTS.write_text(json.dumps(verdicts), encoding="utf-8")
    return True


def _measured(items: Sequence[pytest.Item]) -> tuple[dict[str, list[int]], list[float]]:
    """Run each test once without a change; return the numbers of those that reach each function, likeliest first, and their CPU seconds."""
    shares = [range(first, len(items), CORES) for first in range(CORES)]
    for _, end in _forked((str(share.start), _measurement(items, share)) for share in shares):
        _expect_green(items, end)
    seconds, effort = [0.0] * len(items), [0.0] * len(items)
    tests: defaultdict[str, list[int]] = defaultdict(list)
    for share in shares:
        for number, took, functions in json.loads(Path(MEASURED.format(share.start)).read_text(encoding="utf-8")):
            seconds[number], effort[number] = took, took * len(functions)
            for function in functions:
                tests[function].append(number)
    for numbers in tests.values():
        numbers.sort(key=effort.__getitem__)  # what is quick, and about little else than this function, is likely to see it
    quickest = sorted(range(len(items)), key=seconds.__getitem__)  # another order than before: no verdict may come from that alone
    for _, end in _forked([("", _trial("", items, quickest, seconds))]):
        _expect_green(items, end)
    _say(f"{len(items)} tests are green without a change, in {sum(seconds):.0f} s of CPU")
    return tests, seconds


def _expect_green(items: Sequence[pytest.Item], end: int) -> None:
    if end != GREEN:
        _say(f"Without any change this is red: {items[end].nodeid if end >= 0 else 'a test ran for ever, or the run broke'}")
        pytest.exit("red", returncode=1)


def _measurement(items: Sequence[pytest.Item], share: range) -> Callable[[], int]:
    def measure() -> int:
        set_mutant_under_test("stats")
        found = []
        for number in share:
            hits = state()._stats  # noqa: SLF001 - where mutmut keeps the functions that were called
            hits.clear()
            began = process_time()
            if _is_red(items[number], items[number + CORES] if number + CORES in share else None):
                return number
            found.append((number, process_time() - began, sorted(hits)))
        Path(MEASURED.format(share.start)).write_text(json.dumps(found), encoding="utf-8")
        return GREEN

    return measure


def _trial(name: str, items: Sequence[pytest.Item], tests: Sequence[int], seconds: Sequence[float]) -> Callable[[], int]:
    def try_it() -> int:
        set_mutant_under_test(name)
        for number, following in zip(tests, [*tests[1:], None], strict=True):
            signal.setitimer(signal.ITIMER_VIRTUAL, 1 + 10 * seconds[number])
            if _is_red(items[number], None if following is None else items[following]):
                return number
        return GREEN

    return try_it


def _is_red(item: pytest.Item, following: pytest.Item | None) -> bool:
    with suppress(Red, PluggyTeardownRaisedWarning):  # some plugins are warned that they were left in the middle
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        return False
    return True


def _forked(work: Iterable[tuple[str, Callable[[], int]]]) -> Iterator[tuple[str, int]]:
    """Do each work in a process of its own, as many at a time as there are cores; give its name and how it ended, as they end."""
    ends = mmap.mmap(-1, 4 * CORES)
    free, running = list(range(CORES)), dict[int, tuple[str, int]]()

    def ended() -> tuple[str, int]:
        pid, status = os.wait()
        name, place = running.pop(pid)
        free.append(place)
        code = os.waitstatus_to_exitcode(status)
        if code:
            return name, ENDLESS if code == -signal.SIGVTALRM else BROKEN
        return name, int(struct.unpack_from("i", ends, 4 * place)[0])

    for name, do in work:
        if not free:
            yield ended()
        place = free.pop()
        pid = os.fork()
        if pid == 0:
            _alone(lambda: struct.pack_into("i", ends, 4 * place, do()))  # noqa: B023 - called at once
        running[pid] = (name, place)
    while running:
        yield ended()


def _alone(do: Callable[[], None]) -> None:
    """Do it, say nothing, and end this process: with 0 if it came to its end."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    code = 1
    try:
        do()
        code = 0
    finally:
        os._exit(code)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()
