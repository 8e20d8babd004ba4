"""Chains: each event of a writer holds the digest of the one before it."""

from __future__ import annotations

from dataclasses import dataclass, field

from jarkeeper.audit.discrepancy import Discrepancy, missing
from jarkeeper.records import GENESIS, digest

_FIELD = b'"previous":"'
_HEX = 64
ANYTHING = b""
"""The link where the one before is missing or not genuine: every line has it."""


@dataclass(slots=True)
class Chain:
    """One writer's chain, followed event by event."""

    writer: str
    vouched: int = 0
    """Up to here a checkpoint tells which events there are: what is missing shows there."""
    seq: int = 0
    """The last event up to which all are known, or known to be missing."""
    whole: int = 0
    """The last event before the first that is missing, once the chain has ended."""
    found: list[Discrepancy] = field(default_factory=list)
    _link: bytes = _FIELD + GENESIS.encode("ascii")
    """What the next line holds."""
    _ahead: dict[int, tuple[str, bytes, bytes]] = field(default_factory=dict)
    """Events that came before those which precede them: name, own link, and the next one's."""

    def follow(self, seq: int, line: bytes, name: str) -> None:
        """Take the next event that was found to be genuine."""
        if seq == self.seq + 1 and not self._ahead:
            if line.rfind(self._link) < 0:
                self._say_spliced(seq, name)
            self.seq, self._link = seq, _link_to(line)
        else:
            start = line.rfind(_FIELD)
            own = line[start : start + len(_FIELD) + _HEX]
            self._take(seq, (name, own, _link_to(line)))

    def pass_over(self, seq: int, name: str) -> None:
        """Take an event that was found not to be genuine: what follows it cannot be compared."""
        self._take(seq, (name, ANYTHING, ANYTHING))

    def end(self) -> None:
        """Name what is missing between the events that were found."""
        gaps = []
        while self._ahead:
            first, self._link = max(self.seq, self.vouched) + 1, ANYTHING
            self.seq = min(self._ahead) - 1
            if first <= self.seq:
                gaps.append((first, self.seq))
            self._drain()
        self.found += [missing(self.writer, *gap) for gap in gaps]
        self.whole = gaps[0][0] - 1 if gaps else self.seq

    def _take(self, seq: int, event: tuple[str, bytes, bytes]) -> None:
        if seq <= self.seq or seq in self._ahead:
            message = f"writer {self.writer[:8]}: event {seq} is there more than once"
            self.found.append(Discrepancy("duplicated", event[0], message))
            return
        self._ahead[seq] = event
        self._drain()

    def _drain(self) -> None:
        while event := self._ahead.pop(self.seq + 1, None):
            name, own, link = event
            self.seq += 1
            if own and self._link not in own:
                self._say_spliced(self.seq, name)
            self._link = link

    def _say_spliced(self, seq: int, name: str) -> None:
        message = f"writer {self.writer[:8]}: event {seq} does not follow the one before it"
        self.found.append(Discrepancy("spliced", name, message))


def _link_to(line: bytes) -> bytes:
    return _FIELD + digest(line).encode("ascii")
