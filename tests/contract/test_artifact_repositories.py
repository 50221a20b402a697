"""The artifact contract on every implementation."""

from __future__ import annotations

from pathlib import Path

import pytest

from stele.artifacts.local import LocalRepository
from stele.testing.artifact_repository import ArtifactRepositoryContract


class TestLocal(ArtifactRepositoryContract):
    @pytest.fixture
    def repository(self, tmp_path: Path) -> LocalRepository:
        return LocalRepository(tmp_path / "artifacts")
