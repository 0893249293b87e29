"""The one name a recovery has for life (N1), which is also its YARN tag (N2).

The name is what makes a POST safe: one Livy process refuses to start a second batch of the same name
(livy-knox-contract.md §2), and YARN can be searched by the tag.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

PORTAL_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,19}")
BATCH_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,79}")
SLUG_LENGTH: Final = 24
TOKEN_HEX: Final = 12


def slug(jar_path: str) -> str:
    """The jar's stem as `[a-z0-9-]`, at most 24 characters; `jar` when nothing is left of it."""
    stem = PurePosixPath(jar_path.split("?", 1)[0]).stem
    ascii_stem = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_stem).strip("-")[:SLUG_LENGTH].strip("-") or "jar"


def batch_name(*, portal_id: str, jar_path: str, token: str) -> str:
    """`<portal id>-<slug>-<12 hex>`. `token` is 12 hexadecimal digits from a strong source.

    Raises ValueError when the portal id or the token is not of its form: a name that Livy cannot find again
    would be no protection.
    """
    if not PORTAL_ID.fullmatch(portal_id):
        raise ValueError(f"portal id {portal_id!r} is not [a-z][a-z0-9-]{{0,19}}")
    if not re.fullmatch(rf"[0-9a-f]{{{TOKEN_HEX}}}", token):
        raise ValueError(f"token {token!r} is not {TOKEN_HEX} hexadecimal digits")
    return f"{portal_id}-{slug(jar_path)}-{token}"
