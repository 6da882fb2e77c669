"""What can't be put together is refused, with the place and the remedy."""

from __future__ import annotations

from fractions import Fraction

import pytest

from prosody_transfer.core.errors import ModelError, ShapeError
from prosody_transfer.integration import SequenceBlock, StreamableBlock, register
from prosody_transfer.integration.check import made_up

UP, DECODER, ENCODERS = {"type": "Upsampler"}, {"type": "Decoder"}, {"type": "Encoders"}


def pipeline(*blocks, encoders=ENCODERS):
    inner = {"type": "StreamableStack", "stack": list(blocks)}
    return [{"type": "StreamablePipeline", "sequence_block": encoders, "streamable_block": inner}]


IMPOSSIBLE = {
    "an unknown name": (pipeline(UP, {"type": "Decodr"}),
                        r"streamable_block\.stack\[1\]: no component is called 'Decodr'; did you mean .*Decoder"),
    "nothing like it": ([{"type": "xyzzy"}], r"^stack\[0\]: no component is called 'xyzzy'; known: .*Upsampler"),
    "no type": ([{"typ": "Decoder"}], r"^stack\[0\]: .*describes no component; write"),
    "not a component": (["Decoder"], r"^stack\[0\]: Decoder describes no component"),
    "an unknown setting": ([{"type": "Vocoder", "matchin": 1}],
                           r"Vocoder has no setting 'matchin'; known: network, matching"),
    "a value that can't be": ([{"type": "Vocoder", "matching": -1}], r"stack\[0\]: Vocoder: matching = -1"),
    "a setting too few": ([{"type": "StreamablePipeline", "sequence_block": ENCODERS}],
                          "StreamablePipeline needs 'streamable_block'"),
    "two sequence blocks": ([{"type": "StreamablePipeline", "sequence_block": ENCODERS, "streamable_block": ENCODERS}],
                            "streamable_block is no StreamableBlock"),
    "a list for a block": ([{"type": "StreamablePipeline", "sequence_block": [ENCODERS], "streamable_block": UP}],
                           "sequence_block is no SequenceBlock"),
    "an empty stack": ([{"type": "StreamableStack", "stack": []}], "holds no blocks"),
    "a sequence block by itself": ([ENCODERS], r"stack\[0\] \(Encoders\): is a SequenceBlock; put it into"),
    "an unknown network": (pipeline(UP, {"type": "Decoder", "network": "decodr"}),
                           r"stack\[1\] \(Decoder\): no network is called 'decodr'; the addon has: decoder"),
    "no frames": (pipeline(DECODER), r"stack\[0\] \(Decoder\): takes frames, and stands first; put an Upsampler"),
    "nothing to change": (pipeline({"type": "Sharpener"}), r"\(Sharpener\): .*stands first; put what it changes"),
    "two beginnings": (pipeline(UP, UP), r"stack\[1\] \(Upsampler\): begins a stream, and something stands before it"),
    "after the samples": ([*pipeline(UP, DECODER), {"type": "Vocoder"}, DECODER],
                          r"\(Decoder\): takes 93.75 frames a second, and gets 24000 steps; put it before"),
    "an encoder as a decoder": (pipeline(UP, {"type": "Decoder", "network": "reference_encoder"}),
                                r"\(Decoder\): the network 'reference_encoder' makes no frames; put it among"),
    "a decoder as an encoder": (pipeline(UP, DECODER, encoders={"type": "SequenceNetwork", "network": "decoder"}),
                                r"\(SequenceNetwork\): the network 'decoder' runs chunk by chunk; use a component"),
    "what nothing makes": ([*pipeline(UP, {"type": "Frames"})], "something stands before it"),
}  # fmt: skip


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_impossible_composition_is_refused(name: str, layer) -> None:
    from prosody_transfer.integration import build_layer

    stack, message = IMPOSSIBLE[name]
    networks = layer([UP]).setting.networks
    with pytest.raises(ModelError, match=message):
        build_layer([], stack, networks=networks)


def test_stacks_without_end_are_refused(layer) -> None:
    deep = UP
    for _ in range(200):
        deep = {"type": "StreamableStack", "stack": [deep]}
    with pytest.raises(ModelError, match="is too deep; nest 32 at most"):
        layer([deep])


