"""The needs of S3 requests, those of SSE-KMS and of copies included."""

from __future__ import annotations

from urllib.parse import unquote

from cloud import deletions, estate
from cloud.encryption import effective, use_of_key
from cloud.estate import ACCOUNT
from cloud.needs import Context, Need
from cloud.s3_actions import bucket_action, object_action
from cloud.wire import Request

# Headers and parameters that are condition keys under their own name.
HEADER_KEYS = (
    "x-amz-acl",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "if-match",
    "if-none-match",
)
QUERY_KEYS = {
    "prefix": "s3:prefix",
    "delimiter": "s3:delimiter",
    "max-keys": "s3:max-keys",
    "versionId": "s3:VersionId",
}
# A header of a PUT that needs a second permission.
SECOND_ACTIONS = {
    "x-amz-tagging": "s3:PutObjectTagging",
    "x-amz-acl": "s3:PutObjectAcl",
    "x-amz-object-lock-mode": "s3:PutObjectRetention",
    "x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
}


def split(path: str) -> tuple[str, str]:
    """Return bucket and key of a path-style path."""
    bucket, _, key = path.removeprefix("/").partition("/")
    return bucket, key


def needs(request: Request) -> list[Need]:
    """Return what the request needs, the main action first."""
    bucket, key = split(request.path)
    if not bucket:
        return [Need("s3:ListAllMyBuckets", "*")]
    context = _context(request)
    if not key:
        return _bucket_needs(request, bucket, context)
    action = object_action(request.method, request.query)
    needs = [_need(action, bucket, key, context)]
    if action == "s3:PutObject":
        return needs + _second_needs(request, bucket, key, context) + _writes(request, bucket, key)
    if request.headers.get("x-amz-bypass-governance-retention", "").lower() == "true":
        needs.append(_need("s3:BypassGovernanceRetention", bucket, key, context))
    if action.endswith("Attributes"):
        needs.append(_need(action.removesuffix("Attributes"), bucket, key, context))
    return needs + _reads(request, action, bucket, key)


def _context(request: Request) -> Context:
    query = request.query
    context: Context = {name: query[key] for key, name in QUERY_KEYS.items() if key in query}
    context |= {
        f"s3:{name}": request.headers[name] for name in HEADER_KEYS if name in request.headers
    }
    context["s3:ResourceAccount"] = ACCOUNT
    context["s3:signatureversion"] = "AWS4-HMAC-SHA256"
    presigned = "X-Amz-Signature" in query
    context["s3:authType"] = "REST-QUERY-STRING" if presigned else "REST-HEADER"
    if request.method in ("PUT", "POST"):
        # AWS: false for the parts of a multipart upload, so that a policy can exempt them.
        creates = not ("uploads" in query or "partNumber" in query)
        context["s3:ObjectCreationOperation"] = str(creates).lower()
    return context


def _need(action: str, bucket: str, key: str, context: Context) -> Need:
    resource = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
    return Need(action, resource, context, estate.bucket_policy(bucket))


def _bucket_needs(request: Request, bucket: str, context: Context) -> list[Need]:
    if deletions.is_many(request):
        return [_deletion(bucket, *x, context) for x in deletions.read(request.body)]
    return [_need(bucket_action(request.method, request.query), bucket, "", context)]


def _deletion(bucket: str, key: str, version: str, context: Context) -> Need:
    action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
    return _need(action, bucket, key, context)


def _second_needs(request: Request, bucket: str, key: str, context: Context) -> list[Need]:
    actions = [x for name, x in SECOND_ACTIONS.items() if name in request.headers]
    needs = [_need(action, bucket, key, context) for action in actions]
    source = request.headers.get("x-amz-copy-source")
    return needs + (_source_needs(source) if source else [])


def copy_source(header: str) -> tuple[str, str, str]:
    """Return bucket, key and version of what is copied."""
    path, _, version = header.partition("?versionId=")
    return (*split("/" + unquote(path).removeprefix("/")), version)


def _source_needs(header: str) -> list[Need]:
    bucket, key, version = copy_source(header)
    action = "s3:GetObjectVersion" if version else "s3:GetObject"
    stored = estate.stored(bucket, key, version or None)
    needs = [_need(action, bucket, key, {"s3:ResourceAccount": ACCOUNT})]
    return needs + use_of_key("Decrypt", getattr(stored, "kms_key_id", None), bucket, key)


def _writes(request: Request, bucket: str, key: str) -> list[Need]:
    """A part or the end of a multipart upload opens the data key that its start has made."""
    if "uploadId" in request.query:
        upload = estate.upload(bucket, request.query["uploadId"])
        return use_of_key("Decrypt", getattr(upload, "kms_key_id", None), bucket, key)
    return use_of_key("GenerateDataKey", effective(request, bucket).key_id, bucket, key)


def _reads(request: Request, action: str, bucket: str, key: str) -> list[Need]:
    """HEAD needs the key only where it asks for the checksum (AWS, HeadObject)."""
    with_checksum = "x-amz-checksum-mode" in request.headers
    reads = action.startswith("s3:GetObject") and action.removeprefix("s3:GetObject") in (
        "", "Version", "Attributes", "VersionAttributes",
    )  # fmt: skip
    if not reads or (request.method == "HEAD" and not with_checksum):
        return []
    stored = estate.stored(bucket, key, request.query.get("versionId"))
    return use_of_key("Decrypt", getattr(stored, "kms_key_id", None), bucket, key)
