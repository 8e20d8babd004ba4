"""Files without a name: for tools that insist on a file, and nothing is left when we are killed.

A file in memory has no place on any disk; one under the temporary directory has none in any
directory. The kernel frees both when the last process that has them open ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jarkeeper.errors import VaultError


@contextmanager
def unnamed_file(content: bytes, *, folder: Path, writable: bool = False) -> Iterator[Path]:
    """Give a path to a file with this content, for the length of a `with` block.

    Other processes of the same user open it by that path, as long as this process lives; nobody
    else can. `folder` is used where the system has no files in memory.
    """
    descriptor = _in_memory()
    in_memory = descriptor is not None
    if descriptor is None:
        descriptor = _in_folder(folder)
    try:
        # A file in memory starts as one that everybody may do everything with.
        os.fchmod(descriptor, 0o600 if writable else 0o400)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        if in_memory and not writable:
            _seal(descriptor)
        # Not /dev/fd: whoever opens it inherits no descriptor of ours.
        yield Path(f"/proc/{os.getpid()}/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _in_memory() -> int | None:
    try:
        return os.memfd_create("jarkeeper", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except (AttributeError, OSError):  # another system, or a sandbox that forbids it
        return None


def _in_folder(folder: Path) -> int:
    try:
        # O_EXCL: it can never be given a name.
        flags = os.O_TMPFILE | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
        return os.open(folder, flags, 0o600)
    except (AttributeError, OSError):
        raise VaultError(
            "temporary file: expected files in memory (memfd_create) or without a name "
            f"(O_TMPFILE) under '{folder}', this system offers neither",
            hint="use the jar in Python, in the block of `with lent.open() as jar:`, or set "
            "COOKIE_TEMP_DIR to a directory in memory",
        ) from None


def _seal(descriptor: int) -> None:
    """Let nobody write any more, root included; not even lift the seals."""
    fcntl.fcntl(
        descriptor,
        fcntl.F_ADD_SEALS,
        fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL,
    )
