"""A real Chromium, driven headless; where there is none, tests say how to get one, and skip."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def browser_path():
    """Return where the browser is, or None."""
    return os.environ.get("JARKEEPER_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def chromium():
    """Give a browser with a profile of its own that is gone afterwards."""
    path = browser_path()
    if path is None:
        pytest.skip("no browser: install chromium, or name one in JARKEEPER_BROWSER")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()
