"""Whole example files as JSON values, and two ways to spoil them. Every call makes new ones, free to be changed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = Any  # values of any shape
File: TypeAlias = dict[str, Json]


def a_dose(at: str = "08:00", amount: str = "5", unit: str = "mg") -> File:
    """One slot of a phase's day."""
    return {"at": at, "amount": amount, "unit": unit}


def a_phase(days: int | None = 3, amount: str = "5", times: tuple[str, ...] = ("08:00", "14:00", "20:00")) -> File:
    """A run of days on one amount per dose."""
    return {"days": days, "doses": [a_dose(at, amount) for at in times]}


def a_plan_file(**changes: object) -> File:
    """Baclofen, 5 to 20 mg three times a day: the label schedule."""
    phases = [a_phase(3, "5"), a_phase(3, "10"), a_phase(3, "15"), a_phase(None, "20")]
    head = {"drug": "baclofen-tablet", "kind": "titration", "zone": "America/New_York", "start": "2026-03-02", "advance": "stay_unless_met"}
    return {**head, "phases": phases, **changes}


def a_consent(by: str = "Ana Silva") -> File:
    """Evidence that somebody agreed to be texted."""
    return {"by": by, "at": "2026-02-27T15:00:00Z", "wording_version": "consent-en-1", "number_verified": True}


def a_caregiver(**changes: object) -> File:
    """Rui, who is told."""
    person = {"ref": "rui", "name": "Rui Silva", "phone": "+12025550102", "relationship": "brother", "role": "caregiver"}
    return {**person, "consent": a_consent("Rui Silva"), "alerts": {"after_misses": 2}, **changes}


def a_proxy(**changes: object) -> File:
    """Otto, who holds the phone for his child."""
    father = {"ref": "otto", "name": "Otto Berg", "phone": "+12025550105", "relationship": "father", "role": "proxy"}
    return a_caregiver(**{**father, **changes})


def an_entry(**changes: object) -> File:
    """A plan as it stands in an import file."""
    return a_plan_file(**{"ref": "ana-baclofen", "approved_by": "Dr. Noor Haddad", **changes})


def a_patient(**changes: object) -> File:
    """Ana, with her brother, one other medicine and one plan."""
    person = {"ref": "ana", "name": "Ana Silva", "phone": "+12025550101", "zone": "America/New_York", "language": "en", "wording": "amount"}
    around = {"consent": a_consent(), "caregivers": [a_caregiver()], "medicines": ["vitamin D"], "alcohol": "none", "plans": [an_entry()]}
    return {**person, **around, **changes}


def a_clinic(**changes: object) -> File:
    """Harbor Clinic, with a provider and a nurse."""
    people = [{"name": "Dr. Noor Haddad", "roles": ["provider"]}, {"name": "Nurse Lee", "roles": ["staff"]}]
    return {"name": "Harbor Clinic", "phone": "+12025550100", "zone": "America/New_York", "staff": people, **changes}


def an_on_call(phone: str = "+12025550109") -> File:
    """The phone of whoever is on call."""
    return {"phone": phone, "consent": a_consent("Noor Haddad")}


def an_import_file(*patients: File, **changes: object) -> File:
    """A clinic and its patients: Ana, if none are given."""
    return {"clinic": a_clinic(), "patients": list(patients) or [a_patient()], **changes}


def a_story_file(*events: File, **changes: object) -> File:
    """Two weeks of Ana, with what happens in them."""
    return {
        "start": "2026-03-01T12:00:00Z",
        "until": "2026-03-15T12:00:00Z",
        "import": an_import_file(),
        "events": list(events) or [{"at": "2026-03-02T13:05:00Z", "from": "+12025550101", "text": "1"}],
        **changes,
    }


def changed(data: Json, path: str, value: object) -> Json:
    """Put a value at a path such as `patients[0].plans[1].zone`; return the whole."""
    holder, last = _holder(data, path)
    holder[last] = value
    return data


def without(data: Json, path: str) -> Json:
    """Take away what stands at a path; return the whole."""
    holder, last = _holder(data, path)
    del holder[last]
    return data


def saved(folder: Path, data: object, name: str = "file.json") -> Path:
    """Write JSON values, or text as it is, to a file."""
    file = folder / name
    file.write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
    return file


def _holder(data: Json, path: str) -> tuple[Json, Json]:
    *way, last = (int(index) if index else key for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path))
    for step in way:
        data = data[step]
    return data, last
