"""What axe says of a page: the rules of WCAG 2.2 AA, and the best practices beside them."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

LOOKS = ("color-contrast", "link-in-text-block", "target-size")
"""The rules that look at colours and sizes."""
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page, *, of_looks: bool = False) -> list[str]:
    """Run axe on a page as it stands, all of it or the rules of looks; return what it finds, a line for each place.

    It preloads no style sheets, for which it would write styles into the page that our policy stops; no rule of these asks for them.
    """
    page.wait_for_load_state()  # a page that a form led to may be there before its style sheet
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE)
    rules = {"type": "rule", "values": [*LOOKS]} if of_looks else {"type": "tag", "values": [*TAGS]}
    found: dict[str, Any] = page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations'], preload: false})", rules)
    return [_line(violation, node) for violation in found["violations"] for node in violation["nodes"]]


def _line(violation: dict[str, Any], node: dict[str, Any]) -> str:
    said = [check["message"] for kind in ("any", "all", "none") for check in node[kind]]
    return f"{violation['id']}: {' '.join(map(str, node['target']))}: {'; '.join(said)}"
