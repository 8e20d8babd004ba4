"""The control API, on the stand-in's side: `POST /control/<call>` with a JSON object."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from standin import sessions
from standin.answers import expect_answer
from standin.sessions import Session
from standin.videos import VIDEO_ID, Channel, Playlist, Video
from standin.wire import Request, Response, as_json
from standin.world import Rule, World

Json = dict[str, Any]
STATES = ("alive", "revoked", "expired")


def respond(world: World, request: Request) -> Response:
    """Return the answer of one call, or an error that says what was wrong with it."""
    name = request.path.removeprefix("/control/")
    call = getattr(Calls(world), name, None)
    if name.startswith("_") or not callable(call):
        return as_json({"error": f"call '{name}': there is none of that name"}, status=404)
    try:
        return as_json({"result": call(**request.json())})
    except (TypeError, ValueError, KeyError) as error:
        return as_json({"error": f"{name}: {error}"}, status=400)


class Calls:
    """What other processes may do; arguments and results are JSON."""

    def __init__(self, world: World) -> None:
        self._world = world

    def ping(self) -> str:
        return "pong"

    def reset(self) -> None:
        self._world.reset()

    def new_session(
        self, name: str, *, expires_in: int, foreign_rows: int = 0, **fields: Any
    ) -> str:
        expires_at = int(time.time()) + expires_in
        session = Session(name, expires_at, **_tuples(fields))
        self._world.book.add(session)
        return sessions.cookies_txt(session, foreign_rows=foreign_rows)

    def update_session(self, name: str, **fields: Any) -> None:
        if fields.get("state", "alive") not in STATES:
            raise ValueError(f"state '{fields['state']}': expected one of {', '.join(STATES)}")
        with self._world.book.lock:
            session = self._session(name)
            for field, value in _tuples(fields).items():
                if not hasattr(session, field):
                    raise ValueError(f"session field '{field}': there is none of that name")
                setattr(session, field, value)

    def rotate(self, name: str) -> None:
        with self._world.book.lock:
            self._session(name).rotate()

    def session(self, name: str) -> Json:
        with self._world.book.lock:
            session = self._session(name)
            fields = ("name", "state", "requests", "refused", "rotations", "values", "last_cookies")
            return {field: getattr(session, field) for field in fields}

    def cookies(self, name: str) -> str:
        with self._world.book.lock:
            return sessions.cookies_txt(self._session(name))

    def add_video(self, video_id: str, **fields: Any) -> None:
        if not VIDEO_ID.fullmatch(video_id):
            raise ValueError("video id: expected 11 letters, digits, '-' or '_'")
        expect_answer(fields.get("answer", "ok"))
        fields.setdefault("title", f"Video {video_id}")
        fields.setdefault("size", self._world.catalogue.size)
        self._world.catalogue.videos[video_id] = Video(video_id, **_tuples(fields))

    def update_video(self, video_id: str, **fields: Any) -> None:
        expect_answer(fields.get("answer", "ok"))
        video = self._world.catalogue.video(video_id)
        if video is None:
            raise ValueError(f"video {video_id}: does not exist")
        self._world.catalogue.videos[video_id] = replace(video, **_tuples(fields))

    def add_playlist(self, playlist_id: str, **fields: Any) -> None:
        self._world.catalogue.playlists[playlist_id] = Playlist(playlist_id, **_tuples(fields))

    def add_channel(self, handle: str, *, tabs: dict[str, list[str]], **fields: Any) -> str:
        channel = Channel(handle, tabs={name: tuple(ids) for name, ids in tabs.items()}, **fields)
        self._world.catalogue.channels[handle] = channel
        return channel.id

    def configure(self, **fields: Any) -> None:
        for field, value in fields.items():
            if field in ("strict", "size"):
                setattr(self._world.catalogue, field, value)
            elif field in ("latency_ms", "playlist_page", "channel_page"):
                setattr(self._world, field, value)
            else:
                raise ValueError(f"setting '{field}': there is none of that name")

    def set_answer(self, answer: str, *, who: str = "all", video_id: str | None = None) -> None:
        with self._world.lock:
            self._world.rules.append(Rule(expect_answer(answer), who, video_id))

    def clear_answers(self) -> None:
        with self._world.lock:
            self._world.rules.clear()

    def fault(self, endpoint: str, **fields: Any) -> int:
        return self._world.faults.add(endpoint=endpoint, **fields)

    def clear_faults(self, fault_id: int | None = None) -> None:
        self._world.faults.clear(fault_id)

    def requests(self) -> list[Json]:
        return self._world.seen()

    def clear(self) -> None:
        self._world.log.clear()

    def media(self, video_id: str, *, itag: int) -> Json:
        video = self._world.catalogue.video(video_id)
        stream = video.stream(itag) if video else None
        if stream is None:
            raise ValueError(f"video {video_id}: has no format {itag}")
        return {"size": stream.media.size, "sha256": stream.media.sha256()}

    def _session(self, name: str) -> Session:
        if name not in self._world.book.sessions:
            raise ValueError(f"session '{name}': there is none of that name")
        return self._world.book.sessions[name]


def _tuples(fields: Json) -> Json:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
