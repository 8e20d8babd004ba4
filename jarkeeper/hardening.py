"""What keeps a process that holds cookies to itself: isolation, not zeroisation.

Python cannot wipe memory, so plaintext lives in a process that nobody can attach to or dump, and
that ends when its work or its parent ends.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4


def harden() -> None:
    """Make this process private: no core files, not dumpable, new files for the owner alone."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(PR_SET_DUMPABLE, 0)


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process with the thread that started it, process id `parent`."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the kernel knew of our wish
        os._exit(1)


def _prctl(option: int, argument: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
