"""What no test sees and none need: read from docs/mutation.md, where each change stands below its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/mutation.md"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a function of the domain ("plan.Phase.per_day"), as the lines it takes away and puts in, without their indent."""

    function: str
    was: tuple[str, ...]
    now: tuple[str, ...]

    @classmethod
    def between(cls, function: str, before: Sequence[str], after: Sequence[str]) -> Change:
        """Compare the lines of a function with those of its mutant, which differ in one place."""
        same = len([*takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))])
        rest = [*takewhile(lambda pair: pair[0] == pair[1], zip(reversed(before[same:]), reversed(after[same:]), strict=False))]
        was, now = (tuple(line.strip() for line in lines[same : len(lines) - len(rest)]) for lines in (before, after))
        return cls(function, was, now)

    @classmethod
    def of(cls, function: str, diff: Sequence[str]) -> Change:
        """Read lines that begin with - or +."""
        was, now = (tuple(line[1:].strip() for line in diff if line.startswith(sign)) for sign in "-+")
        return cls(function, was, now)

    @property
    def module(self) -> str:
        """The module of the domain that it changes."""
        return self.function.partition(".")[0]

    def __str__(self) -> str:
        """Write it as docs/mutation.md does."""
        return "\n".join([f"@ {self.function}", *(f"- {line}" for line in self.was), *(f"+ {line}" for line in self.now)])


def listed(page: str) -> Iterator[tuple[Change, str]]:
    """Read each change that a page lists, with the heading that gives its reason."""
    for section in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        reason = section.partition("\n")[0]
        for block in re.findall(r"^```diff\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL):
            for entry in re.split(r"^@ ", block, flags=re.MULTILINE)[1:]:
                function, *diff = entry.splitlines()
                yield Change.of(function, diff), reason
