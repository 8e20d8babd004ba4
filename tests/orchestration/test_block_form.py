"""The block as an operator meets it: registered, filled in through the API, loaded by name."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from blocks import CookieManager
from jarkeeper.settings import Settings
from jarkeeper.wiring import init_vault, open_vault
from orchestration.aws import ACCESS_KEY, REGION, SECRET, cloud
from orchestration.evidence import from_api, from_database, from_files, places_of
from orchestration.server import PrefectServer, prefect_server, wait_for
from vaultkit import CANARY, cookie_file

pytestmark = pytest.mark.harness

PREFIX = "teams/media"
SECRETS = (SECRET, CANARY)
ITS_OWN = {"api: blocks"}
"""Where the AWS Credentials block may be read, by whoever asks for its secrets."""

PROGRAM = """
import asyncio, json, sys
from prefect import flow, get_run_logger
from blocks import CookieManager

def told(manager):
    lent = manager.get_active_cookies()
    with lent.open() as jar:
        get_run_logger().info("%r %r", manager, jar)
        return [lent.generation, len(jar), manager.settings().place]

@flow(log_prints=True)
def in_a_flow():
    manager = CookieManager.load("production")
    print(manager, manager.settings(), manager.check())
    return told(manager)

@flow
async def in_a_loop():
    manager = await CookieManager.aload("production")
    again = await CookieManager.load("production")
    assert again.settings() == manager.settings()
    return await asyncio.to_thread(told, manager)

print(json.dumps([in_a_flow(), asyncio.run(in_a_loop())]))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with prefect_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def aws():
    with cloud("block-form") as running:
        yield running


@pytest.fixture(scope="module")
def generation(aws, tmp_path_factory):
    """The active generation of a vault on S3 and KMS."""
    settings = Settings.read(
        {
            "HOME": str(tmp_path_factory.mktemp("operator")),
            "COOKIE_S3_BUCKET": aws.bucket,
            "COOKIE_S3_PREFIX": PREFIX,
            "COOKIE_KMS_KEY_ID": aws.key,
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }
    )
    init_vault(settings)
    return open_vault(settings, actor="test").import_jar("youtube", cookie_file("a")).generation


def jarkeeper(server: PrefectServer, *words: str, **variables: str):
    return subprocess.run(
        [str(Path(sys.executable).with_name("jarkeeper")), *words],
        cwd=server.folder,
        env=server.environment | variables,
        capture_output=True,
        text=True,
        timeout=120,
    )


