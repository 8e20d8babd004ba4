"""A year in the life, simulated. Six weeks of six seeds here, JARKEEPER_PROOF=1 for 200 years."""

from __future__ import annotations

import os

import pytest

from year.life import Life

PROOF = "JARKEEPER_PROOF" in os.environ
SEEDS, DAYS = (200, 365) if PROOF else (6, 42)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_year_keeps_every_promise(seed):
    life = Life(seed, days=DAYS).live()

    assert life.counts["arrived"] > DAYS
    assert life.room.vault.verify_trail().discrepancies == ()
