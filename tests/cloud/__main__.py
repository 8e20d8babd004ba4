"""Run the cloud by itself: `PYTHONPATH=tests python -m cloud --vault jars`.

Prints shell lines to evaluate: the endpoint, an administrator's credentials, what was made.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import threading

from cloud.server import REGION, Cloud


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    options = _parse()
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    with Cloud(tls=options.tls, port=options.port, region=options.region) as cloud:
        for name, value in (cloud.environment | _make(cloud, options)).items():
            print(f"export {name}={shlex.quote(value)}", flush=True)
        done.wait()
    return 0


def _make(cloud: Cloud, options: argparse.Namespace) -> dict[str, str]:
    """Make a bucket and the two keys of a vault; return the settings that name them."""
    if not options.vault:
        return {}
    bucket_key, key = cloud.make_key(), cloud.make_key()
    cloud.make_bucket(options.vault, kms_key=bucket_key)
    return {
        "COOKIE_S3_BUCKET": options.vault,
        "COOKIE_S3_KMS_KEY_ID": bucket_key,
        "COOKIE_KMS_KEY_ID": key,
    }


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cloud", description="A loopback AWS that enforces IAM.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--tls", action="store_true", help="serve https; see AWS_CA_BUNDLE")
    parser.add_argument("--region", default=REGION, help="where everything is")
    parser.add_argument("--vault", metavar="BUCKET", help="make a bucket and keys for a vault")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
