"""The page on localhost: its sounds out, its ratings in, and nothing else."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs

from prosody_transfer.core.errors import PtxError, UsageError
from prosody_transfer.core.reading import PAGE_BYTES, read_bytes
from prosody_transfer.evaluation.listening.connections import Connections, Limits
from prosody_transfer.evaluation.listening.design import read_key
from prosody_transfer.evaluation.listening.hosts import Hosts
from prosody_transfer.evaluation.listening.http_messages import Refusal, Reply, Request, as_json
from prosody_transfer.evaluation.listening.sessions import MOST_BYTES, SessionFiles, parse_session

LONGEST_SHUTDOWN = 30.0  # seconds
_SOUND = re.compile(r"/audio/([0-9a-f]{16}\.wav)")
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_MARK = ('<meta name="ptx-server" content="no">', '<meta name="ptx-server" content="yes">')
_PAGES = ("/", "/index.html")


class ListeningServer:
    """Serves one listening folder; `url` tells where. Port 0 takes any that is free.

    Args:
        folder: Made by `build`.
        host: The address to listen at.
        allow_hosts: Names that it is asked under beside that address and those of this machine.
        behind_proxy: Believe X-Forwarded-Host.
        limits: Of connections, work and time.

    Raises:
        UsageError: The folder holds no test, the address can't be had, or an allowed name is none.
    """

    def __init__(
        self, folder: str | Path, host: str = "127.0.0.1", port: int = 8000, *, allow_hosts: Iterable[str] = (),
        behind_proxy: bool = False, limits: Limits | None = None,
    ) -> None:  # fmt: skip
        self.folder = Path(folder)
        self.key = read_key(self.folder)
        self.page = _read_page(self.folder)
        self._listener = _listen(host, port)
        self.server_address = self._listener.getsockname()
        try:
            bound = (host, self.server_address[0])
            self.hosts = Hosts(bound, self.server_address[1], allow_hosts, behind_proxy=behind_proxy)
        except UsageError:
            self._listener.close()
            raise
        self.files = SessionFiles(self.folder)
        self.connections = Connections(self.admit, self.answer, limits or Limits())
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.server_address[1]}/"
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server_close()

    def serve_forever(self) -> None:
        """Until `shutdown` or Ctrl-C; what is being written then is written."""
        try:
            self.connections.run(self._listener)
        finally:
            self._ended.set()

    def shutdown(self) -> None:
        """End `serve_forever`, from another thread, and wait for its end."""
        self.connections.stop()
        self._ended.wait(LONGEST_SHUTDOWN)

    def server_close(self) -> None:
        self._listener.close()
        self.connections.close()

    def sessions(self) -> int:
        """How many are on the disk."""
        return len(self.files.names())

    def admit(self, request: Request) -> int:
        """The length of the body that may follow a head.

        Raises:
            Refusal: None may: it is of no host of this server, asks for what there is not, or is too long.
        """
        self.hosts.check(request)
        if request.method in ("GET", "HEAD"):
            if request.length(MOST_BYTES):
                raise Refusal(400, "a body where none belongs")
            return 0
        if request.method != "POST":
            raise Refusal(501, "there is no such method")
        if request.path != "/ratings":
            raise Refusal(404, "there is no such page")
        length = request.length(MOST_BYTES)
        if length is None:
            raise Refusal(411, "the length is missing")
        if (request.one("content-type") or "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal(403, "ratings come from the page itself")  # what another site's form could send
        return length

    def answer(self, request: Request, body: bytes) -> Reply:
        """GET / and /audio/NAME.wav, POST /ratings; everything else is 404."""
        if request.method == "POST":
            return self._keep(body, request.query)
        if request.path in _PAGES:
            return Reply(200, self.page, "text/html; charset=utf-8")
        if sound := _SOUND.fullmatch(request.path):
            return _sound(self.folder / "audio" / sound[1], request.one("range") or "")
        return Reply(404, as_json({"error": "there is no such page"}))

    def _keep(self, body: bytes, query: str) -> Reply:
        """Check and write one session; the reply says which revision of it is on the disk now."""
        revision = parse_qs(query).get("revision", [""])[0]
        try:
            session = parse_session(body, self.key, int(revision) if re.fullmatch("[0-9]{1,12}", revision) else None)
            kept = self.files.keep(session)
        except UsageError as error:
            return Reply(400, as_json({"saved": False, "error": error.problem}))
        except PtxError as error:
            return Reply(507, as_json({"saved": False, "error": error.problem}))
        if kept.saved:
            return Reply(200, as_json({"saved": True, "revision": kept.revision}))
        return Reply(409, as_json({"saved": False, "revision": kept.revision, "error": "another revision is stored"}))


def serve(
    folder: str | Path, *, host: str = "127.0.0.1", port: int = 8000, on_ready: Callable[[str], None] | None = None,
    allow_hosts: Iterable[str] = (), behind_proxy: bool = False,
) -> int:  # fmt: skip
    """Serve a listening folder until Ctrl-C; ratings go to results/SESSION.json, each time whole.

    Args:
        folder: Made by `build`.
        host: "127.0.0.1" for this machine alone; "0.0.0.0" lets others on the network take part.
        port: 0 takes any that is free.
        on_ready: Called with the page's address.
        allow_hosts: Names under which it may be asked, beside that address and localhost.
        behind_proxy: Believe a proxy's X-Forwarded-Host.

    Returns:
        How many sessions are on the disk.

    Raises:
        UsageError: The folder holds no test, the address can't be had, or an allowed name is none.
    """
    with ListeningServer(folder, host, port, allow_hosts=allow_hosts, behind_proxy=behind_proxy) as server:
        if on_ready:
            on_ready(server.url)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
        return server.sessions()


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens already, so that who comes before the loop runs waits for it."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except (OSError, OverflowError, UnicodeError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        problem = f"port {port} can't be had ({reason})"
        raise UsageError(problem, place=f"--host {host}", remedy="give another --port, or 0 for any") from None
    return listener


def _read_page(folder: Path) -> bytes:
    path = folder / "index.html"
    try:
        page = read_bytes(path, PAGE_BYTES, UsageError).decode()
    except (UsageError, UnicodeDecodeError):
        raise UsageError("holds no page", place=str(folder), remedy="make it with ptx listen build") from None
    return page.replace(*_MARK, 1).encode()


def _sound(path: Path, wanted: str) -> Reply:
    """A sound, or a part of it; it is read while it is sent."""
    try:
        if path.is_symlink() or not path.is_file():
            raise FileNotFoundError
        file = open(path, "rb")  # noqa: SIM115  the reply closes it
    except OSError:
        return Reply(404, as_json({"error": "there is no such sound"}))
    size = os.fstat(file.fileno()).st_size
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "private, max-age=86400"}
    part = _RANGE.fullmatch(wanted)
    if not part or part.group(1, 2) == ("", ""):
        return Reply(200, b"", "audio/wav", headers, file, size)
    start, end = part.groups()
    first = int(start) if start else max(0, size - int(end))
    last = min(int(end), size - 1) if start and end else size - 1
    if first > last:
        file.close()
        return Reply(416, b"", "audio/wav", {**headers, "Content-Range": f"bytes */{size}"})
    file.seek(first)
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Reply(206, b"", "audio/wav", headers, file, last - first + 1)
