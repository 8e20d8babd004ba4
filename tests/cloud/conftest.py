import pytest

from cloud.server import Cloud


@pytest.fixture(scope="session")
def running():
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(running):
    yield running
    running.reset()
