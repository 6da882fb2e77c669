"""viter: the Montreal recipe without conda. An optional extra; the model is the user's own."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from prosody_transfer.alignment.base import Aligner, Heard, fill_gaps, require_sound, require_words
from prosody_transfer.alignment.labels import restore_stress, to_arpabet
from prosody_transfer.alignment.mfa import dictionary, fitted
from prosody_transfer.core.atomic import temporary_folder
from prosody_transfer.core.errors import DependencyError, MismatchError
from prosody_transfer.core.sharing import STDERR
from prosody_transfer.core.types import Alignment, PhoneInterval, WordInterval
from prosody_transfer.text.phones import VOWELS

_PLACE = "aligner viter"
_MODEL_REMEDY = (
    "train one (viter train CORPUS --dict DICTIONARY) or convert one of the Montreal Forced Aligner "
    "(viter import english_us_arpa.zip), and set PTX_VITER_MODEL to the .viter file"
)


class ViterAligner(Aligner):
    """Aligns with a model that `viter train` or `viter import` made, of ARPABET phones with or without stress.

    Args:
        model: Path of the .viter file. None: the environment's PTX_VITER_MODEL.

    Raises:
        DependencyError: viter is not installed, or there is no model, or one with other phones.
    """

    name = "viter"

    def __init__(self, model: str | Path | None = None) -> None:
        self._viter = _module()
        self.model = _model_path(model)
        try:
            phones = {p.rsplit("_", 1)[0] for p in self._viter.Model(str(self.model), cpu=True).phones}
        except self._viter.ViterError as error:
            raise DependencyError(f"its model does not load ({error})", place=_PLACE, remedy=_MODEL_REMEDY) from error
        self._stress = any(v + "1" in phones for v in VOWELS)
        if not self._stress and not phones.issuperset(("AA", "IY", "SH")):
            raise DependencyError("its model has no ARPABET phones", place=str(self.model), remedy=_MODEL_REMEDY)

    @classmethod
    def check(cls) -> None:
        _module()
        _model_path(None)

    def align(
        self, waveform: np.ndarray, sample_rate: int, words: Sequence[str], heard: Heard | None = None
    ) -> Alignment:
        """See `Aligner.align`."""
        require_words(words)
        samples = np.ascontiguousarray(waveform, dtype=np.float32)
        require_sound(samples)
        with temporary_folder() as folder:
            entries = folder / "words.dict"
            entries.write_text(dictionary(words, stress=self._stress), encoding="utf-8")
            try:
                with _quiet():  # reading the model again with this dictionary takes 3 ms
                    model = self._viter.Model(str(self.model), dict=str(entries), cpu=True)
                    found = model.align(samples, " ".join(words), sample_rate=int(sample_rate))
            except self._viter.ViterError as error:
                raise MismatchError(
                    f"could not be aligned by viter ({error})",
                    place="transcript",
                    remedy="check that the transcript has exactly the words that are spoken",
                ) from error
        duration = len(samples) / sample_rate
        intervals = tuple(WordInterval(w.label, w.start, w.end) for w in found.words)
        phones = [PhoneInterval(name, p.start, p.end) for p in found.phones for name in to_arpabet(p.label)]
        phones_of_all = restore_stress(fill_gaps(phones, duration), intervals)
        return fitted(Alignment(phones_of_all, intervals, duration), duration, self.name)


def _module() -> ModuleType:
    try:
        import viter
    except (ImportError, OSError) as error:
        raise DependencyError(
            f"viter is not installed ({error})", place=_PLACE, remedy="pip install 'prosody-transfer[viter]'"
        ) from error
    return viter


def _model_path(model: str | Path | None) -> Path:
    named = model or os.environ.get("PTX_VITER_MODEL")
    if not named:
        raise DependencyError("has no model", place=_PLACE, remedy=_MODEL_REMEDY)
    if not Path(named).is_file():
        raise DependencyError(f"has no model at {str(named)!r}", place=_PLACE, remedy=_MODEL_REMEDY)
    return Path(named)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep its progress lines off the terminal: they come from below Python, so the descriptor itself is moved.

    By one thread at a time: a second one would take the way to nowhere for standard error, and give that back.
    """
    with STDERR.use():
        sys.stderr.flush()
        try:
            kept = os.dup(2)
        except OSError:  # no standard error at all
            yield
            return
        try:
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
