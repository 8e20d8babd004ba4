"""YouTube through yt-dlp: what may be asked for, how it is fetched, what a failure means."""
