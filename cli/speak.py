"""`ptx speak`: say a text in a voice."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._speaking import check_together, tell
from prosody_transfer.cli._terminal import is_terminal, say

EPILOG = """\b
Examples:
  ptx speak "Did the parcel come by post, or by hand?" --speaker alice -o out.wav
  ptx speak "I said *Tuesday*, not Thursday." -s alice --tune fall
  ptx speak "Where did you leave the keys?" -s alice --prosody kathaka --seed 3 --variants 5
  ptx speak "Quite other words." -s alice --like reference.wav
  ptx speak --input-file script.txt -s alice -o script.wav
  echo "Good morning." | ptx speak -s alice --output-raw | aplay -r 24000 -f S16_LE -c 1 -t raw"""
APLAY = "aplay -r {} -f S16_LE -c 1 -t raw"


def speak(
    speaker: o.Speaker, text: o.TextArgument = None, output: o.SpeechOutput = None,
    input_file: o.InputFile = None, output_raw: o.OutputRaw = False, prosody: o.Prosody = "",
    tune: o.Tune = None, length_scale: o.LengthScale = 1.0, sentence_silence: o.SentenceSilence = "0.3-0.6",
    seed: o.Seed = None, variants: o.Variants = None, like: o.Like = None, words_from: o.WordsFrom = None,
    lexicon: o.LexiconFile = None, save_plan: o.SavePlan = None, model: o.Model = None, vocoder: o.Vocoder = None,
    device: o.Device = "cpu", runtime: o.Runtime = "auto", shapes: o.ShapesOfTensors = "dynamic",
    subtype: o.Subtype = "PCM_24", voices: o.Voices = None,
    json: o.Json = False, overwrite: o.Force = False,
) -> None:  # fmt: skip
    """Say a text in a voice, with prosody that is predicted from it.

    *word* is said with emphasis, [[W ER1 D]] by its phones; what begins with <speak> is SSML. Without TEXT and
    --input-file the text comes from stdin. Needs the speak extra, but for --prosody plain.
    """
    from prosody_transfer.audio.io import check_writable
    from prosody_transfer.cli._voices import warn_of_damaged
    from prosody_transfer.store.voices import get_voice
    from prosody_transfer.synthesis.speaking.choice import drawn_prosody, embedding_prosody
    from prosody_transfer.synthesis.speaking.settings import SpeakSettings, check_settings, parse_silence
    from prosody_transfer.synthesis.speaking.text_source import read_source, require_prosody
    from prosody_transfer.synthesis.speaking.variants import check_variants, speak_variants
    from prosody_transfer.text.user_lexicon import read_lexicon

    check_together(output, output_raw, json, variants, like, words_from)
    if like is not None or seed is not None:
        prosody = embedding_prosody(prosody) if like is not None else drawn_prosody(prosody) or prosody
    settings = check_settings(SpeakSettings(
        prosody=prosody, tune=tune or "", length_scale=length_scale, sentence_silence=parse_silence(sentence_silence),
        seed=1 if seed is None else seed,
    ))  # fmt: skip
    require_prosody(prosody)
    if model is None:
        get_voice(speaker, voices=voices)
    warn_of_damaged(voices)
    target = output or Path(f"{input_file.stem if input_file else 'speech'}.{speaker}.wav")
    if variants is not None:
        check_variants(settings, variants, target, overwrite, subtype)
    elif not output_raw:
        check_writable(target, overwrite, subtype, None)
    said, place = read_source(text, input_file, sys.stdin if not is_terminal(sys.stdin) else None)
    names = read_lexicon(lexicon) if lexicon is not None else None
    from prosody_transfer.synthesis.speaking.speaker import Speaker
    from prosody_transfer.synthesis.transferer import Transferer

    speaking = Speaker(Transferer(model, vocoder, device, voices, runtime, shapes))
    if like is not None:
        speaking, _ = speaking.like(like, prosody)
    how: dict[str, Any] = {"lexicon": names, "place": place, "plan": save_plan}
    if output_raw:
        say(APLAY.format(speaking.transferer.config.sample_rate), error=True)
        speaking.speak_to(sys.stdout.buffer, "<i2", said, speaker, settings, words_from=words_from, **how)
        return
    how |= {"overwrite": overwrite, "subtype": subtype}
    if variants is not None:
        reports = speak_variants(speaking, said, speaker, target, settings, variants, **how)
    else:
        reports = [speaking.speak_to_file(said, speaker, target, settings, words_from=words_from, **how)]
    tell(reports, variants is None, json)