def test_rates_chunks_and_latencies_are_the_stack_s_own(layer) -> None:
    flow = layer(pipeline(UP), 32).flow
    assert (flow.rate, flow.chunk, flow.latency) == (Fraction(24000, 256), 32, 0)
    flow = layer(pipeline(UP, DECODER), 7).flow
    assert (flow.rate, flow.chunk, flow.latency) == (Fraction(24000, 256), 7, Fraction(26 * 256, 24000))
    flow = layer([*pipeline(UP, DECODER), {"type": "Vocoder", "matching": 1}], 7).flow
    assert (flow.rate, flow.chunk) == (24000, 7 * 256) and list(flow.ports) == ["waveform"]
    assert flow.latency == Fraction((26 + 21 + 5 + 4) * 256, 24000)
    assert layer(pipeline(UP, DECODER), 512, "fixed").flow.chunk == 32, "where sizes are fixed, the addon has the say"


def test_a_caller_is_told_what_is_missing(layer) -> None:
    built = layer(pipeline(UP, DECODER))
    inputs = made_up(built.inputs)
    with pytest.raises(ShapeError, match=r"is not given speaker float32 \(B, 128\)"):
        built.run({name: value for name, value in inputs.items() if name != "speaker"})
    with pytest.raises(ShapeError, match=r"takes speaker float32 \(B, 128\), got \(128,\)"):
        built.run({**inputs, "speaker": inputs["speaker"][0]})
    with pytest.raises(ShapeError, match=r"takes phones float32 \(B, P, 40\), got \(1, 9, 39\)"):
        built.run({**inputs, "phones": inputs["phones"][..., :39]})
    with pytest.raises(ShapeError, match="log_f0 has 60 frames, the durations add up to 61"):
        built.run({**inputs, "log_f0": inputs["log_f0"][:, :60]})


def test_names_are_given_once_and_to_components_only() -> None:
    with pytest.raises(ValueError, match="two components are called Decoder"):
        register("Decoder")(type("Other", (StreamableBlock,), {}))
    with pytest.raises(TypeError, match="neither a SequenceBlock nor a StreamableBlock"):
        register("Nothing")(int)


def test_extending_an_abstraction_and_a_name_is_all_it_takes(layer, monkeypatch) -> None:
    from prosody_transfer.integration.components import REGISTRY

    class Louder(StreamableBlock):
        def process(self, chunk):
            return {**chunk, "mel": chunk["mel"] + 1}

    class Doubled(SequenceBlock):
        def run(self, tensors):
            return {"energy": 2 * tensors["energy"]}

    monkeypatch.setitem(REGISTRY, "Louder", Louder)
    built, louder = layer(pipeline(UP, DECODER)), layer(pipeline(UP, DECODER, {"type": "Louder"}))
    inputs = made_up(built.inputs)
    change = louder.run(inputs)["mel"] - built.run(inputs)["mel"]
    assert abs(change - 1).max() < 1e-5
    monkeypatch.setitem(REGISTRY, "Doubled", Doubled)
    container = {"type": "SequenceBlockContainer", "blocks": [
        *({"type": "SequenceNetwork", "network": name} for name in ("phone_encoder", "reference_encoder")),
        {"type": "Doubled"},
    ]}  # fmt: skip
    doubled = layer(pipeline(UP, DECODER, encoders=container))
    expected = built.run({**inputs, "energy": 2 * inputs["energy"]})["mel"]
    assert abs(doubled.run(inputs)["mel"] - expected).max() < 1e-5


def test_an_encoder_whose_results_are_given_is_not_run(layer) -> None:
    """A plan has the embedding already, and not the recording that it was made from."""
    built = layer(pipeline(UP, DECODER))
    inputs = made_up(built.inputs)
    encoded = built.block.sequence_block.run(inputs)
    known = {name: value for name, value in inputs.items() if not name.startswith("source_") and name != "known"}
    assert len(known) < len(inputs)
    with pytest.raises(ShapeError, match="is not given source_mel"):
        built.run(known)
    found = built.run({**known, "latent": encoded["latent"]})["mel"]
    assert (found == built.run(inputs)["mel"]).all()
