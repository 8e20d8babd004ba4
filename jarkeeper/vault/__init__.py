"""The vault: sealed, versioned and audited jars."""

from jarkeeper.vault.bound import BoundVault, Capability
from jarkeeper.vault.lent import LentJar, SealedJar
from jarkeeper.vault.ports import Clock
from jarkeeper.vault.receipts import GcReceipt, ImportReceipt, Receipt, WriteBackReceipt
from jarkeeper.vault.vault import Vault

__all__ = [
    "BoundVault",
    "Capability",
    "Clock",
    "GcReceipt",
    "ImportReceipt",
    "LentJar",
    "Receipt",
    "SealedJar",
    "Vault",
    "WriteBackReceipt",
]
