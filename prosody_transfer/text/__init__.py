"""Written words to phones."""
