"""Which addresses a model server may have.

An administrator may name any host, also one of the cluster or this machine, but none that answers with secrets:
link-local addresses carry the clouds' metadata services (169.254.169.254, fd00:ec2::254, 168.63.129.16 for Azure's
own agent), and Parlour's own database, Redis and Blob are no model servers. Names are judged by what they resolve to:
once when an address is set, and again by `transport` and `http` at each connection (`is_blocked`), so that a name
cannot change its mind.
"""

import ipaddress
import socket
import time
from collections.abc import Iterable, Iterator
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from inference.errors import ServerUrlRefused

_METADATA = frozenset(
    ipaddress.ip_address(address) for address in ("168.63.129.16", "fd00:ec2::254", "100.100.100.200")
)
# Addresses that carry an IPv4 address in their last four bytes (RFC 6052, RFC 4291).
_CARRIERS = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))
# How long it is remembered where the backing services are; they hardly ever move.
_REMEMBERED_SECONDS = 60.0
_DEFAULT_PORTS = {
    "http": 80,
    "https": 443,
    "postgres": 5432,
    "postgresql": 5432,
    "redis": 6379,
    "rediss": 6379,
}


def check_server_url(url: str) -> str:
    """The URL without a trailing slash; raises `ServerUrlRefused` with the reason. Resolves the host's name."""
    parts = _split(url)
    if parts.scheme not in ("http", "https"):
        raise ServerUrlRefused(_("The address must begin with http:// or https://."))
    if not parts.hostname:
        raise ServerUrlRefused(_("The address names no host."))
    if parts.username or parts.password:
        raise ServerUrlRefused(
            _("Keys do not belong in the address. Name where the key lives in the key reference.")
        )
    if parts.query or parts.fragment:
        raise ServerUrlRefused(_("The address must end with its path, without ? or #."))
    addresses = _resolve(parts.hostname)
    for address in addresses:
        if is_forbidden(address):
            raise ServerUrlRefused(
                format_lazy(
                    _("{address} is where clouds keep secrets. No model server can be there.")
                    if parts.hostname == address
                    else _(
                        "{host} leads to {address}, where clouds keep secrets. No model server can be there."
                    ),
                    host=parts.hostname,
                    address=address,
                )
            )
    if _is_backing_service(parts, addresses):
        raise ServerUrlRefused(
            _(
                "That is the address of Parlour's own database or Redis, or of its files, not of a model server."
            )
        )
    return url.strip().rstrip("/")


def check_fetch_url(url: str) -> str:
    """The same for an address that files are fetched from, which may have a query."""
    parts = _split(url)
    check_server_url(f"{parts.scheme}://{parts.netloc}{parts.path}")
    return url


def is_blocked(address: str, port: int) -> bool:
    """Whether this connection may not be made for a model server, whatever name led to it."""
    global _services
    if is_forbidden(address):
        return True
    now = time.monotonic()
    if now - _services[0] > _REMEMBERED_SECONDS:
        found = {(one, at) for host, at in _backing_services() for one in _resolve(host)}
        _services = (now, frozenset(found))
    return (address.partition("%")[0], port) in _services[1]


_services: tuple[float, frozenset[tuple[str, int]]] = (-_REMEMBERED_SECONDS, frozenset())


def is_forbidden(address: str) -> bool:
    """Whether no connection to this IP address may be made for a model server."""
    ip = _unwrap(ipaddress.ip_address(address.partition("%")[0]))
    return ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip in _METADATA


def _unwrap(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(ip, ipaddress.IPv4Address) or ip.is_loopback or ip.is_unspecified:
        return ip
    if any(ip in network for network in _CARRIERS):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


def is_private(address: str) -> bool:
    """Whether this IP address is one of a network of its own, this machine's included: no page of the web is there."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return is_forbidden(address) or not ip.is_global


def resolve(host: str) -> list[str]:
    """The addresses a host's name leads to; none if it is unknown."""
    return _resolve(host)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        # Read for its check alone: a port that is no number shows only now.
        parts.port  # noqa: B018
    except ValueError:
        raise ServerUrlRefused(_("This is not an address: it should look like https://host/v1.")) from None
    return parts


def _resolve(host: str) -> list[str]:
    """The host's addresses; none if the name is unknown, which a later connection will say better."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(entry[4][0]) for entry in found]


def _is_backing_service(parts: SplitResult, addresses: Iterable[str]) -> bool:
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    for host, service_port in _backing_services():
        if port == service_port and (parts.hostname == host or set(addresses) & set(_resolve(host))):
            return True
    return False


def _backing_services() -> Iterator[tuple[str, int]]:
    """Host and port of the database, of Redis and of Blob."""
    for url in (settings.DATABASE_URL, settings.REDIS_URL, _blob_url()):
        parts = urlsplit(url)
        if parts.hostname and (port := parts.port or _DEFAULT_PORTS.get(parts.scheme)):
            yield parts.hostname, port


def _blob_url() -> str:
    """Where files are kept on Azure (https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string),
    or "" where they are not."""
    account, suffix = settings.AZURE_STORAGE_ACCOUNT, "core.windows.net"
    named = dict(
        part.split("=", 1) for part in settings.AZURE_STORAGE_CONNECTION_STRING.split(";") if "=" in part
    )
    if "BlobEndpoint" in named:
        return str(named["BlobEndpoint"])
    account, suffix = named.get("AccountName", account), named.get("EndpointSuffix", suffix)
    return f"https://{account}.blob.{suffix}" if account else ""
