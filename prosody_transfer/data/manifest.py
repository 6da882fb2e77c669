"""Manifests: JSON Lines, a line an utterance."""

from __future__ import annotations

from pathlib import Path

from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.keys import file_name
from prosody_transfer.core.reading import LIST_BYTES, parse_json, read_bytes


class Row(Config):
    """One utterance of a corpus.

    `audio` is absolute once read. `text` may be empty: such rows train the vocoder and the encoder side only.
    """

    id: str
    audio: str
    speaker: str
    text: str = ""


def read_manifest(path: str | Path) -> list[Row]:
    """Rows of a manifest; audio paths are relative to the manifest's folder, other keys are ignored.

    Raises:
        UsageError: The file is missing, or a line is not JSON or lacks "audio" or "speaker"; the message names the
        line.
    """
    path = Path(path)
    try:
        lines = read_bytes(path, LIST_BYTES, UsageError).decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise UsageError("is not UTF-8 text", place=str(path), remedy="save it as UTF-8") from None
    rows: list[Row] = []
    places: dict[Path, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            data = parse_json(line)
            audio = path.parent / data["audio"]
            speaker = str(data["speaker"])
        except (ValueError, TypeError):
            raise UsageError(
                "is not a JSON object", place=place, remedy='write {"audio": ..., "speaker": ..., "text": ...}'
            ) from None
        except KeyError as error:
            raise UsageError(f"has no {error}", place=place, remedy='"audio" and "speaker" are needed') from None
        name = str(data.get("id") or f"{speaker}-{audio.stem}")
        row = Row(id=name, audio=str(audio.resolve()), speaker=speaker, text=str(data.get("text") or ""))
        if (other := places.setdefault(cache_path(Path(), row), number)) != number:
            problem = f"has the id {name!r} of line {other}"
            raise UsageError(problem, place=place, remedy='give each utterance of a speaker an "id" of its own')
        rows.append(row)
    return rows


def cache_path(cache: Path, row: Row) -> Path:
    """Where an utterance's measurements live: cache/SPEAKER/ID.npz, both as `file_name` makes them safe."""
    return cache / file_name(row.speaker) / f"{file_name(row.id)}.npz"
