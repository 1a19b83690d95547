"""What is known of each drug and form: one TOML file each, every number with its source.

An error may rest on a sourced number only, and a number without a source is refused: see `profile_file`.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import cache
from importlib.resources import files

from reminders.domain.profile import DrugProfile
from reminders.drugs.profile_file import BadProfile, read_profile
from reminders.errors import NotFound

__all__ = ["BadProfile", "UnknownDrug", "load", "names", "nearest"]


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


def names() -> tuple[str, ...]:
    """The keys of all profiles, sorted."""
    return tuple(profile.key for profile in _shelf())


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


@cache
def _shelf() -> tuple[DrugProfile, ...]:
    pages = sorted((page for page in files(__name__).iterdir() if page.name.endswith(".toml")), key=lambda page: page.name)
    return tuple(read_profile(page.read_text("utf-8"), page.name) for page in pages)
