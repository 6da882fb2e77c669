"""The article's own example, and its own change: one word of the JSON file."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.core.errors import ModelError
from prosody_transfer.integration import build_layer, open_addon
from prosody_transfer.integration.check import SIZES, distance, made_up
from prosody_transfer.integration.sequences import CustomizedEncoders, Encoders
from prosody_transfer.integration.streams import Decoder, StreamablePipeline, StreamableStack, Upsampler
from prosody_transfer.store.weights import shipped

ARTICLE = Path(__file__).parents[2] / "examples" / "stacks" / "article.json"


def stack(text: str) -> list:
    return json.loads(text)["stack"]


def test_it_builds_what_the_article_describes(layer) -> None:
    built = layer(stack(ARTICLE.read_text()))
    pipeline = built.block
    assert isinstance(pipeline, StreamablePipeline) and type(pipeline.sequence_block) is Encoders
    assert isinstance(pipeline.streamable_block, StreamableStack)
    assert [type(block) for block in pipeline.streamable_block.stack] == [Upsampler, Decoder]
    assert [block.network for block in pipeline.sequence_block.blocks] == ["phone_encoder", "reference_encoder"]
    assert {"phones", "durations", "speaker", "log_f0"} <= set(built.inputs) and "phone_encoding" not in built.inputs


def test_it_makes_a_mel_spectrogram(layer) -> None:
    built = layer(stack(ARTICLE.read_text()))
    mel = built.run(made_up(built.inputs))["mel"]
    assert mel.shape == (1, 100, SIZES["T"]) and np.isfinite(mel).all() and mel.std() > 0.5
    other = built.run({**made_up(built.inputs), "speaker": np.ones((1, 128), np.float32)})["mel"]
    assert np.abs(other - mel).max() > 0.1, "the voice matters"


def test_one_word_puts_all_encoders_on_a_provider(tmp_path: Path, networks) -> None:
    """A copy of the file in which "Encoders" is replaced, and nothing else, gives the same mel."""
    before = ARTICLE.read_text()
    after = before.replace('"Encoders"', '"CustomizedEncoders"')
    (tmp_path / "changed.json").write_text(after)
    assert before.count('"Encoders"') == 1 and len(after) - len(before) == len("Customized")
    plain = build_layer([], stack(before), networks=networks["dynamic"])
    custom = build_layer([], stack((tmp_path / "changed.json").read_text()), networks=networks["dynamic"])
    assert type(custom.block.sequence_block) is CustomizedEncoders
    inputs = made_up(plain.inputs)
    assert custom.inputs == plain.inputs and custom.flow == plain.flow
    assert distance(custom.run(inputs), plain.run(inputs)) == 0


def test_the_provider_is_the_configuration_s(tmp_path: Path) -> None:
    folder = tmp_path / "addon"
    folder.mkdir()
    source = shipped("copycat").parent
    for name in ("copycat.safetensors", *(f"{n}.onnx" for n in ("phone_encoder", "reference_encoder", "decoder"))):
        (folder / name).write_bytes((source / name).read_bytes())
    config = json.loads((source / "addon.json").read_text())
    (folder / "addon.json").write_text(json.dumps({**config, "provider": "cuda"}))
    changed = ARTICLE.read_text().replace('"Encoders"', '"CustomizedEncoders"')
    assert build_layer([open_addon(folder)], stack(ARTICLE.read_text()))
    with pytest.raises(ModelError, match=r"the provider 'cuda' is not installed; installed: cpu"):
        build_layer([open_addon(folder)], stack(changed))


class Meeting:
    """Two blocks that each wait for the other: they end only when they run side by side."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2, timeout=20)


@pytest.mark.parametrize("kind", ["SequenceBlockContainer", "CustomizedEncoders"])
def test_encoders_that_do_not_wait_for_each_other_run_side_by_side(kind: str, layer) -> None:
    from prosody_transfer.integration.components import Ledger, SequenceBlock
    from prosody_transfer.integration.sequences import SequenceBlockContainer

    meeting = Meeting()

    class Waits(SequenceBlock):
        def __init__(self, name: str) -> None:
            self.name = name

        def plan(self, ledger) -> None:
            from prosody_transfer.core.ports import Port

            ledger.give(Port(name=self.name, axes=("B",)))

        def run(self, tensors):
            meeting.barrier.wait()
            return {self.name: np.zeros(1, np.float32)}

    blocks = [Waits("one"), Waits("two")]
    container = SequenceBlockContainer(blocks) if kind == "SequenceBlockContainer" else CustomizedEncoders()
    container.blocks = blocks
    container.plan(Ledger())
    assert set(container.run({})) == {"one", "two"}
