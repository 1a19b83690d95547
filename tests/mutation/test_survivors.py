"""What docs/mutation.md lists can be read, and still stands in the rules; what is made of them can be woken."""

from __future__ import annotations

from pathlib import Path

from tests.mutation.making import DOMAIN, ROOT, with_open_properties
from tests.mutation.survivors import PAGE, Change, listed


def stands(change: Change) -> bool:
    """Whether the lines that a change takes away are lines of its module."""
    lines = (ROOT / DOMAIN / f"{change.module}.py").read_text(encoding="utf-8").splitlines()
    return set(change.was) <= {line.strip() for line in lines}


def test_a_listed_change_has_its_place() -> None:
    """A reason does not outlive the line that it is about."""
    changes = dict(listed(PAGE.read_text(encoding="utf-8")))

    assert [str(change) for change in changes if not stands(change)] == []


def test_a_page_is_read_as_a_survivor_is_written() -> None:
    """What the run prints can be put into the page as it is."""
    one = Change("taper.titrate", ("return 1",), ("return 2", "return 3"))
    two = Change("plan.Phase.per_day", ("a", "b"), ())
    page = f"# Title\n\n### The same\n\nWords.\n\n```diff\n{one}\n\n{two}\n```\n\n### Another\n\nWords.\n"

    assert list(listed(page)) == [(one, "The same"), (two, "The same")]


def test_a_property_is_opened() -> None:
    """A property behaves as before, and its body is that of a method, which can be changed."""
    source = "class A:\n    @property\n    def one(self):\n        return 1\n\n    def two(self):\n        return 2\n"
    made: dict[str, type] = {}
    exec(with_open_properties(source), made)  # noqa: S102 - the line above

    assert (made["A"]().one, made["A"]().two(), "@" in with_open_properties(source)) == (1, 2, False)


def test_every_property_of_the_rules_is_opened() -> None:
    """None is left that mutmut would pass over."""
    opened = [with_open_properties(file.read_text(encoding="utf-8")) for file in Path(ROOT / DOMAIN).glob("*.py")]

    assert [text for text in opened if "@property" in text or "@cached_property" in text] == []
