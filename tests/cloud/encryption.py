"""How S3 encrypts what is put: what the request says, or else the bucket's default."""

from __future__ import annotations

from dataclasses import dataclass

from cloud import estate
from cloud.needs import Need, kms_need
from cloud.refusals import Refused
from cloud.wire import Request

ALGORITHM = "x-amz-server-side-encryption"
KEY_ID = "x-amz-server-side-encryption-aws-kms-key-id"
AWS_KEY = "alias/aws/s3"


@dataclass(frozen=True, slots=True)
class Encryption:
    algorithm: str
    key_id: str = ""


def effective(request: Request, bucket: str) -> Encryption:
    """Return how the object will be encrypted."""
    algorithm = request.headers.get(ALGORITHM)
    if algorithm:
        named = request.headers.get(KEY_ID, AWS_KEY)
        return Encryption(algorithm, named if algorithm.startswith("aws:kms") else "")
    found = estate.bucket(bucket)
    if found is None or not found.encryption:
        return Encryption("AES256")
    rule = found.encryption["Rule"]["ApplyServerSideEncryptionByDefault"]
    algorithm = rule["SSEAlgorithm"]
    named = rule.get("KMSMasterKeyID") or AWS_KEY
    return Encryption(algorithm, named if algorithm.startswith("aws:kms") else "")


def fill_in(request: Request, bucket: str) -> None:
    """Write into the request what S3 answers with: algorithm, and the ARN of the key."""
    encryption = effective(request, bucket)
    request.set_header(ALGORITHM, encryption.algorithm)
    if encryption.key_id:
        key = estate.key(encryption.key_id, region_of(bucket))
        request.set_header(KEY_ID, key.arn if key else encryption.key_id)


def region_of(bucket: str) -> str:
    found = estate.bucket(bucket)
    return found.region_name if found else ""


def use_of_key(operation: str, key_id: str | None, bucket: str, key_name: str) -> list[Need]:
    """Return the KMS need that S3 has for the caller; AWS's own key serves everyone."""
    if not key_id:
        return []
    region = region_of(bucket)
    key = estate.key(key_id, region)
    if key is None:
        raise Refused("key missing", f"Key '{key_id}' does not exist")
    if key.is_managed_by_aws:
        return []
    context = {"aws:s3:arn": f"arn:aws:s3:::{_bound(bucket, key_name)}"}
    return [kms_need(operation, key, context=context, region=region, via="s3")]


def _bound(bucket: str, key_name: str) -> str:
    """With a bucket key, the context names the bucket only."""
    found = estate.bucket(bucket)
    enabled = found and found.encryption and found.encryption["Rule"].get("BucketKeyEnabled")
    return bucket if str(enabled).lower() == "true" else f"{bucket}/{key_name}"
