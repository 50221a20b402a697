"""The one check of artifact paths: from whatever was sent to a relative path, and from there to a file beneath a root.

Nothing else in Stele turns a foreign string into a path. A path is read as it is; it is decoded only to see what some
other reader (a proxy, a browser, Windows) could take it for, and refused when one of these readings leaves the root.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from stele.errors import InvalidParameterValue, shown

__all__ = ["RESERVED", "normalise", "resolve_beneath", "resolve_entry"]

RESERVED = ".stele"
"""The directory beside artifacts in which Stele keeps what it knows about them."""

MAX_PATH_BYTES = 2_048
MAX_NAME_BYTES = 255

_DECODINGS = 10
_PLAIN = re.compile(r"[\w ./+=@,()~-]*", re.ASCII)
_ADDRESS = re.compile(r"(?:^|/)(?:[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*:/)")  # a drive, or a scheme, at any name
_ON_WINDOWS = frozenset('\\:*?"<>|')


def normalise(path: str) -> str:
    """The path relative to the root, with ``/`` between its names and none doubled; empty for the root itself.

    Raises:
        InvalidParameterValue: It is absolute, has a name that begins with a drive or a scheme, one of dots and spaces
            only, or the reserved name ``.stele``, holds ``#`` or a control character, is too long, or becomes one of
            these when it is percent-decoded, backslashes are read as slashes, or look-alike characters as plain ones.
    """
    if problem := _problem(path):
        raise InvalidParameterValue(
            f"The artifact path {shown(path)} {problem}. Allowed are names with '/' between them, relative to the root."
        )
    return "/".join(name for name in path.split("/") if name)


def _problem(path: str) -> str | None:
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "is not valid Unicode"
    if size > MAX_PATH_BYTES:
        return f"has {size} bytes, at most {MAX_PATH_BYTES} are allowed"
    if any(len(name.encode()) > MAX_NAME_BYTES for name in path.split("/")):
        return f"has a name of more than {MAX_NAME_BYTES} bytes"
    if _PLAIN.fullmatch(path):
        return _problem_of_reading(path)
    return next(filter(None, map(_problem_of_reading, _readings(path))), None)


def _readings(path: str) -> Iterator[str | None]:
    """Everything that the path may be taken for; None at the end when decoding does not come to an end."""
    for _ in range(_DECODINGS):
        for reading in (path, unicodedata.normalize("NFKC", path)):
            yield reading
            yield reading.replace("\\", "/")
        decoded = unquote(path)
        if decoded == path:
            return
        path = decoded
    yield None


def _problem_of_reading(path: str | None) -> str | None:
    if path is None:
        return "is percent-encoded too many times"
    if path.startswith("/"):
        return "is absolute"
    if _ADDRESS.search(path):
        return "has a name that begins with a drive or a scheme"
    if "#" in path:
        return "holds a '#'"
    if any(unicodedata.category(character) == "Cc" for character in path if not character.isprintable()):
        return "holds a control character"
    for name in path.split("/"):
        if name and not name.strip(". "):
            return f"has the name {name!r}"
        if name.rstrip(". ").casefold() == RESERVED:
            return f"has the name {RESERVED!r}, which is reserved"
    return None


def resolve_beneath(root: Path, path: str) -> Path:
    """The file or directory of an artifact path, with every link followed. It need not exist.

    Args:
        root: The directory that is not left.
        path: As in :func:`normalise`.

    Raises:
        InvalidParameterValue: The path is not allowed, or a symbolic link on the way leads out of the root.
    """
    key = normalise(path)
    if os.name == "nt" and _ON_WINDOWS.intersection(key):
        raise InvalidParameterValue(f"The artifact path {shown(path)} holds a character that Windows does not allow.")
    real_root = os.path.realpath(root)
    real = os.path.realpath(os.path.join(real_root, key)) if key else real_root  # noqa: PTH118 - pathlib would be slower
    if real != real_root and not real.startswith(real_root.rstrip(os.sep) + os.sep):
        raise InvalidParameterValue(f"The artifact path {shown(path)} leads out of its root through a link.")
    return Path(real)


def resolve_entry(root: Path, path: str) -> Path:
    """As :func:`resolve_beneath`, but when the last name is a link, the link itself and not what it leads to.

    Raises:
        InvalidParameterValue: As above, or the path is empty.
    """
    parent, _, name = normalise(path).rpartition("/")
    if not name:
        raise InvalidParameterValue("The artifact path is empty. It must name a file or a directory.")
    return resolve_beneath(root, parent) / name
