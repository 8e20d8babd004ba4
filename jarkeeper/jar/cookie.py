"""The cookie and the jar: values that hold secrets and let none of them slip out by accident."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn, SupportsIndex, TypeVar

LOGIN_COOKIE = "LOGIN_INFO"
"""YouTube clears this one when it rotates a session away; the others may stay behind."""

SAPISID_COOKIES = ("SAPISID", "__Secure-1PAPISID", "__Secure-3PAPISID")
"""Any one of these signs the requests of a logged-in session."""

AUTHENTICATION_COOKIES = frozenset(
    {
        LOGIN_COOKIE,
        *SAPISID_COOKIES,
        *("SID", "HSID", "SSID", "APISID", "__Secure-1PSID", "__Secure-3PSID"),
        *("__Secure-1PSIDTS", "__Secure-3PSIDTS"),
        *("SIDCC", "__Secure-1PSIDCC", "__Secure-3PSIDCC"),
    }
)
"""The cookies that make up a Google login. The rest (`PREF`, `SOCS`, …) changes in every use."""

LASTING_COOKIES = frozenset(
    {*SAPISID_COOKIES, "SID", "HSID", "SSID", "APISID", "__Secure-1PSID", "__Secure-3PSID"}
)
"""Of these, the ones that stay the same from login to logout; the others are renewed in use."""

HTTP_ONLY_COOKIES = frozenset(
    {
        *(LOGIN_COOKIE, "HSID", "SSID", "__Secure-1PSID", "__Secure-3PSID"),
        *("__Secure-1PSIDTS", "__Secure-3PSIDTS", "__Secure-1PSIDCC", "__Secure-3PSIDCC"),
        *("YSC", "VISITOR_INFO1_LIVE", "VISITOR_PRIVACY_METADATA"),
    }
)
"""What YouTube hides from scripts: for exports that do not say so themselves."""


T = TypeVar("T")


def concealed(kind: type[T]) -> type[T]:
    """Take away what `asdict` and writers of JSON look for to walk through a value's fields."""
    delattr(kind, "__dataclass_fields__")
    return kind


class Sealed:
    """Refuses every way of copying an object out of the process."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse: pickle, `copy.copy` and `copy.deepcopy` all ask here."""
        raise TypeError(f"a {type(self).__name__.lower()} holds secrets and cannot be copied")


@concealed
@dataclass(frozen=True, slots=True, repr=False)
class Cookie(Sealed):
    """One record of a jar. `domain` has a leading dot where subdomains are included."""

    domain: str
    include_subdomains: bool
    path: str
    secure: bool
    expires: int
    """Unix second; 0 for a cookie that ends with the session."""
    name: str
    value: str
    http_only: bool

    @property
    def identity(self) -> tuple[str, str, str]:
        """What a browser tells cookies apart by, and what a jar is sorted by."""
        return (self.domain, self.path, self.name)

    def changed(self, **changes: str | int) -> Cookie:
        """Return the cookie with other values in these fields."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return Cookie(**(fields | changes))

    def __repr__(self) -> str:
        """Return the domain alone: names and values stay inside."""
        return f"<Cookie of {self.domain!r}>"


@concealed
@dataclass(frozen=True, slots=True, repr=False)
class Jar(Sealed):
    """All cookies of one login, always in canonical order; the last of two alike is kept."""

    cookies: tuple[Cookie, ...]

    def __post_init__(self) -> None:
        """Put the cookies into canonical order, so that equal jars compare equal."""
        object.__setattr__(self, "cookies", in_order(self.cookies))

    def __len__(self) -> int:
        return len(self.cookies)

    def __repr__(self) -> str:
        """Return the count alone."""
        return f"<Jar of {len(self.cookies)} cookies>"


def in_order(cookies: Iterable[Cookie]) -> tuple[Cookie, ...]:
    """Return the cookies by domain, path and name; of two with the same, the last."""
    latest = {(cookie.domain, cookie.path, cookie.name): cookie for cookie in cookies}
    return tuple(latest[identity] for identity in sorted(latest))


def jar_in_order(cookies: tuple[Cookie, ...]) -> Jar:
    """Return a jar of cookies that are in canonical order, without putting them into it again."""
    jar = object.__new__(Jar)
    object.__setattr__(jar, "cookies", cookies)
    return jar


def login_cookies(jar: Jar) -> tuple[Cookie, ...]:
    """Return the authentication cookies: equal before and after use means nothing to keep."""
    return tuple(cookie for cookie in jar.cookies if cookie.name in AUTHENTICATION_COOKIES)
