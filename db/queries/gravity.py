"""How grave an alert is, as an order: the gravest first."""

from __future__ import annotations

from sqlalchemy import case

from db.tables import metadata

GRAVEST_FIRST = case({"emergency": 0, "urgent": 1, "warning": 2}, value=metadata.tables["alert"].c.severity, else_=3)
