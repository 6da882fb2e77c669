"""webMUSHRA's configuration (YAML), made from a listening folder, and read; `webmushra_results` has its results.

webMUSHRA is a program of its own (github.com/audiolabs/webMUSHRA) under a licence of its own; nothing of it is here,
only the form of its files. The conditions have opaque names there too, so that no listener can read a system's. A page
on which several aspects are rated becomes a trial for each.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from prosody_transfer.core.errors import DependencyError, UsageError
from prosody_transfer.core.extras import remedy
from prosody_transfer.evaluation.listening.design import OVERALL, Page, read_key
from prosody_transfer.evaluation.listening.ratings import printable
from prosody_transfer.evaluation.listening.wording import question_of


class Trial(NamedTuple):
    """One page: the open reference and the conditions, each a path that webMUSHRA finds from its own folder."""

    trial: str
    title: str
    content: str
    reference: str
    stimuli: dict[str, str]


class Design(NamedTuple):
    """A test as webMUSHRA has it."""

    test: str
    title: str
    trials: tuple[Trial, ...]


def write_config(folder: str | Path, audio: str = "configs/listening/audio") -> str:
    """A webMUSHRA configuration of a built listening test.

    webMUSHRA knows no test without an open reference, and plays it in one loop with the stimuli, so that it must say
    the same words. Naturalness and similarity are therefore rated beside the natural recording there.

    Args:
        folder: That `build` made.
        audio: Where its folder `audio` will lie, seen from webMUSHRA's own folder.

    Returns:
        YAML. Trials come in random order, results are written by webMUSHRA's `service/write.php`.

    Raises:
        UsageError: It is no such folder, or a page has nothing that could be played as the reference.
        DependencyError: pyyaml is not installed.
    """
    key = read_key(folder)
    title, trials = html.escape(key.title), []
    for number, page in enumerate(key.pages, 1):
        hidden = hidden_reference(page)
        if hidden is None or (key.kind == "similarity" and page.stimuli[hidden].role == "reference"):
            problem = f"{page.page} has nothing that webMUSHRA could play as the reference"
            remedy = 'give every item a natural recording ("natural" in test.toml), or use ptx listen serve'
            raise UsageError(problem, place=str(folder), remedy=remedy)
        paths = {name: f"{audio}/{name}.wav" for name in page.stimuli if name != hidden}
        for aspect in key.aspects:
            question = html.escape(question_of(key.kind, aspect))
            heading = f"{title} {number}/{len(key.pages)}"
            trials.append(Trial(trial_id(page.page, aspect), heading, question, f"{audio}/{hidden}.wav", paths))
    return design_to_yaml(Design(key.test, title, tuple(trials)))


def trial_id(page: str, aspect: str) -> str:
    """What a page is called there, for one aspect."""
    return page if (aspect,) == OVERALL else f"{page}.{aspect}"


def hidden_reference(page: Page) -> str | None:
    """The opaque name of a page's hidden reference or natural recording, of which a test has one at most."""
    return next((name for name, stimulus in page.stimuli.items() if stimulus.role in ("reference", "natural")), None)


def design_to_yaml(design: Design) -> str:
    """A design in webMUSHRA's YAML. `yaml_to_design` reads it back as it was."""
    pages = []
    for trial in design.trials:
        pages.append({
            "type": "mushra", "id": trial.trial, "name": trial.title, "content": trial.content, "showWaveform": False,
            "enableLooping": True, "strict": False, "reference": trial.reference, "createAnchor35": False,
            "createAnchor70": False, "randomize": True, "showConditionNames": False, "stimuli": dict(trial.stimuli),
        })  # fmt: skip
    ask = {"type": "text", "label": "Your name or any word of your own", "name": "listener"}
    finish = {"type": "finish", "name": "Thank you", "content": "Please send your ratings.", "showResults": False,
              "writeResults": True, "questionnaire": [ask]}  # fmt: skip
    whole = {
        "testname": design.title, "testId": design.test, "bufferSize": 2048, "stopOnErrors": True,
        "showButtonPreviousPage": True, "remoteService": "service/write.php", "pages": [["random", *pages], finish],
    }  # fmt: skip
    return _yaml().dump(whole, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=120)


def yaml_to_design(text: str) -> Design:
    """The MUSHRA trials of any webMUSHRA configuration, nested and random groups included.

    Raises:
        UsageError: It is not YAML, or has no test id or no MUSHRA trials.
        DependencyError: pyyaml is not installed.
    """
    advice = "compare it with webMUSHRA's configs/default.yaml"
    try:
        whole = _yaml().safe_load(text)
    except (_yaml().YAMLError, RecursionError, ValueError) as error:
        problem = f"is not YAML ({printable(' '.join(str(error).split()), 200)})"
        raise UsageError(problem, place="webMUSHRA configuration", remedy=advice) from None
    if not isinstance(whole, dict) or "testId" not in whole:
        raise UsageError("has no testId", place="webMUSHRA configuration", remedy=advice)
    trials = []
    for page in _pages(whole.get("pages")):
        stimuli = page.get("stimuli")
        paths = {str(k): str(v) for k, v in stimuli.items()} if isinstance(stimuli, dict) else {}
        trial, title, content, reference = (str(page.get(k) or "") for k in ("id", "name", "content", "reference"))
        trials.append(Trial(trial, title, content, reference, paths))
    if not trials:
        raise UsageError("has no MUSHRA pages", place="webMUSHRA configuration", remedy=advice)
    return Design(str(whole["testId"]), str(whole.get("testname") or ""), tuple(trials))


def _pages(found: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """MUSHRA pages, however they are grouped."""
    if isinstance(found, dict) and found.get("type") == "mushra":
        yield found
    elif isinstance(found, list) and depth < 20:
        for inner in found:
            yield from _pages(inner, depth + 1)


def _dumper() -> Any:
    """pyyaml's safe dumper, which alone loses odd line breaks (U+0085) in strings that it does not quote."""

    class Dumper(_yaml().SafeDumper):  # type: ignore[misc]
        pass

    quoted = lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"'
    )
    Dumper.add_representer(str, quoted)
    return Dumper


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise DependencyError("pyyaml is not installed", place="webMUSHRA", remedy=remedy("evaluate")) from None
    return yaml
