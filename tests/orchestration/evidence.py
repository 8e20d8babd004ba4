"""What flow runs leave where somebody could look: files, tables, API answers, processes."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from orchestration.leaks import is_in
from orchestration.server import PrefectServer

PAGE = 200
SAMPLE_SECONDS = 0.03

LISTS = {
    "flows": "flows/filter",
    "flow runs": "flow_runs/filter",
    "task runs": "task_runs/filter",
    "logs": "logs/filter",
    "artifacts": "artifacts/filter",
    "latest artifacts": "artifacts/latest/filter",
    "variables": "variables/filter",
    "blocks": "block_documents/filter",
    "deployments": "deployments/filter",
    "automations": "automations/filter",
}
ASKED = {"blocks": {"include_secrets": True}}

Evidence = dict[str, list[bytes]]


def places_of(secret: str, evidence: Evidence) -> list[str]:
    """Return where the secret is, in whatever form."""
    needle = secret.encode()
    return [place for place, items in evidence.items() if any(is_in(needle, i) for i in items)]


def from_api(server: PrefectServer) -> Evidence:
    """Return all that a client of the API is told."""
    found = {name: list(_pages(server, path, ASKED.get(name, {}))) for name, path in LISTS.items()}
    found["events"] = list(_events(server))
    found["flow run states"] = list(_states(server, "flow_run", found["flow runs"]))
    found["task run states"] = list(_states(server, "task_run", found["task runs"]))
    return {f"api: {name}": items for name, items in found.items()}


def from_files(folders: dict[str, Path]) -> Evidence:
    """Return the bytes and the names of all files below the folders."""
    found: Evidence = {}
    for name, folder in folders.items():
        files = [path for path in folder.rglob("*") if path.is_file()]
        found[name] = [path.read_bytes() for path in files]
        found[f"{name}: names"] = [str(path).encode() for path in files]
    return found


def from_database(server: PrefectServer) -> Evidence:
    """Return every cell of every table: in the file, long ones are cut over pages."""
    database = server.home / "prefect.db"
    found: Evidence = {}
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            rows = connection.execute(f'SELECT * FROM "{table}"').fetchall()
            cells = (cell for row in rows for cell in row if isinstance(cell, (str, bytes)))
            texts = {cell if isinstance(cell, bytes) else cell.encode() for cell in cells}
            found[f"table {table}"] = [b"\n".join(sorted(texts))]
    return found


class ProcessWatch:
    """Collects argument vectors and environments of all descendants of a process."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._found: defaultdict[str, set[bytes]] = defaultdict(set)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def evidence(self) -> Evidence:
        return {f"processes: {name}": list(items) for name, items in self._found.items()}

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            for process in _family(self._root):
                for name in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):
                        content = Path(f"/proc/{process}/{name}").read_bytes()
                        self._found[name].add(content.replace(b"\0", b"\n"))


def _family(root: int) -> list[int]:
    parents = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                parents[int(path.name)] = int(
                    (path / "stat").read_text().rpartition(")")[2].split()[1]
                )
    family = [root]
    for process in family:
        family += [child for child, parent in parents.items() if parent == process]
    return family


def _pages(server: PrefectServer, path: str, extra: dict[str, object]) -> Iterator[bytes]:
    offset = 0
    while True:
        answer = _ask(server, path, {"limit": PAGE, "offset": offset, **extra})
        yield answer
        if len(json.loads(answer)) < PAGE:
            return
        offset += PAGE


def _events(server: PrefectServer) -> Iterator[bytes]:
    answer = _ask(server, "events/filter", {"limit": 50, "filter": {}})
    while True:
        yield answer
        following = json.loads(answer)["next_page"]
        if not following:
            return
        with urllib.request.urlopen(following, timeout=30) as response:
            answer = response.read()


def _states(server: PrefectServer, kind: str, runs: list[bytes]) -> Iterator[bytes]:
    for run in (run for page in runs for run in json.loads(page)):
        url = f"{server.api}/{kind}_states/?{kind}_id={run['id']}"
        with urllib.request.urlopen(url, timeout=30) as response:
            yield response.read()


def _ask(server: PrefectServer, path: str, body: dict[str, object]) -> bytes:
    request = urllib.request.Request(
        f"{server.api}/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        content: bytes = response.read()
    return content
