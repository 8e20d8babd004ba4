"""Measure how long a jar on S3 and KMS takes to open, beside the two bare requests: `make bench`.

The ways take turns, so that what else the machine does meets them all. S3 and KMS are those of the
tests, in a process of their own, with the latency that is named before each answer.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from aims import word
from measure import Spread
from report import machine, table, write_between
from services import ROOT  # first: it makes what follows of the tests importable

from cloud.faults import Fault, Kind
from cloud.server import Cloud
from jarkeeper.aws import Clients
from jarkeeper.jar import parse_jar
from jarkeeper.names import generation_key
from jarkeeper.settings import Settings
from jarkeeper.slots import Slot
from jarkeeper.vault import Vault
from jarkeeper.vault.generations import open_generation
from jarkeeper.wiring import init_vault, open_vault
from tenancy import Tenancy
from vaultkit import LOGIN, SITES, cookie_file

JAR = "youtube"
COOKIES = 95
LATENCIES = (0, 20)
MARK = "opening"
BARE, COLD, CACHED = "bare GET and Decrypt", "cold", "cached"
ONCE = "cached, once"
IN_A_ROW = 100
"""Opens of what is cached, in a row; the first after other work finds the processor's caches cold,
and is measured by itself."""
COLD_MOST, CACHED_MOST = 1.15, 0.1
"""The aims: times the bare requests, and milliseconds."""

Way = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: milliseconds by latency and way, and the requests of each way."""

    milliseconds: Mapping[int, Mapping[str, Sequence[float]]]
    requests: Mapping[str, Sequence[str]]

    def ratio(self, latency: int, way: str) -> float:
        """Return how many times as long as the bare requests it takes."""
        found = self.milliseconds[latency]
        return Spread.of(found[way]).median / Spread.of(found[BARE]).median


def main() -> None:
    """Measure, print the tables, and put them into the document."""
    parser = argparse.ArgumentParser(description=__doc__, prog="bench/open_path.py")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "performance.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Server() as server:
        settings = Settings.read(server.variables(Path(folder)))
        init_vault(settings)
        vault = open_vault(settings, listener=lambda _: None)
        names = (*LOGIN, *(f"C{number:02d}" for number in range(COOKIES - len(LOGIN) - 1)))
        for tag in ("first", "bench" * 8):  # a log of one head is read with a request less
            vault.import_jar(JAR, cookie_file(tag, names=names))
        figures = take(vault, settings, server, rounds=options.rounds)
    text = render(figures, rounds=options.rounds)
    print(text)
    write_between(options.into, text, mark=MARK)


def take(vault: Vault, settings: Settings, server: Server, *, rounds: int) -> Figures:
    """Return the figures of all ways at all latencies."""
    clients = Clients.of(settings.aws)
    every = ways(vault, settings, clients)
    found: dict[int, dict[str, list[float]]] = {}
    for latency in LATENCIES:
        server.delay(latency / 1000)
        found[latency] = {name: [] for name in every}
        for number in range(rounds + 1):
            for name, way in every.items():
                times = IN_A_ROW if name == CACHED else 1
                began = time.perf_counter()
                for _ in range(times):
                    way()
                if number:  # the first round warms up
                    passed = (time.perf_counter() - began) * 1000 / times
                    found[latency][name].append(passed)
    server.delay(0)
    return Figures(found, {name: requests(way, clients) for name, way in every.items()})


def ways(vault: Vault, settings: Settings, clients: Clients) -> dict[str, Way]:
    """Return the ways to a jar, the bare requests first."""
    head = vault.status(JAR)
    assert head is not None
    assert head.active is not None
    record = head.active.generation
    lent = vault.lend(JAR)
    s3, kms = clients.get("s3"), clients.get("kms")
    key = generation_key(JAR, record.id)
    wrapped, context = data_key(vault.ports.store.get(key))

    def bare() -> object:
        answer = s3.get_object(Bucket=settings.s3_bucket, Key=key)
        answer["Body"].read()
        return kms.decrypt(
            KeyId=settings.kms_key_id, CiphertextBlob=wrapped, EncryptionContext=context
        )

    def cold() -> object:
        return parse_jar(open_generation(vault.ports, JAR, record), sites=SITES)

    def cached() -> object:
        with lent.open() as jar:
            return len(jar)

    def revalidated() -> object:
        newest = vault.status(JAR)
        assert newest is not None
        assert newest.slots.find(lent.generation)
        return cached()

    def whole() -> object:
        with vault.lend(JAR, Slot.ACTIVE).open() as jar:
            return len(jar)

    return {
        BARE: bare,
        COLD: cold,
        ONCE: cached,
        CACHED: cached,
        "revalidated": revalidated,
        "lend": whole,
    }


