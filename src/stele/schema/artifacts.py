"""Artifact files as messages."""

from __future__ import annotations

from msgspec import Struct

from stele.schema.codec import Message

__all__ = [
    "FileInfo",
    "ListArtifacts",
    "ListArtifactsResponse",
    "ListProxiedArtifactsResponse",
]


class FileInfo(Struct, omit_defaults=True, frozen=True):
    """A file or a directory; ``file_size`` in bytes, absent for a directory.

    ``sha256`` is the hexadecimal digest of the content where it was recorded. ``version`` counts overwrites from 1.
    """

    path: str
    is_dir: bool
    file_size: int | None = None
    sha256: str | None = None
    version: int | None = None


class ListArtifacts(Message):
    """The direct children of ``path`` below the artifact root of a run."""

    run_id: str = ""
    run_uuid: str = ""
    path: str = ""
    page_token: str = ""


class ListArtifactsResponse(Message):
    root_uri: str
    files: list[FileInfo] = []
    next_page_token: str = ""


class ListProxiedArtifactsResponse(Message):
    """The direct children of a path below the server's artifact destination."""

    files: list[FileInfo] = []
