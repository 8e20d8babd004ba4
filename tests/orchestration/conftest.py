"""One Prefect server for all flow runs here, one stand-in, and a fresh vault for each test."""

from __future__ import annotations

import pytest

from orchestration.place import Place
from orchestration.server import QUIET, prefect, prefect_server
from standin.server import StandIn


@pytest.fixture(scope="session")
def standin():
    with StandIn() as yt:
        yield yt


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory):
    """A server that knows nothing yet; flows called in this process run against it."""
    import prefect.settings
    from prefect.testing.utilities import prefect_test_harness

    settings = {getattr(prefect.settings, name): QUIET[name] for name in QUIET if "PREFECT" in name}
    settings[prefect.settings.PREFECT_FLOWS_HEARTBEAT_FREQUENCY] = None
    settings[prefect.settings.PREFECT_HOME] = tmp_path_factory.mktemp("prefect")
    with (
        pytest.MonkeyPatch.context() as patch,
        prefect.settings.temporary_settings(settings),
    ):
        patch.setenv("DO_NOT_TRACK", "1")
        with prefect_test_harness(server_startup_timeout=120):
            yield


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server as a process of its own, with the work pools of prefect.yaml."""
    with prefect_server(tmp_path_factory.mktemp("server")) as running:
        for pool in ("jarkeeper", "jarkeeper-upkeep"):
            prefect(running, "work-pool", "create", pool, "--type", "process")
        yield running


@pytest.fixture
def place(tmp_path, standin, monkeypatch):
    """A vault without cookies, which the environment leads to."""
    standin.control.reset()
    here = Place(tmp_path, standin)
    for name, value in here.environment.items():
        monkeypatch.setenv(name, value)
    here.prepare()
    return here


@pytest.fixture
def youtube(prefect_api, place):
    """The stand-in's controls, ready for a flow run; its videos are small."""
    place.standin.control.set_size(60_000)
    return place.standin.control
