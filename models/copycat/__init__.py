"""CopyCat: fine-grained, speaker-independent prosody transfer by self-transfer on non-parallel data."""
