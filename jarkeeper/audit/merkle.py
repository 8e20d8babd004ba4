"""A Merkle tree by RFC 6962, section 2.1: roots, and proofs that are checked without the tree.

Only hashes of leaves are handled here: 32 bytes each, whatever the leaf was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf; the prefix keeps a node from passing for one."""
    return _sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two others."""
    return _sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that grows at its right edge, in as many hashes as its size has binary digits."""

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._nodes: list[bytes | None] = []
        """One for each level: the perfect subtree that waits there for its right half."""
        self.extend(hashes)

    def extend(self, hashes: Iterable[bytes]) -> None:
        """Append leaves by their hashes."""
        row = list(hashes)
        self.size += len(row)
        level = 0
        while row:
            if level == len(self._nodes):
                self._nodes.append(None)
            if (waiting := self._nodes[level]) is not None:
                row.insert(0, waiting)
            self._nodes[level] = row.pop() if len(row) % 2 else None
            pairs = zip(row[::2], row[1::2], strict=True)
            row = [_sha256(b"\x01" + left + right).digest() for left, right in pairs]
            level += 1

    def grown(self, hashes: Iterable[bytes]) -> Frontier:
        """Return another tree, with these leaves after its own."""
        other = Frontier()
        other.size, other._nodes = self.size, list(self._nodes)
        other.extend(hashes)
        return other

    @property
    def root(self) -> bytes:
        """The root of the leaves up to now."""
        root = None
        for node in self._nodes:
            if node is not None:
                root = node if root is None else node_hash(node, root)
        return EMPTY_ROOT if root is None else root


def root_of(hashes: Iterable[bytes]) -> bytes:
    """Return the root of a tree with these leaves."""
    return Frontier(hashes).root


def inclusion_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the siblings on the way from a leaf to the root, the leaf's own first."""
    if not 0 <= index < len(hashes):
        raise ValueError(f"leaf {index}: expected one of {len(hashes)}")
    proof: list[bytes] = []
    start, end = 0, len(hashes)
    while end - start > 1:
        middle = start + _left_size(end - start)
        if index < middle:
            proof.append(root_of(hashes[middle:end]))
            end = middle
        else:
            proof.append(root_of(hashes[start:middle]))
            start = middle
    return proof[::-1]


def consistency_proof(hashes: Sequence[bytes], size: int) -> list[bytes]:
    """Return what shows that the tree of the first `size` leaves is a beginning of this one."""
    if not 0 < size <= len(hashes):
        raise ValueError(f"size {size}: expected 1 to {len(hashes)}")
    proof: list[bytes] = []
    start, end = 0, len(hashes)
    while size < end:
        middle = start + _left_size(end - start)
        if size <= middle:
            proof.append(root_of(hashes[middle:end]))
            end = middle
        else:
            proof.append(root_of(hashes[start:middle]))
            start = middle
    if start > 0:  # else the verifier has it: it is the root of the smaller tree
        proof.append(root_of(hashes[start:end]))
    return proof[::-1]


def is_included(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof shows that the leaf with this hash is in the tree with this root."""
    if not 0 <= index < size or len(leaf) != HASH_BYTES:
        return False
    node, last = leaf, size - 1
    rest = list(proof)
    while last:
        if index % 2 or index < last:
            if not rest:
                return False
            sibling = rest.pop(0)
            node = node_hash(sibling, node) if index % 2 else node_hash(node, sibling)
        index, last = index // 2, last // 2
    return not rest and node == root


def is_consistent(
    *, size: int, root: bytes, later_size: int, later_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the proof shows that the later tree begins with all leaves of the earlier one."""
    if not 0 < size <= later_size:
        return False
    if size == later_size:
        return not proof and root == later_root
    index, last = size - 1, later_size - 1
    while index % 2:
        index, last = index // 2, last // 2
    rest = list(proof) if index else [root, *proof]
    if not rest:
        return False
    old = new = rest.pop(0)
    while last:
        if index % 2 or index < last:
            if not rest:
                return False
            sibling = rest.pop(0)
            if index % 2:
                old, new = node_hash(sibling, old), node_hash(sibling, new)
            else:
                new = node_hash(new, sibling)
        index, last = index // 2, last // 2
    return not rest and old == root and new == later_root


def _left_size(size: int) -> int:
    """Return the largest power of two below a size above one."""
    return 1 << ((size - 1).bit_length() - 1)
