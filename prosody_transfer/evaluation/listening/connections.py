"""Connections of listeners and of who means ill: a bounded number, each request in bounded time, few at work at once.

One thread waits for all connections and sleeps while nothing comes (asyncio); a few others do the work of requests
that are there as a whole. Where there is no room for a new connection, the one that has kept the server waiting
longest makes it, those that never sent a whole request first: who drips bytes pushes out himself, not listeners.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from prosody_transfer.evaluation.listening.http_messages import MOST_HEAD, Refusal, Reply, Request, parse_head

QUEUE = 4096  # connections that the system keeps until they are taken
AT_ONCE = 64  # connections taken in before those that are there are looked after again
SPARE_FILES = 64  # descriptors for everything but connections


@dataclass(frozen=True)
class Limits:
    """Of one server.

    Attributes:
        connections: Open at once; fewer where the system has not two descriptors for each.
        workers: Requests at work at once.
        idle_seconds: Until a connection that asks for nothing is ended.
        request_seconds: From the first byte of a request to its last, however it drips.
        reply_seconds: Until a reply must have been taken.
        held_bytes: Of bodies in memory, all together.
    """

    connections: int = 1000
    workers: int = 8
    idle_seconds: float = 30.0
    request_seconds: float = 20.0
    reply_seconds: float = 60.0
    held_bytes: int = 64_000_000


@dataclass(eq=False)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    task: asyncio.Task[None] | None
    requests: int = 0  # that came as a whole
    held: int = 0  # bytes of a body
    address: str = field(init=False)

    def __post_init__(self) -> None:
        name = self.writer.get_extra_info("sockname")
        self.address = name[0] if name else ""


class Connections:
    """Takes connections from a socket and has their requests answered.

    Args:
        admit: Whether a head may be followed by its body: the body's length; raises Refusal.
        answer: The reply to a whole request; called by several threads.
    """

    def __init__(
        self, admit: Callable[[Request], int], answer: Callable[[Request, bytes], Reply], limits: Limits
    ) -> None:
        self.admit, self.answer, self.limits = admit, answer, limits
        self.most = limits.connections
        self.open: set[_Connection] = set()
        self.held = 0
        # Those that may be dropped, the longest waiting first: without a whole request so far, and with one.
        self._new: dict[_Connection, None] = {}
        self._known: dict[_Connection, None] = {}

    async def run(self, listener: socket.socket, stop: asyncio.Event) -> None:
        """Until `stop` is set or this is cancelled; what is at work then is brought to its end."""
        self.most = most_connections(self.limits.connections)
        self._pool = ThreadPoolExecutor(self.limits.workers, thread_name_prefix="ptx-serve")
        server = await asyncio.start_server(self._attend, sock=listener, limit=MOST_HEAD, backlog=AT_ONCE)
        listener.listen(QUEUE)
        try:
            await stop.wait()
        finally:
            server.close()
            tasks = [connection.task for connection in self.open if connection.task]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._pool.shutdown(wait=True, cancel_futures=True)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(reader, writer, asyncio.current_task())
        if len(self.open) >= self.most and not self._drop_one():
            return writer.transport.abort()
        self.open.add(connection)
        self._wait(connection)
        try:
            while await self._exchange(connection):
                pass
            await self._end(connection)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # a browser that goes away in the middle is no error
        except asyncio.CancelledError:
            pass  # the server ends; a task of Python 3.11's streams that ends as cancelled is told to the user
        finally:
            self._forget(connection)
            writer.transport.abort()

    async def _exchange(self, connection: _Connection) -> bool:
        """One request and its reply; whether another may come."""
        try:
            async with asyncio.timeout(self.limits.idle_seconds):
                first = await connection.reader.read(1)
        except TimeoutError:
            return False
        if not first:
            return False
        try:
            async with asyncio.timeout(self.limits.request_seconds):
                request, body = await self._receive(connection, first)
        except Refusal as refusal:
            await self._send(connection, refusal.reply(), stays=False)
            return False
        except asyncio.LimitOverrunError:
            await self._send(connection, Refusal(431, f"the head has over {MOST_HEAD} bytes").reply(), stays=False)
            return False
        except TimeoutError:
            await self._send(connection, Refusal(408, "the request took too long to come").reply(), stays=False)
            return False
        connection.requests += 1
        self._new.pop(connection, None)
        self._known.pop(connection, None)  # at work: not to be dropped
        work = asyncio.get_running_loop().run_in_executor(self._pool, self._answer, request, body)
        reply = await work
        self._release(connection)
        self._wait(connection)
        await self._send(connection, reply, stays=request.stays, headless=request.method == "HEAD")
        return request.stays

    async def _receive(self, connection: _Connection, first: bytes) -> tuple[Request, bytes]:
        head = first + await connection.reader.readuntil(b"\r\n\r\n")
        request = parse_head(head, connection.address)
        length = self.admit(request)
        if length and "100-continue" in (request.one("expect") or "").lower():
            connection.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = bytearray()
        while len(body) < length:
            part = await connection.reader.read(min(length - len(body), MOST_HEAD))
            if not part:
                raise Refusal(400, "cut off")
            body += part
            self._hold(connection, len(part))
        return request, bytes(body)

    def _answer(self, request: Request, body: bytes) -> Reply:
        try:
            return self.answer(request, body)
        except Refusal as refusal:
            return refusal.reply()
        except Exception:  # a mistake of ours: the others go on
            traceback.print_exc()
            return Refusal(500, "a mistake in the server").reply()

    async def _send(self, connection: _Connection, reply: Reply, *, stays: bool, headless: bool = False) -> None:
        with contextlib.closing(reply):
            async with asyncio.timeout(self.limits.reply_seconds):
                parts = iter(()) if headless else reply.parts()
                connection.writer.write(reply.head(stays) + next(parts, b""))
                await connection.writer.drain()
                for part in parts:
                    connection.writer.write(part)
                    await connection.writer.drain()

    async def _end(self, connection: _Connection) -> None:
        """Let the last words arrive: closed while the other side still sends, they would be lost."""
        async with asyncio.timeout(self.limits.request_seconds):
            connection.writer.write_eof()
            while await connection.reader.read(MOST_HEAD):
                pass

    def _wait(self, connection: _Connection) -> None:
        if connection in self.open:  # or it has been dropped
            (self._known if connection.requests else self._new)[connection] = None

    def _hold(self, connection: _Connection, size: int) -> None:
        connection.held += size
        self.held += size
        while self.held > self.limits.held_bytes:
            if not self._drop_one(lambda other: other.held > 0 and other is not connection):
                raise Refusal(503, "too much is being sent at once")

    def _drop_one(self, which: Callable[[_Connection], bool] = lambda _: True) -> bool:
        """End the connection that has waited longest, if any may be ended."""
        for waiting in (self._new, self._known):
            for connection in waiting:
                if which(connection):
                    self._forget(connection)
                    connection.writer.transport.abort()
                    return True
        return False

    def _forget(self, connection: _Connection) -> None:
        self._release(connection)
        self.open.discard(connection)
        self._new.pop(connection, None)
        self._known.pop(connection, None)

    def _release(self, connection: _Connection) -> None:
        self.held -= connection.held
        connection.held = 0


def most_connections(wanted: int) -> int:
    """As many as there are descriptors for, two each (the connection, a sound); the system's soft limit is raised."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * wanted + SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    if hard == resource.RLIM_INFINITY or hard > soft:
        more = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
            soft = more
    return max(8, min(wanted, (soft - SPARE_FILES) // 2))
