"""Clients of AWS, made once for each process and set of credentials, shared by all threads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from threading import Lock
from typing import Any

from jarkeeper.aws.failures import failure_of
from jarkeeper.errors import StoreError

CONNECT_SECONDS = 3
READ_SECONDS = 10
ATTEMPTS = {"s3": 1}
"""The store tries again by itself: what boto3 repeats behind our back may have happened already."""
ATTEMPTS_ELSEWHERE = 4
POOL = 40
"""Connections: more than downloads at once, so that none waits for another."""


class Clients:
    """Makes each client when it is first asked for. Thread-safe; one for each process."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = dict(variables)
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._session: Any = None
        self._lock = Lock()

    def __repr__(self) -> str:
        return "Clients()"

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Clients:
        """Return this process's clients for these variables of AWS's."""
        return _clients(os.getpid(), tuple(sorted(variables.items())))

    def get(self, service: str, *, region: str | None = None) -> Any:
        """Return the service's client, or raise `StoreError`; the region is the set one or this."""
        with self._lock:
            try:
                if region == self._opened_session().region_name:
                    region = None
                if (service, region) not in self._clients:
                    self._clients[service, region] = self._made(service, region)
            except Exception as error:
                failure = failure_of(error, what="AWS")
                raise StoreError(failure.message, hint=failure.hint) from None
            return self._clients[service, region]

    def _made(self, service: str, region: str | None) -> Any:
        from botocore.config import Config
        from botocore.exceptions import NoRegionError

        session = self._opened_session()
        if not (region or session.region_name):
            raise NoRegionError
        config = Config(
            retries={
                "mode": "standard",
                "total_max_attempts": ATTEMPTS.get(service, ATTEMPTS_ELSEWHERE),
            },
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            max_pool_connections=POOL,
            tcp_keepalive=True,
            user_agent_extra="jarkeeper",
        )
        told = self._variables.get
        return session.client(
            service,
            region_name=region,
            config=config,
            endpoint_url=told(f"AWS_ENDPOINT_URL_{service.upper()}") or told("AWS_ENDPOINT_URL"),
            verify=told("AWS_CA_BUNDLE"),
        )

    def _opened_session(self) -> Any:
        if self._session is None:
            from boto3 import Session
            from botocore.session import Session as Core

            told = self._variables.get
            self._session = Session(
                # Without it, boto3 looks for the environment's profile even where keys are given.
                botocore_session=Core(session_vars={"profile": (None, None, None, None)}),
                aws_access_key_id=told("AWS_ACCESS_KEY_ID"),
                aws_secret_access_key=told("AWS_SECRET_ACCESS_KEY"),
                aws_session_token=told("AWS_SESSION_TOKEN"),
                region_name=told("AWS_REGION") or told("AWS_DEFAULT_REGION"),
                profile_name=told("AWS_PROFILE"),
            )
        return self._session


@cache
def _clients(process: int, variables: tuple[tuple[str, str], ...]) -> Clients:  # noqa: ARG001
    # The process is part of the key: a client that a fork inherited shares its connections.
    return Clients(dict(variables))
