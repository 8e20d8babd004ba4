"""Meanings: what an operation of AWS is to the vault, by the name that CloudTrail has for it. Pure.

What is not named here lists, looks or sets up, and says nothing by itself.
"""

from __future__ import annotations

from enum import StrEnum


class Meaning(StrEnum):
    """What a request does."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    USE = "use"
    """It asks the key for something that ours ask it for, too."""
    OUTSIDE = "outside"
    """It asks the key for something that nothing of ours asks it for."""
    KEY = "key"
    """It takes a key out of use."""
    RULES = "rules"
    """It changes who may do what, what is kept, or what is told of it to whom."""
    LOGGING = "logging"
    """It ends what CloudTrail tells."""


FOUND = frozenset({Meaning.OUTSIDE, Meaning.KEY, Meaning.RULES, Meaning.LOGGING})
"""These are findings, of that code, whatever is on record."""

_OPERATIONS = {
    Meaning.READ: "CopyObjectSource GetObject GetObjectTorrent SelectObjectContent",
    Meaning.WRITE: "CompleteMultipartUpload CopyObject PutObject",
    Meaning.DELETE: "DeleteObject DeleteObjects ExpireObject",
    Meaning.USE: "Decrypt Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext",
    Meaning.OUTSIDE: "GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext ReEncrypt",
    Meaning.KEY: """
        DeleteCustomKeyStore DeleteImportedKeyMaterial DisableKey DisconnectCustomKeyStore
        ScheduleKeyDeletion""",
    Meaning.RULES: """
        CreateGrant DeleteAlias DisableKeyRotation PutKeyPolicy ReplicateKey RetireGrant RevokeGrant
        UpdateAlias UpdatePrimaryRegion
        DeleteBucket DeleteBucketPolicy PutBucketAcl PutBucketPolicy PutObjectAcl
        DeleteBucketOwnershipControls PutBucketOwnershipControls
        DeleteBucketPublicAccessBlock PutBucketPublicAccessBlock
        DeleteAccountPublicAccessBlock PutAccountPublicAccessBlock
        CreateAccessPoint DeleteAccessPointPolicy PutAccessPointPolicy
        CreateAccessPointForObjectLambda PutAccessPointConfigurationForObjectLambda
        PutAccessPointPolicyForObjectLambda CreateMultiRegionAccessPoint
        PutMultiRegionAccessPointPolicy CreateAccessGrant CreateAccessGrantsLocation
        PutAccessGrantsInstanceResourcePolicy PutBucketAbac UpdateObjectEncryption
        DeleteBucketEncryption PutBucketEncryption PutBucketVersioning
        DeleteBucketLifecycle PutBucketLifecycle PutBucketLifecycleConfiguration
        PutBucketObjectLockConfiguration PutObjectLockConfiguration
        PutObjectLegalHold PutObjectRetention
        DeleteBucketReplication PutBucketReplication
        PutBucketLogging PutBucketNotification PutBucketNotificationConfiguration
        PutEventSelectors UpdateTrail""",
    Meaning.LOGGING: "DeleteEventDataStore DeleteTrail StopEventDataStoreIngestion StopLogging",
}
MEANINGS = {name: meaning for meaning, names in _OPERATIONS.items() for name in names.split()}
