"""Connections of listeners and of who means ill: a bounded number, each request in bounded time, few at work at once.

One thread waits for all connections and sleeps while nothing comes; a few others do the work of requests that are
there as a whole. Where there is no room for a new connection, the one that has kept the server waiting longest makes
it, those that never sent a whole request first: who drips bytes pushes out himself, not listeners. A byte that drips in
costs a call of `recv` and little more: what asyncio adds to it, listeners would wait for where the processor is busy.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum

from prosody_transfer.evaluation.listening.http_messages import MOST_HEAD, SLICE, Refusal, Reply, Request, parse_head

QUEUE = 4096  # connections that the system keeps until they are taken
AT_ONCE = 64  # connections taken in before those that are there are looked after again
SPARE_FILES = 64  # descriptors for everything but connections
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


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


class _Phase(Enum):
    IDLE = "between requests"
    REQUEST = "a part of a request has come"
    WORK = "it is being answered"
    REPLY = "the reply is being sent"
    END = "closed from here; the other side may still send, and would lose the reply if it were closed whole"


@dataclass(eq=False)
class _Connection:
    socket: socket.socket
    address: str
    phase: _Phase = _Phase.IDLE
    known: bool = False  # a whole request has come
    received: bytearray = field(default_factory=bytearray)
    searched: int = 0  # so far there is no end of a head
    request: Request | None = None
    length: int = 0  # of its body
    held: int = 0  # bytes of it that are here
    reply: Reply | None = None
    parts: Iterator[bytes | memoryview] = iter(())
    out: memoryview = memoryview(b"")
    stays: bool = False
    events: int = 0


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
        self._stopping = False
        self._replies: deque[tuple[_Connection, Reply]] = deque()
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)
        self._seconds = {_Phase.IDLE: limits.idle_seconds, _Phase.REQUEST: limits.request_seconds,
                         _Phase.REPLY: limits.reply_seconds, _Phase.END: limits.request_seconds}  # fmt: skip
        # When each connection came into its phase, the earliest first.
        self._since: dict[_Phase, dict[_Connection, float]] = {phase: {} for phase in self._seconds}
        # Those that may be dropped, the longest waiting first: without a whole request so far, and with one.
        self._strangers: dict[_Connection, None] = {}
        self._known: dict[_Connection, None] = {}

    def run(self, listener: socket.socket) -> None:
        """Until `stop`, or an exception such as KeyboardInterrupt; what is at work then is brought to its end."""
        self.most = most_connections(self.limits.connections)
        listener.setblocking(False)
        listener.listen(QUEUE)
        self._selector = selectors.DefaultSelector()
        self._pool = ThreadPoolExecutor(self.limits.workers, thread_name_prefix="ptx-serve")
        try:
            self._selector.register(listener, READ)
            self._selector.register(self._woken, READ)
            while not self._stopping:
                ready = self._selector.select(self._patience())
                for key, events in ready:
                    if key.data in self.open:  # or it was dropped a moment ago
                        self._write(key.data) if events & WRITE else self._read(key.data)
                self._take_replies()
                self._end_late()
                if any(key.fileobj is listener for key, _ in ready):
                    self._accept(listener)  # last: what has come is read before anything is dropped
        finally:
            for connection in list(self.open):
                self._close(connection)
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._selector.close()

    def stop(self) -> None:
        """End `run`; from any thread."""
        self._stopping = True
        self._wake()

    def close(self) -> None:
        """After `run`."""
        self._woken.close()
        self._waker.close()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it is awake
            self._waker.send(b"x")

    def _patience(self) -> float | None:
        """Seconds until the next deadline; None where there is none."""
        now = time.monotonic()
        ends = [next(iter(since.values())) + self._seconds[phase] for phase, since in self._since.items() if since]
        return max(0.0, min(ends) - now) if ends else None

    def _end_late(self) -> None:
        now = time.monotonic()
        for phase, since in self._since.items():
            while since:
                connection, begun = next(iter(since.items()))
                if begun + self._seconds[phase] > now:
                    break
                if phase is _Phase.REQUEST:
                    self._refuse(connection, Refusal(408, "the request took too long to come"))
                else:
                    self._close(connection)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                taken, _ = listener.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue
            except OSError:  # no descriptor is left
                if not self._drop_one():
                    time.sleep(0.05)
                return
            if len(self.open) >= self.most and not self._drop_one():
                taken.close()
                continue
            try:
                taken.setblocking(False)
                taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = _Connection(taken, taken.getsockname()[0])
            except OSError:  # it is gone already
                taken.close()
                continue
            self.open.add(connection)
            self._strangers[connection] = None
            self._enter(connection, _Phase.IDLE, READ)
            self._read(connection)

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.socket.recv(SLICE)
        except BlockingIOError:
            return
        except OSError:  # a browser that goes away in the middle is no error
            return self._close(connection)
        if connection.phase is _Phase.END:
            return None if data else self._close(connection)
        if not data:
            if connection.request:
                return self._refuse(connection, Refusal(400, "cut off"))
            return self._close(connection)
        connection.received += data
        if connection.phase is _Phase.IDLE:
            self._enter(connection, _Phase.REQUEST, READ)
        self._advance(connection)

    def _advance(self, connection: _Connection) -> None:
        """Have a request answered once it is there as a whole."""
        try:
            if connection.request is None and not self._read_head(connection):
                return
            held = min(len(connection.received), connection.length)
            self._hold(connection, held - connection.held)
        except Refusal as refusal:
            return self._refuse(connection, refusal)
        if held < connection.length or connection.request is None:
            return
        request, body = connection.request, bytes(connection.received[:held])
        del connection.received[:held]
        connection.request, connection.searched, connection.known = None, 0, True
        connection.stays = request.stays
        self._enter(connection, _Phase.WORK, 0)
        self._pool.submit(self._work, connection, request, body)

    def _read_head(self, connection: _Connection) -> bool:
        end = connection.received.find(b"\r\n\r\n", connection.searched) + 4
        if end > MOST_HEAD or end == 3 and len(connection.received) > MOST_HEAD:
            raise Refusal(431, f"the head has over {MOST_HEAD} bytes")
        if end == 3:
            connection.searched = max(0, len(connection.received) - 3)
            return False
        request = parse_head(bytes(connection.received[:end]), connection.address)
        del connection.received[:end]
        connection.length = self.admit(request)
        connection.request = request
        if len(connection.received) < connection.length and "100-continue" in (request.one("expect") or "").lower():
            with contextlib.suppress(OSError):
                connection.socket.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _work(self, connection: _Connection, request: Request, body: bytes) -> None:
        """By another thread."""
        try:
            reply = self.answer(request, body)
        except Refusal as refusal:
            reply = refusal.reply()
        except Exception:  # a mistake of ours: the others go on
            traceback.print_exc()
            reply = Refusal(500, "a mistake in the server").reply()
        self._replies.append((connection, reply.headless() if request.method == "HEAD" else reply))
        self._wake()

    def _take_replies(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        while self._replies:
            connection, reply = self._replies.popleft()
            self._hold(connection, -connection.held)
            self._send(connection, reply, connection.stays)

    def _refuse(self, connection: _Connection, refusal: Refusal) -> None:
        self._hold(connection, -connection.held)
        connection.received.clear()
        self._send(connection, refusal.reply(), stays=False)

    def _send(self, connection: _Connection, reply: Reply, stays: bool) -> None:
        connection.reply, connection.stays, connection.parts = reply, stays, reply.parts()
        try:
            connection.out = memoryview(reply.head(stays) + next(connection.parts, b""))
        except OSError:
            return self._close(connection)
        self._enter(connection, _Phase.REPLY, 0)
        self._write(connection)

    def _write(self, connection: _Connection) -> None:
        try:
            while connection.out:
                connection.out = connection.out[connection.socket.send(connection.out) :]
                connection.out = connection.out or memoryview(next(connection.parts, b""))
        except BlockingIOError:
            return self._watch(connection, WRITE)
        except OSError:
            return self._close(connection)
        if connection.reply:
            connection.reply.close()
        if not connection.stays:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_WR)
            return self._enter(connection, _Phase.END, READ)
        self._enter(connection, _Phase.REQUEST if connection.received else _Phase.IDLE, READ)
        if connection.received:
            self._advance(connection)

    def _enter(self, connection: _Connection, phase: _Phase, events: int) -> None:
        self._since.get(connection.phase, {}).pop(connection, None)
        if phase in self._since:
            self._since[phase][connection] = time.monotonic()
        if phase is _Phase.WORK:
            self._strangers.pop(connection, None)
            self._known.pop(connection, None)
        elif connection.phase is _Phase.WORK:
            self._known[connection] = None
        connection.phase = phase
        self._watch(connection, events)

    def _watch(self, connection: _Connection, events: int) -> None:
        if events == connection.events:
            return
        if not events:
            self._selector.unregister(connection.socket)
        elif not connection.events:
            self._selector.register(connection.socket, events, connection)
        else:
            self._selector.modify(connection.socket, events, connection)
        connection.events = events

    def _hold(self, connection: _Connection, size: int) -> None:
        connection.held += size
        self.held += size
        while size > 0 and self.held > self.limits.held_bytes:
            if not self._drop_one(lambda other: other.held > 0 and other is not connection):
                raise Refusal(503, "too much is being sent at once")

    def _drop_one(self, which: Callable[[_Connection], bool] = lambda _: True) -> bool:
        """End the connection that has waited longest, if any may be ended."""
        for waiting in (self._strangers, self._known):
            for connection in waiting:
                if which(connection):
                    self._close(connection)
                    return True
        return False

    def _close(self, connection: _Connection) -> None:
        self._hold(connection, -connection.held)
        self._watch(connection, 0)
        self._since.get(connection.phase, {}).pop(connection, None)
        self._strangers.pop(connection, None)
        self._known.pop(connection, None)
        self.open.discard(connection)
        connection.socket.close()
        if connection.reply:
            connection.reply.close()


def most_connections(wanted: int) -> int:
    """As many as there are descriptors for, two each (the connection, a sound); the system's soft limit is raised."""
    try:
        import resource
    except ImportError:  # Windows waits for 512 sockets at most
        return min(wanted, 400)
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
