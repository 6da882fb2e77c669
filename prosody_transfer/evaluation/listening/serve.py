"""The page on localhost: its sounds out, its ratings in, and nothing else."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import sys
import threading
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from prosody_transfer.core.errors import PtxError, UsageError
from prosody_transfer.evaluation.listening.design import read_key
from prosody_transfer.evaluation.listening.sessions import MOST_BYTES, parse_session, save_session

MOST_SESSIONS = 10_000
IDLE_SECONDS = 30
_SOUND = re.compile(r"/audio/([0-9a-f]{16}\.wav)")
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_MARK = ('<meta name="ptx-server" content="no">', '<meta name="ptx-server" content="yes">')


class ListeningServer(ThreadingHTTPServer):
    """Serves one listening folder; `url` tells where. Port 0 takes any that is free.

    Raises:
        UsageError: The folder holds no test, or the address can't be had.
    """

    daemon_threads = True  # a browser that keeps its connection open must not keep the program from ending
    request_queue_size = 64

    def __init__(self, folder: str | Path, host: str = "127.0.0.1", port: int = 8000) -> None:
        self.folder = Path(folder)
        self.key = read_key(self.folder)
        self.page = _read_page(self.folder)
        self.writing = threading.Lock()
        self.revisions: dict[str, int] = {}
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            problem = f"port {port} can't be had ({reason})"
            raise UsageError(problem, place=f"--host {host}", remedy="give another --port, or 0 for any") from None
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.server_address[1]}/"

    def server_bind(self) -> None:
        """Without the base class's look-up of the host's name, which can take seconds and is used for nothing."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def keep(self, body: bytes, revision: int) -> None:
        """Check and write one session; one that is older than what was written last is left out.

        Raises:
            UsageError: It is refused.
            OutputError: It can't be written.
        """
        session = parse_session(body, self.key)
        with self.writing:
            if revision < self.revisions.get(session.session, 0):
                return
            results = self.folder / "results"
            new = not (results / f"{session.session}.json").exists()
            if new and results.is_dir() and sum(1 for _ in results.iterdir()) >= MOST_SESSIONS:
                raise UsageError(f"are of more than {MOST_SESSIONS} sessions", place="ratings")
            save_session(self.folder, session)
            self.revisions[session.session] = revision

    def sessions(self) -> int:
        """How many are on the disk."""
        return len(list((self.folder / "results").glob("*.json")))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle is no error."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def serve(
    folder: str | Path, *, host: str = "127.0.0.1", port: int = 8000, on_ready: Callable[[str], None] | None = None
) -> int:
    """Serve a listening folder until Ctrl-C; ratings go to results/SESSION.json, each time whole.

    Args:
        folder: Made by `build`.
        host: "127.0.0.1" for this machine alone; "0.0.0.0" lets others on the network take part.
        port: 0 takes any that is free.
        on_ready: Called with the page's address.

    Returns:
        How many sessions are on the disk.

    Raises:
        UsageError: The folder holds no test, or the address can't be had.
    """
    with ListeningServer(folder, host, port) as server:
        if on_ready:
            on_ready(server.url)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever(poll_interval=0.2)
        with server.writing:  # what is being written is written
            return server.sessions()


def _read_page(folder: Path) -> bytes:
    path = folder / "index.html"
    try:
        page = path.read_text(encoding="utf8")
    except (OSError, UnicodeDecodeError):
        raise UsageError("holds no page", place=str(folder), remedy="make it with ptx listen build") from None
    return page.replace(*_MARK, 1).encode()


class _Handler(BaseHTTPRequestHandler):
    """GET / and /audio/NAME.wav, POST /ratings; everything else is 404."""

    server: ListeningServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "ptx", ""
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path in ("/", "/index.html"):
            self._send(200, self.server.page, "text/html; charset=utf-8")
        elif sound := _SOUND.fullmatch(path):
            self._send_sound(self.server.folder / "audio" / sound[1])
        else:
            self._refuse(404, "there is no such page")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self.close_connection = True  # unless the whole body has been read
        parts = urlsplit(self.path)
        if parts.path != "/ratings":
            return self._refuse(404, "there is no such page")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            return self._refuse(411, "the length is missing")
        if len(length) > 9 or int(length) > MOST_BYTES:
            return self._refuse(413, f"more than {MOST_BYTES} bytes")
        if self.headers.get_content_type() != "application/json" or not _same_origin(self.headers):
            return self._refuse(403, "ratings come from the page itself")  # no other site may write here
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return self._refuse(400, "cut off")
        self.close_connection = self.request_version < "HTTP/1.1" or self.headers.get("Connection") == "close"
        revision = parse_qs(parts.query).get("revision", ["0"])[0]
        try:
            self.server.keep(body, int(revision) if re.fullmatch(r"[0-9]{1,12}", revision) else 0)
        except UsageError as error:
            self._refuse(400, error.problem)
        except PtxError as error:
            self._refuse(507, error.problem)
        else:
            self._send(200, b'{"saved": true}\n', "application/json")

    def _send_sound(self, path: Path) -> None:
        try:
            if path.is_symlink():
                raise FileNotFoundError
            data = path.read_bytes()  # some hundred kB
        except OSError:
            return self._refuse(404, "there is no such sound")
        headers = {"Accept-Ranges": "bytes", "Cache-Control": "private, max-age=86400"}
        wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
        if not wanted or wanted.group(1, 2) == ("", ""):
            return self._send(200, data, "audio/wav", headers)
        start, end = wanted.groups()
        first = int(start) if start else max(0, len(data) - int(end))
        last = min(int(end), len(data) - 1) if start and end else len(data) - 1
        if first > last:
            return self._send(416, b"", "audio/wav", {**headers, "Content-Range": f"bytes */{len(data)}"})
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        self._send(206, data[first : last + 1], "audio/wav", headers)

    def _refuse(self, status: int, problem: str) -> None:
        self._send(status, json.dumps({"error": problem}).encode() + b"\n", "application/json")

    def _send(self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        own = {"Content-Type": kind, "Content-Length": str(len(data)), "X-Content-Type-Options": "nosniff",
               "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cache-Control": "no-store"}  # fmt: skip
        for name, value in {**own, **(headers or {})}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: requests are no news."""


def _same_origin(headers: Message) -> bool:
    """Whether a request comes from a page of this very server; programs other than browsers send no origin."""
    origin = headers.get("Origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc in {headers.get("Host"), headers.get("X-Forwarded-Host")} - {None}
