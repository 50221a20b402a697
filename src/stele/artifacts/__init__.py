"""Files of runs and models: from a URI to the repository that keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stele.artifacts.base import (
    ArtifactRepository,
    ArtifactVersion,
    ArtifactVersions,
    Mounted,
    Reader,
    Subtree,
    walk,
)
from stele.registry import Registry

if TYPE_CHECKING:
    from stele.transport import Transport

__all__ = [
    "SCHEMES",
    "ArtifactRepository",
    "ArtifactVersion",
    "ArtifactVersions",
    "Factory",
    "Mounted",
    "Reader",
    "Subtree",
    "open_repository",
    "scheme_of",
    "walk",
]

Factory = Callable[[str, "Transport | None"], ArtifactRepository]
"""From a URI, and the transport to the tracking server if there is one, to the repository."""

SCHEMES: Registry[Factory] = Registry(
    "artifact scheme",
    ("stele.artifacts",),
    {
        "file": "stele.artifacts.local:open_local",
        "mlflow-artifacts": "stele.artifacts.proxied:open_proxied",
    },
)
"""URI scheme -> factory. Another package adds one by an entry point of the group ``stele.artifacts``."""

_READERS: Registry[Any] = Registry(
    "artifact function",
    (),
    {
        name: f"stele.client.downloads:{name}"
        for name in ("download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text")
    },
)
# Users of mlflow.artifacts find its functions here; they work on runs, so they live in the client.

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # one letter is a Windows drive


def scheme_of(uri: str) -> str:
    """The scheme of an artifact URI, ``file`` for a plain path."""
    match = _SCHEME.match(uri)
    return match[1].lower() if match else "file"


def open_repository(uri: str, transport: Transport | None = None) -> ArtifactRepository:
    """The repository whose root a URI names. Nothing is contacted or made yet.

    Args:
        uri: ``file:///directory``, a plain path, ``mlflow-artifacts:/path`` or ``mlflow-artifacts://host:port/path``.
        transport: To the tracking server, for artifacts that go through it; closing the repository leaves it open.

    Raises:
        InvalidParameterValue: Nobody provides the scheme, or the URI is not complete.
    """
    return SCHEMES.get(scheme_of(uri))(uri, transport)


def __getattr__(name: str) -> Any:
    if name in _READERS.names():
        return _READERS.get(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