def data_key(sealed: bytes) -> tuple[bytes, dict[str, str]]:
    """Return an envelope's wrapped data key and its context: what KMS is asked with."""
    from aws_encryption_sdk.internal.formatting.deserialize import deserialize_header

    header, _ = deserialize_header(io.BytesIO(sealed))
    (wrapped,) = header.encrypted_data_keys
    return wrapped.encrypted_data_key, dict(header.encryption_context)


def requests(way: Way, clients: Clients) -> list[str]:
    """Return the requests that a way makes."""
    made: list[str] = []

    def note(event_name: str, **_: Any) -> None:
        made.append(event_name.rpartition(".")[2])

    every = [clients.get("s3"), clients.get("kms")]
    for client in every:
        client.meta.events.register("before-send", note, unique_id="bench")
    way()
    for client in every:
        client.meta.events.unregister("before-send", unique_id="bench")
    return made


class Server:
    """S3 and KMS in a process of their own, until the `with` block ends."""

    def __enter__(self) -> Self:
        fork = multiprocessing.get_context("fork")
        self._pipe, theirs = fork.Pipe()
        self._process = fork.Process(target=serve, args=(theirs, self._pipe), daemon=True)
        self._process.start()
        theirs.close()
        self._variables: dict[str, str] = self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.join()

    def variables(self, folder: Path) -> dict[str, str]:
        """Return the settings of a vault there."""
        own = {"JARKEEPER_STATE_DIR": str(folder / "state"), "COOKIE_OPENS_PER_HOUR": "10000"}
        return self._variables | own

    def delay(self, seconds: float) -> None:
        """Have every answer wait that long."""
        self._pipe.send(seconds)
        self._pipe.recv()


def serve(pipe: Any, other: Any) -> None:
    """Answer until the other end of the pipe is closed."""
    other.close()
    with Cloud() as cloud:
        pipe.send(Tenancy(cloud).variables(Path("unused")))
        while True:
            try:
                seconds = pipe.recv()
            except EOFError:
                return
            cloud.faults.clear()
            for service in ("s3", "kms") if seconds else ():
                always = Fault(Kind.DELAY_AFTER, service=service, times=1 << 40, seconds=seconds)
                cloud.faults.add(always)
            pipe.send("done")


def render(figures: Figures, *, rounds: int) -> str:
    """Return the tables as Markdown."""
    heads = ["way", "requests"]
    for latency in LATENCIES:
        heads += [f"{latency} ms latency: median ms", "times bare"]
    lend = ", ".join(figures.requests["lend"])
    return "\n\n".join(
        [
            f"{machine('make bench')} Medians of {rounds} rounds, a jar of {COOKIES} cookies.",
            table(("aim", "measured", ""), aims(figures)),
            table(heads, rows(figures)),
            f"The requests of `lend`, in their order: {lend}.",
        ]
    )


def rows(figures: Figures) -> Iterator[Sequence[str]]:
    """Yield one row for each way."""
    for way, made in figures.requests.items():
        cells = [way, str(len(made))]
        for latency in LATENCIES:
            median = Spread.of(figures.milliseconds[latency][way]).median
            cells += [f"{median:.3f}", f"{figures.ratio(latency, way):.3f}"]
        yield cells


def aims(figures: Figures) -> Iterator[Sequence[str]]:
    """Yield each aim, what was measured, and whether it is reached."""
    for latency in LATENCIES:
        ratio = figures.ratio(latency, COLD)
        aim = f"{latency} ms: {COLD} against the bare requests: at most {COLD_MOST} times"
        yield aim, f"{ratio:.3f} times", word(ratio <= COLD_MOST)
    median = Spread.of(figures.milliseconds[0][CACHED]).median
    yield f"{CACHED}: at most {CACHED_MOST} ms", f"{median:.3f} ms", word(median <= CACHED_MOST)


if __name__ == "__main__":
    main()
