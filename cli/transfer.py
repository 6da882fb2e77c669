"""`ptx transfer`: say recordings again in another voice."""

from __future__ import annotations

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._described import describe
from prosody_transfer.cli._shared import print_json
from prosody_transfer.cli._terminal import say

EPILOG = """\b
Examples:
  ptx transfer src.wav --speaker alice
  ptx transfer src.wav -s alice -o out.wav --text "Does he wear a black suit?"
  ptx transfer takes/ -s alice --out-dir dubbed/    # again: resumes
  ptx transfer takes/ -s alice --out-dir dubbed/ --workers 4"""


def transfer(
    source: o.Sources, speaker: o.Speaker, output: o.Output = None, out_dir: o.OutDir = None, text: o.Text = None,
    transcript: o.Transcript = None, keep: o.Keep = "rhythm,pitch,energy,latent", strength: o.Strength = 1.0,
    f0_range_scale: o.F0RangeScale = 1.0, f0_shift_semitones: o.F0ShiftSemitones = 0.0,
    duration_scale: o.DurationScale = 1.0, aligner: o.Aligner = "pocketsphinx", recognise: o.Recognise = "auto",
    check_transcript: o.Check = True, vocoder: o.Vocoder = None, model: o.Model = None, device: o.Device = "cpu",
    runtime: o.Runtime = "auto", shapes: o.ShapesOfTensors = "dynamic", tracker: o.Tracker = "learned",
    track: o.Track = None, channel: o.Channel = None, sample_rate: o.SampleRate = None,
    suffix: o.Format = "wav", subtype: o.Subtype = "PCM_24", plot: o.Plot = None, save_plan: o.SavePlan = None,
    voices: o.Voices = None, workers: o.Workers = None, shard: o.ShardOf = None, engine: o.Engine = "processes",
    scheduler: o.Scheduler = None, json: o.Json = False, overwrite: o.Force = False,
) -> None:  # fmt: skip
    """Say recordings again in another voice.

    Words, timing, melody and loudness stay as they are; nothing of the first speaker is left.
    """
    from prosody_transfer.cli._batches import check_batches, find_batches, is_folder, refuse_for_several, run_batches
    from prosody_transfer.cli._single import check_plan, check_single, keep_beside
    from prosody_transfer.cli._voices import warn_of_damaged
    from prosody_transfer.jobs.shards import take_shard
    from prosody_transfer.jobs.transfer import check_engine
    from prosody_transfer.store.voices import all_voices, get_voice
    from prosody_transfer.synthesis.prosody import TransferSettings

    # All that can be refused is refused before a network is loaded.
    kept = tuple(k.strip() for k in keep.split(",") if k.strip())
    settings = TransferSettings(
        keep=kept, strength=strength, f0_range_scale=f0_range_scale, f0_shift_semitones=f0_shift_semitones,
        duration_scale=duration_scale, aligner=aligner, recognise=recognise, check_transcript=check_transcript,
        track=track, channel=channel, sample_rate=sample_rate, tracker=tracker,
    ).check()  # fmt: skip
    if model is None:
        get_voice(speaker, voices=voices)
    warn_of_damaged(voices)
    check_engine(engine, scheduler, workers, shard)
    single = len(source) == 1 and not is_folder(source[0]) and shard is workers is scheduler is None
    if single:
        target = check_single(
            source[0], speaker, output, out_dir, f".{suffix}", text, transcript, plot, overwrite, subtype, settings
        )
        check_plan(save_plan, overwrite)
    else:
        given = {"--output": output, "--text": text, "--transcript": transcript, "--plot": plot}
        refuse_for_several({**given, "--save-plan": save_plan})
        batches = find_batches(source, out_dir, [v.name for v in all_voices(voices)])
        check_batches(batches, speaker, f".{suffix}", subtype, sample_rate)
        run_batches(
            take_shard(batches, shard), speaker, json, settings=settings, overwrite=overwrite,
            suffix=f".{suffix}", subtype=subtype, model=model, vocoder=vocoder, device=device, voices=voices,
            runtime=runtime, shapes=shapes, workers=workers or 1, engine=engine, scheduler=scheduler,
        )  # fmt: skip
        return
    from prosody_transfer.synthesis.transfer import Transferer

    result = Transferer(model, vocoder, device, voices, runtime, shapes).from_file_to_file(
        source[0], speaker, target, text=text, transcript=transcript, settings=settings, overwrite=overwrite,
        subtype=subtype,
    )  # fmt: skip
    keep_beside(result, save_plan, plot, overwrite)
    print_json(result.report) if json else say(describe(result.report))
