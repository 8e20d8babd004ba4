"""What every task here has in common: nothing it takes or returns is stored or hashed."""

from __future__ import annotations

from typing import Any

from prefect.cache_policies import NO_CACHE

IN_PROCESS: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}
"""Results would be pickled to disk and inputs hashed into keys: not near cookies."""
