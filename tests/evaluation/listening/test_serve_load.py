"""Who drips, stalls, floods or kills: listeners are answered meanwhile, and what was said to be saved is."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from prosody_transfer.evaluation.listening.build import build
from prosody_transfer.evaluation.listening.connections import Limits, most_connections
from prosody_transfer.evaluation.listening.serve import ListeningServer

HEAD = b"POST /ratings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, make_test) -> Path:
    made = tmp_path_factory.mktemp("load")
    return build(make_test(made, "naturalness", 1, seconds=4.0), made / "out").folder


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
    return importlib.import_module("listen_load")


@contextlib.contextmanager
def running(folder: Path, **limits: Any) -> Iterator[ListeningServer]:
    with ListeningServer(folder, port=0, limits=Limits(**limits)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def connect(server: ListeningServer, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(server.server_address[:2], timeout=10)
    connection.sendall(sent)
    return connection


def answered(server: ListeningServer, sent: bytes = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") -> bytes:
    with connect(server, sent) as connection:
        return connection.recv(4096).split(b"\r\n")[0]


def is_ended(connection: socket.socket) -> bool:
    connection.settimeout(0.05)
    try:
        return all(connection.recv(4096) for _ in range(100)) is False
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def until(condition: Any) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_request_has_a_deadline_however_it_drips(folder: Path) -> None:
    with running(folder, request_seconds=0.5) as server:
        begun = time.monotonic()
        for sent in (b"G", HEAD + b"Content-Length: 100\r\n\r\n"):
            with connect(server, sent) as connection:
                said = b""
                connection.settimeout(0.1)
                while not said:
                    with contextlib.suppress(TimeoutError):
                        said = connection.recv(4096)
                    if not said:
                        connection.sendall(b"x")  # the next byte keeps nothing open
                assert said.startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - begun < 8


def test_who_asks_for_nothing_is_let_go(folder: Path) -> None:
    with running(folder, idle_seconds=0.2, request_seconds=0.2) as server, connect(server) as connection:
        assert connection.recv(1) == b""


def test_who_drips_makes_room_and_who_was_answered_stays(folder: Path) -> None:
    with running(folder, connections=10) as server:
        assert server.connections.limits.connections == 10
        known = connect(server, b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"404" in known.recv(4096)
        dripping = [connect(server, HEAD) for _ in range(40)]
        until(lambda: len(server.connections.open) == 10 and sum(map(is_ended, dripping)) >= 31)
        assert answered(server) == b"HTTP/1.1 200 OK"
        known.sendall(b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"404" in known.recv(4096)
        for connection in (known, *dripping):
            connection.close()
        until(lambda: not server.connections.open)


def test_bodies_that_stall_do_not_fill_the_memory(folder: Path) -> None:
    with running(folder, held_bytes=300_000) as server:
        stalled = [connect(server, HEAD + b"Content-Length: 1000000\r\n\r\n" + b" " * 50_000) for _ in range(20)]
        until(lambda: sum(map(is_ended, stalled)) >= 14)
        assert 0 < server.connections.held <= 300_000
        assert answered(server, HEAD + b"Content-Length: 3\r\n\r\n{} ") == b"HTTP/1.1 400 Bad Request"
        for connection in stalled:
            connection.close()
        until(lambda: not server.connections.held)


def test_who_does_not_take_his_reply_is_let_go(folder: Path) -> None:
    sound = next((folder / "audio").iterdir()).name
    request = f"GET /audio/{sound} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with running(folder, reply_seconds=0.3) as server:
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(server.server_address)
            connection.sendall(request * 60)  # more than the system's buffers hold
            until(lambda: server.connections.open)
            until(lambda: not server.connections.open)
        assert answered(server) == b"HTTP/1.1 200 OK"


def test_few_are_at_work_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(folder, workers=3) as server:
        before, at_work, most = threading.active_count(), [], []

        def slow(*_: object) -> Any:
            at_work.append(1)
            most.append(len(at_work))
            time.sleep(0.05)
            at_work.pop()
            return answer(*_)

        answer, server.connections.answer = server.answer, slow
        waiting = [connect(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(20)]
        assert all(connection.recv(15) == b"HTTP/1.1 200 OK" for connection in waiting)
        assert max(most) == 3 and threading.active_count() <= before + 3
        for connection in waiting:
            connection.close()


def test_a_refusal_arrives_although_the_body_is_still_being_sent(folder: Path) -> None:
    with running(folder) as server, connect(server, HEAD + b"Content-Length: 9000000\r\n\r\n") as connection:
        connection.sendall(b" " * 500_000)
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_sender_who_asks_first_is_told_to_go_on(folder: Path) -> None:
    asks = HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with running(folder) as server, connect(server, asks) as connection:
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_waiting_costs_nothing(folder: Path) -> None:
    with running(folder) as server, connect(server, HEAD), connect(server):
        until(lambda: len(server.connections.open) == 2)
        before = time.process_time()
        time.sleep(1.0)
        assert time.process_time() - before < 0.1


def test_there_are_never_more_connections_than_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    limits = [(256, 256)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limits.append(new))
    assert most_connections(1000) == 96
    limits.append((256, 1064))
    assert most_connections(1000) == 500 and limits[-1] == (1064, 1064)
    limits.append((256, resource.RLIM_INFINITY))
    assert most_connections(1000) == 1000 and limits[-1][0] == 2064


def test_listeners_are_served_while_others_drip(folder: Path, benchmark: ModuleType) -> None:
    key = json.loads((folder / "key.json").read_bytes())
    with running(folder, connections=30) as server:
        port = server.server_address[1]
        work = benchmark.load(port, key, clients=10, dripping=40, seconds=2.0, pause=0.1, every=0.05)
        seen = asyncio.run(work)
    assert len(seen.saved) == 10 and not seen.refused and seen.dropped > 10
    assert not benchmark.lost(folder, key, seen)


def test_killed_under_load_it_starts_again_with_all_that_was_saved(folder: Path, benchmark: ModuleType) -> None:
    key, port = json.loads((folder / "key.json").read_bytes()), benchmark.free_port()
    for _ in range(2):
        shutil.rmtree(folder / "results", ignore_errors=True)
        with benchmark.started(folder, port) as server:
            kill = threading.Timer(1.0, server.kill)
            kill.start()
            seen = asyncio.run(benchmark.load(port, key, clients=8, dripping=5, seconds=1.5, pause=0.0))
            kill.join()
        assert seen.saved and not benchmark.lost(folder, key, seen)
    with benchmark.started(folder, port):
        assert not benchmark.left_behind(folder) and not benchmark.lost(folder, key, seen)
