"""Column types that read back what was written, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import DateTime, String, TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect


class NaiveTime(ValueError):
    """An instant needs a zone: give an aware datetime."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: refuses naive datetimes on the way in, hands back aware UTC on the way out.

    SQLite forgets the zone even of `DateTime(timezone=True)`; the columns of both databases therefore hold UTC.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Take an aware datetime, in any zone, to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveTime(f"{value!r} has no zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Attach UTC to what SQLite gives back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal kept as text: SQLite would store a Decimal column as a float. Sums are made in Python."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Write every digit, without an exponent."""
        if value is None:
            return None
        if not value.is_finite():
            raise ValueError(f"{value} is not a finite decimal")
        return f"{value:f}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Read the digits back."""
        return None if value is None else Decimal(value)
