"""`ptx render`: say a stored plan in a voice."""

from __future__ import annotations

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._described import describe
from prosody_transfer.cli._shared import print_json
from prosody_transfer.cli._terminal import say

EPILOG = """\b
Examples:
  ptx transfer src.wav -s alice --save-plan src.json
  ptx render src.json --speaker george -o george.wav"""


def render(
    plan: o.Plan, speaker: o.Speaker, output: o.Output = None, keep: o.Keep = "rhythm,pitch,energy,latent",
    strength: o.Strength = 1.0, f0_range_scale: o.F0RangeScale = 1.0, f0_shift_semitones: o.F0ShiftSemitones = 0.0,
    duration_scale: o.DurationScale = 1.0, vocoder: o.Vocoder = None, model: o.Model = None, device: o.Device = "cpu",
    runtime: o.Runtime = "auto", shapes: o.ShapesOfTensors = "dynamic",
    sample_rate: o.SampleRate = None, subtype: o.Subtype = "PCM_24", voices: o.Voices = None, json: o.Json = False,
    overwrite: o.Force = False,
) -> None:  # fmt: skip
    """Say a stored plan in a voice: phones, durations, melody and loudness, as they were measured or edited.

    No recording is needed. A phone with other frames than it was measured with is longer or shorter; its contours
    stretch.
    """
    from prosody_transfer.audio.io import check_writable
    from prosody_transfer.cli._voices import warn_of_damaged
    from prosody_transfer.store.voices import get_voice
    from prosody_transfer.synthesis.plan_file import load_plan
    from prosody_transfer.synthesis.prosody import TransferSettings

    kept = tuple(k.strip() for k in keep.split(",") if k.strip())
    settings = TransferSettings(
        keep=kept, strength=strength, f0_range_scale=f0_range_scale, f0_shift_semitones=f0_shift_semitones,
        duration_scale=duration_scale, sample_rate=sample_rate,
    ).check()  # fmt: skip
    if model is None:
        get_voice(speaker, voices=voices)
    warn_of_damaged(voices)
    target = output or plan.with_name(f"{plan.stem}.{speaker}.wav")
    check_writable(target, overwrite, subtype, sample_rate)
    stored = load_plan(plan)

    from prosody_transfer.synthesis.transferer import Transferer

    report = Transferer(model, vocoder, device, voices, runtime, shapes).render_to_file(
        stored, speaker, target, settings=settings, overwrite=overwrite, subtype=subtype
    )
    report = {"output": str(target), "input": str(plan), **report}
    print_json(report) if json else say(describe(report))
