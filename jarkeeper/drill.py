"""The drill: the vault is copied, recovered elsewhere with its key, and compared. Nothing stays."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from jarkeeper.checks import Severity
from jarkeeper.errors import IntegrityError
from jarkeeper.heads import Head
from jarkeeper.moves import backup_vault, elsewhere, recover_vault
from jarkeeper.settings import Settings
from jarkeeper.temporary import private_home, sweep
from jarkeeper.vault import Vault
from jarkeeper.wiring import open_vault


@dataclass(frozen=True, slots=True)
class Proof:
    """What a drill proved: how much was copied and recovered, and in how many seconds."""

    jars: int
    generations: int
    """In slots: each was opened with the key, and has the fingerprint that it had before."""
    objects: int
    bytes: int
    seconds: float


def drill(settings: Settings, *, actor: str) -> Proof:
    """Prove that a copy of the vault can take its place, or raise why not.

    `IntegrityError` where the copy is not whole, or what was recovered is not what was there.
    """
    began = time.monotonic()
    heads = _heads(open_vault(settings, actor=actor))
    with _scratch() as folder:
        copy = _in_scratch(settings, folder, "copy")
        recovered = _in_scratch(settings, folder, "vault")
        receipt = backup_vault(settings, copy, progress=_quietly, actor=actor)
        back = recover_vault(recovered, copy, progress=_quietly, actor=actor)
        for which in (receipt, back):
            if not which.is_whole:
                raise IntegrityError(f"drill: {', '.join((*which.damaged, *which.differing))}")
        _compare(heads, open_vault(recovered, actor=actor))
    return Proof(
        jars=len(heads),
        generations=sum(len(head.slots.records()) for head in heads),
        objects=back.copied,
        bytes=back.bytes,
        seconds=time.monotonic() - began,
    )


def _compare(heads: tuple[Head, ...], vault: Vault) -> None:
    for head in heads:
        # The vault may have gone on meanwhile: what it had when the drill began must be there.
        if head not in vault.history(head.jar):
            raise IntegrityError(f"drill: jar '{head.jar}': head {head.seq} was not recovered")
    grave = [item.message for item in vault.check() if item.severity is Severity.CRITICAL]
    if grave:
        raise IntegrityError(f"drill: what was recovered is not sound: {'; '.join(grave)}")


def _heads(vault: Vault) -> tuple[Head, ...]:
    heads = (vault.status(jar) for jar in vault.jars())
    return tuple(head for head in heads if head is not None)


@contextmanager
def _scratch() -> Iterator[Path]:
    """Give a folder for sealed copies; on disk, because a vault may not fit into memory."""
    folder = Path(tempfile.gettempdir())
    sweep(folder)  # of a drill that was killed
    with private_home(folder) as scratch:
        yield scratch


def _in_scratch(settings: Settings, folder: Path, name: str) -> Settings:
    there = elsewhere(settings, str(folder / name))
    return replace(there, state_dir=folder / f"{name}-state")


def _quietly(done: int, total: int) -> None:
    """Nobody watches."""
