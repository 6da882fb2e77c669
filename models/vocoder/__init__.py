"""Vocoders: features in, waveform out."""
