"""JSON text to plain values, refusing what JSON readers usually let pass: a key given twice, NaN, a number too long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import NoReturn

from reminders.errors import BadFile, Fault

LONGEST_NUMBER = 40  # characters; Python refuses integers of more than 4,300 digits with an error of its own


class _Repeating(dict[str, object]):
    """A JSON object in which a key stood more than once. Which value was meant, nobody can tell: 5 mg, or 50?"""

    repeated: tuple[str, ...] = ()


def read_json(text: str | bytes) -> object:
    """Parse JSON text (UTF-8 if bytes). Numbers with a fraction become exact decimals. Raises BadFile."""
    try:
        written = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        data = json.loads(written, object_pairs_hook=_object, parse_int=_whole, parse_float=_exact, parse_constant=_refused_constant)
    except UnicodeDecodeError as error:
        raise BadFile([Fault("", f"not UTF-8 text (byte {error.start}): save the file as UTF-8")]) from error
    except json.JSONDecodeError as error:
        raise BadFile([Fault("", f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}")]) from error
    except RecursionError as error:
        raise BadFile([Fault("", "not usable JSON: nested too deep")]) from error
    if not _is_whole_text(data):
        raise BadFile([Fault("", "not usable JSON: half a character, such as \\ud800 without its other half")])
    twice = sorted(Fault(path, "this key stands more than once here; keep one") for path in _repeated(data, ""))
    if twice:
        raise BadFile(twice)
    return data


def _is_whole_text(data: object) -> bool:
    """Half a surrogate pair passes as JSON, but can be neither stored nor printed."""
    try:
        json.dumps(data, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) == len(keys):
        return dict(pairs)
    repeating = _Repeating(pairs)
    repeating.repeated = tuple(key for key in repeating if keys.count(key) > 1)
    return repeating


def _repeated(value: object, path: str) -> Iterator[str]:
    if isinstance(value, _Repeating):
        yield from (join(path, key) for key in value.repeated)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _repeated(inner, join(path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _repeated(inner, join(path, index))


def join(path: str, step: str | int) -> str:
    """Add a key or an index to a path: ("patients[0]", "phone") is "patients[0].phone"."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if path and step else path or step


def _whole(digits: str) -> int:
    return int(_bounded(digits))


def _exact(digits: str) -> Decimal:
    return Decimal(_bounded(digits))


def _bounded(digits: str) -> str:
    if len(digits) > LONGEST_NUMBER:
        raise BadFile([Fault("", f"not usable JSON: a number of {len(digits)} characters")])
    return digits


def _refused_constant(name: str) -> NoReturn:
    raise BadFile([Fault("", f"not JSON: {name} is not a number")])
