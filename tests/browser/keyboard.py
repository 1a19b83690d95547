"""Going through a page with the Tab key alone, and what is seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

MOST_STOPS = 400
BOXES = 20
"""What a browser stops at by itself beside them: a box that scrolls."""
PARTS = 4
"""So often, at most, it stops at one field: at the hours, the minutes, the half and the button of a time."""

# What can be reached, in the order of the document, with its looks while nobody is on it.
_STOPS = """() => {
  const looks = each => {
    const style = getComputedStyle(each);
    const ring = style.outlineStyle === 'none' ? 'none' : `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor}`;
    return `${ring} ${style.boxShadow}`;
  };
  const oneOf = name => document.querySelector(`input[name="${name}"]:checked`) ?? document.querySelector(`input[name="${name}"]`);
  document.activeElement.blur();
  window.stops = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]')]
    .filter(each => !each.disabled && each.tabIndex >= 0 && (each.checkVisibility({visibilityProperty: true})))
    .filter(each => each.type !== 'radio' || each === oneOf(each.name))
    .map(each => ({each, looks: looks(each)}));
  window.looks = looks;
  return stops.map(({each}) => each.outerHTML.slice(0, 120).replace(/\\s+/g, ' '));
}"""

# On which of them the keyboard is; whether that is seen; and whether something lies upon it (WCAG 2.2, 2.4.11).
_HERE = """() => {
  const on = document.activeElement, no = stops.findIndex(({each}) => each === on);
  if (no < 0) return {no, over: on === document.body || on === document.documentElement};
  const shown = looks(on), box = on.getBoundingClientRect();
  const within = (middle, end) => Math.min(Math.max(middle, 0), end - 1);
  const top = document.elementFromPoint(within(box.x + box.width / 2, innerWidth), within(box.y + box.height / 2, innerHeight));
  return {no, seen: shown !== stops[no].looks, free: top !== null && (on.contains(top) || top.contains(on))};
}"""


@dataclass(frozen=True)
class Journey:
    """Where the Tab key went.

    there    what can be reached, in the order of the document.
    reached  what was, in the order of the keyboard, by its number in `there`.
    unseen   what looks the same with the keyboard on it.
    covered  what something else lay upon.
    """

    there: list[str]
    reached: list[int]
    unseen: list[str]
    covered: list[str]


def tabbed_through(page: Page) -> Journey:
    """Press Tab until the page is through; a trap ends at `MOST_STOPS`."""
    there: list[str] = page.evaluate(_STOPS)
    reached, unseen, covered = list[int](), list[str](), list[str]()
    for _ in range(min(PARTS * len(there) + BOXES, MOST_STOPS)):
        page.keyboard.press("Tab")
        here: dict[str, Any] = page.evaluate(_HERE)
        if here["no"] < 0:
            if here["over"]:
                break
            continue
        if reached and reached[-1] == here["no"]:
            continue
        reached.append(here["no"])
        unseen += [] if here["seen"] else [there[here["no"]]]
        covered += [] if here["free"] else [there[here["no"]]]
    return Journey(there, reached, unseen, covered)
