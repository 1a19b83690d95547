"""Write a migration from what the tables have become: `python -m db.migrations ["What changes"]`.

Without words it writes the first one anew, which is done only until the first release. What it writes is read,
corrected by hand and put through `make fix` before it is committed.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations.ops import CreateTableOp, ModifyTableOps, UpgradeOps
from alembic.runtime.migration import MigrationContext
from alembic.util import template_to_file

from db.engine import make_engine, migrate, migrations
from db.migrations.frozen import frozen_type
from db.tables import metadata

VERSIONS = Path(__file__).parent / "versions"


def write_first() -> None:
    """Write the first migration anew: one function a table, called in the order of their references."""
    with make_engine("sqlite://").connect() as connection:
        changes = produce_migrations(MigrationContext.configure(connection), metadata).upgrade_ops
    made = [change for change in changes.ops if isinstance(change, CreateTableOp | ModifyTableOps)] if changes else []
    tables = {name: UpgradeOps(list(each)) for name, each in groupby(made, key=lambda change: change.table_name)}
    calls = [f"    _{name}()" for name in tables]
    bodies = [f"\n\ndef _{name}() -> None:\n    {render_python_code(each, render_item=frozen_type)}" for name, each in tables.items()]
    kept = [line for line in "\n".join([*calls, *bodies]).splitlines() if not line.strip().startswith("# ###")]
    template_to_file(
        VERSIONS.parent / "script.py.mako",
        VERSIONS / "0001_first_tables.py",
        "utf-8",
        message="Make the first tables",
        up_revision="0001",
        down_revision=None,
        upgrades="\n".join(kept).strip(),
    )


def write_next(message: str) -> None:
    """Write the difference between the migrations so far and the tables, as the next number."""
    engine = make_engine("sqlite://")
    migrate(engine)
    with engine.connect() as connection:
        config = migrations()
        config.attributes["connection"] = connection
        number = len(list(VERSIONS.glob("[0-9]*.py"))) + 1
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    write_next(sys.argv[1]) if sys.argv[1:] else write_first()
