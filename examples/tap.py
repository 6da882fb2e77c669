"""A diagnostic component that notes shapes and times of what passes: python examples/tap.py"""

import json
import time

from prosody_transfer.integration import StreamableBlock, register


@register("Tap")
class Tap(StreamableBlock):
    def __init__(self, file):
        self.file = file

    def process(self, chunk):
        shapes = {name: value.shape for name, value in chunk.items()}
        with open(self.file, "a") as notes:
            print(json.dumps({"at": time.perf_counter(), "place": self.place, **shapes}), file=notes)
        return chunk


if __name__ == "__main__":
    from pathlib import Path

    import prosody_transfer.models
    from prosody_transfer.integration import build_layer, open_addon
    from prosody_transfer.integration.check import made_up

    addon = open_addon(Path(prosody_transfer.models.__file__).parent / "copycat")
    layer = build_layer([addon], [*addon.config.stack, {"type": "Tap", "file": "tap.jsonl"}])
    layer.run(made_up(layer.inputs))
    print(Path("tap.jsonl").read_text(), end="")
