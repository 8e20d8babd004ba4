"""Check a signed note, such as a checkpoint or a compliance statement: check_note.py NOTE KEY."""

import base64
import hashlib
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# c2sp.org/signed-note: the text, an empty line, and a line for each signature.
FORM = re.compile("(.*\n)\n((?:\N{EM DASH} [^ \n]+ [A-Za-z0-9+/=]+\n)+)", re.DOTALL)
BYTES_MAX = 1 << 24

if len(sys.argv) != 3:
    sys.exit(__doc__)
path, given = sys.argv[1:]
try:
    with Path(path).open("rb") as file:
        form = FORM.fullmatch(file.read(BYTES_MAX).decode())
except OSError:
    sys.exit(f"cannot be checked: '{path}' cannot be read")
except ValueError:
    form = None
if form is None:
    sys.exit(f"cannot be checked: '{path}' is no note, expected text, an empty line, signatures")
text, signatures = form.groups()
if text.startswith("c2sp.org/tlog-proof@"):
    sys.exit(f"cannot be checked: '{path}' is no note but a proof, which check_proof.py checks")
try:
    name, key_id, key = given.split("+", 2)
    public = base64.b64decode(key)[1:]
    checked = Ed25519PublicKey.from_public_bytes(public)
    whole = hashlib.sha256(f"{name}\n\1".encode() + public).hexdigest()[:8] == key_id
except ValueError:
    whole = False
if not whole:
    sys.exit("cannot be checked: expected name+id+key, as `jarkeeper audit key` prints it")
try:
    ours = [line for line in signatures.splitlines() if line.startswith(f"\N{EM DASH} {name} ")]
    blobs = [base64.b64decode(line.rpartition(" ")[2]) for line in ours]
    signature = next(blob for blob in blobs if blob[:4].hex() == key_id)
except (ValueError, StopIteration):
    sys.exit(f"NOT signed by {name} with that key")
try:
    checked.verify(signature[4:], text.encode())
except InvalidSignature:
    sys.exit(f"NOT what {name} signed: it was changed")
print(f"signed by {name}\n\n{text}", end="")
