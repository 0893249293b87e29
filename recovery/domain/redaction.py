"""Secrets taken out of what is stored and shown: logs, events, error texts (design §8)."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "***"
_NAMED: Final = re.compile(
    r"(?i)\b([\w.-]*(?:password|passwd|secret|token|credential|api[_.-]?key|access[_.-]?key)[\w.-]*)(\s*[=:]\s*)"
    r"(\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)"
)
_AUTHORIZATION: Final = re.compile(r"(?i)\b(basic|bearer)\s+[a-z0-9+/._~-]{8,}=*")
_IN_URL: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/@]+@")


def redact(text: str, *secrets: str) -> str:
    """`text` without the given secrets, without the values of names that sound like one, and without credentials
    in URLs and headers."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, MASK)
    text = _NAMED.sub(rf"\1\2{MASK}", text)
    text = _AUTHORIZATION.sub(rf"\1 {MASK}", text)
    return _IN_URL.sub(rf"\1:{MASK}@", text)
