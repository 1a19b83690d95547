"""The portal: the rooms in which a clinic's people watch, decide and talk. Each module is a room, and has its routes."""

from __future__ import annotations

from fastapi import APIRouter

from reminders.web.parts import Parts
from reminders.web.portal.acting_pages import acting_pages
from reminders.web.portal.care_pages import care_pages
from reminders.web.portal.dose_pages import dose_pages
from reminders.web.portal.key_pages import key_pages
from reminders.web.portal.patient_pages import patient_pages
from reminders.web.portal.plan_pages import plan_pages
from reminders.web.portal.sandbox_pages import sandbox_pages
from reminders.web.portal.sheet_page import sheet_page


def portal(parts: Parts) -> tuple[APIRouter, ...]:
    """Make the rooms."""
    return (
        acting_pages(parts),
        care_pages(parts),
        dose_pages(parts),
        key_pages(parts),
        patient_pages(parts),
        plan_pages(parts),
        sandbox_pages(parts),
        sheet_page(parts),
    )
