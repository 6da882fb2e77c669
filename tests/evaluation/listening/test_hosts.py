"""Whom the server answers: its own names alone, its own page alone, and heads that can be read in one way alone."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.errors import UsageError
from prosody_transfer.evaluation.listening.build import build
from prosody_transfer.evaluation.listening.hosts import Hosts
from prosody_transfer.evaluation.listening.http_messages import Refusal, Request, parse_head
from prosody_transfer.evaluation.listening.serve import ListeningServer

WHOLE = b"POST /ratings?revision=3 HTTP/1.1\r\nHost: localhost:8000\r\nContent-Length: 12\r\nX-A: b \r\n\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, make_test) -> Iterator[ListeningServer]:
    folder = tmp_path_factory.mktemp("hosts")
    build(make_test(folder, "naturalness", 1), folder / "out")
    with ListeningServer(folder / "out", port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def status(server: ListeningServer, *headers: str, start: str = "GET / HTTP/1.1") -> int:
    """What a raw request is answered with; "PORT" stands for the server's."""
    lines = [line.replace("PORT", str(server.server_address[1])) for line in (start, *headers)]
    with socket.create_connection(server.server_address[:2], timeout=10) as raw:
        raw.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin1"))
        return int(b"".join(iter(lambda: raw.recv(65536), b"")).split(b" ")[1])


def passes(hosts: Hosts, *headers: tuple[str, str], address: str = "192.0.2.7") -> int:
    try:
        hosts.check(Request("GET", "/", "", True, headers, address))
    except Refusal as refusal:
        return refusal.status
    return 200


@pytest.mark.parametrize("host", ["localhost:PORT", "127.0.0.1:PORT", "[::1]:PORT", "LocalHost:PORT", "localhost"])
def test_its_own_names_are_answered(served: ListeningServer, host: str) -> None:
    assert status(served, f"Host: {host}") == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:PORT", "localhost.evil.example:PORT", "localhost:1", "127.0.0.1.nip.io:PORT",
     "evil@localhost:PORT", "localhost:PORT:80", "127.1:PORT", "2130706433:PORT", "localhost.:PORT", "[::2]:PORT",
     "192.0.2.1:PORT", "localhost:PORT, evil.example"],
)  # fmt: skip
def test_a_name_that_others_gave_its_address_is_not(served: ListeningServer, host: str) -> None:
    page = "GET /audio/0000000000000000.wav HTTP/1.1"
    for start in ("GET / HTTP/1.1", "HEAD / HTTP/1.1", page, "POST /ratings HTTP/1.1", "GET / HTTP/1.0"):
        assert status(served, f"Host: {host}", f"Origin: http://{host}", start=start) == 421, start
    assert status(served, f"Host: {host}", "X-Forwarded-Host: localhost:PORT") == 421


def test_without_a_host_or_with_two_there_is_no_answer(served: ListeningServer) -> None:
    assert status(served) == 400
    assert status(served, "Host:") == 400
    assert status(served, "Host: localhost:PORT", "Host: localhost:PORT") == 400
    assert status(served, "Host: localhost:PORT", "hOsT: evil.example") == 400
    assert status(served, "Host: localhost:PORT", start="GET http://evil.example/ HTTP/1.1") == 400


def test_other_sites_pages_are_not_answered(served: ListeningServer) -> None:
    for origin in ("http://evil.example", "null", "http://localhost", "http://localhost:1", "file://", "",
                   "http://127.0.0.1:PORT", "http://localhost:PORT.evil.example"):  # fmt: skip
        for start in ("GET / HTTP/1.1", "POST /ratings HTTP/1.1", "OPTIONS /ratings HTTP/1.1"):
            assert status(served, "Host: localhost:PORT", f"Origin: {origin}", start=start) == 403, origin
    assert status(served, "Host: localhost:PORT", "Origin: http://localhost:PORT") == 200
    assert status(served, "Host: localhost:PORT", *["Origin: http://localhost:PORT"] * 2) == 400
    assert status(served, "Host: localhost:PORT", "X-Forwarded-Host: a.example", "Origin: https://a.example") == 403


