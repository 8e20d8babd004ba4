import gc
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jarkeeper.settings import Settings
from standin.server import StandIn


@pytest.fixture
def youtube() -> Iterator[StandIn]:
    with StandIn() as standin:
        yield standin


@pytest.fixture
def settings(tmp_path: Path, youtube: StandIn) -> Settings:
    return replace(
        Settings.read({"HOME": str(tmp_path)}),
        proxy=youtube.proxy_url,
        ca_file=Path(youtube.ca_file),
        retry_seconds=(0.05, 0.1),
    )


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    """The stand-in for the library itself, which takes its certificates from the environment."""
    with StandIn() as yt, pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", yt.ca_file)
        yield yt
    with warnings.catch_warnings():
        # What yt-dlp left open must not be counted against the next module's tests.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def yt(server: StandIn) -> StandIn:
    server.control.reset()
    return server
