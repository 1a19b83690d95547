"""What is known of each drug and form: one TOML file each, every number with its source.

An error may rest on a sourced number only, and a number without a source is refused: see `profile_file`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from reminders.domain.profile import DrugProfile
from reminders.drugs.profile_file import BadProfile, read_profile
from reminders.errors import NotFound

__all__ = ["BadProfile", "UnknownDrug", "load", "names"]


class UnknownDrug(NotFound):
    """No profile goes by that name."""

    def __init__(self, name: str) -> None:
        self.name = name
        known = "; ".join(f"{profile.key} ({', '.join(sorted({profile.name, *profile.aliases}))})" for profile in _shelf())
        super().__init__(f"no drug profile is called {name!r}; known: {known}")


def load(name: str) -> DrugProfile:
    """Find a profile by its key, name, brand or alias, in any case. Raises UnknownDrug, naming the known ones."""
    for profile in _shelf():
        if profile.is_called(name):
            return profile
    raise UnknownDrug(name)


def names() -> tuple[str, ...]:
    """The keys of all profiles, sorted."""
    return tuple(profile.key for profile in _shelf())


@cache
def _shelf() -> tuple[DrugProfile, ...]:
    pages = sorted((page for page in files(__name__).iterdir() if page.name.endswith(".toml")), key=lambda page: page.name)
    return tuple(read_profile(page.read_text("utf-8"), page.name) for page in pages)
