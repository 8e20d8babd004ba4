"""The vault: sealed, versioned and audited jars."""

from jarkeeper.vault.bound import BoundVault, Capability
from jarkeeper.vault.lent import LentJar, SealedJar
from jarkeeper.vault.outline import CookieOutline
from jarkeeper.vault.permits import Opens
from jarkeeper.vault.ports import Clock
from jarkeeper.vault.receipts import GcReceipt, ImportReceipt, Receipt, WriteBackReceipt
from jarkeeper.vault.vault import Vault

__all__ = [
    "BoundVault",
    "Capability",
    "Clock",
    "CookieOutline",
    "GcReceipt",
    "ImportReceipt",
    "LentJar",
    "Opens",
    "Receipt",
    "SealedJar",
    "Vault",
    "WriteBackReceipt",
]
