"""Where `commit_kills.py` keeps its vaults, and what counts as a step there."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jarkeeper.anchors import FileAnchors
from jarkeeper.limits import LIMITS
from jarkeeper.settings import Settings
from jarkeeper.stores.local import LocalStore
from jarkeeper.vault import Vault
from jarkeeper.vault.root import found_root, open_root
from jarkeeper.wiring import open_key, open_store, reopener, utc_now
from vaultkit import ACTOR, KEYS, SITES, FaultyStore

SYSTEM_CALLS = ("open", "write", "fsync", "link", "rename", "unlink", "mkdir")


class Killer:
    """Counts the steps of a commit and ends the process at one of them, as `kill -9` does."""

    def __init__(self, at: int | None) -> None:
        self.steps = 0
        self.at = at

    def step(self, *_: object) -> None:
        self.steps += 1
        if self.steps == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Local:
    """A directory. A step is a call of the store, or a system call that changes something."""

    path: Path
    levels = ("store", "system")
    seconds = (0.0005, 0.03)
    """When a kill by time strikes: while an operation runs."""

    def found(self) -> None:
        self.path.mkdir(mode=0o700)
        Vault.create(LocalStore(self.path / "vault"), KEYS, clock=utc_now, actor=ACTOR)

    def vault(self, killer: Killer | None = None, level: str = "") -> Vault:
        """Return the vault, opened anew; a killer counts what it does from now on."""
        store: Any = LocalStore(self.path / "vault")
        if killer and level == "store":
            store = FaultyStore(store, before=killer.step, after=killer.step)
        vault = opened(store, KEYS, self.path / "state")
        if killer and level == "system":
            watch_system(killer)
        return vault


@dataclass(frozen=True)
class Bucket:
    """A prefix of a bucket, and KMS. A step is a request that leaves, or whose answer is there."""

    path: Path
    variables: dict[str, str]
    levels = ("request",)
    seconds = (0.1, 0.6)

    @cached_property
    def settings(self) -> Settings:
        own = {"COOKIE_S3_PREFIX": self.path.name, "JARKEEPER_STATE_DIR": str(self.path / "state")}
        return Settings.read(self.variables | own)

    def found(self) -> None:
        self.path.mkdir(mode=0o700)
        store = open_store(self.settings)
        key = open_key(self.settings)
        vault, keys = found_root(store, key, reopen=reopener(self.settings))
        Vault.create(store, keys, clock=utc_now, actor=ACTOR, vault=vault)

    def vault(self, killer: Killer | None = None, level: str = "") -> Vault:
        store = open_store(self.settings)
        keys = open_root(store, open_key(self.settings), reopen=reopener(self.settings))
        vault = opened(store, keys, self.path / "state")
        if killer:
            watch_requests(killer)
        return vault


def opened(store: Any, keys: Any, state_dir: Path) -> Vault:
    return Vault.open(
        store,
        keys,
        actor=ACTOR,
        clock=utc_now,
        sites=SITES,
        backup_count=3,
        opens_per_hour=LIMITS.opens_per_hour_max,
        anchors=(FileAnchors(state_dir),),
    )


def watch_system(killer: Killer) -> None:
    """Make every system call that changes something a step."""
    for name in SYSTEM_CALLS:
        original = getattr(os, name)

        def counted(*args, original=original, name=name, **options):
            if name != "open" or args[1] & (os.O_CREAT | os.O_WRONLY):
                killer.step()
            return original(*args, **options)

        setattr(os, name, counted)


def watch_requests(killer: Killer) -> None:
    """Make every request to S3 and KMS two steps: before it is sent, and once it is answered."""
    from botocore.httpsession import URLLib3Session

    send = URLLib3Session.send

    def counted(self, request):
        killer.step()
        response = send(self, request)
        killer.step()
        return response

    URLLib3Session.send = counted


def cloud_in_child() -> dict[str, str]:
    """Return the variables of a bucket on a cloud that ends with this process."""
    from cloud.server import Cloud
    from tenancy import Tenancy

    reading, writing = os.pipe()
    end, alive = os.pipe()
    if os.fork() == 0:
        os.close(alive)
        with Cloud() as cloud:
            variables = Tenancy(cloud).variables(Path("unused"))
            os.write(writing, json.dumps(variables).encode())
            os.close(writing)
            os.read(end, 1)
        os._exit(0)
    os.close(writing)
    os.close(end)
    with os.fdopen(reading) as pipe:
        return json.load(pipe)
