"""The decoder is told a share of the source's energy; the rest is its own."""

from __future__ import annotations

from types import SimpleNamespace

import torch

from prosody_transfer.core.config import MelConfig
from prosody_transfer.features.mel import energy_from_mel
from prosody_transfer.models.copycat.inputs import ENERGY_SCALE_DB, ProsodyInputs
from prosody_transfer.models.copycat.speaking import ENERGY_SHARE, ease_energy

CONFIG = MelConfig()


def inputs(keep: float = 1.0) -> ProsodyInputs:
    line = torch.linspace(-1, 1, 20)[None]
    return ProsodyInputs(line, torch.ones(1, 20), line * 2, torch.tensor([[1.0, keep, 1.0]]))


def test_a_share_of_each_and_all_else_untouched() -> None:
    asked: list[ProsodyInputs] = []
    mel = torch.randn(1, CONFIG.n_mels, 20) - 3

    def decode(prosody: ProsodyInputs) -> SimpleNamespace:
        asked.append(prosody)
        return SimpleNamespace(mel=mel)

    given = inputs()
    eased = ease_energy(given, decode, CONFIG)
    own = energy_from_mel(mel, CONFIG) / ENERGY_SCALE_DB
    torch.testing.assert_close(eased.energy, ENERGY_SHARE * given.energy + (1 - ENERGY_SHARE) * own)
    assert asked[0].keep.tolist() == [[1.0, 0.0, 1.0]], "the voice's own energy is found without the source's"
    assert eased.keep.tolist() == given.keep.tolist() == [[1.0, 1.0, 1.0]]
    assert eased.log_f0 is given.log_f0 and eased.voiced is given.voiced
