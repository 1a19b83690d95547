"""One module a revision, numbered, each with one purpose."""
