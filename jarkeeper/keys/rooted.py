"""The keys of a vault whose root lies in the store, sealed under the wrapping key."""

from __future__ import annotations

from typing import Any

from jarkeeper.keys import Purpose, WrappingKey, expand


class RootedKeys:
    """One wrapping key for envelopes; every other key derives from the root.

    So the wrapping key can live in KMS, which gives none away, and can be exchanged for another
    without anything that was ever authenticated losing its proof.
    """

    def __init__(
        self,
        wrapping: WrappingKey,
        root: bytes,
        *,
        seq: int = 0,
        former: tuple[WrappingKey, ...] = (),
    ) -> None:
        self._wrapping = wrapping
        self.seq = seq
        self._keys = {purpose: expand(root, purpose) for purpose in Purpose}
        self.root: bytes | None = root
        self.former = former

    def __repr__(self) -> str:
        return f"RootedKeys('{self.name}')"

    def __reduce__(self) -> Any:
        raise TypeError("a key is never pickled or copied")

    @property
    def name(self) -> str:
        """How messages call the wrapping key."""
        return self._wrapping.name

    @property
    def id(self) -> str:
        """The wrapping key's id."""
        return self._wrapping.id

    def provider(self) -> Any:
        """Return the wrapping key's provider."""
        return self._wrapping.provider()

    def on_file(self) -> dict[str, str]:
        """Return what a record has to hold of the wrapping key."""
        return self._wrapping.on_file()

    def derive(self, purpose: Purpose) -> bytes:
        """Return the key for one purpose."""
        return self._keys[purpose]
