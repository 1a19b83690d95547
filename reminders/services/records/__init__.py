"""Rows ↔ values: the only rooms where a row becomes what a rule can read, and a decision becomes rows."""
