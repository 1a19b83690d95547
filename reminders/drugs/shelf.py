"""The shelf: the shipped profiles, and beside them or in their place those that a clinic wrote and somebody approved.

What would leave it open which profile a plan is held against is refused: two of one key, or two that go by one name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from reminders.domain.profile import DrugProfile
from reminders.drugs.profile_file import BadProfile, read_profile

SETTING = "DOSELINE_DRUGS"
APPROVED = 'a file of the clinic\'s own says who approved it and when: add [approved] with by = "Dr. ..." and on = 2026-03-01'


@cache
def shelved(directory: Path | None) -> tuple[DrugProfile, ...]:
    """All profiles, by key: the shipped ones, and those of a clinic's directory. Raises BadProfile."""
    own = () if directory is None else tuple(_own(directory))
    replaced = {profile.key for profile in own}
    shelf = (*(profile for profile in shipped() if profile.key not in replaced), *own)
    return tuple(sorted(shelf, key=lambda profile: profile.key))


@cache
def shipped() -> tuple[DrugProfile, ...]:
    """The profiles that come with Doseline, by key. Nobody of a clinic answers for them."""
    pages = sorted((page for page in files("reminders.drugs").iterdir() if page.name.endswith(".toml")), key=lambda page: page.name)
    return tuple(read_profile(page.read_text("utf-8"), page.name) for page in pages)


def _own(directory: Path) -> Iterator[DrugProfile]:
    """A clinic's own files, in order of their names."""
    if not directory.is_dir():
        raise BadProfile(str(directory), f"is no directory: create it for the clinic's own profiles, or leave {SETTING} out")
    found: list[DrugProfile] = []
    for page in sorted(directory.glob("*.toml")):
        profile = read_profile(_text(page), str(page))
        _refuse_unapproved(profile, str(page))
        _refuse_another_of_its_name(profile, str(page), found)
        found.append(profile)
    yield from found


def _text(page: Path) -> str:
    try:
        return page.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadProfile(str(page), "cannot be read as a text file in UTF-8: mend it, or take it out of the directory") from error


def _refuse_unapproved(profile: DrugProfile, page: str) -> None:
    """It stands beside the shipped ones, or in place of one and says so."""
    is_shipped = profile.key in {known.key for known in shipped()}
    if profile.approval is None:
        raise BadProfile(f"{page}: approved", f"is missing: {APPROVED}")
    if is_shipped and not profile.approval.replaces:
        raise BadProfile(f"{page}: key", f"{profile.key!r} is a shipped profile's: give it a key of its own, or write replaces = true")
    if profile.approval.replaces and not is_shipped:
        raise BadProfile(f"{page}: replaces", f"no shipped profile has the key {profile.key!r}: correct the key, or take replaces out")


def _refuse_another_of_its_name(profile: DrugProfile, page: str, found: Iterable[DrugProfile]) -> None:
    """One name, one profile: else a plan could be held against either."""
    for other in (*(known for known in shipped() if known.key != profile.key), *found):
        for field, called in (("key", profile.key), ("name", profile.name), *(("aliases", alias) for alias in profile.aliases)):
            if other.is_called(called):
                raise BadProfile(f"{page}: {field}", f"{other.key} goes by the name {called!r} already: give it another")
