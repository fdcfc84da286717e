"""Serve the embedded model, on loopback unless told otherwise:
`python -m inference.model_server --port N --data-dir D [--host ADDRESS]`."""

import argparse
import os
import sys
from pathlib import Path

import uvloop
from aiohttp import web

from inference.model_server.app import build_app

HOST = "127.0.0.1"


def main() -> int:
    parser = argparse.ArgumentParser(prog="model_server", description="Serve the embedded model.")
    parser.add_argument("--host", default=HOST, help="address to listen on (0.0.0.0 in a container)")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True, help="where the model's graph is kept")
    parser.add_argument("--threads", type=int, default=min(4, os.cpu_count() or 1))
    options = parser.parse_args()
    try:
        app = build_app(options.data_dir, threads=options.threads)
        # Cancelling handlers of clients that left drops what they asked for from the queue.
        web.run_app(
            app,
            host=options.host,
            port=options.port,
            print=None,
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=1,
            loop=uvloop.new_event_loop(),
        )
    except OSError as error:
        sys.stderr.write(f"The model server cannot start: {error.strerror or error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
