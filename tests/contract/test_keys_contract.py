"""What every wrapping key promises. A new adapter joins by adding its factory to `KEYS`."""

from __future__ import annotations

import copy
import pickle

import pytest

from jarkeeper.envelope import Context, open_envelope, seal
from jarkeeper.errors import EnvelopeError
from jarkeeper.keys import Purpose
from jarkeeper.keys.kms import KMSKey
from jarkeeper.keys.local import LocalKey, create_key_file, read_key_file
from jarkeeper.keys.rooted import RootedKeys

CONTEXT = Context("a" * 32, "youtube", "b" * 32)
SECRET = bytes(range(100, 132))


def from_file(tmp_path):
    path = tmp_path / "config" / "key"
    if not path.exists():
        create_key_file(path)
    return read_key_file(path)


def rooted(wrapping):
    return RootedKeys(wrapping, SECRET)


KEYS = {
    "local": lambda tmp_path: LocalKey(SECRET, name="local key"),
    "local file": from_file,
    "rooted": lambda tmp_path: rooted(LocalKey(bytes(range(50, 82)), name="wrapping key")),
}


@pytest.fixture(params=[*KEYS, "kms", "kms by its alias"])
def make_keys(request, tmp_path):
    if request.param in KEYS:
        return lambda: KEYS[request.param](tmp_path)
    tenancy = request.getfixturevalue("tenancy")
    name = tenancy.kms_key
    if "alias" in request.param:
        name = f"alias/{tenancy.bucket}"
        target = tenancy.kms_key.rpartition("/")[2]
        tenancy.cloud.admin("kms").create_alias(AliasName=name, TargetKeyId=target)
    return lambda: rooted(KMSKey(tenancy.clients(), name))


def test_what_one_instance_seals_another_one_opens(make_keys):
    sealed = seal(b"cookies", keys=make_keys(), context=CONTEXT)

    assert open_envelope(sealed, keys=make_keys(), context=CONTEXT) == b"cookies"


def test_another_key_does_not_open(make_keys):
    sealed = seal(b"cookies", keys=make_keys(), context=CONTEXT)

    with pytest.raises(EnvelopeError):
        open_envelope(sealed, keys=LocalKey(bytes(32)), context=CONTEXT)


def test_each_purpose_has_a_key_of_its_own(make_keys):
    keys = make_keys()

    derived = [keys.derive(purpose) for purpose in Purpose]

    assert len(set(derived)) == len(Purpose)
    assert {len(key) for key in derived} == {32}


def test_a_derived_key_is_the_same_every_time(make_keys):
    for purpose in Purpose:
        assert make_keys().derive(purpose) == make_keys().derive(purpose)


def test_a_key_shows_its_name_and_nothing_else(make_keys):
    keys = make_keys()

    assert keys.name
    for purpose in Purpose:
        assert keys.derive(purpose).hex() not in repr(keys) + str(keys)
    assert SECRET.hex() not in repr(vars(keys).get("_name"))


def test_a_key_is_never_pickled_or_copied(make_keys):
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            way(make_keys())
