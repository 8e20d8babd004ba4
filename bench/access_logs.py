"""S3's server access logs, made up, and read: `access_logs.py write FOLDER LINES | read FOLDER`.

A month of a vault's bucket, a file an hour: what Jarkeeper itself does there.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from jarkeeper.sources.access_logs import AccessLogs
from jarkeeper.sources.requests import Place

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = 720
BUCKET = "jars"
OWNER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
ROLES = (
    *(f"arn:aws:sts::123456789012:assumed-role/jarkeeper-task/{number:x}" for number in range(8)),
    "arn:aws:iam::123456789012:user/operator",
)
OPERATIONS = (
    *(("REST.GET.OBJECT", "GET", "cookies/youtube/heads/%012d.json", "200 - 900 900"),) * 6,
    *(("REST.PUT.OBJECT", "PUT", "audit/dt={day}/%032x/000000000001.jsonl", "200 - - 620"),) * 4,
    *(("REST.GET.BUCKET", "GET", "-", "200 - 4211 -"),) * 2,
    ("REST.GET.OBJECT", "GET", "cookies/youtube/generations/%032x", "200 - 10240 10240"),
)
TAIL = (
    "s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 "
    "TLS_AES_128_GCM_SHA256 AuthHeader jars.s3.eu-central-1.amazonaws.com TLSv1.3 - - eu-central-1"
)


def main(what: str, folder: str, lines: str = "0") -> None:
    """Write logs, or read them and say what that took."""
    if what == "write":
        write(Path(folder), lines=int(lines))
        return
    files = sorted(Path(folder).iterdir())
    began = time.perf_counter()
    logs = AccessLogs(Place("b" * 32, BUCKET), BEGAN, BEGAN + timedelta(hours=HOURS))
    judged = sum(1 for _ in logs.read(files))
    said = {"seconds": time.perf_counter() - began, "lines": logs.lines - logs.damaged}
    print(json.dumps(said | {"judged": judged}))


def write(folder: Path, *, lines: int) -> None:
    """Write that many lines."""
    random = Random(7)
    folder.mkdir(parents=True)
    for hour in range(HOURS):
        at = BEGAN + timedelta(hours=hour)
        count = lines // HOURS + (hour < lines % HOURS)
        text = "".join(_line(random, at) for _ in range(count))
        if text:
            (folder / f"{at:%Y-%m-%d-%H}-00-00-{random.getrandbits(64):016X}").write_text(text)


def _line(random: Random, hour: datetime) -> str:
    number = random.getrandbits(32)
    operation, method, key, told = OPERATIONS[number % len(OPERATIONS)]
    if "%" in key:
        key = key.format(day=hour.date()) % number
    path = f"/{BUCKET}" if key == "-" else f"/{BUCKET}/{key}"
    minute, second = number // 64 % 60, number // 4096 % 60
    return (
        f"{OWNER} {BUCKET} [{hour:%d/%b/%Y:%H}:{minute:02}:{second:02} +0000] "
        f"192.0.2.{number % 97} {ROLES[number % len(ROLES)]} {number:016X} {operation} {key} "
        f'"{method} {path} HTTP/1.1" {told} {number % 70} {number % 50} "-" '
        f'"Boto3/1.40 md/Botocore#1.40 ua/2.1 os/linux#6.1 lang/python#3.11" - {TAIL}\n'
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
