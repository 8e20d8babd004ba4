"""A local key from Parameter Store: a SecureString that holds COOKIE_ENCRYPTION_KEY's text."""

from __future__ import annotations

from jarkeeper.aws import Clients, failure_of
from jarkeeper.errors import KeyUnavailable
from jarkeeper.settings.forms import key


def read_parameter(clients: Clients, name: str) -> bytes:
    """Return the key, or raise `KeyUnavailable`; the parameter's value is never quoted."""
    what = f"parameter '{name}'"
    client = clients.get("ssm")
    try:
        found = client.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    except Exception as error:
        failure = failure_of(error, what=what)
        raise KeyUnavailable(failure.message, hint=failure.hint) from None
    if found["Type"] != "SecureString":
        raise KeyUnavailable(
            f"{what}: expected a SecureString, got a {found['Type']}",
            hint="a key in a plain parameter can be read by everybody who may list parameters",
        )
    try:
        return key(found["Value"].strip())
    except ValueError as error:
        raise KeyUnavailable(f"{what}: {error}") from None
