"""Under which names a server is asked, and by whose pages; a name that others gave to its address is none of them.

Who owns a domain can have it point at 127.0.0.1 once his page is loaded (DNS rebinding): to the browser, that page and
the server are then one site. Only the name that the browser sends tells them apart.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from prosody_transfer.core.errors import UsageError
from prosody_transfer.evaluation.listening.http_messages import Refusal, Request

_NAME = re.compile(r"([a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?")
LOCAL = ("localhost", "127.0.0.1", "[::1]")


class Hosts:
    """The names that are taken: those of this machine, the address that was bound, and those that were allowed.

    Args:
        bound: The address as it was given and as the system has it; of all addresses (0.0.0.0, ::) each is taken for
            what comes in there.
        port: A name goes with this port or without one.
        allowed: More names; one with a port goes with that port alone.
        behind_proxy: Believe X-Forwarded-Host; where names are allowed, it must be one of them.

    Raises:
        UsageError: An allowed name is none.
    """

    def __init__(
        self, bound: Iterable[str], port: int, allowed: Iterable[str] = (), *, behind_proxy: bool = False
    ) -> None:
        self.port, self.behind_proxy = port, behind_proxy
        names = [*LOCAL, *map(_bracketed, bound)]
        self.anywhere = any(name in ("0.0.0.0", "[::]") for name in names)
        self.forwarded = {name for text in allowed for name in self._with_port(_checked(text))}
        self.known = self.forwarded | {name for text in names for name in self._with_port(text)}

    def check(self, request: Request) -> None:
        """Let a request pass.

        Raises:
            Refusal: 400 without one host, 421 for a host that this server is not, 403 for another site's page.
        """
        host = (request.one("host") or "").lower()
        if not host:
            raise Refusal(400, "the host is missing")
        if host not in self.known and not (self.anywhere and host in self._with_port(_bracketed(request.address))):
            raise Refusal(421, "this server does not go by that name; --allow-host NAME adds one")
        names = {host}
        forwarded = ",".join(request.all("x-forwarded-host")).rpartition(",")[2].strip().lower()
        if self.behind_proxy and forwarded:  # the last one is the nearest proxy's
            if self.forwarded and forwarded not in self.forwarded:
                raise Refusal(421, "this server does not go by that name; --allow-host NAME adds one")
            names.add(forwarded)
        origin = request.one("origin")
        if origin is not None and origin.lower() not in {f"{s}://{name}" for s in ("http", "https") for name in names}:
            raise Refusal(403, "other sites' pages are not answered")

    def _with_port(self, name: str) -> set[str]:
        return {name} if re.search(r":[0-9]+$", name) else {name, f"{name}:{self.port}"}


def _bracketed(address: str) -> str:
    """An address as it stands in a URL.

    >>> _bracketed("::1"), _bracketed("::ffff:192.0.2.1"), _bracketed("Example.org")
    ('[::1]', '192.0.2.1', 'example.org')
    """
    address = address.partition("%")[0].lower()
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped) if found.ipv4_mapped else f"[{found}]"


def _checked(text: str) -> str:
    name = _bracketed(text.strip())
    if not _NAME.fullmatch(name):
        remedy = "give what stands in the address after https://, such as listen.example.org"
        raise UsageError("is no host's name", place=f"--allow-host {text[:80]!r}", remedy=remedy)
    return name
