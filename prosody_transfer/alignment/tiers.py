"""Which tiers of a TextGrid hold the phones and the words of one speaker, by their names and by what is in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from prosody_transfer.alignment.labels import alphabet_of, is_silence, to_arpabet
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.phones import is_vowel

PHONES, WORDS, TEXT, OTHER = "phones", "words", "text", "other"
# As MFA, WebMAUS, P2FA, FAVE, EasyAlign, SPPAS, LaBB-CAT, ELAN and people call them.
_NAMES = {
    PHONES: """phones phone phon phons phonemes phoneme phn phns phonalign segments segment segs seg mau sounds
        allophones""",
    WORDS: "words word wrd wrds tokens token tokensalign ort wordalign",
    TEXT: """text utterances utterance utt utts transcript transcription sentences sentence ortho orthography trn trs
        phrases phrase lines ipus ipu speech default""",
    OTHER: """syll sylls syllable syllables syl kan kas mas points point tones tone tobi breaks break notes note
        comments comment misc pos gloss glosses events event phono stress f0 pitch intensity feet moras translation""",
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
_WHOLE = {"ort-mau": WORDS, "kan-mau": OTHER, "mau": PHONES}
_LONGEST_PHONE = 0.4  # s, on average


class Tier(NamedTuple):
    """A named tier of (start, end, label), seconds."""

    name: str
    intervals: list[tuple[float, float, str]]

    @property
    def labels(self) -> list[str]:
        """What is written in it, silences left out."""
        return [label.strip() for _, _, label in self.intervals if not is_silence(label)]


def choose_tiers(tiers: Sequence[Tier], place: str, *, empty: bool = False) -> tuple[Tier | None, Tier | None]:
    """The tier of phones and that of words (or of utterances, where there are no words); None where there is none.

    A tier is known by a word of its name ("phones", "anna - Phones", "ORT-MAU"), others by their labels: phones, or
    text. Tiers without a label are passed over.

    Args:
        empty: A tier that is named for phones is taken even if it has no label.

    Raises:
        TranscriptError: There are several of a kind, as of several speakers, and nothing tells which is meant.
    """
    kinds: dict[str, list[Tier]] = {PHONES: [], WORDS: [], TEXT: [], OTHER: [], "": []}
    for tier in tiers:
        if tier.labels:
            kinds[_kind(tier.name)[0]].append(tier)
    unnamed = kinds[""]
    phones = kinds[PHONES] or [t for t in unnamed if _holds_phones(t)]
    if empty and not phones:
        phones = [t for t in tiers if _kind(t.name)[0] == PHONES][:1]
    phone_tier = _one(phones, None, place)
    words = kinds[WORDS] or kinds[TEXT] or [t for t in unnamed if t not in phones]
    words = words or [t for t in tiers if _kind(t.name)[0] == WORDS][:1]
    return phone_tier, _one(words, phone_tier, place)


def _kind(name: str) -> tuple[str, str]:
    """What a name says of a tier, "" for nothing, and what is left of it: the speaker."""
    plain = " ".join(name.lower().split())
    if plain in _WHOLE:
        return _WHOLE[plain], ""
    parts = re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    for at in range(len(parts) - 1, -1, -1):
        if parts[at] in _KINDS:
            return _KINDS[parts[at]], " ".join(parts[:at] + parts[at + 1 :])
    return "", plain


def _holds_phones(tier: Tier) -> bool:
    labels = tier.labels
    spoken = [b - a for a, b, label in tier.intervals if not is_silence(label)]
    if sum(spoken) / len(spoken) > _LONGEST_PHONE or len(labels) < 2:
        return False
    alphabet = alphabet_of(labels)
    try:
        return any(is_vowel(p) for label in labels for p in to_arpabet(label, alphabet))
    except TranscriptError:
        return False


def _one(tiers: list[Tier], partner: Tier | None, place: str) -> Tier | None:
    if len(tiers) > 1 and partner is not None:
        tiers = [t for t in tiers if _kind(t.name)[1] == _kind(partner.name)[1]] or tiers
    if len(tiers) > 1:
        listed = ", ".join(repr(t.name) for t in tiers)
        raise TranscriptError(f"has several speakers ({listed})", place=place, remedy="keep one speaker's tiers")
    return tiers[0] if tiers else None
