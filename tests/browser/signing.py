"""Signing in as people do: by the form, with what is typed and what the phone shows."""

from __future__ import annotations

import pyotp
from playwright.sync_api import Page, expect

from reminders.clock import Clock
from tests.web.signed_in import PASSWORD, Phone


def sign_in(page: Page, phone: Phone, clock: Clock, *, code: str | None = None) -> None:
    """Fill the form in with the code that the phone shows, or with a recovery code, and send it; each is good once."""
    page.goto("/sign-in")
    page.get_by_label("Name").fill(phone.login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(code or pyotp.TOTP(phone.secret).at(clock.now()))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
