"""Where models are registered: a kind, and by name all that the other rooms need of it. Nothing heavy is imported here.

A model is one folder. Its `__init__` says `MODEL = Model(...)`; the folders beside this file are found by themselves,
others through the entry points of the group "ptx.models" (each gives a `Model`) or through PTX_MODELS, a list of
folders (separated as PATH is), each a package with a `MODEL`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from prosody_transfer.core.errors import ModelError

GROUP, FOLDERS = "ptx.models", "PTX_MODELS"
ROLES = ("acoustic", "vocoder", "recogniser", "judge", "tracker", "text")
_NOT_MODELS = {"blocks"}


@dataclass(frozen=True)
class Model:
    """A kind of model. Parts are named "module:attribute", and imported when they are asked for.

    Attributes:
        kind: As its checkpoints call it, such as the folder's name.
        role: What it is for, one of `ROLES`.
        config: Its settings, a `Config`; an acoustic model's have `mel` and `speakers`.
        network: Made from the settings; a torch module with `config`.
        task: How it is trained, a `training.task.Task`; "" where that is not done here.
        speaking: Of an acoustic model: a module as `synthesis.acoustic.Speaking` describes it; of a model of text: as
            `synthesis.speaking.predicted.TextProsody` does.
        self_transfer: Of an acoustic model: (network, utterance, row, level, text) -> mel (M, T) of a recording said
            again in its own voice, on which vocoders are trained.
        adaptable: (names) -> those of its parameters that a new voice may change; "" where no voice can be added.
        voice_task: How a voice is added, see `voices.adapt`.
        options: Of a model of text: what may follow its kind and a colon where prosody is chosen ("": nothing), and
            whether the text's parse is then read, which needs the extra `speak`.
        parts: (network) -> {name: `models.parts.Part`}: its networks, as an addon has them; "" where it can be none.
        addon: (network, header) -> what addon.json says besides what every addon's does, such as its `stack`.
        components: A module that registers the components that only its stack is made of; it imports no torch.
        addon_speaking: Of an acoustic model whose plans hold more than `synthesis.addons.AddonAcoustic` knows: a
            subclass of that.
        embeds: Of a model of text: whether a text can be said as a recording was (its speaking part has `embed` and
            `in_manner`).
        default: Whether it is the one of its role that is used where none is named.
        folder: Where its weights, presets and card lie; None: beside the module that says `MODEL`.
    """

    kind: str
    role: str
    config: str
    network: str
    task: str = ""
    speaking: str = ""
    self_transfer: str = ""
    adaptable: str = ""
    voice_task: str = ""
    options: Mapping[str, bool] = field(default_factory=dict)
    parts: str = ""
    addon: str = ""
    components: str = ""
    addon_speaking: str = ""
    embeds: bool = False
    default: bool = False
    folder: Path | None = None

    def load(self, part: str) -> Any:
        """A part of it, imported.

        Raises:
            ModelError: It has none.
        """
        name = getattr(self, part)
        if not name:
            what = part.replace("_", " ")
            raise ModelError(f"has no {what}", place=f"model {self.kind}", remedy="choose another kind of model")
        module, _, attribute = name.partition(":")
        found = importlib.import_module(module)
        return getattr(found, attribute) if attribute else found


def kinds(role: str = "") -> list[str]:
    """The kinds that are known here, of a role or of all, in alphabetical order."""
    return sorted(m.kind for m in _all().values() if role in ("", m.role))


def trainable() -> list[str]:
    """The kinds that have a training task."""
    return [kind for kind in kinds() if get(kind).task]


def exportable() -> list[str]:
    """The kinds that can be addons."""
    return [kind for kind in kinds() if get(kind).parts]


def get(kind: str) -> Model:
    """A model by its kind.

    Raises:
        ModelError: There is none of that kind.
    """
    if (found := _all().get(kind)) is None:
        remedy = f"known are {', '.join(kinds())}; others are named by {FOLDERS}"
        raise ModelError(f"no model is called {kind[:60]!r}", remedy=remedy)
    return found


def default(role: str) -> Model:
    """The model of a role that is used where none is named."""
    return next(m for m in _all().values() if m.role == role and m.default)


def modules(role: str = "") -> list[str]:
    """The modules that run models of a role, or of all: whoever names what decides a result needs them."""
    parts = ("config", "network", "speaking", "adaptable", "components", "addon_speaking")
    named = (getattr(get(kind), part) for kind in kinds(role) for part in parts)
    return sorted({name.partition(":")[0] for name in named if name})


def of(network: Any) -> Model:
    """Which model a network is of, by its settings.

    Raises:
        ModelError: Its settings are no registered model's.
    """
    name = f"{type(network.config).__module__}:{type(network.config).__qualname__}"
    for model in _all().values():
        if model.config == name:
            return model
    raise ModelError(f"no registered model has the settings {name}", remedy=f"name its folder in {FOLDERS}")


def _all() -> dict[str, Model]:
    return _known(os.environ.get(FOLDERS, ""))


@cache
def _known(folders: str) -> dict[str, Model]:
    found: dict[str, Model] = {}
    for model in [*_shipped(), *_installed(), *_named(folders)]:
        if model.role not in ROLES:
            raise ModelError(f"has the unknown role {model.role!r}", place=f"model {model.kind}")
        if model.kind in found:
            raise ModelError("is registered twice", place=f"model {model.kind}", remedy="rename one of them")
        found[model.kind] = model
    return found


def _shipped() -> Iterator[Model]:
    here = Path(__file__).parent
    package = __name__.rpartition(".")[0]
    for entry in pkgutil.iter_modules([str(here)]):
        if entry.ispkg and entry.name not in _NOT_MODELS:
            module = importlib.import_module(f"{package}.{entry.name}")
            if isinstance(model := getattr(module, "MODEL", None), Model):
                yield model


def _installed() -> Iterator[Model]:
    from importlib import metadata

    for entry in metadata.entry_points(group=GROUP):
        if isinstance(model := entry.load(), Model):
            yield model


def _named(folders: str) -> Iterator[Model]:
    for name in filter(None, folders.split(os.pathsep)):
        folder = Path(name).resolve()
        module = sys.modules.get(folder.name) or _package(folder)
        model = getattr(module, "MODEL", None)
        if not isinstance(model, Model):
            raise ModelError("says no MODEL", place=str(folder), remedy=f"correct {FOLDERS}")
        yield model


def _package(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location(
        folder.name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None or not (folder / "__init__.py").is_file():
        raise ModelError("is no folder of a model", place=str(folder), remedy=f"correct {FOLDERS}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[folder.name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[folder.name]
        raise
    return module
