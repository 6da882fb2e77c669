"""The exact-answer benchmark that ships: unseen sources, and the same prosody spoken by target voices.

How the set was made, and what it may be used for, stands in `benchmark_set/README.md`.
"""

from __future__ import annotations

from pathlib import Path

from prosody_transfer.core.config import Config, load_config
from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.core.reading import RECORD_BYTES, parse_json, read_bytes
from prosody_transfer.evaluation.pairs import Pair

FOLDER = Path(__file__).parent / "benchmark_set"
CLASSES = ("wh", "or", "complex", "compound", "exclaim", "plain")


class Answer(Config):
    """What there is for one target voice.

    Attributes:
        exact: The voice with the source's durations, contour and energy; as long as the source to the sample.
        natural: The voice saying the same words in its own way.
        median_hz: Of the contour that went into `exact`.
    """

    exact: str
    natural: str
    median_hz: float


class Item(Config):
    """One source and its answers, as the manifest has them; audio files are named relative to its folder.

    Attributes:
        class_: Of the sentence, one of `CLASSES`; "class" in the manifest.
        source_voice, source_gender: A synthetic voice that is in no training data.
        exaggerated: The source's F0 range was stretched by 1.5 about its median.
        samples: Of `source` and of every exact answer, at 24 kHz.
        phones: Of the synthesiser, in its own IPA alphabet.
        durations_25ms: Frames of 25 ms for each phone, and for the silence before and after.
        f0_hz_80hz: The contour that went into the source; 0 where unvoiced.
        targets: Voice -> its answers.
    """

    id: str
    class_: str
    text: str
    source: str
    source_voice: str
    source_gender: str
    exaggerated: bool
    samples: int
    phones: str
    durations_25ms: tuple[int, ...]
    f0_hz_80hz: tuple[float, ...]
    targets: dict[str, Answer]


def benchmark_items(folder: str | Path = FOLDER) -> list[Item]:
    """The manifest of the set.

    Raises:
        ModelError: It is missing or damaged.
    """
    path = Path(folder) / "manifest.json"
    try:
        rows = parse_json(read_bytes(path, RECORD_BYTES, UsageError))
        return [load_config(Item, {**{k: v for k, v in r.items() if k != "class"}, "class_": r["class"]}) for r in rows]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, UsageError):
        raise ModelError("the benchmark is missing or damaged", place=str(path), remedy="install ptx again") from None


def benchmark_pairs(folder: str | Path = FOLDER) -> list[Pair]:
    """A pair for each source and target voice, without outputs: ptx makes them.

    The other sources of the same voice are its `source_enrol`.

    Raises:
        ModelError: The set is missing or damaged.
    """
    root = Path(folder).absolute()
    items = benchmark_items(root)
    pairs = []
    for item in items:
        others = [o for o in items if o.source_voice == item.source_voice and o is not item]
        for voice, answer in item.targets.items():
            pairs.append(
                Pair(
                    id=f"{item.id}.{voice}",
                    source=str(root / item.source),
                    speaker=voice,
                    text=item.text,
                    exact=str(root / answer.exact),
                    natural=str(root / answer.natural),
                    source_speaker=item.source_voice,
                    group=item.class_,
                    source_enrol=tuple(str(root / other.source) for other in others),
                )
            )
    return pairs
