"""Write every generation of a copied vault as cookies.txt: recover_all.py VAULT OUT [KEY_FILE]."""

import base64
import hmac
import json
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path

import aws_encryption_sdk as sdk
from aws_encryption_sdk.identifiers import EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.raw import RawMasterKey


def local(text):  # HKDF-SHA256 of the key file's 32 bytes, salt "jarkeeper 1", info "envelope"
    extracted = hmac.digest(b"jarkeeper 1", base64.b64decode(text), "sha256")
    key = hmac.digest(extracted, b"envelope\x01", "sha256")
    algorithm = WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING
    wrapping = WrappingKey(algorithm, key, EncryptionKeyType.SYMMETRIC)
    return RawMasterKey(key_id=b"local", provider_id="jarkeeper", wrapping_key=wrapping)


def opened(sealed, **context):
    for provider in providers:
        with suppress(Exception):  # of another key, or damaged
            plaintext, header = client.decrypt(source=sealed, key_provider=provider)
            if header.encryption_context == context:
                return plaintext


logging.disable()
vault, out, *key_file = map(Path, sys.argv[1:])
client = sdk.EncryptionSDKClient(max_encrypted_data_keys=1)  # it requires key commitment
providers = [sdk.DiscoveryAwsKmsMasterKeyProvider(), *map(local, map(Path.read_text, key_file))]
name, slots, failed = json.loads((vault / "vault.json").read_text())["id"], {}, False
for path in sorted(vault.glob("keys/*[0-9].json"))[-1:]:
    with suppress(Exception):  # after a rewrap it holds the former local keys
        sealed = base64.b64decode(json.loads(path.read_text())["root"])
        record = json.loads(opened(sealed, vault=name, purpose="root", seq=str(int(path.stem))))
        providers += [local(key["local"]) for key in record["former"] if "local" in key]
for path in vault.glob("cookies/*/heads"):
    with suppress(Exception):  # nothing is active, or it is damaged
        head = json.loads(max(path.glob("*.json")).read_text())
        slots |= {slot["generation"]["id"]: "backup" for slot in head["backups"]}
        slots |= {head["active"]["generation"]["id"]: "active"}
os.umask(0o077)
out.mkdir()
print("slots are what the newest head says: this script cannot tell whether it is authentic")
for path in sorted(vault.glob("cookies/*/generations/*")):
    word = "NOT RECOVERED: damaged, or no key opens it"
    with suppress(Exception):
        plaintext = opened(path.read_bytes(), vault=name, jar=path.parts[-3], generation=path.name)
        (out / f"{path.parts[-3]}-{path.name}.txt").write_bytes(plaintext)
        word = slots.get(path.name, "in no slot")
    failed |= word.startswith("NOT")
    print(path.parts[-3], path.name, word)
sys.exit(failed)
