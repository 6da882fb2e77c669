"""Every registered component keeps the contracts, in an example stack of its own."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from prosody_transfer.integration import REGISTRY, StreamableBlock, load_components, open_addon
from prosody_transfer.integration.check import CLOSE, ONE_FRAME, SIZES, distance, made_up
from prosody_transfer.models import registry
from prosody_transfer.store.weights import shipped

EXAMPLES_FOLDER = Path(__file__).parents[2] / "examples"
ARTICLE = json.loads((EXAMPLES_FOLDER / "stacks" / "article.json").read_text())["stack"]
SMALL = {**SIZES, "T": 41, "R": 33, "P": 5}


def example(name: str) -> Any:
    """A file of examples/, which registers what it defines."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES_FOLDER / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


for _name in ("mel_effects", "tap"):
    example(_name)


def acoustic(*streamable: Any, encoders: Any = None) -> list[Any]:
    inner = {"type": "StreamableStack", "stack": [{"type": "Upsampler"}, *streamable]}
    whole = {"type": "StreamablePipeline", "sequence_block": encoders or {"type": "Encoders"}}
    return [{**whole, "streamable_block": inner}]


OWN, EASED, GUIDED, DETAIL = ({"type": t} for t in ("OwnProsody", "EasedEnergy", "GuidedDecoder", "Sharpener"))
CONTAINER = {
    "type": "SequenceBlockContainer",
    "blocks": [{"type": "SequenceNetwork", "network": name} for name in ("phone_encoder", "reference_encoder")],
}
# At least one for every registered name; the test below looks through them.
STACKS: dict[str, list[Any]] = {
    "article": ARTICLE,
    "customized": acoustic({"type": "Decoder"}, encoders={"type": "CustomizedEncoders"}),
    "container": acoustic({"type": "Decoder"}, encoders=CONTAINER),
    "own prosody": acoustic(OWN, {"type": "Decoder"}),
    "eased": acoustic(EASED, {"type": "Decoder"}),
    "guided": acoustic(GUIDED),
    "detail": [*ARTICLE, DETAIL],
    "vocoder": [{"type": "Frames"}, {"type": "Vocoder", "matching": 1}],
    "all": [*acoustic(OWN, EASED, GUIDED, DETAIL), {"type": "Vocoder"}],
    "effects": [*ARTICLE, {"type": "MelEffects", "gain_db": -3.0, "lowpass_hz": 3000.0}],
    "tap": [*ARTICLE, {"type": "Tap", "file": "notes.jsonl"}],
    "a stack in a stack": [
        {"type": "StreamableStack", "stack": [{"type": "StreamableStack", "stack": ARTICLE}, DETAIL]}
    ],
    "a pipeline for a block": [{"type": "StreamableStack", "stack": [*ARTICLE, {"type": "Vocoder", "matching": 0}]}],
}


def types(value: Any) -> set[str]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = {value["type"]} if isinstance(value, dict) and "type" in value else set()
    return own.union(*map(types, inner))


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_registered_component_has_an_example() -> None:
    """Here, or in the stack of a shipped addon, which `test_shipped_addons` checks."""
    load_components()
    addons = [open_addon(shipped(kind).parent) for kind in registry.exportable()]
    stacks = [*STACKS.values(), *(list(addon.config.stack) for addon in addons)]
    ours = {name for name, cls in REGISTRY.items() if not cls.__module__.startswith("tests.")}
    assert types(stacks) >= ours - {"Tests"}


@pytest.mark.parametrize("name", STACKS)
def test_chunks_of_any_size_give_the_same(name: str, layer) -> None:
    """Both how much a network is given at a time, and how much is read at a time."""
    whole = layer(STACKS[name], 512)
    inputs = made_up(whole.inputs, SMALL)
    expected = whole.run(inputs)
    frames = 1 if whole.flow.rate < 1000 else 256
    assert {value.shape[-1] for value in expected.values()} == {SMALL["T"] * frames}
    for size in (1, 7, 32, 200):
        built = layer(STACKS[name], size)
        stream, pieces = built.stream(inputs), []
        while (piece := stream.read(size * frames)) and next(iter(piece.values())).shape[-1]:
            pieces.append(piece)
            assert next(iter(piece.values())).shape[-1] <= size * frames
        found = {key: np.concatenate([piece[key] for piece in pieces], -1) for key in expected}
        assert distance(found, expected) <= CLOSE, f"chunks of {size}"


