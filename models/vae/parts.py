"""As parts that run by themselves: the utterance's networks; sentences are compared outside of them."""

from prosody_transfer.models.utterance.parts import parts

__all__ = ["parts"]