def ask(server: PrefectServer, path: str, body: dict[str, object] | None = None):
    request = urllib.request.Request(
        f"{server.api}/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def fill_in(server: PrefectServer, slug: str, name: str, data: dict[str, object]) -> str:
    """Store a block as the form does, by the newest schema of its type; return its id."""
    block_type = ask(server, f"block_types/slug/{slug}")
    wanted = {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}
    newest, *_ = ask(server, "block_schemas/filter", wanted)
    document = {
        "name": name,
        "data": data,
        "block_type_id": block_type["id"],
        "block_schema_id": newest["id"],
    }
    return str(ask(server, "block_documents/", document)["id"])


@pytest.fixture(scope="module")
def registered(server):
    return jarkeeper(server, "blocks", "register", "--json")


@pytest.fixture(scope="module")
def production(server, aws, registered):
    """The id of a block whose fields came from the form: texts, and what was cleared."""
    credentials = fill_in(
        server,
        "aws-credentials",
        "task",
        {
            "aws_access_key_id": ACCESS_KEY,
            "aws_secret_access_key": SECRET,
            "aws_session_token": None,
            "aws_client_parameters": {"endpoint_url": aws.url, "use_ssl": True},
        },
    )
    return fill_in(
        server,
        "cookie-manager",
        "production",
        {
            "jar": "youtube",
            "vault": "",
            "key_file": None,
            "bucket": f" {aws.bucket} ",
            "prefix": f"{PREFIX}/",
            "kms_key_id": aws.key,
            "s3_kms_key_id": "",
            "region": REGION,
            "aws_credentials": {"$ref": {"block_document_id": credentials}},
            "expiry_warning_days": "30",
            "expiry_critical_days": None,
        },
    )


@pytest.fixture(scope="module")
def ended(server, production, generation):
    """A process of somebody's flows, whose environment knows of no vault and no AWS."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=server.folder,
        env=server.environment | {"PREFECT_LOGGING_LEVEL": "DEBUG"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_registering_tells_what_and_where(server, registered):
    assert registered.returncode == 0, registered.stderr
    told = json.loads(registered.stdout)
    assert (told["name"], told["slug"]) == ("Cookie Manager", "cookie-manager")
    assert told["server"] == server.api
    assert told["form"].endswith("/blocks/catalog/cookie-manager/create")


def test_registering_again_changes_nothing(server, registered):
    again = jarkeeper(server, "blocks", "register")

    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[:2] == [
        "block    Cookie Manager (cookie-manager)  registered",
        f"server   {server.api}",
    ]
    block_type = ask(server, "block_types/slug/cookie-manager")
    wanted = {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}
    assert len(ask(server, "block_schemas/filter", wanted)) == 1


def test_prefects_own_command_registers_it_too(server, registered):
    command = [sys.executable, "-m", "prefect", "block", "register", "-m", "blocks.cookie_manager"]

    done = subprocess.run(
        command, cwd=server.folder, env=server.environment, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Cookie Manager" in done.stdout


def test_a_server_that_gives_no_answer_is_one_clear_error(server):
    lost = jarkeeper(
        server, "blocks", "register", PREFECT_API_URL="http://user:hunter2@127.0.0.1:9/api"
    )

    assert (lost.returncode, lost.stdout) == (2, "")
    assert lost.stderr.splitlines() == [
        "jarkeeper: error: Prefect server at http://127.0.0.1:9/api: cannot be reached",
        "hint: start it with `prefect server start`, or see whether PREFECT_API_URL is right",
    ]


def test_the_server_offers_a_picker_for_the_credentials(server, registered):
    block_type = ask(server, "block_types/slug/cookie-manager")
    wanted = {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}
    fields = ask(server, "block_schemas/filter", wanted)[0]["fields"]

    definition = fields["definitions"]["AwsCredentials"]
    assert fields["properties"]["aws_credentials"]["$ref"] == "#/definitions/AwsCredentials"
    assert definition["block_type_slug"] == "aws-credentials"
    assert fields["block_schema_references"]["aws_credentials"]["block_type_slug"] == (
        "aws-credentials"
    )
    assert block_type["description"].startswith("Keeps the cookies of one login")
    assert "CookieManager.load" in block_type["code_example"]


def test_a_block_from_the_form_works_in_a_flow_and_in_a_running_loop(ended, generation, aws):
    in_a_flow, in_a_loop = json.loads(ended.stdout.splitlines()[-1])

    assert in_a_flow == in_a_loop == [generation, 7, f"s3://{aws.bucket}/{PREFIX}"]


def test_the_blocks_document_refers_to_the_credentials_and_holds_nothing_of_them(
    server, production
):
    shown = ask(server, f"block_documents/{production}")
    with_secrets = ask(server, f"block_documents/{production}?include_secrets=true")

    assert SECRET not in json.dumps(shown)
    reference = with_secrets["block_document_references"]["aws_credentials"]["block_document"]
    assert reference["name"] == "task"
    del with_secrets["data"]["aws_credentials"]
    del with_secrets["block_document_references"]
    assert SECRET not in json.dumps(with_secrets)
    assert ACCESS_KEY not in json.dumps(with_secrets)


def test_no_secret_is_in_what_a_server_tells_or_keeps(server, ended):
    called = "prefect.block.cookie-manager.loaded"
    wait_for(
        lambda: "api: events" in places_of(called, from_api(server)),
        seconds=60,
        what="the events of the block",
    )

    evidence = from_api(server) | from_files({"home": server.home}) | from_database(server)
    evidence |= {"output": [(ended.stdout + ended.stderr).encode()]}

    assert set(places_of(SECRET, evidence)) <= ITS_OWN
    assert places_of(CANARY, evidence) == []


def test_the_form_and_the_class_have_the_same_fields(server, registered):
    assert json.loads(registered.stdout)["fields"] == list(CookieManager.model_fields)
