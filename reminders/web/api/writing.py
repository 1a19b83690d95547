"""Rows as the API writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse

from reminders.as_json.parts import plainly
from reminders.domain.plan import DAY
from reminders.services.looking_up import Page, Whole

Row = Mapping[str, Any]
RENAMED: Mapping[str, str] = {"patient_id": "patient", "plan_id": "plan", "phase_no": "phase", "born_on": "born"}
"""What columns are called outside: an id of another thing goes by the thing's name."""


def row_json(row: Row) -> dict[str, object]:
    """Write a row, with the names of outside."""
    return {RENAMED.get(name, name): plainly(value) for name, value in row.items()}


def page_json(page: Page, write: Callable[[Row], dict[str, object]] = row_json) -> JSONResponse:
    """Write a page of a list."""
    return JSONResponse({"items": [write(row) for row in page.rows], "next": page.then})


def patient_json(row: Row) -> dict[str, object]:
    """Write what is known of a patient; the kidneys as the import file has them."""
    quiet = {"from": plainly(row["quiet_from"]), "until": plainly(row["quiet_until"])}
    written = row_json({name: value for name, value in row.items() if name not in {"kidney_weak", "quiet_from", "quiet_until"}})
    return {**written, "quiet_hours": quiet, **({"kidney": "weak"} if row["kidney_weak"] else {})}


def check_in_json(row: Row) -> dict[str, object]:
    """Write what was asked on a day."""
    return row_json(row) | {"items": str(row["items"]).split(",")}


def spans_json(plan: Whole) -> list[dict[str, object]]:
    """Write when each phase runs, both dates included."""
    return [
        {"phase": span.phase_no, "from": plainly(span.starts), "to": None if span.ends is None else plainly(span.ends - DAY)}
        for span in plan.spans
    ]


def version_json(row: Row) -> dict[str, object]:
    """Write a version without its document."""
    return {"hash": row["document_hash"]} | {name: plainly(row[name]) for name in ("no", "effective_at", "approved_by", "approved_at")}
