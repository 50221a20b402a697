"""Artifacts over HTTP: whose files they are, and the addresses under which they are read and written.

A request names a file by a run and a path in it, or by a path below the server's destination. Both go through
``artifacts/paths.py``; no string of a request becomes a path or an address in another way. A run whose artifact URI
lies neither in the destination nor below a root that the administrator named is refused: whoever can make an experiment
can write any URI into it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

import anyio
import anyio.from_thread
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from stele.artifacts import ArtifactRepository, ArtifactVersions, Subtree, open_repository, scheme_of
from stele.artifacts.base import file_path
from stele.artifacts.local import local_root
from stele.artifacts.transfer import zip_stream
from stele.errors import BadRequest, InvalidParameterValue, NotImplementedHere, PayloadTooLarge, PermissionDenied, shown
from stele.schema import artifacts as a
from stele.schema.artifacts import FileInfo, ListArtifacts, ListArtifactsResponse, ListProxiedArtifactsResponse
from stele.schema.codec import decode_query, required
from stele.schema.logged_models import ListLoggedModelArtifacts, LoggedModel, LoggedModelId, SearchLoggedModels
from stele.schema.registered_models import ModelVersionName
from stele.schema.routes import Permission
from stele.schema.runs import GetRun, RunInfo
from stele.server.artifact_tables import read_table
from stele.server.artifact_tree import list_tree
from stele.server.dispatch import json_response, refuse_compressed
from stele.server.downloads import described, file_response, stream_response
from stele.server.endpoints import Endpoint
from stele.stores.base import TrackingStore

__all__ = ["ArtifactService", "artifact_endpoints"]

_PROXIED = "mlflow-artifacts"
_MODEL_FILES = "/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files"
_TAKE_TICKETS = ("/stele/artifacts/file", "/stele/artifacts/zip")
_BLOCK_BYTES = 1024 * 1024
_UPLOADS_AT_ONCE = 64
_MAX_FORM_BYTES = 10 * 1024 * 1024


class ArtifactService:
    """Finds the repository of a run or a logged model, and the server's own.

    Args:
        store: Knows the artifact URIs of runs and models.
        destination: URI or directory where the files are that go through the server.
        serve: Whether files go through the server at all.
        roots: Artifact roots outside the destination that these may have, such as the default artifact root.

    Raises:
        InvalidParameterValue: Nobody provides the destination's scheme.
    """

    def __init__(
        self, store: TrackingStore, destination: str, *, serve: bool = True, roots: Sequence[str] = ()
    ) -> None:
        self._store = store
        self._serve = serve
        self._destination = open_repository(destination)
        # What the server's own address would be is unknown here, so a bare scheme stands for the destination only.
        self._roots = [root for root in (*roots, destination) if not _is_proxied(root)]

    def destination(self) -> ArtifactRepository:
        """The repository of what goes through the server.

        Raises:
            NotImplementedHere: Nothing does.
        """
        if not self._serve:
            raise NotImplementedHere("This server was started with --no-serve-artifacts: files do not go through it.")
        return self._destination

    def root_of(self, run_id: str) -> tuple[str, ArtifactRepository]:
        """The artifact URI of a run, also of a deleted one, and the repository it stands for.

        Raises:
            DoesNotExist: No such run.
            PermissionDenied: The run keeps its files where this server does not look.
        """
        return self._root_of(self._store.get_run(GetRun(run_id=run_id)).run.info)

    def _root_of(self, run: RunInfo) -> tuple[str, ArtifactRepository]:
        return run.artifact_uri, self._repository_at(run.artifact_uri, f"run {shown(run.run_id)}")

    def root_of_model(self, model_id: str) -> tuple[str, ArtifactRepository]:
        """The same of a logged model that is in use.

        Raises:
            DoesNotExist: No such model.
            PermissionDenied: The model keeps its files where this server does not look.
        """
        uri = self._store.get_logged_model(LoggedModelId(model_id=model_id)).model.artifact_location
        return uri, self._repository_at(uri, f"logged model {shown(model_id)}")

    def root_of_version(self, name: str, version: str) -> tuple[str, ArtifactRepository]:
        """The same of a version of a registered model.

        Raises:
            DoesNotExist: No such model or version, or the run in which its files lie is gone.
            InvalidParameterValue: Its files lie in a run, at a path that is not allowed.
            PermissionDenied: The version keeps its files where this server does not look.
        """
        uri = self._store.get_model_version_download_uri(ModelVersionName(name=name, version=version)).artifact_uri
        if scheme_of(uri) == "runs":
            return self._place_in_run(*uri.partition(":")[2].strip("/").partition("/")[::2])
        return uri, self._repository_at(uri, f"version {shown(version)} of {shown(name)}")

    def _place_in_run(self, run_id: str, path: str) -> tuple[str, ArtifactRepository]:
        """What ``runs:/<run id>/<path>`` is for clients: files of the run, else of its logged model of that name."""
        run = self._store.get_run(GetRun(run_id=run_id)).run.info
        root, repository = self._root_of(run)
        model = None if repository.stat(path) else self._model_of(run, path.partition("/")[0])
        if model is not None:
            root, repository = model.artifact_location, self._repository_at(model.artifact_location, "model")
            path = path.partition("/")[2]
        return f"{root.rstrip('/')}/{path}".rstrip("/"), Subtree(repository, path)

    def _model_of(self, run: RunInfo, name: str) -> LoggedModel | None:
        try:
            request = SearchLoggedModels.newest_of_run(run.experiment_id, run.run_id, name)
        except InvalidParameterValue:
            return None
        return next(iter(self._store.search_logged_models(request).models), None)

    def root_of_owner(self, owner: a.ArtifactOwner) -> tuple[str, ArtifactRepository]:
        """The same of whoever is named.

        Raises:
            InvalidParameterValue: Nobody is named, or more than one.
            DoesNotExist: There is no such run, model or version.
            PermissionDenied: Its files lie where this server does not look.
        """
        named = [bool(owner.run_id), bool(owner.model_id), bool(owner.model_name or owner.model_version)]
        if sum(named) != 1:
            raise InvalidParameterValue("Name one of run_id, model_id, or model_name with model_version.")
        if owner.run_id:
            return self.root_of(owner.run_id)
        if owner.model_id:
            return self.root_of_model(owner.model_id)
        return self.root_of_version(
            required(owner.model_name, "model_name"), required(owner.model_version, "model_version")
        )

    def kept_below(self, uri: str) -> ArtifactRepository | None:
        """What lies at an artifact URI, if it went through this server; else None.

        Raises:
            InvalidParameterValue: The URI leads out of the destination.
        """
        return self._repository_at(uri, "model") if self._serve and _is_proxied(uri) else None

    def _repository_at(self, uri: str, owner: str) -> ArtifactRepository:
        if _is_proxied(uri):
            return Subtree(self.destination(), uri.partition(":")[2].lstrip("/"))
        for root in self._roots:
            inner = _path_below(root, uri)
            if inner is not None:
                return Subtree(open_repository(root), inner)
        raise PermissionDenied(
            f"The {owner} keeps its files at {shown(uri)}, outside the places that this server may read."
        )

    def list_artifacts(self, request: ListArtifacts) -> ListArtifactsResponse:
        """The direct children of a directory of a run, by paths relative to the run's root, all on one page.

        Raises:
            DoesNotExist: No such run.
            InvalidParameterValue: The run is not named, or the path is not allowed.
        """
        uri, repository = self.root_of(required(request.run_id or request.run_uuid, "run_id"))
        return ListArtifactsResponse(root_uri=uri, files=repository.list(request.path))

    def list_logged_model_artifacts(self, request: ListLoggedModelArtifacts) -> ListArtifactsResponse:
        """The same of a logged model.

        Raises:
            DoesNotExist: No such model.
            InvalidParameterValue: The path is not allowed.
        """
        uri, repository = self.root_of_model(required(request.model_id, "model_id"))
        return ListArtifactsResponse(root_uri=uri, files=repository.list(request.artifact_directory_path))

    def list_artifact_tree(self, request: a.ListArtifactTree) -> a.ListArtifactTreeResponse:
        """All files below a directory of a run, a logged model or a version of a registered model.

        Raises:
            DoesNotExist: No such owner.
            InvalidParameterValue: The owner is not named, or the path, page size or token is not allowed.
        """
        return list_tree(*self.root_of_owner(request), request)

    def read_artifact_table(self, request: a.ReadArtifactTable) -> a.ReadArtifactTableResponse:
        """Some rows of a file that holds a table.

        Raises:
            DoesNotExist: No such owner or file.
            InvalidParameterValue: The window is not allowed, or the file is no table.
            NotImplementedHere: The file is Parquet, and pyarrow is not installed.
        """
        return read_table(self.root_of_owner(request)[1], request)


def _is_proxied(uri: str) -> bool:
    return scheme_of(uri) == _PROXIED and not uri.partition(":")[2].startswith("//")


def _path_below(root: str, uri: str) -> str | None:
    """The path of ``uri`` in ``root``, not yet checked; None when it lies elsewhere."""
    if scheme_of(root) != scheme_of(uri):
        return None
    if scheme_of(root) == "file":
        try:
            inner = local_root(uri).absolute().relative_to(local_root(root).absolute())
            return "/".join(inner.parts)
        except (ValueError, InvalidParameterValue):
            return None
    return uri[len(root.rstrip("/")) :].lstrip("/") if f"{uri}/".startswith(f"{root.rstrip('/')}/") else None


def artifact_endpoints(service: ArtifactService) -> list[Endpoint]:
    """Every address that answers or takes files."""
    handlers = _Handlers(service)
    read, write = Permission.READ_ARTIFACT, Permission.WRITE_ARTIFACT
    both = (
        ("GET", "/mlflow-artifacts/artifacts", handlers.list_proxied, read),
        ("GET", "/mlflow-artifacts/artifacts/{path:path}", handlers.download_proxied, read),
        ("PUT", "/mlflow-artifacts/artifacts/{path:path}", handlers.upload_proxied, write),
        ("DELETE", "/mlflow-artifacts/artifacts/{path:path}", handlers.delete_proxied, write),
        ("POST", "/mlflow-artifacts/mpu/create/{path:path}", handlers.refuse_multipart, write),
        ("POST", "/mlflow-artifacts/mpu/complete/{path:path}", handlers.refuse_multipart, write),
        ("POST", "/mlflow-artifacts/mpu/abort/{path:path}", handlers.refuse_multipart, write),
        ("GET", "/mlflow-artifacts/presigned/{path:path}", handlers.refuse_presigned, read),
        ("POST", "/mlflow/artifacts/presigned-upload-url", handlers.refuse_direct, write),
        ("POST", "/mlflow/artifacts/presigned-download-url", handlers.refuse_direct, read),
        ("GET", "/stele/artifacts/versions", handlers.list_versions, read),
        ("GET", "/stele/artifacts/zip", handlers.download_zip, read),
        ("GET", "/stele/artifacts/file", handlers.show_file, read),
    )
    return [
        *(
            Endpoint(method, f"{root}/2.0{path}", permission, handler, handler.__name__, path in _TAKE_TICKETS)
            for method, path, handler, permission in both
            for root in ("/api", "/ajax-api")
        ),
        Endpoint("GET", _MODEL_FILES, read, handlers.download_of_model, "download_of_model"),
        Endpoint("GET", "/get-artifact", read, handlers.download_of_run, "download_of_run"),
        Endpoint("POST", "/ajax-api/2.0/mlflow/upload-artifact", write, handlers.upload_to_run, "upload_to_run"),
    ]


class _Handlers:
    """What happens at the addresses. File work runs in threads, never on the event loop."""

    def __init__(self, service: ArtifactService) -> None:
        self._service = service
        # An upload holds its thread for as long as the client sends; others must not wait for slow clients.
        self._uploads = anyio.CapacityLimiter(_UPLOADS_AT_ONCE)

    async def list_proxied(self, request: Request) -> Response:
        repository = self._service.destination()
        files = await anyio.to_thread.run_sync(repository.list, request.query_params.get("path", ""))
        named = [FileInfo(info.path.rpartition("/")[2], info.is_dir, info.file_size) for info in files]
        return json_response(ListProxiedArtifactsResponse(files=named))

    async def download_proxied(self, request: Request) -> Response:
        path = file_path(request.path_params["path"])
        return await file_response(self._service.destination(), path, request)

    async def upload_proxied(self, request: Request) -> Response:
        return await self._upload(self._service.destination(), request.path_params["path"], request)

    async def delete_proxied(self, request: Request) -> Response:
        path = file_path(request.path_params["path"])
        await anyio.to_thread.run_sync(self._service.destination().delete, path)
        return json_response({})

    async def list_versions(self, request: Request) -> Response:
        """Of a file of a run or model when one is named, else of one below the destination."""
        query = request.query_params
        owned = any(name in query for name in a.ArtifactOwner.__struct_fields__)
        repository = await self._of_owner(request) if owned else self._service.destination()
        versions = await anyio.to_thread.run_sync(repository.versions, file_path(query.get("path", "")))
        return json_response(ArtifactVersions(versions=versions))

    async def download_of_run(self, request: Request) -> Response:
        path = file_path(request.query_params.get("path", ""))
        return await file_response(await self._of_run(request), path, request)

    async def download_of_model(self, request: Request) -> Response:
        path = file_path(request.query_params.get("artifact_file_path", ""))
        model_id = request.path_params["model_id"]
        _, repository = await anyio.to_thread.run_sync(self._service.root_of_model, model_id)
        return await file_response(repository, path, request)

    async def show_file(self, request: Request) -> Response:
        path = file_path(request.query_params.get("path", ""))
        return await file_response(await self._of_owner(request), path, request, shown=True)

    async def download_zip(self, request: Request) -> Response:
        repository = await self._of_owner(request)
        path = request.query_params.get("path", "")
        chunks = await anyio.to_thread.run_sync(zip_stream, repository, path)
        name = path.rstrip("/").rpartition("/")[2] or "artifacts"
        return stream_response(chunks, f"{name}.zip", "application/zip")

    async def upload_to_run(self, request: Request) -> Response:
        path = file_path(request.query_params.get("path", ""))
        return await self._upload(await self._of_run(request), path, request, _MAX_FORM_BYTES)

    async def refuse_multipart(self, request: Request) -> Response:
        raise NotImplementedHere("This server takes files in one piece only.")

    async def refuse_presigned(self, request: Request) -> Response:
        raise NotImplementedHere("This server has no addresses that work without its permission.")

    async def refuse_direct(self, request: Request) -> Response:
        raise InvalidParameterValue("The files of this server are not in an object store; read and write them here.")

    async def _of_run(self, request: Request) -> ArtifactRepository:
        query = request.query_params
        run_id = required(query.get("run_id") or query.get("run_uuid") or "", "run_id")
        return (await anyio.to_thread.run_sync(self._service.root_of, run_id))[1]

    async def _of_owner(self, request: Request) -> ArtifactRepository:
        names = a.ArtifactOwner.__struct_fields__
        given = {name: request.query_params.getlist(name) for name in names}
        owner = decode_query(given, a.ArtifactOwner)
        return (await anyio.to_thread.run_sync(self._service.root_of_owner, owner))[1]

    async def _upload(
        self, repository: ArtifactRepository, path: str, request: Request, limit: int | None = None
    ) -> Response:
        key = file_path(path)
        refuse_compressed(request)
        blocks = _Blocks(request, limit)
        try:
            info = await anyio.to_thread.run_sync(repository.write, key, blocks, limiter=self._uploads)
        except ClientDisconnect as e:
            raise BadRequest(f"The upload of {shown(key)} broke off; nothing of it was kept.") from e
        return Response(b"", headers=described(info))


class _Blocks:
    """The body of a request for a thread, in blocks of about 1 MiB: one block is in memory at a time.

    Args:
        request: Whose body it is.
        limit: Most bytes that are taken; None takes any number.
    """

    def __init__(self, request: Request, limit: int | None) -> None:
        self._stream: AsyncIterator[bytes] = request.stream()
        self._limit = limit
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        while block := anyio.from_thread.run(self._next_block):
            yield block

    async def _next_block(self) -> bytes:
        block = bytearray()
        while len(block) < _BLOCK_BYTES:
            piece = await anext(self._stream, None)
            if piece is None:
                break
            self._size += len(piece)
            if self._limit is not None and self._size > self._limit:
                raise PayloadTooLarge(f"At most {self._limit} bytes are accepted here.")
            block += piece
        return bytes(block)
