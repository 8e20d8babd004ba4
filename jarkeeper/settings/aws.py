"""What AWS's own variables say: read by their own names, handed on to the worker, never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from jarkeeper.settings.forms import endpoint

_REGION = re.compile(r"[a-z0-9][a-z0-9-]{1,62}", re.ASCII)

AWS_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_KMS",
    "AWS_ENDPOINT_URL_SNS",
    "AWS_ENDPOINT_URL_SSM",
    "AWS_ENDPOINT_URL_STS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
)
"""Credentials, region and endpoints, as boto3 documents them."""

RENEWING = (
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
)
"""Where a container's role is renewed, read at each renewal: places, no secrets."""

_FILES = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}


def aws_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return those of AWS's variables that are set."""
    return {name: environ[name] for name in AWS_VARIABLES if environ.get(name)}


def wrong_variables(variables: Mapping[str, str]) -> list[str]:
    """Return a sentence for each of AWS's variables that cannot be meant; no value is quoted."""
    found = []
    for name, text in variables.items():
        if not (text.isascii() and text.isprintable()):
            found.append(f"{name}: expected printable ASCII characters")
        elif name.startswith("AWS_ENDPOINT_URL"):
            try:
                endpoint(text)
            except ValueError as error:
                found.append(f"{name}: {error}")
        elif name.endswith("REGION") and not _REGION.fullmatch(text):
            found.append(f"{name}: expected a region such as 'eu-central-1'")
        elif name == "AWS_CA_BUNDLE" and not Path(text).exists():
            found.append(f"{name}: expected an existing file or folder")
    return found


def with_files(variables: Mapping[str, str], home: Path | None) -> dict[str, str]:
    """Return the variables with the places of AWS's files, for a process of another home."""
    places = {name: home / ".aws" / file for name, file in _FILES.items()} if home else {}
    return {name: str(place) for name, place in places.items() if place.is_file()} | {**variables}
