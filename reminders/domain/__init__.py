"""What is true: the rules of dosing, pure. No clock, no randomness, no logging, no environment, no I/O."""
