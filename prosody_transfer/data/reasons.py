"""Why a recording is left out of a prepared corpus: the fixed list, and what to do about each."""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """What is wrong, in a phrase that fits behind a number of files, and the remedy."""

    means: str
    remedy: str


REASONS: dict[str, Reason] = {
    "missing": Reason("are listed, but not there", "check the path, or take the line out"),
    "unreadable": Reason("are empty, damaged or no sound files", "export or copy them again from the original"),
    "name": Reason("have names that are not UTF-8 text", "rename them"),
    "loop": Reason("are links that lead round in a circle", "remove the link"),
    "outside": Reason(
        "lie outside the corpus folder", "move them in, or name the list itself: then its paths may lead anywhere"
    ),
    "command": Reason("are commands or archive offsets, which are never run", "make sound files of them first"),
    "row": Reason("are lines that cannot be understood", "compare the line with those around it"),
    "duplicate_id": Reason("have an id that another has", "give each utterance an id of its own"),
    "encoding": Reason("have transcripts that are not UTF-8 text", "save the transcripts as UTF-8"),
    "empty_text": Reason("have an empty transcript", "write what is said, or remove the transcript to have it heard"),
    "unpronounceable": Reason("have words that cannot be pronounced", "write them as they are spoken"),
    "mismatch": Reason("say something other than the transcript", "correct the transcript, or remove it"),
    "alignment": Reason("have a TextGrid that does not fit", "export it again, or remove it"),
    "sample_rate": Reason("have too low a sampling rate", "use the original recordings, not telephone copies"),
    "short": Reason("are too short", "leave them out"),
    "long": Reason("are too long to be cut up here", "cut them up first"),
    "silent": Reason("are silent", "check the microphone and the chosen track"),
    "clipped": Reason("are clipped", "record them again with less gain"),
    "noisy": Reason("are too noisy", "record them again in a quieter place, or denoise them"),
    "no_speech": Reason("hold no speech", "check that they are the right files"),
    "unvoiced": Reason("have hardly any voiced sound", "leave out whispers"),
    "duplicate": Reason("are the same recording as another", "keep one of them"),
    "crashed": Reason("crashed the program that reads them", "convert them first: ffmpeg -i IN OUT.wav"),
}
