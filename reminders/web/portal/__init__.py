"""The portal: the rooms in which a clinic's people watch, decide and talk. Each module is a room, and has its routes."""

from __future__ import annotations

from fastapi import APIRouter

from reminders.web.parts import Parts
from reminders.web.portal.acting_pages import acting_pages
from reminders.web.portal.care_pages import care_pages
from reminders.web.portal.dose_pages import dose_pages
from reminders.web.portal.edit_pages import edit_pages
from reminders.web.portal.enrolling_pages import details_pages, new_patient_pages
from reminders.web.portal.key_pages import key_pages
from reminders.web.portal.medicine_pages import medicine_pages
from reminders.web.portal.patient_pages import patient_pages
from reminders.web.portal.phone_pages import person_pages, phone_pages
from reminders.web.portal.plan_pages import plan_pages
from reminders.web.portal.queue_pages import alert_pages, queue_pages
from reminders.web.portal.roster_pages import roster_pages
from reminders.web.portal.sandbox_pages import sandbox_pages
from reminders.web.portal.sheet_page import sheet_page
from reminders.web.portal.system_pages import system_pages
from reminders.web.portal.talking_pages import talking_pages
from reminders.web.portal.zone_pages import zone_pages


def portal(parts: Parts) -> tuple[APIRouter, ...]:
    """Make the rooms."""
    return (
        acting_pages(parts),
        care_pages(parts),
        dose_pages(parts),
        key_pages(parts),
        new_patient_pages(parts),  # before the page of a patient, whose path would take it
        details_pages(parts),
        medicine_pages(parts),
        patient_pages(parts),
        person_pages(parts),
        phone_pages(parts),
        edit_pages(parts),
        plan_pages(parts),
        roster_pages(parts),
        queue_pages(parts),
        alert_pages(parts),
        sandbox_pages(parts),
        sheet_page(parts),
        zone_pages(parts),
        talking_pages(parts),
        system_pages(parts),
    )
