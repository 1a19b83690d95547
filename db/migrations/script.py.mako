"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}

INSTANT = sa.DateTime(timezone=True)  # UTC
EXACT = sa.String(40)  # the digits of a decimal


def downgrade() -> None:
    """Refuse: the ledger is never taken apart. The release before runs on these tables too; else restore a backup."""
    raise NotImplementedError("there is no way back from ${up_revision}: restore a backup")


def upgrade() -> None:
    """${message}."""
    ${upgrades or "pass"}
