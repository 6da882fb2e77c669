"""What its decoder is told of the source, and the vocoder of its pitch."""

from __future__ import annotations

import numpy as np

from prosody_transfer.core.ports import Port
from prosody_transfer.integration.components import StreamableBlock, register
from prosody_transfer.integration.streams import take


@register("ToyProsody")
class ToyProsody(StreamableBlock):
    def plan(self, ledger, before):
        flow = super().plan(ledger, before)
        for name, kind in (("contour", "float32"), ("loudness", "float32"), ("tracked", "bool")):
            take(Port(name=name, axes=("B", "T"), dtype=kind), ledger, flow, self.place)
        ledger.ask(Port(name="level", axes=("B",)), self.place)
        return flow.with_ports(*(Port(name=name, axes=("B", "T")) for name in ("energy", "pitch", "voiced")))

    def chunks(self, sequence, source):
        self_level = sequence["level"]
        while (chunk := source.read(self.setting.chunk_frames))["contour"].shape[-1]:
            yield self._told(chunk, self_level)
        yield self._told(chunk, self_level)

    @staticmethod
    def _told(chunk, level):
        pitch = (chunk["contour"] + level).astype(np.float32)
        return {**chunk, "energy": chunk["loudness"], "pitch": pitch, "voiced": chunk["tracked"].astype(np.float32)}
