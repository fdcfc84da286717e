"""Serve one GGUF file with the embedded llama.cpp, on loopback:
`python -m inference.model_server.gguf --port N --model FILE --name NAME`.

A process of its own, since llama.cpp starts threads and fails by ending. Its HTTP server is llama.cpp's, so that a
laptop speaks to it as an estate speaks to any llama.cpp.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

HOST = "127.0.0.1"
# Split among the answers written at once; more costs memory for each token (100 KB for a model of 1 billion
# parameters). A model that was trained for less gets less.
CONTEXT_TOKENS = 8192
ANSWERS_AT_ONCE = 2
# Prompts kept for the next turn of a conversation.
PROMPT_CACHE_MEBIBYTES = 256


def main() -> int:
    parser = argparse.ArgumentParser(prog="gguf", description="Serve one GGUF file.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--name", required=True, help="what the model is called")
    parser.add_argument("--context-tokens", type=int, default=CONTEXT_TOKENS, help="for each answer")
    parser.add_argument("--threads", type=int, default=min(8, os.cpu_count() or 1))
    options = parser.parse_args()
    if not options.model.is_file():
        sys.stderr.write(f"There is no file {options.model}. MODEL_GGUF names a GGUF file.\n")
        return 1
    # Read by OpenMP when it loads: threads that wait by spinning would take the cores from everybody else.
    os.environ["OMP_WAIT_POLICY"] = "passive"
    serve(options)
    return 0


def serve(options: argparse.Namespace) -> None:
    """Serve until a signal ends the process."""
    ends = {signal.SIGTERM, signal.SIGINT}
    # Before there are threads, which inherit it: the signal is this one's to take.
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        import xllamacpp
    except ImportError as error:
        sys.exit(f"The embedded llama.cpp cannot be loaded: {error}. On Debian: apt-get install libgomp1")
    params = xllamacpp.CommonParams()
    params.model.path = str(options.model)
    params.model_alias = {options.name}
    params.hostnames = [HOST]
    params.port = options.port
    params.n_ctx = options.context_tokens * ANSWERS_AT_ONCE
    params.n_parallel = ANSWERS_AT_ONCE
    params.cpuparams.n_threads = options.threads
    params.cache_ram_mib = PROMPT_CACHE_MEBIBYTES
    params.ui = False
    # Between tokens of a long prompt, too: without it an open stream holds up the end by half a minute.
    params.sse_ping_interval = 1
    server = xllamacpp.Server(params)
    sys.stderr.write(f"Serving {options.model.name} at {server.listening_address}\n")
    sys.stderr.flush()
    signal.sigwait(ends)
    # Its threads end with the process; an orderly end waits for answers that nobody reads any more.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
