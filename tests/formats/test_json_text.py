from __future__ import annotations

from decimal import Decimal

import pytest

from reminders.errors import BadFile, Fault
from reminders.formats.json_text import read_json


def test_a_fraction_is_read_exactly() -> None:
    """A number with a fraction becomes an exact decimal, never a float."""
    assert read_json('{"fraction": 0.1}') == {"fraction": Decimal("0.1")}


def test_a_byte_order_mark_is_no_fault() -> None:
    """A file saved with a byte order mark reads like any other."""
    assert read_json(b'\xef\xbb\xbf{"days": 3}') == {"days": 3}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"amount": "5", "amount": "50"}', "amount"),
        ('{"patients": [{}, {"phone": "1", "name": "x", "phone": "2"}]}', "patients[1].phone"),
        ('{"import": {"clinic": {"zone": 1, "zone": 1}}}', "import.clinic.zone"),
    ],
)
def test_a_key_given_twice_is_refused_by_its_path(text: str, path: str) -> None:
    """Two values for one key are never settled by taking the last: 5 mg, or 50?"""
    with pytest.raises(BadFile) as caught:
        read_json(text)

    assert caught.value.faults == (Fault(path, "this key stands more than once here; keep one"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"\xff\xfe", "not UTF-8 text (byte 0): save the file as UTF-8"),
        ("{", "not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
        ("", "not JSON: Expecting value at line 1, column 1"),
        ('{"days": NaN}', "not JSON: NaN is not a number"),
        ('{"days": -Infinity}', "not JSON: -Infinity is not a number"),
        ("9" * 5000, "not usable JSON: a number of 5000 characters"),
        ("1." + "9" * 5000, "not usable JSON: a number of 5002 characters"),
        (r'{"name": "\ud800"}', r"not usable JSON: half a character, such as \ud800 without its other half"),
        ("[" * 100_000, "not usable JSON: nested too deep"),
    ],
)
def test_text_that_is_no_usable_json_is_refused(text: str | bytes, words: str) -> None:
    """What cannot be read is refused in one sentence, never with a traceback."""
    with pytest.raises(BadFile) as caught:
        read_json(text)

    assert caught.value.faults == (Fault("", words),)
