"""From JSON to components: names looked up, settings checked, everything put in its place."""

from __future__ import annotations

import difflib
import inspect
from typing import Any

from prosody_transfer.core.errors import ModelError
from prosody_transfer.integration.components import REGISTRY, Component, Setting, load_components

DEEPEST = 32  # stacks in stacks


def build(spec: Any, setting: Setting, place: str = "stack", depth: int = 0) -> Any:
    """Make a component from {"type": NAME, SETTING: VALUE, ...}; settings may be components, or lists of them.

    Raises:
        ModelError: Nothing is called so (the nearest names are given), or a setting is not one of the component's; the
            message gives the place.
    """
    if not isinstance(spec, dict) or not isinstance(spec.get("type"), str):
        problem = f"{str(spec)[:60]} describes no component"
        raise ModelError(problem, place=place, remedy='write {"type": NAME, SETTING: VALUE, ...}')
    if depth > DEEPEST:
        raise ModelError("is too deep", place=place, remedy=f"nest {DEEPEST} at most")
    name = spec["type"]
    if name not in REGISTRY:
        load_components()
    if name not in REGISTRY:
        near = difflib.get_close_matches(name, REGISTRY, n=3, cutoff=0.5)
        remedy = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(REGISTRY))}"
        raise ModelError(f"no component is called {name[:60]!r}", place=place, remedy=remedy)
    settings = {
        key: _value(value, setting, f"{place}.{key}", depth + 1) for key, value in spec.items() if key != "type"
    }
    component = _make(name, settings, place)
    component.place, component.setting = f"{place} ({name})", setting
    return component


def _value(value: Any, setting: Setting, place: str, depth: int) -> Any:
    if isinstance(value, dict) and "type" in value:
        return build(value, setting, place, depth)
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [build(item, setting, f"{place}[{i}]", depth) for i, item in enumerate(value)]
    return value


def _make(name: str, settings: dict[str, Any], place: str) -> Component:
    parameters = {} if REGISTRY[name].__init__ is object.__init__ else inspect.signature(REGISTRY[name]).parameters
    known = ", ".join(parameters) or "none"
    if unknown := sorted(set(settings) - set(parameters)):
        raise ModelError(f"{name} has no setting {unknown[0][:60]!r}", place=place, remedy=f"known: {known}")
    lacking = [key for key, p in parameters.items() if p.default is p.empty and key not in settings]
    if lacking:
        raise ModelError(f"{name} needs {lacking[0]!r}", place=place, remedy="give it")
    try:
        return REGISTRY[name](**settings)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{name}: {error}", place=place, remedy="give a value that fits") from None
