"""A store in memory: for tests, and for trying things out. It forgets everything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

from jarkeeper.errors import ObjectMissing
from jarkeeper.stores import checked_key, checked_prefix


class MemoryStore:
    """Objects in a dictionary, under the same rules as anywhere else."""

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.objects: dict[str, bytes] = {}
        self._times: dict[str, datetime] = {}
        self._clock = clock
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"MemoryStore({len(self.objects)} objects)"

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Create the object; False where one exists already."""
        with self._lock:
            created = checked_key(key) not in self.objects
            self.objects.setdefault(key, bytes(content))
            self._times.setdefault(key, self._clock())
        return created

    def get(self, key: str) -> bytes:
        """Return the object's bytes, or raise `ObjectMissing`."""
        try:
            return self.objects[checked_key(key)]
        except KeyError:
            raise ObjectMissing(f"object '{key}': is missing") from None

    def list(self, prefix: str) -> list[str]:
        """Return all keys that start with the prefix, sorted."""
        checked_prefix(prefix)
        with self._lock:
            return sorted(key for key in self.objects if key.startswith(prefix))

    def created_at(self, key: str) -> datetime:
        """Return when the object was stored."""
        self.get(key)
        return self._times.get(key, self._clock())

    def put(self, key: str, content: bytes) -> None:
        """Create or overwrite."""
        with self._lock:
            self.objects[checked_key(key)] = bytes(content)
            self._times[key] = self._clock()

    def delete(self, key: str) -> None:
        """Remove the object if it is there."""
        with self._lock:
            self.objects.pop(checked_key(key), None)
            self._times.pop(key, None)
