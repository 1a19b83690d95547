"""Enrolling: a patient, the people around them and their phones, as a person at the clinic types them.

Each value is read by the shape that an import file is read by, so that a form and a file cannot differ. Nothing is stored unless
everything holds, and no number is texted but with the code that proves it.
"""

from __future__ import annotations

from reminders.services.enrolling.anew import NewPatient, clinic, enrol
from reminders.services.enrolling.details import Beside, Details, Standing, change_details, details, taken_up
from reminders.services.enrolling.phones import (
    Around,
    NewPerson,
    Person,
    add_person,
    agree,
    around,
    change_number,
    end_person,
    end_texts,
    say_code,
    send_code,
)
from reminders.services.enrolling.typed import Agreed

__all__ = [
    "Agreed",
    "Around",
    "Beside",
    "Details",
    "NewPatient",
    "NewPerson",
    "Person",
    "Standing",
    "add_person",
    "agree",
    "around",
    "change_details",
    "change_number",
    "clinic",
    "details",
    "end_person",
    "end_texts",
    "enrol",
    "say_code",
    "send_code",
    "taken_up",
]
