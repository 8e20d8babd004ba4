"""Every error that Jarkeeper raises on purpose.

JarkeeperError
├── InputError               what the caller gave is wrong; nothing was changed
│   ├── JarFormatError       a cookie file, by line
│   ├── ConfirmationNeeded   an import that a person should look at first
│   ├── TargetError          a URL or id that the gate refuses
│   └── SettingsError        one or more settings, all reported at once
├── NoAnswer                 YouTube did not say whether somebody is logged in
├── AlertError               a channel did not take a message
├── VaultError               the vault cannot do what was asked
│   ├── NotInitialised       there is no vault there
│   ├── NotFound             no such jar, slot or generation
│   ├── Conflict             somebody else committed first
│   ├── LendRefused          a generation that must not be used now
│   ├── NotGranted           a run asked for more than it was given
│   ├── WriteBackRefused     a jar that came back from use must not be kept
│   ├── AuditUnavailable     the access cannot be recorded, so it does not happen
│   ├── IntegrityError       what is stored is not what was written
│   │   ├── EnvelopeError    cannot be opened; never says which check failed
│   │   └── RollbackError    the newest head is older than one already seen
│   └── KeyUnavailable       the wrapping key is missing or refused
└── StoreError               the store did not do it
    ├── ObjectMissing        no such object
    │   └── ObjectDenied     no such object, or no right to see it: a store need not tell which
    └── StoreUnknown         no answer came: it may or may not have happened
"""

from __future__ import annotations


class JarkeeperError(Exception):
    """The root of all errors here: a message that is safe to show, and perhaps a hint."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(JarkeeperError):
    """What the caller gave is wrong; nothing was changed."""


class JarFormatError(InputError):
    """A cookie file that is not what it should be; names the line, never a byte of it."""

    def __init__(self, message: str, *, line: int | None = None, hint: str | None = None) -> None:
        where = "" if line is None else f"line {line}: "
        super().__init__(f"{where}{message}", hint=hint)
        self.line = line


class ConfirmationNeeded(InputError):
    """An import that may be a mistake; `reasons` are words for machines, each with a sentence."""

    def __init__(
        self, sentences: tuple[str, ...], *, reasons: tuple[str, ...], hint: str | None = None
    ) -> None:
        super().__init__("; ".join(sentences), hint=hint)
        self.sentences = sentences
        self.reasons = reasons


class TargetError(InputError):
    """A URL or id that the gate refuses."""


class SettingsError(InputError):
    """Settings that cannot be used; `mistakes` holds one sentence for each."""

    def __init__(self, mistakes: tuple[str, ...], *, hint: str | None = None) -> None:
        super().__init__("; ".join(mistakes), hint=hint)
        self.mistakes = mistakes


class NoAnswer(JarkeeperError):
    """YouTube did not say whether somebody is logged in: nothing is known of the jar by that."""


class AlertError(JarkeeperError):
    """A channel did not take a message; neither its address nor its answer is quoted."""


class VaultError(JarkeeperError):
    """The vault cannot do what was asked."""


class NotInitialised(VaultError):
    """There is no vault at that place."""


class NotFound(VaultError):
    """No such jar, slot or generation."""


class Conflict(VaultError):
    """Somebody else committed first; read the new head and decide again."""


class LendRefused(VaultError):
    """A generation that must not be used now; `reason` is a word for machines."""

    def __init__(self, message: str, *, reason: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class NotGranted(VaultError):
    """A run asked for more than its capability covers."""


class WriteBackRefused(VaultError):
    """A jar that came back from use must not be kept; `reason` is a word for machines."""

    def __init__(self, message: str, *, reason: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class AuditUnavailable(VaultError):
    """The access cannot be recorded, so it does not happen."""


class IntegrityError(VaultError):
    """What is stored is not what was written."""


class RecordMissing(IntegrityError):
    """What a log needs is not there."""


class EnvelopeError(IntegrityError):
    """An envelope that cannot be opened; never says which check failed."""


class RollbackError(IntegrityError):
    """The newest head is older than one that was already seen."""


class KeyUnavailable(VaultError):
    """The wrapping key is missing, malformed or refused."""


class StoreError(JarkeeperError):
    """The store did not do what was asked."""


class ObjectMissing(StoreError):
    """No such object."""


class ObjectDenied(ObjectMissing):
    """No such object, or no right to see it: S3 answers the same to who may not list."""


def is_gone(error: Exception) -> bool:
    """Whether the object is certainly not there."""
    return isinstance(error, ObjectMissing) and not isinstance(error, ObjectDenied)


class StoreUnknown(StoreError):
    """No answer came: the write may or may not have happened."""
