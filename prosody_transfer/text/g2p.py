"""Letters to phones for words that no dictionary holds: g2p-en's GRU (Apache-2.0), run with numpy."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.dictionary import lookup
from prosody_transfer.text.phones import PHONES, VOWELS, phone_class

_DATA = Path(__file__).parent / "data" / "g2p.safetensors"
_LETTERS = ("<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz")
_LETTER_IDS = {letter: i for i, letter in enumerate(_LETTERS)}
_END = 3


def _output_symbols() -> tuple[str, ...]:
    """The network's 74 outputs in its own order: specials, then phones in alphabetical order, vowels by stress."""
    consonants = [p for p in PHONES if phone_class(p) not in ("vowel", "silence")]
    named = [*consonants, *(v + s for v in VOWELS for s in "012"), "UW"]  # a bare "UW" occurs in its training data
    return ("<pad>", "<unk>", "<s>", "</s>", *sorted(named))


_SYMBOLS = _output_symbols()


@lru_cache(maxsize=1)
def _weights() -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return {name: values.astype(np.float32) for name, values in load_file(_DATA).items()}


def _gru_step(x: np.ndarray, h: np.ndarray, part: str) -> np.ndarray:
    """One step of a GRU cell; `x` and `h` are (D,)."""
    w = _weights()
    from_x = w[f"{part}_w_ih"] @ x + w[f"{part}_b_ih"]  # (3D,): reset, update, new
    from_h = w[f"{part}_w_hh"] @ h + w[f"{part}_b_hh"]
    size = len(h)
    gates = 1.0 / (1.0 + np.exp(-(from_x[: 2 * size] + from_h[: 2 * size])))
    reset, update = gates[:size], gates[size:]
    new = np.tanh(from_x[2 * size :] + reset * from_h[2 * size :])
    return (1.0 - update) * new + update * h


def guess(word: str) -> tuple[str, ...]:
    """The likeliest pronunciation by spelling, vowels with stress digits.

    Raises:
        TranscriptError: The word has no letters a-z, so there is nothing to read.

    >>> " ".join(guess("wug"))
    'W AH1 G'
    """
    letters = [c for c in word.lower() if c in _LETTER_IDS]
    if not letters:
        raise TranscriptError(
            f"{word!r} cannot be pronounced", place="transcript", remedy="write it as it is spoken, in the letters a-z"
        )
    w = _weights()
    h = np.zeros(w["enc_w_hh"].shape[1], dtype=np.float32)
    for letter in (*letters, "</s>"):
        h = _gru_step(w["enc_emb"][_LETTER_IDS[letter]], h, "enc")
    phones: list[str] = []
    symbol = 2
    for _ in range(2 * len(letters) + 4):
        h = _gru_step(w["dec_emb"][symbol], h, "dec")
        symbol = int(np.argmax(w["fc_w"] @ h + w["fc_b"]))
        if symbol == _END:
            break
        if symbol > _END:
            phones.append("UW1" if _SYMBOLS[symbol] == "UW" else _SYMBOLS[symbol])
    if not phones:  # not seen in practice: spell it rather than lose the word
        phones = [p for letter in letters for p in lookup(letter)[-1]]
    return tuple(phones)
