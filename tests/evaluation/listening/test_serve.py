"""The server: the page and its sounds out, ratings in; nothing else, whoever asks."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prosody_transfer.core.errors import UsageError
from prosody_transfer.evaluation.listening.build import build
from prosody_transfer.evaluation.listening.design import read_key
from prosody_transfer.evaluation.listening.serve import ListeningServer, serve
from prosody_transfer.evaluation.listening.sessions import MOST_BYTES, Session, parse_session

SESSION = str(UUID(int=1, version=4))
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ENDED = """
import signal, sys
from prosody_transfer.evaluation.listening.serve import serve
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started us without
print(serve(sys.argv[1], port=0, on_ready=lambda url: print(url, flush=True)))
"""


@contextlib.contextmanager
def running(folder: Path, host: str = "127.0.0.1", **settings: Any) -> Iterator[ListeningServer]:
    with ListeningServer(folder, host, 0, **settings) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, make_test) -> Iterator[ListeningServer]:
    folder = tmp_path_factory.mktemp("served")
    build(make_test(folder, "naturalness", 2), folder / "out")
    with running(folder / "out") as server:
        yield server


@pytest.fixture
def results(served: ListeningServer) -> Path:
    """An empty results folder."""
    folder = served.folder / "results"
    for path in folder.glob("*"):
        path.unlink()
    return folder


def ask(server: ListeningServer, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, bytes]:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=10)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    reply = connection.getresponse()
    data = reply.read()
    connection.close()
    return reply.status, reply.headers, data


def ratings(server: ListeningServer, **changes: Any) -> dict[str, Any]:
    page = server.key.pages[0]
    rating = {"page": page.page, "aspect": "overall", "stimulus": min(page.stimuli), "score": 70, "seconds": 3.5}
    whole = {
        "format": "ptx-ratings-1", "test": "t1", "session": SESSION, "listener": "Anna", "finished": None,
        "started": "2024-05-01T10:00:00.000Z", "ratings": [rating], "comments": {},
    }  # fmt: skip
    return {**whole, **changes}


def post(server: ListeningServer, data: Any, path: str = "/ratings", **headers: str) -> int:
    return say(server, data, path, **headers)[0]


def say(server: ListeningServer, data: Any, path: str = "/ratings", **headers: str) -> tuple[int, dict[str, Any]]:
    """The status and what the reply says."""
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    status, _, reply = ask(server, "POST", path, body, **{"Content_Type": "application/json", **headers})
    return status, json.loads(reply)


def test_the_page_and_its_sounds_are_served(served: ListeningServer) -> None:
    for path in ("/", "/index.html", "/?from=mail"):
        status, headers, data = ask(served, "GET", path)
        assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
        page = (served.folder / "index.html").read_bytes()
        assert data == page.replace(b'server" content="no"', b'server" content="yes"') != page
    name = min(served.key.pages[0].stimuli)
    sound = (served.folder / "audio" / f"{name}.wav").read_bytes()
    status, headers, data = ask(served, "GET", f"/audio/{name}.wav")
    assert (status, data, headers["Content-Type"]) == (200, sound, "audio/wav")
    status, headers, data = ask(served, "HEAD", f"/audio/{name}.wav")
    assert (status, data, headers["Content-Length"]) == (200, b"", str(len(sound)))


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=100-", 100, None), ("bytes=-50", -50, None), ("bytes=5-99999999", 5, None)],
)
def test_parts_of_a_sound(served: ListeningServer, wanted: str, start: int, end: int | None) -> None:
    name = min(served.key.pages[0].stimuli)
    sound = (served.folder / "audio" / f"{name}.wav").read_bytes()
    status, headers, data = ask(served, "GET", f"/audio/{name}.wav", Range=wanted)
    assert (status, data) == (206, sound[start:end])
    first = start % len(sound)
    assert headers["Content-Range"] == f"bytes {first}-{first + len(data) - 1}/{len(sound)}"


def test_a_part_that_is_none(served: ListeningServer) -> None:
    name = min(served.key.pages[0].stimuli)
    status, headers, _ = ask(served, "GET", f"/audio/{name}.wav", Range="bytes=99999999-")
    assert status == 416 and headers["Content-Range"].startswith("bytes */")
    for odd in ("bytes=-", "lines=0-9", "bytes=0-1,5-6", "bytes=9-3"):
        assert ask(served, "GET", f"/audio/{name}.wav", Range=odd)[0] in (200, 416)


@pytest.mark.parametrize(
    "path",
    ["/key.json", "/audio/../key.json", "/audio/%2e%2e/key.json", "/results/", f"/results/{SESSION}.json", "/audio/",
     "/audio", "//key.json", "/index.html/../key.json", "/audio/0000000000000000.wav", "/audio/../../test.toml",
     "/ratings", "/audio/0000000000000000.wav\x00", "/favicon.ico", "/etc/passwd", "http://x/key.json"],
)  # fmt: skip
def test_nothing_else_is_served(served: ListeningServer, path: str) -> None:
    post(served, ratings(served))
    with socket.create_connection(served.server_address[:2], timeout=10) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("latin1"))
        reply = b"".join(iter(lambda: raw.recv(4096), b""))
    assert reply.split(b" ")[1] in (b"404", b"400") and b"system" not in reply


def test_a_link_in_audio_is_not_followed(served: ListeningServer) -> None:
    link = served.folder / "audio" / "aaaaaaaaaaaaaaaa.wav"
    link.symlink_to(served.folder / "key.json")
    assert ask(served, "GET", f"/audio/{link.name}")[0] == 404
    link.unlink()


def test_ratings_are_written_whole_and_again(served: ListeningServer, results: Path) -> None:
    sent = ratings(served)
    assert post(served, sent) == 200
    path = results / f"{SESSION}.json"
    assert json.loads(path.read_text()) == sent
    sent["ratings"][0]["score"] = 71
    sent["comments"] = {"page-01": "Too \u201csoft\u201d."}
    assert say(served, sent, "/ratings?revision=7") == (200, {"saved": True, "revision": 7})
    assert json.loads(path.read_text()) == {**sent, "revision": 7}
    assert [p.name for p in results.iterdir()] == [path.name] and served.sessions() == 1


def test_the_answer_says_which_revision_is_stored(served: ListeningServer, results: Path) -> None:
    sent = ratings(served)
    path = results / f"{SESSION}.json"
    assert say(served, sent, "/ratings?revision=7") == (200, {"saved": True, "revision": 7})
    before = path.read_bytes()
    for late in ("/ratings?revision=6", "/ratings?revision=7", "/ratings"):
        status, said = say(served, ratings(served, listener="Other"), late)
        assert status == 409 and not said["saved"] and said["revision"] == 7
    assert path.read_bytes() == before
    assert say(served, sent, "/ratings?revision=7") == (200, {"saved": True, "revision": 7})  # its answer was lost
    assert say(served, ratings(served, listener="New"), "/ratings?revision=8")[1] == {"saved": True, "revision": 8}
    assert json.loads(path.read_text())["listener"] == "New"


def test_revisions_outlive_the_server(served: ListeningServer, results: Path) -> None:
    assert post(served, ratings(served, listener="New"), "/ratings?revision=7") == 200
    with running(served.folder) as again:
        status, said = say(again, ratings(again, listener="Old"), "/ratings?revision=6")
        assert status == 409 and said["revision"] == 7 and not said["saved"]
    assert json.loads((results / f"{SESSION}.json").read_text())["listener"] == "New"


def test_what_is_damaged_is_replaced(served: ListeningServer, results: Path) -> None:
    results.mkdir(exist_ok=True)
    (results / f"{SESSION}.json").write_bytes(b'{"revision": 9, ')
    assert say(served, ratings(served), "/ratings?revision=3") == (200, {"saved": True, "revision": 3})
    assert json.loads((results / f"{SESSION}.json").read_text()) == ratings(served, revision=3)


def bad(server: ListeningServer) -> dict[str, Any]:
    rating = ratings(server)["ratings"][0]
    with_rating = lambda **changes: ratings(server, ratings=[{**rating, **changes}])
    return {
        "not JSON": b"{", "a list": [], "too deep": b"[" * 100_000, "not UTF-8": b'{"format": "\xff"}', "nothing": b"",
        "another format": ratings(server, format="x"), "more keys": ratings(server, admin=True),
        "another test": ratings(server, test="t2"), "a path": ratings(server, session="../../key"),
        "no uuid": ratings(server, session="a" * 36), "upper case": ratings(server, session=SESSION.upper()[:-1] + "A"),
        "a newline": ratings(server, session=SESSION + "\n"), "no name": ratings(server, listener="  "),
        "a long name": ratings(server, listener="x" * 81), "escapes": ratings(server, listener="\x1b[2J"),
        "a surrogate": b'{"listener": "\\ud800"}', "no time": ratings(server, started="yesterday"),
        "another page": with_rating(page="page-99"), "another stimulus": with_rating(stimulus="x"),
        "another aspect": with_rating(aspect="melody"), "above 100": with_rating(score=101),
        "below 0": with_rating(score=-1), "half": with_rating(score=1.5), "true": with_rating(score=True),
        "seconds": with_rating(seconds=-1), "NaN": json.dumps(with_rating(seconds=float("nan"))).encode(),
        "infinite": json.dumps(with_rating()).replace("3.5", "1e999").encode(),
        "twice": ratings(server, ratings=[rating, rating]),
        "a comment on nothing": ratings(server, comments={"x": "y"}),
        "a long comment": ratings(server, comments={"page-01": "x" * 2001}),
    }  # fmt: skip


def test_what_is_not_a_rating_of_this_test_is_refused(served: ListeningServer, results: Path) -> None:
    for name, data in bad(served).items():
        assert post(served, data) == 400, name
    assert not results.exists() or not list(results.iterdir())
    assert sorted(p.name for p in served.folder.parent.iterdir() if p.suffix == ".json") == []


def test_sizes_and_strangers_are_refused(served: ListeningServer, results: Path) -> None:
    for length in (str(MOST_BYTES + 1), "9" * 40):
        assert post(served, b"x", Content_Length=length) == 413
    for length in ("-1", "1e3", "\u0661", ""):
        assert ask(served, "POST", "/ratings", b"x", Content_Length=length.encode("utf8").decode("latin1"))[0] == 411
    good = ratings(served)
    assert post(served, good, Content_Type="text/plain") == 403  # what another site's form could send
    assert post(served, good, Origin="http://evil.example") == 403
    assert post(served, good, "/key.json") == 404
    assert ask(served, "PUT", "/ratings", b"{}")[0] == 501
    assert not results.exists() or not list(results.iterdir())
    assert post(served, good, Origin="null") == 403
    assert post(served, good, Origin="https://test.example", X_Forwarded_Host="test.example") == 403
    assert ask(served, "GET", "/", Origin="http://evil.example")[0] == 403
    assert post(served, good, Origin=f"http://127.0.0.1:{served.server_address[1]}") == 200


def test_a_body_that_is_cut_off_changes_nothing(served: ListeningServer, results: Path) -> None:
    body = json.dumps(ratings(served)).encode()
    head = "POST /ratings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(served.server_address[:2], timeout=10) as raw:
        raw.sendall(head.encode() + body[:-1])
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(4096).split(b" ")[1] == b"400"
    assert not results.exists() or not list(results.iterdir())


def test_no_more_sessions_than_fit(served: ListeningServer, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prosody_transfer.evaluation.listening.sessions.MOST_SESSIONS", 2)
    statuses = [post(served, ratings(served, session=str(UUID(int=i, version=4)))) for i in range(4)]
    assert statuses == [200, 200, 400, 400] and served.sessions() == 2
    assert post(served, ratings(served, session=str(UUID(int=0, version=4)))) == 200  # those that began may go on


def test_a_full_disk_is_said_so_that_the_page_tries_again(served: ListeningServer, results: Path, monkeypatch) -> None:
    def full(*args: object) -> None:
        from prosody_transfer.core.errors import OutputError

        raise OutputError("the disk is full")

    monkeypatch.setattr("prosody_transfer.evaluation.listening.sessions.save_session", full)
    assert post(served, ratings(served)) == 507


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.recursive(PLAIN, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=5), x, max_size=3)),
       st.sampled_from(sorted(Session.__struct_fields__)))  # fmt: skip
def test_whatever_comes_the_error_is_ours(served: ListeningServer, value: Any, key: str) -> None:
    try:
        body = json.dumps(ratings(served, **{key: value})).encode("utf8", "surrogatepass")
        session = parse_session(body, served.key)
    except UsageError as error:
        assert "\n" not in str(error)
    else:
        assert session.session == SESSION


def test_a_folder_without_a_test_and_a_port_that_is_taken(served: ListeningServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="key.json: cannot be read"):
        serve(tmp_path)
    with pytest.raises(UsageError, match="port .* can't be had"):
        serve(served.folder, host="203.0.113.1", port=0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="give another --port"):
            serve(served.folder, port=taken.getsockname()[1])
    (tmp_path / "key.json").write_bytes((served.folder / "key.json").read_bytes())
    assert read_key(tmp_path).test == "t1"
    with pytest.raises(UsageError, match="holds no page"):
        serve(tmp_path)


def test_control_c_ends_it_at_once_even_with_a_browser_connected(served: ListeningServer, results: Path) -> None:
    post(served, ratings(served))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", ENDED, served.folder], **pipes)
    assert process.stdout
    url = process.stdout.readline().strip()
    connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().status == 200  # and the connection stays open
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    connection.close()
    assert (out, err, process.returncode) == ("1\n", "", 0)
