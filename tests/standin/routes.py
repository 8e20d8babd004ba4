"""Which request gets which answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from standin import lists, pages
from standin.media import Media, clip, respond
from standin.sessions import Session
from standin.videos import Video
from standin.wire import Request, Response, as_json
from standin.world import World

LIST_PATH = re.compile(r"/(?:(?:channel|c|user)/(?=[^@])|(?=@))(?P<name>[^/]+)(?:/(?P<tab>\w+))?")
API = "/youtubei/v1/"
HLS = "application/vnd.apple.mpegurl"


@dataclass(slots=True)
class Visit:
    """A request, and what could be told about it before it is answered."""

    request: Request
    endpoint: str
    video_id: str | None = None
    client: str | None = None
    session: Session | None = None
    cookies: list[tuple[str, str]] = field(default_factory=list)


def classify(request: Request) -> Visit:
    """Return the kind of endpoint, and the video it is about."""
    path, query = request.path, request.query
    if request.host.endswith(".googlevideo.com"):
        return Visit(request, "media", query.get("id") or _third_part(path))
    if request.host.endswith(".ytimg.com"):
        return Visit(request, "thumbnail", _third_part(path))
    if path == "/watch":
        return Visit(request, "watch", query.get("v"))
    if path.startswith("/embed/"):
        return Visit(request, "embed", path.removeprefix("/embed/"))
    if path.startswith(API):
        return _classify_api(request)
    if path == "/api/timedtext":
        return Visit(request, "captions", query.get("v"))
    if path == "/playlist" or LIST_PATH.fullmatch(path):
        return Visit(request, "list")
    return Visit(request, "other")


def _third_part(path: str) -> str | None:
    """Return ID of /vi/ID/name.jpg and the like."""
    parts = path.split("/")
    return parts[2] if len(parts) > 3 else None


def _classify_api(request: Request) -> Visit:
    query = request.json()
    client = query.get("context", {}).get("client", {}).get("clientName")
    if request.path == f"{API}player":
        return Visit(request, "player", str(query.get("videoId")), client)
    return Visit(request, "browse", query.get("videoId"), client)


def sign_in(visit: Visit, world: World) -> None:
    """Find out who is visiting; note the cookies to set."""
    request = visit.request
    if not request.host.endswith("youtube.com"):
        return
    authorization = request.headers.get("authorization", "") if API in request.path else None
    visit.session, cookies = world.book.admit(request.cookies, authorization=authorization)
    visit.cookies += cookies
    if "YSC" not in request.cookies and visit.endpoint in ("watch", "list"):
        visit.cookies.append(("Set-Cookie", "YSC=standin; Domain=.youtube.com; Path=/; Secure"))


def answer(visit: Visit, world: World) -> Response:
    """Return the response for a visit."""
    match visit.endpoint:
        case "media":
            return _media(visit, world)
        case "watch" | "player" | "embed":
            return _video(visit, world)
        case "list" | "browse":
            return _list(visit, world)
        case "thumbnail" if visit.request.path.endswith(".jpg"):
            return Response(clip("thumbnail.jpg"), content_type="image/jpeg")
        case "captions":
            return _captions(visit.request)
        case _:
            return _other(visit)


def _video(visit: Visit, world: World) -> Response:
    if visit.endpoint == "embed":
        return pages.embed_page(visit.session)
    asked = visit.video_id or ""
    found = world.catalogue.video(asked)
    video = found or Video(asked, "", answer="unavailable")
    told = world.answer(video, visit.session)
    if visit.endpoint == "watch":
        return pages.watch_page(video, told, visit.session)
    return pages.player_api(video, told, visit.session)


def _list(visit: Visit, world: World) -> Response:
    about = lists.Lists(
        world.catalogue,
        visit.session,
        playlist_page=world.playlist_page,
        channel_page=world.channel_page,
    )
    path = visit.request.path
    if path == "/playlist":
        return about.playlist_page(visit.request.query.get("list", ""))
    if found := LIST_PATH.fullmatch(path):
        return about.channel_page(found["name"], found["tab"] or "videos")
    match path.removeprefix(API):
        case "browse":
            return about.browse(visit.request.json())
        case "navigation/resolve_url":
            return about.resolve(str(visit.request.json().get("url", "")))
        case "next":
            video = world.catalogue.video(visit.video_id or "")
            return as_json(pages.initial_data(video) if video else {})
        case _:
            return as_json({"error": {"code": 404, "message": "Not found"}}, status=404)


def _media(visit: Visit, world: World) -> Response:
    request, video_id = visit.request, visit.video_id or ""
    if request.path.startswith("/live/"):
        return _live(request.path.rpartition("/")[2], request)
    video = world.catalogue.video(video_id)
    itag = request.query.get("itag", "")
    stream = video.stream(int(itag)) if video and itag.isdecimal() else None
    if stream is None:
        return Response(b"", 403, "text/plain")
    kind = "audio/mp4" if stream.kind == "audio" else "video/mp4"
    return respond(stream.media, content_type=kind, asked=request.headers.get("range"))


def _live(name: str, request: Request) -> Response:
    """Return a broadcast that is over after one segment, so that a download ends."""
    if name == "master.m3u8":
        text = (
            '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS="avc1.42C00B,mp4a.40.2",'
            "RESOLUTION=160x90\nmedia.m3u8\n"
        )
        return Response(text.encode(), content_type=HLS)
    if name == "media.m3u8":
        text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nlive.ts\n#EXT-X-ENDLIST\n"
        return Response(text.encode(), content_type=HLS)
    media = Media(clip("live.ts"), len(clip("live.ts")))
    return respond(media, content_type="video/mp2t", asked=request.headers.get("range"))


def _captions(request: Request) -> Response:
    if request.query.get("fmt") == "json3":
        return as_json({"events": [{"tStartMs": 0, "dDurationMs": 1000, "segs": [{"utf8": "Hi"}]}]})
    return Response(
        b"WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHi\n", content_type="text/vtt; charset=utf-8"
    )


def _other(visit: Visit) -> Response:
    path = visit.request.path
    if path == "/iframe_api":
        return Response(f'var scriptUrl = "https:\\/\\/www.youtube.com{pages.PLAYER_JS}";'.encode())
    if visit.request.host == "studio.youtube.com" or path in ("/", "/tv"):
        return pages.as_page(visit.session)
    return Response(b"<html><body>404 Not Found</body></html>", 404)
