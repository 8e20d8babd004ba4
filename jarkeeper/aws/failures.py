"""What a failure of AWS means, in one line with a hint: told by its code, never by its text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any


class Kind(Enum):
    """What a caller has to know: did it happen, may it be tried again, who has to act."""

    MISSING = auto()
    """No such object, as far as the store says so."""
    DENIED = auto()
    """No right to do it, or, of reading, perhaps no such object."""
    TAKEN = auto()
    """A condition did not hold: something is there already."""
    BUSY = auto()
    """It did not happen, and may be tried again."""
    UNKNOWN = auto()
    """No answer that can be believed: it may have happened."""
    REFUSED = auto()
    """It did not happen, and will not until somebody acts."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure: its kind, a sentence and perhaps a hint."""

    kind: Kind
    message: str
    hint: str | None = None


_CREDENTIALS = (
    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; on ECS, a task role"
)
_RENEW = "sign in again (`aws sso login`) or let a task role supply them, which renews itself"
_CLOCK = (
    "set this machine's clock by NTP: AWS refuses requests that are off by five minutes or more"
)
_REGION = "set AWS_REGION to the region of the bucket and of the key"
_ALLOW = "the role needs what `infrastructure/policies/` allows it; look for an explicit deny too"
_ENABLE = "enable it again (`aws kms enable-key`): nothing is lost, everything opens as before"
_CANCEL = (
    "cancel its deletion (`aws kms cancel-key-deletion`) and enable it, while that is possible"
)
_KEY = "check COOKIE_KMS_KEY_ID, COOKIE_S3_KMS_KEY_ID and AWS_REGION"
_BUCKET = "check COOKIE_S3_BUCKET and AWS_REGION, or make the bucket first"
_VARIABLES = "check AWS's variables and files: endpoint, region, profile, credentials"
_ENDPOINT = "check the network, AWS_REGION and AWS_ENDPOINT_URL"

CODES: dict[str, tuple[Kind, str, str | None]] = {
    "NoSuchKey": (Kind.MISSING, "is missing", None),
    "404": (Kind.MISSING, "is missing", None),
    "AccessDenied": (Kind.DENIED, "access was denied", _ALLOW),
    "AccessDeniedException": (Kind.DENIED, "access was denied", _ALLOW),
    "403": (Kind.DENIED, "access was denied", _ALLOW),
    "PreconditionFailed": (Kind.TAKEN, "exists already", None),
    "412": (Kind.TAKEN, "exists already", None),
    "ConditionalRequestConflict": (Kind.BUSY, "another write was under way", None),
    "OperationAborted": (Kind.BUSY, "another write was under way", None),
    "SlowDown": (Kind.UNKNOWN, "AWS asked to slow down", None),
    "ThrottlingException": (Kind.BUSY, "AWS asked to slow down", None),
    "NoSuchBucket": (Kind.REFUSED, "the bucket does not exist", _BUCKET),
    "PermanentRedirect": (Kind.REFUSED, "the bucket lies in another region", _REGION),
    "AuthorizationHeaderMalformed": (Kind.REFUSED, "the bucket lies in another region", _REGION),
    "IllegalLocationConstraintException": (
        Kind.REFUSED,
        "the bucket lies in another region",
        _REGION,
    ),
    "301": (Kind.REFUSED, "the bucket lies in another region", _REGION),
    "ExpiredToken": (Kind.REFUSED, "the AWS credentials have expired", _RENEW),
    "ExpiredTokenException": (Kind.REFUSED, "the AWS credentials have expired", _RENEW),
    "RequestExpired": (Kind.REFUSED, "the AWS credentials have expired", _RENEW),
    "InvalidAccessKeyId": (Kind.REFUSED, "AWS does not know these credentials", _CREDENTIALS),
    "InvalidClientTokenId": (Kind.REFUSED, "AWS does not know these credentials", _CREDENTIALS),
    "UnrecognizedClientException": (
        Kind.REFUSED,
        "AWS does not know these credentials",
        _CREDENTIALS,
    ),
    "InvalidToken": (Kind.REFUSED, "AWS does not know these credentials", _CREDENTIALS),
    "SignatureDoesNotMatch": (
        Kind.REFUSED,
        "the secret access key does not belong to the access key id",
        _CREDENTIALS,
    ),
    "InvalidSignatureException": (
        Kind.REFUSED,
        "AWS does not accept the signature of the request",
        f"check the secret access key, and {_CLOCK}",
    ),
    "RequestTimeTooSkewed": (Kind.REFUSED, "this machine's clock is wrong", _CLOCK),
    "DisabledException": (Kind.REFUSED, "the key is disabled", _ENABLE),
    "KMS.DisabledException": (Kind.REFUSED, "the bucket's KMS key is disabled", _ENABLE),
    "KMSInvalidStateException": (Kind.REFUSED, "the key is about to be deleted", _CANCEL),
    "KMS.KMSInvalidStateException": (
        Kind.REFUSED,
        "the bucket's KMS key is about to be deleted",
        _CANCEL,
    ),
    "NotFoundException": (Kind.REFUSED, "the key does not exist in this region", _KEY),
    "KMS.NotFoundException": (Kind.REFUSED, "the bucket's KMS key does not exist", _KEY),
    "KeyUnavailableException": (Kind.UNKNOWN, "the key is not available just now", None),
    "InvalidKeyUsageException": (Kind.REFUSED, "the key is not for symmetric encryption", _KEY),
    "NotFound": (Kind.REFUSED, "does not exist", "check its ARN"),
    "AuthorizationError": (Kind.DENIED, "access was denied", _ALLOW),
    "ParameterNotFound": (
        Kind.REFUSED,
        "there is no such parameter",
        "check COOKIE_ENCRYPTION_KEY_PARAMETER and AWS_REGION",
    ),
}
"""By AWS's own error codes. What is not here is told by its HTTP status."""

