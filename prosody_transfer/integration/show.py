"""What an addon holds, for people and scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prosody_transfer.core.ports import Port
from prosody_transfer.integration.addon import open_addon


def describe(folder: str | Path) -> dict[str, Any]:
    """addon.json with the sizes of its files; the voices by name alone. Raises ModelError as `open_addon`.

    Files are not compared with their checksums: that is `check_addon`'s.
    """
    addon = open_addon(folder)
    config = addon.config
    facts = config.to_dict()
    sizes = {}
    for network in config.networks.values():
        for file in (network.symbols, network.parameters):
            path = addon.folder / file
            sizes[file] = path.stat().st_size if path.is_file() else None
    return {**facts, "folder": str(addon.folder), "voices": sorted(config.voices), "files": sizes}


def tree(facts: dict[str, Any]) -> str:
    """The same as lines to read."""
    size = lambda file: "missing" if facts["files"][file] is None else f"{facts['files'][file] / 1000:,.0f} kB"
    lines = [f"{facts['folder']}: {facts['kind']}, addon format {facts['format']}, {facts['licence']}"]
    if facts["voices"]:
        lines.append(f"  voices: {', '.join(facts['voices'])}")
    features = facts["features"]
    if features:
        kept = ("sample_rate", "n_fft", "hop_length", "n_mels")
        lines.append("  features: " + ", ".join(f"{key} {features[key]}" for key in kept))
    for name, network in facts["networks"].items():
        lines.append(f"  {name} ({network['role']})")
        for kind in ("symbols", "parameters"):
            file = network[kind]
            lines.append(f"    {kind}: {file}, {size(file)}, sha256 {network[f'{kind}_sha256'][:12]}")
        for kind in ("inputs", "outputs"):
            lines += [f"    {kind[:-1].ljust(6)}  {_port(port)}" for port in network[kind]]
        if network["state"]:
            lines.append(f"    state   {len(network['state'])} tensors; {network['lag']} frames late")
        for axis, allowed in network["fixed"].items():
            lines.append(f"    fixed   {axis} = {', '.join(map(str, allowed))}")
    if facts["stack"]:
        lines.append(f"  stack, {facts['latency']:.3f} s of look-ahead")
        for part in facts["stack"]:
            lines += _stack(part, "    ")
    return "\n".join(lines)


def _port(port: dict[str, Any]) -> str:
    return Port(name=port["name"], axes=tuple(port["axes"]), dtype=port["dtype"]).text()


def _stack(part: Any, margin: str) -> list[str]:
    """A component and what it holds, a line each."""
    if not isinstance(part, dict):
        return [f"{margin}{part}"]
    plain = {k: v for k, v in part.items() if k != "type" and not isinstance(v, dict | list)}
    settings = "".join(f" {key}={value}" for key, value in plain.items())
    lines = [f"{margin}{part.get('type')}{settings}"]
    for value in part.values():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                lines += _stack(inner, margin + "  ")
    return lines
