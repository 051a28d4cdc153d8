"""On a path that a pattern finds."""
