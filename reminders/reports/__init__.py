"""On paper: one value in, bytes out. Every renderer is pure."""
