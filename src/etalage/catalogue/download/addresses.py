"""Which IP addresses may be connected to: by default only those of the public internet.

A table of URLs is untrusted input. Without these checks it could make this machine request its own services, those of
its network, or a cloud's metadata server (server-side request forgery). Names are checked when they are resolved, and
the address itself once more when its socket is opened.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

__all__ = ["AddressRefusedError", "CheckedResolver", "is_public", "open_checked_socket"]

_NUM_RESOLVER_THREADS = 32  # they mostly wait

_GLOBAL_UNICAST = IPv6Network("2000::/3")  # no other range of IPv6 is routed on the internet
_NAT64 = IPv6Network("64:ff9b::/96")
_PROTOCOL_ASSIGNMENTS = ip_network("192.0.0.0/24")  # older Pythons know parts of it only


class AddressRefusedError(OSError):
    """Raised instead of connecting to an address that is not public; its `strerror` says where the host is."""


def is_public(address: str) -> bool:
    """Return True for an IP address of the public internet.

    An IPv6 address that embeds an IPv4 address (mapped, 6to4, NAT64) is as public as the latter.

    Args:
        address: An IPv4 or IPv6 address; a zone such as `%eth0` is ignored.
    """
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        embedded = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            embedded = IPv4Address(int(ip) & 0xFFFFFFFF)
        if embedded is not None:
            return is_public(str(embedded))
        return ip in _GLOBAL_UNICAST and ip.is_global
    # `is_global` is True for multicast too.
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip in _PROTOCOL_ASSIGNMENTS)


def open_checked_socket(info: aiohttp.AddrInfoType, *, allow_private: bool) -> socket.socket:
    """Open a socket for a connection whose address may be connected to.

    Called with the address itself just before each connection is made, so that no host name, number or cached lookup
    gets around the check.

    Args:
        info: The address, as `socket.getaddrinfo` gives it.
        allow_private: Skip the check.

    Raises:
        AddressRefusedError: The address is not public.
    """
    family, kind, protocol, _, address = info
    if not allow_private and not is_public(str(address[0])):
        raise AddressRefusedError(0, f"the host is at {address[0]}")
    return socket.socket(family, kind, protocol)


class CheckedResolver(AbstractResolver):
    """The system's resolver, without the addresses that may not be connected to.

    It runs in threads of its own: the loop's default pool has few, and slow name servers would block them.

    Args:
        allow_private: Return all addresses.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._threads = ThreadPoolExecutor(_NUM_RESOLVER_THREADS, "resolve")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look up the addresses of a host.

        Args:
            host: The host's name.
            port: Repeated in the results.
            family: IPv4, IPv6 or both.

        Raises:
            AddressRefusedError: None of its addresses is public.
            OSError: The name cannot be resolved.
        """

        def look_up() -> list[ResolveResult]:
            # AI_ADDRCONFIG leaves out IPv6 addresses where this machine has no IPv6.
            found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            # As aiohttp's own resolver has it: the addresses are numbers, and need no further lookup.
            flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
            return [
                ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol, flags=flags)
                for kind, _, protocol, _, address in found
            ]

        results = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        allowed = [result for result in results if self._allow_private or is_public(result["host"])]
        if not allowed:
            addresses = ", ".join(sorted({result["host"] for result in results}))
            raise AddressRefusedError(0, f"{host} is at {addresses}")
        return allowed

    async def close(self) -> None:
        """Stop the threads without waiting for lookups under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)
