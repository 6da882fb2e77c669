"""What the words of a text are to each other, and what a reader would stress and where pause."""
