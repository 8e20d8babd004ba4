"""Check a proof of `jarkeeper audit prove` without Jarkeeper: python check_proof.py PROOF KEY."""

import base64
import re
import sys
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# c2sp.org/tlog-proof: the event, its place, the hashes beside its way, a checkpoint, signatures.
FORM = r"c2sp\.org/tlog-proof@v1\nextra (.+)\nindex (0|[1-9][0-9]{0,14})\n((?:.+\n)*)\n"
FORM += r"((.+)\n([0-9]{1,15})\n(.+)\n)\n((?:.+\n)+)"
file, given = sys.argv[1:] if len(sys.argv) == 3 else sys.exit(__doc__)
sys.excepthook = lambda *_: sys.stderr.write(f"not proved: {wrong}\n") and None
wrong = f"'{file}' cannot be read"
with open(file, "rb") as opened:  # noqa: PTH123 - it has to fit on a page
    text = opened.read(1 << 20)
wrong = f"'{file}' is no proof: expected 'c2sp.org/tlog-proof@v1' and all that belongs to it"
event, at, way, body, origin, size, root, signed = re.fullmatch(FORM, text.decode()).groups()
event, root, *beside = map(base64.b64decode, (event, root, *way.split()))
place, last, told = int(at), int(size) - 1, event.decode("ascii")
wrong = "the key is none: expected name+id+key, as `jarkeeper audit key` prints it"
name, key_id, key = given.split("+", 2)
public = base64.b64decode(key)[1:]
named = {sha256(f"{name}\n\1".encode() + public).hexdigest()[:8]: public}
checked = Ed25519PublicKey.from_public_bytes(named[key_id])  # c2sp.org/signed-note
wrong = f"it is of '{origin}', and not signed by '{name}' with that key"
blobs = [base64.b64decode(line.split()[2]) for line in signed.splitlines() if f" {name} " in line]
signature = next(blob for blob in blobs if blob[:4].hex() == key_id and origin == name)
wrong = "its checkpoint is not the one that was signed"
checked.verify(signature[4:], body.encode())
node, at, wrong = sha256(b"\0" + event).digest(), place, "the event is not in the log"
while last:  # up to the root: RFC 6962, section 2.1.1
    if at % 2 or at < last:  # else nothing stands beside it on this level
        other = beside.pop(0)
        node = sha256(b"\1" + (other + node if at % 2 else node + other)).digest()
    at, last = at // 2, last // 2
if place >= int(size) or beside or node != root:
    sys.exit(f"not proved: {wrong}")
print(f"proved: leaf {place} (of {size}, counted from 0) in {origin}\n{told}", end="")
