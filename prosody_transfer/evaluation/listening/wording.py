"""What the listeners read: standing instructions of each kind of test, and the question of each aspect."""

from __future__ import annotations

QUESTIONS = {
    "naturalness": "How natural does each version sound?",
    "similarity": "How much does each voice sound like the speaker of the reference?",
    "rhythm": "Is the timing as in the reference: pace, pauses, where it hurries and where it lingers?",
    "emphasis": "Are the same words stressed, and as strongly, as in the reference?",
    "syllable length": "Are syllables drawn out and clipped where they are in the reference?",
    "melody": "Does the pitch rise and fall as in the reference? A higher or lower voice does not count.",
    "loudness": "Is it louder and softer in the same places as the reference?",
}

INSTRUCTIONS = {
    "naturalness": (
        "You will hear several versions of the same sentence. Judge how natural each one sounds: as a person would say "
        "it, or like a machine.",
        "At least one version on each page may be a recording of a person. Versions may also sound alike.",
    ),
    "similarity": (
        "You will hear a reference and several versions of a sentence. Judge whether each version is spoken by the "
        "speaker of the reference.",
        "Heed the voice alone. What is said, how it is said and how clean the sound is do not matter here.",
    ),
    "prosody": (
        "You will hear a reference and several versions of the same sentence. Judge whether each version is said in "
        "the same way as the reference: its rhythm, emphasis, syllable length, melody and loudness, one after another.",
        "Heed how it is said. Whose voice it is and how clean the sound is do not matter here.",
    ),
}
COMMON = (
    "Move each slider to where you would put the version on the scale from bad to excellent. Listen as often as you "
    "like, and compare: switching between versions keeps your place in the sentence. One of the versions may equal the "
    "best that is possible; give it the top of the scale if you hear it.",
)


def instructions_of(kind: str, own: str = "") -> list[str]:
    """Paragraphs for the first page: `own`, parted at empty lines, or the standing ones of this kind."""
    if own.strip():
        paragraphs = own.replace("\r\n", "\n").split("\n\n")
        return [" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip()]
    return [*INSTRUCTIONS[kind], *COMMON]


def question_of(kind: str, aspect: str) -> str:
    """What is asked above the sliders."""
    return QUESTIONS[kind if aspect == "overall" else aspect]
