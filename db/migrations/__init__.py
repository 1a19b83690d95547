"""The history of the tables. Versions import nothing of ours: one written today must run when the tables have changed."""
