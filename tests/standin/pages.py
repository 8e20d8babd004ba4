"""The pages and API answers about one video."""

from __future__ import annotations

import json
from typing import Any

from standin.answers import playability
from standin.media import CLIP_SECONDS
from standin.sessions import Session
from standin.videos import Stream, Video
from standin.wire import Response, as_json

MEDIA_HOST = "rr1---sn-standin.googlevideo.com"
PLAYER_JS = "/s/player/5ca1ab1e/player_ias.vflset/en_US/base.js"
SIGNATURE_TIMESTAMP = 20500
CODECS = {"both": "avc1.42C00B, mp4a.40.2", "video": "avc1.42C00B", "audio": "mp4a.40.2"}
SILENT = frozenset({"ERROR", "LOGIN_REQUIRED"})
"""Statuses that come without details of the video."""

Json = dict[str, Any]


def ytcfg(session: Session | None, *, client: str = "WEB") -> Json:
    """Return the configuration that each page carries."""
    config: Json = {
        "INNERTUBE_CLIENT_NAME": client,
        "INNERTUBE_CLIENT_VERSION": "2.20260708.00.00",
        "INNERTUBE_CONTEXT": {
            "client": {
                "hl": "en",
                "gl": "US",
                "clientName": client,
                "clientVersion": "2.20260708.00.00",
                "visitorData": "CgtTdGFuZEluRGF0YQ%3D%3D",
            }
        },
        "VISITOR_DATA": "CgtTdGFuZEluRGF0YQ%3D%3D",
        "PLAYER_JS_URL": PLAYER_JS,
        "STS": SIGNATURE_TIMESTAMP,
        "LOGGED_IN": session is not None,
    }
    if session:
        config["SESSION_INDEX"] = "0"
        config["DATASYNC_ID"] = f"{session.user_id}||"
        config["USER_SESSION_ID"] = session.user_id
    return config


def as_page(session: Session | None, **variables: object) -> Response:
    """Return an HTML page with the configuration and `variables` in scripts."""
    scripts = [f"ytcfg.set({_script(ytcfg(session))});"]
    scripts += [f"var {name} = {_script(value)};" for name, value in variables.items()]
    body = "".join(f"<script>{script}</script>\n" for script in scripts)
    head = "<!DOCTYPE html><html><head><title>YouTube</title></head>"
    return Response(f"{head}<body>\n{body}</body></html>".encode())


def watch_page(video: Video, answer: str, session: Session | None) -> Response:
    """Return the page of a video."""
    page: Json = {"ytInitialData": initial_data(video)}
    if answer != "incomplete":
        page["ytInitialPlayerResponse"] = player(video, answer, session, formats=False)
    return as_page(session, **page)


def embed_page(session: Session | None) -> Response:
    """Return the page of the embedded player."""
    config = ytcfg(session, client="WEB_EMBEDDED_PLAYER")
    config["WEB_PLAYER_CONTEXT_CONFIGS"] = {
        "WEB_PLAYER_CONTEXT_CONFIG_ID_EMBEDDED_PLAYER": {
            "jsUrl": PLAYER_JS,
            "encryptedHostFlags": "standin",
        }
    }
    return Response(f"<html><script>ytcfg.set({_script(config)});</script></html>".encode())


def player_api(video: Video, answer: str, session: Session | None) -> Response:
    """Return the answer of the player API."""
    if answer == "incomplete":
        return as_json({})
    if answer == "unknown":
        alert = {"type": "ERROR", "text": {"simpleText": "Unknown error"}}
        return as_json({"alerts": [{"alertRenderer": alert}]})
    return as_json(player(video, answer, session, formats=True))


def player(video: Video, answer: str, session: Session | None, *, formats: bool) -> Json:
    """Return a player response; the one in the watch page has no formats."""
    status = playability(answer, video, session)
    response: Json = {"playabilityStatus": status, "microformat": _microformat(video)}
    if status["status"] not in SILENT:
        response["videoDetails"] = _details(video, answer)
    if status["status"] != "OK":
        return response
    if answer == "only_images":
        response["storyboards"] = _storyboards(video)
    if formats:
        response["streamingData"] = _streaming_data(video, answer)
        response["captions"] = _captions(video)
    return response


