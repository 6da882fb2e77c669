"""Training and dev sides of a corpus: no sentence on both, whoever says it."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from prosody_transfer.core.keys import sentence_key

__all__ = ["DEV", "NEITHER", "TRAIN", "Item", "held_out_speakers", "sentence_key", "split"]

TRAIN, DEV, NEITHER = "train", "dev", ""
MANY_SPEAKERS = 20  # from here on a share of the speakers is held out whole
FEW_ROWS = 8  # a speaker with fewer need not be heard in dev


class Item(NamedTuple):
    """What a split looks at: who says which sentence. `sentence` is "" where it is not known; ids are unique."""

    id: str
    speaker: str
    sentence: str


def held_out_speakers(speakers: Sequence[str], share: float, seed: int, count: int | None = None) -> set[str]:
    """Speakers that are not trained on at all.

    Args:
        speakers: Of each utterance.
        share: Of the speakers, where there are 20 or more; otherwise none. Together they have at most this share of
            the utterances, too: the voice that a corpus is about is not held out.
        count: How many instead, however much they say; one is always left to train on.
    """
    sizes = Counter(speakers)
    order = sorted(sizes, key=lambda name: _rank(seed, "speaker", name))
    if count is not None:
        return set(order[: min(count, max(0, len(order) - 1))])
    wanted, room = round(share * len(order)) if len(order) >= MANY_SPEAKERS else 0, share * len(speakers)
    out: set[str] = set()
    for name in order:
        if len(out) < wanted and sizes[name] <= room:
            out.add(name)
            room -= sizes[name]
    return out


def split(
    items: Sequence[Item], *, dev_share: float = 0.05, seed: int = 1, dev_speakers: int | None = None
) -> list[str]:
    """Where each utterance goes.

    Sentences go to one side with everything that says them; which, follows from a hash of the sentence and the seed,
    so that neither the order of the corpus nor what is added to it moves the others far. Every speaker with eight
    utterances or more is heard in dev. Where there are 20 speakers or more, a share of them is in dev alone; what
    they say that is also trained on is on neither side.

    Args:
        items: Utterances; those without a sentence each count as one of their own.
        dev_share: Of the utterances, 0 to 0.5.
        dev_speakers: How many speakers to hold out. None: as above.

    Returns:
        "train", "dev" or "" (neither), one for each item.
    """
    keys = [f"s:{item.sentence}" if item.sentence else f"i:{item.id}" for item in items]
    out = held_out_speakers([item.speaker for item in items], dev_share, seed, dev_speakers)
    trained = [i for i, item in enumerate(items) if item.speaker not in out]
    dev = _dev_sentences([(items[i].speaker, keys[i]) for i in trained], dev_share, seed)
    seen = {keys[i] for i in trained} - dev
    sides = []
    for item, key in zip(items, keys, strict=True):
        if item.speaker in out:
            sides.append(NEITHER if key in seen else DEV)
        else:
            sides.append(DEV if key in dev else TRAIN)
    return sides


def _rank(seed: int, kind: str, name: str) -> str:
    return hashlib.sha256(f"{seed}\0{kind}\0{name}".encode("utf8", "surrogatepass")).hexdigest()


def _dev_sentences(said: Sequence[tuple[str, str]], share: float, seed: int) -> set[str]:
    """The sentences of the dev side, given (speaker, sentence) of what may be trained on."""
    sizes = Counter(key for _, key in said)
    of_speaker: dict[str, Counter[str]] = defaultdict(Counter)
    speakers_of: dict[str, set[str]] = defaultdict(set)
    for speaker, key in said:
        of_speaker[speaker][key] += 1
        speakers_of[key].add(speaker)
    totals = {speaker: counts.total() for speaker, counts in of_speaker.items()}
    order = sorted(sizes, key=lambda key: _rank(seed, "text", key))
    dev: set[str] = set()
    taken: Counter[str] = Counter()  # utterances of each speaker in dev

    def fits(key: str) -> bool:  # every speaker keeps at least half of what they say for training
        return all(2 * (taken[s] + of_speaker[s][key]) <= totals[s] for s in speakers_of[key])

    def take(key: str) -> None:
        dev.add(key)
        for speaker in speakers_of[key]:
            taken[speaker] += of_speaker[speaker][key]

    wanted = share * len(said)
    for key in order:
        if taken.total() >= wanted:
            break
        if fits(key):
            take(key)
    if share > 0:
        for key in order:
            lacks = any(not taken[s] and totals[s] >= FEW_ROWS for s in speakers_of[key])
            if lacks and key not in dev and fits(key):
                take(key)
    return dev
