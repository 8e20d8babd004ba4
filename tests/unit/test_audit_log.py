import json
import logging
from pathlib import Path

import pytest

from jarkeeper.settings import Settings
from jarkeeper.wiring import init_vault, open_vault

CANARY = "canary-9f2c77d1e4"
JAR = "\n".join(
    [
        "# Netscape HTTP Cookie File",
        f".youtube.com\tTRUE\t/\tTRUE\t0\tLOGIN_INFO\t{CANARY}",
        f".youtube.com\tTRUE\t/\tTRUE\t0\tSAPISID\t{CANARY}",
        "",
    ]
).encode()


def test_every_event_is_logged_as_one_line_without_a_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings.read({"HOME": str(tmp_path)})
    caplog.set_level(logging.INFO, logger="jarkeeper.audit")
    init_vault(settings)
    vault = open_vault(settings)

    vault.import_jar("youtube", JAR)
    vault.lend("youtube")

    told = [json.loads(record.message) for record in caplog.records]
    assert [(line["action"], line["phase"]) for line in told] == [
        ("import", "intent"),
        ("import", "outcome"),
        ("lend", "intent"),
        ("lend", "outcome"),
    ]
    assert CANARY not in caplog.text


def test_nothing_is_logged_unless_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings.read({"HOME": str(tmp_path)})
    caplog.set_level(logging.WARNING, logger="jarkeeper.audit")
    init_vault(settings)

    open_vault(settings).import_jar("youtube", JAR)

    assert caplog.records == []
