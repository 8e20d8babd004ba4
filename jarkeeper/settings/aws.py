"""What AWS's own variables say: read by their own names, handed on to the worker, never shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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
    "AWS_ENDPOINT_URL_SSM",
    "AWS_ENDPOINT_URL_STS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
)
"""Credentials, region and endpoints, as boto3 documents them."""

_FILES = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}


def aws_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return those of AWS's variables that are set."""
    return {name: environ[name] for name in AWS_VARIABLES if environ.get(name)}


def with_files(variables: Mapping[str, str], home: Path | None) -> dict[str, str]:
    """Return the variables with the places of AWS's files, for a process of another home."""
    places = {name: home / ".aws" / file for name, file in _FILES.items()} if home else {}
    return {name: str(place) for name, place in places.items() if place.is_file()} | {**variables}
