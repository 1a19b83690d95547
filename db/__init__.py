"""The ledger: tables, types, engine, migrations and set-based queries. It knows nothing of the application."""
