"""Mistakes that a store could make, to see that a history shows them."""

from __future__ import annotations

import random
from typing import Any

from jarkeeper.stores import Store
from vaultkit import FaultyStore


class Overwriting(FaultyStore):
    """Ignores that an object exists, as some S3-compatible stores do."""

    def put_if_absent(self, key: str, content: bytes) -> bool:
        self.inner.put(key, content)
        return True


class Doubting(FaultyStore):
    """Takes its own write, whose answer got lost, for somebody else's."""

    def get(self, key: str) -> bytes:
        taken, self.taken = self.taken, ""
        return b"of somebody else" if key == taken else self.inner.get(key)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        created = self.inner.put_if_absent(key, content)
        self.taken = "" if created or "/heads/" not in key else key
        return created

    taken = ""


class Forgetful(FaultyStore):
    """Lists what was there a while ago."""

    def list(self, prefix: str) -> list[str]:
        found = self.inner.list(prefix)
        return found[:-2] if "/heads/" in prefix and random.random() < 0.3 else found


BUGS: dict[str, Any] = {"overwriting": Overwriting, "doubting": Doubting, "forgetful": Forgetful}


def seeded(store: Store, bug: str) -> Any:
    """Return the store with that mistake, or as it is."""
    return BUGS[bug](store) if bug else store
