from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.errors import BadFile
from reminders.formats.import_file import plans_in, read_import
from reminders.formats.json_text import read_json
from reminders.formats.plan_file import read_plan
from reminders.formats.story_file import read_story
from tests.files import Json, a_plan_file, a_story_file, an_import_file, changed

odd = st.sampled_from(
    ["", "0", "-1", "5", "1e9", "2026-02-29", "9999-12-31", "0001-01-01T00:00:00Z", "24:00", "\x00", "+1", "America", "d", "\ud800"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text() | odd,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | odd, inner, max_size=3),
    max_leaves=6,
)


def places(data: Json, path: str = "") -> Iterator[str]:
    """Every path of a file."""
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, inner in steps:
        here = f"{path}[{step}]" if isinstance(step, int) else f"{path}.{step}" if path else step
        yield here
        yield from places(inner, here)


@pytest.mark.parametrize(
    ("read", "example"),
    [(read_plan, a_plan_file), (read_import, an_import_file), (plans_in, an_import_file), (read_story, a_story_file)],
    ids=["plan", "import", "plans in an import", "story"],
)
@given(draws=st.data())
def test_whatever_stands_anywhere_is_read_or_refused(
    read: Callable[[object], object], example: Callable[[], Json], draws: st.DataObject
) -> None:
    """No value at any place of a file ends in anything but a file read or its faults named."""
    data = example()
    path = draws.draw(st.sampled_from(sorted(places(data))))
    spoilt = changed(data, path, draws.draw(anything))

    with suppress(BadFile):
        read(spoilt)


@given(text=st.text() | st.binary() | anything.map(lambda value: json.dumps(value, default=str)))
def test_whatever_text_is_json_or_refused(text: str | bytes) -> None:
    """No text ends in anything but values or faults."""
    with suppress(BadFile):
        read_json(text)
