"""All files of a run or a model as one flat listing."""

from __future__ import annotations

from itertools import islice

from stele import limits
from stele.artifacts import ArtifactRepository, walk
from stele.schema.artifacts import ArtifactEntry, FileInfo, ListArtifactTree, ListArtifactTreeResponse
from stele.search.page import Position, decode_token, encode_token, fingerprint

__all__ = ["list_tree"]


def list_tree(root_uri: str, repository: ArtifactRepository, request: ListArtifactTree) -> ListArtifactTreeResponse:
    """A page of the files below a directory of a repository.

    Args:
        root_uri: Of the owner, for the answer.
        repository: The owner's files.
        request: What is wanted.

    Raises:
        InvalidParameterValue: The path, the page size or the token is not allowed.
    """
    limits.check_max_results(request.max_results, limits.MAX_TREE_PAGE)
    mark = fingerprint("artifact tree", root_uri, request.path)
    position = decode_token(request.page_token, mark, [str])
    found = list(islice(walk(repository, request.path), limits.MAX_TREE_FILES + 1))
    complete = len(found) <= limits.MAX_TREE_FILES
    found = sorted(found[: limits.MAX_TREE_FILES], key=lambda info: _order(info.path))
    rest = found
    if position is not None:
        last = _order(str(position.values[0]))
        rest = [info for info in found if _order(info.path) > last]
    page = rest[: request.max_results]
    token = encode_token(Position((page[-1].path,), 0), mark) if len(page) < len(rest) else ""
    return ListArtifactTreeResponse(
        root_uri=root_uri,
        files=[_entry(repository, info) for info in page],
        total_files=len(found),
        total_bytes=sum(info.file_size or 0 for info in found),
        complete=complete,
        next_page_token=token,
    )


def _order(path: str) -> list[str]:
    """Name by name, so that the files of a directory stand together."""
    return path.split("/")


def _entry(repository: ArtifactRepository, info: FileInfo) -> ArtifactEntry:
    versions = repository.versions(info.path)
    current = next((version for version in versions if version.current), None)
    return ArtifactEntry(
        info.path, info.file_size or 0, None if current is None else current.time, len(versions) or None
    )
