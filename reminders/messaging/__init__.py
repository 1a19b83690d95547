"""How texts are worded, read and carried; what is said, and when, is decided elsewhere."""
