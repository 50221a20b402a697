"""Artifact files as messages."""

from __future__ import annotations

from msgspec import Struct

from stele.schema.codec import Int64, Message

__all__ = [
    "ArtifactEntry",
    "ArtifactOwner",
    "CreateTicket",
    "FileInfo",
    "ListArtifactTree",
    "ListArtifactTreeResponse",
    "ListArtifacts",
    "ListArtifactsResponse",
    "ListProxiedArtifactsResponse",
    "ReadArtifactTable",
    "ReadArtifactTableResponse",
    "TableCell",
    "TableColumn",
    "TicketResponse",
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


class ArtifactOwner(Message):
    """Whose files are meant: those of a run, of a logged model, or of a version of a registered model."""

    run_id: str = ""
    model_id: str = ""
    model_name: str = ""
    model_version: str = ""


class ListArtifactTree(ArtifactOwner):
    """All files below ``path``, ``max_results`` (1 to 10 000) on a page."""

    path: str = ""
    max_results: Int64 = 1000
    page_token: str = ""


class ArtifactEntry(Struct, omit_defaults=True, frozen=True):
    """A file; ``path`` is relative to the root.

    ``time`` of its last change is in milliseconds since 1970. ``versions`` counts its contents that are kept, the
    current one included. Both are absent where nobody keeps them.
    """

    path: str
    file_size: int
    time: int | None = None
    versions: int | None = None


class ListArtifactTreeResponse(Message):
    """Files by path, name by name. ``total_files`` and ``total_bytes`` are of all pages.

    When ``complete`` is false there are more files than a server looks at, 200 000, and the totals are of these.
    """

    root_uri: str
    total_files: int
    total_bytes: int
    complete: bool
    files: list[ArtifactEntry] = []
    next_page_token: str = ""


class ReadArtifactTable(ArtifactOwner):
    """Rows ``offset`` to ``offset + limit`` (1 to 1 000) of a file that holds a table.

    ``path`` ends in ``.csv``, ``.tsv``, ``.parquet`` or ``.json``: the form of ``log_table``, or a list of objects.
    ``file_version`` is one of the versions of the file; 0 is the current one.
    """

    path: str = ""
    file_version: Int64 = 0
    offset: Int64 = 0
    limit: Int64 = 100


TableCell = float | int | str | bool | None
"""A number, a text, a truth value, or nothing. What is none of these is its JSON text; of CSV all are texts."""


class TableColumn(Struct, frozen=True):
    """``type`` is ``number``, ``boolean``, ``time``, ``text`` or ``other``; of CSV what 1 000 texts read as."""

    name: str
    type: str


class ReadArtifactTableResponse(Message):
    """Some rows, fewer than asked for where they would have more than 4 MB.

    ``total`` counts the rows of the file. When ``complete`` is false the file is longer than the ``scanned_bytes`` that
    a server reads for it, and ``total`` counts the rows in these.
    """

    total: int
    complete: bool
    scanned_bytes: int
    columns: list[TableColumn] = []
    rows: list[list[TableCell]] = []


class CreateTicket(ArtifactOwner):
    """Asks for a ticket for the file or directory ``path``."""

    path: str = ""


class TicketResponse(Message):
    """``ticket`` goes into the query of ``artifacts/file`` or ``artifacts/zip`` of that path, instead of a token.

    It is empty on a server that asks for no token. ``expiration_time`` is in milliseconds since 1970.
    """

    ticket: str
    expiration_time: int
