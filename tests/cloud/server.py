"""AWS on a loopback port: moto behind a gate that enforces IAM as AWS does.

One process holds one AWS, because moto keeps its state in the process: two `Cloud`s in one process
share buckets, keys and roles (but neither faults nor records), and `reset` empties both. When the
last one ends, everything is forgotten.
"""

from __future__ import annotations

import json
import logging
import tempfile
import threading
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import boto3
import trustme
from botocore.config import Config
from werkzeug.serving import make_server

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # moto's own imports, not ours to mend
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )

from cloud import estate, identities, wire
from cloud.calls import Call
from cloud.estate import ACCOUNT
from cloud.faults import Faults
from cloud.gate import Gate
from cloud.logbook import Logbook

Policy = dict[str, Any]
REGION = "eu-central-1"
# moto checks a condition and then writes, unlocked: one request at a time makes that atomic.
ONE_AT_A_TIME = threading.RLock()
# One session for all clients, because each session reads the services' models anew (0.2 s each).
_SESSION = boto3.Session()
_SESSION_LOCK = threading.Lock()


class _Handler(MotoRequestHandler):
    """Answers quietly and at once, and sees a client that goes away as nothing special."""

    # Headers and body are two writes: without this, TLS clients wait 40 ms for the second.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        if type == "error":
            logging.getLogger("cloud").error(message, *args)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True


class Cloud:
    """An AWS to test against: `with Cloud() as cloud: ... cloud.environment, cloud.assume(...)`."""

    def __init__(self, *, tls: bool = False, port: int = 0, region: str = REGION) -> None:
        self.account = ACCOUNT
        self.region = region
        self.calls: list[Call] = []
        self.logbook: Logbook | None = None
        """Where given, what AWS would log of each request is written into it."""
        self.faults = Faults()
        self.clock_offset = timedelta()
        self.ca_file: Path | None = None
        self._tls, self._port = tls, port
        self._stack = ExitStack()
        self._clients: dict[str, Any] = {}

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of an administrator, who meets faults and is recorded like anyone."""
        return self._variables(identities.ADMIN_KEY, identities.ADMIN_SECRET)

    def __enter__(self) -> Self:
        self._stack.enter_context(estate.in_use())
        context = self._certificate() if self._tls else None
        moto = DomainDispatcherApplication(create_backend_app)
        self._gate = Gate(moto, region=self.region, now=self._now, calls=self.calls)
        server = make_server(
            "127.0.0.1",
            self._port,
            self._serve,
            threaded=True,
            request_handler=_Handler,
            ssl_context=context,
        )
        server.daemon_threads = True
        self._port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        self._stack.callback(server.server_close)
        self._stack.callback(thread.join)
        self._stack.callback(server.shutdown)
        self._stack.callback(self._close_clients)
        self._stack.callback(self.faults.clear)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def admin(self, service: str) -> Any:
        """Return a client that may do all, meets no faults and leaves no records."""
        if service not in self._clients:
            variables = self._variables(identities.HAND_KEY, identities.HAND_SECRET)
            self._clients[service] = client(service, variables)
        return self._clients[service]

    def assume(
        self,
        role_name: str,
        policy: Policy | None,
        *,
        session_policy: Policy | None = None,
        seconds: int = 3600,
    ) -> dict[str, str]:
        """Create the role or give it another policy; return the variables of a session of it."""
        iam = self.admin("iam")
        trust = allow("sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
        try:
            role = iam.get_role(RoleName=role_name)["Role"]
        except iam.exceptions.NoSuchEntityException:
            role = iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=json.dumps(trust))
            role = role["Role"]
        if policy is not None:
            iam.put_role_policy(
                RoleName=role_name, PolicyName="test", PolicyDocument=json.dumps(policy)
            )
        more = {"Policy": json.dumps(session_policy)} if session_policy else {}
        session = self.admin("sts").assume_role(
            RoleArn=role["Arn"], RoleSessionName="session", DurationSeconds=seconds, **more
        )["Credentials"]
        return self._variables(
            session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
        )

    def expire(self, variables: dict[str, str]) -> None:
        """End a session that `assume` gave before its time."""
        with ONE_AT_A_TIME:
            session = estate.session(variables["AWS_ACCESS_KEY_ID"])
            session.expiration = self._now() - timedelta(seconds=1)

    def make_bucket(
        self,
        name: str,
        *,
        kms_key: str | None = None,
        versioned: bool = True,
        policy: Policy | None = None,
    ) -> str:
        """Create a bucket, encrypted by default with the key if one is given; return its name."""
        s3 = self.admin("s3")
        where = {"LocationConstraint": self.region}
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)
        if versioned:
            state = {"Status": "Enabled"}
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=state)
        if kms_key:
            default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms_key}
            rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
            s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=rules)
        if policy:
            s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
        return name

    def make_key(self, policy: Policy | None = None) -> str:
        """Create a KMS key and return its ARN; by default the account's IAM decides who uses it."""
        default = allow("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
        document = json.dumps(policy or default)
        return self.admin("kms").create_key(Policy=document)["KeyMetadata"]["Arn"]

    def reset(self) -> None:
        """Forget all objects, buckets, keys, roles, faults, records and the clock's offset."""
        with ONE_AT_A_TIME:
            self.faults.clear()
            self.calls.clear()
            self.clock_offset = timedelta()
            estate.forget()

    def _now(self) -> datetime:
        return datetime.now(UTC) + self.clock_offset

    def _variables(self, key: str, secret: str, token: str = "") -> dict[str, str]:
        variables = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
        }
        if token:
            variables["AWS_SESSION_TOKEN"] = token
        if self.ca_file:
            variables["AWS_CA_BUNDLE"] = str(self.ca_file)
        return variables

    def _serve(self, environ: wire.Environ, start_response: Callable[..., object]) -> list[bytes]:
        request = wire.read(environ)
        return wire.send(self.faults.around(request, self._answer), start_response)

    def _answer(self, request: wire.Request) -> wire.Response:
        with ONE_AT_A_TIME:
            response = self._gate.answer(request)
            if self.logbook is not None:
                self.logbook.note(request, response, self._now())
            return response

    def _certificate(self) -> Any:
        import ssl

        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="cloud-"))
        authority = trustme.CA(organization_name="Jarkeeper test cloud")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        self.ca_file = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        return context

    def _close_clients(self) -> None:
        for each in self._clients.values():
            each.close()
        self._clients.clear()


def allow(actions: str | list[str], resources: str | list[str] = "", **more: Any) -> Policy:
    """Return a policy of one statement that allows; a trust policy names no resource."""
    statement = {"Effect": "Allow", "Action": actions, **more}
    if resources:
        statement["Resource"] = resources
    return {"Version": "2012-10-17", "Statement": [statement]}


def client(service: str, variables: dict[str, str], **options: Any) -> Any:
    """Return a boto3 client of the variables alone, whatever the process's environment says."""
    settings = Config(
        retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=10, proxies={}
    )
    with _SESSION_LOCK:
        return _SESSION.client(
            service,
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=variables.get("AWS_SESSION_TOKEN"),
            region_name=variables["AWS_REGION"],
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            verify=variables.get("AWS_CA_BUNDLE"),
            config=settings.merge(options.pop("config", Config())),
            **options,
        )
