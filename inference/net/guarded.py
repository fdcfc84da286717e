"""Connections that leave at once where a name led to an address out of bounds, before a byte is sent.

A name is looked up anew for each connection, so an address that was fine when it was checked may be another one by
then: the one that counts is the one at the other end of the socket. Who may not be asked, the caller says.
"""

from collections.abc import Callable
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError


def guarded_pool(is_out_of_bounds: Callable[[str, int], bool], **options: Any) -> urllib3.PoolManager:
    """A pool, without retries, whose connections close unless their peer's IP address and port are in bounds.

    The caller gets urllib3's `NewConnectionError` then, as if nobody had answered.
    """

    def check(connection: HTTPConnection) -> None:
        address, port = connection.sock.getpeername()[:2]
        if is_out_of_bounds(address, port):
            connection.close()
            raise NewConnectionError(connection, "address out of bounds")

    class GuardedHTTP(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            check(self)

    class GuardedHTTPS(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            check(self)

    class HTTPPool(urllib3.HTTPConnectionPool):
        ConnectionCls = GuardedHTTP

    class HTTPSPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = GuardedHTTPS

    pool = urllib3.PoolManager(retries=False, **options)
    pool.pool_classes_by_scheme = {"http": HTTPPool, "https": HTTPSPool}
    return pool
