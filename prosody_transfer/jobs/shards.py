"""A part of a batch for each of several machines that know nothing of one another."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prosody_transfer.core.errors import UsageError
from prosody_transfer.jobs.tasks import Sources


@dataclass(frozen=True)
class Shard:
    """One of `of` parts, counted from 1.

    A recording's part depends on its name below the folder alone, so it is in one part only, also where the parts begin
    at different times and files have come or gone meanwhile. Parts are about equal: 1,000 files in ten are 100 +- 10.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From "I/N".

        Raises:
            UsageError: It is not of that form, or I is not one of 1 to N.

        >>> Shard.parse("2/3")
        Shard(number=2, of=3)
        """
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
        number, of = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= number <= of:
            raise UsageError(f"{text!r} is no part", place="--shard", remedy="give I/N, such as 1/3, 2/3 and 3/3")
        return cls(number, of)

    def holds(self, path: Path, root: Path | None = None) -> bool:
        """Whether a recording is in this part."""
        name = path.relative_to(root).as_posix() if root is not None else path.name
        digest = hashlib.sha256(os.fsencode(name)).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1


def take_shard(sources: Sequence[Sources], shard: str | None) -> list[Sources]:
    """What of some sources is in a part ("I/N"); None is all. Raises as `Shard.parse`."""
    if shard is None:
        return list(sources)
    part = Shard.parse(shard)
    return [s._replace(paths=[path for path in s.paths if part.holds(path, s.root)]) for s in sources]
