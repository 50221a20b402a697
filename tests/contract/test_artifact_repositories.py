"""The artifact contract on every implementation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stele.artifacts import ArtifactRepository, Subtree
from stele.artifacts.local import LocalRepository
from stele.artifacts.proxied import ProxiedRepository
from stele.testing.artifact_repository import ArtifactRepositoryContract
from stele.transport.asgi import AsgiTransport
from unit.artifacts import small_server


class TestLocal(ArtifactRepositoryContract):
    @pytest.fixture
    def repository(self, tmp_path: Path) -> ArtifactRepository:
        return LocalRepository(tmp_path / "artifacts")


class TestSubtree(ArtifactRepositoryContract):
    @pytest.fixture
    def repository(self, tmp_path: Path) -> ArtifactRepository:
        return Subtree(LocalRepository(tmp_path / "artifacts"), "1/run 1/artifacts")


class TestProxied(ArtifactRepositoryContract):
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Iterator[ArtifactRepository]:
        transport = AsgiTransport(small_server.app(small_server.service(str(tmp_path / "artifacts"))))
        yield ProxiedRepository(transport, "1/run 1/artifacts")
        transport.close()


class TestProxiedRoot(ArtifactRepositoryContract):
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Iterator[ArtifactRepository]:
        transport = AsgiTransport(small_server.app(small_server.service(str(tmp_path / "artifacts"))))
        yield ProxiedRepository(transport)
        transport.close()
