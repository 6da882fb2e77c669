"""Which model of role "text" prosody comes from, as `--prosody KIND[:OPTION]` says; nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass

from prosody_transfer.core.errors import UsageError
from prosody_transfer.models import registry

PLAIN = "plain"  # the usual model by phones and punctuation alone, for those who have no parser
ROLE = "text"
SAMPLED = "sampled"  # the option of what is drawn


@dataclass(frozen=True)
class ProsodyChoice:
    """What was chosen.

    Attributes:
        kind: A registered model of role "text".
        option: What follows the kind and a colon, "" where nothing does.
        reads: Whether the text's parse is read.
    """

    kind: str
    option: str = ""
    reads: bool = True

    @property
    def name(self) -> str:
        """As it is written."""
        usual = self.kind == registry.default(ROLE).kind and not self.reads and not self.option
        return PLAIN if usual else f"{self.kind}:{self.option}" if self.option else self.kind


def choose_prosody(written: str = "") -> ProsodyChoice:
    """What is meant; "" is the usual model.

    Raises:
        UsageError: No model of text is called so, or it has no such option.
    """
    usual = registry.default(ROLE).kind
    if written == PLAIN:
        return ProsodyChoice(usual, reads=False)
    kind, _, option = (written or usual).partition(":")
    options = registry.get(kind).options if kind in registry.kinds(ROLE) else {}
    if option not in options:
        remedy = f"known are {', '.join(prosody_names())}"
        raise UsageError(f"{written[:60]!r} is no source of prosody", place="--prosody", remedy=remedy)
    return ProsodyChoice(kind, option, options[option])


def prosody_names() -> list[str]:
    """All that may be written."""
    kinds = registry.kinds(ROLE)
    named = [f"{kind}:{option}" if option else kind for kind in kinds for option in registry.get(kind).options]
    return [*named, PLAIN]


def drawn_prosody(written: str) -> str:
    """The same source with its prosody drawn, so that another seed gives another; "" where it has but one way.

    >>> drawn_prosody("plain")
    ''
    """
    choice = choose_prosody(written)
    takes = choice.reads and choice.option in ("", SAMPLED) and SAMPLED in registry.get(choice.kind).options
    return f"{choice.kind}:{SAMPLED}" if takes else ""


def embedding_prosody(written: str = "") -> str:
    """A source of prosody that can say a text as a recording was said: what is written, or where nothing is any.

    Raises:
        UsageError: What is written can't, or there is none.
    """
    able = [kind for kind in registry.kinds(ROLE) if registry.get(kind).embeds]
    if not written and able:
        return ":".join(filter(None, (able[0], next(iter(registry.get(able[0]).options)))))
    if written.partition(":")[0] not in able:
        remedy = f"choose {' or '.join(able)}" if able else "install a model that can"
        raise UsageError(f"{written[:60]!r} does not speak like a recording", place="--like", remedy=remedy)
    return written
