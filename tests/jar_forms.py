"""One jar in every form that an export can have."""

import json


def netscape(jar):
    from jarkeeper.jar import emit_jar

    return emit_jar(jar)


def _shared(cookie):
    return {
        "domain": cookie.domain,
        "path": cookie.path,
        "secure": cookie.secure,
        "httpOnly": cookie.http_only,
        "name": cookie.name,
        "value": cookie.value,
    }


def _dated(cookie):
    dated = {"session": not cookie.expires, "hostOnly": not cookie.include_subdomains}
    return dated | ({"expirationDate": cookie.expires} if cookie.expires else {})


def cookie_editor(jar):
    unknown = {"sameSite": None, "firstPartyDomain": "", "partitionKey": None, "storeId": None}
    entries = [_shared(cookie) | _dated(cookie) | unknown for cookie in jar.cookies]
    return json.dumps(entries, indent=4).encode()


def edit_this_cookie(jar):
    entries = [
        _shared(cookie) | _dated(cookie) | {"sameSite": "unspecified", "storeId": "0", "id": number}
        for number, cookie in enumerate(jar.cookies, 1)
    ]
    return json.dumps(entries, indent=0).encode()


def get_cookies_txt_locally(jar):
    entries = [
        _shared(cookie) | _dated(cookie) | {"sameSite": "lax", "storeId": "0"}
        for cookie in jar.cookies
    ]
    return json.dumps(entries, separators=(",", ":")).encode()


def playwright(jar):
    entries = [
        _shared(cookie) | {"expires": cookie.expires or -1, "sameSite": "None"}
        for cookie in jar.cookies
    ]
    return json.dumps({"cookies": entries, "origins": []}).encode()


def header(jar):
    pairs = [f"{cookie.name}={cookie.value}" for cookie in jar.cookies]
    return f"Cookie: {'; '.join(pairs)}\n".encode()


def bare_header(jar):
    return header(jar).removeprefix(b"Cookie: ")


def curl(jar):
    return b"curl 'https://www.youtube.com/' -H '" + header(jar).strip() + b"' --compressed\n"


WHOLE = (netscape, cookie_editor, edit_this_cookie, get_cookies_txt_locally, playwright)
"""What loses nothing."""

PAIRS = (header, bare_header, curl)
"""What holds names and values alone."""
