"""What the measured commands talk to, each a process of its own: the stand-in and Prefect."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import certifi

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
BIN = Path(sys.executable).parent
sys.path.insert(0, str(TESTS))  # the stand-in and the Prefect server of the tests serve here too

from orchestration.server import prefect_server  # noqa: E402
from standin.control import Control  # noqa: E402

__all__ = [
    "BIN",
    "ROOT",
    "Control",
    "clean_environment",
    "prefect_api",
    "standin",
    "trusted",
    "vault",
]


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment in which no setting of the user's has a say."""
    return {
        "PATH": os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
    }


@contextlib.contextmanager
def standin(folder: Path) -> Iterator[tuple[Control, dict[str, str]]]:
    """Yield the control of a running stand-in, and the settings that lead Jarkeeper to it."""
    ca_file = folder / "authority.pem"
    process = subprocess.Popen(
        [sys.executable, "-m", "standin", "--ca-file", str(ca_file), "--end-with-stdin"],
        env=clean_environment(folder) | {"PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:  # leaving closes its standard input, which ends it
        assert process.stdout is not None
        state = json.loads(process.stdout.readline())
        yield (
            Control(state["control_url"]),
            {"JARKEEPER_PROXY": state["proxy_url"], "JARKEEPER_CA_FILE": str(ca_file)},
        )


def trusted(ca_file: Path) -> Path:
    """Return a file of the usual authorities and this one: reading them all takes its time too."""
    usual = ssl.get_default_verify_paths().cafile or certifi.where()
    bundle = ca_file.with_name("trusted.pem")
    bundle.write_bytes(Path(usual).read_bytes() + b"\n" + ca_file.read_bytes())
    return bundle


@contextlib.contextmanager
def prefect_api(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the environment that leads to a running Prefect server with an empty database."""
    folder.mkdir()
    with prefect_server(folder) as server:
        names = ("PREFECT_", "DO_NOT_TRACK")
        yield {name: text for name, text in server.environment.items() if name.startswith(names)}


def vault(environment: Mapping[str, str], cookies: Path) -> None:
    """Make a vault at the usual place in this environment's home and import the cookies."""
    for words in (["init"], ["import", str(cookies)]):
        subprocess.run(
            [str(BIN / "jarkeeper"), *words], env=dict(environment), check=True, capture_output=True
        )
