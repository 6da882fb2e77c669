"""`ptx stream`: speech on stdin, in another voice on stdout, while it is being said."""

from __future__ import annotations

import sys

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._terminal import cannot_write, is_terminal, say
from prosody_transfer.core.errors import UsageError

EPILOG = """\b
Examples:
  ptx stream --speaker alice --input-rate 16000 < in.s16le > out.s16le
  ptx stream -s alice --recognise phones --latency 2 < in.s16le | aplay -r 24000 -f S16_LE -c 1 -t raw
  ptx stream -s alice --text-lines lines.txt --output-wav - < in.s16le | ffplay -nodisp -autoexit -"""
RAW = "aplay -r {0} -f S16_LE -c 1 -t raw    or: ffplay -f s16le -ar {0} -ch_layout mono -nodisp -autoexit -"
WAV = "ffplay -nodisp -autoexit -    or: aplay"


def stream(
    speaker: o.Speaker, input_rate: o.InputRate = 16000, latency: o.Latency = 3.0, text_lines: o.TextLines = None,
    recognise: o.Recognise = "auto", output_wav: o.OutputWav = None, keep: o.Keep = "rhythm,pitch,energy,latent",
    strength: o.Strength = 1.0, f0_range_scale: o.F0RangeScale = 1.0, f0_shift_semitones: o.F0ShiftSemitones = 0.0,
    aligner: o.Aligner = "pocketsphinx", tracker: o.Tracker = "learned", model: o.Model = None,
    device: o.Device = "cpu", shapes: o.ShapesOfTensors = "dynamic", voices: o.Voices = None,
) -> None:  # fmt: skip
    """Say speech again in another voice while it is being said: samples on stdin, samples on stdout.

    Both mono, signed 16 bit, little endian; stdout at 24 kHz. What comes out is later than what goes in by a constant
    delay, which is printed: --latency, and what the networks look ahead.
    """
    from prosody_transfer.cli._voices import warn_of_damaged
    from prosody_transfer.store.voices import get_voice
    from prosody_transfer.streaming.settings import StreamSettings, check_rate
    from prosody_transfer.streaming.words import read_lines

    kept = tuple(k.strip() for k in keep.split(",") if k.strip())
    settings = StreamSettings(
        keep=kept, strength=strength, f0_range_scale=f0_range_scale, f0_shift_semitones=f0_shift_semitones,
        aligner=aligner, recognise="phones" if text_lines else recognise, tracker=tracker, latency=latency,
    ).check()  # fmt: skip
    check_rate(input_rate)
    if output_wav not in (None, "-"):
        remedy = f"say --output-wav - > {output_wav}"
        raise UsageError("takes - alone: the header goes to stdout", place="--output-wav", remedy=remedy)
    for name, used, remedy in (("stdin", sys.stdin, "arecord ... | ptx stream"), ("stdout", sys.stdout, "> FILE")):
        if is_terminal(used):
            raise UsageError("is a terminal, and samples are no text", place=name, remedy=f"such as: {remedy}")
    if model is None:
        get_voice(speaker, voices=voices)
    warn_of_damaged(voices)
    words = read_lines(text_lines) if text_lines else None

    from prosody_transfer.streaming.pipes import say_pipe, wav_header
    from prosody_transfer.streaming.session import Session, warm_up
    from prosody_transfer.synthesis.transferer import Transferer

    transferer = Transferer(model, None, device, voices, "onnx", shapes)
    session = Session(transferer, speaker, input_rate, settings=settings, words=words)
    warm_up(transferer, speaker, settings)
    parts = f"{latency:g} s latency and {session.look_ahead:.2f} s look-ahead"
    say(f"delay {session.delay:.2f} s: {parts}; {transferer.credit(speaker)}", error=True)
    say(f"to hear it: | {(WAV if output_wav else RAW).format(session.output_rate)}", error=True)
    try:
        if output_wav:
            sys.stdout.buffer.write(wav_header(session.output_rate, transferer.credit(speaker)))
            sys.stdout.buffer.flush()
        report = say_pipe(session, sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        raise
    except OSError as failed:
        raise cannot_write(failed) from None
    done = f"{report['seconds']:.2f} s in {report['phrases']} phrases"
    say(f"{done}  RTF {report['real_time_factor']:.2f}", error=True)
