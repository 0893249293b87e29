"""Secrets taken out of what is stored and shown: logs, events, error texts (design §8)."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "***"
# Every repetition is bounded: an unbounded one in front of the keyword made one log line take minutes.
_SOUNDS: Final = r"(?:password|passwd|secret|token|credential|api[_.-]?key|access[_.-]?key)"
_VALUE: Final = r"(\\?\"[^\"]{0,500}\"|'[^']{0,500}'|[^\s,;&\"']{1,500})"
SECRET_KEY: Final = re.compile(_SOUNDS, re.IGNORECASE)
SECRET_OPTION: Final = re.compile(rf"--?[\w.-]{{0,60}}{_SOUNDS}[\w.-]{{0,60}}", re.IGNORECASE)
"""An option whose value is the word after it."""
_OPTION: Final = re.compile(rf"(?<![\w.-])({SECRET_OPTION.pattern}\s{{1,4}})(?!-){_VALUE}", re.IGNORECASE)
_NAMED: Final = re.compile(
    rf"(?i)({_SOUNDS}[\w.-]{{0,60}})"
    r"(\\?[\"']?\s{0,4}[=:]\s{0,4})"  # the quote that ends a name in JSON, in JSON within a text too
    rf"{_VALUE}"
)
_AUTHORIZATION: Final = re.compile(r"(?i)\b(basic|bearer)\s{1,4}[a-z0-9+/._~-]{8,4000}={0,2}")
_IN_URL: Final = re.compile(r"(?i)([a-z0-9+.-]{1,20}://[^\s/:@]{0,200}):[^\s/@]{1,200}@")
NUL_SHOWN: Final = "\N{SYMBOL FOR NULL}"


def storable(text: str) -> str:
    """`text` without what no database takes: NUL, and lone surrogates (which JSON can carry)."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", NUL_SHOWN)


def redact(text: str, *secrets: str) -> str:
    """`text` without the given secrets, without the values of names and options that sound like one, and without
    credentials in URLs and headers."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, MASK)
    text = _NAMED.sub(rf"\1\2{MASK}", text)
    text = _OPTION.sub(rf"\1{MASK}", text)
    text = _AUTHORIZATION.sub(rf"\1 {MASK}", text)
    return _IN_URL.sub(rf"\1:{MASK}@", text)
