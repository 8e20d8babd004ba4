"""A vault of its own, with the stand-in behind it: what every flow run here needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from jarkeeper.settings import Settings
from jarkeeper.vault import ImportReceipt
from jarkeeper.wiring import init_vault, open_vault
from standin.server import StandIn

RETRY_SECONDS = "0.1,0.1,0.1"


def url(video_id: str) -> str:
    return f"https://www.youtube.com/watch?v={video_id}"


def video_ids(count: int) -> list[str]:
    return [f"video{number:06d}" for number in range(count)]


@dataclass(frozen=True)
class Place:
    """Folders under `folder`, and the environment that leads there."""

    folder: Path
    standin: StandIn

    @property
    def downloads(self) -> Path:
        return self.folder / "downloads"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "JARKEEPER_VAULT": str(self.folder / "vault"),
            "JARKEEPER_KEY_FILE": str(self.folder / "config" / "key"),
            "JARKEEPER_STATE_DIR": str(self.folder / "state"),
            "COOKIE_TEMP_DIR": str(self.folder / "temp"),
            "JARKEEPER_PROXY": self.standin.proxy_url,
            "JARKEEPER_CA_FILE": self.standin.ca_file,
            "JARKEEPER_RETRY_SECONDS": RETRY_SECONDS,
        }

    @property
    def settings(self) -> Settings:
        return Settings.read(self.environment | {"HOME": str(self.folder)})

    def prepare(self) -> None:
        (self.folder / "temp").mkdir(mode=0o700)
        init_vault(self.settings)

    def import_session(self, name: str, **options: object) -> ImportReceipt:
        """Import the cookies of a new session of the stand-in: the active jar until the next."""
        text = self.standin.control.new_session(name, **options)  # type: ignore[arg-type]
        vault = open_vault(self.settings, actor="test")
        return vault.import_jar("youtube", text.encode(), confirmed=True)

    def videos(self) -> list[str]:
        return sorted(path.name for path in self.downloads.glob("*.mp4"))

    def audit_text(self) -> str:
        lines = [
            path.read_text() for path in sorted((self.folder / "vault").glob("audit/**/*.jsonl"))
        ]
        return "".join(lines)

    def audit(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.audit_text().splitlines()]
