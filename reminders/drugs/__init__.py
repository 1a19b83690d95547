"""What is known of each drug and form: one TOML file each, every number with its source.

An error may rest on a sourced number only, and a number without a source is refused: see `profile_file`.
A clinic's own files stand beside the shipped ones (`stock`), each with the name of who approved it: see `shelf`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from reminders.domain.plan import Plan
from reminders.domain.profile import DrugProfile
from reminders.drugs.profile_file import BadProfile
from reminders.drugs.shelf import shelved
from reminders.errors import NotFound

__all__ = ["BadProfile", "UnknownDrug", "alike", "all_profiles", "known", "load", "names", "nearest", "stock"]


class UnknownDrug(NotFound):
    """No profile goes by that name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no drug profile is called {name!r}; {_instead(name)}known: {', '.join(names())}")


def load(name: str) -> DrugProfile:
    """Find a profile by its key, name, brand or alias, in any case. Raises UnknownDrug, naming the nearest and the known ones."""
    shelf = _shelf()
    for profile in shelf:
        if profile.key == name:  # as the ledger keeps it
            return profile
    for profile in shelf:
        if profile.is_called(name):
            return profile
    raise UnknownDrug(name)


def known(name: str) -> DrugProfile | None:
    """Find a profile as `load` does; None where no profile goes by that name."""
    try:
        return load(name)
    except UnknownDrug:
        return None


def alike(profile: DrugProfile) -> Callable[[Plan], bool]:
    """Say of which plans a drug is of the same ingredient: its forms share no numbers, but one patient takes them both."""

    def is_alike(other: Plan) -> bool:
        found = known(other.drug)
        return found is not None and found.ingredient == profile.ingredient

    return is_alike


def names() -> tuple[str, ...]:
    """The keys of all profiles, sorted."""
    return tuple(profile.key for profile in _shelf())


def all_profiles() -> tuple[DrugProfile, ...]:
    """Every profile, by key."""
    return _shelf()


def nearest(name: str) -> tuple[str, ...]:
    """The keys of the profiles whose names come nearest to this one, the nearest first; none if none is near."""
    near: dict[str, float] = {}
    for profile in _shelf():
        known = (profile.key, profile.name, profile.ingredient, *profile.aliases)
        likeness = max(SequenceMatcher(a=name.casefold(), b=one.casefold()).ratio() for one in known)
        if likeness >= _NEAR:
            near[profile.key] = likeness
    return tuple(sorted(near, key=lambda key: (-near[key], key)))


_NEAR = 0.6


def _instead(name: str) -> str:
    forms = [profile.key for profile in _shelf() if profile.ingredient.casefold() == name.casefold()]
    if forms:
        return f"name its form: {' or '.join(forms)}; "
    near = nearest(name)
    return f"nearest: {', '.join(near)}; " if near else ""


@dataclass(slots=True)
class _Stock:
    """Where a clinic's own files are; told once, at the start, by the edge that knows the settings."""

    directory: Path | None = None


_STOCK = _Stock()


def stock(directory: Path | None) -> None:
    """Have a clinic's own files read beside the shipped ones; None: the shipped ones alone.

    They are read when a profile is first asked for, once: BadProfile is raised then, and nothing is known.
    """
    _STOCK.directory = directory


def _shelf() -> tuple[DrugProfile, ...]:
    return shelved(_STOCK.directory)
