"""CSV files that a spreadsheet opens without evaluating anything in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

EVALUATED = tuple("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")  # and the full-width forms of the signs: some spreadsheets take them too


def csv_text(columns: Iterable[str], lines: Iterable[Mapping[str, object]]) -> str:
    """Write rows under their columns, by RFC 4180. A text cell that a spreadsheet would evaluate is quoted with an apostrophe."""
    names = list(columns)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    for line in lines:
        writer.writerow([cell(line.get(name)) for name in names])
    return out.getvalue()


def cell(value: object) -> str:
    """Write one cell: numbers stay numbers (-1 is a number), instants are ISO 8601 in UTC, nothing is empty."""
    match value:
        case None:
            return ""
        case bool() | int() | Decimal():
            return str(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case _:
            text = str(value)
            return f"'{text}" if text.startswith(EVALUATED) else text
