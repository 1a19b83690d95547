"""Exports: doses and adherence of the whole clinic, as CSV or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from reminders.as_json.parts import plainly
from reminders.reports.adherence_report import CAVEATS
from reminders.reports.csv_file import csv_text
from reminders.services import reporting
from reminders.web.api.door import Caller
from reminders.web.api.routes import family, operation
from reminders.web.api.shapes import AdherenceAnswer, AdherencesAnswer, Between, DoseLines, ExportedDose

router = family("exports")

CSV: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}}


class Exported(Between):
    """Which local dates, and written as what."""

    format: Annotated[Literal["json", "csv"], Field(description="json or csv.")] = "json"


@operation(router, "GET", "/exports/doses", DoseLines, also=CSV)
def export_doses(call: Caller, asked: Annotated[Exported, Query()]) -> Response:
    """Export every dose that fell due, and what it came to."""
    lines = reporting.dose_lines(call.engine, first=asked.first, end=asked.end, clinic_id=call.clinic_id)
    return _written(asked, list(ExportedDose.model_fields), [asdict(line) for line in lines], {})


@operation(router, "GET", "/exports/adherence", AdherencesAnswer, also=CSV)
def export_adherence(call: Caller, asked: Annotated[Exported, Query()]) -> Response:
    """Export how far the taking matched each plan, counts beside every share."""
    found = reporting.adherence_of_plans(call.engine, first=asked.first, end=asked.end, clinic_id=call.clinic_id)
    return _written(asked, list(AdherenceAnswer.model_fields), [dict(plan.rows()) for plan in found], {"caveats": list(CAVEATS)})


def _written(asked: Exported, columns: list[str], rows: Iterable[Mapping[str, object]], more: dict[str, object]) -> Response:
    if asked.format == "csv":
        return Response(csv_text(columns, rows), media_type="text/csv; charset=utf-8")
    return JSONResponse({"items": [{name: plainly(row[name]) for name in columns} for row in rows], **more})
