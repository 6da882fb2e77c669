"""A pitch tracker: spectrum in, a distribution over F0, voicing, doubt and a correction of the energy out."""
