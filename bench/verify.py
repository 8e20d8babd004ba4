"""Verify a made-up trail, and say what that took: `verify.py STORE`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from history import KEYS, VAULT

from jarkeeper.audit.note import signer_of
from jarkeeper.audit.verify import verify_trail
from jarkeeper.keys import Purpose
from jarkeeper.stores.local import LocalStore


def main(place: str) -> None:
    """Verify; fail where something is wrong, as nothing is."""
    key, verifier = KEYS.derive(Purpose.AUDIT_MAC), signer_of(KEYS, VAULT).verifier
    began = time.perf_counter()
    report = verify_trail(LocalStore(Path(place)), key=key, vault=VAULT, verifier=verifier)
    seconds = time.perf_counter() - began
    if report.discrepancies:
        raise SystemExit(report.discrepancies[0].message)
    print(json.dumps({"seconds": seconds, "events": report.events, "archived": report.archived}))


if __name__ == "__main__":
    main(sys.argv[1])
