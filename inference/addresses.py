"""Which addresses a model server may have.

An administrator may name any host, also one of the cluster or this machine, but none that answers with secrets:
link-local addresses carry the clouds' metadata services (169.254.169.254, fd00:ec2::254, 168.63.129.16 for Azure's
own agent), and Parlour's own database and Redis are no model servers. Names are judged by what they resolve to:
once when an address is set, and again by `transport` at each connection, so that a name cannot change its mind.
"""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from inference.errors import ServerUrlRefused

_METADATA = frozenset(
    ipaddress.ip_address(address) for address in ("168.63.129.16", "fd00:ec2::254", "100.100.100.200")
)
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
                    _("{host} leads to {address}, where clouds keep secrets. No model server can be there."),
                    host=parts.hostname,
                    address=address,
                )
            )
    if _is_backing_service(parts, addresses):
        raise ServerUrlRefused(
            _("That is the address of Parlour's own database or Redis, not of a model server.")
        )
    return url.strip().rstrip("/")


def is_forbidden(address: str) -> bool:
    """Whether no connection to this IP address may be made for a model server."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    return ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip in _METADATA


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
    for url in (settings.DATABASE_URL, settings.REDIS_URL):
        service = urlsplit(url)
        if service.hostname and port == (service.port or _DEFAULT_PORTS.get(service.scheme)):
            same_host = parts.hostname == service.hostname
            if same_host or set(addresses) & set(_resolve(service.hostname)):
                return True
    return False
