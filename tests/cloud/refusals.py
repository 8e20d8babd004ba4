"""How each service says no: S3 in XML, IAM and STS in another XML, KMS and SSM in JSON."""

from __future__ import annotations

import json
import uuid
from xml.sax.saxutils import escape

from cloud.wire import Request, Response

# Reason: (status, code) of S3, of a JSON service, of a query service (IAM, STS, SNS).
CODES = {
    "denied": ((403, "AccessDenied"), (400, "AccessDeniedException"), (403, "AccessDenied")),
    "unknown key id": (
        (403, "InvalidAccessKeyId"),
        (400, "UnrecognizedClientException"),
        (403, "InvalidClientTokenId"),
    ),
    "signature": (
        (403, "SignatureDoesNotMatch"),
        (400, "InvalidSignatureException"),
        (403, "SignatureDoesNotMatch"),
    ),
    "token": (
        (400, "InvalidToken"),
        (400, "UnrecognizedClientException"),
        (403, "InvalidClientTokenId"),
    ),
    "expired": ((400, "ExpiredToken"), (400, "ExpiredTokenException"), (403, "ExpiredToken")),
    "skewed": (
        (403, "RequestTimeTooSkewed"),
        (400, "InvalidSignatureException"),
        (403, "SignatureDoesNotMatch"),
    ),
    "no signature": (
        (403, "AccessDenied"),
        (400, "MissingAuthenticationTokenException"),
        (403, "MissingAuthenticationToken"),
    ),
    "wrong region": (
        (400, "AuthorizationHeaderMalformed"),
        (400, "InvalidSignatureException"),
        (403, "SignatureDoesNotMatch"),
    ),
    "body digest": (
        (400, "XAmzContentSHA256Mismatch"),
        (400, "InvalidSignatureException"),
        (403, "SignatureDoesNotMatch"),
    ),
    "slow down": ((503, "SlowDown"), (400, "ThrottlingException"), (400, "Throttling")),
    "internal": ((500, "InternalError"), (500, "InternalServerError"), (500, "InternalFailure")),
    "not implemented": (
        (501, "NotImplemented"),
        (501, "NotImplemented"),
        (501, "NotImplemented"),
    ),
    "conflict": ((409, "ConditionalRequestConflict"), (409, "Conflict"), (409, "Conflict")),
    "policy": (
        (400, "MalformedPolicy"),
        (400, "MalformedPolicyDocumentException"),
        (400, "MalformedPolicyDocument"),
    ),
    "incorrect key": (
        (400, "KMS.IncorrectKeyException"),
        (400, "IncorrectKeyException"),
        (400, "IncorrectKey"),
    ),
    "key disabled": (
        (400, "KMS.DisabledException"),
        (400, "DisabledException"),
        (400, "KMSDisabled"),
    ),
    "key state": (
        (400, "KMS.KMSInvalidStateException"),
        (400, "KMSInvalidStateException"),
        (400, "KMSInvalidState"),
    ),
    "key missing": (
        (400, "KMS.NotFoundException"),
        (400, "NotFoundException"),
        (400, "KMSNotFound"),
    ),
}
QUERY_SERVICES = frozenset({"iam", "sts", "sns"})


class Refused(Exception):
    """The request ends here. `fields` are further elements of S3's error, such as the region."""

    def __init__(self, reason: str, message: str, **fields: str) -> None:
        super().__init__(message)
        self.reason, self.message, self.fields = reason, message, fields


def respond(request: Request, refused: Refused) -> Response:
    """Return the answer in the form of the service that was asked."""
    s3, as_json, query = CODES[refused.reason]
    if request.service == "s3":
        return _s3(request, s3, refused)
    if request.service in QUERY_SERVICES:
        return _query(query, refused.message)
    return _json(as_json, refused.message)


def _s3(request: Request, code: tuple[int, str], refused: Refused) -> Response:
    fields = {"Code": code[1], "Message": refused.message, **refused.fields}
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error>{inner}</Error>'
    headers = [("Content-Type", "application/xml"), ("x-amz-request-id", uuid.uuid4().hex)]
    if "Region" in refused.fields:
        headers.append(("x-amz-bucket-region", refused.fields["Region"]))
    return Response(code[0], headers, b"" if request.method == "HEAD" else body.encode())


def _query(code: tuple[int, str], message: str) -> Response:
    body = (
        "<ErrorResponse><Error><Type>Sender</Type>"
        f"<Code>{code[1]}</Code><Message>{escape(message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return Response(code[0], [("Content-Type", "text/xml")], body.encode())


def _json(code: tuple[int, str], message: str) -> Response:
    headers = [
        ("Content-Type", "application/x-amz-json-1.1"),
        ("x-amzn-RequestId", str(uuid.uuid4())),
    ]
    return Response(code[0], headers, json.dumps({"__type": code[1], "message": message}).encode())
