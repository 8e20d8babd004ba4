"""How a broken connection reads: parts of the texts of yt-dlp, urllib3, ssl and the system."""

from __future__ import annotations

TRANSPORT = (
    # names
    "failed to resolve '",
    "name or service not known",
    "temporary failure in name resolution",
    "getaddrinfo failed",
    # connections
    "failed to establish a new connection",
    "connection refused",
    "connection reset",
    "connection aborted",
    "remote end closed connection",
    "network is unreachable",
    "no route to host",
    "timed out",
    # proxies and certificates
    "unable to connect to proxy",
    "tunnel connection failed",
    "[ssl",
    "certificate verify failed",
    "eof occurred in violation of protocol",
    # bodies that end early
    "bytes read, … more expected",
    "content too short",
    "did not get any data blocks",
    # what an extractor adds: "(caused by TransportError(…))"
    "caused by transporterror",
    "caused by sslerror",
    "caused by certificateverifyerror",
    "caused by proxyerror",
    "caused by incompleteread",
)

TRANSPORT_TYPES = (
    # yt-dlp
    "TransportError",
    "IncompleteRead",
    "SSLError",
    "CertificateVerifyError",
    "ProxyError",
    "ContentTooShortError",
    # requests and urllib3
    "ConnectTimeout",
    "ReadTimeout",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "MaxRetryError",
    "NameResolutionError",
    "NewConnectionError",
    "ProtocolError",
    # Python
    "ConnectionError",
    "ConnectionAbortedError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "RemoteDisconnected",
    "SSLCertVerificationError",
    "SSLEOFError",
    "SSLZeroReturnError",
    "TimeoutError",
    "gaierror",
)
