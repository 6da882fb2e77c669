"""The judge of speakers: mel in, one vector a voice out. For evaluation only; no training may see it."""
