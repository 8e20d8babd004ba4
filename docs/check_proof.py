"""Check a proof of `jarkeeper audit prove` without Jarkeeper: python check_proof.py PROOF KEY."""

import base64
import hashlib
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


sys.excepthook = lambda kind, *_: sys.stderr.write(f"not proved: {kind.__name__}\n") and None
# The proof (c2sp.org/tlog-proof): the event, its place, the hashes beside its way, a checkpoint.
proof, checkpoint, signatures = Path(sys.argv[1]).read_bytes().decode().split("\n\n")
header, extra, index, *hashes = proof.split("\n")
event, place = base64.b64decode(extra.removeprefix("extra ")), int(index.removeprefix("index "))
origin, size, root = checkpoint.split("\n")
# The signature (c2sp.org/signed-note): by the key that you were given, over the checkpoint.
name, key_id, key = sys.argv[2].split("+", 2)
public = base64.b64decode(key)[1:]
lines = map(str.split, signatures.splitlines())
blobs = (base64.b64decode(parts[2]) for parts in lines if parts[1:2] == [name])
signature = next(blob for blob in blobs if blob[:4].hex() == key_id)
same = key_id == sha256(f"{name}\n\1".encode() + public)[:4].hex() and origin == name
if header != "c2sp.org/tlog-proof@v1" or index != f"index {place}" or not same:
    sys.exit("not proved: another form, another log or another key")
Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], f"{checkpoint}\n".encode())
# The way from the event to the root (RFC 6962, section 2.1.1).
node, at, last = sha256(b"\0" + event), place, int(size) - 1
for other in map(base64.b64decode, hashes):
    while last and not at % 2 and at == last:  # nothing stands beside it on this level
        at, last = at // 2, last // 2
    node = sha256(b"\1" + other + node) if at % 2 else sha256(b"\1" + node + other)
    at, last = at // 2, last // 2
if not 0 <= place < int(size) or last or node != base64.b64decode(root):
    sys.exit("not proved: the event is not in the log")
print(f"proved: event {place} of {size} in {origin}\n{event.decode()}", end="")
