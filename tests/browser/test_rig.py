"""What sees the pages is not blind: each kind of fault is planted in a real page, and seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.axe import violations
from tests.browser.chromium import AWAY, a_browser
from tests.browser.pages import come
from tests.browser.visiting import Sessions, Visit, Visits

PAGE = "/sign-in"


def planted(visits: Visits, old: str, new: str) -> Visit:
    """A page of ours, with its own headers, in which one thing is otherwise."""
    visit = visits.visit()

    def answer(route: Route) -> None:
        response = route.fetch()
        html = response.text()
        assert html.count(old) == 1
        route.fulfill(response=response, body=html.replace(old, new))

    visit.page.route(f"**{PAGE}", answer)
    visit.page.goto(PAGE)
    return visit


def seen(visit: Visit) -> list[str]:
    """What went amiss in a page, once it was asked for anything at all; forgotten then, for it was meant to."""
    visit.page.evaluate("() => new Promise(done => setTimeout(done))")
    found = [*visit.watch.amiss]
    visit.watch.amiss.clear()
    return found


def test_a_sound_page_has_nothing_amiss(visits: Visits) -> None:
    """The page in which the faults are planted has none of them."""
    visit = visits.visit()
    visit.page.goto(PAGE)

    assert (violations(visit.page), seen(visit)) == ([], [])


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('<label for="password">Password</label>', "<b>Password</b>", "label"),
        ('<html lang="en">', "<html>", "html-has-lang"),
        ("<h1>Sign in</h1>", '<h1>Sign in</h1><p><font color="#b0b0b0">Welcome</font></p>', "color-contrast"),
        ("<h1>Sign in</h1>", '<h1>Sign in</h1><img src="/static/none.png">', "image-alt"),
        ("<h1>Sign in</h1>", "<h1>Sign in</h1><h4>Who are you?</h4>", "heading-order"),
    ],
    ids=["an input without a label", "no language", "pale grey on white", "a picture without words", "a heading out of order"],
)
def test_axe_turns_red(visits: Visits, old: str, new: str, rule: str) -> None:
    """A planted violation is named by its rule, and nothing else is."""
    visit = planted(visits, old, new)
    found = {line.partition(":")[0] for line in violations(visit.page)}
    visit.watch.amiss.clear()

    assert found == {rule}


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ('<p style="color: red">', "console error: Applying inline style violates"),
        ("<script>document.title = 'taken'</script>", "console error: Executing inline script violates"),
        ('<img alt="" src="https://elsewhere.example/pixel.png">', "console error: Loading the image 'https://elsewhere.example"),
        ('<img alt="" src="/static/none.png">', "404: GET "),
    ],
    ids=["an inline style", "an inline script", "a picture from elsewhere", "a file that is not there"],
)
def test_the_watch_turns_red(visits: Visits, new: str, said: str) -> None:
    """What the content policy stops, and what does not come, is seen without anybody asking."""
    visit = planted(visits, "<h1>Sign in</h1>", f"<h1>Sign in</h1>{new}")

    assert [line for line in seen(visit) if line.startswith(said)] != []


@pytest.mark.parametrize(
    ("does", "said"),
    [
        (lambda page: page.evaluate("() => { setTimeout(() => { throw Error('planted') }) }"), "script: planted"),
        (lambda page: page.evaluate("() => console.error('planted')"), "console error: planted"),
        (lambda page: page.evaluate("() => console.warn('planted')"), "console warning: planted"),
        (lambda page: page.goto("/no/such/page"), "404: GET "),
    ],
    ids=["an error in a script", "an error in the console", "a warning in the console", "a page that is not there"],
)
def test_the_watch_hears(visits: Visits, does: Callable[[Page], object], said: str) -> None:
    """What a script says or raises, and what a page of ours refuses, is seen."""
    visit = visits.visit()
    visit.page.goto(PAGE)
    does(visit.page)

    assert [line for line in seen(visit) if line.startswith(said)] != []


def test_a_request_elsewhere_is_seen(visits: Visits) -> None:
    """A page that leads to another host is told of, whether that answers or not."""
    visit = visits.visit()
    visit.page.route("https://elsewhere.example/**", lambda route: route.fulfill(body="not ours"))
    visit.page.goto("https://elsewhere.example/")

    assert seen(visit) == ["elsewhere: https://elsewhere.example/"]


def test_another_page_than_the_one_asked_for_is_seen(visits: Visits) -> None:
    """Who is not signed in is sent to a page in which nothing is amiss: that is not taken for the page they asked for."""
    with pytest.raises(AssertionError, match="/sign-in"):
        come(visits.visit(), "/account", at="/account")


def test_who_was_away_for_too_long_signs_in_anew(visits: Visits, sessions: Sessions) -> None:
    """Cookies that no longer open the door are not shown at it, however long the run takes."""
    sessions.known["idler"] = {"cookies": [], "origins": []}
    page = visits.visit("idler").page
    page.goto("/account")

    expect(page.get_by_role("heading", level=1)).to_have_text("Lou Late")


def test_what_is_refused_on_purpose_passes(visits: Visits) -> None:
    """A test says which answer it asks for; any other is still amiss."""
    visit = visits.visit()
    visit.watch.expects(404)
    visit.page.goto("/no/such/page")
    forgiven = seen(visit)
    visit.page.goto(PAGE)
    visit.page.get_by_label("Name").fill("nobody")
    visit.page.get_by_label("Password").fill("nothing")
    visit.page.get_by_label("Code").fill("000000")
    visit.page.get_by_role("button", name="Sign in").click()
    visit.page.get_by_role("alert").wait_for()

    assert (forgiven, [line[:4] for line in seen(visit) if line.startswith("4")]) == ([], ["403:"])


def test_the_skip_is_loud() -> None:
    """Who reads the end of the run sees what did not run, and what to install. CI refuses any skip."""
    with pytest.raises(pytest.skip.Exception, match="NO BROWSER") as skipped, a_browser(Path("/nowhere/chromium")):
        pass

    assert str(skipped.value) == AWAY
