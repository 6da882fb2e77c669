"""`ptx listen serve` under load: honest listeners, connections that drip bytes beside them, and kill -9.

Usage: python benchmarks/listen_load.py FOLDER [--clients 200] [--dripping 1500] [--seconds 20] [--pause 0.5]
       [--kills 0] [--json OUT]
FOLDER was made by `ptx listen build`; its results are removed. The server is started on a free port of 127.0.0.1,
where all traffic stays. Each client has a session of its own and sends a new revision of it, PAUSE seconds after the
answer to the last one, half of them over a new connection each time. Each dripping connection sends a byte of a request
a second, and comes again when it is ended. Printed: answers, their delay as the clients saw it, what was said to be
saved and is not, what of the server's is left, its processor time and memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID

SERVER = """
import sys
from prosody_transfer.evaluation.listening.serve import serve
serve(sys.argv[1], port=int(sys.argv[2]), on_ready=lambda url: print(url, flush=True))
"""
DRIPPED = b"POST /ratings?revision=1 HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 10_000


@dataclass
class Seen:
    """By the clients: delays of answers in s, the revision of each session last said to be saved, tries without one."""

    delays: list[float] = field(default_factory=list)
    saved: dict[str, int] = field(default_factory=dict)
    unanswered: int = 0
    refused: int = 0
    dropped: int = 0
    late: float = 0.0  # the most that the clients themselves were late, s: their processor was busy elsewhere


@contextmanager
def started(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A server that answers; killed at the end."""
    server = subprocess.Popen([sys.executable, "-c", SERVER, folder, str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout and server.stdout.readline(), "the server has not started"
        yield server
    finally:
        server.kill()
        server.wait()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def document(key: dict[str, Any], number: int, revision: int) -> tuple[str, dict[str, Any]]:
    """A session whose scores tell its revision."""
    session = str(UUID(int=number, version=4))
    pages = [(page["page"], name) for page in key["pages"] for name in page["stimuli"]]
    ratings = [{"page": page, "aspect": key["aspects"][0], "stimulus": name, "score": revision % 101, "seconds": 1.5}
               for page, name in pages]  # fmt: skip
    return session, {"format": "ptx-ratings-1", "test": key["test"], "session": session, "listener": str(number),
                     "started": "2026-01-01", "finished": None, "ratings": ratings, "comments": {}}  # fmt: skip


async def listen(port: int, key: dict[str, Any], number: int, until: float, pause: float, seen: Seen) -> None:
    """An honest client: one change after the other, each sent again until it is answered."""
    revision, connection = 1, None
    await asyncio.sleep(pause * (number % 97) / 97)
    while time.monotonic() < until:
        session, sent = document(key, number, revision)
        begun = time.monotonic()
        try:
            async with asyncio.timeout(30):
                if connection is None or number % 2:
                    if connection:
                        connection[1].close()
                    connection = await asyncio.open_connection("127.0.0.1", port)
                status, said = await post(*connection, port, revision, json.dumps(sent).encode())
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            seen.unanswered += 1
            connection = None
            await asyncio.sleep(0.1)
            continue
        seen.delays.append(time.monotonic() - begun)
        if status == 200 and said == {"saved": True, "revision": revision}:
            seen.saved[session] = revision
        else:
            seen.refused += 1
        revision += 1
        await asyncio.sleep(pause)
    if connection:
        connection[1].close()


async def post(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, revision: int, body: bytes
) -> tuple[int, Any]:
    head = f"POST /ratings?revision={revision} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    reply = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(reply.lower().split("content-length: ")[1].split("\r\n")[0])
    return int(reply.split()[1]), json.loads(await reader.readexactly(length))


async def drip(port: int, until: float, every: float) -> int:
    """A connection that never comes to its end; how often it was ended."""
    ended = 0
    while time.monotonic() < until:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            for byte in DRIPPED:
                writer.write(bytes([byte]))
                await asyncio.sleep(every)
                if writer.is_closing() or time.monotonic() > until:
                    break
            writer.transport.abort()
        ended += time.monotonic() < until
        await asyncio.sleep(every / 10)
    return ended


def drips(port: int, dripping: int, seconds: float, every: float = 1.0) -> int:
    """Many of them; how often the server ended one."""

    async def all_at_once() -> int:
        until = time.monotonic() + seconds
        return sum(await asyncio.gather(*(drip(port, until, every) for _ in range(dripping))))

    return asyncio.run(all_at_once())


async def watch(until: float, seen: Seen) -> None:
    while (now := time.monotonic()) < until:
        await asyncio.sleep(0.05)
        seen.late = max(seen.late, time.monotonic() - now - 0.05)


async def load(
    port: int, key: dict[str, Any], *, clients: int, dripping: int, seconds: float, pause: float, every: float = 1.0
) -> Seen:
    """All of them at once; what drips has a process of its own, as who attacks has a machine of his own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        attack = asyncio.get_running_loop().run_in_executor(pool, drips, port, dripping, seconds, every)
        seen, until = Seen(), time.monotonic() + seconds
        honest = (listen(port, key, number, until, pause, seen) for number in range(clients))
        await asyncio.gather(watch(until, seen), *honest)
        seen.dropped = await attack
    return seen


def lost(folder: Path, key: dict[str, Any], seen: Seen) -> list[str]:
    """Sessions of which less is on the disk than was said to be saved."""
    found = []
    for session, revision in seen.saved.items():
        stored = json.loads((folder / "results" / f"{session}.json").read_bytes())
        same = {rating["score"] for rating in stored["ratings"]} == {stored["revision"] % 101}
        if stored["revision"] < revision or not same:
            found.append(session)
    return found


def left_behind(folder: Path) -> list[str]:
    return [path.name for path in (folder / "results").iterdir() if path.suffix != ".json"]


def run(folder: Path, *, kills: int = 0, **settings: Any) -> dict[str, Any]:
    """Figures of one load, of which the server is killed and started again `kills` times."""
    key, port, seconds = json.loads((folder / "key.json").read_bytes()), free_port(), settings.pop("seconds")
    shutil.rmtree(folder / "results", ignore_errors=True)
    figures: dict[str, Any] = {"answers": 0, "refused": 0, "lost": 0, "left behind": 0}
    delays: list[float] = []
    seen = Seen()
    for part in range(kills + 1):
        with started(folder, port) as server:
            if part:
                figures["left behind"] += len(left_behind(folder))
                figures["lost"] += len(lost(folder, key, seen))
                shutil.rmtree(folder / "results")
            seen = asyncio.run(killed(server, port, key, seconds / (kills + 1), settings, ends=part < kills))
            usage = usage_of(server.pid) if part == kills else {}
        delays += seen.delays
        figures["answers"] += len(seen.delays)
        figures["refused"] += seen.refused
    figures["lost"] += len(lost(folder, key, seen))
    delays.sort()
    at = lambda share: round(delays[int(share * (len(delays) - 1))], 3) if delays else None
    return {**figures, "unanswered": seen.unanswered, "dripping dropped": seen.dropped, "median s": at(0.5),
            "99 % s": at(0.99), "slowest s": at(1), "clients late s": round(seen.late, 3), **usage}  # fmt: skip


async def killed(
    server: subprocess.Popen[str], port: int, key: dict[str, Any], seconds: float, settings: dict[str, Any], ends: bool
) -> Seen:
    """A load; where it `ends` so, the server is killed in its middle."""
    if ends:
        asyncio.get_running_loop().call_later(seconds * 0.9, server.kill)
    return await load(port, key, seconds=seconds, **settings)


def usage_of(process: int) -> dict[str, float]:
    """Processor time and the most memory, where /proc tells."""
    try:
        parts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return {}
    ticks = os.sysconf("SC_CLK_TCK")
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1000
    return {"server CPU s": (int(parts[11]) + int(parts[12])) / ticks, "server peak MB": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    for name, kind, usual in (("clients", int, 200), ("dripping", int, 1500), ("seconds", float, 20.0),
                              ("pause", float, 0.5), ("kills", int, 0)):  # fmt: skip
        parser.add_argument(f"--{name}", type=kind, default=usual)
    settings = vars(parser.parse_args())
    out = settings.pop("json")
    figures = run(**settings)
    print("\n".join(f"{name:18} {value}" for name, value in figures.items()))
    if out:
        out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
