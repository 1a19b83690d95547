"""The strict base of every file's shape, and how its faults become words with a path."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, ValidationError
from pydantic_core import ErrorDetails

from reminders.domain.plan import InvalidPlan
from reminders.errors import BadFile, Fault
from reminders.formats.json_text import join


class Shape(BaseModel):
    """An object of a file: unknown keys are refused, nothing is converted silently, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False, regex_engine="python-re")


SHOWN = 40  # characters of a found value that a fault repeats

S = TypeVar("S", bound=BaseModel)

# What is missing is told with what it is for; all other names speak for themselves.
WANTED: Mapping[str, str] = MappingProxyType(
    {
        "advance": "the advance policy has no default: the prescriber chooses as_prescribed, ask_provider or stay_unless_met",
        "consent": 'no consent on record, no text: give {"by", "at", "wording_version", "number_verified": true}',
        "number_verified": "a number is verified by a code before its first reminder: give true once it is",
        "days": "give the phase's number of days, or null if it is open-ended",
        "phone": "give the number, like +12025550101; null only for a patient whose proxy holds the phone",
        "approved_by": "give the name of the provider who approved this plan",
    }
)

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "extra_forbidden": "unknown key: remove it, or check its spelling",
        "string_type": "must be text in quotes, not {found}",
        "int_type": "must be a whole number, not {found}",
        "bool_type": "must be true or false, not {found}",
        "tuple_type": "must be a list, not {found}",
        "model_type": "must be an object, not {found}",
        "model_attributes_type": "must be an object, not {found}",
        "enum": "must be one of {expected}, not {found}",
        "literal_error": "must be {expected}, not {found}",
        "greater_than_equal": "must be {ge} or more, not {found}",
        "less_than_equal": "must be {le} at most, not {found}",
        "too_short": "must have at least {min_length} entry",
        "string_too_short": "must not be empty",
        "string_too_long": "must be {max_length} characters at most",
    }
)


def read(shape: type[S], data: object) -> S:
    """Check plain JSON values against a shape. Raises BadFile with every fault, in the order of their paths."""
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        raise BadFile(faults_of(error)) from error


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """Say each of pydantic's errors in our words, with its JSON path."""
    return faults_in(error.errors(include_url=False))


def faults_in(details: Iterable[ErrorDetails]) -> tuple[Fault, ...]:
    """Say each of some errors of pydantic's in our words."""
    return in_order(_fault(detail) for detail in details if not _only_spoilt(detail))


def in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Sort faults by where they stand, list items by number, each once."""
    return tuple(sorted(set(faults), key=lambda fault: (_steps(fault.path), fault.message)))


def by_key(keys: tuple[str, ...], message: str) -> Discriminator:
    """Tell the forms of an object apart by a key that only one of them has. Their tags, <key>, stand in no path."""

    def tag(value: object) -> str | None:
        found = [key for key in keys if key in value] if isinstance(value, dict) else []
        return f"<{found[0]}>" if len(found) == 1 else None

    return Discriminator(tag, custom_error_type="form", custom_error_message=message)


def by_value(key: str, values: tuple[str, ...]) -> Discriminator:
    """Tell the forms of an object apart by what stands at one key."""

    def tag(value: object) -> str | None:
        found = value.get(key) if isinstance(value, dict) else None
        return f"<{found}>" if found in values else None

    return Discriminator(tag, custom_error_type="form", custom_error_message=f"must be an object whose {key} is one of {', '.join(values)}")


def _only_spoilt(detail: ErrorDetails) -> bool:
    """Say whether a list is called too short only because entries of it are bad: pydantic counts the good ones."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _fault(detail: ErrorDetails) -> Fault:
    path = ""
    for step in detail["loc"]:
        if not (isinstance(step, str) and step.startswith("<")):
            path = join(path, step)
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        wanted = WANTED.get(str(detail["loc"][-1])) if detail["loc"] else None
        return Fault(path, f"is missing: {wanted}" if wanted else "is missing")
    if kind == "value_error":
        cause = context["error"]
        return Fault(join(path, cause.path), cause.message) if isinstance(cause, InvalidPlan) else Fault(path, str(cause))
    found = shown(detail["input"])
    return Fault(path, _WORDS[kind].format(found=found, **context) if kind in _WORDS else detail["msg"])


def shown(value: object) -> str:
    """Write a found value as it stands in the file, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=_plainly).encode("utf-8", "replace").decode()  # half a character has no form
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def _plainly(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else repr(value)


def _steps(path: str) -> tuple[tuple[int, str], ...]:
    parts = path.replace("[", ".").replace("]", "").split(".")
    return tuple((int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in parts)
