"""`ptx speak`: say a text in a voice."""

from __future__ import annotations

import sys
from pathlib import Path

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._shared import print_json
from prosody_transfer.cli._terminal import is_terminal, say
from prosody_transfer.core.errors import UsageError

EPILOG = """\b
Examples:
  ptx speak "Did the parcel come by post, or by hand?" --speaker alice -o out.wav
  ptx speak "I said *Tuesday*, not Thursday." -s alice --tune fall
  ptx speak --input-file script.txt -s alice -o script.wav
  echo "Good morning." | ptx speak -s alice --output-raw | aplay -r 24000 -f S16_LE -c 1 -t raw"""
APLAY = "aplay -r {} -f S16_LE -c 1 -t raw"


def speak(
    speaker: o.Speaker, text: o.TextArgument = None, output: o.SpeechOutput = None,
    input_file: o.InputFile = None, output_raw: o.OutputRaw = False, prosody: o.Prosody = "",
    tune: o.Tune = None, length_scale: o.LengthScale = 1.0, sentence_silence: o.SentenceSilence = "0.3-0.6",
    seed: o.Seed = 1, words_from: o.WordsFrom = None, lexicon: o.LexiconFile = None, save_plan: o.SavePlan = None,
    model: o.Model = None,
    vocoder: o.Vocoder = None, device: o.Device = "cpu", subtype: o.Subtype = "PCM_24", voices: o.Voices = None,
    json: o.Json = False, overwrite: o.Force = False,
) -> None:  # fmt: skip
    """Say a text in a voice, with prosody that is predicted from it.

    *word* is said with emphasis, [[W ER1 D]] by its phones; what begins with <speak> is SSML. Without TEXT and
    --input-file the text comes from stdin. Needs the speak extra, but for --prosody plain.
    """
    from prosody_transfer.audio.io import check_writable
    from prosody_transfer.cli._voices import warn_of_damaged
    from prosody_transfer.store.voices import get_voice
    from prosody_transfer.synthesis.speaking.settings import SpeakSettings, check_settings, parse_silence
    from prosody_transfer.synthesis.speaking.text_source import read_source, require_prosody
    from prosody_transfer.text.user_lexicon import read_lexicon

    if output_raw and (output is not None or json):
        raise UsageError("goes to stdout alone", place="--output-raw", remedy="leave -o and --json out")
    settings = check_settings(SpeakSettings(
        prosody=prosody, tune=tune or "", length_scale=length_scale, sentence_silence=parse_silence(sentence_silence),
        seed=seed,
    ))  # fmt: skip
    require_prosody(prosody)
    if model is None:
        get_voice(speaker, voices=voices)
    warn_of_damaged(voices)
    target = output or Path(f"{input_file.stem if input_file else 'speech'}.{speaker}.wav")
    if not output_raw:
        check_writable(target, overwrite, subtype, None)
    said, place = read_source(text, input_file, sys.stdin if not is_terminal(sys.stdin) else None)
    names = read_lexicon(lexicon) if lexicon is not None else None

    from prosody_transfer.synthesis.speaking.speaker import Speaker
    from prosody_transfer.synthesis.transferer import Transferer

    speaking = Speaker(Transferer(model, vocoder, device, voices))
    if output_raw:
        say(APLAY.format(speaking.transferer.config.sample_rate), error=True)
        speaking.speak_to(
            sys.stdout.buffer, "<i2", said, speaker, settings, lexicon=names, place=place, plan=save_plan,
            words_from=words_from,
        )  # fmt: skip
        return
    report = speaking.speak_to_file(
        said, speaker, target, settings, lexicon=names, place=place, plan=save_plan, overwrite=overwrite,
        subtype=subtype, words_from=words_from,
    )  # fmt: skip
    if json:
        print_json(report)
    else:
        kinds = ", ".join(f"{row['kind'].replace('_', ' ')} ({row['tune']})" for row in report["sentences"][:3])
        more = f", and {len(report['sentences']) - 3} sentences more" if len(report["sentences"]) > 3 else ""
        say(f"{report['output']}  {report['seconds']:.2f} s  {kinds}{more}  RTF {report['real_time_factor']:.2f}")
