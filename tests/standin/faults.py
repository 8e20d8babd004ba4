"""What goes wrong on demand, for which requests, and how often."""

from __future__ import annotations

import threading
from dataclasses import dataclass

ENDPOINTS = frozenset(
    {"watch", "embed", "player", "media", "list", "browse", "thumbnail", "captions", "other"}
)


@dataclass(slots=True)
class Fault:
    """One way to fail. Requests that match are counted; `skip` pass first, `times` then fail."""

    id: int
    endpoint: str = "all"
    video_id: str | None = None
    session: str | None = None
    status: int | None = None
    latency_ms: float = 0
    cut_after: int | None = None
    stall_after: int | None = None
    stall_seconds: float = 60
    bytes_per_second: int | None = None
    reset: bool = False
    malformed: bool = False
    times: int | None = None
    skip: int = 0

    def __post_init__(self) -> None:
        if self.endpoint != "all" and self.endpoint not in ENDPOINTS:
            expected = ", ".join(sorted(ENDPOINTS))
            raise ValueError(f"endpoint '{self.endpoint}': expected all, {expected}")

    @property
    def spoils_body(self) -> bool:
        return any(x is not None for x in (self.cut_after, self.stall_after, self.bytes_per_second))

    def concerns(self, endpoint: str, video_id: str | None, session: str | None) -> bool:
        return (
            self.endpoint in ("all", endpoint)
            and self.video_id in (None, video_id)
            and self.session in (None, session or "anonymous")
        )


class Faults:
    """All faults that are set; the newest that matches wins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[int, Fault] = {}
        self._last_id = 0

    def add(self, **fields: object) -> int:
        """Return the id of the new fault."""
        with self._lock:
            fault = Fault(self._last_id + 1, **fields)  # type: ignore[arg-type]  # JSON fields
            self._last_id = fault.id
            self._faults[fault.id] = fault
            return fault.id

    def clear(self, fault_id: int | None = None) -> None:
        """Forget one fault, or all of them."""
        with self._lock:
            if fault_id is None:
                self._faults.clear()
            else:
                self._faults.pop(fault_id, None)

    def take(self, endpoint: str, video_id: str | None, session: str | None) -> Fault | None:
        """Return the fault that this request suffers, and count it."""
        with self._lock:
            for fault in reversed(self._faults.values()):
                if fault.concerns(endpoint, video_id, session) and self._count(fault):
                    return fault
        return None

    @staticmethod
    def _count(fault: Fault) -> bool:
        if fault.skip > 0:
            fault.skip -= 1
            return False
        if fault.times is None:
            return True
        fault.times -= 1
        return fault.times >= 0
