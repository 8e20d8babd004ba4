"""S3's delete of many objects in one request, where each object is allowed or refused alone."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Collection

from cloud.wire import Request, Response

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
Deletion = tuple[str, str]
"""Key and version; the version is empty where none is named."""


def is_many(request: Request) -> bool:
    named = request.path.strip("/")
    is_bucket = request.service == "s3" and named and "/" not in named
    return bool(is_bucket) and request.method == "POST" and "delete" in request.query


def read(body: bytes) -> list[Deletion]:
    """Return what the request names."""
    return [_deletion(x) for x in ET.fromstring(body).findall("{*}Object")]


def _deletion(element: ET.Element) -> Deletion:
    return element.findtext("{*}Key") or "", element.findtext("{*}VersionId") or ""


def without(body: bytes, refused: Collection[Deletion]) -> bytes:
    """Return the request's body without what is refused."""
    if not refused:
        return body
    root = ET.fromstring(body)
    for element in root.findall("{*}Object"):
        if _deletion(element) in refused:
            root.remove(element)
    ET.register_namespace("", NAMESPACE)
    return ET.tostring(root)


def report(response: Response, refused: Collection[Deletion]) -> Response:
    """Return the answer with an error for each object that was refused."""
    if not refused:
        return response
    if response.status == 200:
        result = ET.fromstring(response.body)
    else:
        result = ET.Element(f"{{{NAMESPACE}}}DeleteResult")  # nothing was left to delete
    for key, version in refused:
        error = ET.SubElement(result, f"{{{NAMESPACE}}}Error")
        fields = {"Key": key, "VersionId": version, "Code": "AccessDenied"}
        for name, text in {**fields, "Message": "Access Denied"}.items():
            if text:
                ET.SubElement(error, f"{{{NAMESPACE}}}{name}").text = text
    return Response(200, [("Content-Type", "application/xml")], ET.tostring(result))
