"""Set-based statements: each takes a connection and gives back rows. Only services ask; nothing here decides."""
