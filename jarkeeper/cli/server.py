"""The Prefect server in force: found by Prefect's own settings, and asked before it is used.

Prefect takes over a second to load, so that only commands that need it import it, by name: the core
must not know flows and blocks, which know the core.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jarkeeper.errors import InputError

UNAUTHORIZED = 401
STARTUP_SECONDS = 120
"""A temporary server makes its database first; Prefect's 20 s are short on a busy machine."""


def be_patient() -> None:
    """Give a temporary server time to start; to be called before Prefect is imported."""
    # What the user has set stays.
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", str(STARTUP_SECONDS))


def imported(name: str, *, wanted_by: str) -> Any:
    """Return a module that needs Prefect, or raise `InputError` where it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{wanted_by}: module '{error.name}' is missing",
            hint="install Jarkeeper with what it requires, as the README says",
        ) from error


def server_url() -> str | None:
    """Return the address of the server's API, or None where Prefect would start a temporary one."""
    url: str | None = importlib.import_module("prefect.settings").PREFECT_API_URL.value()
    return url or None


def check_server() -> None:
    """Raise `InputError` if a server is set that gives no answer; without one, Prefect starts it.

    Prefect would raise a plain RuntimeError in the middle of its engine.
    """
    url = server_url()
    if url is None:
        return
    orchestration = importlib.import_module("prefect.client.orchestration")
    with orchestration.get_client(sync_client=True) as client:
        failure = client.api_healthcheck()
    if failure is not None:
        raise unreachable(url)


def require_server(wanted_by: str) -> None:
    """Raise `InputError` unless a server is set that answers: a temporary one knows nothing."""
    imported("prefect.settings", wanted_by=wanted_by)
    if server_url() is None:
        raise InputError(
            f"{wanted_by}: expected a Prefect server, PREFECT_API_URL is not set",
            hint="start one with `prefect server start`, and export "
            "PREFECT_API_URL=http://127.0.0.1:4200/api",
        )
    check_server()


@contextmanager
def refusals(wanted_by: str) -> Iterator[None]:
    """Turn what the server says against a request into `InputError`."""
    refused = imported("prefect.exceptions", wanted_by=wanted_by).PrefectHTTPStatusError
    broken = imported("httpx", wanted_by=wanted_by).TransportError
    where = server_url() or ""
    try:
        yield
    except refused as error:
        code = error.response.status_code
        raise InputError(
            f"Prefect server at {without_login(where)}: refused it (HTTP {code})",
            hint="set PREFECT_API_AUTH_STRING or PREFECT_API_KEY" if code == UNAUTHORIZED else None,
        ) from None
    except broken:
        raise unreachable(where) from None


def unreachable(url: str) -> InputError:
    """Return the error for a server that gives no answer."""
    return InputError(
        f"Prefect server at {without_login(url)}: cannot be reached",
        hint="start it with `prefect server start`, or see whether PREFECT_API_URL is right",
    )


def without_login(url: str) -> str:
    """Return the URL without a name and password in it."""
    scheme, found, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{found}{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"
