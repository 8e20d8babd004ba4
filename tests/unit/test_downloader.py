import pytest
from yt_dlp.networking.exceptions import RequestError

from jarkeeper.youtube.downloader import YouTubeOnly, is_youtube


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://rr1---sn-4g5e6nzz.googlevideo.com/videoplayback?id=1",
        "https://i.ytimg.com/vi/dQw4w9WgXcQ/hqdefault.jpg",
        "https://youtube.com:443/",
    ],
)
def test_youtubes_hosts_may_be_asked(url: str) -> None:
    assert is_youtube(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://evil.example/",
        "https://youtube.com.evil.example/",
        "https://notyoutube.com/",
        "https://127.0.0.1:8080/",
        "https://169.254.169.254/latest/meta-data/",
        "https://www.youtube.com:8443/",
        "https://www.youtube.com@evil.example/",
        "ftp://www.youtube.com/",
        "file:///etc/passwd",
        "https://[::1",
        "",
    ],
)
def test_no_other_host_is_asked(url: str) -> None:
    with YouTubeOnly({"quiet": True}) as ydl, pytest.raises(RequestError, match="not asked"):
        ydl.urlopen(url)
