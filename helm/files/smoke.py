"""What `helm test` runs: asks a fresh release, from inside the cluster, whether it is alive.

The page's server answers and is ready with every backing service named, sign-in is there, files of the page are
served, and a WebSocket without a session is refused by the application rather than lost on the way.

    python smoke.py http://parlour-web:80
"""

import json
import re
import socket
import sys
import urllib.error
import urllib.request
from urllib.parse import urljoin, urlsplit

TIMEOUT_SECONDS = 15


class SmokeFailure(Exception):
    """What is wrong, in words for the person who reads the log."""


def main(base_url: str) -> int:
    """Run every check and name its outcome; 1 where one failed."""
    failures = 0
    for check in (check_health, check_readiness, check_sign_in, check_socket):
        name = check.__name__.removeprefix("check_").replace("_", " ")
        try:
            print(f"ok      {name}: {check(base_url)}", flush=True)
        except (SmokeFailure, OSError) as error:
            failures += 1
            print(f"FAILED  {name}: {error}", flush=True)
    return 1 if failures else 0


def check_health(base_url: str) -> str:
    status, _ = get(urljoin(base_url, "/healthz"))
    if status != 200:
        raise SmokeFailure(f"/healthz says {status}")
    return "the web process answers"


def check_readiness(base_url: str) -> str:
    status, body = get(urljoin(base_url, "/readyz"))
    checks = json.loads(body).get("checks", {})
    summary = ", ".join(f"{name} {outcome}" for name, outcome in checks.items())
    if status != 200:
        raise SmokeFailure(f"/readyz says {status}: {summary}")
    return summary


def check_sign_in(base_url: str) -> str:
    status, body = get(urljoin(base_url, "/accounts/login/"))
    if status != 200:
        raise SmokeFailure(f"the sign-in page says {status}: is the host in ALLOWED_HOSTS?")
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', body)
    if not files:
        raise SmokeFailure("the sign-in page names no script and no style: was the front end built?")
    for path in files:
        status, _ = get(urljoin(base_url, path))
        if status != 200:
            raise SmokeFailure(f"{path} says {status}")
    return f"the page and its {len(files)} files"


def check_socket(base_url: str) -> str:
    """A handshake without a session; any HTTP answer of the application's will do, silence will not."""
    address = urlsplit(base_url)
    port = address.port or 80
    handshake = (
        "GET /ws/chat/ HTTP/1.1\r\n"
        f"Host: {address.netloc}\r\nOrigin: {base_url}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cGFybG91ciBzbW9rZSAxNg==\r\n\r\n"
    )
    with socket.create_connection((address.hostname, port), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(handshake.encode())
        answer = connection.recv(4096).decode("latin-1")
    status = answer.split("\r\n", 1)[0]
    if not re.match(r"HTTP/1\.1 (101|401|403)", status):
        raise SmokeFailure(f"the handshake was answered with {status or 'nothing'!r}")
    return status


def get(url: str) -> tuple[int, str]:
    """Status and text; an HTTP error is an answer like any other."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
