"""Which S3 action a request is: its method, whether it names a key, and its subresource."""

from __future__ import annotations

READS, WRITES = frozenset({"GET", "HEAD"}), frozenset({"PUT", "POST"})

# Subresource of a bucket: the noun in the action's name.
BUCKET_NOUNS = {
    "accelerate": "AccelerateConfiguration",
    "acl": "BucketAcl",
    "analytics": "AnalyticsConfiguration",
    "cors": "BucketCORS",
    "encryption": "EncryptionConfiguration",
    "inventory": "InventoryConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "location": "BucketLocation",
    "logging": "BucketLogging",
    "metrics": "MetricsConfiguration",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "policyStatus": "BucketPolicyStatus",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
OBJECT_NOUNS = {
    "acl": "Acl",
    "attributes": "Attributes",
    "legal-hold": "LegalHold",
    "retention": "Retention",
    "tagging": "Tagging",
    "torrent": "Torrent",
}
BUCKET_LISTS = {
    "uploads": "ListBucketMultipartUploads",
    "versions": "ListBucketVersions",
}
# These two alone have a Delete action of their own; the others are deleted with the Put action.
DELETED_BY_NAME = frozenset({"policy", "website"})


def bucket_action(method: str, query: dict[str, str]) -> str:
    """Return the action of a request that names no key."""
    for name, noun in BUCKET_NOUNS.items():
        if name in query:
            return f"s3:{_verb(method, name)}{noun}"
    for name, action in BUCKET_LISTS.items():
        if name in query and method in READS:
            return f"s3:{action}"
    plain = {"GET": "ListBucket", "HEAD": "ListBucket", "PUT": "CreateBucket"}
    return f"s3:{plain.get(method, 'DeleteBucket' if method == 'DELETE' else 'PutObject')}"


def _verb(method: str, name: str) -> str:
    if method in READS:
        return "Get"
    return "Delete" if method == "DELETE" and name in DELETED_BY_NAME else "Put"


def object_action(method: str, query: dict[str, str]) -> str:
    """Return the main action of a request on one key; copies and tags have further ones."""
    version = "Version" if query.get("versionId") else ""
    for name, noun in OBJECT_NOUNS.items():
        if name in query:
            verb = {"GET": "Get", "HEAD": "Get", "DELETE": "Delete"}.get(method, "Put")
            with_version = version if noun in ("Acl", "Tagging", "Torrent", "Attributes") else ""
            return f"s3:{verb}Object{with_version}{noun}"
    if "uploadId" in query and method in ("GET", "DELETE"):
        return "s3:ListMultipartUploadParts" if method == "GET" else "s3:AbortMultipartUpload"
    if "restore" in query:
        return "s3:RestoreObject"
    if method in WRITES:
        return "s3:GetObject" if "select" in query else "s3:PutObject"
    return f"s3:{'Delete' if method == 'DELETE' else 'Get'}Object{version}"
