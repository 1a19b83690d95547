from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import pytest

from reminders.web.static_files import all_files
from tests.web.serving import asking, some_parts

VENDORED = {
    "pico.css": "61207a40ffc02a42d1e50143651c121beab70ed413c934c1ff84fa263ba436b0",
    "htmx.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "LICENSE-pico.md": "afaff063e044233f917b7807dccab022f09dca474f92b642846bee4850655bbf",
    "LICENSE-htmx.txt": "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
}


def test_what_is_not_ours_is_as_it_was_released() -> None:
    """Nobody changed a file of others, added one without telling, or lost its licence."""
    room = files("reminders.web") / "static" / "vendor"

    assert {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in room.iterdir() if file.name != "README.md"} == VENDORED


def test_each_file_is_given_as_what_it_is() -> None:
    """Styles as styles, scripts as scripts, the logo as a picture: nothing is left to a browser to guess."""
    client = asking(some_parts())
    kinds = {name: client.get(f"/static/{name}").headers["Content-Type"] for name in ("pico.css", "portal.css", "htmx.js", "logo.svg")}

    assert kinds == {
        "pico.css": "text/css; charset=utf-8",
        "portal.css": "text/css; charset=utf-8",
        "htmx.js": "text/javascript; charset=utf-8",
        "logo.svg": "image/svg+xml",
    }


def test_a_browser_that_has_it_is_told_so() -> None:
    """It asks each time, so that nobody sees old looks after an upgrade; what is the same is not sent again."""
    client = asking(some_parts())
    first = client.get("/static/portal.css")
    same, other = (client.get("/static/portal.css", headers={"If-None-Match": mark}) for mark in (first.headers["ETag"], '"other"'))

    assert ((same.status_code, same.content), (other.status_code, other.content)) == ((304, b""), (200, first.content))
    assert {answer.headers["Cache-Control"] for answer in (first, same, other)} == {"no-cache"}


@pytest.mark.parametrize("name", ["README.md", "vendor", "nothing.css", "..%2Fpages.py", "%2e%2e", "LICENSE-pico.md"])
def test_nothing_else_is_given_out(name: str) -> None:
    """Only what lies there, by its plain name."""
    assert asking(some_parts()).get(f"/static/{name}").status_code == 404


def test_our_styles_name_their_colours_once() -> None:
    """A colour stands in portal.css, under its meaning, light and dark; no other sheet has one of its own."""
    raw = re.compile(rb"#[0-9a-fA-F]{3,8}\b(?![^{]*{)|\b(?:rgb|hsl)a?\(")
    sheets = {name: file.content for name, file in all_files().items() if name.endswith(".css") and name not in {"pico.css", "portal.css"}}

    assert [(name, colour) for name, content in sheets.items() for colour in raw.findall(content)] == []
