"""A model to serve, and scoring servers in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving_tools import Asker, Serve, save_linear
from stele.models.pyfunc import load_model
from stele.serving.app import ScoringApp
from stele.serving.config import ServingConfig
from stele.serving.served import ModelHolder, ServedModel
from stele.serving.telemetry import ServingTelemetry
from workplace import workplace

__all__ = ["workplace"]


@pytest.fixture(scope="session")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_linear(tmp_path_factory.mktemp("models") / "linear")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers, and stops them at the end."""
    started: list[Asker] = []

    def start(model: Path, **options: Any) -> Asker:
        config = ServingConfig(model_uri=str(model), **options)
        holder = ModelHolder(lambda: ServedModel(load_model(str(model)), str(model), batching=config.batching))
        asker = Asker(ScoringApp(config, holder, ServingTelemetry()))
        started.append(asker)
        return asker

    yield start
    for asker in started:
        asker.close()
