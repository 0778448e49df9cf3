"""A page that costs nothing: made once, in both languages, without the shop's files, which a flood must not ask for."""

from base64 import b64encode
from hashlib import sha256

import msgspec

_STYLE = (
    "body{font:1.05rem/1.6 system-ui,sans-serif;max-width:32rem;margin:20vh auto 0;padding:0 1.5rem}"
    "h1{font-size:1.5rem}p{opacity:.85}a{color:inherit}"
)
_POLICY = f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"

HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
]


class Said(msgspec.Struct, frozen=True):
    """A title and a sentence or two, in HTML."""

    title: str
    text: str


def small_page(zh: Said, en: Said, *, again_seconds: int | None = None) -> bytes:
    """Return the page; it loads itself again after `again_seconds` where they are given."""
    again = f'<meta http-equiv="refresh" content="{again_seconds}">' if again_seconds is not None else ""
    return (
        '<!doctype html><html lang="zh"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'{again}<meta name="color-scheme" content="light dark"><title>{zh.title} / {en.title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{zh.title}</h1><p>{zh.text}</p>"
        f'<div lang="en"><h1>{en.title}</h1><p>{en.text}</p></div></body></html>'
    ).encode()
