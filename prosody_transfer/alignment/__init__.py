"""When each phone is spoken: aligners, TextGrids, and whether a transcript fits."""
