"""`ptx evaluate --texts`: what is refused before anything is spoken."""

from __future__ import annotations

from pathlib import Path

import pytest

TEXTS = Path(__file__).parents[1] / "evaluation" / "texts.tsv"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--prosody", "nothing"], "is no source of prosody"),
        (["--speaker", "nobody", "--prosody", "plain"], "nobody"),
        (["--benchmark", "--prosody", "plain"], "goes by itself"),
        (["--speaker", ",", "--prosody", "plain"], "nothing to speak"),
    ],
)
def test_what_can_not_be_spoken_is_refused(ptx, arguments, says):
    result = ptx("evaluate", "--texts", TEXTS, "--no-asr", "--no-quality", *arguments)
    assert result.exit_code == 2 and says in result.stderr
