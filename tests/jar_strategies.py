"""Random cookies, jars and cookie files, for every test that needs some."""

import string

from hypothesis import strategies as st

from jarkeeper.jar import Cookie, Jar
from jarkeeper.limits import LIMITS

TOKEN = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"
OCTETS = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '",;\\')
PATH = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != ";")

hosts = st.sampled_from(["youtube.com", "www.youtube.com", "music.youtube.com", "m.youtube.com"])
domains = st.builds(str.__add__, st.sampled_from(["", "."]), hosts)
expiries = st.one_of(st.just(0), st.integers(1, 2**33), st.integers(0, LIMITS.expiry_max))
values = st.one_of(
    st.text(OCTETS, max_size=40),
    st.text(OCTETS, max_size=10).map(lambda text: f'"{text}"'),
)
names = st.one_of(
    st.sampled_from(["LOGIN_INFO", "SAPISID", "__Secure-3PAPISID", "SID", "PREF", "SOCS"]),
    st.text(TOKEN, min_size=1, max_size=12),
)
paths = st.one_of(st.just("/"), st.text(PATH, max_size=12).map(lambda text: "/" + text))


@st.composite
def cookies(draw, domains=domains, names=names, paths=paths, expires=expiries, values=values):
    domain, name, path, secure = draw(domains), draw(names), draw(paths), draw(st.booleans())
    if name.lower().startswith("__secure-"):
        secure = True
    if name.lower().startswith("__host-"):
        domain, path, secure = domain.removeprefix("."), "/", True
    return Cookie(
        domain=domain,
        include_subdomains=domain.startswith("."),
        path=path,
        secure=secure,
        expires=draw(expires),
        name=name,
        value=draw(values),
        http_only=draw(st.booleans()),
    )


jars = st.lists(cookies(), min_size=1, max_size=12).map(lambda found: Jar(tuple(found)))


def row(
    domain=".youtube.com", flag=None, path="/", secure="TRUE", expires="0", name="SID", value="v"
):
    """Return one line of a cookie file, right in every field unless told otherwise."""
    flag = flag or ("TRUE" if domain.removeprefix("#HttpOnly_").startswith(".") else "FALSE")
    return f"{domain}\t{flag}\t{path}\t{secure}\t{expires}\t{name}\t{value}\n"


HEADER = "# Netscape HTTP Cookie File\n"
