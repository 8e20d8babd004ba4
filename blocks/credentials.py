"""Credentials of an AwsCredentials block of prefect-aws, as AWS's own variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic.json_schema import SkipJsonSchema

from jarkeeper.aws import failure_of
from jarkeeper.errors import StoreError
from jarkeeper.words import printable

if TYPE_CHECKING:
    from prefect_aws.credentials import AwsCredentials

    Credentials = AwsCredentials | None
else:
    try:
        from prefect_aws.credentials import AwsCredentials

        Credentials = AwsCredentials | None
    except ImportError:
        # A laptop has Prefect, and perhaps not the extra `aws`: the form does without the field.
        AwsCredentials = None
        Credentials = SkipJsonSchema[None]

IDENTITY = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
)
"""Who asks: replaced as a whole, since half of one identity and half of another is neither."""
REGION = ("AWS_REGION", "AWS_DEFAULT_REGION")
ENDPOINT = "AWS_ENDPOINT_URL"


def checked(value: object) -> object:
    """Return the value, or raise `ValueError` where credentials are given and not understood."""
    if value is not None and AwsCredentials is None:
        raise ValueError(
            "expected prefect-aws to be installed where this runs: `pip install 'jarkeeper[aws]'`"
        )
    return value


def with_credentials(ambient: Mapping[str, str], credentials: AwsCredentials) -> dict[str, str]:
    """Return the variables with what the block says in place of what they said.

    Credentials of the block leave none of the environment's; without any in it, the environment's
    stay. So do region, endpoint and certificates where the block names none.
    """
    variables = dict(ambient)
    if identity := _identity(credentials):
        variables = _without(variables, IDENTITY) | identity
    if credentials.region_name:
        variables = with_region(variables, credentials.region_name)
    client = credentials.aws_client_parameters
    if client.endpoint_url:
        named = tuple(name for name in variables if name.startswith(ENDPOINT))
        variables = _without(variables, named) | {ENDPOINT: client.endpoint_url}
    if client.verify_cert_path:
        variables["AWS_CA_BUNDLE"] = str(client.verify_cert_path)
    return variables


def with_region(variables: Mapping[str, str], region: str) -> dict[str, str]:
    """Return the variables with this region."""
    return _without(variables, REGION) | {"AWS_REGION": region}


def _identity(credentials: AwsCredentials) -> dict[str, str]:
    if credentials.assume_role_arn:
        return _assumed(credentials, credentials.assume_role_arn)
    secret = credentials.aws_secret_access_key
    said = {
        "AWS_ACCESS_KEY_ID": credentials.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret.get_secret_value() if secret else None,
        "AWS_SESSION_TOKEN": credentials.aws_session_token,
        "AWS_PROFILE": credentials.profile_name,
    }
    return {name: text for name, text in said.items() if text}


def _assumed(credentials: AwsCredentials, role: str) -> dict[str, str]:
    """Return credentials of the role, good for as long as AWS gives them: nothing renews them."""
    try:
        found = credentials.get_boto3_session().get_credentials().get_frozen_credentials()
    except Exception as error:  # noqa: BLE001 - what is none of AWS's is raised again
        failure = failure_of(error, what=f"AWS role '{printable(role)}'")
        raise StoreError(failure.message, hint=failure.hint) from None
    return {
        "AWS_ACCESS_KEY_ID": found.access_key,
        "AWS_SECRET_ACCESS_KEY": found.secret_key,
        "AWS_SESSION_TOKEN": found.token,
    }


def _without(variables: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: text for name, text in variables.items() if name not in names}