def initial_data(video: Video) -> Json:
    """Return what surrounds the player: owner and date."""
    owner = {
        "title": {"runs": [{"text": video.uploader}]},
        "navigationEndpoint": {"browseEndpoint": {"canonicalBaseUrl": f"/{video.handle}"}},
    }
    contents = [
        {"videoPrimaryInfoRenderer": {"title": {"runs": [{"text": video.title}]}}},
        {"videoSecondaryInfoRenderer": {"owner": {"videoOwnerRenderer": owner}}},
    ]
    return {"contents": {"twoColumnWatchNextResults": {"results": {"results": {
        "contents": contents,
    }}}}}  # fmt: skip


def media_url(video: Video, stream: Stream) -> str:
    """Return where a stream is downloaded from."""
    return (
        f"https://{MEDIA_HOST}/videoplayback?id={video.id}&itag={stream.itag}"
        f"&clen={stream.media.size}&dur={CLIP_SECONDS}.000&ratebypass=yes"
    )


def _script(content: object) -> str:
    """Return JSON that cannot end the script it stands in."""
    return json.dumps(content).replace("<", "\\u003c").replace("&", "\\u0026")


def _details(video: Video, answer: str) -> Json:
    return {
        "videoId": "aQvGIIdgFDM" if answer == "ip_block" else video.id,
        "title": video.title,
        "lengthSeconds": str(CLIP_SECONDS),
        "channelId": video.channel_id,
        "author": video.uploader,
        "shortDescription": video.description,
        "viewCount": "1234",
        "isPrivate": video.answer == "private",
        "isLive": answer == "live",
        "isLiveContent": answer in ("live", "upcoming"),
        "isUpcoming": answer in ("premiere", "upcoming"),
        "thumbnail": {"thumbnails": [{
            "url": f"https://i.ytimg.com/vi/{video.id}/hqdefault.jpg", "width": 480, "height": 360,
        }]},
    }  # fmt: skip


def _microformat(video: Video) -> Json:
    return {"playerMicroformatRenderer": {
        "availableCountries": list(video.countries),
        "uploadDate": video.upload_date,
        "publishDate": video.upload_date,
        "ownerProfileUrl": f"http://www.youtube.com/{video.handle}",
        "externalChannelId": video.channel_id,
        "category": "Education",
        "isFamilySafe": video.answer != "age_gate",
    }}  # fmt: skip


def _streaming_data(video: Video, answer: str) -> Json:
    if answer == "drm":
        return {"licenseInfos": [{"drmFamily": "WIDEVINE", "url": "https://www.youtube.com/drm"}]}
    if answer == "live":
        return {"hlsManifestUrl": f"https://{MEDIA_HOST}/live/{video.id}/master.m3u8"}
    if answer in ("no_formats", "only_images", "ip_block"):
        return {}
    formats = [_format(video, stream, with_url=answer != "sabr") for stream in video.streams()]
    return {
        "expiresInSeconds": "21540",
        "adaptiveFormats" if video.separate else "formats": formats,
    }


def _format(video: Video, stream: Stream, *, with_url: bool) -> Json:
    kind = "audio" if stream.kind == "audio" else "video"
    shape: Json = {
        "itag": stream.itag,
        "mimeType": f'{kind}/mp4; codecs="{CODECS[stream.kind]}"',
        "contentLength": str(stream.media.size),
        "bitrate": stream.media.size * 8 // CLIP_SECONDS,
        "averageBitrate": stream.media.size * 8 // CLIP_SECONDS,
        "approxDurationMs": str(CLIP_SECONDS * 1000),
    }
    if with_url:
        shape["url"] = media_url(video, stream)
    if kind == "audio":
        return shape | {"audioQuality": "AUDIO_QUALITY_MEDIUM", "audioSampleRate": "22050",
                        "audioChannels": 1, "quality": "tiny"}  # fmt: skip
    quality = {360: "medium", 480: "large"}.get(stream.height, f"hd{stream.height}")
    return shape | {"width": stream.height * 16 // 9, "height": stream.height, "fps": 10,
                    "quality": quality, "qualityLabel": f"{stream.height}p"}  # fmt: skip


def _captions(video: Video) -> Json:
    tracks = [
        {
            "baseUrl": f"https://www.youtube.com/api/timedtext?v={video.id}&lang={language}",
            "name": {"simpleText": language},
            "vssId": f".{language}",
            "languageCode": language,
        }
        for language in video.subtitles
    ]
    return {"playerCaptionsTracklistRenderer": {"captionTracks": tracks}}


def _storyboards(video: Video) -> Json:
    spec = (
        f"https://i.ytimg.com/sb/{video.id}/storyboard3_L$L/$N.jpg|48#27#100#10#10#0#default#rs$x"
    )
    return {"playerStoryboardSpecRenderer": {"spec": spec}}
