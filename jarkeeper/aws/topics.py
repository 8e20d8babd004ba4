"""Topics of SNS: one message, with what a filter policy may ask for as its attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jarkeeper.aws.clients import Clients
from jarkeeper.aws.failures import failure_of
from jarkeeper.errors import StoreError

SUBJECT_CHARS_MAX = 100
"""And ASCII, as SNS documents it."""
ATTRIBUTES = ("kind", "cause", "severity", "jar")


def publish(
    variables: Mapping[str, str], arn: str, title: str, body: str, document: Mapping[str, Any]
) -> None:
    """Publish the message, or raise `StoreError` in words that quote nothing of AWS's."""
    client = Clients.of(variables).get("sns", region=arn.split(":")[3])
    subject = title.encode("ascii", "replace").decode()[:SUBJECT_CHARS_MAX]
    attributes = {
        name: {"DataType": "String", "StringValue": document[name]}
        for name in ATTRIBUTES
        if document.get(name)
    }
    try:
        client.publish(TopicArn=arn, Subject=subject, Message=body, MessageAttributes=attributes)
    except Exception as error:
        failure = failure_of(error, what=f"topic '{arn.rpartition(':')[2]}'")
        raise StoreError(failure.message, hint=failure.hint) from None
