"""Write a picture of every page, wide and narrow, light and dark: `python -m tests.browser [WORDS OF ITS PATH]`."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from db.engine import make_engine
from tests.browser.chromium import a_browser
from tests.browser.clinic import a_busy_afternoon
from tests.browser.pages import PAGES, opened
from tests.browser.serving import served
from tests.browser.visiting import HEIGHT, NARROW, WIDE, Sessions, Visits
from tests.databases import migrated

PICTURES = Path(__file__).parents[2] / "var" / "screenshots"
QUIET_DAYS = 12


def main(words: Sequence[str]) -> int:
    """Play a clinic's last weeks, serve it, and look at each page; return 0."""
    chosen = [path for path in sorted(PAGES) if all(word in path for word in words)]
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="doseline-pictures-") as folder:
        _say(f"playing {QUIET_DAYS + 5} days of a clinic ...")
        engine = make_engine(migrated(f"sqlite:///{folder}/doseline.db"))
        harbor = a_busy_afternoon(engine, quiet_days=QUIET_DAYS)
        with served(str(engine.url), at=harbor.at) as portal, a_browser() as browser:
            sessions = Sessions(browser, portal, harbor.phones)
            for number, path in enumerate(chosen, 1):
                with Visits(browser, portal, sessions) as visits:
                    page = opened(visits, path, engine, harbor).page
                    for width in (WIDE, NARROW):
                        page.set_viewport_size({"width": width, "height": HEIGHT})
                        for scheme in ("light", "dark"):
                            page.emulate_media(color_scheme=scheme)
                            page.screenshot(path=PICTURES / f"{named(path)}-{width}-{scheme}.png", full_page=True)
                    _say(f"{number} of {len(chosen)}: {path}{'; amiss: ' + '; '.join(visits.amiss) if visits.amiss else ''}")
        engine.dispose()
    _say(f"The pictures are in {PICTURES.relative_to(Path.cwd()) if PICTURES.is_relative_to(Path.cwd()) else PICTURES}.")
    return 0


def named(path: str) -> str:
    """What the pictures of a page are called."""
    return re.sub(r"[^a-z]+", "-", path.lower()).strip("-") or "overview"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