@pytest.mark.parametrize("name", STACKS)
def test_fixed_shapes_give_the_same(name: str, layer) -> None:
    dynamic, fixed = layer(STACKS[name], 512), layer(STACKS[name], 512, "fixed")
    inputs = made_up(dynamic.inputs, SMALL)
    assert distance(fixed.run(inputs), dynamic.run(inputs)) <= CLOSE


@pytest.mark.parametrize("name", STACKS)
def test_two_streams_at_once_do_not_disturb_each_other(name: str, layer) -> None:
    built = layer(STACKS[name], 16)
    both = [made_up(built.inputs, SMALL, seed=seed) for seed in (1, 2)]
    alone = [built.run(inputs) for inputs in both]
    streams = [built.stream(inputs) for inputs in both]
    first = [stream.read(9) for stream in streams]
    rest = [stream.read_all() for stream in reversed(streams)][::-1]
    for begun, ended, expected in zip(first, rest, alone, strict=True):
        found = {key: np.concatenate([begun[key], ended[key]], -1) for key in expected}
        assert distance(found, expected) <= CLOSE
    assert distance(alone[0], alone[1]) > 1e-3, "they are different lines"


@pytest.mark.parametrize("frames", [0, 1, 2])
@pytest.mark.parametrize("name", STACKS)
def test_nothing_and_next_to_nothing(name: str, frames: int, layer) -> None:
    built = layer(STACKS[name])
    found = built.run(made_up(built.inputs, {**ONE_FRAME, "T": frames}))
    rate = 1 if built.flow.rate < 1000 else 256
    assert {value.shape[-1] for value in found.values()} == {frames * rate}
    assert set(found) >= set(built.flow.ports) and all(np.isfinite(value).all() for value in found.values())


@pytest.mark.parametrize("name", STACKS)
def test_the_same_question_has_one_answer_and_leaves_no_trace(name: str, layer) -> None:
    built = layer(STACKS[name])
    inputs = made_up(built.inputs, SMALL)
    copies = {key: value.copy() for key, value in inputs.items()}
    first, second = built.run(inputs), built.run(inputs)
    assert distance(first, second) == 0
    assert all(np.array_equal(inputs[key], copies[key]) for key in inputs), "inputs are not changed"
    assert isinstance(built.block, StreamableBlock)


@pytest.mark.parametrize("name", STACKS)
def test_what_is_ahead_of_the_look_ahead_is_not_heard(name: str, layer) -> None:
    """Frames later than the latency that the stack says change nothing of the first frames; the next one does."""
    built = layer(STACKS[name], 8)
    ahead = built.flow.latency * built.setting.frame_rate
    assert ahead.denominator == 1
    sizes = {**SMALL, "T": int(ahead) + 30, "R": 41}
    inputs = made_up(built.inputs, sizes)
    along = [key for key, port in built.inputs.items() if port.axes[-1] == "T" and port.dtype == "float32"]
    if not along:
        pytest.skip("it takes no frames")
    rate = 1 if built.flow.rate < 1000 else 256
    key = next(iter(built.flow.ports)) if rate > 1 else "mel"
    keep = 10

    def changed(first: int) -> np.ndarray:
        other = {**inputs, **{name: inputs[name].copy() for name in along}}
        for name in along:
            other[name][..., first:] += 0.5
        return built.run(other)[key][..., : keep * rate]

    expected = built.run(inputs)[key][..., : keep * rate]
    scale = np.abs(expected).max()
    assert np.abs(changed(keep + int(ahead)) - expected).max() <= CLOSE * scale
    assert np.abs(changed(keep - 1) - expected).max() > CLOSE * scale


def test_the_tap_notes_what_passes(layer, tmp_path: Path) -> None:
    built = layer(STACKS["tap"], 20)
    built.run(made_up(built.inputs, SMALL))
    notes = [json.loads(line) for line in (tmp_path / "notes.jsonl").read_text().splitlines()]
    assert [note["mel"] for note in notes] == [[1, 100, 20], [1, 100, 20], [1, 100, 1]]
    assert all(note["place"] == "stack[1] (Tap)" for note in notes)
    times = [note["at"] for note in notes]
    assert times == sorted(times) and len(set(times)) == 3


def test_the_effect_turns_high_bands_down(layer) -> None:
    inputs = made_up(layer(ARTICLE).inputs, SMALL)
    change = layer(STACKS["effects"]).run(inputs)["mel"] - layer(ARTICLE).run(inputs)["mel"]
    assert np.allclose(change[:, :10], -3 * np.log(10) / 20, atol=1e-5)
    assert (np.diff(change[0, 60:, 0]) < 0).all() and change[0, -1, 0] < -4
