"""What a process that opens a stranger's file may take of this machine. No Django here."""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
# Room for the file, its pipe and what a reader opens inside an archive.
_OPEN_FILES = 64


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent ends; `parent` is who that was when it began."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            # It was over before the kernel had been told.
            os._exit(1)


def limit_this_process(cpu_seconds: int, memory_bytes: int) -> None:
    """From now on no more than this of processor and memory, and nothing of the disk."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
