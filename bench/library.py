"""The bare library on threads, as quick as it goes: what Jarkeeper's overhead is measured by.

Usage: library.py URLS PROXY THREADS [COOKIES]; the files go to the current folder.
"""

from __future__ import annotations

import io
import json
import queue
import sys
import threading
import time
from pathlib import Path

from yt_dlp import YoutubeDL


def main(urls: str, proxy: str, threads: str, cookies: str | None = None) -> None:
    """Download every URL of the file, and say how long the threads took."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for url in Path(urls).read_text().split():
        waiting.put(url)
    jar = Path(cookies).read_text() if cookies else None
    began = time.perf_counter()
    workers = [
        threading.Thread(target=fetch_all, args=(waiting, proxy, jar)) for _ in range(int(threads))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(json.dumps({"threads_seconds": time.perf_counter() - began}))


def fetch_all(waiting: queue.SimpleQueue[str], proxy: str, jar: str | None) -> None:
    """Download what is waiting with one instance, which knows YouTube only."""
    options = {
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "allowed_extractors": ["youtube.*"],
        "cachedir": False,
        "proxy": proxy,
        "compat_opts": {"no-certifi"},
        "cookiefile": io.StringIO(jar) if jar else None,
    }
    with YoutubeDL(options) as ydl:
        while True:
            try:
                url = waiting.get_nowait()
            except queue.Empty:
                return
            ydl.extract_info(url)


if __name__ == "__main__":
    main(*sys.argv[1:])
