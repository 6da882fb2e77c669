"""Requests and replies of HTTP/1.1 (RFC 9112), strictly: what two readers could take in two ways is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import BinaryIO

MOST_HEAD = 16_384  # bytes of a request's line and headers
SLICE = 32_768  # bytes that are handed to a connection at a time
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_START = re.compile(rf"({_TOKEN}) (/[!-~]*) HTTP/1\.([01])")
_FIELD = re.compile(rf"({_TOKEN}):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")


class Refusal(Exception):
    """Why a request is not answered, and the status that says so. The connection ends with it."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status, self.problem = status, problem

    def reply(self) -> Reply:
        return Reply(self.status, as_json({"error": self.problem}))


@dataclass(frozen=True)
class Request:
    """The head of a request.

    Attributes:
        path, query: Of the address, still quoted.
        stays: The connection is kept for another one.
        headers: Names in lower case, values as Latin-1, in their order.
        address: Of this machine, where the request came in.
    """

    method: str
    path: str
    query: str
    stays: bool
    headers: tuple[tuple[str, str], ...]
    address: str = ""

    def all(self, name: str) -> list[str]:
        return [value for known, value in self.headers if known == name]

    def one(self, name: str) -> str | None:
        """A header's value, None where there is none.

        Raises:
            Refusal: It is there twice.
        """
        values = self.all(name)
        if len(values) > 1:
            raise Refusal(400, f"{name} is there twice")
        return values[0] if values else None

    def length(self, most: int) -> int | None:
        """Bytes of the body, None where nothing is said of one.

        Raises:
            Refusal: It is longer than `most`, no number, or given in a way that two readers could take in two.
        """
        length = self.one("content-length")
        if self.all("transfer-encoding"):
            raise Refusal(411 if length is None else 400, "the length is missing: bodies in chunks are not taken")
        if length is None:
            return None
        if not re.fullmatch("[0-9]+", length):
            raise Refusal(411, "the length is no number")
        if len(length) > 15 or int(length) > most:
            raise Refusal(413, f"more than {most} bytes")
        return int(length)


def parse_head(data: bytes, address: str = "") -> Request:
    r"""A request's head, with the empty line at its end.

    Raises:
        Refusal: It is none.

    >>> parse_head(b"GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n").query
    'b'
    """
    start, *fields, _, _ = data.decode("latin1").split("\r\n")
    found = _START.fullmatch(start)
    if not found:
        raise Refusal(400, "this is not a request of HTTP/1.1")
    headers = []
    for text in fields:
        pair = _FIELD.fullmatch(text)
        if not pair:
            raise Refusal(400, "a header is malformed")
        headers.append((pair[1].lower(), pair[2].rstrip(" \t")))
    said = {word.strip().lower() for name, value in headers if name == "connection" for word in value.split(",")}
    path, _, query = found[2].partition("?")
    return Request(found[1], path, query, found[3] == "1" and "close" not in said, tuple(headers), address)


@dataclass(frozen=True)
class Reply:
    """A status, and a body: bytes, or `size` bytes of an open file from where it stands. It is closed by `close`."""

    status: int
    body: bytes = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    file: BinaryIO | None = None
    size: int = 0
    bare: bool = False

    def headless(self) -> Reply:
        """What is answered to HEAD: the same without its body."""
        return replace(self, bare=True)

    def head(self, stays: bool) -> bytes:
        own = {"Content-Type": self.kind, "Content-Length": str(self.size if self.file else len(self.body)),
               "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
               "Cache-Control": "no-store", "Server": "ptx"}  # fmt: skip
        lines = [f"{name}: {value}" for name, value in {**own, **self.headers}.items()]
        if not stays:
            lines.append("Connection: close")
        start = f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"
        return "\r\n".join([start, *lines, "", ""]).encode("latin1")

    def parts(self) -> Iterator[bytes | memoryview]:
        """The body, never much of it in memory beside what is shared."""
        if self.bare:
            return
        if self.file is None:
            whole = memoryview(self.body)
            yield from (whole[at : at + SLICE] for at in range(0, len(whole), SLICE))
            return
        left = self.size
        while left > 0:
            part = self.file.read(min(left, SLICE))
            if not part:
                raise ConnectionError("the file became shorter")  # what was promised can't be kept
            left -= len(part)
            yield part

    def close(self) -> None:
        if self.file:
            self.file.close()


def as_json(data: object) -> bytes:
    return json.dumps(data).encode() + b"\n"
