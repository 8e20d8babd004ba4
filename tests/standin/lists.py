"""Playlists and channels: pages, and the API that continues them."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from standin.pages import as_page
from standin.sessions import Session
from standin.videos import Catalogue, Channel, Playlist
from standin.wire import Response, as_json

Json = dict[str, Any]
PERSONAL = {"LL": "Liked videos", "WL": "Watch later"}
NO_PLAYLIST = "The playlist does not exist."


class Lists:
    """Answers about lists for one visitor."""

    def __init__(
        self,
        catalogue: Catalogue,
        session: Session | None,
        *,
        playlist_page: int,
        channel_page: int,
    ) -> None:
        self._catalogue = catalogue
        self._session = session
        self._playlist_page = playlist_page
        self._channel_page = channel_page

    def playlist_page(self, playlist_id: str) -> Response:
        return as_page(self._session, ytInitialData=self._playlist_data(playlist_id))

    def channel_page(self, name: str, tab: str) -> Response:
        channel = self._catalogue.channel(name)
        if channel is None:
            return Response(b"<html><body>404 Not Found</body></html>", 404)
        return as_page(self._session, ytInitialData=self._channel_data(channel, tab))

    def resolve(self, url: str) -> Response:
        """Answer what a URL leads to; an empty object if nowhere."""
        _, found, playlist_id = url.partition("list=")
        if not found:
            return as_json({})
        return as_json({"endpoint": {"browseEndpoint": {"browseId": f"VL{playlist_id}"}}})

    def browse(self, query: Json) -> Response:
        """Answer the browse API: a list's first page, or the page of a continuation."""
        if token := query.get("continuation"):
            return as_json(self._continue(str(token)))
        browse_id = str(query.get("browseId", ""))
        if browse_id.startswith("VL"):
            return as_json(self._playlist_data(browse_id[2:]))
        channel = self._catalogue.channel(browse_id)
        return as_json(self._channel_data(channel, "videos") if channel else {})

    def _find_playlist(self, playlist_id: str) -> Playlist | None:
        if playlist_id in PERSONAL:
            if self._session is None:
                return None
            own = {"LL": self._session.liked, "WL": self._session.watch_later}[playlist_id]
            return Playlist(playlist_id, PERSONAL[playlist_id], own)
        playlist = self._catalogue.playlists.get(playlist_id)
        if playlist is None or not playlist.private_to:
            return playlist
        name = self._session.name if self._session else None
        return playlist if name in playlist.private_to else None

    def _playlist_data(self, playlist_id: str) -> Json:
        playlist = self._find_playlist(playlist_id)
        if playlist is None:
            return _alert(NO_PLAYLIST)
        if playlist.fault == "incomplete":
            return {}
        if playlist.fault == "unknown":
            return _alert("Unknown error")
        renderer = {"contents": self._playlist_items(playlist, 0)}
        return _tabs(
            {"title": "", "selected": True, "content": {"sectionListRenderer": {"contents": [
                {"itemSectionRenderer": {"contents": [{"playlistVideoListRenderer": renderer}]}}
            ]}}},
            metadata={"playlistMetadataRenderer": {"title": playlist.title}},
        )  # fmt: skip

    def _channel_data(self, channel: Channel, tab: str) -> Json:
        if channel.fault == "home":
            return _tabs({"tabIdentifier": "FEwhat_to_watch", "selected": True, "title": "Home"})
        shown = tab if tab in channel.tabs else next(iter(channel.tabs))
        tabs = [self._tab(channel, name, selected=name == shown) for name in channel.tabs]
        return _tabs(
            *tabs,
            metadata={"channelMetadataRenderer": {
                "title": channel.title,
                "externalId": channel.id,
                "vanityChannelUrl": f"http://www.youtube.com/{channel.handle}",
            }},
        )  # fmt: skip

    def _tab(self, channel: Channel, name: str, *, selected: bool) -> Json:
        url = f"/{channel.handle}/{name}"
        tab: Json = {
            "title": name.capitalize(),
            "endpoint": {"commandMetadata": {"webCommandMetadata": {"url": url}}},
        }
        if selected:
            items = self._channel_items(channel, name, 0)
            tab |= {"selected": True, "content": {"richGridRenderer": {"contents": items}}}
        return tab

    def _continue(self, token: str) -> Json:
        kind, name, tab, start = _read_token(token)
        playlist = self._find_playlist(name) if kind == "playlist" else None
        channel = self._catalogue.channel(name) if kind == "channel" else None
        items = (
            self._playlist_items(playlist, start) if playlist
            else self._channel_items(channel, tab, start) if channel
            else []
        )  # fmt: skip
        action = {"appendContinuationItemsAction": {"continuationItems": items}}
        return {"onResponseReceivedActions": [action]}

    def _playlist_items(self, playlist: Playlist, start: int) -> list[Json]:
        end = start + self._playlist_page
        items = [{"playlistVideoRenderer": self._entry(v)} for v in playlist.videos[start:end]]
        if end < len(playlist.videos):
            items.append(_continuation("playlist", playlist.id, "", end))
        return items

    def _channel_items(self, channel: Channel, tab: str, start: int) -> list[Json]:
        end = start + self._channel_page
        videos = channel.tabs[tab]
        items: list[Json] = [
            {"richItemRenderer": {"content": {"videoRenderer": self._entry(v)}}}
            for v in videos[start:end]
        ]
        if end < len(videos):
            items.append(_continuation("channel", channel.handle, tab, end))
        return items

    def _entry(self, video_id: str) -> Json:
        video = self._catalogue.video(video_id)
        title = video.title if video else "[Deleted video]"
        return {
            "videoId": video_id,
            "title": {"runs": [{"text": title}]},
            "shortBylineText": {"runs": [{"text": video.uploader if video else ""}]},
        }


def _tabs(*tabs: Json, metadata: Json | None = None) -> Json:
    renderers = [{"tabRenderer": tab} for tab in tabs]
    return {
        "contents": {"twoColumnBrowseResultsRenderer": {"tabs": renderers}},
        "metadata": metadata or {},
    }


def _alert(text: str) -> Json:
    alert = {"type": "ERROR", "text": {"runs": [{"text": text}]}}
    return {"alerts": [{"alertRenderer": alert}]}


def _continuation(kind: str, name: str, tab: str, start: int) -> Json:
    token = base64.urlsafe_b64encode(f"{kind}|{name}|{tab}|{start}".encode()).decode()
    endpoint = {"continuationCommand": {"token": token}}
    return {"continuationItemRenderer": {"continuationEndpoint": endpoint}}


def _read_token(token: str) -> tuple[str, str, str, int]:
    try:
        kind, name, tab, start = base64.urlsafe_b64decode(token).decode().split("|")
        return kind, name, tab, int(start)
    except (binascii.Error, ValueError):
        return "", "", "", 0
