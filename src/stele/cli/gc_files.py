"""Where the files of a run are, for somebody who is about to remove them.

The database says where, and whoever could make an experiment had a say in that. So only a directory is removed that
bears the run's own id and lies beneath a root that the one who runs the command gave.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stele.artifacts import ArtifactRepository, open_repository, scheme_of, walk
from stele.artifacts.local import LocalRepository, local_root
from stele.artifacts.paths import normalise
from stele.artifacts.sweep import Swept, sweep_versions
from stele.errors import InvalidParameterValue, SteleError, shown

__all__ = ["FilePlaces"]

_PROXIED = "mlflow-artifacts"
_TAIL = "artifacts"


class FilePlaces:
    """The roots beneath which files may be removed.

    Args:
        destination: Where the server keeps files that go through it: a path or a URI.
        default_root: Where experiments keep files that do not: a path or a URI.
    """

    def __init__(self, destination: str, default_root: str) -> None:
        self._destination = destination
        self._roots = list(dict.fromkeys((destination, default_root)))
        self._open: dict[str, ArtifactRepository] = {}

    def reason(self, artifact_uri: str, run_id: str) -> str:
        """Why the files of a run must stay; empty when they may go."""
        try:
            found = self._run_directory(artifact_uri, run_id)
        except SteleError as e:
            return str(e)
        return "" if found else "its files lie elsewhere"

    def remove_run(self, artifact_uri: str, run_id: str) -> None:
        """Remove the directory of a run; one that does not exist is no error.

        Raises:
            SteleError: It may not or cannot be removed.
        """
        found = self._run_directory(artifact_uri, run_id)
        if found is None:
            raise InvalidParameterValue(f"{shown(artifact_uri)} may not be removed.")
        repository, path = found
        repository.delete(path)

    def remove_experiment(self, location: str) -> None:
        """Remove the directory of an experiment when no file is left in it.

        Raises:
            SteleError: It cannot be removed.
        """
        found = self._found(location.rstrip("/"))
        if found is not None and next(walk(*found), None) is None:
            repository, path = found
            repository.delete(path)

    def sweep(self, before: int, *, dry_run: bool) -> Iterator[Swept]:
        """Remove what files beneath the local roots held until they were overwritten before a time.

        Args:
            before: Milliseconds since 1970.
            dry_run: Remove nothing.
        """
        local = {local_root(root).resolve() for root in self._roots if scheme_of(root) == "file"}
        for root in sorted(local):
            if not any(other in root.parents for other in local):  # that one has been through it
                yield from sweep_versions(root, before, dry_run=dry_run)

    def close(self) -> None:
        """Give back connections."""
        for repository in self._open.values():
            repository.close()

    def _run_directory(self, artifact_uri: str, run_id: str) -> tuple[ArtifactRepository, str] | None:
        directory = artifact_uri.rstrip("/").removesuffix(f"/{_TAIL}")
        if directory == artifact_uri.rstrip("/") or not directory.endswith(f"/{run_id}"):
            return None
        return self._found(directory)

    def _found(self, uri: str) -> tuple[ArtifactRepository, str] | None:
        """The repository and the path in it, None outside of all roots."""
        scheme = scheme_of(uri)
        if scheme == _PROXIED:
            return self._proxied(uri)
        return self._local(local_root(uri)) if scheme == "file" else self._remote(uri)

    def _proxied(self, uri: str) -> tuple[ArtifactRepository, str] | None:
        path = uri.partition(":")[2]
        key = normalise(path.lstrip("/"))
        # With a host in it, the address is that of another server as far as anybody here can tell.
        return (self._repository(self._destination), key) if key and not path.startswith("//") else None

    def _local(self, path: Path) -> tuple[ArtifactRepository, str] | None:
        for root in self._roots:
            if scheme_of(root) == "file":
                directory = local_root(root).absolute()
                if path.is_relative_to(directory) and path != directory:
                    return self._repository(root), normalise(path.relative_to(directory).as_posix())
        return None

    def _remote(self, uri: str) -> tuple[ArtifactRepository, str] | None:
        for root in self._roots:
            prefix = f"{root.rstrip('/')}/"
            if scheme_of(root) != "file" and uri.startswith(prefix) and len(uri) > len(prefix):
                return self._repository(root), normalise(uri.removeprefix(prefix))
        return None

    def _repository(self, root: str) -> ArtifactRepository:
        if root not in self._open:
            local = scheme_of(root) == "file"
            self._open[root] = LocalRepository(local_root(root)) if local else open_repository(root)
        return self._open[root]
