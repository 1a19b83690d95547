"""Bringing patients and plans in: a whole import file, or one patient of it; all or nothing."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated

from fastapi import Body, Query
from starlette.responses import JSONResponse

from reminders.as_json.imports import imported_json
from reminders.errors import BadFile, Fault
from reminders.formats.import_file import ImportFile, PatientShape
from reminders.services import importing, looking_up
from reminders.services.importing import Imported
from reminders.web.api.door import Call, Caller
from reminders.web.api.routes import family, operation
from reminders.web.api.shapes import ImportAnswer, Rehearsed

router = family("imports")

ONE = "patients[0]"


InEarnest = Annotated[Rehearsed, Query()]


@operation(router, "POST", "/imports", ImportAnswer, reads=ImportFile)
def import_file(call: Caller, asked: InEarnest, data: Annotated[object, Body()]) -> JSONResponse:
    """Import a file of this clinic: all of it, or nothing, each fault with its path. With `dry_run` nothing is stored."""
    return JSONResponse(_stored(_import(call, data, asked), asked))


@operation(router, "POST", "/patients", ImportAnswer, status=HTTPStatus.CREATED, reads=PatientShape)
def enrol(call: Caller, asked: InEarnest, data: Annotated[object, Body()]) -> JSONResponse:
    """Enrol a patient, as one stands in an import file. With `dry_run` nothing is stored."""
    clinic = looking_up.clinic(call.engine, call.clinic_id)
    file = {"clinic": {name: clinic[name] for name in ("name", "phone", "zone")}, "patients": [data]}
    try:
        imported = _import(call, file, asked)
    except BadFile as bad:
        raise BadFile(map(_of_one, bad.faults)) from bad
    written = replace(imported, warnings=tuple(map(_of_one, imported.warnings)))
    return JSONResponse(_stored(written, asked), HTTPStatus.CREATED)


def _import(call: Call, data: object, asked: Rehearsed) -> Imported:
    return importing.import_file(call.engine, data, now=call.now, clinic_id=call.clinic_id, by=call.by, dry_run=asked.dry_run)


def _stored(imported: Imported, asked: Rehearsed) -> dict[str, object]:
    return {"stored": not asked.dry_run, **imported_json(imported)}


def _of_one(fault: Fault) -> Fault:
    """The fault's path within the patient: they were sent alone."""
    return replace(fault, path=fault.path.removeprefix(ONE).removeprefix("."))
