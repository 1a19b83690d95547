"""What services give, as the JSON values that programs read: one shape, whether a command prints it or the API answers with it."""
