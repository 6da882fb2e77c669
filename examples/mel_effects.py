"""A DSP effect as a component, gain and low-pass on the mel: python examples/mel_effects.py"""

import numpy as np

from prosody_transfer.integration import StreamableBlock, register


@register("MelEffects")
class MelEffects(StreamableBlock):
    def __init__(self, gain_db=0.0, lowpass_hz=12_000.0):
        self.gain_db, self.lowpass_hz = gain_db, lowpass_hz

    def process(self, chunk):
        bands = chunk["mel"].shape[1]
        top = 2595 * np.log10(1 + self.setting.features.sample_rate / 2 / 700)
        centre_hz = 700 * (10 ** (top * (np.arange(bands) + 1) / (bands + 1) / 2595) - 1)
        quieter_db = 24 * np.maximum(0, np.log2(centre_hz / self.lowpass_hz))  # 24 dB an octave
        gain = ((self.gain_db - quieter_db) * np.log(10) / 20).astype(np.float32)
        return {**chunk, "mel": chunk["mel"] + gain[:, None]}


if __name__ == "__main__":
    from pathlib import Path

    import prosody_transfer.models
    from prosody_transfer.integration import build_layer, open_addon
    from prosody_transfer.integration.check import made_up

    addon = open_addon(Path(prosody_transfer.models.__file__).parent / "copycat")
    layer = build_layer([addon], [*addon.config.stack, {"type": "MelEffects", "gain_db": -6, "lowpass_hz": 4000}])
    print("mel", layer.run(made_up(layer.inputs))["mel"].shape)
