"""Check a signed note, such as a checkpoint or a compliance statement: check_note.py NOTE KEY."""

import base64
import hashlib
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# c2sp.org/signed-note: the text, an empty line, and a line for each signature.
text, _, signatures = Path(sys.argv[1]).read_text("utf-8").rpartition("\n\n")
name, key_id, key = sys.argv[2].split("+", 2)
public = base64.b64decode(key)[1:]
if hashlib.sha256(f"{name}\n\1".encode() + public).hexdigest()[:8] != key_id:
    sys.exit("not signed: the key is not whole")
for line in signatures.splitlines():
    signature = base64.b64decode(line.rpartition(" ")[2])
    if line.startswith(f"\N{EM DASH} {name} ") and signature[:4].hex() == key_id:
        Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], f"{text}\n".encode())
        print(f"signed by {name}\n\n{text}")
        break
else:
    sys.exit(f"not signed by {name}")
