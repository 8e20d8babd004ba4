"""Check a signed note, such as a checkpoint or a compliance statement: check_note.py NOTE KEY."""

import base64
import hashlib
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if len(sys.argv) != 3:
    sys.exit(__doc__)
try:
    # c2sp.org/signed-note: the text, an empty line, and a line for each signature.
    text, _, signatures = Path(sys.argv[1]).read_bytes().decode().rpartition("\n\n")
    name, key_id, key = sys.argv[2].split("+", 2)
    public = base64.b64decode(key)[1:]
    checked = Ed25519PublicKey.from_public_bytes(public)
    whole = hashlib.sha256(f"{name}\n\1".encode() + public).hexdigest()[:8] == key_id
    ours = [line for line in signatures.splitlines() if line.startswith(f"\N{EM DASH} {name} ")]
    blobs = [base64.b64decode(line.rpartition(" ")[2]) for line in ours]
except (OSError, ValueError):
    sys.exit("cannot be checked: expected the file of a note, and name+id+key")
signature = next((blob for blob in blobs if blob[:4].hex() == key_id), b"")
if not whole or not signature:
    sys.exit(f"NOT signed by {name} with that key")
try:
    checked.verify(signature[4:], f"{text}\n".encode())
except InvalidSignature:
    sys.exit(f"NOT what {name} signed: it was changed")
print(f"signed by {name}\n\n{text}")
