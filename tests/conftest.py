import signal

import pytest

from cloud.server import Cloud
from tenancy import Tenancy

# Whoever starts the tests in the background may ignore Ctrl-C, or the end of the terminal; the
# programs under test must not inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def cloud():
    """An AWS on loopback that enforces IAM, one for all tests: each makes its own bucket.

    Over TLS, because our bucket policy admits nothing else.
    """
    with Cloud(tls=True) as cloud:
        yield cloud


@pytest.fixture
def tenancy(cloud):
    """A bucket, its keys and roles, and no faults left by anybody."""
    cloud.faults.clear()
    yield Tenancy(cloud)
    cloud.faults.clear()
