"""By which names the page is called, and from whose pages. Everybody else's are turned away.

A page of somebody else's may point its own name at this machine (DNS rebinding) and would then read our answers as its
own; it may also post forms to us. The first is told by the Host header, the second by Origin and Sec-Fetch-Site.
"""

import ipaddress
import re
from dataclasses import dataclass

from starlette.datastructures import Headers

from idto3d.ui.door.refusal import Refusal

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
HOST = re.compile(r"(?:\[([\da-fA-F:.]+)\]|([\w.-]+))(?::\d{1,5})?", re.ASCII)
SAFE_METHODS = ("GET", "HEAD")


@dataclass(frozen=True)
class Hosts:
    """Names the page is called by, lower case and without port, beside the loopback's.

    `addresses`: any IP address is a right name too, as for a server that listens beyond this machine: an address
    cannot be pointed elsewhere as a name can.
    """

    names: frozenset[str] = frozenset()
    addresses: bool = False

    def check(self, method: str, headers: Headers) -> None:
        """Raise Refusal for a name that is not ours, and for what another site's page sends."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.knows(name_of(hosts[0])):
            raise Refusal(421, "This server does not go by that name; its host allows names with --allow-host.")
        origin = headers.get("origin")
        if origin is not None and not self._ours(origin, hosts[0]):
            raise Refusal(403, "Other sites' pages may not send requests here.")
        if method not in SAFE_METHODS and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise Refusal(403, "Other sites' pages may not send requests here.")

    def knows(self, name: str) -> bool:
        """Whether the page goes by `name`."""
        return name in LOOPBACK or name in self.names or (self.addresses and _is_address(name))

    def _ours(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` is ours: of the host that is asked, or of a name that was allowed by its host."""
        _, _, place = origin.partition("://")
        return bool(place) and (place.lower() == host.lower() or name_of(place) in self.names)


def name_of(host: str) -> str:
    """The name in `host`, NAME, NAME:PORT, [ADDRESS] or [ADDRESS]:PORT; empty for anything else."""
    found = HOST.fullmatch(host)
    return (found[1] or found[2]).lower().removesuffix(".") if found else ""


def _is_address(name: str) -> bool:
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False
