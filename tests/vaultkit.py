"""What the tests of the vault share: a clock to turn, cookie files to import, stores that fail."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from jarkeeper.anchors import Anchors
from jarkeeper.audit import Actor
from jarkeeper.jar import LASTING_COOKIES, Jar, parse_jar
from jarkeeper.keys.local import LocalKey
from jarkeeper.stores import Store
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.vault import Vault

CANARY = "c4nary-7f3a9d51e8b2"
SITES = ("youtube.com",)
START = datetime(2026, 6, 1, 12, tzinfo=UTC)
FAR = int(datetime(2027, 6, 1, tzinfo=UTC).timestamp())
LOGIN = ("LOGIN_INFO", "SAPISID", "__Secure-1PAPISID", "__Secure-3PAPISID", "SID", "HSID")
KEYS = LocalKey(bytes(range(32)), name="test key")
OTHER_KEYS = LocalKey(bytes(range(1, 33)), name="other key")
ACTOR = Actor("tester", "here", "pytest")


@dataclass
class Clock:
    """A clock that moves when it is told to, and by a microsecond when it is read."""

    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def advance(self, **passed: float) -> None:
        self.now += timedelta(**passed)


@dataclass
class Room:
    """A vault with everything around it."""

    store: Store = field(default_factory=MemoryStore)
    keys: LocalKey = KEYS
    clock: Clock = field(default_factory=Clock)
    anchors: tuple[Anchors, ...] = ()
    backup_count: int = 3
    vault: Vault = field(init=False)

    def __post_init__(self) -> None:
        Vault.create(self.store, self.keys, clock=self.clock, actor=ACTOR)
        self.vault = self.reopen()

    def reopen(self, store: Store | None = None, **changed: Any) -> Vault:
        """Return the same vault as another process opens it."""
        options = {
            "actor": ACTOR,
            "clock": self.clock,
            "sites": SITES,
            "backup_count": self.backup_count,
            "anchors": self.anchors,
        }
        return Vault.open(store or self.store, self.keys, **(options | changed))

    def fill(self, *tags: str) -> list[str]:
        """Import one jar for each tag, the last becomes active; return their generations."""
        return [str(self.vault.import_jar("youtube", cookie_file(tag)).generation) for tag in tags]

    def events(self) -> list[tuple[str, str, str, str]]:
        """Return action, phase, outcome and detail of every event."""
        return [
            (event.action, event.phase, event.outcome or "", event.detail)
            for event in self.vault.trail.read()
        ]


def cookie_file(
    tag: str, *, names: Iterable[str] = LOGIN, expires: int = FAR, account: str = "account"
) -> bytes:
    """Return a cookie file whose values hold the canary and the tag.

    What lasts as long as a login is the same for all tags, unless it is another account's.
    """
    rows = [
        f".youtube.com\tTRUE\t/\tTRUE\t{expires}\t{name}"
        f"\t{CANARY}-{account if name in LASTING_COOKIES else tag}-{name}"
        for name in (*names, "PREF")
    ]
    return ("# Netscape HTTP Cookie File\n" + "\n".join(rows) + "\n").encode()


def jar_of(tag: str, **options: Any) -> Jar:
    """Return what is parsed from `cookie_file`."""
    return parse_jar(cookie_file(tag, **options), sites=SITES).jar


def tag_of(jar: Jar) -> str:
    """Return the tag of the file that a jar came from."""
    renewed = (cookie for cookie in jar.cookies if cookie.name not in LASTING_COOKIES)
    (tag,) = {cookie.value.split("-")[2] for cookie in renewed}
    return tag


def lent_tag(vault: Vault, slot: Any = "active") -> str:
    """Lend the slot's jar and return its tag."""
    from jarkeeper.slots import Slot

    with vault.lend("youtube", Slot(slot)).open() as jar:
        return tag_of(jar)


def forms_of_canary() -> list[bytes]:
    """Return the canary raw, in hexadecimal and in each alignment of base64."""
    raw = CANARY.encode()
    shifted = [base64.b64encode(b"x" * shift + raw)[4 * bool(shift) : -4] for shift in range(3)]
    return [raw, raw.hex().encode(), raw[::-1], *shifted]


def assert_no_canary(*contents: object) -> None:
    """Fail where any content shows the canary in any form."""
    for content in contents:
        text = (
            content
            if isinstance(content, bytes)
            else repr(content).encode() + str(content).encode()
        )
        for form in forms_of_canary():
            assert form not in text


Fault = Callable[[str, str], None]


class FaultyStore:
    """A store with a fault before or after each call: `fault(method, key)` may raise."""

    def __init__(self, inner: Store, *, before: Fault | None = None, after: Fault | None = None):
        self.inner = inner
        self.before = before or _nothing
        self.after = after or _nothing

    def __getattr__(self, method: str) -> Any:
        call = getattr(self.inner, method)

        def faulty(key: str, *rest: Any) -> Any:
            self.before(method, key)
            result = call(key, *rest)
            self.after(method, key)
            return result

        return faulty


def _nothing(method: str, key: str) -> None:
    """No fault."""


class Once:
    """Raises the error at the n-th call that matches, and lets every other one pass."""

    def __init__(
        self, error: BaseException, *, method: str = "put_if_absent", part: str = "", at=1
    ):
        self.error, self.method, self.part, self.left = error, method, part, at

    def __call__(self, method: str, key: str) -> None:
        if method == self.method and self.part in key:
            self.left -= 1
            if self.left == 0:
                raise self.error


class Always:
    """Raises the error at every call that matches."""

    def __init__(self, error: BaseException, *, method: str = "put_if_absent", part: str = ""):
        self.error, self.method, self.part = error, method, part

    def __call__(self, method: str, key: str) -> None:
        if method == self.method and self.part in key:
            raise self.error
