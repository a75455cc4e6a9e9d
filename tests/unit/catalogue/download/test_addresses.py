"""Only the public internet is connected to, whatever a host is called and wherever a redirect leads."""

import asyncio
import socket
from collections import Counter

import pytest

from etalage.catalogue.download import addresses, is_public
from etalage.catalogue.download.addresses import AddressRefusedError, CheckedResolver, open_checked_socket

from .conftest import FetchAll, reasons
from .faulty_server import FaultyServer


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1", "4000::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::"),
        *("2002:a00:1::1", "2001:0:7f00:1::1"),
    ],
)
def test_private_addresses_are_recognised(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
)
def test_public_addresses_are_recognised(address: str) -> None:
    assert is_public(address)


def test_private_addresses_are_refused(server: FaultyServer, fetch_all: FetchAll) -> None:
    hosts = ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"]
    urls = [server.url("/ok/1", host) for host in hosts]
    assert reasons(fetch_all(urls, allow_private=False)) == ["fetch_address_refused"] * len(hosts)
    spelled = [server.url("/ok/1", host) for host in ("2130706433", "0177.0.0.1", "0x7f.1", "127.1", "①②⑦.0.0.1")]
    assert set(reasons(fetch_all(spelled, allow_private=False))) <= {"fetch_address_refused", "fetch_url_invalid"}
    assert not server.requests
    assert not any(reasons(fetch_all(urls[:1])))  # our own refusal is not remembered


def test_each_redirect_is_checked(server: FaultyServer, fetch_all: FetchAll, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "is_public", "127.0.0.1".__eq__)
    urls = [server.url(f"/to?{server.url('/ok/1', '127.0.0.2')}"), server.url(f"/to?{server.url('/ok/2')}")]
    assert reasons(fetch_all(urls, allow_private=False)) == ["fetch_address_refused", ""]
    assert server.count("/ok/1") == 0


def test_the_address_connected_to_is_checked(
    server: FaultyServer, fetch_all: FetchAll, monkeypatch: pytest.MonkeyPatch
) -> None:
    """127.0.0.9 stands for a public address here; the system's resolver answers for names of ours."""
    getaddrinfo = socket.getaddrinfo
    names = {"inner.test": ["127.0.0.1"], "both.test": ["127.0.0.1", "127.0.0.9", "127.0.0.2"]}
    num_checks: Counter[str] = Counter()

    def resolve(host: str, *rest: object, **named: object) -> list[object]:
        return [found for address in names[host] for found in getaddrinfo(address, *rest, **named)]  # type: ignore

    def is_public(address: str) -> bool:
        num_checks[address] += 1
        # 127.0.0.2 is public when it is resolved, and private by the time of the connection
        return address == "127.0.0.9" or (address == "127.0.0.2" and num_checks[address] == 1)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(addresses, "is_public", is_public)
    urls = [server.url("/ok/1", "inner.test"), *(server.url(f"/ok/{i}", "both.test") for i in range(2, 20))]
    inner, *both = reasons(fetch_all(urls, allow_private=False))
    assert inner == "fetch_address_refused"
    assert not any(both)
    assert server.reached_addresses == {"127.0.0.9"}
    names["inner.test"] = ["127.0.0.2"]
    num_checks.clear()
    assert reasons(fetch_all([server.url("/ok/99", "inner.test")], allow_private=False)) == ["fetch_address_refused"]
    assert num_checks["127.0.0.2"] == 2


def test_the_resolver_names_the_addresses_it_refuses() -> None:
    async def resolve(allow_private: bool) -> list[str]:
        resolver = CheckedResolver(allow_private=allow_private)
        try:
            return [result["host"] for result in await resolver.resolve("127.0.0.1", 80)]
        finally:
            await resolver.close()

    assert asyncio.run(resolve(allow_private=True)) == ["127.0.0.1"]
    with pytest.raises(AddressRefusedError) as caught:
        asyncio.run(resolve(allow_private=False))
    assert caught.value.strerror == "127.0.0.1 is at 127.0.0.1"


def test_a_socket_is_opened_only_for_a_public_address() -> None:
    def info(address: str) -> tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]:
        return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 80)

    for address, allow_private in (("8.8.8.8", False), ("127.0.0.1", True)):
        open_checked_socket(info(address), allow_private=allow_private).close()
    with pytest.raises(AddressRefusedError):
        open_checked_socket(info("127.0.0.1"), allow_private=False)
