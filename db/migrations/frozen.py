"""How a column's type is written into a migration: as what it is on disk, so that no migration imports a type that may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sqlalchemy import String, TypeDecorator

from db.types import ExactDecimal, UtcDateTime

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext


def frozen_type(kind: str, item: object, _: AutogenContext) -> str | Literal[False]:
    """Write a column's type in plain SQLAlchemy; False leaves anything else to Alembic."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "INSTANT"
    if isinstance(item, ExactDecimal):
        return "EXACT"
    on_disk = item.impl if isinstance(item, TypeDecorator) else item
    return f"sa.String({on_disk.length})" if isinstance(on_disk, String) and on_disk.length else False