CLASSES: dict[str, tuple[Kind, str, str | None]] = {
    "NoCredentialsError": (Kind.REFUSED, "there are no AWS credentials", _CREDENTIALS),
    "PartialCredentialsError": (Kind.REFUSED, "the AWS credentials are incomplete", _CREDENTIALS),
    "CredentialRetrievalError": (Kind.REFUSED, "no AWS credentials could be had", _CREDENTIALS),
    "MetadataRetrievalError": (Kind.REFUSED, "no AWS credentials could be had", _CREDENTIALS),
    "ProfileNotFound": (Kind.REFUSED, "there is no such AWS profile", "check AWS_PROFILE"),
    "NoRegionError": (Kind.REFUSED, "no AWS region is set", "set AWS_REGION"),
    "InvalidRegionError": (Kind.REFUSED, "the AWS region is no region's name", "check AWS_REGION"),
    "TokenRetrievalError": (Kind.REFUSED, "the AWS sign-in has expired", _RENEW),
    "SSOTokenLoadError": (Kind.REFUSED, "the AWS sign-in has expired", _RENEW),
    "UnauthorizedSSOTokenError": (Kind.REFUSED, "the AWS sign-in has expired", _RENEW),
    "EndpointConnectionError": (Kind.BUSY, "AWS cannot be reached", _ENDPOINT),
    "ConnectTimeoutError": (Kind.BUSY, "AWS cannot be reached", _ENDPOINT),
    "ProxyConnectionError": (Kind.BUSY, "the proxy to AWS cannot be reached", _ENDPOINT),
    "SSLError": (Kind.UNKNOWN, "the encrypted connection to AWS failed", "check AWS_CA_BUNDLE"),
    "ParamValidationError": (Kind.REFUSED, "AWS's client refuses such a request", _KEY),
    "ImportError": (
        Kind.REFUSED,
        "boto3 is not installed",
        "install it with `pip install 'jarkeeper[aws]'`",
    ),
}
"""By the class of what boto3 raises before or without an answer."""


LIBRARIES = ("boto3", "botocore", "s3transfer", "urllib3")


def failure_of(error: Exception, *, what: str) -> Failure:
    """Return what the failure means; `what` names the thing, such as "bucket 'x'".

    Its own text is never told: it may quote an endpoint's password.
    """
    kind, words, hint = _meaning(error)
    return Failure(kind, f"{what}: {words}", hint)


def _meaning(error: Exception) -> tuple[Kind, str, str | None]:
    for ancestor in type(error).__mro__:
        if ancestor.__name__ in CLASSES:
            return CLASSES[ancestor.__name__]
    library = type(error).__module__.partition(".")[0]
    if library not in LIBRARIES and not isinstance(error, OSError):
        return Kind.UNKNOWN, f"AWS's library failed ({type(error).__name__})", _VARIABLES
    response: dict[str, Any] = getattr(error, "response", None) or {}
    code = str(response.get("Error", {}).get("Code", ""))
    if code in CODES:
        return CODES[code]
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status == 0 or status >= 500:
        return Kind.UNKNOWN, "AWS did not answer", _ENDPOINT
    if str(status) in CODES:
        return CODES[str(status)]
    shown = code if code.isascii() and code.replace(".", "").isalnum() else str(status)
    return Kind.REFUSED, f"AWS refused it ({shown})", None