@pytest.mark.parametrize(
    "lines",
    [["Host : localhost"], ["Host: localhost", " folded: x"], ["Host: localhost", "nothing"],
     ["Host: localhost", "A: \x00"], ["Host: localhost", "A: b\nHost: evil.example"],
     ["Host: localhost", "Content-Length: 3"], ["Host: localhost", "Content-Length: 0", "Content-Length: 3"],
     ["Host: localhost", "Content-Length: 3", "Transfer-Encoding: chunked"]],
)  # fmt: skip
def test_what_two_readers_could_take_in_two_ways_is_refused(served: ListeningServer, lines: list[str]) -> None:
    assert status(served, *lines) == 400
    assert status(served, "Host: localhost", start="GET  / HTTP/1.1") == 400
    assert status(served, "Host: localhost", start="GET / HTTP/2.0") == 400
    assert status(served, "Host: localhost", "A: " + "x" * 20_000) == 431


def test_allowed_names_come_on_top() -> None:
    hosts = Hosts(["127.0.0.1"], 8000, ["listen.example", "other.example:8443", "192.0.2.9", "::2"])
    for host in ("listen.example", "LISTEN.example:8000", "other.example:8443", "192.0.2.9:8000", "[::2]:8000"):
        assert passes(hosts, ("host", host)) == 200
        assert passes(hosts, ("host", host), ("origin", f"https://{host}")) == 200
    for host in ("listen.example:81", "other.example", "other.example:8000", "www.listen.example", "192.0.2.7:8000"):
        assert passes(hosts, ("host", host)) == 421
    assert passes(hosts, ("host", "localhost:8000"), ("origin", "https://listen.example")) == 403


def test_where_all_addresses_are_bound_that_which_was_reached_is_a_name() -> None:
    for bound in ("0.0.0.0", "::"):
        hosts = Hosts([bound], 8000)
        assert passes(hosts, ("host", "192.0.2.7:8000")) == 200
        assert passes(hosts, ("host", "192.0.2.7:8000"), address="::ffff:192.0.2.7") == 200
        assert passes(hosts, ("host", "[2001:db8::1]:8000"), address="2001:db8::1") == 200
        assert passes(hosts, ("host", "192.0.2.8:8000")) == passes(hosts, ("host", "evil.example:8000")) == 421


def test_a_proxy_is_believed_only_where_that_was_asked_for() -> None:
    given = [("host", "127.0.0.1:8000"), ("x-forwarded-host", "a.example"), ("origin", "https://a.example")]
    assert passes(Hosts(["127.0.0.1"], 8000), *given) == 403
    assert passes(Hosts(["127.0.0.1"], 8000, behind_proxy=True), *given) == 200
    assert passes(Hosts(["127.0.0.1"], 8000, ["a.example"], behind_proxy=True), *given) == 200
    assert passes(Hosts(["127.0.0.1"], 8000, ["b.example"], behind_proxy=True), *given) == 421
    hosts = Hosts(["127.0.0.1"], 8000, behind_proxy=True)
    assert passes(hosts, ("host", "evil.example"), ("x-forwarded-host", "localhost:8000")) == 421  # no proxy sent this
    several = ("x-forwarded-host", "evil.example, a.example")  # the nearest proxy's is the last
    assert passes(hosts, given[0], several, ("origin", "https://a.example")) == 200
    assert passes(hosts, given[0], several, ("origin", "https://evil.example")) == 403


@pytest.mark.parametrize(
    "name", ["", "*", "https://a.example", "a.example/", "a b", "a.example:x", "[::1", "-a", "a\n."]
)  # fmt: skip
def test_what_is_no_name_is_not_allowed(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--allow-host .*is no host's name"):
        Hosts(["127.0.0.1"], 8000, [name])


def test_two_hundred_damaged_heads_are_read_or_refused() -> None:
    random_ = random.Random(7)
    counts = {True: 0, False: 0}
    for _ in range(200):
        data = bytearray(WHOLE[:-4])
        for _ in range(random_.randint(0, 4)):
            data[random_.randrange(len(data))] = random_.randrange(256)
        counts[understood(bytes(data) + WHOLE[-4:])] += 1
    assert min(counts.values()) > 20


@given(st.binary(max_size=60))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    understood(data + b"\r\n\r\n")


def understood(data: bytes) -> bool:
    try:
        request = parse_head(data)
        request.length(100)
    except Refusal as refusal:
        assert refusal.status in (400, 411, 413)
        return False
    assert request.path.startswith("/") and all(name == name.lower() and name for name, _ in request.headers)
    assert not any(c in value for _, value in request.headers for c in "\r\n\0")
    return True
