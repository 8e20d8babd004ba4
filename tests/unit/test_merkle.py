from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jarkeeper.audit.merkle import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    root_of,
)

PUBLIC = json.loads((Path(__file__).parents[1] / "vectors" / "rfc6962.json").read_text())


def raw(text):
    return base64.b64decode(text or "")


def hashes_of(count):
    return [leaf_hash(str(number).encode()) for number in range(count)]


def naive_root(hashes):
    """RFC 6962, section 2.1, as it stands there."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    left = 1
    while left * 2 < len(hashes):
        left *= 2
    return hashlib.sha256(b"\x01" + naive_root(hashes[:left]) + naive_root(hashes[left:])).digest()


def test_roots_are_those_of_the_public_vectors():
    hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in PUBLIC["leaves"]]

    roots = [root_of(hashes[:size]).hex() for size in range(1, 9)]

    assert roots == PUBLIC["roots"]
    assert root_of([]).hex() == hashlib.sha256(b"").hexdigest()


def test_inclusion_is_judged_as_the_public_vectors_have_it():
    for index, size, root, leaf, proof, is_wrong, about in PUBLIC["inclusion"]:
        found = is_included(
            raw(leaf), index=index, size=size, proof=[*map(raw, proof or ())], root=raw(root)
        )

        assert found is not is_wrong, about
    assert len(PUBLIC["inclusion"]) == 98


def test_consistency_is_judged_as_the_public_vectors_have_it():
    for size, later_size, root, later_root, proof, is_wrong, about in PUBLIC["consistency"]:
        found = is_consistent(
            size=size,
            root=raw(root),
            later_size=later_size,
            later_root=raw(later_root),
            proof=[*map(raw, proof or ())],
        )

        assert found is not is_wrong, about
    assert len(PUBLIC["consistency"]) == 98


@given(st.lists(st.integers(0, 40), max_size=6))
def test_a_frontier_grows_to_the_root_that_the_rfc_defines(steps):
    hashes = hashes_of(sum(steps))
    frontier, at = Frontier(), 0

    for step in steps:
        frontier.extend(hashes[at : at + step])
        at += step

        assert frontier.root == naive_root(hashes[:at])
        assert frontier.size == at


def test_every_leaf_of_every_small_tree_is_proved_and_no_other():
    for size in range(1, 18):
        hashes = hashes_of(size)
        root = naive_root(hashes)
        for index, leaf in enumerate(hashes):
            proof = inclusion_proof(hashes, index)

            assert is_included(leaf, index=index, size=size, proof=proof, root=root)
            for other in range(size):
                if other != index:
                    assert not is_included(leaf, index=other, size=size, proof=proof, root=root)
            assert not is_included(leaf_hash(b"x"), index=index, size=size, proof=proof, root=root)


def test_every_beginning_of_every_small_tree_is_proved_and_no_other():
    for size in range(1, 18):
        hashes = hashes_of(size)
        for earlier in range(1, size + 1):
            proof = consistency_proof(hashes, earlier)
            known = {"later_size": size, "later_root": naive_root(hashes), "proof": proof}

            assert is_consistent(size=earlier, root=naive_root(hashes[:earlier]), **known)
            assert not is_consistent(size=earlier, root=leaf_hash(b"x"), **known)


@pytest.mark.parametrize(("count", "index"), [(0, 0), (3, 3), (3, -1)])
def test_a_leaf_that_is_not_there_has_no_proof(count, index):
    with pytest.raises(ValueError, match=f"leaf {index}"):
        inclusion_proof(hashes_of(count), index)
